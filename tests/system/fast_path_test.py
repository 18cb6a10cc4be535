#!/usr/bin/env python3
"""`[router] coalesce`, `ring` and `spin`: many small datagrams become one on the way to a device, or take one system call, and no receiver
can tell; waiting for packets costs an idle router nothing.

    fast_path_test.py NSROUTER
"""
import ctypes
import errno
import os
import re
import signal
import socket
import struct
import sys
import time

import harness

UDP_GRO = 104
COUNT = 300
FORBIDDEN = "make an io_uring: Operation not permitted (by kernel.io_uring_disabled, or a seccomp filter of the container)"


def test(h):
    path = h.write("router.toml", "")
    for keys in ("ring = true", "ring = false"):
        configure(h, path, keys)
        h.start(path)
        print(f"# {keys}")
        coalesce(h, path, keys)
        h.stop()
    configure(h, path, "")
    h.start(path)
    ring(h, path)
    spin(h, path)
    h.stop()
    without_io_uring(h, path)


def configure(h, path, keys):
    text = h.inside_outside().replace("[router]\n", f"[router]\n{keys}\n", 1)
    with open(path, "w") as file:
        file.write(text)


def reload(h, path, keys):
    configure(h, path, keys)
    answer = h.cli("reload")
    h.check(f"a reload takes {' and '.join(keys.splitlines())}", answer.returncode == 0, answer)


def burst(h, senders):
    """What the receiver is sent while the router stands still, so that it comes in whole batches; flows interleaved."""
    sent = [(b"%d %d " % (number, i)).ljust(64 if i % 20 else 40, b".") for i in range(COUNT // len(senders)) for number in range(len(senders))]
    h.router.send_signal(signal.SIGSTOP)
    for at, payload in enumerate(sent):
        senders[at % len(senders)].sendto(payload, ("192.0.2.2", 5000))
    h.router.send_signal(signal.SIGCONT)
    return sent


def by_flow(payloads):
    flows = {}
    for payload in payloads:
        flows.setdefault(payload.split()[0], []).append(payload)
    return flows


def merged(h):
    return h.status()["interfaces"][1]["counters"]["merged_packets"]


def transmitted(h):
    return h.status()["interfaces"][1]["counters"]["tx_packets"]


def receiver_of(h):
    receiver = h.udp("outside", "192.0.2.2", 5000)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    return receiver


def coalesce(h, path, keys):
    receiver = receiver_of(h)
    for kind in ("connected", "unconnected"):
        senders = [h.udp("inside", "10.0.1.2") for _ in range(3)]
        if kind == "connected":  # its IPv4 ids count up; else those of all sockets do together
            for sender in senders:
                sender.connect(("192.0.2.2", 5000))
        before, out_before = merged(h), transmitted(h)
        sent = burst(h, senders)
        came = [receiver.recv(100) for _ in range(COUNT)]
        h.check(f"all datagrams of {kind} sockets come as they were, in order", by_flow(came) == by_flow(sent), came[:3])
        h.check("many of them were merged", merged(h) - before > COUNT / 10, merged(h) - before)
        h.check("and each is counted", transmitted(h) - out_before == COUNT, transmitted(h) - out_before)
    with_gro(h, senders, receiver)
    reload(h, path, f"coalesce = false\n{keys}")
    h.check("status tells it is off", h.status()["coalesce"] is False and "coalesce off" in h.cli("status").stdout)
    before = merged(h)
    sent = burst(h, senders)
    came = [receiver.recv(100) for _ in range(COUNT)]
    h.check("without coalescing nothing is merged", merged(h) == before, merged(h) - before)
    h.check("and all come as they were, in order", by_flow(came) == by_flow(sent), came[:3])
    receiver.close()


def with_gro(h, senders, receiver):
    receiver.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
    sent = burst(h, senders)
    came, largest = [], 0
    while len(came) < COUNT:
        data, control, _, _ = receiver.recvmsg(65536, 128)
        sizes = [struct.unpack("i", value[:4])[0] for level, kind, value in control if (level, kind) == (socket.IPPROTO_UDP, UDP_GRO)]
        size = sizes[0] if sizes else len(data)
        largest = max(largest, len(data) // size)
        came += [data[at : at + size] for at in range(0, len(data), size)]
    receiver.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 0)
    h.check("a receiver with UDP_GRO gets several at once", largest >= 2, largest)
    h.check("and they are what was sent", by_flow(came) == by_flow(sent), came[:3])


def ring(h, path):
    """Many frames with one system call, from and to a device, as long as the configuration wants it."""
    receiver, senders = receiver_of(h), [h.udp("inside", "10.0.1.2") for _ in range(3)]

    def moved():
        before = h.status()["ring"]
        sent = burst(h, senders)
        came = [receiver.recv(100) for _ in range(COUNT)]
        h.check("all come as they were, in order", by_flow(came) == by_flow(sent), came[:3])
        after = h.status()["ring"]
        return after["frames"] - before["frames"], after["calls"] - before["calls"]

    if why := h.status()["ring"]["refused"]:
        print(f"# no io_uring here: {why}")
        return
    for keys in ("", "coalesce = false"):
        reload(h, path, keys)
        frames, calls = moved()
        h.check("frames come many at a time", frames >= 3 * calls > 0, (frames, calls))  # how many: as a turn of the loop allows
    h.check("both read and written", frames > COUNT, frames)
    h.check("status says nothing of it", "system call" not in h.cli("status").stdout)
    reload(h, path, "ring = false")
    h.check("or one by one", moved() == (0, 0))
    h.check("which status tells", "a system call for each frame: [router] ring = false\n" in h.cli("status").stdout, h.cli("status").stdout)
    reload(h, path, "")
    h.check("and many at a time again", moved()[0] > 0)
    receiver.close()


def without_io_uring(h, path):
    """As in a container that forbids it."""
    configure(h, path, "")
    h.start(path, preexec_fn=forbid_io_uring)
    status = h.status()["ring"]
    h.check("the router runs without io_uring", not status["in_use"] and status["refused"] == FORBIDDEN, status)
    lines = [line for line in h.cli("dmesg").stdout.splitlines() if "io_uring" in line]
    h.check("the log tells once", len(lines) == 1 and f"a system call for each frame: {FORBIDDEN}" in lines[0], lines)
    h.check("so does status", f"a system call for each frame: {FORBIDDEN}\n" in h.cli("status").stdout)
    h.check("it forwards", forwards(h))
    h.stop()


def forbid_io_uring():
    """A seccomp filter: io_uring_setup(2) fails with EPERM. Numbers of new system calls are the same for all processors."""
    load_number, jump_if_equal, give_back = 0x20, 0x15, 0x06
    allow, fail, io_uring_setup = 0x7FFF0000, 0x00050000, 425
    code = [(load_number, 0, 0, 0), (jump_if_equal, 0, 1, io_uring_setup), (give_back, 0, 0, fail | errno.EPERM), (give_back, 0, 0, allow)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
    pr_set_seccomp, filter_mode = 22, 2
    if harness.LIBC.prctl(pr_set_seccomp, filter_mode, struct.pack("HxxxxxxP", len(code), ctypes.addressof(program))):
        raise OSError(ctypes.get_errno(), "prctl")


def cpu_share(h, seconds=1.0):
    """Of a core, while nothing is asked of the router."""
    def ticks():
        with open(f"/proc/{h.router.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])
    time.sleep(0.3)  # what the last packets and commands left to do
    before, began = ticks(), time.monotonic()
    time.sleep(seconds)  # the time over which it is measured
    return (ticks() - before) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - began)


def forwards(h):
    receiver = h.udp("outside", "192.0.2.2")
    h.udp("inside", "10.0.1.2").sendto(b"x", receiver.getsockname())
    return receiver.recv(10) == b"x"


def spins(h):
    return h.status()["spins"]


def spin(h, path):
    idle = cpu_share(h)
    h.check("after packets, an idle router sleeps", idle <= 0.02, idle)
    ended = spins(h)
    h.check("how waiting awake ended was counted, by name", set(ended) == {"packets", "timeout", "gave_way"} and sum(ended.values()) > 0, ended)
    told = h.cli("status").stdout
    h.check("and is told to people", re.search("spin 50us, coalesce on; spins ended by: " + ", ".join(rf"{end} \d+" for end in ended), told), told)
    reload(h, path, 'spin = "busy"')
    h.check("status says what is in force", (h.status()["spin"], h.status()["coalesce"]) == ("busy", True), h.status()["spin"])
    ended = spins(h)
    busy = cpu_share(h)
    h.check("a busy one never does", busy > 0.2, busy)
    h.check("and forwards", forwards(h))
    h.check("without an end of a spin", spins(h) == ended, (spins(h), ended))
    reload(h, path, 'spin = "off"')
    idle = cpu_share(h)
    h.check("one that does not spin sleeps again", idle <= 0.02, idle)
    h.check("and forwards as well", forwards(h))
    h.check("and has none to count", spins(h) == ended, (spins(h), ended))


if __name__ == "__main__":
    sys.exit(harness.main(test))
