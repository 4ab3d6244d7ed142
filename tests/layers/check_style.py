#!/usr/bin/env python3
"""Fails on a header that breaks the size rules or the few rules of form that no compiler checks.

Sizes: half of the headers at most 150 lines, nine of ten under 350, none over 500.
Form: opens with a // comment, has #pragma once, at most 100 columns, no tab, no `using namespace`,
no mark of unfinished work. Prints the size distribution.
Comments, also those of tests, examples, fuzz and bench: at most 100 columns; a drawn header has rows that end where its
frame of +-+ ends, and a last line of +-+.
Usage: check_style.py [--self-test] [INCLUDE_DIR]
"""
import contextlib
import pathlib
import re
import sys
import tempfile

from gates import main

MEDIAN, NINETIETH, LONGEST, COLUMNS = 150, 350, 500, 100
LINE_RULES = (
    (re.compile(r"\t"), "tab"),
    (re.compile(r"^\s*using\s+namespace\b"), "using namespace in a header"),
    (re.compile(r"\b(TODO|FIXME|XXX)\b"), "mark of unfinished work"),
    (re.compile(r"\s$"), "space at the end of the line"),
)
COMMENT = re.compile(r"^\s*//|\s// [^\"]*$")
FRAME = re.compile(r"\s*//  \+(?:-+\+)+(?=\s*$)")
ROW = re.compile(r"\s*//  [|+]")


def check_form(path, lines):
    problems = []
    first = next((line for line in lines if line.strip() and line.strip() != "#pragma once"), "")
    if not first.startswith("//"):
        problems.append(f"{path}:1: does not open with a // comment that says what it is")
    if "#pragma once" not in lines:
        problems.append(f"{path}:1: no #pragma once")
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS:
            problems.append(f"{path}:{number}: {len(line)} columns, at most {COLUMNS}")
        problems += [f"{path}:{number}: {what}" for rule, what in LINE_RULES if rule.search(line)]
    return problems


def check_comments(path, lines):
    """Comments that are too long, and drawn headers that are not whole."""
    problems, width, is_open = [], 0, False
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS and COMMENT.search(line):
            problems.append(f"{path}:{number}: a comment of {len(line)} columns, at most {COLUMNS}")
        rule, row = FRAME.match(line), width and ROW.match(line)
        if (row and not rule and line[width - 1:width] not in ("|", "+")) or (is_open and not rule and not row):
            problems.append(f"{path}:{number}: a drawn header is broken here: rows end where their frame ends, the last one is +-+")
        width = len(rule[0]) if rule else width if row else 0
        is_open = bool(row) and not rule
    return problems


def percentile(sizes, percent):
    return sorted(sizes)[max(0, (len(sizes) * percent + 99) // 100 - 1)]


def check_sizes(sizes):
    """sizes: path to number of lines. Returns problems; prints the distribution."""
    if not sizes:
        return ["no headers there; name the folder of the headers"]
    median, ninetieth = (percentile(sizes.values(), p) for p in (50, 90))
    longest = max(sizes, key=sizes.get)
    print(f"{len(sizes)} headers, {sum(sizes.values())} lines: median {median}, "
          f"90th percentile {ninetieth}, longest {sizes[longest]} ({longest})")
    for low in range(0, sizes[longest] + 1, 50):
        count = sum(low <= size < low + 50 for size in sizes.values())
        print(f"  {low:4} to {low + 49:4} lines: {count:4} {'#' * count}")
    problems = [f"{path}: {size} lines, at most {LONGEST}"
                for path, size in sizes.items() if size > LONGEST]
    if median > MEDIAN:
        problems.append(f"median of the sizes is {median} lines, at most {MEDIAN}")
    if ninetieth >= NINETIETH:
        problems.append(f"90th percentile of the sizes is {ninetieth} lines, under {NINETIETH}")
    return problems


def check(root):
    root = pathlib.Path(root)
    problems, sizes = [], {}
    for file in sorted(root.rglob("*.hpp")):
        path = file.relative_to(root).as_posix()
        lines = file.read_text().splitlines()
        sizes[path] = len(lines)
        problems += check_form(path, lines) + check_comments(path, lines)
    for folder in ("tests", "examples", "fuzz", "bench"):
        for file in sorted((root.parent / folder).rglob("*.[ch]pp")):
            problems += check_comments(file.relative_to(root.parent).as_posix(), file.read_text().splitlines())
    return problems + check_sizes(sizes), len(sizes)


GOOD = "// A thing.\n#pragma once\n"
BAD_SAMPLES = {
    "lines, at most 500": GOOD + "int a;\n" * 499,
    "median of the sizes": GOOD + "int a;\n" * 149,
    "90th percentile": GOOD + "int a;\n" * 348,
    "does not open": "#pragma once\nint a;\n",
    "no #pragma once": "// A thing.\n",
    "101 columns": GOOD + "// " + "x" * 98 + "\n",
    "a.hpp:5: a drawn header": GOOD + "//  +-+-+\n//  | a |\n//  | b\n//  +-+-+\n",
    "a.hpp:5: a drawn header is": GOOD + "//  +-+-+\n//  | a |  joined\n//  to | b |\n//  +-+-+\n",
    "a.hpp:5: a drawn header is broken": GOOD + "//  +-+-+\n//  | a |\nint a;\n",
    "using namespace": GOOD + "  using namespace sluice;\n",
    "unfinished": GOOD + "// TODO later\n",
    "tab": GOOD + "\tint a;\n",
    "space at the end": GOOD + "int a; \n",
}


def check_sample(text, test=""):
    with tempfile.TemporaryDirectory() as folder:
        for name, content in {"include/a.hpp": text, "tests/a.cpp": test}.items():
            pathlib.Path(folder, name).parent.mkdir()
            pathlib.Path(folder, name).write_text(content)
        with contextlib.redirect_stdout(None):
            return check(pathlib.Path(folder, "include"))[0]


def self_test():
    failed = [f"good sample refused: {problem}" for problem in check_sample(GOOD)]
    for name, text in BAD_SAMPLES.items():
        if not any(name in problem for problem in check_sample(text)):
            failed.append(f"bad sample not noticed: {name}")
    said = check_sample(GOOD, "int a;" + " " * 92 + "// b\n" + "f(\"" + "x" * 99 + "\");\n")
    if len(said) != 1 or "tests/a.cpp:1: a comment of 102" not in said[0]:
        failed.append(f"of a long comment and a long string of a test the first: {said}")
    with tempfile.TemporaryDirectory() as folder:
        if not check(folder)[0]:
            failed.append("not noticed: a folder without headers")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], check, self_test, "{} headers keep the rules of size and form"))
