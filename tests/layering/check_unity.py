#!/usr/bin/env python3
"""Files that are compiled together (cmake/unity.cmake) name nothing of their own alike.

What an anonymous namespace holds belongs to the whole of what is compiled at once: a second function of a name would be an overload there,
and a call might mean the other one. So of the files that have such a name all but one stand in NSR_ALONE.
"""
import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TYPE = re.compile(r"(?:struct|class|enum class|enum) (\w+)|using (\w+) =")
VALUE = re.compile(r"(?<![:\w])([A-Za-z_]\w*)\s*(?:\[\w*\])?\s*(?:[({=;]|$)")


def alone():
    text = (ROOT / "cmake/unity.cmake").read_text()
    return set(re.search(r"set\(NSR_ALONE(.*?)\)", text, re.S)[1].split())


def own_names(path):
    """Of the anonymous namespaces of a file, at their outermost level."""
    names, inside = set(), False
    for line in path.read_text().splitlines():
        if line.startswith("namespace {"):
            inside = True
        elif line.startswith("}  // namespace") and not line.startswith("}  // namespace nsr"):
            inside = False
        elif inside and re.match(r"[A-Za-z\[]", line) and not line.startswith(("template", "static_assert", "using namespace", "namespace", "extern")):
            found = TYPE.match(line) or (None if line.startswith("using ") else VALUE.search(line.removeprefix("const ")))
            names |= {found[found.lastindex]} - {"const"} if found else set()
    return names


def rooms():
    for folder in sorted({path.parent for part in ("core", "netlink", "router") for path in (ROOT / part).rglob("*.cpp")}):
        yield sorted(folder.glob("*.cpp"))
    for folder in sorted(path for path in (ROOT / "tests/unit").iterdir() if path.is_dir()):
        yield sorted([*folder.rglob("*_test.cpp"), *folder.rglob("*_rows.cpp")])
    for name in ("scenario", "iptables"):
        yield sorted((ROOT / "tests" / name).glob("*.cpp"))


def main():
    apart, problems, files = alone(), [], 0
    for room in rooms():
        owners = collections.defaultdict(list)
        for path in room:
            files += 1
            for name in own_names(path):
                owners[name].append(str(path.relative_to(ROOT)))
        for name, having in sorted(owners.items()):
            together = [path for path in having if path not in apart]
            if len(together) > 1:
                problems.append(f"{name}: of {' and of '.join(together)}; one of them has to be alone (cmake/unity.cmake)")
    for path in sorted(apart):
        if not (ROOT / path).exists():
            problems.append(f"{path}: is alone, and is not there")
    print(*problems, sep="\n")
    print(f"{files} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
