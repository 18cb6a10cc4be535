"""IPv6 extension headers and IPv4 options: right, odd and broken ones, to the router, through it, and in what it answers.

Each case is a few hundred packets that nothing connects, so that a difference shrinks to one of them.
"""
import random
import struct

import generate
import packets as p

HOP_BY_HOP, ROUTING, AH, DESTINATION, NO_NEXT, MOBILITY = 0, 43, 51, 60, 59, 135
PAD1, PADN, ROUTER_ALERT, IOAM, CALIPSO, JUMBO, HOME_ADDRESS = 0, 1, 5, 49, 7, 194, 201
NOP, RECORD_ROUTE, TIMESTAMP, LOOSE, STRICT, ALERT, CIPSO = 1, 7, 68, 131, 137, 148, 134


def case(seed, length=200):
    rng = random.Random(seed)
    make = rng.choice([_ipv6, _ipv6, _ipv4])
    settings = {"net.netfilter.nf_conntrack_acct": 0}
    return generate.Case(f"headers {seed}", generate.INTERFACES, {"lan": 1500, "wan": 1500}, settings, "", "", [make(rng) for _ in range(length)])


# --- IPv6 ---
def _ipv6(rng):
    side = rng.choice(["lan", "wan"])
    net = generate.V6
    source = rng.choice(net[side])
    destination = rng.choice([net["router"][side], net["router"]["wan"], rng.choice(net[generate.OTHER[side]]), "ff02::1", "ff05::7"])
    protocol, body = _transport(rng, source, destination)
    for _ in range(rng.choice([1, 1, 1, 2, 2, 3])):
        protocol, body = _extension(rng, protocol, body)
    if protocol != HOP_BY_HOP and rng.random() < 0.15:
        protocol, body = p.FRAGMENT, _atomic(rng, protocol) + body
    if rng.random() < 0.1:
        body = body[: rng.randrange(len(body) + 1)]
    packet = bytearray(p.ip(protocol, source, destination, body, ttl=rng.choice([64, 64, 64, 1])))
    if rng.random() < 0.05:
        packet[4:6] = struct.pack("!H", rng.choice([0, len(body) - 8 & 0xFFFF, len(body) + 8]))
    return side, bytes(packet)


def _transport(rng, source, destination):
    kind = rng.choice(["echo", "echo", "echo", "udp", "tcp", "none", "unknown"])
    if kind in ("none", "unknown"):
        return {"none": NO_NEXT, "unknown": 253}[kind], b"\0" * rng.choice([0, 8])
    built = {"echo": lambda: p.icmp(source, destination, 128, 0, rng.getrandbits(32), b"data"), "udp": lambda: p.udp(source, 4000, destination, 53, b"data"),
             "tcp": lambda: p.tcp(source, 4000, destination, 80, p.SYN, 1)}[kind]()
    return built[6], built[40:]


def _extension(rng, protocol, body):
    """One more header in front: its own protocol number, and the bytes."""
    kind = rng.choice([HOP_BY_HOP, HOP_BY_HOP, DESTINATION, DESTINATION, ROUTING, ROUTING, AH, MOBILITY])
    if kind in (HOP_BY_HOP, DESTINATION):
        options = _options(rng)
        head = bytes([protocol, len(options) // 8 if rng.random() < 0.95 else rng.randrange(4)]) + options
    elif kind == ROUTING:
        addresses = rng.choice([0, 1, 1, 2])
        head = struct.pack("!BBBBI", protocol, addresses * 2 if rng.random() < 0.9 else rng.randrange(5), rng.choice([0, 1, 2, 2, 3, 4, 253]), rng.choice([0, 0, 1, 2, 9]), 0)
        head += p.ipaddress.ip_address("fd09:1::77").packed * addresses
    elif kind == AH:
        head = struct.pack("!BBHIII", protocol, rng.choice([2, 2, 1]), 0, 77, 1, 0)
    else:
        head = struct.pack("!BBBBHH", protocol, 0, rng.choice([1, 99]), 0, 0, 0)
    return kind, head + body


def _atomic(rng, protocol):
    """A fragment header of a whole datagram. Not behind others: what tracking leaves of such a packet, the kernel misreads."""
    return struct.pack("!BBHI", protocol, rng.choice([0, 0, 255]), rng.choice([0, 0, 6]), rng.getrandbits(32))


def _options(rng):
    """What follows the two bytes of next header and length, six bytes and a multiple of eight."""
    out = b"".join(_option(rng) for _ in range(rng.choice([1, 1, 2, 3, 9])))
    missing = (6 - len(out)) % 8
    return out + rng.choice([b"\0" * missing, bytes([PADN, missing - 2]) + b"\0" * (missing - 2) if missing >= 2 else b"\0" * missing])


def _option(rng):
    kind = rng.choice([PAD1, PADN, PADN, ROUTER_ALERT, IOAM, CALIPSO, JUMBO, JUMBO, HOME_ADDRESS, 0x1E, 0x1E, 0x5E, 0x9E, 0xDE])
    if kind == PAD1:
        return b"\0" * rng.randrange(1, 9)
    if kind == PADN:
        size = rng.randrange(8)
        return bytes([PADN, size]) + bytes(rng.choice([0, 0, 0, 0, 1]) if rng.random() < 0.1 else 0 for _ in range(size))
    if kind == JUMBO:
        align = rng.choice([b"", b"", b"\0\0", b"\0"])
        return align + bytes([JUMBO, rng.choice([4, 4, 4, 2])]) + struct.pack("!I", rng.choice([0, 100, 65535, 65536, 70000, 0xFFFFFFFF]))
    size = {ROUTER_ALERT: 2, IOAM: 2, CALIPSO: 8, HOME_ADDRESS: 16}.get(kind, rng.randrange(6))
    size = size if rng.random() < 0.8 else rng.randrange(20)
    return bytes([kind, size]) + rng.randbytes(size)


# --- IPv4 ---
def _ipv4(rng):
    side = rng.choice(["lan", "wan"])
    net = generate.V4
    source = rng.choice(net[side])
    destination = rng.choice([net["router"][side], net["router"]["wan"], rng.choice(net[generate.OTHER[side]])])
    kind = rng.choice(["echo", "echo", "echo", "time", "udp", "tcp", "unknown"])
    body = {"echo": lambda: p.icmp(source, destination, 8, 0, 7, b"data"), "time": lambda: p.icmp(source, destination, 13, 0, 7, b"\0" * 12),
            "udp": lambda: p.udp(source, 4000, destination, 53, b"data"), "tcp": lambda: p.tcp(source, 4000, destination, 80, p.SYN, 1),
            "unknown": lambda: p.ip(253, source, destination, b"\0" * 8)}[kind]()
    options = b"".join(_ipv4_option(rng) for _ in range(rng.choice([1, 1, 1, 2, 3])))[:40]
    options += rng.choice([b"\0", b"\1"]) * (-len(options) % 4)
    ttl = rng.choice([64, 64, 64, 1])
    head = struct.pack("!BBHHHBBH", 0x45 + len(options) // 4, rng.choice([0, 0x10]), len(body) + len(options), rng.getrandbits(16), rng.choice([0, 0x4000]), ttl, body[9], 0)
    head += body[12:20] + options
    return side, head[:10] + struct.pack("!H", ~p.total(head) & 0xFFFF) + head[12:] + body[20:]


def _ipv4_option(rng):
    kind = rng.choice([NOP, RECORD_ROUTE, RECORD_ROUTE, TIMESTAMP, TIMESTAMP, TIMESTAMP, LOOSE, STRICT, ALERT, CIPSO, 130, 136, 94])
    if kind == NOP:
        return bytes([rng.choice([0, 1, 1, 1])])
    if kind == TIMESTAMP:
        flag = rng.choice([0, 1, 1, 3, 3, 2])
        room = rng.choice([4, 8, 16, 24])
        pointer = rng.choice([5, 5, 5, 5 + room, 9, 13, 4, 255] if flag == 0 else [5, 5, 5, 13, 5 + room, 4, 255])
        data = b"".join(rng.choice([p.ipaddress.ip_address(a).packed for a in (generate.V4["router"]["lan"], generate.V4["router"]["wan"], "192.0.2.77")]) + bytes(4)
                        for _ in range(4))[:room]
        return bytes([TIMESTAMP, 4 + room, pointer, rng.choice([0, 0, 0x50, 0xF0]) | flag]) + data
    if kind in (RECORD_ROUTE, LOOSE, STRICT):
        room = rng.choice([4, 4, 8, 12, 36, 3, 0])
        pointer = rng.choice([4, 4, 4, 8, 4 + room, 3, 5, 255] if kind == RECORD_ROUTE else [4, 4, 3])  # nobody goes back along a route
        return bytes([kind, 3 + room, pointer]) + p.ipaddress.ip_address("192.0.2.77").packed * (room // 4) + bytes(room % 4)
    if kind == CIPSO:
        tags = b"".join(bytes([1, n]) + rng.randbytes(n - 2) for n in rng.choice([[4], [6, 4], [3]]))
        body = struct.pack("!I", rng.choice([0, 1, 7])) + tags
        return bytes([CIPSO, 2 + len(body)]) + (body if rng.random() < 0.8 else body[:4] + rng.randbytes(len(body) - 4))
    size = {ALERT: 4, 130: 11, 136: 4}.get(kind, 6)
    size = size if rng.random() < 0.8 else rng.randrange(2, 12)
    return bytes([kind, size]) + rng.randbytes(size - 2)
