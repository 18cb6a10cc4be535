#!/usr/bin/env python3
"""What waiting awake and merging packets bring: TCP, small datagrams and answer times through nsrouter, configured in several ways, beside the
same path through this machine's kernel.

Rounds are interleaved, and each figure is shown as its ratio to that of the kernel in the same round. Needs root.

    fast_path.py NSROUTER UDP_LOAD [--rounds 3] [--seconds 2] [--only udp1,udp8,rtt,tcp1,tcp4] [--ways plain,default,busy]
"""
import argparse
import statistics
import subprocess

import end_to_end as bench

PORT = "7000"
WAYS = {
    "plain": 'spin = "off"\ncoalesce = false',
    "merge": 'spin = "off"',
    "spin": "coalesce = false",
    "default": "",
    "long": 'spin = "1000us"',
    "busy": 'spin = "busy"',
}


def datagrams(flows):
    def measure(path, load, seconds):
        receiver = subprocess.Popen(bench.inside(path.server, load, "receive", PORT, str(seconds - 0.3)), stdout=subprocess.PIPE, text=True)
        receiver.stdout.readline()
        bench.run(*bench.inside(path.client, load, "send", path.address, PORT, str(seconds), str(flows), "64"))
        return float(receiver.communicate(timeout=10)[0]) / 1e3
    return measure


def answer_time(path, load, seconds):
    echo = subprocess.Popen(bench.inside(path.server, load, "echo", PORT), stdout=subprocess.PIPE, text=True)
    try:
        echo.stdout.readline()
        return float(bench.run(*bench.inside(path.client, load, "ask", path.address, PORT, str(seconds))))
    finally:
        echo.kill()
        echo.wait()


def tcp(streams):
    return lambda path, _, seconds: bench.throughput(path, round(seconds), streams)


FIGURES = {"udp1": ("kpps", datagrams(1)), "udp8": ("kpps", datagrams(8)), "rtt": ("us", answer_time), "tcp1": ("Gb/s", tcp(1)), "tcp4": ("Gb/s", tcp(4))}


def one_round(kernel, options, seen):
    for figure in options.only.split(","):
        unit, measure = FIGURES[figure]
        base = measure(kernel, options.load, options.seconds)
        line = f"{figure:5} kernel {base:8.2f} {unit}"
        for way in options.ways.split(","):
            with bench.UserspaceRouter(options.nsrouter, WAYS[way]) as ours:
                found = measure(ours, options.load, options.seconds)
            seen.setdefault((figure, way), []).append(found / base)
            line += f"   {way} {found:8.2f} ({found / base:.2f}x)"
        print(line, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nsrouter")
    parser.add_argument("load")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--only", default=",".join(FIGURES))
    parser.add_argument("--ways", default="plain,merge,spin,default")
    options = parser.parse_args()
    seen = {}
    with bench.KernelRouter() as kernel:
        for _ in range(options.rounds):
            one_round(kernel, options, seen)
    for (figure, way), ratios in seen.items():
        print(f"median {figure:5} {way:8} {statistics.median(ratios):.2f}x of the kernel ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
