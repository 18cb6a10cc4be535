#!/usr/bin/env python3
"""configs/demo.toml with real traffic: ping, HTTP, UDP, the published port, what the files and commands say of it.

    demo_test.py NSROUTER
"""
import pathlib
import re
import socket
import sys

import harness

CONFIG = pathlib.Path(__file__).resolve().parents[2] / "configs" / "demo.toml"


def test(h):
    h.start(h.write("router.toml", h.adapt(CONFIG.read_text())))
    traffic(h)
    published_port(h)
    files(h)
    commands(h)
    doors(h)
    table_full(h)
    h.check("SIGTERM ends it with success", h.stop() == 0)
    h.check("and leaves nothing behind", not h.leftovers(), h.leftovers())


def traffic(h):
    for address in ("192.0.2.2", "2001:db8:2::2", "10.0.1.1"):
        answer = h.ping("client", address)
        h.check(f"ping {address}", answer.returncode == 0, answer.stdout)
    h.web_server("server", "192.0.2.2", 80, "hello from the server")
    page = h.curl("http://192.0.2.2/", netns="client")
    h.check("HTTP through the router", page.stdout.startswith("hello from the server\n"), page)
    h.check("the server sees the router's address", page.stdout.endswith("\n192.0.2.1"), page.stdout)
    big = "x" * 3_000_000
    h.web_server("server", "192.0.2.2", 81, big)
    page = h.curl("http://192.0.2.2:81/", netns="client")
    h.check("three megabytes arrive whole", page.stdout == big + "\n192.0.2.1", len(page.stdout))
    server, client = h.udp("server", "192.0.2.2", 5000), h.udp("client", "10.0.1.2", 4000)
    client.sendto(b"question", ("192.0.2.2", 5000))
    data, peer = server.recvfrom(100)
    h.check("UDP is masqueraded and keeps its port", (data, peer) == (b"question", ("192.0.2.1", 4000)), (data, peer))
    server.sendto(b"answer" * 3000, peer)
    h.check("a fragmented UDP answer comes back", client.recv(65536) == b"answer" * 3000)
    stranger = h.curl("--max-time", "1", "http://10.0.1.2/", netns="server")
    h.check("the outside cannot reach the inside", stranger.returncode != 0, stranger)


def published_port(h):
    h.web_server("client", "10.0.1.2", 80, "hello from the client")
    page = h.curl("http://192.0.2.1:8080/", netns="server")
    h.check("the published port leads to the client", page.stdout == "hello from the client\n192.0.2.2", page)


def files(h):
    table = h.get("/proc/net/nf_conntrack")
    udp = (r"^ipv4     2 udp      17 \d+ src=10.0.1.2 dst=192.0.2.2 sport=4000 dport=5000 "
           r"src=192.0.2.2 dst=192.0.2.1 sport=5000 dport=4000 mark=0 secmark=0 use=2$")
    h.check("/proc/net/nf_conntrack has the UDP flow", re.search(udp, table, re.M), table)
    h.check("/proc/net lists nf_conntrack", "nf_conntrack" in h.get("/proc/net").splitlines(), h.get("/proc/net"))
    h.check("/proc/net/ is the same directory", h.get("/proc/net/") == h.get("/proc/net"))
    maximum = "/proc/sys/net/netfilter/nf_conntrack_max"
    h.check("PUT writes a sysctl", h.put(maximum, "100000\n")[0] == 200 and h.get(maximum) == "100000\n", h.get(maximum))
    code, body = h.put("/proc/sys/net/netfilter/nf_conntrack_tcp_loose", "7")
    h.check("EINVAL is 400 with the accepted range", code == 400 and "EINVAL" in body and "1" in body, (code, body))
    h.check("read-only is 403", h.put("/proc/sys/net/netfilter/nf_conntrack_count", "7")[0] == 403)
    h.check("unknown is 404", h.request("GET", "/proc/nothing")[0] == 404)
    h.check("DELETE of a file is 405", h.request("DELETE", maximum)[0] == 405)
    status = h.status()
    h.check("/status names interfaces and offload", [i["name"] for i in status["interfaces"]] == ["lan", "wan"]
            and status["interfaces"][0]["offload"].startswith("tso"), status["interfaces"])
    h.check("/status counts", status["interfaces"][0]["counters"]["rx_packets"] > 10, status["interfaces"][0])
    h.check("/status shows the table", status["conntrack"]["max"] == 100000 and status["conntrack"]["count"] > 0, status["conntrack"])
    h.check("/status counts drops by reason", any(status["drops"].values()), status["drops"])


def commands(h):
    listing = h.cli("conntrack", "-L", "-p", "udp", "--sport", "4000")
    h.check("conntrack -L with a filter", listing.stdout.count("\n") == 1 and listing.stdout.startswith("udp      17 ")
            and listing.stderr == "conntrack v1.4.7 (conntrack-tools): 1 flow entries have been shown.\n", listing)
    count = h.cli("conntrack", "-C").stdout
    h.check("conntrack -C", count.strip().isdigit() and int(count) > 0, count)
    deleted = h.cli("conntrack", "-D", "-p", "udp", "--sport", "4000")
    h.check("conntrack -D", deleted.returncode == 0 and "1 flow entries have been deleted" in deleted.stderr, deleted)
    again = h.cli("conntrack", "-D", "-p", "udp", "--sport", "4000")
    h.check("conntrack -D of nothing is 1", again.returncode == 1 and "0 flow entries have been deleted" in again.stderr, again)
    h.check("conntrack with a bad option is 2", h.cli("conntrack", "--bogus").returncode == 2)
    said = h.cli("sysctl", "-w", "net.netfilter.nf_conntrack_udp_timeout=31")
    h.check("sysctl -w echoes", said.stdout == "net.netfilter.nf_conntrack_udp_timeout = 31\n", said)
    h.check("sysctl -n", h.cli("sysctl", "-n", "net/netfilter/nf_conntrack_udp_timeout").stdout == "31\n")
    unknown = h.cli("sysctl", "net.netfilter.nothing")
    h.check("sysctl of an unknown key", unknown.returncode == 1 and "No such file or directory" in unknown.stderr, unknown)
    refused = h.cli("sysctl", "net.netfilter.nf_conntrack_tcp_loose=9")
    h.check("sysctl of a bad value", refused.returncode == 1
            and refused.stderr.startswith('sysctl: setting key "net.netfilter.nf_conntrack_tcp_loose": Invalid argument'), refused)
    saved = h.cli("rules", "save", "-4").stdout
    h.check("rules save has the counters", re.search(r"^\[[1-9]\d*:\d+\] -A POSTROUTING -o wan -j MASQUERADE$", saved, re.M), saved)
    h.check("rules list", "Chain FORWARD (policy DROP" in h.cli("rules", "list").stdout, h.cli("rules", "list"))
    h.check("conntrack -F", h.cli("conntrack", "-F").returncode == 0 and h.status()["conntrack"]["count"] == 0, h.status()["conntrack"])
    h.check("--help has examples", "Example" in h.run("conntrack", "--help").stdout)


def doors(h):
    h.check("another site's Origin is refused", h.request("GET", "/status", None, "-H", "Origin: http://evil.example")[0] == 403)
    h.check("another Host is refused", h.request("GET", "/status", None, "-H", "Host: evil.example")[0] == 403)
    h.check("a body of two megabytes is 413", h.put("/proc/sys/net/netfilter/nf_conntrack_max", "@" + h.write("big", "1" * 2_000_000))[0] == 413)
    h.check("a header of 20 kB is 431", h.request("GET", "/status", None, "-H", "X: " + "y" * 20000)[0] == 431)
    path = f"/run/nsrouter/{h.instance()}.sock"
    h.check("the unix socket serves, in every namespace", h.curl("--unix-socket", path, "http://any/proc/sys/net/nf_conntrack_max", netns="client").stdout == "100000\n")
    h.check("and every user may connect to it", pathlib.Path(path).stat().st_mode & 0o777 == 0o666, oct(pathlib.Path(path).stat().st_mode))


def table_full(h):
    server, client = h.udp("server", "192.0.2.2", 6000), h.udp("client", "10.0.1.2", 6001)
    client.sendto(b"first", ("192.0.2.2", 6000))
    server.recvfrom(100)
    with Keep(h, "192.0.2.2", 80):
        h.put("/proc/sys/net/netfilter/nf_conntrack_max", "1\n")
        h.cli("conntrack", "-D", "-p", "udp")
        for port in range(7000, 7020):
            client.sendto(b"more", ("192.0.2.2", port))
        h.check("a full table says so in /dev/kmsg", "nf_conntrack: table full, dropping packet" in h.get("/dev/kmsg"), h.get("/dev/kmsg"))
        log = h.cli("dmesg").stdout
        h.check("and in dmesg", re.search(r"^\[ *\d+\.\d{6}\] nf_conntrack: table full, dropping packet$", log, re.M), log)
        drops = h.status()["drops"]
        h.check("and as a drop reason", drops.get("table_full", 0) > 0, drops)


class Keep:
    """An established TCP connection, which a full table must not evict."""

    def __init__(self, h, address, port):
        self.sock = h.inside("client", socket.socket)
        self.sock.settimeout(5)
        self.sock.connect((address, port))
        self.sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        self.sock.recv(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()


if __name__ == "__main__":
    sys.exit(harness.main(test))
