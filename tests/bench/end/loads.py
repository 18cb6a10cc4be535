"""What is sent along a way, and the figures that come of it."""
import contextlib
import dataclasses
import json
import os
import subprocess
import typing

from ends import CLIENT, SERVER, SERVER_ADDRESS, inside, run, running

PORT = "7000"
IN_FLIGHT = "32"
PATIENCE_SECONDS = 300


@dataclasses.dataclass(frozen=True)
class Figure:
    name: str
    unit: str
    more_is_better: bool = True


@dataclasses.dataclass
class Load:
    figures: tuple
    measure: typing.Callable  # (folder of the load programs, seconds) -> a value for each figure
    mtu: int = 1500


def on_client(*command):
    return run(*inside(CLIENT, *command), timeout=PATIENCE_SECONDS)


@contextlib.contextmanager
def on_server(*command, said):
    """A program of which a line says that it is ready."""
    with running(*inside(SERVER, *command), stdout=subprocess.PIPE) as process:
        for line in process.stdout:
            if said in line:
                break
        yield process


def processor_seconds():
    """What all processors together have spent working."""
    with open("/proc/stat") as stat:
        user, nice, system, _, _, irq, softirq = map(int, stat.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def tcp(streams):
    def measure(_, seconds):
        with on_server("iperf3", "-s", "-1", "--forceflush", said="listening"):
            before = processor_seconds()
            report = on_client("iperf3", "-c", SERVER_ADDRESS, "-t", str(max(1, round(seconds))), "-P", str(streams), "-C", "cubic", "-J")
            spent = processor_seconds() - before
        received = json.loads(report)["end"]["sum_received"]
        return received["bits_per_second"] / 1e9, spent * 1e3 / (received["bytes"] * 8 / 1e9)
    return measure


def datagrams(flows, receive="receive"):
    def measure(programs, seconds):
        load = f"{programs}/udp_load"
        with on_server(load, receive, PORT, str(seconds - 0.3), said="ready") as receiver:
            on_client(load, "send", SERVER_ADDRESS, PORT, str(seconds), str(flows), "64")
            return (float(receiver.communicate(timeout=10)[0]) / 1e3,)
    return measure


def connections(programs, seconds):
    load = f"{programs}/tcp_load"
    with on_server(load, "serve", PORT, said="ready"):
        return (float(on_client(load, "open", SERVER_ADDRESS, PORT, str(seconds), IN_FLIGHT)) / 1e3,)


def answer_times(programs, seconds):
    load = f"{programs}/udp_load"
    with on_server(load, "echo", PORT, said="ready"):
        return tuple(map(float, on_client(load, "ask", SERVER_ADDRESS, PORT, str(seconds)).split()))


def tcp_figures(name):
    return Figure(f"TCP, {name}", "Gb/s"), Figure(f"processor time, TCP, {name}", "ms/Gbit", more_is_better=False)


def udp_figures(name):
    return (Figure(f"UDP, 64 bytes, {name}", "kpps"),)


LOADS = {
    "tcp1": Load(tcp_figures("one stream"), tcp(1)),
    "tcp4": Load(tcp_figures("four streams"), tcp(4)),
    "tcp9000": Load(tcp_figures("one stream, MTU 9000"), tcp(1), mtu=9000),
    "udp1": Load(udp_figures("one flow"), datagrams(1)),
    "udp8": Load(udp_figures("eight flows"), datagrams(8)),
    "gro1": Load(udp_figures("one flow, UDP_GRO"), datagrams(1, "receive-gro")),
    "gro8": Load(udp_figures("eight flows, UDP_GRO"), datagrams(8, "receive-gro")),
    "new": Load((Figure("new TCP connections", "k/s"),), connections),
    "rtt": Load((Figure("round trip, median", "us", more_is_better=False), Figure("round trip, 99th percentile", "us", more_is_better=False)), answer_times),
}
