#!/usr/bin/env python3
"""Who may do what at the control port, asked by real users; and what the process keeps for itself once it runs.

    rights_test.py NSROUTER

The endpoints are those of the table in router/control/port.cpp: a new one needs a line in FOR_EVERYBODY. The files are those that the
router lists, and where this machine's kernel has the same file, its mode is what counts.
"""
import encodings.idna  # before a user asks who cannot read where Python is
import http.client
import json
import os
import pathlib
import re
import socket
import stat
import sys
import traceback
import urllib.parse

import harness

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONFIG = ROOT / "configs" / "minimal-nat.toml"
NOBODY = 65534
TOKEN = "0123456789abcdef"
OWNER_ONLY = {"/dev/kmsg"}  # the kernel's dmesg_restrict
FOR_EVERYBODY = {
    ("GET", "/"): True,
    ("GET", "/dashboard.css"): True,
    ("GET", "/dashboard.js"): True,
    ("GET", "/status"): True,
    ("GET", "/metrics"): True,
    ("GET", "/log"): False,
    ("PUT", "/log"): False,
    ("DELETE", "/log"): False,
    ("GET", "/sysctl"): True,
    ("GET", "/config"): False,
    ("GET", "/conntrack"): False,
    ("DELETE", "/conntrack"): False,
    ("POST", "/conntrack"): False,
    ("GET", "/expectations"): False,
    ("GET", "/routes"): True,
    ("GET", "/routing-rules"): True,
    ("GET", "/top"): False,
    ("GET", "/events"): False,
    ("GET", "/nflog/"): False,
    ("GET", "/rules"): False,
    ("GET", "/rules.json"): False,
    ("PUT", "/rules"): False,
    ("POST", "/rules"): False,
    ("DELETE", "/rules"): False,
    ("POST", "/iptables"): False,
    ("GET", "/sets"): False,
    ("GET", "/sets.json"): False,
    ("GET", "/sets/"): False,
    ("PUT", "/sets/"): False,
    ("DELETE", "/sets/"): False,
    ("POST", "/ipset"): False,
    ("POST", "/nfct"): False,
    ("GET", "/nat"): False,
    ("POST", "/nat"): False,
    ("POST", "/ip"): True,
    ("GET", "/module"): True,
    ("PUT", "/module"): False,
    ("GET", "/trace"): False,
    ("GET", "/trace.json"): False,
    ("GET", "/capture"): False,
    ("GET", "/why"): False,
    ("GET", "/why.json"): False,
    ("GET", "/explain"): False,
    ("GET", "/explain.json"): False,
    ("POST", "/explain"): False,
    ("POST", "/explain.json"): False,
    ("POST", "/reload"): False,
    ("POST", "/stop"): False,
}


# What follows packets until the client leaves.
ENDLESS = ("/trace", "/trace.json", "/capture")
PACKET = "udp 10.0.1.2:1 > 192.0.2.2:53 in lan"

# A set for each way in.
SETS = """
[sets.tcp]
type = "hash:ip"
[sets.unix]
type = "hash:ip"
"""


def test(h):
    text = h.adapt(CONFIG.read_text()) + SETS
    h.start(h.write("router.toml", text))
    confined(h)
    files = files_below(h, "/proc") + files_below(h, "/dev")
    h.check("there are files", len(files) > 60, len(files))
    for way in ("tcp", "unix"):
        endpoints(h, way)
        check_files(h, way, files)
    commands(h)
    hit_and_run(h)
    h.check("stop is for the owner", h.stop() == 0)
    with_token(h, text)
    in_namespace(h, text)


# --- asking as a user ---
class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(self.path)


def ask(h, way, requests, token=None):
    """The status and text of each (method, path, body), over one connection."""
    connection = UnixConnection(f"/run/nsrouter/{h.instance()}.sock") if way == "unix" else http.client.HTTPConnection("127.0.0.1", h.port, timeout=20)
    fields = {"Authorization": f"Bearer {token}"} if token else {}
    answers = []
    for method, path, body in requests:
        connection.request(method, path, body, fields)
        answer = connection.getresponse()
        streams = answer.status == 200 and method == "GET" and path in ENDLESS
        waits = answer.getheader("Content-Type") == "text/event-stream"
        answers.append((answer.status, "" if waits else answer.read(*[1] * streams).decode(errors="replace")))
    connection.close()
    return answers


def as_user(uid, action):
    """What `action` gives (JSON can hold it), done by a process of that user."""
    ends = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if uid:
                os.setgroups([])
                os.setgid(uid)
                os.setuid(uid)
            with os.fdopen(ends[1], "w") as out:
                json.dump(action(), out)
            code = 0
        except Exception:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    os.close(ends[1])
    with os.fdopen(ends[0]) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else None


def statuses(h, uid, way, requests, token=None):
    return [code for code, _ in as_user(uid, lambda: ask(h, way, requests, token))]


# --- what may be asked ---
def endpoint_table():
    table = re.search(r"kEndpoints\[\] = \{(.*?)\n\};", (ROOT / "router/control/port.cpp").read_text(), re.S)[1]
    return re.findall(r'\{"([A-Z]+)", "([^"]+)", (0\d+),', table)


def endpoints(h, way):
    table = [(method, path) for method, path, _ in endpoint_table()]
    h.check("every endpoint is expected, and every expectation an endpoint", set(table) == set(FOR_EVERYBODY), set(table) ^ set(FOR_EVERYBODY))
    bodies = {
        ("POST", "/ip"): "route\nshow",
        ("POST", "/conntrack"): "-C",
        ("POST", "/iptables"): "-n\n-L",
        ("PUT", "/sets/"): "203.0.113.1",
        ("POST", "/ipset"): "list",
        ("POST", "/nfct"): "list\ntimeout",
        ("POST", "/explain"): f"packet {PACKET}",
        ("POST", "/explain.json"): f"packet {PACKET}",
    }
    own_set = f"/sets/{way}"
    targets = {("PUT", "/module"): "/module?name=nf_conntrack&action=load", ("POST", "/nat"): "/nat?action=reboot", ("GET", "/nflog/"): "/nflog/5"} | {(method, "/sets/"): own_set for method in ("GET", "PUT", "DELETE")}
    targets |= {("GET", path): f"{path}?packet={urllib.parse.quote(PACKET)}" for path in ("/explain", "/explain.json")}
    for row in table:
        request = (row[0], targets.get(row, row[1]), bodies.get(row))
        answers = as_user(NOBODY, lambda: ask(h, way, [request]))
        expected = 200 if FOR_EVERYBODY[row] else 403
        h.check(f"{way}: {row[0]} {row[1]} is {expected} for nobody", answers[0][0] == expected, answers)
        if expected == 403:
            h.check("saying why and what would help", "EACCES" in answers[0][1] and f"you are uid {NOBODY}" in answers[0][1] and "as root" in answers[0][1], answers)
        if row[1] != "/stop":
            h.check(f"{way}: {row[0]} {row[1]} is done for root", statuses(h, 0, way, [request]) == [200], request)
        if row[0] == "GET":
            h.check(f"{way}: HEAD {row[1]} likewise", statuses(h, NOBODY, way, [("HEAD", request[1], None)]) == [expected])
            h.check(f"{way}: HEAD {row[1]} is done for root", statuses(h, 0, way, [("HEAD", request[1], None)]) == [200])
    h.check(f"{way}: ip changes nothing for nobody", statuses(h, NOBODY, way, [("POST", "/ip", "route\nadd\nblackhole\n203.0.113.0/24")]) == [403])


def files_below(h, folder):
    found = []
    for name in h.get(folder).split():
        path = f"{folder}/{name}"
        code, _ = h.request("PUT", path, "")
        found += files_below(h, path) if code == 405 else [path]
    return found


def mode_of(path):
    """The kernel's, if it has such a file; else what the router's files are for."""
    real = path.replace("/proc/self/net", "/proc/net")
    if real in OWNER_ONLY:
        return 0o400
    if os.path.exists(real):
        return stat.S_IMODE(os.stat(real).st_mode)
    if real in ("/proc/net/ip_conntrack", "/proc/net/nf_conntrack", "/proc/net/nf_conntrack_expect", "/proc/net/ip_tables_names", "/proc/net/ip6_tables_names", "/proc/nsrouter/drops", "/proc/nsrouter/nat_mappings", "/proc/nsrouter/nat_ports"):
        return 0o440
    return None


def check_files(h, way, files):
    """For nobody: GET by the last bits of the mode, HEAD alike, PUT never."""
    reads = statuses(h, NOBODY, way, [("GET", path, None) for path in files])
    heads = statuses(h, NOBODY, way, [("HEAD", path, None) for path in files])
    writes = statuses(h, NOBODY, way, [("PUT", path, "1") for path in files])
    owner_reads = statuses(h, 0, way, [("GET", path, None) for path in files])
    owner_writes = statuses(h, 0, way, [("PUT", path, "?") for path in files])
    wrong, writable, judged = [], 0, 0
    for path, read, header, write, owner_read, owner_write in zip(files, reads, heads, writes, owner_reads, owner_writes):
        mode = mode_of(path)
        writable += owner_write != 403
        judged += mode is not None
        expected = 403 if mode is not None and not mode & 0o004 else 200
        if read != expected or header != expected or write != 403 or owner_read != 200 or mode is not None and (owner_write == 403) != (not mode & 0o200):
            wrong.append((path, mode and oct(mode), read, header, write, owner_read, owner_write))
    h.check(f"{way}: every file by the kernel's mode ({judged} of {len(files)} are the kernel's, too)", not wrong and judged > 20, wrong[:5])
    h.check(f"{way}: and many are the owner's to write", writable > 30, writable)


def commands(h):
    """The commands of another user do what the files would let that user do."""
    def run(*words):
        return as_user(NOBODY, lambda: (lambda done: [done.returncode, done.stderr])(h.cli(*words)))

    for words in (("status",), ("sysctl", "net.ipv4.ip_forward"), ("ip", "route"), ("module", "list")):
        h.check(f"nobody may: {' '.join(words)}", run(*words)[0] == 0, run(*words))
    for words in (("conntrack", "-L"), ("rules", "save"), ("dmesg",), ("reload",), ("stop",), ("sysctl", "-w", "net.ipv4.ip_forward=0"), ("ip", "link", "set", "lan", "down")):
        answer = run(*words)
        h.check(f"nobody may not: {' '.join(words)}", answer[0] != 0 and "ermission denied" in answer[1], answer)
    h.check("and nothing happened", h.get("/proc/sys/net/ipv4/ip_forward") == "1\n")


def hit_and_run(h):
    """A client that is gone before it is asked who it was is nobody, though the kernel says 0 of such a socket."""
    def attack():
        for _ in range(200):
            with socket.create_connection(("127.0.0.1", h.port)) as sock:
                sock.sendall(b"PUT /proc/sys/net/ipv4/ip_default_ttl HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n77")
        return True

    as_user(NOBODY, attack)
    h.check("a client that runs away is not root", h.get("/proc/sys/net/ipv4/ip_default_ttl") == "64\n")


def with_token(h, text):
    h.start(h.write("router.toml", text.replace("[control]", f'[control]\ntoken = "{TOKEN}"')))
    secret, change = ("GET", "/proc/net/nf_conntrack", None), ("PUT", "/proc/sys/net/ipv4/ip_default_ttl", "64")
    for way in ("tcp", "unix"):
        h.check(f"{way}: the token makes an owner of nobody", statuses(h, NOBODY, way, [secret, change], TOKEN) == [200, 200])
        h.check(f"{way}: a wrong one is refused", [statuses(h, uid, way, [secret], TOKEN + "x") for uid in (NOBODY, 0)] == [[401], [401]])
        h.check(f"{way}: without it nobody has what everybody has", statuses(h, NOBODY, way, [("GET", "/status", None), secret, change]) == [200, 403, 403])
        h.check(f"{way}: and root needs none", statuses(h, 0, way, [secret, change]) == [200, 200])
    h.stop()


def in_namespace(h, text):
    """A listener in a namespace knows the users who are there; who comes by an address that is not loopback needs the token."""
    inside = text.replace("[control]", f'[control]\nnetns = "{h.netns("inside")}"\ntoken = "{TOKEN}"').replace(f"127.0.0.1:{h.port}", f"0.0.0.0:{h.port}")
    h.start(h.write("router.toml", inside))

    def codes(uid, address, token=None):
        def one():
            connection = http.client.HTTPConnection(address, h.port, timeout=20)
            fields = {"Host": "localhost", **({"Authorization": f"Bearer {token}"} if token else {})}
            connection.request("GET", "/proc/net/nf_conntrack", None, fields)
            return connection.getresponse().status

        return h.inside("inside", lambda: as_user(uid, one))

    h.check("in a namespace, by loopback: root may, nobody may not", [codes(uid, "127.0.0.1") for uid in (0, NOBODY)] == [200, 403])
    h.check("by another address even root needs the token", [codes(0, "10.0.1.2"), codes(0, "10.0.1.2", TOKEN), codes(NOBODY, "10.0.1.2", TOKEN)] == [401, 200, 200])
    h.stop()


# --- what the process keeps ---
def confined(h):
    threads = sorted(pathlib.Path(f"/proc/{h.router.pid}/task").iterdir())
    h.check("there are two threads, the loop and its worker", len(threads) == 2, threads)
    for thread in threads:
        confined_thread(h, thread)


def confined_thread(h, thread):
    facts = dict(line.split(":\t", 1) for line in (thread / "status").read_text().splitlines() if ":\t" in line)
    kept = 1 << 12 | 1 << 21 | 1 << 2  # NET_ADMIN, SYS_ADMIN, DAC_READ_SEARCH
    sets = {name: int(facts[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
    h.check("three capabilities are left, and none to be had", sets == {"CapInh": 0, "CapPrm": kept, "CapEff": kept, "CapBnd": 0, "CapAmb": 0}, sets)
    h.check("no new privileges", facts["NoNewPrivs"].strip() == "1", facts["NoNewPrivs"])
    h.check("a seccomp filter", facts["Seccomp"].strip() == "2", facts["Seccomp"])


if __name__ == "__main__":
    sys.exit(harness.main(test))
