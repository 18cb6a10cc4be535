#!/usr/bin/env python3
"""What it costs packets that a router of a million connections is asked.

A probe of 1,000 datagrams a second crosses the router and comes back, while it is asked over and over: what would become of a packet (`explain`, in a
forked copy), all connections as /proc has them, as JSON and as `conntrack -L`, who has the most, /metrics. Prints how often, how long each took and how
many bytes came, what the probe lost, the longest gap between two answers, the delays, the router's memory with its child's, and of the turns of
the event loop that answer (by time and by processor time, from the router's own histogram) the bound in us that the longest kept within and how many were
over 1 ms. Needs root; makes namespaces nsrg*, and removes them.

    ask.py NSROUTER PROBE [--connections 1000000] [--seconds 10] [--only NAME ...]
"""
import argparse
import json
import statistics

import crowd
import events
import live

SCENARIOS = {
    "nothing": lambda router, turn: live.nothing(router, turn) or 0,
    "explain": lambda router, _: crowd.explain(router),
    "/proc/net/nf_conntrack": lambda _, __: crowd.get("/proc/net/nf_conntrack"),
    "/conntrack as JSON": lambda _, __: crowd.get("/conntrack", {"Accept": "application/json"}),
    "conntrack -L": lambda router, _: crowd.listed(router),
    "top": lambda router, _: len(router.cli("top", "-n", "5")),
    "/metrics": lambda _, __: crowd.get("/metrics"),
}


class Memory:
    """The most that the router had resident, read as often as it is asked."""

    def __init__(self, pid):
        self.pid, self.most = pid, events.memory_kib(pid)

    def look(self):
        self.most = max(self.most, events.memory_kib(self.pid))


def longest(before, after, kind):
    """The bound that the longest turn in between kept within, and how many were over 1 ms."""
    within = {bound: count - before[kind]["within_us"][bound] for bound, count in after[kind]["within_us"].items()}
    bounds = [bound for bound, count in within.items() if count]
    over = after[kind]["over_1ms"] - before[kind]["over_1ms"]
    return f"{bounds[-1]}/{over}"


def measure(name, router, options, pid):
    memory, sizes = Memory(pid), []

    def action(asked, turn):
        sizes.append(SCENARIOS[name](asked, turn))
        memory.look()

    before = json.loads(router.cli("status", "-j"))["loop"]
    with live.repeated(action, router) as turns:
        seen = live.probed(options.probe, options.seconds)
    after = json.loads(router.cli("status", "-j"))["loop"]
    print(f"{name:24} {len(turns):5} {1000 * statistics.median(turns):9.1f} {1000 * max(turns):9.1f} {statistics.median(sizes) / 1e6:8.1f}   {seen['sent']:6} {seen['lost']:5} {seen['gap_ms']:8.2f} "
          f"{seen['p50']:6.0f} {seen['p99']:7.0f} {seen['p999']:7.0f} {memory.most / 1024:8.1f}   {longest(before, after, 'control'):>8} {longest(before, after, 'control_cpu'):>8}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nsrouter")
    parser.add_argument("probe")
    parser.add_argument("--connections", type=int, default=1000000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--only", nargs="*", choices=SCENARIOS, default=list(SCENARIOS))
    options = parser.parse_args()
    with live.routing(options, crowd.CONFIG) as (router, pid):
        print(f"{crowd.fill(router, options)} connections; delays there and back in us")
        print(f"{'asked':24} {'times':>5} {'median ms':>9} {'worst ms':>9} {'MB':>8}   {'sent':>6} {'lost':>5} {'gap ms':>8} {'p50':>6} {'p99':>7} {'p99.9':>7} {'MiB':>8}   {'turns':>8} {'CPU':>8}")
        for scenario in options.only:
            measure(scenario, router, options, pid)


if __name__ == "__main__":
    main()
