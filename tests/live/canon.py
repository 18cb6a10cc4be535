"""What of a packet, a table line and the counters must be equal.

Free to differ: the IPv4 id of packets the router made, IPv6 fragment ids, and ports or ICMP ids that NAT chose at random. Those are renamed
by order of first appearance, so that they must still be used consistently; checksums are replaced by what they are off by.
"""
import ipaddress
import re
import struct

from packets import CHECKSUM_AT, ICMP, SCTP, UDP, UDPLITE, View, crc32c, ports_at, total


class Names:
    """Renames what was chosen freely, by first appearance."""

    def __init__(self, known_ports):
        self.known = known_ports
        self.ports, self.ids = {}, {}

    def pair(self, protocol, a, b, new=True):
        """Two ends of a packet, (address, port or id): the ports, those that NAT invented renamed. Such a port is unique towards one peer."""
        return tuple(self.port(protocol, own, peer, new) for own, peer in ((a, b), (b, a)))

    def port(self, protocol, own, peer, new):
        if own[1] in self.known:
            return own[1]
        key = (protocol, own, peer[0], peer[1] if peer[1] in self.known else None)
        if new:
            self.ports.setdefault(key, len(self.ports))
        return f"#{self.ports.get(key, '?')}"


def packet(data, names, own_addresses):
    """-> a comparable tuple"""
    view = View(data)
    raw = bytearray(data)
    notes = []
    if view.l4 is None or len(data) < view.l4:
        return (bytes(raw),)
    if view.version == 4:
        notes.append(("ip header sum", total(bytes(raw[: view.l4]))))
        generated = view.is_error() or data[8] == 64  # whatever is forwarded has lost one
        if generated or str(ipaddress.ip_address(view.source)) in own_addresses:
            raw[4:6] = b"\0\0"
        raw[10:12] = b"\0\0"
        forget_times(raw, view.l4)
    if view.fragment_id_at:
        ident = bytes(raw[view.fragment_id_at : view.fragment_id_at + 4])
        notes.append(("fragment id", names.ids.setdefault(ident, len(names.ids))))
        raw[view.fragment_id_at : view.fragment_id_at + 4] = b"\0\0\0\0"
    if not view.offset:
        _transport(view, raw, notes, names)
    return (bytes(raw), *notes)


def forget_times(raw, header):
    """The times of day in IPv4 timestamp options, those of the input (0) and those of a router."""
    at = 20
    while at + 1 < min(header, len(raw)) and raw[at] != 0:
        if raw[at] == 68:
            step = 4 if raw[at + 3] & 15 == 0 else 8
            for entry in range(at + 4, min(at + raw[at + 1], header) - step + 1, step):
                raw[entry + step - 4 : entry + step] = b"\0\0\0\0"
        at += 1 if raw[at] == 1 else max(2, raw[at + 1])


def _transport(view, raw, notes, names):
    at = CHECKSUM_AT.get(view.protocol)
    if at is not None and len(raw) >= view.l4 + at + 2 and not view.more:
        head = b"" if view.protocol == ICMP else view.source + view.destination
        unchecked = view.protocol in (UDP, UDPLITE) and raw[view.l4 + at : view.l4 + at + 2] == b"\0\0"
        notes.append(("transport sum", "none" if unchecked else total(head + bytes(raw[view.l4 :]))))
    if at is not None and len(raw) >= view.l4 + at + 2:
        raw[view.l4 + at : view.l4 + at + 2] = b"\0\0"
    if view.protocol == SCTP and len(raw) >= view.l4 + 12:
        body = bytes(raw[view.l4 :])
        notes.append(("crc", crc32c(body[:8] + b"\0\0\0\0" + body[12:]) == struct.unpack("<I", body[8:12])[0]))
        raw[view.l4 + 8 : view.l4 + 12] = b"\0\0\0\0"
    if view.protocol == ICMP and len(raw) >= view.l4 + 20 and raw[view.l4] == 14:
        raw[view.l4 + 12 : view.l4 + 20] = bytes(8)  # the time of day
    notes.append(("ports", _take_ports(view, raw, view.l4, names)))
    if view.is_error() and len(raw) >= view.l4 + 28:
        inner = View(bytes(raw[view.l4 + 8 :]), view.version)  # routers do not look at a quoted version
        if inner.l4 is not None and not inner.offset and len(inner.data) >= inner.l4 + 8:
            inner_raw = bytearray(inner.data)
            if inner.version == 4:
                inner_raw[10:12] = b"\0\0"
                forget_times(inner_raw, inner.l4)
            inner_at = CHECKSUM_AT.get(inner.protocol)
            if inner_at is not None and len(inner_raw) >= inner.l4 + inner_at + 2:
                inner_raw[inner.l4 + inner_at : inner.l4 + inner_at + 2] = b"\0\0"
            notes.append(("quoted ports", _take_ports(inner, inner_raw, inner.l4, names)))
            raw[view.l4 + 8 :] = inner_raw


def _take_ports(view, raw, l4, names):
    """The ports (an ICMP query's id twice) with invented ones renamed; zeroes in their place."""
    found = [struct.unpack_from("!H", raw, l4 + at)[0] for at in ports_at(view)]
    for at in ports_at(view):
        raw[l4 + at : l4 + at + 2] = b"\0\0"
    if not found:
        return ()
    a, b = (str(ipaddress.ip_address(bytes(x))) for x in (view.source, view.destination))
    return names.pair(view.protocol, (a, found[0]), (b, found[-1]))


def table(lines, names):
    """Lines of the table -> sorted list of (text without timeout, timeout)"""
    found = []
    for line in lines:
        words = [w for w in line.split() if not re.match(r"(use|secmark|secctx|delta-time)=|zone=0$", w)]
        text = " ".join(words[:4] + words[5:])
        found.append((re.sub(_TUPLE, lambda m: _tuple(m, int(words[3]), names), text), int(words[4])))
    return sorted(found)


_TUPLE = r"src=(\S+) dst=(\S+) (?:sport=(\d+) dport=(\d+)|type=(\d+) code=(\d+) id=(\d+))"


def _tuple(match, protocol, names):
    source, destination, sport, dport, kind, code, ident = match.groups()
    source, destination = (str(ipaddress.ip_address(x)) for x in (source, destination))
    if ident:
        a, _ = names.pair(protocol, (source, int(ident)), (destination, int(ident)), new=False)
        return f"src={source} dst={destination} type={kind} code={code} id={a}"
    a, b = names.pair(protocol, (source, int(sport)), (destination, int(dport)), new=False)
    return f"src={source} dst={destination} sport={a} dport={b}"


def counters(text):
    """Lines of iptables-save -c -> {family, table and chain: [its policy with counters, its rules with counters]}. Chains without traffic and
    rules may be listed or not."""
    found = {}
    for line in text:
        policy = re.match(r"(v[46] \S+) :(\S+) (\S+ \[\d+:\d+\])", line)
        rule = re.match(r"(v[46] \S+) (\[\d+:\d+\] -A (\S+).*)", line)
        if policy and policy[3] != "ACCEPT [0:0]":
            found.setdefault(f"{policy[1]} {policy[2]}", []).append(policy[3])
        elif rule:
            found.setdefault(f"{rule[1]} {rule[3]}", []).append(rule[2])
    return found
