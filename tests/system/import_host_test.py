#!/usr/bin/env python3
"""A Linux router made of namespaces is imported, and `explain` says of a hundred packets what its kernel then does with them.

    import_host_test.py NSROUTER

The kernel router has iptables rules, sets, IPv6, policy routing, and connections that real sockets have made through it. It is imported; then
the hosts fall silent, and each packet of a table is put on a wire of the kernel router. What leaves it by any of its interfaces is the
verdict; `explain` on the imported configuration and table must say the same, packet by packet: where, from whom to whom, TTL, flags, codes.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import select
import socket
import struct
import subprocess
import sys

import harness

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "live"))
import packets  # noqa: E402
from packets import ACK, FIN, PSH, RST, SYN  # noqa: E402

LINKS = {  # interface of the router: (host, its prefixes, the host's addresses, others that live there)
    "lan0": ("lan", ["10.0.1.1/24", "fd00:1::1/64"], ["10.0.1.2/24", "fd00:1::2/64"], ["10.0.1.7", "fd00:1::7", *(f"10.0.1.{last}" for last in range(20, 30))]),
    "wan0": ("wan", ["192.0.2.1/24", "2001:db8::1/64"], ["192.0.2.2/24", "2001:db8::2/64"], ["192.0.2.7", "2001:db8::7"]),
    "dmz0": ("dmz", ["10.0.3.1/24", "fd00:3::1/64"], ["10.0.3.2/24", "fd00:3::2/64"], ["10.0.3.7", "10.0.3.9", "fd00:3::9"]),
}
MARKER_PORT = 9
SETS = "create blocked hash:net family inet\nadd blocked 203.0.113.128/25\ncreate blocked6 hash:ip family inet6\nadd blocked6 2001:db8:9::bad\n"
RULES4 = """*raw
-A PREROUTING -p udp --dport 9 -j NOTRACK
COMMIT
*mangle
-A PREROUTING -i lan0 -p udp --dport 4500 -j MARK --set-mark 1
COMMIT
*nat
-A PREROUTING -d 192.0.2.1 -i wan0 -p tcp --dport 8080 -j DNAT --to-destination 10.0.3.9:80
-A PREROUTING -d 192.0.2.1 -i wan0 -p tcp --dport 8081 -j DNAT --to-destination 10.0.3.2:80
-A PREROUTING -i lan0 -p tcp --dport 3128 -j REDIRECT --to-ports 22
-A POSTROUTING -s 10.0.0.0/16 -o wan0 -j MASQUERADE
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:lan-out - [0:0]
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -m conntrack --ctstate INVALID -j DROP
-A INPUT -i lan0 -p tcp --dport 22 -j ACCEPT
-A INPUT -p icmp --icmp-type echo-request -j ACCEPT
-A INPUT -i lan0 -p udp --dport 53 -j REJECT --reject-with icmp-admin-prohibited
-A INPUT -i lan0 -p udp --dport 161 -j ACCEPT
-A FORWARD -p udp --dport 9 -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m set --match-set blocked dst -j DROP
-A FORWARD -i lan0 -p tcp --dport 25 -j REJECT --reject-with tcp-reset
-A FORWARD -i lan0 -p udp --dport 137:139 -j REJECT --reject-with icmp-host-prohibited
-A FORWARD -i lan0 -m conntrack --ctstate NEW -j lan-out
-A FORWARD -i wan0 -o dmz0 -m conntrack --ctstate DNAT -j ACCEPT
-A FORWARD -s 10.0.3.0/24 -i dmz0 -o wan0 -p tcp --dport 443 -j ACCEPT
-A lan-out -p tcp -m multiport --dports 80,443,8443 -j ACCEPT
-A lan-out -p udp -m multiport --dports 53,4500 -j ACCEPT
-A lan-out -p icmp -j ACCEPT
-A lan-out -d 198.51.100.77/32 -j REJECT
COMMIT
"""
RULES6 = """*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -p ipv6-icmp -j ACCEPT
-A INPUT -i lan0 -p tcp --dport 22 -j ACCEPT
-A FORWARD -p udp --dport 9 -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m set --match-set blocked6 dst -j DROP
-A FORWARD -i lan0 -p tcp --dport 25 -j REJECT --reject-with tcp-reset
-A FORWARD -i lan0 -p udp --dport 137 -j REJECT --reject-with icmp6-adm-prohibited
-A FORWARD -i lan0 -p tcp -m multiport --dports 80,443 -j ACCEPT
-A FORWARD -i lan0 -p udp --dport 53 -j ACCEPT
-A FORWARD -i lan0 -p ipv6-icmp -j ACCEPT
-A FORWARD -i dmz0 -j REJECT
COMMIT
"""
MUTE = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT DROP [0:0]\nCOMMIT\n"
SYSCTLS = {"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1, "net.ipv4.conf.all.rp_filter": 0, "net.ipv4.conf.lan0.rp_filter": 1,
           "net.ipv4.icmp_ratelimit": 0, "net.ipv6.icmp.ratelimit": 0, "net.ipv4.conf.all.send_redirects": 0,
           "net.netfilter.nf_conntrack_udp_timeout": 45, "net.netfilter.nf_conntrack_acct": 1}
ROUTES = ["198.51.100.0/24 via 192.0.2.2", "203.0.113.0/24 via 192.0.2.2", "blackhole 10.66.0.0/16", "unreachable 10.67.0.0/16", "prohibit 10.68.0.0/16",
          "default via 10.0.3.7 dev dmz0 table 100", "2001:db8:9::/48 via 2001:db8::2", "prohibit fd66::/16", "unreachable fd67::/16"]


class KernelRouter:
    """A namespace that routes between three hosts."""

    def __init__(self, h):
        self.h = h
        self.macs = {}
        for name in ("router", "lan", "wan", "dmz"):
            self.sh("ip", "netns", "add", h.netns(name))
            for key in ("accept_dad=0", "accept_ra=0", "addr_gen_mode=1"):
                self.inside(name, "sysctl", "-qw", f"net.ipv6.conf.default.{key}")
            self.inside(name, "ip", "link", "set", "lo", "up")
        for interface, (host, own, theirs, others) in LINKS.items():
            self.link(interface, host, own, theirs, others)
        for address in ("10.255.0.1/32", "fd00:ffff::1/128"):
            self.inside("router", "ip", "addr", "add", address, "dev", "lo")
        self.inside("router", "ip", "link", "add", "spare", "type", "veth", "peer", "name", "spare-peer")
        self.inside("router", "ip", "addr", "add", "10.7.0.1/24", "dev", "spare")
        self.inside("router", "ip", "link", "set", "dmz0", "mtu", "1300")
        for route in ROUTES:
            self.inside("router", "ip", *(["-6"] if ":" in route or "fd6" in route else []), "route", "add", *route.split())
        self.inside("router", "ip", "rule", "add", "fwmark", "1", "lookup", "100")
        self.inside("router", "ipset", "restore", input=SETS)
        self.inside("router", "iptables-restore", input=RULES4)
        self.inside("router", "ip6tables-restore", input=RULES6)
        for key, value in SYSCTLS.items():
            self.inside("router", "sysctl", "-qw", f"{key}={value}")

    def sh(self, *command, **options):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, **options)
        if done.returncode:
            raise SystemExit(f"{command}: {done.stderr}")
        return done.stdout

    def inside(self, netns, *command, **options):
        return self.sh("ip", "netns", "exec", self.h.netns(netns), *command, **options)

    def link(self, interface, host, own, theirs, others):
        self.inside("router", "ip", "link", "add", interface, "type", "veth", "peer", "name", "eth0", "netns", self.h.netns(host))
        macs = {}
        for netns, device in (("router", interface), (host, "eth0")):
            self.inside(netns, "ip", "link", "set", device, "up")
            macs[netns] = self.inside(netns, "cat", f"/sys/class/net/{device}/address").strip()
        for netns, device, addresses in (("router", interface, own), (host, "eth0", theirs)):
            for address in addresses:
                self.inside(netns, "ip", "addr", "add", address, "dev", device)
        for address in [*(a.partition("/")[0] for a in theirs), *others]:
            self.inside("router", "ip", "neigh", "replace", address, "lladdr", macs[host], "dev", interface, "nud", "permanent")
        for address in own:
            gateway = address.partition("/")[0]
            self.inside(host, "ip", "neigh", "replace", gateway, "lladdr", macs["router"], "dev", "eth0", "nud", "permanent")
            self.inside(host, "ip", "route", "add", "default", "via", gateway)
        self.macs[interface] = macs["router"]

    def mute_hosts(self):
        for host in ("lan", "wan", "dmz"):
            self.inside(host, "iptables-restore", input=MUTE)
            self.inside(host, "ip6tables-restore", input=MUTE)


class Wires:
    """Puts packets on the wires of the router, and sees what comes out of it."""

    def __init__(self, h, macs):
        self.sockets = {}
        for interface, (host, *_) in LINKS.items():
            sock = h.inside(host, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3)))
            sock.bind(("eth0", 3))
            sock.setblocking(False)
            h.stack.callback(sock.close)
            self.sockets[interface] = sock
        self.macs = {interface: bytes.fromhex(mac.replace(":", "")) for interface, mac in macs.items()}
        self.markers = 0

    def send(self, interface, data):
        kind = 0x86DD if data[0] >> 4 == 6 else 0x0800
        self.sockets[interface].sendto(data, ("eth0", kind, 0, 0, self.macs[interface]))

    def forget(self):
        """All that has come out up to now."""
        self.verdict("lan0", packets.udp("10.0.1.7", 7, "198.51.100.9", MARKER_PORT))

    def seen(self, until, seconds=10):
        """[(interface, packet)] up to the one that `until` recognizes; without it."""
        found = []
        while True:
            ready, _, _ = select.select(list(self.sockets.values()), [], [], seconds)
            if not ready:
                raise SystemExit("a packet that the kernel router lets through did not come out of it")
            over = False
            for interface, sock in self.sockets.items():
                while True:
                    try:
                        data, place = sock.recvfrom(65536)
                    except BlockingIOError:
                        break
                    if place[2] == socket.PACKET_OUTGOING or place[1] not in (0x0800, 0x86DD):
                        continue
                    if data[0] >> 4 == 6 and data[24] == 0xFF:  # what the kernel says to groups of its own accord, such as MLD reports
                        continue
                    if until(data):
                        over = True
                    else:
                        found.append((interface, data))
            if over:
                return found

    def verdict(self, interface, data):
        """What the router makes of it. A packet behind it on the same wire, which passes untracked, says when it is through."""
        self.markers += 1
        payload = struct.pack("!I", self.markers) + b"marker"
        there = ("198.51.100.9", "10.0.1.7") if interface == "wan0" else ("10.0.1.7" if interface == "lan0" else "10.0.3.9", "198.51.100.9")
        self.send(interface, data)
        self.send(interface, packets.udp(there[0], 7, there[1], MARKER_PORT, payload))
        return {(out, told) for out, packet in self.seen(lambda packet: packet.endswith(payload)) if (told := canonical(packet))}


def canonical(data):
    """What is compared of a packet; None: it is none of those that the router was asked for."""
    v6 = data[0] >> 4 == 6
    head, protocol, ttl = (40, data[6], data[7]) if v6 else ((data[0] & 15) * 4, data[9], data[8])
    family = socket.AF_INET6 if v6 else socket.AF_INET
    a, b = (data[8:24], data[24:40]) if v6 else (data[12:16], data[16:20])
    source, destination = socket.inet_ntop(family, a), socket.inet_ntop(family, b)
    l4 = data[head:]
    fragment = not v6 and struct.unpack("!H", data[6:8])[0] & 0x3FFF
    if fragment and fragment & 0x1FFF:
        return f"{source} > {destination} ttl={ttl} fragment"
    if protocol == 6 and len(l4) >= 14:
        what = "TCP %d>%d " % struct.unpack("!HH", l4[:4]) + "".join(letter for bit, letter in ((2, "S"), (1, "F"), (4, "R"), (8, "P"), (16, ".")) if l4[13] & bit)
    elif protocol == 17:
        what = "UDP %d>%d" % struct.unpack("!HH", l4[:4])
    elif protocol in (1, 58):
        if protocol == 58 and (133 <= l4[0] <= 137 or l4[0] in (130, 131, 132, 143)):
            return None
        what = f"ICMP {l4[0]}/{l4[1]}"
    else:
        what = f"proto {protocol}"
    return f"{source} > {destination} ttl={ttl} {what}"


def canonical_text(text):
    """The same of a packet as explain shows it."""
    where = re.match(r"IPv[46] (\S+) > (\S+) ttl=(\d+)(.*)", text)
    source, destination, ttl, rest = where.groups()
    fragment = re.search(r" fragment (\d+)", rest)
    if fragment and fragment[1] != "0":
        return f"{source} > {destination} ttl={ttl} fragment"
    kind, what = re.search(r" (TCP|UDP|ICMP|proto)(?:v6)? (.*)", rest).groups()  # an error quotes others behind it
    if kind == "TCP":
        ports, flags = re.match(r"(\d+>\d+) (\S*)", what).groups()
        what = f"{ports} " + "".join(letter for letter in "SFRP." if letter in flags)
    elif kind == "ICMP":
        what = "%s/%s" % re.match(r"type=(\d+) code=(\d+)", what).groups()
    else:
        what = what.split(" ")[0]
    return f"{source} > {destination} ttl={ttl} {kind} {what}"


class Live:
    """Connections through the kernel router, made by sockets of its hosts, and what comes next in them."""

    def __init__(self, h, wires):
        self.h, self.wires, self.keep = h, wires, []
        self.servers = {key: self.server(*key) for key in (("wan", "192.0.2.2"), ("dmz", "10.0.3.2"), ("wan", "2001:db8::2"))}

    def server(self, host, address):
        sock = self.h.inside(host, lambda: socket.create_server((address, 80), family=socket.AF_INET6 if ":" in address else socket.AF_INET))
        self.h.stack.callback(sock.close)
        return sock

    def tcp(self, host, interface, source, destination, port, server, behind):
        """(from the client, from the server): functions (flags, payload) -> (interface, packet)."""
        sock = self.h.inside(host, lambda: socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET))
        sock.settimeout(10)
        sock.bind((source, 0))
        client_port = sock.getsockname()[1]
        sock.connect((destination, port))
        accepted, peer = self.servers[server].accept()
        self.keep += [sock, accepted]
        answer = struct.pack("!HH", port, client_port)
        found = []

        def is_answer(data):
            head = 40 if data[0] >> 4 == 6 else 20
            hit = data[head : head + 4] == answer and data[head + 13] & (SYN | ACK) == SYN | ACK
            if hit:
                found.append(struct.unpack("!II", data[head + 4 : head + 12]))
            return hit
        self.wires.seen(is_answer)
        seq, ack = found[0]
        return (lambda flags, payload=b"": (interface, packets.tcp(source, client_port, destination, port, flags, ack, seq + 1, 500, payload)),
                lambda flags, payload=b"": (behind, packets.tcp(server[1], 80, peer[0], peer[1], flags, seq + 1, ack, 500, payload)))

    def udp(self, source, destination, netns="lan", far="wan"):
        """A datagram there and one back. (port inside, (address, port) as the server sees it)"""
        server = self.h.udp(far, destination, 53)
        client = self.h.udp(netns, source)
        client.sendto(b"question", (destination, 53))
        _, peer = server.recvfrom(100)
        server.sendto(b"answer", peer)
        client.recvfrom(100)
        return client.getsockname()[1], peer[:2]

    def close(self):
        for sock in self.keep:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()


def live_packets(h, kernel, wires):
    live = Live(h, wires)
    h.stack.callback(live.close)
    yield from live_tcp(live)
    port, (outside, outside_port) = live.udp("10.0.1.2", "192.0.2.2")
    yield "UDP, established, out", "lan0", packets.udp("10.0.1.2", port, "192.0.2.2", 53, b"more")
    yield "UDP, established, back", "wan0", packets.udp("192.0.2.2", 53, outside, outside_port, b"more")
    yield "UDP, an answer from somebody else", "wan0", packets.udp("192.0.2.7", 53, outside, outside_port, b"more")
    yield "UDP, an answer to another interface", "dmz0", packets.udp("192.0.2.2", 53, outside, outside_port, b"more")
    quoted = packets.udp(outside, outside_port, "192.0.2.2", 53, b"question")
    for code in (1, 3):
        yield f"ICMP error {code} about it, related", "wan0", packets.icmp("192.0.2.2", outside, 3, code, 0, quoted)
    yield "ICMP error about nothing", "wan0", packets.icmp("192.0.2.2", outside, 3, 3, 0, packets.udp(outside, 9999, "192.0.2.2", 53, b"q"))
    port, (outside, outside_port) = live.udp("fd00:1::2", "2001:db8::2")
    yield "UDP, IPv6, established, out", "lan0", packets.udp("fd00:1::2", port, "2001:db8::2", 53, b"more")
    yield "UDP, IPv6, established, back", "wan0", packets.udp("2001:db8::2", 53, outside, outside_port, b"more")
    yield "ICMPv6 error about it, related", "wan0", packets.icmp("2001:db8::7", outside, 1, 4, 0, packets.udp(outside, outside_port, "2001:db8::2", 53, b"q"))
    kernel.inside("lan", "ping", "-n", "-c", "1", "-W", "5", "192.0.2.2")
    line = next(line for line in kernel.inside("router", "conntrack", "-L", "-p", "icmp").splitlines() if "src=10.0.1.2" in line)
    ident = int(re.search(r"id=(\d+)", line)[1])
    yield "echo reply, once more", "wan0", packets.icmp("192.0.2.2", "192.0.2.1", 0, 0, ident << 16 | 2, b"x" * 8)
    yield "echo reply with another id", "wan0", packets.icmp("192.0.2.2", "192.0.2.1", 0, 0, (ident ^ 0x5555) << 16 | 2, b"x" * 8)


def live_tcp(live):
    def out():
        return live.tcp("lan", "lan0", "10.0.1.2", "192.0.2.2", 80, ("wan", "192.0.2.2"), "wan0")
    shapes = [("ACK", ACK, b""), ("data", PSH | ACK, b"GET /"), ("FIN", FIN | ACK, b""), ("RST", RST | ACK, b"")]
    for name, flags, payload in shapes:
        for side in (0, 1):
            yield (f"TCP, established, {name} of {('client', 'server')[side]}", *out()[side](flags, payload))
    client, server = out()
    yield "TCP, established, from the wrong interface", "dmz0", client(ACK)[1]
    client, server = live.tcp("wan", "wan0", "192.0.2.2", "192.0.2.1", 8081, ("dmz", "10.0.3.2"), "dmz0")
    yield ("TCP, DNAT, established, data of the client", *client(PSH | ACK, b"hello"))
    yield ("TCP, DNAT, established, ACK of the server", *server(ACK))
    client, server = live.tcp("lan", "lan0", "fd00:1::2", "2001:db8::2", 80, ("wan", "2001:db8::2"), "wan0")
    yield ("TCP, IPv6, established, data of the client", *client(PSH | ACK, b"hello"))
    yield ("TCP, IPv6, established, ACK of the server", *server(ACK))


def new_packets():
    """(name, interface, packet), each of a flow of its own."""
    port = iter(range(20000, 60000))

    def syn(source, destination, dport, flags=SYN, **more):
        return packets.tcp(source, next(port), destination, dport, flags, 1000, 0 if flags == SYN else 77, **more)

    def udp(source, destination, dport, payload=b"x", **more):
        return packets.udp(source, next(port), destination, dport, payload, **more)

    def echo(source, destination, size=8, **more):
        return packets.icmp(source, destination, 128 if ":" in source else 8, 0, next(port) << 16 | 1, b"e" * size, **more)
    for dport in (80, 443, 8443, 22, 25, 8080):
        yield f"lan to wan, SYN to {dport}", "lan0", syn("10.0.1.7", "198.51.100.4", dport)
    for dport in (53, 137, 139, 140, 4500):
        yield f"lan to wan, UDP to {dport}", "lan0", udp("10.0.1.7", "198.51.100.4", dport)
    yield "lan to wan, echo", "lan0", echo("10.0.1.7", "198.51.100.4")
    yield "lan to wan, ESP", "lan0", packets.ip(50, "10.0.1.7", "198.51.100.4", b"\0" * 16)
    yield "lan to wan, rejected by address", "lan0", udp("10.0.1.7", "198.51.100.77", 77)
    yield "lan to a blocked network", "lan0", syn("10.0.1.7", "203.0.113.200", 80)
    yield "lan beside the blocked network", "lan0", syn("10.0.1.7", "203.0.113.4", 80)
    yield "lan to dmz", "lan0", syn("10.0.1.7", "10.0.3.9", 80)
    yield "lan to dmz, refused", "lan0", syn("10.0.1.7", "10.0.3.9", 23)
    yield "lan, hairpin to lan", "lan0", syn("10.0.1.7", "10.0.1.2", 80)
    for source in ("192.0.2.7", "10.0.3.9", "10.0.1.1", "127.0.0.1", "172.31.0.1", "224.0.0.5", "255.255.255.255", "0.0.0.0"):
        yield f"lan, wrong source {source}", "lan0", syn(source, "198.51.100.4", 80)
    # Each from a source of its own: the kernel answers a peer once a second.
    for last, destination in enumerate(("172.31.0.1", "10.66.0.1", "10.67.0.1", "10.68.0.1", "127.0.0.1", "0.0.0.0")):
        yield f"lan, no way to {destination}", "lan0", syn(f"10.0.1.{20 + last}", destination, 80)
    yield "lan, TTL 1", "lan0", syn("10.0.1.7", "198.51.100.4", 80, ttl=1)
    yield "lan, TTL 1 to the router", "lan0", echo("10.0.1.7", "10.0.1.1", ttl=1)
    yield "lan, ACK without a connection, allowed", "lan0", syn("10.0.1.7", "198.51.100.4", 80, ACK)
    for name, flags in (("SYN ACK", SYN | ACK), ("RST", RST), ("SYN FIN", SYN | FIN), ("no flags", 0), ("FIN PSH URG", FIN | PSH | 32)):
        yield f"lan, INVALID, {name}", "lan0", syn("10.0.1.7", "198.51.100.4", 80, flags)
    wrong = syn("10.0.1.7", "198.51.100.4", 80)
    yield "lan, INVALID, wrong checksum", "lan0", wrong[:36] + bytes([wrong[36] ^ 1]) + wrong[37:]
    yield "lan, INVALID, echo reply", "lan0", packets.icmp("10.0.1.7", "198.51.100.4", 0, 0, 0x12340001, b"e" * 8)
    short = packets.ip(6, "10.0.1.7", "198.51.100.4", b"\0" * 10)
    yield "lan, INVALID, cut TCP header", "lan0", short
    head = packets.ip(17, "10.0.1.7", "198.51.100.4", b"\0" * 8)
    yield "lan, wrong header checksum", "lan0", head[:10] + b"\xde\xad" + head[12:]
    yield "lan, large, may not be cut", "lan0", echo("10.0.1.7", "10.0.3.9", 1372, df=True)
    yield "lan, large, is cut", "lan0", echo("10.0.1.7", "10.0.3.9", 1372)
    for destination in ("10.0.1.1", "192.0.2.1", "10.255.0.1", "10.7.0.1"):
        yield f"to the router, echo {destination}", "lan0", echo("10.0.1.7", destination)
    for dport in (22, 23):
        yield f"to the router, SYN to {dport}", "lan0", syn("10.0.1.7", "10.0.1.1", dport)
    for dport in (53, 161, 162):
        yield f"to the router, UDP to {dport}", "lan0", udp("10.0.1.7", "10.0.1.1", dport)
    yield "redirected to the router", "lan0", syn("10.0.1.7", "198.51.100.4", 3128)
    yield "to a broadcast address", "lan0", udp("10.0.1.7", "10.0.1.255", 161)
    yield "to a multicast group", "lan0", udp("10.0.1.7", "224.0.0.251", 5353)
    for dport in (8080, 8081, 8082, 22):
        yield f"wan, SYN to {dport}", "wan0", syn("198.51.100.4", "192.0.2.1", dport)
    yield "wan, echo", "wan0", echo("198.51.100.4", "192.0.2.1")
    yield "wan to lan", "wan0", syn("198.51.100.4", "10.0.1.7", 80)
    yield "wan to dmz past the translation", "wan0", syn("198.51.100.4", "10.0.3.9", 80)
    yield "dmz to wan, allowed", "dmz0", syn("10.0.3.9", "198.51.100.4", 443)
    yield "dmz to wan, refused", "dmz0", syn("10.0.3.9", "198.51.100.4", 80)
    yield "dmz to lan", "dmz0", syn("10.0.3.9", "10.0.1.7", 443)
    yield "dmz with a source of lan", "dmz0", syn("10.0.1.7", "198.51.100.4", 443)
    for dport in (80, 443, 22, 25):
        yield f"IPv6, lan to wan, SYN to {dport}", "lan0", syn("fd00:1::7", "2001:db8:9::4", dport)
    for dport in (53, 137, 138):
        yield f"IPv6, lan to wan, UDP to {dport}", "lan0", udp("fd00:1::7", "2001:db8:9::4", dport)
    yield "IPv6, lan to wan, echo", "lan0", echo("fd00:1::7", "2001:db8:9::4")
    yield "IPv6, lan to a blocked address", "lan0", syn("fd00:1::7", "2001:db8:9::bad", 80)
    for destination in ("2001:db8:8::1", "fd66::1", "fd67::1"):
        yield f"IPv6, lan, no way to {destination}", "lan0", syn("fd00:1::7", destination, 80)
    yield "IPv6, lan, hop limit 1", "lan0", syn("fd00:1::7", "2001:db8:9::4", 80, ttl=1)
    for name, flags in (("SYN ACK", SYN | ACK), ("SYN FIN", SYN | FIN)):
        yield f"IPv6, lan, INVALID, {name}", "lan0", syn("fd00:1::7", "2001:db8:9::4", 80, flags)
    yield "IPv6, lan, too big", "lan0", echo("fd00:1::7", "fd00:3::9", 1372)
    for destination in ("fd00:1::1", "2001:db8::1", "fd00:ffff::1"):
        yield f"IPv6, to the router, echo {destination}", "lan0", echo("fd00:1::7", destination)
    for dport in (22, 23):
        yield f"IPv6, to the router, SYN to {dport}", "lan0", syn("fd00:1::7", "fd00:1::1", dport)
    yield "IPv6, wan to lan", "wan0", syn("2001:db8:9::4", "fd00:1::7", 80)
    yield "IPv6, dmz to lan, rejected", "dmz0", syn("fd00:3::9", "fd00:1::7", 80)
    yield "IPv6, dmz to wan, rejected", "dmz0", udp("fd00:3::9", "2001:db8:9::4", 53)


def words_of(interface, data):
    """The packet as people write it down; None: words do not have it."""
    told = canonical(data)
    found = re.fullmatch(r"(\S+) > (\S+) ttl=(\d+) (TCP|UDP|ICMP) (\S+)(?: (\S+))?", told)
    head = 40 if ":" in told else 20
    if not found or len(data) < head + 8 or (found[4] == "TCP" and (len(data) != head + 20 or found[6] not in ("S", "."))):
        return None
    source, destination, ttl, protocol, what, flags = found.groups()
    if packets.with_checksum(data[6] if head == 40 else data[9], source, destination, data[head:]) != data[head:]:
        return None
    if protocol == "ICMP":
        if what not in ("8/0", "128/0"):
            return None
        ident = struct.unpack("!H", data[head + 4 : head + 6])[0]
        return f"{'icmp6' if head == 40 else 'icmp'} {source} > {destination} id {ident} data {len(data) - head - 8} in {interface} ttl {ttl}"
    ends = [f"[{address}]:{port}" if head == 40 else f"{address}:{port}" for address, port in zip((source, destination), what.split(">"))]
    rest = flags if protocol == "TCP" else f"data {len(data) - head - 8}"
    return f"{protocol.lower()} {ends[0]} > {ends[1]} {rest} in {interface} ttl {ttl}"


def explain(h, folder, number, interface, data):
    """(how it was asked, what explain says that leaves). Every other packet in words, where they have it."""
    offline = ["explain", "--config", f"{folder}/nsrouter.toml", "--state", f"{folder}/conntrack.txt", "-j"]
    words = words_of(interface, data) if number % 2 else None
    if words:
        done = h.run(*offline, words)
    else:
        path = h.folder / f"{number}.pcap"
        path.write_bytes(struct.pack("<IHHiIIIIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101, 0, 0, len(data), len(data)) + data)
        done = h.run(*offline, "--packet", str(path), "--interface", interface)
    if done.returncode:
        return words, {("error", done.stderr)}
    seen = [json.loads(line) for line in done.stdout.splitlines()]
    return words, {(step["out"], canonical_text(step["packet"])) for each in seen for step in each["steps"] if step["what"] == "left" and "out" in step}


def test(h):
    kernel = KernelRouter(h)
    wires = Wires(h, kernel.macs)
    table = [*live_packets(h, kernel, wires), *new_packets()]
    kernel.mute_hosts()
    wires.forget()
    folder = str(h.folder / "imported")
    asked = h.run("import-host", h.netns("router"), "-o", folder, "--strict")
    print(asked.stdout, asked.stderr)
    summary(h, asked, folder)
    if asked.returncode == 0:
        verdicts(h, wires, table, folder)
        scripts(h, kernel, folder)
        mistakes(h, folder)
    native(h, kernel)


def summary(h, asked, folder):
    found = re.search(r": (\d+) interfaces, (\d+) addresses, (\d+) routes, (\d+) routing rules, (\d+) rules, (\d+) sets, (\d+) sysctls, (\d+) connections; 0 left out", asked.stdout)
    h.check("all of the machine is taken over, and counted", asked.returncode == 0 and found, asked)
    rules = sum(text.count("\n-A ") for text in (RULES4, RULES6))
    counts = [int(number) for number in found.groups()] if found else []
    h.check("as many as it has", counts[:6] == [6, 9, 9, 1, rules, 2] and counts[7] >= 14, counts)
    h.check("the configuration is fine", h.run("check", f"{folder}/nsrouter.toml").returncode == 0)


def verdicts(h, wires, table, folder):
    h.check("there are a hundred packets", len(table) >= 100, len(table))
    expected = [wires.verdict(interface, data) for _, interface, data in table]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        said = list(pool.map(lambda item: explain(h, folder, item[0], *item[1][1:]), enumerate(table)))
    for (name, interface, _), kernel_says, (words, we_say) in zip(table, expected, said):
        h.check(f"{name}: {', '.join(sorted(f'{out} {told}' for out, told in kernel_says)) or 'nothing'}", kernel_says == we_say, (words, we_say))
    outcomes = {len(outputs) for outputs in expected}
    h.check("some of them came through and some did not", {0, 1} <= outcomes, outcomes)
    h.check("words were asked for, and bytes", {True, False} == {words is None for words, _ in said})


def scripts(h, kernel, folder):
    """What the script asks for is what the program asks for."""
    script = h.run("import-host", "--script").stdout
    dump = h.folder / "dump"
    kernel.inside("router", "sh", "-s", str(dump), input=script)
    other = h.folder / "by-script"
    done = h.run("import-host", "--from", str(dump), "-o", str(other), "--strict")
    h.check("the script's dumps are imported", done.returncode == 0, done.stderr)
    same = (other / "nsrouter.toml").read_text() == pathlib.Path(folder, "nsrouter.toml").read_text()
    h.check("and give the same configuration", same)
    again = h.run("import-host", "--from", str(dump), "-o", str(other))
    h.check("a folder that is there is left alone", again.returncode == 1 and "is there already" in again.stderr, again)
    bare = subprocess.run(["ip", "netns", "exec", h.netns("router"), "/bin/sh", "-s", str(h.folder / "bare")], input=script.replace("PATH=$PATH:", "PATH=/nowhere:/bin:"),
                          env={"PATH": "/bin"}, capture_output=True, text=True, timeout=60)
    h.check("a machine without a tool says so, and goes on", bare.returncode == 0, bare)


def mistakes(h, folder):
    config, packet = f"{folder}/nsrouter.toml", "icmp 10.0.1.7 > 198.51.100.4 in lan0"
    answer = h.run("explain", "--state", f"{folder}/conntrack.txt", packet)
    h.check("--state alone is wrong usage", answer.returncode == 2 and "needs --config" in answer.stderr, answer)
    answer = h.run("explain", "--config", config, "--state", h.write("bad.txt", "# a table\ntcp 6 10 ESTABLISHD\n"), packet)
    h.check("a line that is none is told with its place", answer.returncode == 1 and 'bad.txt:2: unknown state "ESTABLISHD" of tcp' in answer.stderr and not answer.stdout, answer)
    answer = h.run("replay", config, "--in", "/dev/null", "--state", "/nowhere/table")
    h.check("a table that is not there, too", answer.returncode == 1 and "/nowhere/table: No such file" in answer.stderr, answer)
    answer = h.run("explain", "--config", config, "icmp 10.7.0.2 > 198.51.100.4 in spare")
    h.check("nothing comes by an interface that is down", answer.returncode == 1 and '"spare" is down' in answer.stderr, answer)
    answer = h.run("import-host", h.netns("nowhere"), "-o", str(h.folder / "nowhere"))
    h.check("a namespace that is not there", answer.returncode == 1 and h.netns("nowhere") in answer.stderr and not (h.folder / "nowhere").exists(), answer)
    answer = h.run("import-host", h.netns("router"), "--from", folder)
    h.check("a namespace and a folder are one too many", answer.returncode == 2, answer)


def native(h, kernel):
    kernel.sh("ip", "netns", "add", h.netns("native"))
    kernel.inside("native", "nft", "-f", "-", input="table inet firewall {\n chain forward {\n type filter hook forward priority 0; policy drop;\n }\n}\n")
    folder = h.folder / "native"
    done = h.run("import-host", h.netns("native"), "-o", str(folder))
    h.check("rules of nft alone are refused by name", done.returncode == 1 and "nft.txt:1: the rules of this machine are nft's own (table inet firewall)" in done.stderr, done)
    h.check("and nothing is left behind", not folder.exists() and not list(h.folder.glob("native.*")))


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(harness.main(test, tools=("ip", "ping", "iptables", "ip6tables", "ipset", "conntrack", "nft", "sysctl")))
