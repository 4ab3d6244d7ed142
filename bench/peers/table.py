#!/usr/bin/env python3
"""Prints the figures of one or more runs of `peers` as a table: the median of each cell.

Usage: table.py FILE      lines: cell TAB contender TAB ns TAB ratio to the peer
"""
import statistics
import sys

figures = {}
for line in open(sys.argv[1], encoding="utf-8"):
    cell, contender, ns, ratio = line.rstrip("\n").split("\t")
    figures.setdefault(cell, {}).setdefault(contender, []).append((ns, ratio))

width = max(map(len, figures), default=4)
print(f"{'cell':{width}}  {'contender':16} {'ns':>8} {'[least - most]':>19} {'ratio':>7} {'[least - most]':>17}")
for cell, contenders in figures.items():
    for contender, all_runs in contenders.items():
        times = [float(ns) for ns, _ in all_runs]
        ratios = [float(r) for _, r in all_runs if r != "-"]
        spread = f"[{min(times):.1f} - {max(times):.1f}]"
        line = f"{cell:{width}}  {contender:16} {statistics.median(times):8.1f} {spread:>19}"
        if ratios:
            line += f" {statistics.median(ratios):7.2f} {f'[{min(ratios):.2f} - {max(ratios):.2f}]':>17}"
        print(line)
        cell = ""
