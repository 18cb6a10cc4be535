#!/usr/bin/env python3
"""Checks that the code and the documents agree: each RFC the code cites is in the glossary's list and the other way round,
and each `differs: ID` of the code has its row among the deliberate differences."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def code():
    for folder in ("core", "netlink", "router"):
        yield from sorted((ROOT / folder).rglob("*.[ch]pp"))


def section(document, title):
    text = (ROOT / "docs" / document).read_text()
    return text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def cited(pattern):
    """What the code says, with the first place that says it. A comment may break between two words."""
    places = {}
    for file in code():
        text = re.sub(r"\s*\n\s*//\s*", " ", file.read_text())
        for match in re.finditer(pattern, text):
            places.setdefault(match[1], str(file.relative_to(ROOT)))
    return places


def compare_rfcs(problems):
    listed = set(re.findall(r"^\| (\d+) \|", section("glossary.md", "RFCs cited in the code"), re.MULTILINE))
    places = cited(r"\bRFC (\d+)")
    for number in sorted(set(places) - listed, key=int):
        problems.append(f"{places[number]}: RFC {number} is not in docs/glossary.md")
    for number in sorted(listed - set(places), key=int):
        problems.append(f"docs/glossary.md: the code does not cite RFC {number}")
    return len(places)


def compare_differences(problems):
    rows = set(re.findall(r"^\| ([a-z0-9-]+) \|", section("kernel-parity.md", "Deliberate differences"), re.MULTILINE))
    places = cited(r"\bdiffers: ([a-z0-9-]+)")
    for name in sorted(set(places) - rows):
        problems.append(f"{places[name]}: docs/kernel-parity.md has no row {name}")
    return len(places)


def main():
    problems = []
    rfcs, differences = compare_rfcs(problems), compare_differences(problems)
    print("\n".join(problems))
    print(f"{rfcs} RFCs, {differences} differences, {len(problems)} problems")
    return 1 if problems or not rfcs or not differences else 0


if __name__ == "__main__":
    sys.exit(main())
