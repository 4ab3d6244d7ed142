#!/usr/bin/env python3
"""Compiles and runs the first C++ example of README.md, as a reader would, and checks that it answers the ping and
needs no header but sluice.hpp and ports; then the same example with its stack compiled once, by the recipe of README.md, and checks that the other source
has nothing of the stack's inside.

Usage: readme_example.py --compiler CXX
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
# An echo reply from 10.0.1.1 to 10.0.1.2: addresses, type 0, code 0, checksum, identifier, sequence.
EXPECTED = "0a0001010a0001020000fffd00010001"
MOST_LINES = 20
RECIPE = ("edge.hpp", "edge.cpp")
# The calls of the example: each has to come from the source that compiles the stack.
ENTRANCES = ("stack", "~stack", "add_interface", "receive")
INSIDE = re.compile(r"sluice::(acts|pipeline|rewrite|routing)::")


def blocks():
    return re.findall(r"```cpp\n(.*?)```", (ROOT / "README.md").read_text(), re.S)


def check_answer(program):
    output = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout
    hexadecimal = "".join("".join(line.split("|")[0].split()[1:17]) for line in output.splitlines())
    if EXPECTED not in hexadecimal:
        sys.exit(f"the README's example printed no echo reply ({EXPECTED}):\n{output}")
    return output


def check_example(compiler, folder, example):
    others = [h for h in re.findall(r"#include <(sluice/.*)>", example) if not re.match(r"sluice/(sluice\.hpp$|port/)", h)]
    if others:
        sys.exit(f"the README's example includes {', '.join(others)}: sluice.hpp and ports are to be enough")
    if len(example.splitlines()) > MOST_LINES:
        sys.exit(f"the README's example has more than {MOST_LINES} lines")
    source = folder / "example.cpp"
    source.write_text(example)
    program = source.with_suffix("")
    subprocess.run([*compiler, str(source), "-o", str(program)], check=True)
    print(check_answer(program), end="")


def symbols(path):
    """Name of each symbol of an object file, without arguments, and whether the file defines it."""
    lines = subprocess.run(["nm", "-C", "--format=posix", str(path)], check=True, capture_output=True, text=True)
    found = re.findall(r"^(.*) ([A-Za-z])(?: [0-9a-f]+)*\s*$", lines.stdout, re.M)
    return [(name, kind not in "Uu") for name, kind in found]


def check_recipe(compiler, folder, example):
    """The example as a source beside edge.cpp: its policies become those of edge.hpp."""
    for block in blocks():
        name = block.splitlines()[0].removeprefix("// ")
        if name in RECIPE:
            (folder / name).write_text(block)
    own, replaced = re.subn(r"^struct host : .*$", '#include "edge.hpp"', example, flags=re.M)
    if replaced != 1:
        sys.exit("the README's example has no line `struct host : ...`")
    (folder / "main.cpp").write_text(own.replace("stack<host>", "stack<edge>"))
    for level in ("-O0", "-O2"):
        objects = []
        for source in ("edge.cpp", "main.cpp"):
            objects.append(folder / f"{source}.o")
            subprocess.run([*compiler, level, "-c", str(folder / source), "-o", str(objects[-1])], check=True)
        once, other = (symbols(o) for o in objects)
        for entrance in ENTRANCES:
            member = re.compile(rf"sluice::stack<edge>::{entrance}\(")
            there = [defined for name, defined in other if member.match(name)]
            if not there or any(there):
                sys.exit(f"{level}: main.cpp does not leave stack<edge>::{entrance} to edge.cpp")
            if not any(defined for name, defined in once if member.match(name)):
                sys.exit(f"{level}: edge.cpp does not compile stack<edge>::{entrance}")
        inside = [name for name, defined in other if defined and INSIDE.search(name)]
        if inside:
            sys.exit(f"{level}: main.cpp compiles what belongs to edge.cpp:\n" + "\n".join(inside))
        program = folder / "recipe"
        subprocess.run([*compiler, *map(str, objects), "-o", str(program)], check=True)
        check_answer(program)
        kept = sum(defined for _, defined in other)
        print(f"{level}: the stack once, {sum(defined for _, defined in once)} symbols; the other source {kept}")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--compiler", required=True)
    compiler = [arguments.parse_args().compiler, "-std=c++20", f"-I{ROOT / 'include'}"]
    example = blocks()[0]
    with tempfile.TemporaryDirectory() as folder:
        check_example(compiler, pathlib.Path(folder), example)
        check_recipe(compiler, pathlib.Path(folder), example)


if __name__ == "__main__":
    main()
