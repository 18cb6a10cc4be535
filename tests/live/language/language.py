#!/usr/bin/env python3
"""Random rules through this machine's iptables-legacy-restore and -save and through nsrouter's rule language, compared: verdict and saved text.

    language.py --judge PROGRAM [--seconds 60] [--seed N] [--only EXTENSION,...] [--skip] | --covered | --case SEED

Each seed is a rule (every 30th a whole file), the same on every machine. Differences are shortened and grouped; what docs/kernel-parity.md
names is counted apart. Exit code 1 if there was any other. Needs root.
"""
import argparse
import collections
import os
import re
import shutil
import subprocess
import sys
import time

import files
import known
import lines
from judges import Kernel, Ours

BATCH = 200
FILES_EVERY = 30
SHOWN = 3  # of a group


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judge", required=True, type=os.path.abspath, help="the program rule_judge")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rules", type=int, default=0, help="end after so many instead")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1000000 * 1000)
    parser.add_argument("--only", type=lambda names: {"" if name == "basic" else name for name in names.split(",")}, help="rules about these extensions, commas between them (basic: rules without; files: whole files)")
    parser.add_argument("--case", type=int, help="only this seed")
    parser.add_argument("--covered", action="store_true", help="only: does the grammar have every option of nsrouter's modules?")
    parser.add_argument("--skip", action="store_true", help="end with 77 where the tool cannot be asked")
    options = parser.parse_args()
    if options.covered:
        return covered(options.judge)
    if why := cannot_ask():
        print(f"language: {why}", file=sys.stderr)
        return 77 if options.skip else 1
    return Comparison(Kernel(), Ours(options.judge), modules(options.judge)).run(options)


def cannot_ask():
    if os.geteuid() != 0:
        return "comparing with the kernel's tool needs root (network namespaces)"
    missing = [tool for tool in ("iptables-legacy-restore", "ip6tables-legacy-restore") if not shutil.which(tool)]
    if missing:
        return f"{', '.join(missing)} not found"
    version = subprocess.run(["iptables-legacy", "--version"], capture_output=True, text=True).stdout
    return "" if "v1.8.9" in version else f"the language is that of iptables v1.8.9, here is {version.strip()}"


def modules(judge):
    """{(is it a target, name): its options}"""
    rows = subprocess.run([judge, "--modules"], capture_output=True, text=True, check=True).stdout.splitlines()
    return {(row.split()[0] == "target", row.split()[1]): row.split()[2:] for row in rows}


# Of SNAT and MASQUERADE, which no iptables has: docs/nat-behaviour.md.
OURS = {"profile", "mapping", "filtering", "hairpin", "port-allocation", "port-block", "session-limit", "no-udp", "refresh", "icmp-errors", "pooling", "inside"}


def covered(judge):
    grammar = {(is_target, row.name): {name for one in row.options for name in one.names} for is_target, row in lines.extensions()}
    missing = []
    for (is_target, name), given in modules(judge).items():
        kind = "target" if is_target else "match"
        if (is_target, name) not in grammar:
            missing.append(f"{kind} {name}")
        missing += [f"{kind} {name} --{one}" for one in given if one not in grammar.get((is_target, name), given) and one not in OURS]
    print("\n".join(f"not in the grammar: {one}" for one in missing) or f"the grammar has all options of {len(modules(judge))} modules")
    return 1 if missing else 0


class Comparison:
    def __init__(self, kernel, ours, modules):
        self.kernel, self.ours = kernel, ours
        self.names = {name for _, name in modules} | {"basic"}
        self.counts = collections.Counter()  # per extension: compared, accepted by both
        self.accepted = collections.Counter()
        self.groups = collections.defaultdict(list)
        self.known = collections.Counter()
        self.not_alone = 0  # differed among others, not alone: the tool remembers things between rules

    def run(self, options):
        end = time.monotonic() + options.seconds
        seed = options.seed
        if options.case is not None:
            self.batch([options.case], options.only)
            seed, end, options.rules = options.case + 1, 0, 0
        while time.monotonic() < end if not options.rules else seed < options.seed + options.rules:
            self.batch(range(seed, seed + BATCH), options.only)
            seed += BATCH
        self.report(seed - options.seed)
        return 1 if self.groups else 0

    def batch(self, seeds, only):
        cases = [self.case(seed, only) for seed in seeds]
        for case in cases:
            if isinstance(case, files.File):
                self.compare(case, self.kernel.file(case), self.ours.file(case))
        for family in (4, 6):
            rules = [case for case in cases if isinstance(case, lines.Rule) and case.family == family and case.about in self.names]
            if rules:
                for rule, theirs in zip(rules, self.kernel.rules(rules)):
                    self.compare(rule, theirs, self.ours.rule(rule))

    @staticmethod
    def case(seed, only):
        whole = only == {"files"} or (seed % FILES_EVERY == 0 and (not only or "files" in only))
        return files.file(seed) if whole else lines.rule(seed, only)

    def compare(self, case, theirs, ours):
        self.counts[case.about] += 1
        self.accepted[case.about] += theirs.accepted and ours.accepted
        kind = difference(theirs, ours)
        if not kind:
            return
        if name := known.name(case, theirs, ours):
            self.known[name] += 1
            return
        group = self.groups.get((case.about,) + kind, [])
        if len(group) < SHOWN and isinstance(case, lines.Rule):
            short = self.shortened(case, kind)
            if short is None:
                self.not_alone += 1
                return
            case, theirs, ours = short
        self.groups[(case.about,) + kind].append((case, theirs, ours))

    def shortened(self, rule, kind):
        """Without the words that the difference does not need. None if it does not show when the rule is alone."""
        def judged(candidate):
            theirs, ours = self.kernel.rules([candidate])[0], self.ours.rule(candidate)
            same = difference(theirs, ours) == kind and not known.name(candidate, theirs, ours)
            return (candidate, theirs, ours) if same else None
        best = judged(rule)
        if best is None:
            return None
        for size in (3, 2, 1):
            at = 0
            while at < len(best[0].words):
                words = best[0].words
                shorter = judged(lines.dataclasses.replace(best[0], words=words[:at] + words[at + size:]))
                best, at = (shorter, at) if shorter else (best, at + 1)
        return best

    def report(self, compared):
        for name in sorted(self.counts):
            print(f"{name:12} {self.counts[name]:7} compared, {self.accepted[name]:7} accepted by both")
        for name, times in self.known.most_common():
            print(f"known: {name}: {times}")
        for group, members in sorted(self.groups.items(), key=lambda item: -len(item[1])):
            print(f"--- {' | '.join(group)}: {len(members)}")
            for case, theirs, ours in members[:SHOWN]:
                show(case, theirs, ours)
        print(f"{sum(self.counts.values())} of {compared} seeds compared, {sum(self.accepted.values())} accepted by both, {len(self.groups)} kinds of difference in "
              f"{sum(map(len, self.groups.values()))} rules; known differences {sum(self.known.values())}, {self.not_alone} differ among others only; {self.kernel.spawned} runs of the tool")


def difference(theirs, ours):
    """() or the kind of difference."""
    if ours.text.startswith("not a fixed point"):
        return ("not a fixed point",)
    if theirs.accepted and ours.accepted:
        return () if theirs.text == ours.text else ("saved otherwise",)
    if theirs.accepted == ours.accepted:
        return ()
    if theirs.accepted:
        return ("the kernel's tool accepts", general(ours.text.split(": ", 1)[-1]))
    return ("nsrouter accepts", general(theirs.text))


def general(message):
    line = next((one for one in message.splitlines() if one and not one.startswith(("Try ", "Error occurred"))), "") or message
    line = re.sub(r"^ip6?tables-restore( v1.8.9 \(legacy\))?: ", "", line)
    line = re.sub(r'"[^"]*"|`[^\']*\'', "'...'", line)
    return re.sub(r"\d+", "N", line)[:90]


def show(case, theirs, ours):
    if isinstance(case, lines.Rule):
        print(f"    v{case.family} {case.table}: -A {case.chain} {case.text}")
    else:
        print(f"    v{case.family} file:\n      " + "\n      ".join(case.text.splitlines()))
    for who, verdict in (("kernel", theirs), ("ours", ours)):
        text = verdict.text.strip().replace("\n", "\n           ")
        print(f"      {who:6} {'saves' if verdict.accepted else 'says'}: {text}")


if __name__ == "__main__":
    sys.exit(main())
