#!/usr/bin/env python3
"""What a running router says of itself: metrics, status, top, the page for a browser, pages of the table, and the log as dmesg(1) shows it.

    metrics_test.py NSROUTER
"""
import json
import os
import re
import shutil
import subprocess
import sys

import harness

RULES = """
[[rules.filter.FORWARD]]
rule = "-p udp -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT"
[sysctl]
"net.netfilter.nf_conntrack_acct" = 1
"""


def test(h):
    h.start(h.write("router.toml", h.inside_outside(RULES)))
    talk(h)
    metrics(h)
    status(h)
    top(h)
    pages(h)
    dry_run(h)
    browser(h)
    log(h)
    h.stop()


def talk(h, first=5000):
    """Five datagrams from one host to five ports outside; all are in the table when the last one is there."""
    outside = [h.udp("outside", "192.0.2.2", first + i) for i in range(5)]
    inside = h.udp("inside", "10.0.1.2", first - 1)
    for i, sock in enumerate(outside):
        inside.sendto(b"x", ("192.0.2.2", first + i))
        sock.recv(10)


def samples(text):
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if not line.startswith("#")}


def metrics(h):
    answer = h.curl("-i", f"http://127.0.0.1:{h.port}/metrics").stdout
    h.check("the content type is that of the format", "Content-Type: text/plain; version=0.0.4; charset=utf-8\n" in answer, answer[:300])
    text = h.get("/metrics")
    found = samples(text)
    me = f'router="{h.instance()}"'
    h.check("the entries, by node_exporter's name", found.get(f"node_nf_conntrack_entries{{{me}}}", 0) >= 5, text[:500])
    h.check("packets by interface", found.get(f'nsrouter_interface_packets_total{{{me},interface="lan",direction="rx"}}', 0) >= 5)
    h.check("the kernel's count of what the queue lost", f'nsrouter_interface_queue_dropped_packets_total{{{me},interface="lan"}}' in found)
    h.check("turns of packets were counted", found.get(f'nsrouter_loop_turn_seconds_count{{{me},kind="packets"}}', 0) >= 1)
    h.check("and those of requests", found.get(f'nsrouter_loop_turn_cpu_seconds_count{{{me},kind="control"}}', 0) > 0)
    h.check("HEAD answers, too", "200 OK" in h.curl("-I", f"http://127.0.0.1:{h.port}/metrics").stdout)
    if shutil.which("promtool"):
        judged = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=30)
        h.check("promtool finds nothing wrong", judged.returncode == 0, judged)


def status(h):
    loop = h.status()["loop"]
    h.check("status has the turns by kind", set(loop) == {"packets", "timers", "timers_cpu", "control", "control_cpu"} and loop["packets"]["turns"] >= 1, loop)
    h.check("whose buckets hold all", all(sum(kind["within_us"].values()) == kind["turns"] for kind in loop.values()), loop)
    text = h.cli("status").stdout
    h.check("and for people", re.search(r"longest turns: packets \d+\.\d\d ms", text), text)


def top(h):
    answer = json.loads(h.get("/top?by=source&proto=udp"))
    h.check("who has the most connections", answer["top"][0]["key"] == "10.0.1.2" and answer["top"][0]["entries"] == 5 and answer["top"][0]["packets"] == 5, answer)
    rule = json.loads(h.get("/top?by=rule&proto=udp"))["top"][0]
    h.check("by rule", re.search(r"router\.toml:\d+", rule["key"]) and rule["entries"] == 5, rule)
    said = h.cli("top", "--by", "port", "-n", "2", "proto=udp").stdout
    h.check("for people", "PORT" in said and "udp 5000" in said and said.count("20.0%") == 2, said)
    for path in ("/top?by=colour", "/top?n=many", "/top?frob=1", "/top?proto=frob"):
        h.check(f"{path} is refused", h.request("GET", path)[0] == 400, h.request("GET", path))


def pages(h):
    whole = json.loads(h.get("/conntrack?proto=udp"))
    pieces, after = [], ""
    while page := json.loads(h.get(f"/conntrack?proto=udp&limit=2{after}")):
        h.check("a page is no longer than it was to be", len(page) <= 2, page)
        pieces += page
        after = f"&after={page[-1]['id']}"
    h.check("pages make up the whole", [each["id"] for each in pieces] == [each["id"] for each in whole] and len(whole) >= 5, (pieces, whole))
    h.check("a limit that is none is refused", h.request("GET", "/conntrack?limit=-1")[0] == 400)


def dry_run(h):
    count = len(json.loads(h.get("/conntrack?proto=udp&dport=5000")))
    h.check("DELETE that only looks", h.request("DELETE", "/conntrack?proto=udp&dport=5000&dry-run=1") == (200, f"{count}\n"))
    answer = h.cli("conntrack", "-D", "-p", "udp", "--dport", "5000", "--dry-run")
    h.check("conntrack -D that only looks", answer.returncode == 0 and "dport=5000" in answer.stdout and f"{count} flow entries have been found, and nothing deleted." in answer.stderr, answer)
    h.check("and everything is there", len(json.loads(h.get("/conntrack?proto=udp&dport=5000"))) == count == 1)
    answer = h.cli("conntrack", "-F", "--dry-run")
    h.check("nothing else can be tried so", answer.returncode == 1 and "only -D" in answer.stderr and len(json.loads(h.get("/conntrack?proto=udp&dport=5000"))) == 1, answer)


def browser(h):
    page = h.curl("-i", "-H", "Accept: text/html,application/xhtml+xml", f"http://127.0.0.1:{h.port}/").stdout
    h.check("a browser gets a page, with a policy", "Content-Type: text/html" in page and "Content-Security-Policy: default-src 'none'; script-src 'self'" in page, page[:600])
    h.check("that asks for nothing of others", not re.search(r'(?:src|href)="(?!/|data:,)', page) and "<script>" not in page, page)
    for path in re.findall(r'(?:src|href)="(/[^"]+)"', page):
        h.check(f"what it names is there: {path}", h.request("GET", path)[0] == 200)
    h.check("everybody else gets names", "metrics\n" in h.get("/") and "dashboard" not in h.get("/"))
    dashboard(h)


def dashboard(h):
    """The page as Chromium has it when its script has run and refreshed twice."""
    talk(h, 6000)
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={h.folder}/chromium", "--virtual-time-budget=5000", "--dump-dom"]
    shown = subprocess.run([*command, f"http://127.0.0.1:{h.port}/"], capture_output=True, text=True, timeout=120)
    page = " ".join(re.sub(r"<[^>]*>", " ", shown.stdout).split())
    h.check("the page has the name of the router", f"{h.instance()} - nsrouter" in page, shown)
    h.check("it shows the interfaces and the turns of the loop", "lan up 10.0.1.1/24" in page and "longest over 1 ms packets" in page, page)
    h.check("it shows who has most", "entries bytes source" in page and "10.0.1.2" in page.partition("entries bytes source")[2], page)
    h.check("nothing went wrong", re.search(r'id="problem"[^>]*hidden', shown.stdout), shown.stdout[:600])


def log(h):
    raw = h.cli("dmesg", "-r")
    h.check("dmesg -r has levels", raw.returncode == 0 and re.match(r"<\d>\[ *\d+\.\d{6}\] ", raw.stdout), raw)
    if shutil.which("dmesg"):
        kept = h.write("raw", raw.stdout)
        for options in ([], ["-t"], ["-d"], ["-x"], ["-tx"], ["-l", "info,err"], ["-k"], ["-u"], ["-r"]):
            theirs = subprocess.run(["dmesg", "-F", kept, *options], capture_output=True, text=True, timeout=30).stdout
            ours = h.cli("dmesg", *options).stdout
            h.check(f"dmesg {' '.join(options)} as the tool", ours == theirs and (theirs or options == ["-u"]), (ours, theirs))
    answer = h.cli("dmesg", "-l", "bogus")
    h.check("an unknown level is said to be one", answer.returncode == 1 and "unknown level 'bogus'" in answer.stderr, answer)
    h.check("dmesg -c shows and forgets", h.cli("dmesg", "-c").stdout != "" and h.cli("dmesg").stdout == "")
    h.check("but /dev/kmsg does not", h.get("/dev/kmsg") != "")
    h.check("dmesg -n", h.cli("dmesg", "-n", "err").returncode == 0 and h.cli("dmesg", "-n", "9").returncode == 1)
    before = os.path.getsize(h.folder / "log")
    h.cli("reload")
    h.check("what is not that important is in the log alone", "configuration" in h.cli("dmesg").stdout and os.path.getsize(h.folder / "log") == before, h.cli("dmesg").stdout)


if __name__ == "__main__":
    sys.exit(harness.main(test, ("curl", "ip", "ping", "chromium")))
