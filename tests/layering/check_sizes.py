#!/usr/bin/env python3
"""Checks that files and functions of the product stay small enough to be read at one go; `--table` prints how long they are, by folder.

A function is found by its shape in formatted code: a line that ends in "{", begins no scope or control statement, and is closed by a "}" at
its own indentation."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILE_LINES = 400
HEADER_LINES = 200
FUNCTION_LINES = 60
NO_FUNCTION = re.compile(r"^\s*(namespace|struct|class|enum|union|if|else|for|while|switch|do|try|catch|case|default|extern|public|private|protected)\b")


def functions(lines):
    """(first line, last line, how it begins) of every function, lambdas and what is inside functions left out."""
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.endswith("{") or line.lstrip().startswith("//"):
            at += 1
            continue
        first = at
        indent = len(line) - len(line.lstrip())
        # A signature of several lines: its first line is the last one above with less or the same indentation.
        while first > 0 and (lines[first].startswith(" " * (indent + 1)) or lines[first].lstrip().startswith((":", ")"))):
            first -= 1
        text = " ".join(lines[first : at + 1])
        if NO_FUNCTION.match(text) or "(" not in text or "= {" in line or re.match(r"^\s*(static |inline )*constexpr [^()]*\{$", text):
            at += 1
            continue
        indent = len(lines[first]) - len(lines[first].lstrip())
        last = next((i for i in range(at + 1, len(lines)) if re.match(rf"^ {{{indent}}}\}}", lines[i])), at)
        yield first, last, lines[first].strip()
        at = last + 1


def measured():
    for top in ("core", "netlink", "router"):
        for path in sorted((ROOT / top).rglob("*.[ch]pp")):
            lines = path.read_text().splitlines()
            yield path.relative_to(ROOT), len(lines), [(last - first + 1, first + 1, text) for first, last, text in functions(lines)]


def print_table():
    folders = {}
    for path, length, found in measured():
        folder = folders.setdefault(str(path.parent), ([], []))
        folder[0].append(length)
        folder[1].extend(found)
    print(f"{'folder':26} files  longest | functions  median  p95  longest")
    for folder, (lengths, found) in sorted(folders.items()):
        sizes = sorted(size for size, _, _ in found) or [0]
        print(f"{folder:26} {len(lengths):5}  {max(lengths):7} | {len(found):9}  {sizes[len(sizes) // 2]:6}  {sizes[len(sizes) * 95 // 100]:3}  {sizes[-1]:7}")


def main():
    if sys.argv[1:] == ["--table"]:
        return print_table()
    problems, count = [], 0
    for path, length, found in measured():
        limit = HEADER_LINES if path.suffix == ".hpp" else FILE_LINES
        if length > limit:
            problems.append(f"{path}: {length} lines; {limit} at most")
        for size, line, text in found:
            count += 1
            if size > FUNCTION_LINES:
                problems.append(f"{path}:{line}: {size} lines; {FUNCTION_LINES} at most: {text}")
    print("\n".join(problems))
    print(f"{count} functions, {len(problems)} problems")
    return 1 if problems or count < 1000 else 0


if __name__ == "__main__":
    sys.exit(main())
