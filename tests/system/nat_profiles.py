"""What docs/nat-behaviour.md promises of each profile, and the profiles that the program has."""
import pathlib
import re

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs/nat-behaviour.md"
ENDPOINT, ADDRESS, BOTH = "endpoint-independent", "address-dependent", "address-and-port-dependent"


class Profile:
    """A row of the document's table."""

    def __init__(self, name, mapping, filtering, ports, hairpin, beside):
        self.name, self.mapping, self.filtering, self.ports, self.hairpin = name, mapping, filtering, ports, hairpin
        self.udp = "no UDP" not in beside


def promised():
    """-> name: Profile"""
    table = DOCUMENT.read_text().split("| profile | mapping |", 1)[1].split("\n\n", 1)[0]
    rows = ([cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in table.splitlines()[2:])
    return {row[0]: Profile(*row) for row in rows}


def known(h):
    """The names of the profiles that the program knows, out of its complaint about one that it does not."""
    h.write("unknown.v4", "*nat\n-A POSTROUTING -j MASQUERADE --profile ?\nCOMMIT\n")
    refused = h.run("check", h.write("unknown.toml", h.inside_outside('[rules]\nipv4 = "unknown.v4"')))
    names = re.search(r"is not one of ([a-z0-9, -]+)", refused.stderr + refused.stdout)
    return names.group(1).split(", ") if names else []


def checked(h):
    """The profiles; one without a promise, or a promise without one, fails."""
    profiles, names = promised(), known(h)
    h.check("the document has a promise for every profile, and no other", sorted(profiles) == sorted(names) and names, (sorted(profiles), names))
    return [profiles[name] for name in names if name in profiles]


class Side:
    """A router that has a network with one host for each profile; outside it gives each an address of its own."""

    def __init__(self, h, profiles, name="router", outside=("192.0.2", "2001:db8")):
        self.h, self.profiles, self.name = h, profiles, name
        self.outside = {4: outside[0] + ".", 6: outside[1] + "::"}

    def netns(self, profile):
        return f"{self.name}-{profile.name}"

    def number(self, profile):
        return 1 + self.profiles.index(profile)

    def seen(self, profile, family=4):
        """The address that a host has outside."""
        return f"{self.outside[family]}{100 + self.number(profile)}"

    def inside(self, profile, family=4):
        return f"10.0.{self.number(profile)}.2" if family == 4 else f"fd00:{self.number(profile)}::2"

    def write(self, more="", port=None):
        """The configuration's path, with what more it says; `port` is that of its control."""
        h, links = self.h, []
        for number, profile in enumerate(self.profiles, 1):
            links.append(h.link(f"lan{number}", self.netns(profile), (f"10.0.{number}.1/24", f"fd00:{number}::1/64"),
                                (self.inside(profile) + "/24", self.inside(profile, 6) + "/64")))
        for family in (4, 6):
            lines = [f"-A POSTROUTING -s {self.inside(profile, family)} -o wan -j SNAT --to-source {self.seen(profile, family)} --profile {profile.name}" for profile in self.profiles]
            h.write(f"{self.name}.v{family}", "\n".join(["*nat", *lines, "COMMIT", ""]))
        own = [f"{self.outside[family]}{host}/{24 if family == 4 else 64}" for family in (4, 6) for host in (1, *(100 + number for number in range(1, len(self.profiles) + 1)))]
        links.append(h.link("wan", "outside", own, (self.outside[4] + "2/24", self.outside[6] + "2/64"), routes=(), more=f'device = "{self.name}"'))
        rules = f'[rules]\nipv4 = "{self.name}.v4"\nipv6 = "{self.name}.v6"'
        return h.write(f"{self.name}.toml", h.config(*links, rules, more, name=h.instance(self.name), port=port))
