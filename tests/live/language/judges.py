"""Who judges rules: the machine's own iptables-legacy-restore and -save, and nsrouter's rule language."""
import ctypes
import dataclasses
import os
import re
import shutil
import socket
import struct
import subprocess
import tempfile

from lines import CHAINS, USER_CHAINS
from values import ESTIMATORS, SETS

ACCOUNTED = ("a", "ssh", "DEFAULT", "x-1", "A_b", "a.b", "a/b", "a b", "n" * 30, "n" * 31)  # values.name(31) has no others
CLONE_NEWNET = 0x40000000
NETLINK_NETFILTER, NFNL_SUBSYS_ACCT, NFACCT_NAME = 12, 7, 1
NLM_F_REQUEST, NLM_F_ACK, NLM_F_CREATE = 1, 4, 0x400
TOOL = {4: "iptables-legacy", 6: "ip6tables-legacy"}


@dataclasses.dataclass(frozen=True)
class Verdict:
    accepted: bool
    text: str  # what is saved, or what was said


def around(rule, chain=None):
    """The lines before and behind a rule that stands alone; what -A names; the chain's own declaration."""
    chain = chain or rule.chain
    declared = [f":{chain} - [0:0]"] if rule.chain == "new" else []
    return [f"*{rule.table}", *declared], f"-A {chain} {rule.text}", ["COMMIT"]


class Ours:
    """rule_judge: one process for all."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def rule(self, rule):
        head, line, tail = around(rule)
        users = [f":{name} - [0:0]" for name in USER_CHAINS]
        verdict = self.text(rule.family, "\n".join([head[0], *users, *head[1:], line, *tail]) + "\n")
        return dataclasses.replace(verdict, text=rules_of(verdict.text, rule.chain)) if verdict.accepted else verdict

    def file(self, file):
        return self.text(file.family, file.text)

    def text(self, family, text):
        data = text.encode("utf-8", "surrogateescape")
        self.process.stdin.write(f"{family} {len(data)}\n".encode() + data)
        self.process.stdin.flush()
        head = self.process.stdout.readline().split()
        if not head:
            raise RuntimeError(f"rule_judge ended with {self.process.wait()} at:\n{text}")
        said = self.process.stdout.read(int(head[1])).decode("utf-8", "replace")
        if head[0] == b"unstable":
            return Verdict(True, "not a fixed point: " + said)
        return Verdict(head[0] == b"ok", said)


def rules_of(text, chain):
    """The rules of this chain in saved text, without counters and without their "-A CHAIN"."""
    found = re.findall(rf"^(?:\[\d+:\d+\] )?-A {re.escape(chain)}((?: .*)?)$", text, re.M)
    return "\n".join(line.strip() for line in found) if "not a fixed point" not in text else text


def make_accounting_object(name):
    """What `nfacct add NAME` does: a rule may name no other."""
    def padded(data):
        return data + bytes(-len(data) % 4)
    attribute = padded(struct.pack("=HH", 4 + len(name) + 1, NFACCT_NAME) + name.encode() + b"\0")
    body = struct.pack("=BBH", socket.AF_UNSPEC, 0, 0) + attribute
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as kernel:
        kernel.send(struct.pack("=IHHII", 16 + len(body), NFNL_SUBSYS_ACCT << 8, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE, 1, 0) + body)
        error = -struct.unpack("=i", kernel.recv(4096)[16:20])[0]
    if error:
        raise OSError(error, f"nfacct add {name}")


class Kernel:
    """The tool in a network namespace of its own, into which this process goes, and which ends with it."""

    def __init__(self):
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        self.folder = tempfile.TemporaryDirectory(prefix="nsr-language-")
        self.environment = dict(os.environ, XTABLES_LOCKFILE=os.path.join(self.folder.name, "lock"))
        self.spawned = 0
        if shutil.which("ipset"):
            lines = "".join(f"create {name} list:set\n" for name in SETS)
            subprocess.run(["ipset", "restore"], input=lines.encode(), check=True)
        for name in ACCOUNTED:
            make_accounting_object(name)

    def run(self, family, action, *options, text=""):
        self.spawned += 1
        command = [f"{TOOL[family]}-{action}", *options]
        return subprocess.run(command, input=text.encode("utf-8", "surrogateescape"), capture_output=True, env=self.environment, timeout=120)

    def rules(self, rules):
        """Many rules of one family, each in a transaction of its own -> a verdict each. Between two stands a rule that marks the place; when the
        tool ends at a wrong line, it is begun again behind it."""
        verdicts = [None] * len(rules)
        at, header = 0, self.empty() + self.objects()
        while at < len(rules):
            lines, ends = list(header), []
            for number in range(at, len(rules)):
                head, line, tail = around(rules[number], f"new{number}" if rules[number].chain == "new" else None)
                mark = [f"-A {rules[number].chain} {self.mark(rules[number].family, number)}"] if rules[number].chain != "new" else []
                lines += [*head, *mark, line, *tail]
                ends.append(len(lines))
            header, lines = [], lines + self.end(len(rules))
            done = self.run(rules[0].family, "restore", "--noflush", text="\n".join(lines) + "\n")
            if done.returncode == 0 and self.has_all(rules[0].family, len(rules)):
                break
            said = done.stderr.decode("utf-8", "replace")
            where = re.search(r"^Error occurred at line: (\d+)|: line (\d+) failed", said, re.M)
            if done.returncode == 0 or not where:
                wrong = at  # it broke down without a word about the place: one by one
                lines = lines[: ends[0]] + self.end(at + 1)
                done = self.run(rules[0].family, "restore", "--noflush", text="\n".join(lines) + "\n")
                said = done.stderr.decode("utf-8", "replace") or f"ends with {done.returncode}"
                if done.returncode == 0 and self.has_all(rules[0].family, at + 1):
                    at += 1
                    continue
            else:
                wrong = at + next(i for i, end in enumerate(ends) if int(where[1] or where[2]) <= end)
            verdicts[wrong] = Verdict(False, said.strip())
            at = wrong + 1
        saved = self.run(rules[0].family, "save").stdout.decode("utf-8", "replace")
        return [verdict or Verdict(True, self.saved_rule(saved, rules[i], i)) for i, verdict in enumerate(verdicts)]

    @staticmethod
    def end(number):
        """What stands behind the last rule: without it the tool ended early, as --help makes it."""
        return ["*filter", f":end{number} - [0:0]", "COMMIT"]

    def has_all(self, family, number):
        return f":end{number} ".encode() in self.run(family, "save", "-t", "filter").stdout

    def saved_rule(self, saved, rule, number):
        if rule.chain == "new":
            return rules_of(saved, f"new{number}")
        table = re.search(rf"^\*{rule.table}\n(.*?)^COMMIT", saved, re.M | re.S)
        found, inside = [], False
        for line in rules_of(table[1] if table else "", rule.chain).splitlines():
            if line == self.mark(rule.family, number):
                inside = True
            elif re.fullmatch(r"-s (240\.1\.\d+\.\d+/32|fd99::\w+/128) -j RETURN", line):
                inside = False
            elif inside:
                found.append(line)
        return "\n".join(found)

    @staticmethod
    def mark(family, number):
        return f"-s fd99::{number + 1:x}/128 -j RETURN" if family == 6 else f"-s 240.1.{number >> 8}.{number & 255}/32 -j RETURN"

    @staticmethod
    def empty():
        lines = []
        for table, chains in CHAINS.items():
            lines += [f"*{table}", "-F", "-X", *(f":{name} ACCEPT [0:0]" for name in chains), *(f":{name} - [0:0]" for name in USER_CHAINS), "COMMIT"]
        return lines

    @staticmethod
    def objects():
        """What rules may speak of and only rules can make."""
        return ["*mangle", ":objects - [0:0]", *(f"-A objects -j RATEEST --rateest-name {name} --rateest-interval 250ms --rateest-ewmalog 500ms" for name in ESTIMATORS), "COMMIT"]

    def file(self, file):
        """A whole file, restored over empty tables."""
        wipe = [line for line in self.empty() if line.split()[0] not in (f":{name}" for name in USER_CHAINS)]
        self.run(file.family, "restore", "--noflush", text="\n".join(wipe) + "\n")
        done = self.run(file.family, "restore", "--counters", text=file.text)
        if done.returncode:
            return Verdict(False, done.stderr.decode("utf-8", "replace").strip())
        tables = dict.fromkeys(re.findall(r"^\*[ \t]*(\w+)", file.text, re.M))
        order = [table for table in ("raw", "mangle", "nat", "filter", "security") if table in tables]
        saved = [self.run(file.family, "save", "--counters", "-t", table).stdout.decode("utf-8", "replace") for table in order]
        return Verdict(True, "".join(line + "\n" for text in saved for line in text.splitlines() if not line.startswith("#")))
