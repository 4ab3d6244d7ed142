#!/usr/bin/env python3
"""Fails on an upward, sideways, circular or foreign include under include/sluice.

A folder is a layer. A file includes files of smaller layers and of its own folder, nothing else.
Fails also where a file of routing/ or pipeline/ changes a byte of a packet: that is what rewrite/ is for.
Layers 0 to 5 include only the standard headers listed here: the others cost too much compile time,
or need a heap or an operating system.
Usage: check_layers.py [--self-test] [INCLUDE_DIR]
"""
import pathlib
import re
import sys

from gates import check_sample, main

LAYERS = {
    "base": 0,
    "wire": 1,
    "packet": 2,
    **dict.fromkeys(("interface", "route", "reassembly", "options", "icmp", "identification", "output",
                     "delivery", "hooks", "multicast", "security", "stats"), 3),
    # What the stages share: questions to the tables; decisions; what carries them out.
    "routing": 4,
    "pipeline": 4.1,
    "rewrite": 4.2,
    "stack": 5,
    "endpoint": 5.3,  # of the outer rooms the one that needs no operating system: the umbrella may have it
    "link": 6,
    "port": 6,
    "testing": 6.1,  # its suites test the models of every other room
}
UMBRELLA = ("sluice.hpp", 5.5)  # includes the whole core and endpoints, no layer below 6 includes it
EDGE = 6
ALLOWED_STANDARD = set("array bit compare concepts cstddef cstdint cstring new optional span "
                       "type_traits utility cassert "
                       "sanitizer/asan_interface.h".split())
DECIDES = ("routing", "pipeline")
WRITE = re.compile(r"\b(writable\w*|store_be|set_checksum|copy_bytes|fill_bytes)\b|::view\b|"
                   r"\.(set|put|push|append|attach|unshare|emit)\(")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def layer_of(path):
    """(folder, layer) of a path relative to include/sluice; layer None: not a known folder."""
    if "/" not in path:
        return ("", UMBRELLA[1] if path == UMBRELLA[0] else None)
    folder = path.split("/", 1)[0]
    return (folder, LAYERS.get(folder))


def problem_of_include(path, quote, name, known):
    folder, layer = layer_of(path)
    if quote == '"':
        return f'"{name}": write <sluice/room/file.hpp>'
    if not name.startswith("sluice/"):
        if layer < EDGE and name not in ALLOWED_STANDARD:
            return f"<{name}>: not among the headers that layers 0 to 5 may include"
        return None
    target = name.removeprefix("sluice/")
    if target not in known:
        return f"<{name}>: no such header"
    target_folder, target_layer = layer_of(target)
    if target_layer is None or (folder and target_folder == folder) or target_layer < layer:
        return None
    way = "upward" if target_layer > layer else "sideways"
    return f"<{name}>: {way} include from {folder or path} (layer {layer}) to layer {target_layer}"


def find_cycles(edges):
    """One line for each include that closes a circle; depth first, without recursion."""
    problems, state = [], {}
    for start in sorted(edges):
        if start in state:
            continue
        stack = [(start, iter(edges[start]))]
        state[start] = "open"
        while stack:
            node, targets = stack[-1]
            target = next(targets, None)
            if target is None:
                state[node] = "done"
                stack.pop()
            elif state.get(target) == "open":
                problems.append(f"{node}: <sluice/{target}>: circular include")
            elif target not in state and target in edges:
                state[target] = "open"
                stack.append((target, iter(edges[target])))
    return problems


def check(root):
    root = pathlib.Path(root, "sluice")
    files = {file.relative_to(root).as_posix(): file for file in sorted(root.rglob("*.hpp"))}
    problems, edges = [], {}
    for path, file in files.items():
        edges[path] = []
        if layer_of(path)[1] is None:
            problems.append(f"{path}: not in a folder that has a layer")
            continue
        for number, line in enumerate(file.read_text().splitlines(), 1):
            write = path.split("/")[0] in DECIDES and WRITE.search(line.partition("//")[0])
            if write:
                problems.append(f"{path}:{number}: {write[0]}: changes bytes, move it to rewrite/")
            match = INCLUDE.match(line)
            if not match:
                continue
            problem = problem_of_include(path, match[1], match[2], files)
            if problem:
                problems.append(f"{path}:{number}: {problem}")
            edges[path].append(match[2].removeprefix("sluice/"))
    if not files:
        problems.append(f"{root}: no headers there; name the folder that has sluice/")
    return problems + find_cycles(edges), len(files)


BAD_SAMPLES = {
    "upward include": {"base/a.hpp": "#include <sluice/wire/b.hpp>", "wire/b.hpp": ""},
    "sideways include": {"route/a.hpp": "#include <sluice/icmp/b.hpp>", "icmp/b.hpp": ""},
    "link must not see port": {"link/a.hpp": "#include <sluice/port/b.hpp>", "port/b.hpp": ""},
    "pipeline must not see rewrite": {"pipeline/a.hpp": "#include <sluice/rewrite/b.hpp>",
                                      "rewrite/b.hpp": ""},
    "routing must not see pipeline": {"routing/a.hpp": "#include <sluice/pipeline/b.hpp>",
                                      "pipeline/b.hpp": ""},
    "changes bytes": {"pipeline/a.hpp": "const ipv4::view ip{p.writable()};"},
    "not among the headers": {"stack/a.hpp": "#  include <chrono>"},
    "write <sluice/": {"base/a.hpp": '#include "b.hpp"'},
    "no such header": {"base/a.hpp": "#include <sluice/base/none.hpp>"},
    "circular include": {"base/a.hpp": "#include <sluice/base/b.hpp>",
                         "base/b.hpp": "#include <sluice/base/a.hpp>"},
    "not in a folder": {"misc/a.hpp": ""},
    "no headers there": {},
}
EXPECTED = {"link must not see port": "sideways include",
            "pipeline must not see rewrite": "upward include",
            "routing must not see pipeline": "upward include"}
GOOD_SAMPLE = {
    "base/a.hpp": "#include <cstdint>",
    "wire/b.hpp": "#include <sluice/base/a.hpp>\n#include <sluice/wire/c.hpp>",
    "wire/c.hpp": "",
    "pipeline/d.hpp": "const ipv4::const_view ip{p.data()};  // never p.writable()",
    "rewrite/e.hpp": "#include <sluice/pipeline/d.hpp>\nconst ipv4::view ip{p.writable()};",
    "sluice.hpp": "#include <sluice/wire/b.hpp>",
    "port/p.hpp": "#include <chrono>\n#include <sluice/sluice.hpp>",
}


def self_test():
    failed = [f"good sample refused: {problem}" for problem in check_sample(check, GOOD_SAMPLE)[0]]
    for name, sample in BAD_SAMPLES.items():
        expected = EXPECTED.get(name, name)
        problems = check_sample(check, sample)[0]
        if not any(expected in problem for problem in problems):
            failed.append(f"bad sample not noticed: {name}: {problems}")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], check, self_test, "{} headers, every include points down or stays in its room"))
