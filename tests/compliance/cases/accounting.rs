//! utmp, wtmp and the level file.

use crate::bench::{Bench, Drive};
use crate::compare::{Case, case};
use crate::observe;
use crate::support::namespace::Machine;
use nix::sys::signal::Signal::SIGKILL;

fn booted(b: &mut Bench, inittab: &str) -> Machine {
    let machine = b.boot(inittab);
    machine.process("/bin/sleep 1003");
    machine.settle();
    machine
}

const LEVELS: &str =
    "id:3:initdefault:\nr3:3:respawn:/bin/sleep 1003\nr4:4:respawn:/bin/sleep 1004\n";

pub(super) const CASES: &[Case] = &[
    case(
        "the records of a boot",
        &["utmp and wtmp", "boot phases"],
        |b| {
            let machine = booted(
                b,
                "id:3:initdefault:\ns1::sysinit:/bin/true\nb1::bootwait:/bin/true\nw1:3:wait:/bin/true\nr3:3:respawn:/bin/sleep 1003\n",
            );
            b.see_utmp(&machine);
            b.see_wtmp(&machine);
        },
    ),
    case("the records of a level change", &["utmp and wtmp"], |b| {
        let machine = booted(b, LEVELS);
        machine.go('4', 3);
        machine.process("/bin/sleep 1004");
        machine.settle();
        b.see_utmp(&machine);
    }),
    case(
        "the records of a killed entry in wtmp",
        &["utmp and wtmp", "bugs of the original"],
        |b| {
            let machine = booted(b, LEVELS);
            machine.go('4', 3);
            machine.process("/bin/sleep 1004");
            machine.settle();
            b.see(
                "DEAD_PROCESS records",
                machine.wtmp().iter().filter(|one| one.kind == 8).count(),
            );
        },
    )
    .differs(
        "the original writes a second one, with pid 0",
        "DEAD_PROCESS records: 2",
        "DEAD_PROCESS records: 1",
    ),
    case(
        "the records of a respawned process",
        &["utmp and wtmp"],
        |b| {
            let machine = booted(b, LEVELS);
            let first = machine.process("/bin/sleep 1003");
            first.signal(SIGKILL);
            machine.wait_respawned("/bin/sleep 1003", &first);
            machine.settle();
            b.see_utmp(&machine);
            b.see_wtmp(&machine);
        },
    ),
    case(
        "+ leaves the records of an entry out",
        &["utmp and wtmp", "inittab"],
        |b| {
            let machine = booted(
                b,
                "id:3:initdefault:\np:3:wait:+/bin/note p\nr3:3:respawn:+/bin/sleep 1003\n",
            );
            b.see_log(&machine);
            b.see_utmp(&machine);
            b.see_wtmp(&machine);
        },
    ),
    case(
        "a program that cannot be executed leaves both records",
        &["utmp and wtmp", "running a process"],
        |b| {
            let machine = booted(
                b,
                "id:3:initdefault:\np:3:wait:/bin/missing\nr3:3:respawn:/bin/sleep 1003\n",
            );
                        b.see_wtmp(&machine);
        },
    )
    .differs(
        "the original writes the end twice: the child that failed does, and init does when it is gone",
        "wtmp: BOOT_TIME id=~~ line=~ user=reboot pid=none host=RELEASE\nwtmp: RUN_LVL id=~~ line=~ user=runlevel pid=3 after N host=RELEASE\nwtmp: INIT_PROCESS id=p line= user= pid=P1 host=RELEASE\nwtmp: DEAD_PROCESS id=p line= user= pid=P1 host=RELEASE\nwtmp: DEAD_PROCESS id=p line= user= pid=P1 host=RELEASE\nwtmp: INIT_PROCESS id=r3 line= user= pid=P2 host=RELEASE",
        "wtmp: BOOT_TIME id=~~ line=~ user=reboot pid=none host=RELEASE\nwtmp: RUN_LVL id=~~ line=~ user=runlevel pid=3 after N host=RELEASE\nwtmp: INIT_PROCESS id=p line= user= pid=P1 host=RELEASE\nwtmp: DEAD_PROCESS id=p line= user= pid=P1 host=RELEASE\nwtmp: INIT_PROCESS id=r3 line= user= pid=P2 host=RELEASE",
    ),
    case(
        "wtmp is not made where there is none",
        &["utmp and wtmp"],
        |b| {
            let plan = b.plan(LEVELS);
            std::fs::remove_file(plan.root().at("/var/log/wtmp")).unwrap();
            let machine = plan.boot();
            machine.process("/bin/sleep 1003");
            machine.settle();
            b.see("wtmp", machine.at("/var/log/wtmp").exists());
            b.see("utmp", machine.utmp().len());
        },
    ),
    case(
        "utmp that is emptied is made up for at the next level from 2 to 5",
        &["utmp and wtmp"],
        |b| {
            let machine = booted(b, LEVELS);
            machine.write("/run/utmp", "");
            machine.go('4', 3);
            machine.process("/bin/sleep 1004");
            machine.settle();
            b.see_utmp(&machine);
        },
    ),
    case(
        "utmp that is removed is not made by a level above 5",
        &["utmp and wtmp"],
        |b| {
            let machine = booted(
                b,
                "id:3:initdefault:\nr3:3:respawn:/bin/sleep 1003\nr7:7:respawn:/bin/sleep 1007\n",
            );
            machine.command("rm /run/utmp");
            machine.go('7', 3);
            machine.process("/bin/sleep 1007");
            machine.settle();
            b.see("utmp", machine.at("/run/utmp").exists());
            b.see_level(&machine);
        },
    ),
    case(
        "records that could not be written at boot are made up for",
        &["utmp and wtmp"],
        |b| {
            let plan = b.plan("id:3:initdefault:\ns1::sysinit:/bin/mv /var/log/wtmp /var/log/away\nw:3:wait:/bin/mv /var/log/away /var/log/wtmp\nr3:3:respawn:/bin/sleep 1003\n");
            let machine = plan.boot();
            machine.process("/bin/sleep 1003");
            machine.settle();
            b.see_wtmp(&machine);
        },
    )
    .differs(
        "boot before level, as they happened",
        "wtmp: INIT_PROCESS id=s1 line= user= pid=P1 host=RELEASE\nwtmp: RUN_LVL id=~~ line=~ user=runlevel pid=3 after N host=RELEASE\nwtmp: BOOT_TIME id=~~ line=~ user=reboot pid=none host=RELEASE\nwtmp: DEAD_PROCESS id=w line= user= pid=P2 host=RELEASE\nwtmp: INIT_PROCESS id=r3 line= user= pid=P3 host=RELEASE",
        "wtmp: INIT_PROCESS id=s1 line= user= pid=P1 host=RELEASE\nwtmp: BOOT_TIME id=~~ line=~ user=reboot pid=none host=RELEASE\nwtmp: RUN_LVL id=~~ line=~ user=runlevel pid=3 after N host=RELEASE\nwtmp: DEAD_PROCESS id=w line= user= pid=P2 host=RELEASE\nwtmp: INIT_PROCESS id=r3 line= user= pid=P3 host=RELEASE",
    ),
    case(
        "a login's line is kept in the record of its end",
        &["utmp and wtmp"],
        |b| {
            let machine = booted(b, LEVELS);
            let first = machine.process("/bin/sleep 1003");
            // What getty and login make of the record that init has written.
            let mut bytes = machine.bytes("/run/utmp");
            let at = machine
                .utmp()
                .iter()
                .position(|one| one.id == "r3")
                .unwrap()
                * 384;
            bytes[at] = 7;
            bytes[at + 8..at + 12].copy_from_slice(b"tty1");
            bytes[at + 44..at + 48].copy_from_slice(b"root");
            machine.write("/run/utmp", bytes);
            machine.settle();
            first.signal(SIGKILL);
            machine.wait_respawned("/bin/sleep 1003", &first);
            machine.settle();
            b.see_wtmp(&machine);
        },
    ),
    case(
        "records of levels 1, 0 and S",
        &["utmp and wtmp", "runlevel file"],
        |b| {
            let machine = booted(
                b,
                "id:3:initdefault:\nr3:3:respawn:/bin/sleep 1003\nr0:0126:respawn:/bin/sleep 1002\nss:S:respawn:/bin/sleep 1000\n",
            );
            for level in ['1', '0', '6', '2', 'S'] {
                machine.go(level, 3);
                machine.process(if level == 'S' {
                    "/bin/sleep 1000"
                } else {
                    "/bin/sleep 1002"
                });
                machine.settle();
                b.see_level(&machine);
                let last = machine.wtmp().into_iter().rfind(|one| one.kind == 1);
                let last = last.map(|one| observe::record(&one, &mut observe::Names::default()));
                b.see("last change", last.unwrap_or_default());
            }
        },
    ),
    case(
        "the level file during the boot phases",
        &["runlevel file", "boot phases"],
        |b| {
            let plan = b.plan("id:3:initdefault:\ns1::sysinit:/bin/where\nb1::bootwait:/bin/where\nw3:3:wait:/bin/where\nr3:3:respawn:/bin/sleep 1003\n");
            let machine = plan
                .script(
                    "/bin/where",
                    "note \"file $(cat /run/runlevel 2>/dev/null || echo none)\"",
                )
                .boot();
            machine.process("/bin/sleep 1003");
            b.see_log(&machine);
        },
    ),
    case(
        "SIGHUP writes the level file again",
        &["runlevel file", "signals"],
        |b| {
            let machine = booted(b, LEVELS);
            machine.command("rm /run/runlevel");
            machine.signal(nix::sys::signal::Signal::SIGHUP);
            machine.until_true("it is there", || !machine.read("/run/runlevel").is_empty());
            b.see_level(&machine);
        },
    ),
];
