"""Random sequences: endpoints that mostly behave, and now and then do what is hard to judge."""
import dataclasses
import random
import struct

import packets as p
from rules import RuleMaker

V4 = {"lan": ["10.9.1.2", "10.9.1.3"], "wan": ["198.51.100.7", "198.51.100.8"], "router": {"lan": "10.9.1.1", "wan": "198.51.100.1"}}
V6 = {"lan": ["fd09:1::2", "fd09:1::3"], "wan": ["2001:db8:9::7", "2001:db8:9::8"], "router": {"lan": "fd09:1::1", "wan": "2001:db8:9::1"}}
INTERFACES = {"lan": ["10.9.1.1/24", "fd09:1::1/64"], "wan": ["198.51.100.1/24", "2001:db8:9::1/64"]}
ROUTABLE = tuple(bytes.fromhex(prefix) for prefix in ("0a0901", "c63364", "fd09000100000000", "20010db800090000"))
OTHER = {"lan": "wan", "wan": "lan"}

STATES = "".join(f"-A FORWARD -m conntrack --ctstate {s}\n" for s in ("NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED"))


@dataclasses.dataclass(frozen=True)
class Event:
    """What an administrator does behind the packet before it: kind is ipv4 or ipv6 (a rules file), sysctl (name=value), conntrack or ip."""
    kind: str
    text: str


@dataclasses.dataclass
class Case:
    name: str
    interfaces: dict
    mtu: dict
    sysctls: dict
    rules_v4: str
    rules_v6: str
    steps: list  # (interface, bytes) or Event
    routes: list = ()  # as [[route]] has them
    sets: str = ""  # for `ipset restore`
    step_us: int = 500  # from packet to packet; from 4000 on the kernel gets them at this pace too

    @property
    def packets(self):
        return [step for step in self.steps if not isinstance(step, Event)]


def sequence(seed, length):
    rng = random.Random(seed)
    maker = _Maker(rng)
    while len(maker.out) < length:
        maker.step()
    paced = rng.random() < 0.1
    steps = maker.out[:length]
    if rng.random() < 0.3:
        for _ in range(rng.choice([1, 1, 2, 3])):
            at = rng.randrange(1, len(steps) + 1)
            steps[at:at] = _events(rng, paced)
    rules = _rules(rng) if rng.random() < 0.4 else [RuleMaker(rng, net, net is V6, paced).text() for net in (V4, V6)]
    return Case(f"seed {seed}", INTERFACES, {"lan": 1500, "wan": rng.choice([1500, 1500, 1400])}, _sysctls(rng), rules[0], rules[1], steps,
                step_us=10000 if paced else 500)


def _sysctls(rng):
    choices = {"tcp_be_liberal": [0, 0, 0, 1], "tcp_loose": [1, 1, 1, 0], "tcp_ignore_invalid_rst": [0, 0, 1], "checksum": [1, 1, 1, 0],
               "tcp_max_retrans": [3, 3, 1], "acct": [0, 1]}
    picked = {f"net.netfilter.nf_conntrack_{name}": rng.choice(values) for name, values in choices.items()}
    picked["net.netfilter.nf_conntrack_udp_timeout_stream"] = 120
    return picked


def _events(rng, paced):
    """What belongs together."""
    kind = rng.choice(["ipv4", "ipv6", "sysctl", "conntrack", "conntrack", "ip", "ip"])
    if kind in ("ipv4", "ipv6"):
        return [Event(kind, RuleMaker(rng, V6 if kind == "ipv6" else V4, kind == "ipv6", paced).text())]
    if kind == "sysctl":
        return [Event(kind, "net.netfilter.nf_conntrack_" + rng.choice(
            ["tcp_be_liberal=1", "tcp_be_liberal=0", "tcp_loose=0", "tcp_loose=1", "checksum=0", "checksum=1", "acct=1", "acct=0", "udp_timeout=77",
             "tcp_timeout_established=1000", "generic_timeout=50", "icmp_timeout=9", "tcp_max_retrans=0"]))]
    if kind == "conntrack":
        return [Event(kind, rng.choice(
            ["-F", "-D -p udp", "-D -p tcp", f"-D -s {rng.choice(V4['lan'])}", f"-D -d {rng.choice(V4['wan'])}", "-D -p udp --orig-port-src 1024", "-D -p icmp",
             "-D -p tcp --state ESTABLISHED", f"-D -q {V4['router']['wan']}", "-D -f ipv6 -p udp", f"-D -f ipv6 -s {rng.choice(V6['lan'])}", "-D -m 0x1/0x1", "-D -w 1",
             "-D -u ASSURED"]))]
    # Nothing that makes IPv4 unroutable: how often that is answered depends on ticks of the clock and on what else a peer was told.
    host = rng.choice(V4["wan"])
    return [Event(kind, text) for text in rng.choice([
        ["addr add 198.51.100.9/32 dev wan"], ["addr add 203.0.113.1/24 dev wan"], ["addr add 2001:db8:9::5/64 dev wan nodad"],
        ["addr add 203.0.113.1/24 dev wan", "addr del 198.51.100.1/24 dev wan", "route add 198.51.100.0/24 dev wan"],
        ["link set wan mtu 1300"], ["link set lan mtu 1400"], [f"route add blackhole {host}/32"], [f"route add unreachable {rng.choice(V6['wan'])}/128"],
        [f"route add {host}/32 via {V4['wan'][0]}"], [f"route add {host}/32 dev wan", f"route del {host}/32"]])]


def _rules(rng):
    """-> (iptables rules, ip6tables rules)"""
    both = []
    for v6 in (False, True):
        wan, inside = (V6 if v6 else V4)["router"]["wan"], (V6 if v6 else V4)["lan"][0]
        destination = f"[{inside}]:8080" if v6 else f"{inside}:8080"
        text = ""
        if rng.random() < 0.15:
            text += "*raw\n" + rng.choice(["-A PREROUTING -p udp -m udp --dport 53 -j CT --notrack\n", "-A PREROUTING -p tcp -m tcp --sport 22 -j CT --notrack\n"]) + "COMMIT\n"
        if rng.random() < 0.55:
            text += "*nat\n" + rng.choice([
                "-A POSTROUTING -o wan -j MASQUERADE\n",
                f"-A POSTROUTING -o wan -j SNAT --to-source {wan}\n",
                f"-A PREROUTING -i wan -p tcp -m tcp --dport 80 -j DNAT --to-destination {destination}\n-A POSTROUTING -o wan -j MASQUERADE\n",
                f"-A PREROUTING -i wan -p udp -m udp --dport 53 -j DNAT --to-destination {destination}\n",
                "-A PREROUTING -i lan -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128\n",
                ""]) + "COMMIT\n"
        text += "*filter\n" + STATES + rng.choice([
            "-A FORWARD -m conntrack --ctstate INVALID -j DROP\n",
            "-A FORWARD -m conntrack --ctstate INVALID -j DROP\n",
            "-A FORWARD -m conntrack --ctstate INVALID -j DROP\n-A FORWARD -i wan -m conntrack --ctstate NEW -j DROP\n",
            "-A FORWARD -p tcp -m tcp --dport 22 -j REJECT --reject-with tcp-reset\n-A FORWARD -p udp -m udp --dport 53 -j REJECT\n",
            ""]) + "COMMIT\n"
        both.append(text)
    return both


@dataclasses.dataclass
class _Tcp:
    hosts: dict     # side -> (address, port)
    seq: dict
    acked: dict     # highest sequence number that the other side has acknowledged
    win: dict
    scale: dict
    stage: int = 0


class _Maker:
    def __init__(self, rng):
        self.rng, self.out, self.flows = rng, [], []
        self.weights = {name: rng.choice([1, 3, 10]) for name in ("tcp", "udp", "echo", "error", "cut", "again", "broken", "router", "sctp", "udplite", "other", "extended")}
        self.weights["tcp"] *= 4
        self.v6_share = rng.choice([0, 0, 0.3, 1])
        self.wild = rng.choice([0.05, 0.2, 0.5])

    def step(self):
        name = self.rng.choices(list(self.weights), self.weights.values())[0]
        getattr(self, name)()

    def put(self, side, data):
        self.out.append((side, data))

    def net(self):
        return V6 if self.rng.random() < self.v6_share else V4

    def pair(self):
        """A side that sends, its host, a host of the other side."""
        net, side = self.net(), self.rng.choice(["lan", "lan", "wan"])
        return side, self.rng.choice(net[side]), self.rng.choice(net[OTHER[side]])

    # --- TCP: two endpoints that keep count, with wild segments around the edges of their windows ---
    def tcp(self):
        if not self.flows or (len(self.flows) < 4 and self.rng.random() < 0.1):
            side, a, b = self.pair()
            hosts = {side: (a, self.rng.choice([1025, 2000, 40000])), OTHER[side]: (b, self.rng.choice([80, 22, 8080]))}
            isn = lambda: self.rng.choice([1000, 0xFFFFFF00, self.rng.randrange(1 << 32)])  # noqa: E731
            self.flows.append(_Tcp(hosts, {s: isn() for s in hosts}, {s: 0 for s in hosts}, {s: self.rng.choice([1, 100, 1000, 65535]) for s in hosts},
                                   {s: self.rng.choice([None, None, 0, 7, 15]) for s in hosts}))
            self.flows[-1].opener = side
        flow = self.rng.choice(self.flows)
        if self.rng.random() < self.wild:
            self.wild_segment(flow)
        else:
            self.good_segment(flow)
        if self.rng.random() < 0.03:
            flow.stage = 0  # the ports are used again

    def segment(self, flow, side, flags, seq, ack, length=0, options=b""):
        (a, sport), (b, dport) = flow.hosts[side], flow.hosts[OTHER[side]]
        win = flow.win[side]
        self.put(side, p.tcp(a, sport, b, dport, flags, seq, ack if flags & p.ACK else self.rng.choice([0, ack]), win, b"x" * length, options,
                             ident=self.rng.randrange(65536), df=True))

    def syn_options(self, flow, side):
        options = self.rng.choice([b"", b"\2\4\5\xb4", b"\4\2\1\1"])
        if flow.scale[side] is not None:
            options += b"\1\3\3" + bytes([flow.scale[side]])
        return options

    def good_segment(self, flow):
        opener, other, rng = flow.opener, OTHER[flow.opener], self.rng
        if flow.stage == 0:
            flow.seq[opener] = (flow.seq[opener] + rng.choice([1, 70000, -5])) & 0xFFFFFFFF
            self.segment(flow, opener, p.SYN, flow.seq[opener], 0, options=self.syn_options(flow, opener))
            flow.stage = 1
        elif flow.stage == 1:
            self.segment(flow, other, p.SYN | p.ACK, flow.seq[other], flow.seq[opener] + 1, options=self.syn_options(flow, other))
            flow.stage = 2
        elif flow.stage == 2:
            for side in (opener, other):
                flow.seq[side] = (flow.seq[side] + 1) & 0xFFFFFFFF
            self.segment(flow, opener, p.ACK, flow.seq[opener], flow.seq[other])
            flow.stage = 3
        else:
            side = rng.choice([opener, other])
            length = rng.choice([0, 0, 1, 10, 100])
            fin = p.FIN if rng.random() < 0.12 else 0
            self.segment(flow, side, p.ACK | fin | rng.choice([0, p.PSH]), flow.seq[side], flow.seq[OTHER[side]], length)
            flow.seq[side] = (flow.seq[side] + length + (1 if fin else 0)) & 0xFFFFFFFF

    def wild_segment(self, flow):
        rng = self.rng
        side = rng.choice(list(flow.hosts))
        window = flow.win[OTHER[side]] << min(14, flow.scale[OTHER[side]] or 0)
        edges = [0, 1, -1, -100, window, window + 1, window - 1, 2 * window, 2 * window + 1, -window, -window - 1, 1 << 20, 1 << 31]
        flags = rng.choice([p.ACK, p.ACK, p.RST, p.RST | p.ACK, p.SYN, p.SYN | p.ACK, p.FIN | p.ACK, p.FIN, 0, p.SYN | p.FIN, p.ACK | p.URG, p.PSH, 0x3F])
        seq, ack = flow.seq[side] + rng.choice(edges), flow.seq[OTHER[side]] + rng.choice(edges + [0] * 8)
        options = rng.choice([b"", b"", self.syn_options(flow, side), b"\1\1\5\x0a" + struct.pack("!II", (ack + 1) & 0xFFFFFFFF, (ack + 50) & 0xFFFFFFFF), b"\3", b"\2\0"])
        if rng.random() < 0.1:
            flow.win[side] = rng.choice([0, 1, 100, 65535])
        self.segment(flow, side, flags, seq, ack, rng.choice([0, 0, 1, 20]), options)

    # --- the others ---
    def udp(self):
        side, a, b = self.pair()
        ports = self.rng.choice([(1024, 53), (53, 1024), (5000, 5000), (500, 53), (53, 500)])
        self.put(side, p.udp(a, ports[0], b, ports[1], b"d" * self.rng.choice([0, 1, 5, 40]), ident=self.rng.randrange(65536), tos=self.rng.choice([0, 0, 8])))

    def echo(self):
        side, a, b = self.pair()
        kind = self.rng.choice([128, 129] if ":" in a else [8, 0, 8, 0, 13, 17, 14, 30])
        self.put(side, p.icmp(a, b, kind, self.rng.choice([0, 0, 0, 3]), self.rng.choice([1, 2]) << 16 | self.rng.randrange(9), b"ping" * self.rng.choice([0, 3])))

    def sctp(self):
        side, a, b = self.pair()
        if ":" in a:
            return
        chunk = self.rng.choice([1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 14])
        body = struct.pack("!HHII", 2000, 3000, self.rng.choice([0, 1, 2]), 0) + struct.pack("!BBH", chunk, self.rng.choice([0, 1]), 20) + struct.pack("!IIHHI"[:5], self.rng.choice([1, 2]), 1000, 1, 1) + b"\0\0\0\0"
        self.put(side, p.ip(p.SCTP, a, b, body[:8] + struct.pack("<I", p.crc32c(body)) + body[12:]))

    def udplite(self):
        side, a, b = self.pair()
        coverage = self.rng.choice([0, 8, 8, 12, 16, 7, 100])
        body = struct.pack("!HHHH", 1024, 53, coverage, 0) + b"lite" * self.rng.choice([0, 2])
        covered = body[: coverage or len(body)]
        value = ~p.total(p.pseudo(a, b, p.UDPLITE, len(body)) + covered) & 0xFFFF or 0xFFFF
        if self.rng.random() < 0.1:
            value ^= 1
        self.put(side, p.ip(p.UDPLITE, a, b, body[:6] + struct.pack("!H", value) + body[8:]))

    def other(self):
        """GRE of both versions, and protocols that the tracker knows nothing about."""
        side, a, b = self.pair()
        gre = self.rng.choice([struct.pack("!HH", 0, 0x0800), struct.pack("!HHI", 0x2000, 0x0800, 7), struct.pack("!HHHHI", 0x3001, 0x880B, 4, self.rng.choice([1, 2]), 9),
                               struct.pack("!HHHHII", 0x3081, 0x880B, 4, self.rng.choice([1, 2]), 9, 9), struct.pack("!HHHH", 0x2001, 0x880B, 0, 1)])
        kind, body = self.rng.choice([(47, gre), (47, gre), (50, struct.pack("!II", 5, self.rng.randrange(9))), (89, b"route"), (4, b"inner"), (33, struct.pack("!HHBBHIH", 5, 6, 4, 0, 0, 1, 0))])
        self.put(side, p.ip(kind, a, b, body + b"data"))

    def extended(self):
        """IPv6 with destination options or an atomic fragment before the transport header."""
        side = self.rng.choice(["lan", "wan"])
        a, b = self.rng.choice(V6[side]), self.rng.choice(V6[OTHER[side]])
        plain = self.rng.choice([p.udp(a, 1024, b, 53, b"ext"), p.tcp(a, 1025, b, 80, p.SYN, 7), p.icmp(a, b, 128, 0, 1 << 16, b"ping")])
        kind, header = self.rng.choice([(60, struct.pack("!BBBBI", plain[6], 0, 1, 4, 0)), (44, struct.pack("!BBHI", plain[6], 0, 0, 77)),
                                        (60, struct.pack("!BBBB", plain[6], 1, 1, 12) + bytes(12))])
        self.put(side, plain[:4] + struct.pack("!H", len(plain) - 40 + len(header)) + bytes([kind]) + plain[7:40] + header + plain[40:])

    def error(self):
        """An ICMP error about a packet of this history, mostly quoting it right."""
        if not self.out:
            return
        side, original = self.rng.choice(self.out[-12:])
        view = p.View(original)
        if view.l4 is None or view.protocol is None:
            return
        v6 = view.version == 6
        net = V6 if v6 else V4
        quoted = bytearray(original[: view.l4 + self.rng.choice([8, 8, 8, 20, 4, 0, 200])])
        if self.rng.random() < 0.2:
            at = self.rng.randrange(len(quoted))
            quoted[at] ^= 1 << self.rng.randrange(8)
        kind, code = self.rng.choice([(1, 4), (2, 0), (3, 0), (4, 1), (1, 0)] if v6 else [(3, 3), (3, 1), (3, 4), (11, 0), (4, 0), (5, 1), (12, 0), (3, 13)])
        sender = self.rng.choice(net[OTHER[side]])
        receiver = self.rng.choice([str(_address(view.source))] * 4 + [net["router"][OTHER[side]], net[side][0]])
        if receiver.startswith("::") or not receiver:
            return
        if kind == 2 and receiver in net["router"].values():
            return  # a kernel host takes it for its own path MTU and forwards by that; see pmtu-not-learned
        self.put(OTHER[side], p.icmp(sender, receiver, kind, code, 1280 if kind in (2, 3) else 0, bytes(quoted)))

    def cut(self):
        """A datagram in fragments, in some order, now and then one twice, lost, or overlapping."""
        side, a, b = self.pair()
        ident = self.rng.choice([7, 8, self.rng.randrange(1 << 16)])
        size = self.rng.choice([64, 100, 1000, 3000])
        whole = self.rng.choice([
            p.udp(a, 1024, b, 53, b"f" * size, ident=ident),
            p.icmp(a, b, 128 if ":" in a else 8, 0, 1 << 16, b"p" * size, ident=ident)])
        pieces = p.fragments(whole, [8 * self.rng.randrange(1, size // 8) for _ in range(self.rng.choice([1, 2, 3]))], ident)
        how = self.rng.random()
        if how < 0.3:
            self.rng.shuffle(pieces)
        elif how < 0.4:
            pieces.insert(self.rng.randrange(len(pieces)), self.rng.choice(pieces))
        elif how < 0.5:
            pieces.pop(self.rng.randrange(len(pieces)))
        elif how < 0.65:
            pieces.insert(self.rng.randrange(len(pieces)), self.rng.choice(p.fragments(whole, [8 * self.rng.randrange(1, size // 8)], ident)))
        for piece in pieces:
            self.put(side, piece)

    def again(self):
        if self.out:
            self.put(*self.rng.choice(self.out[-20:]))

    def broken(self):
        """A packet of this history with a flipped bit or a cut end; the IPv4 header checksum mostly mended."""
        if not self.out:
            return
        side, original = self.rng.choice(self.out[-20:])
        data = bytearray(original)
        if self.rng.random() < 0.3 and len(data) > 1:
            del data[self.rng.randrange(1, len(data)):]
        else:
            data[self.rng.randrange(len(data))] ^= 1 << self.rng.randrange(8)
        length = (data[0] & 15) * 4
        if data[0] >> 4 == 4 and 20 <= length <= len(data) and self.rng.random() < 0.8:
            data[10:12] = b"\0\0"
            data[10:12] = struct.pack("!H", ~p.total(bytes(data[:length])) & 0xFFFF)
        if not _unfair(bytes(data)):
            self.put(side, bytes(data))

    def router(self):
        net, side = self.net(), self.rng.choice(["lan", "wan"])
        a, b = self.rng.choice(net[side]), net["router"][self.rng.choice(["lan", "wan"])]
        self.put(side, self.rng.choice([
            p.udp(a, 1024, b, 53, b"r"),
            p.icmp(a, b, 128 if ":" in a else 8, 0, 1 << 16 | 5, b"ping"),
            p.tcp(a, 1025, b, 80, self.rng.choice([p.SYN, p.ACK, p.RST, p.FIN | p.ACK]), 5, 9),
            p.udp(a, 1024, self.rng.choice(net[OTHER[side]]), 53, b"ttl", ttl=self.rng.choice([1, 2]))]))


def _unfair(data):
    """Packets whose fate a host decides with more than a router's state: multicast and loopback addresses, unspecified ones, neighbour
    discovery and MLD, hop-by-hop options, IPv4 options, protocols a kernel host answers in ways of its own; and unroutable ones, about which
    it sends a limited number of errors that depends on what else it knows of the peer."""
    view = p.View(data)
    if view.l4 is None:
        return False
    if not view.destination.startswith(ROUTABLE):
        return True
    first = (view.source[0], view.destination[0])
    if any(octet in (0, 127, 0xFF) or 224 <= octet <= 239 and view.version == 4 for octet in first):
        return True
    if view.version == 6 and (any(x[0] == 0xFE for x in (view.source, view.destination)) or data[6] in (0, 43, 60, 51)):
        return True
    if view.version == 4 and (data[0] & 15) > 5:
        return True
    if view.protocol == p.ICMPV6 and view.body[:1] and 130 <= view.body[0] <= 143:
        return True
    return view.protocol not in (p.TCP, p.UDP, p.ICMP, p.ICMPV6, p.SCTP, p.UDPLITE)


def _address(raw):
    import ipaddress
    return ipaddress.ip_address(bytes(raw))
