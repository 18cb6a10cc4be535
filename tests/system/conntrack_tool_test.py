#!/usr/bin/env python3
"""The same commands by conntrack(8) in a namespace and by `nsrouter conntrack` on a router: output, errors, exit codes.

    conntrack_tool_test.py NSROUTER

A command that stands here as a pair is a deliberate difference; its first word is the row of docs/kernel-parity.md. Orders of
entries, their ids and a few seconds do not count.
"""
import pathlib
import re
import shlex
import socket
import struct
import subprocess
import sys

import harness

PARITY = pathlib.Path(__file__).resolve().parents[2] / "docs" / "kernel-parity.md"
PREPARE = "-F"

# In both families: {S} {D} source and destination, {N} {M} other addresses, {NP} {MP} with a port, {net} {mask} of {S}.
MAKE = [
    "-I -s {S} -d {D} -p udp --sport 1000 --dport 53 -t 1000",
    "-I -s {S} -d {D} -p udp --sport 1000 --dport 53 -t 1000",
    "-A -s {S} -d {D} -p udp --sport 1000 --dport 53 -t 2000",
    "-A -s {S} -d {D} -p udp --sport 1001 --dport 53 -t 2000 -u UNSET",
    "--create --orig-src {S} --orig-dst {D} --protonum 17 --orig-port-src 1002 --orig-port-dst 53 --timeout 1000 --status ASSURED --zone 3",
    "-I -s {S} -d {D} -p udp --sport 1003 --dport 53 -t 1000 --orig-zone 4",
    "-I -s {S} -d {D} -p udp --sport 1004 --dport 53 -t 1000 --reply-zone 4",
    "-I -s {S} -d {D} -p udp --sport 1005 --dport 53 -t 1000 --reply-zone 4 --orig-zone 5",
    "-I -s {S} -d {D} -p udp --sport 1006 --dport 53 -t 1000 -c 5",
    "-I -s {S} -d {D} -p udp --sport 1007 --dport 53 -t 1000 --src-nat {M}",
    "-I -s {S} -d {D} -p udp --sport 1008 --dport 53 -t 1000 --src-nat {MP}",
    "-I -s {S} -d {D} -p udp --sport 1009 --dport 53 -t 1000 --dst-nat {NP} -u SEEN_REPLY,ASSURED",
    "-I -s {S} -d {D} -p udp --sport 1010 --dport 53 -t 1000 -g {N} -n {MP} -m 7",
    "-I -s {S} -d {D} -p udp --sport 1011 --dport 53 -t 1000 --any-nat {N}",
    "-I -s {S} -d {D} -p udp --sport 1012 --dport 53 -t 1000 -r {N} -q {M} --reply-port-src 5353 --reply-port-dst 77",
    "-I -s {S} -d {D} -p udp --sport 1013 --dport 53 -t 1000 -g {N} -q {S} --reply-port-src 53 --reply-port-dst 1013",
    "-I -s {S} -d {D} -p udp --sport 1014 --dport 53 -t 1000 -r {N}",
    "-I -s {S} -d {D} -p udp --sport 1015 --dport 53 -t 1000 --reply-port-src 99",
    "-I -r {D} -q {S} -p udp --reply-port-src 53 --reply-port-dst 1016 -t 1000",
    "-I -s {D} -d {S} -p udp --sport 53 --dport 1016 -t 1000",
    "-I -s {S} -d {D} -p udp -t 1000",
    "-I -s {S} -d {D} -p udp -t 1000 --sport 5",
    "-I -s {S} -p udp -t 1000 --sport 5 --dport 4",
    "-I -r {S} -p udp -t 1000",
    "-I -s {S} -d {D} -p udp --sport 1 --dport 2",
    "-I -s {S} -d {D} -t 5",
    "-I -s {S} -d {D} -p udp -t -1 --sport 1019 --dport 5",
    "-I -s {S} -d {D} -p udp -t 1000 --sport 1020 --dport 5 -u EXPECTED",
    "-I -s {S} -d {D} -p udp -t 1000 --sport 1021 --dport 5 -u FIXED_TIMEOUT",
    "-I -s {S} -d {D} -p udp -t 1000 --sport 1022 --dport 5 -u OFFLOAD",
    "-I -s {S} -d {D} -p udp -t 1000 --sport 1023 --dport 5 -u DST_NAT,ASSURED",
    "-I -s {S} -d {D} -p udp -t 1000 --sport 1024 --dport 5 -f {f}",
    "-I -s {S} -d {D} -p udp -t 1000 --sport 1024 --dport 5 -o save",
    "-I -s {net} -d {D} -p udp -t 1000 --sport 1024 --dport 5",
    "-I -s {S} -d {D} -p tcp --sport 1 --dport 80 -t 1000",
    "-I -s {S} -d {D} -p tcp --sport 1 --dport 80 -t 1000 --state ESTABLISHED -u ASSURED,SEEN_REPLY",
    "-I -s {S} -d {D} -p tcp --sport 2 --dport 80 -t 1000 --state LISTEN",
    "-I -s {S} -d {D} -p tcp --sport 3 --dport 80 -t 1000 --state NONE",
    "-A -s {S} -d {D} -p tcp --sport 4 --dport 80 -t 1000 --state CLOSE",
    "-A -s {S} -d {D} -p tcp --sport 4 --dport 80 -t 2000 --state TIME_WAIT",
    "-I -s {S} -d {D} -p tcp --sport 5 --dport 80 -t 1000 --state BAD",
    "-I -s {S} -d {D} -p {icmp}-type {echo} {icmp}-code 0 {icmp}-id 7 -t 1000",
    "-I -s {S} -d {D} -p {icmp}-type {echo} {icmp}-code 0 -t 1000",
    "-I -s {S} -d {D} -p {icmp}-type {echo} -t 1000",
    "-I -s {S} -d {D} -p {icmp}-type 3 {icmp}-code 1 {icmp}-id 7 -t 1000",
    "-I -s {S} -d {D} -r {D} -q {S} -p {icmp}-type {echo} {icmp}-code 0 {icmp}-id 8 -t 1000",
    "-I -s {S} -d {D} -p {icmp}-type {echo} {icmp}-code 0 {icmp}-id 9 -r {D} -q {S} -t 1000",
    "-I -s {S} -d {D} -p sctp -t 1000 --sport 1 --dport 2 --state ESTABLISHED",
    "-I -s {S} -d {D} -p sctp -t 1000 --sport 1 --dport 2 --state ESTABLISHED --orig-vtag 1 --reply-vtag 77777",
    "-I -s {S} -d {D} -p sctp -t 1000 --sport 3 --dport 2 --state NONE --orig-vtag 1 --reply-vtag 7",
    "-I -s {S} -d {D} -p gre -t 1000 --srckey 1 --dstkey 0x20",
    "-I -s {S} -d {D} -p gre -t 1000 --srckey 1",
    "-I -s {S} -d {D} -p dccp -t 1000 --sport 1 --dport 2 --state OPEN",
    "-I -s {S} -d {D} -p dccp -t 1000 --sport 1 --dport 2 --state OPEN --role client",
    "-I -s {S} -d {D} -p udplite -t 1000 --sport 1 --dport 2",
    "-I -s {S} -d {D} -p 99 -t 1000",
    "-I -s {S} -d {D} -p 99 -t 1000",
    "-I -s {S} -d {D} -p ospf -t 1000 -g {NP}",
]
SHOW = [
    "-L", "-L conntrack", "--dump", "-L -f {f}", "-L -f {other}", "-L -o extended", "-L -o id", "-L -o id,extended", "-L -o ktimestamp", "-L -o timestamp",
    "-L -o userspace", "-L -o ext", "-L -o s", ("save-mark", "-L -o save"), "-L -p udp -o xml", "-L -p tcp -o xml,id", ("xml-icmp", "-L -p {icmpname} -o xml"),
    ("xml-sctp", "-L -p sctp -o xml"), ("conntrack-labels", "-L -o labels"), "-L -o save,xml", "-L -o xml -o save", "-L -o foo", "-L -o ,", "-L -o ''",
    "-L -p tcp", "-L -p TCP", "-L -p 6", "-L -p 99", "-L -p ospf", "-L -p gre", "-L -p dccp", "-L -p udplite", "-L -p sctp", "-L -p {icmpname}", "-L -p foo",
    "-L -p 300", "-L -p udp -p tcp", "-L -p tcp --sport 1", "-L -p 6 --dport 80", "-L -p tcp --reply-port-src 80 --reply-port-dst 1", "-L -p dccp --sport 0",
    "-L --sport 1000", "-L --state ESTABLISHED", "-L --dport 53 -p udp", "-L -p tcp --state ESTABLISHED", "-L -p tcp --state established", "-L -p tcp --state LISTEN",
    "-L -p udp --state ESTABLISHED", "-L -p sctp --state NONE", "-L -p dccp --state OPEN", "-L -p dccp --state FOO", "-L -p dccp --role foo",
    "-L -p sctp --orig-vtag 1", "-L -p gre --srckey 1", "-L -p gre --sport 1", "-L -p {icmp}-type {echo}", "-L -p {icmp}-id 7", "-L -p {icmpname} --sport 3",
    "-L -p tcp --mask-port-src 5", "-L -p tcp --tuple-port-src 5", "-L --tuple-src {S}",
    "-L -s {S}", "-L -s {net}", "-L -s {S} --mask-src {mask}", "-L -d {D} --mask-dst {mask}", "-L --mask-src {mask}", "-L --mask-dst {mask}", "-L -s {S}/300", "-L -s {S}/x",
    "-L -s x", "-L -s ''", "-L -s {S} -s {D}", "-L -r {N}", "-L -q {M}", "-L -r {net}", "-L -q {net}", "-L -s {S} -f {other}", "-L -s {S} -d {otherS}",
    "-L -s {S} --mask-src {othermask}", "-L -f ipv5", "-L -f {f} -f {f}", "-L -f ipv4 -f ipv6", "-L --src {S} --dst {D} --reply-src {D}",
    "-L -m 7", "-L -m 0x7/0x1", "-L -m 3", "-L -m 0",
    "-L -w 3", "-L -w 0", "-L --orig-zone 4", "-L --orig-zone 0", "-L --reply-zone 4", "-L --reply-zone 3",
    "-L -u ASSURED", "-L -u assured", "-L -u ASS", "-L -u SEEN_REPLY", "-L -u UNREPLIED", "-L -u ASSURED,SEEN_REPLY", "-L -u '!ASSURED'", "-L -u 'ASSURED,!SEEN_REPLY'",
    "-L -u UNSET", "-L -u EXPECTED", "-L -u FIXED_TIMEOUT", "-L -u OFFLOAD", "-L -u SRC_NAT", "-L -u s", "-L -u foo", "-L -u ASSURED,foo", "-L -u foo,ASSURED", "-L -u ''",
    "-L -u '!'", "-L -u '!x'", "-L -u SEEN_REPLY -u ASSURED",
    "-L -n", "-L -g", "-L -j", "-L -n {M}", "-L -n {MP}", "-L -g {NP}", "-L -g {N}", "-L -j {MP}", "-L -j {NP}", "-L --src-nat {M} --dst-nat {N}", "-L -j -n",
    "-L -g foo", "-L -g {N}/24", "-L -g [{N}", "-L -g []:53", "-L -g [{N}]",
    "-L -c 5", "-L -z", "-L -z -f {f}", "-L -z -p tcp", "-L -z -w 3", "-L -a 5", "-L -b 5", "-L -e NEW", "-L -t 5", "-L -i 5",
    ("conntrack-labels", "-L -l foo"), ("conntrack-labels", "-L --label-add foo"),
    "-G -s {S} -d {D} -p udp --sport 1000 --dport 53", "-G -s {S} -d {D} -p tcp --sport 1 --dport 80 -o xml", "-G -s {S} -d {D} -p udp --sport 1008 --dport 53 -o save",
    "-G -s {S} -d {D} -p tcp --sport 1 --dport 80 -o id,extended", "-G -s {S} -d {D} -p udp --sport 9 --dport 9", "-G -s {D} -d {M} -p udp --sport 53 --dport 1007",
    "-G -s {S} -d {D} -p {icmp}-type {echo} {icmp}-code 0 {icmp}-id 7", "-G -s {S} -d {D} -p {icmp}-type {echo}", "-G -s {S} -d {D} -p 99", "-G -p udp", "-G -s {S} -d {D}",
    "-G -p tcp -s {S} -d {D} --sport 1", ("conntrack-get-reply", "-G -r {D} -q {S} -p udp --reply-port-src 53 --reply-port-dst 1000"), "-G -p udp -r {D}",
    "-G -s {S} -d {D} -p udp --sport 1 --dport 2 -w 3", "-G -s {S} -d {D} -p udp --sport 1 --dport 2 -u ASSURED", "-G -s {S} -d {D} -p udp --sport 1000 --dport 53 -i 5",
    "-C", "-C conntrack", "--count", "--counter", "-C -p tcp",
]
CHANGE = [
    "-D -m 12345 -w 3", "-D -w 3 -o extended", "-D --orig-zone 4", "-D --reply-zone 4 -o id",
    "-U -s {S} -p udp --sport 1000 -t 500", "-U -s {S} -p udp --sport 1000 -m 5", "-U -s {S} -p udp --sport 1000 -m 5", "-U -s {S} -p udp --sport 1000 -m 0xff/0x0f",
    "-U -s {S} -p udp --sport 1000 -m 3/0", "-U -s {S} -p udp --sport 1000 -u SEEN_REPLY", "-U -s {S} -p udp --sport 1000 -u SEEN_REPLY", "-U -s {S} -p udp --sport 1000 -u EXPECTED",
    "-U -s {S} -p udp --sport 1000 -u UNSET", "-U -s {S} -p udp --sport 1021 -t 50", "-U -s {S} -p udp --sport 1000 -m 6 -o xml", "-U -s {S} -p udp --sport 1000 -m 7 -o id,extended",
    ("save-mark", "-U -s {S} -p udp --sport 1000 -m 8 -o save"), "-U -s {S} -p tcp --sport 1 --state TIME_WAIT", "-U -s {S} -p tcp --state BAD", ("conntrack-update-shown", "-U -s {S} -p tcp --state CLOSE_WAIT"),
    ("conntrack-update-sctp", "-U -s {S} -p sctp --state COOKIE_WAIT"), "-U -s {S} -p sctp --orig-vtag 5", "-U -s {S} -p {icmp}-id 7 -m 4", ("conntrack-update-shown", "-U -s {net} -p udp --dport 5 -m 2"), ("conntrack-update-shown", "-U -f {f} -m 3"), "-U -f {other} -m 3",
    ("conntrack-update-family", "-U -p udp --sport 1001 -m 9"), "-U -s {S} -p udp --sport 1001 -m 4", "-U -s {S} -p udp --sport 4444 -m 1", "-U -s {S} -g {NP} -m 3", ("conntrack-update-shown", "-U -s {S} -n -m 10"), "-U -s {S} -i 5 -m 3",
    "-U -s {S} -w 3", "-U -s {S} -j", "-U -s {S} -z", "-U -s {S} -p udp --sport 1000", ("conntrack-labels", "-U -s {S} --label-del"), ("conntrack-labels", "-U -s {S} --label-add 3"),
    ("conntrack-labels", "-U -s {S} -l 99 -m 1"), ("save-mark", "-L -o save"),
    "-D -s {S} -p udp --sport 1000", "-D -p udp --sport 1001 -t 77", "-D -m 12345", "-D -s {S} -g {NP} -o xml", "-D -s {S} -n {MP} -o id", "-D -j", "-D -z", "-D -b 1",
    ("save-mark", "-D -p tcp --sport 1 -o save"), "-D -u EXPECTED", "-D -i 5", "-D -i", "-D -s", "-D --frob", "-D -p {icmp}-id 7", "-D -f {f} -p gre", "-D -f {other} -p gre",
    "-D -s {S} -u FIXED_TIMEOUT", ("conntrack-update-sctp", "-D -s {S} --mask-src {mask} -p sctp"), "-D -q {M}", "-L", "-D -f {f}", "-D -f {f}", "-L", "-C",
    "-I -s {S} -d {D} -p udp --sport 1 --dport 53 -t 1000 -w 7", ("conntrack-update-zone", "-U -s {S} -p udp --sport 1 -m 3"), "-F -f {other}", ("conntrack-flush-family", "-C"), "-F -f {f}", "-C",
]
WORDS = [
    ("conntrack-help", "-h"), ("conntrack-help", ""), ("conntrack-help", "stray"), "-V", "--version", "-V -p tcp", "-V foo", ("conntrack-help", "--help foo"), "--version -L", "-L -F", "-F -F",
    "-p tcp", "-s 10.0.0.1", "-L foo", "-L exp", "-L con", "-L tcp", "-L conntrack stray", "-F conntrack stray", "-D conntrack stray -p tcp", "-L -p", "-L --frob",
    "-L --frob=5", "-L -X", "-L -zX", "-L -Xz", ("conntrack-attached", "-Lp foo"), "-Lz", "-L --proto tcp", "-L --prot tcp", "-L --pro=tcp", "-L --mask 3", "-L --reply 3", "-L --orig-s 10.0.0.2",
    ("conntrack-attached", "-L -g10.0.0.300"), ("conntrack-attached", "-L --dst-nat=foo"), ("conntrack-attached", "--dump=foo"), "--dump expect", "--stats=1", "-dump", "-S -p tcp", "-S foo",
    "-C foo", "-C dying", "-F dying", "-D dying", "-U dying", "-E unconfirmed", "-G dying", "-U expect", "-A expect", "-F -p udp", "-F -s 10.0.0.1", "-F -m 1", "-F -o xml", "-F -f ipv4", "-F -f ipv6", "-F",
    "-E -z", "-E -u ASSURED", "-E expect -p tcp", "-E -t 4", "-C expect", "-L dying", "-L unconfirmed", "-L dying -p tcp", "-L expect", "-L expect -p tcp", "-L expect -o xml", "-L expect -o save",
    "-L expect -o timestamp", "-L expect -f ipv6", "-F expect", "-F expect -f ipv4", "-G expect", "-D expect", "-I expect", "-I expect -s 10.0.0.2 -d 10.0.0.3 -p tcp",
    "-D expect -s 10.0.0.2 -d 10.0.0.3 -p tcp --sport 1 --dport 2", "-D expect -s 10.0.0.2 -d 10.0.0.3 -p tcp --sport 1 --dport 2 --reply-port-src 1 --reply-port-dst 3",
    "-G expect -s 10.0.0.2 -d 10.0.0.3 -p tcp --sport 1 --dport 2 --reply-port-src 1 --reply-port-dst 3", "-G expect -s 10.0.0.2 -d 10.0.0.3 -p udp --sport 1 --dport 2",
    "-I expect -s 10.0.0.2 -d 10.0.0.3 -p tcp --sport 1 --dport 2 -t 50 --tuple-src 10.0.0.2 --tuple-dst 10.0.0.3 --mask-src 255.255.255.255 --mask-dst 255.255.255.255",
    "-I expect -s 10.0.0.2 -d 10.0.0.3 -p tcp --sport 1 --dport 2 -t 50 --tuple-src 10.0.0.2 --tuple-dst 10.0.0.3 --mask-src 255.255.255.255 --mask-dst 255.255.255.255 "
    "--tuple-port-src 10 --tuple-port-dst 20 --mask-port-src 0 --mask-port-dst 65535",
    "-R", "-R /nonexistent", "-R {empty}", "-R {good}", "-L -o save", ("conntrack-load-update", "-R {updates}"), "-D -s 10.1.0.4 -o save -m 77", ("conntrack-load-line", "-R {twice}"), ("conntrack-load-line", "-R {lists}"), ("conntrack-load-line", "-R {wrong}"), ("conntrack-load-line", "--load-file {stray}"), "-L -R {good}", "-L -d 198.51.100.7 -q 10.2.0.2", "-F",
    ("conntrack-numbers", "-L -m z"), ("conntrack-numbers", "-L -w 70000"), ("conntrack-numbers", "-L -p tcp --sport http"), ("conntrack-numbers", "-D -i x"), ("conntrack-numbers", "-L -f ipv4x"),
    ("conntrack-numbers", "-L -s 10"),
]
FAMILIES = [
    {"f": "ipv4", "other": "ipv6", "S": "10.0.0.2", "D": "198.51.100.7", "N": "192.0.2.9", "M": "192.0.2.1", "NP": "192.0.2.9:5353", "MP": "192.0.2.1:4000", "net": "10.0.0.0/8",
     "mask": "255.255.255.0", "otherS": "2001:db8::1", "othermask": "ffff::", "icmp": "icmp --icmp", "icmpname": "icmp", "echo": "8", "any": "-L -j {N}"},
    {"f": "ipv6", "other": "ipv4", "S": "2001:db8::2", "D": "2001:db8:7::7", "N": "2001:db8:9::9", "M": "2001:db8:9::1", "NP": "[2001:db8:9::9]:5353", "MP": "[2001:db8:9::1]:4000",
     "net": "2001:db8::/64", "mask": "ffff:ffff:ffff::", "otherS": "10.0.0.1", "othermask": "255.0.0.0", "icmp": "icmpv6 --icmpv6", "icmpname": "icmpv6", "echo": "128", "any": ("conntrack-attached", "-L -j {N}")},
]
FILES = {
    "empty": "# nothing\n\n",
    "good": '# two come, one goes\n\n  -I -s 10.1.0.2 -d 198.51.100.7 -p tcp -t 1000 --sport 6 --dport 2 --state CLOSE\n-A -s 10.1.0.2 -d 198.51.100.7 -p tcp -t 1000 --sport 6 --dport 2 --state CLOSE\n'
            '-A -s "10.1.0.3" -d 198.51.100.7 -p udp -t 1000 --sport 6 --dport 2\n-A -s 10.1.0.4 -d 198.51.100.7 -p udp -t 1000 --sport 6 --dport 2\n-D -s 10.1.0.3\n',
    "updates": "-U -s 10.1.0.4 -m 4\n-D -s 10.1.0.9\n",
    "twice": "-I -s 10.2.0.2 -d 198.51.100.7 -p udp -t 1000 --sport 6 --dport 2\n-I -s 10.2.0.2 -d 198.51.100.7 -p udp -t 1000 --sport 6 --dport 2\n"
             "-I -s 10.2.0.2 -d 198.51.100.7 -p udp -t 1000 --sport 7 --dport 2\n",
    "lists": "-I -s 10.3.0.2 -d 198.51.100.7 -p 77 -t 1000\n-L\n",
    "wrong": "-I -s 10.3.0.2 -d 198.51.100.7 -p 77 -t 1000\n-I -s bad\n",
    "stray": "-D -p 78\nstray\n",
}


SECONDS = re.compile(r"(?:(?<=\n)|(?<=^))((?:ipv[46] +\d+ )?\w+ +\d+ )(\d+)(?= )|( -t )(\d+)(?= )|(<timeout>)(\d+)(?=<)")
ID = re.compile(r"(?<=use=[12]) id=\d+$|<id>\d+</id>", re.M)
TOLERATED_SECONDS = 10


def plain(answer):
    """What is compared of an answer: exit code, lines of standard output, seconds in them, standard error."""
    lines = []
    for line in answer.stdout.splitlines():
        seconds = [int(value) for found in SECONDS.finditer(line) for value in found.groups()[1::2] if value]
        lines.append((SECONDS.sub(lambda found: next(text for text in found.groups()[::2] if text) + "T", ID.sub(" id", line)), seconds))
    return answer.returncode, sorted(lines), answer.stderr.replace("nsrouter conntrack", "conntrack").splitlines()


def same(one, other):
    (code, lines, errors), (other_code, other_lines, other_errors) = one, other
    near = all(abs(a - b) <= TOLERATED_SECONDS for (_, seconds), (_, others) in zip(lines, other_lines) for a, b in zip(seconds, others))
    return (code, errors, [text for text, _ in lines]) == (other_code, other_errors, [text for text, _ in other_lines]) and near


class Judge:
    def __init__(self, h):
        self.h, self.rows = h, set(re.findall(r"^\| ([a-z0-9-]+) \|", PARITY.read_text(), re.M))
        self.commands = 0

    def kernel(self, words):
        return subprocess.run(["ip", "netns", "exec", self.h.netns("tool"), "conntrack", *words], capture_output=True, text=True, timeout=60)

    def both(self, words):
        return plain(self.kernel(words)), plain(self.h.cli("conntrack", *words))

    def judge(self, line, values):
        row, command = line if isinstance(line, tuple) else (None, line)
        for name, value in values.items():
            command = command.replace("{" + name + "}", value) if isinstance(value, str) else command
        kernel, ours = self.both(shlex.split(command))
        self.commands += 1
        if row is None:
            self.h.check(f"conntrack {command}", same(kernel, ours), (kernel, ours))
        else:
            self.h.check(f"conntrack {command}: differs, and {row} says so", not same(kernel, ours) and row in self.rows, (kernel, ours))


def test(h):
    subprocess.run(["ip", "netns", "add", h.netns("tool")], check=True)
    h.stack.callback(lambda: subprocess.run(["ip", "netns", "del", h.netns("tool")], check=False))
    h.write("nat.v4", "*nat\nCOMMIT\n")
    h.start(h.write("router.toml", h.inside_outside('[conntrack]\nmode = "on"\n[rules]\nipv4 = "nat.v4"\n', v6=True)))
    judge = Judge(h)
    files = {name: h.write(name, text) for name, text in FILES.items()}
    for number, family in enumerate(FAMILIES):
        own_share = slice(number, None, len(FAMILIES))
        for line in [PREPARE, *MAKE, *SHOW[own_share], family["any"], *CHANGE]:
            judge.judge(line, family)
    for line in WORDS:
        judge.judge(line, files)
    h.check("there were enough commands", judge.commands > 250, judge.commands)
    statistics(judge)
    saved(h)
    loaded(h)
    translated(h)
    h.stop()


def statistics(judge):
    """Per thread: there is one."""
    for words in (["-S"], ["-S", "expect"]):
        kernel, ours = judge.kernel(words).stdout.splitlines()[0], judge.h.cli("conntrack", *words).stdout.splitlines()
        names = lambda line: [word.split("=")[0] for word in line.split()]
        judge.h.check(f"conntrack {' '.join(words)}: the same names", len(ours) == 1 and names(kernel) == names(ours[0]), (kernel, ours))


def saved(h):
    """What is saved is read back as the same."""
    for line in ("-I -s 10.0.0.2 -d 198.51.100.7 -p tcp --sport 1 --dport 80 -t 1000 --state ESTABLISHED -u ASSURED,SEEN_REPLY -g 192.0.2.9:8080 -m 6",
                 "-I -s 10.0.0.2 -d 198.51.100.7 -p icmp --icmp-type 8 --icmp-code 0 --icmp-id 7 -t 1000", "-I -s 2001:db8::2 -d 2001:db8:7::7 -p udp --sport 1 --dport 2 -t 1000 -w 5"):
        h.check(f"conntrack {line}", h.cli("conntrack", *line.split()).returncode == 0)
    before = plain(h.cli("conntrack", "-L"))
    text = h.cli("conntrack", "-L", "-o", "save").stdout
    h.cli("conntrack", "-F")
    answer = h.run("--control", h.instance(), "conntrack", "-R", "-", input=text)
    h.check("-R - of what -o save wrote", answer.returncode == 0 and same(plain(h.cli("conntrack", "-L")), before), (answer, before, h.cli("conntrack", "-L")))
    h.cli("conntrack", "-F")


def turns_of(h, kind):
    return int(re.search(rf'nsrouter_loop_turn_seconds_count{{.*kind="{kind}"}} (\d+)', h.get("/metrics"))[1])


def loaded(h):
    """Many lines go together, and others among them in their turn."""
    entries = [f"-A -s 10.0.{i // 250}.{i % 250 + 1} -d 198.51.100.7 -p udp --sport 4000 --dport 53 -t 1000 -m 1" for i in range(3000)]
    lines = ["# many", *entries[:1500], "", "-U -m 7", *entries[1500:]]
    before = turns_of(h, "control")
    answer = h.run("--control", h.instance(), "conntrack", "-R", "-", input="\n".join(lines) + "\n")
    turns = turns_of(h, "control") - before
    h.check("-R of many lines", answer.returncode == 0 and h.cli("conntrack", "-C").stdout == "3000\n", (answer, h.cli("conntrack", "-C")))
    h.check("one after the other", [len(h.cli("conntrack", "-L", "-m", mark).stdout.splitlines()) for mark in ("7", "1")] == [1500, 1500])
    h.check("in few requests", turns < 600, turns)
    wrong = "\n".join([*entries[:3], entries[0].replace("-A", "-I"), "-F"]) + "\n"
    answer = h.run("--control", h.instance(), "conntrack", "-R", "-", input=wrong)
    h.check("and ends with the first that fails", answer.returncode == 1 and "Such conntrack exists" in answer.stderr and h.cli("conntrack", "-C").stdout == "3000\n", answer)
    h.check("which it names", "conntrack-tools): standard input:4: Operation failed: " in answer.stderr, answer)
    for text, line in (("\n".join(["# many", "", *entries, "", "# twice", wrong]), 3008), ("# other\n\n-F\n-D -s 1\n", 4), ("# other\n-A\n-C\n", 2), ("\n-F\n\n-C\n", 4), ("-F\n'open\n", 2)):
        path = h.write("wrong.lines", text)
        answer = h.cli("conntrack", "-R", path)
        h.check(f"-R names line {line}", answer.returncode != 0 and f"conntrack-tools): {path}:{line}: " in answer.stderr, answer)
    h.cli("conntrack", "-F")
    for unreadable in (str(h.folder), "/dev/zero"):
        answer = h.run("--control", h.instance(), "conntrack", "-R", unreadable)
        h.check(f"-R of {unreadable} is refused", answer.returncode == 1 and f"{unreadable} cannot be read, or has a line of more than 64 KiB" in answer.stderr, answer)


def segment(source, destination, flags):
    """A TCP segment in an IPv4 packet, for a raw socket."""
    def checksum(data):
        total = sum(struct.unpack(f"!{len(data) // 2}H", data))
        total = (total >> 16) + (total & 0xffff)
        return ~(total + (total >> 16)) & 0xffff
    tcp = struct.pack("!HHIIBBHHH", source[1], destination[1], 777, 888, 5 << 4, flags, 1000, 0, 0)
    addresses = socket.inet_aton(source[0]) + socket.inet_aton(destination[0])
    tcp = tcp[:16] + struct.pack("!H", checksum(addresses + struct.pack("!BBH", 0, 6, len(tcp)) + tcp)) + tcp[18:]
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0, addresses[:4], addresses[4:]) + tcp


def translated(h):
    """A connection that was made by hand is one: its packets go on, translated, both ways."""
    ack = 0x10
    made = h.cli("conntrack", *"-I -s 10.0.1.2 -d 203.0.113.5 -p tcp --sport 4000 --dport 80 -t 1000 --state ESTABLISHED -u ASSURED,SEEN_REPLY --dst-nat 192.0.2.2:8080 --src-nat 192.0.2.1".split())
    h.check("an assured TCP connection with dst-nat is made", made.returncode == 0, made)

    def raw():
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
        sock.settimeout(10)
        return sock
    inside, outside = h.inside("inside", raw), h.inside("outside", raw)
    inside.sendto(segment(("10.0.1.2", 4000), ("203.0.113.5", 80), ack), ("203.0.113.5", 0))
    packet = outside.recv(2000)
    h.check("its packet comes out translated", packet[12:20] == socket.inet_aton("192.0.2.1") + socket.inet_aton("192.0.2.2") and packet[20:24] == struct.pack("!HH", 4000, 8080), packet)
    outside.sendto(segment(("192.0.2.2", 8080), ("192.0.2.1", 4000), ack), ("192.0.2.1", 0))
    answer = inside.recv(2000)
    h.check("so does the answer", answer[12:16] == socket.inet_aton("203.0.113.5") and answer[20:24] == struct.pack("!HH", 80, 4000), answer)


if __name__ == "__main__":
    sys.exit(harness.main(test, ("conntrack", "ip")))
