"""The ways from a client's namespace to a server's: who routes between the two. Each is set up for one measurement, and taken down after it."""
import contextlib
import dataclasses
import functools
import pathlib
import shutil
import subprocess
import tempfile
import typing

import peers
from ends import CLIENT, CLIENT_ADDRESS, CLIENT_GATEWAY, ROUTER, SERVER, SERVER_ADDRESS, SERVER_GATEWAY, TAG, add_address, inside, join_client, join_server, namespaces, run, running

TRANSLATION = """*nat
-A POSTROUTING -o wan -j MASQUERADE
COMMIT
"""
# Twenty rules, of which the last two accept.
TWENTY_RULES = TRANSLATION + "".join([
    "*filter\n:FORWARD DROP [0:0]\n",
    *(f"-A FORWARD -s 192.168.{n}.0/24 -p tcp -m tcp --dport {8000 + n} -j DROP\n" for n in range(9)),
    *(f"-A FORWARD -s 192.168.{n}.0/24 -p udp -m udp --dport {8000 + n} -j DROP\n" for n in range(9)),
    "-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n",
    "-A FORWARD -i lan -m conntrack --ctstate NEW -j ACCEPT\n",
    "COMMIT\n",
])

# A thousand more that have to be tried one by one, since they ask for the length of a packet: the router is what limits then.
DEAR_RULES = TWENTY_RULES.replace(":FORWARD DROP [0:0]\n", ":FORWARD DROP [0:0]\n" + "-A FORWARD -m length --length 1:20 -j DROP\n" * 1000)

CONFIG = f"""
[router]
name = "{TAG}"
{{keys}}
[control]
listen = ""
unix = "{{folder}}/control.sock"
[[interface]]
name = "lan"
device = "tun0"
netns = "{CLIENT}"
mtu = {{mtu}}
address = ["{CLIENT_GATEWAY}/24"]
host.address = ["{CLIENT_ADDRESS}/24"]
host.routes = ["default"]
[[interface]]
name = "wan"
device = "tun0"
netns = "{SERVER}"
mtu = {{mtu}}
address = ["{SERVER_GATEWAY}/24"]
host.address = ["{SERVER_ADDRESS}/24"]
[rules]
ipv4 = "rules.v4"
# Room for as many as the kernel has, where each that ended is remembered for minutes.
[sysctl]
"net.netfilter.nf_conntrack_max" = 262144
"""


@contextlib.contextmanager
def kernel(_, mtu, rules):
    with namespaces(CLIENT, ROUTER, SERVER):
        join_client(mtu)
        join_server(mtu)
        add_address(ROUTER, "lan", CLIENT_GATEWAY)
        add_address(ROUTER, "wan", SERVER_GATEWAY)
        run(*inside(ROUTER, "sysctl", "-qw", "net.ipv4.ip_forward=1"))
        run(*inside(ROUTER, "iptables-legacy-restore"), input=rules)
        yield


@contextlib.contextmanager
def nsrouter(program, mtu, keys, rules):
    with namespaces(CLIENT, SERVER), tempfile.TemporaryDirectory(prefix=TAG) as folder:
        config = pathlib.Path(folder, "router.toml")
        config.write_text(CONFIG.format(folder=folder, keys=keys, mtu=mtu))
        config.with_name("rules.v4").write_text(rules)
        with running(program, "run", str(config), stderr=subprocess.DEVNULL):
            run(program, "--control", f"{folder}/control.sock", "status", "--wait", "10")
            yield


@dataclasses.dataclass
class Way:
    about: str
    open: typing.Callable  # (program of nsrouter, MTU) as a context
    needs: tuple = ()  # (program, package of Debian), of a peer

    def missing(self):
        return [package for program, package in self.needs if not shutil.which(program)]


def of_kernel(about, rules):
    return Way(about, functools.partial(kernel, rules=rules))


def of_nsrouter(about, keys, rules=TWENTY_RULES):
    return Way(about, functools.partial(nsrouter, keys=keys, rules=rules))


BASE = "kernel"
WAYS = {
    BASE: of_kernel("veth, nf_conntrack and MASQUERADE of this machine's kernel", TRANSLATION),
    "filtered": of_kernel("the same with the twenty rules that nsrouter has", TWENTY_RULES),
    "default": of_nsrouter("nsrouter: connection tracking, MASQUERADE, twenty rules", ""),
    "plain": of_nsrouter('nsrouter, spin = "off" and coalesce = false', 'spin = "off"\ncoalesce = false'),
    "merge": of_nsrouter('nsrouter, spin = "off"', 'spin = "off"'),
    "spin": of_nsrouter("nsrouter, coalesce = false", "coalesce = false"),
    "long": of_nsrouter('nsrouter, spin = "1000us"', 'spin = "1000us"'),
    "busy": of_nsrouter('nsrouter, spin = "busy"', 'spin = "busy"'),
    "shards": of_nsrouter("nsrouter, shards = 2", "shards = 2"),
    "dear": of_nsrouter("nsrouter, a thousand rules that are tried one by one", "", DEAR_RULES),
    "dear-shards": of_nsrouter("the same, shards = 2", "shards = 2", DEAR_RULES),
    "alone": of_nsrouter("nsrouter, ring = false", "ring = false"),
    "openvswitch": Way("the userspace datapath of Open vSwitch, ct and nat", peers.open_vswitch, (("ovs-vswitchd", "openvswitch-switch"), ("ethtool", "ethtool"))),
    "slirp4netns": Way("slirp4netns, which ends every connection and begins another one, and a veth to the server", peers.slirp4netns, (("slirp4netns", "slirp4netns"),)),
    "pasta": Way("pasta, which does so too, and a veth to the server", peers.pasta, (("pasta", "passt"),)),
}
PEERS = [name for name, way in WAYS.items() if way.needs]
