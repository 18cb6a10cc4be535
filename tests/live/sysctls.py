"""The sysctls of net.ipv4 and net.ipv6 that decide about packets, each set and unset between packets that it is about.

Nothing is random: a case a sysctl, and its packets again after each write.
"""
import generate
import packets as p
from generate import Event

ROUTER4, ROUTER6, CLIENT4, CLIENT6, SERVER4, SERVER6 = "10.9.1.1", "fd09:1::1", "10.9.1.2", "fd09:1::2", "198.51.100.7", "2001:db8:9::7"
WAN4 = "198.51.100.1"


def cases():
    for name, about in ABOUT.items():
        writes, sent = about
        yield generate.Case(f"sysctl {name}", generate.INTERFACES, {"lan": 1500, "wan": 1500}, {}, "", "", list(_steps(writes, sent)))


def _steps(writes, sent):
    yield from sent
    for write in writes:
        yield Event("sysctl", write)
        yield from sent


def echo(source, destination, interface="lan", ttl=64):
    return interface, p.icmp(source, destination, 128 if ":" in source else 8, 0, 7 << 16 | 1, b"data", ttl=ttl)


def udp(source, destination, interface="lan"):
    return interface, p.udp(source, 4000, destination, 53, b"data")


def timestamp(source, destination):
    return "lan", p.icmp(source, destination, 13, 0, 7 << 16 | 1, bytes(12))


# All that is IPv4 and comes in by both links: through the router, to it, to nowhere.
THROUGH4 = [udp(CLIENT4, SERVER4), udp(SERVER4, CLIENT4, "wan"), echo(CLIENT4, ROUTER4), echo(CLIENT4, WAN4), echo(CLIENT4, "203.0.113.9"), echo(SERVER4, "203.0.113.9", "wan"),
            echo(CLIENT4, SERVER4, ttl=1)]
THROUGH6 = [udp(CLIENT6, SERVER6), udp(SERVER6, CLIENT6, "wan"), echo(CLIENT6, ROUTER6), echo(SERVER6, ROUTER6, "wan"), echo(CLIENT6, "2001:db8:77::9"), echo(CLIENT6, "ff02::1"),
            echo(CLIENT6, SERVER6, ttl=1)]
OWN = [udp(source, destination, interface) for interface in ("lan", "wan") for source in (ROUTER4, WAN4) for destination in (SERVER4, CLIENT4, ROUTER4)]
LOOPBACK = [echo(CLIENT4, "127.0.0.1"), echo(CLIENT4, "127.0.0.9"), echo("127.0.0.9", SERVER4), echo("127.0.0.1", SERVER4), echo("127.0.0.9", ROUTER4), echo(SERVER4, "127.0.0.1"),
            echo(SERVER4, "127.0.0.1", "wan"), udp(CLIENT4, "127.0.0.1")]
MANY = [echo(CLIENT4, "10.9.1.255"), echo(CLIENT4, "255.255.255.255"), echo(CLIENT4, "224.0.0.1"), timestamp(CLIENT4, "10.9.1.255"), echo(CLIENT4, "198.51.100.255"),
        echo(CLIENT4, ROUTER4), timestamp(CLIENT4, ROUTER4), udp(CLIENT4, "10.9.1.255")]
ANYCAST = [echo(CLIENT6, "fd09:1::"), echo(CLIENT6, "2001:db8:9::"), echo(CLIENT6, "ff02::1"), echo(CLIENT6, "ff05::7"), echo(CLIENT6, ROUTER6), udp(CLIENT6, "fd09:1::")]
V4, V6 = "net.ipv4.conf", "net.ipv6.conf"
ABOUT = {
    "ip_forward": (["net.ipv4.ip_forward=0", f"{V4}.lan.forwarding=1", "net.ipv4.ip_forward=1"], THROUGH4 + THROUGH6),
    "ipv4 forwarding": ([f"{V4}.lan.forwarding=0", f"{V4}.wan.forwarding=0", f"{V4}.lan.forwarding=1", f"{V4}.all.forwarding=0", f"{V4}.all.forwarding=2", f"{V4}.default.forwarding=0"],
                        THROUGH4),
    "ipv6 forwarding": ([f"{V6}.lan.forwarding=0", f"{V6}.wan.forwarding=0", f"{V6}.all.forwarding=0", f"{V6}.lan.forwarding=1", f"{V6}.all.forwarding=1"], THROUGH6 + ANYCAST),
    "accept_local": ([f"{V4}.lan.accept_local=1", f"{V4}.all.rp_filter=1", f"{V4}.all.rp_filter=2", f"{V4}.all.accept_local=1", f"{V4}.lan.accept_local=0", f"{V4}.all.rp_filter=0",
                      f"{V4}.all.accept_local=0", f"{V4}.default.accept_local=1"], OWN),
    "route_localnet": ([f"{V4}.lan.route_localnet=1", f"{V4}.all.route_localnet=1", f"{V4}.all.rp_filter=1", f"{V4}.lan.route_localnet=0", f"{V4}.all.route_localnet=0"], LOOPBACK),
    "icmp_echo_ignore_all": (["net.ipv4.icmp_echo_ignore_all=1", "net.ipv4.icmp_echo_ignore_all=0"], MANY),
    "icmp_echo_ignore_broadcasts": (["net.ipv4.icmp_echo_ignore_broadcasts=0", "net.ipv4.icmp_echo_ignore_all=1", "net.ipv4.icmp_echo_ignore_broadcasts=1"], MANY),
    "echo_ignore_all": (["net.ipv6.icmp.echo_ignore_all=1", "net.ipv6.icmp.echo_ignore_all=0"], ANYCAST),
    "echo_ignore_anycast": (["net.ipv6.icmp.echo_ignore_anycast=1", "net.ipv6.icmp.echo_ignore_anycast=2"], ANYCAST),
    "echo_ignore_multicast": (["net.ipv6.icmp.echo_ignore_multicast=1", "net.ipv6.icmp.echo_ignore_multicast=0"], ANYCAST),
    "disable_ipv6": ([f"{V6}.lan.disable_ipv6=1", f"{V6}.wan.disable_ipv6=1"], THROUGH6 + THROUGH4),
    "disable_ipv6 of all": ([f"{V6}.all.disable_ipv6=1"], THROUGH6 + THROUGH4),
}
