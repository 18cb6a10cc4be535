#!/usr/bin/env python3
"""Sysctls beside a kernel's own: the same writes in a namespace with links of the same names, and sysctl(8) beside `nsrouter sysctl`.

    sysctl_test.py NSROUTER
"""
import fcntl
import os
import re
import struct
import subprocess
import sys

import harness

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
V4, V6 = "net.ipv4.conf", "net.ipv6.conf"
# What is written, one after the other, and what is looked at behind each: `bare` has no IPv4 address.
WRITES = [
    f"{V4}.default.rp_filter=1", f"{V4}.bare.rp_filter=0", f"{V4}.default.rp_filter=2", f"{V4}.all.rp_filter=1", f"{V4}.default.accept_local=1", f"{V4}.lan.accept_local=2",
    f"{V4}.default.log_martians=1", f"{V4}.default.send_redirects=3", f"{V4}.all.route_localnet=1",
    f"{V4}.lan.forwarding=0", "net.ipv4.ip_forward=1", "net.ipv4.ip_forward=2", f"{V4}.default.forwarding=0", f"{V4}.all.forwarding=0", f"{V4}.all.forwarding=1",
    f"{V6}.lan.forwarding=0", f"{V6}.all.forwarding=1", f"{V6}.default.forwarding=0", f"{V6}.all.forwarding=2",
    f"{V6}.default.disable_ipv6=1", f"{V6}.bare.disable_ipv6=1", f"{V6}.all.disable_ipv6=0", f"{V6}.all.disable_ipv6=1", f"{V6}.lan.disable_ipv6=0",
    "net.ipv4.icmp_echo_ignore_all=2", "net.ipv4.icmp_echo_ignore_broadcasts=-1", "net.ipv6.icmp.echo_ignore_all=255", "net.ipv6.icmp.echo_ignore_all=256",
    f"{V4}.lan.forwarding=2147483648", f"{V6}.lan.disable_ipv6=x"]
KEYS = ["net.ipv4.ip_forward", "net.ipv4.icmp_echo_ignore_all", "net.ipv4.icmp_echo_ignore_broadcasts", "net.ipv6.icmp.echo_ignore_all"] + [
    f"{directory}.{name}.{key}" for directory, keys in
    ((V4, ("rp_filter", "accept_local", "log_martians", "send_redirects", "route_localnet", "forwarding")), (V6, ("forwarding", "disable_ipv6")))
    for key in keys for name in ("all", "default", "lan", "bare")]
# Files of settings, and more words of the command.
FILES = {
    "a line that is no setting": ("net.ipv4.ip_default_ttl = 64\nnonsense\nnet.ipv4.ip_default_ttl = 65\nmore nonsense\n", []),
    "nothing but such a line": ("nonsense\n", []),
    "the same, -q -e": ("nonsense\nnet.nope = 3\n", ["-q", "-e"]),
    "-r and lines that fit": ("nonsense ttl\nnonsense\nnet.ipv4.ip_default_ttl = 64\nnet.ipv4.ip_forward = 1\n", ["-r", "ttl"]),
    "a key that nobody knows": ("net.nope = 3\nnet.ipv4.ip_default_ttl = 64\n", []),
    "a key that nobody knows, -e": ("net.nope = 3\nnet.ipv4.ip_default_ttl = 64\n", ["-e"]),
    "a value that cannot be": ("net.ipv4.ip_default_ttl = 0\n", []),
    "a value that cannot be, -e": ("net.ipv4.ip_default_ttl = 0\n", ["-e"]),
    "-n": ("net.ipv4.ip_default_ttl = 64\n", ["-n"]),
    "-q": ("net.ipv4.ip_default_ttl = 64\n", ["-q"]),
    "-b": ("net.ipv4.ip_default_ttl = 64\nnet.ipv4.icmp_ratelimit = 1000\n", ["-b"]),
    "comments": ("# one\n; two\n\n   \nnet/ipv4/ip_default_ttl=64\n", []),
    "a pattern": (f"{V4}.*.rp_filter = 0\n", []),
    "a pattern, and a key of its own": (f"{V4}.*.rp_filter = 0\n{V4}.lan.rp_filter = 1\n", []),
    "a pattern, and who is left out": (f"{V4}.*.rp_filter = 0\n-{V4}.lan.rp_filter\n", []),
    "-r looks at the line": (f"{V4}.*.rp_filter = 0\n{V4}.lan.rp_filter = 1\n", ["-r", "lan"]),
    "a pattern that fits nothing": (f"{V4}.*.nope = 0\n", []),
    "--dry-run": ("net.ipv4.ip_default_ttl = 99\nnet.nope = 1\n", ["--dry-run"]),
}
WORDS = [["-w", "net.ipv4.ip_default_ttl=64"], ["-q", "net.ipv4.ip_default_ttl=64"], ["-n", "net.ipv4.ip_default_ttl=64"], ["-e", "net.nope"], ["-e", "net.nope=3"],
         ["-e", "-w", "net.ipv4.ip_default_ttl=0"], ["-r", "ttl", "-a"], ["-p", "/nonexistent"], ["-e", "-p", "/nonexistent"], ["net.ipv4.ip_default_ttl=0", "net.ipv4.icmp_ratelimit"]]


def test(h):
    kernel = h.netns("kernel")
    subprocess.run(["ip", "netns", "add", kernel], check=True)
    devices = h.inside("kernel", make_links)
    h.stack.callback(lambda: [os.close(device) for device in devices])
    h.start(h.write("router.toml", h.config(h.link("lan", "inside", ["10.0.1.1/24", "fd00:1::1/64"], ["10.0.1.2/24", "fd00:1::2/64"]),
                                            h.link("bare", "outside", ["2001:db8::1/64"], ["2001:db8::2/64"], routes=()),
                                            '[sysctl]\n"net.ipv4.conf.all.send_redirects" = 1')))
    follows(h, kernel)
    tool(h, kernel)
    refused(h)
    without_ipv6(h)
    h.stop()


def make_links():
    devices = []
    for name in ("lan", "bare"):
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
        devices.append(device)
    return devices


def theirs(kernel, *words, **options):
    return subprocess.run(["ip", "netns", "exec", kernel, "sysctl", *words], capture_output=True, text=True, timeout=60, **options)


def follows(h, kernel):
    """Both begin from the router's defaults."""
    subprocess.run(["ip", "-n", kernel, "addr", "add", "10.0.1.1/24", "dev", "lan"], check=True)
    ours = h.cli("sysctl", *KEYS)
    h.check("every key is there", ours.returncode == 0 and len(ours.stdout.splitlines()) == len(KEYS), ours)
    theirs(kernel, "-q", "net.ipv4.ip_forward=1", f"{V6}.all.forwarding=1")
    for line in ours.stdout.splitlines():
        if "forwarding" not in line and "ip_forward" not in line and "rp_filter" not in line:
            theirs(kernel, "-q", line.replace(" ", ""))
    for write in WRITES:
        ours, judge = h.cli("sysctl", "-q", write), theirs(kernel, "-q", write)
        h.check(f"{write}: both take it, or both do not", ours.returncode == judge.returncode, (ours, judge))
        if "rp_filter" in write or "forward" in write or "ipv6" in write:
            watched = [key for key in KEYS if key.rpartition(".")[2] == write.partition("=")[0].rpartition(".")[2] or "forward" in key and "forward" in write and key[:8] == write[:8]]
            h.check(f"{write}: who has what then", h.cli("sysctl", *watched).stdout == theirs(kernel, *watched).stdout, (h.cli("sysctl", *watched).stdout, theirs(kernel, *watched).stdout))
    again = [f"{V6}.all.disable_ipv6=0", f"{V4}.all.rp_filter=0", f"{V4}.all.forwarding=1", f"{V6}.all.forwarding=1", "net.ipv4.icmp_echo_ignore_all=0", "net.ipv6.icmp.echo_ignore_all=0"]
    h.cli("sysctl", "-q", *again)
    theirs(kernel, "-q", *again)


def tool(h, kernel):
    for what, (text, words) in FILES.items():
        path = h.write("some.conf", text)
        compare(h, what, h.cli("sysctl", *words, "-p", path), theirs(kernel, *words, "-p", path))
    for words in WORDS:
        compare(h, " ".join(words), h.cli("sysctl", *words), theirs(kernel, *words))
    answer = h.cli("sysctl", "net.ipv4.ip_default_ttl")
    h.check("--dry-run has set nothing", answer.stdout.endswith(" = 64\n") or answer.stdout.endswith(" = 65\n"), answer)


def compare(h, what, ours, judge):
    """Ours says a range behind what cannot be, and has no `lo`."""
    said = re.sub(r" \([^\n]*\)(?=\n|$)", "", ours.stderr)
    said = re.sub(r"; did you mean [^\n]*", "", said)
    pairs = {"exit code": (ours.returncode, judge.returncode), "output": (ours.stdout, re.sub(r"net\.ipv4\.conf\.lo\..*\n", "", judge.stdout)), "errors": (said, judge.stderr)}
    for part, (a, b) in pairs.items():
        h.check(f"{what}: {part} as sysctl(8)", a == b, (a, b))


def refused(h):
    for name, why in {f"{V4}.lan.arp_ignore": "no ARP", f"{V4}.all.arp_announce": "no ARP", "net.ipv4.ip_local_port_range": "NAT takes ports from", "net.ipv4.tcp_syncookies": "no sockets",
                      "net.bridge.bridge-nf-call-iptables": "no bridge"}.items():
        for words in ([name], ["-w", f"{name}=1"]):
            answer = h.cli("sysctl", *words)
            h.check(f"{' '.join(words)}: refused with the reason", answer.returncode == 1 and why in answer.stderr and "cannot stat" in answer.stderr, answer)
    for key in ("accept_redirects", "accept_source_route"):
        h.check(f"{key} can be off", h.cli("sysctl", "-w", f"{V4}.all.{key}=0", f"{V6}.lan.{key}=0").returncode == 0)
        answer = h.cli("sysctl", "-w", f"{V4}.lan.{key}=1")
        h.check(f"{key} cannot be on", answer.returncode == 1 and "Invalid argument (0: the router follows no" in answer.stderr, answer)
    mixed = h.write("hardening.toml", h.config(h.link("lan", "inside", ["10.0.1.1/24"], ["10.0.1.2/24"]), '[sysctl]\nfile = "hardening.conf"'))
    h.write("hardening.conf", f"{V4}.all.accept_redirects = 1\n{V4}.all.arp_ignore = 1\n{V4}.all.log_martians = 1\n{V4}.default.rp_filter = 1\n")
    answer = h.run("check", mixed)
    h.check("a host's own file is only warned about", answer.returncode == 0 and "no ARP" in answer.stderr and "accept_redirects must be 0" in answer.stderr, answer)


def without_ipv6(h):
    h.check("IPv6 passes", h.ping("inside", "fd00:1::1").returncode == 0)
    h.cli("sysctl", "-q", f"{V6}.lan.disable_ipv6=1")
    quick = ["ip", "netns", "exec", h.netns("inside"), "ping", "-n", "-c", "1", "-W", "1", "fd00:1::1"]
    h.check("disable_ipv6: nobody answers", subprocess.run(quick, capture_output=True).returncode != 0)
    h.check("IPv4 goes on", h.ping("inside", "10.0.1.1").returncode == 0)
    addresses = h.cli("ip", "-6", "addr", "show", "dev", "lan").stdout
    h.check("its addresses are gone", "fd00:1::1" not in addresses, addresses)
    answer = h.cli("ip", "addr", "add", "fd00:7::1/64", "dev", "lan")
    h.check("and it takes no others", answer.returncode != 0 and "IPv6 is disabled on this device." in answer.stderr, answer)
    h.cli("sysctl", "-q", f"{V6}.lan.disable_ipv6=0")
    h.check("with 0 they are back", h.ping("inside", "fd00:1::1").returncode == 0)


if __name__ == "__main__":
    sys.exit(harness.main(test, ("ip", "ping", "sysctl")))
