"""Two routers of the same links, addresses, routes and rules: nsrouter with a [host] namespace, and a Linux kernel."""
import subprocess

V4_REJECTS = "icmp-net-unreachable icmp-host-unreachable icmp-proto-unreachable icmp-port-unreachable icmp-net-prohibited icmp-host-prohibited icmp-admin-prohibited".split()
V6_REJECTS = "icmp6-no-route icmp6-adm-prohibited icmp6-addr-unreachable icmp6-port-unreachable icmp6-policy-fail icmp6-reject-route".split()
ROUTES = {"prohibit": ("203.0.113.0/28", "2001:db8:f:1::/64"), "unreachable": ("203.0.113.16/28", "2001:db8:f:2::/64"),
          "blackhole": ("203.0.113.32/28", "2001:db8:f:3::/64"), "throw": ("203.0.113.48/28", "2001:db8:f:4::/64")}
CLIENT, SERVER = ("10.0.1.2", "2001:db8:1::2"), ("192.0.2.2", "2001:db8:2::2")
LAN, WAN = ("10.0.1.1", "2001:db8:1::1"), ("192.0.2.1", "2001:db8:2::1")
BEYOND = ("198.51.100.9", "2001:db8:3::9")  # behind the server, over a link with an MTU of 1300
GROUPS = ("239.1.2.3", "ff05::1:3")
LAN_MTU = 1400


def rules(family):
    rejects, client, wan = (V4_REJECTS, CLIENT[0], WAN[0]) if family == 0 else (V6_REJECTS, CLIENT[1], WAN[1])
    target = client if family == 0 else f"[{client}]"
    lines = ["*nat", "-A PREROUTING -i lan -p tcp -m tcp --dport 8081 -j REDIRECT --to-ports 3128",
             "-A PREROUTING -i lan -p tcp -m tcp --dport 8082 -j REDIRECT --to-ports 3129",
             f"-A OUTPUT -p tcp -m tcp --dport 8080 -j DNAT --to-destination {target}:80",
             "-A OUTPUT -p tcp -m tcp --dport 8081 -j REDIRECT --to-ports 3128",
             "-A OUTPUT -p udp -m udp --dport 8083 -j REDIRECT --to-ports 2222", "-A OUTPUT -p udp -m udp --dport 8084 -j REDIRECT --to-ports 2223",
             f"-A OUTPUT -p tcp -m tcp --dport 8085 -j DNAT --to-destination {target}:8086",
             f"-A POSTROUTING -o lan -s {wan} -j MASQUERADE", "COMMIT", "*filter"]
    for protocol in ("tcp", "udp"):
        for index, reject in enumerate(rejects):
            lines.append(f"-A OUTPUT -p {protocol} -m {protocol} --dport {7000 + index} -j REJECT --reject-with {reject}")
        lines.append(f"-A OUTPUT -p {protocol} -m {protocol} --dport 7020 -j DROP")
        lines.append(f"-A INPUT -p {protocol} -m {protocol} --dport 7022 -j REJECT")
        lines.append(f"-A INPUT -p {protocol} -m {protocol} --dport 7023 -j DROP")
    lines.append(f"-A OUTPUT -d {client} -p tcp -m tcp --dport 8086 -j REJECT")
    lines.append("-A OUTPUT -p tcp -m tcp --dport 7021 -j REJECT --reject-with tcp-reset")
    lines.append("COMMIT")
    return "\n".join(lines) + "\n"


def run(*command):
    subprocess.run(command, check=True)


def with_length(addresses):
    return [f"{addresses[0]}/24", f"{addresses[1]}/64"]


def product(h):
    h.write("rules.v4", rules(0))
    h.write("rules.v6", rules(1))
    routes = "".join(f'[[route]]\nto = "{to}"\ntype = "{kind}"\n' for kind, both in ROUTES.items() for to in both)
    config = h.write("router.toml", h.config(
        f'[host]\nnetns = "{h.netns("router")}"',
        h.link("lan", "client", with_length(LAN), with_length(CLIENT), more=f"mtu = {LAN_MTU}"),
        h.link("wan", "server", with_length(WAN), with_length(SERVER)),
        f'[[route]]\nto = "198.51.100.0/24"\nvia = "{SERVER[0]}"\n[[route]]\nto = "2001:db8:3::/64"\nvia = "{SERVER[1]}"',
        routes + '[rules]\nipv4 = "rules.v4"\nipv6 = "rules.v6"'))
    h.start(config)
    beyond(h)
    return config


def kernel(h):
    for name in ("client", "server", "router"):
        run("ip", "netns", "add", h.netns(name))
        run("ip", "-n", h.netns(name), "link", "set", "lo", "up")
    for device, far in (("lan", "client"), ("wan", "server")):
        run("ip", "link", "add", device, "netns", h.netns("router"), "type", "veth", "peer", "name", device, "netns", h.netns(far))
    for name, device, addresses in (("router", "lan", LAN), ("router", "wan", WAN), ("client", "lan", CLIENT), ("server", "wan", SERVER)):
        run("ip", "-n", h.netns(name), "address", "add", f"{addresses[0]}/24", "dev", device)
        run("ip", "-n", h.netns(name), "address", "add", f"{addresses[1]}/64", "dev", device, "nodad")
        run("ip", "-n", h.netns(name), "link", "set", device, "up", "mtu", str(LAN_MTU if device == "lan" else 1500))
    for name, gateway in (("client", LAN), ("server", WAN)):
        for address in gateway:
            run("ip", "-n", h.netns(name), "route", "add", "default", "via", address)
    for to, via in (("198.51.100.0/24", SERVER[0]), ("2001:db8:3::/64", SERVER[1])):
        run("ip", "-n", h.netns("router"), "route", "add", to, "via", via)
    for kind, both in ROUTES.items():
        for to in both:
            run("ip", "-n", h.netns("router"), "route", "add", kind, to)
    enter = ("ip", "netns", "exec", h.netns("router"))
    run(*enter, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
    run(*enter, "iptables-legacy-restore", h.write("rules.v4", rules(0)))
    run(*enter, "ip6tables-legacy-restore", h.write("rules.v6", rules(1)))
    beyond(h)


def beyond(h):
    """The server is a router, too: to a link with a smaller MTU."""
    server = h.netns("server")
    run("ip", "-n", server, "link", "add", "small", "mtu", "1300", "type", "veth", "peer", "name", "end")
    run("ip", "-n", server, "link", "set", "end", "up")
    run("ip", "-n", server, "link", "set", "small", "up")
    run("ip", "-n", server, "address", "add", "198.51.100.1/24", "dev", "small")
    run("ip", "-n", server, "address", "add", "2001:db8:3::1/64", "dev", "small", "nodad")
    run("ip", "netns", "exec", server, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
