"""Every cell of the TCP state table: direction x kind of segment x state, each in a connection of its own.

The connection is led into the state, the segment is sent in one of several shapes, and a last plain segment shows what became of it. The
table compared at the end holds the state and the timeout of every cell.
"""
import itertools

import generate
import packets as p

ORIGINAL, REPLY = "lan", "wan"
SA, FA, RA = p.SYN | p.ACK, p.FIN | p.ACK, p.RST | p.ACK
OPEN = [(ORIGINAL, p.SYN), (REPLY, SA), (ORIGINAL, p.ACK)]
WAYS = {
    "NONE": [],
    "SYN_SENT": OPEN[:1],
    "SYN_SENT2": [(ORIGINAL, p.SYN), (REPLY, p.SYN)],
    "SYN_RECV": OPEN[:2],
    "ESTABLISHED": OPEN,
    "ESTABLISHED, data acknowledged": [*OPEN, (ORIGINAL, p.ACK | p.PSH), (REPLY, p.ACK), (REPLY, p.ACK | p.PSH), (ORIGINAL, p.ACK)],
    "FIN_WAIT": [*OPEN, (ORIGINAL, FA)],
    "FIN_WAIT by the responder": [*OPEN, (REPLY, FA)],
    "CLOSE_WAIT": [*OPEN, (ORIGINAL, FA), (REPLY, p.ACK)],
    "LAST_ACK": [*OPEN, (ORIGINAL, FA), (REPLY, p.ACK), (REPLY, FA)],
    "TIME_WAIT": [*OPEN, (ORIGINAL, FA), (REPLY, p.ACK), (REPLY, FA), (ORIGINAL, p.ACK)],
    "CLOSE before it opened": [(ORIGINAL, p.SYN), (REPLY, RA)],
    "CLOSE by the initiator": [*OPEN, (ORIGINAL, p.RST)],
    "CLOSE by the responder": [*OPEN, (REPLY, RA)],
    "picked up": [(ORIGINAL, p.ACK)],
}
SEGMENTS = {"SYN": p.SYN, "SYN-ACK": SA, "FIN": FA, "ACK": p.ACK, "RST": p.RST, "RST-ACK": RA, "none": 0, "SYN-ACK-FIN": SA | p.FIN, "SYN-RST": p.SYN | p.RST, "SYN-FIN": p.SYN | p.FIN}
# (what is added to the right sequence number, to the right acknowledgement number, payload bytes)
SHAPES = {"right": (0, 0, 0), "data": (0, 0, 10), "early": (-70000, 0, 0), "beyond": (200000, 0, 0), "ack of nothing": (0, 70000, 0), "ack long ago": (0, -200000, 0),
          "next": (1, 0, 0), "last": (-1, 0, 0)}
AFTER = {"nothing more": [], "answer": [(REPLY, p.ACK)], "go on": [(ORIGINAL, p.ACK)]}
SYSCTLS = [{}, {"tcp_be_liberal": 1}, {"tcp_loose": 0}, {"tcp_ignore_invalid_rst": 1}]


def cases(only=""):
    """One case per family, shape of the segment, what follows it, and sysctl."""
    for v6, shape, after, sysctls in itertools.product((False, True), [only] if only else SHAPES, AFTER, SYSCTLS):
        if not v6 or (not sysctls and after == "nothing more"):
            yield case(v6, shape, after, sysctls)


def case(v6, shape, after, sysctls):
    net = generate.V6 if v6 else generate.V4
    packets = []
    for port, (way, kind, side) in enumerate(itertools.product(WAYS, SEGMENTS, (ORIGINAL, REPLY)), 10000):
        packets += _cell(net, port, WAYS[way], side, SEGMENTS[kind], SHAPES[shape], AFTER[after])
    settings = {f"net.netfilter.nf_conntrack_{name}": value for name, value in sysctls.items()}
    settings["net.netfilter.nf_conntrack_acct"] = 1
    rules = "*filter\n" + generate.STATES + "-A FORWARD -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n"
    name = f"cells: IPv{6 if v6 else 4}, {shape}, {after}, {sysctls or 'defaults'}"
    return generate.Case(name, generate.INTERFACES, {"lan": 1500, "wan": 1500}, settings, rules, rules, packets)


def _cell(net, port, way, side, flags, shape, after):
    hosts = {ORIGINAL: (net["lan"][0], port), REPLY: (net["wan"][0], 80)}
    seq = {ORIGINAL: 1000000, REPLY: 5000000}
    out = []

    def send(side, flags, seq_off=0, ack_off=0, length=0):
        other = generate.OTHER[side]
        data = p.tcp(*hosts[side], *hosts[other], flags, seq[side] + seq_off, seq[other] + ack_off if flags & p.ACK else 0, 1000, b"x" * length, df=True)
        out.append((side, data))
        seq[side] += length + bool(flags & p.SYN) + bool(flags & p.FIN)

    for who, what in way:
        send(who, what, length=10 if what & p.PSH else 0)
    send(side, flags, *shape)
    for who, what in after:
        send(who, what)
    return out
