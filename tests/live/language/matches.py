"""Matches of iptables(8), a row each."""
import values as v
from grammar import ByFamily, extension, flags, option

PORTS = (option("source-port|sport", v.ports()), option("destination-port|dport", v.ports()))
BOTH_PORTS = ("tcp", "udp", "udplite", "sctp", "dccp")
STATES = v.listed(v.words("NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED", "SNAT", "DNAT"))
PLAIN_STATES = v.listed(v.words("NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED"))
STATUSES = v.listed(v.words("NONE", "EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED"))
FLAGS = v.listed(v.words("SYN", "ACK", "FIN", "RST", "URG", "PSH", "ALL", "NONE"))
TYPES = v.listed(v.words("UNSPEC", "UNICAST", "LOCAL", "BROADCAST", "ANYCAST", "MULTICAST", "BLACKHOLE", "UNREACHABLE", "PROHIBIT", "THROW", "NAT", "XRESOLVE"))
NETWORK = ByFamily(v.masked)
HOST = ByFamily(v.address)
DSCP = v.words("BE", "EF", "CS0", "CS1", "CS7", "AF11", "AF21", "AF43", "AF44", "LE")
TOS_NAME = v.words("Minimize-Delay", "Maximize-Throughput", "Maximize-Reliability", "Minimize-Cost", "Normal-Service")


def tos(r):
    return TOS_NAME(r) if r.random() < 0.3 else v.marked(8)(r)


ICMP = v.words("any", "echo-reply", "pong", "destination-unreachable", "network-unreachable", "host-unreachable", "protocol-unreachable", "port-unreachable", "fragmentation-needed",
               "source-route-failed", "network-unknown", "host-unknown", "network-prohibited", "host-prohibited", "TOS-network-unreachable", "TOS-host-unreachable",
               "communication-prohibited", "host-precedence-violation", "precedence-cutoff", "source-quench", "redirect", "network-redirect", "host-redirect", "TOS-network-redirect",
               "TOS-host-redirect", "echo-request", "ping", "router-advertisement", "router-solicitation", "time-exceeded", "ttl-exceeded", "ttl-zero-during-transit",
               "ttl-zero-during-reassembly", "parameter-problem", "ip-header-bad", "required-option-missing", "timestamp-request", "timestamp-reply", "address-mask-request",
               "address-mask-reply")
ICMP6 = v.words("destination-unreachable", "no-route", "communication-prohibited", "beyond-scope", "address-unreachable", "port-unreachable", "failed-policy", "reject-route",
                "packet-too-big", "time-exceeded", "ttl-exceeded", "ttl-zero-during-transit", "ttl-zero-during-reassembly", "parameter-problem", "bad-header", "unknown-header-type",
                "unknown-option", "echo-request", "ping", "echo-reply", "pong", "router-solicitation", "router-advertisement", "neighbour-solicitation", "neighbor-solicitation",
                "neighbour-advertisement", "neighbor-advertisement", "redirect", "mld-listener-query", "any")


def icmp_type(names):
    def value(r):
        kind = r.random()
        if kind < 0.5:
            return names(r)
        if kind < 0.6:
            return r.choice(["255/0:255", "8/0:255", "255/255", "255/0", "255", "3/1:4", "3/", "/1", "3/4/5", "any/1", "0/0", "echo-request/0"])
        one = v.number(0, 255)
        return one(r) if r.random() < 0.4 else f"{one(r)}/{one(r)}"
    return value


CHUNK = v.words("DATA", "INIT", "INIT_ACK", "SACK", "HEARTBEAT", "HEARTBEAT_ACK", "ABORT", "SHUTDOWN", "SHUTDOWN_ACK", "ERROR", "COOKIE_ECHO", "COOKIE_ACK", "ECN_ECNE", "ECN_CWR",
                "SHUTDOWN_COMPLETE", "I_DATA", "RE_CONFIG", "PAD", "ASCONF", "ASCONF_ACK", "FORWARD_TSN", "I_FORWARD_TSN", "ALL", "NONE")


def chunk(r):
    return CHUNK(r) + (r.choice([":U", ":u", ":UBE", ":uBe", ":T", ":t", ":I", ":", ":x", ":BB", ":Bb"]) if r.random() < 0.25 else "")


def u32(r):
    kind = r.random()
    if kind < 0.2:
        return r.choice(["6&0xFF=1 && 4&0x1FFF=0 && 0>>22&0x3C@0>>24=0", "0>>22&0x3C@4=0x1:0x5,7", "0=0", "0", "=", "0=", "0&=1", "0=1&&", "0 = 1", "0x0=0x0:0xffffffff", "0=2:1", "1.2=3", ""])
    number = v.number(0, 2**32 - 1)
    small = v.number(0, 64)
    tests = []
    for _ in range(r.choice([1, 1, 1, 2, 3, 10, 11])):
        test = small(r)
        for _ in range(r.choice([0, 1, 1, 2, 3, 9, 10, 11])):
            test += r.choice(["&", ">>", "<<", "@"]) + r.choice([number, small])(r)
        test += "=" + ",".join(r.choice([number(r), f"{number(r)}:{number(r)}"]) for _ in range(r.choice([1, 1, 2, 3, 10, 11])))
        tests.append(test)
    return r.choice(["&&", " && "]).join(tests)


def hex_string(r):
    if r.random() < 0.4:
        return "".join(r.choice(["|", "|", "00", "fF", " ", "a", "G", "\\", "  ", "\t"]) for _ in range(r.randint(1, 9)))
    return r.choice(["|0d0a|", "|de ad be ef|", "abc|00|def", "|0|", "|0g|", "|00", "a\\|b", "||", "|0d0A|x|ff|", "\\x", "|" + "41" * r.randint(1, 130) + "|", "plain", "|00||01|"])


def days(r):
    common = v.words("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Mo", "Tu", "We", "1", "7", fold=False)
    odd = v.words("Monday", "Mox", "0", "8", "33", "M", "x", "monday", "MON", " 1", "0x2", "0001", "")
    return v.listed(common if r.random() < 0.85 else odd)(r)


def month_days(r):
    return v.listed(v.number(1, 31) if r.random() < 0.85 else v.words("0", "01", "08", "123", "32", " 5", " 12", "0x5", "0x1f", ""))(r)


def policy_options():
    """Those that each element may have, three times over."""
    for _ in range(3):
        yield option("reqid", v.number(0, 2**32 - 1))
        yield option("spi", v.number(0, 2**32 - 1))
        yield option("tunnel-src", NETWORK)
        yield option("tunnel-dst", NETWORK)
        yield option("proto", v.words("esp", "ah", "ipcomp", "tcp", "50", "IPSEC-ESP", "IPCOMP", "0x33"))
        yield option("mode", v.words("tunnel", "tunnel", "transport"))
        yield option("next")


RANGE32 = v.span(0, 2**32 - 1)
BYTE = v.number(0, 255)
MH = v.words("brr", "hoti", "coti", "hot", "cot", "bu", "ba", "be", "binding-refresh-request", "binding-update", "0", "5", "255")
LATER = (
    extension("bpf", option("bytecode", v.words("1,6 0 0 0", "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0", "0", "2,6 0 0 0", "1,6 0 0", "x", fold=False)), option("object-pinned", v.name(63)), wanted="bytecode"),
    extension("cgroup", option("cgroup", v.number(0, 2**32 - 1)), option("path", v.words("/", "", "/sys/../", "system.slice", "no such", "n" * 511, "n" * 513, fold=False)), wanted="cgroup path"),
    extension("cluster", option("cluster-total-nodes", v.number(1, 32)), option("cluster-local-node", v.number(1, 32)), option("cluster-local-nodemask", v.number(0, 2**32 - 1)),
              option("cluster-hash-seed", v.number(0, 2**32 - 1)), wanted="cluster-total-nodes, cluster-local-node cluster-local-nodemask, cluster-hash-seed"),
    extension("connlabel", option("label", v.number(0, 127)), flags("set"), wanted="label"),
    extension("cpu", option("cpu", v.number(0, 2**32 - 1)), wanted="cpu"),
    extension("devgroup", option("src-group", v.marked()), option("dst-group", v.marked()), wanted="src-group dst-group"),
    extension("dst", option("dst-len", v.number(0, 2**32 - 1)), option("dst-opts", v.listed(v.words("1", "2:4", "255", "256", "3:", "x"))), families="6"),
    extension("eui64", families="6", chains=("PREROUTING", "INPUT", "FORWARD")),
    extension("hbh", option("hbh-len", v.number(0, 2**32 - 1)), option("hbh-opts", v.listed(v.words("1", "2:4", "255", "256", "3:", "x"))), families="6"),
    extension("ipcomp", option("ipcompspi", RANGE32), flags("compres"), protocols=("ipcomp", "108")),
    extension("ipvs", flags("ipvs"), option("vproto", v.words(*v.PROTOCOLS)), option("vaddr", NETWORK), option("vport", v.port), option("vdir", v.words("ORIGINAL", "REPLY")), option("vmethod", v.words("GATE", "IPIP", "MASQ")),
              option("vportctl", v.port)),
    extension("mh", option("mh-type", lambda r: MH(r) if r.random() < 0.5 else f"{MH(r)}:{MH(r)}"), families="6", protocols=("mh", "135", "ipv6-mh"), wanted="mh-type"),
    extension("nfacct", option("nfacct-name", v.name(31)), wanted="nfacct-name"),
    extension("osf", option("genre", v.words("Linux", "Windows", "unknown")), option("ttl", v.number(0, 2)), option("log", v.number(0, 2)), protocols=("tcp",), wanted="genre"),
    extension("owner", option("uid-owner", v.span(0, 2**32 - 2, "-")), option("gid-owner", v.span(0, 2**32 - 2, "-")), flags("socket-exists suppl-groups"), chains=("OUTPUT", "POSTROUTING"), wanted="uid-owner gid-owner socket-exists"),
    extension("policy", option("dir", v.words("in", "out")), option("pol", v.words("none", "ipsec")), flags("strict"), *policy_options(), wanted="dir, pol"),
    extension("rateest", option("rateest|rateest1", v.estimator), option("rateest2", v.estimator), flags("rateest-delta rateest-lt rateest-gt rateest-eq"), option("rateest-bps|rateest-bps1|rateest-bps2", v.bit_rate),
              option("rateest-pps|rateest-pps1|rateest-pps2", v.number(0, 1000)), option("rateest1"), option("rateest-bps1"), option("rateest-bps2"), option("rateest-pps1"), option("rateest-pps2"),
              wanted="rateest, rateest-lt rateest-gt rateest-eq, rateest-bps rateest-pps rateest-bps2 rateest-pps2"),
    extension("realm", option("realm", v.marked()), families="4", wanted="realm"),
    extension("rt", option("rt-type", v.number(0, 2**32 - 1)), option("rt-segsleft", RANGE32), option("rt-len", v.number(0, 2**32 - 1)), flags("rt-0-res"), option("rt-0-addrs", v.listed(v.address6)), flags("rt-0-not-strict"), families="6"),
    extension("set", option("match-set|set", v.set_name, v.directions), flags("return-nomatch update-counters update-subcounters"), option("packets-eq", v.number(0, 2**64 - 1)), option("packets-lt", v.number(0, 9)),
              option("packets-gt", v.number(0, 9)), option("bytes-eq", v.number(0, 9)), option("bytes-lt", v.number(0, 9)), option("bytes-gt", v.number(0, 9)), wanted="match-set"),
    extension("socket", flags("transparent nowildcard restore-skmark"), chains=("PREROUTING", "INPUT")),
    extension("srh", option("srh-next-hdr", BYTE), option("srh-hdr-len-eq", BYTE), option("srh-hdr-len-gt", BYTE), option("srh-hdr-len-lt", BYTE), option("srh-segs-left-eq", BYTE), option("srh-segs-left-gt", BYTE),
              option("srh-segs-left-lt", BYTE), option("srh-last-entry-eq", BYTE), option("srh-last-entry-gt", BYTE), option("srh-last-entry-lt", BYTE), option("srh-tag", v.number(0, 65535)), option("srh-psid", NETWORK),
              option("srh-nsid", NETWORK), option("srh-lsid", NETWORK), families="6"),
)

MATCHES = (
    extension("addrtype", option("src-type", TYPES), option("dst-type", TYPES), flags("limit-iface-in limit-iface-out"), wanted="src-type dst-type"),
    extension("ah", option("ahspi", v.span(0, 2**32 - 1)), option("ahlen", v.number(0, 2**32 - 1)), flags("ahres"), protocols=("ah", "51")),
    extension("comment", option("comment", v.text(255)), wanted="comment"),
    extension("connbytes", option("connbytes", v.span(0, 2**64 - 1)), option("connbytes-dir", v.words("original", "reply", "both")),
              option("connbytes-mode", v.words("packets", "bytes", "avgpkt")), wanted="connbytes, connbytes-dir, connbytes-mode"),
    extension("connlimit", option("connlimit-upto", v.number(0, 2**32 - 1)), option("connlimit-above", v.number(0, 2**32 - 1)), option("connlimit-mask", ByFamily(lambda f: v.number(0, 128 if f == 6 else 32))),
              flags("connlimit-saddr connlimit-daddr"), wanted="connlimit-upto connlimit-above"),
    extension("connmark", option("mark", v.marked()), wanted="mark"),
    extension("conntrack", option("ctstate", STATES), option("ctproto", v.words(*v.PROTOCOLS)), option("ctorigsrc", NETWORK), option("ctorigdst", NETWORK), option("ctreplsrc", NETWORK),
              option("ctrepldst", NETWORK), option("ctorigsrcport", v.ports()), option("ctorigdstport", v.ports()), option("ctreplsrcport", v.ports()), option("ctrepldstport", v.ports()),
              option("ctstatus", STATUSES), option("ctexpire", v.span(0, 2**32 - 1)), option("ctdir", v.words("ORIGINAL", "REPLY"))),
    extension("dccp", *PORTS, option("dccp-types", v.listed(v.words("REQUEST", "RESPONSE", "DATA", "ACK", "DATAACK", "CLOSEREQ", "CLOSE", "RESET", "SYNC", "SYNCACK", "INVALID"))),
              option("dccp-option", v.number(1, 255)), protocols=("dccp", "33")),
    extension("dscp", option("dscp", v.number(0, 63)), option("dscp-class", DSCP), wanted="dscp dscp-class"),
    extension("ecn", flags("ecn-tcp-cwr ecn-tcp-ece"), option("ecn-ip-ect", v.number(0, 3)), protocols=("tcp", "")),
    extension("esp", option("espspi", v.span(0, 2**32 - 1)), protocols=("esp", "50")),
    extension("frag", option("fragid", v.span(0, 2**32 - 1)), option("fraglen", v.number(0, 2**32 - 1)), flags("fragres fragfirst fragmore fraglast"), families="6"),
    extension("hashlimit", option("hashlimit-upto|hashlimit", lambda r: r.choice([v.rate, v.rate, v.byte_rate])(r)), option("hashlimit-above", lambda r: r.choice([v.rate, v.byte_rate])(r)),
              option("hashlimit-burst", lambda r: r.choice([v.number(1, 10000)(r), f"{v.number(1, 4096)(r)}{r.choice(['b', 'kb', 'mb', 'k', 'm', 'x', 'K', 'gb', ''])}"])),
              option("hashlimit-mode", lambda r: v.listed(v.words("srcip", "srcport", "dstip", "dstport"), r.choice([",", ",", ",", "|"]))(r)), option("hashlimit-srcmask", ByFamily(v.prefix_length)),
              option("hashlimit-dstmask", ByFamily(v.prefix_length)), option("hashlimit-name", v.table_name), option("hashlimit-htable-size", v.number(0, 2000000)),
              option("hashlimit-htable-max", v.number(0, 2**32 - 1)), option("hashlimit-htable-expire", v.number(0, 2**32 - 1)), option("hashlimit-htable-gcinterval", v.number(0, 2**32 - 1)),
              flags("hashlimit-rate-match"), option("hashlimit-rate-interval", v.number(1, 2**31 - 1)), wanted="hashlimit-upto hashlimit-above, hashlimit-name"),
    extension("helper", option("helper", v.name(29)), wanted="helper"),
    extension("hl", option("hl-eq|hl", v.number(0, 255)), option("hl-lt", v.number(0, 255)), option("hl-gt", v.number(0, 255)), families="6", wanted="hl-eq hl-lt hl-gt"),
    extension("icmp", option("icmp-type", icmp_type(ICMP)), families="4", protocols=("icmp", "1")),
    extension("icmp6", option("icmpv6-type", icmp_type(ICMP6)), families="6", protocols=("icmpv6", "ipv6-icmp", "58"), wanted="icmpv6-type"),
    extension("iprange", option("src-range", ByFamily(v.address_range)), option("dst-range", ByFamily(v.address_range)), wanted="src-range dst-range"),
    extension("ipv6header", option("header", v.listed(v.words("hop-by-hop", "hop", "ipv6-opts", "dst", "ipv6-route", "route", "ipv6-frag", "frag", "ah", "auth", "esp", "ipv6-nonxt", "none", "protocol",
                                                              "prot", "0", "43", "44", "50", "51", "59", "60", "255", "6"))), flags("soft"), families="6", wanted="header"),
    extension("length", option("length", v.span(0, 65535)), wanted="length"),
    extension("limit", option("limit", v.rate), option("limit-burst", v.number(1, 10000))),
    extension("mac", option("mac-source", v.mac), chains=("PREROUTING", "INPUT", "FORWARD"), wanted="mac-source"),
    extension("mark", option("mark", v.marked()), wanted="mark"),
    extension("multiport", option("source-ports|sports", v.port_list), option("destination-ports|dports", v.port_list), option("ports", v.port_list), protocols=BOTH_PORTS,
              wanted="source-ports destination-ports ports"),
    extension("physdev", option("physdev-in", v.interface), option("physdev-out", v.interface), flags("physdev-is-in physdev-is-out physdev-is-bridged"), wanted="physdev-in physdev-is-in physdev-is-bridged"),
    extension("pkttype", option("pkt-type", v.words("unicast", "broadcast", "multicast", "host", "bcast", "mcast")), wanted="pkt-type"),
    extension("quota", option("quota", v.number(0, 2**64 - 1)), wanted="quota"),
    extension("recent", flags("set rcheck update remove"), option("seconds", v.number(1, 2**32 - 1)), flags("reap"), option("hitcount", v.number(1, 65535)), flags("rttl"),
              option("name", v.name(199)), option("mask", HOST), flags("rsource rdest"), wanted="set rcheck update remove"),
    extension("rpfilter", flags("loose validmark accept-local invert"), tables=("raw", "mangle"), chains=("PREROUTING",)),
    extension("sctp", *PORTS, option("chunk-types", v.words("any", "all", "only"), v.listed(chunk)), protocols=("sctp", "132")),
    extension("state", option("state", PLAIN_STATES), wanted="state"),
    extension("statistic", option("mode", v.words("random", "nth")), option("probability", v.probability), option("every", v.number(1, 2**32 - 1)), option("packet", v.number(0, 2**32 - 1)), wanted="mode, probability every", together="every packet"),
    extension("string", option("string", v.text(128)), option("hex-string", hex_string), option("algo", v.words("bm", "kmp")), option("from", v.number(0, 65535)), option("to", v.number(0, 65535)),
              flags("icase"), wanted="algo, string hex-string"),
    extension("tcp", *PORTS, flags("syn"), option("tcp-flags", FLAGS, FLAGS), option("tcp-option", v.number(1, 255)), protocols=("tcp", "6")),
    extension("tcpmss", option("mss", v.span(0, 65535)), protocols=("tcp",), wanted="mss"),
    extension("time", option("datestart", v.date), option("datestop", v.date), option("timestart", v.clock), option("timestop", v.clock), flags("contiguous"), option("weekdays", days),
              option("monthdays", month_days), flags("localtz utc kerneltz")),
    extension("tos", option("tos", tos), wanted="tos"),
    extension("ttl", option("ttl-eq|ttl", v.number(0, 255)), option("ttl-lt", v.number(0, 255)), option("ttl-gt", v.number(0, 255)), families="4", wanted="ttl-eq ttl-lt ttl-gt"),
    extension("u32", option("u32", u32), wanted="u32"),
    extension("udp", *PORTS, protocols=("udp", "17")),
    extension("udplite", *PORTS, protocols=("udplite", "136")),
) + LATER
