"""Targets of iptables(8), a row each."""
import values as v
from grammar import ByFamily, extension, flags, option
from matches import DSCP, tos

MANGLE = ("mangle",)
NAT = ("nat",)
RAW = ("raw",)
TCP = ("tcp", "tcp", "udp", "sctp", "dccp", "icmp", "udplite", "")
EVENTS = v.listed(v.words("new", "related", "destroy", "reply", "assured", "protoinfo", "helper", "mark", "natseqinfo", "secmark"))
REJECT4 = v.words("icmp-net-unreachable", "net-unreach", "icmp-host-unreachable", "host-unreach", "icmp-proto-unreachable", "proto-unreach", "icmp-port-unreachable", "port-unreach",
                  "icmp-net-prohibited", "net-prohib", "icmp-host-prohibited", "host-prohib", "tcp-reset", "tcp-rst", "icmp-admin-prohibited", "admin-prohib", "echo-reply")
REJECT6 = v.words("icmp6-no-route", "no-route", "icmp6-adm-prohibited", "adm-prohibited", "icmp6-addr-unreachable", "addr-unreach", "icmp6-port-unreachable", "port-unreach", "tcp-reset",
                  "icmp6-policy-fail", "policy-fail", "icmp6-reject-route", "reject-route")


def nat_port(r):
    kind = r.random()
    if kind < 0.4:
        return v.ports("-")(r)
    if kind < 0.5:
        return f"{v.ports('-')(r)}/{v.port(r)}"
    return r.choice(["ftp-data", "ftp-data-ftp", "echo-ssh", "ssh-telnet", "ftp-data-ssh", "80-", "-80", "80-70", "0", "0-0", "65535", "1-65535", "80-90/8000", "80-90/0", "80-90/", "ssh", "80:90"])


def nat_to(family):
    one = v.address(family)

    def value(r):
        a, b = one(r), one(r)
        ends = a if r.random() < 0.6 else f"{a}-{b}"
        kind = r.random()
        if kind < 0.4:
            return ends
        port = nat_port(r)
        if kind < 0.5:
            return f":{port}"
        if family == 6:
            return r.choice([f"[{ends}]:{port}", f"[{a}]-[{b}]:{port}", f"{ends}:{port}", f"[{ends}]", f"[{ends}:{port}", f"[{a}]:", f"[{ends}]{port}"])
        return r.choice([f"{ends}:{port}", f"{ends}:{port}", f"{ends}:", f"[{ends}]:{port}", f"{ends}::{port}"])
    return value


def reject(family):
    return REJECT6 if family == 6 else REJECT4


LATER = (
    extension("AUDIT", option("type", v.words("accept", "drop", "reject")), wanted="type"),
    extension("CHECKSUM", flags("checksum-fill"), tables=MANGLE, wanted="checksum-fill"),
    extension("CLASSIFY", option("set-class", v.words("1:2", "ffff:ffff", "1:", "0:0", "10000:1", "x", "1:2:3")), tables=("mangle", "filter"), chains=("FORWARD", "OUTPUT", "POSTROUTING"), wanted="set-class"),
    extension("CONNSECMARK", flags("save restore"), tables=("mangle", "security"), wanted="save restore"),
    extension("DNPT", option("src-pfx", v.masked(6)), option("dst-pfx", v.masked(6)), families="6", tables=MANGLE, chains=("PREROUTING", "OUTPUT"), wanted="src-pfx, dst-pfx"),
    extension("HMARK", option("hmark-tuple", v.listed(v.words("src", "dst", "sport", "dport", "spi", "ct", "proto", "s", "D", "sp", "p", "dPort"))), option("hmark-src-prefix", ByFamily(v.prefix_length)), option("hmark-dst-prefix", ByFamily(v.prefix_length)), option("hmark-sport-mask", v.number(0, 65535)),
              option("hmark-dport-mask", v.number(0, 65535)), option("hmark-spi-mask", v.number(0, 2**32 - 1)), option("hmark-sport", v.number(0, 65535)), option("hmark-dport", v.number(0, 65535)), option("hmark-spi", v.number(0, 2**32 - 1)),
              option("hmark-proto-mask", v.number(0, 255)), option("hmark-rnd", v.number(0, 2**32 - 1)), option("hmark-mod", v.number(1, 2**32 - 1)), option("hmark-offset", v.number(0, 2**32 - 1)), tables=("mangle", "filter"),
              wanted="hmark-tuple, hmark-mod, hmark-rnd"),
    extension("IDLETIMER", option("timeout", v.number(1, 2**32 - 1)), option("label", v.label), flags("alarm"), wanted="timeout, label"),
    extension("LED", option("led-trigger-id", v.name(15)), option("led-delay", v.words("0", "50", "inf", "x")), flags("led-always-blink"), wanted="led-trigger-id"),
    extension("NFQUEUE", option("queue-num", v.number(0, 65535)), option("queue-balance", v.span(0, 65535)), flags("queue-bypass queue-cpu-fanout")),
    extension("QUEUE"),
    extension("RATEEST", option("rateest-name", lambda r: f"e{r.randint(0, 10**9)}" if r.random() < 0.8 else v.name(15)(r)), option("rateest-interval", v.time_span(0.1, 8.5)), option("rateest-ewmalog|rateest-ewma", v.time_span(0.4, 5000)), wanted="rateest-name, rateest-interval, rateest-ewmalog"),
    extension("SECMARK", option("selctx", v.name(30)), tables=("mangle", "security"), wanted="selctx"),
    extension("SET", option("add-set", v.set_name, v.directions), option("del-set", v.set_name, v.directions), option("map-set", v.set_name, v.directions), flags("exist map-mark map-prio map-queue"),
              option("timeout", v.number(0, 2**32 - 1)), tables=("mangle", "filter"), wanted="add-set del-set map-set"),
    extension("SNPT", option("src-pfx", v.masked(6)), option("dst-pfx", v.masked(6)), families="6", tables=MANGLE, chains=("INPUT", "POSTROUTING"), wanted="src-pfx, dst-pfx"),
    extension("TEE", option("gateway", ByFamily(v.address)), option("oif", v.interface), wanted="gateway"),
    extension("TPROXY", option("on-port", v.port), option("on-ip", ByFamily(v.address)), option("tproxy-mark", v.marked()), tables=MANGLE, chains=("PREROUTING",), protocols=("tcp", "udp"), wanted="on-port"),
)

TARGETS = (
    extension("CONNMARK", option("set-mark", v.marked()), option("set-xmark", v.marked()), option("and-mark", v.number(0, 2**32 - 1)), option("or-mark", v.number(0, 2**32 - 1)),
              option("xor-mark", v.number(0, 2**32 - 1)), flags("save-mark restore-mark"), option("nfmask", v.number(0, 2**32 - 1)), option("ctmask", v.number(0, 2**32 - 1)),
              option("mask", v.number(0, 2**32 - 1)), option("left-shift-mark", v.number(0, 32)), option("right-shift-mark", v.number(0, 32)),
              wanted="set-mark set-xmark and-mark or-mark xor-mark save-mark restore-mark"),
    extension("CT", flags("notrack"), option("helper", v.name(15)), option("timeout", v.name(31)), option("ctevents", EVENTS), option("expevents", v.listed(v.words("new", "x"))),
              option("zone", lambda r: r.choice([v.number(0, 65535)(r), "mark", "MARK"])), option("zone-orig", v.number(0, 65535)), option("zone-reply", v.number(0, 65535)), tables=RAW,
              wanted="notrack zone zone-orig zone-reply ctevents"),
    extension("DNAT", option("to-destination", ByFamily(nat_to)), flags("random persistent"), tables=NAT, chains=("PREROUTING", "OUTPUT"), protocols=TCP, wanted="to-destination"),
    extension("DSCP", option("set-dscp", v.number(0, 63)), option("set-dscp-class", DSCP), tables=MANGLE, wanted="set-dscp set-dscp-class"),
    extension("ECN", flags("ecn-tcp-remove"), option("ecn-tcp-cwr", v.number(0, 1)), option("ecn-tcp-ece", v.number(0, 1)), option("ecn-ip-ect", v.number(0, 3)), families="4", tables=MANGLE,
              protocols=("tcp",), wanted="ecn-tcp-remove"),
    extension("HL", option("hl-set", v.number(0, 255)), option("hl-inc", v.number(1, 255)), option("hl-dec", v.number(1, 255)), families="6", tables=MANGLE, wanted="hl-set hl-inc hl-dec"),
    extension("LOG", option("log-level", v.words("alert", "crit", "debug", "emerg", "error", "info", "notice", "panic", "warning", "0", "1", "2", "3", "4", "5", "6", "7", "8", "warn", "err")),
              option("log-prefix", v.text(30)), flags("log-tcp-sequence log-tcp-options log-ip-options log-uid log-macdecode")),
    extension("MARK", option("set-mark", v.marked()), option("set-xmark", v.marked()), option("and-mark", v.number(0, 2**32 - 1)), option("or-mark", v.number(0, 2**32 - 1)),
              option("xor-mark", v.number(0, 2**32 - 1)), tables=("mangle", "mangle", "filter"), wanted="set-mark set-xmark and-mark or-mark xor-mark"),
    extension("MASQUERADE", option("to-ports", nat_port), flags("random random-fully"), tables=NAT, chains=("POSTROUTING",), protocols=TCP),
    extension("NETMAP", option("to", ByFamily(v.masked)), tables=NAT, wanted="to"),
    extension("NFLOG", option("nflog-group", v.number(0, 65535)), option("nflog-prefix", v.text(64)), option("nflog-range", v.number(0, 2**32 - 1)), option("nflog-size", v.number(0, 2**32 - 1)),
              option("nflog-threshold", v.number(1, 65535))),
    extension("NOTRACK", tables=RAW),
    extension("REDIRECT", option("to-ports", nat_port), flags("random"), tables=NAT, chains=("PREROUTING", "OUTPUT"), protocols=TCP),
    extension("REJECT", option("reject-with", ByFamily(reject)), tables=("filter", "filter", "filter", "mangle"), chains=("INPUT", "FORWARD", "OUTPUT"), protocols=("tcp", "", "udp")),
    extension("SNAT", option("to-source", ByFamily(nat_to)), flags("random random-fully persistent"), tables=NAT, chains=("POSTROUTING", "INPUT"), protocols=TCP, wanted="to-source"),
    extension("TCPMSS", option("set-mss", v.number(0, 65535)), flags("clamp-mss-to-pmtu"), protocols=("tcp",), wanted="set-mss clamp-mss-to-pmtu",
              before=("--tcp-flags", "SYN,RST", "SYN"), tables=("mangle", "filter"), chains=("FORWARD", "OUTPUT", "POSTROUTING")),
    extension("TCPOPTSTRIP", option("strip-options", v.listed(v.words("wscale", "mss", "sack-permitted", "sack", "timestamp", "md5", "2", "3", "254", "255", "256", "0", "1", fold=False))), tables=MANGLE,
              protocols=("tcp",), wanted="strip-options"),
    extension("TOS", option("set-tos", tos), option("and-tos", v.number(0, 255)), option("or-tos", v.number(0, 255)), option("xor-tos", v.number(0, 255)), tables=MANGLE,
              wanted="set-tos and-tos or-tos xor-tos"),
    extension("TRACE", tables=RAW),
    extension("TTL", option("ttl-set", v.number(0, 255)), option("ttl-inc", v.number(1, 255)), option("ttl-dec", v.number(1, 255)), families="4", tables=MANGLE, wanted="ttl-set ttl-inc ttl-dec"),
) + LATER
