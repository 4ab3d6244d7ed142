"""What the last runs caught, by folder of include/sluice, as the table of README.md."""
import json

HEAD = ["| folder | named | generated | equivalent | caught of the others |", "|---|---|---|---|---|"]


def count(mutants, caught_by):
    """{folder: [caught, tried]}"""
    rows = {}
    for m in mutants:
        row = rows.setdefault(m.file.split("/")[0], [0, 0])
        row[0] += bool(caught_by[m.number])
        row[1] += 1
    return rows


def save(path, rows, seconds):
    path.write_text(json.dumps({"rows": rows, "seconds": round(seconds)}))


def load(path):
    return json.loads(path.read_text()) if path.is_file() else {"rows": {}, "seconds": 0}


def share(caught, tried, equivalent):
    return caught / (tried - equivalent) if tried > equivalent else 1.0


def write(folders, named, generated, equivalent):
    """The table's lines. A folder whose mutants did not run has a dash."""
    lines, sums = list(HEAD), {"named": [0, 0], "generated": [0, 0], "equivalent": 0}
    for folder in folders:
        cells = []
        for kind, rows in (("named", named), ("generated", generated)):
            row = rows.get(folder)
            cells.append(f"{row[0]} of {row[1]}" if row else "-")
            for i in range(2):
                sums[kind][i] += row[i] if row else 0
        same = equivalent.get(folder, 0)
        sums["equivalent"] += same
        row = generated.get(folder, [0, 0])
        lines.append(f"| {folder} | {cells[0]} | {cells[1]} | {same} | {share(*row, same):.1%} |")
    same = sums["equivalent"]
    lines.append(f"| **all** | {sums['named'][0]} of {sums['named'][1]} "
                 f"| {sums['generated'][0]} of {sums['generated'][1]} | {same} "
                 f"| {share(*sums['generated'], same):.1%} |")
    return lines
