#!/usr/bin/env python3
"""How long `nsrouter check` takes for a file of many rules in the shape of kube-proxy's, and how much memory; beside it the time and memory of a file
without rules.

    load_rules.py NSROUTER [--rules 50000] [--runs 3]
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from live import rules

RULES_OF_A_SERVICE = 7
CONFIG = """
[control]
listen = ""
unix = ""
[[interface]]
name = "lan"
address = ["10.78.1.1/24"]
[[interface]]
name = "wan"
address = ["10.78.2.1/24"]
[rules]
ipv4 = "rules.v4"
"""


def measure(program, config):
    """Seconds of the clock and of the processor, and the most memory in MiB."""
    begun = time.monotonic()
    child = subprocess.Popen([program, "check", config], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(said)
    return time.monotonic() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("nsrouter")
    parser.add_argument("--rules", type=int, default=50000)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "router.toml"
        config.write_text(CONFIG)
        for services in (0, args.rules // RULES_OF_A_SERVICE):
            text = rules(services)
            (pathlib.Path(folder) / "rules.v4").write_text(text)
            count = sum(line.startswith("-A") for line in text.splitlines())
            elapsed, busy, memory = (min(column) for column in zip(*(measure(args.nsrouter, config) for _ in range(args.runs))))
            print(f"{count} rules, {len(text) / 2**20:.1f} MiB: {elapsed:.2f} s, {busy:.2f} s of the processor, {memory:.0f} MiB")


if __name__ == "__main__":
    main()
