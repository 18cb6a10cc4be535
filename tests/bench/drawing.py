"""What the pictures of the benchmarks have in common: paper that follows the reader's colours, bars, words."""
COLOURS = ["#2a78b8", "#cf5c36", "#4a9c6d", "#8f62b3", "#b08900", "#5f7a8c", "#c2407a", "#3aa0a0"]
STYLE = """
svg { --paper: #ffffff; --ink: #222222; --grid: #d8d8d8; }
@media (prefers-color-scheme: dark) { svg { --paper: #161b22; --ink: #e0e0e0; --grid: #3a414b; } }
.paper { fill: var(--paper); } text { fill: var(--ink); } .grid { stroke: var(--grid); } .spread, .base { stroke: var(--ink); }
"""


class Drawing:
    def __init__(self, wide):
        self.wide, self.parts = wide, []

    def document(self, high):
        head = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.wide} {high}" font-family="sans-serif" font-size="12">',
                f"<style>{STYLE}</style>", f'<rect class="paper" width="{self.wide}" height="{high}"/>']
        return "\n".join([*head, *self.parts, "</svg>"]) + "\n"

    def text(self, x, y, words, anchor="start", size=12, weight="normal"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}">{words}</text>')

    def bar(self, x, y, wide, high, colour):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" fill="{colour}"/>')

    def line(self, kind, begin, end, behind=False):
        (x1, y1), (x2, y2) = begin, end
        line = f'<line class="{kind}" x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}"/>'
        self.parts.insert(0 if behind else len(self.parts), line)
