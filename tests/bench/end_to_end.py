#!/usr/bin/env python3
"""TCP throughput through nsrouter beside the same path through this machine's kernel (veth, nf_conntrack, MASQUERADE).

Rounds are interleaved, because machines have fast and slow phases: only the ratio counts. Also floods pings through
nsrouter and counts the lost ones. Needs root; makes namespaces nsrb-*, and removes them.

    end_to_end.py NSROUTER [--rounds 5] [--seconds 4] [--streams 1]
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile

PREFIX = f"nsrb{os.getpid()}"

CONFIG = """
[router]
name = "{name}"
{keys}
[control]
listen = ""
unix = "{folder}/control.sock"
[[interface]]
name = "lan"
device = "tun0"
netns = "{name}-uc"
address = ["10.77.1.1/24"]
host.address = ["10.77.1.2/24"]
host.routes = ["default"]
[[interface]]
name = "wan"
device = "tun0"
netns = "{name}-us"
address = ["10.77.2.1/24"]
host.address = ["10.77.2.2/24"]
[rules]
policy.filter.FORWARD = "DROP"
[[rules.filter.FORWARD]]
ctstate = ["ESTABLISHED", "RELATED"]
jump = "ACCEPT"
[[rules.filter.FORWARD]]
in-interface = "lan"
ctstate = ["NEW"]
jump = "ACCEPT"
[[rules.nat.POSTROUTING]]
out-interface = "wan"
jump = "MASQUERADE"
"""


def run(*command, **options):
    return subprocess.run(command, check=True, text=True, capture_output=True, **options).stdout


def inside(netns, *command):
    return ["ip", "netns", "exec", netns, *command]


class KernelRouter:
    """client - veth - router - veth - server, with the kernel's conntrack and MASQUERADE in the middle."""

    client, router, server = f"{PREFIX}-kc", f"{PREFIX}-kr", f"{PREFIX}-ks"
    address = "10.78.2.2"

    def __enter__(self):
        for name in (self.client, self.router, self.server):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        self.join(self.client, "10.78.1.2/24", "lan", "10.78.1.1/24")
        self.join(self.server, "10.78.2.2/24", "wan", "10.78.2.1/24")
        run("ip", "-n", self.client, "route", "add", "default", "via", "10.78.1.1")
        run(*inside(self.router, "sysctl", "-qw", "net.ipv4.ip_forward=1"))
        rules = """*nat
-A POSTROUTING -o wan -j MASQUERADE
COMMIT
*filter
:FORWARD DROP [0:0]
-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A FORWARD -i lan -m conntrack --ctstate NEW -j ACCEPT
COMMIT
"""
        run(*inside(self.router, "iptables-legacy-restore"), input=rules)
        return self

    def join(self, netns, address, device, router_address):
        run("ip", "link", "add", "eth0", "netns", netns, "type", "veth", "peer", "name", device, "netns", self.router)
        for where, name, what in ((netns, "eth0", address), (self.router, device, router_address)):
            run("ip", "-n", where, "address", "add", what, "dev", name)
            run("ip", "-n", where, "link", "set", name, "up")

    def __exit__(self, *_):
        for name in (self.client, self.router, self.server):
            run("ip", "netns", "delete", name)


class UserspaceRouter:
    """The same path through nsrouter."""

    client, server = f"{PREFIX}-uc", f"{PREFIX}-us"
    address = "10.77.2.2"

    def __init__(self, program, keys=""):
        self.program = program
        self.keys = keys  # of [router]

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix=PREFIX)
        folder = self.folder.name
        config = pathlib.Path(folder) / "router.toml"
        config.write_text(CONFIG.format(name=PREFIX, folder=folder, keys=self.keys))
        self.control = f"{folder}/control.sock"
        self.process = subprocess.Popen([self.program, "run", str(config)], stderr=subprocess.DEVNULL)
        run(self.program, "--control", self.control, "status", "--wait", "10")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        self.folder.cleanup()


def throughput(path, seconds, streams):
    server = subprocess.Popen(inside(path.server, "iperf3", "-s", "-1", "--forceflush"), stdout=subprocess.PIPE, text=True)
    for line in server.stdout:
        if "listening" in line:
            break
    report = run(*inside(path.client, "iperf3", "-c", path.address, "-t", str(seconds), "-P", str(streams), "-C", "cubic", "-J"))
    server.stdout.close()
    server.wait(10)
    return json.loads(report)["end"]["sum_received"]["bits_per_second"] / 1e9


def flood_ping(path, count):
    text = run(*inside(path.client, "ping", "-f", "-q", "-c", str(count), path.address))
    sent, received = map(int, re.search(r"(\d+) packets transmitted, (\d+) received", text).groups())
    return sent, received


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nsrouter")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--streams", type=int, default=1)
    options = parser.parse_args()
    seconds = max(1, round(options.seconds))
    kernel_figures, our_figures = [], []
    with KernelRouter() as kernel, UserspaceRouter(options.nsrouter) as ours:
        for number in range(1, options.rounds + 1):
            kernel_figures.append(throughput(kernel, seconds, options.streams))
            our_figures.append(throughput(ours, seconds, options.streams))
            ratio = our_figures[-1] / kernel_figures[-1]
            print(f"round {number}: kernel {kernel_figures[-1]:6.2f} Gb/s   nsrouter {our_figures[-1]:6.2f} Gb/s   {ratio:.2f}x", flush=True)
        sent, received = flood_ping(ours, 20000)
    ratios = [ours / kernel for ours, kernel in zip(our_figures, kernel_figures)]
    print(f"median:  kernel {statistics.median(kernel_figures):6.2f} Gb/s   nsrouter {statistics.median(our_figures):6.2f} Gb/s   "
          f"{statistics.median(ratios):.2f}x   (TCP, {options.streams} stream, {seconds} s)")
    print(f"ping -f: {sent} sent, {received} received through nsrouter")


if __name__ == "__main__":
    main()
