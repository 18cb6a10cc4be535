#!/usr/bin/env python3
"""docs/why.md is true: each of its puzzles is set up again, its commands are typed, and what they say is what it shows.

    why_test.py NSROUTER [WORDS OF HEADINGS]
    why_test.py NSROUTER --show [WORDS OF HEADINGS]      what comes, to be shown there
"""
import concurrent.futures
import pathlib
import subprocess
import sys

import harness
import transcript

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "why.md").read_text()
CONFIG = ROOT / "configs" / "why.toml"
SHOW = "--show" in sys.argv
WORDS = [word for word in sys.argv[2:] if word != "--show"]


def test(h):
    puzzles = [heading for heading in transcript.headings(DOCUMENT) if heading[0].isdigit()]
    h.check("ten puzzles", len(puzzles) == 10, puzzles)
    chosen = [heading for heading in puzzles if all(word in heading for word in WORDS)]
    with concurrent.futures.ThreadPoolExecutor(1 if SHOW else 2) as pool:  # they wait most of the time
        list(pool.map(lambda heading: Puzzle(h, heading).play(), chosen))
    h.check("nothing stays behind", not h.leftovers(), h.leftovers())


class Puzzle:
    """A router of its own for each, so that numbers and counters begin anew."""

    def __init__(self, h, heading):
        self.h, self.heading = h, heading
        self.number = heading.split(".")[0]
        self.name = f"{h.id}-{self.number}"
        self.folder = h.folder / self.number
        self.folder.mkdir()
        self.port = str(harness.free_port())
        self.config = self.folder / "why.toml"  # line by line the one that is shown
        self.config.write_text(CONFIG.read_text().replace('netns = "', f'netns = "{self.name}-')
                               .replace('name = "why"', f'name = "{self.name}"').replace("9081", self.port))

    def play(self):
        names = ((r"\b(netns exec|ip -n|netns) (client|server)\b", rf"\1 {self.name}-\2"), (r"/tmp/", f"{self.folder}/"),
                 (r"configs/why\.toml", str(self.config)), (r"127\.0\.0\.1:9081", f"127.0.0.1:{self.port}"))
        setup = f'nsrouter() {{ "{self.h.program}" --control {self.name} "$@"; }}; PATH=$PATH:/usr/sbin:/sbin'
        shell = transcript.Shell(ROOT, names, setup)
        try:
            started = shell.type("nsrouter run --daemon configs/why.toml && echo it runs")
            if started[-1:] != ["it runs"]:
                return self.h.check(f"{self.number}: the router starts", False, started)
            commands = transcript.consoles(DOCUMENT, self.heading)
            if SHOW:
                return self.show(shell, commands)
            return transcript.replay(self.h, shell, commands, self.number, self.shown_names)
        finally:
            shell.close()
            subprocess.run([self.h.program, "--control", self.name, "stop"], check=False)

    def show(self, shell, commands):
        print("##", self.heading)
        for command, _ in commands:
            print("#", command)
            for line in shell.type(command):
                print(self.shown_names(line))

    def shown_names(self, line):
        return line.replace(str(self.config), "configs/why.toml").replace(f"{self.folder}/", "/tmp/").replace(f"{self.name}-", "")


if __name__ == "__main__":
    raise SystemExit(harness.main(test, tools=("bash", "curl", "ip", "iptables", "nc", "ping")))
