//! pidof(8): which processes a name means, and how they are printed.

use crate::room::{Outcome, Room, Subject};
use std::path::Path;

/// `start COMMAND` waits until the command has taken the place of the shell; its number is in $pid.
const HELPERS: &str = r#"
b() { /bin/busybox "$@"; }
runs() { until [ "$(b readlink "/proc/$1/exe")" != /bin/busybox ]; do b usleep 1000; done; }
sleeper() { "$@" 100 & pid=$!; runs $pid; }
called() { (exec -a "$1" /bin/sleep 100) & pid=$!; runs $pid; }
# same WHAT EXPECTED GOT
same() { [ "$2" = "$3" ] && echo "right: $1" || echo "wrong: $1: expected [$2], got [$3]"; }
"#;

fn run(script: &str) -> Outcome {
    let room = Room::new();
    for program in ["sleep", "dash"] {
        room.bring(&Path::new("/bin").join(program), &format!("bin/{program}"));
    }
    room.run(&format!("{HELPERS}{script}"))
}

#[track_caller]
fn assert_all_right(outcome: &Outcome) {
    assert!(
        outcome.output.contains("right: ") && !outcome.output.contains("wrong: "),
        "{}{}",
        outcome.output,
        outcome.errors
    );
}

#[test]
fn a_path_means_the_file_and_a_name_the_words() {
    let outcome = run(r#"b ln -s sleep /bin/nap
        sleeper /bin/sleep; one=$pid; sleeper /bin/nap; two=$pid; called "some title"; three=$pid
        called -sleep; four=$pid
        same path "$four $three $two $one" "$(pidof /bin/sleep)"
        same link "$four $three $two $one" "$(pidof /bin/nap)"
        same name "$three $one" "$(pidof sleep)"
        same "name of link" "$two" "$(pidof nap)"
        same title "$three" "$(pidof "some title")"
        same "other path" "$three" "$(pidof other/sleep)"
        same "first word" "" "$(pidof some)"
        same nobody 1 "$(pidof nobody >/dev/null; echo $?)"
        same somebody 0 "$(pidof sleep >/dev/null; echo $?)""#
        .replace("pidof", "/bin/pidof")
        .as_str());
    assert_all_right(&outcome);
}

#[test]
fn blanks_and_parentheses_in_names_are_no_obstacle() {
    let outcome = run(
        r#"for name in "a b" "x) S (y" "(z)" averyveryverylongname; do
            b cp /bin/sleep "/tmp/$name"; sleeper "/tmp/$name"
            same "$name" "$pid" "$(/bin/pidof "$name")"
            same "/tmp/$name" "$pid" "$(/bin/pidof "/tmp/$name")"
        done"#,
    );
    assert_all_right(&outcome);
}

#[test]
fn a_program_whose_file_is_gone_is_still_found() {
    let outcome = run(
        "b cp /bin/sleep /tmp/gone; sleeper /tmp/gone; b rm /tmp/gone
        same path $pid \"$(/bin/pidof /tmp/gone)\"
        same name $pid \"$(/bin/pidof gone)\"",
    );
    assert_all_right(&outcome);
}

#[test]
fn scripts_are_found_where_asked_for() {
    let outcome = run(
        r#"printf '#!/bin/dash\nwhile :; do /bin/sleep 100; done\n' >/tmp/script; b chmod +x /tmp/script
        b cp /tmp/script "/tmp/a script with a long name"
        sleeper /tmp/script; one=$pid
        sleeper "/tmp/a script with a long name"; two=$pid
        /bin/dash /tmp/script & other=$!; runs $other
        same without "" "$(/bin/pidof script)"
        same name "$one" "$(/bin/pidof -x script)"
        same path "$one" "$(/bin/pidof -x /tmp/script)"
        same long "$two" "$(/bin/pidof -x "a script with a long name")"
        same shell "$other $two $one" "$(/bin/pidof dash)""#,
    );
    assert_all_right(&outcome);
}

#[test]
fn options_choose_and_print() {
    let outcome = run(
        r#"sleeper /bin/sleep; one=$pid; sleeper /bin/sleep; two=$pid; called other; three=$pid
        same -s "$two" "$(/bin/pidof -s sleep)"
        same "-s twice" "$two $two" "$(/bin/pidof -s sleep sleep)"
        same "two names" "$three $two $one" "$(/bin/pidof other sleep)"
        same "twice" "$two $one $two $one" "$(/bin/pidof sleep sleep)"
        same -d "$two,$one" "$(/bin/pidof -d , sleep)"
        same "-d long" "$two;$one" "$(/bin/pidof "-d;x" sleep)"
        same "-d empty, a NUL" "$two 0 $one" "$(/bin/pidof -d "" sleep | b tr "\\0\\n" "_ " | b sed "s/_/ 0 /;s/ *$//")"
        same -o "$two" "$(/bin/pidof -o $one sleep)"
        same "-o all" 1 "$(/bin/pidof -o $one:$two sleep; echo $?)"
        same "-o behind" "$two" "$(/bin/pidof sleep -o "$one;77")"
        same %PPID "" "$(/bin/pidof -o %PPID /bin/busybox -o 1)"
        same -q 0 "$(/bin/pidof -q sleep; echo $?)"
        same "-q nobody" 1 "$(/bin/pidof -q nobody; echo $?)"
        same -n "$three" "$(/bin/pidof -n other)"
        same "-o bad" "$three" "$(/bin/pidof -o x,0 other 2>/dev/null)"
        same "no name" 1 "$(/bin/pidof 2>/dev/null; echo $?)"
        same "bad option" 1 "$(/bin/pidof -Z sleep 2>/dev/null; echo $?)""#,
    );
    assert_all_right(&outcome);
}

#[test]
fn the_dead_are_found_where_asked_for() {
    let outcome = run("b cp /bin/sleep /tmp/brief
        /bin/dash -c '/tmp/brief 0.2 & echo $! >/tmp/pid; exec /bin/sleep 100' &
        until b grep -qs '^State:.Z' /proc/*/status; do b usleep 1000; done
        same without '' \"$(/bin/pidof brief)\"
        same -z \"$(b cat /tmp/pid)\" \"$(/bin/pidof -z brief)\"
        same path '' \"$(/bin/pidof -z /tmp/brief)\"");
    assert_all_right(&outcome);
}

#[test]
fn another_root_directory_is_another_root() {
    let outcome = run(
        "sleeper /bin/sleep; one=$pid
        b mkdir /other; b cp -a /bin /other; for folder in lib lib64 usr; do [ ! -e /$folder ] || b cp -a /$folder /other; done
        /bin/busybox chroot /other /bin/sleep 100 & two=$!
        until [ \"$(b readlink /proc/$two/exe)\" = /other/bin/sleep ]; do b usleep 1000; done
        same all \"$two $one\" \"$(/bin/pidof sleep)\"
        same -c $one \"$(/bin/pidof -c sleep)\"",
    );
    assert_all_right(&outcome);
}

#[test]
fn nothing_is_printed_into_a_closed_pipe_and_names_may_be_any_bytes() {
    if Subject::chosen() == Subject::Original {
        return;
    }
    let outcome = run(
        "name=$(printf 'n\\377m'); b cp /bin/sleep \"/tmp/$name\"; sleeper \"/tmp/$name\"
        same bytes $pid \"$(/bin/pidof \"$name\")\"
        /bin/pidof sleep \"$name\" | :
        /bin/pidof --help | b grep -q -e -x && echo 'right: help'
        /bin/pidof --version | b grep -q sysvinit-rs && echo 'right: version'",
    );
    assert_all_right(&outcome);
    assert_eq!(outcome.errors, "");
}

#[test]
fn one_of_our_programs_is_not_all_of_them() {
    if Subject::chosen() == Subject::Original {
        return;
    }
    let outcome = run("same killall5 '' \"$(/bin/pidof /sbin/killall5)\"
        same shutdown '' \"$(/bin/pidof /sbin/shutdown)\"");
    assert_all_right(&outcome);
}
