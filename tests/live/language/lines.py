"""Random rules, and whole files of them, from the grammar."""
import dataclasses
import random

import values as v
from grammar import ByFamily, extension, option
from matches import MATCHES
from targets import TARGETS

CHAINS = {"filter": ("INPUT", "FORWARD", "OUTPUT"), "security": ("INPUT", "FORWARD", "OUTPUT"), "raw": ("PREROUTING", "OUTPUT"),
          "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"), "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")}
USER_CHAINS = ("one", "two")  # they exist beside every rule
BASIC = extension("", option("protocol|proto", v.words(*v.PROTOCOLS, fold=True)), option("source|src", ByFamily(v.networks)), option("destination|dst", ByFamily(v.networks)),
                  option("in-interface", v.interface), option("out-interface", v.interface), option("fragments"))
SHORT = {"protocol": "p", "source": "s", "destination": "d", "in-interface": "i", "out-interface": "o", "fragments": "f", "match": "m", "jump": "j", "goto": "g"}
VERDICTS = ("ACCEPT", "DROP", "RETURN", "one", "two", "", "", "QUEUE", "three", "accept", "INPUT")


@dataclasses.dataclass(frozen=True)
class Rule:
    family: int
    table: str
    chain: str
    words: tuple  # as they are written, quotes and all
    about: str  # the extension that it is about

    @property
    def text(self):
        return " ".join(self.words)


@dataclasses.dataclass(frozen=True)
class File:
    family: int
    text: str
    about: str = "files"


def extensions():
    """(is it a target, row), all of them"""
    return [(False, BASIC)] * 2 + [(False, row) for row in MATCHES] + [(True, row) for row in TARGETS]


def rule(seed, only=None):
    r = random.Random(seed)
    is_target, row = r.choice([one for one in extensions() if only is None or one[1].name in only])
    family = int(r.choice(row.families)) if r.random() < 0.97 else r.choice([4, 6])
    table = r.choice(row.tables) if r.random() < 0.95 else r.choice(list(CHAINS))
    if row.tables == BASIC.tables and r.random() < 0.7:
        table = "filter"
    maker = Maker(r, family, only)
    words = maker.rule(row, is_target, table)
    return Rule(family, table, maker.chain(table, row), tuple(words), row.name or "basic")


class Maker:
    def __init__(self, r, family, only=None):
        self.r, self.family = r, family
        self.others = [one for one in MATCHES if str(family) in one.families and (only is None or one.name in only)]

    def chain(self, table, row):
        known = [name for name in CHAINS[table] if not row.chains or name in row.chains]
        kind = self.r.random()
        if kind < 0.45 and known:
            return self.r.choice(known)
        return "new" if kind < 0.85 else self.r.choice(CHAINS[table])

    def rule(self, row, is_target, table):
        """Parts in the order in which the tool wants them, now and then in another."""
        r = self.r
        parts = self.basics(row)
        if row is BASIC:
            parts += self.options(BASIC, r.randint(1, 3))
        parts.append(list(row.before))
        if not is_target and row is not BASIC:
            parts += self.match(row)
            if self.others and r.random() < 0.08:
                parts += self.match(r.choice(self.others))
        parts += self.target(row) if is_target else self.verdict(table)
        if r.random() < 0.02:
            r.shuffle(parts)
        return [word for part in parts for word in part]

    def basics(self, row):
        r, parts = self.r, []
        if row.protocols:
            protocol = r.choice(row.protocols) if r.random() < 0.96 else r.choice(v.PROTOCOLS)
            if protocol and r.random() < 0.97:
                parts.append((["!"] if r.random() < 0.02 else []) + ["-p", protocol])
        if row is not BASIC and r.random() < 0.12:
            parts += self.options(BASIC, 1)
        return parts

    def match(self, row):
        named = [self.spelled("match") + [row.name]]
        if row.name in ("tcp", "udp", "icmp", "icmp6", "sctp", "dccp", "esp") and self.r.random() < 0.3:
            named = []
        return named + self.options(row)

    def target(self, row):
        return [self.spelled("jump") + [row.name]] + self.options(row)

    def verdict(self, table):
        name = self.r.choice(VERDICTS[:5] if self.r.random() < 0.9 else VERDICTS)
        if name == "DROP" and table == "nat" and self.r.random() < 0.9:
            name = "ACCEPT"
        goes = "goto" if name in USER_CHAINS and self.r.random() < 0.4 or self.r.random() < 0.01 else "jump"
        return [self.spelled(goes) + [name]] if name else []

    def options(self, row, count=None):
        r = self.r
        chosen = []
        for group in row.wanted:
            if r.random() < 0.95:
                name = r.choice(group)
                chosen.append(next(one for one in row.options if one.names[0] == name))
        rest = [one for one in row.options if one not in chosen]
        if rest:
            chosen += r.sample(rest, min(len(rest), count if count is not None else r.choice([0, 0, 1, 1, 2, 3])))
        if any(one.names[0] in row.together for one in chosen) and r.random() < 0.95:
            chosen += [one for one in row.options if one.names[0] in row.together and one not in chosen]
        if chosen and r.random() < 0.02:
            chosen.append(r.choice(chosen))
        if r.random() < 0.5:
            r.shuffle(chosen)
        return [self.option(one) for one in chosen]

    def option(self, one):
        r = self.r
        words = self.spelled(r.choice(one.names))
        values = [self.quoted(self.value(kind)) for kind in one.values]
        if values and words[0].startswith("--") and r.random() < 0.05 and not values[0].startswith('"'):
            words[0] += "=" + values.pop(0)
        negated = r.random()
        if negated < 0.1:
            words.insert(0, "!")
        elif negated < 0.105:
            words.append("!")
        return words + values

    def value(self, kind):
        return kind.make(self.family)(self.r) if isinstance(kind, ByFamily) else kind(self.r)

    def spelled(self, name):
        r = self.r
        if name in SHORT and r.random() < 0.8:
            return ["-" + SHORT[name]]
        if r.random() < 0.06 and len(name) > 2:
            name = name[: r.randint(2, len(name) - 1)]
        elif r.random() < 0.002:
            name = name.upper()
        return ["--" + name]

    def quoted(self, text):
        plain = text and not any(c in ' \t"' for c in text)
        if plain and self.r.random() < 0.95:
            return text
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
