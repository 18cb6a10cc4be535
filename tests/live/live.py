#!/usr/bin/env python3
"""Random packets through this machine's kernel and through nsrouter, compared: packets, table and counters.

    live.py --nsrouter PROGRAM [--seconds 60] [--seed N] [--length 120] [--keep FOLDER] [--case SEED | --cells [SHAPE] | --headers | --sysctls | --rulesets [NAME]]

Each seed is one sequence in a network namespace of its own. A difference is shrunk to the shortest sequence that still shows it and
written below --keep as a case: router.toml, rules, in.pcapng and what the kernel did. Exit code 1 if there was any. Needs root.
"""
import argparse
import dataclasses
import itertools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import canon
import cells
import generate
import headers
import kernel
import packets as p
import pcapng
import rulesets
import sysctls


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nsrouter", required=True, type=os.path.abspath)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1000000 * 1000)
    parser.add_argument("--length", type=int, default=120)
    parser.add_argument("--keep", default="build/live")
    parser.add_argument("--case", type=int, help="only this seed, with its packets printed")
    parser.add_argument("--cells", nargs="?", const="", metavar="SHAPE", help="not random: every cell of the TCP state table, its segment in this or every shape")
    parser.add_argument("--headers", action="store_true", help="IPv6 extension headers and IPv4 options, for --seconds, from --seed on")
    parser.add_argument("--sysctls", action="store_true", help="not random: the sysctls of net.ipv4 and net.ipv6, set between packets that they are about")
    parser.add_argument("--rulesets", nargs="?", const="", metavar="NAME", help="the whole rule files of tests/rulesets, all or one, for --seconds, from --seed on")
    parser.add_argument("--skip", action="store_true", help="end with 77 where the kernel cannot be asked")
    options = parser.parse_args()
    if options.case is not None:
        return show(options.case, options)
    if why := cannot_ask(() if options.rulesets is None else ("ipset",)):
        print(f"live: {why}", file=sys.stderr)
        return 77 if options.skip else 1
    cases = random_cases(options) if options.cells is None else cells.cases(options.cells)
    cases = timed(headers.case, options) if options.headers else cases
    cases = sysctls.cases() if options.sysctls else cases
    cases = timed(ruleset_case(options), options) if options.rulesets is not None else cases
    return 1 if compare_all(cases, options) else 0


def cannot_ask(more_tools=()):
    """Why this machine's kernel is no judge; empty if it is."""
    if os.geteuid() != 0:
        return "comparing with the kernel needs root (network namespaces and TUN devices)"
    release = os.uname().release
    if tuple(int(x) for x in re.findall(r"\d+", release)[:2]) < (6, 12):
        return f"this kernel is {release}; behaviour is compared with 6.12 and newer"
    missing = [tool for tool in ("ip", "iptables-legacy-restore", "ip6tables-legacy-restore", *more_tools) if not shutil.which(tool)]
    return f"{', '.join(missing)} not found" if missing else ""


def random_cases(options):
    return timed(lambda seed: generate.sequence(seed, options.length), options)


def ruleset_case(options):
    names = [options.rulesets] if options.rulesets else rulesets.names()
    return lambda seed: rulesets.case(names[seed % len(names)], seed, options.length)


def timed(make, options):
    end, seed = time.monotonic() + options.seconds, options.seed
    while time.monotonic() < end:
        yield make(seed)
        seed += 1


def compare_all(cases, options):
    """-> how many of the cases differ. A difference counts when it shows again under other seeds of nsrouter's own random choices: ports
    are random on both sides and now and then one happens to be a port of the case."""
    done = packets = differing = once = 0
    for case in cases:
        done, packets = done + 1, packets + len(case.packets)
        why = difference(case, options.nsrouter)
        if why and all(difference(case, options.nsrouter, seed) for seed in (2, 3)):
            differing += 1
            report(shrink(case, options.nsrouter), options, why)
        elif why:
            once += 1
            print(f"--- {case.name}: seen once, not again: {why}", flush=True)
        if differing == 10:
            break
    print(f"{done} sequences, the last {case.name}; {packets} packets compared, {differing} sequences differ, {once} differed once and not again")
    return differing


def difference(case, program, seed=1):
    """The first difference between the kernel and nsrouter, in words; empty if there is none."""
    theirs = kernel.run(case)
    with tempfile.TemporaryDirectory(prefix="nsr-live-") as folder:
        write_case(case, pathlib.Path(folder))
        ours = replay(pathlib.Path(folder), program, len(case.packets), seed)
    return compare(case, theirs, ours)


def compare(case, theirs, ours):
    """Both are kernel.Result."""
    if theirs.refused != ours.refused:
        return f"ip: the kernel refused {theirs.refused}, nsrouter {ours.refused}"
    known = known_ports(case)
    own = {address.partition("/")[0] for addresses in case.interfaces.values() for address in addresses}
    names_theirs, names_ours = canon.Names(known), canon.Names(known)
    for index, (interface, data) in enumerate(case.packets):
        a = [(i, canon.packet(d, names_theirs, own)) for i, d in sorted(theirs.outputs[index], key=lambda x: x[0])]
        b = [(i, canon.packet(d, names_ours, own)) for i, d in sorted(ours.outputs[index], key=lambda x: x[0])]
        if a != b:
            return (f"packet {index} ({interface}):\n  kernel   {show_packets(theirs.outputs[index])}\n  nsrouter {show_packets(ours.outputs[index])}\n"
                    f"  {first_difference(a, b)}")
    a, b = canon.table(theirs.table, names_theirs), canon.table(ours.table, names_ours)
    if [x[0] for x in a] != [x[0] for x in b]:
        only = lambda x, y: "".join(f"\n    {line} ({t} s)" for line, t in x if line not in [z[0] for z in y])  # noqa: E731
        return f"table:\n  only kernel:{only(a, b)}\n  only nsrouter:{only(b, a)}"
    for (line, kernel_time), (_, our_time) in zip(a, b):
        if abs(kernel_time - our_time) > 2:
            return f"timeout: kernel {kernel_time}, nsrouter {our_time}: {line}"
    return compare_counters(theirs, ours)


def compare_counters(theirs, ours):
    for name, value in theirs.stats.items():
        if ours.stats.get(name) != value:
            return f"stat {name}: kernel {value}, nsrouter {ours.stats.get(name)}"
    a, b = canon.counters(theirs.counters), canon.counters(ours.counters)
    for chain in sorted(a.keys() | b.keys()):
        for x, y in itertools.zip_longest(a.get(chain, []), b.get(chain, [])):
            if x != y:
                return f"rules of {chain}:\n  kernel   {x}\n  nsrouter {y}"
    return ""


def known_ports(case):
    """Ports and ids that occur in what was sent, quoted headers included, or in rules: NAT did not invent these."""
    known = {0, 53, 3128, 8080}
    for _, data in case.packets:
        view = p.View(data)
        while view.l4 is not None and len(view.body) >= 6:
            known.update(int.from_bytes(view.body[at : at + 2], "big") for at in p.ports_at(view))
            if not view.is_error() or view.offset:
                break
            view = p.View(view.body[8:], view.version)
    return known


def replay(folder, program, count, seed):
    command = [program, "replay", "router.toml", "--in", "in.pcapng", "--out", "out.pcapng", "--conntrack", "table", "--stats", "stats",
               "--seed", str(seed)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    refused = re.findall(r"router\.toml:\d+:\d+: ip (.*?): (?:Error|RTNETLINK|Cannot)", done.stderr)
    if done.returncode and not refused:
        raise RuntimeError(f"nsrouter replay ends with {done.returncode}: {done.stderr}")
    outputs = [[] for _ in range(count)]
    for interface, data, comment in pcapng.read(folder / "out.pcapng"):
        if comment and comment.startswith("in="):
            outputs[int(comment[3:])].append((interface, data))
    table = [line for line in (folder / "table").read_text().splitlines() if line.startswith("ipv")]
    counters = (folder / "stats").read_text().splitlines()
    stats = {line.split()[1]: int(line.split()[2]) for line in counters if line.startswith("stat ")}
    return kernel.Result(outputs, table, stats, [line for line in counters if line.startswith("v")], refused)


def write_case(case, folder):
    lines = ["[router]", 'name = "live"', "[control]", 'listen = ""', "[conntrack]", 'mode = "on"']
    for name, addresses in case.interfaces.items():
        lines += ["[[interface]]", f'name = "{name}"', f"address = {addresses!r}".replace("'", '"'), f"mtu = {case.mtu[name]}"]
    for route in case.routes:
        lines += ["[[route]]", *(f'{key} = "{value}"' for key, value in route.items())]
    lines.append("[sysctl]")
    quiet = {"net.ipv4.icmp_ratelimit": 0, "net.ipv6.icmp.ratelimit": 0, "net.ipv4.icmp_msgs_per_sec": 1000000,
             "net.netfilter.nf_conntrack_max": 262144}
    lines += [f'"{name}" = {value}' for name, value in {**quiet, **case.sysctls}.items()]
    lines += ["[rules]", 'ipv4 = "rules.v4"', 'ipv6 = "rules.v6"', "[replay]", "settle = 0.001"]
    if case.sets:
        lines.insert(lines.index("[rules]") + 1, 'ipset = "sets"')
        (folder / "sets").write_text(case.sets)
    (folder / "rules.v4").write_text(case.rules_v4)
    (folder / "rules.v6").write_text(case.rules_v6)
    write_events(case, folder, lines)
    (folder / "router.toml").write_text("\n".join(lines) + "\n")
    pcapng.write(folder / "in.pcapng", list(case.interfaces), [((i + 1) * case.step_us, name, data) for i, (name, data) in enumerate(case.packets)])


def write_events(case, folder, lines):
    at = 0
    for number, step in enumerate(case.steps):
        if not isinstance(step, generate.Event):
            at += case.step_us
            continue
        value = f'["{step.text}"]'
        if step.kind == "sysctl":
            name, _, setting = step.text.partition("=")
            value = f'{{ "{name}" = {setting} }}'
        elif step.kind in ("ipv4", "ipv6"):
            (folder / f"event{number}.rules").write_text(step.text)
            value = f'"event{number}.rules"'
        lines += ["[[replay.event]]", f"at = {at / 1e6:.6f}", f"{step.kind} = {value.replace(' nodad', '')}"]


def shrink(case, program):
    """The shortest that still differs: fewer packets in ever smaller bites, then fewer rules, then fewer packets again."""
    case = fewer(case, program, "steps", case.steps, list)
    for family in ("rules_v4", "rules_v6"):
        case = fewer(case, program, family, getattr(case, family).splitlines(), lambda lines: "".join(line + "\n" for line in lines))
    return fewer(case, program, "steps", case.steps, list)


def fewer(case, program, field, items, join):
    bite = max(1, len(items) // 2)
    while bite:
        at = 0
        while at < len(items):
            less = items[:at] + items[at + bite :]
            smaller = dataclasses.replace(case, **{field: join(less)})
            if differs(smaller, program):
                items = less
            else:
                at += bite
        bite //= 2
    return dataclasses.replace(case, **{field: join(items)})


def differs(case, program):
    try:
        return bool(case.packets and difference(case, program))
    except RuntimeError:  # without that line it is no rule set any more
        return False


def report(case, options, first_why):
    why = difference(case, options.nsrouter) or f"not seen again in the shortened sequence; the whole: {first_why}"
    folder = pathlib.Path(options.keep) / re.sub(r"\W+", "-", case.name)
    folder.mkdir(parents=True, exist_ok=True)
    write_case(case, folder)
    result = kernel.run(case)
    (folder / "expect.conntrack").write_text("\n".join(result.table) + "\n")
    pcapng.write(folder / "expect.pcapng", list(case.interfaces),
                 [((i + 1) * case.step_us, name, data) for i, left in enumerate(result.outputs) for name, data in left])
    (folder / "why").write_text(why + "\n")
    print(f"--- {case.name}: {len(case.packets)} packets show a difference, kept in {folder}\n{why}")
    print_steps(case)
    sysctls = " ".join(f"{k.rsplit('.', 1)[1]}={v}" for k, v in case.sysctls.items())
    print(f"  {sysctls}\n  v4: {' | '.join(case.rules_v4.splitlines())}\n  v6: {' | '.join(case.rules_v6.splitlines())}", flush=True)


def print_steps(case):
    index = 0
    for step in case.steps:
        if isinstance(step, generate.Event):
            print(f"      {step.kind} {' | '.join(step.text.splitlines())}")
        else:
            print(f"  {index:3} {step[0]} {words(step[1])}")
            index += 1


def show(seed, options):
    case = generate.sequence(seed, options.length)
    print_steps(case)
    why = difference(case, options.nsrouter)
    print(why or "no difference")
    return 1 if why else 0


def first_difference(a, b):
    for (i, x), (j, y) in zip(a, b):
        if (i, x) != (j, y):
            at = next((n for n, (m, k) in enumerate(zip(x[0], y[0])) if m != k), None)
            return f"{i}/{j}: first byte that differs: {at}; beside the bytes: {x[1:]} / {y[1:]}"
    return f"{len(a)} / {len(b)} packets"


def show_packets(left):
    return "; ".join(f"{name}: {words(data)}" for name, data in left) or "nothing"


def words(data):
    view = p.View(data)
    if view.l4 is None:
        return data.hex()
    text = f"{generate._address(view.source)} > {generate._address(view.destination)} ttl={data[7] if view.version == 6 else data[8]} len={len(data)}"
    if view.offset or view.more:
        text += f" frag {view.offset}{'+' if view.more else ''}"
    body = view.body
    if view.protocol == p.TCP and len(body) >= 16 and not view.offset:
        flags = "".join(c for i, c in enumerate("FSRPAU") if body[13] >> i & 1)
        number = lambda at, size: int.from_bytes(body[at : at + size], "big")  # noqa: E731
        return (f"{text} TCP {number(0, 2)}>{number(2, 2)} {flags} seq={number(4, 4)} ack={number(8, 4)} win={number(14, 2)} "
                f"data={len(body) - (body[12] >> 4) * 4} {body[20:(body[12] >> 4) * 4].hex()}")
    return f"{text} proto {view.protocol} {body[:28].hex()}"


if __name__ == "__main__":
    sys.exit(main())
