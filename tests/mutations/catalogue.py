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
no harm. It is one expression, or whole statements (it ends with `;`, or with `}` after an `if`,
`for` or `while`), because at run time one or the other is chosen.
"""
import dataclasses
import re

KEYS = ("name", "rule", "room", "file")
RULE = re.compile(r"(RFC \d+( section [0-9.]+( \([a-zA-Z]\))?)?|Linux \w+(, \w+)*|CVE-\d+-\d+|Novak 2005)$")
ROOMS = ("checksum", "validate", "classify", "options", "forward", "fragment", "reassembly", "icmp",
         "originate", "route", "delivery", "exceptions", "hooks", "counters", "conservation",
         "segments", "neighbour", "endpoint", "packet", "port", "multicast", "igmp", "security",
         "interface", "output", "base", "testing")


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
        return text.endswith(";") or (
            text.endswith("}") and text.startswith(("if (", "for (", "while (")))


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


def is_whole(text):
    """Whether brackets are balanced, and no operator or keyword stands without its operand."""
    depth = 0
    for c in text:
        depth += (c in "([{") - (c in ")]}")
        if depth < 0:
            return False
    text = text.strip()
    return depth == 0 and not re.search(r"(\|\||&&|[-+=<>?:,|(])$", text) and not re.match(
        r"(\|\||&&|==|:(?!:)|[<>?,|=)])", text)


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
        if not is_whole(e.original) or not is_whole(e.replacement) or (
                not e.is_statement and re.match(r"(if|for|while|return)\b", e.original)):
            problems.append(f"{where}: no whole expression or statement")
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


def nest(a, b):
    """Whether two spans may both be rewritten: apart, or one inside the other."""
    return (a[1] <= b[0] or b[1] <= a[0] or (a[0] <= b[0] and b[1] <= a[1])
            or (b[0] <= a[0] and a[1] <= b[1]))


def check(text, include, at_least, in_each=0):
    """All that is wrong with the list, as sentences. include: the folder .../include/sluice, of
    which each folder is to have `in_each` mutants."""
    entries, problems = parse(text)
    problems += check_form(entries)
    spans = {}
    for e in entries:
        path = include / e.file
        if not path.is_file():
            problems.append(f"{e.name} (line {e.line}): no file {e.file}")
            continue
        try:
            span = locate(e, path.read_text())
        except CatalogueError as error:
            problems.append(str(error))
            continue
        problems += [f"{e.name} (line {e.line}): its original overlaps that of {other}"
                     for other, taken in spans.setdefault(e.file, {}).items()
                     if not nest(span, taken)]
        spans[e.file][e.name] = span
    if len(entries) < at_least:
        problems.append(f"{len(entries)} mutants, at least {at_least}")
    for folder in sorted(p.name for p in include.iterdir() if p.is_dir()):
        has = sum(e.file.startswith(f"{folder}/") for e in entries)
        if has < in_each:
            problems.append(f"{folder}/ has {has} mutants, at least {in_each}")
    return problems
