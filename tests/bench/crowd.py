"""A router of very many connections, and what it is asked: what the benchmarks of it share."""
import http.client
import socket
import subprocess
import sys

import events
import live

CONFIG = events.CONFIG.replace("nf_conntrack_max\" = 400000", "nf_conntrack_max\" = 4000000").replace("buckets\" = 262144", "buckets\" = 1048576").replace(
    "udp_timeout\" = 1", "udp_timeout\" = 36000")
COUNT = "net.netfilter.nf_conntrack_count"
PACKET = f"udp 10.78.1.2:4000 > {live.SERVER}:9 in lan"


def get(path, headers=None):
    """Reads an answer as it comes; how many bytes it has."""
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(f"/run/nsrouter/{live.NAME}.sock")
    connection.request("GET", path, headers=headers or {})
    answer, size = connection.getresponse(), 0
    if answer.status != 200:
        sys.exit(f"{path}: {answer.status} {answer.read(200)}")
    while piece := answer.read1(1 << 20):
        size += len(piece)
    connection.close()
    return size


def explain(router):
    return len(router.cli("explain", PACKET))


def listed(router):
    with subprocess.Popen([router.program, "--control", live.NAME, "conntrack", "-L"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        return sum(len(piece) for piece in iter(lambda: process.stdout.read(1 << 20), b""))


def fill(router, options):
    """New connections until there are enough."""
    count = int(router.cli("sysctl", "-n", COUNT))
    while count < options.connections:
        subprocess.run(live.inside("c", options.probe, "flows", events.FLOOD_NET, str(options.connections / 50000 + 1), "60000"), check=True, stdout=subprocess.DEVNULL)
        now = int(router.cli("sysctl", "-n", COUNT))
        if now <= count:
            sys.exit(f"the table stays at {now} connections")
        count = now
    return count
