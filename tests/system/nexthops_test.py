#!/usr/bin/env python3
"""A route with two next hops, asked of nsrouter and of this machine's kernel: the same is true of both.

    nexthops_test.py NSROUTER

Needs root. Which flow takes which hop is a secret of either; that a flow keeps its own, that flows are shared out by
weight, what makes two packets one flow and that errors go along with it are not.
"""
import select
import socket
import struct
import subprocess
import sys

import harness

WEIGHTS = (3, 1)
HOPS = ("isp1", "isp2")
PORTS = {4: 5004, 6: 5006}  # of the hosts beyond: an IPv6 socket takes the port in both families
IP_PKTINFO, IPV6_FREEBIND = 8, 78  # not in every Python
ADDRESSES = {4: {"client": ("10.0.1.2/24", "10.0.1.3/24"), "isp1": ("198.51.100.2/24",), "isp2": ("203.0.113.2/24",)},
             6: {"client": ("fd00:1::2/64", "fd00:1::3/64"), "isp1": ("2001:db8:1::2/64",), "isp2": ("2001:db8:2::2/64",)}}
ROUTER = {"client": ("10.0.1.1/24", "fd00:1::1/64"), "isp1": ("198.51.100.1/24", "2001:db8:1::1/64"), "isp2": ("203.0.113.1/24", "2001:db8:2::1/64")}
BEYOND = {4: "10.9.0.0/16", 6: "2001:db8:9::/48"}  # behind both of them


def bare(prefix):
    return prefix.split("/")[0]


def run(*command):
    subprocess.run(command, check=True)


def sysctl(h, netns, *settings):
    run("ip", "netns", "exec", h.netns(netns), "sysctl", "-qw", *settings)


# --- the two routers ---
class Product:
    name = "nsrouter"

    def __init__(self, h):
        self.h = h
        links = [h.link(name, name, ROUTER[name], ADDRESSES[4][name] + ADDRESSES[6][name]) for name in ROUTER]
        def hops(family):
            return ", ".join(f'{{ via = "{bare(ADDRESSES[family][hop][0])}", weight = {weight} }}' for hop, weight in zip(HOPS, WEIGHTS))
        routes = [f'[[route]]\nto = "{BEYOND[family]}"\nnexthops = [{hops(family)}]' for family in (4, 6)]
        h.start(h.write("router.toml", h.config(*links, *routes)))

    def set(self, name, value):
        answer = self.h.cli("sysctl", "-w", f"{name}={value}")
        self.h.check(f"{name} is {value}", answer.returncode == 0, answer)

    def end(self):
        self.h.stop()


class Kernel:
    name = "the kernel"

    def __init__(self, h):
        self.h = h
        for name in ("router", *ROUTER):
            run("ip", "netns", "add", h.netns(name))
            run("ip", "-n", h.netns(name), "link", "set", "lo", "up")
        sysctl(h, "router", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        for name in ROUTER:
            run("ip", "link", "add", name, "netns", h.netns("router"), "type", "veth", "peer", "name", name, "netns", h.netns(name))
            for netns, addresses in (("router", ROUTER[name]), (name, ADDRESSES[4][name] + ADDRESSES[6][name])):
                for address in addresses:
                    run("ip", "-n", h.netns(netns), "address", "add", address, "dev", name, *(["nodad"] if ":" in address else []))
                run("ip", "-n", h.netns(netns), "link", "set", name, "up")
        for name in ROUTER:
            for address in ROUTER[name]:
                run("ip", "-n", h.netns(name), "route", "add", "default", "via", bare(address))
        for family in (4, 6):
            hops = [word for hop, weight in zip(HOPS, WEIGHTS) for word in ("nexthop", "via", bare(ADDRESSES[family][hop][0]), "weight", str(weight))]
            run("ip", "-n", h.netns("router"), "route", "add", BEYOND[family], *hops)

    def set(self, name, value):
        sysctl(self.h, "router", f"{name}={value}")

    def end(self):
        for name in ("router", *ROUTER):
            run("ip", "netns", "del", self.h.netns(name))


# --- what is asked of both ---
class Family:
    """The client and the hosts beyond, all of which live in either uplink's namespace."""

    def __init__(self, h, number):
        self.h, self.number, self.port = h, number, PORTS[number]
        self.family = socket.AF_INET if number == 4 else socket.AF_INET6
        self.icmp = socket.IPPROTO_ICMP if number == 4 else socket.IPPROTO_ICMPV6
        self.client, self.inner_router = (bare(address) for address in ADDRESSES[number]["client"])
        any_address = "0.0.0.0" if number == 4 else "::"
        self.doors, self.ears = [], []
        for hop in HOPS:
            run("ip", "-n", h.netns(hop), f"-{number}", "route", "add", "local", BEYOND[number], "dev", "lo")
            self.doors.append(h.udp(hop, any_address, self.port))
            if number == 6:
                self.doors[-1].setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
            self.ears.append(self.raw(hop))
        self.shouting = self.raw("client")
        self.shouting.bind((self.inner_router, 0))

    def raw(self, netns):
        sock = self.h.inside(netns, lambda: socket.socket(self.family, socket.SOCK_RAW, self.icmp))
        self.h.stack.callback(sock.close)
        return sock

    def host(self, number):
        """Somebody beyond."""
        return f"10.9.{number >> 8}.{number & 255}" if self.number == 4 else f"2001:db8:9::{number:x}"

    def packed(self, address):
        return socket.inet_pton(self.family, address)

    def arrival(self, socks, wanted):
        """The hop where `wanted` comes in; None: nowhere."""
        while True:
            ready = select.select(socks, [], [], 5)[0]
            if not ready:
                return None
            for sock in ready:
                if wanted(sock.recv(2000)):
                    return socks.index(sock)

    def flow(self, number, port):
        """The hop that a datagram to that host takes."""
        sock = self.h.inside("client", lambda: socket.socket(self.family, socket.SOCK_DGRAM))
        with sock:
            sock.bind((self.client, port))
            word = f"{number} {port}".encode()
            sock.sendto(word, (self.host(number), self.port))
            return self.arrival(self.doors, lambda seen: seen == word)

    def quoted(self, number, port):
        """What the host has sent to the client, as an error quotes it."""
        udp = struct.pack(">HHHH", self.port, port, 8, 0)
        source, destination = self.packed(self.host(number)), self.packed(self.client)
        if self.number == 4:
            return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 28, 0, 0, 60, socket.IPPROTO_UDP, 0, source, destination) + udp
        return struct.pack(">IHBB16s16s", 6 << 28, 8, socket.IPPROTO_UDP, 60, source, destination) + udp

    def is_error_about(self, number, port):
        ports = struct.pack(">HH", self.port, port)
        addresses = self.packed(self.host(number)) + self.packed(self.client)
        return lambda seen: addresses + ports in seen

    def error(self, number, port):
        """The hop that an error of a router behind the client takes to that host."""
        kind = struct.pack(">BBHI", *((3, 1) if self.number == 4 else (1, 3)), 0, 0)
        message = kind + self.quoted(number, port)
        if self.number == 4:
            message = message[:2] + struct.pack(">H", checksum(message)) + message[4:]
        self.shouting.sendto(message, (self.host(number), 0))
        return self.arrival(self.ears, self.is_error_about(number, port))

    def own_error(self, number, port, hop):
        """The hop by which the router tells the host, which sends by `hop`, that its datagram has lived too long."""
        address = self.packed(self.host(number))
        if self.number == 4:
            level, more = socket.IPPROTO_IP, [(IP_PKTINFO, struct.pack("=I4s4s", 0, address, bytes(4))), (socket.IP_TTL, struct.pack("=i", 1))]
        else:
            level, more = socket.IPPROTO_IPV6, [(socket.IPV6_PKTINFO, struct.pack("=16sI", address, 0)), (socket.IPV6_HOPLIMIT, struct.pack("=i", 1))]
        self.doors[hop].sendmsg([b"old"], [(level, *each) for each in more], 0, (self.client, port))
        return self.arrival(self.ears, self.is_error_about(number, port))


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def share(taken):
    """Of the first hop: three quarters, more or less."""
    return None not in taken and 0.65 < taken.count(0) / len(taken) < 0.85


def both_policies(h, router, family):
    name = f"{router.name}, IPv{family.number}"
    policy = f"net.ipv{family.number}.fib_multipath_hash_policy"
    many = range(1, 401)
    router.set("net.ipv4.icmp_ratelimit" if family.number == 4 else "net.ipv6.icmp.ratelimit", 0)
    router.set(policy, 0)
    by_host = [family.flow(number, 4000) for number in many]
    h.check(f"{name}: hosts are shared out by weight", share(by_host), (by_host.count(0), by_host.count(1), by_host.count(None)))
    again = [family.flow(number, 4000) for number in many[:20]]
    h.check(f"{name}: a flow keeps its way", again == by_host[:20], (again, by_host[:20]))
    ports = [family.flow(number, port) for number in many[:20] for port in (4001, 4002)]
    h.check(f"{name}: ports do not matter", ports == [hop for hop in by_host[:20] for _ in range(2)], (ports, by_host[:20]))
    errors = [family.error(number, 4000) for number in many[:20]]
    h.check(f"{name}: an error goes the way of the packet that it quotes", errors == by_host[:20], (errors, by_host[:20]))
    own = [family.own_error(number, 4000, by_host[number - 1]) for number in many[:20]]
    h.check(f"{name}: and so does one of the router itself", own == by_host[:20], (own, by_host[:20]))
    router.set(policy, 1)
    by_port = [family.flow(1, 4000 + number) for number in many]
    h.check(f"{name}: by ports, one host's flows are shared out by weight", share(by_port), (by_port.count(0), by_port.count(1), by_port.count(None)))
    again = [family.flow(1, 4000 + number) for number in many[:20]]
    h.check(f"{name}: and each keeps its way", again == by_port[:20], (again, by_port[:20]))
    own = [family.own_error(1, 4000 + number, by_port[number - 1]) for number in many[:20]]
    h.check(f"{name}: an error of the router knows the ports, too", own == by_port[:20], (own, by_port[:20]))


def test(h):
    for kind in (Product, Kernel):
        router = kind(h)
        sysctl(h, "client", "net.ipv6.auto_flowlabels=0")
        for hop in HOPS:
            sysctl(h, hop, "net.ipv6.auto_flowlabels=0")
        for number in (4, 6):
            both_policies(h, router, Family(h, number))
        router.end()


if __name__ == "__main__":
    sys.exit(harness.main(test, tools=("ip", "sysctl")))
