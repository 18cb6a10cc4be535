#!/usr/bin/env python3
"""Weapons: what an administrator, or a packet, may do to stop a router, and how long it stops others.

For each weapon a router is started with it, and while it is fired a probe of 1,000 datagrams a second crosses the router and
comes back. Prints how often it was fired and how long that took, what the probe lost, the longest gap between two answers,
the largest delay, and what came of it: drop reasons that were counted, or the error. `nothing` is what the machine itself
does. Needs root; makes namespaces nsrg*, and removes them.

    weapons.py NSROUTER PROBE [--scale 1.0] [--seconds 5] [--only NAME ...]
"""
import argparse
import contextlib
import dataclasses
import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time
import typing

import live

WEAPON_PORT = 9
PROBE_RULES = f"-A FORWARD -p udp -m udp --dport {live.PORT_PROBE} -j ACCEPT\n-A FORWARD -p udp -m udp --sport {live.PORT_PROBE} -j ACCEPT\n"
SERVER_ADDRESS = f'host.address = ["{live.SERVER}/24"]\n'
CONFIG = live.CONFIG.replace(SERVER_ADDRESS, SERVER_ADDRESS + 'host.routes = ["default"]\n') + """ipset = "sets.ipset"
[conntrack]
mode = "on"
[sysctl]
"net.netfilter.nf_conntrack_max" = 1300000
"net.netfilter.nf_conntrack_buckets" = 262144
"net.netfilter.nf_conntrack_udp_timeout" = 3600
"""
SCALE = 1.0


def scaled(number):
    return max(2, int(number * SCALE))


def table(lines, chains=(), name="filter"):
    return "\n".join([f"*{name}", *(f":{chain} - [0:0]" for chain in chains), PROBE_RULES + "\n".join(lines), "COMMIT"]) + "\n"


def address(number):
    return f"10.{100 + number // 65536}.{number // 256 % 256}.{number % 256}"


# --- how the router is spoken to -----------------------------------------------------------------
class UnixConnection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(f"/run/nsrouter/{live.NAME}.sock")


def request(method, path, body=None):
    connection = UnixConnection("localhost", timeout=120)
    connection.request(method, path, body)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def drops():
    return json.loads(request("GET", "/status")[1])["drops"]


def settle():
    """Until the router has worked off what was sent to it."""
    def received():
        return [interface["counters"]["rx_packets"] for interface in json.loads(request("GET", "/status")[1])["interfaces"]]

    before = None
    while (now := received()) != before:
        before = now
        time.sleep(0.3)


def cli(router, *words, text=None):
    answer = subprocess.run([router.program, "--control", live.NAME, *words], capture_output=True, text=True, input=text)
    return (answer.stderr.strip().splitlines() or ["done"])[0]


def restore(router, lines):
    return cli(router, "ipset", "-!", "restore", text="\n".join(lines) + "\n")


class Sender:
    """Datagrams of the client's namespace, each from the port that is asked for."""

    def __init__(self):
        here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        live.enter("c")
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
        live.LIBC.setns(here, live.CLONE_NEWNET)
        os.close(here)

    def send(self, size=20, port=WEAPON_PORT):
        with contextlib.suppress(OSError):
            self.sock.sendto(bytes(size), (live.SERVER, port))

    def flows(self, count):
        """As many connections: source and destination ports, one after the other, until they are there."""
        net, last = live.SERVER.rsplit(".", 1)[0], -1
        while (there := int(request("GET", "/proc/sys/net/netfilter/nf_conntrack_count")[1])) < count and there != last:
            last = there
            for number in range(count):
                header = (1 + number % 60000).to_bytes(2, "big") + WEAPON_PORT.to_bytes(2, "big") + (8).to_bytes(2, "big") + bytes(2)
                with contextlib.suppress(OSError):
                    self.raw.sendto(header, (f"{net}.{3 + number // 60000}", 0))


# --- the weapons ---------------------------------------------------------------------------------
@dataclasses.dataclass
class Weapon:
    name: str
    rules: typing.Callable[[], str] = lambda: table([])
    prepare: typing.Callable = lambda router, sender: None
    fire: typing.Callable = lambda router, sender: None
    once: bool = False
    seconds: int = 0  # else as asked
    sets: typing.Callable[[], str] = lambda: ""


def packet(size=20):
    def fire(_router, sender):
        sender.send(size)
        time.sleep(0.005)
        return ""

    return fire


def command(*words):
    return lambda router, _sender: cli(router, *words)


def doubling():
    levels = 40
    lines = ["-A FORWARD -p udp -j C0"]
    for level in range(levels):
        lines += [f"-A C{level} -p udp -j C{level + 1}"] * 2
    return table(lines, [f"C{level}" for level in range(levels + 1)])


def repeated_rule(rule, rules, times=1):
    return lambda: table(["-A FORWARD -p udp -j C"] * times + [f"-A C {rule} -j DROP"] * scaled(rules), ["C"])


def cross_product(router, _sender):
    addresses = ",".join(address(number) for number in range(1200))
    return cli(router, "iptables", "-A", "FORWARD", "-s", addresses, "-d", addresses, "-j", "DROP")


def many_rules():
    return table([f"-A FORWARD -s {address(number)} -d 192.168.{number % 250}.0/24 -p udp -m udp --dport {1 + number % 5000} -j DROP" for number in range(scaled(300000))])


def fill_timed_sets(router, _sender):
    count = scaled(1_000_000)
    restore(router, ["create timed hash:ip timeout 2147483 maxelem 2000000", "create ports bitmap:port range 0-65535 timeout 4"])
    for begin in range(0, count, 65536):
        cli(router, "ipset", "add", "timed", f"10.{100 + begin // 65536}.0.0/16", "timeout", "4")
    return cli(router, "ipset", "add", "ports", "0-65535")


def fill_set(router, _sender):
    restore(router, ["create large hash:ip maxelem 2000000"] + [f"add large {address(n)}" for n in range(scaled(1_000_000))])


def many_sets():
    return [f"create s{n} hash:ip" for n in range(scaled(65000))] + [f"add s{n} {address(n)}" for n in range(scaled(65000))]


def member_sets():
    count = scaled(10000)
    lines = ["create all list:set"]
    for number in range(count):
        lines += [f"create n{number} hash:net", f"add n{number} 172.16.0.0/12", f"add n{number} 172.16.0.0/16", f"add all n{number}"]
    return "\n".join(lines) + "\n"


def put_large(_router, _sender):
    body = "".join(f"{address(n)}\n" for n in range(scaled(1_000_000)))
    return str(request("PUT", "/sets/large", "create large hash:ip maxelem 2000000\n" + "".join(f"add large {line}\n" for line in body.split()))[0])


def hashlimit_rules():
    return table(["-A FORWARD -p udp -m hashlimit --hashlimit-name h --hashlimit-mode srcip,dstip,srcport --hashlimit-upto 1/sec --hashlimit-htable-max 65536 -j DROP"])


def recent_rules():
    lines = ["-A FORWARD -p udp -m recent --set --name R"]
    return table(lines + ["-A FORWARD -p udp -m recent --rcheck --seconds 1 --hitcount 65535 --name R -j DROP"] * scaled(1000))


def seen_often(_router, sender):
    for _ in range(70000):
        sender.send()


MILLION = 1_000_000
U32 = '-m u32 --u32 "' + "&&".join(["0>>22&0x3C@4>>16=1:5"] * 5) + '"'
BPF = '-m bpf --bytecode "64,' + "4 0 0 1," * 63 + '6 0 0 0"'
WEAPONS = [
    Weapon("nothing", fire=lambda *_: time.sleep(0.1)),
    Weapon("chains that double", doubling, fire=packet()),
    Weapon("1,000 searches, 60 KB", repeated_rule("-m string --algo kmp --string aaab", 1000), fire=packet(60000)),
    Weapon("65,000 u32", repeated_rule(U32, 1000, 65), fire=packet()),
    Weapon("65,000 bpf", repeated_rule(BPF, 1000, 65), fire=packet()),
    Weapon("list of 10,000 sets", lambda: table(["-A FORWARD -p udp -m set --match-set all src -j DROP"] * 100), fire=packet(), sets=member_sets),
    Weapon("1,200 x 1,200 in a line", fire=cross_product),
    Weapon("connlimit, 100,000", lambda: table(["-A FORWARD -p udp -m connlimit --connlimit-above 2000000 -j DROP"]), lambda r, s: s.flows(scaled(100_000)), packet()),
    Weapon("hashlimit, full", hashlimit_rules, lambda r, s: s.flows(scaled(70_000)), packet()),
    Weapon("recent, 65,535 times", recent_rules, seen_often, packet()),
    Weapon("expiry of 1M in a set", prepare=fill_timed_sets, fire=lambda *_: "", once=True, seconds=10),
    Weapon("ipset flush of 1M", prepare=fill_set, fire=command("ipset", "flush", "large"), once=True),
    Weapon("ipset destroy of 1M", prepare=fill_set, fire=command("ipset", "destroy", "large"), once=True),
    Weapon("ipset save of 1M", prepare=fill_set, fire=command("ipset", "save"), once=True, seconds=15),
    Weapon("ipset restore of 1M", fire=fill_set, once=True, seconds=20),
    Weapon("PUT /sets of 1M", fire=put_large, once=True, seconds=15),
    Weapon("restore of 65,000 sets", fire=lambda router, _: restore(router, many_sets()), once=True, seconds=15),
    Weapon("list of 65,000 sets", prepare=lambda router, _: restore(router, many_sets()), fire=command("ipset", "list"), once=True, seconds=15),
    Weapon("destroy of 65,000 sets", prepare=lambda router, _: restore(router, many_sets()), fire=command("ipset", "destroy"), once=True),
    Weapon("conntrack -F of 1M", prepare=lambda r, s: s.flows(scaled(MILLION)), fire=command("conntrack", "-F"), once=True, seconds=10),
    Weapon("conntrack -D of 1M", prepare=lambda r, s: s.flows(scaled(MILLION)), fire=command("conntrack", "-D", "-p", "udp", "--dport", str(WEAPON_PORT)), once=True, seconds=20),
    Weapon("conntrack -L of 1M", prepare=lambda r, s: s.flows(scaled(MILLION)), fire=command("conntrack", "-L"), once=True, seconds=20),
    Weapon("iptables -L of 300,000", many_rules, fire=command("iptables", "-n", "-L"), seconds=15),
    Weapon("/rules of 300,000", many_rules, fire=lambda *_: str(request("GET", "/rules")[0]), seconds=15),
    Weapon("rules save of 300,000", many_rules, fire=command("rules", "save"), seconds=15),
    Weapon("one of 300,000 rules", many_rules, fire=command("iptables", "-A", "FORWARD", "-j", "ACCEPT"), seconds=10),
    Weapon("reload of 300,000", many_rules, fire=command("reload"), seconds=20),
]


# --- measuring -----------------------------------------------------------------------------------
class Firing(threading.Thread):
    def __init__(self, weapon, router, sender):
        super().__init__()
        self.weapon, self.router, self.sender = weapon, router, sender
        self.stopping, self.took, self.said = threading.Event(), [], ""

    def run(self):
        time.sleep(0.5)
        while not self.stopping.is_set() and not (self.weapon.once and self.took):
            before = time.monotonic()
            self.said = self.weapon.fire(self.router, self.sender) or self.said
            self.took.append(time.monotonic() - before)


def what_came_of_it(before, said):
    after = drops()
    grown = {reason: count - before.get(reason, 0) for reason, count in after.items() if count > before.get(reason, 0)}
    return ", ".join([said.strip()] * bool(said.strip()) + [f"{reason} {count}" for reason, count in grown.items()])[:90]


def measure(weapon, router, probe, seconds):
    sender = Sender()
    weapon.prepare(router, sender)
    settle()
    before = drops()
    firing = Firing(weapon, router, sender)
    firing.start()
    seen = live.probed(probe, weapon.seconds or seconds)
    firing.stopping.set()
    firing.join()
    turns = len(firing.took)
    each = 1000 * sum(firing.took) / max(1, turns)
    came = what_came_of_it(before, firing.said)
    print(f"{weapon.name:26} {turns:6} {each:9.1f} {seen['sent']:6} {seen['lost']:6} {seen['gap_ms']:9.2f} {seen['max'] / 1000:9.2f}   {came}", flush=True)


@contextlib.contextmanager
def router_with(weapon, program, probe):
    with tempfile.TemporaryDirectory(prefix=live.NAME) as name, contextlib.ExitStack() as stack:
        folder = pathlib.Path(name)
        (folder / "router.toml").write_text(CONFIG)
        (folder / "rules.v4").write_text(weapon.rules())
        (folder / "sets.ipset").write_text(weapon.sets())
        router = stack.enter_context(live.Router(program, folder).running())
        echo = stack.enter_context(subprocess.Popen(live.inside("s", probe, "echo", str(live.PORT_PROBE)), stdout=subprocess.PIPE, text=True))
        stack.callback(echo.kill)
        echo.stdout.readline()
        yield router


def main():
    global SCALE
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nsrouter")
    parser.add_argument("probe")
    parser.add_argument("--scale", type=float, default=1.0, help="of all sizes, to try it quickly")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--only", nargs="*", metavar="NAME", help="those whose name contains one of these")
    options = parser.parse_args()
    SCALE = options.scale
    print(f"{'weapon':26} {'times':>6} {'ms each':>9} {'sent':>6} {'lost':>6} {'gap ms':>9} {'max ms':>9}   what came of it")
    for weapon in WEAPONS:
        if options.only and not any(part in weapon.name for part in options.only):
            continue
        with router_with(weapon, options.nsrouter, options.probe) as router:
            measure(weapon, router, options.probe, options.seconds)


if __name__ == "__main__":
    sys.exit(main())
