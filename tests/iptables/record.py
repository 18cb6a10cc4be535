#!/usr/bin/env python3
"""Asks this machine's iptables-legacy and ip6tables-legacy, in a namespace of their own, and writes down what they say.

The files beside this one hold what was asked and what was answered; CI compares the router with them and needs no
kernel. Needs root.

  record.py FILE.seq ...    asks again every command of these files and writes the answers in their place
  record.py listing.txt     asks again how each rule is saved and listed
  record.py --check ...     compares only, says what is different, changes nothing

A .seq file is made of sequences, each in fresh tables:
  ## NAME              of IPv4; `## NAME (ipv6)` of IPv6
  $ WORDS              a command, quoted as in a shell; `$~ WORDS`: its error is compared by exit code alone
  < LINE               what it reads (iptables-restore, when the first word is `restore`)
  > LINE   ! LINE      what came on standard output and on standard error
  = CODE               its exit code, unless 0
listing.txt holds, rule by rule, `FAMILY TABLE CHAIN RULE` as asked and then
  S TEXT   n TEXT   l TEXT   e TEXT    what -S, -nvL and -vL show of it, and what -v says when it is added
"""
import os
import shlex
import subprocess
import sys

NAMESPACE = "nsrouter-record"
TOOLS = {"ipv4": "iptables-legacy", "ipv6": "ip6tables-legacy"}


class Kernel:
    """Fresh tables in a namespace."""

    def __enter__(self):
        subprocess.run(["ip", "netns", "del", NAMESPACE], stderr=subprocess.DEVNULL, check=False)
        subprocess.run(["ip", "netns", "add", NAMESPACE], check=True)
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "del", NAMESPACE], check=True)

    def ask(self, family, words, given=""):
        tool = TOOLS[family]
        if words and words[0] in ("restore", "save"):
            tool += "-" + words[0]
            words = words[1:]
        done = subprocess.run(["ip", "netns", "exec", NAMESPACE, tool, *words], input=given, text=True,
                              capture_output=True, check=False, env={**os.environ, "LC_ALL": "C"})
        return done.stdout.replace("\0", ""), done.stderr, done.returncode


def answer_lines(stdout, stderr, code):
    lines = ["> " + line for line in stdout.split("\n")[:-1]]
    if stdout and not stdout.endswith("\n"):
        lines.append("> " + stdout.split("\n")[-1])
    lines += ["! " + line for line in stderr.rstrip("\n").split("\n")] if stderr else []
    lines += [f"= {code}"] if code else []
    return [line.rstrip("\n") for line in lines]


def record_sequences(text):
    out, kernel, family, pending, given = [], None, "ipv4", None, []

    def flush():
        nonlocal pending, given
        if pending is not None:
            words = shlex.split(pending)
            answer = kernel.ask(family, words, "".join(line + "\n" for line in given))
            out.extend(answer_lines(*answer))
        pending, given = None, []

    for line in text.split("\n"):
        if line.startswith((">", "!", "=")):
            continue
        if not line.startswith("<"):
            flush()
        if line.startswith("##"):
            if kernel:
                kernel.__exit__()
            kernel = Kernel().__enter__()
            family = "ipv6" if line.endswith("(ipv6)") else "ipv4"
        out.append(line)
        if line.startswith("$"):
            pending = line[2:] if line.startswith("$~") else line[1:]
        elif line.startswith("<"):
            given.append(line[2:])
    flush()
    if kernel:
        kernel.__exit__()
    return "\n".join(out)


def rule_lines(kernel, family, table, chain, rule):
    """What the kernel shows of one rule."""
    tables = ["-t", table]
    kernel.ask(family, tables + ["-F"])
    kernel.ask(family, tables + ["-X"])
    kernel.ask(family, tables + ["-N", "userchain"])
    out, err, code = kernel.ask(family, tables + ["-v", "-A", chain, *shlex.split(rule)])
    if code:
        return ["refused " + err.split("\n")[0]]
    lines = []
    for kind, words in (("S", ["-S", chain]), ("n", ["-nvL", chain]), ("l", ["-vL", chain])):
        shown = kernel.ask(family, tables + words)[0].rstrip("\n").split("\n")
        # A rule for a list of addresses is several; the last one stands for them.
        lines.append(kind + " " + shown[-1])
    lines.append("e " + out.rstrip("\n").split("\n")[-1])
    return lines


def record_listing(text):
    out = []
    with Kernel() as kernel:
        for line in text.split("\n"):
            if line[:2] in ("S ", "n ", "l ", "e ") or line.startswith("refused "):
                continue
            out.append(line)
            if line and not line.startswith("#"):
                family, table, chain, rule = (line + " ").split(" ", 3)
                out.extend(rule_lines(kernel, family, table, chain, rule))
    return "\n".join(out)


def main(arguments):
    check = "--check" in arguments
    different = False
    for path in (word for word in arguments if word != "--check"):
        with open(path, encoding="utf-8") as file:
            before = file.read()
        after = (record_sequences if path.endswith(".seq") else record_listing)(before)
        if check and after != before:
            different = True
            old, new = before.split("\n"), after.split("\n")
            first = next((i for i, (a, b) in enumerate(zip(old, new)) if a != b), min(len(old), len(new)))
            print(f"{path}:{first + 1}: {old[first:first + 1]} is now {new[first:first + 1]}")
        elif not check:
            with open(path, "w", encoding="utf-8") as file:
                file.write(after)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
