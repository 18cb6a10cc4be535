#!/usr/bin/env python3
"""What has passed already, captures in rotating files, and the bundle: what a router was, opened elsewhere.

    bundle_test.py NSROUTER
"""
import contextlib
import json
import os
import pathlib
import re
import resource
import shutil
import socket
import stat
import subprocess
import sys
import tarfile

import harness

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "live"))
import pcapng

SERVER = "192.0.2.2"
TOKEN = "correct-horse-battery"
V4 = """*nat
-A POSTROUTING -o wan -j MASQUERADE
COMMIT
*filter
:FORWARD DROP [0:0]
-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A FORWARD -p tcp -m tcp --dport 80 -m set --match-set clients src -m comment --comment "alice's printer" -j ACCEPT
-A FORWARD -p udp -m udp --dport 53 -j ACCEPT
-A FORWARD -p udp -m udp --dport 9 -j DROP
-A FORWARD -m iprange --dst-range 198.51.100.3-198.51.100.9 -j ACCEPT
COMMIT
"""
SETS = "create clients hash:ip\nadd clients 10.0.1.2\n"
MORE = """
[rules]
ipv4 = "rules.v4"
ipset = "sets.ipset"
[sysctl]
file = "sysctl.conf"
[[route]]
to = "198.51.100.0/24"
via = "192.0.2.2"
"""
PACKETS = (
    "tcp {client}:40000 > {server}:80 S in lan",
    "tcp {server}:80 > {wan}:{port} . in wan",
    "udp {client}:1 > {server}:9 in lan",
    "udp {client}:1 > {server}:53 in lan",
    "icmp {client} > {gateway} in lan",
    "tcp {stranger}:1 > {client}:22 S in wan",
    "udp {client}:1 > {ranged}:7 in lan",
)


def config(h, ring="1 MiB"):
    text = h.inside_outside(MORE)
    text = text.replace("[router]\n", f'[router]\noffload = "off"\ncapture_ring = "{ring}"  # alice wanted it\n', 1)
    return h.write("router.toml", text.replace("[control]\n", f'[control]\ntoken = "{TOKEN}"\n', 1))


def test(h):
    h.write("rules.v4", V4)
    h.write("sets.ipset", SETS)
    h.write("sysctl.conf", "net.ipv4.ip_default_ttl = 77\n")
    h.start(config(h))
    h.web_server("outside", SERVER, 80, "hello")
    h.client = h.udp("inside", "10.0.1.2", 4000)
    h.server = h.udp("outside", SERVER, 53)
    traffic(h)
    since(h)
    rotation(h)
    whole = bundle(h)
    explained(h, whole)
    why(h, whole)
    replayed(h, whole)
    anonymous(h, whole)
    refused(h)
    off(h)
    h.check("the router still runs, and stops", h.stop() == 0)
    log = (h.folder / "log").read_text()
    h.check("it made no call that it may not make", "seccomp" not in log, log)


def traffic(h):
    sock = h.inside("inside", lambda: socket.create_connection((SERVER, 80), timeout=5))
    h.stack.callback(sock.close)
    query(h)
    h.client.sendto(b"x" * 400, (SERVER, 9))
    h.check("a round trip behind them", h.ping("inside", "10.0.1.1").returncode == 0)


def query(h):
    h.client.sendto(b"x", (SERVER, 53))
    h.server.recvfrom(100)


# --- what has passed ---
def since(h):
    file = h.folder / "since.pcapng"
    answer = h.cli("capture", "-w", str(file), "--since", "5m")
    h.check("capture --since writes what there is, and ends", answer.returncode == 0, answer)
    data = file.read_bytes()
    for comment in (b" in; left by wan; state NEW; source 10.0.1.2:4000 -> 192.0.2.1:4000", b" out; left by wan; state NEW", b" in; dropped: rule_drop at FORWARD filter; state NEW; rule ",
                    b"--dport 9 -j DROP", b" in; delivered; state NEW", b" because of "):
        h.check(f"since: {comment.decode()}", comment in data)
    replay = h.run("replay", str(h.folder / "router.toml"), "--in", str(file), "--filter", "udp port 53")
    h.check("our reader takes it", "2 packets in" in replay.stderr, replay)
    only = h.run("--control", h.instance(), "capture", "-w", str(file), "--since", "5m", "reason:rule_drop", "udp")
    h.check("since with a filter", only.returncode == 0 and file.read_bytes().count(b"id=") == 1, (only, file.read_bytes()))
    h.check("the beginning of a packet, and how long it was", b"\x80\x00\x00\x00\xac\x01\x00\x00" in file.read_bytes(), file.read_bytes())
    with subprocess.Popen([h.program, "--control", h.instance(), "capture", "-w", "-", "--since", "5m", "--follow", "udp port 53"], stdout=subprocess.PIPE) as child:
        got = child.stdout.read1(1 << 20)
        while got.count(b"id=") < 2:
            got += child.stdout.read1(1 << 20)
        number = max(map(int, re.findall(rb"id=(\d+) ", got)))
        query(h)
        while got.count(b"id=") < 4:
            got += child.stdout.read1(1 << 20)
        child.kill()
    later = [int(text) for text in re.findall(rb"id=(\d+) ", got)][2:]
    h.check("--follow goes on, with numbers behind those before", len(set(later)) == 1 and later[0] > number, (later, number))
    (h.folder / "two.pcapng").write_bytes(got)
    both = h.run("replay", str(h.folder / "router.toml"), "--in", str(h.folder / "two.pcapng"))
    h.check("both sections are read", "4 packets in" in both.stderr, both)
    for words, said in ((("--since", "soon"), "since is how long ago"), (("--follow",), "--follow goes with --since"), (("--since", "1m", "--follow", "-c", "1"), "leave out --follow or -c")):
        wrong = h.cli("capture", "-w", str(h.folder / "never"), *words)
        h.check(f"capture {' '.join(words)} is refused", wrong.returncode != 0 and said in wrong.stderr, wrong)


# --- files that follow each other ---
def rotation(h):
    folder = h.folder / "ring"
    folder.mkdir()
    answer = h.cli("capture", "-w", str(folder / "f"), "--since", "5m", "-C", "1k", "-W", "12")
    names = sorted(os.listdir(folder))
    h.check("-C with -W: names as tcpdump's", answer.returncode == 0 and names[0] == "f00" and len(names) > 2, (answer, names))
    packets = 0
    for name in names:
        one = h.run("replay", str(h.folder / "router.toml"), "--in", str(folder / name), "--map", "router=lan")
        there = pcapng.read(folder / name)
        h.check(f"{name} opens alone", f"{len(there)} packets in" in one.stderr and there and {interface for interface, _, _ in there} <= {"lan", "wan", "router"}, (one, there))
        packets += len(there)
        size = (folder / name).stat().st_size
        h.check(f"{name} is hardly larger than asked", size < 1024 + 600, size)
        if shutil.which("tshark"):
            shown = subprocess.run(["tshark", "-r", str(folder / name)], capture_output=True, text=True)
            h.check(f"tshark takes {name}", shown.returncode == 0 and shown.stdout, shown)
    whole = h.folder / "whole.pcapng"
    h.cli("capture", "-w", str(whole), "--since", "5m")
    h.check("no packet is lost between two files", packets == len(pcapng.read(whole)), (packets, len(pcapng.read(whole))))
    with subprocess.Popen([h.program, "--control", h.instance(), "capture", "-w", str(folder / "%s.pcapng"), "-G", "1", "-W", "2", "udp port 53"]) as child:
        while child.poll() is None:
            query(h)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(0.05)
        h.check("-G with -W ends after so many files", child.returncode == 0)
    named = [name for name in os.listdir(folder) if name.endswith(".pcapng")]
    h.check("-G names files by the time", len(named) == 2 and all(name[:-7].isdigit() for name in named), named)
    for words, said in ((("-W", "3"), "-W counts the files that -C or -G begin"), (("-G", "5"), "strftime(3)"), (("-C", "1x"), "-C takes millions of bytes"),
                        (("-G", "5", "-C", "1", "-W", "2"), "leave it out")):
        wrong = h.cli("capture", "-w", str(h.folder / "never"), *words)
        h.check(f"capture {' '.join(words)} is refused", wrong.returncode == 2 and said in wrong.stderr, wrong)
    h.check("and makes no file", not (h.folder / "never").exists())


# --- the bundle ---
def files_in(path):
    with tarfile.open(path) as archive:
        return {member.name.partition("/")[2]: archive.extractfile(member).read().decode("latin-1") for member in archive}


def bundle(h):
    path = h.folder / "bug.tar"
    query(h)
    answer = h.cli("bundle", "-o", str(path))
    h.check("bundle", answer.returncode == 0 and answer.stderr == "", answer)
    h.check("for its owner alone", stat.S_IMODE(path.stat().st_mode) == 0o600)
    written_anew(h, path)
    files = files_in(path)
    for name, part in (("config/router.toml", "[[interface]]"), ("config/rules.v4", "-A FORWARD"), ("config/sets.ipset", "add clients 10.0.1.2"), ("config/sysctl.conf", "= 77"),
                       ("rules.v4", "*filter"), ("sets.ipset", "create clients hash:ip"), ("conntrack.txt", "-A -t "), ("sysctl.conf", "net.ipv4.ip_default_ttl = 77"),
                       ("why.json", '"reason":"rule_drop"'), ("why.txt", "rule_drop"), ("capture.pcapng", "id=1 in"), ("status.json", '"version"'), ("metrics.txt", "# TYPE"),
                       ("dmesg.txt", "nf_conntrack"), ("interfaces.txt", "inet 10.0.1.1/24"), ("routes.txt", "198.51.100.0/24 via 192.0.2.2"), ("bundle.json", '"bundle":1')):
        h.check(f"the bundle has {name}", part in files.get(name, ""), files.get(name, sorted(files)))
    data = path.read_bytes()
    h.check("the token is not in it", TOKEN.encode() not in data)
    h.check("and what stands in its place says so", "left-out-of-the-bundle" in files["config/router.toml"], files["config/router.toml"])
    manifest = json.loads(files["bundle.json"])
    h.check("its manifest", manifest["missing"] == [] and manifest["instance"] == h.instance() and not manifest["anonymous"], manifest)
    listed = subprocess.run(["tar", "-tf", str(path)], capture_output=True, text=True)
    h.check("tar(1) takes it", listed.returncode == 0 and len(listed.stdout.splitlines()) == len(files), listed)
    answer = h.curl(f"http://127.0.0.1:{h.port}/config")
    h.check("GET /config has no token, either", TOKEN not in answer.stdout and "[[interface]]" in answer.stdout, answer)
    return path


def written_anew(h, path):
    """Files that were there stay until what takes their place is whole."""
    path.chmod(0o644)
    answer = h.cli("bundle", "-o", str(path))
    h.check("a bundle in the place of another one, for its owner alone", answer.returncode == 0 and stat.S_IMODE(path.stat().st_mode) == 0o600 and "bundle.json" in files_in(path), answer)
    full = os.stat("/dev/full").st_mode
    for command in (("bundle", "-o", "/dev/full"), ("ipset", "save", "-f", "/dev/full"), ("capture", "--since", "5m", "-w", "/dev/full")):
        answer = h.cli(*command)
        h.check(f"{' '.join(command)} says that there is no room", answer.returncode == 1 and answer.stderr == "nsrouter: /dev/full: No space left on device\n", answer)
    h.check("and leaves the device as it was", os.stat("/dev/full").st_mode == full)
    data, before = path.read_bytes(), sorted(os.listdir(h.folder))

    def little_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 10, 4 << 10))
    for name, there in ((path, True), (h.folder / "never", False)):
        answer = h.cli("bundle", "-o", str(name), preexec_fn=little_room)
        h.check(f"a bundle that finds no room, {name.name}", answer.returncode == 1 and answer.stderr == f"nsrouter: {name}: File too large\n" and name.exists() == there, answer)
    h.check("leaves what was there, and nothing beside it", path.read_bytes() == data and sorted(os.listdir(h.folder)) == before, os.listdir(h.folder))
    sets = h.folder / "saved.ipset"
    answer = h.cli("ipset", "save", "-f", str(sets))
    h.check("ipset save -f", answer.returncode == 0 and answer.stdout == "" and "add clients 10.0.1.2" in sets.read_text(), answer)
    saved = sets.read_text()
    for name in (sets, h.folder / "never"):
        answer = h.cli("ipset", "save", "nosuch", "-f", str(name))
        h.check(f"ipset save of no set, {name.name}", answer.returncode == 1 and "does not exist" in answer.stderr, answer)
    h.check("leaves what was there, and makes nothing", sets.read_text() == saved and not (h.folder / "never").exists())
    for name, why in ((h.folder, "Is a directory"), (h.folder / "nosuch", "No such file or directory")):
        answer = h.cli("ipset", "restore", "-f", str(name))
        h.check(f"ipset restore of what is no file: {why}", answer.returncode == 1 and answer.stderr == f"nsrouter: {name}: {why}\n", answer)
    for command in (("bundle", "-o", ""), ("ipset", "save", "-f", ""), ("capture", "-w", "")):
        answer = h.cli(*command)
        h.check(f"{' '.join(command)}, an empty name", answer.returncode == 2 and 'takes the name of a file, not ""' in answer.stderr, answer)


def places(files):
    """The addresses that packets are made of, as this bundle calls them."""
    listed = re.findall(r"inet (\S+)/24", files["interfaces.txt"])
    line = next(line for line in files["conntrack.txt"].splitlines() if " --dport 53" in line or "--orig-port-dst 53" in line)
    client = re.search(r" -s (\S+)", line)[1]
    server = re.search(r" -d (\S+)", line)[1]
    ranged = re.search(r"--dst-range ([0-9.]+)-", files["rules.v4"])[1]
    web = next(line for line in files["conntrack.txt"].splitlines() if re.search(r"port-dst 80\b|--dport 80\b", line))
    return {"client": client, "server": server, "gateway": listed[0], "wan": listed[1], "stranger": server, "ranged": ranged, "port": re.search(r"--(?:orig-port-src|sport) (\d+)", web)[1]}


def verdicts(run, names):
    told = []
    for packet in PACKETS:
        answer = run("explain", "-j", packet.format(**names))
        lines = [json.loads(line) for line in answer.stdout.splitlines()]
        told.append([(line["verdict"], line.get("reason"), [step["state"] for step in line["steps"] if step["what"] == "tracked"], [step.get("chain") for step in line["steps"] if step["what"] == "rule"]) for line in lines] or answer)
    return told


def explained(h, path):
    names = places(files_in(path))
    live = verdicts(h.cli, names)
    elsewhere = verdicts(lambda *words: h.run(words[0], "--bundle", str(path), *words[1:]), names)
    for packet, here, there in zip(PACKETS, live, elsewhere):
        h.check(f"explain --bundle says of {packet} what the router says", here == there and isinstance(there, list), (here, there))
    h.check("they are not all the same", len({str(each) for each in live}) > 3, live)
    quiet = h.run("explain", "--bundle", str(path), PACKETS[0].format(**names))
    h.check("nothing of the bundle had to be left out", quiet.stderr == "", quiet)
    h.live = live


def why(h, path):
    here = [json.loads(line) for line in h.cli("why", "-j", "-n", "0").stdout.splitlines()]
    there = [json.loads(line) for line in h.run("why", "--bundle", str(path), "-j", "-n", "0").stdout.splitlines()]
    known = {each["id"] for each in there}
    h.check("why --bundle -j: the same records", there and [each for each in here if each["id"] in known] == there, (here, there))
    told = h.run("why", "--bundle", str(path), "reason:rule_drop", "udp port 9")
    h.check("why --bundle with a filter", told.stdout.count("\n#") == 0 and told.stdout.startswith("#") and "--dport 9 -j DROP" in told.stdout, told)
    none = h.run("why", "--bundle", str(path), "udp port 10")
    h.check("its expression counts", none.returncode == 0 and none.stdout == "", none)
    wrong = h.run("why", "--bundle", str(path), "state:FOO")
    h.check("a wrong filter is refused", wrong.returncode == 1 and "filter: column 7" in wrong.stderr, wrong)


def replayed(h, path):
    answer = h.run("replay", "--bundle", str(path), "--trace", "--conntrack", "-")
    h.check("replay --bundle", answer.returncode == 0 and " packets in" in answer.stderr, answer)
    h.check("the packets that came, and what became of them", "UDP 4000>9" in answer.stdout and "dport=80 " in answer.stdout and "ESTABLISHED" in answer.stdout, answer.stdout[-3000:])
    h.check("cut packets go on as if they were whole", "rule 4 of FORWARD matches" in answer.stdout and "len=428" in answer.stdout, answer.stdout[-3000:])


def anonymous(h, original):
    path = h.folder / "anonymous.tar"
    query(h)
    answer = h.cli("bundle", "-o", str(path), "--anonymize")
    h.check("bundle --anonymize", answer.returncode == 0, answer)
    files, real = files_in(path), files_in(original)
    for name, text in files.items():
        for known in ("10.0.1.", "192.0.2.", "198.51.100.", "alice", TOKEN):
            h.check(f"{name}: no {known}", known not in text, text[max(0, text.find(known) - 80):][:160])
    raw = files["capture.pcapng"].encode("latin-1")
    for address in ((10, 0, 1, 2), (192, 0, 2, 1), (192, 0, 2, 2)):
        h.check(f"no packet has {address}", bytes(address) not in raw)
    h.check("no payload", b"xxxx" not in raw and b"xxxx" in real["capture.pcapng"].encode("latin-1"))
    h.check("names of interfaces stay", "lan" in files["interfaces.txt"] and "-o wan" in files["rules.v4"])
    h.check("it says what it is", json.loads(files["bundle.json"])["anonymous"])
    names = places(files)
    h.check("one address for each, everywhere", names["client"] in files["sets.ipset"] and names["wan"] in files["conntrack.txt"], (names, files["sets.ipset"]))
    elsewhere = verdicts(lambda *words: h.run(words[0], "--bundle", str(path), *words[1:]), names)
    for packet, here, there in zip(PACKETS, h.live, elsewhere):
        h.check(f"explain on it says of {packet} what the router says", here == there, (here, there))
    replay = h.run("replay", "--bundle", str(path), "--trace")
    h.check("its packets can be replayed", replay.returncode == 0 and "UDP 4000>9" in replay.stdout, replay)
    told = h.run("why", "--bundle", str(path), "-n", "0", f"host {names['client']} and udp port 9")
    h.check("its records can be filtered", told.stdout.startswith("#"), told)
    again = h.folder / "again.tar"
    h.cli("bundle", "-o", str(again), "--anonymize")
    h.check("another bundle, other addresses", files_in(again)["interfaces.txt"] != files["interfaces.txt"], real["interfaces.txt"])
    h.cli("iptables", "-A", "FORWARD", "-m", "u32", "--u32", "12=0x0a000102", "-j", "DROP")
    wrong = h.cli("bundle", "-o", str(h.folder / "never"), "--anonymize")
    h.check("what would stay is named, and there is no file", wrong.returncode == 1 and re.search(r"--anonymize: rules.v4:\d+: -m u32", wrong.stderr) and not (h.folder / "never").exists(), wrong)
    h.cli("iptables", "-D", "FORWARD", "-m", "u32", "--u32", "12=0x0a000102", "-j", "DROP")


def refused(h):
    toml = str(h.folder / "router.toml")
    bad = h.write("bad.tar", "no tar at all")
    for words, code, said in (
        (("replay", "--bundle", bad), 1, "is no tar archive"),
        (("explain", "--bundle", bad, "icmp 10.0.1.2 > 10.0.1.1"), 1, "is no tar archive"),
        (("why", "--bundle", "/nonexistent"), 1, "No such file"),
        (("replay", toml, "--bundle", str(h.folder / "bug.tar")), 2, "CONFIG and --in go without it"),
        (("replay", toml), 2, "CONFIG and --in FILE, or --bundle FILE"),
        (("explain", "--config", toml, "--bundle", bad, "udp 10.0.1.2:1 > 192.0.2.2:53"), 2, "--config goes without it"),
        (("explain", "--bundle", bad, "--from-recorder", "1"), 1, "--from-recorder asks a running router"),
    ):
        answer = h.run(*words)
        h.check(f"{' '.join(words)} is refused", answer.returncode == code and said in answer.stderr, answer)


def off(h):
    config(h, ring="0")
    h.check("a reload ends it", h.cli("reload").returncode == 0)
    answer = h.cli("capture", "-w", str(h.folder / "never"), "--since", "30s")
    h.check("--since without a ring says what would be right", answer.returncode == 1 and 'capture_ring = "4 MiB"' in answer.stderr and not (h.folder / "never").exists(), answer)
    path = h.folder / "without.tar"
    answer = h.cli("bundle", "-o", str(path))
    h.check("a bundle without it says what is missing", answer.returncode == 0 and "not in the bundle: capture.pcapng: " in answer.stderr, answer)
    replay = h.run("replay", "--bundle", str(path))
    h.check("and has nothing to replay", replay.returncode == 1 and "the bundle has no packets (since: this router keeps no packets" in replay.stderr, replay)
    config(h, ring="64 KiB")
    h.check("a reload begins it again", h.cli("reload").returncode == 0)
    query(h)
    answer = h.cli("capture", "-w", str(h.folder / "one"), "--since", "1m")
    h.check("from then on", answer.returncode == 0 and (h.folder / "one").read_bytes().count(b"id=") == 2, answer)
    config(h, ring="4 GiB")
    wrong = h.cli("reload")
    h.check("a size that is none is refused with what would be right", wrong.returncode == 1 and 'from "64 KiB" to "64 MiB"' in wrong.stderr, wrong)


if __name__ == "__main__":
    raise SystemExit(harness.main(test, tools=("curl", "ip", "ping", "tar")))
