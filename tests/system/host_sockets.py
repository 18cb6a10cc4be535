"""What sockets on a router see and are told: each function gives what it saw by name. The same for nsrouter and for a Linux kernel."""
import errno
import ipaddress
import select
import socket
import struct
import subprocess
import threading

from host_routers import BEYOND, CLIENT, GROUPS, LAN, ROUTES, SERVER, V4_REJECTS, V6_REJECTS, WAN


def make(h, netns, address, kind=socket.SOCK_STREAM, protocol=0):
    sock = h.inside(netns, lambda: socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind, protocol))
    if ":" in address and kind != socket.SOCK_RAW:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.settimeout(3)
    h.stack.callback(sock.close)
    return sock


def attempt(action):
    """The result, or the name of the errno."""
    try:
        return action()
    except TimeoutError:
        return "nothing"
    except OSError as error:
        return errno.errorcode[error.errno]


def tcp(h, address, port, wait=3, netns="router"):
    """What connect() says; of a connection what the other end sends."""
    sock = make(h, netns, address)
    sock.settimeout(wait)

    def talk():
        sock.connect((address, port))
        return sock.recv(99).decode()

    return attempt(talk)


def udp(h, address, port, wait=0.3):
    """What connect() or the next call after a datagram says."""
    sock = make(h, "router", address, socket.SOCK_DGRAM)
    sock.settimeout(wait)

    def talk():
        sock.connect((address, port))
        try:
            sock.send(b"x")
        except PermissionError:  # a kernel's OUTPUT says that it dropped; here nothing can
            pass
        return sock.recv(99).decode()

    return attempt(talk)


def serve(h, netns, address, port, kind=socket.SOCK_STREAM):
    """Says to everybody which addresses it sees."""
    sock = make(h, netns, address, kind)
    sock.settimeout(None)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address, port))
    if kind == socket.SOCK_STREAM:
        sock.listen(8)

    def stream():
        while True:
            peer, _ = sock.accept()
            peer.sendall(f"{netns}: {peer.getpeername()[0]} to {peer.getsockname()[0]}".encode())
            h.stack.callback(peer.close)

    def datagrams():
        while True:
            _, peer = sock.recvfrom(99)
            sock.sendto(f"{netns}: {peer[0]}".encode(), peer)

    threading.Thread(target=quietly(stream if kind == socket.SOCK_STREAM else datagrams), daemon=True).start()


def quietly(action):
    def guarded():
        try:
            action()
        except OSError:  # closed at the end
            pass
    return guarded


def errors_by_rules(h):
    seen = {}
    for family, rejects in enumerate((V4_REJECTS, V6_REJECTS)):
        for index, reject in enumerate(rejects):
            seen[f"tcp {reject}"] = tcp(h, SERVER[family], 7000 + index)
            seen[f"udp {reject}"] = udp(h, SERVER[family], 7000 + index)
        for what, port in (("dropped", 7020), ("reset", 7021)):
            seen[f"tcp {what} v{4 + 2 * family}"] = tcp(h, SERVER[family], port, 0.5)
        seen[f"many in a row v{4 + 2 * family}"] = sorted({udp(h, SERVER[family], 7003) for _ in range(20)})
    return seen


def inside_of(network):
    return str(ipaddress.ip_network(network)[1])


def errors_by_routes(h):
    seen = {}
    for kind, both in {**ROUTES, "no route": ("100.64.0.0/28", "2001:db8:9::/64")}.items():
        for to in both:
            address = inside_of(to)
            unconnected = make(h, "router", address, socket.SOCK_DGRAM)
            seen[f"{kind} {to}"] = tcp(h, address, 80), udp(h, address, 80), attempt(lambda s=unconnected, a=address: s.sendto(b"x", (a, 9)))
    return seen


def own_addresses(h):
    seen = {}
    for family in (0, 1):
        any_address = ("0.0.0.0", "::")[family]
        serve(h, "router", any_address, 3128)
        serve(h, "router", any_address, 2222)
        serve(h, "router", any_address, 7022)
        serve(h, "router", any_address, 2222, socket.SOCK_DGRAM)
        serve(h, "client", CLIENT[family], 80)
        serve(h, "server", SERVER[family], 2222)
        for what, port in (("open", 2222), ("closed", 2223), ("rejected by INPUT", 7022), ("rejected by OUTPUT", 7003), ("to a container", 8080), ("redirected", 8081)):
            for which, address in (("lan", LAN[family]), ("wan", WAN[family])):
                seen[f"tcp {which} {what} v{4 + 2 * family}"] = tcp(h, address, port)
        seen[f"tcp dropped by INPUT v{4 + 2 * family}"] = tcp(h, WAN[family], 7023, 0.5)
        for what, port in (("open", 2222), ("closed", 2223), ("rejected by INPUT", 7022), ("redirected", 8083), ("redirected to a closed port", 8084)):
            seen[f"udp {what} v{4 + 2 * family}"] = udp(h, WAN[family], port)
        seen[f"a stranger is redirected v{4 + 2 * family}"] = tcp(h, SERVER[family], 8081, netns="client")
        seen[f"the stranger's port elsewhere v{4 + 2 * family}"] = tcp(h, SERVER[family], 8081)
        seen[f"translated, then rejected v{4 + 2 * family}"] = tcp(h, WAN[family], 8085)
        seen[f"loopback v{4 + 2 * family}"] = tcp(h, ("127.0.0.1", "::1")[family], 2222)
        seen[f"ping v{4 + 2 * family}"] = h.ping("router", WAN[family]).returncode
        seen[f"large ping v{4 + 2 * family}"] = subprocess.run(
            ["ip", "netns", "exec", h.netns("router"), "ping", "-n", "-c", "1", "-W", "3", "-s", "9000", LAN[family]], capture_output=True).returncode
    return seen


def sources(h):
    """The address that a socket has after connect()."""
    seen = {}
    for family in (0, 1):
        for what, address in (("client", CLIENT), ("server", SERVER), ("beyond", BEYOND), ("own lan", LAN), ("own wan", WAN)):
            sock = make(h, "router", address[family], socket.SOCK_DGRAM)
            sock.connect((address[family], 9))
            seen[f"{what} v{4 + 2 * family}"] = sock.getsockname()[0]
        sock = make(h, "router", CLIENT[family])
        for name, netns, listener in (("lan", "client", CLIENT), ("wan", "server", SERVER)):
            server = make(h, netns, listener[family])
            server.bind((listener[family], 6000))
            server.listen(1)
            sock = make(h, "router", listener[family])
            sock.connect((listener[family], 6000))
            seen[f"MSS by {name} v{4 + 2 * family}"] = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
    return seen


def bound(h):
    """Sockets that have chosen their source themselves, large packets, and raw ones."""
    seen = {}
    for family, v, any_address, loopback in ((0, "v4", "0.0.0.0", "127.0.0.1"), (1, "v6", "::", "::1")):
        serve(h, "router", any_address, 2224)
        for what, source, address, port in (("lan to wan", LAN[family], WAN[family], 2224), ("lan to wan closed", LAN[family], WAN[family], 2225), ("lan to server", LAN[family], SERVER[family], 2225),
                                            ("lo to wan", loopback, WAN[family], 2224), ("wan to lo", WAN[family], loopback, 2224)):
            sock = make(h, "router", address)
            sock.bind((source, 0))
            seen[f"{what} {v}"] = attempt(lambda s=sock, a=address, p=port: (s.connect((a, p)), s.recv(99).decode())[1])
        receiver, sender = make(h, "router", WAN[family], socket.SOCK_DGRAM), make(h, "router", WAN[family], socket.SOCK_DGRAM)
        receiver.bind((WAN[family], 2300))
        seen[f"a large datagram {v}"] = attempt(lambda r=receiver, s=sender, f=family: (s.sendto(bytes(60000), (WAN[f], 2300)), len(r.recv(65535)))[1])
        sender = make(h, "router", WAN[family], socket.SOCK_RAW, (socket.IPPROTO_ICMP, socket.IPPROTO_ICMPV6)[family])
        for kind, both in ROUTES.items():
            seen[f"raw {kind} {v}"] = attempt(lambda s=sender, to=inside_of(both[family]): s.sendto(bytes(8), (to, 0)))
    return seen


def tracking(h):
    """The entries of connections to the router itself, both ends of which are its sockets."""
    seen = {}
    for family in (0, 1):
        for what, address, port in (("open", WAN[family], 2222), ("to a container", WAN[family], 8080), ("redirected", SERVER[family], 8081)):
            sock = make(h, "router", address)
            sock.connect((address, port))
            sock.recv(99)
            seen[f"tcp {what} v{4 + 2 * family}"] = entries(h, family, "tcp", sock.getsockname()[1])
        sock = make(h, "router", WAN[family], socket.SOCK_DGRAM)
        sock.connect((WAN[family], 2222))
        sock.send(b"x")
        sock.recv(99)
        seen[f"udp v{4 + 2 * family}"] = entries(h, family, "udp", sock.getsockname()[1])
    return seen


def entries(h, family, protocol, port):
    """Those that a connection from that port made, without what differs each time."""
    command = ["conntrack", "-L", "-f", ("ipv4", "ipv6")[family], "-p", protocol, "--orig-port-src", str(port)]
    command = h.cli(*command) if h.router else subprocess.run(["ip", "netns", "exec", h.netns("router"), *command], capture_output=True, text=True)
    lines = (line.split() for line in command.stdout.splitlines())
    return [" ".join(word.replace(str(port), "PORT") for at, word in enumerate(words) if at != 2 and not word.startswith(("mark=", "use="))) for words in lines]


IP_RECVERR, IPV6_RECVERR, MSG_ERRQUEUE = 11, 25, socket.MSG_ERRQUEUE


def from_outside(h):
    """Errors that others send about packets of the router's own."""
    seen = {}
    for family in (0, 1):
        v6 = family == 1
        seen[f"closed port v{4 + 2 * family}"] = udp(h, SERVER[family], 9, 3)
        # As traceroute does.
        sock = make(h, "router", BEYOND[family], socket.SOCK_DGRAM)
        level = socket.IPPROTO_IPV6 if v6 else socket.IPPROTO_IP
        sock.setsockopt(level, IPV6_RECVERR if v6 else IP_RECVERR, 1)
        sock.setsockopt(level, socket.IPV6_UNICAST_HOPS if v6 else socket.IP_TTL, 1)
        sock.sendto(b"probe", (BEYOND[family], 33434))
        poll = select.poll()
        poll.register(sock, 0)
        poll.poll(3000)
        _, control, _, _ = sock.recvmsg(100, 512, MSG_ERRQUEUE)
        code, origin, kind, icmp_code = struct.unpack("=IBBB", control[0][2][:7])
        offender = control[0][2][16:]
        seen[f"TTL v{4 + 2 * family}"] = errno.errorcode[code], origin, kind, icmp_code, socket.inet_ntop(sock.family, offender[8:24] if v6 else offender[4:8])
        # Path MTU discovery
        sock = make(h, "router", BEYOND[family], socket.SOCK_DGRAM)
        sock.setsockopt(level, 23 if v6 else 10, 2)  # MTU_DISCOVER: DO
        sock.connect((BEYOND[family], 9))
        sock.send(bytes(1350))
        poll = select.poll()
        poll.register(sock, 0)
        poll.poll(1000)
        seen[f"path MTU v{4 + 2 * family}"] = attempt(lambda s=sock: s.recv(9)), sock.getsockopt(level, 24 if v6 else 14)
    return seen


def groups(h):
    seen = {}
    for family in (0, 1):
        v6 = family == 1
        level = socket.IPPROTO_IPV6 if v6 else socket.IPPROTO_IP
        request = socket.inet_pton(socket.AF_INET6, GROUPS[1]) + struct.pack("=I", index_of(h, "lan")) if v6 else socket.inet_aton(GROUPS[0]) + socket.inet_aton(LAN[0])
        receiver = make(h, "router", GROUPS[family], socket.SOCK_DGRAM)
        receiver.bind((("0.0.0.0", "::")[family], 5353))
        receiver.settimeout(0.5)
        sender = make(h, "client", GROUPS[family], socket.SOCK_DGRAM)
        sender.bind((CLIENT[family], 0))
        if v6:
            sender.setsockopt(level, socket.IPV6_MULTICAST_IF, h.inside("client", lambda: socket.if_nametoindex("lan")))
        told = lambda: (sender.sendto(b"to all", (GROUPS[family], 5353)), attempt(lambda: receiver.recvfrom(9)[0].decode()))[1]  # noqa: E731
        seen[f"before v{4 + 2 * family}"] = told()
        receiver.setsockopt(level, socket.IPV6_JOIN_GROUP if v6 else socket.IP_ADD_MEMBERSHIP, request)
        receiver.settimeout(3)
        select.select([], [], [], 0.5)  # the kernel there reports the group after a random delay of its own
        seen[f"joined v{4 + 2 * family}"] = told()
        receiver.setsockopt(level, socket.IPV6_LEAVE_GROUP if v6 else socket.IP_DROP_MEMBERSHIP, request)
        receiver.settimeout(0.5)
        seen[f"left v{4 + 2 * family}"] = told()
        seen[f"sent v{4 + 2 * family}"] = sent_to_group(h, family)
    receiver = make(h, "client", LAN[0], socket.SOCK_DGRAM)
    receiver.bind(("10.0.1.255", 5354))
    sender = make(h, "router", LAN[0], socket.SOCK_DGRAM)
    seen["broadcast unasked"] = attempt(lambda: sender.sendto(b"x", ("10.0.1.255", 5354)))
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    sender.sendto(b"to all", ("10.0.1.255", 5354))
    seen["broadcast"] = attempt(lambda: receiver.recvfrom(9)[1][0])
    asked, client = make(h, "router", LAN[0], socket.SOCK_DGRAM), make(h, "client", LAN[0], socket.SOCK_DGRAM)
    asked.bind(("0.0.0.0", 67))
    client.bind(("0.0.0.0", 68))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    for address in ("255.255.255.255", "10.0.1.255", "224.0.0.1"):
        client.sendto(b"to all", (address, 67))
        seen[f"received {address}"] = attempt(lambda: asked.recvfrom(9)[1][0])
    sender = make(h, "router", LAN[0], socket.SOCK_DGRAM)
    sender.bind((LAN[0], 0))
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    sender.sendto(b"to all", ("255.255.255.255", 68))
    seen["sent 255.255.255.255"] = attempt(lambda: client.recvfrom(9)[1][0])
    return seen


def index_of(h, device):
    names = h.inside("router", lambda: dict((name, index) for index, name in socket.if_nameindex()))
    return names.get(device) or names["router"]


def sent_to_group(h, family):
    """Who the client sees, when the router sends to its group."""
    v6 = family == 1
    receiver = make(h, "client", GROUPS[family], socket.SOCK_DGRAM)
    receiver.bind((("0.0.0.0", "::")[family], 5355))
    lan = h.inside("client", lambda: socket.if_nametoindex("lan"))
    if v6:
        receiver.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, GROUPS[1]) + struct.pack("=I", lan))
    else:
        receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUPS[0]) + socket.inet_aton(CLIENT[0]))
    sender = make(h, "router", GROUPS[family], socket.SOCK_DGRAM)
    if v6:
        sender.bind((LAN[1], 0))
        sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index_of(h, "lan"))
        sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 1)
    else:
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(LAN[0]))
    sender.sendto(b"to all", (GROUPS[family], 5355))
    return attempt(lambda: receiver.recvfrom(9)[1][0])


OBSERVATIONS = (errors_by_rules, errors_by_routes, own_addresses, bound, tracking, sources, from_outside, groups)
