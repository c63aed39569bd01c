#!/bin/sh
# Run by namespace.rs as process 1 of new namespaces:
#   busybox sh -c THIS setup ROOT CONSOLE OPTIONS OUTSIDE ENVIRONMENT -- WORD...
# Makes ROOT the machine's root and becomes its /sbin/init.
set -eu
root=$1 console=$2 options=$3 outside=$4 variables=$5
shift 6

refuse() {
    echo "setup: refused: $*" >&2
    exit 70
}

# Nothing below may ever run in the namespaces of the machine that runs the tests.
[ $$ = 1 ] || refuse "not process 1"
for kind in pid mnt uts ipc net; do
    here=$(readlink "/proc/self/ns/$kind")
    [ -n "$here" ] || refuse "cannot see the $kind namespace"
    case " $outside " in *" $here "*) refuse "still in the $kind namespace of the tests" ;; esac
done

wanted() { case ",$options," in *",$1,"*) return 0 ;; *) return 1 ;; esac }

node() {
    mknod -m 666 "$root/dev/$1" c "$2" "$3" 2>/dev/null || {
        # An ordinary user cannot make device nodes, and cannot harm the borrowed ones either.
        : >"$root/dev/$1"
        mount --bind "/dev/$1" "$root/dev/$1"
    }
}

# The kernel starts init with three descriptors; whoever started the tests may have handed down more.
for descriptor in /proc/self/fd/*; do
    descriptor=${descriptor##*/}
    [ "$descriptor" -le 2 ] || eval "exec $descriptor>&-"
done

umask 022
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t tmpfs -o mode=755 dev "$root/dev"
node null 1 3
node zero 1 5
node full 1 7
node random 1 8
node urandom 1 9
mkdir "$root/dev/pts"
# A test that wants to hear what is logged listens here.
if [ -S "$root/log.socket" ]; then ln -s /log.socket "$root/dev/log"; fi
if wanted console; then
    : >"$root/dev/console"
    mount --bind "$console" "$root/dev/console"
fi
if wanted pts; then
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
fi
if wanted proc; then mount -t proc proc "$root/proc"; fi
if wanted run; then
    mount -t tmpfs -o mode=755 run "$root/run"
fi
env=$(command -v env) chroot=$(command -v chroot)
# A test that wants to see init from its first step takes hold of this process first.
if [ -p "$root/gate" ]; then read -r _ <"$root/gate"; fi
cd "$root"
if wanted readonly; then mount -o remount,bind,ro "$root"; fi
if wanted descriptors; then exec 3<&0 4<&0 5<&0 6<&0 7<&0 8<&0 9<&0; fi
# shellcheck disable=SC2086 # the variables are words
exec "$env" -i HOME=/ TERM=linux $variables "$chroot" . /sbin/init "$@"
