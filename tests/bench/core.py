#!/usr/bin/env python3
"""What operations of the core cost, as a table: nanoseconds of processor time for each packet or operation (median, if it is repeated), the same
in what this machine can do at best in the same run (the least), and the memory of a connection.

    core.py CORE_BENCH [OPTIONS OF GOOGLE BENCHMARK]

Without a --benchmark_filter everything but ten million connections (6 GB, five minutes); --benchmark_filter=. is really everything. The limits
of the machine (machine_*) are measured whatever the filter says."""
import json
import re
import statistics
import subprocess
import sys
import tempfile

FILTER = "--benchmark_filter="
SMALL = f"{FILTER}-flows:10000000$"
# What a cost is divided by: heading, benchmark.
LIMITS = [
    ("waited", "machine_line_waited/pages:2M"),
    ("prefetched", "machine_line_prefetched/pages:2M"),
    ("copies", "machine_copy/bytes:92"),
]
LONG_NS = 1e5


def with_machine(options):
    """A negative filter names what is left out, and so has the machine already."""
    if not any(option.startswith(FILTER) for option in options):
        return [SMALL, *options]
    return [f"{FILTER}^machine_|{option.removeprefix(FILTER)}" if option.startswith(FILTER) and not option.startswith(f"{FILTER}-") else option for option in options]


def measure(program, options):
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run([program, *with_machine(options), f"--benchmark_out={out.name}", "--benchmark_out_format=json"], check=True, stdout=sys.stderr)
        return [row for row in json.load(open(out.name))["benchmarks"] if row.get("run_type") == "iteration"]


def nanoseconds(row):
    """Of one item; a row without items takes its time as a whole."""
    in_unit = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}[row["time_unit"]]
    return 1e9 / row["items_per_second"] if "items_per_second" in row else row["cpu_time"] * in_unit


def summary(rows):
    """Name: (nanoseconds, bytes of a connection or nothing), in the order of the run; what failed: what it said."""
    times, memory, failed = {}, {}, {}
    for row in rows:
        name = re.sub(r"/(min_time|repeats|iterations):[^/]*", "", row["run_name"])
        if row.get("error_occurred"):
            failed[name] = row["error_message"]
            continue
        times.setdefault(name, []).append(nanoseconds(row))
        memory[name] = row.get("bytes/conn")
    return {name: (min(each) if name.startswith("machine_") else statistics.median(each), memory[name]) for name, each in times.items()}, failed


def line_of(width, name, cost, memory, limits):
    """What takes longer than many packets is not compared with lines of memory."""
    ratios = "".join(f"{cost / limit:>12.2f}" if cost < LONG_NS else f"{'':12}" for _, limit in limits)
    return f"{name:{width}} {cost:>14,.1f}{ratios}" + (f"{memory:>12.1f}" if memory else "")


def table(costs):
    """The limits first."""
    limits = [(heading, costs[name][0]) for heading, name in LIMITS]
    width = max(map(len, costs))
    lines = [f"{'':{width}} {'ns':>14}" + "".join(f"{heading:>12}" for heading, _ in limits) + f"{'bytes/conn':>12}"]
    lines += [line_of(width, name, *costs[name], limits) for name in sorted(costs, key=lambda name: not name.startswith("machine_"))]
    return "\n".join(lines)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    costs, failed = summary(measure(sys.argv[1], sys.argv[2:]))
    print("\nEach packet or operation; a ratio of 2 to \"waited\" is the time of two lines of memory that it waits for one after the other,")
    print("to \"prefetched\" of two that were asked for ahead, to \"copies\" of two copies of a packet of 92 bytes in the cache.\n")
    print(table(costs))
    for name, message in failed.items():
        print(f"{name}: {message}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
