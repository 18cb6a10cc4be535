#!/usr/bin/env python3
"""How long packets wait while large things are done to a router of many connections: histograms of gaps.

A probe of 1,000 datagrams a second crosses the router and comes back, while its table is listed, saved, loaded, resized, swept, expires at once or is
flushed, rules are read again, and it is asked to explain a packet. For each operation two histograms: by how much longer it was between two answers than
between the questions (what the machine does is in it, so `nothing` is what to compare it with), and the turns of the event loop by processor time, as
/status has them: timers and control. Turns of packets are known by the clock alone; those over 1 ms are counted.

Prints a table for docs/performance.md and draws docs/forwarding-gaps.svg. Needs root; makes namespaces nsrg*, and removes them.

    gaps.py NSROUTER PROBE [--connections 500000] [--services 1000] [--seconds 10] [--rounds 3] [--svg FILE] [--only NAME ...]

What ends by itself is done once in each of the rounds, on a table that is full again; everything else again and again for as long as the probe runs.
"""
import argparse
import contextlib
import dataclasses
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import typing

import crowd
import events
import gaps_show
import live

# Where connections come and go beside the others.
CHURN_NET = "10.78.3"
CONFIG = crowd.CONFIG.replace('"10.78.2.1/24"', f'"10.78.2.1/24", "{CHURN_NET}.1/24"') + '[rules]\nipv4 = "rules.v4"\n'
UDP_TIMEOUT, LONG = "net.netfilter.nf_conntrack_udp_timeout", 36000
BUCKETS = "net.netfilter.nf_conntrack_buckets"
EXPIRES_IN = 4
LOADED = 5000


class Scene:
    def __init__(self, router, options, folder):
        self.router, self.options, self.folder = router, options, folder

    def refill(self):
        crowd.fill(self.router, self.options)

    def set(self, name, value):
        self.router.cli("sysctl", "-w", f"{name}={value}")

    def count(self):
        return int(self.router.cli("sysctl", "-n", crowd.COUNT))

    def loop(self):
        return json.loads(self.router.cli("status", "-j"))["loop"]

    def conntrack(self, *words, into=subprocess.DEVNULL):
        command = [self.router.program, "--control", live.NAME, "conntrack", *words]
        subprocess.run(command, stdout=into, stderr=subprocess.DEVNULL, check=True)


@dataclasses.dataclass
class Operation:
    name: str
    act: typing.Callable[[Scene, int], typing.Any]
    prepare: typing.Callable[[Scene], typing.Any] = Scene.refill
    beside: typing.Callable[[Scene], typing.ContextManager] = lambda scene: contextlib.nullcontext()
    once: bool = False
    least_seconds: int = 0


# --- what is done --------------------------------------------------------------------------------
def save(scene, _turn):
    with open(scene.folder / "saved", "w") as file:
        scene.conntrack("-L", "-o", "save", into=file)


def prepare_load(scene):
    scene.refill()
    save(scene, 0)
    with open(scene.folder / "saved") as all_lines, open(scene.folder / "loaded", "w") as some:
        some.writelines(line for line, _ in zip(all_lines, range(LOADED)))


def resize(scene, turn):
    scene.set(BUCKETS, (4194304, 131072)[turn % 2])
    time.sleep(1)  # the changes that move the index along


def prepare_sweep(scene):
    scene.refill()
    scene.router.cli("ip", "addr", "add", "10.78.4.1/24", "dev", "wan")


def sweep(scene, _turn):
    """An address goes, and every connection is asked whether it was masqueraded behind it."""
    scene.router.cli("ip", "addr", "del", "10.78.4.1/24", "dev", "wan")
    scene.router.cli("ip", "addr", "add", "10.78.4.1/24", "dev", "wan")
    time.sleep(0.05)


def prepare_expiry(scene):
    scene.refill()
    scene.conntrack("-U", "-p", "udp", "-t", str(EXPIRES_IN))


def expiry(scene, _turn):
    deadline = time.monotonic() + 60
    while scene.count() > scene.options.connections / 100:
        if time.monotonic() > deadline:
            sys.exit("the connections do not expire")
        time.sleep(0.2)


@contextlib.contextmanager
def reader(_scene):
    group = events.Readers(1)
    group.start()
    try:
        yield
    finally:
        group.close()


@contextlib.contextmanager
def churn(scene):
    """20,000 connections a second that begin and end."""
    scene.set(UDP_TIMEOUT, 1)
    flows = live.inside("c", scene.options.probe, "flows", CHURN_NET, str(scene.options.seconds + 1), "20000")
    with subprocess.Popen(flows, stdout=subprocess.DEVNULL):
        yield
    scene.set(UDP_TIMEOUT, LONG)


OPERATIONS = [
    Operation("nothing", lambda *_: time.sleep(0.1)),
    Operation("/proc/net/nf_conntrack", lambda *_: crowd.get("/proc/net/nf_conntrack")),
    Operation("conntrack -L", lambda scene, _: crowd.listed(scene.router)),
    Operation("conntrack -L -o save", save),
    Operation(f"conntrack -R of {LOADED:,}", lambda scene, _: scene.conntrack("-R", str(scene.folder / "loaded")), prepare_load),
    Operation("bundle", lambda scene, _: scene.router.cli("bundle", "-o", str(scene.folder / "bundle.tar"))),
    Operation("reload", lambda scene, _: scene.router.cli("reload")),
    Operation("connections come and go", lambda *_: time.sleep(0.1), beside=churn),
    Operation("the same, buckets x 32, / 32", resize, beside=churn),
    Operation("sweep: an address goes", sweep, prepare_sweep),
    Operation("all expire", expiry, prepare_expiry, once=True, least_seconds=EXPIRES_IN + 3),
    Operation("all expire, a reader of events", expiry, prepare_expiry, reader, once=True, least_seconds=EXPIRES_IN + 3),
    Operation("conntrack -F", lambda scene, _: scene.conntrack("-F"), once=True, least_seconds=2),
    Operation("explain", lambda scene, _: crowd.explain(scene.router)),
]


# --- measuring -----------------------------------------------------------------------------------
def measure(operation, scene):
    seen = gaps_show.Seen(operation.name)
    seconds = max(scene.options.seconds, operation.least_seconds)
    for _ in range(scene.options.rounds if operation.once else 1):
        operation.prepare(scene)
        before = scene.loop()
        action = live.repeated(operation.act, scene, most=1 if operation.once else None, after=0.3)
        with operation.beside(scene), action as took:
            probe = live.probed(scene.options.probe, seconds)
        if not took:
            sys.exit(f"{operation.name}: could not be done")
        seen.add(took, probe, before, scene.loop())
    return seen


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nsrouter")
    parser.add_argument("probe")
    parser.add_argument("--connections", type=int, default=500000)
    parser.add_argument("--services", type=int, default=1000, help="of seven rules each")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--svg", type=pathlib.Path, default="docs/forwarding-gaps.svg")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="those whose name contains one of these")
    return parser.parse_args()


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # what was set up is taken down
    options = read_options()
    wanted = [each for each in OPERATIONS if not options.only or any(part in each.name for part in options.only)]
    files = {"rules.v4": live.rules(options.services)}
    all_seen = []
    with live.routing(options, CONFIG, files) as (router, _), tempfile.TemporaryDirectory(prefix=live.NAME) as folder:
        scene = Scene(router, options, pathlib.Path(folder))
        print(f"{crowd.fill(router, options)} connections, {files['rules.v4'].count(chr(10) + '-A')} rules\n\n{gaps_show.HEAD}", flush=True)
        for operation in wanted:
            all_seen.append(measure(operation, scene))
            print(all_seen[-1].row(), flush=True)
    options.svg.write_text(gaps_show.Picture(all_seen).draw())
    over = [f"{seen.name} ({seen.over_1ms()})" for seen in all_seen if seen.over_1ms()]
    print(f"\nturns over 1 ms of processor time: {', '.join(over) or 'none'}; drawn: {options.svg}")


if __name__ == "__main__":
    main()
