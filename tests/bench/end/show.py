"""Figures as a table, and as a picture."""
import math
import statistics

from drawing import COLOURS, Drawing
from ways import BASE

WIDE, LEFT, RIGHT, TOP, BAR, GAP = 900, 300, 70, 60, 12, 12
HEADINGS = {True: "more is better", False: "less is better"}


def three(numbers):
    return statistics.median(numbers), min(numbers), max(numbers)


def spread(numbers):
    return "{:.2f} ({:.2f} to {:.2f})".format(*three(numbers))


def table(found):
    lines = ["| | way | median (least to most) | of the kernel's |", "|---|---|---|---|"]
    for (figure, way), pairs in found.items():
        values, ratios = zip(*pairs)
        lines.append(f"| {figure.name}, {figure.unit} | {way} | {spread(values)} | {'' if way == BASE else spread(ratios)} |")
    return "\n".join(lines)


class Picture(Drawing):
    """Bars that begin at the kernel, on a logarithmic axis; a thin line from the least to the most."""

    def __init__(self, found):
        super().__init__(WIDE)
        self.ratios = {key: three([ratio for _, ratio in pairs]) for key, pairs in found.items() if key[1] != BASE}
        self.ways = list(dict.fromkeys(way for _, way in self.ratios))
        bounds = [bound for numbers in self.ratios.values() for bound in numbers if bound > 0]
        self.low = 2.0 ** math.floor(math.log2(min([0.5, *bounds])))
        self.high = 2.0 ** math.ceil(math.log2(max([2.0, *bounds])))
        self.at = TOP

    def draw(self):
        self.legend()
        for more_is_better, heading in HEADINGS.items():
            figures = list(dict.fromkeys(figure for figure, _ in self.ratios if figure.more_is_better == more_is_better))
            if figures:
                self.group(heading, figures)
        self.axis()
        return self.document(self.at + 40)

    def legend(self):
        self.text(20, 22, "As many times as through the kernel router (the line at 1), median; thin: least to most", size=14)
        for number, way in enumerate(self.ways):
            at = 20 + 110 * number
            self.bar(at, 34, BAR, BAR, self.colour(way))
            self.text(at + BAR + 5, 44, way)

    def group(self, heading, figures):
        self.at += 2 * GAP
        self.text(LEFT - 10, self.at, heading, anchor="end", weight="bold")
        self.at += GAP
        for figure in figures:
            ways = [way for way in self.ways if (figure, way) in self.ratios]
            self.text(LEFT - 10, self.at + BAR * len(ways) / 2 + 4, figure.name, anchor="end")
            for way in ways:
                self.ratio(way, *self.ratios[figure, way])
            self.at += GAP

    def ratio(self, way, median, least, most):
        begin, end = sorted((self.x(1), self.x(median)))
        middle = self.at + BAR / 2
        self.bar(begin, self.at, end - begin, BAR - 1, self.colour(way))
        self.line("spread", (self.x(least), middle), (self.x(most), middle))
        self.text(WIDE - RIGHT + 10, self.at + BAR - 2, f"{median:.2f}", size=10)
        self.at += BAR

    def axis(self):
        steps = round(math.log2(self.high / self.low))
        for step in range(steps + 1):
            ratio = self.low * 2**step
            x, name = self.x(ratio), f"{ratio:g}" if ratio >= 1 else f"1/{1 / ratio:g}"
            kind = "base" if ratio == 1 else "grid"
            self.line(kind, (x, TOP), (x, self.at), behind=True)
            self.text(x, self.at + 18, name, anchor="middle")

    def x(self, ratio):
        share = math.log(max(ratio, self.low) / self.low) / math.log(self.high / self.low)
        return LEFT + share * (WIDE - LEFT - RIGHT)

    def colour(self, way):
        return COLOURS[self.ways.index(way) % len(COLOURS)]
