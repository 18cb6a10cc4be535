#!/usr/bin/env bash
# The demonstration behind `./dev demo`: configs/demo.toml, real traffic, and what curl and the commands say about it.
#   demo.sh NSROUTER [--keep]
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
root=$(readlink -f "$here/../..")
program=$1
keep=${2:-}
control=http://127.0.0.1:9080
started=()

main() {
    no_demo_is_running
    trap 'end_demo' EXIT
    title "Two namespaces, one router between them: configs/demo.toml"
    show nsrouter run --daemon "$root/configs/demo.toml"
    show ip netns list
    serve server 80
    serve client 80

    title "Traffic: ping, HTTP, UDP, and a published port"
    show ip netns exec client ping -q -c 3 -i 0.2 192.0.2.2
    show ip netns exec client curl -sS http://192.0.2.2/
    udp_exchange
    show ip netns exec server curl -sS http://192.0.2.1:8080/

    title "What the router remembers, where /proc has it"
    file /proc/sys/net/netfilter/nf_conntrack_max
    file /proc/sys/net/netfilter/nf_conntrack_count
    file /proc/net/nf_conntrack

    title "One TCP connection: SYN_SENT [UNREPLIED], ESTABLISHED [ASSURED], TIME_WAIT"
    tcp_life

    title "Raise the limit, as echo 100000 > /proc/sys/net/netfilter/nf_conntrack_max would"
    show curl -sS -X PUT --data 100000 "$control/proc/sys/net/netfilter/nf_conntrack_max"
    file /proc/sys/net/nf_conntrack_max

    title "Fill a tiny table"
    table_full

    title "Commands for those who prefer them"
    show nsrouter sysctl net.netfilter.nf_conntrack_tcp_timeout_established
    show nsrouter conntrack -L -p icmp
    show nsrouter rules save -c
    [ "$keep" = --keep ] || return 0
    trap - EXIT
    title "It stays up"
    echo "Look around:  curl $control/   ip netns exec client ping 192.0.2.2   nsrouter conntrack -L"
    echo "End it with:  nsrouter stop; kill ${started[*]}"
}

no_demo_is_running() {
    local name
    for name in client server; do
        if [ -e "/run/netns/$name" ]; then
            echo "demo: a network namespace '$name' exists already; the demo makes its own and would disturb it." >&2
            echo "demo: if an earlier demo left it: nsrouter stop, or ip netns delete $name" >&2
            trap - EXIT
            exit 1
        fi
    done
}

end_demo() {
    title "The end: nothing stays behind"
    ((${#started[@]})) && kill "${started[@]}" 2>/dev/null
    nsrouter stop 2>/dev/null || true # it may not have started
    ls /run/netns/client /run/netns/server 2>/dev/null || echo "no namespace, no device, no process is left"
}

title() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

show() {
    printf '$ %s\n' "$*"
    "$@"
}

# By name, because other routers may be running.
nsrouter() {
    "$program" --control demo "$@"
}

file() {
    printf '$ curl %s%s\n' "$control" "$1"
    curl -sS "$control$1"
}

# A web server in a namespace. Returns when it listens.
serve() {
    in_background "$1" "$here/web.py" "$1" "$2"
}

udp_exchange() {
    in_background server -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("192.0.2.2", 5000)); print("ready")
data, peer = s.recvfrom(100); s.sendto(b"I see you as %s" % repr(peer).encode(), peer)'
    echo '$ a UDP question from 10.0.1.2 port 4000 to 192.0.2.2 port 5000'
    ip netns exec client python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("10.0.1.2", 4000)); s.settimeout(5)
s.sendto(b"?", ("192.0.2.2", 5000)); print("answer:", s.recv(100).decode())'
}

# Starts python in a namespace and waits for the line it prints when it is ready.
in_background() {
    local netns=$1 fifo
    shift
    fifo=$(mktemp -u)
    mkfifo "$fifo"
    ip netns exec "$netns" python3 -u "$@" >"$fifo" &
    started+=($!)
    read -r _ <"$fifo"
    rm "$fifo"
}

# The server's link is down while the client begins, so that its SYN stays unanswered for a moment.
tcp_life() {
    nsrouter conntrack -F 2>/dev/null
    ip -n server link set wan down
    ip netns exec client curl -sS -o /dev/null --local-port 40000 http://192.0.2.2/slow &
    started+=($!)
    local client=$!
    entry SYN_SENT
    ip -n server link set wan up
    ip -n server address add 2001:db8:2::2/64 dev wan nodad 2>/dev/null || true # lost only where keep_addr_on_down is 0
    entry ESTABLISHED.*ASSURED
    echo "... and a second later:"
    sleep 1.1 # the countdown is what is shown
    entry ESTABLISHED.*ASSURED
    wait "$client"
    entry TIME_WAIT
}

# Waits until the table has a line like this, and shows it.
entry() {
    local line
    for _ in $(seq 200); do
        line=$(curl -sS "$control/proc/net/nf_conntrack" | grep -E "tcp .*$1" || true) # not yet
        [ -n "$line" ] && break
        sleep 0.05 # polls an HTTP file; bounded by the loop
    done
    echo "$line"
}

table_full() {
    nsrouter conntrack -F 2>/dev/null
    show curl -sS -X PUT --data 1 "$control/proc/sys/net/netfilter/nf_conntrack_max"
    ip netns exec client curl -sS -o /dev/null http://192.0.2.2/slow &
    started+=($!)
    local client=$!
    entry ESTABLISHED.*ASSURED
    echo '$ ping 192.0.2.2 while the only entry is taken and ASSURED'
    ip netns exec client ping -q -c 2 -i 0.2 -W 1 192.0.2.2 || true # its loss is what is shown
    printf '$ curl %s/dev/kmsg\n' "$control"
    curl -sS "$control/dev/kmsg" | tail -n 3
    wait "$client"
    curl -sS -X PUT --data 65536 "$control/proc/sys/net/netfilter/nf_conntrack_max"
    ip netns exec client ping -q -c 1 192.0.2.2 >/dev/null
}

main
