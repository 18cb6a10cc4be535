#!/usr/bin/env python3
"""Loads every ruleset beside this file into this machine's kernel, in a namespace of its own, and writes down how its tools save it.

CI compares the router's own text with what was written down and needs no kernel. Needs root, iptables-legacy and ipset.

  record.py [NAME...]            records these folders, or all
  record.py --check [NAME...]    compares only, says what is different, changes nothing; what this machine's kernel cannot load is passed over

saved.v4, saved.v6 and saved.sets begin with comments that say which tools and kernel they are of. Tables stand in the order in which the router saves
them, since the kernel's is that in which they were used first; times that elements of sets have left are shown as T. Rules that name an extension which
router.toml tolerates are left out: this machine's tool does not know them.
"""
import argparse
import difflib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
TABLES = ("raw", "mangle", "nat", "filter", "security")
TOOLS = {"v4": "iptables-legacy", "v6": "ip6tables-legacy"}
SKIPPED = 77


class Refused(Exception):
    """What a tool of this machine did not take."""


class Namespace:
    """An empty network namespace; commands run in it."""

    def __init__(self):
        self.name = f"nsrouter-rulesets-{os.getpid()}"

    def __enter__(self):
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "del", self.name], check=True)

    def run(self, *words, given=""):
        done = subprocess.run(["ip", "netns", "exec", self.name, *words], input=given, text=True, capture_output=True,
                              env={**os.environ, "LC_ALL": "C", "TZ": "UTC"}, check=False)
        if done.returncode:
            raise Refused(f"{' '.join(words)}: {done.stderr.strip()}")
        return done.stdout


def kernel():
    return re.match(r"\d+\.\d+\.\d+", os.uname().release).group()


def version(tool):
    return subprocess.run([tool, "--version"], text=True, capture_output=True, check=True).stdout.split(", ")[0].strip()


def header(folder, tool, left_out):
    lines = [f"# Saved by {version(tool)} on Linux {kernel()} after loading the file of tests/rulesets/{folder.name}"]
    lines += [f"# Left out, since that tool does not know {name}: {count} rule{'s' if count != 1 else ''}" for name, count in left_out.items()]
    return "\n".join(lines) + "\n"


def tolerated(folder):
    with open(folder / "router.toml", "rb") as file:
        return tomllib.load(file)["rules"].get("tolerate", [])


def without(text, names):
    """The text without the rules that name one of the extensions, and how many of each there were."""
    counts, lines = {}, []
    for line in text.splitlines():
        found = next((name for name in names if re.search(rf"-[jm] {name}( |$)", line)), None)
        if found:
            counts[found] = counts.get(found, 0) + 1
        else:
            lines.append(line)
    return "\n".join(lines) + "\n", counts


def saved_rules(namespace, tool):
    text = ""
    with_rules = namespace.run("cat", "/proc/net/ip_tables_names" if tool == TOOLS["v4"] else "/proc/net/ip6_tables_names").split()
    for table in TABLES:
        if table in with_rules:
            saved = namespace.run(f"{tool}-save", "-t", table)
            text += "".join(line + "\n" for line in saved.splitlines() if not line.startswith("#"))
    return text


def saved_sets(namespace):
    return re.sub(r"^(add .* timeout) [1-9]\d*", r"\1 T", namespace.run("ipset", "-s", "save"), flags=re.MULTILINE)


def asked(folder):
    """{file: text} of what the kernel made of the folder."""
    answers = {}
    with Namespace() as namespace:
        if (folder / "sets").exists():
            namespace.run("ipset", "restore", given=(folder / "sets").read_text())
            answers["saved.sets"] = header(folder, "ipset", {}) + saved_sets(namespace)
        for family, tool in TOOLS.items():
            path = folder / f"rules.{family}"
            if path.exists():
                text, left_out = without(path.read_text(), tolerated(folder))
                namespace.run(f"{tool}-restore", given=text)
                answers[f"saved.{family}"] = header(folder, tool, left_out) + saved_rules(namespace, tool)
    return answers


def rules_only(text):
    return [line for line in text.splitlines() if not line.startswith("#")]


def compare(path, text):
    """The number of lines that differ, which are printed."""
    there = path.read_text() if path.exists() else ""
    different = list(difflib.unified_diff(rules_only(there), rules_only(text), str(path), "this machine", lineterm="", n=0))
    print("\n".join(different), end="\n" if different else "")
    return len(different)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    missing = [tool for tool in ("ip", "ipset", *TOOLS.values()) if shutil.which(tool) is None]
    if os.geteuid() != 0 or missing:
        print("not recorded: " + (f"{', '.join(missing)} not found" if missing else "needs root"))
        return SKIPPED
    folders = sorted(path.parent for path in HERE.glob("*/router.toml") if not args.names or path.parent.name in args.names)
    done, differences = 0, 0
    for folder in folders:
        try:
            answers = asked(folder)
        except Refused as refused:
            print(f"{folder.name}: not recorded: {refused}")
            continue
        done += 1
        for name, text in answers.items():
            if args.check:
                differences += compare(folder / name, text)
            else:
                (folder / name).write_text(text)
    print(f"{done} of {len(folders)} rulesets, {differences} differences")
    if args.check:
        return SKIPPED if done == 0 else int(differences > 0)
    return int(done < len(folders))


if __name__ == "__main__":
    sys.exit(main())
