#!/usr/bin/env python3
"""The replay command against its user's mistakes: files given twice, pipes, wrong values. Needs no root.

    replay_test.py NSROUTER
"""
import contextlib
import os
import pathlib
import resource
import struct
import subprocess
import sys
import tempfile
import threading

CONFIG = """
[conntrack]
mode = "on"
[[interface]]
name = "lan"
address = ["10.0.1.1/24"]
[[interface]]
name = "wan"
address = ["192.0.2.1/24"]
"""
EVENT = """
[[replay.event]]
at = 0.5
ip = ["route del 10.9.0.0/16 via 10.0.1.2"]
"""
TEXTS = ("--conntrack", "--stats", "--events")


def packet():
    """UDP 10.0.1.2:1000 > 192.0.2.2:2000 with one byte."""
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 29, 1, 0, 64, 17, 0, bytes((10, 0, 1, 2)), bytes((192, 0, 2, 2)))
    words = sum(struct.unpack(">10H", ip))
    checksum = ~((words & 0xFFFF) + (words >> 16)) & 0xFFFF
    return ip[:10] + struct.pack(">H", checksum) + ip[12:] + struct.pack(">HHHH", 1000, 2000, 9, 0) + b"x"


def pcap(link, *frames):
    """A capture of (seconds, microseconds, bytes)."""
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)
    return head + b"".join(struct.pack("<IIII", seconds, micro, len(data), len(data)) + data for seconds, micro, data in frames)


def capture():
    return pcap(101, (1000, 0, packet()))


def named(interface):
    """A pcapng file whose only packet came by `interface`."""
    def block(kind, body):
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)
    pad = b"\0" * (-len(interface) % 4)
    data = packet()
    option = struct.pack("<HH", 2, len(interface)) + interface + pad + struct.pack("<HH", 0, 0)
    return (block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack("<HHI", 101, 0, 0) + option)
            + block(6, struct.pack("<IIIII", 0, 0, 0, len(data), len(data)) + data + b"\0" * (-len(data) % 4)))


class Checks:
    def __init__(self, program, folder):
        self.program, self.folder, self.failed, self.passed = os.path.abspath(program), folder, 0, 0

    def check(self, what, condition, seen=""):
        self.passed, self.failed = self.passed + bool(condition), self.failed + (not condition)
        print(f"{'ok  ' if condition else 'FAIL'} {what}" + ("" if condition else f"\n     saw: {seen!r}"), flush=True)

    def replay(self, *arguments, **options):
        where = [] if "--interface" in arguments else ["--interface", "lan"]
        return subprocess.run([self.program, "replay", "router.toml", *where, *arguments],
                              cwd=self.folder, capture_output=True, timeout=60, **options)

    def refused(self, what, word, *arguments):
        answer = self.replay(*arguments)
        self.check(what, answer.returncode == 2 and word in answer.stderr.decode(), answer)


def test(h):
    config, data = h.folder / "router.toml", capture()
    config.write_text(CONFIG)
    (h.folder / "in.pcap").write_bytes(data)
    os.link(h.folder / "in.pcap", h.folder / "link.pcap")
    h.refused("--out equal to --in", "are the same file", "--in", "in.pcap", "--out", "./in.pcap")
    h.refused("--out another name of --in", "are the same file", "--in", "in.pcap", "--out", "link.pcap")
    h.refused("--stats equal to the configuration", "are the same file", "--in", "in.pcap", "--stats", "router.toml")
    h.refused("one new file for two", "are the same file", "--in", "in.pcap", "--stats", "new", "--conntrack", "./new")
    h.refused("--out - beside text", "standard output", "--in", "in.pcap", "--out", "-", "--conntrack", "-")
    h.refused("an unknown --interface", '"lam", but lan, wan', "--in", "in.pcap", "--interface", "lam")
    h.refused("--start nan", "nan", "--in", "in.pcap", "--start", "nan")
    h.refused("--seed -1", "seed", "--in", "in.pcap", "--seed", "-1")
    for option in ("--out", *TEXTS, "--in", "--state", "--bundle"):
        h.refused(f"{option} with an empty name", f'{option}: takes the name of a file, not ""', *(() if option == "--in" else ("--in", "in.pcap")), option, "")
    h.check("none of them touched a file", (h.folder / "in.pcap").read_bytes() == data and config.read_text() == CONFIG and not (h.folder / "new").exists())
    (h.folder / "out").write_text("precious")
    answer = h.replay("--in", "in.pcap", "--out", "out", "--filter", "frob frob")
    h.check("a bad --filter is noticed before --out is opened", answer.returncode == 1 and (h.folder / "out").read_text() == "precious", answer)
    file = h.replay("--in", "in.pcap", "--conntrack", "-")
    h.check("a file", file.returncode == 0 and b"dport=2000" in file.stdout and b"1 packets in, 1 out" in file.stderr, file)
    h.check("the same by standard input", h.replay("--in", "-", "--conntrack", "-", input=data).stdout == file.stdout)
    os.mkfifo(h.folder / "fifo")
    writer = threading.Thread(target=lambda: (h.folder / "fifo").write_bytes(data))
    writer.start()
    h.check("the same by a pipe", h.replay("--in", "fifo", "--conntrack", "-").stdout == file.stdout)
    writer.join()
    h.replay("--in", "in.pcap", "--out", "out")
    pcapng = (h.folder / "out").read_bytes()
    answer = h.replay("--in", "-", "--conntrack", "-", input=pcapng)
    h.check("pcapng by standard input", answer.returncode == 0 and b"1 packets in" in answer.stderr, answer)
    answer = h.replay("--in", "in.pcap", "--start", "2000")
    h.check("packets older than --start are counted", answer.returncode == 0 and b"1 packets are older than --start" in answer.stderr, answer)
    what_the_capture_calls_otherwise(h)
    what_captures_hold(h)
    what_cannot_be_written(h)
    what_finds_no_room(h)
    config.write_text(CONFIG + EVENT)
    answer = h.replay("--in", "in.pcap", "--conntrack", "table")
    h.check("an event that fails makes the exit code 1", answer.returncode == 1 and b"router.toml:" in answer.stderr, answer)
    h.check("after everything is written", "dport=2000" in (h.folder / "table").read_text())


def what_the_capture_calls_otherwise(h):
    for name in ("eth0", "eth1"):
        (h.folder / f"{name}.pcapng").write_bytes(named(name.encode()))
        answer = subprocess.run([h.program, "replay", "--map", "eth0=lan,eth1=wan", "router.toml", "--in", f"{name}.pcapng"], cwd=h.folder, capture_output=True, timeout=60)
        h.check(f"--map of two: {name}", answer.returncode == 0 and b"1 packets in" in answer.stderr, answer)
    for wrong in ("lan", "", "eth0=lan,", "=lan", "eth0="):
        h.refused(f"--map '{wrong}'", "--map takes NAME=INTERFACE", "--in", "in.pcap", "--map", wrong)
    h.refused("--map of one name to two", '"eth0" twice', "--in", "in.pcap", "--map", "eth0=lan,eth0=wan")
    h.refused("--map to an unknown interface", '"lam", but lan, wan', "--in", "in.pcap", "--map", "eth0=lan,eth1=lam")


def what_captures_hold(h):
    h.refused("--seed abc", "0 to 18446744073709551615", "--in", "in.pcap", "--seed", "abc")
    ethernet = bytes(12)
    frames = [(1, 0, ethernet + kind + b"xx") for kind in (b"\x08\x06", b"\x88\x64", b"\x08\x06")] + [(1, 0, ethernet + b"\x08\0" + packet())]
    (h.folder / "mixed.pcap").write_bytes(pcap(1, *frames))
    answer = h.replay("--in", "mixed.pcap")
    h.check("what is no IP is said to be skipped", answer.returncode == 0 and b"3 packets skipped: 2 ARP, 1 ethertype 0x8864\n" in answer.stderr, answer)
    (h.folder / "late.pcap").write_bytes(pcap(101, (0, 0, packet()), (0xFFFFFFFF, 0, packet())))
    answer = h.replay("--in", "late.pcap")
    h.check("seconds are not negative in the year 2106", answer.returncode == 0 and b"older" not in answer.stderr, answer)
    (h.folder / "back.pcap").write_bytes(pcap(101, (1000, 0, packet()), (999, 0, packet())))
    answer = h.replay("--in", "back.pcap")
    h.check("a packet from before the beginning", b"1 packets are older than the second in which the capture begins" in answer.stderr, answer)
    (h.folder / "fraction.pcap").write_bytes(pcap(101, (1, 999999, packet()), (1, 4000000000, packet())))
    answer = h.replay("--in", "fraction.pcap")
    h.check("microseconds of more than a second are refused", answer.returncode == 1 and b"packet 1: its time has 4000000000 microseconds" in answer.stderr and b"1 packets in" in answer.stderr, answer)
    (h.folder / "name.pcapng").write_bytes(named(b"\x1b[31m" + b"x" * 60000))
    answer = subprocess.run([h.program, "replay", "router.toml", "--in", "name.pcapng"], cwd=h.folder, capture_output=True, timeout=60)
    h.check("a name in a capture does not command the terminal", answer.returncode == 1 and b"\x1b" not in answer.stderr and b'"\\x1b[31mxxx' in answer.stderr
            and b"--interface take one of lan, wan" in answer.stderr and len(answer.stderr) < 1000, answer)


def files_without_names(pid):
    count = 0
    for file in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # it may be closed meanwhile
            count += "(deleted)" in os.readlink(file)
    return count


def end_in_the_midst(h, arguments):
    """Kills a replay that has its files open and waits for packets."""
    os.mkfifo(h.folder / "pipe")
    process = subprocess.Popen([h.program, "replay", "router.toml", "--interface", "lan", "--in", "pipe", *arguments], cwd=h.folder)
    with open(h.folder / "pipe", "wb") as pipe:
        pipe.write(capture())
        pipe.flush()
        while process.poll() is None and files_without_names(process.pid) < 4:
            pass
        h.check("a replay waits for packets", process.poll() is None)
        process.kill()
        process.wait()
    (h.folder / "pipe").unlink()


def what_finds_no_room(h):
    for option in ("--out", *TEXTS):
        answer = h.replay("--in", "in.pcap", option, "/dev/full")
        h.check(f"{option} on a full device", answer.returncode == 1 and answer.stderr == b"nsrouter: /dev/full: No space left on device\n", answer)
    (h.folder / "many.pcap").write_bytes(pcap(101, *[(1000, 0, packet())] * 20000))
    outputs = ("out", "table", "numbers", "lines")
    given = [word for pair in zip(("--out", *TEXTS), outputs) for word in pair]
    for name in outputs:
        (h.folder / name).write_text("precious")
    (h.folder / "out").chmod(0o640)
    before = sorted(os.listdir(h.folder))
    kilobytes = 100

    def little_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes << 10, kilobytes << 10))
    answer = h.replay("--in", "many.pcap", *given, preexec_fn=little_room)
    h.check("--out that finds no room in the midst", answer.returncode == 1 and answer.stderr == b"nsrouter: out: File too large\n", answer)
    h.check("what was there before is there", all((h.folder / name).read_bytes() == b"precious" for name in outputs))
    h.check("and nothing beside it", sorted(os.listdir(h.folder)) == before, os.listdir(h.folder))
    end_in_the_midst(h, given)
    h.check("one that is killed leaves them, too", all((h.folder / name).read_bytes() == b"precious" for name in outputs))
    h.check("and nothing beside them", sorted(os.listdir(h.folder)) == before, os.listdir(h.folder))
    (h.folder / "idle.toml").write_text('[[interface]]\nname = "lan"\naddress = ["10.0.1.1/24"]\n')
    (h.folder / "state").write_text("udp 17 20 src=10.0.1.2 dst=192.0.2.2 sport=1 dport=2 src=192.0.2.2 dst=10.0.1.2 sport=2 dport=1 mark=0\n")
    answer = subprocess.run([h.program, "replay", "idle.toml", "--interface", "lan", "--in", "in.pcap", "--state", "state", "--conntrack", "table", "--stats", "new"],
                            cwd=h.folder, capture_output=True, timeout=60)
    h.check("one that cannot begin with its --state", answer.returncode == 1 and b"connections are not tracked" in answer.stderr, answer)
    h.check("leaves what was there, and makes nothing", (h.folder / "table").read_text() == "precious" and not (h.folder / "new").exists())
    os.link(h.folder / "table", h.folder / "its other name")
    answer = h.replay("--in", "in.pcap", "--conntrack", "table", "--stats", "nowhere/x")
    h.check("what is written itself is not touched before all can be", answer.returncode == 1 and (h.folder / "table").read_text() == "precious", answer)
    answer = h.replay("--in", "in.pcap", "--conntrack", "table", "--out", "new", "--stats", "nowhere/x")
    h.check("a file that it made does not stay when another cannot be", answer.returncode == 1 and not (h.folder / "new").exists(), answer)
    answer = h.replay("--in", "many.pcap", "--out", "new", preexec_fn=little_room)
    h.check("nor one that finds no room", answer.returncode == 1 and answer.stderr == b"nsrouter: new: File too large\n" and not (h.folder / "new").exists(), answer)
    answer = h.replay("--in", "in.pcap", "--conntrack", "table")
    h.check("both names of a file have what is new", answer.returncode == 0 and "dport=2000" in (h.folder / "its other name").read_text(), answer)
    (h.folder / "its other name").unlink()
    with open(h.folder / "log", "wb") as log:
        log.write(b"before\n")
        log.flush()
        subprocess.run([h.program, "replay", "router.toml", "--interface", "lan", "--in", "in.pcap", "--conntrack", "/dev/stdout"], cwd=h.folder, stdout=log, timeout=60)
        log.write(b"after\n")
    said = (h.folder / "log").read_bytes()
    h.check("standard output goes on where it is", said.startswith(b"before\n") and b"dport=2000" in said and said.endswith(b"after\n"), said)
    (h.folder / "rules").write_text("*filter\nCOMMIT\n")
    (h.folder / "named.toml").write_text(CONFIG + '[rules]\nipv4 = "rules"\n[[replay.event]]\nat = 1\nipv4 = "later"\n')
    (h.folder / "later").write_text("*filter\nCOMMIT\n")
    for file in ("rules", "later"):
        answer = subprocess.run([h.program, "replay", "named.toml", "--interface", "lan", "--in", "in.pcap", "--stats", file], cwd=h.folder, capture_output=True, timeout=60)
        h.check(f"what the configuration names is not written over: {file}", answer.returncode == 2 and b"--stats is a file that the configuration names" in answer.stderr, answer)
    (h.folder / "other").symlink_to("table")
    answer = h.replay("--in", "in.pcap", "--out", "out", "--conntrack", "other")
    h.check("what succeeds takes the place of what was there", answer.returncode == 0 and (h.folder / "out").read_bytes()[:4] == b"\x0a\x0d\x0d\x0a", answer)
    h.check("with its mode", (h.folder / "out").stat().st_mode & 0o777 == 0o640)
    h.check("and where a link leads", (h.folder / "other").is_symlink() and "dport=2000" in (h.folder / "table").read_text())


def what_cannot_be_written(h):
    answer = h.replay("--in", ".")
    h.check("--in of a folder", answer.returncode == 1 and b"Is a directory" in answer.stderr, answer)
    answer = h.replay("--in", "in.pcap", "--out", "/nonexistent/x")
    h.check("--out in no folder", answer.returncode == 1 and b"/nonexistent/x: No such file or directory" in answer.stderr, answer)
    for what, arguments in (("a trace", ["replay", "router.toml", "--interface", "lan", "--in", "in.pcap", "--trace"]), ("a table", ["replay", "router.toml", "--interface", "lan", "--in", "in.pcap", "--conntrack", "-"]),
                            ("help", ["--help"]), ("a verdict", ["check", "router.toml"])):
        with open("/dev/full", "w", encoding="ascii") as full:
            answer = subprocess.run([h.program, *arguments], cwd=h.folder, stdout=full, stderr=subprocess.PIPE, timeout=60)
        h.check(f"{what} that finds no room", answer.returncode == 1 and b"standard output: No space left on device" in answer.stderr, answer)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        checks = Checks(sys.argv[1], pathlib.Path(name))
        test(checks)
    print(f"{checks.passed} passed, {checks.failed} failed")
    sys.exit(1 if checks.failed or not checks.passed else 0)
