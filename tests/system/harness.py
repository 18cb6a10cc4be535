"""A running router with real namespaces, for the tests in this folder: unique names, always cleaned up.

Sockets of a namespace are made in this process (they stay in the namespace they were made in), so that nothing has to
be waited for but the router itself, and for that there is `nsrouter status --wait`.
"""
import contextlib
import ctypes
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

SKIPPED = 77
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000


class Harness:
    """Counts checks and holds what has to go at the end."""

    def __init__(self, program):
        self.program = os.path.abspath(program)
        self.id = f"nsrt{os.getpid()}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=self.id))
        self.passed = self.failed = 0
        self.stack = contextlib.ExitStack()
        self.router = None
        self.port = free_port()

    def check(self, what, condition, seen=""):
        self.passed, self.failed = self.passed + bool(condition), self.failed + (not condition)
        print(f"{'ok  ' if condition else 'FAIL'} {what}" + ("" if condition else f"\n     saw: {seen!r}"), flush=True)

    # --- configurations ---
    def netns(self, name):
        return f"{self.id}-{name}"

    def adapt(self, text, name="router"):
        """A configuration of configs/ with this test's names in the place of its own."""
        lines = []
        for line in text.splitlines():
            key, equals, value = line.partition("=")
            if key.strip() == "netns" and equals:
                line = f'netns = "{self.netns(value.strip().strip(chr(34)))}"'
            elif key.strip() in ("listen",) or line.strip() in ("[router]", "[control]") or key.strip() == "name" and "demo" in value:
                continue
            lines.append(line)
        return self.config("\n".join(lines), name=self.instance(name))

    def config(self, *parts, name=None, port=None):
        """A router of this test's, and what more its configuration says."""
        head = f'[router]\nname = "{name or self.instance()}"\n[control]\nlisten = "127.0.0.1:{port or self.port}"\n'
        return head + "\n".join(parts) + "\n"

    def link(self, name, netns, addresses, hosts, routes=("default",), more=""):
        """An [[interface]] with its prefixes, those of the host at its other end, and what the host sends through it."""
        lines = ["[[interface]]", f'name = "{name}"', f'netns = "{self.netns(netns)}"', f"address = {json.dumps(list(addresses))}",
                 f"host.address = {json.dumps(list(hosts))}", f"host.routes = {json.dumps(list(routes))}" if routes else "", more]
        return "\n".join(line for line in lines if line)

    def inside_outside(self, more="", name=None, v6=False, inside="inside", outside="outside", lan="", wan=""):
        """A router between a host inside (10.0.1.2, fd00:1::2) and one outside (192.0.2.2, 2001:db8::2), and what more its configuration says."""
        def both(four, six):
            return (four, six) if v6 else (four,)
        return self.config(self.link("lan", inside, both("10.0.1.1/24", "fd00:1::1/64"), both("10.0.1.2/24", "fd00:1::2/64"), more=lan),
                           self.link("wan", outside, both("192.0.2.1/24", "2001:db8::1/64"), both("192.0.2.2/24", "2001:db8::2/64"), routes=(), more=wan),
                           more, name=name)

    def instance(self, name="router"):
        return f"{self.id}-{name}"

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return str(path)

    # --- the router ---
    def start(self, config, ready=True, **options):
        """Runs in the foreground of a child; returns once it answers."""
        self.router = subprocess.Popen([self.program, "run", config], stdout=subprocess.PIPE, stderr=open(self.folder / "log", "w"), text=True, **options)
        if ready:
            answer = self.cli("status", "--wait", "20")
            if answer.returncode:
                raise SystemExit(f"the router did not start: {answer.stderr}{(self.folder / 'log').read_text()}")

    def start_beside(self, config, name):
        """One more router; it ends with the test."""
        router = subprocess.Popen([self.program, "run", config], stdout=subprocess.DEVNULL, stderr=open(self.folder / f"log-{name}", "w"))
        self.stack.callback(lambda: (router.terminate(), router.wait(20)))
        answer = self.run("--control", self.instance(name), "status", "--wait", "20")
        if answer.returncode:
            raise SystemExit(f"the router {name} did not start: {answer.stderr}{(self.folder / f'log-{name}').read_text()}")

    def stop(self, number=signal.SIGTERM):
        if self.router and self.router.poll() is None:
            self.router.send_signal(number)
        code = self.router.wait(20) if self.router else None
        self.router = None
        return code

    def run(self, *arguments, **options):
        return subprocess.run([self.program, *arguments], capture_output=True, text=True, timeout=60, **options)

    def cli(self, *arguments, **options):
        return self.run("--control", self.instance(), *arguments, **options)

    def follow_log(self, word, times):
        """The log, as `dmesg -w` shows it, up to the line that has `word` for the `times`th time."""
        with subprocess.Popen([self.program, "--control", self.instance(), "dmesg", "-w"], stdout=subprocess.PIPE, text=True) as dmesg:
            alarm = threading.Timer(20, dmesg.kill)
            alarm.start()
            text = ""
            for line in dmesg.stdout:
                text += line
                if text.count(word) >= times:
                    break
            alarm.cancel()
            dmesg.kill()
        return text

    def status(self):
        return json.loads(self.cli("status", "-j").stdout)

    def curl(self, *arguments, netns=None):
        prefix = ["ip", "netns", "exec", self.netns(netns)] if netns else []
        return subprocess.run([*prefix, "curl", "-s", "-S", "-g", "--max-time", "10", *arguments], capture_output=True, text=True, timeout=30)

    def get(self, path):
        return self.curl(f"http://127.0.0.1:{self.port}{path}").stdout

    def request(self, method, path, body=None, *arguments):
        """(status, body)"""
        data = [] if body is None else ["--data-binary", body]
        text = self.curl("-X", method, *data, *arguments, "-w", "\n%{http_code}", f"http://127.0.0.1:{self.port}{path}").stdout
        answer, _, code = text.rpartition("\n")
        return int(code), answer

    def put(self, path, text):
        return self.request("PUT", path, text)

    # --- hosts ---
    def inside(self, netns, action):
        """Runs `action` in a namespace; sockets it makes stay there."""
        here, there = os.open("/proc/thread-self/ns/net", os.O_RDONLY), os.open(f"/run/netns/{self.netns(netns)}", os.O_RDONLY)
        try:
            setns(there)
            return action()
        finally:
            setns(here)
            os.close(here)
            os.close(there)

    def web_server(self, netns, address, port, text):
        """Serves `text` on every path until the test ends; the peer's address is its last line."""

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = (text + "\n" + self.client_address[0]).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
            daemon_threads = True

        server = self.inside(netns, lambda: Server((address, port), Handler))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.stack.callback(server.shutdown)

    def udp(self, netns, address, port=0):
        sock = self.inside(netns, lambda: socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM))
        sock.settimeout(5)
        sock.bind((address, port))
        self.stack.callback(sock.close)
        return sock

    def ping(self, netns, address):
        return subprocess.run(["ip", "netns", "exec", self.netns(netns), "ping", "-n", "-c", "1", "-W", "5", address], capture_output=True, text=True)

    # --- the end ---
    def leftovers(self):
        """What of this test's is still there."""
        found = [str(path) for folder in ("/run/netns", "/run/nsrouter") if os.path.isdir(folder) for path in pathlib.Path(folder).iterdir() if path.name.startswith(self.id)]
        return sorted(found)

    def close(self):
        if self.router and self.router.poll() is None:
            self.router.kill()
            self.router.wait()
        self.stack.close()
        for path in self.leftovers():
            if path.startswith("/run/netns/"):
                subprocess.run(["ip", "netns", "del", os.path.basename(path)], check=False)
            else:
                os.unlink(path)
        shutil.rmtree(self.folder, ignore_errors=True)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def setns(descriptor):
    if LIBC.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def main(test, tools=("curl", "ip", "ping")):
    """Runs `test(harness)`; the program is the first argument."""
    if os.geteuid() != 0:
        print("skipped: network namespaces and TUN devices need root", file=sys.stderr)
        return SKIPPED
    missing = [tool for tool in tools if not shutil.which(tool)]
    if missing or not os.path.exists("/dev/net/tun"):
        print(f"skipped: this needs {' '.join(missing) or '/dev/net/tun'}", file=sys.stderr)
        return SKIPPED
    harness = Harness(sys.argv[1])
    try:
        test(harness)
    finally:
        harness.close()
    print(f"{harness.passed} passed, {harness.failed} failed")
    return 1 if harness.failed or not harness.passed else 0
