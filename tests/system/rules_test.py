#!/usr/bin/env python3
"""Rules changed on a running router: by iptables' commands, by restored texts, over HTTP; what stays as it was.

    rules_test.py NSROUTER
"""
import json
import pathlib
import re

import harness

SERVER = "192.0.2.2"
CONFIGS = pathlib.Path(__file__).resolve().parents[2] / "configs"


def test(h):
    h.start(h.write("router.toml", h.adapt((CONFIGS / "minimal-nat.toml").read_text())))
    commands(h)
    counters_go_on(h)
    restore(h)
    over_http(h)
    provenance(h)
    many(h)
    timeouts(h)
    h.check("stop", h.stop() == 0)


def ok(h, *words):
    answer = h.cli(*words)
    h.check(" ".join(words), answer.returncode == 0 and not answer.stderr, answer)
    return answer.stdout


def commands(h):
    ok(h, "iptables", "-N", "web")
    ok(h, "iptables", "-A", "FORWARD", "-p", "tcp", "--dport", "80", "-j", "web")
    ok(h, "iptables", "-A", "web", "-m", "comment", "--comment", "two words", "-j", "ACCEPT")
    saved = ok(h, "iptables", "-S")
    h.check("what was added is there", "-A FORWARD -p tcp -m tcp --dport 80 -j web\n" in saved and '-A web -m comment --comment "two words" -j ACCEPT\n' in saved, saved)
    listed = ok(h, "iptables", "-nvL", "FORWARD", "--line-numbers")
    h.check("-nvL --line-numbers", "1        0     0 web        6    --  *      *       0.0.0.0/0            0.0.0.0/0            tcp dpt:80" in listed, listed)
    ok(h, "ip6tables", "-A", "FORWARD", "-s", "fd00::/8", "-j", "DROP")
    h.check("ip6tables is another family", "fd00" in ok(h, "ip6tables", "-S") and "fd00" not in ok(h, "iptables", "-S"))
    for words, code, said in (
        (("iptables", "-D", "FORWARD", "9"), 1, "iptables: Index of deletion too big.\n"),
        (("iptables", "-X", "web"), 1, "iptables: Too many links.\n"),
        (("ip6tables", "-C", "FORWARD", "-j", "DROP"), 1, "ip6tables: Bad rule (does a matching rule exist in that chain?).\n"),
        (("iptables", "--foo"), 2, "iptables v1.8.9 (legacy): unknown option \"--foo\"\nTry `iptables -h' or 'iptables --help' for more information.\n"),
        (("iptables", "-t", "foo", "-L"), 3, "iptables v1.8.9 (legacy): can't initialize iptables table `foo': Table does not exist (do you need to insmod?)\nPerhaps iptables or your kernel needs to be upgraded.\n"),
    ):
        answer = h.cli(*words)
        h.check(f"{' '.join(words)}: {code}", (answer.returncode, answer.stderr) == (code, said), answer)
    answer = h.cli("iptables", "-A", "FORWARD", "-j", "MASQUERADE")
    h.check("what the kernel refuses is told in dmesg, as it says", answer.returncode == 1 and "Run `dmesg'" in answer.stderr and "MASQUERADE is only valid in table nat" in h.cli("dmesg").stdout, answer)
    h.check("-V needs no router", h.run("iptables", "-V").stdout == "iptables v1.8.9 (legacy)\n")
    h.check("-h has examples", "nsrouter ip6tables -D FORWARD 3" in h.run("ip6tables", "-h").stdout)


def seconds_of(h, port):
    """What is left of the UDP connection from this port."""
    found = re.search(rf"^udp +17 (\d+) src=\S+ dst=\S+ sport={port} ", h.cli("conntrack", "-L", "-p", "udp").stdout, re.M)
    return int(found[1]) if found else None


def ask(h, server, port):
    """A datagram that has arrived."""
    h.udp("inside", "10.0.1.2", port).sendto(b"x", server.getsockname())
    server.recvfrom(10)


def timeouts(h):
    """Policies by command, by rule, by the file."""
    ok(h, "reload")
    ok(h, "nfct", "add", "timeout", "fleeting", "inet", "udp", "unreplied", "9")
    h.check("what is not said is what the sysctls say", ".UNREPLIED = 9,\n\t\t.REPLIED = 180," in ok(h, "nfct", "list", "timeout"))
    ok(h, "iptables", "-t", "raw", "-A", "PREROUTING", "-p", "udp", "-j", "CT", "--timeout", "fleeting")
    h.check("it is saved by its name", "-A PREROUTING -p udp -j CT --timeout fleeting" in h.cli("rules", "save").stdout)
    server = h.udp("outside", SERVER, 5005)
    ask(h, server, 4001)
    h.check("connections live by it", seconds_of(h, 4001) in range(1, 10), h.cli("conntrack", "-L").stdout)
    busy = h.cli("nfct", "delete", "timeout", "fleeting")
    h.check("a rule holds it", (busy.returncode, busy.stderr) == (1, "nfct v1.4.7: netlink error: Device or resource busy\n"), busy)
    for rule, code, why in (
        (("-p", "udp", "-j", "CT", "--timeout", "nobody"), "No chain/target/match by that name", 'no timeout policy "nobody"'),
        (("-p", "tcp", "-j", "CT", "--timeout", "fleeting"), "Run `dmesg'", 'timeout policy "fleeting" is for udp, and the rule is for tcp'),
        (("-j", "CT", "--timeout", "fleeting"), "Run `dmesg'", "--timeout needs -p"),
    ):
        answer = h.cli("iptables", "-t", "raw", "-A", "PREROUTING", *rule)
        h.check(f"refused, and dmesg says why: {why}", answer.returncode == 1 and code in answer.stderr and why in h.cli("dmesg").stdout, answer)
    text = h.adapt((CONFIGS / "minimal-nat.toml").read_text())
    rule = '[[rules.raw.PREROUTING]]\nprotocol = "udp"\njump = "CT"\ntimeout = "short"\n'
    policy = '[timeout.short]\nfamily = "inet"\nprotocol = "udp"\nunreplied = {}\n'
    for seconds, port in ((20, 4002), (40, 4003)):
        h.write("router.toml", text + policy.format(seconds) + rule)
        ok(h, "reload")
        ask(h, server, port)
        h.check("by the file", seconds_of(h, port) in range(seconds - 9, seconds + 1), h.cli("conntrack", "-L").stdout)
    h.check("one made at run time stays", ".fleeting = {" in ok(h, "nfct", "list", "timeout"))
    h.write("router.toml", text + rule)
    answer = h.cli("reload")
    h.check("a file that names what it does not describe is refused", answer.returncode == 1 and 'no timeout policy "short"' in answer.stderr, answer)
    h.write("router.toml", text)
    ok(h, "reload")
    h.check("what the file no longer describes is gone", ".short" not in ok(h, "nfct", "list", "timeout"))
    ok(h, "nfct", "flush", "timeout")
    h.check("all gone", ok(h, "nfct", "list", "timeout") == "")


def count_of(h, rule):
    found = re.search(r"^\[(\d+):\d+\] -A " + re.escape(rule) + "$", h.cli("rules", "save", "-c").stdout, re.M)
    return int(found[1]) if found else None


def counters_go_on(h):
    ok(h, "iptables", "-I", "FORWARD", "-p", "icmp", "-m", "limit", "--limit", "1/hour", "--limit-burst", "1", "-j", "ACCEPT")
    ok(h, "iptables", "-I", "FORWARD", "2", "-p", "icmp", "-m", "comment", "--comment", "later", "-j", "ACCEPT")
    rule = "FORWARD -p icmp -m comment --comment later -j ACCEPT"
    first = "FORWARD -p icmp -m limit --limit 1/hour --limit-burst 1 -j ACCEPT"
    h.ping("inside", SERVER)
    h.ping("inside", SERVER)
    before = count_of(h, rule)
    h.check("packets are counted, one by the limit", before and count_of(h, first) == 1, h.cli("rules", "save").stdout)
    ok(h, "iptables", "-A", "FORWARD", "-s", "203.0.113.9", "-j", "DROP")
    ok(h, "iptables", "-I", "FORWARD", "1", "-s", "203.0.113.8", "-j", "DROP")
    h.ping("inside", SERVER)
    h.check("rules that stay go on counting", count_of(h, rule) > before, before)
    h.check("and their limit remembers", count_of(h, first) == 1)
    ok(h, "iptables", "-Z", "FORWARD", "3")
    h.check("-Z of one rule", count_of(h, rule) == 0 and count_of(h, first) == 1)


def restore(h):
    before = h.cli("rules", "save").stdout
    wrong = h.write("wrong.v4", "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -j ACCEPT\n-A FORWARD --nope\nCOMMIT\n")
    answer = h.cli("rules", "restore", wrong)
    h.check("a wrong line refuses the file", answer.returncode == 1 and answer.stderr.startswith(f"{wrong}:4:12: unknown option \"--nope\"") and answer.stderr.endswith("iptables-restore: line 4 failed\n"), answer)
    h.check("and nothing has changed", h.cli("rules", "save").stdout == before)
    right = h.write("right.v4", "*filter\n:FORWARD DROP [0:0]\n:lan - [0:0]\n[5:6] -A FORWARD -j lan\n-A lan -j ACCEPT\nCOMMIT\n")
    h.check("--test only looks", h.cli("rules", "restore", "--test", right).returncode == 0 and h.cli("rules", "save").stdout == before)
    ok(h, "rules", "restore", "-c", right)
    saved = ok(h, "iptables", "-S")
    h.check("the table is replaced", saved == "-P INPUT ACCEPT\n-P FORWARD DROP\n-P OUTPUT ACCEPT\n-N lan\n-A FORWARD -j lan\n-A lan -j ACCEPT\n", saved)
    h.check("with its counters", count_of(h, "FORWARD -j lan") == 5)
    h.check("other tables stay", "MASQUERADE" in ok(h, "iptables", "-t", "nat", "-S"))
    more = h.write("more.v4", "*filter\n-I FORWARD -i lan -j ACCEPT\nCOMMIT\n*nat\n-F\nCOMMIT\n")
    ok(h, "rules", "restore", "-n", "-T", "filter", more)
    h.check("-n adds, -T picks", "-A FORWARD -i lan -j ACCEPT\n-A FORWARD -j lan" in ok(h, "iptables", "-S") and "MASQUERADE" in ok(h, "iptables", "-t", "nat", "-S"))
    h.check("untouched rules keep their counters", count_of(h, "FORWARD -j lan") == 5)
    six = h.write("right.v6", "*filter\n-A FORWARD -s fd00::/8 -j ACCEPT\nCOMMIT\n")
    ok(h, "rules", "restore", "-6", six)
    h.check("-6 is of IPv6", "fd00::/8" in ok(h, "ip6tables", "-S") and h.cli("rules", "restore", six).returncode == 1)
    piped = h.run("--control", h.instance(), "rules", "restore", "-n", input="*filter\n-A OUTPUT -j ACCEPT\nCOMMIT\n")
    h.check("standard input", piped.returncode == 0 and "-A OUTPUT -j ACCEPT" in ok(h, "iptables", "-S"), piped)
    answer = h.run("--control", h.instance(), "rules", "restore", "-n", input="*filter\n-A OUTPUT -j NOPE\nCOMMIT\n")
    h.check("whose errors say stdin", answer.stderr.startswith("stdin:2:"), answer)
    text = h.cli("rules", "save", "-c", "-t", "filter").stdout
    h.check("save -t", text.startswith("*filter\n") and text.count("COMMIT") == 1, text)
    again = h.run("--control", h.instance(), "rules", "restore", "-c", input=text)
    h.check("save, restore, save is the same", again.returncode == 0 and h.cli("rules", "save", "-c", "-t", "filter").stdout == text, again)


def over_http(h):
    text = "*filter\n-A INPUT -s 192.0.2.77 -j DROP\nCOMMIT\n"
    h.check("PUT /rules", h.put("/rules", text) == (200, "") and "192.0.2.77" in h.get("/rules"))
    h.check("POST /rules adds", h.request("POST", "/rules", text.replace("77", "78"))[0] == 200 and "192.0.2.77" in h.get("/rules") and "192.0.2.78" in h.get("/rules"))
    h.check("test=1 only looks", h.request("PUT", "/rules?test=1", "*filter\nCOMMIT\n")[0] == 200 and "192.0.2.77" in h.get("/rules"))
    h.check("family=ipv6", h.request("POST", "/rules?family=ipv6", "*filter\n-A INPUT -s fd77::/16\nCOMMIT\n")[0] == 200 and "fd77::/16" in h.get("/rules?family=ipv6"))
    h.check("counters=1", h.request("POST", "/rules?counters=1", "*filter\n[3:4] -A INPUT -s 192.0.2.79\nCOMMIT\n")[0] == 200 and "[3:4] -A INPUT -s 192.0.2.79/32" in h.get("/rules"))
    code, body = h.request("POST", "/rules", "*filter\n-A INPUT -j NOPE\nCOMMIT\n")
    h.check("errors are text", code == 400 and body.startswith("POST /rules:2:"), body)
    for way in ("?format=json", None):
        code, body = h.request("POST", "/rules" + (way or ""), "*filter\n-A INPUT -j NOPE\nCOMMIT\n", *([] if way else ["-H", "Accept: application/json"]))
        error = json.loads(body)["errors"][0]
        h.check(f"errors are JSON {way or 'by Accept'}", code == 400 and error["line"] == 2 and "NOPE" in error["message"], body)
    h.check("unknown parameters are refused", h.request("PUT", "/rules?tset=1", text)[0] == 400 and h.request("PUT", "/rules?table=foo", text)[0] == 400)
    code, body = h.request("POST", "/iptables?family=ipv4", "-A\nINPUT\n-s\n192.0.2.80\n")
    h.check("POST /iptables", code == 200 and json.loads(body) == {"exit": 0, "stdout": "", "stderr": ""}, body)
    code, body = h.request("POST", "/iptables", "-A\nNOWHERE\n")
    h.check("its exit code and words", code == 400 and json.loads(body)["exit"] == 1 and "No chain/target/match" in json.loads(body)["stderr"], body)


def provenance(h):
    chains = json.loads(h.get("/rules.json?family=ipv4"))
    h.check("JSON by Accept, too", json.loads(h.curl("-H", "Accept: application/json", f"http://127.0.0.1:{h.port}/rules?family=ipv4").stdout)[0]["table"] == chains[0]["table"])
    rules = {rule["rule"]: rule for chain in chains for rule in chain["rules"]}
    h.check("by command", rules["-s 192.0.2.80/32"]["from"] == "by command", rules)
    h.check("by a text over HTTP", rules["-s 192.0.2.77/32 -j DROP"]["from"] == "PUT /rules:2", rules)
    masquerade = next(rule for text, rule in rules.items() if "MASQUERADE" in text)
    h.check("by the configuration", re.fullmatch(r".*router\.toml:\d+", masquerade["from"]), masquerade)
    ids = [rule["id"] for chain in chains for rule in chain["rules"]]
    h.check("ids are unique, numbers count from 1", len(set(ids)) == len(ids) and chains[-1]["rules"][0]["number"] == 1 if chains[-1]["rules"] else True)
    policy = next(chain for chain in chains if chain["table"] == "filter" and chain["chain"] == "FORWARD")
    h.check("policies", policy["policy"]["verdict"] in ("ACCEPT", "DROP") and "packets" in policy["policy"], policy)


def many(h):
    """A file beyond a megabyte, and the JSON of it."""
    lines = "".join(f"-A FORWARD -s 10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}/32 -p tcp -m tcp --dport {i % 60000 + 1} -j DROP\n" for i in range(20000))
    path = h.write("many.v4", "*filter\n" + lines + "COMMIT\n")
    ok(h, "rules", "restore", path)
    chains = json.loads(h.get("/rules.json?family=ipv4"))
    forward = next(chain for chain in chains if chain["table"] == "filter" and chain["chain"] == "FORWARD")
    h.check("20,000 rules in JSON", len(forward["rules"]) == 20000 and forward["rules"][-1]["from"] == f"{path}:20001", len(forward["rules"]))
    ok(h, "iptables", "-D", "FORWARD", "10000")
    h.check("19,999 of them are left", ok(h, "iptables", "-S", "FORWARD").count("-A FORWARD") == 19999)



if __name__ == "__main__":
    raise SystemExit(harness.main(test))
