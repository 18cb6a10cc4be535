#!/usr/bin/env python3
"""Readers of events, while connections begin: how long packets wait, and what it costs.

A hundred readers follow `GET /events` of a router in which 50,000 connections a second begin (and end after a second), and a probe of 1,000 datagrams a
second crosses the router and comes back. The same without readers, and with readers but no new connections, is what to compare it with. Prints what the probe lost, the longest gap
between two answers, the delays, the router's memory and CPU time, and what a reader got and was told it lost. Needs root; makes namespaces nsrg*, and
removes them.

    events.py NSROUTER PROBE [--readers 100] [--rate 50000] [--seconds 10]
"""
import argparse
import json
import os
import pathlib
import re
import selectors
import socket
import subprocess
import sys
import threading

import live

FLOOD_NET = live.SERVER.rsplit(".", 1)[0]
SERVER_ADDRESS = f'host.address = ["{live.SERVER}/24"]\n'
CONFIG = live.CONFIG.replace(SERVER_ADDRESS, SERVER_ADDRESS + 'host.routes = ["default"]\n').replace('[rules]\nipv4 = "rules.v4"\n', "") + """
[conntrack]
mode = "on"
[sysctl]
"net.netfilter.nf_conntrack_max" = 400000
"net.netfilter.nf_conntrack_buckets" = 262144
"net.netfilter.nf_conntrack_udp_timeout" = 1
"""


class Readers(threading.Thread):
    """Take all that comes, and count it."""

    def __init__(self, number):
        super().__init__()
        self.selector, self.stopping = selectors.DefaultSelector(), threading.Event()
        self.events = self.gaps = self.bytes = 0
        for _ in range(number):
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(f"/run/nsrouter/{live.NAME}.sock")
            sock.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.selector.register(sock, selectors.EVENT_READ)

    def run(self):
        while not self.stopping.is_set():
            for key, _ in self.selector.select(0.1):
                data = key.fileobj.recv(1 << 18)
                self.bytes += len(data)
                self.events += data.count(b"\nevent: ")
                self.gaps += data.count(b"\nevent: gap")

    def close(self):
        self.stopping.set()
        self.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()


def memory_kib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(what, options, readers, rate, pid):
    group = Readers(readers)
    group.start()
    before, flood = cpu_seconds(pid), None
    if rate:
        flood = subprocess.Popen(live.inside("c", options.probe, "flows", FLOOD_NET, str(options.seconds + 1), str(rate)), stdout=subprocess.PIPE, text=True)
    seen = live.probed(options.probe, options.seconds)
    memory, cpu = memory_kib(pid), cpu_seconds(pid) - before
    sent = json.loads(flood.communicate()[0])["per_second"] if flood else 0
    group.close()
    print(f"{what:34} {sent:8.0f} {seen['sent']:6} {seen['lost']:5} {seen['gap_ms']:8.2f} {seen['p50'] / 1000:8.2f} {seen['p999'] / 1000:8.2f} {memory / 1024:8.1f} {cpu / options.seconds:6.2f} "
          f"{group.events / max(1, readers):10.0f} {group.gaps / max(1, readers):7.1f} {group.bytes / 1e6 / options.seconds:7.1f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nsrouter")
    parser.add_argument("probe")
    parser.add_argument("--readers", type=int, default=100)
    parser.add_argument("--rate", type=int, default=50000)
    parser.add_argument("--seconds", type=int, default=10)
    options = parser.parse_args()
    with live.routing(options, CONFIG) as (router, pid):
        print(f"{'':34} {'new/s':>8} {'sent':>6} {'lost':>5} {'gap ms':>8} {'p50 ms':>8} {'p999 ms':>8} {'MiB':>8} {'CPU':>6} {'events':>10} {'gaps':>7} {'MB/s':>7}")
        measure("nothing", options, 0, 0, pid)
        measure("connections", options, 0, options.rate, pid)
        measure("readers", options, options.readers, 0, pid)
        measure("one reader, connections", options, 1, options.rate, pid)
        measure("readers, connections", options, options.readers, options.rate, pid)
        measure("nothing again", options, 0, 0, pid)
        print(f"events in /status: {json.loads(router.cli('status', '-j'))['events']}; a reader's numbers are of {options.seconds} s")


if __name__ == "__main__":
    sys.exit(main())
