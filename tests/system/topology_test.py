#!/usr/bin/env python3
"""Namespaces and devices that come and go under a running router, and routers that share them.

    topology_test.py NSROUTER
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import harness

CONFIGS = pathlib.Path(__file__).resolve().parents[2] / "configs"


def test(h):
    text = h.adapt((CONFIGS / "minimal-nat.toml").read_text())
    h.config = h.write("router.toml", text + '[[route]]\nto = "198.51.100.0/24"\nvia = "192.0.2.2"\n')
    namespace_deleted(h)
    namespace_that_was_there(h)
    device_deleted(h)
    by_path_and_process(h)
    current_namespace(h)
    two_routers(h)
    chain(h)


def ip(*arguments):
    return subprocess.run(["ip", *arguments], capture_output=True, text=True)


def pings(h, netns, address):
    return h.ping(netns, address).returncode == 0


def link(h, name):
    return next(each for each in h.status()["interfaces"] if each["name"] == name)


def namespace_deleted(h):
    outside = h.netns("outside")
    h.start(h.config)
    h.check("before, the link is up and has its routes", pings(h, "inside", "192.0.2.2") and "198.51.100.0/24" in h.cli("ip", "route").stdout)
    ip("netns", "del", outside)
    log = h.follow_log(f"namespace {outside} is gone", 1)
    h.check("that a namespace was deleted is in the log, with its interface", f"namespace {outside} is gone, and with it the device of interface wan" in log, log)
    h.check("the link is down", not link(h, "wan")["up"] and "DOWN" in h.cli("ip", "link", "show", "wan").stdout.upper(), h.cli("ip", "link").stdout)
    routes = h.cli("ip", "route").stdout
    h.check("its routes are gone", "192.0.2.0/24" not in routes and "198.51.100.0/24" not in routes and "10.0.1.0/24" in routes, routes)
    answer = h.ping("inside", "192.0.2.2")
    h.check("senders are told at once", answer.returncode == 1 and "From 10.0.1.1" in answer.stdout and "nreachable" in answer.stdout, answer.stdout)
    answer = h.cli("ip", "link", "set", "wan", "up")
    h.check("it cannot be brought up without a device", answer.returncode == 1 and "device is gone" in answer.stderr, answer)
    ip("netns", "add", outside)
    h.follow_log("has its device again", 1)
    h.check("a namespace of that name is taken at once", pings(h, "inside", "192.0.2.2"), h.cli("dmesg").stdout)
    h.check("and the routes are back", "198.51.100.0/24 via 192.0.2.2" in h.cli("ip", "route").stdout, h.cli("ip", "route").stdout)
    ip("netns", "del", outside)
    h.follow_log("is gone, and", 2)
    answer = h.cli("reload")
    h.check("a reload makes the namespace again, and says so", answer.returncode == 0 and f"its namespace {outside} was gone; made again" in answer.stdout, answer)
    h.check("and packets flow", pings(h, "inside", "192.0.2.2"))
    answer = h.cli("reload")
    h.check("a reload with nothing lost says nothing of it", answer.returncode == 0 and "gone" not in answer.stdout, answer)
    answer = h.cli("stop")
    h.check("at the end nothing is left", answer.returncode == 0 and not h.leftovers(), (answer, h.leftovers()))
    h.router.wait(20)


def namespace_that_was_there(h):
    """One that the router did not make comes back as somebody else's, too."""
    outside = h.netns("outside")
    ip("netns", "add", outside)
    h.start(h.config)
    h.cli("ip", "link", "set", "wan", "mtu", "1400")
    for _ in range(2):  # replaced in one go
        subprocess.run(f"ip netns del {outside}; ip netns add {outside}", shell=True, check=True)
    h.follow_log("has its device again", 1)
    deadline = time.monotonic() + 10
    while not pings(h, "inside", "192.0.2.2") and time.monotonic() < deadline:
        pass
    h.check("a namespace that is replaced is followed", pings(h, "inside", "192.0.2.2"), h.cli("dmesg").stdout)
    h.check("with the MTU that was set meanwhile", "mtu 1400" in ip("-n", outside, "link", "show", "wan").stdout, ip("-n", outside, "link").stdout)
    h.stop()
    h.check("and stays at the end", os.path.exists(f"/run/netns/{outside}"))
    state = ip("-n", outside, "-o", "link").stdout
    h.check("as it was: without the device, lo down", "wan" not in state and "LOOPBACK,UP" not in state, state)
    ip("netns", "del", outside)


def device_deleted(h):
    outside = h.netns("outside")
    h.start(h.config)
    ip("-n", outside, "link", "add", "other", "type", "veth", "peer", "name", "end")
    ip("-n", outside, "link", "del", "wan")
    log = h.follow_log("is gone", 1)
    h.check("that a device was deleted is in the log", "device of interface wan is gone" in log and not link(h, "wan")["up"], log)
    h.check("the namespace stays", "other" in ip("-n", outside, "link").stdout)
    answer = h.cli("reload")
    h.check("a reload makes the device again, and says so", answer.returncode == 0 and "interface wan: its device was gone; made again" in answer.stdout, answer)
    h.check("in the same namespace", "other" in ip("-n", outside, "link").stdout and pings(h, "inside", "192.0.2.2"), ip("-n", outside, "link").stdout)
    ip("-n", outside, "link", "del", "wan")
    h.follow_log("device of interface wan is gone", 2)
    ip("-n", outside, "link", "add", "wan", "type", "veth", "peer", "name", "end2")
    answer = h.cli("reload")
    h.check("if it cannot, it says why and changes nothing", answer.returncode == 1 and "wan" in answer.stderr and not link(h, "wan")["up"], answer)
    ip("-n", outside, "link", "del", "wan")
    ip("-n", outside, "link", "del", "other")
    h.check("and later it can", h.cli("reload").returncode == 0 and pings(h, "inside", "192.0.2.2"))
    h.stop()
    h.check("nothing is left of it", not h.leftovers(), h.leftovers())


def by_path_and_process(h):
    text = pathlib.Path(h.config).read_text()
    ip("netns", "add", h.netns("inside"))
    with subprocess.Popen(["unshare", "-n", "sleep", "1000"]) as sleeper:
        own = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{sleeper.pid}/ns/net") == own:
            pass
        for place in (f"pid:{sleeper.pid}", f"/proc/{sleeper.pid}/ns/net"):
            mixed = text.replace(f'"{h.netns("outside")}"', f'"{place}"').replace(f'"{h.netns("inside")}"', f'"/run/netns/{h.netns("inside")}"')
            config = h.write("mixed.toml", mixed)
            h.start(config)
            h.check(f"{place}: packets flow", pings(h, "inside", "192.0.2.2"), h.cli("dmesg").stdout)
            h.check(f"{place}: the device is with the process", "wan" in subprocess.run(["nsenter", "-t", str(sleeper.pid), "-n", "ip", "link"], capture_output=True, text=True).stdout)
            if place.startswith("/"):
                sleeper.kill()
                sleeper.wait()
                log = h.follow_log("is gone", 1)
                h.check(f"{place}: with the process the link ends", f"namespace {place} is gone" in log and not link(h, "wan")["up"], log)
                answer = h.cli("reload")
                h.check("a reload says that there is no such namespace", answer.returncode == 1 and place in answer.stderr, answer)
            h.check("neither kind is removed at the end", h.stop() == 0 and os.path.exists(f"/run/netns/{h.netns('inside')}"))
    for wrong, why in (("/run/netns/none", "no network namespace"), ("/etc/passwd", "no network namespace"), (f"pid:{sleeper.pid}", "no network namespace")):
        answer = h.run("run", h.write("mixed.toml", text.replace(f'"{h.netns("outside")}"', f'"{wrong}"')))
        h.check(f"{wrong}: refused with its reason", answer.returncode == 1 and why in answer.stderr and wrong in answer.stderr, answer)
    ip("netns", "del", h.netns("inside"))
    h.check("nothing is left", not h.leftovers(), h.leftovers())


def current_namespace(h):
    """Without netns the device appears where the router was started."""
    text = re.sub(r"netns = .*\n", "", pathlib.Path(h.config).read_text(), count=1)
    answer = subprocess.run(["unshare", "-n", h.program, "check", h.write("here.toml", text)], capture_output=True, text=True)
    h.check("127.0.0.1 is not listened on where lo is down, and check says so", answer.returncode == 1 and "lo is down" in answer.stderr, answer)
    text = re.sub(r'listen = ".*"', 'listen = ""', text)
    here = h.netns("here")
    ip("netns", "add", here)
    process = subprocess.Popen(["ip", "netns", "exec", here, h.program, "run", h.write("here.toml", text)], stderr=open(h.folder / "log", "w"))
    h.check("it starts", h.cli("status", "--wait", "20").returncode == 0, (h.folder / "log").read_text())
    h.check("the device is where the router was started", "10.0.1.2" in ip("-n", here, "address").stdout and pings(h, "here", "192.0.2.2"), ip("-n", here, "address").stdout)
    h.check("and goes with it", h.cli("stop").returncode == 0 and process.wait(20) == 0 and "lan" not in ip("-n", here, "link").stdout)
    ip("netns", "del", here)


def two_routers(h):
    """Of two routers in one namespace the last one removes it, whichever made it."""
    text = pathlib.Path(h.config).read_text()
    shared = h.netns("shared")
    configs = {}
    for name, lan in (("a", "10.0.1"), ("b", "10.0.2")):
        other = text.replace(h.instance(), h.instance(name)).replace(f"127.0.0.1:{h.port}", "").replace(h.netns("outside"), shared).replace(h.netns("inside"), h.netns(f"inside-{name}"))
        other = other.replace("10.0.1", lan).replace('name = "wan"', f'name = "wan"\ndevice = "wan-{name}"').replace("192.0.2.", f"{'192.0.2' if name == 'a' else '203.0.113'}.")
        other = other.replace("host.address = [\"192", "host.forwarding = true\nhost.address = [\"192").replace("host.address = [\"203", "host.forwarding = true\nhost.address = [\"203")
        configs[name] = h.write(f"{name}.toml", other)

    def start(name):
        answer = h.run("run", "--daemon", configs[name])
        h.check(f"router {name} starts", answer.returncode == 0, answer)

    def stop(name):
        return h.run("--control", h.instance(name), "stop")

    for order in ("ab", "ba"):
        start("a"), start("b")
        first, last = order
        answer = stop(first)
        h.check(f"{first} goes first, and says what stays and why", answer.returncode == 0 and f"namespace {shared} stays: router '{h.instance(last)}' uses it" in answer.stdout, answer)
        h.check("the namespace is there for the other one", pings(h, f"inside-{last}", "192.0.2.2" if last == "a" else "203.0.113.2"))
        h.check("which still finds it routing, and lo up", "1" == subprocess.run(["ip", "netns", "exec", shared, "cat", "/proc/sys/net/ipv4/ip_forward"], capture_output=True, text=True).stdout.strip() and "LOOPBACK,UP" in ip("-n", shared, "link").stdout)
        answer = stop(last)
        h.check(f"{last} removes it", answer.returncode == 0 and not answer.stdout and not h.leftovers(), (answer, h.leftovers()))
    ip("netns", "add", shared)
    def state():  # the queue of lo stays when it goes down again
        return ip("-n", shared, "-o", "link").stdout.replace("noqueue", "noop")

    before = state()
    start("a"), start("b")
    stop("a")
    stop("b")
    h.check("one that was there before stays as it was", state() == before and h.leftovers() == [f"/run/netns/{shared}"], (before, state()))
    forwards = subprocess.run(["ip", "netns", "exec", shared, "cat", "/proc/sys/net/ipv4/ip_forward"], capture_output=True, text=True).stdout.strip()
    h.check("and no longer routes", forwards == "0", forwards)
    ip("netns", "del", shared)
    start("a"), start("b")
    os.kill(int(pathlib.Path(f"/run/nsrouter/{h.instance('a')}.pid").read_text()), signal.SIGKILL)
    deadline = time.monotonic() + 10
    while "was killed" not in (answer := stop("a")).stderr and time.monotonic() < deadline:
        pass
    h.check("what is cleaned up after a killed one is not what others use", os.path.exists(f"/run/netns/{shared}") and "stays" in answer.stderr, answer)
    h.check("the last one removes it then", stop("b").returncode == 0 and not h.leftovers(), h.leftovers())


def chain(h):
    """cgnat.toml and cgnat-home.toml: one router behind the other."""
    names = {}
    for name in ("cgnat", "cgnat-home"):
        text = (CONFIGS / f"{name}.toml").read_text()
        text = re.sub(r'netns = "(.*)"', lambda found: f'netns = "{h.netns(found[1])}"', text)
        text = re.sub(r'listen = ".*"', 'listen = ""', text)
        names[name] = h.instance(name)
        text = re.sub(r'(\[router\]\nname = )".*"', rf'\1"{names[name]}"', text)
        h.write(f"{name}.toml", text)
    for order in (("cgnat", "cgnat-home"), ("cgnat-home", "cgnat")):
        for name in order:
            answer = h.run("run", "--daemon", str(h.folder / f"{name}.toml"))
            h.check(f"{name}: starts", answer.returncode == 0, answer)
        h.web_server("internet", "203.0.113.2", 80, "through both")
        page = h.curl("http://203.0.113.2/", netns="pc")
        h.check("a page comes through both routers, translated twice", page.stdout == "through both\n203.0.113.1", page)
        entries = {name: h.run("--control", names[name], "conntrack", "-L", "-p", "tcp").stdout for name in names}
        h.check("the one at home knows the pc", "src=10.0.1.2" in entries["cgnat-home"] and "dst=10.64.0.2" in entries["cgnat-home"], entries)
        h.check("the carrier's knows the one at home", "src=10.64.0.2" in entries["cgnat"] and "dst=203.0.113.1" in entries["cgnat"], entries)
        h.check("both stop", all(h.run("--control", names[name], "stop").returncode == 0 for name in order))
        h.stack.close()
        h.check("and nothing is left", not h.leftovers(), h.leftovers())


if __name__ == "__main__":
    sys.exit(harness.main(test))
