#!/usr/bin/env python3
"""Compiles and runs the first C++ example of README.md, as a reader would, and checks that it answers the ping.

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


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--compiler", required=True)
    compiler = arguments.parse_args().compiler
    example = re.search(r"```cpp\n(.*?)```", (ROOT / "README.md").read_text(), re.S).group(1)
    if len(example.splitlines()) > MOST_LINES:
        sys.exit(f"the README's example has more than {MOST_LINES} lines")
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "example.cpp")
        source.write_text(example)
        program = source.with_suffix("")
        subprocess.run([compiler, "-std=c++20", f"-I{ROOT / 'include'}", str(source), "-o", str(program)], check=True)
        output = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout
    hexadecimal = "".join("".join(line.split("|")[0].split()[1:17]) for line in output.splitlines())
    if EXPECTED not in hexadecimal:
        sys.exit(f"the README's example printed no echo reply ({EXPECTED}):\n{output}")
    print(output, end="")


if __name__ == "__main__":
    main()
