#!/usr/bin/env python3
"""Checks the walks of docs/: every file they name is there, every function is in the folder of the file named with it, and named once per walk."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
WALKS = ["docs/packet-walk.md", "docs/rule-walk.md", "docs/walks.md"]
PATH = re.compile(r"`((?:core|router|netlink)/[\w/.]+)`")
# A name in backquotes, and the file in parentheses behind it if it is given.
NAME = re.compile(r"`([A-Za-z]\w*(?:::\w+)*)`(?: \(`([\w/.]+)`\))?")


def knows(folder, name):
    """Does a source file in this folder have the last part of `name`?"""
    word = re.compile(r"\b" + re.escape(name.rpartition("::")[2]) + r"\b")
    return any(word.search(file.read_text()) for file in folder.glob("*.[ch]pp"))


def check(page, problems):
    text = (ROOT / page).read_text()
    for walk in re.split(r"^## ", text, flags=re.M):
        named = set()
        for path in PATH.findall(walk):
            if not (ROOT / path).exists():
                problems.append(f"{page}: there is no {path}")
        for name, path in NAME.findall(walk):
            if (ROOT / path).is_file() and not knows((ROOT / path).parent, name):
                problems.append(f"{page}: {path} has no {name}")
            if "::" in name and name in named:
                problems.append(f"{page}: {name} is named twice")
            named.add(name)


def main():
    problems = []
    for page in WALKS:
        check(page, problems)
    print("\n".join(problems))
    print(f"{len(WALKS)} pages, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
