#!/usr/bin/env python3
"""configs/two-uplinks.toml with real traffic: marks choose the uplink, answers go back where the question came from, one uplink serves when the other is down.

    uplinks_test.py NSROUTER
"""
import pathlib
import subprocess
import sys

import harness

CONFIGS = pathlib.Path(__file__).resolve().parents[2] / "configs"
STRANGER = "203.0.113.9"  # somebody behind both uplinks
ISP1, ISP2 = "198.51.100.2", "192.0.2.2"


def test(h):
    h.start(h.write("router.toml", h.adapt((CONFIGS / "two-uplinks.toml").read_text())))
    for isp in ("isp1", "isp2"):
        subprocess.run(["ip", "-n", h.netns(isp), "addr", "add", STRANGER + "/32", "dev", "lo"], check=True)
    listings(h)
    from_the_office(h)
    from_the_outside(h)
    failover(h)
    h.stop()


def listings(h):
    rules = h.cli("ip", "rule").stdout
    h.check("ip rule lists the rules of the file", "32764:\tfrom all fwmark 0x1/0xf lookup 1\n32765:\tfrom all fwmark 0x2/0xf lookup 2\n" in rules, rules)
    way = h.cli("ip", "route", "get", STRANGER, "mark", "2").stdout
    h.check("ip route get follows the mark", way.startswith(f"{STRANGER} via 192.0.2.1 dev isp2 table 2 src {ISP2} mark 2"), way)
    again = h.cli("ip", "route", "add", "default", "via", "192.0.2.1", "metric", "200")
    h.check("a route that is there is refused in the kernel's words", again.returncode == 1 and "File exists" in again.stderr, again)


def heard(h, isp, port, sent_from):
    """The source as the stranger behind `isp` sees it; None: nothing came."""
    server, client = h.udp(isp, STRANGER, port), h.udp("office", "10.0.1.2", sent_from)
    client.sendto(b"hello", (STRANGER, port))
    try:
        return server.recvfrom(10)[1][0]
    except TimeoutError:
        return None


def from_the_office(h):
    h.check("what begins in the office leaves by the first uplink", (seen := heard(h, "isp1", 5000, 4000)) == ISP1, seen)
    h.web_server("isp2", STRANGER, 25, "mail")
    page = h.curl(f"http://{STRANGER}:25/", netns="office")
    h.check("mail leaves by the second one", page.stdout == "mail\n" + ISP2, page)


def from_the_outside(h):
    h.web_server("office", "10.0.1.2", 80, "published")
    for isp, address in (("isp1", ISP1), ("isp2", ISP2)):
        page = h.curl("--interface", STRANGER, f"http://{address}/", netns=isp)
        h.check(f"who asks by {isp} is answered by it", page.stdout == "published\n" + STRANGER, page)
        answer = subprocess.run(["ip", "netns", "exec", h.netns(isp), "ping", "-n", "-c", "1", "-W", "5", "-I", STRANGER, address], capture_output=True, text=True)
        h.check(f"so does the router itself, pinged by {isp}", answer.returncode == 0, answer)


def failover(h):
    h.cli("ip", "link", "set", "isp1", "down")
    h.check("without the first uplink all leaves by the second", (seen := heard(h, "isp2", 5001, 4001)) == ISP2, seen)
    h.cli("ip", "link", "set", "isp1", "up")
    routes = h.cli("ip", "route").stdout
    h.check("its routes do not come back with it", "metric 100" not in routes and "metric 200" in routes, routes)
    reloaded = h.cli("reload")
    h.check("a reload sets them again", reloaded.returncode == 0 and "metric 100" in h.cli("ip", "route").stdout, reloaded)
    h.check("and the first uplink serves again", (seen := heard(h, "isp1", 5002, 4002)) == ISP1, seen)


if __name__ == "__main__":
    sys.exit(harness.main(test))
