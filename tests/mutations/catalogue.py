"""The named mutants: reads named.txt and finds their snippets in the sources.

An entry is a block of lines, blocks are separated by empty lines:

    name: ttl-one-is-forwarded
    rule: RFC 1812 section 5.3.1
    room: forward
    file: pipeline/forward.hpp
    - d.header()[ipv4::ttl] <= 1
    + d.header()[ipv4::ttl] < 1

`-` lines are the original, `+` lines the replacement (none: the statement goes). The original
occurs exactly once in the file, where any white space matches any other, so that a formatter does
no harm. It is one expression, or whole statements (it ends with `;`, or with `}` after an `if`),
because at run time one or the other is chosen.
"""
import dataclasses
import re

KEYS = ("name", "rule", "room", "file")
RULE = re.compile(r"(RFC \d+( section [0-9.]+( \([a-zA-Z]\))?)?|Linux \w+(, \w+)*|CVE-\d+-\d+)$")
ROOMS = ("checksum", "validate", "classify", "options", "forward", "fragment", "reassembly", "icmp",
         "originate", "route", "delivery", "exceptions", "hooks", "counters", "conservation",
         "segments", "neighbour", "endpoint", "packet", "port")


class CatalogueError(Exception):
    pass


@dataclasses.dataclass
class Named:
    name: str
    rule: str
    room: str
    file: str
    original: str
    replacement: str
    line: int

    @property
    def is_statement(self):
        text = self.original.strip()
        return text.endswith(";") or (text.endswith("}") and text.startswith("if ("))


def parse(text):
    """Returns (entries, problems)."""
    entries, problems = [], []
    fields, minus, plus, start = {}, [], [], 0

    def finish():
        nonlocal fields, minus, plus
        if fields or minus or plus:
            missing = [key for key in KEYS if key not in fields]
            if missing or not minus:
                problems.append(f"line {start}: no {', '.join(missing) or 'original'}")
            else:
                entries.append(Named(**fields, original="\n".join(minus),
                                     replacement="\n".join(plus), line=start))
        fields, minus, plus = {}, [], []

    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            finish()
            continue
        if line.startswith("#"):
            continue
        if not (fields or minus or plus):
            start = number
        key, _, value = line.partition(": ")
        if line.startswith("- "):
            minus.append(line[2:])
        elif line.startswith("+ "):
            plus.append(line[2:])
        elif key in KEYS and value.strip() and key not in fields:
            fields[key] = value.strip()
        else:
            problems.append(f"line {number}: not understood: {line}")
    finish()
    return entries, problems


def check_form(entries):
    problems, seen = [], set()
    for e in entries:
        where = f"{e.name} (line {e.line})"
        if e.name in seen:
            problems.append(f"{where}: the name is there twice")
        seen.add(e.name)
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", e.name):
            problems.append(f"{where}: a name is words joined by -")
        if not RULE.match(e.rule):
            problems.append(f"{where}: no rule that can be looked up: {e.rule}")
        if e.room not in ROOMS:
            problems.append(f"{where}: unknown room {e.room}")
        if e.original.split() == e.replacement.split():
            problems.append(f"{where}: changes nothing")
        if not e.replacement and not e.is_statement:
            problems.append(f"{where}: only statements can be left out")
    return problems


def locate(entry, source):
    """Offsets of the original in the source; CatalogueError unless it occurs exactly once."""
    words = [re.escape(word) for word in entry.original.split()]
    found = list(re.finditer(r"\s+".join(words), source))
    if len(found) != 1:
        raise CatalogueError(f"{entry.name} (line {entry.line}): its original occurs "
                             f"{len(found)} times in {entry.file}, not once")
    return found[0].span()


def check(text, include, at_least):
    """All that is wrong with the list, as sentences. include: the folder .../include/sluice."""
    entries, problems = parse(text)
    problems += check_form(entries)
    for e in entries:
        path = include / e.file
        if not path.is_file():
            problems.append(f"{e.name} (line {e.line}): no file {e.file}")
            continue
        try:
            locate(e, path.read_text())
        except CatalogueError as error:
            problems.append(str(error))
    if len(entries) < at_least:
        problems.append(f"{len(entries)} mutants, at least {at_least}")
    return problems
