#!/usr/bin/env python3
"""kill -9 before any system call of the start that makes, changes or removes something.

Whatever was done by then, `nsrouter stop` takes it back, a new start works, and what was there before is as it was.

    crash_test.py NSROUTER [--every N]    only before each Nth call of a kind
"""
import argparse
import ctypes
import os
import signal
import struct
import subprocess
import sys

import harness

LIBC = ctypes.CDLL(None, use_errno=True)
PTRACE_TRACEME, PTRACE_SYSCALL, PTRACE_SETOPTIONS, PTRACE_GET_SYSCALL_INFO = 0, 24, 0x4200, 0x420E
PTRACE_O_TRACESYSGOOD, PTRACE_O_EXITKILL = 1, 0x100000
SYSCALL_ENTRY = 1
# x86-64; write covers /proc/sys, sendmsg netlink, ioctl the TUN device
CHANGING = {"write": 1, "pwrite64": 18, "ioctl": 16, "sendto": 44, "sendmsg": 46, "bind": 49, "listen": 50, "rename": 82, "mkdir": 83, "unlink": 87,
            "mount": 165, "umount2": 166, "unshare": 272, "setns": 308, "open": 2, "openat": 257, "ftruncate": 77, "flock": 73}
NUMBERS = {number: name for name, number in CHANGING.items()}
O_CREAT = 0o100


def ptrace(request, pid, address=0, data=0):
    LIBC.ptrace.restype = ctypes.c_long
    LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    result = LIBC.ptrace(request, pid, address, data)
    if result < 0:
        raise OSError(ctypes.get_errno(), "ptrace")
    return result


def changes_something(pid):
    """The name of the call that the process is about to make, if it is one of those."""
    info = ctypes.create_string_buffer(88)
    ptrace(PTRACE_GET_SYSCALL_INFO, pid, len(info), ctypes.cast(info, ctypes.c_void_p).value)
    if info.raw[0] != SYSCALL_ENTRY:
        return None
    number, *arguments = struct.unpack_from("<7Q", info.raw, 24)
    name = NUMBERS.get(number)
    if name == "openat" and not arguments[2] & O_CREAT or name == "open" and not arguments[1] & O_CREAT:
        return None
    # To itself: the sanitizer asks so whether an address can be read.
    if name == "write" and os.readlink(f"/proc/{pid}/fd/{arguments[0]}").startswith(("pipe:", "anon_inode:")):
        return None
    return name


def die_before(program, config, wanted, count):
    """Starts the router and kills it before it makes the call `wanted` for the `count`th time. False: it was ready before."""
    pid = os.fork()
    if pid == 0:
        null = os.open("/dev/null", os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(null, standard)
        ptrace(PTRACE_TRACEME, 0)
        os.environ["NOTIFY_SOCKET"] = "@nobody"
        os.execv(program, [program, "run", config])
    os.waitpid(pid, 0)
    ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)
    pending = seen = 0
    while True:
        ptrace(PTRACE_SYSCALL, pid, 0, pending)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSTOPPED(status):
            raise SystemExit(f"the router ended by itself: {status}")
        is_call = os.WSTOPSIG(status) == signal.SIGTRAP | 0x80
        pending = 0 if is_call else os.WSTOPSIG(status)
        if not is_call:
            continue
        name = changes_something(pid)
        seen += name == wanted
        here = name == wanted and seen == count
        if here or name == "sendto" and is_ready(pid):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return here


def is_ready(pid):
    """The one sendto() to a unix socket is READY=1."""
    info = ctypes.create_string_buffer(88)
    ptrace(PTRACE_GET_SYSCALL_INFO, pid, len(info), ctypes.cast(info, ctypes.c_void_p).value)
    _, _, text, length, *_ = struct.unpack_from("<7Q", info.raw, 24)
    with open(f"/proc/{pid}/mem", "rb") as memory:
        memory.seek(text)
        return memory.read(length).startswith(b"READY=1")


def ip(*arguments):
    return subprocess.run(["ip", *arguments], capture_output=True, text=True, check=True).stdout


def found(netns):
    """What the router must leave as it found it."""
    words = (ip("-n", netns, "-o", "address") + ip("-n", netns, "route") + ip("-n", netns, "-o", "link")).split()
    forward = subprocess.run(["ip", "netns", "exec", netns, "cat", "/proc/sys/net/ipv4/ip_forward"], capture_output=True, text=True).stdout
    return [word for word in words if not word.startswith("<") and word not in ("linkdown", "state", "UNKNOWN", "DOWN", "forever", "noop", "noqueue", "pfifo_fast")] + [forward]


def flags(netns, device):
    text = ip("-n", netns, "-o", "link", "show", device)
    return "UP" in text.partition("<")[2].partition(">")[0].split(",")


def test(h, every):
    old, new = h.netns("old"), h.netns("new")
    config = h.write("router.toml", h.inside_outside(inside="old", outside="new", lan="host.forwarding = true\nmtu = 1400"))
    ip("netns", "add", old)
    h.stack.callback(lambda: subprocess.run(["ip", "netns", "del", old], check=False))
    ip("-n", old, "tuntap", "add", "lan", "mode", "tun", "vnet_hdr")
    before = found(old)
    bad, killed = [], []
    for name in CHANGING:
        count = 1
        while die_before(h.program, config, name, count):
            killed.append(name)
            if len(killed) % 8 == 1:  # a new start cleans up as well as a stop
                h.start(config)
                h.check(f"killed before call {count} of {name}, it starts and ends well", h.stop() == 0)
            else:
                h.cli("stop")
            left = [path for path in h.leftovers() if path != f"/run/netns/{old}"]
            after = found(old)
            if left or before != after or flags(old, "lan") or flags(old, "lo"):
                bad.append((count, name, left, [word for word in after if word not in before], flags(old, "lan"), flags(old, "lo")))
            count += every
        h.cli("stop")  # the one that was killed when it was ready
    h.check(f"killed before any of {len(killed)} calls that change something, it leaves nothing that cannot be cleaned", not bad, bad)
    h.check("among them were the mount, the device, the addresses and the settings", {"mount", "unshare", "ioctl", "sendmsg", "openat", "pwrite64"} <= set(killed), set(killed))
    h.check("what describes namespaces is gone, too", not os.listdir("/run/nsrouter/netns") or not any(h.id in open(f"/run/nsrouter/netns/{name}").read() for name in os.listdir("/run/nsrouter/netns")))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nsrouter")
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    sys.exit(harness.main(lambda h: test(h, options.every), tools=("ip",)))
