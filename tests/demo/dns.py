#!/usr/bin/env python3
"""A name server behind a firewall that loses fragments: of its answer, 2000 bytes, only the first one gets through.   dns.py ADDRESS"""
import socket
import struct
import sys

ANSWER = b"answer, " * 250
FIRST = 1480  # bytes of the datagram that fit one packet

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((sys.argv[1], 53))
wire = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
print("ready", flush=True)
while True:
    _, (client, port) = server.recvfrom(100)
    udp = struct.pack(">HHHH", 53, port, 8 + len(ANSWER), 0) + ANSWER
    addresses = socket.inet_aton(sys.argv[1]) + socket.inet_aton(client)
    more_fragments = 0x2000
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + FIRST, 4711, more_fragments, 64, socket.IPPROTO_UDP, 0)  # the kernel adds the checksum
    wire.sendto(ip + addresses + udp[:FIRST], (client, 0))
