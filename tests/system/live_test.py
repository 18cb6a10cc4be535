#!/usr/bin/env python3
"""Packets go on while an administrator works: nothing is lost and no connection changes while many rules are read again, single
rules change, and everything is listed.

    live_test.py NSROUTER
"""
import pathlib
import socket
import sys
import threading

import harness

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
import live  # noqa: E402

SERVICES = 700  # of seven rules each
RULES = """
[rules]
ipv4 = "rules.v4"
"""


class Echo:
    """Sends back what comes, until it is told to stop."""

    def __init__(self, sock):
        self.sock = sock
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        self.sock.settimeout(None)
        while True:
            try:
                data, peer = self.sock.recvfrom(100)
                self.sock.sendto(data, peer)
            except OSError:
                return


class Probe:
    """Numbered datagrams, one after the other as they come back or a little apart; counts what is lost."""

    def __init__(self, sock):
        self.sock, self.sent, self.back = sock, 0, set()
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        self.sock.settimeout(0.002)
        while not self.stopping.is_set():
            self.sock.send(str(self.sent).encode())
            self.sent += 1
            self.receive()

    def receive(self):
        try:
            while True:
                self.back.add(int(self.sock.recv(100)))
                if len(self.back) == self.sent:
                    return
        except TimeoutError:
            pass

    def lost(self):
        self.stopping.set()
        self.thread.join()
        self.sock.settimeout(2)
        while len(self.back) < self.sent:
            try:
                self.back.add(int(self.sock.recv(100)))
            except TimeoutError:
                break
        return self.sent - len(self.back)


def connections_of(h):
    """Without what counts down."""
    lines = h.cli("conntrack", "-L", "-p", "tcp").stdout.splitlines()
    return sorted(" ".join(word for word in line.split() if not word.isdigit()) for line in lines)


def test(h):
    h.write("rules.v4", live.rules(SERVICES))
    h.start(h.write("router.toml", h.inside_outside(RULES)))
    server = h.udp("outside", "192.0.2.2", 7000)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    Echo(server)
    client = h.udp("inside", "10.0.1.2", 7000)
    client.connect(("192.0.2.2", 7000))
    listener = h.inside("outside", lambda: socket.create_server(("192.0.2.2", 7001)))
    streams = [h.inside("inside", lambda: socket.create_connection(("192.0.2.2", 7001), timeout=5)) for _ in range(20)]
    accepted = [listener.accept()[0] for _ in streams]
    before = connections_of(h)
    h.check("there are connections", len(before) == 20, before)

    for what, action in (("reloads", reloads), ("single rules", single_rules), ("listings", listings)):
        probe = Probe(client)
        action(h)
        lost = probe.lost()
        h.check(f"no packet is lost during {what}", lost == 0 and probe.sent > 20, (lost, probe.sent))
    h.check("no connection has changed", connections_of(h) == before, connections_of(h))
    for stream, peer in zip(streams, accepted):
        stream.sendall(b"still there")
        peer.settimeout(5)
    h.check("and each of them still answers", all(peer.recv(20) == b"still there" for peer in accepted))
    for each in (*streams, *accepted, listener):
        each.close()


def reloads(h):
    for _ in range(3):
        answer = h.cli("reload")
        h.check("a reload of 4,900 rules", answer.returncode == 0, answer)


def single_rules(h):
    for number in range(20):
        rule = ("FORWARD", "-s", f"198.51.100.{number + 1}", "-j", "DROP")
        answer = h.cli("iptables", "-A", *rule)
        if answer.returncode:
            h.check("iptables -A", False, answer)
            return
        h.cli("iptables", "-D", *rule)


def listings(h):
    rules = h.cli("rules", "save").stdout
    h.check("the rules are listed whole", rules.count("\n-A ") + rules.count("\n[") >= 7 * SERVICES, rules[-200:])
    h.cli("rules", "list")
    h.check("connections are listed", h.cli("conntrack", "-L").stdout.count("sport=") > 20)
    h.check("status answers", h.cli("status").returncode == 0)


if __name__ == "__main__":
    sys.exit(harness.main(test))
