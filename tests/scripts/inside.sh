#!/bin/sh
# PID 1 of a namespace for run.sh: takes the small system through a boot and down
# again, link by link as rc does it, and reports on standard output:
#     LEVEL LINK ACTION STATUS
# before it the script's own lines, each behind "| ".

export INIT_VERSION=sysvinit-test PREVLEVEL=N RUNLEVEL=S

run() {
	output=$("/etc/rc$1.d/$2" "$3" 2>&1)
	status=$?
	[ -z "$output" ] || printf '%s\n' "$output" | while read -r line; do
		printf '| %s\n' "$line"
	done
	echo "$1 $2 $3 $status"
}

# enter LEVEL START: as rc does it; START is what the links S are told.
enter() {
	export PREVLEVEL="$RUNLEVEL" previous="$RUNLEVEL"
	export RUNLEVEL="$1" runlevel="$1"
	if [ "$1" != S ]; then
		for link in /etc/rc"$1".d/K*; do
			[ ! -e "$link" ] || run "$1" "${link##*/}" stop
		done
	fi
	for link in /etc/rc"$1".d/S*; do
		case $link in
		# The end of the namespace is the test's own affair.
		*/S??single) continue ;;
		esac
		[ ! -e "$link" ] || run "$1" "${link##*/}" "$2"
	done
}

check() {
	"/etc/init.d/$1" "$2" >/dev/null 2>&1
	echo "check $1 $2 $?"
}

# The root is read-only: nothing but what a boot and a shutdown do.
if [ "$1" = ro ]; then
	enter S start
	enter 3 start
	check crond status
	enter 0 stop
	echo "left nobody"
	exit
fi

{
	enter S start
	enter 2 start
	check crond status
	check sshd status
	enter 3 start
	check crond start
	check crond status
	check crond restart
	check crond status
	check crond stop
	check crond status
	check crond stop
	check crond start
	check syslog status
	check crond frobnicate
	check crond reload
	for script in /etc/init.d/[a-z]*; do
		[ ! -x "$script" ] || check "${script##*/}" nonsense
	done
	enter 4 start
	enter 5 start
	check graphical status
	enter 3 start
	check graphical status
	enter 1 start
	check crond status
	check syslog status
	enter 3 start
	# Some who do not want to go, and some who only look like it.
	setsid /bin/stubborn &
	setsid /bin/stubborn &
	setsid sh -c 'trap "" TERM; while :; do sleep 1; done' interactive &
	enter 0 stop
	enter 6 stop
	for directory in /proc/[1-9]*; do
		{ read -r name <"$directory/comm"; } 2>/dev/null && echo "left $name"
	done
} 2>&1
