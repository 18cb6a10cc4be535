#!/usr/bin/env python3
"""What a packet costs by the number of rules it passes: through the core (core_bench, without tracking), and through the kernel of this
machine (a packet from a namespace through another one that forwards, with the same rules in iptables-legacy). Both as the difference
against no rules at all. Prints the numbers as a table for docs/performance.md and draws docs/rules-cost.svg.

    rules_cost.py CORE_BENCH [--svg FILE] [--rounds N]      as root, in a user namespace or out of it"""
import argparse
import json
import math
import os
import subprocess
import sys
import tempfile

COUNTS = [10, 100, 1000, 10000, 50000]
SHAPES = ["address", "network", "port", "range", "interface", "service", "multiport", "set"]
OURS, KERNEL = "nsrouter", "kernel"


def address(number):
    return f"10.{100 + number // 65536}.{number // 256 % 256}.{number % 256}"


# The same rules as rules_bench.cpp has.
CONDITION = {
    "address": lambda n: f"-s {address(n)}",
    "network": lambda n: f"-d 172.{16 + n // 4096}.{n // 16 % 256}.{n % 16 * 16}/28",
    "port": lambda n: f"-p udp --dport {1 + n}",
    "range": lambda n: f"-p udp --dport {1 + n}:{2 + n}",
    "interface": lambda n: f"-i eth{n}",
    "service": lambda n: f"-s 192.168.{n % 200}.0/24 -d {address(n)} -p udp --dport {1 + n % 1000}",
    "multiport": lambda n: f"-p udp -m multiport --dports {1 + n},{3 + n}",
    "set": lambda n: f"-m set --match-set s{n} src",
}

SENDER = """
import socket, sys, time
link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
link.connect(("198.51.100.7", 60000))
data = bytes(64)
def batch(count):
    begin = time.perf_counter()
    for _ in range(count):
        link.send(data)
    return (time.perf_counter() - begin) / count
for line in sys.stdin:
    # So short that nobody interferes with the quickest of them.
    count = max(4, int(0.001 / batch(20)))
    print(min(batch(count) for _ in range(40 * int(line))) * 1e9, flush=True)
"""


def run(*words, **more):
    return subprocess.run(words, check=True, **more)


class KernelRouter:
    """Three namespaces in a row. The last one throws away what arrives."""

    def __init__(self):
        self.tag = f"nsrb{os.getpid() % 10000}"
        self.names = [f"{self.tag}{end}" for end in "arb"]
        for name in self.names:
            run("ip", "netns", "add", name)
        a, r, b = self.names
        run("ip", "link", "add", "a0", "netns", a, "type", "veth", "peer", "name", "r0", "netns", r)
        run("ip", "link", "add", "r1", "netns", r, "type", "veth", "peer", "name", "b0", "netns", b)
        for name, device, at in ((a, "a0", "10.0.0.2/24"), (r, "r0", "10.0.0.1/24"), (r, "r1", "198.51.100.1/24"), (b, "b0", None)):
            if at:
                run("ip", "-n", name, "address", "add", at, "dev", device)
            run("ip", "-n", name, "link", "set", device, "up")
        run("ip", "-n", a, "route", "add", "default", "via", "10.0.0.1")
        run("ip", "netns", "exec", r, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        link = json.loads(run("ip", "-n", b, "-j", "link", "show", "b0", capture_output=True).stdout)[0]["address"]
        run("ip", "-n", r, "neighbour", "replace", "198.51.100.7", "lladdr", link, "dev", "r1")
        self.sender = subprocess.Popen(["ip", "netns", "exec", a, sys.executable, "-c", SENDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def make_sets(self, count):
        self.load([])
        text = "".join(f"create s{n} hash:ip hashsize 64\nadd s{n} {address(n)}\n" for n in range(count))
        run("ip", "netns", "exec", self.names[1], "ipset", "destroy")
        run("ip", "netns", "exec", self.names[1], "ipset", "restore", input=text.encode())

    def load(self, lines):
        text = "*filter\n" + "".join(f"-A FORWARD {line} -j DROP\n" for line in lines) + "COMMIT\n"
        run("ip", "netns", "exec", self.names[1], "iptables-legacy-restore", input=text.encode())

    def nanoseconds(self, rounds):
        self.sender.stdin.write(f"{rounds}\n")
        self.sender.stdin.flush()
        return float(self.sender.stdout.readline())

    def close(self):
        self.sender.stdin.close()
        self.sender.wait()
        for name in self.names:
            run("ip", "netns", "delete", name)


def measure_kernel(rounds):
    router = KernelRouter()
    costs = {}
    try:
        for shape in SHAPES:
            for count in COUNTS:
                router.make_sets(count if shape == "set" else 0)
                without = router.nanoseconds(rounds)
                router.load([CONDITION[shape](n) for n in range(count)])
                costs[shape, count] = router.nanoseconds(rounds) - without
                print(f"kernel {shape} {count}: {costs[shape, count]:.0f} ns", file=sys.stderr)
    finally:
        router.close()
    return costs


def measure_ours(program, rounds):
    with tempfile.NamedTemporaryFile() as out:
        run(program, "--benchmark_filter=^rules_", f"--benchmark_repetitions={rounds}", f"--benchmark_out={out.name}", "--benchmark_out_format=json", stdout=sys.stderr)
        rows = json.load(open(out.name))["benchmarks"]
    best = {}
    for row in rows:
        if row.get("run_type") == "iteration":
            name = row["run_name"]
            each = 1e9 / row["items_per_second"] if "items_per_second" in row else row["cpu_time"]
            best[name] = min(best.get(name, math.inf), each)
            best[name, "unit"] = row["time_unit"]
    costs = {(shape, count): best[f"rules_cost/{shape}/{count}"] - best["rules_none"] for shape in SHAPES for count in COUNTS}
    changes = {name: f"{best[name]:.2f} {best[name, 'unit']}" for name in list(best) if isinstance(name, str) and name.startswith(("rules_load", "rules_replace", "rules_swap", "rules_counted"))}
    return costs, changes


def table(costs):
    lines = ["| rules | | " + " | ".join(f"{count:,}" for count in COUNTS) + " |", "|---|---|" + "---|" * len(COUNTS)]
    for shape in SHAPES:
        for who in (KERNEL, OURS):
            if who in costs:
                lines.append(f"| {shape} | {who} | " + " | ".join(f"{costs[who][shape, count]:,.0f}" for count in COUNTS) + " |")
    return "\n".join(lines)


def picture(costs):
    """Both axes logarithmic: one line for each shape, dashed for the kernel."""
    wide, high, left, top, right, bottom = 760, 460, 70, 40, 150, 50
    low_ns, high_ns = 1, 1e6
    colours = ["#1b6ca8", "#c8553d", "#588b8b", "#8a5a83", "#b08900", "#444444", "#2f9e44", "#d6336c"]

    def x(count):
        return left + (math.log10(count) - 1) / (math.log10(50000) - 1) * (wide - left - right)

    def y(ns):
        share = (math.log10(max(ns, low_ns)) - math.log10(low_ns)) / (math.log10(high_ns) - math.log10(low_ns))
        return high - bottom - share * (high - top - bottom)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" font-family="sans-serif" font-size="12">',
        f'<rect width="{wide}" height="{high}" fill="white"/>',
        f'<text x="{left}" y="20" font-size="14">Cost of rules per packet (ns more than without rules); dashed: the kernel</text>',
    ]
    for power in range(0, 7):
        at = y(10**power)
        parts.append(f'<line x1="{left}" x2="{wide - right}" y1="{at:.1f}" y2="{at:.1f}" stroke="#dddddd"/>')
        parts.append(f'<text x="{left - 8}" y="{at + 4:.1f}" text-anchor="end">{10**power:,}</text>')
    for count in COUNTS:
        parts.append(f'<text x="{x(count):.1f}" y="{high - bottom + 18}" text-anchor="middle">{count:,}</text>')
    parts.append(f'<text x="{(left + wide - right) / 2}" y="{high - 12}" text-anchor="middle">rules in FORWARD that do not match</text>')
    for i, shape in enumerate(SHAPES):
        for who, dashes in ((OURS, ""), (KERNEL, ' stroke-dasharray="6 4"')):
            if who in costs:
                points = " ".join(f"{x(count):.1f},{y(costs[who][shape, count]):.1f}" for count in COUNTS)
                parts.append(f'<polyline points="{points}" fill="none" stroke="{colours[i]}" stroke-width="2"{dashes}/>')
        parts.append(f'<line x1="{wide - right + 15}" x2="{wide - right + 40}" y1="{top + 20 * i + 10}" y2="{top + 20 * i + 10}" stroke="{colours[i]}" stroke-width="2"/>')
        parts.append(f'<text x="{wide - right + 46}" y="{top + 20 * i + 14}">{shape}</text>')
    return "\n".join(parts) + "\n</svg>\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("core_bench")
    parser.add_argument("--svg", default="docs/rules-cost.svg")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    ours, changes = measure_ours(options.core_bench, options.rounds)
    costs = {OURS: ours, KERNEL: measure_kernel(options.rounds)}
    print(table(costs))
    for name, value in changes.items():
        print(f"{name}: {value}")
    with open(options.svg, "w") as out:
        out.write(picture(costs))


if __name__ == "__main__":
    main()
