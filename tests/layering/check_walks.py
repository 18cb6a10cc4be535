#!/usr/bin/env python3
"""Checks the walks of docs/: every file they name is there, every function is in the folder of the file named with it, and named once per walk.
Checks, too, that the source files which comments and docs/ name are there."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
WALKS = ["docs/packet-walk.md", "docs/rule-walk.md", "docs/configuration-walk.md", "docs/walks.md", "docs/events.md"]
PATH = re.compile(r"`((?:core|router|netlink)/[\w/.]+)`")
# A row of a table: a name, and a file, which is in the folder of the row above if it names none.
ROW = re.compile(r"^\| `([A-Za-z]\w*(?:::\w+)*)` \| `([\w/.]+)` \|", re.M)
# A name in backquotes, and the file in parentheses behind it if it is given.
NAME = re.compile(r"`([A-Za-z]\w*(?:::\w+)*)`(?: \(`([\w/.]+)`\))?")

SOURCES = ["core", "netlink", "router", "tests"]
FILE = re.compile(r"(?<![\w*])[a-z][a-z_0-9]*\.[ch]pp\b")
GENERATED = {"conformance_cases.cpp"}


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
        folder = ""
        for name, path in ROW.findall(walk):
            path = path if "/" in path else f"{folder}/{path}"
            folder = path.rpartition("/")[0]
            if not (ROOT / path).is_file():
                problems.append(f"{page}: there is no {path}")
            elif not knows((ROOT / path).parent, name):
                problems.append(f"{page}: {path} has no {name}")
        for name, path in NAME.findall(walk):
            if (ROOT / path).is_file() and not knows((ROOT / path).parent, name):
                problems.append(f"{page}: {path} has no {name}")
            if "::" in name and name in named:
                problems.append(f"{page}: {name} is named twice")
            named.add(name)


def check_file_names(problems):
    sources = [file for folder in SOURCES for file in sorted((ROOT / folder).rglob("*.[ch]pp"))]
    there = {file.name for file in sources} | GENERATED
    for file in sources + sorted((ROOT / "docs").glob("*.md")):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            text = line if file.suffix == ".md" else line.partition("//")[2]
            problems += [f"{file.relative_to(ROOT)}:{number}: there is no {name}" for name in FILE.findall(text) if name not in there]


def main():
    problems = []
    for page in WALKS:
        check(page, problems)
    check_file_names(problems)
    print("\n".join(problems))
    print(f"{len(WALKS)} pages, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
