"""Kinds of value that options take, as functions of a random number generator: mostly right, often at a limit, now and then wrong."""
import re

WRONG = ["", "x", "1x", "-1", "0x", "08", "1.5", "!", "1 2", "0xg", "99999999999999999999999", "\xe4", "--", "a,b", ":", "/"]
SERVICES = sorted({line.split()[0] for line in open("/etc/services", encoding="utf-8") if re.match(r"[a-z0-9]", line)})
PROTOCOLS = ["tcp", "udp", "icmp", "ipv6-icmp", "icmpv6", "udplite", "sctp", "dccp", "esp", "ah", "gre", "all", "TCP", "Udp", "igmp", "ospf", "vrrp",
             "mh", "mobility-header", "ipv6-mh", "ipv6-frag", "ipv6-opts", "hopopt", "ip", "l2tp", "ipcomp", "ipv6", "0", "6", "17", "1", "58", "47", "132", "33", "136", "50", "51",
             "254", "255", "0x6", "017"]
SETS = ["blocked", "a.b", "n" * 31]  # that the kernel has, as it has these estimators
ESTIMATORS = ["load", "peak", "y" * 15]


def number(low, high):
    def value(r):
        kind = r.random()
        if kind < 0.6:
            n = r.randint(low, high) if r.random() < 0.5 else min(high, max(low, int(2 ** (r.random() * high.bit_length()))))
        elif kind < 0.9:
            n = r.choice([low, high, low + 1, high - 1])
        elif kind < 0.95:
            n = r.choice([low - 1, high + 1])
        else:
            return r.choice(WRONG)
        if n < 0:
            return str(n)
        return spelled(r, n)
    return value


def spelled(r, n):
    kind = r.random()
    if kind < 0.93:
        return str(n)
    return r.choice([f"0x{n:x}", f"0X{n:X}", f"0{n:o}", f"+{n}", f" {n}", f"0x0{n:x}", f"{n} "])


def span(low, high, separator=":"):
    one = number(low, high)

    def value(r):
        a, b = one(r), one(r)
        if r.random() < 0.8 and a.isdigit() and b.isdigit() and int(a) > int(b):
            a, b = b, a
        return pieces(r, a, b, separator)
    return value


def pieces(r, a, b, separator):
    kind = r.random()
    if kind < 0.3:
        return a
    if kind < 0.75:
        return f"{a}{separator}{b}"
    return r.choice([f"{a}{separator}", f"{separator}{b}", separator, f"{a}{separator}{b}{separator}{a}", f"{a}{separator}{a}"])


def words(*choices, fold=True):
    def value(r):
        word = r.choice(choices)
        kind = r.random()
        if kind < 0.9:
            return word
        if fold and kind < 0.94:
            return r.choice([word.lower(), word.upper(), word.capitalize()])
        if kind < 0.97:
            return word[: r.randint(min(1, len(word)), len(word))]
        return r.choice(WRONG)
    return value


def listed(kind, separator=",", most=4):
    def value(r):
        parts = [kind(r) for _ in range(r.randint(1, most))]
        if r.random() < 0.04:
            parts.insert(r.randint(0, len(parts)), "")
        if r.random() < 0.03:
            separator_used = r.choice([", ", " ", ";"])
            return separator_used.join(parts)
        return separator.join(parts)
    return value


def port(r):
    kind = r.random()
    if kind < 0.55:
        return number(0, 65535)(r)
    if kind < 0.97:
        return r.choice(SERVICES)
    return r.choice(["ftp-", "ssh-", "SSH", "no-such", "http:", "-", "domain,ssh"])


def ports(separator=":"):
    def value(r):
        a, b = port(r), port(r)
        if r.random() < 0.7 and a.isdigit() and b.isdigit() and int(a) > int(b):
            a, b = b, a
        return pieces(r, a, b, separator)
    return value


def port_list(r):
    plain = lambda r: str(r.randint(1, 30000))  # noqa: E731
    wide = lambda r: f"{r.randint(1, 30000)}:{r.randint(30000, 65535)}"  # noqa: E731
    return ",".join((r.choice([plain, plain, wide]) if r.random() < 0.9 else r.choice([port, ports()]))(r) for _ in range(r.choice([1, 2, 3, 4, 7, 8, 14, 15, 16])))


def address4(r):
    kind = r.random()
    if kind < 0.8:
        return ".".join(str(r.choice([0, 1, 10, 127, 169, 172, 192, 198, 224, 255, r.randint(0, 255)])) for _ in range(4))
    return r.choice(["10.1", "10", "192.168.1", "1.2.3.4.5", "256.1.1.1", "0x0a.0.0.1", "010.0.0.1", "1..2.3", "localhost", "vm", "loopback", "0", "0.0.0.0",
                     "255.255.255.255", "fd00::1", "no.such.host.invalid", "", "10.0.0.1 "])


def address6(r):
    kind = r.random()
    if kind < 0.6:
        return r.choice(["fd00::", "2001:db8::", "fe80::", "ff02::"]) + f"{r.randint(0, 65535):x}"
    if kind < 0.8:
        return ":".join(f"{r.randint(0, 65535):x}" for _ in range(8))
    return r.choice(["::", "::1", "::ffff:10.0.0.1", "2001:DB8::A", "1:2", "fd00::g", "10.0.0.1", "ip6-localhost", "localhost", "2001:db8:0:0:1::", "::1.2.3.4", "fe80::1%lo",
                     "1:0:0:2::3", "", "1::2::3"])


def address(family):
    return address6 if family == 6 else address4


def masked(family):
    bits = 128 if family == 6 else 32

    def value(r):
        one = address(family)(r)
        kind = r.random()
        if kind < 0.35:
            return one
        if kind < 0.75:
            return f"{one}/{number(0, bits)(r)}"
        masks = ["ffff:ffff::", "ffff::ffff", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:0:ffff::"] if family == 6 else \
            ["255.255.255.0", "255.0.255.0", "0.0.0.0", "255.255.255.255", "0.0.0.255", "255.255", "128.0.0.0", "255.255.255.256"]
        return f"{one}/{r.choice(masks + ['', '/8', '8/8'])}"
    return value


def networks(family):
    return lambda r: listed(masked(family), most=3)(r) if r.random() < 0.2 else masked(family)(r)


def address_range(family):
    one = address(family)
    return lambda r: pieces(r, one(r), one(r), "-")


def marked(bits=32):
    one = number(0, 2**bits - 1)
    return lambda r: one(r) if r.random() < 0.5 else f"{one(r)}/{one(r)}"


def rate(r):
    unit = r.choice(["second", "minute", "hour", "day", "s", "m", "h", "d", "sec", "min", "SECOND", "days", "Hour", "week", ""])
    return r.choice([f"{number(1, 10000)(r)}/{unit}", f"{number(1, 10000)(r)}/{unit}", f"{number(1, 1000000)(r)}/{unit}", f"{r.randint(1, 100)}", f"{r.randint(1, 100)}/", f"/{unit}",
                     f"{r.randint(1, 86400)}/{unit}"])


def byte_rate(r):
    return f"{number(1, 4096)(r)}{r.choice(['b', 'kb', 'mb', 'gb', 'B', 'KB', ''])}/{r.choice(['s', 'sec', 'second', 'm', 'S', 'min', ''])}"


def bit_rate(r):
    number_text = r.choice([str(r.randint(0, 2000)), f"{r.random() * 1000:.2f}", "1e3", "0x10", ".5", " 8", "+8", "1000.5", "2000.5"])
    return number_text + r.choice(["", "bit", "kbit", "Kibit", "mbit", "Mibit", "gbit", "Gibit", "tbit", "Bps", "bps", "KBps", "KiBps", "MBps", "GBps", "TBps", "x", "MBIT"])


def time_span(low, high):
    """Of RATEEST, in seconds."""
    def value(r):
        seconds = low * (high / low) ** r.random()
        return r.choice([f"{seconds:.3f}s", f"{seconds * 1000:.1f}ms", f"{seconds * 1e6:.0f}us", f"{seconds * 1e6:.0f}", f"{seconds:.2f}SEC", f" {seconds:.0f}secs", f"{seconds:.0f}msecs", "1e3ms",
                         "0x4s", "250ms", "1s", "2s", "0", "x", "s", "", "1 s", "nan", "-1s"])
    return value


def estimator(r):
    return r.choice(ESTIMATORS) if r.random() < 0.9 else name(15)(r)


def set_name(r):
    return r.choice(SETS) if r.random() < 0.9 else name(31)(r)


def directions(r):
    return listed(words("src", "dst", "srcs", "dstx", fold=False), most=r.choice([1, 2, 3, 7]))(r)


def table_name(r):
    """Tables of a name are shared, so that few have the same."""
    return f"t{r.randint(0, 10**9)}" if r.random() < 0.8 else name(254)(r)


def label(r):
    """Of IDLETIMER: one timer of a name for the whole machine, so that no two are the same."""
    own = f"{r.choice(['', 'x-', 'a b ', '/', 'n' * 17, 'n' * 18, 'n' * 19])}{r.randint(10**8, 10**9 - 1)}"
    return own if r.random() < 0.8 else r.choice(["power", "uevent", "subsystem", "..", ".", "a/b", ""])


def prefix_length(family):
    bits = 128 if family == 6 else 32
    masks = ["ffff:ffff::", "ffff::1", "::"] if family == 6 else ["255.255.0.0", "255.0.255.0", "0.0.0.0", "255.255.255.255", "255.255"]
    return lambda r: r.choice(masks) if r.random() < 0.1 else number(0, bits)(r)


def text(most):
    letters = "abcXYZ019 _-.:,;=/|+*()[]{}<>!?$%&'\"\\@#~^`\t\xe4"

    def value(r):
        length = r.choice([1, 1, 2, 3, 5, 8, 13, most - 1, most, most + 1])
        return "".join(r.choice(letters if r.random() < 0.5 else "abcdefghijk") for _ in range(max(0, length)))
    return value


def name(most):
    return lambda r: r.choice(["a", "ssh", "DEFAULT", "x-1", "n" * most, "n" * (most - 1), "n" * (most + 1), "A_b", "a.b", "a/b", "a b", ""])


def interface(r):
    return r.choice(["eth0", "lan", "wan0", "lo", "ppp+", "+", "eth0+", "e", "a23456789012345", "a2345678901234+", "a23456789012345+", "a234567890123456", "", "eth 0", "a/b", "eth0:1",
                     "br-1a2b3c4d5e6f", "!", "-", "ETH0", "e+h"])


def mac(r):
    kind = r.random()
    whole = ":".join(r.choice(["00", "ff", "aB", "1", "0a", f"{r.randint(0, 255):02x}", f"{r.randint(0, 255):02X}"]) for _ in range(6))
    if kind < 0.8:
        return whole
    return r.choice([whole + ":11", whole[:-3], whole.replace(":", "-"), whole + "0", "00:11:22:33:44:5g", "0:1:2:3:4:5", ""])


def probability(r):
    return r.choice([" 0.5", "+0.25", "0x.8", "1e-400", "-0", "infinity", "0", "1", "0.5", "0.33333333349", "0.1", f"{r.random():.4f}", f"{r.random():.11f}", ".5", "1.0", "1.1", "-0.1", "1e-3", "50%", "0x1", "", "nan", "5e-1", "0.00000000001",
                     "0.9999999999"])


def date(r):
    if r.random() < 0.3:
        parts = [str(r.choice([1970, 2007, 2012, 2038, 2039, r.randint(1971, 2037)])), *(r.choice(["", "00", f"{r.randint(1, 12):02}", str(r.randint(1, 31))]) for _ in range(5))]
        return "".join(part + end for part, end in zip(parts[: r.randint(1, 6)], "--T:::")).rstrip(r.choice(["-T:", "x"]))
    return r.choice(["2007-01-01T17:00:00", "2038-01-19T03:14:07", "2010-12-31", "2013-02-29", "1970-01-01T00:00:00", "2012-02-29T23:59:59", "2010-1-1", "2010", "2010-06",
                     "2010-01-01T10", "2010-01-01T10:30", "2010-13-01", "2010-00-10", "2010-01-32", "2010-01-01T24:00:00", "2010-01-01T10:60", "2039-01-01", "1969-12-31", "2010-01-01 10:00",
                     "x", "2010-01-01T1:2:3", "2010-01-01T10:30:61"])


def clock(r):
    return r.choice([f"{r.randint(0, 24):02}:{r.randint(0, 60):02}", f"{r.randint(0, 24)}:{r.randint(0, 60)}:{r.randint(0, 60)}", "00:00", "23:59", "23:59:59", "24:00", "8", "8:00",
                     "08:00:", "x", "00:00:00", "10:5", ":30", " 8:+5",
                     "24:00:00", "8:60", "08:09", "-1:00", "8:00:00:00"])
