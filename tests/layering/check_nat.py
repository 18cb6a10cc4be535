#!/usr/bin/env python3
"""Checks that docs/nat-behaviour.md has each requirement of its RFCs, that the tests it names for them are there, and that it shows of each
profile what its test sees."""
import fnmatch
import pathlib
import re
import sys
import tarfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
REQUIREMENTS = {4787: range(1, 15), 5382: range(1, 11), 5508: range(1, 12), 6888: range(1, 16), 7857: range(2, 13)}
ROW = re.compile(r"^\| (\d{4}) \| (\d+)([a-z]?) \|.*\| ([^|]*) \|$", re.M)


def test_names():
    """Those of all doctest cases; a name may be broken into several literals."""
    names = set()
    for file in sorted((ROOT / "tests").rglob("*_test.cpp")):
        for literals in re.findall(r'\bTEST_CASE(?:_FIXTURE)?\(\s*(?:\w+,\s*)?((?:"(?:[^"\\]|\\.)*"\s*)+)\)', file.read_text()):
            names.add("".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals)))
    return names


def recorded_cases():
    with tarfile.open(ROOT / "tests/oracle/cases.tar.xz") as archive:
        return {name.split("/")[1] for name in archive.getnames() if name.count("/") >= 1}


def check_rows(text, problems):
    names, cases = test_names(), recorded_cases()
    seen = {rfc: set() for rfc in REQUIREMENTS}
    for rfc, number, letter, tests in ROW.findall(text):
        seen[int(rfc)].add(int(number))
        what = f"RFC {rfc} {number}{letter}"
        told = re.findall(r"(oracle )?`([^`]+)`", tests)
        if not told:
            problems.append(f"{what} names no test")
        for oracle, name in told:
            if not any(fnmatch.fnmatchcase(one, name) for one in cases) if oracle else name not in names:
                problems.append(f"{what}: there is no {'recording' if oracle else 'test'} \"{name}\"")
    for rfc, numbers in REQUIREMENTS.items():
        for number in sorted(set(numbers) - seen[rfc]):
            problems.append(f"RFC {rfc} {number} has no row")
    return sum(len(numbers) for numbers in seen.values())


def check_profiles(text, problems):
    """The lines that the test of the profiles expects are those of the document."""
    source = (ROOT / "tests/scenario/nat_mappings_test.cpp").read_text().split("kProfileLines", 1)[1].split("};", 1)[0]
    expected = set(re.findall(r"(?:udp|tcp) src=.*?(?=\\n)", "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', source))))
    shown = set(re.findall(r"^    (.*)$", text.split("## What each profile shows", 1)[1].split("\n## ", 1)[0], re.M))
    for line in sorted(expected ^ shown):
        problems.append(f"of the profiles, in the document or in its test alone: {line}")


def main():
    text = (ROOT / "docs/nat-behaviour.md").read_text()
    problems = []
    rows = check_rows(text, problems)
    check_profiles(text, problems)
    print("\n".join(problems))
    print(f"{rows} requirements, {len(problems)} problems")
    return 1 if problems or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
