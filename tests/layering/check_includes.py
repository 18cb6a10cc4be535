#!/usr/bin/env python3
"""Checks that every #include of the product follows the layering, that no files include each other in a circle (a .hpp and its .cpp are
one), and that core/ stays free of the outside world."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# module -> modules it may include besides itself; everything reachable through them is allowed, too
MAY_INCLUDE = {
    "core/base": [],
    "core/wire": ["core/base"],
    "core/packet": ["core/wire"],
    "core/defrag": ["core/packet"],
    "core/routing": ["core/packet"],
    "core/local": ["core/packet"],
    "core/conntrack/record": ["core/packet"],
    "core/conntrack/table": ["core/conntrack/record"],
    "core/conntrack/trackers": ["core/conntrack/record"],
    "core/conntrack/expect": ["core/conntrack/record"],
    "core/conntrack": ["core/conntrack/table", "core/conntrack/trackers", "core/conntrack/expect"],
    "core/nat": ["core/conntrack"],
    "core/helpers/call": ["core/nat"],
    "core/helpers/protocols": ["core/helpers/call"],
    "core/helpers/sip": ["core/helpers/call"],
    "core/helpers": ["core/helpers/protocols", "core/helpers/sip"],
    "core/sets": ["core/packet"],
    "core/rules/words": ["core/wire"],
    "core/rules": ["core/rules/words", "core/nat", "core/sets"],
    "core/rules/matches/headers": ["core/rules"],
    "core/rules/matches/memory": ["core/rules"],
    "core/rules/matches": ["core/rules/matches/headers", "core/rules/matches/memory"],
    "core/rules/targets": ["core/rules"],
    "core/rules/language": ["core/rules/matches", "core/rules/targets"],
    "core/rules/program": ["core/rules"],
    "core/rules/lint": ["core/rules"],
    "core/pipeline": ["core/helpers", "core/rules/language", "core/rules/program", "core/local", "core/defrag", "core/routing"],
    "core/observe": ["core/pipeline"],
    "core/procfs": ["core/observe"],
    "netlink": ["core/base"],
    "router/base": ["core/base"],
    "router/log": ["router/base", "netlink"],
    "router/tools/conntrack": ["router/base", "core/procfs"],
    "router/tools/ip": ["router/base", "core/pipeline"],
    "router/tools/nfct": ["router/base", "core/pipeline"],
    "router/tools/iptables": ["router/base", "core/rules/language"],
    "router/tools/ipset": ["router/base", "core/sets", "core/rules/words"],
    "router/shards": ["router/base", "core/pipeline", "netlink"],
    "router/ports": ["router/shards"],
    "router/capture": ["router/base", "core/wire"],
    "router/observe": ["router/capture", "core/observe"],
    "router/explain": ["router/observe", "router/tools/iptables", "core/procfs"],
    "router/config": ["router/tools/conntrack", "router/tools/nfct", "router/tools/ip", "router/tools/ipset", "core/procfs", "core/rules/lint"],
    "router/bundle": ["router/config", "router/observe"],
    "router/http": ["router/base", "netlink"],
    "router/control": ["router/http", "router/config", "router/ports", "router/log", "router/tools/iptables", "router/explain"],
    "router/topology": ["router/control"],
    "router/changes": ["router/topology"],
    "router/daemon": ["router/changes"],
    "router/replay": ["router/config", "router/observe"],
    "router/import": ["router/config", "netlink"],
    "router/commands": ["router/daemon", "router/replay", "router/import", "router/bundle"],
    "router": ["router/commands"],
}
EXTRA = {"netlink": ["core/wire/address.hpp"]}
# All that core/ may take from outside. <atomic> is for fences, <cstdio> for snprintf, <cstdlib> for abort.
STANDARD_IN_CORE = set(
    "algorithm array atomic bit bitset charconv chrono cmath compare cstdarg cstddef cstdint cstdio cstdlib cstring deque functional "
    "initializer_list iterator limits list map memory numeric optional set span string string_view tuple type_traits unordered_map "
    "utility variant vector".split())
ABORTS = "core/base/check.cpp"  # says why on standard error
FORBIDDEN_IN_CORE = re.compile(r"::now\(|\berrno\b|\bthrow\b|\bgetenv\b|\bs?rand\(|\bf?printf\(|\bf(open|write|puts)\(|std::atomic<")


def reachable(module):
    seen, todo = set(), [module]
    while todo:
        current = todo.pop()
        if current not in seen:
            seen.add(current)
            todo.extend(MAY_INCLUDE[current])
    return seen


def module_of(path):
    folder = path.rpartition("/")[0]
    while folder and folder not in MAY_INCLUDE:
        folder = folder.rpartition("/")[0]
    return folder


def check(file, problems):
    name = str(file.relative_to(ROOT))
    module = module_of(name)
    allowed = reachable(module)
    for number, line in enumerate(file.read_text().splitlines(), 1):
        match = re.match(r'#include "([^"]+)"', line)
        if match and module_of(match[1]) not in allowed and match[1] not in EXTRA.get(module, []):
            problems.append(f"{name}:{number}: {module} must not include {match[1]}")
        system = re.match(r"#include <([^>]+)>", line)
        if module.startswith("core/") and system and system[1] not in STANDARD_IN_CORE:
            problems.append(f"{name}:{number}: not in core/: <{system[1]}>")
        if name != ABORTS and module.startswith("core/") and FORBIDDEN_IN_CORE.search(line.split("//")[0]):
            problems.append(f"{name}:{number}: not in core/: {line.strip()}")


def arrows():
    """Which unit (a path without its ending) includes which others."""
    found = {}
    for folder in ("core", "netlink", "router"):
        for file in sorted((ROOT / folder).rglob("*.[ch]pp")):
            unit = str(file.relative_to(ROOT).with_suffix(""))
            included = re.findall(r'^#include "([^"]+)\.hpp"', file.read_text(), re.M)
            found.setdefault(unit, set()).update(set(included) - {unit})
    return found


def circles(graph):
    """The units that include themselves by way of others."""

    def reached(unit):
        seen, todo = set(), list(graph[unit])
        while todo:
            current = todo.pop()
            if current not in seen:
                seen.add(current)
                todo.extend(graph.get(current, ()))
        return seen

    return sorted(unit for unit in graph if unit in reached(unit))


def main():
    problems, files = [], 0
    for folder in ("core", "netlink", "router"):
        for file in sorted((ROOT / folder).rglob("*.[ch]pp")):
            files += 1
            check(file, problems)
    problems += [f"{unit}: is part of a circle of files" for unit in circles(arrows())]
    print("\n".join(problems))
    print(f"{files} files, {len(problems)} problems")
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main())
