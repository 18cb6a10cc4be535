#!/usr/bin/env python3
"""The commands against their user's mistakes, and what is said of packets that a burst loses.

    command_test.py NSROUTER
"""
import pathlib
import signal
import subprocess
import sys
import time

import harness

CONFIGS = pathlib.Path(__file__).resolve().parents[2] / "configs"


def test(h):
    text = h.adapt((CONFIGS / "minimal-nat.toml").read_text())
    h.start(h.write("router.toml", text))
    words(h)
    sysctl(h)
    sysctl_files(h)
    no_room(h)
    busy_device(h, text)
    bursts(h)
    h.stop()


def words(h):
    answer = h.cli("rules", "lst")
    h.check("rules lst: what was meant, and what there is", answer.returncode == 2 and 'unknown command "rules lst"; did you mean "list"?; known: save, restore, list, flush' in answer.stderr, answer)
    answer = h.cli("module", "bogus")
    h.check("module bogus", answer.returncode == 2 and 'unknown command "module bogus"; known: list, load, unload' in answer.stderr, answer)
    answer = h.cli("rules")
    h.check("rules alone", answer.returncode == 2 and "rules needs one of save, restore, list, flush" in answer.stderr, answer)
    answer = h.cli("rules", "--help")
    h.check("rules --help is none", answer.returncode == 0 and "flush" in answer.stdout, answer)
    for given in (["status", "--colour"], ["run"], ["status", "--wait", "soon"]):
        answer = h.cli(*given)
        h.check(f"{given}: who complains says so", answer.returncode == 2 and answer.stderr.startswith("nsrouter: "), answer)


def sysctl(h):
    both = subprocess.run([h.program, "--control", h.instance(), "sysctl", "net.ipv4.ip_forward", "net.nope", "net.ipv4.ip_default_ttl"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    lines = both.stdout.splitlines()
    h.check("values and errors come in the order of the names", both.returncode == 1 and len(lines) == 3 and lines[0].startswith("net.ipv4.ip_forward =")
            and "net/nope" in lines[1] and lines[2].startswith("net.ipv4.ip_default_ttl ="), both)
    answer = h.cli("sysctl", "-b", "net.ipv4.ip_forward", "net.ipv4.ip_default_ttl")
    h.check("-b writes values and nothing else", answer.stdout == "164", answer)
    answer = h.cli("sysctl", "-a", "-r", "ip_(forward|default_ttl)$")
    h.check("-r selects by a pattern", answer.stdout == "net.ipv4.ip_default_ttl = 64\nnet.ipv4.ip_forward = 1\n", answer)
    answer = h.cli("sysctl", "-a", "-r", "(")
    h.check("a wrong pattern is said to be one", answer.returncode == 1 and "Unmatched (" in answer.stderr, answer)
    answer = h.cli("sysctl", "-V")
    h.check("-V", answer.returncode == 0 and answer.stdout.startswith("sysctl from nsrouter "), answer)
    whole = h.cli("sysctl", "net.netfilter")
    dot, dots = h.cli("sysctl", "net.netfilter."), h.cli("sysctl", "net..netfilter")
    h.check("a dot at the end does no harm", "nf_conntrack_max = " in dot.stdout and dot.stdout.count("\n") == whole.stdout.count("\n"), dot)
    for words_ in (["-w", "net.ipv4.ip_default_ttl", "=", "65"], ["net.ipv4.ip_default_ttl", "=65"]):
        answer = h.cli("sysctl", *words_)
        h.check(f"{words_}: one line says how to write it",
                answer.returncode == 1 and answer.stderr == 'sysctl: a setting is one word, without blanks around "=": net.ipv4.ip_default_ttl=65\n', answer)
    answer = h.cli("sysctl", "-w", "=65")
    h.check("a setting without a name", answer.returncode == 1 and answer.stderr == 'sysctl: "=65" must be of the form name=value: there is no name\n', answer)
    for words_ in (["net.ipv4.ip_forwad"], ["-w", "net.ipv4.ip_forwad=1"]):
        answer = h.cli("sysctl", *words_)
        h.check(f"{words_}: what was meant", answer.returncode == 1 and answer.stderr.endswith('No such file or directory; did you mean "net.ipv4.ip_forward"?\n'), answer)
    h.check("a dot too many is told", dots.stdout.count("\n") == whole.stdout.count("\n") and "separators should not be repeated: net..netfilter" in dots.stderr, dots)


def sysctl_files(h):
    one = h.write("one.conf", "net.ipv4.ip_default_ttl = 65\nnet.netfilter.nf_conntrack_acct = 1\n")
    two = h.write("two.conf", "net.ipv4.ip_default_ttl = 64\n")
    answer = h.cli("sysctl", "-p", one, two)
    h.check("-p of two files", answer.returncode == 0 and answer.stdout == "net.ipv4.ip_default_ttl = 65\nnet.netfilter.nf_conntrack_acct = 1\nnet.ipv4.ip_default_ttl = 64\n", answer)
    h.check("--load=FILE", h.cli("sysctl", f"--load={two}").stdout == "net.ipv4.ip_default_ttl = 64\n")
    h.check("-pFILE -pFILE", h.cli("sysctl", f"-p{two}", f"-p{two}").stdout.count("\n") == 2)
    h.check("-p with -r", h.cli("sysctl", "-r", "acct", "-p", one).stdout == "net.netfilter.nf_conntrack_acct = 1\n")
    answer = h.cli("sysctl", "-p", str(h.folder), two)
    h.check("-p of a folder names it, and goes on", answer.returncode == 1 and f'sysctl: cannot open "{h.folder}": Is a directory' in answer.stderr and "ttl = 64" in answer.stdout, answer)
    answer = h.run("--control", h.instance(), "sysctl", "-p", "-", input="net.ipv4.ip_default_ttl=64\n")
    h.check("-p -", answer.stdout == "net.ipv4.ip_default_ttl = 64\n", answer)
    bare, named = h.cli("sysctl", "-e", "-p"), h.cli("sysctl", "-e", "-p", "/etc/sysctl.conf")
    h.check("-p without a file reads /etc/sysctl.conf", (bare.returncode, bare.stdout, bare.stderr) == (named.returncode, named.stdout, named.stderr), (bare, named))
    answer = h.cli("sysctl", "--system", "-e")
    h.check("--system says what it reads", answer.stdout == "" or answer.stdout.startswith("* Applying /"), answer)


def no_room(h):
    for words_ in (["sysctl", "-a"], ["rules", "save"], ["status"]):
        with open("/dev/full", "w", encoding="ascii") as full:
            answer = subprocess.run([h.program, "--control", h.instance(), *words_], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        h.check(f"{' '.join(words_)} that finds no room", answer.returncode == 1 and "standard output: No space left on device" in answer.stderr, answer)


def busy_device(h, text):
    other = text.replace(f'name = "{h.instance()}"', f'name = "{h.instance("other")}"').replace(f"127.0.0.1:{h.port}", "")
    answer = h.run("run", h.write("other.toml", other))
    h.check("a device that another router has: which, where and who", answer.returncode == 1
            and f"TUN device lan in namespace {h.netns('inside')}: the router '{h.instance()}' has it open" in answer.stderr, answer)


def bursts(h):
    link = subprocess.run(["ip", "-n", h.netns("inside"), "link", "show", "lan"], capture_output=True, text=True).stdout
    h.check("the queue of a device of ours is long", "qlen 4096" in link, link)
    counters = {i["name"]: i["counters"] for i in h.status()["interfaces"]}
    h.check("nothing was lost in it", counters["lan"]["queue_dropped"] == 0, counters)
    # The router stands still for as long as the namespace sends more than the queue holds.
    sender = h.udp("inside", "10.0.1.2")
    h.router.send_signal(signal.SIGSTOP)
    for _ in range(4096 + 500):
        sender.sendto(b"x", ("192.0.2.2", 9))
    h.router.send_signal(signal.SIGCONT)
    deadline = time.monotonic() + 10
    lost = 0
    while lost == 0 and time.monotonic() < deadline:
        lost = next(i["counters"]["queue_dropped"] for i in h.status()["interfaces"] if i["name"] == "lan")
    h.check("what a burst loses is told", 400 <= lost <= 500, lost)


if __name__ == "__main__":
    sys.exit(harness.main(test))
