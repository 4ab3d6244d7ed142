"""The generated mutants: every operator and constant in given headers that can be changed.

The sites come from clang's syntax tree, so operands are known exactly and templates are covered.
Left out: what is only evaluated by the compiler (static_assert, template arguments, constexpr
variables, concepts, case labels, consteval functions), because the mutants are chosen at run time.
"""
import bisect
import dataclasses
import hashlib
import json
import re
import subprocess

# Each operator becomes each of these.
BINARY = {
    "<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"),
    "==": ("!=",), "!=": ("==",), "&&": ("||",), "||": ("&&",),
    "+": ("-",), "-": ("+",), "&": ("|",), "|": ("&",), "^": ("|",),
    "<<": (">>",), ">>": ("<<",), "*": ("+",), "/": ("*",), "%": ("/",),
    "+=": ("-=",), "-=": ("+=",), "|=": ("&=",), "&=": ("|=",), "<<=": (">>=",), ">>=": ("<<=",),
}
CONSTANT_CONTEXTS = {
    "StaticAssertDecl", "ConceptDecl", "RequiresExpr", "ConstantExpr", "TemplateArgument",
    "NonTypeTemplateParmDecl", "TemplateTypeParmDecl", "EnumConstantDecl", "CXXNoexceptExpr",
    "UnaryExprOrTypeTraitExpr", "ConceptSpecializationExpr", "CXXDeductionGuideDecl",
}
CONDITIONS = {"IfStmt", "WhileStmt", "DoStmt", "ForStmt", "ConditionalOperator"}
INTEGER = re.compile(r"(0x[0-9a-fA-F']+|0|[1-9][0-9']*)([uUlL]*)$")  # octal ones are modes of files


@dataclasses.dataclass
class Mutant:
    file: str  # relative to include/sluice
    begin: int
    end: int
    replacement: str
    what: str  # "< to <=", "condition negated", ...
    original: str
    line: int = 0
    context: str = ""  # the source line, what changes between » and «
    number: int = 0
    name: str = ""
    is_statement: bool = False
    negates: bool = False  # the original negated, whatever it is

    def key(self):
        return (self.file, self.begin, self.end, self.replacement)


class Tree:
    """One translation unit's syntax tree as JSON, in which positions name their file only where it
    changes from the position printed before."""

    def __init__(self, sources):
        self.sources = sources  # path as clang prints it: text
        self.file = None
        self.found = {}

    def bare(self, where):
        if not where:
            return None
        if "spellingLoc" in where or "expansionLoc" in where:
            for part in ("spellingLoc", "expansionLoc"):
                self.bare(where.get(part))
            return None  # inside a macro
        if "offset" not in where:
            return None
        self.file = where.get("file", self.file)
        return self.file, where["offset"], where["offset"] + where["tokLen"]

    def visit(self, node, constant):
        kind = node.get("kind", "")
        span = None
        for key, value in node.items():  # in the order of printing
            if key == "loc":
                self.bare(value)
            elif key == "range":
                begin, end = self.bare(value.get("begin")), self.bare(value.get("end"))
                if begin and end and begin[0] == end[0] and begin[0] in self.sources:
                    span = begin[0], begin[1], end[2]
            elif isinstance(value, dict) and key not in ("loc", "range", "inner"):
                self.skip(value)
            elif isinstance(value, list) and key != "inner":
                for item in value:
                    self.skip(item)
            elif key == "inner":
                break
        constant = constant or kind in CONSTANT_CONTEXTS or self.is_constant(node, kind, span)
        children = [child for child in node.get("inner", []) if child]
        hidden = self.constant_children(node, kind, children)
        spans = [self.visit(child, constant or i in hidden) for i, child in enumerate(children)]
        if span and not constant:
            self.sites(node, kind, span, children, spans, hidden)
        return span

    def skip(self, value):
        """Positions in what is not looked at still change the file."""
        if isinstance(value, dict):
            if "offset" in value and "tokLen" in value:
                self.bare(value)
                return
            for inner in value.values():
                self.skip(inner)
        elif isinstance(value, list):
            for inner in value:
                self.skip(inner)

    def is_constant(self, node, kind, span):
        if kind == "VarDecl":
            return bool(node.get("constexpr"))
        if node.get("explicitlyDefaulted"):
            return True  # what clang writes into it stands nowhere
        if kind in ("FunctionDecl", "CXXMethodDecl", "CXXConstructorDecl") and span:
            head = self.text(span).split("{", 1)[0]
            return re.search(r"\bconsteval\b", head) is not None
        return False

    @staticmethod
    def constant_children(node, kind, children):
        if kind == "IfStmt" and node.get("isConstexpr"):
            return {1 if node.get("hasInit") else 0}
        if kind in ("CaseStmt", "FieldDecl") and children:
            return {0} if kind == "CaseStmt" or node.get("isBitfield") else set()
        return set()

    def text(self, span):
        return self.sources[span[0]][span[1]:span[2]].decode()

    def add(self, span, replacement, what, negates=False):
        file, begin, end = span
        if not re.search(r"\w", self.text(span)):
            return  # what clang makes of the colon in `for (x : list)`
        m = Mutant(file, begin, end, replacement, what, self.text(span), negates=negates)
        self.found.setdefault(m.key(), m)

    def sites(self, node, kind, span, children, spans, hidden):
        if kind in ("BinaryOperator", "CompoundAssignOperator"):
            self.operator(span, node.get("opcode"), *spans[:2])
        elif kind in ("CXXOperatorCallExpr", "CXXRewrittenBinaryOperator"):
            operands = [s for s in spans if s][-2:] if kind == "CXXOperatorCallExpr" else []
            if len(operands) == 2:
                self.operator(span, None, *operands)
        elif kind == "UnaryOperator" and node.get("opcode") == "!" and spans[0]:
            self.add(span, f"static_cast<bool>({self.text(spans[0])})", "! removed")
        elif kind == "IntegerLiteral":
            self.constant(span)
        if kind in CONDITIONS and not node.get("hasVar") and not node.get("isConstexpr"):
            self.condition(node, kind, children, spans)

    def operator(self, span, opcode, left, right):
        if not left or not right or left[0] != span[0] or not left[2] <= right[1]:
            return
        if left[1] != span[1] or right[2] != span[2]:
            return
        between = self.sources[span[0]][left[2]:right[1]].decode().strip()
        if between not in BINARY or (opcode and opcode != between):
            return
        for other in BINARY[between]:
            self.add(span, f"({self.text(left)}) {other} ({self.text(right)})",
                     f"{between} to {other}")

    def constant(self, span):
        m = INTEGER.match(self.text(span))
        if not m:
            return
        value = int(m.group(1).replace("'", ""), 0)
        for other in (value + 1, value - 1):
            self.add(span, f"{other}{m.group(2)}" if other >= 0 else f"-1{m.group(2)}",
                     f"{m.group(0)} to {other}")

    def condition(self, node, kind, children, spans):
        index = {"IfStmt": 1 if node.get("hasInit") else 0, "WhileStmt": 0, "DoStmt": 1,
                 "ForStmt": None, "ConditionalOperator": 0}[kind]
        if kind == "ForStmt":  # clang prints init, variable, condition, step, body; empty ones too
            whole = node.get("inner", [])
            if len(whole) != 5 or whole[1] or not whole[2]:
                return
            index = [id(c) for c in children].index(id(whole[2]))
        if index < len(spans) and spans[index]:
            self.add(spans[index], f"!({self.text(spans[index])})", "condition negated", True)


def context(source, begin, end):
    """The first line of a span, with the span between » and «."""
    start = source.rfind(b"\n", 0, begin) + 1
    stop = source.find(b"\n", begin)
    end = min(end, stop)
    parts = (source[start:begin], b"\xc2\xbb", source[begin:end], b"\xc2\xab", source[end:stop])
    return b"".join(parts).decode().strip()


def find(include, scratch, compiler="clang++-19"):
    """All mutants of the headers in the folders of include/sluice."""
    headers = sorted((include / "sluice").glob("*/*.hpp"))
    unit = scratch / "all_headers.cpp"
    unit.write_text("".join(f"#include <{h.relative_to(include)}>\n" for h in headers))
    run = subprocess.run(
        [compiler, "-std=c++20", f"-I{include}", "-fsyntax-only", "-Xclang", "-ast-dump=json",
         "-Xclang", "-ast-dump-filter=sluice", str(unit)], capture_output=True, check=True)
    tree = Tree({str(h): h.read_bytes() for h in headers})
    text, decoder, at = run.stdout.decode(), json.JSONDecoder(), 0
    while at < len(text):
        start = text.find("{", at)
        if start < 0:
            break
        document, at = decoder.raw_decode(text, start)
        tree.visit(document, False)
    found = []
    for m in tree.found.values():
        source = tree.sources[m.file]
        m.line = source.count(b"\n", 0, m.begin) + 1
        m.context = context(source, m.begin, m.end)
        m.file = str(type(unit)(m.file).relative_to(include / "sluice"))
        found.append(m)
    return sorted(found, key=Mutant.key)


def sample(mutants, count, at_least, seed):
    """About `count` of them, of each folder its share but `at_least` so many, by a keyed hash of
    what they change, so that an edit elsewhere hardly changes the choice; the same text in one file
    is told apart by its order."""
    seen, ranked = {}, {}
    for m in mutants:
        what = (m.file, m.original, m.replacement)
        seen[what] = seen.get(what, 0) + 1
        rank = hashlib.sha256(repr((seed, what, seen[what])).encode()).digest()
        bisect.insort(ranked.setdefault(m.file.split("/")[0], []), (rank, m.key()))
    chosen = set()
    for of_folder in ranked.values():
        quota = max(at_least, round(count * len(of_folder) / len(mutants)))
        chosen.update(key for _, key in of_folder[:quota])
    return [m for m in mutants if m.key() in chosen]
