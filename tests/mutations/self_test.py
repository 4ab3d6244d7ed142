"""Shows that the list's check and the rewriting notice what they must. run.py self-test"""
import pathlib
import tempfile

import catalogue
import operators
import schemata
import survivors

GOOD = """
name: ttl-one-is-forwarded
rule: RFC 1812 section 5.3.1
room: forward
file: pipeline/forward.hpp
- ttl <= 1
+ ttl < 1
"""
SOURCE = "#pragma once\nbool f(int ttl) {\n    if (ttl  <=\n        1) return false;\n}\n"


def problems_of(text, source=SOURCE, at_least=1, in_each=0):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "pipeline" / "forward.hpp"
        path.parent.mkdir()
        path.write_text(source)
        return catalogue.check(text, pathlib.Path(folder), at_least, in_each)


def mutant(begin, end, replacement, number, is_statement=False):
    return operators.Mutant("f.hpp", begin, end, replacement, "", "", number=number,
                            is_statement=is_statement)


def run():
    cases = {
        "a good entry": (problems_of(GOOD), 0),
        "a snippet that is not there": (problems_of(GOOD.replace("ttl <= 1", "ttl <= 2")), 1),
        "a snippet that is there twice": (problems_of(GOOD, SOURCE + SOURCE), 1),
        "a file that is not there": (problems_of(GOOD.replace("forward.hpp", "backward.hpp")), 1),
        "a rule that cannot be looked up": (problems_of(GOOD.replace("RFC 1812", "the RFC")), 1),
        "no room": (problems_of(GOOD.replace("room: forward\n", "")), 2),
        "an unknown room": (problems_of(GOOD.replace("room: forward", "room: kitchen")), 1),
        "the same name twice": (problems_of(GOOD + GOOD), 1),
        "a change that changes nothing": (problems_of(GOOD.replace("ttl < 1", "ttl <=  1")), 1),
        "an expression left out": (problems_of(GOOD.replace("+ ttl < 1\n", "")), 1),
        "half an expression": (problems_of(GOOD.replace("- ttl <= 1", "- (ttl <=")), 1),
        "a line that means nothing": (problems_of(GOOD + "colour: red\n"), 1),
        "too few": (problems_of(GOOD, at_least=2), 1),
        "too few in a folder": (problems_of(GOOD, in_each=2), 1),
    }
    failed = [f"{name}: {found}" for name, (found, wanted) in cases.items()
              if len(found) != wanted]

    inner, outer = mutant(0, 5, "a <= b", 1), mutant(0, 10, "c", 2)
    deleted = mutant(11, 15, "", 3, True)
    w = schemata.Writer("a < b && c g();", [inner, outer, deleted])
    wanted = ("(::sluice_mutant::on(2) ? (c) : ((::sluice_mutant::on(1) ? (a <= b) : (a < b))"
              " && c)) if (::sluice_mutant::on(3)) {  } else { g(); }")
    if w.text() != wanted:
        failed.append(f"rewriting: {w.text()}")
    for number, place in ((1, "a <= b"), (2, "&& c"), (3, "g();")):
        blamed = w.blame(1, wanted.index(place) + 1)
        if blamed is None or blamed.number != number:
            failed.append(f"blame: {place} gives {blamed}")
    if schemata.nests(mutant(0, 5, "", 1), mutant(3, 8, "", 2)):
        failed.append("overlapping spans pass for nested ones")

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "survivors.txt"
        m = operators.Mutant("wire/a.hpp", 0, 5, "a <= b", "< to <=", "a < b", 7,
                               "if (\u00bba < b\u00ab) {")
        if survivors.write(path, [m, m], 10, 20, 1) != 2:
            failed.append("survivors: a new one counts as judged")
        path.write_text(path.read_text().replace(survivors.NOT_JUDGED, "equivalent", 1))
        m.line = 9
        if survivors.write(path, [m, m], 10, 20, 1) != 1 or ":9:" not in path.read_text():
            failed.append("survivors: a word is lost when the line moves")

    print("\n".join(failed) or f"{len(cases) + 6} cases behave")
    return 1 if failed else 0
