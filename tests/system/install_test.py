#!/usr/bin/env python3
"""`cmake --install` into an empty folder: what is there, and that it works there. Needs no root.

    install_test.py BUILD_FOLDER SOURCE_FOLDER
"""
import os
import pathlib
import subprocess
import sys
import tempfile


def run(*words, **options):
    return subprocess.run(words, capture_output=True, text=True, timeout=60, **options)


def main(build, source):
    failures = 0

    def check(what, holds, seen=""):
        nonlocal failures
        failures += not holds
        print(f"{'ok  ' if holds else 'FAIL'} {what}" + ("" if holds else f"\n     saw: {seen!r}"))

    with tempfile.TemporaryDirectory() as folder:
        done = run("cmake", "--install", build, "--prefix", "/usr", env={**os.environ, "DESTDIR": folder})
        check("cmake --install", done.returncode == 0, done)
        root = pathlib.Path(folder)
        found = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
        examples = {f"usr/share/doc/nsrouter/examples/{path.relative_to(pathlib.Path(source) / 'configs')}" for path in (pathlib.Path(source) / "configs").rglob("*") if path.is_file()}
        expected = {"usr/sbin/nsrouter", "usr/share/man/man8/nsrouter.8", "usr/share/bash-completion/completions/nsrouter"} | examples
        check("the program, its manual page, completion and examples, and nothing else", found == expected, found ^ expected)
        program = str(root / "usr/sbin/nsrouter")
        check("the program runs", run(program, "--version").stdout.startswith("nsrouter "), run(program, "--version"))
        for example in sorted(path for path in examples if path.endswith(".toml")):
            answer = run(program, "check", str(root / example))
            check(f"it takes {os.path.basename(example)}", answer.returncode == 0, answer)
        script = root / "usr/share/bash-completion/completions/nsrouter"
        offered = run("bash", "-c", f'source {script}; COMP_WORDS=(nsrouter st) COMP_CWORD=1; _nsrouter; echo "${{COMPREPLY[*]}}"')
        check("completion offers the commands", offered.stdout.split() == ["stop", "status"], offered)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
