#!/usr/bin/env python3
"""Fails on a fact, a switch or a member of the metadata that no header reads.

Public members of settings, interface_settings, metadata and option_offsets are read where a header that includes
theirs, directly or not, says x.NAME or x->NAME and does not assign to it. Facts, the static members that a concept
requires ({ P::NAME }) and those of the rooms' models that say yes or no, are read where a header says T::NAME outside
such a requirement and outside the definition of the same fact in another model. Comments do not count, nor does the
header that declares.
Usage: check_readers.py [--self-test] [INCLUDE_DIR]
"""
import pathlib
import re
import sys

from gates import check_sample, main

DECLARING = ("packet/settings.hpp", "packet/metadata.hpp")
STRUCT = re.compile(r"^(?:struct|class) (\w+) \{\n(.*?)^\};", re.M | re.S)
MEMBER = re.compile(r"^    (?!static |using |friend |constexpr |return )[\w:]+(?:<[^;()]*>)?\s+(\w+)(?:\[[^]]*\])?(?:\s*:\s*\d+)?"
                    r"\s*((?:=|,|\{)[^;]*)?;", re.M)
NEXT_MEMBER = re.compile(r",\s*(\w+)")
MODEL_FACT = re.compile(r"^    static constexpr bool (\w+)\b", re.M)
ROOMS = ("interface route reassembly options icmp identification output delivery hooks multicast security stats link").split()
REQUIRED = re.compile(r"\{\s*[A-Z]\w*::(\w+)\s*\}")
COMMENT = re.compile(r"//[^\n]*")
INCLUDE = re.compile(r"#include <sluice/([^>]+)>")


def members_of(text):
    """(struct, member) of each data member; functions have parentheses."""
    found = []
    for struct in STRUCT.finditer(text):
        for member in MEMBER.finditer(struct[2]):
            others = NEXT_MEMBER.findall(re.sub(r"\{[^{}]*\}|\([^()]*\)", "", member[2] or ""))
            found += [(struct[1], name) for name in (member[1], *others) if not name.endswith("_")]
    return found


def reads_member(name, text):
    return re.search(rf"(?:\.|->){name}\b(?!\s*(?:[-+|&]?=)[^=])", text) is not None


def reads_fact(name, text):
    without = REQUIRED.sub("", text)
    without = re.sub(rf"static constexpr [\w:]+ {name}\b[^;]*;", "", without)
    return re.search(rf"(?<!\bdrop_reason)::{name}\b", without) is not None


def readers_of(path, texts):
    """The texts of the headers from which that one is included, directly or not."""
    found, more = set(), {path}
    while more:
        found |= more
        more = {other for other, text in texts.items() if more & set(INCLUDE.findall(text))} - found
    return [texts[other] for other in found - {path} if other in texts]


def check(root):
    root = pathlib.Path(root, "sluice")
    texts = {file.relative_to(root).as_posix(): COMMENT.sub("", file.read_text()) for file in sorted(root.rglob("*.hpp"))}
    problems, count = [], 0
    for path in DECLARING:
        others = readers_of(path, texts)
        members = members_of(texts.get(path, ""))
        if not members:
            problems.append(f"{path}: no members there; name the header that declares them")
        for struct, name in members:
            count += 1
            if not any(reads_member(name, text) for text in others):
                problems.append(f"{path}: {struct}::{name}: no header reads it: implement it or take it away")
    facts = {}
    for path, text in texts.items():
        for name in REQUIRED.findall(text):
            facts.setdefault(name, path)
        if path.split("/")[0] in ROOMS:
            for name in MODEL_FACT.findall(text):
                facts.setdefault(name, path)
    for name, path in sorted(facts.items()):
        count += 1
        if not any(reads_fact(name, text) for text in texts.values()):
            problems.append(f"{path}: the fact {name}: no header reads it: implement it or take it away")
    return problems, count


GOOD = {
    "base/tree.hpp": "int far = node.unrelated;\n",
    "packet/settings.hpp": "struct settings {\n    bool used = false;  // why\n    u8 limit = 3;\n"
                           "    u8 seen() const { return limit; }\n};\n",
    "packet/metadata.hpp": "struct metadata {\n    u16 size = 0;\n    bool bit : 1 = false;\n    offsets options{};\n};\n",
    "route/concept.hpp": "template <class R>\nconcept facts = requires {\n    { R::is_quick } -> to<bool>;\n};\n",
    "route/table.hpp": "struct table {\n    static constexpr bool is_quick = true;\n};\n",
    "pipeline/b.hpp": "#include <sluice/packet/settings.hpp>\n#include <sluice/packet/metadata.hpp>\n",
    "pipeline/a.hpp": "#include <sluice/pipeline/b.hpp>\nif (s.used && m->size == 2 && m.bit) { use(m.options); }\nif constexpr (T::is_quick) { s.limit == 2; }\n",
}
BAD_SAMPLES = {
    "settings::unread": {"packet/settings.hpp": "struct settings {\n    bool unread = false;\n};\n"},
    "settings::unrelated": {"packet/settings.hpp": "struct settings {\n    bool unrelated = false;\n};\n"},
    "metadata::noted": {"packet/metadata.hpp": "struct metadata {\n    u32 noted = 0;\n};\n",
                        "pipeline/c.hpp": "#include <sluice/pipeline/b.hpp>\nm.noted = 3;  // never m.noted\n"},
    "metadata::tallied": {"packet/metadata.hpp": "struct metadata {\n    u32 tallied = 0;\n};\n",
                          "pipeline/c.hpp": "#include <sluice/pipeline/b.hpp>\nm.tallied |= 3;\n"},
    "metadata::single": {"packet/metadata.hpp": "struct metadata {\n    bool single : 1 = false;\n};\n"},
    "metadata::listed": {"packet/metadata.hpp": "struct metadata {\n    std::array<u8, 4> listed{};\n};\n"},
    "metadata::counted": {"packet/metadata.hpp": "struct metadata {\n    u8 counted[4] = {};\n};\n"},
    "metadata::second": {"packet/metadata.hpp": "struct metadata {\n    u8 size = u8(1), second = 0;\n};\n"},
    "the fact is_large": {"route/large.hpp": "struct t {\n    static constexpr bool is_large = true;\n};\n"},
    "the fact is_slow": {"route/slow.hpp": "concept c = requires {\n    { R::is_slow } -> to<bool>;\n};\n",
                         "route/table.hpp": "struct t {\n    static constexpr bool is_slow = other::is_slow;\n};\n"},
}


def self_test():
    problems, count = check_sample(check, GOOD)
    failed = [f"good sample refused: {problem}" for problem in problems]
    if count != 6:
        failed.append(f"{count} names found in the good sample, 6 are there")
    for name, sample in BAD_SAMPLES.items():
        found = [problem for problem in check_sample(check, {**GOOD, **sample})[0] if name in problem]
        if len(found) != 1:
            failed.append(f"bad sample not noticed: {name}")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], check, self_test, "{} facts, switches and members, each read by a header"))
