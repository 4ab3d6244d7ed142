#!/usr/bin/env python3
"""Fails on a row of a test's table that tells by places alone what its values are.

A table is an array, a std::array, a std::vector or a list in braces of a struct that the file, or a header of the tests
that it includes, defines. Where the struct has more than two members, a bool, two members of one type or two numbers,
its rows name their members: {.name = "plain", .ttl = 64}. A row of two things that nobody mixes up may do without.
Usage: check_rows.py [--self-test] [INCLUDE_DIR]
"""
import pathlib
import re
import sys
import tempfile

from gates import main

LITERAL = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<![\w\'])\'(?:\\.|[^\'\\\n])+\'', re.S)
STRUCT = re.compile(r"\bstruct\b\s*(\w*)\s*\{")  # with a base it is no row
INCLUDE = re.compile(r'^#include "([^"]+)"', re.M)
OTHER = re.compile(r"\s*(?:(?:using|static|friend|enum|struct|class|union|template|public|private|explicit|virtual)\b|.*\boperator\b)", re.S)
NUMBER = re.compile(r"(?:std::)?(?:[iu](?:8|16|32|64)|u?int(?:\d+_t)?|unsigned|long|size_t|double)")
OPENING, CLOSING = "([{", ")]}"


def blanked(text):
    """The text with comments as spaces and literals as underscores, all in their places."""
    def blank(match):
        with_what = " " if match[0].startswith("/") else "_"
        return re.sub(r"[^\n]", with_what, match[0])
    return LITERAL.sub(blank, text)


def end_of(text, at):
    """The place of the bracket that closes the one at this place."""
    depth = 0
    for i in range(at, len(text)):
        depth += (text[i] in OPENING) - (text[i] in CLOSING)
        if depth == 0:
            return i
    return len(text)


def elements(text, begin, end):
    """(begin, end) of what commas part, without brackets and template arguments."""
    found, depth, start = [], 0, begin
    for i in range(begin, end):
        if text[i] in OPENING or text[i] in CLOSING:
            depth += 1 if text[i] in OPENING else -1
        elif text[i] == "," and depth == 0 and not re.search(r"\w<[^<>(){};]*$", text[start:i]):
            found.append((start, i))
            start = i + 1
    found.append((start, end))
    trimmed = []
    for a, b in found:
        while a < b and text[a].isspace():
            a += 1
        while b > a and text[b - 1].isspace():
            b -= 1
        if a < b:
            trimmed.append((a, b))
    return trimmed


def members_of(body):
    """(type, name) of each member that a row may give."""
    flat = re.sub(r"\(\s*[\w:]*\*\s*(\w+)\s*\)\s*\([^()]*\)[\s\w]*", r"* \1", body)  # pointers to functions
    for group, sign in ((r"\{[^{}]*\}", "#"), (r"\([^()]*\)", "@"), (r"<[^<>;]*>", "")):
        count = 1
        while count:
            flat, count = re.subn(group, sign, flat)
    flat = re.sub(r"@([\w\s]*)#(?!\s*;)", "@;", flat)  # bodies of functions
    found = []
    for declaration in flat.split(";"):
        first, *more = declaration.split(",")
        if OTHER.match(first) or "@" in first.split("=")[0]:
            continue
        declared = re.match(r"\s*((?:[\w:]+[\s*&]+)+)(\w+)\s*(?:\[[^\]]*\]\s*)*(?:#\s*|=.*)?$", first, re.S)
        if declared:
            kind = " ".join(re.sub(r"\bconst\b", " ", declared[1]).split())
            found.append((kind, declared[2]))
            found += [(kind, re.match(r"\s*[*&]*(\w+)", other)[1]) for other in more]
    return found


def structs_of(text):
    """(name, place where it ends, members) of each struct, in their order; the name may be empty."""
    for match in STRUCT.finditer(text):
        end = end_of(text, match.end() - 1)
        constructor = rf"(?<![\w.~]){match[1] or '$'}\s*\([^)]*\)\s*(?:noexcept\s*)?[:;{{]"
        body = text[match.end():end]
        yield match[1], end, [] if re.search(constructor, body) else members_of(body)


def wants_names(members):
    kinds = ["number" if NUMBER.fullmatch(kind) else kind for kind, _ in members]
    return len(kinds) > 2 or (len(kinds) == 2 and ("bool" in kinds or kinds[0] == kinds[1]))


def rows_of_list(text, at, name):
    """Rows, as the place of their brace, of the list that opens at this place."""
    close = end_of(text, at)
    for a, b in elements(text, at + 1, close):
        own = re.match(rf"(?:{name or '$'})?\s*\{{", text[a:b])
        if own:
            yield a + own.end() - 1


def tables_of(text, others):
    """(members, row) for each row of each table of this file."""
    structs = list(structs_of(text))
    for _, end, members in structs:
        following = re.match(r"\s*(?:const\s+)?\w+\s*\[[^\]]*\]\s*=?\s*\{", text[end + 1:])
        if following:
            for row in rows_of_list(text, end + following.end(), ""):
                yield members, row
    for name in {*others, *(name for name, _, _ in structs if name)}:
        def members(at):
            above = [found for own, end, found in structs if own == name and end < at]
            return above[-1] if above else others.get(name, [])

        kind = rf"std::(?:vector|array|initializer_list)\s*<\s*(?:const\s+)?{name}\s*(?:,[^<>]*)?>"
        for match in re.finditer(rf"(?:(?<![\w.]){name}(?:<[^<>]*>)?\s+\w+\s*\[[^\]]*\]|{kind}(?:\s*\w+)?)\s*=?\s*\{{", text):
            at = match.end() - 1
            if match[0].startswith("std::array") and re.match(r"\{\s*\{\s*\{", text[at:]):
                at = text.index("{", at + 1)
            for row in rows_of_list(text, at, name):
                yield members(at), row
        for match in re.finditer(rf":\s*(?=\{{\s*{name}\s*\{{)", text):
            for row in rows_of_list(text, match.end(), name):
                yield members(match.start()), row
        for match in re.finditer(rf"(?<=[{{,])\s*{name}\s*\{{", text):
            yield members(match.start()), match.end() - 1


def positional(text, others):
    """(row, members) of each row that should name its members."""
    seen = set()
    for members, row in tables_of(text, others):
        if row in seen or not wants_names(members):
            continue
        seen.add(row)
        if re.match(r"\{\s*[^\s.}]", text[row:]):
            yield row, members


def included_structs(file, tests, known):
    found = {}
    for name in INCLUDE.findall(file.read_text()):
        for folder in (file.parent, tests):
            other = (folder / name).resolve()
            if other.is_file() and other.is_relative_to(tests.resolve()):
                if other not in known:
                    known[other] = {}
                    known[other] = {**included_structs(other, tests, known),
                                    **{name: found for name, _, found in structs_of(blanked(other.read_text())) if name}}
                found.update(known[other])
                break
    return found


def files_of(tests):
    return [f for f in sorted([*tests.rglob("*.cpp"), *tests.rglob("*.hpp")]) if "compile_fail" not in f.parts]


def check(include):
    tests, problems, known = include.parent / "tests", [], {}
    files = files_of(tests)
    for file in files:
        text = blanked(file.read_text())
        for row, members in positional(text, included_structs(file, tests, known)):
            line = text.count("\n", 0, row) + 1
            names = ", ".join("." + name for _, name in members[:3]) + (", ..." if len(members) > 3 else "")
            problems.append(f"{file.relative_to(tests)}:{line}: name the members of this row: {names}")
    return problems, len(files)


def self_test():
    row = "struct row {\n    const char* name;\n    int a = 0, b;\n    void (*f)(int, int);\n    bool g() const { return true; }\n};\n"
    cases = (
        (row + 'const row rows[] = {{.name = "1, {2", .a = 3}, {}};', 0),
        (row + 'const row rows[] = {\n    // {1, 2}\n    {"1", 2, 3, {}},\n    {.name = "2"}, row{"3", 4, 5}};', 2),
        (row + 'void t() {\n    for (const row& r : {row{"1", 2, 3}, {"4", 5, 6}}) use(r);\n}', 2),
        (row + 'void t() {\n    for (const row& r : {row{.name = "1"}, row{.name = "2"}}) use(r);\n}', 0),
        (row + 'const std::vector<row> rows = {{"1", 2}};\nconst std::array<row, 2> more{{{"1", 2}, {"3", 4}}};', 3),
        ('struct { int a, b; } const rows[] = {{1, 2}, {3, 4}};', 2),
        ('struct { bool a; int b; } rows[] = {{true, 2}};', 1),
        ('struct { const char* a; int b; } rows[] = {{"1", 2}};', 0),
        ('struct { u8 a; std::size_t b; } rows[] = {{1, 2}};', 1),
        ('template <class T>\nstruct of { T a, b; };\nof<int> rows[] = {{1, 2}};', 1),
        ('struct { bool (x::*is)() const; x a; x b; } rows[] = {{&x::y, {}, {}}};', 1),
        ('struct made { made(int, bool); int a, b; };\nmade rows[] = {{1, true}};', 0),
        ('#include "a.hpp"\nconst far rows[] = {{1, 2, 3}, {.a = 1}};', 1),
        ('struct row { int a; };\nrow one[] = {{1}};\n' + row + 'row more[] = {{"1", 2}};', 1),
    )
    wrong = []
    for text, expected in cases:
        with tempfile.TemporaryDirectory() as folder:
            tests = pathlib.Path(folder, "tests")
            tests.mkdir()
            (tests / "a.hpp").write_text("struct far { int a, b, c; };")
            (tests / "a.cpp").write_text(text)
            found = check(pathlib.Path(folder, "include"))[0]
        if len(found) != expected:
            wrong.append(f"expected {expected} rows, found {found} in\n{text}")
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], check, self_test, "rows of {} files name their members"))
