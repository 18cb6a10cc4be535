"""Random rule sets: every match and target whose answer depends on packets and state alone, in every table and chain that takes it."""

HOOKS = {"raw": ["PREROUTING", "OUTPUT"], "mangle": ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
         "nat": ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"], "filter": ["INPUT", "FORWARD", "OUTPUT"]}
IN, OUT = {"PREROUTING", "INPUT", "FORWARD"}, {"FORWARD", "OUTPUT", "POSTROUTING"}


class RuleMaker:
    """Writes the rules of one family. `net` holds addresses: {"lan": [...], "wan": [...], "router": {side: address}}. `paced`: the
    packets are so far apart that matches which look at the clock's ticks see the same on both sides."""

    def __init__(self, rng, net, v6, paced):
        self.rng, self.net, self.v6, self.paced = rng, net, v6, paced
        self.number = 0

    def text(self):
        tables = [name for name, share in (("raw", 0.4), ("mangle", 0.5), ("nat", 0.5), ("filter", 1)) if self.rng.random() < share]
        return "".join(self.table(name) for name in tables)

    def table(self, name):
        users = [f"U{i}" for i in range(self.rng.randrange(4))] if name != "nat" else []
        lines = [f"*{name}"] + [f":{c} {self.policy(name)} [0:0]" for c in HOOKS[name]] + [f":{u} - [0:0]" for u in users]
        for chain in HOOKS[name]:
            few = name == "raw" or name == "nat" or chain in ("INPUT", "OUTPUT")
            for _ in range(self.rng.randrange(0, 4 if few else 9)):
                lines.append(self.rule(name, chain, chain, users))
        for at, user in enumerate(users):
            for _ in range(self.rng.randrange(1, 7)):
                lines.append(self.rule(name, user, "FORWARD" if name == "filter" else "USER", users[at + 1 :]))
        return "\n".join(lines) + "\nCOMMIT\n"

    def policy(self, table):
        return "DROP" if table == "filter" and self.rng.random() < 0.05 else "ACCEPT"

    def rule(self, table, chain, hook, users):
        """`hook` tells what may stand in it: a built-in chain's name, FORWARD for user chains of filter, USER for any hook."""
        rng = self.rng
        protocol = rng.choice(["", "", "tcp", "udp", "icmp", "sctp", "udplite", "47"])
        words = [f"-A {chain}", *self.selectors(hook, protocol)]
        chosen = {}  # one of a kind
        for _ in range(rng.choice([0, 0, 1, 1, 2, 3])):
            match = rng.choice(self.matches(table, hook, protocol))
            chosen.setdefault(match.split()[1], match)
        words += chosen.values()
        words.append(self.target(table, hook, protocol, users))
        return " ".join(w for w in words if w)

    def negate(self, text, share=0.2):
        return f"! {text}" if self.rng.random() < share else text

    def address(self):
        rng, net = self.rng, self.net
        host = rng.choice(net["lan"] + net["wan"] + list(net["router"].values()))
        return host + "/" + rng.choice(["128", "127", "64", "0"] if self.v6 else ["32", "31", "29", "24", "0", "255.255.255.0"])

    def selectors(self, hook, protocol):
        rng, words = self.rng, []
        if rng.random() < 0.3:
            words.append(self.negate(f"-s {self.address()}"))
        if rng.random() < 0.3:
            words.append(self.negate(f"-d {self.address()}"))
        if hook in IN and rng.random() < 0.2:
            words.append(self.negate(f"-i {rng.choice(['lan', 'wan', 'la+', 'lo'])}"))
        if hook in OUT and rng.random() < 0.2:
            words.append(self.negate(f"-o {rng.choice(['lan', 'wan', 'w+'])}"))
        if protocol:
            name = "ipv6-icmp" if protocol == "icmp" and self.v6 else protocol
            words.append(f"-p {name}")
        elif rng.random() < 0.15:
            words.append(f"! -p {rng.choice(['tcp', 'udp', 'ipv6-icmp' if self.v6 else 'icmp'])}")
        return words

    def ports(self):
        return self.rng.choice(["53", "80", "22", "1024:65535", ":1024", "500:1025", "0:65535", "2000"])

    def matches(self, table, hook, protocol):
        """What may be added to a rule for this protocol in this chain."""
        rng, n = self.rng, self.negate
        self.number += 1
        some = [
            f"-m ttl --ttl-{rng.choice(['lt', 'gt', 'eq'])} {rng.choice([1, 62, 63, 64])}" if not self.v6 else
            f"-m hl --hl-{rng.choice(['lt', 'gt', 'eq'])} {rng.choice([1, 62, 63, 64])}",
            f"-m length {n('--length ' + rng.choice(['0:60', '40', '61:100', '100:65535', '48:49']))}",
            f"-m mark {n('--mark ' + rng.choice(['0x0/0x1', '0x1', '0x2/0xff', '0x0']))}",
            f"-m dscp {n('--dscp ' + rng.choice(['0x00', '0x02', '0x2e']))}",
            f"-m tos {n('--tos ' + rng.choice(['0x08/0xff', '0x00/0x3f', '0x10/0x10']))}",
            f"-m iprange {n('--src-range ' + self.range('lan'))}",
            f"-m iprange {n('--dst-range ' + self.range('wan'))}",
            f"-m statistic --mode nth --every {rng.choice([2, 3, 5])} --packet {rng.choice([0, 1])}",
            f"-m limit --limit 1/hour --limit-burst {rng.choice([1, 3, 5])}",
            f"-m quota --quota {rng.choice([100, 500, 5000])}",
            f'-m comment --comment "{rng.choice(["one", "two words", "it is 5 o clock"])}"',
            f"-m recent --name R{rng.randrange(2)} {rng.choice(['--set', '--rcheck --hitcount 3', '--update', '--remove', '--rcheck'])} {rng.choice(['--rsource', '--rdest'])}",
            f"-m hashlimit --hashlimit-upto 1/hour --hashlimit-burst {rng.choice([1, 2, 4])} --hashlimit-mode {rng.choice(['srcip', 'dstip', 'srcip,dstport', 'srcip,dstip,srcport,dstport'])} --hashlimit-name h{'6' if self.v6 else '4'}{self.number}",
            f"-m addrtype {n('--dst-type ' + rng.choice(['LOCAL', 'UNICAST']))}",
            f"-m addrtype {n('--src-type ' + rng.choice(['LOCAL', 'UNICAST']))}",
            f"-m string --algo {rng.choice(['bm', 'kmp'])} {rng.choice(['--from 20 ', ''])}{n('--string ' + rng.choice(['ping', 'dd', 'xx', 'ff']))}",
        ]
        if not self.paced:  # those seconds are real ones
            some.append(f"-m hashlimit --hashlimit-upto {rng.choice(['16b/s', '32b/s --hashlimit-burst 64b'])} --hashlimit-mode {rng.choice(['srcip', 'dstip,dstport'])} --hashlimit-name b{'6' if self.v6 else '4'}{self.number}")
        if table == "filter" or table == "mangle":
            some += self.tracked(n)
        if table in ("mangle", "raw") and hook == "PREROUTING":
            some.append(f"-m rpfilter {rng.choice(['', '--loose', '--invert'])}")
        if protocol in ("tcp", "udp"):
            some += [f"-m {protocol} --dport {self.ports()}", f"-m {protocol} {n('--sport ' + rng.choice(['53', '80', '1024:65535', ':1024']))}"]
        if protocol in ("tcp", "udp", "sctp", "udplite"):
            some.append(f"-m multiport {n('--' + rng.choice(['dports', 'sports', 'ports']) + ' ' + rng.choice(['53,80', '22,1000:2000', '1024:65535,53', '2000,3000,5000']))}")
        if protocol == "tcp":
            if self.paced and table in ("filter", "mangle"):  # its list of connections is cleaned at most once a tick
                mask = rng.choice(["0", "64", "128"] if self.v6 else ["0", "24", "32"])
                some.append(f"-m tcp --syn -m connlimit --connlimit-{rng.choice(['above', 'upto'])} {rng.choice([1, 2, 3])} "
                            f"--connlimit-mask {mask} --connlimit-{rng.choice(['saddr', 'daddr'])}")
            some += [
                f"-m tcp {n('--tcp-flags ' + rng.choice(['SYN,ACK SYN', 'FIN,SYN,RST,ACK SYN', 'ALL ACK', 'RST RST', 'ALL NONE', 'SYN,FIN SYN,FIN', 'FIN FIN']))}",
                f"-m tcp {n('--tcp-option ' + rng.choice(['2', '3', '4', '8']))}",
                f"-m tcpmss {n('--mss ' + rng.choice(['1460', '1:1400', '536:1500']))}",
            ]
        if protocol == "icmp":
            some += [f"-m icmp6 {n('--icmpv6-type ' + rng.choice(['128', '129', '1', '1/4', '2', 'packet-too-big', 'echo-request']))}"] if self.v6 else [
                f"-m icmp {n('--icmp-type ' + rng.choice(['8', '0', '3', '3/3', '11', 'any', 'echo-request', '8/3']))}"]
        if protocol == "sctp":
            some += [f"-m sctp {n('--dport ' + rng.choice(['3000', '1:2999']))}",
                     f"-m sctp --chunk-types {rng.choice(['any', 'all', 'only'])} {rng.choice(['DATA', 'INIT', 'ABORT,SHUTDOWN', 'COOKIE_ECHO'])}"]
        if self.v6:
            some += [f"-m frag --fragid 0:4294967295 --fragfirst", f"-m ipv6header --header {rng.choice(['frag', 'dst', 'prot'])} --soft"]
        return some

    def tracked(self, n):
        rng = self.rng
        tuples = [self.net["lan"][0], self.net["wan"][0], self.net["router"]["wan"]]
        return [
            f"-m conntrack {n('--ctstate ' + rng.choice(['NEW', 'ESTABLISHED', 'RELATED', 'INVALID', 'RELATED,ESTABLISHED', 'INVALID,NEW', 'UNTRACKED', 'SNAT', 'DNAT', 'NEW,UNTRACKED']))}",
            f"-m conntrack {n('--ctstatus ' + rng.choice(['ASSURED', 'SEEN_REPLY', 'CONFIRMED', 'NONE', 'SEEN_REPLY,ASSURED']))}",
            f"-m conntrack --ctdir {rng.choice(['ORIGINAL', 'REPLY'])}",
            f"-m conntrack {n('--ctproto ' + rng.choice(['6', '17', '1', '58', '132']))}",
            f"-m conntrack {n('--' + rng.choice(['ctorigsrc', 'ctorigdst', 'ctreplsrc', 'ctrepldst']) + ' ' + rng.choice(tuples))}",
            f"-m conntrack {n('--' + rng.choice(['ctorigsrcport', 'ctorigdstport', 'ctreplsrcport', 'ctrepldstport']) + ' ' + self.ports())}",
            f"-m state --state {rng.choice(['NEW', 'ESTABLISHED', 'RELATED', 'INVALID', 'UNTRACKED'])}",
            f"-m connmark {n('--mark ' + rng.choice(['0x0/0x1', '0x1', '0x2/0xff', '0x0']))}",
            f"-m connbytes {n('--connbytes ' + rng.choice(['0:3', '2', '100:1000', '5:']))} --connbytes-mode {rng.choice(['packets', 'bytes', 'avgpkt'])} --connbytes-dir {rng.choice(['original', 'reply', 'both'])}",
        ]

    def range(self, side):
        a, b = sorted(self.net[side], key=lambda x: [int(p or "0", 16) for p in x.replace(".", ":").split(":")])
        return self.rng.choice([f"{a}-{b}", f"{a}-{a}", f"{b}-{b}"])

    def target(self, table, hook, protocol, users):
        rng = self.rng
        if table == "nat":
            return self.nat(hook, protocol)
        choices = ["", ""]
        if users:
            choices += [f"-{rng.choice(['j', 'j', 'g'])} {rng.choice(users)}"] * 3
        if table == "raw":
            return rng.choice(choices + ["-j CT --notrack", "-j NOTRACK", "", f"-j CT --zone {rng.choice([1, 2])}", f"-j CT --zone-{rng.choice(['orig', 'reply'])} 3",
                                         "-j CT --zone mark", "-j ACCEPT", "-j RETURN", "-j MARK --set-xmark 0x1/0xffffffff"])
        if table == "mangle":
            return rng.choice(choices + [
                f"-j MARK --set-xmark {rng.choice(['0x1/0xffffffff', '0x2/0xff', '0x0/0x1'])}", "-j MARK --or-mark 0x10", "-j MARK --and-mark 0xf0",
                "-j CONNMARK --save-mark", "-j CONNMARK --restore-mark", f"-j CONNMARK --set-xmark {rng.choice(['0x1/0xffffffff', '0x2/0xff'])}",
                "-j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff", *self.header_targets(hook),
                "-j ACCEPT", "-j RETURN", "-j DROP" if rng.random() < 0.3 else ""]
                + ([f"-j TCPOPTSTRIP --strip-options {rng.choice(['sack-permitted', 'wscale,mss', '4'])}"] if protocol == "tcp" else []))
        kinds = ["icmp6-adm-prohibited", "icmp6-addr-unreachable", "icmp6-no-route"] if self.v6 else ["icmp-host-prohibited", "icmp-admin-prohibited", "icmp-net-unreachable"]
        refuse = ["-j DROP", "-j REJECT", f"-j REJECT --reject-with {rng.choice(kinds)}"]
        if protocol == "tcp":
            refuse.append("-j REJECT --reject-with tcp-reset")
        return rng.choice(choices * 3 + ["-j ACCEPT", "-j ACCEPT", "-j RETURN", "-j RETURN"] + refuse
                          + ['-j LOG --log-prefix "x "', "-j NFLOG --nflog-group 5"])

    def header_targets(self, hook):
        if self.v6 and hook not in ("FORWARD", "OUTPUT", "POSTROUTING"):
            return []  # docs/kernel-parity.md, v6-header-changed-after-checksum
        rng = self.rng
        hops = rng.choice(["set 64", "dec 1", "inc 1", "dec 70"])
        return [f"-j DSCP --set-dscp {rng.choice(['0x2e', '0x00'])}", f"-j TOS --set-tos {rng.choice(['0x10/0x3f', '0x08/0xff'])}",
                f"-j HL --hl-{hops}" if self.v6 else f"-j TTL --ttl-{hops}"]

    def nat(self, hook, protocol):
        rng, net = self.rng, self.net
        wrap = (lambda a: f"[{a}]") if self.v6 else (lambda a: a)
        ports = protocol in ("tcp", "udp", "sctp")
        inside, wan = rng.choice(net["lan"]), net["router"]["wan"]
        if hook in ("PREROUTING", "OUTPUT"):
            choices = [f"-j DNAT --to-destination {inside}", "-j ACCEPT", ""]
            if ports:
                choices += [f"-j DNAT --to-destination {wrap(inside)}:8080", f"-j DNAT --to-destination {wrap(rng.choice(net['wan']))}:53"]
            if protocol in ("tcp", "udp"):
                choices.append("-j REDIRECT --to-ports 3128")
            if hook == "PREROUTING":
                choices.append("-j NETMAP --to " + ("2001:db8:9::/124" if self.v6 else "198.51.100.0/29"))
            return rng.choice(choices)
        if hook == "INPUT":
            return rng.choice([f"-j SNAT --to-source {rng.choice(net['wan'])}", "", "-j ACCEPT"])
        choices = ["-j MASQUERADE", f"-j SNAT --to-source {wan}", "-j ACCEPT", ""]
        if ports:
            choices += [f"-j SNAT --to-source {wrap(wan)}:20000-29999", "-j MASQUERADE --to-ports 30000-39999"]
        return rng.choice(choices)
