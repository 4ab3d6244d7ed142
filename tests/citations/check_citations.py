#!/usr/bin/env python3
"""Fails on an RFC citation that is misspelt, or that names an RFC or a section that is not there.

The only forms are `RFC 1812`, `RFC 1812 section 5.3.1`, `RFC 792 page 4`, `RFC 950 appendix I`;
the numbers that may be cited stand in rfcs.txt. Read are comments and string literals of *.hpp.
Usage: check_citations.py [--self-test] [INCLUDE_DIR]
"""
import pathlib
import re
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PROSE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)
MENTION = re.compile(r"(?<![\w/])rfcs?(?![a-z])[\s\-_#:.]*\d+", re.I)
GOOD_MENTION = re.compile(r"RFC \d+$")
SECTION = re.compile(r" section (\d{1,2}(?:\.\d{1,2}){0,5})(?:[a-z]\b|\([a-z0-9]\))?(?![\w]|\.\d)")
OTHER_PLACE = re.compile(r" (page \d{1,3}|appendix [A-Z]{1,3}(\.\d{1,2})*)\b")
# What follows an RFC number and looks like a place in it, in another spelling.
STRAY_PLACE = re.compile(
    r"[\s,;:(]*(\d+\.\d|§|sec\b|sec\.|sect\b|sections?\b|chapter\b|par\.|appendix\b|app\.|pages?\s*\d|p\.\s*\d)",
    re.I)
PLACE_BEFORE = re.compile(
    r"(§|\b(sections?|sec\.?|chapter|appendix)) ?\d[\d.]*,? (of|in) (the )?$", re.I)


def read_rfcs(path):
    """RFC number to highest numbered section, or None where that is not checked."""
    rfcs = {}
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            number, highest, _ = line.split(maxsplit=2)
            rfcs[int(number)] = None if highest == "-" else int(highest)
    return rfcs


def prose_of(text):
    """Comments and strings, the rest blanked, same offsets; a comment that goes on is one sentence."""
    out = [c if c == "\n" else " " for c in text]
    for match in PROSE.finditer(text):
        out[match.start():match.end()] = match[0]
    return re.sub(r"\n[ \t]*(//+|\*)?", lambda m: "\x01" + "\x02" * (len(m[0]) - 1), "".join(out))


def squeeze(text):
    """Line breaks with their comment marks become one space."""
    return re.sub(r"\s*\x01[\x02\s]*", " ", text)


def section_problem(number, section, highest):
    parts = [int(part) for part in section.split(".")]
    if 0 in parts or any(part.startswith("0") for part in section.split(".")):
        return f"RFC {number} section {section}: no section is numbered so"
    if highest is not None and parts[0] > highest:
        return f"RFC {number} section {section}: its sections end at {highest}"
    return None


def mention_problem(mention, before, after, rfcs):
    if not GOOD_MENTION.match(mention):
        return f"{mention!r}: write `RFC <number>`"
    number = int(mention.split()[1])
    if number not in rfcs:
        return f"{mention}: not in tests/citations/rfcs.txt"
    match = SECTION.match(after)
    if match:
        return section_problem(number, match[1], rfcs[number])
    if OTHER_PLACE.match(after):
        return None
    stray = STRAY_PLACE.match(after)
    if stray:
        return f"{mention + after[:stray.end()]!r}: write `{mention} section <number>`"
    stray = PLACE_BEFORE.search(before)
    if stray:
        return f"{stray[0] + mention!r}: write `{mention} section <number>`"
    return None


def check_text(text, rfcs):
    """Yields (line, problem or None) for each mention of an RFC."""
    prose = prose_of(text)
    for match in re.finditer(MENTION.pattern.replace(r"\s", r"\s\x01\x02"), prose, re.I):
        before = squeeze(prose[max(0, match.start() - 60):match.start()])
        after = squeeze(prose[match.end():match.end() + 80])
        line = text.count("\n", 0, match.start()) + 1
        yield line, mention_problem(squeeze(match[0]), before, after, rfcs)


def check(root, rfcs):
    problems, count = [], 0
    for file in sorted(pathlib.Path(root).rglob("*.hpp")):
        for line, problem in check_text(file.read_text(), rfcs):
            count += 1
            if problem:
                problems.append(f"{file.relative_to(root)}:{line}: {problem}")
    if count == 0:
        problems.append(f"{root}: no citations there; name the folder of the headers")
    return problems, count


GOOD_SAMPLES = (
    "// RFC 1812 section 5.3.1.", "// See RFC 791 and RFC 1122 section 3.2.1.8(c): options.",
    "// as RFC\n// 1812 section 5.2.1 says", "//  (RFC 1812\n    // section 5.3.1) and",
    "// RFC 792 page 4", "// RFC 950 appendix I", 'f("RFC 1191 section 3");', "int rfc0001;",
    "// RFC 3168. 5 packets", "// see RFC 1122 section 3.2.1.",
)
BAD_SAMPLES = (
    "// RFC1812 section 5.3.1", "// rfc 791 3.1", "// RFC 791 3.1", "// RFC-1812", "// RFC 971",
    "// RFC 1812 Section 5", "// RFC 1812, section 5.3", "// RFC 1812 sec. 5", "// RFC 1812 §5.3.1",
    "// RFC 1812 sections 5 and 6", "// RFC 1812 section 12.1", "// RFC 791 section 5.3.1",
    "// RFC 1812 section 5.0.1", "// section 5.3.1 of RFC 1812", "// RFC 1812 section five",
    "// RFC 1812\n// 5.3.1", 'f("rfc1812");', "// RFCs 1858", "// RFC 1812 (5.3.1)",
    "/* RFC1812\n */",
)


def self_test(rfcs):
    failed = []
    for text in GOOD_SAMPLES:
        failed += [f"good sample refused: {text!r}: {p}" for _, p in check_text(text, rfcs) if p]
    for text in BAD_SAMPLES:
        if not any(problem for _, problem in check_text(text, rfcs)):
            failed.append(f"bad sample not noticed: {text!r}")
    with tempfile.TemporaryDirectory() as folder:
        if not check(folder, rfcs)[0]:
            failed.append("not noticed: a folder without citations")
    print("\n".join(failed) or f"self-test passed: {len(BAD_SAMPLES)} bad samples noticed")
    return 1 if failed else 0


def main(arguments):
    rfcs = read_rfcs(HERE / "rfcs.txt")
    if "--self-test" in arguments:
        return self_test(rfcs)
    root = arguments[0] if arguments else HERE.parents[1] / "include"
    problems, count = check(root, rfcs)
    print("\n".join(problems) or f"{count} citations, all of RFCs in the list and in one form")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
