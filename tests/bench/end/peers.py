"""Other routers in userspace, as Debian packages them."""
import contextlib
import os
import subprocess
import tempfile

from ends import (CLIENT, CLIENT_ADDRESS, CLIENT_GATEWAY, ROUTER, SERVER, SERVER_ADDRESS, SERVER_GATEWAY, TAG, add_address, inside, join_client, join_server, namespaces, run, running,
                  wait_until_routed)

LAN_MAC, WAN_MAC, CLIENT_MAC, SERVER_MAC = (f"02:00:00:00:00:0{n}" for n in range(1, 5))
FLOWS = f"""
table=0,ip,actions=ct(table=1,nat)
table=1,ip,in_port=lan,ct_state=+trk+new,actions=ct(commit,nat(src={SERVER_GATEWAY})),goto_table:2
table=1,ip,ct_state=+trk+est,actions=goto_table:2
table=1,ip,ct_state=+trk+rel,actions=goto_table:2
table=2,ip,in_port=lan,actions=mod_dl_src:{WAN_MAC},mod_dl_dst:{SERVER_MAC},dec_ttl,output:wan
table=2,ip,in_port=wan,actions=mod_dl_src:{LAN_MAC},mod_dl_dst:{CLIENT_MAC},dec_ttl,output:lan
"""


@contextlib.contextmanager
def open_vswitch(_, mtu):
    """Its userspace datapath. It takes packets as they leave a veth: with complete checksums, and of the size of the MTU."""
    with namespaces(CLIENT, ROUTER, SERVER), tempfile.TemporaryDirectory(prefix=TAG) as folder:
        join_client(mtu)
        join_server(mtu)
        for netns, mac, gateway, gateway_mac in ((CLIENT, CLIENT_MAC, CLIENT_GATEWAY, LAN_MAC), (SERVER, SERVER_MAC, SERVER_GATEWAY, WAN_MAC)):
            run("ip", "-n", netns, "link", "set", "eth0", "address", mac)
            run("ip", "-n", netns, "neighbour", "replace", gateway, "lladdr", gateway_mac, "dev", "eth0")
            run(*inside(netns, "ethtool", "-K", "eth0", "tx", "off", "tso", "off", "gso", "off"))
        with open_vswitch_daemons(folder):
            yield


@contextlib.contextmanager
def open_vswitch_daemons(folder):
    own = {"env": os.environ | {"OVS_RUNDIR": folder, "OVS_LOGDIR": folder, "OVS_DBDIR": folder}}
    quiet = own | {"stderr": subprocess.DEVNULL}
    database, socket, bridge = f"{folder}/conf.db", f"unix:{folder}/db.sock", f"unix:{folder}/br0.mgmt"
    run("ovsdb-tool", "create", database, "/usr/share/openvswitch/vswitch.ovsschema", **own)
    with running("ovsdb-server", database, f"--remote=p{socket}", f"--unixctl={folder}/database.ctl", **quiet):
        run("ovs-vsctl", f"--db={socket}", "--retry", "--no-wait", "init", **own)
        with running(*inside(ROUTER, "ovs-vswitchd", socket, f"--unixctl={folder}/switch.ctl"), **quiet):
            bridge_of_netdevs = ["add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=netdev", "fail_mode=secure"]
            run("ovs-vsctl", f"--db={socket}", "--timeout=10", *bridge_of_netdevs, "--", "add-port", "br0", "lan", "--", "add-port", "br0", "wan", **own)
            run("ovs-ofctl", "--names", "add-flows", bridge, "-", input=FLOWS, **own)
            yield


@contextlib.contextmanager
def slirp4netns(_, mtu):
    with namespaces(CLIENT, ROUTER, SERVER):
        join_server(mtu)
        add_address(ROUTER, "wan", SERVER_GATEWAY)
        command = ["slirp4netns", "--configure", f"--mtu={mtu}", "--netns-type=path", f"/run/netns/{CLIENT}", "tap0"]
        with running(*inside(ROUTER, *command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
            wait_until_routed()
            yield


@contextlib.contextmanager
def pasta(_, mtu):
    with namespaces(CLIENT, ROUTER, SERVER):
        join_server(mtu)
        add_address(ROUTER, "wan", SERVER_GATEWAY)
        run("ip", "-n", ROUTER, "route", "add", "default", "via", SERVER_ADDRESS)
        device = ["--config-net", "-a", CLIENT_ADDRESS, "-n", "24", "-g", CLIENT_GATEWAY, "-i", "wan", "-I", "tap0", "-m", str(mtu)]
        no_ports = [word for option in ("-t", "-u", "-T", "-U") for word in (option, "none")]
        command = ["pasta", "--foreground", "--quiet", "--runas", "0", *device, *no_ports, "--netns", f"/run/netns/{CLIENT}"]
        with running(*inside(ROUTER, *command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
            wait_until_routed()
            # What the device's queue drops, pasta (of 2023) waits seconds for.
            run("ip", "-n", CLIENT, "link", "set", "tap0", "txqueuelen", "10000")
            yield
