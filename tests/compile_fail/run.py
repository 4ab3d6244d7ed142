#!/usr/bin/env python3
"""Proves that a mistake is refused, at compile time and with the intended message.

A file holds the mistake between `#ifdef SLUICE_COMPILE_FAIL` and `#endif`, and the comments
    // first error: <regular expression>
    // build error: <regular expression>      (any number)
    // errors: <number>: <why more than one>  (at most one)
Without the macro it must compile (else it fails for another reason than the mistake); with it, each
compiler must refuse it, its first line with `error:` must match what `first error` asks and its
whole output every expression. White space in the output is squeezed before matching. The output has
30 lines at most and one error, or as many as `errors` allows: nothing follows from the mistake but
its message.
Usage: run.py --compilers CXX... (--source FILE [--measure] | --self-test) [--include DIR]
--measure prints the lines, the errors and the first of them.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLAGS = ["-std=c++20", "-fsyntax-only", "-fno-exceptions", "-fno-rtti", "-Wall", "-Wextra",
         "-Wpedantic", "-Werror"]
EXPECTATION = re.compile(r"//\s*(build|first) error:\s*(.+?)\s*$", re.M)
ALLOWED = re.compile(r"//[ \t]*errors:[ \t]*(\d+):[ \t]*\S.*$", re.M)
MOST_LINES = 30


def compile_source(compiler, include, source, *defines):
    command = [compiler, *FLAGS, f"-I{include}", *defines, str(source)]
    run = subprocess.run(command, capture_output=True, text=True)
    return run.returncode == 0, run.stdout + run.stderr


def problems_of(compiler, include, source):
    text = source.read_text()
    expected = EXPECTATION.findall(text)
    if not any(kind == "first" for kind, _ in expected):
        return ["no comment `// first error: <regular expression>`"]
    built, output = compile_source(compiler, include, source)
    if not built:
        return ["must compile without SLUICE_COMPILE_FAIL, but:\n" + output]
    built, output = compile_source(compiler, include, source, "-DSLUICE_COMPILE_FAIL")
    if built:
        return ["must not compile with SLUICE_COMPILE_FAIL, but does"]
    # The echoed source line would let a message match the text of the test itself.
    said = re.sub(r"^\s*\d*\s*\|.*$", "", output, flags=re.M)
    errors = [line for line in said.splitlines() if "error:" in line]
    texts = {"build": re.sub(r"\s+", " ", said), "first": errors[0] if errors else ""}
    problems = [f"the {kind} error does not match /{pattern}/:\n{output}"
                for kind, pattern in expected if not re.search(pattern, texts[kind])]
    lines = len(output.splitlines())
    if lines > MOST_LINES:
        problems.append(f"{lines} lines, more than {MOST_LINES}:\n{output}")
    allowed = ALLOWED.search(text)
    most = int(allowed[1]) if allowed else 1
    if len(errors) > most:
        problems.append(f"{len(errors)} errors, more than {most}:\n{output}")
    return problems


def measure(compilers, include, source):
    for compiler in compilers:
        _, output = compile_source(compiler, include, source, "-DSLUICE_COMPILE_FAIL")
        errors = [line for line in output.splitlines() if "error:" in line]
        print(f"{source.stem}, {compiler}: {len(output.splitlines())} lines, {len(errors)} errors")
        print(f"    {errors[0] if errors else 'no error'}")


def check(compilers, include, source):
    failed = False
    for compiler in compilers:
        problems = problems_of(compiler, include, source)
        for problem in problems:
            print(f"{source.name}, {compiler}: {problem}")
        failed = failed or bool(problems)
    return failed


MISTAKE = '#ifdef SLUICE_COMPILE_FAIL\nstatic_assert(sizeof(int) == 1, "int is {}");\n#endif\n'
FIRST = "// first error: int is wide\n"
TWO = "// errors: 2: two mistakes\n"
SELF_TESTS = (
    ("good", False, FIRST + MISTAKE.format("wide")),
    ("other message", True, FIRST + MISTAKE.format("narrow")),
    ("fails both ways", True, FIRST + "int a = nonsense;\n" + MISTAKE.format("wide")),
    ("builds both ways", True, FIRST),
    ("no expectation", True, MISTAKE.format("wide")),
    ("no first error", True, "// build error: int is wide\n" + MISTAKE.format("wide")),
    ("rest is another", True, FIRST + "// build error: narrow\n" + MISTAKE.format("wide")),
    ("first is another", True, FIRST + TWO + MISTAKE.format("narrow") + MISTAKE.format("wide")),
    ("two errors", True, FIRST + 2 * MISTAKE.format("wide")),
    ("two are allowed", False, FIRST + TWO + 2 * MISTAKE.format("wide")),
    ("allowed without a reason", True, FIRST + "// errors: 2:\n" + 2 * MISTAKE.format("wide")),
    ("too many lines", True, FIRST + "// errors: 20: so many\n" + 20 * MISTAKE.format("wide")),
)


def self_test(compilers, include):
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "sample.cpp")
        for name, must_fail, text in SELF_TESTS:
            source.write_text(text)
            for compiler in compilers:
                if bool(problems_of(compiler, include, source)) != must_fail:
                    failed.append(f"self-test FAILED: {name}, {compiler}")
    print("\n".join(failed) or f"self-test passed: {len(SELF_TESTS)} samples judged rightly")
    return bool(failed)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compilers", nargs="+", required=True)
    parser.add_argument("--include", default=str(ROOT / "include"))
    parser.add_argument("--source", type=pathlib.Path)
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        return self_test(arguments.compilers, arguments.include)
    if arguments.source is None:
        parser.error("--source or --self-test is needed")
    if arguments.measure:
        return measure(arguments.compilers, arguments.include, arguments.source)
    return check(arguments.compilers, arguments.include, arguments.source)


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
