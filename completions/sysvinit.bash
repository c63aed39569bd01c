# shellcheck shell=bash
# Completion for bash: runlevels, times, service names and options of the programs of sysvinit-rs.
#
# Installed as `sysvinit' among bash-completion's files, with a link for each program, it is read when a program's
# name is first completed. It needs nothing of bash-completion, so `source' does as well.

# _sysvinit_offer WORDS: offers those that begin as the word at the cursor does.
_sysvinit_offer() {
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "${COMP_WORDS[COMP_CWORD]}")
}

# _sysvinit_has WORD: tells whether the word stands before the cursor.
_sysvinit_has() {
    local word
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ $word != "$1" ]] || return 0
    done
    return 1
}

# _sysvinit_services: prints the names of the scripts in /etc/init.d.
_sysvinit_services() {
    local script
    for script in /etc/init.d/*; do
        [[ -f $script && -x $script ]] || continue
        case ${script##*/} in
            rc | rcS | *.sh | *~ | *.dpkg-* | *.bak | *.orig | *.rpm*) ;;
            *) echo "${script##*/}" ;;
        esac
    done
}

_sysvinit_telinit() {
    local options='-t -e --wait --dry-run --help --version'
    case ${COMP_WORDS[COMP_CWORD - 1]} in
        -t | -e) return ;;
    esac
    [[ $1 != init ]] || options="$options --check --container --no-container --no-rc --grace="
    case ${COMP_WORDS[COMP_CWORD]} in
        -*) _sysvinit_offer "$options" ;;
        *) _sysvinit_offer '0 1 2 3 4 5 6 S a b c Q U' ;;
    esac
}

_sysvinit_shutdown() {
    case ${COMP_WORDS[COMP_CWORD - 1]} in
        -i) _sysvinit_offer '0 1 5 6 S a b c' && return ;;
        -g) _sysvinit_offer 'now +5 +10 +30 +60' && return ;;
        -t) return ;;
    esac
    case ${COMP_WORDS[COMP_CWORD]} in
        -*) _sysvinit_offer '-r -h -P -H -c -k -a -f -F -n -q -Q -t -i -g --show --help --version' ;;
        *)
            # What comes behind the time is the message.
            local word
            for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
                case $word in
                    -c | -g | --show | now | [+0-9]*) return ;;
                esac
            done
            _sysvinit_offer 'now +5 +10 +30 +60'
            ;;
    esac
}

_sysvinit_halt() {
    local own='-p'
    case ${COMP_WORDS[COMP_CWORD - 1]} in
        -t | -m) return ;;
    esac
    case $1 in
        poweroff) own='' ;;
        reboot) own='-k -m' ;;
    esac
    _sysvinit_offer "$own -f -d -w -n -i -h -t --help --version"
}

_sysvinit_runlevel() {
    if [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
        _sysvinit_offer '--verbose --wait --help --version'
    elif _sysvinit_has --wait; then
        _sysvinit_offer '0 1 2 3 4 5 6 S'
    else
        mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
    fi
}

_sysvinit_rc() {
    if [[ ${COMP_WORDS[COMP_CWORD - 1]} == --root ]]; then
        mapfile -t COMPREPLY < <(compgen -d -- "${COMP_WORDS[COMP_CWORD]}")
    elif [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
        _sysvinit_offer '-n --dry-run --root -h --help -V --version'
    elif [[ $1 == rc ]]; then
        _sysvinit_offer '0 1 2 3 4 5 6 7 8 9 S'
    fi
}

# The signal comes first; behind it there can only be -o.
_sysvinit_killall5() {
    if ((COMP_CWORD == 1)); then
        _sysvinit_offer '-1 -2 -9 -15 -18 -19 --help --version'
    elif [[ ${COMP_WORDS[COMP_CWORD - 1]} != -o ]]; then
        _sysvinit_offer '-o'
    fi
}

# Only the first step has an option of its own.
_sysvinit_takedown() {
    if [[ ${COMP_WORDS[COMP_CWORD - 1]} == -o ]]; then
        return
    elif ((COMP_CWORD == 1)); then
        _sysvinit_offer 'processes sync filesystems root --help --version'
    elif [[ ${COMP_WORDS[1]} == processes ]]; then
        _sysvinit_offer '-o'
    fi
}

_sysvinit_pidof() {
    case ${COMP_WORDS[COMP_CWORD - 1]} in
        -d) return ;;
        -o) _sysvinit_offer '%PPID' && return ;;
    esac
    if [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
        _sysvinit_offer '-c -d -n -o -q -s -x -z -h --help --version'
    else
        # Names with blanks in them are given up.
        _sysvinit_offer "$(sed '/ /d' /proc/[0-9]*/comm 2>/dev/null | sort -u)"
    fi
}

_sysvinit_fstab_decode() {
    if ((COMP_CWORD > 1)); then
        mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
    elif [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
        _sysvinit_offer '--help --version'
    else
        mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[COMP_CWORD]}")
    fi
}

_sysvinit_bootlog() {
    local options='-c -d -e -l -p -r -s -v --help --version'
    [[ $1 == bootlogd ]] || options='-f -h --help --version'
    case ${COMP_WORDS[COMP_CWORD - 1]} in
        -l | -p | -f) mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}") ;;
        *) _sysvinit_offer "$options" ;;
    esac
}

# Service, then action.
_sysvinit_service() {
    if ((COMP_CWORD > 1)); then
        _sysvinit_offer 'start stop restart try-restart reload force-reload status --full-restart'
    elif [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
        _sysvinit_offer '--status-all --failed --full-restart -h --help -V --version'
    else
        _sysvinit_offer "$(_sysvinit_services)"
    fi
}

_sysvinit_invoke_rc_d() {
    local word words=0
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ $word == -* ]] || words=$((words + 1))
    done
    if [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
        _sysvinit_offer '--quiet --force --try-anyway --disclose-deny --query --no-fallback --skip-systemd-native
            --help --version'
    elif ((words == 0)); then
        _sysvinit_offer "$(_sysvinit_services)"
    else
        _sysvinit_offer 'start stop restart try-restart reload force-reload status'
    fi
}

_sysvinit_insserv() {
    case ${COMP_WORDS[COMP_CWORD - 1]} in
        -c | -o | -p | -i | --config | --override | --path | --insserv-dir | --root)
            mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
            return
            ;;
    esac
    case ${COMP_WORDS[COMP_CWORD]} in
        -*)
            _sysvinit_offer '-r --remove -d --default -f --force -e --recursive -n --dry-run -s --show-all
                -v --verbose -q --silent -c --config -o --override -p --path -i --insserv-dir --root
                -h --help -V --version'
            ;;
        *) _sysvinit_offer "$(_sysvinit_services)" ;;
    esac
}

# Service, then state.
_sysvinit_chkconfig() {
    case ${COMP_WORDS[COMP_CWORD - 1]} in
        --root) mapfile -t COMPREPLY < <(compgen -d -- "${COMP_WORDS[COMP_CWORD]}") && return ;;
        --type) _sysvinit_offer sysv && return ;;
        --level) return ;;
    esac
    if [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
        _sysvinit_offer '--list --add --del --override --level --type --no-redirect --root -h --help -V --version'
    elif ((COMP_CWORD == 1)) || [[ ${COMP_WORDS[COMP_CWORD - 1]} == -* || ${COMP_WORDS[COMP_CWORD - 2]} == --level ]]; then
        _sysvinit_offer "$(_sysvinit_services)"
    else
        _sysvinit_offer 'on off reset resetpriorities'
    fi
}

# Service, verb, then levels.
_sysvinit_update_rcd() {
    local verb='' word
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $word in
            defaults | defaults-disabled | remove | disable | enable) verb=$word ;;
        esac
    done
    if [[ ${COMP_WORDS[COMP_CWORD - 1]} == --root ]]; then
        mapfile -t COMPREPLY < <(compgen -d -- "${COMP_WORDS[COMP_CWORD]}")
    elif [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
        _sysvinit_offer '-f --force --root -h --help -V --version'
    elif [[ $verb == *able ]]; then
        _sysvinit_offer 'S 2 3 4 5'
    elif [[ -n $verb ]]; then
        return
    elif ((COMP_CWORD == 1)) || [[ ${COMP_WORDS[COMP_CWORD - 1]} == -* ]]; then
        _sysvinit_offer "$(_sysvinit_services)"
    else
        _sysvinit_offer 'defaults defaults-disabled remove disable enable'
    fi
}

# Verb, then what it is about.
_sysvinit_initctl() {
    case ${COMP_WORDS[COMP_CWORD - 1]} in
        -o | --root) mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}") && return ;;
        plan) _sysvinit_offer '0 1 2 3 4 5 6 S' && return ;;
        emit) _sysvinit_offer 'ctrlaltdel kbrequest powerfail powerfailnow powerok a b c' && return ;;
        status | start | stop | restart | reload | show-config | log)
            _sysvinit_offer "$(_sysvinit_services)" && return ;;
    esac
    if [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
        _sysvinit_offer '--json --root -o -h --help -V --version'
    else
        _sysvinit_offer 'list status start stop restart reload show-config plan emit reload-configuration log record blame chart'
    fi
}

complete -F _sysvinit_telinit telinit init
complete -F _sysvinit_shutdown shutdown
complete -F _sysvinit_halt halt poweroff reboot
complete -o filenames -F _sysvinit_runlevel runlevel
complete -o filenames -F _sysvinit_rc rc rcS
complete -F _sysvinit_killall5 killall5
complete -F _sysvinit_takedown takedown
complete -F _sysvinit_pidof pidof
complete -o filenames -F _sysvinit_fstab_decode fstab-decode
complete -o filenames -F _sysvinit_bootlog bootlogd readbootlog
complete -F _sysvinit_service service
complete -F _sysvinit_invoke_rc_d invoke-rc.d
complete -o filenames -F _sysvinit_insserv insserv
complete -F _sysvinit_update_rcd update-rc.d
complete -F _sysvinit_chkconfig chkconfig
complete -o filenames -F _sysvinit_initctl initctl
