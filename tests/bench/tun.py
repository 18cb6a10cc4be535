#!/usr/bin/env python3
"""What a TUN device lets through: a forwarder that does nothing to packets, in different ways, beside nsrouter and the kernel.

    tun.py NSROUTER LOADS [--rounds 5] [--seconds 2] [--only tcp1,udp8,...] [--ways napi,uring,...]

The forwarder reads from a TUN device in the client's namespace and writes to one in the server's, and back. What it reaches the plain
way (wait, read a batch, write it) is what a router between two TUN devices can reach at best that way. Rounds are interleaved, in random
order; the ratio is to the plain way of the same round. Behind each measurement stands what the forwarder says: frames, the bytes of one,
and its own processor time. Needs root; makes namespaces nsrb*, and removes them.
"""
import argparse
import contextlib
import dataclasses
import functools
import os
import pathlib
import random
import signal
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "end"))
from end_to_end import SIGNALS, names_of, stop
from ends import CLIENT, CLIENT_ADDRESS, SERVER, SERVER_ADDRESS, add_address, inside, namespaces, run, running
from loads import LOADS
from rounds import Rounds
from show import three
from ways import WAYS, Way

BASE = "plain"
DEVICE = "tun0"
OURS = {"kernel": WAYS["kernel"], "nsrouter": WAYS["default"], "unmerged": dataclasses.replace(WAYS["plain"], about='nsrouter, spin = "off" and coalesce = false')}


@dataclasses.dataclass
class Forwarder:
    about: str
    words: tuple  # of tun_forward: way, where a frame begins, size of pages
    link: tuple = ()  # what `ip link set` is to change of both devices
    files: dict = dataclasses.field(default_factory=dict)  # below /sys/class/net/tun0
    ethernet: bool = False


FORWARDERS = {
    BASE: Forwarder("epoll, reads a batch of 64 or 4 large frames, writes it", ("plain",)),
    "single": Forwarder("a batch is one frame", ("single",)),
    "busy": Forwarder("never waits", ("busy",)),
    "merged": Forwarder("datagrams of a flow and a batch are written as one super-packet", ("merged",)),
    "aligned": Forwarder("the payload of TCP begins at a line of the cache", ("plain", "2")),
    "huge": Forwarder("frames lie in pages of 2 MiB", ("plain", "0", "huge")),
    "napi": Forwarder("IFF_NAPI", ("napi",)),
    "threaded": Forwarder("IFF_NAPI, in a thread of the kernel", ("napi",), files={"threaded": "1"}),
    "rps": Forwarder("what is written is received on any processor (RPS)", ("plain",), files={"queues/rx-0/rps_cpus": f"{(1 << os.cpu_count()) - 1:x}"}),
    "short": Forwarder("a queue of 50 packets instead of 500", ("plain",), link=("txqueuelen", "50")),
    "queues": Forwarder("IFF_MULTI_QUEUE, two threads with a queue of each device", ("queues",)),
    "split": Forwarder("a thread reads, another one writes", ("split",)),
    "uring": Forwarder("io_uring: a batch is written and the next one read with one system call", ("uring",)),
    "multishot": Forwarder("io_uring: one read that goes on, writes with one system call", ("multishot",)),
    "uring-merged": Forwarder("uring, merged as above", ("uring-merged",)),
    "multishot-merged": Forwarder("multishot, merged as above", ("multishot-merged",)),
    "sqpoll": Forwarder("the same, submitted by a thread of the kernel", ("sqpoll",)),
    "tap": Forwarder("TAP, without ARP", ("tap",), ethernet=True),
    "fragments": Forwarder("TAP, IFF_NAPI_FRAGS, written in pages", ("fragments",), ethernet=True),
}


def main():
    for number in SIGNALS:
        signal.signal(number, stop)
    options = read_options()
    print_what_the_kernel_takes(options.programs)
    for device in ((), ("napi",)):
        print(f"what a frame costs{', IFF_NAPI' if device else ''}:")
        print_what_a_frame_costs(options.programs, *device)
    print(f"seed {options.seed}, rounds {options.rounds}, seconds {options.seconds:g}, load before {os.getloadavg()[0]:.2f}")
    rounds = Rounds(options, ways_of(options.programs), BASE)
    rounds.run()
    print(table(rounds.found))
    print(f"{rounds.measurements} measurements, {rounds.failed} failed, {rounds.busy} while others used the processors")
    return 1 if rounds.failed else 0


def read_options():
    names = [*OURS, *FORWARDERS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, epilog=list_of_ways())
    parser.add_argument("nsrouter")
    parser.add_argument("programs", metavar="LOADS")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2, help="of each measurement, at least 1")
    parser.add_argument("--only", type=names_of(LOADS), default=["tcp1", "tcp4", "udp1", "udp8"], help="loads, with commas between")
    parser.add_argument("--ways", type=names_of(names), default=names, help="ways to be compared with the plain one, with commas between")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="of the order")
    options = parser.parse_args()
    options.seconds = max(1, options.seconds)
    options.ways = list(dict.fromkeys([BASE, *options.ways]))
    return options


def list_of_ways():
    return "\n".join(["ways:", *(f"  {name:18} {way.about}" for name, way in (OURS | FORWARDERS).items())])


def ways_of(programs):
    return OURS | {name: Way(way.about, functools.partial(forward, programs=programs, way=way)) for name, way in FORWARDERS.items()}


@contextlib.contextmanager
def forward(_, mtu, programs, way):
    with namespaces(CLIENT, SERVER), running(f"{programs}/tun_forward", way.words[0], CLIENT, SERVER, *way.words[1:], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        for netns, address in ((CLIENT, CLIENT_ADDRESS), (SERVER, SERVER_ADDRESS)):
            prepare(netns, address, mtu, way)
        yield
        process.terminate()
        print(f"    {process.communicate(timeout=10)[0].strip()}")


def prepare(netns, address, mtu, way):
    if way.ethernet:
        # Each takes what is sent to its own address, and without ARP that is where all is sent.
        run("ip", "-n", netns, "link", "set", DEVICE, "arp", "off", "address", "02:00:00:00:00:01")
    run("ip", "-n", netns, "link", "set", DEVICE, "mtu", str(mtu), *way.link)
    for path, value in way.files.items():
        run(*inside(netns, "tee", f"/sys/class/net/{DEVICE}/{path}"), input=value)
    add_address(netns, DEVICE, address)
    run("ip", "-n", netns, "route", "add", "default", "dev", DEVICE)


def print_what_the_kernel_takes(programs):
    with namespaces(CLIENT):
        print(run(*inside(CLIENT, f"{programs}/tun_forward", "probe")).strip())
        run("ip", "-n", CLIENT, "tuntap", "add", DEVICE, "mode", "tun")
        for word in ("gso_max_size", "gro_max_size"):
            tried = subprocess.run(["ip", "-n", CLIENT, "link", "set", DEVICE, word, "131072"], text=True, capture_output=True)
            print(f"{word} 131072: {tried.stderr.strip() or 'taken'}")


def print_what_a_frame_costs(programs, *device):
    """The namespace sends what comes from the device back to it."""
    with namespaces(CLIENT), running(f"{programs}/tun_forward", "costs", CLIENT, *device, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        run(*inside(CLIENT, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.send_redirects=0", f"net.ipv4.conf.{DEVICE}.send_redirects=0"))
        run(*inside(CLIENT, "sysctl", "-qw", f"net.ipv6.conf.{DEVICE}.disable_ipv6=1"))
        run("ip", "-n", CLIENT, "route", "add", "10.77.0.0/16", "dev", DEVICE)
        print(process.communicate("\n", timeout=60)[0].strip())


def table(found):
    figures = list(dict.fromkeys(figure for figure, _ in found))
    ways = list(dict.fromkeys(way for _, way in found))
    lines = ["| | " + " | ".join(f"{figure.name}, {figure.unit}" for figure in figures) + " |", "|---" * (len(figures) + 1) + "|"]
    for way in ways:
        lines.append(f"| {way} | " + " | ".join(cell(found.get((figure, way))) for figure in figures) + " |")
    return "\n".join(lines)


def cell(pairs):
    """The median, the least and the most; the median of the ratios to the plain way."""
    if not pairs:
        return ""
    values, ratios = zip(*pairs)
    return "{:.4g} ({:.4g} to {:.4g}), {:.2f}".format(*three(values), statistics.median(ratios))


if __name__ == "__main__":
    sys.exit(main())
