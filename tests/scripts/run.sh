#!/bin/sh
# Tests of the rc scripts, without a kernel of their own: what shellcheck and the
# shells say, headers against link farms, the words in init.d/functions with real
# processes, and a whole boot with busybox and with dash, in namespaces of an
# ordinary user, where nothing can hurt the machine; and of link/cc, the linker of
# our programs.

# A shell's background job ignores ^C, and so does everything that is started from one; here it must mean something.
if [ -z "${DEFAULT_SIGNALS-}" ]; then
	DEFAULT_SIGNALS=yes exec env --default-signal=INT,QUIT sh "$0" "$@"
fi

cd "$(dirname "$0")/../.." || exit 1
repository=$PWD
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

passed=0
bad=0

# expect NAME COMMAND...: one test; what the command prints is shown only if it
# fails.
expect() {
	name=$1
	shift
	if "$@" >"$work/output" 2>&1; then
		passed=$((passed + 1))
	else
		bad=$((bad + 1))
		echo "FAILED: $name"
		while read -r line; do
			printf '    %s\n' "$line"
		done <"$work/output"
	fi
}

need() {
	for tool; do
		command -v "$tool" >/dev/null 2>&1 || {
			echo "tests/scripts: $tool is missing" >&2
			missing=1
		}
	done
}
missing=0
need shellcheck dash busybox unshare awk script timeout cc nm
[ "$missing" -eq 0 ] || exit 1

rc_scripts() {
	for file in init.d/*; do
		case $file in
		# Sourced, and to be copied: neither is linked anywhere.
		init.d/functions | init.d/skeleton) ;;
		*) echo "$file" ;;
		esac
	done
}

# --- by reading --------------------------------------------------------------

prints_nothing() {
	"$@" >"$work/said" 2>&1
	cat "$work/said"
	[ ! -s "$work/said" ]
}

expect "shellcheck finds nothing" \
	shellcheck -s sh init.d/* etc/udhcpc/default.script tests/scripts/*.sh

for file in init.d/* etc/udhcpc/default.script; do
	expect "$file is read by dash" dash -n "$file"
	expect "$file is read by busybox ash" busybox ash -n "$file"
done

is_executable_sh() {
	[ -x "$1" ] && read -r first <"$1" && [ "$first" = '#!/bin/sh' ]
}
for file in $(rc_scripts); do
	expect "$file is an executable sh script" is_executable_sh "$file"
done

list_links() {
	for link in rc.d/rc?.d/*; do
		level=${link#rc.d/rc}
		echo "${level%%.*} ${link##*/} $(readlink "$link")"
	done
}
links_agree() {
	# shellcheck disable=SC2046 # names without blanks
	list_links | "$@" -f tests/scripts/links.awk etc/insserv.conf $(rc_scripts) -
}
expect "links agree with the LSB headers" prints_nothing links_agree awk

# The check itself must be able to fail.
wrong_link_is_found() {
	# shellcheck disable=SC2046 # names without blanks
	list_links | sed 's/^3 S03crond/3 S00crond/' |
		awk -f tests/scripts/links.awk etc/insserv.conf $(rc_scripts) - |
		grep -q 'rc3.d: start of crond and syslog is in the wrong order'
}
expect "a link before what its script needs is found" wrong_link_is_found

defaults_are_all_comments() {
	! grep -v -e '^#' -e '^$' "$1"
}
for file in etc/default/*; do
	expect "$file changes nothing as installed" defaults_are_all_comments "$file"
done

# --- the linker --------------------------------------------------------------

# Called with what rustc would give it, before a cc that only says what it got.
mkdir -p "$work/link/bin"
cp link/cc "$work/link/cc"
printf '%s\n' '# What process 1 runs.' 'a_crate::hot' '__libc_write' '<a_crate::Gone>::method' >"$work/link/order"
printf '#!/bin/sh\nprintf "%%s\\n" "$@"\n' >"$work/link/bin/cc"
chmod +x "$work/link/bin/cc"
# The second is `a_crate::hot' as rustc writes it.
echo 'int cold; void _RNvCs1234_7a_crate3hot(void) { cold++; } int main(void) { return cold; }' |
	cc -ffunction-sections -c -x c -o "$work/link/program.rcgu.o" -
links() {
	wanted=$1
	shift
	rm -f "$work"/link/*.order
	(cd "$work/link" && PATH="$work/link/bin:$PATH" ./cc "$@") >"$work/said" 2>&1 || return 1
	cat "$work/said"
	[ "$(tr '\n' ' ' <"$work/said")" = "$wanted " ]
}
order_is() {
	cat "$work/link/init-1.order"
	[ "$(tr '\n' ' ' <"$work/link/init-1.order")" = "$1 " ]
}
is_ordered() {
	(cd "$work/link" && PATH="$work/link/bin:$PATH" ./cc "$@") >"$work/said" 2>&1 || return 1
	cat "$work/said"
	[ "$(head -n "$#" "$work/said" | tr '\n' ' ')" = "$* " ] &&
		grep -q -x -e '--symbol-ordering-file=init-1.order' "$work/said"
}
expect "init is linked by the order" is_ordered -fuse-ld=lld program.rcgu.o -o init-1
expect "Rust's names are looked up, the C library's are taken, and others left out" \
	order_is '_RNvCs1234_7a_crate3hot __libc_write'
expect "another program is linked as it comes" links \
	'-fuse-ld=lld program.rcgu.o -o sysvtools-1' -fuse-ld=lld program.rcgu.o -o sysvtools-1
expect "so is init by another linker" links 'program.rcgu.o -o init-1' program.rcgu.o -o init-1
expect "and of more than one object" links \
	'-fuse-ld=lld program.rcgu.o other.rcgu.o -o init-1' -fuse-ld=lld program.rcgu.o other.rcgu.o -o init-1

nm_fails() {
	printf '#!/bin/sh\nexit 1\n' >"$work/link/bin/nm"
	chmod +x "$work/link/bin/nm"
	links '-fuse-ld=lld program.rcgu.o -o init-1' -fuse-ld=lld program.rcgu.o -o init-1
}
expect "and where nm cannot tell" nm_fails

# --- the words in functions --------------------------------------------------

cp "$(command -v sleep)" "$work/toyd"
cat >"$work/stubborn" <<'SCRIPT'
#!/bin/sh
trap '' TERM HUP
while :; do sleep 1; done
SCRIPT
cat >"$work/broken" <<'SCRIPT'
#!/bin/sh
echo "no configuration"
exit 1
SCRIPT
# Reads its settings for three tenths of a second before it finds the fault.
cat >"$work/slow" <<'SCRIPT'
#!/bin/sh
hundredths() {
	read -r now _ </proc/uptime
	now=${now%.*}${now#*.}
}
hundredths
end=$((now + 30))
while [ "$now" -lt "$end" ]; do hundredths; done
echo "no configuration"
exit 1
SCRIPT
cat >"$work/diligent" <<'SCRIPT'
#!/bin/sh
while :; do :; done
SCRIPT
chmod 755 "$work/stubborn" "$work/broken" "$work/slow" "$work/diligent"

cat >"$work/toy" <<SCRIPT
#!/bin/sh
. $repository/init.d/functions
PATH=\${TEST_PATH:-\$PATH}
actions='start stop restart try-restart force-reload status'
what='toy daemon'
program=\${TOY:-$work/toyd}
pidfile=$work/toy.pid
start() { daemon_start 300; }
stop() { daemon_stop; }
status() { daemon_status; }
act "\$@"
SCRIPT

# A path on which there is no start-stop-daemon.
mkdir "$work/bare"
for tool in sleep setsid rm sh cat; do
	ln -s "$(command -v "$tool")" "$work/bare/$tool"
done

# Each shell as one word.
mkdir "$work/shells"
for shell in dash ash; do
	printf '#!/bin/sh\nexec %s "$@"\n' "$shell" >"$work/shells/$shell"
done
sed -i 's/exec ash/exec busybox ash/' "$work/shells/ash"
chmod 755 "$work/shells"/*

toy() {
	"$shell" "$work/toy" "$@"
}
gives() {
	wanted=$1
	shift
	"$@"
	status=$?
	echo "status $status instead of $wanted"
	[ "$status" -eq "$wanted" ]
}
pid_changes() {
	read -r before <"$work/toy.pid"
	"$@"
	read -r after <"$work/toy.pid"
	echo "$before $after"
	[ "$before" != "$after" ] && kill -0 "$after"
}
has_its_own_session() {
	read -r pid <"$work/toy.pid"
	read -r _ _ _ _ _ session _ <"/proc/$pid/stat"
	read -r _ _ _ _ _ mine _ <"/proc/$$/stat"
	[ "$session" != "$mine" ]
}
interrupt_is_not_ignored() {
	read -r pid <"$work/toy.pid"
	ignored=$(awk '$1 == "SigIgn:" { print $2 }' "/proc/$pid/status")
	# SIGINT is 2, SIGQUIT is 3: bits 1 and 2.
	case $ignored in
	*[0189]) ;;
	*) return 1 ;;
	esac
}
shows_why() {
	toy start | grep -q '^    no configuration$'
}
usage_names_all() {
	toy frobnicate 2>&1 | grep -q '^Usage: .*/toy {start|stop|restart|try-restart|force-reload|status}$'
}

for shell in "$work/shells/dash" "$work/shells/ash"; do
	name_of_shell=${shell##*/}
	for path in "" "$work/bare"; do
		where="$name_of_shell${path:+ without start-stop-daemon}"
		export TEST_PATH="$path"
		unset TOY
		expect "$where: status of what never ran is 3" gives 3 toy status
		expect "$where: stop of what does not run is no failure" gives 0 toy stop
		expect "$where: try-restart starts nothing" gives 0 toy try-restart
		expect "$where: and really nothing" gives 3 toy status
		expect "$where: start" gives 0 toy start
		expect "$where: status of what runs is 0" gives 0 toy status
		expect "$where: the daemon has its own session" has_its_own_session
		[ -n "$path" ] || expect "$where: the daemon can be interrupted" interrupt_is_not_ignored
		expect "$where: a second start is no failure" gives 0 toy start
		expect "$where: restart makes another process" pid_changes toy restart
		expect "$where: try-restart makes another process" pid_changes toy try-restart
		expect "$where: force-reload without reload restarts" pid_changes toy force-reload
		expect "$where: stop" gives 0 toy stop
		expect "$where: status of what was stopped is 3" gives 3 toy status
		toy start >/dev/null
		read -r pid <"$work/toy.pid"
		kill -KILL "$pid"
		expect "$where: status of what died is 1" timeout 5 "$repository/tests/scripts/until.sh" 1 "$shell" "$work/toy" status
		echo $$ >"$work/toy.pid"
		expect "$where: a recycled pid is not the daemon" gives 1 toy status
		expect "$where: and is not stopped" gives 0 toy stop
		echo "rubbish" >"$work/toy.pid"
		expect "$where: a pid file of rubbish" gives 1 toy status
		: >"$work/toy.pid"
		expect "$where: an empty pid file" gives 1 toy status
		rm -f "$work/toy.pid"
		export TOY="$work/broken"
		expect "$where: what ends at once was not started" gives 1 toy start
		expect "$where: and the reason is shown" shows_why
		expect "$where: no pid file is left" [ ! -e "$work/toy.pid" ]
		export TOY="$work/slow"
		expect "$where: nor what works for a while before it ends" gives 1 toy start
		expect "$where: and its reason is shown" shows_why
		export TOY="$work/diligent"
		expect "$where: what goes on working was started" gives 0 toy start
		expect "$where: and can be stopped" gives 0 toy stop
		export TOY="$work/nowhere"
		expect "$where: what is not installed is 5" gives 5 toy start
		unset TOY
		expect "$where: an unknown action is 2" gives 2 toy frobnicate
		expect "$where: no action is 2" gives 2 toy
		expect "$where: two actions are 2" gives 2 toy start stop
		expect "$where: an action that is not offered is 3" gives 3 toy reload
		expect "$where: usage names the actions" usage_names_all
	done
	unset TEST_PATH
	export TOY="$work/stubborn"
	toy start >/dev/null
	expect "$name_of_shell: what ignores TERM is killed" timeout 30 "$shell" "$work/toy" stop
	expect "$name_of_shell: and is gone" gives 3 toy status
	unset TOY
done

# --- lines -------------------------------------------------------------------

cat >"$work/lines" <<SCRIPT
. $repository/init.d/functions
begin "Doing a thing"; ok
begin "Doing quite another thing"; skip "nothing to do"
begin "A"; fail
begin "A line that is longer than all of the room there is for a line"; ok
note "first
second"
SCRIPT
cat >"$work/lines.wanted" <<'TEXT'
Doing a thing ................................... [ ok ]
Doing quite another thing ....................... [skip] nothing to do
A ............................................... [fail]
A line that is longer than all of the room there is for a line ... [ ok ]
    first
    second
TEXT
lines_are_tidy() {
	"$shell" "$work/lines" >"$work/lines.seen"
	diff "$work/lines.wanted" "$work/lines.seen"
}
# on_terminal TERM: how many escape characters the lines have.
escapes() {
	env -u INIT_VERSION -u NO_COLOR TERM="$1" script -qec "$shell $work/lines" /dev/null </dev/null |
		tr -dc '\033' | wc -c
}
coloured() { [ "$(escapes "$1")" -gt 0 ]; }
plain() { [ "$(escapes "$1")" -eq 0 ]; }
for shell in "$work/shells/dash" "$work/shells/ash"; do
	name_of_shell=${shell##*/}
	expect "$name_of_shell: lines are aligned" lines_are_tidy
	expect "$name_of_shell: a terminal has colours" coloured linux
	for term in dumb unknown vt100 vt102 vt220 ""; do
		expect "$name_of_shell: TERM=$term has none" plain "$term"
	done
done

# The parameter's file, as the sysctl script finds it.
sed -n '/^find_path()/,/^}/p' init.d/sysctl >"$work/find_path"
cat >>"$work/find_path" <<'SCRIPT'
key=$1
find_path
echo "$path"
SCRIPT
is_file() {
	[ "$("$shell" "$work/find_path" "$1")" = "$2" ]
}
for shell in "$work/shells/dash" "$work/shells/ash"; do
	name_of_shell=${shell##*/}
	expect "$name_of_shell: dots of a parameter separate" is_file kernel.printk kernel/printk
	expect "$name_of_shell: so do slashes" is_file net/ipv4/conf/eth0.1/forwarding net/ipv4/conf/eth0.1/forwarding
	expect "$name_of_shell: a slash among dots is a dot" is_file net.ipv4.conf.eth0/1.forwarding net/ipv4/conf/eth0.1/forwarding
done

container_is_seen() {
	container=lxc "$shell" -c ". $repository/init.d/functions; in_container"
}
namespace_is_seen() {
	unshare --user --map-root-user --pid --mount --fork --mount-proc \
		"$shell" -c ". $repository/init.d/functions; in_container"
}
only_on_the_way_down() {
	env -u RUNLEVEL -u runlevel "$shell" -c ". $repository/init.d/functions; begin x; only_in 06 '0 or 6'" >"$work/said"
	[ $? -eq 1 ] && grep -q 'only on the way to runlevel 0 or 6' "$work/said"
}
for shell in "$work/shells/dash" "$work/shells/ash"; do
	name_of_shell=${shell##*/}
	expect "$name_of_shell: the variable container tells where we are" container_is_seen
	expect "$name_of_shell: a namespace is seen" namespace_is_seen
	expect "$name_of_shell: what ends everything needs its runlevel" only_on_the_way_down
done

# --- a whole boot ------------------------------------------------------------

# make_root DIRECTORY SHELL: busybox, our scripts, and the shell as /bin/sh.
make_root() {
	mkdir -p "$1/bin" "$1/sbin" "$1/etc" "$1/proc" "$1/sys" "$1/dev/pts" "$1/run" \
		"$1/tmp" "$1/var/log" "$1/root"
	cp "$(command -v busybox)" "$1/bin/busybox"
	for applet in $(busybox --list | grep -v -x busybox); do
		ln -s busybox "$1/bin/$applet"
	done
	if [ "$2" = dash ]; then
		rm "$1/bin/sh"
		cp "$(command -v dash)" "$1/bin/sh"
		# The libraries that the dynamic loader names, and itself.
		ldd "$1/bin/sh" | tr -s '[:space:]' '\n' | while read -r library; do
			case $library in
			/*)
				mkdir -p "$1${library%/*}"
				cp "$library" "$1$library"
				;;
			esac
		done
	fi
	cp -a init.d "$1/etc/init.d"
	cp -a rc.d/rc?.d "$1/etc/"
	cp -a etc/default etc/inittab etc/udhcpc "$1/etc/"
	echo small >"$1/etc/hostname"
	printf '#!/bin/sh\necho hello from rc.local\n' >"$1/etc/rc.local"
	printf '#!/bin/sh\nexit 3\n' >"$1/etc/rc.shutdown"
	chmod 755 "$1/etc/rc.local" "$1/etc/rc.shutdown"
	echo 'root::0:0:root:/root:/bin/sh' >"$1/etc/passwd"
	echo 'root:x:0:' >"$1/etc/group"
	echo litter >"$1/tmp/litter"
	mkdir -p "$1/tmp/old/deep"
	echo litter >"$1/tmp/old/.hidden"
	cp "$work/stubborn" "$1/bin/stubborn"
	cp tests/scripts/inside.sh "$1/inside"
	# Whatever the scripts mean to do to the machine at the very end.
	# Stands for a display manager.
	printf '#!/bin/sh\nwhile :; do sleep 1; done\n' >"$1/bin/lightdm"
	chmod 755 "$1/bin/lightdm"
	for name in halt reboot telinit; do
		cat >"$1/sbin/$name" <<-SCRIPT
			#!/bin/sh
			echo "$name \$*" >>/ends
		SCRIPT
		chmod 755 "$1/sbin/$name"
	done
	chmod 755 "$1/inside"
}

# Namespaces without any privilege outside of them; the nodes in /dev are the
# machine's own, and nothing in here may change those either.
boot_inside() {
	# shellcheck disable=SC2016 # for the inner shell
	timeout 120 unshare --user --map-root-user --pid --mount --ipc --uts --net --fork --kill-child=KILL \
		sh -c '
			root=$1
			mount --bind "$root" "$root" &&
			mount -t proc proc "$root/proc" &&
			mount -t tmpfs tmpfs "$root/dev" || exit 1
			for node in null zero full random urandom tty; do
				: >"$root/dev/$node"
				mount --bind "/dev/$node" "$root/dev/$node" || exit 1
			done
			# What a container is given: the scripts mount nothing there.
			mkdir "$root/dev/pts" "$root/dev/shm" &&
			mount -t devpts devpts "$root/dev/pts" &&
			mount -t tmpfs tmpfs "$root/dev/shm" &&
			mount -t tmpfs tmpfs "$root/run" &&
			mount -t sysfs sysfs "$root/sys" || exit 1
			[ "$2" != ro ] || mount -o remount,bind,ro "$root" || exit 1
			exec env -i HOME=/ TERM=linux PATH=/sbin:/bin chroot "$root" /inside "$2"
		' sh "$1" "$2" </dev/null
}

# All lines of a kind in the report, but for those that match.
no_line_but() {
	! grep "$1" "$report" | grep -v -E "$2"
}
has_line() {
	grep -q -E "$1" "$report" || {
		cat "$report"
		return 1
	}
}

for shell in busybox dash; do
	make_root "$work/root-$shell" "$shell"
	boot_inside "$work/root-$shell" rw >"$work/report-$shell" 2>&1 &
done
make_root "$work/root-ro" busybox
boot_inside "$work/root-ro" ro >"$work/report-ro" 2>&1 &
wait

report=$work/report-ro
where="boot with a read-only root"
expect "$where: reaches its end" has_line '^left '
expect "$where: every start and stop succeeds" no_line_but '^[S0-6] ' '( (0|5)|rc.local stop 1|K10halt stop .*)$'
expect "$where: crond runs" has_line '^check crond status 0$'
expect "$where: it is said" has_line '^. Cleaning /tmp .*read-only'
expect "$where: no shell complains" no_line_but '^| .*inside:' never

for shell in busybox dash; do
	root=$work/root-$shell
	report=$work/report-$shell
	where="boot with $shell"
	expect "$where: reaches its end" has_line '^left '
	expect "$where: every start and stop succeeds" no_line_but '^[S0-6] ' '( (0|5)|rc.local stop 1)$'
	expect "$where: only missing programs are called missing" no_line_but '^[S0-6] .* 5$' 'sshd start 5$'
	expect "$where: lines are tidy" no_line_but '^| ' '^\| (.{48,} \[( ok |skip|fail)\]( .*)?|not available here:.*|Running /etc/rc.*|hello from rc.local)$'
	expect "$where: crond runs in runlevel 2" has_line '^check crond status 0$'
	expect "$where: an unknown action is refused by all" no_line_but '^check .* nonsense ' ' 2$'
	expect "$where: reload that crond has not is 3" has_line '^check crond reload 3$'
	expect "$where: sshd does not run" has_line '^check sshd status 3$'
	expect "$where: syslog runs" has_line '^check syslog status 0$'
	expect "$where: runlevel 5 has a graphical login" has_line '^check graphical status 0$'
	expect "$where: runlevel 3 has none" has_line '^check graphical status 3$'
	expect "$where: rc.local is run" has_line '^. hello from rc.local$'
	expect "$where: its failure is shown" has_line '^. /etc/rc.shutdown ended [.]* \[fail\] status 3$'
	expect "$where: runlevel 1 stops the services" has_line '^check syslog status 3$'
	expect "$where: the stubborn ones are killed" has_line 'killed:.* stubborn.* stubborn'
	expect "$where: what ignores TERM but not HUP is not" no_line_but 'killed:.* sh\[' 'never'
	expect "$where: nobody is left" no_line_but '^left ' '^left (inside|sh)$'
	expect "$where: a container's root is left alone" has_line '^. Making the root file system read-only .*left to the host'
	expect "$where: /tmp is cleaned" [ ! -e "$root/tmp/litter" ]
	expect "$where: with its directories" [ ! -e "$root/tmp/old" ]
	expect "$where: halt is told to power off" grep -q -x 'halt -d -f -p -h' "$root/ends"
	expect "$where: reboot is told to" grep -q -x 'reboot -d -f' "$root/ends"
	[ -z "${KEEP_REPORT-}" ] || cp "$report" "$KEEP_REPORT-$shell"
done

# --- how a machine ends ------------------------------------------------------

ends_with() {
	wanted=$1
	shift
	rm -f "$root/ends"
	timeout 20 unshare --user --map-root-user --pid --mount --fork --kill-child=KILL \
		sh -c "mount -t proc proc $root/proc && exec chroot $root /bin/env -i PATH=/bin $*" >"$work/said" 2>&1
	cat "$work/said" "$root/ends"
	grep -q -x -e "$wanted" "$root/ends"
}
expect "INIT_HALT=HALT halts" ends_with 'halt -d -f -h' RUNLEVEL=0 INIT_HALT=HALT /etc/init.d/halt stop
expect "INIT_HALT=POWEROFF powers off" ends_with 'halt -d -f -p -h' RUNLEVEL=0 INIT_HALT=POWEROFF /etc/init.d/halt stop
echo HALT=halt >"$root/etc/default/halt"
expect "HALT=halt in the defaults halts" ends_with 'halt -d -f -h' RUNLEVEL=0 /etc/init.d/halt stop
expect "INIT_HALT=POWEROFF wins over it" ends_with 'halt -d -f -p -h' RUNLEVEL=0 INIT_HALT=POWEROFF /etc/init.d/halt stop
rm -f "$root/ends"

echo "$passed passed, $bad failed"
[ "$bad" -eq 0 ]
