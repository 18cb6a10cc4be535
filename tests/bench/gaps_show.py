"""Two histograms of an operation, as a row of a table and as a picture: gaps that a probe saw, and turns of the event loop."""
import math
import statistics

from drawing import COLOURS, Drawing

GAPS = ["0.2", "0.5", "1", "2", "5", "10", "more"]  # as gap_probe counts them
TURNS = ["0.1", "0.25", "0.5", "1", "more"]
TURN_BOUNDS_US = [100, 250, 500, 1000, math.inf]
KINDS = ("timers_cpu", "control_cpu")
LONGER_THAN_1MS = {"2", "5", "10", "more"}

HEADINGS = ["operation", "times", "each", "sent", "lost", "gaps to 0.2 ms", *GAPS[1:], "turns to 0.1 ms", *TURNS[1:], "longest", "of packets"]
HEAD = f"| {' | '.join(HEADINGS)} |\n|{'---|' * len(HEADINGS)}"


def bound_us(text):
    return math.inf if text == "more" else int(text)


class Seen:
    def __init__(self, name):
        self.name, self.took = name, []
        self.sent = self.lost = self.of_packets = 0
        self.gaps, self.turns = [0] * len(GAPS), [0] * len(TURNS)
        self.longest_us, self.exact = 0, True

    def add(self, took, probe, before, after):
        self.took += took
        self.sent += probe["sent"]
        self.lost += probe["lost"]
        self.gaps = [a + b for a, b in zip(self.gaps, probe["gaps"])]
        self.of_packets += after["packets"]["over_1ms"] - before["packets"]["over_1ms"]
        for kind in KINDS:
            self.add_turns(before[kind], after[kind])

    def add_turns(self, before, after):
        counts = {bound_us(bound): count - before["within_us"][bound] for bound, count in after["within_us"].items()}
        for bound, count in counts.items():
            self.turns[next(i for i, most in enumerate(TURN_BOUNDS_US) if bound <= most)] += count
        # Its length is known if it is the longest since the start; else the bound that it kept within.
        longest, exact = min(max(bound for bound, count in counts.items() if count or bound == 10), after["longest_us"]), False
        if after["longest_us"] > before["longest_us"]:
            longest, exact = after["longest_us"], True
        if longest > self.longest_us:
            self.longest_us, self.exact = longest, exact

    def over_1ms(self):
        return self.turns[-1]

    def row(self):
        longest = f"{'' if self.exact else 'to '}{self.longest_us / 1000:.2g} ms"
        cells = [self.name, len(self.took), f"{1000 * statistics.median(self.took):.0f} ms", self.sent, self.lost, *self.gaps, *self.turns, longest, self.of_packets]
        return f"| {' | '.join(map(str, cells))} |"


class Picture(Drawing):
    """A row for each operation; each class of a histogram a bar, as high as the logarithm of its count."""

    LEFT, TOP, ROW, BAR, CELL, BETWEEN = 220, 70, 62, 34, 46, 50

    def __init__(self, all_seen):
        self.turns_at = self.LEFT + self.CELL * len(GAPS) + self.BETWEEN
        super().__init__(self.turns_at + self.CELL * len(TURNS) + 20)
        self.all_seen = all_seen
        self.most = max(10, *(count for seen in all_seen for count in seen.gaps + seen.turns))

    def draw(self):
        self.text(20, 24, "How long packets waited, and turns of the event loop: how many (logarithmic), by milliseconds", size=14)
        self.text(self.LEFT, 50, "gaps between answers (the machine's among them)", weight="bold")
        self.text(self.turns_at, 50, "turns, processor time", weight="bold")
        for number, seen in enumerate(self.all_seen):
            foot = self.TOP + self.ROW * number + self.BAR + 10
            self.text(self.LEFT - 12, foot - 4, seen.name, anchor="end")
            self.histogram(self.LEFT, foot, GAPS, seen.gaps)
            self.histogram(self.turns_at, foot, TURNS, seen.turns)
        return self.document(self.TOP + self.ROW * len(self.all_seen) + 10)

    def histogram(self, left, foot, names, counts):
        self.line("grid", (left, foot), (left + self.CELL * len(counts), foot))
        for number, (name, count) in enumerate(zip(names, counts)):
            x = left + self.CELL * number
            self.text(x + self.CELL / 2, foot + 11, name, anchor="middle", size=9)
            if count:
                high = self.BAR * (1 + math.log10(count)) / (1 + math.log10(self.most))
                self.bar(x + 4, foot - high, self.CELL - 8, high, COLOURS[name in LONGER_THAN_1MS])
                self.text(x + self.CELL / 2, foot - high - 3, f"{count:,}", anchor="middle", size=9)
