#!/bin/sh
# until.sh STATUS COMMAND...: runs a command again and again until it ends with
# that status. The caller sets the limit, with timeout(1).

wanted=$1
shift
while :; do
	"$@" >/dev/null 2>&1
	[ $? -ne "$wanted" ] || exit 0
	sleep 0.05
done
