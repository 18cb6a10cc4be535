#!/usr/bin/env python3
"""What crosses a router between two namespaces, and how fast: the kernel of this machine beside nsrouter, and beside peers.

    end_to_end.py NSROUTER LOADS [--rounds 5] [--seconds 2] [--only tcp1,udp8,...] [--ways default,busy,...] [--peers] [--svg FILE]

Rounds are interleaved, in random order, because machines have fast and slow phases: only a ratio to the kernel of the same
round counts, and only on a machine that does nothing else, which is looked at before each measurement. LOADS is the folder
of udp_load and tcp_load. Processor time is that of the whole machine, both ends included. Needs root; makes namespaces
nsrb*, and removes them.
"""
import argparse
import pathlib
import random
import signal
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))

from loads import LOADS
from rounds import Rounds
from show import Picture, table
from ways import BASE, PEERS, WAYS

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main():
    for number in SIGNALS:
        signal.signal(number, stop)
    options = read_options()
    print(f"seed {options.seed}, rounds {options.rounds}, seconds {options.seconds:g}, ways {','.join(options.ways)}")
    rounds = Rounds(options, WAYS, BASE)
    rounds.run()
    print(table(rounds.found))
    print(f"{rounds.measurements} measurements, {rounds.failed} failed, {rounds.busy} while others used the processors")
    options.svg.write_text(Picture(rounds.found).draw())
    print(f"drawn: {options.svg}")
    return 1 if rounds.failed else 0


def stop(*_):
    """Once, so that what was set up is taken down."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    sys.exit("stopped")


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, epilog=lists())
    parser.add_argument("nsrouter")
    parser.add_argument("programs", metavar="LOADS")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2, help="of each measurement, at least 1")
    parser.add_argument("--only", type=names_of(LOADS), default=list(LOADS), help="loads, with commas between")
    parser.add_argument("--ways", type=names_of(WAYS), default=["default"], help="ways to be compared with the kernel's, with commas between")
    parser.add_argument("--peers", action="store_true", help=f"the ways {', '.join(PEERS)} too, which must be installed")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="of the order")
    parser.add_argument("--svg", type=pathlib.Path, help="where the picture goes (end-to-end.svg beside NSROUTER)")
    options = parser.parse_args()
    options.svg = options.svg or pathlib.Path(options.nsrouter).with_name("end-to-end.svg")
    options.seconds = max(1, options.seconds)
    options.ways = list(dict.fromkeys([BASE, *options.ways, *(PEERS if options.peers else [])]))
    missing = [package for way in options.ways for package in WAYS[way].missing()]
    if missing:
        parser.error(f"peers are not installed: apt-get install {' '.join(missing)}")
    return options


def names_of(known):
    def read(text):
        names = text.split(",")
        unknown = set(names) - set(known)
        if unknown:
            raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))} unknown; there are {', '.join(known)}")
        return names
    return read


def lists():
    loads = [f"  {name:12} {'; '.join(f'{figure.name} ({figure.unit})' for figure in load.figures)}" for name, load in LOADS.items()]
    ways = [f"  {name:12} {way.about}" for name, way in WAYS.items()]
    return "\n".join(["loads:", *loads, "ways:", *ways])


if __name__ == "__main__":
    sys.exit(main())
