#!/usr/bin/env python3
"""Sockets in the [host] namespace are told and treated as sockets of a Linux router are.

    host_test.py NSROUTER      compares with host_kernel.json
    host_test.py --kernel      writes host_kernel.json anew: what the kernel of this machine does as a router of the same links and rules
"""
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import sys

import harness
from host_routers import BEYOND, CLIENT, LAN, SERVER, WAN, kernel, product, run
from host_sockets import OBSERVATIONS, attempt, make, tcp, udp

RECORDED = pathlib.Path(__file__).with_name("host_kernel.json")


def all_observations(h):
    for observe in OBSERVATIONS:
        for what, value in observe(h).items():
            yield f"{observe.__name__}: {what}", json.loads(json.dumps(value))


def test(h):
    run("ip", "netns", "add", h.netns("router"))
    run("ip", "-n", h.netns("router"), "link", "set", "lo", "up")
    run("ip", "-n", h.netns("router"), "route", "add", "prohibit", "192.168.0.0/16")
    before = what_the_namespace_has(h)
    config = product(h)
    for name, value in all_observations(h):
        # The one deliberate difference: host-ipv6-loopback
        h.check(name, EXPECTED.get(name) == json.loads(json.dumps(value).replace("to ::127.0.0.1", "to ::1")), (value, "a kernel", EXPECTED.get(name)))
    original_destination(h)
    follows_changes(h, config)
    follows_a_killed_one(h, config)
    h.stop()
    after = what_the_namespace_has(h)
    h.check("a namespace that was there before is left as it was", before == after, (before, after))


def original_destination(h):
    """The way round SO_ORIGINAL_DST that docs/configuration.md shows."""
    for family in (0, 1):
        proxy = make(h, "router", LAN[family])
        proxy.bind((("0.0.0.0", "::")[family], 3129))
        proxy.listen(1)
        client = make(h, "client", BEYOND[family])
        client.connect((BEYOND[family], 8082))
        accepted, peer = proxy.accept()
        (address, port), (there, its_port) = accepted.getsockname()[:2], peer[:2]
        refused = attempt(lambda: accepted.getsockopt(socket.IPPROTO_IP, 80, 16)) if family == 0 else "ENOENT"
        h.check("SO_ORIGINAL_DST knows nothing", refused in ("ENOENT", "ENOPROTOOPT"), refused)
        answer = {"reply-src": address, "reply-port-src": str(its_port and port), "reply-dst": there, "reply-port-dst": str(its_port)}
        listing = h.cli("conntrack", "-L", "-f", ("ipv4", "ipv6")[family], "-p", "tcp", *[word for key, value in answer.items() for word in (f"--{key}", value)])
        h.check("the original destination is in the listing, by answer", f"dst={BEYOND[family]} " in listing.stdout and " dport=8082 " in listing.stdout and listing.stdout.count("\n") == 1, listing)
        query = "&".join(f"{key}={value}" for key, value in answer.items())
        found = json.loads(h.get(f"/conntrack?proto=tcp&family={('ipv4', 'ipv6')[family]}&{query}"))
        h.check("and in JSON", [(each["original"]["dst"], each["original"]["dport"]) for each in found] == [(BEYOND[family], 8082)], found)
        client.close()
        accepted.close()


def what_the_namespace_has(h):
    """Its rules, routes and settings, as ip(8) and sysctl(8) print them."""
    name = h.netns("router")
    commands = [["ip", "-n", name, *words] for words in (["rule"], ["-6", "rule"], ["route", "show", "table", "all"], ["-6", "route", "show", "table", "all"])]
    commands.append(["ip", "netns", "exec", name, "sysctl", "net.ipv4.conf.all.rp_filter"])
    return [subprocess.run(command, capture_output=True, text=True).stdout for command in commands]


def source_towards(h, address):
    sock = make(h, "router", address, socket.SOCK_DGRAM)
    return attempt(lambda: (sock.connect((address, 9)), sock.getsockname()[0])[1])


def follows_changes(h, config):
    h.cli("ip", "address", "add", "10.0.7.1/24", "dev", "lan")
    h.check("a new address is a source at once", source_towards(h, "10.0.7.9") == "10.0.7.1", source_towards(h, "10.0.7.9"))
    h.check("and reached through INPUT", tcp(h, "10.0.7.1", 7022) == "ECONNREFUSED" and udp(h, "10.0.7.1", 2222) == "router: 10.0.7.1")
    h.cli("ip", "route", "add", "100.64.0.0/16", "via", "10.0.7.2")
    h.check("a new route counts", source_towards(h, "100.64.0.1") == "10.0.7.1", source_towards(h, "100.64.0.1"))
    h.cli("ip", "route", "replace", "100.64.0.0/16", "via", SERVER[0])
    h.check("a changed one, too", source_towards(h, "100.64.0.1") == WAN[0], source_towards(h, "100.64.0.1"))
    h.cli("ip", "route", "replace", "prohibit", "100.64.0.0/16")
    h.check("a route that now prohibits", source_towards(h, "100.64.0.1") == "EACCES", source_towards(h, "100.64.0.1"))
    h.cli("ip", "route", "del", "100.64.0.0/16")
    h.check("and one that is gone", source_towards(h, "100.64.0.1") == "ENETUNREACH", source_towards(h, "100.64.0.1"))
    h.cli("ip", "address", "del", "10.0.7.1/24", "dev", "lan")
    h.check("a deleted address is nobody's", source_towards(h, "10.0.7.9") == "ENETUNREACH" and source_towards(h, CLIENT[0]) == LAN[0])
    h.cli("ip", "link", "set", "wan", "mtu", "1300")
    sock = make(h, "router", SERVER[0], socket.SOCK_DGRAM)
    sock.connect((SERVER[0], 9))
    h.check("a smaller MTU is known", sock.getsockopt(socket.IPPROTO_IP, 14) == 1300)
    h.cli("ip", "link", "set", "wan", "down")
    h.check("behind a link that is down there is no route", source_towards(h, BEYOND[0]) == "ENETUNREACH" and source_towards(h, SERVER[1]) == "ENETUNREACH")
    h.cli("ip", "link", "set", "wan", "up", "mtu", "1500")
    text = pathlib.Path(config).read_text()
    h.write("router.toml", text.replace('to = "2001:db8:f:1::/64"\ntype = "prohibit"', 'to = "2001:db8:f:1::/64"\ntype = "blackhole"') + '[[route]]\nto = "100.64.0.0/16"\nvia = "10.0.1.9"\n')
    answer = h.cli("reload")
    h.check("a reload changes and adds routes", (source_towards(h, "2001:db8:f:1::1"), source_towards(h, "100.64.0.1")) == ("EINVAL", LAN[0]), (answer, source_towards(h, "2001:db8:f:1::1"), source_towards(h, "100.64.0.1")))


def follows_a_killed_one(h, config):
    h.stop(signal.SIGKILL)
    text = pathlib.Path(config).read_text()
    h.write("router.toml", text.replace('to = "203.0.113.0/28"\ntype = "prohibit"', 'to = "203.0.113.0/28"\nvia = "10.0.1.9"'))
    h.start(config)
    h.check("routes that a killed router left are not in the way", source_towards(h, "203.0.113.1") == LAN[0], source_towards(h, "203.0.113.1"))
    h.check("nor are its rules", tcp(h, WAN[0], 7022) == "ECONNREFUSED" and source_towards(h, WAN[1]) == WAN[1])


def record(h):
    kernel(h)
    select.select([], [], [], 1)  # duplicate address detection of the link-local addresses
    lines = (f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in all_observations(h))
    RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    h.passed += 1


if __name__ == "__main__":
    if sys.argv[1] == "--kernel":
        sys.argv[1] = os.devnull
        sys.exit(harness.main(record, ("ip", "ping", "conntrack", "iptables-legacy-restore")))
    EXPECTED = json.loads(RECORDED.read_text())
    sys.exit(harness.main(test, ("ip", "ping")))
