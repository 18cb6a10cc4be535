#!/usr/bin/env python3
"""Tunnels between hosts behind the router: what Linux leaves undone inside of them arrives.

    tunnels_test.py NSROUTER

Needs root. A TUN device offers to finish any checksum (tx-checksum-ip-generic), so the kernel hands over packets whose
only unfinished checksum is far inside. The VXLANs are the kernel's; other tunnels are single packets of a packet socket.
"""
import contextlib
import socket
import struct
import subprocess

import harness

KEEP = "192.0.2.2"  # the server; beyond it tunnels are not translated
RULES_FILE = '[rules]\nipv4 = "rules.v4"'
# Port 4790 is translated in both directions, as a VXLAN through NAT has to be.
RULES = """*nat
-A PREROUTING -i wan -p udp --dport 4790 -j DNAT --to-destination 10.0.1.2
-A POSTROUTING -o wan -p udp --dport 4790 -j MASQUERADE
COMMIT
*filter
-A FORWARD -m conntrack --ctstate INVALID -j DROP
COMMIT
"""
SOL_PACKET, PACKET_VNET_HDR = 263, 15


class Tunnel:
    """A VXLAN with its own network 10.9.N.0/24, the client's end .1, the server's .2."""

    def __init__(self, test, number, what, **ends):
        self.name, self.network = f"vx{number}", f"10.9.{number}"
        for netns, host, local, remote in (("client", 1, ends["client"], ends.get("seen_server", ends["server"])),
                                           ("server", 2, ends["server"], ends.get("seen_client", ends["client"]))):
            def ip(*words):
                subprocess.run(["ip", "-n", test.netns(netns), *words], check=True)
            ip("link", "add", self.name, "type", "vxlan", "id", str(number), "local", local, "remote", remote, *what.split())
            ip("addr", "add", f"{self.network}.{host}/24", "dev", self.name)
            ip("link", "set", self.name, "up", *(["mtu", str(ends["mtu"])] if "mtu" in ends else []))


def through(test, tunnel, what):
    """A page and a large file by TCP, and a datagram, over the tunnel."""
    server = f"{tunnel.network}.2"
    test.web_server("server", server, 8080, "x" * 3_000_000)
    seen = test.curl(f"http://{server}:8080/", netns="client")
    test.check(f"{what}: three megabytes over TCP", seen.stdout.startswith("x" * 3_000_000) and seen.stdout.endswith(f"{tunnel.network}.1"), (len(seen.stdout), seen.stderr))
    here, there = test.udp("client", f"{tunnel.network}.1"), test.udp("server", server, 53)
    here.sendto(b"small", (server, 53))
    with contextlib.suppress(TimeoutError):
        data, peer = there.recvfrom(100)
        there.sendto(data.upper(), peer)
    answer = b""
    with contextlib.suppress(TimeoutError):
        answer = here.recv(100)
    test.check(f"{what}: a datagram there and back", answer == b"SMALL", answer)


# --- packets of other tunnels, as a device hands them over ---
def total(data):
    data += b"\0" * (len(data) % 2)
    value = sum(struct.unpack(f">{len(data) // 2}H", data))
    while value >> 16:
        value = (value & 0xffff) + (value >> 16)
    return value


def ipv4(source, destination, protocol, payload):
    header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0, socket.inet_aton(source), socket.inet_aton(destination))
    return header[:10] + struct.pack(">H", total(header) ^ 0xffff) + header[12:] + payload


def ipv6(source, destination, protocol, payload):
    return struct.pack(">IHBB", 0x60000000, len(payload), protocol, 64) + socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, destination) + payload


def segment(pseudo):
    """A TCP segment whose checksum is (a) the sum of its pseudo header, (b) finished."""
    bare = struct.pack(">HHIIBBHHH", 1, 2, 0, 0, 0x50, 2, 1000, 0, 0) + b"data"
    start = total(pseudo + struct.pack(">HH", 6, len(bare)))
    put = lambda value: bare[:16] + struct.pack(">H", value) + bare[18:]
    return put(start), put(total(put(start)) ^ 0xffff)


def other_tunnels():
    """(name, unfinished packet, where its checksum starts, finished packet), all from the client to the server"""
    four = [ipv4("10.8.0.1", "10.8.0.2", 6, tcp) for tcp in segment(socket.inet_aton("10.8.0.1") + socket.inet_aton("10.8.0.2"))]
    ends = "fd08::1", "fd08::2"
    six = [ipv6(*ends, 6, tcp) for tcp in segment(b"".join(socket.inet_pton(socket.AF_INET6, end) for end in ends))]
    outer = lambda protocol, head, inner: [ipv4("10.0.1.2", KEEP, protocol, head + packet) for packet in inner]
    for name, (partial, finished), start in (("IPIP", outer(4, b"", four), 40), ("SIT", outer(41, b"", six), 60), ("GRE", outer(47, b"\0\0\x08\0", four), 44),
                                             ("GENEVE", outer(17, struct.pack(">HHHHII", 9, 6081, 16 + len(four[0]), 0, 0x00000800, 0x700), four), 56)):
        yield name, partial, start, finished
    # A GRE header's own checksum, over an inside that is finished.
    gre = b"\x80\0\x08\0\0\0\0\0" + four[1]
    whole = gre[:4] + struct.pack(">H", total(gre) ^ 0xffff) + gre[6:]
    yield "GRE with a checksum", *outer(47, b"", [gre]), 20, *outer(47, b"", [whole])


def single_packets(test):
    def listener():
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        sock.bind(("wan", 0x0800))
        sock.settimeout(5)
        return sock

    def sender():
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        sock.bind(("lan", 0x0800))
        return sock

    there, here = test.inside("server", listener), test.inside("client", sender)
    for name, partial, start, finished in other_tunnels():
        offset = 4 if start == 20 else 16
        here.send(struct.pack("<BBHHHH", 1, 0, 0, 0, start, offset) + partial)
        seen = b""
        with contextlib.suppress(TimeoutError):
            while seen[12:20] != finished[12:20]:  # from the client to the server
                seen = there.recv(2000)
        completed = finish(seen, start, offset)
        test.check(f"{name}: the packet arrives, and is what it was but for its TTL", completed[20:] == finished[20:], seen.hex())
    here.close()
    there.close()


def checksum_in_the_tail(test):
    """An option that demands an error, in a frame whose checksum field lies behind the end of the packet."""
    hop_by_hop = struct.pack(">BBBBI", 59, 0, 0x80, 4, 0)
    packet = ipv6("fd00:1::2", "2001:db8::99", 0, hop_by_hop + bytes(8)) + b"a tail of some bytes"
    sock = test.inside("client", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
    sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    sock.bind(("lan", 0x86dd))
    sock.send(struct.pack("<BBHHHH", 1, 0, 0, 0, 50, 8) + packet)
    sock.close()
    answer = test.ping("client", "10.0.1.1")
    test.check("the router goes on after a checksum field that is cut off", answer.returncode == 0, answer.stdout)
    test.check("which was a bad offload", test.status()["drops"].get("bad_offload") == 1, test.status()["drops"])


def finish(packet, start, offset):
    """Finishes the checksum if nobody has: the receiver's device would."""
    if not packet or total(packet[start:]) != 0xffff:
        value = total(packet[start:]) ^ 0xffff
        return packet[:start + offset] + struct.pack(">H", value or 0xffff) + packet[start + offset + 2:]
    return packet


def test(test):
    test.write("rules.v4", RULES)
    test.start(test.write("tunnels.toml", test.inside_outside(RULES_FILE, v6=True, inside="client", outside="server", wan='host.routes = ["default"]')))
    four = {"client": "10.0.1.2", "server": "192.0.2.2"}
    translated = {**four, "seen_client": "192.0.2.1"}
    six = {"client": "fd00:1::2", "server": "2001:db8::2"}
    through(test, Tunnel(test, 1, "dstport 4789 noudpcsum", **four), "VXLAN")
    through(test, Tunnel(test, 2, "dstport 4789 udpcsum", **four), "VXLAN with an outer checksum")
    through(test, Tunnel(test, 3, "dstport 4790 noudpcsum", **translated), "VXLAN through NAT")
    through(test, Tunnel(test, 4, "dstport 4790 udpcsum", **translated), "VXLAN with an outer checksum through NAT")
    through(test, Tunnel(test, 5, "dstport 4789", **six), "VXLAN over IPv6")
    single_packets(test)
    drops = test.status()["drops"]
    test.check("nothing was a bad offload", "bad_offload" not in drops, drops)
    checksum_in_the_tail(test)
    test.check("the router ends in peace", test.stop() == 0)


if __name__ == "__main__":
    raise SystemExit(harness.main(test))
