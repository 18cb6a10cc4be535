# bash completion for nsrouter
_nsrouter() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command="" word i
    local commands="run stop check replay status top reload sysctl dmesg module rules iptables ip6tables ipset ip nat conntrack nfct trace why explain capture bundle import-host"
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $word in
            --control | --token) ((i++)) ;;
            -*) ;;
            *)
                command=$word
                break
                ;;
        esac
    done
    case $previous in
        --control)
            local sockets=(/run/nsrouter/*.sock)
            sockets=("${sockets[@]##*/}")
            mapfile -t COMPREPLY < <(compgen -W "${sockets[*]%.sock}" -- "$current")
            return
            ;;
        --in | --out | --conntrack | --stats | -p)
            [ "$command" = replay ] || [ "$command" = sysctl ] && {
                mapfile -t COMPREPLY < <(compgen -f -- "$current")
                return
            }
            ;;
    esac
    local words=""
    case $command in
        "") words="$commands --control --token --help --version" ;;
        run) words="--daemon --help" ;;
        check) words="--help" ;;
        replay) words="--bundle --in --out --conntrack --stats --events --trace --seed --start --map --interface --filter --state --help" ;;
        status) words="-j --json --wait --control --token --help" ;;
        sysctl) words="-a -w -n -N -b -e -q -r -p --system --dry-run --deprecated -V --control --token --help" ;;
        reload) words="--existing keep recheck kill --dry-run --control --token --help" ;;
        top) words="--by source destination port protocol state rule -n --rows -j --json --control --token --help" ;;
        dmesg) words="-w -W -c -C -T -t -d -e -H --time-format -l -x -r -k -u -P -n -D -E --control --token --help" ;;
        module) words="list load unload nf_conntrack --control --token --help" ;;
        rules) words="save restore list flush -c --counters -n --noflush -t --test -T --table -4 --ipv4 -6 --ipv6 --control --token --help" ;;
        iptables | ip6tables) words="-A -C -D -I -R -L -S -F -Z -N -X -P -E -t -n -v -x -c -p -s -d -i -o -m -j -g --line-numbers
            raw mangle nat filter security PREROUTING INPUT FORWARD OUTPUT POSTROUTING ACCEPT DROP RETURN --control --token --help" ;;
        ipset) words="create add del test list save restore flush destroy rename swap -exist -quiet -sorted -name -terse
            -output -file --control --token --help" ;;
        nfct) words="list add delete get flush default-set default-get timeout inet inet6 tcp udp udplite icmp icmpv6 sctp gre generic
            --control --token --help" ;;
        ip) words="addr route link add del replace show set dev via mtu up down -4 -6 -j -br -s --control --token --help" ;;
        nat) words="list ports why reboot tcp udp icmp --rule --chain -6 --ipv6 --control --token --help" ;;
        conntrack) words="-L -G -D -I -A -U -E -F -C -S -R expect dying unconfirmed --src --dst --reply-src --reply-dst --proto
            --sport --dport --state --status --mark --zone --family --output --timeout --zero --dry-run --event-mask --buffer-size --control --token --help" ;;
        trace) words="-j --json -a --all-rules -c --count -r --rate state: in: out: hook: table: chain: rule: verdict: reason: zone:
            mark: connection: traced:yes --control --token --help" ;;
        why) words="-j --json -n --last --bundle state: in: out: hook: chain: rule: reason: verdict: --control --token --help" ;;
        explain) words="--config --state --bundle --packet --interface --from-recorder --reply --then --if-rule --if-sysctl -j --json --control --token --help" ;;
        bundle) words="-o --output --anonymize --control --token --help" ;;
        capture) words="-w --write -i --interface --drops -c --count -r --rate -C --file-size -G --rotate-seconds -W --file-count --since --follow state: in: out: verdict: reason: rule:
            --control --token --help" ;;
        import-host) words="--from -o --output --script --strict --help" ;;
        *) words="--control --token --help" ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    case $command in
        run | check | replay | import-host) [[ $current == -* ]] || mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    esac
}
complete -o filenames -F _nsrouter nsrouter
