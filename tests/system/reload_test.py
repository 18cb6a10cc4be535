#!/usr/bin/env python3
"""A configuration that changes under a running router: interfaces, rules and what becomes of connections; whole or not at all.

    reload_test.py NSROUTER
"""
import json
import os
import re
import subprocess
import sys

import harness

REST = """{more}
[rules]
policy.filter.FORWARD = "DROP"
[[rules.filter.FORWARD]]
ctstate = ["ESTABLISHED"]
jump = "ACCEPT"
{rules}
[[rules.filter.FORWARD]]
in-interface = "lan"
jump = "ACCEPT"
[[rules.nat.POSTROUTING]]
out-interface = "wan"
jump = "MASQUERADE"
"""

DMZ = """
[[interface]]
name = "dmz"
netns = "{id}-dmz"
address = ["{address}"]
host.address = ["203.0.113.2/24"]
host.routes = [{{ to = "default", via = "203.0.113.1" }}]
mtu = {mtu}
"""


class Bench:
    def __init__(self, h):
        self.h = h
        self.write()
        h.start(h.folder / "router.toml")
        self.client, self.server = h.udp("inside", "10.0.1.2", 4000), h.udp("outside", "192.0.2.2", 5000)

    def write(self, more="", rules="", name=None):
        self.h.write("router.toml", self.h.inside_outside(REST.format(more=more, rules=rules), name))

    def reload(self, *arguments, **config):
        self.write(**config)
        return self.h.cli("reload", *arguments)

    def echoes(self, timeout=5):
        """The datagram there and back; None: it did not come through."""
        self.server.settimeout(timeout)
        self.client.settimeout(timeout)
        self.client.sendto(b"ping", ("192.0.2.2", 5000))
        try:
            peer = self.server.recvfrom(10)[1]
            self.server.sendto(b"pong", peer)
            self.client.recvfrom(10)
            return peer
        except TimeoutError:
            return None

    def connections(self):
        return json.loads(self.h.get("/conntrack"))

    def dmz(self, netns="dmz", address="203.0.113.1/24", mtu=1400):
        return DMZ.format(id=self.h.id, address=address, mtu=mtu).replace(f"{self.h.id}-dmz", self.h.netns(netns))


def ip(h, netns, *arguments):
    return subprocess.run(["ip", "-n", h.netns(netns), *arguments], capture_output=True, text=True).stdout


def reaches(h, netns, address):
    return h.ping(netns, address).returncode == 0


def test(h):
    bench = Bench(h)
    peer = bench.echoes()
    h.check("before: packets are masqueraded", peer is not None and peer[0] == "192.0.2.1", peer)
    interfaces(h, bench, peer)
    nothing_half_done(h, bench, peer)
    provenance(h, bench)
    existing(h, bench)
    h.check("the end leaves nothing", h.stop() == 0 and not h.leftovers(), h.leftovers())


def interfaces(h, bench, peer):
    answer = bench.reload(more=bench.dmz())
    h.check("an interface comes, and the answer says so", answer.returncode == 0 and "interface dmz is new" in answer.stdout, answer)
    h.check("packets reach its namespace", reaches(h, "inside", "203.0.113.2"))
    h.check("its device has the MTU", "mtu 1400" in ip(h, "dmz", "link", "show", "dmz"), ip(h, "dmz", "link"))
    h.check("the connection between the others is the same", bench.echoes() == peer)
    h.check("rules name it", bench.reload(more=bench.dmz(), rules='[[rules.filter.FORWARD]]\nin-interface = "dmz"\njump = "ACCEPT"\n').returncode == 0 and reaches(h, "dmz", "10.0.1.2"))
    answer = bench.reload(more=bench.dmz(address="203.0.113.9/24", mtu=1300).replace('via = "203.0.113.1"', 'via = "203.0.113.9"'))
    h.check("its address, its MTU and the routes behind it change", answer.returncode == 0 and reaches(h, "inside", "203.0.113.2"), (answer, ip(h, "dmz", "route")))
    h.check("the namespace's end follows", "mtu 1300" in ip(h, "dmz", "link", "show", "dmz") and "via 203.0.113.9" in ip(h, "dmz", "route"), ip(h, "dmz", "route"))
    down = bench.dmz() + "up = false\n"
    answer = bench.reload(more=down)
    h.check("it goes down when the file says so: no carrier, no network", answer.returncode == 0 and "NO-CARRIER" in ip(h, "dmz", "link", "show", "dmz") and not reaches(h, "inside", "203.0.113.2"), answer)
    answer = bench.reload(more=down + '[[route]]\nto = "198.18.0.0/15"\nvia = "203.0.113.2"\n')
    h.check("no route leads there then", answer.returncode == 1 and "is not on-link" in answer.stderr, answer)
    answer = bench.reload(more=bench.dmz())
    h.check("and up again", answer.returncode == 0 and reaches(h, "inside", "203.0.113.2"), answer)
    bench.reload()
    answer = bench.reload(more=down)
    h.check("an interface may come down", answer.returncode == 0 and "NO-CARRIER" in ip(h, "dmz", "link", "show", "dmz"), (answer, ip(h, "dmz", "link")))
    answer = bench.reload(more=bench.dmz(netns="other"))
    h.check("it moves to another namespace", answer.returncode == 0 and reaches(h, "inside", "203.0.113.2") and reaches(h, "other", "203.0.113.1"), answer)
    h.check("the one that it left is gone", not os.path.exists(f"/run/netns/{h.netns('dmz')}"), h.leftovers())
    answer = bench.reload()
    h.check("it goes, and its namespace with it", answer.returncode == 0 and "interface dmz is gone" in answer.stdout and not os.path.exists(f"/run/netns/{h.netns('other')}"), (answer, h.leftovers()))
    h.check("status has the other two", [each["name"] for each in h.status()["interfaces"]] == ["lan", "wan"], h.status()["interfaces"])
    h.check("nobody reaches it any more", not reaches(h, "inside", "203.0.113.2"))
    h.check("the connection between the others is still the same", bench.echoes() == peer)


def nothing_half_done(h, bench, peer):
    before = h.get("/rules"), h.leftovers()
    bad = bench.dmz().replace('name = "dmz"', 'name = "dmz"\ndevice = "lo"')
    other = bench.dmz(netns="other", address="198.51.100.1/24").replace('name = "dmz"', 'name = "other"').replace("203.0.113", "198.51.100")
    answer = bench.reload(more=other + bad, rules='[[rules.filter.FORWARD]]\nprotocol = "udp"\njump = "DROP"\n')
    h.check("a device that cannot be made refuses the reload", answer.returncode == 1 and "TUN device lo" in answer.stderr, answer)
    h.check("what was made before it is taken back, and the rules are the old ones", (h.get("/rules"), h.leftovers()) == before, (h.get("/rules"), h.leftovers()))
    h.check("and packets go on", bench.echoes() == peer)
    config = h.folder / "router.toml"
    text = config.read_text()
    config.unlink()
    os.mkfifo(config)
    answer = h.cli("reload")
    h.check("a pipe cannot be read again", answer.returncode == 1 and "not a regular file" in answer.stderr, answer)
    config.unlink()
    config.write_text(text)
    answer = bench.reload(name="another")
    h.check("another name is refused", answer.returncode == 1 and "name of a running router" in answer.stderr, answer)
    for what, line, changed in (("[control]", "[control]", '[control]\nevents = 5000'), ("[host]", "[control]", f'[host]\nnetns = "{h.netns("host")}"\n[control]'),
                                ("offload", "[router]", '[router]\noffload = "off"')):
        config.write_text(text.replace(line, changed, 1))
        answer = h.cli("reload")
        h.check(f"another {what} is refused, and what it is, is said", answer.returncode == 1 and f"router.toml: {what} cannot change in a reload" in answer.stderr, answer)
    answer = bench.reload(more='[[route]]\nto = "198.18.0.0/15"\nvia = "192.0.2.77"\ninterface = "lan"\n')
    h.check("a route that leads nowhere is refused", answer.returncode == 1 and "router.toml:" in answer.stderr, answer)
    h.check("a reload that is right follows", bench.reload().returncode == 0 and bench.echoes() == peer)


def provenance(h, bench):
    h.request("DELETE", "/conntrack")
    bench.echoes()
    found = bench.connections()
    h.check("a connection knows its rules", len(found) == 1 and "router.toml:" in found[0].get("accepted_by", "") and "router.toml:" in found[0].get("translated_by", ""), found)
    line = h.cli("conntrack", "-L", "-o", "rules").stdout
    h.check("conntrack -L -o rules says the same", f"accepted-by={found[0]['accepted_by']} translated-by={found[0]['translated_by']}" in line, line)
    counted = re.search(r"\[(\d+):\d+\] -A FORWARD -i lan -j ACCEPT", h.get("/rules?family=ipv4"))
    h.check("the rule has counted", counted and int(counted[1]) > 0, h.get("/rules?family=ipv4"))
    bench.reload(rules='[[rules.filter.FORWARD]]\nprotocol = "tcp"\ndestination-port = 9\njump = "DROP"\n')
    again = re.search(r"\[(\d+):\d+\] -A FORWARD -i lan -j ACCEPT", h.get("/rules?family=ipv4"))
    h.check("a rule that stays goes on counting", again and counted and again[1] == counted[1], h.get("/rules?family=ipv4"))
    moved = bench.connections()[0].get("accepted_by", "")
    h.check("and is the same rule for its connections, wherever it stands now", line_of(moved) == line_of(found[0]["accepted_by"]) + 4, (found[0], moved))


def line_of(place):
    return int(place.split(":")[1]) if place.count(":") > 1 else 0


def existing(h, bench):
    no_udp = '[[rules.filter.FORWARD]]\nprotocol = "tcp"\njump = "ACCEPT"\n[[rules.filter.FORWARD]]\nprotocol = "udp"\nin-interface = "lan"\njump = "DROP"\n'
    before = h.get("/rules?format=plain")
    answer = bench.reload("--dry-run", rules=no_udp)
    h.check("a dry run lists what would be refused, and by which rule", "udp 10.0.1.2:4000 > 192.0.2.2:5000: accepted by" in answer.stdout and "now refused by" in answer.stdout and "1 connection of 1 " in answer.stdout, answer)
    h.check("and ends by saying that nothing was changed", answer.stdout.endswith("the configuration can be loaded; nothing was changed\n"), answer)
    h.check("and changes nothing", h.get("/rules?format=plain") == before)
    answer = bench.reload(rules=no_udp)
    h.check("by default connections outlive the rules", answer.returncode == 0 and bench.echoes() is not None, answer)
    answer = bench.reload("--existing", "recheck", rules=no_udp)
    h.check("recheck: it has to be accepted again, and is not", "1 connection of 1 to be accepted again" in answer.stdout and bench.echoes(0.5) is None, answer)
    h.check("but keeps its entry", len(bench.connections()) == 1)
    h.check("until rules accept it again", bench.reload().returncode == 0 and bench.echoes() is not None)
    answer = bench.reload("--existing", "kill", rules=no_udp)
    h.check("kill: it ends, and does not come back", "1 connection of 1 ended" in answer.stdout and bench.echoes(0.5) is None and bench.connections() == [], (answer, bench.connections()))
    answer = bench.reload("--existing", "sometimes", rules=no_udp)
    h.check("what there is to choose from is told", answer.returncode != 0 and "recheck" in answer.stderr, answer)
    bench.reload()
    h.check("and all is as before", bench.echoes() is not None)


if __name__ == "__main__":
    sys.exit(harness.main(test))
