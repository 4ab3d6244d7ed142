#!/usr/bin/env python3
"""Fails where include/sluice/stack falls back from a core with acts into a chain of classes.

The headers there do not include each other in a circle. None says this->, has a base class other than
those listed here, or takes a fate by reference: what an act has to tell, it returns. Comments do not count.
Usage: check_acts.py [--self-test] [INCLUDE_DIR]
"""
import pathlib
import re
import sys

from check_layers import INCLUDE, find_cycles
from gates import check_sample, main

ALLOWED_BASES = {
    "policies": "a composition names its policies",
    "slot": "what stands in a slot of a composition is its policy",
    "slot_or": "the same, checked",
    "call": "an entrance is a call that leaves work behind",
    "local_services": "what a handler sees of the stack",
}
COMMENT = re.compile(r"//[^\n]*")
STRING = re.compile(r'"[^"\n]*"')
# From the name of a class to the brace that opens it. An enum has a type there, no base.
CLASS = re.compile(r"(?<!enum )\b(?:class|struct)\s+(?:\[\[[^\]]*\]\]\s*)?(\w+)\s*(?:<[^;{}]*?>)?\s*(?:final\s*)?"
                   r"(?<!:):(?!:)([^;{}]*)\{")
FORBIDDEN = (
    (re.compile(r"\bthis\s*->"), "this->: an act is a free function, a part is an argument"),
    (re.compile(r"\bfate\s*&"), "a fate by reference: return it"),
)


def names_of_bases(text):
    """The templates or classes in a list of bases, without their arguments."""
    depth, outer = 0, []
    for letter in text:
        depth -= letter == ">"
        if depth == 0 and letter != ">":
            outer.append(letter)
        depth += letter == "<"
    for base in "".join(outer).replace("<", "").split(","):
        words = re.sub(r"\b(?:public|protected|private|virtual|typename|template)\b", "", base).split()
        yield "".join(words).rpartition("::")[2]


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def problems_of(path, text):
    problems = [f"{path}:{line_of(text, found.start())}: {what}"
                for rule, what in FORBIDDEN for found in rule.finditer(text)]
    for found in CLASS.finditer(text):
        problems += [f"{path}:{line_of(text, found.start())}: {found[1]} has the base {base}: make it a part or an act"
                     for base in names_of_bases(found[2]) if base not in ALLOWED_BASES]
    return problems


def check(root):
    root = pathlib.Path(root, "sluice")
    texts = {file.relative_to(root).as_posix(): STRING.sub('""', COMMENT.sub("", file.read_text()))
             for file in sorted((root / "stack").glob("**/*.hpp"))}
    problems, edges = [], {}
    for path, text in texts.items():
        problems += problems_of(path, text)
        included = [match[2].removeprefix("sluice/") for match in map(INCLUDE.match, text.splitlines()) if match]
        edges[path] = [target for target in included if target in texts]
    return problems + find_cycles(edges), len(texts)


BAD_SAMPLES = {
    "circular include": {"stack/a.hpp": "#include <sluice/stack/b.hpp>\n", "stack/b.hpp": "#include <sluice/stack/c.hpp>\n",
                         "stack/c.hpp": "#include <sluice/stack/a.hpp>\n"},
    "this->": {"stack/a.hpp": "void f() { this->count(); }\n"},
    "a fate by reference": {"stack/a.hpp": "bool passes(packet& p, fate& gone);\n"},
    "the base stack_sending": {"stack/a.hpp": "template <class P>\nclass stack_answering\n    : public detail::stack_sending<P> {\n};\n"},
    "the base call_state": {"stack/a.hpp": "struct entrance : call_state {};\n"},
    "the base books": {"stack/a.hpp": "struct core final : policies<a, b<c>>, private books<d> {};\n"},
    "the base sender": {"stack/a.hpp": "template <>\nstruct act<int> : sender {};\n"},
}
GOOD_SAMPLE = {
    "stack/a.hpp": "#include <sluice/stack/b.hpp>\n#include <sluice/base/c.hpp>\n// this->x, fate& f, class a : b {}\n"
                   "template <class Core>\nclass entrance : call<Core> {\npublic:\n    constexpr entrance(Core& c) : call<Core>(c) {}\n};\n"
                   "enum class kind : u8 { one };\nenum kinds : u8 {};\nfate f(const passage& p);\n",
    "stack/b.hpp": "struct host\n    : policies<buffers<pool<1, 2>>, routes<r>> {};\n"
                   "class h final : public local_services<typename Core::packet_type> {\nprivate:\n    Core& c_;\n};\n"
                   "struct passage {\n    fate gone{};\n};\n",
    "endpoint/c.hpp": "struct x : y {};\nthis->z(fate& f);\n",
}


def self_test():
    failed = [f"good sample refused: {problem}" for problem in check_sample(check, GOOD_SAMPLE)[0]]
    for name, sample in BAD_SAMPLES.items():
        problems = check_sample(check, sample)[0]
        if len(problems) != 1 or name not in problems[0]:
            failed.append(f"bad sample not noticed: {name}: {problems}")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], check, self_test, "{} headers of the stack: no circle, no chain of classes"))
