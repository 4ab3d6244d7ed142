#!/usr/bin/env python3
"""Checks that docs/first-hour.md shows the programs as they are.

A block of code under a line `<!-- FILE -->` is held against that file: a .cpp byte for byte, README.md by its first
C++ block, a .sh by its lines, each of which must occur in that test. Each examples/first_*.cpp is on the page and has
at most 30 lines.
Usage: first_hour.py [--self-test]
"""
import pathlib
import re
import sys

from sample_tree import found

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = "docs/first-hour.md"
MOST_LINES = 30
MARK = re.compile(r"^<!-- (\S+) -->\n(```\w*\n(.*?)^```$)?", re.M | re.S)
CPP_BLOCK = re.compile(r"^```cpp\n(.*?)^```$", re.M | re.S)


def difference(name, block, text):
    """Says how the block differs from what the file wants, or nothing."""
    if name.endswith(".sh"):
        return next((f"{name} does not expect the line: {line}" for line in block.splitlines()
                     if line not in text), None)
    if name.endswith(".md"):
        shown = CPP_BLOCK.search(text)
        text = shown[1] if shown else ""
    return None if block == text else f"the block is not {name} as it is"


def problems(root):
    page = (root / PAGE).read_text()
    shown = set()
    for mark in MARK.finditer(page):
        name, block = mark[1], mark[3]
        shown.add(name)
        if block is None:
            yield f"no block of code follows the line that names {name}"
        elif not (root / name).is_file():
            yield f"{name} is not there"
        elif (said := difference(name, block, (root / name).read_text())) is not None:
            yield said
    for program in sorted((root / "examples").glob("first_*.cpp")):
        if f"examples/{program.name}" not in shown:
            yield f"examples/{program.name} is not on the page"
        lines = len(program.read_text().splitlines())
        if lines > MOST_LINES:
            yield f"examples/{program.name} has {lines} lines, more than {MOST_LINES}"


def self_test():
    right = {PAGE: "# A\n\n<!-- README.md -->\n```cpp\none\n```\n\n<!-- examples/first_a.cpp -->\n```cpp\nint a;\n\n```\n\n"
                   "<!-- tests/a.sh -->\n```\nx 1\ny\n```\n",
             "README.md": "# R\n```\nsh\n```\n```cpp\none\n```\n```cpp\ntwo\n```\n",
             "examples/first_a.cpp": "int a;\n\n", "tests/a.sh": "expects 'x 1\ny'\n"}
    wrong = {"the file changed": {"examples/first_a.cpp": "int a;\n"},
             "README changed": {"README.md": "```cpp\ntwo\n```\n"},
             "README has no block": {"README.md": "nothing"},
             "the test expects another line": {"tests/a.sh": "x 1\n"},
             "a file is not there": {PAGE: right[PAGE] + "\n<!-- examples/b.cpp -->\n```cpp\n```\n"},
             "no block": {PAGE: right[PAGE] + "\n<!-- README.md -->\ntext\n```cpp\none\n```\n"},
             "a program is not on the page": {"examples/first_b.cpp": ""},
             "too long": {"examples/first_a.cpp": "\n" * 31, PAGE: right[PAGE].replace("int a;\n\n", "\n" * 31)}}
    failed = [f"a page that is right: {said}" for said in found(problems, right)]
    failed += [f"not noticed: {what}" for what, change in wrong.items() if len(found(problems, right | change)) != 1]
    return failed


if __name__ == "__main__":
    said = self_test() if sys.argv[1:] == ["--self-test"] else list(problems(ROOT))
    print("\n".join(said) or "right")
    sys.exit(1 if said else 0)
