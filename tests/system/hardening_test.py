#!/usr/bin/env python3
"""The program as it is built for people: what its headers say of its memory. Builds with sanitizers or without optimisation are not.

    hardening_test.py NSROUTER BUILD_TYPE
"""
import re
import subprocess
import sys

SKIPPED = 77


def readelf(program, *what):
    return subprocess.run(["readelf", "-W", *what, program], capture_output=True, text=True, check=True).stdout


def main(program, build_type):
    if build_type == "Debug":
        print("skipped: a debug build is not hardened", file=sys.stderr)
        return SKIPPED
    headers, dynamic, symbols = readelf(program, "-h", "-l"), readelf(program, "-d"), readelf(program, "--dyn-syms")
    checks = {
        "position independent": re.search(r"Type:\s+DYN", headers),
        "relocations become read-only": "GNU_RELRO" in headers and re.search(r"BIND_NOW|FLAGS_1.*NOW", dynamic),
        "the stack holds no code": re.search(r"GNU_STACK.* RW ", headers),
        "no segment is writable and executable": not re.search(r"LOAD.* RWE ", headers),
        "the stack is protected": "__stack_chk_fail" in symbols,
        "library calls are fortified": re.search(r"__\w+_chk@", symbols),
    }
    for what, holds in checks.items():
        print("ok  " if holds else "FAIL", what)
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
