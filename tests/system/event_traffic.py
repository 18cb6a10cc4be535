"""Traffic that makes events, packet by packet: each situation is a list of steps, the same for any router between lan and wan.

A step is ("lan" or "wan", packet, does it get through) or ("conntrack", arguments) or ("wait", seconds). Ports tell the situations apart, and the rules
below look at them.
"""
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "live"))
import packets as p  # noqa: E402

CLIENT, SERVER = ("10.0.1.2", "fd00:1::2"), ("192.0.2.2", "2001:db8:2::2")
LAN, WAN = ("10.0.1.1", "fd00:1::1"), ("192.0.2.1", "2001:db8:2::1")
NAMES = ("ipv4", "ipv6")
FIN, SYN, RST, ACK, PSH = p.FIN, p.SYN, p.RST, p.ACK, p.PSH
# Nothing runs out by itself while the situations are played, however busy the machine is; each is told apart by its time.
TIMEOUTS = {"tcp_timeout_close": 610, "icmp_timeout": 620, "icmpv6_timeout": 630, "udp_timeout": 640, "udp_timeout_stream": 650, "tcp_timeout_time_wait": 660,
            "gre_timeout": 670, "sctp_timeout_closed": 680}


def rules(family):
    client, wan = (address if family == 0 else f"[{address}]" for address in (CLIENT[family], WAN[family]))
    return f"""*raw
-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp
-A PREROUTING -p udp -m udp --dport 69 -j CT --helper tftp
-A PREROUTING -p udp -m udp --dport 6001 -j NOTRACK
-A PREROUTING -p udp -m udp --dport 6002 -j CT --ctevents destroy
-A PREROUTING -p udp -m udp --dport 6003 -j CT --ctevents new,mark
-A PREROUTING -p udp -m udp --dport 6004 -j CT --zone 4
COMMIT
*mangle
-A PREROUTING -p udp -m udp --dport 6010 -j CONNMARK --set-mark 0x7
-A PREROUTING -p udp -m udp --sport 6011 -j CONNMARK --set-mark 0x1f
-A PREROUTING -p tcp -m tcp --dport 6012 -m conntrack --ctstate ESTABLISHED -j CONNMARK --set-mark 0x9
COMMIT
*nat
-A PREROUTING -i wan -p udp -m udp --dport 6020 -j DNAT --to-destination {client}:6021
-A PREROUTING -i wan -p tcp -m tcp --dport 6022 -j DNAT --to-destination {client}:6023
-A POSTROUTING -o wan -p udp -m udp --dport 6024:6025 -j MASQUERADE
-A POSTROUTING -o wan -p tcp -m tcp --dport 6026 -j SNAT --to-source {wan}:7026
-A POSTROUTING -o wan -p tcp -m tcp --dport 21 -j MASQUERADE
COMMIT
*filter
-A FORWARD -p udp -m udp --dport 6030 -j DROP
-A FORWARD -p tcp -m tcp --dport 6031 -j REJECT --reject-with tcp-reset
COMMIT
"""


class Talk:
    """A TCP connection, whose ends count for themselves."""

    def __init__(self, family, sport, dport, seen_by_server=None, to=None):
        self.client, self.server = CLIENT[family], to or SERVER[family]
        self.seen, self.server_port = seen_by_server or (self.client, sport), dport
        self.ports, self.seq = (sport, dport), [1000, 5000]

    def c(self, flags, payload=b"", through=True):
        packet = p.tcp(self.client, self.ports[0], self.server, self.ports[1], flags, self.seq[0], self.seq[1] if flags & ACK else 0, 8000, payload)
        self.seq[0] += len(payload) + bool(flags & (SYN | FIN))
        return ("lan", packet, through)

    def s(self, flags, payload=b"", through=True):
        packet = p.tcp(self.server, self.ports[1], *self.seen, flags, self.seq[1], self.seq[0] if flags & ACK else 0, 8000, payload)
        self.seq[1] += len(payload) + bool(flags & (SYN | FIN))
        return ("wan", packet, through)

    def open(self):
        return [self.c(SYN), self.s(SYN | ACK), self.c(ACK)]

    def close(self):
        return [self.c(FIN | ACK), self.s(FIN | ACK), self.c(ACK)]


def client_udp(family, sport, dport, data=b"question", through=True):
    return ("lan", p.udp(CLIENT[family], sport, SERVER[family], dport, data), through)


def server_udp(family, sport, dport, data=b"answer", to=None, through=True):
    return ("wan", p.udp(SERVER[family], sport, to or CLIENT[family], dport, data), through)


def echo(family, ident, reply=False):
    kind = ((8, 0), (128, 129))[family][reply]
    ends = (CLIENT[family], SERVER[family])
    return ("wan" if reply else "lan", p.icmp(*(ends[::-1] if reply else ends), kind, 0, ident << 16 | 1, b"ping"), True)


def tcp_closed_by_client(f):
    talk = Talk(f, 41001, 80)
    return talk.open() + [talk.c(ACK | PSH, b"GET"), talk.s(ACK | PSH, b"200")] + talk.close()


def tcp_closed_by_server(f):
    talk = Talk(f, 41002, 80)
    return talk.open() + [talk.s(FIN | ACK), talk.c(ACK), talk.c(FIN | ACK), talk.s(ACK)]


def tcp_reset_by_client(f):
    talk = Talk(f, 41003, 80)
    return talk.open() + [talk.c(RST | ACK)]


def tcp_refused(f):
    talk = Talk(f, 41004, 81)
    return [talk.c(SYN), talk.s(RST | ACK)]


def tcp_opened_by_both(f):
    talk = Talk(f, 41005, 80)
    first = talk.c(SYN)
    second = talk.s(SYN)
    talk.seq[1] -= 1
    answer = talk.s(SYN | ACK)
    return [first, second, answer, talk.c(ACK)]


def tcp_syn_again(f):
    talk = Talk(f, 41006, 80)
    first = talk.c(SYN)
    return [first, first, talk.s(SYN | ACK), talk.c(ACK)]


def tcp_reopened(f):
    talk = Talk(f, 41007, 80)
    steps = talk.open() + talk.close()
    again = Talk(f, 41007, 80)
    again.seq = [900000, 70000]
    return steps + again.open()


def tcp_half_closed(f):
    talk = Talk(f, 41008, 80)
    return talk.open() + [talk.c(FIN | ACK), talk.s(ACK), talk.s(ACK | PSH, b"more"), talk.c(ACK), talk.s(FIN | ACK), talk.c(ACK)]


def tcp_found_open(f):
    talk = Talk(f, 41009, 80)
    return [talk.c(ACK | PSH, b"from before"), talk.s(ACK), talk.c(ACK)]


def udp_unanswered(f):
    return [client_udp(f, 42001, 53)]


def udp_answered(f):
    return [client_udp(f, 42002, 53), server_udp(f, 53, 42002), client_udp(f, 42002, 53), server_udp(f, 53, 42002)]


def udp_in_fragments(f):
    whole = p.udp(CLIENT[f], 42003, SERVER[f], 53, bytes(1000))
    first, second = p.fragments(whole, [512], 77)
    return [("lan", first, False), ("lan", second, 2)]


def udp_lite(f):
    source, destination = CLIENT[f], SERVER[f]
    body = struct.pack("!HHHH", 42004, 53, 8, 0)
    return [("lan", p.ip(p.UDPLITE, source, destination, p.with_checksum(p.UDPLITE, source, destination, body)), True)]


def ping(f):
    return [echo(f, 4301), echo(f, 4301, True), echo(f, 4301)]


def port_unreachable(f):
    _, asked, _ = client_udp(f, 42005, 54)
    kind, code = ((3, 3), (1, 4))[f]
    return [("lan", asked, True), ("wan", p.icmp(SERVER[f], CLIENT[f], kind, code, 0, asked[:48]), True)]


def sctp_opened(f):
    def chunk(kind, value):
        return struct.pack("!BBH", kind, 0, 4 + len(value)) + value

    def packet(ends, ports, tag, *chunks):
        body = struct.pack("!HHII", *ports, tag, 0) + b"".join(chunks)
        return p.ip(p.SCTP, *ends, body[:8] + struct.pack("<I", p.crc32c(body)) + body[12:])

    ends, ports = (CLIENT[f], SERVER[f]), (42006, 7001)
    init = struct.pack("!IIHHI", 0x1234, 65535, 1, 1, 1)
    ack = struct.pack("!IIHHI", 0x4321, 65535, 1, 1, 1) + chunk(7, b"")  # a parameter of the size that a cookie has at least
    return [("lan", packet(ends, ports, 0, chunk(1, init)), True), ("wan", packet(ends[::-1], ports[::-1], 0x1234, chunk(2, ack)), True),
            ("lan", packet(ends, ports, 0x4321, chunk(10, b"cook")), True), ("wan", packet(ends[::-1], ports[::-1], 0x1234, chunk(11, b"")), True)]


def gre(f):
    return [("lan", p.ip(47, CLIENT[f], SERVER[f], struct.pack("!HHHHI", 0x2001, 0x880B, 0, 77, 0)), True)]


def unknown_protocol(f):
    return [("lan", p.ip(253, CLIENT[f], SERVER[f], b"experiment"), True)]


def not_tracked(f):
    return [client_udp(f, 42007, 6001)]


def only_destroy_is_told(f):
    return [client_udp(f, 42008, 6002), server_udp(f, 6002, 42008), ("conntrack", "-D", "-p", "udp", "--orig-port-dst", "6002", "-f", NAMES[f])]


def only_new_and_mark_are_told(f):
    return [client_udp(f, 42009, 6003), server_udp(f, 6003, 42009), ("conntrack", "-D", "-p", "udp", "--orig-port-dst", "6003", "-f", NAMES[f])]


def in_a_zone(f):
    return [client_udp(f, 42010, 6004), ("conntrack", "-D", "-w", "4", "-f", NAMES[f])]


def marked_at_once(f):
    return [client_udp(f, 42011, 6010), server_udp(f, 6010, 42011)]


def marked_by_an_answer(f):
    return [client_udp(f, 42012, 6011), server_udp(f, 6011, 42012), server_udp(f, 6011, 42012)]


def marked_when_established(f):
    talk = Talk(f, 42013, 6012)
    return talk.open() + [talk.c(ACK | PSH, b"data")]


def translated_destination(f):
    request = ("wan", p.udp(SERVER[f], 42020, WAN[f], 6020, b"hello"), True)
    return [request, ("lan", p.udp(CLIENT[f], 6021, SERVER[f], 42020, b"yes"), True)]


def translated_tcp_destination(f):
    syn = p.tcp(SERVER[f], 42022, WAN[f], 6022, SYN, 100, 0, 8000)
    answer = p.tcp(CLIENT[f], 6023, SERVER[f], 42022, SYN | ACK, 300, 101, 8000)
    return [("wan", syn, True), ("lan", answer, True), ("wan", p.tcp(SERVER[f], 42022, WAN[f], 6022, ACK, 101, 301, 8000), True)]


def masqueraded(f):
    return [client_udp(f, 42024, 6024), server_udp(f, 6024, 42024, to=WAN[f])]


def translated_source(f):
    talk = Talk(f, 42026, 6026, (WAN[f], 7026))
    return talk.open() + [talk.s(RST | ACK)]


def dropped(f):
    return [client_udp(f, 42030, 6030, through=False)]


def rejected(f):
    return [("lan", Talk(f, 42031, 6031).c(SYN)[1], "back")]


def ftp(f, sport):
    talk = Talk(f, sport, 21, (WAN[f], sport))
    return talk, talk.open() + [talk.s(ACK | PSH, b"220 hello\r\n"), talk.c(ACK | PSH, b"USER x\r\n"), talk.s(ACK | PSH, b"331 yes\r\n")]


def announcement(f, port):
    return (f"PORT {CLIENT[0].replace('.', ',')},{port >> 8},{port & 255}\r\n" if f == 0 else f"EPRT |2|{CLIENT[1]}|{port}|\r\n").encode()


def ftp_data_comes(f):
    talk, steps = ftp(f, 42040)
    steps.append(talk.c(ACK | PSH, announcement(f, 42041)))
    syn = p.tcp(SERVER[f], 20, WAN[f], 42041, SYN, 100, 0, 8000)
    answer = p.tcp(CLIENT[f], 42041, SERVER[f], 20, SYN | ACK, 300, 101, 8000)
    return steps + [("wan", syn, True), ("lan", answer, True), ("wan", p.tcp(SERVER[f], 20, WAN[f], 42041, RST | ACK, 101, 301, 8000), True)]


def ftp_ends_before(f):
    talk, steps = ftp(f, 42042)
    return steps + [talk.c(ACK | PSH, announcement(f, 42043)), ("conntrack", "-D", "-p", "tcp", "--orig-port-src", "42042", "-f", NAMES[f])]


def tftp(f):
    return [client_udp(f, 42044, 69, b"\0\1file\0octet\0"), server_udp(f, 4069, 42044, b"\0\3\0\1data")]


def deleted(f):
    return [client_udp(f, 42050, 55), ("conntrack", "-D", "-p", "udp", "--orig-port-dst", "55", "-f", NAMES[f])]


def mark_changed(f):
    return [client_udp(f, 42051, 56), ("conntrack", "-U", "-p", "udp", "--orig-port-dst", "56", "-m", "5", "-f", NAMES[f])]


def timeout_changed(f):
    talk = Talk(f, 42052, 80)
    return talk.open() + [("conntrack", "-U", "-p", "tcp", "--orig-port-src", "42052", "-t", "1000", "-f", NAMES[f])]


def run_out(f):
    return [client_udp(f, 42053, 57), ("conntrack", "-U", "-p", "udp", "--orig-port-dst", "57", "-t", "1", "-f", NAMES[f]), ("wait", 1.2), client_udp(f, 42053, 57)]


def flushed(f):
    return [("conntrack", "-F", "-f", NAMES[f])]


SITUATIONS = (tcp_closed_by_client, tcp_closed_by_server, tcp_reset_by_client, tcp_refused, tcp_opened_by_both, tcp_syn_again, tcp_reopened, tcp_half_closed,
              tcp_found_open, udp_unanswered, udp_answered, udp_in_fragments, udp_lite, ping, port_unreachable, sctp_opened, gre, unknown_protocol, not_tracked,
              only_destroy_is_told, only_new_and_mark_are_told, in_a_zone, marked_at_once, marked_by_an_answer, marked_when_established, translated_destination,
              translated_tcp_destination, masqueraded, translated_source, dropped, rejected, ftp_data_comes, ftp_ends_before, tftp, deleted, mark_changed,
              timeout_changed, run_out)
