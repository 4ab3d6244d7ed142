#!/usr/bin/env python3
"""Fails on a row of a test's table that tells by places alone what its values are.

A table is an array, a std::array, a std::vector or a list in braces of a struct that the file, or a header of the tests
that it includes, defines. Where the struct has more than two members, a bool or two members of one type, its rows name
their members: {.name = "plain", .ttl = 64}. A row of two things that nobody mixes up may be without names.
Usage: check_rows.py [--self-test] [TESTS_DIR]
"""
import pathlib
import re
import sys
import tempfile

LITERAL = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<![\w\'])\'(?:\\.|[^\'\\\n])+\'', re.S)
STRUCT = re.compile(r"\bstruct\b\s*(\w*)\s*\{")  # with a base it is no row
INCLUDE = re.compile(r'^#include "([^"]+)"', re.M)
OTHER = re.compile(r"\s*(?:using|static|friend|enum|struct|class|union|template|public|private|explicit|virtual|~)\b")
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


def members_of(text, begin, end):
    """(type, name) of each member that a row may give."""
    found, at = [], begin
    while at < end:
        stop = at
        while stop < end and text[stop] not in ";{":
            stop = end_of(text, stop) + 1 if text[stop] in "([" else stop + 1
        head = text[at:stop]
        body = stop < end and text[stop] == "{"
        while stop < end and text[stop] != ";":
            if text[stop] == "{":
                stop = end_of(text, stop)
                rest = text[stop + 1:end].lstrip()
                if body and ("(" in head or OTHER.match(head)) and not rest.startswith(";"):
                    break
            stop += 1
        at = stop + 1
        if OTHER.match(head):
            continue
        pointer = re.match(r"\s*(.+?)\(\s*[\w:]*\*\s*(\w+)\s*\)\s*\(", head, re.S)
        if pointer:
            found.append((pointer[1].strip() + "()", pointer[2]))
            continue
        first, *more = [head[a:b] for a, b in elements(head, 0, len(head))] or [""]
        declared = re.match(r"(.+?[\s*&>])(\w+)\s*(?:\[[^\]]*\]\s*)*(?:=.*)?$", first.strip(), re.S)
        if not declared or "(" in first.split("=")[0].replace("(*", ""):
            if not declared or not re.search(r"<.*\(.*>", first):
                continue
        kind = " ".join(re.sub(r"\bconst\b", " ", declared[1]).split())
        found.append((kind, declared[2]))
        found += [(kind, name[1]) for name in (re.match(r"[*&]?(\w+)", other.strip()) for other in more) if name]
    return found


def structs_of(text):
    """(name, place where it ends, members) of each struct, in their order; the name may be empty."""
    for match in STRUCT.finditer(text):
        end = end_of(text, match.end() - 1)
        constructor = rf"(?<![\w.~]){match[1] or '$'}\s*\([^)]*\)\s*(?:noexcept\s*)?[:{{]"
        made = re.search(constructor, text[match.end():end])
        yield match[1], end, [] if made else members_of(text, match.end(), end)


def wants_names(members):
    kinds = [kind for kind, _ in members]
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
        for match in re.finditer(rf"(?:(?<![\w.]){name}\s+\w+\s*\[[^\]]*\]|{kind}(?:\s*\w+)?)\s*=?\s*\{{", text):
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


def check(tests):
    problems, known = [], {}
    for file in files_of(tests):
        text = blanked(file.read_text())
        for row, members in positional(text, included_structs(file, tests, known)):
            line = text.count("\n", 0, row) + 1
            names = ", ".join("." + name for _, name in members[:3])
            problems.append(f"{file.relative_to(tests)}:{line}: name the members of this row: {names}{', ...' if len(members) > 3 else ''}")
    return problems


if __name__ == "__main__":
    problems = check(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "tests"))
    print("\n".join(problems))
    sys.exit(1 if problems else 0)
