#!/usr/bin/env python3
"""Checks that every target links what its folder may include and no more, and that the tools link neither Asio nor netlink."""
import re
import sys

from check_includes import MAY_INCLUDE, ROOT, reachable

OUTSIDE_OF_TOOLS = re.compile(r"nsr_netlink|Boost::|PkgConfig::")


def folder_of(target):
    """nsr_rules_words is core/rules/words; nsr_router_base is router/base."""
    name = target.removeprefix("nsr_")
    for folder in MAY_INCLUDE:
        if name == folder.removeprefix("core/").replace("/", "_"):
            return folder
    return None


def links():
    text = "\n".join(path.read_text() for path in [ROOT / "CMakeLists.txt", *sorted((ROOT / "cmake").glob("*.cmake"))])
    return {words[0]: words[1:] for words in (call.split() for call in re.findall(r"^nsr_module\(([^)]*)\)", text, re.M))}


def all_links(folder, table):
    seen, todo = set(), list(table.get(folder, ()))
    while todo:
        target = todo.pop()
        if target not in seen:
            seen.add(target)
            todo.extend(table.get(folder_of(target), ()))
    return seen


def main():
    table, problems = links(), []
    for folder, targets in table.items():
        for target in targets:
            linked = folder_of(target)
            if target.startswith("nsr_") and linked not in reachable(folder):
                problems.append(f"{folder} must not link {target}")
        if folder.startswith("router/tools/"):
            problems += [f"{folder} must not link {target}" for target in sorted(all_links(folder, table)) if OUTSIDE_OF_TOOLS.match(target)]
    print("\n".join(problems))
    print(f"{len(table)} targets, {len(problems)} problems")
    return 1 if problems or len(table) < 20 else 0


if __name__ == "__main__":
    sys.exit(main())
