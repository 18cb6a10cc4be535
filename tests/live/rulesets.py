"""Random packets for the whole rule files of tests/rulesets: between the addresses and to the ports that the rules speak of, and answers to them."""
import ipaddress
import pathlib
import random
import re
import tomllib

import packets as p
from generate import Case

ROOT = pathlib.Path(__file__).resolve().parents[1] / "rulesets"
# Of rules with these the two sides cannot be asked the same: chance, the time of day, rates (the kernel's clock does not wait), helpers, and what no iptables knows.
LEFT_OUT = re.compile(r"-m statistic --mode random|-m time |-m (hash)?limit |-j CT --helper|-j FLOWOFFLOAD|--random")
OUTSIDE = {4: ["198.51.100.9", "203.0.113.9", "192.0.2.77", "224.0.0.251"], 6: ["2001:db8:9::9", "2001:db8:bad::7", "fe80::77", "fe80::78"]}
PORTS = [22, 80, 443, 4000, 8080, 33000]
MSS = b"\x02\x04\x05\xb4"


def names():
    return sorted(path.parent.name for path in ROOT.glob("*/router.toml"))


def case(name, seed, length=120):
    return _Maker(name, random.Random(f"{name} {seed}")).case(f"{name} {seed}", length)


def _text(path):
    """Without what is left out, counters at zero as iptables-restore has them."""
    lines = path.read_text().splitlines() if path.exists() else []
    return "".join(re.sub(r"^(:.*) \[.*", r"\1 [0:0]", line) + "\n" for line in lines if not LEFT_OUT.search(line))


class _Maker:
    def __init__(self, name, rng):
        self.rng, folder = rng, ROOT / name
        with open(folder / "router.toml", "rb") as file:
            self.config = tomllib.load(file)
        self.rules = {4: _text(folder / "rules.v4"), 6: _text(folder / "rules.v6")}
        self.sets = (folder / "sets").read_text() if (folder / "sets").exists() else ""
        self.interfaces = {link["name"]: link["address"] for link in self.config["interface"]}
        self.families = [v for v in (4, 6) if any(self.own(link, v) for link in self.interfaces)]
        self.ports = sorted({int(port) for port in re.findall(r"port[s]? (?:\d+,)*(\d+)", self.rules[4])} | set(PORTS))
        self.sent = []  # (interface, version, protocol, source, sport, destination, dport)

    def case(self, title, length):
        steps = [self.answer() if self.sent and self.rng.random() < 0.35 else self.first() for _ in range(length)]
        mtu = {link["name"]: link.get("mtu", 1500) for link in self.config["interface"]}
        return Case(title, self.interfaces, mtu, {"net.netfilter.nf_conntrack_udp_timeout_stream": 120}, self.rules[4], self.rules[6], steps,
                    routes=self.config.get("route", []), sets=self.sets)

    def own(self, interface, version):
        found = [ipaddress.ip_interface(text) for text in self.interfaces[interface]]
        return [address for address in found if address.version == version]

    def some_address(self, version):
        """One that the rules speak of, the router's own, a neighbour's, or one from outside."""
        networks = [ipaddress.ip_network(text, strict=False) for text in
                    re.findall(r" -[sd] (\S+)|(?<=to-destination )\[?([0-9a-f.:]+?)\]?(?::\d+)?$", self.rules[version], re.M) for text in text if text]
        networks += [ipaddress.ip_network(x.split()[2], strict=False) for x in self.sets.splitlines() if x.startswith("add")]
        own = [address for link in self.interfaces for address in self.own(link, version)]
        kind = self.rng.randrange(5)
        if kind == 0:
            return str(self.rng.choice(own).ip)
        if kind == 1:
            return self.within(self.rng.choice(own).network)
        networks = [network for network in networks if network.version == version and not network.is_link_local]
        return self.within(self.rng.choice(networks)) if kind < 4 and networks else self.rng.choice(OUTSIDE[version])

    def within(self, network):
        """A host of it."""
        hosts = network.num_addresses - 2
        return str(network[self.rng.randint(1, min(hosts, 250)) if hosts > 0 else 0])

    def first(self):
        version = self.rng.choice(self.families)
        interface = self.rng.choice([link for link in self.interfaces if self.own(link, version)])
        near = self.rng.random() < 0.6
        source = self.within(self.rng.choice(self.own(interface, version)).network) if near else self.some_address(version)
        if source in {str(address.ip) for link in self.interfaces for address in self.own(link, version)}:
            source = OUTSIDE[version][0]
        kind = self.rng.choice([p.TCP, p.TCP, p.TCP, p.UDP, p.ICMP])
        flow = (interface, version, kind, source, self.rng.choice([500, 4000, 40000, 40001]), self.some_address(version), self.rng.choice(self.ports))
        self.sent.append(flow)
        return self.packet(*flow)

    def answer(self):
        """As the other end would send it, by some interface, to the client or to the router that stood for it."""
        _, version, kind, source, sport, destination, dport = self.rng.choice(self.sent)
        interface = self.rng.choice([link for link in self.interfaces if self.own(link, version)])
        if self.rng.random() < 0.5:
            source = str(self.own(interface, version)[0].ip)
        return self.packet(interface, version, kind, destination, dport, source, sport, back=True)

    def packet(self, interface, version, kind, source, sport, destination, dport, back=False):
        if kind == p.TCP:
            flags = p.SYN | p.ACK if back else self.rng.choice([p.SYN] * 6 + [p.ACK, p.RST])
            return interface, p.tcp(source, sport, destination, dport, flags, 1000, 1001 if flags != p.SYN else 0, options=MSS if flags & p.SYN else b"")
        if kind == p.UDP:
            return interface, p.udp(source, sport, destination, dport, b"some text")
        echo = (0 if back else 8) if version == 4 else (129 if back else 128)
        return interface, p.icmp(source, destination, echo, 0, sport << 16 | 1, b"some text")
