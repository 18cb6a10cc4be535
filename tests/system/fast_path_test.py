#!/usr/bin/env python3
"""`[router] coalesce` and `spin`: many small datagrams become one on the way to a device, and no receiver can tell; waiting for packets
costs an idle router nothing.

    fast_path_test.py NSROUTER
"""
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


def test(h):
    path = h.write("router.toml", "")
    configure(h, path, "")
    h.start(path)
    coalesce(h, path)
    spin(h, path)
    h.stop()


def configure(h, path, keys):
    text = h.inside_outside().replace("[router]\n", f"[router]\n{keys}\n", 1)
    with open(path, "w") as file:
        file.write(text)


def reload(h, path, keys):
    configure(h, path, keys)
    answer = h.cli("reload")
    h.check(f"a reload takes {keys}", answer.returncode == 0, answer)


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


def coalesce(h, path):
    receiver = h.udp("outside", "192.0.2.2", 5000)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
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
    reload(h, path, "coalesce = false")
    before = merged(h)
    burst(h, senders)
    for _ in range(COUNT):
        receiver.recv(100)
    h.check("without coalescing nothing is merged", merged(h) == before, merged(h) - before)


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
    h.check("and is told to people", re.search("spins ended by: " + ", ".join(rf"{end} \d+" for end in ended), told), told)
    reload(h, path, 'spin = "busy"')
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
