"""Random whole files: tables, chains in any order, policies, counters, comments, commands, odd white space and line ends."""
import dataclasses
import random

from lines import CHAINS

USER_CHAINS = ("zeta", "alpha", "Beta", "a-b", "x" * 28, "INPUTx", "10", "_", "a.b", "mid")
ODD_CHAINS = ("LOG", "MARK", "-x", "!x", "a\\b", "it's")  # that ":NAME" declares, and -N does not
WRONG_CHAINS = ("ACCEPT", "QUEUE", "x" * 29)
VERBS = ("-F {0}", "-F", "-X {1}", "-X", "-Z {0}", "-Z", "-Z {0} 1", "-P {0} DROP", "-P {0} ACCEPT", "-P {0}", "-P {0} REJECT", "-E {1} renamed", "-E {0} {1}", "-E {1}", "-D {0} 1", "-D {0} 2",
         "-D {0} 1 -j RETURN", "-D {0} 0", "-R {0} 1 -j RETURN", "-R {0} 9 -j RETURN", "-R {0} -j RETURN", "-R {0} 1 -s {2},{2}", "-L {0}", "-L", "-L {0} 1", "-L -n -v", "-S", "-S {0}", "-S no",
         "-N {0}", "-N new", "-N a b", "-D {0} -j RETURN", "-D {0} -j ACCEPT", "-C {0} -j RETURN", "-F {0} {1}", "-X {1} {1}", "-Z {0} {1}", "-F -v", "-X -v", "-N LOG", "-N -x",
         "--flush {0}", "--zero", "--new-chain new2", "--delete-chain {1}", "--policy {0} ACCEPT", "--rename-chain {1} other", "--delete {0} 1", "--list {0}", "--flu", "--del {0} 1", "--new new3",
         "-j RETURN -A {0}", "-i lo -I {0} 1", "-s {2} --append {0} -j ACCEPT", "--append={0} -j RETURN", "--app {0}", "--insert {0} -j RETURN", "-I {0} x", "-A", "-P", "-E", "-Q {0}", "--nothing", "{0}")


@dataclasses.dataclass(frozen=True)
class File:
    family: int
    text: str
    about: str = "files"


def file(seed):
    r = random.Random(seed)
    family = r.choice([4, 6])
    lines = []
    for _ in range(r.choice([0, 1, 1, 1, 2, 2, 3])):
        lines += Section(r, family, r.choice(list(CHAINS))).lines()
        if r.random() < 0.02:
            lines.append(r.choice(["-A INPUT -j ACCEPT", "COMMIT", ":INPUT ACCEPT [0:0]", "# outside", "", " ", "filter"]))
    ending = "\r\n" if r.random() < 0.03 else "\n"
    text = ending.join(lines)
    return File(family, text + (ending if lines and r.random() < 0.96 else ""))


class Section:
    """A table."""

    def __init__(self, r, family, table):
        self.r, self.family, self.table = r, family, table
        self.users = r.sample(USER_CHAINS, r.randint(0, 5))
        if r.random() < 0.1:
            self.users.append(r.choice(ODD_CHAINS if r.random() < 0.8 else WRONG_CHAINS))
        self.every = list(CHAINS[table]) + self.users

    def lines(self):
        r = self.r
        lines = [f"*{self.table}" if r.random() < 0.97 else r.choice([f"* {self.table}", f"*{self.table} x", f"*{self.table}x", "*", f"*{self.table}\t"])]
        declared = [self.policy(name) for name in CHAINS[self.table] if r.random() < 0.8]
        declared += [self.declared(name) for name in self.users]
        if r.random() < 0.2:
            r.shuffle(declared)
        lines += declared + [self.command() for _ in range(r.choice([0, 0, 1, 2, 3, 5, 8]))]
        ends = r.random()
        if ends < 0.97:
            lines.append("COMMIT")
        elif ends < 0.985:
            lines.append(r.choice(["commit", "COMMIT x", "COMMIT ", " COMMIT"]))
        return [spaced(r, line) for line in lines]

    def policy(self, name):
        r = self.r
        policy = r.choice(["ACCEPT", "ACCEPT", "DROP"]) if r.random() < 0.97 else r.choice(["REJECT", "-", "accept", "", "RETURN"])
        counted = f"[{r.choice([0, 7, 2**63])}:{r.choice([0, 64, 2**40])}]"
        if r.random() < 0.03:
            counted = r.choice(["", "[1:2", "1:2]", "[1]", "[a:b]", "[010:09]", "[1:2] more", "[1:2:3]"])
        return f":{name} {policy} {counted}".rstrip()

    def declared(self, name):
        return self.r.choice([f":{name} - [0:0]", f":{name} - [0:0]", f":{name} - {self.counters()}", f":{name} -", f"-N {name}", f": {name} - [0:0]" if self.r.random() < 0.1 else f":{name}\t-"])

    def counters(self):
        r = self.r
        pair = f"[{r.choice([0, 1, 17, 2**32, 2**63])}:{r.choice([0, 64, 1500, 2**40])}]"
        return pair if r.random() < 0.97 else r.choice(["[1:2", "1:2]", "[1]", "[:]", "[a:b]", "", "[1:2:3]", "[010:09]", "[0x1:2]"])

    def command(self):
        r = self.r
        if r.random() < 0.03:
            return r.choice(["# a comment", "", " # behind a blank", "   ", "\t"])
        if r.random() < 0.12:
            verb = r.choice(VERBS).format(r.choice(self.every), r.choice(self.users or ["no"]), self.address())
            return f"{self.counters()} {verb}" if r.random() < 0.05 else verb
        return self.rule(r.choice(self.every))

    def address(self):
        return self.r.choice(["10.0.0.1", "192.0.2.0/24"] if self.family == 4 else ["fd00::1", "2001:db8::/32"])

    def rule(self, chain):
        r = self.r
        target = r.choice(["-j RETURN", "-j ACCEPT", "", *([f"-j {r.choice(self.users)}", f"-g {r.choice(self.users)}"] if self.users else [])])
        if r.random() < 0.05:
            target = r.choice(["-j LOG", "-j QUEUE", "-j MASQUERADE", "-j MARK --set-mark 1", "-j DROP", f"-j {chain}", f"-g {chain}", "-j no", "-j REJECT"])
        condition = r.choice(["", "", "-p tcp -m tcp --dport 22 ", "-i lan ", "-o wan+ ", "-p udp ", "-m comment --comment \"a b\" ", "-4 ", "-6 ", f"-s {self.address()} ",
                              f"-s {self.address()},{self.address()} ", "-m conntrack --ctstate RELATED,ESTABLISHED ", "-v "])
        counted = f"{self.counters()}{r.choice([' ', ' ', '  ', ''])}" if r.random() < 0.3 else ""
        given = r.choice([" -c 5 77", " -c 5,77", " -c 5", " -c x y", " --set-counters 3 4", " -c 010 09"]) if r.random() < (0.02 if counted else 0.2) else ""
        verb = r.choice(["-A {}", "-A {}", "-A {}", "-I {}", "-I {} 1", "-I {} 2", "-I {} 0", "-A{}", "--append {}"]).format(chain)
        return f"{counted}{verb} {condition}{target}{given}".rstrip()


def spaced(r, line):
    if r.random() < 0.93 or not line:
        return line
    return r.choice([line.replace(" ", "  "), line.replace(" ", "\t"), line + " ", line + "\t", " " + line])
