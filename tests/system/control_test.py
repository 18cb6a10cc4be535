#!/usr/bin/env python3
"""The control port against clients that are slow, greedy, malformed or hostile; packets flow all the while.

    control_test.py NSROUTER
"""
import contextlib
import json
import os
import pathlib
import re
import resource
import socket
import sys

import harness

CONFIG = pathlib.Path(__file__).resolve().parents[2] / "configs" / "minimal-nat.toml"


def test(h):
    h.start(h.write("router.toml", h.adapt(CONFIG.read_text())))
    framing(h)
    malformed(h)
    slow_and_many(h)
    followers(h)
    parameters(h)
    no_descriptors(h)
    large_table(h)
    json_table(h)
    h.stop()


def connect(h):
    sock = socket.create_connection(("127.0.0.1", h.port))
    sock.settimeout(30)
    return sock


def talk(h, data):
    """All that comes back for `data` until the router hangs up."""
    with connect(h) as sock:
        sock.sendall(data)
        with contextlib.suppress(ConnectionError):
            return b"".join(iter(lambda: sock.recv(65536), b""))
    return b""


def head(method="GET", path="/proc/sys/net/nf_conntrack_max", version="1.1", extra=""):
    return f"{method} {path} HTTP/{version}\r\nHost: localhost\r\n{extra}\r\n".encode()


def code(answer):
    match = re.match(rb"HTTP/1\.[01] (\d+) ", answer)
    return int(match[1]) if match else 0


def framing(h):
    last = head(extra="Connection: close\r\n")
    answer = talk(h, head() + head() + last)
    h.check("three requests on one connection, sent at once", answer.count(b"65536\n") == 3, answer)
    answer = talk(h, head(version="1.0"))
    h.check("HTTP/1.0 gets its answer and the end", code(answer) == 200 and answer.endswith(b"65536\n"), answer)
    answer = talk(h, head(path="/proc/net/nf_conntrack", version="1.0"))
    h.check("a file without chunks for HTTP/1.0", code(answer) == 200 and b"chunked" not in answer, answer)
    chunked = head("PUT", extra="Transfer-Encoding: chunked\r\nConnection: close\r\n") + b"3\r\n777\r\n2\r\n77\r\n0\r\n\r\n"
    h.check("a chunked body", code(talk(h, chunked)) == 200 and h.get("/proc/sys/net/nf_conntrack_max") == "77777\n", h.get("/proc/sys/net/nf_conntrack_max"))
    with connect(h) as sock:
        sock.sendall(head("PUT", extra="Content-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n"))
        h.check("Expect: 100-continue is answered before the body", sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n")
        sock.sendall(b"65536")
        h.check("and then the request", code(sock.recv(1000)) == 200)


def malformed(h):
    cases = {
        "no HTTP at all": (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400),
        "a version that is none": (b"GET / HTTP/9.9\r\n\r\n", 400),
        "a negative length": (head("PUT", extra="Content-Length: -1\r\n"), 400),
        "two framings at once": (head("PUT", extra="Content-Length: 3\r\nTransfer-Encoding: chunked\r\n") + b"0\r\n\r\n", 400),
        "a chunk size that is none": (head("PUT", extra="Transfer-Encoding: chunked\r\n") + b"zz\r\n", 400),
        "a target that is no path": (head(path="https://localhost/"), 400),
        "a target at another site": (head(path="http://evil.example/"), 403),
        "a NUL in the path": (head(path="/proc%00"), 400),
        "dots that climb": (head(path="/proc/../../etc/passwd", extra="Connection: close\r\n"), 404),
        "dots that climb, encoded": (head(path="/proc/%2e%2e/etc/passwd", extra="Connection: close\r\n"), 404),
        "two Hosts": (head(extra="Host: localhost\r\n"), 400),
        "a coding other than chunked": (head("PUT", extra="Transfer-Encoding: gzip\r\n"), 501),
        "no Host": (b"GET /status HTTP/1.1\r\n\r\n", 403),
        "an unknown method": (head("BREW", extra="Connection: close\r\n"), 405),
        "a body too large to say": (head("PUT", extra="Content-Length: 99999999999999999999\r\n"), 400),
        "a body too large to send": (head("PUT", extra="Content-Length: 1048577\r\n"), 413),
    }
    for what, (data, expected) in cases.items():
        answer = talk(h, data)
        h.check(f"{what}: {expected}", code(answer) == expected, answer)
    h.check("it still serves", h.request("GET", "/status")[0] == 200)


def slow_and_many(h):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(h)) for _ in range(80)]
        for client in clients[:64]:
            client.sendall(b"GET /status HTTP/1.1\r\nHost: loc")
        refused = [code(client.recv(1000)) for client in clients[64:]]
        h.check("more than 64 connections are refused", refused == [503] * 16, refused)
        h.check("the administrator still gets in by the unix socket", h.cli("status").returncode == 0)
        h.check("forwarding goes on", h.ping("inside", "192.0.2.2").returncode == 0)
        late = [code(client.recv(1000)) for client in clients[:64]]
        h.check("a header that does not end is 408", late == [408] * 64, late)
    h.check("and then there is room again", h.request("GET", "/status")[0] == 200)


def followers(h):
    """Those who only wait leave room for those who ask."""
    follow = head(path="/log?follow=1")
    with contextlib.ExitStack() as stack:
        answers = []
        for _ in range(104):
            client = stack.enter_context(connect(h))
            client.sendall(follow)
            answers.append(code(client.recv(1000)))
        h.check("no more than 100 follow", answers == [200] * 100 + [503] * 4, answers)
        h.check("others are answered", h.request("GET", "/status")[0] == 200 and h.cli("status").returncode == 0)
    h.check("follow=0 does not follow", code(talk(h, head(path="/log?follow=0", extra="Connection: close\r\n"))) == 200)


def no_descriptors(h):
    """A connection that cannot be accepted waits, or is reset; the router does not spin meanwhile."""
    pid = h.router.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (0, before[1]))
    with connect(h) as client:
        client.sendall(head(extra="Connection: close\r\n"))
        client.settimeout(1)
        waits = unanswered(h, client)
        cpu = cpu_seconds(pid)
        h.check("forwarding goes on", h.ping("inside", "192.0.2.2").returncode == 0)
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            client.recv(1000)
        spent = cpu_seconds(pid) - cpu
        h.check("waiting for one costs next to nothing", spent < 0.5, spent)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        client.settimeout(30)
        h.check("and with one a client gets its answer", (code(client.recv(1000)) if waits else h.request("GET", "/status")[0]) == 200)


def unanswered(h, client):
    """Whether the connection stays, waiting."""
    try:
        h.check("without descriptors nobody is answered", client.recv(1000) == b"", "an answer")
    except TimeoutError:
        return True
    except ConnectionResetError:
        pass
    return False


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def parameters(h):
    for method, path in (("GET", "/rules?famly=ipv4"), ("DELETE", "/rules?family=ipv5"), ("GET", "/sysctl?below=net"), ("GET", "/log?follow=yes"), ("GET", "/rules?format=xml")):
        status, text = h.request(method, path)
        h.check(f"{method} {path} is refused, naming what is known", status == 400 and ("known: " in text or "one of" in text or "0 or 1" in text), text)
    before = h.get("/rules?family=ipv4")
    h.check("DELETE /rules?family=ipv6 leaves the IPv4 rules", h.request("DELETE", "/rules?family=ipv6")[0] == 200 and "MASQUERADE" in before and "MASQUERADE" in h.get("/rules?family=ipv4"), before)
    h.check("format=list honours the family, too", "(ipv6)" not in h.get("/rules?format=list&family=ipv4") and "(ipv4)" in h.get("/rules?format=list&family=ipv4"))


def large_table(h):
    h.put("/proc/sys/net/netfilter/nf_conntrack_udp_timeout", "600")
    inside, outside = h.udp("inside", "10.0.1.2", 1000), h.udp("outside", "192.0.2.2", 1)
    for port in range(2000, 12000):
        inside.sendto(b"x", ("192.0.2.99", port))
        if port % 100 == 0:  # what arrives has overtaken nothing: the device's queue is empty again
            inside.sendto(b"x", ("192.0.2.2", 1))
            outside.recv(10)
    with connect(h) as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
        reader.sendall(head(path="/proc/net/nf_conntrack", extra="Connection: close\r\n"))
        reader.recv(1000)
        h.check("a reader that stops reading does not stop packets", h.ping("inside", "192.0.2.2").returncode == 0)
        text = b"".join(iter(lambda: reader.recv(65536), b""))
        h.check("and gets the whole file later", text.endswith(b"0\r\n\r\n"))
    lines = h.get("/proc/net/nf_conntrack").splitlines()
    ports = {re.search(r"dport=(\d+)", line)[1] for line in lines if "src=10.0.1.2 dst=192.0.2.99" in line}
    h.check("every connection is there once", len(ports) == sum("src=10.0.1.2 dst=192.0.2.99" in line for line in lines) and len(ports) == 10000, len(ports))
    listed = h.cli("conntrack", "-L", "-d", "192.0.2.99")
    h.check("conntrack -L counts them", f"{listed.stdout.count(chr(10))} flow entries have been shown" in listed.stderr and listed.stdout.count("\n") == len(ports), listed.stderr)
    empty = h.cli("conntrack", "-L", "-d", "192.0.2.98")
    h.check("conntrack -L of nothing is fine", empty.returncode == 0 and not empty.stdout and "0 flow entries" in empty.stderr, empty)


def json_table(h):
    entries = json.loads(h.get("/conntrack?proto=udp&dport=2000"))
    h.check("/conntrack is JSON and filters", len(entries) == 1 and entries[0]["original"]["dst"] == "192.0.2.99"
            and entries[0]["reply"]["dst"] == "192.0.2.1", entries)
    for query in ("zero", "zero=1", "src-nat=-z", "src-nat=--zero", "timeout=5"):
        h.check(f"GET /conntrack?{query} changes nothing", h.request("GET", f"/conntrack?{query}")[0] == 400)
    h.check("and says what would", "POST /conntrack" in h.get("/conntrack?zero"))
    code, text = h.request("PUT", "/module")
    h.check("PUT /module without a name says how to name one", code == 400 and "name=nf_conntrack&action=load" in text, (code, text))
    for target in ("/?x=1", "/status?x=1", "/module?x=1", "/proc/net/dev?x=1", "/proc/net?x=1", "/conntrack?output=xml", "/conntrack?flush"):
        code, text = h.request("GET", target)
        h.check(f"GET {target}: the parameter is unknown", code == 400 and "unknown parameter \"" in text, text)
    for target in ("/reload?x=1", "/stop?x=1", "/conntrack?x=1", "/ip?x=1", "/proc/nsrouter/conntrack_mode?x=1"):
        h.check(f"POST {target} likewise", h.request("POST", target, "")[0] == 400)
    h.check("no sysctl folder of that name", h.request("GET", "/sysctl?under=net.nosuch")[0] == 404)
    h.check("DELETE /conntrack says how many", h.request("DELETE", "/conntrack?proto=udp&dport=2000") == (200, "1\n"))
    h.check("and they are gone", json.loads(h.get("/conntrack?proto=udp&dport=2000")) == [])
    h.put("/proc/sys/net/netfilter/nf_conntrack_udp_timeout", "600")
    client = h.udp("inside", "10.0.1.2", 1001)
    client.sendto(b"x", ("192.0.2.99", 9))
    count = h.cli("conntrack", "-C").stdout
    answer = h.cli("conntrack", "-D", "-d", "192.0.2.99", "-p", "udp", "--sport", "1000", "-o", "id")
    gone = answer.stdout.count("\n")
    h.check("conntrack -D of thousands shows and counts each", gone > 1000 and f" {gone} flow entries have been deleted" in answer.stderr and answer.stderr.count("\n") == 1, answer.stderr)
    h.check("and they are gone", int(h.cli("conntrack", "-C").stdout) <= int(count) - gone, count)
    count = h.cli("conntrack", "-C").stdout
    refused = h.cli("conntrack", "-F", "-p", "udp")
    h.check("conntrack -F with a filter is refused as by conntrack(8)", refused.returncode == 2 and "Illegal option `--protonum' with this command" in refused.stderr, refused)
    h.check("and flushes nothing", int(h.cli("conntrack", "-C").stdout) >= int(count) > 0, count)
    h.check("conntrack -F -f ipv6 leaves IPv4", h.cli("conntrack", "-F", "-f", "ipv6").returncode == 0 and int(h.cli("conntrack", "-C").stdout) > 0)
    for change in (("-U", "-m", "5"), ("-D",)):
        answer = h.cli("conntrack", *change, "-p", "udp", "--dport", "9", "-o", "xml")
        h.check(f"conntrack {change[0]} -o xml counts its entries", answer.returncode == 0 and answer.stdout.startswith("<flow>") and " 1 flow entries" in answer.stderr, answer)
    client.sendto(b"x", ("192.0.2.99", 9))
    one = ("conntrack", "-G", "-p", "udp", "-s", "10.0.1.2", "-d", "192.0.2.99", "--sport", "1001", "--dport")
    answer = h.cli(*one, "9")
    h.check("conntrack -G finds one", answer.returncode == 0 and answer.stdout.count("dport=9 ") == 1 and " 1 flow entries" in answer.stderr, answer)
    h.check("or says that there is none", h.cli(*one, "10").returncode == 1 and "doesn't exist" in h.cli(*one, "10").stderr)
    h.check("conntrack -G without ports is wrong usage", h.cli(*one[:7]).returncode == 2)
    answers = [h.cli("conntrack", "-U", "-m", "5", "-p", "udp", "--dport", "9") for _ in range(2)]
    h.check("conntrack -U of what is so already updates nothing", [a.returncode for a in answers] == [0, 1] and " 0 flow entries" in answers[1].stderr, answers)
    h.check("conntrack --version", "conntrack v1.4.7" in h.cli("conntrack", "--version").stdout)
    by_name = h.run("conntrack", "-C", f"--control={h.instance()}")
    h.check("conntrack --control=NAME", by_name.returncode == 0, by_name)
    h.check("Host in capitals", h.request("GET", "/status", None, "-H", f"Host: LOCALHOST:{h.port}")[0] == 200)
    for authority, code in ((f"localhost:{h.port}", 200), ("evil.example", 403)):
        answer = h.request("GET", "/", None, "--request-target", f"http://{authority}/status")
        h.check(f"a target at http://{authority} is {code}", answer[0] == code, answer)
    uptime = re.search(r'"uptime_seconds":([^,]*),', h.get("/status"))
    h.check("uptime is a plain number", uptime and re.fullmatch(r"[0-9]+\.[0-9]{3}", uptime[1]), uptime)
    h.check("an unknown filter is 400", h.request("GET", "/conntrack?colour=red")[0] == 400)


if __name__ == "__main__":
    sys.exit(harness.main(test))
