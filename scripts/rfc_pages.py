#!/usr/bin/env python3
"""Judges what the RFC tests asserted, and writes docs/rfc/ from it.

Read: tests/rfc/requirements.tsv (all requirements), tests/rfc/not_tested.tsv (stated statuses with their
reasons) and the record that the test binary `rfc` writes at run time (SLUICE_RFC_RECORD).
Usage: rfc_pages.py RECORD            write docs/rfc/*.md
       rfc_pages.py --check RECORD    fail when a page differs from the record
       rfc_pages.py --statuses RECORD fail on a requirement without status or with two, on an unknown
                                      id and on a failed assertion; prints the numbers
       rfc_pages.py --self-test
"""
import collections
import contextlib
import csv
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
AREAS = ("receive", "addressing", "options", "icmp", "forward", "output", "routing", "fragment",
         "reassembly", "security", "igmp", "multicast")
STATED = ("deviates as Linux", "not applicable", "listed", "not yet")
COLUMNS = ("met",) + STATED
BINDING = ("MUST", "MUST NOT")
ADVISED = ("SHOULD", "SHOULD NOT")
LEAST_REASON = 20  # characters


def rows_of(path, names):
    """The rows of a tab separated file as dictionaries; its first line names the columns."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    if not rows or tuple(rows[0][:len(names)]) != names:
        sys.exit(f"{path}: the first line is to be: {' '.join(names)}")
    return [dict(zip(rows[0], row)) for row in rows[1:]]


class Evidence:
    """Requirements, stated statuses and what was asserted, by id."""

    def __init__(self, root, record):
        folder = root / "tests/rfc"
        self.requirements = {r["id"]: r for r in rows_of(
            folder / "requirements.tsv", ("id", "rfc", "section", "level"))}
        self.stated = rows_of(folder / "not_tested.tsv", ("id", "status", "reason"))
        self.asserted = collections.defaultdict(lambda: collections.defaultdict(list))
        self.failed = []
        for line in record.read_text(encoding="utf-8").splitlines():
            what, name, result, file, test = line.split("\t")
            if (file, test) not in self.asserted[name][what]:
                self.asserted[name][what].append((file, test))
            if result != "passed":
                self.failed.append((name, file, test))
        self.statement = {s["id"]: s for s in self.stated}

    def status(self, name):
        """One of COLUMNS, or None."""
        if name in self.statement:
            return self.statement[name]["status"]
        return "met" if self.asserted.get(name, {}).get("met") else None

    def in_area(self, area):
        return [r for r in self.requirements.values() if r["area"] == area]


def statement_problems(e):
    problems, seen = [], set()
    for s in e.stated:
        name, status = s["id"], s.get("status")
        level = e.requirements.get(name, {}).get("level", "")
        if name in seen:
            problems.append(f"{name}: stated twice")
        seen.add(name)
        if status not in STATED:
            problems.append(f"{name}: `{status}` is no status")
        if status == "listed" and level in BINDING:
            problems.append(f"{name}: a {level} may not merely be listed")
        if len(s.get("reason") or "") < LEAST_REASON:
            problems.append(f"{name}: no reason")
    return problems


def problems_of(e):
    problems = statement_problems(e)
    problems += [f"{name}: no such requirement"
                 for name in list(e.asserted) + list(e.statement) if name not in e.requirements]
    problems += [f"{name}: an assertion failed ({file}: {test})" for name, file, test in e.failed]
    for name, kinds in e.asserted.items():
        stated = e.statement.get(name, {}).get("status")
        if kinds.get("met") and stated:
            problems.append(f"{name}: asserted as met and stated as {stated}")
        if (kinds.get("deviates") or kinds.get("hardened")) and stated != "deviates as Linux":
            problems.append(f"{name}: asserted to deviate, but not stated with its reason")
    for area in AREAS:
        problems += [f"{r['id']}: {r['level']} of {area} without a status" for r in e.in_area(area)
                     if r["level"] in BINDING + ADVISED and e.status(r["id"]) is None]
    return problems


def print_numbers(e):
    print(f"{'area':12}{'level':8}{'rows':>6}" + "".join(f"{c:>19}" for c in COLUMNS))
    total = collections.Counter()
    for area in AREAS:
        for label, levels in (("MUST", BINDING), ("SHOULD", ADVISED)):
            rows = [r for r in e.in_area(area) if r["level"] in levels]
            count = collections.Counter(e.status(r["id"]) for r in rows)
            total.update({(label, key): n for key, n in count.items()})
            print(f"{area:12}{label:8}{len(rows):6}" + "".join(f"{count[c]:19}" for c in COLUMNS))
    for label in ("MUST", "SHOULD"):
        sums = [total[(label, c)] for c in COLUMNS]
        print(f"{'all':12}{label:8}{sum(sums):6}" + "".join(f"{n:19}" for n in sums))
    hardened = sum(1 for kinds in e.asserted.values() if kinds.get("hardened"))
    print(f"{hardened} deviations that hardened_router does not share")


def check_statuses(root, record):
    e = Evidence(root, record)
    problems = problems_of(e)
    print("\n".join(problems))
    print_numbers(e)
    return 1 if problems else 0


def places(kinds):
    """Files and names of the tests, each once."""
    found = sorted({place for asserted in kinds.values() for place in asserted})
    return "<br>".join(f"[{file}](../../tests/rfc/{file}): {test}" for file, test in found)


def shown_status(e, name):
    kinds, stated = e.asserted.get(name, {}), e.statement.get(name)
    if stated is None:
        return "met" if kinds.get("met") else "optional"
    text = f"{stated['status']}: {stated['reason']}"
    return text + (" `hardened_router` follows the RFC." if kinds.get("hardened") else "")


def escaped(text):
    return text.replace("|", "\\|").replace("*", "\\*")


def page(e, area):
    rows = e.in_area(area)
    count = collections.Counter(e.status(r["id"]) or "optional" for r in rows)
    numbers = ", ".join(f"{count[c]} {c}" for c in COLUMNS + ("optional",) if count[c])
    lines = ["<!-- Written by scripts/rfc_pages.py from what the tests asserted. -->",
             f"# RFC requirements: {area}", "", f"{len(rows)} requirements: {numbers}.", "",
             "| id | place | level | requirement | status | test |", "|---|---|---|---|---|---|"]
    for r in rows:
        place = f"RFC {r['rfc']}, {r['section']}"
        cells = (r["id"], place, r["level"], escaped(r["requirement"]),
                 escaped(shown_status(e, r["id"])), places(e.asserted.get(r["id"], {})))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def index(e):
    lines = ["<!-- Written by scripts/rfc_pages.py from what the tests asserted. -->",
             "# RFC requirements", "",
             "The requirements of the RFCs, whether the stack meets them, and the test that shows it. Some",
             "differences are Linux's own, and the presets that follow Linux share them (`deviates as Linux`);",
             "the test shows the difference, and says if `hardened_router` follows the RFC. `listed`: a SHOULD",
             "that the stack does not follow. `optional`: a MAY without a test.", "",
             "| area | " + " | ".join(COLUMNS) + " |", "|---|" + "---|" * len(COLUMNS)]
    for area in AREAS:
        count = collections.Counter(e.status(r["id"]) for r in e.in_area(area))
        lines.append(f"| [{area}]({area}.md) | " + " | ".join(str(count[c]) for c in COLUMNS) + " |")
    return "\n".join(lines) + "\n"


def wanted_pages(root, record):
    e = Evidence(root, record)
    return {"README.md": index(e)} | {f"{area}.md": page(e, area) for area in AREAS}


def check(root, record):
    wanted = wanted_pages(root, record)
    present = {file.name: file.read_text(encoding="utf-8")
               for file in (root / "docs/rfc").glob("*.md")}
    problems = [f"docs/rfc/{name}: differs from what the tests asserted"
                for name, text in wanted.items() if present.get(name) != text]
    problems += [f"docs/rfc/{name}: left over" for name in present if name not in wanted]
    if problems:
        problems.append(f"run scripts/rfc_pages.py {record}")
    print("\n".join(problems) or f"{len(wanted)} pages are current")
    return 1 if problems else 0


def write(root, record):
    folder = root / "docs/rfc"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in wanted_pages(root, record).items():
        (folder / name).write_text(text, encoding="utf-8")
    print(f"pages in {folder.name}: {len(AREAS) + 1}")
    return 0


REQUIREMENTS = """id\trfc\tsection\tlevel\trole\tarea\trequirement\tlinux
R1-001\t1\t1\tMUST\thost\ticmp\tDo.\t
R1-002\t1\t2\tMUST NOT\thost\ticmp\tDo not.\t
R1-003\t1\t3\tSHOULD\thost\tforward\tBetter.\t
R1-004\t1\t4\tMAY\thost\tforward\tAs you like.\t
"""
STATEMENTS = """id\tstatus\treason
R1-002\tdeviates as Linux\tLinux does it for speed and so do we.
R1-003\tlisted\tNobody needs it on this planet.
"""
RECORD = """met\tR1-001\tpassed\ta.cpp\tfirst
deviates\tR1-002\tpassed\ta.cpp\tsecond
hardened\tR1-002\tpassed\ta.cpp\tsecond
"""
# A change of one of the three texts, and the word that the complaint must hold.
FAULTS = (
    (2, "met\tR1-001\tpassed", "met\tR1-001\tFAILED", "failed"),
    (2, "met\tR1-001\tpassed\ta.cpp\tfirst\n", "", "without a status"),
    (2, "met\tR1-001", "met\tR9-001", "no such requirement"),
    (2, "deviates\tR1-002", "met\tR1-002", "asserted as met and stated"),
    (1, "R1-002\tdeviates as Linux", "R1-002\tnot applicable", "asserted to deviate"),
    (1, "R1-002\tdeviates as Linux", "R1-002\tlisted", "may not merely be listed"),
    (1, "Nobody needs it on this planet.", "Because.", "no reason"),
    (1, "R1-003\tlisted", "R1-003\tforgotten", "is no status"),
    (1, "R1-003\tlisted\tNobody needs it on this planet.\n", "", "without a status"),
)


def lay_out(root, texts):
    folder = root / "tests/rfc"
    folder.mkdir(parents=True, exist_ok=True)
    record = root / "record.tsv"
    for path, text in zip((folder / "requirements.tsv", folder / "not_tested.tsv", record), texts):
        path.write_text(text)
    return record


def self_test():
    good = (REQUIREMENTS, STATEMENTS, RECORD)
    results = []
    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(None):
        root = pathlib.Path(name)
        record = lay_out(root, good)
        results += [check_statuses(root, record) == 0, check(root, record) == 1,
                    write(root, record) == 0, check(root, record) == 0]
        for which, old, new, complaint in FAULTS:
            texts = list(good)
            texts[which] = texts[which].replace(old, new)
            record = lay_out(root, texts)
            found = problems_of(Evidence(root, record))
            results.append(any(complaint in problem for problem in found))
        texts = [good[0], good[1].replace("for speed", "for fun"), good[2]]
        results.append(check(root, lay_out(root, texts)) == 1)
    print("self-test passed" if all(results) else f"self-test FAILED: {results}")
    return 0 if all(results) else 1


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    actions = {"--check": check, "--statuses": check_statuses}
    if len(arguments) == 2 and arguments[0] in actions:
        return actions[arguments[0]](ROOT, pathlib.Path(arguments[1]))
    if len(arguments) == 1 and not arguments[0].startswith("-"):
        return write(ROOT, pathlib.Path(arguments[0]))
    sys.exit(__doc__)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
