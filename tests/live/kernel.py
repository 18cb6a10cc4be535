"""One sequence of packets through a Linux router in a network namespace of its own."""
import ctypes
import fcntl
import ipaddress
import os
import pickle
import struct
import subprocess
import time

from generate import Event

TUNSETIFF, IFF_TUN, IFF_NO_PI, CLONE_NEWNET = 0x400454CA, 1, 0x1000, 0x40000000
RESTORE = {"ipv4": "iptables-legacy", "ipv6": "ip6tables-legacy"}
STATS = ("invalid", "insert_failed", "drop", "icmp_error")
# Tracking is on in a case whether or not a rule asks for it: an unreferenced chain does.
TRACKING_ON = "*security\n:TRACK - [0:0]\n-A TRACK -m conntrack --ctstate NEW\nCOMMIT\n"
QUIET = {
    "net.ipv6.conf.default.accept_dad": 0, "net.ipv6.conf.default.accept_ra": 0, "net.ipv6.conf.default.autoconf": 0,
    "net.ipv6.conf.default.router_solicitations": 0, "net.ipv6.conf.default.addr_gen_mode": 1, "net.ipv6.auto_flowlabels": 0,
    "net.ipv6.icmp.ratelimit": 0, "net.ipv4.icmp_ratelimit": 0, "net.ipv4.icmp_msgs_per_sec": 1000000, "net.ipv4.icmp_msgs_burst": 100000,
    "net.ipv4.conf.all.rp_filter": 0, "net.ipv4.conf.default.rp_filter": 0, "net.ipv4.conf.all.send_redirects": 0,
    "net.ipv4.conf.default.send_redirects": 0, "net.ipv4.conf.all.accept_redirects": 0, "net.ipv4.conf.default.accept_redirects": 0,
}


class Result:
    """outputs[i]: [(interface, bytes)] that packet i caused; table, stats and counters at the end; the ip commands that failed"""

    def __init__(self, outputs, table, stats, counters, refused):
        self.outputs, self.table, self.stats, self.counters, self.refused = outputs, table, stats, counters, refused


def run(case):
    """In a child process, because it moves to another namespace. Returns a Result; raises what went wrong there."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            answer = _Namespace(case).run()
        except BaseException as error:  # noqa: B902 - told to the parent
            answer = RuntimeError(f"kernel router: {error!r}")
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump(answer, pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pickle.load(pipe)
    os.waitpid(child, 0)
    if isinstance(answer, Exception):
        raise answer
    return answer


class _Namespace:
    def __init__(self, case):
        self.case, self.devices, self.refused = case, {}, []
        self.rules = {"ipv4": case.rules_v4, "ipv6": case.rules_v6}

    def run(self):
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        self.set_up()
        outputs = []
        start = time.monotonic()
        for step in self.case.steps:
            if isinstance(step, Event):
                before = time.monotonic()
                self.administer(step)
                start += time.monotonic() - before
                continue
            if self.case.step_us >= 4000:
                time.sleep(max(0, start + (len(outputs) + 1) * self.case.step_us / 1e6 - time.monotonic()))
            interface, data = step
            try:
                os.write(self.devices[interface], data)
            except OSError as error:
                if error.errno != 22:  # EINVAL: the device refuses runts
                    raise
            outputs.append(self.drain())
        with open("/proc/net/nf_conntrack") as file:
            table = file.read().splitlines()
        return Result(outputs, table, self.stats(), self.counters(), self.refused)

    def set_up(self):
        for name, value in QUIET.items():
            self.sysctl(name, value)
        batch = ["link set lo up"]
        for name, addresses in self.case.interfaces.items():
            device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
            self.devices[name] = device
            batch.append(f"link set {name} mtu {self.case.mtu[name]} txqueuelen 4000 multicast off up")
            batch += [f"addr add {a} dev {name}{' nodad' if ':' in a else ''}" for a in addresses]
        _tool("ip", "-batch", "-", text="\n".join(batch) + "\n")
        for route in self.case.routes:
            _tool("ip", "route", "add", route["to"], *(word for key in ("via", "interface") if key in route for word in (key.replace("interface", "dev"), route[key])))
        self.wait_for_own_addresses()
        for name, value in {"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1, **self.case.sysctls}.items():
            self.sysctl(name, value)
        if self.case.sets:
            _tool("ipset", "restore", text=self.case.sets)
        for family, command in RESTORE.items():
            _tool(f"{command}-restore", text=TRACKING_ON)
            if self.rules[family]:
                _tool(f"{command}-restore", text=self.rules[family])
        self.drain()

    def wait_for_own_addresses(self):
        """The kernel takes what is sent to a new IPv6 address only when a worker of its own has made the route (addrconf_dad_work): until then it
        forwards it."""
        wanted = {ipaddress.ip_interface(a).ip.packed.hex() for addresses in self.case.interfaces.values() for a in addresses if ":" in a}
        deadline = time.monotonic() + 5
        while not wanted <= _local_addresses():
            if time.monotonic() > deadline:
                raise RuntimeError(f"the kernel does not take {wanted - _local_addresses()}")
            time.sleep(0.001)

    def administer(self, event):
        if event.kind == "sysctl":
            self.sysctl(*event.text.split("="))
        elif event.kind in RESTORE:
            _tool(f"{RESTORE[event.kind]}-restore", text=event.text)
            self.rules[event.kind] = event.text
        elif event.kind == "conntrack":  # deleting what is not there counts as a failure
            subprocess.run(["conntrack", *event.text.split()], capture_output=True)
        else:
            if subprocess.run(["ip", *event.text.split()], capture_output=True).returncode:
                self.refused.append(event.text.removesuffix(" nodad"))
            time.sleep(0.03)  # connections masqueraded behind an address go a little later
        self.drain()

    @staticmethod
    def sysctl(name, value):
        with open("/proc/sys/" + name.replace(".", "/"), "w") as file:
            file.write(str(value))

    def drain(self):
        left = []
        for name, device in self.devices.items():
            while True:
                try:
                    data = os.read(device, 70000)
                except BlockingIOError:
                    break
                if not _chatter(data):
                    left.append((name, data))
        return left

    def stats(self):
        with open("/proc/net/stat/nf_conntrack") as file:
            names = file.readline().split()
            rows = [[int(x, 16) for x in line.split()] for line in file]
        return {name: sum(row[names.index(name)] for row in rows) & 0xFFFFFFFF for name in STATS}

    def counters(self):
        found = []
        for family, command in RESTORE.items():
            for table in (line[1:] for line in self.rules[family].splitlines() if line.startswith("*")):
                for line in _tool(f"{command}-save", "-c", "-t", table).splitlines():
                    if line.startswith((":", "[")):
                        found.append(f"v{family[-1]} {table} {line}")
        return found


def _local_addresses():
    RTF_LOCAL = 0x80000000
    with open("/proc/net/ipv6_route") as file:
        rows = [line.split() for line in file]
    return {row[0] for row in rows if row[1] == "80" and int(row[8], 16) & RTF_LOCAL}


def _tool(*command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}{done.stdout}\n{text or ''}")
    return done.stdout


def _chatter(data):
    """MLD reports and router solicitations of the kernel's own"""
    return len(data) > 48 and data[0] >> 4 == 6 and data[6] == 0 and data[48] in (131, 143) or (
        len(data) > 40 and data[0] >> 4 == 6 and data[6] == 58 and data[40] in (133, 143))
