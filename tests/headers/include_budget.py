#!/usr/bin/env python3
"""Fails when a file that includes <sluice/sluice.hpp> grows past the budget in budget.txt.

Lines after preprocessing are what a compiler reads; they are the same on every run, unlike seconds.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def read_budget(path):
    rows = [line.strip() for line in path.read_text().splitlines()]
    numbers = [row for row in rows if row and not row.startswith("#")]
    if len(numbers) != 1 or not numbers[0].isdigit():
        sys.exit(f"{path}: expected one number")
    return int(numbers[0])


def preprocessed_lines(compiler, include, source):
    run = subprocess.run([compiler, "-std=c++20", "-E", "-P", f"-I{include}", "-x", "c++", "-"],
                         input=source, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(run.stderr)
    return sum(1 for line in run.stdout.splitlines() if line.strip())


def verdict(lines, budget):
    print(f"<sluice/sluice.hpp>: {lines} lines after preprocessing, budget {budget}")
    if lines > budget:
        print("over budget: drop an include, or raise tests/headers/budget.txt with a reason")
        return 1
    return 0


def self_test(compiler):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder, "sluice")
        root.mkdir()
        root.joinpath("sluice.hpp").write_text("int a;\n" * 50)
        lines = preprocessed_lines(compiler, folder, "#include <sluice/sluice.hpp>\n")
    good = verdict(lines, 50) == 0 and verdict(lines, 49) == 1
    print("self-test " + ("passed" if good else "FAILED"))
    return 0 if good else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--include", default=str(HERE.parents[1] / "include"))
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        return self_test(arguments.compiler)
    if not pathlib.Path(arguments.include, "sluice/sluice.hpp").is_file():
        sys.exit(f"no sluice/sluice.hpp in {arguments.include}: name the folder of the headers")
    lines = preprocessed_lines(arguments.compiler, arguments.include,
                               "#include <sluice/sluice.hpp>\n")
    return verdict(lines, read_budget(HERE / "budget.txt"))


if __name__ == "__main__":
    sys.exit(main())
