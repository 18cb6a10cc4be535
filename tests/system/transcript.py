"""The consoles that a document shows, run again and compared with it.

A console is a block of Markdown, ```console; a line that begins with "# " or "$ " is typed, the lines behind it are what came. What is
typed goes, word for word, to one bash; only the names of namespaces, the folder /tmp and the program are this test's own. A line "..." stands for
any lines; what is another time each time is masked on both sides (MASKS).
"""
import fcntl
import os
import re
import select
import subprocess
import time

TIMEOUT = 30  # seconds for one command
MARK = "transcript-marker"

MASKS = (
    # what, in its place, why it cannot be the same twice
    (r"\b\d{9,}\.\d{6}\b", "TIME", "the clock"),
    (r"\(\d+\.\d{6} s ago\)", "(AGE)", "the clock"),
    (r"\[ *\d+\.\d{6}\]", "[UPTIME]", "the clock"),
    (r"after \d+ (ms|milliseconds)", "after DURATION", "how long curl waited"),
    (r", time \d+ms|\brtt .*", "", "ping's clock"),
    (r"in \d+\.\d+ s", "in DURATION", "how long it took"),
    (r"\bid=\d+", "id=N", "IPv4 ids, ids of ping"),
    (r"\b(seq|ack)=\d{4,}", r"\1=N", "sequence numbers"),
    (r"(bound) \d+", r"\1 N", "sequence numbers"),
    (r"(td_end|td_maxend|td_maxwin|td_maxack)=\d+", r"\1=N", "windows"),
    (r"_scale=\d+", "_scale=N", "windows follow the memory of the machine"),
    (r"\blen=(52|64)\b", "len=N", "an ACK with or without SACK"),
    (r"\bwin=\d+", "win=N", "windows follow the memory of the machine"),
    (r"^#\d+ at ", "#N at ", "how many retransmissions were dropped before"),
    (r"(tcp      6|udp      17|icmp     1) \d+", r"\1 SECONDS", "the time an entry has left"),
    (r"(?<=[:=> ])(3[2-9]\d{3}|[45]\d{4}|6[0-5]\d{3})(?=\b)", "PORT", "ports that a kernel chose"),
    (r"\b5\d{3}\b", "CHOSEN", "ports that NAT chose of 5000-5999"),
    (r"packets \d+ bytes \d+|\[\d+:\d+\]", "COUNTERS", "how often it was sent again"),
    (r"\(\d+ bytes\)|\b\d+ bytes received|\d+ out of", "SIZE", "how much came before it broke off"),
)


def masked(line):
    for pattern, text, _ in MASKS:
        line = re.sub(pattern, text, line)
    return line.rstrip()


def consoles(markdown, heading):
    """The commands of the section with this heading, each with the lines shown behind it."""
    section = re.split(r"^## ", markdown, flags=re.M)
    text = next(part for part in section if part.startswith(heading))
    commands = []
    for block in re.findall(r"^```console\n(.*?)^```", text, re.M | re.S):
        for line in block.splitlines():
            if re.match(r"[#$] (?!listening|left out|t=)", line):
                commands.append((line[2:], []))
            else:
                commands[-1][1].append(line)
    return commands


def headings(markdown):
    return re.findall(r"^## (.*)$", markdown, re.M)


def fits(shown, seen):
    """Whether the lines that came are those shown."""
    if not shown:
        return not seen
    if shown[0] == "...":
        return any(fits(shown[1:], seen[n:]) for n in range(len(seen) + 1))
    return bool(seen) and masked(shown[0]) == masked(seen[0]) and fits(shown[1:], seen[1:])


def are_among(shown, seen):
    """Whether all that is shown came; a page that shows little of much shows no order either (of two streams it would be another one)."""
    came = set(map(masked, seen))
    return all(line == "..." or masked(line) in came for line in shown)


class Shell:
    """A bash that types what a document shows."""

    def __init__(self, folder, names=(), setup=""):
        self.names = ()  # (regular expression, replacement) for what is typed
        self.bash = subprocess.Popen(["bash", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder, start_new_session=True)
        fcntl.fcntl(self.bash.stdout, fcntl.F_SETFL, os.O_NONBLOCK)
        self.rest = ""
        self.type(setup)
        self.names = names

    def type(self, command):
        """Runs it; what came until it ended, as lines, with the document's names again."""
        for pattern, text in self.names:
            command = re.sub(pattern, text, command)
        self.bash.stdin.write(f"{command}\nprintf '%s\\n' {MARK}\n".encode())
        self.bash.stdin.flush()
        end = time.monotonic() + TIMEOUT
        while f"{MARK}\n" not in self.rest:
            left = end - time.monotonic()
            if left < 0 or not select.select([self.bash.stdout], [], [], left)[0]:
                raise TimeoutError(f"{command!r} did not end; until then: {self.rest}")
            data = os.read(self.bash.stdout.fileno(), 65536)
            if not data:
                raise EOFError(f"bash ended at {command!r}: {self.rest}")
            self.rest += data.decode(errors="replace")
        came, _, self.rest = self.rest.partition(f"{MARK}\n")
        return [line for line in came.splitlines() if line.strip()]

    def close(self):
        """Ends what is still running in the background, too."""
        try:
            os.killpg(self.bash.pid, 9)
        except ProcessLookupError:
            pass
        self.bash.wait()
        self.bash.stdout.close()
        self.bash.stdin.close()


def replay(h, shell, commands, name, edit, compare=fits):
    """Types the commands and checks what comes; `edit` brings this test's names back to the document's."""
    for command, shown in commands:
        seen = [edit(line) for line in shell.type(command)]
        shown = [line for line in shown if line.strip()]
        h.check(f"{name}: {command}", compare(shown, seen), "\n".join(["", "shown:", *map(masked, shown), "seen:", *map(masked, seen)]))
