#!/usr/bin/env python3
"""What a running router says about packets: trace, drops by place, why, explain, capture.

    observe_test.py NSROUTER
"""
import contextlib
import json
import pathlib
import shutil
import socket
import subprocess
import threading

import harness

SERVER = "192.0.2.2"
RULES = """
[rules]
ipv4 = "rules.v4"
"""
V4 = """*raw
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p udp --dport 7 -j TRACE
COMMIT
*nat
-A POSTROUTING -o wan -j MASQUERADE
COMMIT
*filter
:FORWARD DROP [0:0]
:web - [0:0]
-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A FORWARD -p tcp -j web
-A FORWARD -p udp --dport 9 -j DROP
-A FORWARD -p udp --dport 53 -j ACCEPT
-A FORWARD -p udp --dport 7 -j ACCEPT
-A web -p tcp --dport 80 -j ACCEPT
COMMIT
"""


def test(h):
    h.write("rules.v4", V4)
    h.start(h.write("router.toml", h.inside_outside(RULES)))
    h.web_server("outside", SERVER, 80, "hello")
    h.client = h.udp("inside", "10.0.1.2", 4000)
    h.server = h.udp("outside", SERVER, 53)
    trace(h)
    trace_target(h)
    wrong_filters(h)
    flood(h)
    drops(h)
    why(h)
    explain(h)
    explain_changes_nothing(h)
    capture(h)
    h.check("the router still runs, and stops", h.stop() == 0)
    log = (h.folder / "log").read_text()
    h.check("it made no call that it may not make", "seccomp" not in log, log)


@contextlib.contextmanager
def following(h, *words):
    """A command that follows packets, from when it is told that it does; `read()` gives all else that it says until it ends."""
    child = subprocess.Popen([h.program, "--control", h.instance(), *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
    first = child.stdout.read(8)
    child.read = lambda: first + child.communicate(timeout=30)[0]
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def query(h, port=53, text=b"x"):
    h.client.sendto(text, (SERVER, port))


def trace(h):
    with following(h, "trace", "-c", "1", "udp", "port", "53") as child:
        query(h)
        h.server.recvfrom(100)
        text = child.read().decode()
    for line in (
        " in lan: IPv4 10.0.1.2 > 192.0.2.2 ttl=64",
        " PREROUTING conntrack: NEW, connection before: none, now: unreplied\n",
        " route: forwarded through wan to 192.0.2.2\n",
        " FORWARD filter: rule 4 of FORWARD matches: -A FORWARD -p udp -m udp --dport 53 -j ACCEPT (",
        "rules.v4:14:4) packets 1 bytes 29\n",
        " POSTROUTING nat: source 10.0.1.2:4000 becomes 192.0.2.1:4000\n",
        " POSTROUTING confirm: new connection udp 10.0.1.2:4000 > 192.0.2.2:53, answers 192.0.2.2:53 > 192.0.2.1:4000\n",
        " out wan: IPv4 192.0.2.1 > 192.0.2.2 ttl=63",
    ):
        h.check(f"trace:{line.rstrip()}", line in text, text)
    lines = text.splitlines()
    h.check("the first line says that it listens", lines[0] == "# listening: at most 1000 packets a second are told", lines[0])
    h.check("each other has the packet's number", all(line.startswith("trace id 1 ") for line in lines[1:]), text)
    with following(h, "trace", "-j", "-c", "2", "udp") as child:
        query(h)
        _, peer = h.server.recvfrom(100)
        h.server.sendto(b"y", peer)
        h.client.recvfrom(100)
        _, there, back = map(json.loads, child.read().decode().splitlines())
    h.check("as JSON, an object a line", there["in"] == "lan" and back["in"] == "wan" and there["verdict"] == back["verdict"] == "left", (there, back))
    tracked = next(step for step in back["steps"] if step["what"] == "tracked")
    h.check("the state before and after", (tracked["before"]["status"], tracked["after"]["status"]) == (["CONFIRMED", "SRC_NAT"], ["SEEN_REPLY", "CONFIRMED", "SRC_NAT"]), tracked)
    answer = h.curl("-N", f"http://127.0.0.1:{h.port}/trace?count=0&filter=state:FOO")
    h.check("over HTTP: a wrong filter is 400 with its place", "filter: column 7: state: there is no" in answer.stdout, answer)


def trace_target(h):
    with following(h, "trace", "-c", "1", "traced:yes") as child:
        query(h)
        query(h, 7)
        text = child.read().decode()
    h.check("-j TRACE feeds the trace", "UDP 4000>7" in text and "matches: -A PREROUTING -p udp -m udp --dport 7 -j TRACE" in text, text)


def wrong_filters(h):
    for words, said in (
        (("trace", "state:FOO"), 'filter: column 7: state: there is no "FOO"'),
        (("trace", "host example.com"), 'filter: column 6: "example.com" is no word of pcap-filter(7), and names are not looked up'),
        (("why", "tcp prot 80"), "filter: column 5: "),
        (("capture", "-w", str(h.folder / "never.pcapng"), "port"), 'filter: column 1: "port": '),
    ):
        answer = h.cli(*words)
        h.check(f"{' '.join(words)} is refused, with where", answer.returncode == 1 and said in answer.stderr, answer)
    h.check("a refused capture leaves no file", not (h.folder / "never.pcapng").exists())
    for expression in ("portrange 1-5", "ip6 host 2001:db8::1", "net 10.0.0.0/8 or port domain", "ip proto \\tcp", "icmp[icmptype] == icmp-echo"):
        answer = h.cli("why", expression)
        h.check(f"compiled in the confined router: {expression}", answer.returncode == 0, answer)


def flood(h):
    """A listener that gets little and one that does not read at all: packets go on."""
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(f"/run/nsrouter/{h.instance()}.sock")
    sock.sendall(b"GET /trace?rate=100000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    with following(h, "trace", "-r", "10", "-c", "15", "udp port 53") as child:
        while child.poll() is None:
            query(h)
            h.server.recvfrom(100)
        text = child.read().decode()
    h.check("what is left out is told", "# left out: " in text and " packets (more than may be told in a second)" in text, text[-300:])
    for _ in range(5000):
        query(h)
        h.server.recvfrom(100)
    sock.close()
    h.check("a listener that does not read stops no packet", True)


def drops(h):
    query(h, 9)
    query(h, 11)
    h.check("a round trip behind them", h.ping("inside", "10.0.1.1").returncode == 0)
    text = h.get("/proc/nsrouter/drops")
    lines = {line.split()[0]: line for line in text.splitlines()}
    h.check("drops: the policy by name", "the policy of FORWARD in filter" in lines.get("policy_drop", ""), text)
    h.check("drops: the rule by its place", "rules.v4:13:4: -A FORWARD -p udp -m udp --dport 9 -j DROP" in lines.get("rule_drop", "") and " lan " in lines["rule_drop"], text)
    h.check("drops: only what there was", "martian_source" not in text)
    h.check("drop_reasons: all", "martian_source" in h.get("/proc/nsrouter/drop_reasons"))


def why(h):
    text = h.cli("why", "reason:rule_drop").stdout
    h.check("why: the rule", "refused by: " in text and "rules.v4:13:4: -A FORWARD -p udp -m udp --dport 9 -j DROP" in text, text)
    h.check("why: what would have helped", "what lets it through: a rule before " in text and "in FORWARD that accepts NEW packets from lan to wan" in text, text)
    records = [json.loads(line) for line in h.cli("why", "-j", "-n", "0").stdout.splitlines()]
    h.check("why -j", {"rule_drop", "policy_drop"} <= {record.get("reason") for record in records}, records)
    h.check("over HTTP, too", h.get("/why?last=1").startswith("#"))


def explain(h):
    text = h.cli("explain", "tcp 10.0.1.2:40000 > 192.0.2.2:443 S in lan").stdout
    h.check("explain: a policy", "FORWARD: no rule of filter decides, and the policy of FORWARD is DROP." in text, text)
    h.check("explain: what would let it through", "=> It is dropped. What would let it through: a rule in FORWARD that accepts NEW packets from lan to wan" in text, text)
    text = h.cli("explain", "tcp 10.0.1.2:40000 > 192.0.2.2:80", "--reply", "--then", "tcp 10.0.1.2:40000 > 192.0.2.2:80 .").stdout
    h.check("explain: rules by their place", "rule 1 of web in filter accepts it: -A web -p tcp -m tcp --dport 80 -j ACCEPT (" in text, text)
    h.check("explain --reply --then", "The answer to it, in by wan" in text and "SYN_RECV becomes ESTABLISHED" in text, text)
    text = h.cli("explain", "udp 10.0.1.2:4000 > 192.0.2.2:11", "--if-rule", "FORWARD -p udp --dport 11 -j ACCEPT").stdout
    h.check("explain --if-rule", "=> It passes, and leaves by wan." in text, text)
    text = h.cli("explain", "udp 10.0.1.2:4000 > 192.0.2.2:53", "--if-sysctl", "net.ipv4.ip_forward=0").stdout
    h.check("explain --if-sysctl", "net.ipv4.conf.lan.forwarding=1" in text, text)
    number = json.loads(h.cli("why", "-j", "-n", "1", "reason:rule_drop").stdout)["id"]
    text = h.cli("explain", "--from-recorder", str(number)).stdout
    h.check("explain --from-recorder", "=> It is dropped." in text and "--dport 9 -j DROP" in text, text)
    told = json.loads(h.cli("explain", "-j", "icmp 10.0.1.2 > 10.0.1.1").stdout.splitlines()[0])
    h.check("explain -j", told["verdict"] == "delivered", told)
    answer = h.cli("explain", "tcp 10.0.1.2 > 192.0.2.2:80")
    h.check("explain: what is wrong and where", answer.returncode == 1 and 'column 5 of "tcp 10.0.1.2 > 192.0.2.2:80": the source needs a port' in answer.stderr, answer)
    offline = h.run("explain", "--config", str(h.folder / "router.toml"), "udp 10.0.1.2:1 > 192.0.2.2:53")
    h.check("explain --config needs no router", "=> It passes, and leaves by wan." in offline.stdout, offline)
    h.check("explain wants one packet", h.cli("explain").returncode == 2)


def explain_changes_nothing(h):
    def state():
        status = h.status()
        del status["uptime_seconds"]
        return json.dumps(status), h.get("/proc/net/nf_conntrack"), h.cli("rules", "save", "-c").stdout, h.cli("why", "-n", "0", "-j").stdout

    def still(text):
        return [line.split() for line in text.splitlines()]

    before = state()
    for _ in range(20):
        h.cli("explain", "tcp 10.0.1.2:40001 > 192.0.2.2:80", "--reply", "--if-rule", "FORWARD -j DROP")
    after = state()
    h.check("the rules and their counters are the same", before[2] == after[2])
    h.check("the records are the same", before[3] == after[3])
    h.check("no connection is new", len(still(before[1])) >= len(still(after[1])) and "40001" not in after[1], after[1])
    h.check("no child is left", not children(h), children(h))
    answers = [subprocess.Popen([h.program, "--control", h.instance(), "explain", "udp 10.0.1.2:1 > 192.0.2.2:53"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(10)]
    codes = [(child.wait(30), child.stderr.read()) for child in answers]
    h.check("many at once: answered, or told to ask again", all(code == 0 or b"ask again" in said for code, said in codes) and any(code == 0 for code, _ in codes), codes)
    h.check("packets still flow", h.ping("inside", "10.0.1.1").returncode == 0)


def children(h):
    return pathlib.Path(f"/proc/{h.router.pid}/task/{h.router.pid}/children").read_text()


def capture(h):
    file = h.folder / "all.pcapng"
    with following(h, "capture", "-w", "-", "-c", "2", "udp") as child:
        query(h)
        h.server.recvfrom(100)
        query(h, 9)
        file.write_bytes(child.read())
        h.check("capture ends with its count", child.returncode == 0)
    replayed = h.run("replay", str(h.folder / "router.toml"), "--in", str(file), "--trace", "--filter", "udp")
    h.check("our reader takes it", "3 packets in" in replayed.stderr, replayed)
    data = file.read_bytes()
    for comment in (b"id=", b" in; left by wan; state ", b" out; left by wan; state ", b"source 10.0.1.2:4000 -> 192.0.2.1:4000", b" in; dropped: rule_drop at FORWARD filter; "):
        h.check(f"capture: {comment.decode()}", comment in data)
    if shutil.which("tshark"):
        shown = subprocess.run(["tshark", "-r", str(file), "-T", "fields", "-e", "frame.interface_name", "-e", "frame.comment"], capture_output=True, text=True).stdout
        h.check("tshark takes it", shown.count("\n") == 3 and shown.startswith("lan\t"), shown)


if __name__ == "__main__":
    raise SystemExit(harness.main(test))
