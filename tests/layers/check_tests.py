#!/usr/bin/env python3
"""Fails on a test file that another one could clash with, and on a header of which nobody says where its tests are.

All that a test file defines is in a namespace FOLDER_NAME, so that several files compile as one. A test of
tests/unit/ROOM has the name of a header of that room, or a row of tests/unit/README.md says which headers it is about;
each header has a test of its name or is in such a row. Tests of other folders have their path in a row. Who is named is
there, and a test of a row includes each header of it, directly or not.
Usage: check_tests.py [--self-test] [INCLUDE_DIR]
"""
import pathlib
import re
import sys
import tempfile

from gates import main

FOLDERS = ("unit", "allocations", "conformance", "scenario", "rfc", "kernel")
INCLUDE = re.compile(r"^#include [<\"]([^>\"]+)[>\"]", re.M)
NAME = re.compile(r"`([^`]+)`")


def is_namespace(text, name):
    """Whether all but lines of the preprocessor is between the first line and the last of that namespace."""
    code = re.sub(r"^(?://|#)(?:\\\n|[^\n])*$", "", text, flags=re.M).strip()
    return code.startswith(f"namespace {name} {{") and code.endswith(f"\n}}  // namespace {name}")


def included(file, roots):
    """Headers of the library that this file includes, directly or not, as ROOM/NAME.hpp."""
    found, more = set(), [file]
    while more:
        at = more.pop()
        for name in INCLUDE.findall(at.read_text()):
            for folder in (at.parent, *roots):
                other = folder / name
                if other.is_file() and other.resolve() not in found:
                    found.add(other.resolve())
                    more.append(other)
    return {path.relative_to(roots[0] / "sluice").as_posix() for path in found if path.is_relative_to(roots[0] / "sluice")}


def rows_of(text):
    """(room, headers, tests) of each row of a table below `## ROOM`."""
    room = None
    for line in text.splitlines():
        if line.startswith("## "):
            room = line[3:].strip()
        elif line.startswith("|") and room and NAME.search(line):
            left, right = line.strip().strip("|").split("|", 1)
            yield room, NAME.findall(left), NAME.findall(right)


def check(include):
    include = pathlib.Path(include).resolve()
    tests = include.parent / "tests"
    roots, problems = (include, tests), []
    for folder in FOLDERS:
        for file in sorted((tests / folder).rglob("*.cpp")):
            name = f"{file.parent.name}_{file.stem}"
            text = file.read_text()
            if re.search(r"^TEST_CASE", text, re.M) and not is_namespace(text, name):
                problems.append(f"{file.relative_to(tests)}: put what follows the includes into namespace {name}")

    headers = {path.relative_to(include / "sluice").as_posix() for path in (include / "sluice").rglob("*.hpp")} - {"sluice.hpp"}
    rooms = {path.split("/")[0] for path in headers}
    units = {}  # (room, stem): file
    for room in rooms:
        for file in (tests / "unit" / room).rglob("*.cpp"):
            if re.search(r"^\s*TEST_CASE", file.read_text(), re.M):
                units.setdefault((room, file.stem), file)
    told_headers, told_tests = set(), set()
    for room, named, by in rows_of((tests / "unit" / "README.md").read_text()):
        files = []
        for name in by:
            file = tests / f"{name}.cpp" if "/" in name else units.get((room, name))
            if file is None or not file.is_file():
                problems.append(f"README.md: {room}: there is no test {name}")
            else:
                files.append(file)
                told_tests.add(file)
        for name in named:
            path = f"{room}/{name}.hpp"
            told_headers.add(path)
            if path not in headers:
                problems.append(f"README.md: there is no header {path}")
            else:
                problems += [f"README.md: {file.relative_to(tests)} does not include {path}" for file in files
                             if path not in included(file, roots)]
    for path in sorted(headers - told_headers):
        room, name = path[:-len(".hpp")].split("/", 1)
        if (room, name) not in units:
            problems.append(f"{path}: write tests/unit/{path[:-3]}cpp, or name it in tests/unit/README.md with its tests")
    for (room, stem), file in sorted(units.items()):
        if f"{room}/{stem}.hpp" not in headers and file not in told_tests:
            problems.append(f"{file.relative_to(tests)}: no header has that name: say in tests/unit/README.md what it tests")
    return problems, len(headers)


def self_test():
    readme, trie = "tests/unit/README.md", "tests/unit/route/trie.cpp"
    good = {
        "include/sluice/route/trie.hpp": "",
        "include/sluice/route/entry.hpp": "#include <sluice/route/trie.hpp>",
        "include/sluice/route/concept.hpp": "",
        "tests/support/a.hpp": "#include <sluice/route/entry.hpp>",
        "tests/unit/route/scan.cpp": '#include "support/a.hpp"\n#define A \\\n B\n'
                                     "namespace route_scan {\nTEST_CASE(1)\n}  // namespace route_scan\n",
        "tests/conformance/route.cpp": "#include <sluice/route/concept.hpp>\n"
                                       "namespace conformance_route {\nTEST_CASE(1)\n}  // namespace conformance_route\n",
        trie: "// A.\n\nnamespace route_trie {\nTEST_CASE(1)\n}  // namespace route_trie\n",
        readme: "## route\n| `entry`, `trie` | `scan` |\n| `concept` | `conformance/route` |\n"}

    def said(changes):
        with tempfile.TemporaryDirectory() as folder:
            for path, text in {**good, **changes}.items():
                file = pathlib.Path(folder, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            return "\n".join(check(pathlib.Path(folder, "include"))[0])

    cases = (
        ({}, ""),
        ({readme: "## route\n| `entry` | `scan` |\n"}, "route/concept.hpp: write"),
        ({readme: "## route\n| `entry`, `concept` | `conformance/route` |\n"}, "does not include route/entry.hpp"),
        ({readme: "## route\n| `entry` | `conformance/none` |\n"}, "there is no test conformance/none"),
        ({readme: "## route\n| `gone` | `scan` |\n"}, "no header route/gone.hpp"),
        ({readme: "## route\n| `entry`, `concept` | |\n"}, "scan.cpp: no header has that name"),
        ({trie: "TEST_CASE(1)\n"}, "into namespace route_trie"),
        ({trie: "using A;\n" + good[trie]}, "into namespace route_trie"),
        ({trie: good[trie] + "int x;\n"}, "into namespace route_trie"),
    )
    wrong = [(changes, text, said(changes)) for changes, text in cases
             if (text not in said(changes) if text else said(changes))]
    return [f"check_tests: for {changes} expected {text!r}, found {found!r}" for changes, text, found in wrong]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], check, self_test, "{} headers have tests that are named"))
