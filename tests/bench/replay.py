#!/usr/bin/env python3
"""Replay of a long capture: packets per second, memory, and the same output twice.

    replay.py PROGRAM [--packets 1000000] [--flows 20000]

Writes a pcapng of TCP and UDP conversations through a masquerading firewall, one packet every 20 µs, replays a tenth of it and then all of
it twice, and compares what the two runs wrote byte for byte.
"""
import argparse
import hashlib
import os
import pathlib
import random
import resource
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "live"))
import packets as p  # noqa: E402
import pcapng  # noqa: E402

CONFIG = """
[router]
name = "bench"
[control]
listen = ""
[conntrack]
mode = "on"
[[interface]]
name = "lan"
address = ["10.0.0.1/8"]
[[interface]]
name = "wan"
address = ["198.51.100.1/24"]
[[route]]
to = "default"
via = "198.51.100.254"
[rules]
ipv4 = "rules.v4"
"""
RULES = """*nat
-A POSTROUTING -o wan -p tcp -j SNAT --to-source 198.51.100.1
-A POSTROUTING -o wan -j MASQUERADE
COMMIT
*filter
:FORWARD DROP [0:0]
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -i lan -m conntrack --ctstate NEW -j ACCEPT
COMMIT
"""
A, B, FA = "lan", "wan", p.FIN | p.ACK
SCRIPT = [(A, p.SYN), (B, p.SYN | p.ACK), (A, p.ACK), (A, p.ACK | p.PSH), (B, p.ACK), (B, p.ACK | p.PSH), (A, p.ACK), (A, FA), (B, FA), (A, p.ACK)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--packets", type=int, default=1000000)
    parser.add_argument("--flows", type=int, default=20000)
    options = parser.parse_args()
    program = os.path.abspath(options.program)
    with tempfile.TemporaryDirectory(prefix="nsr-replay-") as folder:
        os.chdir(folder)
        pathlib.Path("router.toml").write_text(CONFIG)
        pathlib.Path("rules.v4").write_text(RULES)
        talk = conversations(options.flows)
        digests = []
        for name, count in (("tenth", options.packets // 10), ("whole", options.packets), ("again", options.packets)):
            write("in.pcapng", talk, count)
            digests.append(run(program, name, count))
        same = digests[1] == digests[2]
        print(f"two runs of {options.packets} packets wrote {'the same bytes' if same else 'DIFFERENT BYTES'}: sha256 {digests[1][:16]}")
        return 0 if same else 1


def conversations(flows):
    """All conversations, cut into their packets and mixed; every packet appears once in a round."""
    rng = random.Random(1)
    rounds = [[] for _ in SCRIPT]
    for flow in range(flows):
        inside, outside = f"10.{flow >> 14 & 255}.{flow >> 7 & 127}.{2 + (flow & 127)}", f"203.0.113.{1 + flow % 200}"
        port, seq = 1024 + flow % 60000, {A: rng.randrange(1 << 32), B: rng.randrange(1 << 32)}
        for at, (side, flags) in enumerate(SCRIPT):
            rounds[at].append(_packet(flow, side, flags, inside, outside, port, seq))
    return [packet for some in rounds for packet in some]


def _packet(flow, side, flags, inside, outside, port, seq):
    # Answers go to the router's own address, as NAT wants it: both ends keep the port.
    ends = [(inside, port), (outside, 443)] if side == A else [(outside, 443), ("198.51.100.1", port)]
    other, length = (B if side == A else A), 200 if flags & p.PSH else 0
    if flow % 4 == 0:
        return side, p.udp(*ends[0], *ends[1], b"u" * length)
    data = p.tcp(*ends[0], *ends[1], flags, seq[side], seq[other] if flags & p.ACK else 0, 65535, b"t" * length, df=True)
    seq[side] = seq[side] + length + bool(flags & p.SYN) + bool(flags & p.FIN) & 0xFFFFFFFF
    return side, data


def write(path, talk, count):
    pcapng.write(path, [A, B], ((20 * i, *talk[i % len(talk)]) for i in range(count)))


def run(program, name, count):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    command = [program, "replay", "router.toml", "--in", "in.pcapng", "--out", "out.pcapng", "--conntrack", "table", "--stats", "stats"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        peak = watch_memory(process)
    seconds = time.monotonic() - start
    if process.returncode:
        sys.exit(f"replay ends with {process.returncode}")
    digest = hashlib.sha256()
    for file in ("out.pcapng", "table", "stats"):
        digest.update(pathlib.Path(file).read_bytes())
    sizes = f"{os.path.getsize('in.pcapng') >> 20} MiB in, {os.path.getsize('out.pcapng') >> 20} MiB out"
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    print(f"{name}: {count} packets in {seconds:.2f} s ({count / seconds / 1000:.0f} k packets/s; {cpu:.2f} s of CPU), "
          f"peak memory {peak >> 10} MiB, {sizes}", flush=True)
    return digest.hexdigest()


def watch_memory(process):
    """Until it ends -> the highest VmHWM seen, in KiB. (The kernel's ru_maxrss of a child begins with that of its parent.)"""
    peak = 0
    while process.poll() is None:
        with open(f"/proc/{process.pid}/status") as status:
            peak = max([peak] + [int(line.split()[1]) for line in status if line.startswith("VmHWM")])
        time.sleep(0.02)
    return peak


if __name__ == "__main__":
    sys.exit(main())
