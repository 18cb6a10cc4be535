#!/usr/bin/env python3
"""The tour of README.md, typed from top to bottom: every command works, and what the page shows of its answer is in it.

    tour_test.py NSROUTER
"""
import pathlib

import harness
import transcript

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOUR = (ROOT / "README.md").read_text()
BUILT_ALREADY = ("./dev build", "export PATH=")


def test(h):
    config = h.write("demo.toml", h.adapt((ROOT / "configs" / "demo.toml").read_text()))
    names = ((r"\b(netns exec|ip -n) (client|server)\b", rf"\1 {h.id}-\2"), (r"/tmp/", f"{h.folder}/"),
             (r"configs/demo\.toml", config), (r"127\.0\.0\.1:9080", f"127.0.0.1:{h.port}"))
    commands = [pair for pair in transcript.consoles(TOUR, "Five minutes") if not pair[0].startswith(BUILT_ALREADY)]
    one_instance = f"""nsrouter() {{
        case $1 in replay | check) "{h.program}" "$@" ;; *) "{h.program}" --control {h.instance()} "$@" ;; esac
    }}
    curl() {{ command curl -s "$@"; }}"""
    shell = transcript.Shell(ROOT, names, one_instance)
    try:
        transcript.replay(h, shell, commands, "tour",
                          lambda line: line.replace(config, "demo.toml").replace(f"{h.id}-", ""), transcript.are_among)
    finally:
        shell.type("nsrouter stop")
        shell.close()
    h.check("nothing stays behind", not h.leftovers(), h.leftovers())


if __name__ == "__main__":
    raise SystemExit(harness.main(test, tools=("bash", "curl", "ip", "ping")))
