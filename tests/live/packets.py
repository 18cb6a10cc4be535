"""Building IP packets with right checksums, and taking them apart far enough to compare them."""
import ipaddress
import struct

TCP, UDP, ICMP, ICMPV6, SCTP, UDPLITE, FRAGMENT = 6, 17, 1, 58, 132, 136, 44
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
CHECKSUM_AT = {TCP: 16, UDP: 6, ICMP: 2, ICMPV6: 2, UDPLITE: 6}


def total(data):
    if len(data) % 2:
        data += b"\0"
    value = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while value >> 16:
        value = (value & 0xFFFF) + (value >> 16)
    return value


def pseudo(source, destination, protocol, length):
    a, b = ipaddress.ip_address(source).packed, ipaddress.ip_address(destination).packed
    return a + b + (struct.pack("!BBH", 0, protocol, length) if len(a) == 4 else struct.pack("!IHBB", length, 0, 0, protocol))


def with_checksum(protocol, source, destination, body):
    at = CHECKSUM_AT.get(protocol)
    if at is None or len(body) < at + 2:
        return body
    head = b"" if protocol == ICMP else pseudo(source, destination, protocol, len(body))
    body = body[:at] + b"\0\0" + body[at + 2 :]
    value = ~total(head + body) & 0xFFFF or (0xFFFF if protocol == UDP else 0)
    return body[:at] + struct.pack("!H", value) + body[at + 2 :]


def ip(protocol, source, destination, body, ttl=64, ident=0, df=False, tos=0):
    if ":" in source:
        return struct.pack("!IHBB", 6 << 28 | tos << 20, len(body), protocol, ttl) + pseudo(source, destination, 0, 0)[:32] + body
    head = struct.pack("!BBHHHBBH", 0x45, tos, 20 + len(body), ident, 0x4000 if df else 0, ttl, protocol, 0)
    head += ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    return head[:10] + struct.pack("!H", ~total(head) & 0xFFFF) + head[12:] + body


def tcp(source, sport, destination, dport, flags, seq, ack=0, win=1000, payload=b"", options=b"", **header):
    options += b"\0" * (-len(options) % 4)
    body = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, (5 + len(options) // 4) << 4, flags, win, 0, 0)
    return ip(TCP, source, destination, with_checksum(TCP, source, destination, body + options + payload), **header)


def udp(source, sport, destination, dport, payload=b"", **header):
    body = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload
    return ip(UDP, source, destination, with_checksum(UDP, source, destination, body), **header)


def icmp(source, destination, kind, code, rest, payload=b"", **header):
    protocol = ICMPV6 if ":" in source else ICMP
    body = struct.pack("!BBHI", kind, code, 0, rest) + payload
    return ip(protocol, source, destination, with_checksum(protocol, source, destination, body), **header)


def fragments(packet, cuts, ident):
    """Cut a packet at the payload offsets `cuts` (multiples of 8)."""
    v6 = packet[0] >> 4 == 6
    head = packet[: 40 if v6 else (packet[0] & 15) * 4]
    body = packet[len(head) :]
    edges = [0, *sorted(c for c in set(cuts) if 0 < c < len(body)), len(body)]
    pieces = []
    for start, end in zip(edges, edges[1:]):
        more = end < len(body)
        if v6:
            extra = struct.pack("!BBHI", head[6], 0, start | more, ident)
            new = head[:4] + struct.pack("!H", 8 + end - start) + bytes([FRAGMENT]) + head[7:] + extra
        else:
            field = (0x2000 if more else 0) | start >> 3
            new = head[:2] + struct.pack("!HHH", len(head) + end - start, ident & 0xFFFF, field) + head[8:10] + b"\0\0" + head[12:]
            new = new[:10] + struct.pack("!H", ~total(new) & 0xFFFF) + new[12:]
        pieces.append(new + body[start:end])
    return pieces


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


class View:
    """Offsets into a raw packet; tolerant of anything."""

    def __init__(self, data, version=None):
        self.data = data
        self.version = version or (data[0] >> 4 if data else 0)
        self.l4 = self.protocol = None
        self.offset = self.fragment_id_at = 0
        self.more = False
        if self.version == 4 and len(data) >= 20:
            self.l4, self.protocol = (data[0] & 15) * 4, data[9]
            field = struct.unpack_from("!H", data, 6)[0]
            self.offset, self.more = (field & 0x1FFF) * 8, bool(field & 0x2000)
            self.source, self.destination = data[12:16], data[16:20]
        elif self.version == 6 and len(data) >= 40:
            self.source, self.destination = data[8:24], data[24:40]
            self._walk(data)

    def _walk(self, data):
        following, at = data[6], 40
        while following in (0, 43, 44, 60) and at + 8 <= len(data):
            if following == FRAGMENT:
                field = struct.unpack_from("!H", data, at + 2)[0]
                self.offset, self.more, self.fragment_id_at = field & 0xFFF8, bool(field & 1), at + 4
                following, at = data[at], at + 8
                if self.offset:
                    break
            else:
                following, at = data[at], at + (data[at + 1] + 1) * 8
        self.protocol, self.l4 = following, at

    @property
    def body(self):
        return self.data[self.l4 :]

    def is_error(self):
        return self.protocol == ICMP and self.body[:1] in (b"\3", b"\4", b"\5", b"\x0b", b"\x0c") or (
            self.protocol == ICMPV6 and len(self.body) > 0 and self.body[0] < 128)


def ports_at(view):
    """Offsets in the body of what NAT may change: ports, the id of an ICMP query."""
    if view.protocol in (TCP, UDP, UDPLITE, SCTP) and len(view.body) >= 4:
        return (0, 2)
    if view.protocol in (ICMP, ICMPV6) and len(view.body) >= 8 and not view.is_error():
        return (4,)
    return ()
