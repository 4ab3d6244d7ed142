"""Writes a copy of the sources that contains every mutant, each chosen by its number at run time.

The number comes from the environment variable SLUICE_MUTANT; constant evaluation always sees the
original. So one build serves for all mutants.
"""
import re

import catalogue

CHOOSER = """#pragma once
#include <cstdlib>
namespace sluice_mutant {
inline const int active = [] {
    const char* number = std::getenv("SLUICE_MUTANT");
    return number != nullptr ? std::atoi(number) : 0;
}();
constexpr bool on(int number) noexcept {
    return !__builtin_is_constant_evaluated() && active == number;
}
}  // namespace sluice_mutant
"""


def nests(a, b):
    return catalogue.nest((a.begin, a.end), (b.begin, b.end))


class Writer:
    """One file's text with its mutants; remembers where each lands, to blame compile errors."""

    def __init__(self, source, mutants):
        self.source, self.out, self.length, self.where = source, [], 0, []
        # Outer before inner; of two on one span the later number is inside.
        self.mutants = sorted(mutants, key=lambda m: (m.begin, -m.end, m.number))
        self.copy(0, len(source), self.mutants)

    def emit(self, text):
        self.out.append(text)
        self.length += len(text)

    def copy(self, begin, end, inside):
        at = begin
        while inside:
            first = inside[0]
            covered = [m for m in inside[1:] if m.begin < first.end]
            inside = [m for m in inside[1:] if m.begin >= first.end]
            self.emit(self.source[at:first.begin])
            self.choose(first, covered)
            at = first.end
        self.emit(self.source[at:end])

    def choose(self, m, covered):
        start = self.length
        if m.is_statement:
            self.emit(f"if (::sluice_mutant::on({m.number})) {{ {m.replacement} }} else {{ ")
            self.copy(m.begin, m.end, covered)
            self.emit(" }")
        elif m.negates:
            self.emit(f"(::sluice_mutant::on({m.number}) != static_cast<bool>(")
            self.copy(m.begin, m.end, covered)
            self.emit("))")
        else:
            self.emit(f"(::sluice_mutant::on({m.number}) ? ({m.replacement}) : (")
            self.copy(m.begin, m.end, covered)
            self.emit("))")
        self.where.append((start, self.length, m))

    def text(self):
        return "".join(self.out)

    def blame(self, line, column):
        """The innermost mutant at that place of the written text."""
        lines = self.text().split("\n")
        if line > len(lines):
            return None
        at = sum(len(one) + 1 for one in lines[:line - 1]) + column - 1
        hits = [(end - begin, m.number, m) for begin, end, m in self.where if begin <= at < end]
        return min(hits)[2] if hits else None


def write_if_changed(path, data):
    if not path.is_file() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def synchronise(source, target, keep=()):
    """Makes target a copy of the folder source; unchanged files keep their time."""
    wanted = {p.relative_to(source) for p in source.rglob("*")
              if p.is_file() and "__pycache__" not in p.parts}
    for name in wanted:
        if name not in keep:
            write_if_changed(target / name, (source / name).read_bytes())
    for p in list(target.rglob("*")):
        if p.is_file() and p.relative_to(target) not in wanted and p.name != "sluice_mutant.hpp":
            p.unlink()


def write_headers(include, target, mutants):
    """Returns {path of a written header: its Writer}."""
    by_file = {}
    for m in mutants:
        by_file.setdefault(m.file, []).append(m)
    rewritten = {include.__class__("sluice") / name for name in by_file}
    synchronise(include, target, rewritten)
    write_if_changed(target / "sluice_mutant.hpp", CHOOSER.encode())
    writers = {}
    for name, ones in by_file.items():
        source = (include / "sluice" / name).read_text()
        w = Writer(source, ones)
        path = target / "sluice" / name
        # On the line of the pragma: line numbers stay.
        text = w.text().replace("#pragma once", "#include <sluice_mutant.hpp>", 1)
        text = "#pragma once\n" + text
        write_if_changed(path, text.encode())
        writers[str(path)] = w
    return writers


def blamed(output, writers):
    """The mutants that the errors in a compiler's output point into."""
    found = {}
    for path, line, column in re.findall(r"^(.+?):(\d+):(\d+): .*error:", output, re.M):
        w = writers.get(path)
        hit = w.blame(int(line) - 1, int(column)) if w else None
        if hit is not None:
            found[hit.number] = hit
    return list(found.values())
