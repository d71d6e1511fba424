# bash completion for sftdyn

# The clients' names, those that the configuration lets this user see. Not by compgen -W, which expands what it is given.
_sftdyn_clients() {
    local name
    while IFS= read -r name; do
        [[ $name == "$cur"* ]] && COMPREPLY+=("$(printf %q "$name")")
    done < <("${words[0]}" client --list 2>/dev/null)
}

_sftdyn() {
    local cur prev words cword
    _init_completion || return

    local commands="check convert doctor setup status forget demo cert client password help"
    local command="" i
    for ((i = 1; i < cword; i++)); do
        case " $commands " in *" ${words[i]} "*) command=${words[i]}; break ;; esac
    done

    case $prev in
        -c | --cert | -k | --key | --nskeyfile | --named-conf | --socket)
            _filedir
            return
            ;;
        --dir | --write)
            _filedir -d
            return
            ;;
        --log-format)
            mapfile -t COMPREPLY < <(compgen -W "text json" -- "$cur")
            return
            ;;
        -l | --http | -s | --https | --server | --resolver | --dns-port | --days | --url | --host)
            return
            ;;
    esac

    local options="--help"
    case $command in
        "") options="-l --http -s --https -c --cert -k --key --nskeyfile --server -v --verbose -q --quiet -d --debug --log-format --version --help" ;;
        check) options="--nskeyfile --json --help" ;;
        doctor) options="--nskeyfile --host --resolver --named-conf --server --json --help" ;;
        setup) options="--ns --address --write --help" ;;
        status) options="--socket --json --watch --help" ;;
        forget) options="--socket --help" ;;
        demo) options="-l --http --dns-port -v --verbose -q --quiet -d --debug --help" ;;
        cert) options="--days --dir --help" ;;
        client) options="--url --show --list --help" ;;
        help) options="--help" ;;
    esac
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
        return
    fi
    case $command in
        "")
            mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur")
            _filedir
            ;;
        setup) [[ $prev == setup ]] && mapfile -t COMPREPLY < <(compgen -W "bind knot powerdns" -- "$cur") ;;
        client) if [[ $prev == client ]]; then _sftdyn_clients; else _filedir; fi ;;
        help) mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur") ;;
        check | convert | doctor | status) _filedir ;;
    esac
} && complete -F _sftdyn sftdyn
