#!/usr/bin/env python3
"""Checks the names of docs/headers.md and docs/glossary.md against the headers.

A row of headers.md has three cells: task, headers, names. What stands in backticks in the second is a header; in the third it is
code, of which each identifier outside round brackets and string literals must be in the code of the row's headers or
of headers that they include; of the first code one at least in a header of the row (or one that sluice.hpp includes).
In the third cell of a row of glossary.md each identifier in backticks must be in the code of some header.
Usage: header_index.py [--self-test]
"""
import pathlib
import re
import sys

from sample_tree import found

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = "docs/headers.md"
GLOSSARY = "docs/glossary.md"
CODE = re.compile(r"`([^`]+)`")
IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
INCLUDE = re.compile(r"^#include <(sluice/[^>]+)>", re.M)
NOT_CODE = re.compile(r"//[^\n]*|/\*.*?\*/|^#include[^\n]*", re.S | re.M)
STRING = re.compile(r'"[^"]*"')
WORDS_OF_CPP = {"struct"}
PLACEHOLDERS = {"Packet", "Source", "Stack", "Rule"}  # what the user puts there


class tree:
    def __init__(self, include):
        self.include, self.names, self.includes = include, {}, {}

    def has(self, header):
        return (self.include / header).is_file()

    def read(self, header):
        if header not in self.names:
            text = (self.include / header).read_text()
            self.includes[header] = INCLUDE.findall(text)
            self.names[header] = set(IDENTIFIER.findall(NOT_CODE.sub(" ", text)))
        return self.names[header]

    def own(self, header):
        names = set(self.read(header))
        if header == "sluice/sluice.hpp":
            names = names.union(*(self.read(h) for h in self.includes[header]))
        return names

    def reached(self, headers):
        seen, waiting, names = set(), list(headers), set()
        while waiting:
            header = waiting.pop()
            if header not in seen:
                seen.add(header)
                names |= self.read(header)
                waiting += self.includes[header]
        return names


def without_arguments(code):
    code = STRING.sub("", code)
    while (shorter := re.sub(r"\([^()]*\)", "", code)) != code:
        code = shorter
    return code


def rows(page):
    """The cells of each row of a table; a row that has not three has empty ones."""
    lines = page.splitlines() + [""]
    for line, following in zip(lines, lines[1:]):
        if line.startswith("| ") and not following.startswith("|---"):
            cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
            yield cells if len(cells) == 3 else [line, "", ""]


def glossary_problems(root, headers_of):
    headers = [h.relative_to(root / "include").as_posix() for h in (root / "include").rglob("*.hpp")]
    known = set().union(*(headers_of.read(h) for h in headers))
    words = set()
    for word, _, third in rows((root / GLOSSARY).read_text()):
        if word in words:
            yield f"{word}: explained twice"
        words.add(word)
        if not CODE.search(third):
            yield f"{word}: the row names nothing in the code"
        for code in CODE.findall(third):
            unknown = [] if headers_of.has(code) else set(IDENTIFIER.findall(code)) - known
            yield from (f"{word}: no header has `{name}`" for name in sorted(unknown))
    if not words:
        yield f"{GLOSSARY} has no row"


def problems(root):
    headers_of = tree(root / "include")
    yield from glossary_problems(root, headers_of)
    count = 0
    for task, second, third in rows((root / PAGE).read_text()):
        count += 1
        headers, codes = CODE.findall(second), CODE.findall(third)
        missing = [h for h in headers + [c for c in codes if c.endswith(".hpp")] if not headers_of.has(h)]
        yield from (f"{task}: there is no {h}" for h in missing)
        if missing or not headers or not codes:
            if not missing:
                yield f"{task}: the row names no header or nothing to call"
            continue
        own = set().union(*(headers_of.own(h) for h in headers))
        reached = headers_of.reached(headers + [c for c in codes if c.endswith(".hpp")])
        for code in (c for c in codes if not c.endswith(".hpp")):
            names = set(IDENTIFIER.findall(without_arguments(code))) - WORDS_OF_CPP - PLACEHOLDERS
            if code.startswith('"'):
                names = set(IDENTIFIER.findall(STRING.sub(" ", code)))
            yield from (f"{task}: `{name}` is not in {second}" for name in sorted(names - reached))
            if code == codes[0] and names <= reached and not names & own:
                yield f"{task}: `{code}` is not in {second} but in what they include"
    if count == 0:
        yield f"{PAGE} has no row"


def self_test():
    head = "# T\n\n| I want | include | call |\n|---|---|---|\n"
    right = {GLOSSARY: "| word | means | in the code |\n|---|---|---|\n| one | a number | `one`, `sluice/a.hpp` |\n",
             PAGE: head + '| a | `sluice/a.hpp` | `x::one(anything)`, `two<x>`, `"1"_lit` |\n| all | `sluice/sluice.hpp` | `one()` |\n',
             "include/sluice/a.hpp": "#include <sluice/b.hpp>\nnamespace x { void one(); } int operator\"\"_lit();\n",
             "include/sluice/b.hpp": "// four\ntemplate <class T> class two;\nint three;\n",
             "include/sluice/sluice.hpp": "#include <sluice/a.hpp>\n"}
    wrong = {"a header that is not there": "| b | `sluice/c.hpp` | `one()` |\n",
             "a name that is not there": "| b | `sluice/a.hpp` | `x::onee()` |\n",
             "a name of a comment": "| b | `sluice/b.hpp` | `four()` |\n",
             "a literal that is not there": '| b | `sluice/a.hpp` | `"1"_literal` |\n',
             "a name of another header": "| b | `sluice/a.hpp` | `three` |\n",
             "no name": "| b | `sluice/a.hpp` | call it |\n",
             "four cells": "| b | `sluice/a.hpp` | `two` | `two` |\n"}
    wrong_words = {"a name that no header has": "| four | a number | `four` |\n",
                   "a word twice": "| one | a word | `two` |\n"}
    failed = [f"a table that is right: {said}" for said in found(problems, right)]
    failed += [f"not noticed: {what}" for what, row in wrong.items() if len(found(problems, right | {PAGE: right[PAGE] + row})) != 1]
    failed += [f"not noticed: {what}" for what, row in wrong_words.items()
               if len(found(problems, right | {GLOSSARY: right[GLOSSARY] + row})) != 1]
    failed += ["not noticed: no row"] * (len(found(problems, right | {PAGE: head})) != 1)
    return failed


if __name__ == "__main__":
    said = self_test() if sys.argv[1:] == ["--self-test"] else list(problems(ROOT))
    print("\n".join(said) or "right")
    sys.exit(1 if said else 0)
