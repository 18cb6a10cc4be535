"""Figures as a table, and as a picture."""
import math
import statistics

from ways import BASE

COLOURS = ["#2a78b8", "#cf5c36", "#4a9c6d", "#8f62b3", "#b08900", "#5f7a8c", "#c2407a", "#3aa0a0"]
STYLE = """
svg { --paper: #ffffff; --ink: #222222; --grid: #d8d8d8; }
@media (prefers-color-scheme: dark) { svg { --paper: #161b22; --ink: #e0e0e0; --grid: #3a414b; } }
.paper { fill: var(--paper); } text { fill: var(--ink); } .grid { stroke: var(--grid); } .spread, .base { stroke: var(--ink); }
"""
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


class Picture:
    """Bars that begin at the kernel, on a logarithmic axis; a thin line from the least to the most."""

    def __init__(self, found):
        self.ratios = {key: three([ratio for _, ratio in pairs]) for key, pairs in found.items() if key[1] != BASE}
        self.ways = list(dict.fromkeys(way for _, way in self.ratios))
        bounds = [bound for numbers in self.ratios.values() for bound in numbers if bound > 0]
        self.low = 2.0 ** math.floor(math.log2(min([0.5, *bounds])))
        self.high = 2.0 ** math.ceil(math.log2(max([2.0, *bounds])))
        self.parts = []
        self.at = TOP

    def draw(self):
        self.legend()
        for more_is_better, heading in HEADINGS.items():
            figures = list(dict.fromkeys(figure for figure, _ in self.ratios if figure.more_is_better == more_is_better))
            if figures:
                self.group(heading, figures)
        self.axis()
        head = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {self.at + 40}" font-family="sans-serif" font-size="12">',
                f"<style>{STYLE}</style>", f'<rect class="paper" width="{WIDE}" height="{self.at + 40}"/>']
        return "\n".join([*head, *self.parts, "</svg>"]) + "\n"

    def legend(self):
        self.text(20, 22, "As many times as through the kernel router (the line at 1), median; thin: least to most", size=14)
        for number, way in enumerate(self.ways):
            at = 20 + 110 * number
            self.parts.append(f'<rect x="{at}" y="34" width="{BAR}" height="{BAR}" fill="{self.colour(way)}"/>')
            self.text(at + BAR + 5, 44, way)

    def group(self, heading, figures):
        self.at += 2 * GAP
        self.text(LEFT - 10, self.at, heading, anchor="end", weight="bold")
        self.at += GAP
        for figure in figures:
            ways = [way for way in self.ways if (figure, way) in self.ratios]
            self.text(LEFT - 10, self.at + BAR * len(ways) / 2 + 4, figure.name, anchor="end")
            for way in ways:
                self.bar(way, *self.ratios[figure, way])
            self.at += GAP

    def bar(self, way, median, least, most):
        begin, end = sorted((self.x(1), self.x(median)))
        middle = self.at + BAR / 2
        self.parts.append(f'<rect x="{begin:.1f}" y="{self.at}" width="{end - begin:.1f}" height="{BAR - 1}" fill="{self.colour(way)}"/>')
        self.parts.append(f'<line class="spread" x1="{self.x(least):.1f}" x2="{self.x(most):.1f}" y1="{middle}" y2="{middle}"/>')
        self.text(WIDE - RIGHT + 10, self.at + BAR - 2, f"{median:.2f}", size=10)
        self.at += BAR

    def axis(self):
        steps = round(math.log2(self.high / self.low))
        for step in range(steps + 1):
            ratio = self.low * 2**step
            x, name = self.x(ratio), f"{ratio:g}" if ratio >= 1 else f"1/{1 / ratio:g}"
            kind = "base" if ratio == 1 else "grid"
            # Behind the bars.
            self.parts.insert(0, f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{self.at}"/>')
            self.text(x, self.at + 18, name, anchor="middle")

    def x(self, ratio):
        share = math.log(max(ratio, self.low) / self.low) / math.log(self.high / self.low)
        return LEFT + share * (WIDE - LEFT - RIGHT)

    def colour(self, way):
        return COLOURS[self.ways.index(way) % len(COLOURS)]

    def text(self, x, y, words, anchor="start", size=12, weight="normal"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}">{words}</text>')
