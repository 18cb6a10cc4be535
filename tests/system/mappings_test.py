#!/usr/bin/env python3
"""Which outside port is whose, why it is that one, and a NAT that is switched off and on or gets another address.

    mappings_test.py NSROUTER
"""
import sys

import harness

RULES = """
[[rules.nat.POSTROUTING]]
out-interface = "wan"
protocol = "udp"
jump = "MASQUERADE"
profile = "full-cone"
[[rules.nat.POSTROUTING]]
out-interface = "wan"
jump = "MASQUERADE"
"""
INSIDE, OUTSIDE, OWN = "10.0.1.2", "192.0.2.2", "192.0.2.1"


def heard(sock):
    try:
        return sock.recvfrom(100)
    except TimeoutError:
        return None


def waiting(sock):
    """What has arrived already."""
    timeout = sock.gettimeout()
    sock.setblocking(False)
    try:
        return sock.recvfrom(100)
    except BlockingIOError:
        return None
    finally:
        sock.settimeout(timeout)


def test(h):
    h.start(h.write("router.toml", h.inside_outside(RULES)))
    client, server, stranger = h.udp("inside", INSIDE, 4000), h.udp("outside", OUTSIDE, 5000), h.udp("outside", OUTSIDE, 6000)
    client.sendto(b"hello", (OUTSIDE, 5000))
    h.check("the server sees the outside endpoint", heard(server) == (b"hello", (OWN, 4000)))
    line = f"udp src={INSIDE} sport=4000 mapped-src={OWN} mapped-sport=4000 mapping=endpoint-independent filtering=endpoint-independent sessions=1 port-kept=yes\n"
    h.check("nat list shows it", h.cli("nat", "list").stdout == line, h.cli("nat", "list"))
    stranger.sendto(b"let me in", (OWN, 4000))
    h.check("a stranger gets in to it", heard(client) == (b"let me in", (OUTSIDE, 6000)))
    why = h.cli("nat", "why", "udp", f"{OWN}:4000")
    h.check("nat why says that it has its own port", "it has its own port outside" in why.stdout, why)
    nobody = h.cli("nat", "why", "udp", "10.0.1.99")
    h.check("nat why says that nobody is there", nobody.returncode == 1 and "nothing is translated" in nobody.stderr, nobody)
    h.check("nat ports counts it", h.cli("nat", "ports").stdout == f"udp mapped-src={OWN} ports=1024-65535 used=1 free=64511\n", h.cli("nat", "ports"))
    reboot(h, client, server, stranger)
    readdress(h, client, server)
    h.stop()


def reboot(h, client, server, stranger):
    for number in ("0", "-1", "x"):
        wrong = h.cli("nat", "reboot", f"--rule={number}")
        h.check(f"rule {number} there cannot be", wrong.returncode == 2 and f'needs a rule number from 1 on, not "{number}"' in wrong.stderr, wrong)
    wrong = h.cli("nat", "why", "udp", "nowhere")
    h.check("what is no endpoint is a wrong command line", wrong.returncode == 2 and "is no endpoint" in wrong.stderr, wrong)
    wrong = h.cli("nat", "reboot", "--rule", "7")
    h.check("there is no rule 7", wrong.returncode == 1 and "which has 2" in wrong.stderr, wrong)
    h.check("rule 2 mapped nothing", h.cli("nat", "reboot", "--rule", "2").returncode == 0 and h.cli("nat", "list").stdout.count("\n") == 1)
    h.check("nat reboot is done", h.cli("nat", "reboot").returncode == 0)
    h.check("nothing is mapped any more", h.cli("nat", "list").stdout == "")
    stranger.connect((OWN, 4000))  # hears of refusals
    stranger.send(b"again")
    try:
        answer = stranger.recv(100)
    except ConnectionRefusedError:
        answer = "refused"
    h.check("the router itself refuses a stranger", answer == "refused", answer)
    h.check("who has not been let in", waiting(client) is None)
    client.sendto(b"anew", (OUTSIDE, 5000))
    h.check("who goes out is mapped anew", heard(server) == (b"anew", (OWN, 4000)))


def readdress(h, client, server):
    gone = h.cli("ip", "addr", "del", "192.0.2.1/24", "dev", "wan")
    h.check("the address goes, and what was behind it", gone.returncode == 0 and h.cli("nat", "list").stdout == "", gone)
    h.check("another address comes", h.cli("ip", "addr", "add", "192.0.2.9/24", "dev", "wan").returncode == 0)
    client.sendto(b"moved", (OUTSIDE, 5000))
    h.check("the server sees the new one", heard(server) == (b"moved", ("192.0.2.9", 4000)))


if __name__ == "__main__":
    sys.exit(harness.main(test))
