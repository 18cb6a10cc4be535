"""The grammar of iptables(8): a row per extension."""
import dataclasses

ANY_TABLE = ("filter", "mangle", "raw", "nat", "security")


@dataclasses.dataclass(frozen=True)
class Option:
    names: tuple  # the first is the one that the module's own list has
    values: tuple = ()  # kinds of value (values.py); a kind that depends on the family is marked with `by_family`


@dataclasses.dataclass(frozen=True)
class Extension:
    name: str
    options: tuple
    families: str = "46"
    protocols: tuple = ()  # -p that it needs, or that make sense
    wanted: tuple = ()  # of each of these groups of options one is given nearly always
    tables: tuple = ANY_TABLE
    chains: tuple = ()  # built-in chains that make sense, if not all do
    before: tuple = ()  # words that it needs before it
    together: tuple = ()  # options that go with each other


class ByFamily:
    """A kind of value that depends on the family."""

    def __init__(self, make):
        self.make = make


def option(names, *values):
    return Option(tuple(names.split("|")), values)


def flags(names):
    return tuple(Option((name,)) for name in names.split())


def extension(name, *options, **rest):
    flat = []
    for one in options:
        flat.extend(one if isinstance(one, tuple) else (one,))
    rest["together"] = tuple(rest.pop("together", "").split())
    wanted = tuple(tuple(group.split()) for group in rest.pop("wanted", "").split(",") if group.strip())
    return Extension(name, tuple(flat), wanted=wanted, **rest)
