#!/usr/bin/env python3
"""`[router] shards = 2`: two cores share the flows of a router, and nobody in the namespaces can tell; asked, the router speaks for both.

    shards_test.py NSROUTER
"""
import json
import re
import socket
import subprocess
import sys

import harness

FLOWS = 60
REST = """
[rules]
ipv4 = "rules.v4"
"""
RULES = """*nat
-A PREROUTING -i wan -p udp --dport 8080 -j DNAT --to-destination 10.0.1.2:80
-A POSTROUTING -o wan -j MASQUERADE
COMMIT
*filter
-A FORWARD -p udp -m comment --comment all -j ACCEPT
COMMIT
"""


def test(h):
    h.write("rules.v4", RULES)
    path = h.write("router.toml", configuration(h, 2))
    h.start(path)
    servers = [h.udp("outside", "192.0.2.2", port) for port in (5000, 9999)]
    translated(h, servers[0])
    counted(h)
    redirected(h)
    large(h)
    changed_rules(h, servers)
    changed_settings(h, servers[0])
    changed_network(h, servers[0])
    deleted(h)
    not_of_several(h)
    reloaded(h, path, servers[0])
    lost_and_found(h)
    h.check("it ends as it should", h.stop() == 0)
    h.check("and leaves nothing", not h.leftovers() or all("inside" in each or "outside" in each for each in h.leftovers()), h.leftovers())
    refused_files(h)
    one_is_enough(h, path)


def configuration(h, shards, more=""):
    return h.inside_outside(REST + more).replace("[router]\n", f"[router]\nshards = {shards}\n", 1)


def exchange(server, client, text=b"x"):
    """A datagram to the server and one back; whom the server saw."""
    client.sendto(text, server.getsockname())
    came, peer = server.recvfrom(2000)
    server.sendto(came + b" back", peer)
    return peer, client.recv(2000) == text + b" back"


def lines(h):
    return h.get("/proc/net/nf_conntrack").splitlines()


def shards(h):
    return h.status()["shards"]


def translated(h, server):
    clients = [h.udp("inside", "10.0.1.2") for _ in range(FLOWS)]
    peers = [exchange(server, client) for client in clients]
    h.check("every flow has its answer", all(answered for _, answered in peers))
    h.check("from the router's address", {peer[0] for peer, _ in peers} == {"192.0.2.1"})
    h.check("each with a port of its own", len({peer[1] for peer, _ in peers}) == FLOWS)
    h.check("each is a line of nf_conntrack, and there are no others", len(lines(h)) == FLOWS and all("[ASSURED]" not in line for line in lines(h)), len(lines(h)))
    each = [shard["connections"] for shard in shards(h)]
    h.check("both shards have some", len(each) == 2 and sum(each) == FLOWS and min(each) > FLOWS / 5, each)
    before = sum(shard["handed_over"] for shard in shards(h))
    h.check("a second round is answered", all(exchange(server, client)[1] for client in clients))
    steered = "does not steer" not in h.cli("dmesg").stdout
    after = sum(shard["handed_over"] for shard in shards(h))
    h.check("the kernel puts packets where they belong, if it may be taught to", not steered or after == before, (before, after))
    h.check("nothing was lost on the way between them", not any(shard["lost"] for shard in shards(h)), shards(h))


def counted(h):
    h.check("the sysctl counts all", h.get("/proc/sys/net/netfilter/nf_conntrack_count") == f"{FLOWS}\n")
    h.check("so do status", h.status()["conntrack"]["count"] == FLOWS)
    h.check("conntrack -C", h.cli("conntrack", "-C").stdout == f"{FLOWS}\n")
    metrics = h.get("/metrics")
    h.check("and the metrics", re.search(rf"^node_nf_conntrack_entries{{.*}} {FLOWS}$", metrics, re.M))
    h.check("which say how many shards there are", re.search(r"^nsrouter_shards{.*} 2$", metrics, re.M))
    for name in ("handed_over_packets", "lost_packets", "claims"):
        h.check(f"and of each: {name}", len(re.findall(rf"^nsrouter_shard_{name}_total{{.*shard=\"[01]\"}} \d+$", metrics, re.M)) == 2)
    row = [int(word, 16) for word in h.get("/proc/net/stat/nf_conntrack").splitlines()[1].split()]
    h.check("entries of the row of statistics", row[0] == FLOWS, row)
    counters = {interface["name"]: interface["counters"] for interface in h.status()["interfaces"]}
    h.check("packets of interfaces", counters["lan"]["rx_packets"] >= 2 * FLOWS and counters["wan"]["tx_packets"] == counters["lan"]["rx_packets"], counters)
    listed = h.cli("iptables", "-L", "FORWARD", "-v", "-n", "-x").stdout
    h.check("packets of rules", re.search(rf"^ *{4 * FLOWS} .*ACCEPT", listed, re.M), listed)
    h.check("also as rules save has them", f"[{4 * FLOWS}:" in h.cli("rules", "save").stdout)
    h.cli("iptables", "-Z")
    h.check("and they count from zero in both", re.search(r"^ *0 .*ACCEPT", h.cli("iptables", "-L", "FORWARD", "-v", "-n", "-x").stdout, re.M))
    listed = h.cli("conntrack", "-L")
    h.check("conntrack -L shows all and counts them", len(listed.stdout.splitlines()) == FLOWS and f"{FLOWS} flow entries have been shown" in listed.stderr, listed.stderr)
    table = json.loads(h.get("/conntrack?proto=udp"))
    h.check("as JSON it is one array", len(table) == FLOWS and len({(row["original"]["sport"]) for row in table}) == FLOWS)
    top = json.loads(h.get("/top?by=destination"))
    h.check("the top of all", top["top"][0]["entries"] == FLOWS, top)


def redirected(h):
    """Whoever connects keeps his port, so the answers of about half the flows come to the other shard, or would."""
    server = h.udp("inside", "10.0.1.2", 80)
    for _ in range(20):
        client = h.udp("outside", "192.0.2.2")
        client.sendto(b"hello", ("192.0.2.1", 8080))
        came, peer = server.recvfrom(100)
        server.sendto(came, peer)
        answer, source = client.recvfrom(100)
        if (peer, source, answer) != (client.getsockname(), ("192.0.2.1", 8080), b"hello"):
            return h.check("a redirected flow is answered", False, (peer, source, answer))
    h.check("redirected flows are answered", True)
    h.check("their shards claimed the answers where they had to", 0 < sum(shard["claims"] for shard in shards(h)) < 20, shards(h))


def large(h):
    h.web_server("outside", "192.0.2.2", 8000, "long " * 400_000)
    got = h.curl("http://192.0.2.2:8000/", netns="inside").stdout
    h.check("two megabytes come by TCP", got.startswith("long long") and got.endswith("192.0.2.1") and len(got) > 2_000_000, (len(got), got[-20:]))
    pinged = subprocess.run(["ip", "netns", "exec", h.netns("inside"), "ping", "-n", "-c", "10", "-i", "0.02", "-W", "5", "-s", "3000", "192.0.2.2"],
                            capture_output=True, text=True)
    h.check("pings in three pieces are answered", pinged.returncode == 0 and " 0% packet loss" in pinged.stdout, pinged.stdout)


def silence(h, server, count=20):
    """How many of so many new flows reach the server."""
    for number in range(count):
        h.udp("inside", "10.0.1.2").sendto(b"%d" % number, server.getsockname())
    server.settimeout(0.3)
    came = 0
    try:
        while came < count:
            server.recv(100)
            came += 1
    except TimeoutError:
        pass
    server.settimeout(5)
    return came


def changed_rules(h, servers):
    h.check("a rule is added", h.cli("iptables", "-I", "FORWARD", "-p", "udp", "--dport", "9999", "-j", "DROP").returncode == 0)
    before = drops(h, "rule_drop")
    h.check("and counts in both shards: nothing comes through", silence(h, servers[1]) == 0)
    h.check("its packets are all counted", re.search(r"^ *20 .*DROP.*dpt:9999", h.cli("iptables", "-L", "FORWARD", "-v", "-n", "-x").stdout, re.M))
    h.check("as are drops", drops(h, "rule_drop") - before == 20, drops(h, "rule_drop"))
    h.check("with their rule", "9999" in h.get("/proc/nsrouter/drops"), h.get("/proc/nsrouter/drops"))
    h.check("others still pass", silence(h, servers[0]) == 20)
    h.check("it goes again", h.cli("iptables", "-D", "FORWARD", "1").returncode == 0)
    h.check("and so do packets", silence(h, servers[1]) == 20)
    refused = h.cli("iptables", "-A", "FORWARD", "-m", "limit", "--limit", "5/s", "-j", "ACCEPT")
    h.check("what remembers packets cannot be divided, and says so", refused.returncode != 0 and "shards = 1" in h.cli("dmesg").stdout, refused.stderr)
    before = h.cli("rules", "save").stdout
    wrong = h.write("wrong.v4", "*filter\n-A FORWARD -p udp -j ACCEPT\n-A FORWARD -m limit --limit 5/min -j ACCEPT\nCOMMIT\n")
    for how in ([], ["-n"], ["--test"]):
        refused = h.cli("rules", "restore", *how, wrong)
        h.check(f"nor does a text have such a rule, whose line is told {how}", refused.returncode == 1 and refused.stderr.startswith(f'{wrong}:3:4: "-A FORWARD -m limit')
                and "needs shards = 1" in refused.stderr and refused.stderr.endswith("\niptables-restore: line 3 failed\n"), refused.stderr)
    h.check("and nothing has changed", h.cli("rules", "save").stdout == before)


def drops(h, reason):
    return h.status()["drops"].get(reason, 0)


def changed_settings(h, server):
    h.check("a sysctl is written", h.put("/proc/sys/net/netfilter/nf_conntrack_udp_timeout", "7")[0] == 200)
    clients = [h.udp("inside", "10.0.1.2") for _ in range(20)]
    ports = {str(client.getsockname()[1]) for client in clients}
    for client in clients:
        client.sendto(b"x", server.getsockname())
        server.recv(10)
    timeouts = [int(line.split()[4]) for line in lines(h) if " dport=5000 " in line and re.search(r"sport=(\d+)", line)[1] in ports]
    h.check("and holds for new flows of both", len(timeouts) == 20 and max(timeouts) <= 7, timeouts)
    h.check("one that is out of range is refused once", h.put("/proc/sys/net/netfilter/nf_conntrack_udp_timeout", "x")[0] == 400)


def changed_network(h, server):
    h.check("a route is added", h.cli("ip", "route", "add", "blackhole", "192.0.2.2/32").returncode == 0, h.cli("ip", "route").stdout)
    h.check("no flow of either passes", silence(h, server) == 0)
    h.check("and goes", h.cli("ip", "route", "del", "blackhole", "192.0.2.2/32").returncode == 0)
    h.check("then they do", silence(h, server) == 20)


def deleted(h):
    saved = h.cli("conntrack", "-L", "-o", "save").stdout
    h.check("conntrack -L -o save writes lines of both", len(saved.splitlines()) > FLOWS and all(line.startswith("-A ") for line in saved.splitlines()), saved[:300])
    loaded = h.cli("conntrack", "-R", h.write("entries", saved))
    h.check("which need one shard to be read", loaded.returncode != 0 and "needs shards = 1, and this router has 2" in loaded.stderr, loaded.stderr)
    before = len(lines(h))
    gone = h.cli("conntrack", "-D", "-p", "udp", "--dst", "192.0.2.2")
    h.check("conntrack -D removes those of both", f"{len(gone.stdout.splitlines())} flow entries have been deleted" in gone.stderr and len(gone.stdout.splitlines()) > FLOWS, gone.stderr)
    h.check("and no others", len(lines(h)) == before - len(gone.stdout.splitlines()))
    h.check("DELETE counts what it removes", int(h.request("DELETE", "/conntrack")[1]) >= before - len(gone.stdout.splitlines()) - 5)
    h.check("then the table is empty", not lines(h))
    h.check("which is what the sysctl says", h.get("/proc/sys/net/netfilter/nf_conntrack_count") == "0\n")


def not_of_several(h):
    for method, path in (("GET", "/events"), ("GET", "/trace"), ("GET", "/capture"), ("GET", "/why"), ("GET", "/explain"), ("GET", "/sets"), ("POST", "/nfct"), ("GET", "/nat"),
                         ("GET", "/nflog/1"), ("GET", "/proc/nsrouter/nat_ports"), ("GET", "/conntrack?limit=3"), ("POST", "/reload?existing=kill")):
        code, body = h.request(method, path, "" if method == "POST" else None)
        h.check(f"{method} {path} is refused by name", code == 501 and "needs shards = 1, and this router has 2" in body, (code, body))
    bundle = h.write("bundle.tar", "")
    h.cli("bundle", "-o", bundle)
    explained = h.run("explain", "--bundle", bundle, "icmp 10.0.1.2 > 10.0.1.1")
    h.check("a bundle has what several shards have, and is enough", explained.returncode == 0 and "sets.ipset" not in explained.stderr, explained)
    told = h.cli("conntrack", "-E")
    h.check("the command says so, too", told.returncode != 0 and "needs shards = 1" in told.stderr, told.stderr)
    h.check("status tells people of both", "shard" in h.cli("status").stdout, h.cli("status").stdout)


def reloaded(h, path, server):
    h.write("rules.v4", RULES.replace("-A FORWARD", "-A FORWARD -p udp --dport 5000 -j DROP\n-A FORWARD", 1))
    h.check("a reload", h.cli("reload").returncode == 0)
    h.check("reaches both", silence(h, server) == 0)
    h.write("rules.v4", RULES)
    h.check("and another one", h.cli("reload").returncode == 0)
    h.check("as well", silence(h, server) == 20)
    h.write("router.toml", configuration(h, 3))
    answer = h.cli("reload")
    h.check("how many there are cannot change", answer.returncode != 0 and "shards cannot change in a reload" in answer.stderr, answer.stderr)
    more = h.link("dmz", "dmz", ("10.0.9.1/24",), ("10.0.9.2/24",))
    h.write("router.toml", configuration(h, 2, "\n" + more + "\n"))
    h.check("an interface more", h.cli("reload").returncode == 0)
    answers = [exchange(server, h.udp("dmz", "10.0.9.2"))[1] for _ in range(20)]
    h.check("whose flows both have", all(answers), answers)
    h.write("router.toml", configuration(h, 2))
    h.check("and less", h.cli("reload").returncode == 0 and h.ping("inside", "192.0.2.2").returncode == 0)


def lost_and_found(h):
    name = h.netns("outside")
    h.stack.pop_all().close()  # sockets would keep the namespace
    subprocess.run(["ip", "netns", "del", name], check=True)
    h.follow_log("is gone", 1)
    subprocess.run(["ip", "netns", "add", name], check=True)
    h.follow_log("has its device again", 1)
    server = h.udp("outside", "192.0.2.2", 5000)
    answers = [exchange(server, h.udp("inside", "10.0.1.2"))[1] for _ in range(20)]
    h.check("a namespace that comes back has both queues", all(answers), answers)


def refused_files(h):
    """What a configuration may ask of one shard only."""
    for what, more, rules, expected in (
            ("a rule that remembers", "", "*filter\n-A FORWARD -m recent --set -j ACCEPT\nCOMMIT\n", r"rules.v4:2:.*-m recent.*needs shards = 1: what -m recent remembers"),
            ("a helper", '[conntrack]\nhelpers = ["ftp"]\n', RULES, "router.toml:2:10: shards = 2: following connections with helpers needs shards = 1"),
            ("a zone", "", "*raw\n-A PREROUTING -j CT --zone 1\nCOMMIT\n", r"rules.v4:2:.*CT --zone cannot be divided"),
            ("a timeout policy", '[timeout.short]\nfamily = "inet"\nprotocol = "udp"\nunreplied = 5\n', RULES, "shards = 2: a timeout policy needs shards = 1"),
            ("[host]", f'[host]\nnetns = "{h.netns("host")}"\n', RULES, r"shards = 2: \[host\] needs shards = 1"),
            ("NFLOG", "", "*filter\n-A FORWARD -j NFLOG\nCOMMIT\n", r"rules.v4:2:.*-j NFLOG cannot be divided")):
        h.write("rules.v4", rules)
        checked = h.run("check", h.write("router.toml", configuration(h, 2, more)))
        h.check(f"{what} needs one shard", checked.returncode == 1 and re.search(expected, checked.stderr), checked.stderr)
        h.check("and may be there with one", h.run("check", h.write("router.toml", configuration(h, 1, more))).returncode == 0)
    h.write("rules.v4", RULES)
    for value in ("0", "65", '"two"'):
        checked = h.run("check", h.write("router.toml", configuration(h, value)))
        h.check(f"shards = {value} is refused", checked.returncode == 1 and "shards must be" in checked.stderr, checked.stderr)


def one_is_enough(h, path):
    h.write("router.toml", configuration(h, 1))
    h.start(path)
    h.check("one shard has nobody beside it", h.status()["shards"] == [] and re.search(r"^nsrouter_shards{.*} 1$", h.get("/metrics"), re.M))
    h.stop()


if __name__ == "__main__":
    sys.exit(harness.main(test))
