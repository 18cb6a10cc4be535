#!/usr/bin/env python3
"""Runs libFuzzer targets one after the other: run.py BUILD_FOLDER [SECONDS] [TARGET...]

Each target starts from its seeds (corpus/TARGET) and what earlier runs found (BUILD_FOLDER/corpus), with a dictionary if there is one. A run
fails if a target crashes, hangs or leaks, or reaches fewer edges than floors.txt demands of it: then the fuzzer is blind, or its seeds no
longer get anywhere. What broke a target lies in BUILD_FOLDER/artifacts, what it said in BUILD_FOLDER/logs.
"""
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def floors():
    """The floors, target by target, in the order of the file."""
    rows = (line.split("#")[0].split() for line in (HERE / "floors.txt").read_text().splitlines())
    return {row[0]: int(row[1]) for row in rows if row}


def folder(build, kind, target):
    path = build / kind / target
    path.mkdir(parents=True, exist_ok=True)
    return path


def command(build, target, seconds):
    # Without the entropic schedule, whose bookkeeping of tens of thousands of features takes half of the time.
    words = [build / "tests/fuzz" / f"fuzz_{target}", f"-max_total_time={seconds}", "-timeout=10", "-entropic=0", "-rss_limit_mb=2048", "-print_final_stats=1"]
    words.append(f"-artifact_prefix={folder(build, 'artifacts', target)}/")
    dictionary = HERE / "dictionaries" / f"{target}.dict"
    if dictionary.exists():
        words.append(f"-dict={dictionary}")
    return words + [folder(build, "corpus", target), HERE / "corpus" / target]


def last_number(pattern, text):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def run(build, target, seconds, floor):
    """What went wrong, in a few words; empty: nothing."""
    log = folder(build, "logs", target) / "log"
    with log.open("wb") as out:
        status = subprocess.run(command(build, target, seconds), stdout=out, stderr=subprocess.STDOUT).returncode
    text = log.read_text(errors="replace")
    edges = last_number(r"cov: (\d+)", text)
    executions = last_number(r"stat::number_of_executed_units: (\d+)", text)
    wrong = ""
    if status != 0:
        wrong = f"FAILED with {status}, see {log}"
    elif edges < floor:
        wrong = f"BLIND: fewer than {floor} edges"
    print(f"{target:12} {edges:7} edges {executions:11} executions  {wrong}", flush=True)
    return wrong


def main():
    build, arguments = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    seconds = int(arguments.pop(0)) if arguments and arguments[0].isdigit() else 30
    known = floors()
    strange = [name for name in arguments if name not in known]
    if strange:
        sys.exit(f"no target {strange[0]}; there are {' '.join(known)}")
    without_floor = {path.name.removesuffix("_fuzz.cpp") for path in HERE.glob("*_fuzz.cpp")} - known.keys()
    if without_floor:
        sys.exit(f"no floor in floors.txt: {' '.join(sorted(without_floor))}")
    wrong = [name for name in arguments or known if run(build, name, seconds, known[name])]
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
