#!/usr/bin/env python3
"""How long packets wait while an administrator works on the router that forwards them.

A probe of 1,000 datagrams a second crosses the router and comes back, beside iperf3 and 1,000 open TCP connections, while
rules in the shape of kube-proxy's (seven for each service) are read again and again, single rules change, and everything
is listed. Prints what was lost, the longest gap between two answers, and the delays. Needs root; makes namespaces
nsrg*, and removes them.

    live.py NSROUTER PROBE [--services 5000] [--seconds 10] [--without-load] [--only NAME ...]
"""
import argparse
import contextlib
import ctypes
import json
import os
import pathlib
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time

NAME = f"nsrg{os.getpid()}"
SERVER = "10.78.2.2"
CONNECTIONS = 1000
PORT_ECHO, PORT_PROBE, PORT_IPERF = 7000, 7001, 5201
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000

CONFIG = f"""
[router]
name = "{NAME}"
[control]
listen = ""
[[interface]]
name = "lan"
device = "tun0"
netns = "{NAME}-c"
address = ["10.78.1.1/24"]
host.address = ["10.78.1.2/24"]
host.routes = ["default"]
[[interface]]
name = "wan"
device = "tun0"
netns = "{NAME}-s"
address = ["10.78.2.1/24"]
host.address = ["{SERVER}/24"]
[rules]
ipv4 = "rules.v4"
"""


def rules(services):
    """As kube-proxy writes them for services of two endpoints each, and a filter that knows states."""
    chains = [":KUBE-SERVICES - [0:0]", ":KUBE-MARK-MASQ - [0:0]"]
    lines = ["-A PREROUTING -j KUBE-SERVICES", "-A POSTROUTING -o wan -j MASQUERADE", "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000"]
    for number in range(services):
        service, first, second = (f"KUBE-{kind}-{number:X}" for kind in ("SVC", "SEPA", "SEPB"))
        address = f"10.96.{number >> 8}.{number & 255}"
        chains += [f":{chain} - [0:0]" for chain in (service, first, second)]
        lines += [
            f'-A KUBE-SERVICES -d {address}/32 -p tcp -m comment --comment "ns/svc{number} cluster IP" -m tcp --dport 80 -j {service}',
            f"-A {service} ! -s 10.0.0.0/16 -d {address}/32 -p tcp -m tcp --dport 80 -j KUBE-MARK-MASQ",
            f"-A {service} -m statistic --mode random --probability 0.50000000000 -j {first}",
            f"-A {service} -j {second}",
            f"-A {first} -s 10.0.0.5/32 -j KUBE-MARK-MASQ",
            f"-A {first} -p tcp -m tcp -j DNAT --to-destination 10.0.0.5:8080",
            f"-A {second} -p tcp -m tcp -j DNAT --to-destination 10.0.0.6:8080",
        ]
    filters = ["*filter", ":FORWARD DROP [0:0]", "-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT", "-A FORWARD -i lan -m conntrack --ctstate NEW -j ACCEPT", "COMMIT"]
    return "\n".join(["*nat", *chains, *lines, "COMMIT", *filters]) + "\n"


def inside(netns, *command):
    return ["ip", "netns", "exec", f"{NAME}-{netns}", *command]


def enter(netns):
    descriptor = os.open(f"/run/netns/{NAME}-{netns}", os.O_RDONLY)
    if LIBC.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
    os.close(descriptor)


class Connections:
    """Open TCP connections through the router, each of which still answers in the end."""

    def __init__(self):
        here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        enter("s")
        server = socket.create_server((SERVER, PORT_ECHO), backlog=CONNECTIONS)
        enter("c")
        self.pairs = []
        for _ in range(CONNECTIONS):
            client = socket.create_connection((SERVER, PORT_ECHO), timeout=10)
            self.pairs.append((client, server.accept()[0]))
        LIBC.setns(here, CLONE_NEWNET)
        os.close(here)
        server.close()

    def broken(self):
        count = 0
        for client, server in self.pairs:
            try:
                server.settimeout(10)
                client.sendall(b"ping")
                server.sendall(server.recv(4))
                count += client.recv(4) != b"ping"
            except OSError:
                count += 1
        return count

    def close(self):
        for pair in self.pairs:
            for end in pair:
                end.close()


class Router:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def cli(self, *arguments, **options):
        answer = subprocess.run([self.program, "--control", NAME, *arguments], capture_output=True, text=True, **options)
        if answer.returncode:
            sys.exit(f"{' '.join(arguments)}: {answer.stderr}")
        return answer.stdout

    @contextlib.contextmanager
    def running(self):
        process = subprocess.Popen([self.program, "run", str(self.folder / "router.toml")], stderr=subprocess.DEVNULL)
        try:
            self.cli("status", "--wait", "60")
            yield self
        finally:
            process.terminate()
            process.wait(60)


def probed(program, seconds):
    """What a probe of 1,000 datagrams a second saw."""
    run = inside("c", program, "run", SERVER, str(PORT_PROBE), str(seconds), "1000")
    return json.loads(subprocess.run(run, capture_output=True, text=True, check=True).stdout)


@contextlib.contextmanager
def routing(options, config, files=None):
    """The router with this configuration and the files beside it, its process, and a probe's echo behind it."""
    with tempfile.TemporaryDirectory(prefix=NAME) as name:
        folder = pathlib.Path(name)
        for file, text in {"router.toml": config, **(files or {})}.items():
            (folder / file).write_text(text)
        echo = [options.probe, "echo", str(PORT_PROBE)]
        with Router(options.nsrouter, folder).running() as router, subprocess.Popen(inside("s", *echo), stdout=subprocess.PIPE, text=True) as answering:
            answering.stdout.readline()
            try:
                yield router, int(pathlib.Path(f"/run/nsrouter/{NAME}.pid").read_text())
            finally:
                answering.kill()


# --- what an administrator does; each is done over and over while the probe runs ---
def nothing(_router, _turn):
    time.sleep(0.1)


def reload(router, _turn):
    router.cli("reload")


def one_rule(router, turn):
    where = ("FORWARD", "1") if turn % 2 == 0 else ("FORWARD",)
    rule = ("-s", f"198.51.100.{turn // 2 % 250 + 1}", "-j", "DROP")
    router.cli("iptables", "-I" if turn % 2 == 0 else "-D", *where, *rule)


def listings(router, turn):
    commands = (("rules", "save"), ("rules", "list"), ("conntrack", "-L"), ("status",), ("sysctl", "-a"))
    router.cli(*commands[turn % len(commands)])


SCENARIOS = {"nothing": nothing, "reload": reload, "single rules": one_rule, "listings": listings}


@contextlib.contextmanager
def repeated(action, router, most=None, after=0):
    """Does it over and over, `most` times if it is to end, and says how long each took."""
    stop, turns = threading.Event(), []

    def work():
        time.sleep(after)
        while not stop.is_set() and len(turns) != most:
            before = time.monotonic()
            action(router, len(turns))
            turns.append(time.monotonic() - before)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield turns
    finally:
        stop.set()
        thread.join()


@contextlib.contextmanager
def iperf(seconds, wanted):
    if not wanted:
        yield
        return
    server = subprocess.Popen(inside("s", "iperf3", "-s", "-1", "--forceflush"), stdout=subprocess.PIPE, text=True)
    for line in server.stdout:
        if "listening" in line:
            break
    client = subprocess.Popen(inside("c", "iperf3", "-c", SERVER, "-t", str(seconds + 1), "-J"), stdout=subprocess.PIPE, text=True)
    yield
    client.communicate()
    server.stdout.close()
    server.wait(10)


def measure(name, router, probe, seconds, load):
    with iperf(seconds, load), repeated(SCENARIOS[name], router) as turns:
        seen = probed(probe, seconds)
    each = 1000 * sum(turns) / max(1, len(turns))
    print(f"{name:13} {len(turns):6} {each:8.1f}   {seen['sent']:6} {seen['lost']:5} {seen['gap_ms']:9.2f}   {seen['p50']:6.0f} {seen['p99']:7.0f} {seen['p999']:7.0f} {seen['max']:8.0f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nsrouter")
    parser.add_argument("probe")
    parser.add_argument("--services", type=int, default=5000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--without-load", action="store_true")
    parser.add_argument("--only", nargs="*", choices=SCENARIOS, default=list(SCENARIOS))
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))
    with tempfile.TemporaryDirectory(prefix=NAME) as name, contextlib.ExitStack() as stack:
        folder = pathlib.Path(name)
        (folder / "router.toml").write_text(CONFIG)
        text = rules(options.services)
        (folder / "rules.v4").write_text(text)
        router = stack.enter_context(Router(options.nsrouter, folder).running())
        echo = stack.enter_context(subprocess.Popen(inside("s", options.probe, "echo", str(PORT_PROBE)), stdout=subprocess.PIPE, text=True))
        stack.callback(echo.kill)
        echo.stdout.readline()
        connections = Connections()
        stack.callback(connections.close)
        print(f"{text.count(chr(10) + '-A')} rules, {CONNECTIONS} connections, {'no other load' if options.without_load else 'iperf3'}; delays there and back in us")
        print("what          times  ms each     sent  lost    gap ms      p50     p99   p99.9      max")
        for scenario in options.only:
            measure(scenario, router, options.probe, options.seconds, not options.without_load)
        print(f"connections that no longer answer: {connections.broken()}")


if __name__ == "__main__":
    main()
