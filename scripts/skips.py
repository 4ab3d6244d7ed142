#!/usr/bin/env python3
"""Names what a ctest run skipped, and why, a line each.

    skips.py RESULTS.xml      what `ctest --output-junit` wrote
    skips.py --self-test

A test says it on lines of its own:
    SKIPPED: NAME: REASON     the machine could not run this; root never gets away with it (./check)
    NOT HERE: NAME: WHAT      material that is not part of the tree is missing; never an error
A test that ended with ctest's skip code and said neither is named too.
"""
import re
import sys
import xml.etree.ElementTree as tree

WORDS = re.compile(r"^(SKIPPED|NOT HERE): .*$", re.MULTILINE)


def skips(root):
    for case in root.iter("testcase"):
        said = [m.group(0) for m in WORDS.finditer(case.findtext("system-out") or "")]
        if not said and case.find("skipped") is not None:
            said = ["SKIPPED: " + case.get("name") + ": it gave no reason"]
        yield from said


def self_test():
    text = """<testsuite>
      <testcase name="a"><system-out>one\nSKIPPED: a: no root\nNOT HERE: a: captures</system-out></testcase>
      <testcase name="b"><skipped message="77"/><system-out>hm</system-out></testcase>
      <testcase name="c"><skipped/><system-out>SKIPPED: c: no TUN</system-out></testcase>
      <testcase name="d"><system-out>not SKIPPED: here</system-out></testcase></testsuite>"""
    found = list(skips(tree.fromstring(text)))
    wanted = ["SKIPPED: a: no root", "NOT HERE: a: captures", "SKIPPED: b: it gave no reason",
              "SKIPPED: c: no TUN"]
    if found != wanted:
        sys.exit(f"skips.py: self test: {found}")


if sys.argv[1:] == ["--self-test"]:
    self_test()
elif len(sys.argv) == 2:
    for line in skips(tree.parse(sys.argv[1]).getroot()):
        print(line)
else:
    sys.exit(__doc__)
