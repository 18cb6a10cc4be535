#!/usr/bin/env python3
"""What passes `check` starts; and neither signals, pipes, closed descriptors nor strange files leave anything behind.

    start_test.py NSROUTER
"""
import os
import pathlib
import re
import signal
import stat
import subprocess
import sys
import time

import harness

CONFIGS = pathlib.Path(__file__).resolve().parents[2] / "configs"
SILENT = (signal.SIGUSR1, signal.SIGUSR2)
FATAL = (signal.SIGQUIT, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGIO, signal.SIGPWR, signal.SIGXCPU, signal.SIGSTKFLT, signal.SIGRTMIN, signal.SIGRTMAX)


def test(h):
    text = h.adapt((CONFIGS / "minimal-nat.toml").read_text())
    config = h.write("router.toml", text)
    check_knows_what_run_would_say(h, text)
    check_knows_who_else_is_there(h, text)
    check_knows_that_it_runs(h, text)
    signals(h, config)
    closed_descriptors(h, config)
    pipes(h, config, text)
    files(h, config)


def ip(*arguments):
    return subprocess.run(["ip", *arguments], capture_output=True, text=True, check=True).stdout


def starts(h, config):
    answer = h.run("run", "--daemon", config)
    if answer.returncode == 0:
        h.cli("stop")
    return answer


def check_knows_what_run_would_say(h, text):
    """Each of these once passed `check`, and then `run` failed."""
    inside = h.netns("inside")

    def refused(what, changed, word):
        config = h.write("case.toml", changed)
        check, run = h.run("check", config), starts(h, config)
        h.check(f"{what}: run fails", run.returncode == 1, run)
        h.check(f"{what}: check says so, with its place", check.returncode == 1 and f"{config}:" in check.stderr and word in check.stderr, check)
        h.check(f"{what}: nothing is left", not [path for path in h.leftovers() if path != f"/run/netns/{inside}"], h.leftovers())

    def fine(what, changed):
        config = h.write("case.toml", changed)
        check, run = h.run("check", config), starts(h, config)
        h.check(f"{what}: check passes, and it starts", check.returncode == 0 and run.returncode == 0, (check, run))

    host = 'host.address = ["10.0.1.2/24"]\n'
    refused("routes without an address", text.replace(host, "").replace('["default"]', '["10.9.0.0/16"]'), "not on-link")
    refused("the router's address is in no network of the namespace", text.replace(host, 'host.address = ["10.9.1.2/24"]\n'), "not on-link")
    refused("the gateway is the namespace itself", text.replace('["default"]', '[{ to = "10.9.0.0/16", via = "10.0.1.2" }]'), "own address")
    refused("a namespace with a blank", text.replace(f'"{inside}"', '"/run/netns/a b"'), "netns must be")
    refused("a namespace below another", text.replace(f'"{inside}"', f'"{inside}/x"'), "netns must be")
    refused("a path that is no namespace", text.replace(f'"{inside}"', '"/etc/passwd"'), "no network namespace")
    refused("a process that is not there", text.replace(f'"{inside}"', '"pid:4194304"'), "no network namespace")
    refused("a device twice, by two spellings of its namespace",
            text.replace(f'"{h.netns("outside")}"', f'"/run/netns/{inside}"').replace('name = "wan"', 'name = "wan"\ndevice = "lan"'), "twice in the same namespace")
    refused("an address to listen on that is not there", text.replace(f"127.0.0.1:{h.port}", "192.0.2.77:1").replace("[control]", '[control]\ntoken = "0123456789abcdef"'), "192.0.2.77")
    pathlib.Path(f"/run/netns/{inside}").touch()
    refused("a name without a namespace", text, "without a namespace")
    os.unlink(f"/run/netns/{inside}")
    ip("netns", "add", inside)
    ip("-n", inside, "link", "add", "lan", "type", "veth", "peer", "name", "end")
    refused("a veth of the device's name", text, "no TUN device")
    ip("-n", inside, "link", "del", "lan")
    ip("-n", inside, "tuntap", "add", "lan", "mode", "tun", "vnet_hdr")
    for words in (("address", "add", "10.0.1.7/24", "dev", "lan"), ("link", "set", "lan", "up"), ("route", "add", "default", "via", "10.0.1.1")):
        ip("-n", inside, *words)
    refused("a route that is there", text, "has a route to 0.0.0.0/0")
    ip("netns", "del", inside)
    ip("netns", "add", inside)
    subprocess.run(["ip", "netns", "exec", inside, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"], check=True)
    refused("IPv6 where it is switched off", text.replace('"10.0.1.2/24"', '"10.0.1.2/24", "2001:db8:1::2/64"').replace('"10.0.1.1/24"', '"10.0.1.1/24", "2001:db8:1::1/64"'), "no IPv6")
    fine("and a namespace that was there", text)
    ip("netns", "del", inside)
    fine("an address to listen on that comes with the router",
         text.replace(f"127.0.0.1:{h.port}", "10.0.1.2:8080").replace("[control]", f'[control]\ntoken = "0123456789abcdef"\nnetns = "{inside}"'))
    fine("the first and the last address of a network", text.replace("10.0.1.2/24", "10.0.1.255/24").replace("192.0.2.2/24", "192.0.2.0/24"))
    fine("the largest and the least MTU", text.replace('name = "lan"', 'name = "lan"\nmtu = 65535').replace('name = "wan"', 'name = "wan"\nmtu = 68'))
    fine("names as long as they may be", text.replace('"lan"', '"l23456789012345"'))


def check_knows_who_else_is_there(h, text):
    other = text.replace(f'name = "{h.instance()}"', f'name = "{h.instance("other")}"')
    elsewhere = other.replace(h.netns("inside"), h.netns("third")).replace(h.netns("outside"), h.netns("fourth"))
    without_port = re.sub("listen = .*", 'listen = ""', elsewhere)
    taken = h.folder / "taken"
    taken.write_text("precious")

    def refused(what, changed, word):
        config = h.write("case.toml", changed)
        check, run = h.run("check", config), h.run("run", config)
        h.check(f"{what}: neither check nor run", check.returncode == 1 and word in check.stderr and run.returncode == 1 and word in run.stderr, (check, run))

    h.start(h.write("router.toml", text))
    refused("a device that another router has open", re.sub("listen = .*", 'listen = ""', other), f"the router '{h.instance()}' has it open")
    refused("a port that is in use", elsewhere, "in use")
    answer = h.run("run", str(h.folder / "case.toml"))
    line = next(i for i, row in enumerate(elsewhere.splitlines(), 1) if row.startswith("listen"))
    h.check("run says where that port is asked for", f"case.toml:{line}:10: listen on 127.0.0.1:{h.port}: " in answer.stderr, answer)
    refused("a file in the place of the socket", without_port.replace("[control]", f'[control]\nunix = "{taken}"'), "no socket; it stays")
    refused("a socket in a folder that is not there", without_port.replace("[control]", f'[control]\nunix = "{h.folder}/none/socket"'), f"{h.folder}/none/socket")
    h.check("and the file is as it was", taken.read_text() == "precious")
    h.stop()


def check_knows_that_it_runs(h, text):
    for what, changed in (("as always", text), ("with a socket of its own", text.replace("[control]", f'[control]\nunix = "{h.folder}/own"')),
                          ("without a socket", text.replace("[control]", '[control]\nunix = ""'))):
        config = h.write("case.toml", changed)
        start = h.run("run", "--daemon", config)
        check = h.run("check", config)
        h.check(f"check of a router that runs {what} looks at the file alone, and says so", start.returncode == 0 and check.returncode == 0 and "is running" in check.stderr, (start, check))
        os.kill(int(pathlib.Path(f"/run/nsrouter/{h.instance()}.pid").read_text()), signal.SIGTERM)
        deadline = time.monotonic() + 10
        while h.leftovers() and time.monotonic() < deadline:
            time.sleep(0.05)
        h.check("and it goes", not h.leftovers(), h.leftovers())


def signals(h, config):
    h.start(config)
    for number in SILENT:
        h.router.send_signal(number)
        log = h.follow_log(f"{number.name} means nothing", 1)
        h.check(f"{number.name} does nothing, and is in the log", f"{number.name} means nothing here" in log, log)
    h.check("packets still flow", h.ping("inside", "192.0.2.2").returncode == 0)
    h.stop()
    for number in FATAL:
        h.start(config)
        h.check(f"signal {int(number)} ends it, and nothing is left", h.stop(number) == 0 and not h.leftovers(), h.leftovers())


def closed_descriptors(h, config):
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        answer = subprocess.run(["sh", "-c", f'exec "$0" run --daemon "$1" {closed}', h.program, config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        flows = h.ping("inside", "192.0.2.2").returncode == 0
        h.check(f"started with {closed} it works", answer.returncode == 0 and flows and h.cli("stop").returncode == 0 and not h.leftovers(), (answer, flows, h.leftovers()))
    answer = subprocess.run(["sh", "-c", 'exec "$0" check "$1" >&-', h.program, config], capture_output=True, text=True)
    h.check("a command that cannot print fails", answer.returncode == 1 and "standard output" in answer.stderr, answer)


def pipes(h, config, text):
    answer = subprocess.run(["bash", "-c", f'"{h.program}" check <(cat "{config}")'], capture_output=True, text=True)
    h.check("a configuration may come through a pipe", answer.returncode == 0, answer)
    answer = subprocess.run([h.program, "check", "/dev/stdin"], input=text, capture_output=True, text=True)
    h.check("or from standard input", answer.returncode == 0, answer)
    fifo = str(h.folder / "fifo")
    os.mkfifo(fifo)
    for what, given in (("configuration", fifo), ("rules", h.write("rules.toml", text.partition("[[rules")[0] + f'[rules]\nipv4 = "{fifo}"\n')),
                        ("sysctl file", h.write("sysctl.toml", text + f'[sysctl]\nfile = "{fifo}"\n')), ("directory", str(h.folder)), ("disk", "/dev/null")):
        answer = h.run("check", given)
        expected = {"directory": "Is a directory", "disk": "interface"}.get(what, "nobody writes to it")
        h.check(f"a {what} that is no file is refused, not waited for", answer.returncode == 1 and expected in answer.stderr, answer)


def files(h, config):
    h.start(config)
    modes = {path: stat.S_IMODE(os.stat(f"/run/nsrouter/{h.instance()}{path}").st_mode) for path in (".pid", ".state", ".sock")}
    h.check("the files of a running router are its owner's alone, but the socket", modes == {".pid": 0o600, ".state": 0o600, ".sock": 0o666}, modes)
    h.stop()
    precious = pathlib.Path(h.write("precious", "precious"))
    for suffix in (".pid", ".state"):
        link = pathlib.Path(f"/run/nsrouter/{h.instance()}{suffix}")
        link.symlink_to(precious)
        answer = starts(h, config)
        h.check(f"a link in the place of {suffix} is not followed", precious.read_text() == "precious" and (answer.returncode == 1) == (suffix == ".pid"), answer)
        link.unlink(missing_ok=True)
    for word, port in (("127.0.0.1:99999", "65535"), ("127.0.0.1:0", "65535"), ("127.0.0.1:http", "HOST:PORT")):
        answer = h.run("--control", word, "status")
        h.check(f"--control {word} is refused with what is right", answer.returncode == 1 and port in answer.stderr, answer)
    for words in (("--control", "", "status"), ("status", "--control="), ("conntrack", "-C", "--control", ""), ("conntrack", "-C", "--control")):
        answer = h.run(*words)
        h.check(f"{words}: no name is not the only router there is", answer.returncode in (1, 2) and "--control" in answer.stderr and "choose" not in answer.stderr, answer)


if __name__ == "__main__":
    sys.exit(harness.main(test))
