#!/usr/bin/env python3
"""Breaks the sources on purpose and sees whether the tests notice. See README.md.

usage: run.py list                 the named list alone: well-formed, every snippet occurs once
       run.py self-test            that `list` and the rewriting notice what they must
       run.py named [--only NAME]  runs the named mutants: all must be caught
       run.py generated            runs a sample of operator mutants, writes survivors.txt
options: --build DIR (default build/mutations)  --jobs N  --count N  --seed N
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import catalogue
import operators
import schemata
import survivors

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
NAMED_AT_LEAST = 60
GENERATED_AT_LEAST = 0.85
ROOMS = ("wire", "options", "pipeline")
GENERATED_FIRST = 1000  # numbers below are of the named ones
TIMEOUT = 20  # seconds, or ten times what the test takes unbroken
# Cheapest first; a mutant meets the tests of its own room before all others.
BINARIES = ("unit_hooks", "unit_output", "unit_delivery", "unit_icmp", "unit_identification",
            "unit_interface", "unit_stats", "unit_base", "unit_multicast", "unit_testing",
            "unit_security", "unit_link", "unit_endpoint", "unit_port",
            "unit_stack", "unit_pipeline", "unit_packet", "unit_wire", "rfc", "conformance")
FAMILIES = ("forward", "receive", "icmp", "options", "fragment", "reassembly", "local", "output",
            "pmtu", "mixed", "multicast", "igmp")
LAST = ("unit_route", "unit_reassembly", "unit_options", "scenario")


def tests_of(build, tree):
    bin_dir = build / "tests"
    tests = {name: [str(bin_dir / name), "--no-intro", "--no-version", "--abort-after=1"]
             for name in BINARIES + LAST}
    kernel = tree / "tests" / "kernel"
    for family in FAMILIES:
        tests[f"kernel.{family}"] = [
            str(bin_dir / "replay_vectors"), "--brief", "--expected",
            str(kernel / "expected_failures.txt"), "--family", family, str(kernel / "vectors")]
    return tests


def readers_of_headers(build):
    """{header below include/sluice: the binaries that were compiled with it}, from ninja."""
    deps = subprocess.run(["ninja", "-C", str(build), "-t", "deps"], capture_output=True, text=True,
                          check=True).stdout
    readers, binary = {}, ""
    for line in deps.splitlines():
        if line and not line[0].isspace():
            folder = re.search(r"/CMakeFiles/(\w+)\.dir/", line)
            binary = folder.group(1) if folder else ""
            binary = "replay_vectors" if binary == "sluice_subject" else binary
        elif "/include/sluice/" in line:
            readers.setdefault(line.partition("/include/sluice/")[2], set()).add(binary)
    return readers


def order_for(mutant, tests, readers):
    room = f"unit_{mutant.file.split('/')[0]}"
    kernel = [name for name in tests if name.startswith("kernel.")]
    order = [room, *(name for name in (*BINARIES, *kernel, *LAST) if name != room)]
    reading = readers.get(mutant.file, set())
    return [name for name in order if name in tests
            and ("replay_vectors" if name.startswith("kernel.") else name) in reading]


def fails(command, number, timeout):
    environment = dict(os.environ, SLUICE_MUTANT=str(number))
    try:
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, cwd="/",
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=timeout)
        return done.returncode != 0
    except subprocess.TimeoutExpired:
        return True


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
    found = operators.find(ROOT / "include", ROOMS, args.build)
    generated = [m for m in operators.sample(found, args.count, args.seed)
                 if all(schemata.nests(m, n) for n in named if n.file == m.file)]
    for number, m in enumerate(generated, GENERATED_FIRST):
        m.number = number
    return named, generated, len(found)


def configure(args, tree):
    for name in ("cmake", "tests"):
        schemata.synchronise(ROOT / name, tree / name)
    schemata.write_if_changed(tree / "CMakeLists.txt", (ROOT / "CMakeLists.txt").read_bytes())
    off = [f"-DSLUICE_{what}=OFF" for what in (
        "WARNINGS_AS_ERRORS", "BUILD_EXAMPLES", "BUILD_BENCH", "BUILD_FUZZ", "SOURCE_GATES",
        "INSTALL")]
    subprocess.run(["cmake", "-S", str(tree), "-B", str(args.build / "build"), "-G", "Ninja",
                    "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS_RELEASE=-O1",
                    "-DCMAKE_CXX_COMPILER=g++", "-DCMAKE_CXX_FLAGS=-w -Wno-narrowing", *off],
                   check=True, stdout=subprocess.DEVNULL)


def build(args, named, generated):
    """Builds the tree; mutants that do not compile are left out. Returns the tree and the rest."""
    tree = args.build / "tree"
    args.build.mkdir(parents=True, exist_ok=True)
    targets = [*BINARIES, *LAST, "replay_vectors"]
    for _ in range(12):
        writers = schemata.write_headers(ROOT / "include", tree / "include", named + generated)
        configure(args, tree)
        done = subprocess.run(["ninja", "-C", str(args.build / "build"), "-k", "0",
                               f"-j{args.jobs}", *targets], capture_output=True, text=True)
        if done.returncode == 0:
            return tree, generated
        bad = schemata.blamed(done.stdout, writers)
        if not bad or any(m.number < GENERATED_FIRST for m in bad):
            (args.build / "errors.txt").write_text(done.stdout)
            names = [m.name for m in bad if m.name]
            sys.exit(f"does not build, see {args.build / 'errors.txt'} {' '.join(names)}")
        print(f"left out, for they do not compile: {len(bad)}", flush=True)
        gone = {m.number for m in bad}
        generated = [m for m in generated if m.number not in gone]
    sys.exit("does not build")


def baseline(tests):
    limits = {}
    for name, command in tests.items():
        start = time.monotonic()
        if fails(command, 0, 300):
            sys.exit(f"{name} fails without any mutant")
        limits[name] = max(TIMEOUT, 10 * (time.monotonic() - start))
    return limits


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


def run_all(args, mutants, tests, limits, tree):
    """{number: name of the test that caught it, or ""}, in any order."""
    readers = readers_of_headers(args.build / "build")

    def one(m):
        for name in order_for(m, tests, readers):
            if fails(tests[name], m.number, limits[name]):
                return m, name
        if not m.is_statement and caught_when_compiled(m, tree, args.build):
            return m, "static"
        return m, ""
    results = {}
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for m, name in pool.map(one, mutants):
            results[m.number] = name
            if args.verbose or not name:
                print(f"{'caught by ' + name if name else 'SURVIVES'}: "
                      f"{m.name or f'{m.file}:{m.line} {m.what}'}", flush=True)
    (args.build / f"results-{args.command}.json").write_text(json.dumps(results))
    return results


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("command", choices=("list", "self-test", "named", "generated"))
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "mutations")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--count", type=int, default=384)
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
                                   NAMED_AT_LEAST)
        print("\n".join(problems) or "every snippet occurs once")
        return 1 if problems else 0
    args.build = args.build.resolve()
    args.build.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    named, generated, found = prepare(args)
    tree, generated = build(args, named, generated)
    print(f"built after {time.monotonic() - start:.0f} s", flush=True)
    tests = tests_of(args.build / "build", tree)
    limits = baseline(tests)
    if args.command == "named":
        chosen = [m for m in named if not args.only or m.name in args.only]
        results = run_all(args, chosen, tests, limits, tree)
        caught = sum(1 for name in results.values() if name)
        print(f"{caught} of {len(chosen)} named mutants caught, "
              f"{time.monotonic() - start:.0f} s")
        return 0 if caught == len(chosen) else 1
    results = run_all(args, generated, tests, limits, tree)
    left = [m for m in generated if not results[m.number]]
    share = 1 - len(left) / len(generated)
    unjudged = survivors.write(HERE / "survivors.txt", left, len(generated), found, args.seed)
    print(f"{len(generated) - len(left)} of {len(generated)} generated mutants caught "
          f"({share:.1%}), {unjudged} survivors not judged yet, {time.monotonic() - start:.0f} s")
    return 0 if share >= GENERATED_AT_LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
