# bash completion for sftdyn

_sftdyn() {
    local cur prev words cword
    _init_completion || return

    local commands="check convert doctor setup status demo cert client password"
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
        -l | --http | -s | --https | --server | --resolver | --dns-port | --days | --url | --host)
            return
            ;;
    esac

    local options="--help"
    case $command in
        "") options="-l --http -s --https -c --cert -k --key --nskeyfile --server -v --verbose -q --quiet -d --debug --version --help" ;;
        check) options="--nskeyfile --help" ;;
        doctor) options="--nskeyfile --host --resolver --named-conf --server --json --help" ;;
        setup) options="--ns --address --write --help" ;;
        status) options="--socket --json --watch --help" ;;
        demo) options="-l --http --dns-port -v --verbose -q --quiet -d --debug --help" ;;
        cert) options="--days --dir --help" ;;
        client) options="--url --show --help" ;;
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
        check | convert | doctor | status | client) _filedir ;;
    esac
} && complete -F _sftdyn sftdyn
