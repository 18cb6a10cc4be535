#!/usr/bin/env python3
"""The article behind nsrouter, from top to bottom: its commands and files against a running router, with real sockets.

    article_test.py NSROUTER

Needs root: makes namespaces nsra*, and removes them. docs/article-errata.md says where the article is wrong.
"""
import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

NAME = f"nsra{os.getpid()}"
CLIENT, SERVER, HOST = f"{NAME}-client", f"{NAME}-server", f"{NAME}-host"

CONFIG = f"""
[router]
name = "{NAME}"
[control]
listen = "127.0.0.1:{{port}}"
unix = "{{folder}}/control.sock"
[[interface]]
name = "lan"
device = "tun0"
netns = "{CLIENT}"
address = ["101.81.225.1/24"]
host.address = ["101.81.225.225/24"]
host.routes = ["default"]
[[interface]]
name = "wan"
device = "tun0"
netns = "{SERVER}"
address = ["112.74.99.1/24"]
host.address = ["112.74.99.130/24"]
host.routes = ["default"]
[host]
netns = "{HOST}"
[rules]
ipv4 = "rules.v4"
"""

# A web server that may answer, but whose port may not be used to open connections outwards.
RULES = """*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -m state --state NEW
-A FORWARD -m state --state ESTABLISHED
-A FORWARD -m state --state RELATED
-A FORWARD -m state --state INVALID
-A OUTPUT -p tcp -m tcp --sport 80 -m state --state ESTABLISHED -j ACCEPT
-A OUTPUT -p tcp -m tcp --sport 80 -j DROP
COMMIT
"""

# Every line of the article's `sysctl -a | grep conntrack`, in its order; the count is whatever it is.
SYSCTLS = """net.netfilter.nf_conntrack_acct = 0
net.netfilter.nf_conntrack_buckets = 16384
net.netfilter.nf_conntrack_checksum = 1
net.netfilter.nf_conntrack_count =
net.netfilter.nf_conntrack_events = 1
net.netfilter.nf_conntrack_events_retry_timeout = 15
net.netfilter.nf_conntrack_expect_max = 256
net.netfilter.nf_conntrack_generic_timeout = 600
net.netfilter.nf_conntrack_helper = 1
net.netfilter.nf_conntrack_icmp_timeout = 30
net.netfilter.nf_conntrack_log_invalid = 0
net.netfilter.nf_conntrack_max = 65536
net.netfilter.nf_conntrack_tcp_be_liberal = 0
net.netfilter.nf_conntrack_tcp_loose = 1
net.netfilter.nf_conntrack_tcp_max_retrans = 3
net.netfilter.nf_conntrack_tcp_timeout_close = 10
net.netfilter.nf_conntrack_tcp_timeout_close_wait = 60
net.netfilter.nf_conntrack_tcp_timeout_established = 432000
net.netfilter.nf_conntrack_tcp_timeout_fin_wait = 120
net.netfilter.nf_conntrack_tcp_timeout_last_ack = 30
net.netfilter.nf_conntrack_tcp_timeout_max_retrans = 300
net.netfilter.nf_conntrack_tcp_timeout_syn_recv = 60
net.netfilter.nf_conntrack_tcp_timeout_syn_sent = 120
net.netfilter.nf_conntrack_tcp_timeout_time_wait = 120
net.netfilter.nf_conntrack_tcp_timeout_unacknowledged = 300
net.netfilter.nf_conntrack_timestamp = 0
net.netfilter.nf_conntrack_udp_timeout = 30
net.netfilter.nf_conntrack_udp_timeout_stream = 180
net.nf_conntrack_max = 65536""".splitlines()

ESTABLISHED = (r"ipv4     2 tcp      6 4(31[89]\d\d|32000) ESTABLISHED src=101.81.225.225 dst=112.74.99.130 sport=33952 dport=80 "
               r"src=112.74.99.130 dst=101.81.225.225 sport=80 dport=33952 \[ASSURED\] mark=0 secmark=0 use=2")
SYN_SENT = (r"ipv4     2 tcp      6 1[12]\d SYN_SENT src=101.81.225.225 dst=112.74.99.131 sport=33952 dport=80 \[UNREPLIED\] "
            r"src=112.74.99.131 dst=101.81.225.225 sport=80 dport=33952 mark=0 secmark=0 use=2")


class Article:
    def __init__(self, program):
        self.program, self.passed, self.failed = program, 0, 0

    # --- what the reader of the article types ---
    def get(self, path):
        return subprocess.run(["curl", "-s", f"http://127.0.0.1:{self.port}{path}"], capture_output=True, text=True, check=True).stdout

    def put(self, path, text):
        """echo text > path; returns (HTTP status, answer)"""
        command = ["curl", "-s", "-X", "PUT", "--data-binary", text, "-w", "\n%{http_code}", f"http://127.0.0.1:{self.port}{path}"]
        body, _, code = subprocess.run(command, capture_output=True, text=True, check=True).stdout.rpartition("\n")
        return int(code), body

    def code(self, path):
        command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://127.0.0.1:{self.port}{path}"]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    def cli(self, *arguments):
        return subprocess.run([self.program, "--control", f"{self.folder}/control.sock", *arguments], capture_output=True, text=True)

    def check(self, what, condition, seen=""):
        self.passed, self.failed = self.passed + bool(condition), self.failed + (not condition)
        print(f"{'ok  ' if condition else 'FAIL'} article: {what}" + ("" if condition else f"\n     saw: {seen!r}"), flush=True)

    # --- the router and its hosts ---
    @contextlib.contextmanager
    def running(self):
        with tempfile.TemporaryDirectory(prefix=NAME) as self.folder:
            with socket.create_server(("127.0.0.1", 0)) as probe:
                self.port = probe.getsockname()[1]
            folder = pathlib.Path(self.folder)
            (folder / "router.toml").write_text(CONFIG.format(port=self.port, folder=self.folder))
            (folder / "rules.v4").write_text(RULES)
            router = subprocess.Popen([self.program, "run", str(folder / "router.toml")], stderr=subprocess.PIPE, text=True)
            try:
                ready = self.cli("status", "--wait", "15")
                if ready.returncode:
                    router.terminate()
                    sys.exit(f"the router did not start: {ready.stderr}{router.stderr.read()}")
                yield
            finally:
                router.terminate()
                router.wait(10)

    def connection(self, destination="112.74.99.130", port=33952, timeout=5):
        """A TCP socket of the client, from the article's port."""
        return in_netns(CLIENT, lambda: connect(("101.81.225.225", port), (destination, 80), timeout))

    def table(self):
        return self.get("/proc/net/nf_conntrack").splitlines()

    def until(self, condition, seconds=5):
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            select_pause()
        return condition()

    # --- the article ---
    def run(self):
        with self.running():
            self.sizes_and_defaults()
            self.entries()
            self.states()
            self.web_server_may_only_answer()
            self.raising_the_maximum()
            self.table_full()
            self.live_count()
            self.module()
        gone = [n for n in (CLIENT, SERVER, HOST) if os.path.exists(f"/run/netns/{n}")]
        self.check("nothing is left behind", not gone, gone)
        print(f"{self.passed} passed, {self.failed} failed")
        return self.failed

    def sizes_and_defaults(self):
        maximum = self.get("/proc/sys/net/netfilter/nf_conntrack_max")
        self.check("cat /proc/sys/net/netfilter/nf_conntrack_max is 65536", maximum == "65536\n", maximum)
        count = self.get("/proc/sys/net/netfilter/nf_conntrack_count")
        self.check("cat /proc/sys/net/netfilter/nf_conntrack_count is a number", re.fullmatch(r"\d+\n", count), count)
        established = self.get("/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established")
        self.check("established connections are kept five days: 432000", established == "432000\n", established)
        listing = self.cli("sysctl", "-a").stdout.splitlines()
        conntrack = [line for line in listing if "conntrack" in line]
        at = 0
        for wanted in SYSCTLS:
            found = next((i for i in range(at, len(conntrack)) if conntrack[i].startswith(wanted)), None)
            exact = found is not None and (conntrack[found] == wanted or wanted.endswith("="))
            self.check(f"sysctl -a | grep conntrack: {wanted}", exact, conntrack[at : at + 3])
            at = at if found is None else found + 1
        log = self.get("/dev/kmsg")
        banner = re.search(r"^\[ *\d+\.\d{6}\] nf_conntrack version 0\.5\.0 \(16384 buckets, 65536 max\)$", log, re.M)
        self.check("dmesg: nf_conntrack version 0.5.0 (16384 buckets, 65536 max)", banner, log)

    def entries(self):
        with serving(SERVER, "112.74.99.130", 80):
            with self.connection():
                # While the server's "hello" is not acknowledged yet, the entry counts down from tcp_timeout_unacknowledged.
                seen = self.until(lambda: any(re.fullmatch(ESTABLISHED, line) for line in self.table()))
                lines = self.table()
                self.check("the ESTABLISHED line", seen, lines)
                self.check("a connection answered in both directions is not [UNREPLIED]", "UNREPLIED" not in "".join(lines), lines)
                old = self.get("/proc/net/ip_conntrack").splitlines()
                self.check("/proc/net/ip_conntrack, as CentOS 5 had it", any(line.startswith("tcp      6 43") for line in old), old)
                wait_for_second(lambda: self.remaining(" ESTABLISHED "))
                self.check("the remaining time is consumed", self.remaining(" ESTABLISHED ") < 432000, self.table())
        attempt = in_netns(CLIENT, lambda: start_connecting(("101.81.225.225", 33952), ("112.74.99.131", 80)))
        with attempt:
            lines = self.table()
            self.check("the SYN_SENT line", any(re.fullmatch(SYN_SENT, line) for line in lines), lines)
            first = self.remaining(" SYN_SENT ")
            wait_for_second(lambda: self.remaining(" SYN_SENT "))
            self.check("89 seconds left is a moment of 120 counting down", self.remaining(" SYN_SENT ") <= first, first)
        self.cli("conntrack", "-F")

    def remaining(self, state):
        return next(int(line.split()[4]) for line in self.table() if state in line)

    def states(self):
        with serving(SERVER, "112.74.99.130", 80), self.connection():
            pass
        in_netns(CLIENT, lambda: send_udp(("101.81.225.225", 4000), ("112.74.99.130", 9)))  # a closed port: an ICMP error comes back
        in_netns(SERVER, lambda: send_raw_synack("112.74.99.130", "101.81.225.225"))
        for state in ("NEW", "ESTABLISHED", "RELATED", "INVALID"):
            counted = self.until(lambda: int(re.search(rf"\[(\d+):\d+\] -A FORWARD -m state --state {state}", self.rules())[1]) > 0)
            self.check(f"a packet was {state}", counted, self.rules())

    def rules(self):
        return self.cli("rules", "save", "-c").stdout

    def web_server_may_only_answer(self):
        address = "112.74.99.1"
        with serving(HOST, address, 80):
            with in_netns(CLIENT, lambda: connect(("101.81.225.225", 0), (address, 80), 5)) as visitor:
                self.check("the server on port 80 answers", visitor.recv(100) == b"hello\n")
        with serving(SERVER, "112.74.99.130", 4444):
            try:
                in_netns(HOST, lambda: connect((address, 80), ("112.74.99.130", 4444), 1.5)).close()
                outcome = "connected"
            except OSError as error:
                outcome = type(error).__name__
            self.check("a trojan on port 80 cannot open a connection outwards", outcome in ("TimeoutError", "timeout"), outcome)
            with in_netns(HOST, lambda: connect((address, 0), ("112.74.99.130", 4444), 5)) as other:
                self.check("another port of the same machine can", other.recv(100) == b"hello\n")
        self.cli("conntrack", "-F")

    def raising_the_maximum(self):
        file = pathlib.Path(self.folder) / "sysctl.conf"
        file.write_text("# raised\nnet.nf_conntrack_max = 100000\n")
        said = self.cli("sysctl", "-p", str(file))
        self.check("sysctl -p echoes net.nf_conntrack_max = 100000", said.stdout == "net.nf_conntrack_max = 100000\n", said)
        value = self.get("/proc/sys/net/netfilter/nf_conntrack_max")
        self.check("and it is 100000", value == "100000\n", value)
        self.put("/proc/sys/net/netfilter/nf_conntrack_max", "65536\n")
        code, _ = self.put("/proc/sys/net/netfilter/nf_conntrack_max", "100000\n")
        value = self.get("/proc/sys/net/nf_conntrack_max")
        self.check('echo "100000" > /proc/sys/net/netfilter/nf_conntrack_max', code in (200, 204) and value == "100000\n", (code, value))
        code, answer = self.put("/proc/sys/net/netfilter/nf_conntrack_max", "2000000000\n")
        self.check("an unaffordable maximum is refused with the numbers", code in (400, 507) and re.search(r"\d+ bytes", answer), (code, answer))
        value = self.get("/proc/sys/net/nf_conntrack_max")
        self.check("and changes nothing", value == "100000\n", value)
        status = self.get("/status")
        self.check("/status shows what an entry costs", re.search(r"bytes_per_entry", status), status)

    def table_full(self):
        self.cli("conntrack", "-F")
        self.put("/proc/sys/net/netfilter/nf_conntrack_max", "3")
        with serving(SERVER, "112.74.99.130", 80), contextlib.ExitStack() as open_connections:
            open_connections.enter_context(self.connection())
            for port in range(5000, 5010):
                in_netns(CLIENT, lambda: send_udp(("101.81.225.225", port), ("112.74.99.131", 9)))
            lines = self.table()
            self.check("ASSURED entries survive a full table", any("ASSURED" in line and "33952" in line for line in lines), lines)
            self.check("entries that are not ASSURED are evicted", len(lines) <= 3 and any("sport=5009" in line for line in lines), lines)
            self.cli("conntrack", "-D", "-p", "udp")
            self.put("/proc/sys/net/netfilter/nf_conntrack_max", "1")
            in_netns(CLIENT, lambda: send_udp(("101.81.225.225", 6000), ("112.74.99.131", 9)))
            in_netns(CLIENT, lambda: send_udp(("101.81.225.225", 6001), ("112.74.99.131", 9)))
            full = self.until(lambda: "nf_conntrack: table full, dropping packet" in self.get("/dev/kmsg"))
            self.check("nf_conntrack: table full, dropping packet", full, self.get("/dev/kmsg"))
            shown = self.cli("dmesg").stdout
            self.check("dmesg shows it, too", "nf_conntrack: table full, dropping packet" in shown, shown)
        self.put("/proc/sys/net/netfilter/nf_conntrack_max", "65536")
        self.cli("conntrack", "-F")

    def live_count(self):
        with serving(SERVER, "112.74.99.130", 80), self.connection():
            shown = self.cli("sysctl", "net.netfilter.nf_conntrack_count").stdout
            self.check("sysctl net.netfilter.nf_conntrack_count follows", shown == "net.netfilter.nf_conntrack_count = 1\n", shown)
            listed = self.cli("conntrack", "-L")
            self.check("conntrack -L", listed.stdout.startswith("tcp      6 ") and "1 flow entries have been shown" in listed.stderr, listed)
        log = self.get("/dev/kmsg")
        self.check("dmesg: Netfilter messages via NETLINK v0.30.", "Netfilter messages via NETLINK v0.30." in log, log)
        self.check("dmesg: ctnetlink v0.93: registering with nfnetlink.", "ctnetlink v0.93: registering with nfnetlink." in log, log)

    def module(self):
        refused = self.cli("module", "unload", "nf_conntrack")
        self.check("modprobe -r is refused while rules need it, naming them", refused.returncode == 1 and "rules.v4:" in refused.stderr, refused)
        self.check("service iptables stop: rules flush", self.cli("rules", "flush").returncode == 0)
        done = self.cli("module", "unload", "nf_conntrack")
        self.check("then modprobe -r nf_conntrack works", done.returncode == 0, done)
        self.check("its files are gone", self.code("/proc/net/nf_conntrack") == 404 and self.code("/proc/sys/net/netfilter/nf_conntrack_max") == 404)
        with serving(SERVER, "112.74.99.130", 80), self.connection():
            self.check("packets pass without it", True)
        self.cli("reload")
        self.check("rules that need it bring it back", self.code("/proc/net/nf_conntrack") == 200)


# --- sockets in namespaces ---
def in_netns(name, action):
    """Run `action` with this process in the namespace; sockets made there stay there."""
    here = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        setns(there)
        return action()
    finally:
        setns(here)
        os.close(here)
        os.close(there)


def setns(descriptor):
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns")


def connect(source, destination, timeout):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # the port is free again at once
    sock.settimeout(timeout)
    sock.bind(source)
    sock.connect(destination)
    return sock


def start_connecting(source, destination):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setblocking(False)
    sock.bind(source)
    with contextlib.suppress(BlockingIOError):
        sock.connect(destination)
    return sock


def send_udp(source, destination):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(source)
        sock.sendto(b"x", destination)


def send_raw_synack(source, destination):
    """A SYN/ACK that answers nothing."""
    import struct
    header = struct.pack("!HHIIBBHHH", 80, 7777, 1, 1, 0x50, 0x12, 1000, 0, 0)
    pseudo = socket.inet_aton(source) + socket.inet_aton(destination) + struct.pack("!BBH", 0, 6, len(header))
    total = sum(struct.unpack("!16H", pseudo + header))
    total = (total & 0xFFFF) + (total >> 16)
    header = header[:16] + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + header[18:]
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP) as sock:
        sock.bind((source, 0))
        sock.sendto(header, (destination, 0))


@contextlib.contextmanager
def serving(netns, address, port):
    """A TCP server that says hello; a process of its own in the namespace."""
    code = ("import socket,sys\n"
            "s=socket.socket(); s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); s.bind((sys.argv[1],int(sys.argv[2]))); s.listen(64)\n"
            "print('ready',flush=True)\nkept=[]\n"
            "while True:\n  c,_=s.accept(); c.sendall(b'hello\\n'); kept.append(c)\n")
    server = subprocess.Popen(["ip", "netns", "exec", netns, sys.executable, "-c", code, address, str(port)], stdout=subprocess.PIPE, text=True)
    try:
        server.stdout.readline()
        yield server
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def wait_for_second(read):
    """Until a countdown moved (at most three seconds)."""
    first, end = read(), time.monotonic() + 3
    while read() == first and time.monotonic() < end:
        select_pause()


def select_pause():
    import select
    select.select([], [], [], 0.05)


def main():
    if os.geteuid() != 0:
        print("article_test: needs root for network namespaces", file=sys.stderr)
        return 77
    for tool in ("curl", "ip"):
        if not shutil.which(tool):
            print(f"article_test: needs {tool}", file=sys.stderr)
            return 77
    return 1 if Article(os.path.abspath(sys.argv[1])).run() else 0


if __name__ == "__main__":
    sys.exit(main())
