#!/usr/bin/env python3
"""Hole punching (RFC 5128) between every two profiles: who reaches whom directly is what mapping and filtering let expect.

    nat_punch_test.py NSROUTER

Needs root. Two routers, each with a host for every profile; between them the "internet" with a rendezvous server. Every
two hosts learn from it what the other one looks like, and then send to each other at the same time: datagrams, and SYNs
from and to ports where they listen as well. All pairs do so at once, step by step. Between the steps nobody sleeps: each
host has a connection to the server, and when a word has gone there and back on it, what was sent before has arrived, or
never will, because devices and routers keep the order of packets.
"""
import contextlib
import socket
import subprocess
import sys

import harness
import nat_profiles
from nat_profiles import ADDRESS, ENDPOINT

RENDEZVOUS = ("203.0.113.1", 3478)
STEPS = 4    # of a round: SYN, SYN-ACK, ACK, and the first words
ROUNDS = 3   # the first datagram or SYN may open the way for that of the other one only


# --- what theory says ---
def admits(to, sender):
    """Does what `sender` sends reach `to` at the endpoint that the server has seen?"""
    if to.filtering == ENDPOINT:
        return True
    if to.mapping != ENDPOINT:
        return False  # to the sender it looks different: at this endpoint nobody but the server is known
    return to.filtering == ADDRESS or sender.mapping == ENDPOINT


def expected(a, b, protocol):
    """One direction is enough: who is reached sees where from, and answers there."""
    carried = protocol == "TCP" or (a.udp and b.udp)
    return carried and (admits(a, b) or admits(b, a))


# --- the hosts ---
class Host:
    """With its connection to the server."""

    def __init__(self, h, server, side, profile):
        self.h, self.netns, self.address, self.profile = h, side.netns(profile), side.inside(profile), profile
        self.line = self.socket(socket.SOCK_STREAM)
        self.line.connect(RENDEZVOUS)
        self.far_end = server.accept()[0]
        for end in (self.line, self.far_end):
            end.settimeout(20)
            h.stack.callback(end.close)

    def socket(self, kind, port=0):
        sock = self.h.inside(self.netns, lambda: socket.socket(socket.AF_INET, kind))
        self.h.stack.callback(sock.close)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((self.address, port))
        return sock


class End:
    """One of two hosts that want to talk: what it looks like to the server, and whether it has heard the other one."""

    def __init__(self, host, port):
        self.host, self.port, self.seen, self.other, self.heard = host, port, None, None, False


def settle(hosts, at_the_server=lambda: None):
    """Returns when all that was sent has arrived; the server has its turn in the middle."""
    for host in hosts:
        host.line.send(b".")
    for host in hosts:
        host.far_end.recv(1)
    at_the_server()
    for host in hosts:
        host.far_end.send(b".")
    for host in hosts:
        host.line.recv(1)


def datagrams(sock):
    with contextlib.suppress(BlockingIOError):
        while True:
            yield sock.recvfrom(100)


# --- UDP ---
class UdpEnd(End):
    def __init__(self, host, port):
        super().__init__(host, port)
        self.sock = host.socket(socket.SOCK_DGRAM, port)
        self.sock.setblocking(False)
        self.sock.sendto(b"who am I?", RENDEZVOUS)

    def told(self):
        for text, _ in datagrams(self.sock):
            address, port = text.decode().split()
            self.seen = address, int(port)

    def send(self):
        """To where the other one was heard from, else to where the server has seen it."""
        if self.other.seen and self.seen:
            self.sock.sendto(b"hello", self.heard or self.other.seen)

    def listen(self):
        for _, source in datagrams(self.sock):
            self.heard = source


def punch_udp(h, server, pairs, hosts):
    door = h.inside("outside", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    h.stack.callback(door.close)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    door.bind(RENDEZVOUS)
    door.setblocking(False)

    def tell():
        for _, source in datagrams(door):
            door.sendto(f"{source[0]} {source[1]}".encode(), source)
    ends = both_ends(UdpEnd, pairs, 4000)
    settle(hosts, tell)
    for end in ends:
        end.told()
    for _ in range(ROUNDS):
        for end in ends:
            end.send()
        settle(hosts)
        for end in ends:
            end.listen()
    return ends


# --- TCP ---
class TcpEnd(End):
    def __init__(self, host, port, server):
        super().__init__(host, port)
        first = host.socket(socket.SOCK_STREAM, port)
        first.settimeout(20)
        first.connect(RENDEZVOUS)
        accepted, self.seen = server.accept()
        host.h.stack.callback(accepted.close)
        self.listener = host.socket(socket.SOCK_STREAM, port)
        self.listener.listen()
        self.listener.setblocking(False)
        self.sock, self.accepted = None, []

    def connect(self):
        if self.sock:
            self.sock.close()
        self.sock = self.host.socket(socket.SOCK_STREAM, self.port)
        self.sock.setblocking(False)
        self.sock.connect_ex(self.other.seen)  # refused: the other one's SYN is here already, and has been accepted

    def greet(self):
        """Says hello on what has come to be a connection, and hears that of the other one."""
        with contextlib.suppress(BlockingIOError):
            self.accepted.append(self.listener.accept()[0])
        for sock in (self.sock, *self.accepted):
            with contextlib.suppress(OSError):
                sock.setblocking(False)
                sock.send(b"hello")
                self.heard = self.heard or sock.recv(5) == b"hello"


def punch_tcp(server, pairs, hosts):
    ends = both_ends(TcpEnd, pairs, 5000, server)
    for _ in range(ROUNDS):
        for end in ends:
            if not end.heard:
                end.connect()
        for _ in range(STEPS):
            settle(hosts)
            for end in ends:
                end.greet()
    return ends


# --- every two of them ---
def both_ends(kind, pairs, first_port, *more):
    """[a, b, ...]: a port of its own for each pair."""
    ends = []
    for number, (here, there) in enumerate(pairs):
        a, b = kind(here, first_port + number, *more), kind(there, first_port + number, *more)
        a.other, b.other = b, a
        ends += [a, b]
    return ends


def show(profiles, reached):
    lines = ["| | " + " | ".join(str(number) for number in range(1, len(profiles) + 1)) + " |", "|---|" + "---|" * len(profiles)]
    for number, a in enumerate(profiles, 1):
        words = [" ".join(protocol for protocol in ("UDP", "TCP") if reached[a.name, b.name, protocol]) or "-" for b in profiles]
        lines.append(f"| {number} `{a.name}` | " + " | ".join("yes" if word == "UDP TCP" else word for word in words) + " |")
    return "\n".join(lines)


def test(h):
    profiles = nat_profiles.checked(h)
    here, there = nat_profiles.Side(h, profiles, "here"), nat_profiles.Side(h, profiles, "there", ("198.51.100", "2001:db8:1"))
    for side, port in ((here, h.port), (there, harness.free_port())):
        h.start_beside(side.write(f'[[route]]\nto = "default"\nvia = "{side.outside[4]}2"', port), side.name)
    outside = h.netns("outside")
    subprocess.run(["ip", "netns", "exec", outside, "sysctl", "-qw", "net.ipv4.ip_forward=1"], check=True)
    subprocess.run(["ip", "-n", outside, "address", "add", RENDEZVOUS[0] + "/32", "dev", "lo"], check=True)
    server = h.inside("outside", lambda: socket.create_server(RENDEZVOUS))
    h.stack.callback(server.close)
    server.settimeout(20)
    rows, columns = ([Host(h, server, side, profile) for profile in profiles] for side in (here, there))
    pairs = [(a, b) for a in rows for b in columns]
    hosts = rows + columns
    reached = {}
    for protocol, ends in (("UDP", punch_udp(h, server, pairs, hosts)), ("TCP", punch_tcp(server, pairs, hosts))):
        for a, b in zip(ends[::2], ends[1::2]):
            names = a.host.profile.name, b.host.profile.name
            reached[(*names, protocol)] = bool(a.heard and b.heard)
            h.check(f"{protocol}: {names[0]} and {names[1]}", bool(a.heard) == bool(b.heard) == expected(a.host.profile, b.host.profile, protocol), (a.heard, b.heard, a.seen, b.seen))
    table = show(profiles, reached)
    print(table)
    h.check("the document shows this table", table in nat_profiles.DOCUMENT.read_text())


if __name__ == "__main__":
    sys.exit(harness.main(test, tools=("ip", "sysctl")))
