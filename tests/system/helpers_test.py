#!/usr/bin/env python3
"""Applications that need a helper, through a router that lets nothing else pass: FTP, TFTP, a call by SIP.

    helpers_test.py NSROUTER

Needs root, curl, and pyftpdlib (python3-pyftpdlib) as the FTP server. The telephones and the TFTP server are scripted here.
"""
import contextlib
import re
import socket
import struct
import subprocess
import sys
import threading

import harness

CONFIG = """
[rules]
ipv4 = "rules.v4"
ipv6 = "rules.v6"
"""
# New connections are those that a client of lan begins to a port that a helper looks after, or that somebody announced.
RULES = """*raw
-A PREROUTING -p tcp --dport 21 -j CT --helper ftp
-A PREROUTING -p udp --dport 69 -j CT --helper tftp
-A PREROUTING -p udp --dport 5060 -j CT --helper sip
COMMIT
*nat
{dnat}-A POSTROUTING -o wan -j MASQUERADE
COMMIT
*filter
:FORWARD DROP [0:0]
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -p tcp --dport 21 -j ACCEPT
-A FORWARD -i lan -p udp -m multiport --dports 69,5060 -j ACCEPT
COMMIT
"""
DNAT = "-A PREROUTING -i wan -p tcp --dport 21 -j DNAT --to-destination 10.0.1.2\n"
FILE = "".join(f"line {number}\n" for number in range(20000))


def python_with(module):
    """An interpreter that has the module: this one, or that of the system's packages."""
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0:
            return python
    return None


PYTHON = python_with("pyftpdlib")


# --- FTP ---
def ftp_server(test, netns, address):
    """A server of everything in a folder, until the test ends."""
    folder = test.folder / f"ftp-{netns}"
    folder.mkdir(exist_ok=True)
    (folder / "file").write_text(FILE)
    server = subprocess.Popen(["ip", "netns", "exec", test.netns(netns), PYTHON, "-m", "pyftpdlib", "-i", address, "-p", "21", "-w", "-d", str(folder)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    for line in server.stderr:
        if "starting FTP server" in line:
            break
    threading.Thread(target=server.stderr.read, daemon=True).start()

    def end():
        server.kill()
        server.wait()
    test.stack.callback(end)
    return folder


def ftp(test, what, client, server, *options):
    """Fetches and stores a file; the options say how the data connection is made."""
    host = f"[{server}]" if ":" in server else server
    fetched = test.curl(*options, f"ftp://{host}/file", netns=client)
    test.check(f"{what}: fetched", fetched.stdout == FILE, (len(fetched.stdout), fetched.stderr))
    stored = test.curl(*options, "-T", test.write("mine", FILE), f"ftp://{host}/stored", netns=client)
    return stored


def ftp_through_masquerade(test):
    for server in ("192.0.2.2", "2001:db8::2"):
        folder = ftp_server(test, "outside", server)
        ways = [("active, EPRT", "-P", "-"), ("passive, EPSV",)]
        if ":" not in server:
            ways += [("active, PORT", "-P", "-", "--disable-eprt"), ("passive, PASV", "--disable-epsv", "--no-ftp-skip-pasv-ip")]
        for name, *options in ways:
            what = f"FTP through MASQUERADE to {server}, {name}"
            stored = ftp(test, what, "inside", server, *options)
            path = folder / "stored"
            test.check(f"{what}: stored", path.exists() and path.read_text() == FILE, stored.stderr)
            path.unlink(missing_ok=True)


def ftp_to_dnat(test):
    folder = ftp_server(test, "inside", "10.0.1.2")
    for name, *options in (("PASV", "--disable-epsv", "--no-ftp-skip-pasv-ip"), ("EPSV",)):
        what = f"FTP to a server behind DNAT, {name}"
        stored = ftp(test, what, "outside", "192.0.2.1", *options)
        path = folder / "stored"
        test.check(f"{what}: stored", path.exists() and path.read_text() == FILE, stored.stderr)
        path.unlink(missing_ok=True)


# --- TFTP, RFC 1350 ---
def tftp_server(test, address):
    """Answers one request after the other, each from a port of its own; -> what was stored, by name."""
    stored = {}
    door = test.udp("outside", address, 69)
    door.settimeout(None)

    def read(sock, peer):
        data = FILE.encode()
        for block in range(len(data) // 512 + 1):
            sock.sendto(struct.pack(">HH", 3, block + 1) + data[512 * block:512 * (block + 1)], peer)
            sock.recv(100)

    def write(sock, peer, name):
        sock.sendto(struct.pack(">HH", 4, 0), peer)
        data = b""
        while True:
            packet = sock.recv(600)
            sock.sendto(struct.pack(">HH", 4, packet[2] << 8 | packet[3]), peer)
            data += packet[4:]
            if len(packet) < 516:
                stored[name] = data.decode()
                return

    def serve():
        while True:
            try:
                request, peer = door.recvfrom(600)
            except OSError:
                return
            sock = test.udp("outside", address)
            with contextlib.suppress(TimeoutError):
                name = request[2:].split(b"\0")[0].decode()
                read(sock, peer) if request[1] == 1 else write(sock, peer, name)

    threading.Thread(target=serve, daemon=True).start()
    return stored


def tftp(test):
    for server in ("192.0.2.2", "2001:db8::2"):
        stored = tftp_server(test, server)
        host = f"[{server}]" if ":" in server else server
        fetched = test.curl("--tftp-no-options", f"tftp://{host}/file", netns="inside")
        test.check(f"TFTP from {server}: fetched", fetched.stdout == FILE, (len(fetched.stdout), fetched.stderr))
        put = test.curl("--tftp-no-options", "-T", test.write("mine", FILE), f"tftp://{host}/stored", netns="inside")
        test.check(f"TFTP from {server}: stored", put.returncode == 0 and stored.get("stored") == FILE, put.stderr)


# --- SIP, RFC 3261 ---
def sip(first, cseq, contact, body=""):
    return (f"{first}\r\nVia: SIP/2.0/UDP {contact};branch=z9hG4bK1\r\nFrom: <sip:ann@{contact}>;tag=1\r\nTo: <sip:bob@192.0.2.2>\r\nCall-ID: 1\r\n"
            f"CSeq: {cseq}\r\nContact: <sip:ann@{contact}>;expires=60\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode()


def sdp(address, port):
    return f"v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"


def heard(sock):
    with contextlib.suppress(TimeoutError):
        return sock.recvfrom(2000)
    return b"", ("", 0)


def expected(test):
    return int(test.cli("conntrack", "-C", "expect").stdout)


def sip_call(test):
    phone, proxy = test.udp("inside", "10.0.1.2", 5060), test.udp("outside", "192.0.2.2", 5060)
    phone.sendto(sip("REGISTER sip:192.0.2.2 SIP/2.0", "1 REGISTER", "10.0.1.2:5060"), ("192.0.2.2", 5060))
    request, peer = heard(proxy)
    test.check("SIP: the registrar is told an address that it can reach", b"Contact: <sip:ann@192.0.2.1:5060>" in request and b"10.0.1.2" not in request, request)
    listing = test.cli("conntrack", "-L", "expect").stdout
    test.check("SIP: the registration is listed, inactive yet", re.search(r"dport=5060 .*PERMANENT,INACTIVE class=0 helper=sip", listing), listing)
    answer = request.replace(b"REGISTER sip:192.0.2.2 SIP/2.0", b"SIP/2.0 200 OK")
    proxy.sendto(answer, peer)
    test.check("SIP: the telephone hears its own address", b"Contact: <sip:ann@10.0.1.2:5060>" in heard(phone)[0])
    caller = test.udp("outside", "192.0.2.2", 5070)
    caller.sendto(b"OPTIONS sip:ann@192.0.2.1 SIP/2.0\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n", ("192.0.2.1", 5060))
    test.check("SIP: who registered is reached from another port", heard(phone)[0].startswith(b"OPTIONS sip:ann@10.0.1.2"))

    voice, other_voice = test.udp("inside", "10.0.1.2", 40000), test.udp("outside", "192.0.2.2", 50000)
    test.udp("outside", "192.0.2.2", 50002).sendto(b"too early", ("192.0.2.1", 40000))
    phone.sendto(sip("INVITE sip:bob@192.0.2.2 SIP/2.0", "2 INVITE", "10.0.1.2:5060", sdp("10.0.1.2", 40000)), ("192.0.2.2", 5060))
    invite, peer = heard(proxy)
    media = re.search(rb"c=IN IP4 (\S+)\r\n.*m=audio (\d+)", invite, re.S)
    test.check("SIP: the callee is told where to send its voice", media and media.group(1) == b"192.0.2.1" and b"10.0.1.2" not in invite, invite)
    length = re.search(rb"Content-Length: (\d+)", invite)
    test.check("SIP: and how long the description is now", length and int(length.group(1)) == len(invite.split(b"\r\n\r\n", 1)[1]), invite)
    body = sdp("192.0.2.2", 50000)
    head = invite.split(b"\r\n\r\n", 1)[0].replace(b"INVITE sip:bob@192.0.2.2 SIP/2.0", b"SIP/2.0 200 OK").replace(length.group(0), f"Content-Length: {len(body)}".encode())
    proxy.sendto(head + b"\r\n\r\n" + body.encode(), peer)
    test.check("SIP: the call is answered", heard(phone)[0].startswith(b"SIP/2.0 200 OK"))
    other_voice.sendto(b"hello", (media.group(1).decode(), int(media.group(2))))
    test.check("SIP: a voice from outside", heard(voice) == (b"hello", ("192.0.2.2", 50000)))
    voice.sendto(b"hi", ("192.0.2.2", 50000))
    test.check("SIP: and one from inside", heard(other_voice) == (b"hi", (media.group(1).decode(), int(media.group(2)))))
    before = expected(test)
    phone.sendto(sip("BYE sip:bob@192.0.2.2 SIP/2.0", "3 BYE", "10.0.1.2:5060"), ("192.0.2.2", 5060))
    heard(proxy)
    test.check("SIP: what was still expected of the call is forgotten, the registration is not", before > 1 and expected(test) == 1, (before, expected(test)))
    flushed = test.cli("conntrack", "-F", "expect")
    test.check("conntrack -F expect", "expectation table has been emptied" in flushed.stderr and expected(test) == 0, flushed.stderr)


def run(test):
    if PYTHON is None:
        print("skipped: this needs python3-pyftpdlib", file=sys.stderr)
        sys.exit(harness.SKIPPED)
    test.write("rules.v4", RULES.format(dnat=DNAT))
    test.write("rules.v6", RULES.format(dnat=""))
    test.start(test.write("router.toml", test.inside_outside(CONFIG, v6=True)))
    ftp_through_masquerade(test)
    ftp_to_dnat(test)
    tftp(test)
    sip_call(test)


if __name__ == "__main__":
    sys.exit(harness.main(run))
