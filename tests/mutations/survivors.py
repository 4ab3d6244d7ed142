"""survivors.txt: the generated mutants that no test caught, each with a word why.

    wire/text.hpp:71: < to <=: if (»at < size«) {
      equivalent, because the byte behind is always 0

The word is written by hand; it stays with the mutant when the list is written anew, also when its
line moves.
"""
import re

NOT_JUDGED = "not judged yet"
EQUIVALENT = "equivalent"  # how the word of a mutant begins that changes nothing
ENTRY = re.compile(r"(\S+?):(\d+): (.*)$")


def read(path):
    """{mutant without its line number: [words in order of appearance]}"""
    words, at = {}, None
    for line in path.read_text().splitlines() if path.is_file() else []:
        entry = ENTRY.match(line)
        if line.startswith("  ") and at is not None:
            words[at].append(line.strip())
        elif entry and not line.startswith("#"):
            at = entry.group(1), entry.group(3)
            words.setdefault(at, [])
    return words


def word_of(known, m):
    """The word written for it before; each serves once."""
    words = known.get((m.file, f"{m.what}: {m.context}"), [])
    return words.pop(0) if words else NOT_JUDGED


def judged_equivalent(path, mutants):
    """The numbers of those that are known to change nothing."""
    known = read(path)
    return {m.number for m in mutants if word_of(known, m).startswith(EQUIVALENT)}


def write(path, mutants, count, found, seed):
    """Returns how many have no word yet."""
    known, unjudged = read(path), 0
    lines = [f"# {len(mutants)} of {count} generated mutants survive "
             f"(seed {seed}, of {found} that were found).",
             "# Written by run.py generated; the words below each are written by hand and kept."]
    for m in mutants:
        word = word_of(known, m)
        unjudged += word == NOT_JUDGED
        lines += [f"{m.file}:{m.line}: {m.what}: {m.context}", f"  {word}"]
    path.write_text("\n".join(lines) + "\n")
    return unjudged


def equivalent(path):
    """{folder: how many of its survivors change nothing}"""
    counts = {}
    for (file, _), words in read(path).items():
        folder = file.split("/")[0]
        same = sum(word.startswith(EQUIVALENT) for word in words)
        counts[folder] = counts.get(folder, 0) + same
    return counts
