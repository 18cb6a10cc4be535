#!/usr/bin/env python3
"""Events as they happen: what `nsrouter conntrack -E` prints is what conntrack(8) prints of a Linux kernel that forwards the same packets, and a reader
that was away, or was slow, is told what it missed.

    events_test.py NSROUTER

Needs root, conntrack(8) and iptables-legacy. The packets are those of event_traffic.py.
"""
import contextlib
import ctypes
import difflib
import fcntl
import json
import os
import pathlib
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import harness
import event_traffic as traffic
from event_traffic import p

CONFIG = """
[router]
name = "{name}"
[control]
listen = "127.0.0.1:{port}"
events = {events}
events_linger = {linger}
[conntrack]
mode = "on"
[[interface]]
name = "lan"
netns = "{client}"
address = ["10.0.1.1/24", "fd00:1::1/64"]
[[interface]]
name = "wan"
netns = "{server}"
address = ["192.0.2.1/24", "2001:db8:2::1/64"]
[sysctl]
"net.netfilter.nf_conntrack_acct" = 1
"net.netfilter.nf_conntrack_timestamp" = 1
{timeouts}
"net.ipv4.icmp_ratelimit" = 0
[rules]
ipv4 = "rules.v4"
ipv6 = "rules.v6"
"""
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
OUTGOING = 4
PATIENCE = 60  # seconds that a busy machine may take for anything
# Each of these is followed beside the others, in both tools.
WAYS = {"": [], "-o extended": ["-o", "extended"], "-o save": ["-o", "save"], "-o xml": ["-o", "xml"], "-o xml,timestamp": ["-o", "xml,timestamp"],
        "-o timestamp,id": ["-o", "timestamp,id"], "-o ktimestamp": ["-o", "ktimestamp"], "-e NEW": ["-e", "NEW"],
        "-e UPDATES,DESTROY": ["-e", "UPDATES,DESTROY"], "-p tcp --state ESTABLISHED": ["-p", "tcp", "--state", "ESTABLISHED"],
        "-p udp --dport 6010:": ["-p", "udp", "--orig-port-dst", "6010"], "-f ipv6": ["-f", "ipv6"], "-s NET": ["-s", "10.0.1.0/24"], "-m 7/15": ["-m", "7/15"],
        "-w 4": ["-w", "4"], "-n": ["-n"], "expect": ["expect"], "expect -o xml": ["expect", "-o", "xml"]}


# --- two routers ---
class Links:
    """Sends and receives packets at the far ends of lan and wan."""

    def drain(self):
        for link in ("lan", "wan"):
            while self.receive(link, 0):
                pass

    def expect(self, link, seconds=PATIENCE):
        packet = self.receive(link, seconds)
        if packet is None:
            raise RuntimeError(f"no packet came out of {link}")
        return packet


class Product(Links):
    def __init__(self, h):
        self.h, self.program = h, [h.program, "--control", h.instance(), "conntrack"]
        self.sockets = {}
        for link, netns in (("lan", "client"), ("wan", "server")):
            self.sockets[link] = h.inside(netns, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3)))
            self.sockets[link].bind((link, 3))
            h.stack.callback(self.sockets[link].close)

    def send(self, link, packet):
        self.sockets[link].sendto(packet, (link, 0x86DD if packet[0] >> 4 == 6 else 0x0800))

    def receive(self, link, seconds):
        deadline = time.monotonic() + seconds
        while select.select([self.sockets[link]], [], [], max(0, deadline - time.monotonic()))[0]:
            packet, (_, _, kind, _, _) = self.sockets[link].recvfrom(65535)
            if kind != OUTGOING and not noise(packet):
                return packet
        return None

    def followers(self):
        return json.loads(self.h.cli("status", "-j").stdout)["events"]["readers"]


class Kernel(Links):
    def __init__(self, h):
        name = h.netns("kernel")
        subprocess.run(["ip", "netns", "add", name], check=True)
        self.program, self.netns = ["ip", "netns", "exec", name, "conntrack"], name
        self.devices = {}
        for link in ("lan", "wan"):
            device = h.inside("kernel", lambda: os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK))
            fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", link.encode(), IFF_TUN | IFF_NO_PI))
            h.stack.callback(os.close, device)
            self.devices[link] = device
        enter = ["ip", "netns", "exec", name]
        quiet = ["net.ipv6.conf.default.accept_dad=0", "net.ipv6.conf.default.router_solicitations=0", "net.ipv6.conf.default.addr_gen_mode=1"]
        subprocess.run([*enter, "sysctl", "-qw", *quiet], check=True)
        for link, both in (("lan", traffic.LAN), ("wan", traffic.WAN)):
            subprocess.run(["ip", "-n", name, "link", "set", link, "up"], check=True)
            subprocess.run(["ip", "-n", name, "address", "add", f"{both[0]}/24", "dev", link], check=True)
            subprocess.run(["ip", "-n", name, "address", "add", f"{both[1]}/64", "dev", link, "nodad"], check=True)
        subprocess.run([*self.program, "-C"], capture_output=True, check=False)  # has the kernel load connection tracking
        settings = ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"] + [
            f"net.netfilter.nf_conntrack_{key}={value}" for key, value in {"acct": 1, "timestamp": 1, "events": 1, **traffic.TIMEOUTS}.items()]
        subprocess.run([*enter, "sysctl", "-qw", *settings], check=True)
        # Behind the settings: with events=2 the kernel forgets the --ctevents of a rule that is set while nobody listens.
        for family, tool in enumerate(("iptables-legacy-restore", "ip6tables-legacy-restore")):
            subprocess.run([*enter, tool], input=traffic.rules(family), text=True, check=True)

    def send(self, link, packet):
        os.write(self.devices[link], packet)

    def receive(self, link, seconds):
        deadline = time.monotonic() + seconds
        while select.select([self.devices[link]], [], [], max(0, deadline - time.monotonic()))[0]:
            packet = os.read(self.devices[link], 65535)
            if not noise(packet):
                return packet
        return None

    def followers(self):
        """Who listens to groups of NETLINK_NETFILTER."""
        text = subprocess.run(["ip", "netns", "exec", self.netns, "cat", "/proc/net/netlink"], capture_output=True, text=True, check=True).stdout
        rows = [line.split() for line in text.splitlines()[1:]]
        return sum(row[1] == "12" and int(row[3], 16) != 0 for row in rows)


def noise(packet):
    """What the hosts' own kernels and the router say beside: neighbours and routers being looked for."""
    return packet[0] >> 4 == 6 and (packet[8:10] == b"\xfe\x80" or packet[24] == 0xFF or packet[6] == 0)


class Follower:
    """conntrack -E, whose lines are kept as they come."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines, self.changed, self.errors = [], threading.Condition(), ""
        self.threads = [threading.Thread(target=work, daemon=True) for work in (self.read, self.read_errors)]
        for thread in self.threads:
            thread.start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()

    def read_errors(self):
        for line in self.process.stderr:
            with self.changed:
                self.errors += line
                self.changed.notify_all()

    def wait_for(self, condition, seconds=PATIENCE):
        with self.changed:
            return self.changed.wait_for(lambda: condition(self), seconds)

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(PATIENCE)
        for thread in self.threads:
            thread.join()
        return code


def until(condition, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        select.select([], [], [], 0.01)
    return True


def start_followers(router, h, ways):
    followers = {}
    for what, words in ways.items():
        table = ["expect"] if words[:1] == ["expect"] else []
        followers[what] = Follower([*router.program, "-E", *table, *words[len(table):]])
        h.stack.callback(followers[what].process.kill)
    if not until(lambda: router.followers() >= len(ways)):
        raise RuntimeError(f"{router.followers()} of {len(ways)} followers began")
    return followers


# --- one situation after the other ---
def play(router, steps):
    for kind, what, *rest in steps:
        if kind in ("lan", "wan"):
            router.send(kind, what)
            other = {"lan": "wan", "wan": "lan"}[kind]
            for _ in range(int(rest[0]) if rest[0] != "back" else 0):
                router.expect(other)
            if rest[0] == "back":
                router.expect(kind)
        elif kind == "wait":
            select.select([], [], [], what)
        else:
            subprocess.run([*router.program, what, *rest], capture_output=True, check=False)


def marker(router, number):
    """The event that ends a situation: a datagram to the discard port that nothing else uses."""
    router.send("lan", p.udp("10.0.1.9", 30000 + number, "192.0.2.9", 9, b"marker"))
    router.expect("wan")


MARKER = re.compile(r"sport=(3\d{4}) dport=9 ")


def segments(lines):
    """The lines between two markers, by the number of the marker behind them."""
    found, current = {}, []
    for line in lines:
        match = MARKER.search(line)
        if not match:
            current.append(line)
        elif "[NEW]" in line:
            found[int(match[1]) - 30000] = current
            current = []
    return found


VARYING = [(r"^\[\d+\.\d{6}\]\t", "[TIME]\t"), (r"portid=\d+( progname=\S+)?", "portid=N"), (r"(?<= )id=\d+(?=$| \[USERSPACE\])", "id=N"), (r"<id>\d+</id>(?!</layer4>)", "<id>N</id>"),
           (r"\[(start|stop)=[^\]]*\]", r"[\1=DATE]"), (r"<when>.*</when>", "<when/>"), (r"<(start|stop)>\d+<", r"<\1>N<"),
           (r"delta-time=\d+", "delta-time=N"), (r"<deltatime>\d+<", "<deltatime>N<")]
# differs: xml-icmp, xml-sctp, save-mark
VARYING += [(r'(protoname="icmp(?:v6)?">)<type>\d+</type><code>\d+</code><id>\w+</id>', r"\1"), (r'(protoname="sctp".*)<state>\w+</state>', r"\1<state/>"),
            (r"^(-[AUD] .*) -m \d+(?=$| \[)", r"\1")]


# The seconds left: of plain text, of XML, of -o save, of expectations.
LEFT = re.compile(r"^(.*?\] (?:\S+ +\d+ ){0,2})(\d+)( .*)$|^(.*<timeout>)(\d+)(<.*)$|^(-[AUD] -t )(\d+)( .*)$")


def masked(line):
    """Without what no two runs have in common: ids, times, and who asked; and without what differs on purpose."""
    for pattern, instead in VARYING:
        line = re.sub(pattern, instead, line)
    return line


def apart(line):
    """The text of a line, and the seconds that are left in it."""
    match = LEFT.match(masked(line))
    if not match:
        return masked(line), 0
    before, seconds, behind = (part for part in match.groups() if part is not None)
    return before + "N" + behind, int(seconds)


def same(ours, theirs):
    """Are both the same, but for the time left? That runs on for a little longer on one side, and for long until somebody ends a connection."""
    if len(ours) != len(theirs):
        return False
    for (text, left), (other, left_there) in zip(map(apart, ours), map(apart, theirs)):
        ends = "DESTROY" in text or 'type="destroy"' in text or text.startswith("-D")
        if text != other or abs(left - left_there) > (PATIENCE if ends else 2):
            return False
    return True


def difference(ours, theirs):
    return "\n".join(difflib.unified_diff([masked(x) for x in theirs], [masked(x) for x in ours], "kernel", "nsrouter", lineterm="", n=0))


def beside_a_kernel(h):
    routers = {"ours": Product(h), "kernel": Kernel(h)}
    situations = [(f"{situation.__name__.replace('_', ' ')}, {traffic.NAMES[family]}", situation(family))
                  for situation in traffic.SITUATIONS for family in (0, 1)]
    seen = {}
    for name, router in routers.items():
        router.drain()
        seen[name] = start_followers(router, h, WAYS)
        for number, (what, steps) in enumerate(situations):
            try:
                play(router, steps)
            except RuntimeError as error:
                h.check(f"{what}: {name} forwards", False, error)
            marker(router, number)
        wait_for_marker(seen[name][""], len(situations) - 1)
    ours, theirs = (segments(seen[name][""].lines) for name in ("ours", "kernel"))
    for number, (what, _) in enumerate(situations):
        a, b = ours.get(number, ["?"]), theirs.get(number, ["?"])
        h.check(f"{what}: {len(b)} events as of the kernel", same(a, b), difference(a, b))
    for what in WAYS:
        pair = [seen[name][what] for name in ("ours", "kernel")]
        until(lambda: len(pair[0].lines) == len(pair[1].lines))
        h.check(f"-E {what}: {len(pair[1].lines)} lines as of the kernel", same(pair[0].lines, pair[1].lines), difference(pair[0].lines, pair[1].lines)[:3000])
    flushed(h, routers, seen, len(situations))
    for what in WAYS:
        ended(h, what, seen["ours"][what], seen["kernel"][what])


def wait_for_marker(follower, number):
    follower.wait_for(lambda f: any(f"sport={30000 + number} dport=9 " in line for line in f.lines))


def flushed(h, routers, seen, number):
    """In which order connections go is that of the table, and nobody's business."""
    before = {name: {what: len(follower.lines) for what, follower in followers.items()} for name, followers in seen.items()}
    for name, router in routers.items():
        for family in (0, 1):
            play(router, traffic.flushed(family))
        marker(router, number)
        wait_for_marker(seen[name][""], number)
    for what in WAYS:
        def gone(name):
            return sorted(apart(line)[0] for line in seen[name][what].lines[before[name][what]:])
        until(lambda: gone("ours") == gone("kernel"))
        a, b = gone("ours"), gone("kernel")
        h.check(f"-E {what}: {len(b)} lines of a flush", a == b, difference(a, b)[:3000])


def ended(h, what, *pair):
    codes, errors = [follower.interrupt() for follower in pair], [follower.errors for follower in pair]
    h.check(f"-E {what}: Ctrl-C ends both alike", codes == [0, 0] and errors[0] == errors[1], (codes, errors))
    tails = [[line for line in follower.lines[-1:] if line.startswith("</")] for follower in pair]
    h.check(f"-E {what}: and so does the text", tails[0] == tails[1], tails)


# --- the stream ---
class Stream:
    """GET /events by a socket, as a browser would."""

    def __init__(self, h, query="", last=None):
        self.sock = socket.create_connection(("127.0.0.1", h.port), timeout=PATIENCE)
        h.stack.callback(self.sock.close)
        field = f"Last-Event-ID: {last}\r\n" if last is not None else ""
        self.sock.sendall(f"GET /events{query} HTTP/1.0\r\nHost: localhost\r\n{field}\r\n".encode())
        self.file = self.sock.makefile("r", encoding="utf-8")
        self.status = int(self.file.readline().split()[1])
        self.headers = {}
        while (line := self.file.readline().strip()):
            name, _, value = line.partition(": ")
            self.headers[name.lower()] = value

    def block(self):
        """The next one: its fields by name."""
        fields = {}
        while (line := self.file.readline().rstrip("\n")):
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        return fields

    def event(self):
        while "data" not in (block := self.block()):
            if not block:
                raise EOFError("the stream ended")
            self.begins_behind = block.get("id")
        return block

    def close(self):
        self.file.close()
        self.sock.close()


def datagrams(router, count, port=53, first=20000):
    for number in range(count):
        router.send("lan", p.udp("10.0.1.7", first + number, "192.0.2.7", port, b"x"))
        router.expect("wan")


def stream(h):
    router = Product(h)
    reader = Stream(h)
    h.check("GET /events is a stream of events", (reader.status, reader.headers.get("content-type")) == (200, "text/event-stream"), (reader.status, reader.headers))
    reader.block()
    start = int(reader.block()["id"])
    datagrams(router, 3)
    events = [reader.event() for _ in range(3)]
    h.check("numbered one by one", [int(event["id"]) for event in events] == [start + 1, start + 2, start + 3], events)
    data = json.loads(events[0]["data"])
    h.check("with a name and JSON", events[0]["event"] == "NEW" and data["event"] == "NEW" and data["original"]["sport"] == 20000 and data["protocol"] == "udp", data)
    reader.close()
    datagrams(router, 2, first=20010)
    again = Stream(h, last=events[1]["id"])
    ports = [json.loads(again.event()["data"])["original"]["sport"] for _ in range(3)]
    h.check("a stream is taken up behind the last event", ports == [20002, 20010, 20011], ports)
    h.check("by a parameter, too", json.loads(Stream(h, f"?last_event_id={start}").event()["data"])["original"]["sport"] == 20000)
    overrun(h, router, start)
    selected(h, router)
    refused(h)


def overrun(h, router, start):
    datagrams(router, 40, first=21000)  # the ring has room for 32
    late = Stream(h, last=start)
    gap = late.event()
    lost = json.loads(gap["data"])
    h.check("what is no longer kept is told of as lost", gap["event"] == "gap" and lost["reason"] == "overrun" and lost["from"] == start + 1 and lost["to"] == int(gap["id"]) and
            lost["lost"] == lost["to"] - start, gap)
    following = late.event()
    h.check("and what is kept follows", int(following["id"]) == lost["to"] + 1 and json.loads(following["data"])["event"] == "NEW", following)


def selected(h, router):
    only = Stream(h, "?proto=udp&dport=77&event-mask=NEW&format=text&src=10.0.1.0/24&family=ipv4")
    only.block(), only.block()
    datagrams(router, 1, 78, 22000)
    datagrams(router, 1, 77, 22001)
    line = only.event()["data"]
    h.check("filters select, and format=text is the tool's line",
            line == f"    [NEW] udp      17 {traffic.TIMEOUTS['udp_timeout']} src=10.0.1.7 dst=192.0.2.7 sport=22001 dport=77 [UNREPLIED] src=192.0.2.7 dst=10.0.1.7 sport=77 dport=22001", line)


def refused(h):
    for query, word in (("?last_event_id=x", "last_event_id"), ("?event-mask=OLD", "EXP_NEW"), ("?format=xml", "format"), ("?output=id", "format=text"), ("?colour=red", "unknown parameter"),
                        ("?src=10.0.0.300", "Invalid IP address")):
        code, text = h.request("GET", f"/events{query}")
        h.check(f"/events{query} is refused", code == 400 and word in text, (code, text))
    head = h.curl("-I", f"http://127.0.0.1:{h.port}/events").stdout
    h.check("HEAD", "200" in head and "text/event-stream" in head, head)
    h.check("PUT is not", h.put("/events", "")[0] == 405)
    h.check("nobody is left behind", until(lambda: json.loads(h.cli("status", "-j").stdout)["events"]["readers"] <= 4), h.status()["events"])


def interrupted(h):
    """conntrack -E goes on over a connection that broke, and says what it missed."""
    router = Product(h)
    follower = start_followers(router, h, {"": []})[""]
    datagrams(router, 1, first=23000)
    h.check("an event is shown", follower.wait_for(lambda f: f.lines), follower.lines)
    cut_connections(h, follower.process.pid)
    datagrams(router, 2, first=23001)
    h.check("those of a short break, too", follower.wait_for(lambda f: len(f.lines) == 3), follower.lines)
    h.check("and nothing is said to be lost", "ENOBUFS" not in follower.errors, follower.errors)
    follower.process.send_signal(signal.SIGSTOP)
    cut_connections(h, follower.process.pid)
    datagrams(router, 50, first=23010)
    follower.process.send_signal(signal.SIGCONT)
    h.check("of a longer one it says in the words of the tool", follower.wait_for(lambda f: "Please, check --buffer-size" in f.errors), follower.errors)
    h.check("Ctrl-C", follower.interrupt() == 0 and re.search(r"\d+ flow events have been shown.$", follower.errors.strip()), follower.errors)


def cut_connections(h, pid):
    """As if the connection broke: the socket of the command is shut down from outside."""
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = os.pidfd_open(pid)
    for entry in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{pid}/fd/{entry}").startswith("socket:"):
                copy = libc.syscall(438, pidfd, int(entry), 0)  # pidfd_getfd
                with socket.socket(fileno=copy) as sock:
                    sock.shutdown(socket.SHUT_RDWR)
    os.close(pidfd)


def packets(h):
    """-j NFLOG with somebody who listens."""
    router = Product(h)
    h.cli("iptables", "-A", "FORWARD", "-p", "udp", "--dport", "79", "-j", "NFLOG", "--nflog-group", "5", "--nflog-prefix", 'to "79"', "--nflog-size", "40")
    sock = socket.create_connection(("127.0.0.1", h.port), timeout=PATIENCE)
    h.stack.callback(sock.close)
    sock.sendall(b"GET /nflog/5 HTTP/1.0\r\nHost: localhost\r\n\r\n")
    text = ""
    while "\nid: " not in text:
        text += sock.recv(4096).decode()
    pcap = subprocess.Popen(["curl", "-sN", f"http://127.0.0.1:{h.port}/nflog/5?format=pcap"], stdout=subprocess.PIPE)
    h.stack.callback(pcap.kill)
    header = pcap.stdout.read(24)
    h.check("a capture begins with its header", struct.unpack("=IHHIIII", header)[::6] == (0xA1B2C3D4, 101), header)
    sent = p.udp("10.0.1.7", 24000, "192.0.2.7", 79, bytes(60))
    router.send("lan", sent)
    router.expect("wan")
    while "event: PACKET" not in text or not text.endswith("\n\n"):
        text += sock.recv(4096).decode()
    told = json.loads(text.split("data: ")[-1])
    h.check("a packet is told with its prefix, links and octets", (told["prefix"], told["in"], told["out"], told["length"], told["hook"], len(told["packet"])) ==
            ('to "79"', "lan", "wan", 88, "FORWARD", 80), told)
    _, _, kept, length = struct.unpack("=IIII", pcap.stdout.read(16))
    data = pcap.stdout.read(kept)
    h.check("and is in the capture as far as was asked", (kept, length) == (40, 88) and data[12:40] == sent[12:40], (kept, length, data))
    h.check("other groups hear nothing; what is no group is refused", h.request("GET", "/nflog/70000")[0] == 404)


def test(h):
    for family, name in enumerate(("rules.v4", "rules.v6")):
        h.write(name, traffic.rules(family))
    values = {"name": h.instance(), "port": h.port, "client": h.netns("client"), "server": h.netns("server"), "linger": 10,
              "timeouts": "\n".join(f'"net.netfilter.nf_conntrack_{key}" = {value}' for key, value in traffic.TIMEOUTS.items())}
    h.start(h.write("router.toml", CONFIG.format(events=16384, **values)))
    beside_a_kernel(h)
    h.stop()
    h.start(h.write("small.toml", CONFIG.format(events=32, **values)))
    stream(h)
    h.stop()
    h.start(h.write("small.toml", CONFIG.format(events=32, **values)))
    interrupted(h)
    packets(h)
    h.check("it stops while it is listened to", h.stop() == 0)


if __name__ == "__main__":
    sys.exit(harness.main(test, ("conntrack", "curl", "ip", "iptables-legacy-restore", "ip6tables-legacy-restore")))
