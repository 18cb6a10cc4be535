"""Rounds of measurements: every load along every way, in random order, and each figure beside that of one of the ways in the same round."""
import random
import subprocess
import sys
import time

from loads import LOADS

LOOK_SECONDS = 0.3
LOOKS = 2
BUSY_SHARE = 0.05


class Rounds:
    def __init__(self, options, ways, base):
        self.options = options
        self.ways = ways
        self.base = base  # the way the others are compared with
        self.random = random.Random(options.seed)
        # (Figure, way): [(value, its ratio to the base's)]
        self.found = {(figure, way): [] for load in options.only for figure in LOADS[load].figures for way in options.ways}
        self.measurements = self.failed = self.busy = 0

    def run(self):
        for number in range(1, self.options.rounds + 1):
            print(f"round {number} of {self.options.rounds}", flush=True)
            for load in self.shuffled(self.options.only):
                self.compare(load)
        self.found = {key: pairs for key, pairs in self.found.items() if pairs}

    def shuffled(self, names):
        return self.random.sample(names, len(names))

    def compare(self, load):
        values = {way: self.measure(load, way) for way in self.shuffled(self.options.ways)}
        if not values[self.base]:
            return
        for way in filter(values.get, self.options.ways):
            for figure, value, base in zip(LOADS[load].figures, values[way], values[self.base]):
                self.found[figure, way].append((value, value / base))

    def measure(self, load, way):
        """The values of the figures, or none where it failed."""
        self.measurements += 1
        remark = self.look_whether_idle()
        try:
            with self.ways[way].open(self.options.nsrouter, LOADS[load].mtu):
                values = LOADS[load].measure(self.options.programs, self.options.seconds)
        except (subprocess.SubprocessError, OSError, ValueError) as error:
            self.failed += 1
            said = getattr(error, "stderr", None) or getattr(error, "stdout", None) or ""
            print(f"  {load:8} {way:12} failed: {error} {said}".rstrip(), file=sys.stderr, flush=True)
            return None
        text = "   ".join(f"{value:9.2f} {figure.unit}" for figure, value in zip(LOADS[load].figures, values))
        print(f"  {load:8} {way:12} {text}{remark}", flush=True)
        return values

    def look_whether_idle(self):
        # The kernel may still clear up behind the last measurement: only who keeps at it is somebody else.
        share = min(share_of_others() for _ in range(LOOKS))
        if share <= BUSY_SHARE:
            return ""
        self.busy += 1
        return f"   (warning: others used {share:.0%} of the processors just before)"


def share_of_others():
    total, idle = processor_ticks()
    time.sleep(LOOK_SECONDS)
    later_total, later_idle = processor_ticks()
    return 1 - (later_idle - idle) / max(1, later_total - total)


def processor_ticks():
    """All of them, and those without work."""
    with open("/proc/stat") as stat:
        ticks = list(map(int, stat.readline().split()[1:9]))
    return sum(ticks), ticks[3] + ticks[4]
