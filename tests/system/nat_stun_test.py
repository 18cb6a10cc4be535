#!/usr/bin/env python3
"""NATs as STUN programs see them: each profile is what docs/nat-behaviour.md says of it.

    nat_stun_test.py NSROUTER

Needs root, coturn (turnserver, turnutils_natdiscovery: RFC 5780) and stun-client (stun: RFC 3489). One router has a
network for each profile; outside is a server with two addresses and two ports. All programs run at the same time: most of
theirs they wait for answers that a filter keeps out.
"""
import functools
import re
import subprocess
import sys
import threading

import harness
import nat_profiles
from nat_profiles import ADDRESS, BOTH, ENDPOINT

RFC_5780 = {ENDPOINT: "Endpoint Independent", ADDRESS: "Address Dependent", BOTH: "Address and Port Dependent"}
RFC_3489 = {ENDPOINT: "Independent Filter", ADDRESS: "Address Dependent Filter", BOTH: "Port Dependent Filter"}


# --- what the programs should say ---
def discovery_of(profile):
    """[mapping, filtering]"""
    return [f"{RFC_5780[profile.mapping]} Mapping", f"{RFC_5780[profile.filtering]} Filtering"] if profile.udp else []


def class_of(profile):
    """RFC 3489 knows no filters of NATs that map by destination."""
    if not profile.udp:
        return "Blocked or could not reach STUN server"
    kind = f"Independent Mapping, {RFC_3489[profile.filtering]}" if profile.mapping == ENDPOINT else "Dependent Mapping"
    return f"{kind}, {'preserves ports' if profile.ports.startswith('preserve') else 'random port'}"


def hairpin_of(profile):
    """stun sends to its own outside endpoint; nothing where a filter may keep that out."""
    if profile.hairpin == "no" or not profile.udp:
        return False
    return True if profile.filtering == ENDPOINT else None


# --- what they say ---
def serve(h, side):
    """coturn with two addresses of each family; returns when it listens everywhere."""
    for address in (side.outside[4] + "3/24", side.outside[6] + "3/64"):
        nodad = ["nodad"] if ":" in address else []
        subprocess.run(["ip", "-n", h.netns("outside"), "address", "add", address, "dev", side.name, *nodad], check=True)
    listen = [word for host in (2, 3) for family in (4, 6) for word in ("-L", f"{side.outside[family]}{host}")]
    options = f"-n -S -z -p 3478 --alt-listening-port 3479 --no-cli --no-tcp --no-tls --no-dtls -m 1 -v -l stdout --pidfile {h.folder}/pid --db {h.folder}/db"
    server = subprocess.Popen(["ip", "netns", "exec", h.netns("outside"), "turnserver", *listen, *options.split()], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    h.stack.callback(lambda: (server.kill(), server.wait()))
    alarm = threading.Timer(20, server.kill)
    alarm.start()
    opened = 0
    for line in server.stdout:
        opened += "UDP listener opened" in line
        if opened == len(listen):  # two addresses and two ports in two families
            break
    alarm.cancel()
    threading.Thread(target=server.stdout.read, daemon=True).start()
    h.check("coturn listens", opened == len(listen), opened)


def begin(h, netns, *command):
    return subprocess.Popen(["ip", "netns", "exec", h.netns(netns), *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


class Asked:
    """The programs of one profile, while they run."""

    def __init__(self, h, side, profile):
        self.h, self.profile = h, profile
        netns, server = side.netns(profile), {family: side.outside[family] + "2" for family in (4, 6)}
        self.discoveries = {family: begin(h, netns, "turnutils_natdiscovery", "-m", "-f", server[family]) for family in (4, 6)}
        self.begin_stun = functools.partial(begin, h, netns, "stun", server[4])
        self.stun = self.begin_stun()

    def discovered(self, family):
        said = self.discoveries[family].communicate(timeout=60)[0]
        found = re.findall("^NAT with (.*)!$", said, re.M)
        self.h.check(f"{self.profile.name}, IPv{family}: discovered to be what it is", found == discovery_of(self.profile), said)
        return found

    def classified(self):
        said = self.stun.communicate(timeout=60)[0]
        if "could not reach" in said:  # no NAT here keeps the server away, but a busy machine may
            said = self.begin_stun().communicate(timeout=60)[0]
        primary = re.search("^Primary: (.*?)(?:, (will|no) hairpin)?\\s*$", said, re.M)
        found = primary.group(1) if primary else ""
        self.h.check(f"{self.profile.name}: classified as what it is", found == class_of(self.profile), said)
        hairpin = bool(primary and primary.group(2) == "will")
        self.h.check(f"{self.profile.name}: hairpins or not", hairpin_of(self.profile) in (None, hairpin), said)
        return found


def row(asked):
    mapping, filtering = [found.rpartition(" ")[0] for found in asked.discovered(4)] or ["-", "-"]
    asked.discovered(6)
    return f"| `{asked.profile.name}` | {mapping} | {filtering} | {asked.classified()} |"


def test(h):
    side = nat_profiles.Side(h, nat_profiles.checked(h))
    h.start(side.write())
    serve(h, side)
    rows = [row(asked) for asked in [Asked(h, side, profile) for profile in side.profiles]]
    table = "\n".join(["| profile | natdiscovery: mapping | filtering | stun |", "|---|---|---|---|", *rows])
    print(table)
    h.check("the document shows this table", table in nat_profiles.DOCUMENT.read_text())


if __name__ == "__main__":
    sys.exit(harness.main(test, tools=("ip", "turnserver", "turnutils_natdiscovery", "stun")))
