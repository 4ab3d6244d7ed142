#!/usr/bin/env python3
"""Breaks the sources on purpose and sees whether the tests notice. See README.md.

usage: run.py list                 the named list alone: well-formed, every snippet occurs once
       run.py self-test            that `list` and the rewriting notice what they must
       run.py named [--only NAME]  runs the named mutants: all must be caught
       run.py generated            runs a sample of operator mutants, writes survivors.txt
       run.py table                the table of the last runs, by folder
options: --build DIR (default build/mutations)  --jobs N  --count N  --seed N
         --only FILE:LINE for generated ones
"""
import argparse
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import catalogue
import operators
import programs
import schemata
import survivors
import table

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
NAMED_AT_LEAST = 400
NAMED_IN_EACH_FOLDER = 5
GENERATED_AT_LEAST = 0.95  # of those that are not equivalent
GENERATED_IN_EACH_FOLDER = 10
GENERATED_FIRST = 1000  # numbers below are of the named ones


def named_mutants(include, only=None):
    entries, problems = catalogue.parse((HERE / "named.txt").read_text())
    if problems:
        sys.exit("\n".join(problems))
    found = []
    for number, e in enumerate(entries, 1):
        source = (include / "sluice" / e.file).read_text()
        begin, end = catalogue.locate(e, source)
        found.append(operators.Mutant(
            e.file, begin, end, e.replacement, e.rule, source[begin:end],
            line=source.count("\n", 0, begin) + 1, number=number, name=e.name,
            is_statement=e.is_statement))
    return [m for m in found if only is None or m.name in only]


def prepare(args):
    """Both kinds of mutants in one tree, so that one build serves all."""
    named = named_mutants(ROOT / "include")
    found = operators.find(ROOT / "include", args.build)
    generated = [m for m in operators.sample(found, args.count, GENERATED_IN_EACH_FOLDER, args.seed)
                 if all(schemata.nests(m, n) for n in named if n.file == m.file)]
    for number, m in enumerate(generated, GENERATED_FIRST):
        m.number = number
    return named, generated, len(found)


def configure(args, tree):
    for name in ("cmake", "tests", "examples"):
        schemata.synchronise(ROOT / name, tree / name)
    schemata.write_if_changed(tree / "CMakeLists.txt", (ROOT / "CMakeLists.txt").read_bytes())
    off = [f"-DSLUICE_{what}=OFF" for what in (
        "WARNINGS_AS_ERRORS", "BUILD_EXAMPLES", "BUILD_BENCH", "BUILD_FUZZ", "SOURCE_GATES",
        "INSTALL")]
    launcher = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
    # Not optimised but where tests/ asks for it: what counts is the time to build.
    subprocess.run(["cmake", "-S", str(tree), "-B", str(args.build / "build"), "-G", "Ninja",
                    "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O0",
                    "-DCMAKE_CXX_COMPILER=g++", "-DCMAKE_CXX_FLAGS=-w -Wno-narrowing", *launcher,
                    *off], check=True, stdout=subprocess.DEVNULL)


def weed(args, writers, generated):
    """Looks first at a few tests without compiling them: what does not compile shows there soon,
    while a build begins anew for each that is left out. Returns the mutants that are left."""
    sources = [args.build / "all_headers.cpp"]
    for folder in sorted((ROOT / "tests" / "unit").iterdir()):
        sources += sorted(folder.glob("*.cpp"), key=lambda path: -path.stat().st_size)[:1]

    def errors(source):
        return subprocess.run(
            ["g++", "-std=c++20", "-w", "-Wno-narrowing", "-fsyntax-only", "-I",
             str(args.build / "tree" / "include"), "-I", str(ROOT / "tests"), "-DSLUICE_SOURCE=\"\"",
             str(source)], capture_output=True, text=True).stderr
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        bad = schemata.blamed("".join(pool.map(errors, sources)), writers)
    return without(generated, bad)


def without(generated, bad):
    named = [m.name for m in bad if m.number < GENERATED_FIRST]
    if named:
        sys.exit(f"does not compile: {' '.join(named)}")
    if bad:
        print(f"left out, for they do not compile: {len(bad)}", flush=True)
    gone = {m.number for m in bad}
    return [m for m in generated if m.number not in gone]


def build(args, named, generated):
    """Builds the tree; mutants that do not compile are left out. Returns the tree and the rest."""
    tree = args.build / "tree"
    weeding = True
    for _ in range(12):
        writers = schemata.write_headers(ROOT / "include", tree / "include", named + generated)
        if weeding:
            count = len(generated)
            generated = weed(args, writers, generated)
            weeding = len(generated) != count
            if weeding:
                continue
        configure(args, tree)
        done = subprocess.run(["ninja", "-C", str(args.build / "build"), "-k", "0",
                               f"-j{args.jobs}", *programs.targets(args.build / "build")],
                              capture_output=True, text=True)
        if done.returncode == 0:
            return tree, generated
        (args.build / "errors.txt").write_text(done.stdout)
        bad = schemata.blamed(done.stdout, writers)
        if not bad:
            sys.exit(f"does not build, see {args.build / 'errors.txt'}")
        generated = without(generated, bad)
    sys.exit("does not build")


def caught_when_compiled(m, tree, scratch):
    """What only the compiler evaluates: the tests made of static_assert, truly mutated."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        source = (ROOT / "include" / "sluice" / m.file).read_text()
        path = pathlib.Path(folder) / "sluice" / m.file
        path.parent.mkdir(parents=True)
        path.write_text(source[:m.begin] + f"({m.replacement})" + source[m.end:])
        for test in sorted((ROOT / "tests" / "static").glob("*.cpp")):
            done = subprocess.run(
                ["g++", "-std=c++20", "-w", "-fsyntax-only", f"-I{folder}", f"-I{ROOT / 'include'}",
                 f"-I{ROOT / 'tests'}", str(test)], capture_output=True)
            if done.returncode != 0:
                return True
    return False


def run_all(args, mutants, asked, tree):
    """{number: name of the test that caught it, or ""}, in any order."""
    def one(m):
        name = asked.first_to_catch(m)
        if not name and not m.is_statement and caught_when_compiled(m, tree, args.build):
            name = "static"
        return m, name
    results = {}
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for m, name in pool.map(one, mutants):
            results[m.number] = name
            if args.verbose or not name:
                print(f"{'caught by ' + name if name else 'SURVIVES'}: "
                      f"{m.name or f'{m.file}:{m.line} {m.what}: {m.context}'}", flush=True)
    return results


def run_named(args, named, asked, tree, start):
    chosen = [m for m in named if not args.only or m.name in args.only]
    results = run_all(args, chosen, asked, tree)
    caught = sum(1 for name in results.values() if name)
    seconds = time.monotonic() - start
    if not args.only:
        table.save(args.build / "named.json", table.count(chosen, results), seconds)
    print(f"{caught} of {len(chosen)} named mutants caught, {seconds:.0f} s")
    return caught == len(chosen)


def run_generated(args, generated, found, asked, tree, start):
    chosen = [m for m in generated if not args.only or f"{m.file}:{m.line}" in args.only]
    results = run_all(args, chosen, asked, tree)
    left = [m for m in chosen if not results[m.number]]
    seconds = time.monotonic() - start
    if args.only:
        print(f"{len(chosen) - len(left)} of {len(chosen)} caught, {seconds:.0f} s")
        return not left
    unjudged = survivors.write(HERE / "survivors.txt", left, len(chosen), found, args.seed)
    rows = table.count(chosen, results)
    table.save(args.build / "generated.json", rows, seconds)
    caught, same = len(chosen) - len(left), survivors.equivalent(HERE / "survivors.txt")
    share = table.share(caught, len(chosen), sum(same.values()))
    print(f"{caught} of {len(chosen)} generated mutants caught, {sum(same.values())} equivalent, "
          f"{share:.1%} of the others caught; {unjudged} survivors not judged yet, {seconds:.0f} s")
    return share >= GENERATED_AT_LEAST


def print_table(args):
    named, generated = (table.load(args.build / f"{kind}.json") for kind in ("named", "generated"))
    folders = sorted(p.name for p in (ROOT / "include" / "sluice").iterdir() if p.is_dir())
    print("\n".join(table.write(folders, named["rows"], generated["rows"],
                                survivors.equivalent(HERE / "survivors.txt"))))
    print(f"named: {named['seconds']} s, generated: {generated['seconds']} s")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("command", choices=("list", "self-test", "named", "generated", "table"))
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "mutations")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    sys.setrecursionlimit(20000)
    if args.command == "self-test":
        import self_test
        return self_test.run()
    if args.command == "list":
        problems = catalogue.check((HERE / "named.txt").read_text(), ROOT / "include" / "sluice",
                                   NAMED_AT_LEAST, NAMED_IN_EACH_FOLDER)
        print("\n".join(problems) or "every snippet occurs once")
        return 1 if problems else 0
    args.build = args.build.resolve()
    args.build.mkdir(parents=True, exist_ok=True)
    if args.command == "table":
        print_table(args)
        return 0
    start = time.monotonic()
    named, generated, found = prepare(args)
    tree, generated = build(args, named, generated)
    print(f"built after {time.monotonic() - start:.0f} s", flush=True)
    asked = programs.Programs(args.build / "build")
    if args.command == "named":
        good = run_named(args, named, asked, tree, start)
    else:
        good = run_generated(args, generated, found, asked, tree, start)
    print_table(args)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
