#!/usr/bin/env python3
"""Writes docs/concepts/*.md from the headers, so that a concept is described in one place only.

Source: the leading block of // comments of each include/sluice/<room>/concept.hpp (page <room>.md),
of packet/packet_buffer.hpp, route/exceptions.hpp and multicast/route_concept.hpp, verbatim as Markdown; then the example of the conformance
suite, from its header.
Usage: concept_pages.py            write the pages, remove those without a header
       concept_pages.py --check    fail when a page is missing, stale or left over
       concept_pages.py --self-test
"""
import contextlib
import itertools
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Suites of testing/conformance for a page, where they are not one of its name.
SUITES = {"interface": ["interfaces"], "packet_buffer": ["buffers"], "reassembly": ["reassembly", "overlap"],
          "route": ["route", "route_answers", "route_contents"]}


def sources(root):
    """Page name to header."""
    include = root / "include/sluice"
    pages = {header.parent.name: header for header in sorted(include.glob("*/concept.hpp"))}
    others = {"packet_buffer": "packet/packet_buffer.hpp", "exceptions": "route/exceptions.hpp",
              "multicast_routes": "multicast/route_concept.hpp"}
    for name, header in others.items():
        if (include / header).is_file():
            pages[name] = include / header
    return pages


def leading_comment(text):
    block = []
    for line in text.splitlines():
        if line.startswith("//"):
            block.append(line[2:].removeprefix(" ").rstrip())
        elif block:
            break
        elif line.strip() not in ("", "#pragma once"):
            break
    return "\n".join(block).strip()


def example(text):
    """The first code of a leading comment."""
    rest = itertools.dropwhile(lambda line: not line.startswith("    "), leading_comment(text).splitlines())
    return "\n".join(itertools.takewhile(lambda line: line.startswith("    "), rest))


def suites(root, name):
    """How a user tests a model of his own: the example of each suite for the page."""
    parts = []
    for suite in SUITES.get(name, [name]):
        header = root / f"include/sluice/testing/conformance/{suite}.hpp"
        if header.is_file():
            parts.append(f"    #include <sluice/testing/conformance/{suite}.hpp>\n{example(header.read_text())}\n")
    return "Test yours:\n\n" + "\n".join(parts) + "\n" if parts else ""


def page(root, name, header):
    shown = header.relative_to(root).as_posix()
    return (f"<!-- Written by scripts/concept_pages.py from {shown}: edit the header. -->\n"
            f"# {name}\n\n{leading_comment(header.read_text())}\n\n{suites(root, name)}"
            f"Header: [`{shown.removeprefix('include/')}`](../../{shown})\n")


def index(names):
    rows = "".join(f"* [{name}]({name}.md)\n" for name in names)
    return ("<!-- Written by scripts/concept_pages.py. -->\n# Concepts\n\n"
            "The requirements on each policy, one page per concept, generated from the headers.\n\n" + rows)


def wanted_pages(root):
    found = sources(root)
    pages = {f"{name}.md": page(root, name, header) for name, header in found.items()}
    if pages:
        pages["README.md"] = index(sorted(found))
    return pages


def check(root):
    folder, wanted = root / "docs/concepts", wanted_pages(root)
    present = {file.name: file.read_text() for file in folder.glob("*.md")}
    problems = [f"docs/concepts/{name}: missing" for name in wanted if name not in present]
    problems += [f"docs/concepts/{name}: left over" for name in present if name not in wanted]
    problems += [f"docs/concepts/{name}: differs from its header"
                 for name, text in wanted.items() if present.get(name, text) != text]
    problems += [f"{header.relative_to(root)}: no leading comment"
                 for header in sources(root).values() if not leading_comment(header.read_text())]
    if problems:
        problems.append("run scripts/concept_pages.py")
    print("\n".join(problems) or f"{len(wanted)} concept pages are current")
    return 1 if problems else 0


def write(root):
    folder, wanted = root / "docs/concepts", wanted_pages(root)
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.md"):
        if file.name not in wanted:
            file.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text)
    print(f"{len(wanted)} pages in docs/concepts")
    return 0


def self_test():
    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(None):
        root = pathlib.Path(name)
        header = root / "include/sluice/route/concept.hpp"
        header.parent.mkdir(parents=True)
        header.write_text("// route_policy\n//   code\n#pragma once\n// not this\n")
        steps = [check(root) == 1, write(root) == 0, check(root) == 0,
                 "route_policy\n  code\n" in (root / "docs/concepts/route.md").read_text()]
        header.write_text("// another\n#pragma once\n")
        steps += [check(root) == 1, write(root) == 0, check(root) == 0]
        header.unlink()
        steps += [check(root) == 1, write(root) == 0, check(root) == 0]
    print("self-test passed" if all(steps) else f"self-test FAILED: {steps}")
    return 0 if all(steps) else 1


def main(arguments):
    if arguments not in ([], ["--check"], ["--self-test"]):
        sys.exit(__doc__)
    if arguments == ["--self-test"]:
        return self_test()
    return check(ROOT) if arguments else write(ROOT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
