#!/usr/bin/env python3
"""What an instance does to the machine: nothing half-applied, nothing left behind, whatever ends it.

    lifecycle_test.py NSROUTER
"""
import os
import pathlib
import signal
import socket
import subprocess
import sys

import harness

CONFIGS = pathlib.Path(__file__).resolve().parents[2] / "configs"


def test(h):
    text = h.adapt((CONFIGS / "minimal-nat.toml").read_text())
    config = h.write("router.toml", text)
    refused_configurations(h, text)
    second_instance(h, config)
    killed_and_restarted(h, config)
    daemon(h, config)
    what_was_there_before(h, config)
    reload(h, config, text)
    socket_path(h, text)
    shared_namespace(h, text)
    wildcard_listener(h, text)
    administered(h, config, text)
    for name in ("minimal-nat.toml", "port-forward.toml", "stateful-firewall.toml"):
        example(h, name)


def ip(*arguments):
    return subprocess.run(["ip", *arguments], capture_output=True, text=True)


def refused_configurations(h, text):
    bad = h.write("bad.toml", text.replace("jump =", "jmup ="))
    answer = h.run("run", bad)
    h.check("a bad configuration is refused with file, line and column", answer.returncode == 1 and f"{bad}:" in answer.stderr and "jmup" in answer.stderr, answer)
    h.check("and leaves nothing", not h.leftovers(), h.leftovers())
    # The kernel refuses the second device only after the first link is up.
    clash = h.write("clash.toml", text.replace(f'"{h.netns("outside")}"', f'"{h.netns("inside")}"').replace('name = "wan"', 'name = "wan"\ndevice = "lo"'))
    answer = h.run("run", clash)
    h.check("a failure half way says what it tried", answer.returncode == 1 and "TUN device lo" in answer.stderr, answer)
    h.check("and takes back what was done", not h.leftovers(), h.leftovers())
    taken = h.write("taken.toml", text.replace(f"127.0.0.1:{h.port}", "192.0.2.77:1") .replace("[control]", '[control]\ntoken = "0123456789abcdef"'))
    answer = h.run("run", taken)
    h.check("so does an address that cannot be listened on", answer.returncode == 1 and "192.0.2.77" in answer.stderr and not h.leftovers(), (answer, h.leftovers()))


def second_instance(h, config):
    h.start(config)
    answer = h.run("run", config)
    h.check("a second instance of the same name is refused, naming the first", answer.returncode == 1 and str(h.router.pid) in answer.stderr, answer)
    h.check("and the first goes on", h.ping("inside", "192.0.2.2").returncode == 0)
    h.check("SIGINT ends it, too", h.stop(signal.SIGINT) == 0 and not h.leftovers(), h.leftovers())


def killed_and_restarted(h, config):
    h.start(config)
    h.stop(signal.SIGKILL)
    alone = h.run("status")
    running = alone.stderr.partition("choose one with")[2]  # empty unless other routers run on this machine
    h.check("a killed router does not count as running", h.instance() not in running and h.instance() not in alone.stdout, alone)
    answer = h.cli("stop")
    h.check("stop says that it was killed, and cleans up", answer.returncode == 0 and "was killed" in answer.stderr and h.netns("inside") in answer.stderr, answer)
    h.check("nothing is left of it", not h.leftovers(), h.leftovers())
    h.check("a second stop finds nothing", h.cli("stop").returncode == 1)
    h.start(config)
    h.stop(signal.SIGKILL)
    h.check("after kill -9 its namespaces are still there", os.path.exists(f"/run/netns/{h.netns('inside')}"))
    h.check("but not its devices", "lan" not in ip("-n", h.netns("inside"), "link").stdout, ip("-n", h.netns("inside"), "link").stdout)
    h.start(config)
    h.check("it starts again over what was left", h.ping("inside", "192.0.2.2").returncode == 0)
    answer = h.cli("stop")
    h.check("stop waits until all is gone", answer.returncode == 0 and not h.leftovers(), (answer, h.leftovers()))
    h.check("and the process ends well", h.router.wait(20) == 0)
    h.router = None


def daemon(h, config):
    read, write = os.pipe()
    os.set_inheritable(write, True)
    answer = h.run("run", "--daemon", config, pass_fds=(write,))
    os.close(write)
    os.set_blocking(read, False)
    h.check("the daemon holds nothing that its caller had open", os.read(read, 1) == b"")
    os.close(read)
    h.check("run --daemon returns when it is ready", answer.returncode == 0 and h.cli("status").returncode == 0, answer)
    h.check("and packets flow", h.ping("inside", "192.0.2.2").returncode == 0)
    answer = h.run("run", "--daemon", config)
    h.check("run --daemon of a running instance fails", answer.returncode == 1 and "running already" in answer.stderr, answer)
    good = pathlib.Path(config).read_text()
    pathlib.Path(config).write_text(good.replace("MASQUERADE", "MASKERADE"))
    pid = int(pathlib.Path(f"/run/nsrouter/{h.instance()}.pid").read_text())
    os.kill(pid, signal.SIGHUP)
    log = h.follow_log("reload refused", 1)
    h.check("a reload by signal that is refused is in the log, with its place", "router.toml:" in log and "MASKERADE" in log, log)
    pathlib.Path(config).write_text(good)
    h.check("the daemon stops", h.cli("stop").returncode == 0 and not h.leftovers(), h.leftovers())
    h.check("commands without a router say so", h.cli("status").returncode == 1 and "no router answers" in h.cli("status").stderr, h.cli("status"))


def what_was_there_before(h, config):
    netns = h.netns("inside")
    ip("netns", "add", netns)
    ip("-n", netns, "tuntap", "add", "lan", "mode", "tun", "vnet_hdr")
    ip("-n", netns, "address", "add", "10.0.1.77/32", "dev", "lan")
    before = ip("-n", netns, "-o", "address").stdout, ip("-n", netns, "route").stdout, ip("-n", netns, "-o", "link", "show", "lan").stdout.split("mtu")[0]
    h.start(config)
    h.check("a device that was there is used", h.ping("inside", "192.0.2.2").returncode == 0)
    h.stop()
    after = ip("-n", netns, "-o", "address").stdout, ip("-n", netns, "route").stdout, ip("-n", netns, "-o", "link", "show", "lan").stdout.split("mtu")[0]
    h.check("and is left as it was found", [state(x) for x in before] == [state(x) for x in after], (before, after))
    h.check("with its namespace", os.path.exists(f"/run/netns/{netns}") and not os.path.exists(f"/run/netns/{h.netns('outside')}"), h.leftovers())
    ip("netns", "del", netns)


def state(text):
    """Without lifetimes and the traces of having been up."""
    return [word for word in text.replace("NO-CARRIER,", "").split() if word not in ("linkdown",)]


def reload(h, config, text):
    h.start(config)
    client, server = h.udp("inside", "10.0.1.2", 4000), h.udp("outside", "192.0.2.2", 5000)
    client.sendto(b"x", ("192.0.2.2", 5000))
    h.check("before the reload packets are masqueraded", server.recvfrom(10)[1][0] == "192.0.2.1")
    h.write("router.toml", text.replace("MASQUERADE", "MASKERADE"))
    answer = h.cli("reload")
    h.check("a bad reload is refused with its place", answer.returncode == 1 and "router.toml:" in answer.stderr, answer)
    client.sendto(b"x", ("192.0.2.2", 5000))
    h.check("and the old rules stay", server.recvfrom(10)[1][0] == "192.0.2.1")
    h.write("router.toml", text + '\n[sysctl]\n"net.netfilter.nf_conntrack_max" = 4242\n')
    answer = h.cli("reload")
    h.check("a good reload sets what the file names", answer.returncode == 0 and h.get("/proc/sys/net/nf_conntrack_max") == "4242\n", answer)
    h.check("and keeps connections", "sport=4000" in h.get("/proc/net/nf_conntrack"), h.get("/proc/net/nf_conntrack"))
    h.write("router.toml", text.replace("10.0.1.2/24", "10.0.1.3/24"))
    answer = h.cli("reload")
    h.check("a reload that changes a link changes it", answer.returncode == 0 and "interface lan has changed" in answer.stdout and "10.0.1.3" in ip("-n", h.netns("inside"), "address").stdout, answer)
    h.write("router.toml", text)
    h.check("and back", h.cli("reload").returncode == 0 and "10.0.1.2" in ip("-n", h.netns("inside"), "address").stdout)
    h.write("router.toml", text.replace("[control]", '[control]\ntoken = "0123456789abcdef"'))
    answer = h.cli("reload")
    h.check("a reload that would change [control] is refused", answer.returncode == 1 and "[control] cannot change" in answer.stderr, answer)
    thresholds = '\n[sysctl]\n"net.ipv4.ipfrag_high_thresh" = 2000\n"net.ipv4.ipfrag_low_thresh" = 1000\n'
    h.write("router.toml", text + thresholds)
    answer = h.cli("reload")
    h.check("a pair of sysctls is set in whatever order works", answer.returncode == 0 and h.get("/proc/sys/net/ipv4/ipfrag_high_thresh") == "2000\n", answer)
    h.write("router.toml", text + '\n[sysctl]\n"net.ipv4.ip_default_ttl" = 99\n"net.ipv4.ipfrag_low_thresh" = 3000\n')
    answer = h.cli("reload")
    h.check("a value that does not fit the live ones is refused with its place", answer.returncode == 1 and "router.toml:" in answer.stderr and "ipfrag_low_thresh" in answer.stderr, answer)
    h.check("and nothing else of the file was done", h.get("/proc/sys/net/ipv4/ip_default_ttl") == "64\n")
    h.put("/proc/sys/net/ipv4/ipfrag_high_thresh", "4194304")
    routed = text + '\n[[route]]\nto = "203.0.113.0/24"\nvia = "192.0.2.2"\n'
    h.cli("ip", "link", "set", "wan", "down")
    h.write("router.toml", routed + '[sysctl]\n"net.ipv4.ip_default_ttl" = 99\n')
    answer = h.cli("reload")
    h.check("a route through a link that is down is refused with its place", answer.returncode == 1 and "router.toml:" in answer.stderr and "203.0.113.0/24" in answer.stderr, answer)
    h.check("and again nothing else was done", h.get("/proc/sys/net/ipv4/ip_default_ttl") == "64\n")
    h.cli("ip", "link", "set", "wan", "up")
    h.write("router.toml", routed)
    answer = h.cli("reload")
    h.check("with the link up it is set", answer.returncode == 0 and "203.0.113.0/24 via 192.0.2.2" in h.cli("ip", "route").stdout, answer)
    h.write("router.toml", text)
    h.router.send_signal(signal.SIGHUP)
    h.check("SIGHUP reloads", h.follow_log("configuration reloaded", 6).count("configuration reloaded") == 6, h.cli("dmesg").stdout)
    h.stop()


def socket_path(h, text):
    """Only a socket that nobody serves is in nobody's way."""
    path = h.folder / "control.sock"
    config = h.write("router.toml", text.replace("[control]", f'[control]\nunix = "{path}"'))
    path.write_text("precious")
    answer = h.run("run", config)
    h.check("a file where the socket should be is refused by name", answer.returncode == 1 and str(path) in answer.stderr and "no socket" in answer.stderr, answer)
    h.check("and stays, as the only thing", path.read_text() == "precious" and not h.leftovers(), h.leftovers())
    path.unlink()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        answer = h.run("run", config)
        h.check("so is a socket that somebody serves", answer.returncode == 1 and "in use" in answer.stderr and path.is_socket(), answer)
    h.start(config, ready=False)
    h.check("a socket that nobody serves is replaced", h.run("--control", str(path), "status", "--wait", "20").returncode == 0)
    path.unlink()
    path.write_text("somebody else's")
    h.check("what has come in its place stays at the end", h.stop() == 0 and path.read_text() == "somebody else's")


def shared_namespace(h, text):
    """Two routers, one namespace: the one that made it goes first."""
    h.start(h.write("router.toml", text))
    ip("-n", h.netns("inside"), "link", "add", "other", "type", "veth", "peer", "name", "end")
    errors = h.folder / "log"
    h.check("a router whose namespace others use stops well", h.stop() == 0)
    h.check("and leaves it to them", os.path.exists(f"/run/netns/{h.netns('inside')}") and not os.path.exists(f"/run/netns/{h.netns('outside')}"), h.leftovers())
    h.check("saying so", "stays: it holds devices of others: " in errors.read_text(), errors.read_text())
    state = ip("-n", h.netns("inside"), "-o", "link", "show", "lo").stdout
    h.check("lo stays up in it", "LOOPBACK,UP" in state, state)
    ip("netns", "del", h.netns("inside"))


def wildcard_listener(h, text):
    token = "0123456789abcdef"
    h.start(h.write("router.toml", text.replace(f"127.0.0.1:{h.port}", f"0.0.0.0:{h.port}").replace("[control]", f'[control]\ntoken = "{token}"')))
    def ask(host, scheme="Bearer"):
        return h.curl("-o", "/dev/null", "-w", "%{http_code}", "-H", f"Authorization: {scheme} {token}", "-H", f"Host: {host}", f"http://127.0.0.2:{h.port}/status").stdout
    h.check("behind a wildcard, Host may be the address that was reached", ask(f"127.0.0.2:{h.port}") == "200")
    h.check("but no other", ask("evil.example") == "403" and ask("192.0.2.7") == "403")
    h.check("the scheme of the token may be in any case", ask("localhost", "bearer") == "200")
    h.stop()


def administered(h, config, text):
    """`nsrouter ip`: the router and the device in the namespace change together, and both are undone at the end."""
    h.write("router.toml", text)
    outside = h.netns("outside")
    h.start(config)
    ip("-n", outside, "address", "add", "203.0.113.9/32", "dev", "wan")
    h.check("ip route add: unreachable before", h.ping("inside", "203.0.113.9").returncode != 0)
    h.check("reachable after", h.cli("ip", "route", "add", "203.0.113.0/24", "via", "192.0.2.2").returncode == 0 and h.ping("inside", "203.0.113.9").returncode == 0)
    answer = h.cli("ip", "route", "add", "203.0.113.0/24", "via", "192.0.2.2")
    h.check("a second time it exists", answer.returncode == 1 and "File exists" in answer.stderr, answer)
    h.check("a wrong word is wrong usage", h.cli("ip", "route", "frob").returncode == 2)
    h.check("ip link set mtu and down", h.cli("ip", "link", "set", "wan", "mtu", "1400", "down").returncode == 0)
    device = ip("-n", outside, "link", "show", "wan").stdout
    h.check("the namespace sees both", "mtu 1400" in device and "NO-CARRIER" in device, device)
    h.check("and the inside is told", h.ping("inside", "192.0.2.2").returncode != 0)
    h.check("up again it forwards", h.cli("ip", "link", "set", "wan", "up").returncode == 0 and h.ping("inside", "192.0.2.2").returncode == 0)
    h.stop()


def example(h, name):
    config = h.write("router.toml", h.adapt((CONFIGS / name).read_text()))
    h.start(config)
    target = "203.0.113.2" if name == "stateful-firewall.toml" else "192.0.2.2"
    h.check(f"{name}: the inside reaches the outside", h.ping("inside", target).returncode == 0)
    if name == "port-forward.toml":
        h.web_server("inside", "10.0.1.2", 80, "published")
        for netns in ("outside", "inside"):
            page = h.curl("http://192.0.2.1:8080/", netns=netns)
            h.check(f"{name}: the published port works from the {netns}", page.stdout.startswith("published"), page)
    if name == "stateful-firewall.toml":
        refused = h.curl("http://198.51.100.2/", netns="outside")
        h.check(f"{name}: the outside is refused at once", refused.returncode == 7, refused)
        h.check(f"{name}: the router answers ping of both families", all(h.ping("outside", a).returncode == 0 for a in ("203.0.113.1", "2001:db8:3::1")))
    h.stop()


if __name__ == "__main__":
    sys.exit(harness.main(test))
