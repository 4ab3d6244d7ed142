#!/usr/bin/env python3
"""Tests the example `defrag`: a capture made here, then real captures where they are present.

Usage: defrag.py PROGRAM [CAPTURES]
CAPTURES holds *.pcap and expected.json: what a Linux kernel made whole of each.
"""
import hashlib
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

ETHERNET = 1
failures = []


def check(what, got, wanted):
    if got != wanted:
        failures.append(f"{what}: {got!r}, not {wanted!r}")


def header_sum(header):
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def fragment(ident, offset, data, more):
    word = offset // 8 | (0x2000 if more else 0)
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(data), ident, word, 64, 17, 0,
                         bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2]))
    return header[:10] + struct.pack("!H", header_sum(header)) + header[12:] + data


def frame(packet, kind=0x0800):
    return b"\2\0\0\0\0\2\2\0\0\0\0\1" + struct.pack("!H", kind) + packet


def write_pcap(path, records):
    """records: (seconds, frame)."""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, ETHERNET))
        for seconds, octets in records:
            out.write(struct.pack("<IIII", seconds, 0, len(octets), len(octets)) + octets)


def read_pcap(path):
    octets = path.read_bytes()
    link = struct.unpack("!I", octets[20:24])[0]
    records, at = [], 24
    while at < len(octets):
        size = struct.unpack("!I", octets[at + 8:at + 12])[0]
        records.append(octets[at + 16:at + 16 + size])
        at += 16 + size
    return link, records


def run(program, source, target):
    """The listed datagrams as (record, frame, protocol, id, payload length), and the counts."""
    done = subprocess.run([program, "--list", source, target], capture_output=True, text=True)
    if done.returncode != 0:
        failures.append(f"{source.name}: exit code {done.returncode}: {done.stderr}")
        return [], {}
    *lines, last = done.stdout.splitlines()
    words = last.split()
    rows = [line.split() for line in lines]
    return ([tuple(int(row[i]) for i in (0, 2, 4, 6, 8)) for row in rows],
            dict(zip(words[::2], map(int, words[1::2]))))


def test_own(program, folder):
    data = bytes(range(256)) * 4
    whole = [(1, frame(fragment(1, 512, data[512:], False))), (1, frame(b"arp", 0x0806)),
             (1, frame(fragment(1, 0, data[:512], True))), (1, frame(fragment(9, 0, b"x", False)))]
    overlap = [(2, frame(fragment(2, 0, data[:512], True))),
               (2, frame(fragment(2, 256, data[:512], False)))]
    late = [(3, frame(fragment(3, 0, data[:512], True))),
            (40, frame(fragment(3, 512, data[512:], False)))]
    write_pcap(folder / "in.pcap", whole + overlap + late)
    listed, counts = run(program, folder / "in.pcap", folder / "out.pcap")
    check("listed", listed, [(1, 3, 17, 1, 1024)])
    check("counts", counts, {"frames": 8, "fragments": 6, "datagrams": 1, "overlaps": 1,
                             "duplicates": 0, "refused": 0, "timeouts": 1, "incomplete": 1,
                             "written": 3})
    link, records = read_pcap(folder / "out.pcap")
    check("link type", link, ETHERNET)
    check("frame that is no fragment", records[:1], [frame(b"arp", 0x0806)])
    check("whole datagram", records[1:2], [frame(fragment(1, 0, data, False))])
    check("last frame", records[2:], [frame(fragment(9, 0, b"x", False))])
    broken = subprocess.run([program, folder / "absent.pcap", folder / "out.pcap"],
                            capture_output=True, text=True)
    check("exit code for an absent file", broken.returncode, 1)


def test_captures(program, captures, folder):
    tested = whole = 0
    expected = json.loads((captures / "expected.json").read_text())
    for name, facts in expected["files"].items():
        if facts["format"] != "pcap" or facts["linktype"] not in (0, 1, 101, 113, 228):
            continue
        wanted = [(row["frame"], row["proto"], row["id"], row["len"], row["sha256"])
                  for row in facts["linux"]["reassembled"]]
        listed, _ = run(program, captures / name, folder / "out.pcap")
        _, records = read_pcap(folder / "out.pcap")
        got = [(number, protocol, ident, length,
                hashlib.sha256(records[record][-length:]).hexdigest())
               for record, number, protocol, ident, length in listed]
        check(name, got, wanted)
        tested += 1
        whole += len(wanted)
    print(f"{tested} captures, {whole} datagrams made whole as by Linux")
    return tested


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        test_own(program, folder)
        if len(sys.argv) > 2 and (pathlib.Path(sys.argv[2]) / "expected.json").exists():
            test_captures(program, pathlib.Path(sys.argv[2]), folder)
        else:
            print("NOT HERE: defrag: real captures")
    for failure in failures:
        print(f"FAILED: {failure}"[:400])
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
