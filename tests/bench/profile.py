#!/usr/bin/env python3
"""Where the instructions of a packet go: callgrind counts those of batches of established flows on their way through the router, and of nothing
else, which says the same on a busy machine as on a quiet one.

    profile.py CORE_BENCH [BENCHMARK...] [--least PERCENT]

BENCHMARK is a name that core_bench lists, of those that pass batches (router_receive..., router_rules...). Per packet: all that a function and
what it calls execute, what it executes itself, and its name. What an inlined function executes is its caller's."""
import argparse
import os
import re
import subprocess
import sys
import tempfile

BENCHMARKS = ["router_receive/udp/batch:32/flows:1000", "router_receive/tcp/batch:32/flows:1000"]
PASS_BATCH = "nsr::bench::BusyRouter::pass_batch"
RECEIVE = "nsr::Router::receive("
PACKETS_OF_A_BATCH = 32
# Long names of the standard library: what is there, what is shown.
SHORTER = [
    (r" \[[^\]]*\]$", ""),
    (r" \[clone [^\]]*\]", ""),
    (r"^\S*?:(?=\S)", ""),
    (r"\(anonymous namespace\)::", ""),
    (r"std::chrono::time_point<nsr::RouterClock.*?> > >", "Instant"),
    (r"std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >", "std::string"),
    (r", 18446744073709551615ul", ""),
    (r", std::allocator<[\w:]+> ", ""),
    (r"nsr::", ""),
]


def profile(program, benchmark, out):
    """Writes what callgrind counted to the file `out`."""
    collected = ["--tool=callgrind", f"--callgrind-out-file={out}", f"--toggle-collect={PASS_BATCH}*"]
    chosen = [f"--benchmark_filter=^{benchmark}$", "--benchmark_min_time=0.3"]
    run = subprocess.run(["valgrind", *collected, program, *chosen], capture_output=True, text=True)
    if run.returncode != 0 or benchmark not in run.stdout:
        sys.exit(f"profile: {benchmark}: {run.stdout}{run.stderr}")


def batches(text):
    """How often pass_batch() was called: calls are counted, too, where instructions are not, and so those of the router are more. A name stands
    in full where it is met first, later it is its number."""
    names, callee, count = {}, "", 0
    for line in text.splitlines():
        if name := re.match(r"c?fn=\((\d+)\)(?: (.*))?", line):
            names[name[1]] = name[2] or names[name[1]]
            callee = names[name[1]] if line.startswith("c") else ""
        elif calls := re.match(r"calls=(\d+)", line):
            count += int(calls[1]) if callee.startswith(PASS_BATCH) else 0
    return count


def shorter(name):
    for there, shown in SHORTER:
        name = re.sub(there, shown, name)
    return name


def annotated(out, *options):
    """Function: instructions."""
    text = subprocess.run(["callgrind_annotate", "--auto=no", "--threshold=100", *options, out], check=True, capture_output=True, text=True).stdout
    rows = re.findall(r"^\s*([\d,]+) \(\s*[\d.]+%\)\s+(.*)$", text, re.M)
    return {name: int(count.replace(",", "")) for count, name in rows}


def table(order, inclusive, own, packets, least):
    """In the order of one of the two."""
    total = inclusive["PROGRAM TOTALS"]
    lines = [f"{'with callees':>12} {'itself':>8}  function"]
    for name, count in order.items():
        # What calls pass_batch() has the same sum: it says nothing.
        if PASS_BATCH in name or least <= 100 * count / total and count < total:
            lines.append(f"{inclusive[name] / packets:12.1f} {own.get(name, 0) / packets:8.1f}  {shorter(name)[:110]}")
    return "\n".join(lines)


def report(program, benchmark, least):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "callgrind.out")
        profile(program, benchmark, out)
        batch = re.search(r"batch:(\d+)", benchmark)
        packets = batches(open(out).read()) * (int(batch[1]) if batch else PACKETS_OF_A_BATCH)
        inclusive, own = annotated(out, "--inclusive=yes"), annotated(out)
    received = next(count for name, count in inclusive.items() if RECEIVE in name)
    print(f"\n{benchmark}: {received / packets:.1f} instructions per packet in Router::receive, counted over {packets:,} packets\n")
    print(table(inclusive, inclusive, own, packets, least))
    print("\nThe same by what they execute themselves:\n")
    print(table(own, inclusive, own, packets, least))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("core_bench")
    parser.add_argument("benchmarks", nargs="*", default=BENCHMARKS)
    parser.add_argument("--least", type=float, default=0.5, help="leave out what takes less of a hundred instructions (0.5)")
    options = parser.parse_args()
    for benchmark in options.benchmarks:
        report(options.core_bench, benchmark, options.least)


if __name__ == "__main__":
    main()
