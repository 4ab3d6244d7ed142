#!/usr/bin/env python3
"""Fails on a comment, or on inline code of a Markdown page, that names what is not there.

Read are the comments of *.hpp, *.cpp, CMake and scripts in include, tests, examples, fuzz, bench, docs and scripts, and the
inline code of README.md and of *.md in these folders, except CHANGELOG.md and pages written by a script. What counts as a name:
  path  room/file.hpp, file.md, tests/folder, room/: a file or folder of the tree must end so;
  name  `code`, scope::name, name(), name<...>, any_word_with_underscores: our code must have the identifier: for a comment of
        include the code of include, for a page or script also scripts and names of files; for scope::name, a file that
        declares the scope must have the name;
  row   R7, R791-010: a table of docs, or tests/rfc/requirements.tsv, must have that row.
Known without a list: CAPITALS, whole or as a part between underscores or slashes (the system's, or a placeholder), std::, my_...
(the reader's), a type that the comment declares, and a word with underscores that follows "Linux", "kernel" or "Source:" in the same sentence. All other foreign names stand, sorted and with
their reason, in foreign_names.txt; it may not name what our code has or what nothing uses.
Usage: check_names.py [--self-test] [INCLUDE_DIR]
"""
import collections
import pathlib
import re
import sys
import tempfile

from gates import main

CODE_FOLDERS = ("include", "tests", "examples", "fuzz", "bench")
FOLDERS = CODE_FOLDERS + ("docs", "scripts", "cmake", ".ci")
LIST = "tests/layers/foreign_names.txt"
LITERAL = re.compile(r'R"(\w*)\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<![\w\'])\'(?:\\.|[^\'\\\n])+\'', re.S)
IDENTIFIER = re.compile(r"\b[A-Za-z_]\w*")
SCOPE = re.compile(r"\b(?:namespace|enum class|struct|class|enum|union|using|concept)\s+(?:\[\[[^\]]*\]\]\s*)?([\w:]+)")
SCRIPTS = (".py", ".sh", ".bash", ".cmake", "")
REMARK = re.compile(r"(?:^|(?<=\s))#(?!!)[^\n]*")
PLACEHOLDER = re.compile(r"(?:^|[_/])[A-Z]{2,}(?:[_/.]|$)")
NOT_NAMES = re.compile(r"\bbuild/\S+|\w+://\S+|\w+\.org\b\S*|[\w/-]+\.(?:rst|[ch])\b|<[\w/]+\.h>|\"[^\"\n]*\"")
PATH = re.compile(
    r"(?<![\w/.<*~:-])(?:\.\./)*(?:(?:[\w.*-]+/)*[\w*-]+\.(?:hpp|cpp|md|py|sh|bash|txt|cmake|tsv|vec)\b(?!\.\w)"
    r"|(?:" + "|".join(map(re.escape, FOLDERS)) + r"|sluice)/[\w/-]+(?![\w/<-])|(?:[a-z_]\w*/)+(?![\w*<]))")
WORD = re.compile(r"(?<![\w.:/-])(?:[A-Za-z_]\w*::)+~?[A-Za-z_]\w*|[A-Za-z_]\w*(?=\(\)|<\w)|\b[A-Za-z]\w*_\w*"
    r"|\b[a-z_]\w+(?:\.[a-z_]\w+)+\b|`[^`]+`")
COMMAND = re.compile(r"`(?:ip|sysctl|ping|nc) ")
ROW = re.compile(r"(?<![\w.:-])(?:[A-Z]\d{1,2}|R\d{3,4}-\d{3})(?![\w-])")
SENTENCE = re.compile(r"\.\s|\n\s*\n|\n\s*(?=[A-Z][a-z]+:)")
FOREIGN_BEFORE = re.compile(r"\b(?:Linux|kernel|Source:)")
FENCE = re.compile(r"^```.*?^```", re.S | re.M)
WRITTEN = "<!-- Written by"


class tree:
    """What the names are held against."""

    def __init__(self, root):
        self.root, self.code, self.scopes, self.comments = root, {}, collections.defaultdict(set), {}
        self.pages, self.scripts, self.places, self.script_comments = {}, set(), set(), {}
        files = [f for folder in FOLDERS for f in (root / folder).rglob("*") if f.is_file()]
        for file in sorted(files + [f for f in root.iterdir() if f.is_file()]):
            path = file.relative_to(root)
            for place in (path, *path.parents):
                self.places |= {"/".join(place.parts[i:]) for i in range(len(place.parts))}
            self.places |= {"/".join(path.with_suffix("").parts[i:]) for i in range(len(path.parts))}
            if file.suffix in (".hpp", ".cpp"):
                self.read_code(path, file.read_text())
            elif file.suffix == ".md" and file.name != "CHANGELOG.md":
                text = file.read_text()
                if not text.startswith(WRITTEN):
                    self.pages[path] = text
            elif file.name == pathlib.Path(__file__).name:
                pass  # whose self-test names what is not there
            elif file.suffix in SCRIPTS or file.name == "CMakeLists.txt":
                text = file.read_text(errors="replace")
                self.script_comments[path] = (text, [(m.start(), m[0]) for m in REMARK.finditer(text)])
                self.scripts |= set(IDENTIFIER.findall(REMARK.sub("", text)))
            elif file.suffix in (".json", ".vec"):
                self.scripts |= set(IDENTIFIER.findall(file.read_text(errors="replace")))
        headers = {p: names for p, names in self.code.items() if p.parts[0] == "include"}
        self.of_include = set().union(*headers.values())
        self.of_code = set().union(*self.code.values())
        self.of_pages = self.of_code | self.scripts | {part for place in self.places for part in IDENTIFIER.findall(place)}
        self.rows = set()
        for page in (root / "docs").rglob("*.md"):
            self.rows |= set(re.findall(r"^\| *([A-Z]\d[\w-]*)", page.read_text(), re.M))
        for table in (root / "tests/rfc").glob("requirements.tsv"):
            self.rows |= set(re.findall(r"^R\d[\w-]*", table.read_text(), re.M))

    def read_code(self, path, text):
        code, blocks, end = [], [], 0
        for match in LITERAL.finditer(text):
            if match[0][0] != "/":
                continue
            code.append(text[end:match.start()])
            whole_line = not text[text.rfind("\n", 0, match.start()) + 1:match.start()].strip()
            if whole_line and blocks and not code[-1].strip() and code[-1].count("\n") == 1:
                blocks[-1].append((match.start(), match[0]))
            else:
                blocks.append([(match.start(), match[0])])
            end = match.end()
        names = "".join(code) + text[end:]
        self.code[path] = set(IDENTIFIER.findall(names))
        for scope in SCOPE.findall(names):
            for part in scope.split("::"):
                self.scopes[part].add(path)
        self.comments[path] = (text, blocks)

    def has_place(self, path):
        name = re.sub(r"^(\.\./)+", "", path).rstrip("/")
        if "*" in name:
            pattern = re.compile(re.escape(name).replace(r"\*", "[^/]*") + "$")
            return any(pattern.match(place) for place in self.places)
        return name in self.places

    def has_member(self, scope, name):
        return scope not in self.scopes or any(name in self.code[path] for path in self.scopes[scope])


def texts_of(files):
    """(path, text, place of each character in the file, whether it is a page) of what may name something."""
    for path, (_, blocks) in files.comments.items():
        for block in blocks:
            text, places = "", []
            for start, comment in block:
                places.append((len(text), start))
                text += re.sub(r"^//+|^/\*+|\*+/$|\n *\*", lambda m: " " * len(m[0]), comment) + "\n"
            yield path, text, places, False
    for path, (_, remarks) in files.script_comments.items():
        yield from ((path, remark, [(0, start)], True) for start, remark in remarks)
    for path, page in files.pages.items():
        for match in re.finditer(r"`([^`\n]+)`", FENCE.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), page)):
            yield path, match[0], [(0, match.start())], True


def is_foreign(name, foreign, used):
    if name in foreign:
        used.add(name)
    return name in foreign or len(name) == 1 or name.startswith("my_") or \
        ((name.upper() == name or bool(PLACEHOLDER.search(name))) and not name.startswith("SLUICE_"))


def without_arguments(code):
    """Code in backticks without what stands in its round brackets: names of parameters are the reader's."""
    while (shorter := re.sub(r"\([^()]*\)", "", code)) != code:
        code = shorter
    return code


def unknown_names(files, path, text, is_page, foreign, used):
    """(offset, what to say) of each name in the text that is not there."""
    for match in ROW.finditer(text):
        if match[0] not in files.rows:
            yield match.start(), f"{match[0]}: no row of docs and no requirement of the RFCs; name one that is there, or none"
    text = NOT_NAMES.sub(lambda m: " " * len(m[0]), text)
    for match in PATH.finditer(text):
        if not files.has_place(match[0]) and not PLACEHOLDER.search(match[0]) and not text[:match.start()].rstrip().endswith("Linux"):
            yield match.start(), f"{match[0]}: no such file or folder; name the one that is meant, or none"
    text = PATH.sub(lambda m: " " * len(m[0]), text)
    known = files.of_pages if is_page else files.of_include if path.parts[0] == "include" else files.of_code
    own = set(SCOPE.findall(text))
    sentences = [m.end() for m in SENTENCE.finditer(text)]
    for match in WORD.finditer(text):
        code = without_arguments(match[0])
        start = max((s for s in sentences if s <= match.start()), default=0)
        if COMMAND.match(code) or ("_" in code and FOREIGN_BEFORE.search(text, start, match.start())):
            continue
        code = re.sub(r"\bstd::[\w:]+|^[a-z_]\w*\.", "", code)  # of object.member the member
        missing = [n for n in IDENTIFIER.findall(code) if not is_foreign(n, foreign, used) and n not in known and n not in own]
        if missing:
            yield match.start(), f"{missing[0]}: no code has it; write what is there, or list it in {LIST}"
            continue
        for chain in re.findall(r"\w+(?:::\w+)+", code):
            for scope, name in zip(chain.split("::"), chain.split("::")[1:]):
                if not files.has_member(scope, name):
                    yield match.start(), f"{scope}::{name}: no file that declares {scope} has it; write what is there"


def foreign_names(root):
    """Name to line of the list, and what is wrong with the list itself."""
    names, problems, section, last = {}, [], False, ""
    for number, line in enumerate((root / LIST).read_text().splitlines(), 1):
        if not line.strip():
            section, last = False, ""
        elif line.startswith("# "):
            section = True
        elif not section or not last < line or line in names:
            problems.append(f"{LIST}:{number}: {line}: sort it into a section whose first line gives the reason")
        else:
            names[line], last = number, line
    return names, problems


def check(include):
    root = pathlib.Path(include).resolve().parent
    files, count, used = tree(root), 0, set()
    foreign, problems = foreign_names(root)
    for path, text, places, is_page in texts_of(files):
        count += 1
        for offset, said in unknown_names(files, path, text, is_page, foreign, used):
            begin, start = max(p for p in places if p[0] <= offset)
            whole = files.pages.get(path) or (files.script_comments if is_page else files.comments)[path][0]
            problems.append(f"{path}:{whole.count(chr(10), 0, start + offset - begin) + 1}: {said}")
    for name, number in foreign.items():
        if name not in used or name in files.of_include:
            problems.append(f"{LIST}:{number}: {name}: " + ("our code has it" if name in files.of_include else "nothing names it") + "; remove it")
    return problems, count


# The sample of the self-test: nothing in it is wrong.
SAMPLE = {
    "include/sluice/base/thing.hpp": """
// thing: see base/thing.hpp, tests/a.cpp and `thing`. Linux foreign_thing. Reads <linux/if_tun.h>; thing<int>, SO_BROADCAST.
namespace sluice { struct thing { int member_; void act(); }; }
// thing::act and act() change member_, x.member_ and std::move(x); R791-001 and D1. // struct new_one; new_one. udp_err.
""",
    "include/sluice/base/other.hpp": "enum class other { of_other };\n",
    "tests/a.cpp": "// Of scripts/a.py; test_name.\nint test_name; const char* s = \"// no_comment\"; const char* r = R\"(\" // no)\";\n",
    "docs/page.md": "`thing`, `base/thing.hpp`, `a.py`, `of_script`, `ip route show`, `act(what_ever)`.\n\n| D1 | row |\n```\nfenced()\n```\n",
    "docs/written.md": "<!-- Written by a script -->\n`nothing_here`\n",
    "scripts/a.py": "of_script = 1  # of_script, base/thing.hpp, tests/NAME.sh\n",
    "tests/rfc/requirements.tsv": "R791-001\n",
    LIST: "# Linux\nudp_err\n",
    "README.md": "`thing`\n",
}
# What is added to a file of the sample, and the line and a word of what must be said of it; nothing else may be said.
HEADER, TEST, PAGE = "include/sluice/base/thing.hpp", "tests/a.cpp", "docs/page.md"
PLANTED = (
    (HEADER, "// See base/gone.hpp.", 5, "base/gone.hpp"),
    (HEADER, "// See tests/gone for it.", 5, "tests/gone"),
    (HEADER, "// That is gone/ alone.", 5, "gone/"),
    (HEADER, "int x;  // old_name counts.", 5, "old_name"),
    (HEADER, "/* one\n * old_name */", 6, "old_name"),
    (HEADER, "// one\n// `gone`", 6, "gone"),
    (HEADER, "// gone() does it.", 5, "gone"),
    (HEADER, "// gone<int>", 5, "gone"),
    (HEADER, "// thing::gone", 5, "gone"),
    (HEADER, "// x.gone_one", 5, "gone_one"),
    (HEADER, "// Linux does it. old_name does not.", 5, "old_name"),
    (HEADER, "// Only tests know test_name.", 5, "test_name"),
    (HEADER, "// thing::of_other", 5, "thing::of_other"),
    (HEADER, "// As the row R9 says.", 5, "R9"),
    (TEST, "// R791-999", 3, "R791-999"),
    (TEST, "// SLUICE_GONE", 3, "SLUICE_GONE"),
    (PAGE, "`old_name`", 7, "old_name"),
    (PAGE, "`base/gone.hpp`", 7, "base/gone.hpp"),
    ("README.md", "`gone`", 2, "gone"),
    ("scripts/a.py", "# see scripts/gone.sh", 2, "scripts/gone.sh"),
    ("scripts/a.py", "gone = 1\n\n# old_name", 4, "old_name"),
    (LIST, "zebra", 3, "nothing names it"),
    (LIST, "thing", 3, "sort it"),
    (LIST, "\nudp_err", 4, "sort it"),
    (HEADER, "int udp_err;", 0, "our code has it"),
)


def problems_of(sample):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in sample.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return check(pathlib.Path(folder, "include"))[0]


def self_test():
    failed = [f"said of a sample that is right: {problem}" for problem in problems_of(SAMPLE)]
    for name, text, line, word in PLANTED:
        said = problems_of(SAMPLE | {name: SAMPLE[name] + text + "\n"})
        if len(said) != 1 or word not in said[0] or not (line == 0 or said[0].startswith(f"{name}:{line}:")):
            failed.append(f"planted in {name}: {text!r}: said {said}")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], check, self_test, "{} comments and pieces of code in pages name what is there"))
