"""The two ends, the namespace between them, and the programs that run in them."""
import contextlib
import os
import subprocess
import time

TAG = f"nsrb{os.getpid()}"
CLIENT, ROUTER, SERVER = (f"{TAG}-{end}" for end in ("client", "router", "server"))
CLIENT_ADDRESS, CLIENT_GATEWAY = "10.77.1.2", "10.77.1.1"
SERVER_ADDRESS, SERVER_GATEWAY = "10.77.2.2", "10.77.2.1"


def run(*command, **options):
    return subprocess.run(command, check=True, text=True, capture_output=True, **options).stdout


def inside(netns, *command):
    return ["ip", "netns", "exec", netns, *command]


@contextlib.contextmanager
def running(*command, **options):
    process = subprocess.Popen(command, text=True, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


@contextlib.contextmanager
def namespaces(*names):
    with contextlib.ExitStack() as made:
        for name in names:
            made.callback(subprocess.run, ["ip", "netns", "delete", name], capture_output=True)
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
            # A socket made under bbr stays paced, whatever it is given later (docs/performance.md, What bounds it).
            run(*inside(name, "sysctl", "-qw", "net.ipv4.tcp_congestion_control=reno"))
        yield


def wait_until_routed():
    """Until the client's namespace has its device and routes."""
    deadline = time.monotonic() + 10
    while subprocess.run(["ip", "-n", CLIENT, "route", "get", SERVER_ADDRESS], capture_output=True).returncode != 0:
        if time.monotonic() > deadline:
            raise TimeoutError("no route to the server appeared in the client's namespace")
        time.sleep(0.02)


def add_address(netns, device, address):
    run("ip", "-n", netns, "address", "add", f"{address}/24", "dev", device)


def join(netns, address, device, mtu):
    """A veth pair between `eth0` of an end, and `device` of the router's namespace."""
    size = ("mtu", str(mtu))
    run("ip", "link", "add", "eth0", *size, "netns", netns, "type", "veth", "peer", "name", device, *size, "netns", ROUTER)
    add_address(netns, "eth0", address)
    run("ip", "-n", netns, "link", "set", "eth0", "up")
    run("ip", "-n", ROUTER, "link", "set", device, "up")


def join_client(mtu):
    join(CLIENT, CLIENT_ADDRESS, "lan", mtu)
    run("ip", "-n", CLIENT, "route", "add", "default", "via", CLIENT_GATEWAY)


def join_server(mtu):
    join(SERVER, SERVER_ADDRESS, "wan", mtu)
