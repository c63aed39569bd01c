# Completion for fish: runlevels, times, service names and options of the programs of sysvinit-rs.
#
# fish reads a file of a program's name, so each program has a link to this one; it counts once.

if not set -q __sysvinit_completions
    set -g __sysvinit_completions yes

    function __sysvinit_levels
        printf '%s\n' 0\thalt 1\tmaintenance 2\tmulti-user 3\tmulti-user 4\tmulti-user 5\tmulti-user \
            6\trestart S\tsingle-user
    end

    function __sysvinit_requests
        __sysvinit_levels
        printf '%s\t%s\n' a 'start ondemand entries a' b 'start ondemand entries b' \
            c 'start ondemand entries c' Q 'read inittab again' U 're-execute init'
    end

    function __sysvinit_times
        printf '%s\t%s\n' now 'at once' +5 'in five minutes' +10 'in ten minutes' +30 'in half an hour' \
            +60 'in an hour'
    end

    # The scripts in /etc/init.d.
    function __sysvinit_services
        for script in /etc/init.d/*
            test -f $script -a -x $script; or continue
            set -l name (string replace -r '.*/' '' -- $script)
            string match -qr '^(rc|rcS|.*\.sh|.*~|.*\.(dpkg-.*|bak|orig|rpm.*))$' -- $name; or echo $name
        end
    end

    # Tells whether a program that takes a service has got one.
    function __sysvinit_has_service
        test (count (commandline -opc)) -gt 1
    end

    # Tells whether the words so far have the option, with or without a value.
    function __sysvinit_has
        string match -qr -- "^$argv[1](=.*)?\$" (commandline -opc)
    end

    for program in telinit init shutdown halt poweroff reboot runlevel
        complete -c $program -f
        complete -c $program -l help -d 'Print a summary'
        complete -c $program -l version -d 'Print the version'
    end

    for program in telinit init
        complete -c $program -s t -x -d 'Time between TERM and KILL'
        complete -c $program -s e -x -d 'Set or unset a variable for what init starts'
        complete -c $program -l wait -d 'Return when the level is reached'
        complete -c $program -l dry-run -d 'Show what would change'
        complete -c $program -a '(__sysvinit_requests)'
    end
    complete -c init -l container -d 'This is a container, whatever the signs say'
    complete -c init -l no-container -d 'This is none'
    complete -c init -l no-rc -d 'Run the command behind -- alone'
    complete -c init -l grace -x -d 'Seconds for what the command leaves behind'
    complete -c init -l check -r -F -d 'Report all problems of an inittab'

    complete -c shutdown -s r -d Reboot
    complete -c shutdown -s h -d 'Halt or power off'
    complete -c shutdown -s P -d 'With -h, switch the power off'
    complete -c shutdown -s H -d 'With -h, leave the power on'
    complete -c shutdown -s c -d 'Call off the shutdown that waits'
    complete -c shutdown -s k -d 'Only warn'
    complete -c shutdown -s a -d 'Ask /etc/shutdown.allow'
    complete -c shutdown -s f -d 'No file system check after it'
    complete -c shutdown -s F -d 'A file system check after it'
    complete -c shutdown -s n -d 'Go down without init'
    complete -c shutdown -s q -d 'Fewer warnings'
    complete -c shutdown -s Q -d 'No warning but the last one'
    complete -c shutdown -s t -x -d 'Time between TERM and KILL'
    complete -c shutdown -s i -x -a '(__sysvinit_levels)' -d 'Go to this level'
    complete -c shutdown -s g -x -a '(__sysvinit_times)' -d 'The time as an option'
    complete -c shutdown -l show -d 'Say what is scheduled'
    complete -c shutdown -a '(__sysvinit_times)'

    for program in halt poweroff reboot
        complete -c $program -s f -d 'Go down at once'
        complete -c $program -s d -d 'Write no wtmp record'
        complete -c $program -s w -d 'Write the record and live on'
        complete -c $program -s n -d 'Neither record nor sync'
        complete -c $program -s i -d 'Take the interfaces down first'
        complete -c $program -s h -d 'Put the disks on standby first'
        complete -c $program -s t -x -d 'Time between TERM and KILL'
    end
    complete -c halt -s p -d 'Switch the power off'
    complete -c reboot -s k -d 'Start the kernel that kexec loaded'
    complete -c reboot -s m -x -d 'Hand a word to the firmware'

    complete -c runlevel -l verbose -d 'Tell what init waits for and what is scheduled'
    complete -c runlevel -l wait -d 'Return when the level is reached'
    complete -c runlevel -n '__sysvinit_has --wait' -a '(__sysvinit_levels)'
    complete -c runlevel -n 'not __sysvinit_has --wait' -F

    for program in rc rcS
        complete -c $program -f
        complete -c $program -s n -l dry-run -d 'Run nothing'
        complete -c $program -l root -x -a '(__fish_complete_directories)' -d 'Look for everything below'
        complete -c $program -s h -l help -d 'Print a summary'
        complete -c $program -s V -l version -d 'Print the version'
    end
    complete -c rc -a '(__sysvinit_levels)'

    # What runs, by the names the kernel has for it.
    function __sysvinit_programs
        cat /proc/*/comm 2>/dev/null | sort -u
    end

    # Tells whether the first word behind the program is still to come.
    function __sysvinit_is_first
        test (count (commandline -opc)) -eq 1
    end

    for program in killall5 pidof bootlogd readbootlog
        complete -c $program -f
    end
    # Of fstab-decode and killall5 the standard options are the only word.
    for program in killall5 fstab-decode
        complete -c $program -n __sysvinit_is_first -l help -d 'Print a summary'
        complete -c $program -n __sysvinit_is_first -l version -d 'Print the version'
    end
    for program in pidof bootlogd readbootlog
        complete -c $program -l help -d 'Print a summary'
        complete -c $program -l version -d 'Print the version'
    end
    complete -c killall5 -n __sysvinit_is_first -a '-15\t"Ask them to end" -9\t"End them" -1\t"Hang up" -2\tInterrupt -18\t"Go on" -19\tStop'
    complete -c killall5 -n 'not __sysvinit_is_first' -s o -x -a '(__fish_complete_pids)' -d 'Pass over this process'

    complete -c takedown -f
    complete -c takedown -n __sysvinit_is_first -l help -d 'Print a summary'
    complete -c takedown -n __sysvinit_is_first -l version -d 'Print the version'
    complete -c takedown -n __sysvinit_is_first -a 'processes\t"Kill what is left" sync\t"Write what is held for the disks" filesystems\t"Unmount all but the root" root\t"Make the root read-only"'
    complete -c takedown -n '__sysvinit_has processes' -s o -x -a '(__fish_complete_pids)' -d 'Pass over this process'

    complete -c pidof -s c -d 'Only processes with the same root directory'
    complete -c pidof -s d -x -d 'Separate by this character'
    complete -c pidof -s n -d 'Touch no network file system'
    complete -c pidof -s o -x -a '%PPID (__fish_complete_pids)' -d 'Pass over this process'
    complete -c pidof -s q -d 'Print nothing'
    complete -c pidof -s s -d 'One process for each name'
    complete -c pidof -s x -d 'Also shells that run a script of this name'
    complete -c pidof -s z -d 'Also zombies'
    complete -c pidof -s h -d 'Print a summary'
    complete -c pidof -a '(__sysvinit_programs)'

    complete -c fstab-decode -x -a '(__fish_complete_subcommand)'

    complete -c bootlogd -s c -d 'Make the log'
    complete -c bootlogd -s d -d 'Stay in the foreground'
    complete -c bootlogd -s e -d 'Log escape sequences too'
    complete -c bootlogd -s l -r -F -d 'The log'
    complete -c bootlogd -s p -r -F -d 'Write the process number into a file'
    complete -c bootlogd -s r -d 'Rename the log that is there'
    complete -c bootlogd -s s -d 'Have each line on the disk'
    complete -c bootlogd -s v -d 'Print the version'

    complete -c readbootlog -s f -r -F -d 'Read this log'
    complete -c readbootlog -s h -d 'Print a summary'

    # Service, then action.
    complete -c initctl -f
    complete -c initctl -l json -d 'For other programs'
    complete -c initctl -l root -r -d 'Look for everything below'
    complete -c initctl -s o -r -F -d 'Write the chart to this file'
    complete -c initctl -s h -l help -d 'Print a summary'
    complete -c initctl -s V -l version -d 'Print the version'
    complete -c initctl -n 'not __sysvinit_has_service' -a 'list status start stop restart reload show-config plan emit reload-configuration log record blame chart'
    complete -c initctl -n '__fish_seen_subcommand_from status start stop restart reload show-config log' -a '(__sysvinit_services)'
    complete -c initctl -n '__fish_seen_subcommand_from plan' -a '(__sysvinit_levels)'
    complete -c initctl -n '__fish_seen_subcommand_from emit' -a 'ctrlaltdel kbrequest powerfail powerfailnow powerok a b c'

    complete -c service -f
    complete -c service -l status-all -d 'List all services'
    complete -c service -l failed -d 'List those that should run and do not'
    complete -c service -l full-restart -d 'Stop, then start'
    complete -c service -s h -l help -d 'Print a summary'
    complete -c service -s V -l version -d 'Print the version'
    complete -c service -n 'not __sysvinit_has_service' -a '(__sysvinit_services)'
    complete -c service -n __sysvinit_has_service -a 'start stop restart try-restart reload force-reload status'

    complete -c invoke-rc.d -f
    complete -c invoke-rc.d -l quiet -d 'No messages'
    complete -c invoke-rc.d -l force -d 'Run it whatever links and policy say'
    complete -c invoke-rc.d -l try-anyway -d 'Go on where links are broken'
    complete -c invoke-rc.d -l disclose-deny -d 'Fail if the action is not allowed'
    complete -c invoke-rc.d -l query -d 'Run nothing, tell by the exit status'
    complete -c invoke-rc.d -l no-fallback -d 'Take other actions of the policy for a refusal'
    complete -c invoke-rc.d -l skip-systemd-native -d Accepted
    complete -c invoke-rc.d -l help -d 'Print a summary'
    complete -c invoke-rc.d -l version -d 'Print the version'
    complete -c invoke-rc.d -n 'not __sysvinit_has_service' -a '(__sysvinit_services)'
    complete -c invoke-rc.d -n __sysvinit_has_service -a 'start stop restart try-restart reload force-reload status'

    complete -c insserv -f
    complete -c insserv -s r -l remove -d 'Remove the links of the scripts'
    complete -c insserv -s d -l default -d 'Add the default levels'
    complete -c insserv -s f -l force -d 'Go on where something is missing'
    complete -c insserv -s e -l recursive -d 'Link what is required as well'
    complete -c insserv -s n -l dry-run -d 'Change nothing'
    complete -c insserv -s s -l show-all -d 'Print levels and numbers'
    complete -c insserv -s v -l verbose -d 'Tell what is done'
    complete -c insserv -s q -l silent -d 'Tell fatal errors only'
    complete -c insserv -s c -l config -r -F -d 'The facilities'
    complete -c insserv -s o -l override -r -F -d 'Other headers'
    complete -c insserv -s p -l path -r -F -d 'The scripts'
    complete -c insserv -s i -l insserv-dir -r -F -d 'For the dependency files'
    complete -c insserv -l root -r -F -d 'Look for everything below'
    complete -c insserv -s h -l help -d 'Print a summary'
    complete -c insserv -s V -l version -d 'Print the version'
    complete -c insserv -a '(__sysvinit_services)'

    # Service, then state.
    complete -c chkconfig -f
    complete -c chkconfig -l list -d 'Show services by level'
    complete -c chkconfig -l add -d 'Make the links that are missing'
    complete -c chkconfig -l del -d 'Remove all links'
    complete -c chkconfig -l override -d 'Link it anew'
    complete -c chkconfig -l level -x -d 'The levels to change'
    complete -c chkconfig -l type -x -a sysv -d 'The type of services'
    complete -c chkconfig -l no-redirect -d 'No effect'
    complete -c chkconfig -l root -r -F -d 'Look for everything below'
    complete -c chkconfig -s h -l help -d 'Print a summary'
    complete -c chkconfig -s V -l version -d 'Print the version'
    complete -c chkconfig -n 'not __sysvinit_has_service' -a '(__sysvinit_services)'
    complete -c chkconfig -n __sysvinit_has_service -a 'on off reset resetpriorities'

    # Service, then verb.
    complete -c update-rc.d -f
    complete -c update-rc.d -s f -l force -d 'No effect'
    complete -c update-rc.d -l root -r -F -d 'Look for everything below'
    complete -c update-rc.d -s h -l help -d 'Print a summary'
    complete -c update-rc.d -s V -l version -d 'Print the version'
    complete -c update-rc.d -n 'not __sysvinit_has_service' -a '(__sysvinit_services)'
    complete -c update-rc.d -n __sysvinit_has_service -a 'defaults defaults-disabled remove disable enable S 2 3 4 5'
end
