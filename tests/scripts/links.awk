# Checks the link farms against the LSB headers of the scripts. Reads the
# scripts, insserv.conf, and from standard input one line "LEVEL LINK TARGET"
# for each link; prints one line for each contradiction.

function complain(text) {
	print text
}

# The names that a word of a header stands for: a facility is spread out.
function expand(word, depth,    n, i, part, result) {
	if (word !~ /^\$/)
		return word
	if (depth > 9 || !(word in facility)) {
		complain("unknown facility " word)
		return ""
	}
	n = split(facility[word], part, " ")
	result = ""
	for (i = 1; i <= n; i++) {
		sub(/^\+/, "", part[i])
		result = result " " expand(part[i], depth + 1)
	}
	return result
}

function has(list, word) {
	return index(" " list " ", " " word " ") > 0
}

# Scripts named by the header line "key" of a script, into deps[1..].
function dependencies(script, key, deps,    n, i, m, j, word, part, count) {
	count = 0
	n = split(header[script, key], word, " ")
	for (i = 1; i <= n; i++) {
		if (word[i] == "$all")
			continue
		m = split(expand(word[i], 0), part, " ")
		for (j = 1; j <= m; j++)
			if (part[j] in provider) {
				deps[++count] = provider[part[j]]
				# What stands behind a facility is ordered, not demanded.
				hard[count] = word[i] !~ /^\$/
			} else if (key ~ /^required/ && word[i] !~ /^\$/)
				complain(script ": " key " names " part[j] ", which nothing provides")
	}
	return count
}

FILENAME ~ /insserv\.conf$/ {
	if ($0 ~ /^\$/) {
		name = $1
		$1 = ""
		facility[name] = $0
	}
	next
}

FILENAME == "-" || FILENAME == "" {
	level[++links] = $1
	link[links] = $2
	target[links] = $3
	next
}

FNR == 1 {
	script = FILENAME
	sub(/.*\//, "", script)
	scripts[++number] = script
	inside = 0
}
/^### BEGIN INIT INFO/ { inside = 1; next }
/^### END INIT INFO/ { inside = 0; next }
inside && /^# [A-Z][A-Za-z-]*:/ {
	key = tolower($2)
	sub(/:$/, "", key)
	value = $0
	sub(/^# [A-Za-z-]*:[ \t]*/, "", value)
	header[script, key] = value
	if (key == "provides") {
		n = split(value, word, " ")
		for (i = 1; i <= n; i++) {
			if (word[i] in provider)
				complain(script " and " provider[word[i]] " both provide " word[i])
			provider[word[i]] = script
		}
	}
}

END {
	needed = split("provides required-start required-stop default-start default-stop short-description", need, " ")
	for (s = 1; s <= number; s++) {
		script = scripts[s]
		known[script] = 1
		for (i = 1; i <= needed; i++)
			if (!((script, need[i]) in header))
				complain(script ": no " need[i])
		if (!has(header[script, "provides"], script))
			complain(script ": does not provide its own name")
	}

	# Where each script is started and stopped, and when: the links S in 0 and
	# 6 stop too, after all the links K.
	for (i = 1; i <= links; i++) {
		if (link[i] !~ /^[SK][0-9][0-9]./) {
			complain("rc" level[i] ".d/" link[i] ": no link name")
			continue
		}
		name = substr(link[i], 4)
		where = "rc" level[i] ".d/" link[i]
		if (target[i] != "../init.d/" name)
			complain(where ": leads to " target[i])
		if (!(name in known)) {
			complain(where ": no such script")
			continue
		}
		kind = substr(link[i], 1, 1)
		order = substr(link[i], 2, 2) + 0
		if (kind == "S" && level[i] !~ /[06]/) {
			kind = "start"
		} else {
			order += (kind == "S") * 100
			kind = "stop"
		}
		if ((kind, level[i], name) in place)
			complain(where ": a second link to " name)
		place[kind, level[i], name] = order + 1
		if (!has(header[name, "default-" kind], level[i]))
			complain(where ": " name " has no such default level")
	}

	levels = split("S 0 1 2 3 4 5 6", all, " ")
	for (s = 1; s <= number; s++)
		for (l = 1; l <= levels; l++) {
			check(scripts[s], all[l], "start")
			check(scripts[s], all[l], "stop")
		}
}

function check(script, at, kind,    own, n, i, deps, other, that) {
	own = place[kind, at, script]
	if (has(header[script, "default-" kind], at) && !own) {
		complain("rc" at ".d: no link to " kind " " script)
		return
	}
	if (!own)
		return
	n = dependencies(script, "required-" kind, deps)
	for (i = 1; i <= n; i++) {
		that = place[kind, at, deps[i]]
		if (kind == "start" && hard[i] && !that && !place["start", "S", deps[i]])
			complain("rc" at ".d: " script " needs " deps[i] ", which is not started")
		ordered(script, at, kind, own, deps[i], that)
	}
	n = dependencies(script, "should-" kind, deps)
	for (i = 1; i <= n; i++)
		ordered(script, at, kind, own, deps[i], place[kind, at, deps[i]])
	n = dependencies(script, kind == "start" ? "x-start-before" : "x-stop-after", deps)
	for (i = 1; i <= n; i++) {
		that = place[kind, at, deps[i]]
		if (that)
			ordered(deps[i], at, kind, that, script, own)
	}
	if (has(header[script, "required-" kind], "$all"))
		for (i = 1; i <= number; i++)
			if (scripts[i] != script)
				ordered(script, at, kind, own, scripts[i], place[kind, at, scripts[i]])
}

# What a script needs starts before it, and stops after it.
function ordered(script, at, kind, own, needed, that) {
	if (!that || needed == script)
		return
	if (kind == "start" ? that >= own : that <= own)
		complain("rc" at ".d: " kind " of " script " and " needed " is in the wrong order")
}
