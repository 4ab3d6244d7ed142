#!/usr/bin/env python3
"""Tests the example `defrag`: captures made here, then real captures where they are present.

Usage: defrag.py PROGRAM [CAPTURES]
CAPTURES holds *.pcap and expected.json: what a Linux kernel made whole of each.
"""
import hashlib
import json
import pathlib
import resource
import signal
import stat
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "captures"))
sys.dont_write_bytecode = True
import make  # noqa: E402
from make import half  # noqa: E402

ETHERNET = 1
DATA = bytes(range(256)) * 4
failures = []


def check(what, got, wanted):
    if got != wanted:
        failures.append(f"{what}: {got!r}, not {wanted!r}")


def fragment(ident, offset, data, more, **changed):
    return make.ipv4(data, ident=ident, word=offset // 8 | (0x2000 if more else 0), **changed)


def first(ident, **changed):
    return fragment(ident, 0, DATA[:512], True, **changed)


def last(ident, **changed):
    return fragment(ident, 512, DATA[512:], False, **changed)


def whole(ident):
    return make.ipv4(DATA, ident=ident)


def frame(packet, kind=0x0800, *tags):
    return make.ETHERNET + half(*tags, kind) + packet


def write_pcap(path, records, link=ETHERNET, cut=0):
    """records: (seconds, frame); `cut`: bytes that the capture lacks of the last."""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link))
        for i, (seconds, octets) in enumerate(records, 1):
            size = len(octets) + (cut if i == len(records) else 0)
            out.write(struct.pack("<IIII", seconds, 0, len(octets), size) + octets)


def read_pcap(path):
    octets = path.read_bytes()
    link = struct.unpack("!I", octets[20:24])[0]
    records, at = [], 24
    while at < len(octets):
        size = struct.unpack("!I", octets[at + 8:at + 12])[0]
        records.append(octets[at + 16:at + 16 + size])
        at += 16 + size
    return link, records


def read_pcapng(path):
    """Link types of the interfaces, names; and (interface, frame, flags) of the packets."""
    octets = path.read_bytes()
    links, packets, at = [], [], 0
    while at < len(octets):
        kind, size = struct.unpack("!II", octets[at:at + 8])
        body = octets[at + 8:at + size - 4]
        if kind == 1:
            length = struct.unpack("!H", body[10:12])[0]
            links.append((struct.unpack("!H", body[:2])[0], body[12:12 + length]))
        elif kind == 6:
            interface, length = struct.unpack("!I8xI", body[:16])
            packets.append((interface, body[20:20 + length], body[-5]))
        at += size
    return links, packets


def run(program, source, target, *options):
    """The listed datagrams as (record, frame, protocol, id, payload length), the counts, what was
    said, and the reports as (source, frame, protocol, id)."""
    done = subprocess.run([program, "--list", *options, source, target], capture_output=True,
                          text=True)
    if done.returncode != 0:
        failures.append(f"{source.name}: exit code {done.returncode}: {done.stderr}")
        return [], {}, done.stderr, []
    *lines, totals = done.stdout.splitlines()
    words = totals.split()
    rows = [line.split() for line in lines]
    reports = [(row[2], *(int(row[i]) for i in (4, 6, 8))) for row in rows if row[0].startswith("t")]
    check(f"{source.name}: reports", int(words[words.index("reports") + 1]), len(reports))
    return ([tuple(int(row[i]) for i in (0, 2, 4, 6, 8)) for row in rows if row[0].isdigit()],
            dict(zip(words[::2], map(int, words[1::2]))), done.stderr, reports)


def defrag(program, folder, frames, *options, link=ETHERNET, cut=0):
    """The frames of OUT for frames that came a second apart."""
    write_pcap(folder / "in.pcap", list(enumerate(frames)), link, cut)
    _, counts, said, _ = run(program, folder / "in.pcap", folder / "out.pcap", *options)
    return read_pcap(folder / "out.pcap")[1], counts, said


def test_counts(program, folder):
    records = [(1, frame(last(1))), (1, frame(b"arp", 0x0806)), (1, frame(first(1))),
               (1, frame(fragment(9, 0, b"x", False)))]
    overlap = [(2, frame(first(2))), (2, frame(fragment(2, 256, DATA[:512], False)))]
    late = [(3, frame(first(3))), (40, frame(last(3)))]
    write_pcap(folder / "in.pcap", records + overlap + late)
    listed, counts, _, reports = run(program, folder / "in.pcap", folder / "out.pcap")
    check("listed", listed, [(1, 3, 17, 1, 1024)])
    check("reports", reports, [("10.0.1.2", 7, 17, 3)])
    check("counts", counts, {"frames": 8, "fragments": 6, "datagrams": 1, "overlaps": 1,
                             "duplicates": 0, "refused": 0, "timeouts": 1, "incomplete": 1,
                             "reports": 1, "written": 7})
    link, out = read_pcap(folder / "out.pcap")
    check("link type", link, ETHERNET)
    check("all in order, what is no part unchanged", out,
          [frame(b"arp", 0x0806), frame(whole(1)), records[3][1]] +
          [octets for _, octets in overlap + late])
    check("mode of OUT", stat.S_IMODE((folder / "out.pcap").stat().st_mode), 0o600)


def test_reports(program, folder):
    """A host reports what stays incomplete if the first fragment came, of one host to one host."""
    some, group = bytes([10, 9, 9, 9]), bytes([224, 0, 0, 1])
    frames = [frame(last(1)), frame(first(2, source=some)), frame(first(3)), frame(last(3)),
              frame(first(4, destination=group)), frame(first(5, destination=b"\xff" * 4)),
              frame(first(6, source=bytes(4))), frame(first(7, source=b"\x7f\0\0\1")),
              frame(last(8)), frame(first(8, source=some)), frame(first(9)),
              frame(fragment(9, 256, DATA[:512], True))]
    write_pcap(folder / "in.pcap", list(enumerate(frames)))
    *_, reports = run(program, folder / "in.pcap", folder / "out.pcap")
    check("reports", reports, [("10.9.9.9", 2, 17, 2), ("10.9.9.9", 10, 17, 8)])


def test_nothing_is_lost(program, folder):
    lone = [frame(first(i)) for i in range(1, 1101)]
    good = [f for i in range(2000, 2100) for f in (frame(first(i)), frame(last(i)))]
    # All within a second: no time is over.
    write_pcap(folder / "in.pcap", [(1, f) for f in lone + good])
    _, counts, *_ = run(program, folder / "in.pcap", folder / "out.pcap")
    check("100 behind 1,100", read_pcap(folder / "out.pcap")[1],
          lone + [frame(whole(i)) for i in range(2000, 2100)])
    check("incomplete", (counts["datagrams"], counts["incomplete"]), (100, 1100))

    # A Linux host bears 3,000 lone fragments of others while it waits.
    others = [frame(first(i, source=bytes([10, 9, i >> 8, i & 255]))) for i in range(3000)]
    waiting = range(5000, 5040)
    frames = [frame(first(i)) for i in waiting] + others + [frame(last(i)) for i in waiting]
    write_pcap(folder / "in.pcap", [(1, f) for f in frames])
    run(program, folder / "in.pcap", folder / "out.pcap")
    check("40 around 3,000", read_pcap(folder / "out.pcap")[1],
          others + [frame(whole(i)) for i in waiting])
    # More lone ones than there is room for: refused as in Linux, or the oldest give way.
    lone = [frame(first(i)) for i in range(20000)]
    good = [f for i in range(30000, 30100) for f in (frame(first(i)), frame(last(i)))]
    made = [frame(whole(i)) for i in range(30000, 30100)]
    write_pcap(folder / "in.pcap", [(1, f) for f in lone + good])
    _, counts, *_ = run(program, folder / "in.pcap", folder / "out.pcap")
    check("100 behind 20,000, refused", read_pcap(folder / "out.pcap")[1], lone + good)
    check("refused", (counts["refused"], counts["incomplete"]), (20000 - 16384 + 200, 16384))
    _, counts, *_ = run(program, folder / "in.pcap", folder / "out.pcap", "--evict")
    check("100 behind 20,000", read_pcap(folder / "out.pcap")[1], lone + made)
    check("evicted", (counts["refused"], counts["incomplete"]), (0, 20000))
    # A flooding sender leaves fifteen sixteenths to others, who are refused nothing.
    other = bytes([10, 9, 9, 9])
    good = [f for i in range(100) for f in (frame(first(i, source=other)),
                                            frame(last(i, source=other)))]
    write_pcap(folder / "in.pcap", [(1, f) for f in lone + good])
    _, counts, *_ = run(program, folder / "in.pcap", folder / "out.pcap", "--user-limit")
    check("another sender", (counts["datagrams"], counts["refused"], counts["incomplete"]),
          (100, 20000 - 1024, 1024))
    _, counts, *_ = run(program, folder / "in.pcap", folder / "out.pcap", "--user-limit", "--evict")
    check("another sender, evicting", (counts["datagrams"], counts["refused"],
                                       counts["incomplete"]), (100, 0, 20000))
    # So many others of its source between its two halves: another datagram (Linux ip_frag_too_far).
    far = [frame(first(1))] + [frame(first(i)) for i in range(2, 67)] + [frame(last(1))]
    write_pcap(folder / "in.pcap", [(1, f) for f in far])
    _, counts, *_ = run(program, folder / "in.pcap", folder / "out.pcap")
    check("too far", read_pcap(folder / "out.pcap")[1], far)
    check("incomplete, far", (counts["datagrams"], counts["incomplete"]), (0, 67))
    again = [frame(first(1)), frame(first(1)), frame(last(1)), frame(last(1))]
    out, counts, _ = defrag(program, folder, again)
    check("twice", out, [again[1], frame(whole(1)), again[3]])
    check("counted twice", counts["duplicates"], 1)


# What the systems made of the 17 fragments of Novak's paper (units of 8 bytes: letter, place, size).
NOVAK = [("A", 0, 3), ("B", 4, 2), ("C", 6, 3), ("D", 10, 1), ("E", 13, 2), ("F", 15, 3),
         ("G", 18, 2), ("H", 20, 2), ("I", 22, 1), ("J", 1, 4), ("K", 6, 3), ("L", 9, 3),
         ("M", 12, 3), ("N", 16, 1), ("O", 19, 1), ("P", 20, 1), ("Q", 22, 2)]
RULES = {"first": "AAAJBBCCCLDLMEEFFFGGHHIQ", "last": "AJJJJBKKKLLLMMMFNFGOPHQQ",
         "bsd": "AAAJJBCCCLLLMMMFFFGGHHIQ", "bsd-right": "AJJJBBKKKLDLMEEFNFGOPHQQ",
         "linux": "AAAJJBKKKLLLMMMFFFGGPHQQ", "windows": "AAAJBBCCCLLLMEEFFFGGHHIQ",
         "solaris": "AAAJBBCCCLLLMMMFFFGGHHIQ"}


def test_rules(program, folder):
    frames = [frame(fragment(1, 8 * at, letter.encode() * 8 * size, letter != "Q"))
              for letter, at, size in NOVAK]
    for rule, made in RULES.items():
        data = b"".join(letter.encode() * 8 for letter in made)
        out, counts, _ = defrag(program, folder, frames, "--overlap", rule)
        check(rule, (out[-1], counts["datagrams"]), (frame(make.ipv4(data, ident=1)), 1))
    for options in ([], ["--overlap", "reject-datagram"], ["--overlap", "reject-fragment"]):
        out, counts, _ = defrag(program, folder, frames, *options)
        check(f"{options}", (out, counts["datagrams"]), (frames, 0))
    # A stranger's bytes in the way of the rest.
    frames = [frame(first(1)), frame(fragment(1, 256, b"x" * 512, True)), frame(last(1))]
    check("reject-fragment", defrag(program, folder, frames, "--overlap", "reject-fragment")[0],
          [frames[1], frame(whole(1))])
    check("reject-datagram", defrag(program, folder, frames)[0], frames)
    done = subprocess.run([program, "--overlap", "nonsense", "a", "b"], capture_output=True,
                          text=True)
    check("no rule", (done.returncode, "rule of the list below, not: nonsense" in done.stderr,
                      all(f"      {rule} " in done.stderr for rule in RULES)), (2, True, True))


def test_networks(program, folder):
    five, six = (0x8100, 5), (0x8100, 6)
    kept_apart = {
        "two VLANs": (five, six), "a VLAN and none": (five, ()),
        "a provider's": (five, (0x88A8, 5)), "the outer one": (five + five, six + five),
        "the inner one": (five + five, five + six), "the order": (five + six, six + five),
        "a second": (five, five + five)}
    for what, (one, other) in kept_apart.items():
        frames = [frame(first(1), 0x0800, *one), frame(last(1), 0x0800, *other)]
        check(what, defrag(program, folder, frames)[0], frames)
        # Both arrive in both: each is made whole.
        frames += [frame(first(1), 0x0800, *other), frame(last(1), 0x0800, *one)]
        check(what + ", both", defrag(program, folder, frames)[0],
              [frame(whole(1), 0x0800, *other), frame(whole(1), 0x0800, *one)])
    joined = {"priorities": ((0x8100, 0xA005), five), "priority alone": ((0x8100, 0xA000), ()),
              "0x9100 and 0x88a8": ((0x9100, 5), (0x88A8, 5))}
    for what, (one, other) in joined.items():
        check(what, defrag(program, folder, [frame(first(1), 0x0800, *one),
                                             frame(last(1), 0x0800, *other)])[0],
              [frame(whole(1), 0x0800, *one)])
    # More VLANs of VLANs than the cache can tell apart at a time.
    tags = [(0x88A8, 1 + i // 4000, 0x8100, 1 + i % 4000) for i in range(65_537)]
    small = [fragment(1, 0, DATA[:8], True), fragment(1, 8, DATA[8:16], False)]
    frames = [frame(first(2), 0x0800, *tags[0])]
    frames += [frame(f, 0x0800, *t) for t in tags[1:65_535] for f in small]
    frames += [frame(last(2), 0x0800, *tags[65_535]), frame(first(3), 0x0800, *tags[0]),
               frame(last(3), 0x0800, *tags[65_536])]
    write_pcap(folder / "in.pcap", [(1, f) for f in frames])
    run(program, folder / "in.pcap", folder / "out.pcap")
    made = [frame(make.ipv4(DATA[:16], ident=1), 0x0800, *t) for t in tags[1:65_535]]
    check("65,537 networks", read_pcap(folder / "out.pcap")[1] == frames[:1] + made + frames[-3:],
          True)


def test_link_headers(program, folder):
    def snap(packet):
        return make.ETHERNET + make.llc(make.SNAP + half(0x0800), packet)

    def pppoe(packet, session=9):
        inner = half(0x0021) + packet
        return make.ETHERNET + half(0x8864, 0x1100, session, len(inner)) + inner

    check("LLC gives way to an EtherType", defrag(program, folder, [snap(first(1)),
                                                                    snap(last(1))])[0],
          [frame(whole(1))])
    check("the length of PPPoE", defrag(program, folder, [pppoe(last(1)), pppoe(first(1))])[0],
          [pppoe(whole(1))])
    apart = [pppoe(first(1)), pppoe(last(1), 10)]
    check("two sessions", defrag(program, folder, apart)[0], apart)
    padded = frame(fragment(1, 0, DATA[:8], True)) + b"PADDING"
    check("padding", defrag(program, folder, [padded, frame(fragment(1, 8, DATA[8:], False))])[0],
          [frame(whole(1))])
    sll2 = [half(0x0800, 0, 0, i, 1) + bytes.fromhex("0006 0200000000020000") for i in (1, 2)]
    check("cooked", defrag(program, folder, [sll2[0] + first(1), sll2[1] + first(1),
                                             sll2[1] + last(1), sll2[0] + last(1)], link=276)[0],
          [sll2[1] + whole(1), sll2[0] + whole(1)])


def test_offloads(program, folder):
    frames = [frame(first(1, check=0)), frame(last(1, check=0x1234))]
    out, _, said = defrag(program, folder, frames)
    check("wrong sums", (out, "2 fragments have a wrong header checksum" in said and
                         "use --no-checksum" in said), (frames, True))
    check("--no-checksum", defrag(program, folder, frames, "--no-checksum")[0], [frame(whole(1))])
    # What is no part keeps the checksum that it had.
    check("--no-checksum, incomplete", defrag(program, folder, frames[:1], "--no-checksum")[0],
          frames[:1])
    frames = [frame(first(1)), frame(last(1, length=0))]
    out, _, said = defrag(program, folder, frames)
    check("total length 0", (out, "total length 0" in said), ([frame(whole(1))], True))
    # What the capture left of a fragment is not all of it.
    frames = [frame(first(1)), frame(last(1, length=0))[:-100]]
    check("total length 0, cut", defrag(program, folder, frames, cut=100)[0], frames)


def test_pcapng(program, folder):
    for order in "<>":
        made = make.Pcapng(order)
        made.section()
        for i in range(80):
            made.interface(1 if i % 2 else 101, made.option(2, b"if%d" % i))
        way = [made.option(2, made.pack("I", i)) + made.option(0, b"") for i in range(3)]
        made.packet(78, first(1), way[1])
        made.packet(79, frame(last(1)), way[1])   # another interface
        made.packet(78, last(1), way[2])          # another direction
        made.packet(78, last(1), way[1])
        made.section()
        made.interface(276)
        made.packet(0, b"cooked", way[2])
        (folder / "in").write_bytes(made.octets)
        _, counts, *_ = run(program, folder / "in", folder / "out")
        links, packets = read_pcapng(folder / "out")
        check("interfaces", links,
              [(1 if i % 2 else 101, b"if%d" % i) for i in range(80)] + [(276, b"")])
        check("packets", packets, [(79, frame(last(1)), 1), (78, last(1), 2), (78, whole(1), 1),
                                   (80, b"cooked", 2)])
        check("datagrams", counts["datagrams"], 1)


def says(program, source, target, code, words, **how):
    done = subprocess.run([program, source, target], capture_output=True, text=True, **how)
    check(f"{source.name}: exit code", done.returncode, code)
    if not all(word in done.stderr for word in words):
        failures.append(f"{source.name}: said {done.stderr}, not {words}")


def test_refusals(program, folder):
    says(program, folder / "absent", folder / "out", 1, ["open", "No such file"])
    (folder / "text").write_bytes(b"no capture at all, but long enough")
    says(program, folder / "text", folder / "out", 1, ["neither pcap nor pcapng", "editcap"])
    write_pcap(folder / "whole", [(1, frame(first(1))), (1, frame(last(1))), (1, frame(b"", 1))])
    octets = (folder / "whole").read_bytes()
    for cut in range(len(octets) - 32, len(octets) - 24):  # the last packet takes 30
        (folder / "cut").write_bytes(octets[:cut])
        damaged = cut != len(octets) - 30
        says(program, folder / "cut", folder / "out", int(damaged),
             ["damaged behind packet", "the file ends inside"] if damaged else [])
    write_pcap(folder / "radiotap", [(1, b"radio")], 127)
    says(program, folder / "radiotap", folder / "out", 3, ["127 (IEEE802_11_RADIOTAP)", "editcap"])
    check("passed", read_pcap(folder / "out"), (127, [b"radio"]))
    says(program, folder / "whole", folder / "none" / "out", 1, ["create", "No such file"])
    # A full disk: the signal for it must not end the program before it has spoken.
    write_pcap(folder / "long", [(1, frame(bytes(100), 1)) for _ in range(100)])
    says(program, folder / "long", folder / "out", 1, ["File too large", "last whole packet"],
         preexec_fn=lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_DFL),
                             resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))))
    check("what fitted", read_pcap(folder / "out")[1], [frame(bytes(100), 1)] * 7)
    same = str(folder / "whole")
    (folder / "link").symlink_to(same)
    for wrong, words in (([], "no capture is given"), (["x"], "add OUT"),
                         (["--nonsense", "a", "b"], "unknown option: --nonsense"),
                         (["a", "b", "c"], "one file too many: c"),
                         (["a", "b", "--overlap"], "wants a rule of the list below, not: nothing"),
                         ([same, same], "IN and OUT are one file"),
                         ([same, str(folder / "link")], "IN and OUT are one file")):
        done = subprocess.run([program, *wrong], capture_output=True, text=True)
        check(f"usage {wrong}", (done.returncode, words in done.stderr.splitlines()[0],
                                 "Exit code" in done.stderr), (2, True, True))
    check("untouched", (folder / "whole").read_bytes(), octets)
    done = subprocess.run([program, "--help"], capture_output=True, text=True)
    check("help", (done.returncode, done.stdout.startswith("usage: defrag"), done.stderr), (0, True, ""))


def first_fragment(path, number):
    """Source, protocol and identification of a frame of a pcap file of Ethernet, if it has a
    fragment of offset 0."""
    octets = path.read_bytes()
    order = "<" if octets[0] == 0xD4 else ">"
    at = 24
    for _ in range(number - 1):
        at += 16 + struct.unpack(order + "I", octets[at + 8:at + 12])[0]
    header = octets[at + 16 + 14:]
    ident, word = struct.unpack("!HH", header[4:8])
    if word & 0x3FFF != 0x2000:
        return None
    return ".".join(map(str, header[12:16])), header[9], ident


def check_counters(name, counts, linux):
    """Linux waited for every timeout; defrag calls incomplete what is so at the end of the capture."""
    left = counts["timeouts"] + counts["incomplete"]
    ours = {"ReasmReqds": counts["fragments"], "ReasmOKs": counts["datagrams"],
            "ReasmOverlaps": counts["overlaps"], "ReasmTimeout": left,
            "ReasmFails": left + counts["overlaps"] + counts["refused"]}
    for counter, value in ours.items():
        check(f"{name}: {counter}", value, linux.get(counter, 0))


def test_captures(program, captures, folder):
    tested = joined = reported = 0
    expected = json.loads((captures / "expected.json").read_text())
    for name, facts in expected["files"].items():
        wanted = [(row["frame"], row["proto"], row["id"], row["len"], row["sha256"])
                  for row in facts["linux"]["reassembled"]]
        listed, counts, _, reports = run(program, captures / name, folder / "out.pcap")
        records = ([f for _, f, _ in read_pcapng(folder / "out.pcap")[1]]
                   if facts["format"] == "pcapng" else read_pcap(folder / "out.pcap")[1])
        got = [(number, protocol, ident, length,
                hashlib.sha256(records[record][-length:]).hexdigest())
               for record, number, protocol, ident, length in listed]
        check(name, got, wanted)
        check_counters(name, counts, facts["linux"]["counters"])
        check(f"{name}: time exceeded", len(reports),
              facts["linux"]["emitted_icmp"].get("11/1", 0))
        for source, number, protocol, ident in reports:
            check(f"{name}: about frame {number}", (source, protocol, ident),
                  first_fragment(captures / name, number))
        reported += len(reports)
        tested += 1
        joined += len(wanted)
    if tested == 0 or joined == 0 or reported == 0:
        failures.append("expected.json names no capture with a datagram in fragments")
    print(f"{tested} captures, {joined} datagrams made whole and {reported} reported as by Linux")


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for test in (test_counts, test_reports, test_nothing_is_lost, test_rules, test_networks,
                     test_link_headers, test_offloads, test_pcapng, test_refusals):
            test(program, folder)
        if len(sys.argv) > 2 and (pathlib.Path(sys.argv[2]) / "expected.json").exists():
            test_captures(program, pathlib.Path(sys.argv[2]), folder)
        else:
            print("NOT HERE: defrag: captures of other tools (those made here passed)")
    for failure in failures:
        print(f"FAILED: {failure}"[:400])
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
