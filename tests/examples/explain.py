#!/usr/bin/env python3
"""Tests the example `explain`: what it says about captures made here, then that it gets through
real captures where they are present.

Usage: explain.py PROGRAM [CAPTURES]
"""
import pathlib
import struct
import subprocess
import sys
import tempfile

OWN = pathlib.Path(__file__).resolve().parents[1] / "captures"
RAW_IP = 101
ROUTER = ["--address", "10.0.1.1/24", "--address", "10.0.2.1/24", "--forward",
          "--route", "default via 10.0.2.254"]
failures = []


def check(what, got, wanted):
    if got != wanted:
        failures.append(f"{what}:\n{got}\nnot\n{wanted}")


def summed(octets, at):
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return octets[:at] + struct.pack("!H", ~total & 0xFFFF) + octets[at + 2:]


def address(text):
    return bytes(int(part) for part in text.split("."))


def packet(to, payload, protocol=17, ttl=64, word=0, options=b"", ident=1):
    size = 20 + len(options)
    header = struct.pack("!BBHHHBBH", 0x40 + size // 4, 0, size + len(payload), ident, word, ttl,
                         protocol, 0) + address("10.0.1.2") + address(to) + options
    return summed(header, 10) + payload


echo = summed(struct.pack("!BBHHH", 8, 0, 0, 1, 1), 2)
udp = struct.pack("!HHHH", 7, 9, 10, 0) + b"hi"
wrong = packet("10.0.1.1", udp)[:10] + b"\1\1" + packet("10.0.1.1", udp)[12:]
records = [
    packet("10.0.1.1", echo, 1),
    packet("192.0.2.9", udp),
    packet("192.0.2.9", udp, ttl=1),
    wrong,
    packet("10.0.1.1", udp, options=bytes([7, 7, 3, 0, 0, 0, 0, 0])),
    packet("10.0.1.1", udp[:8], word=0x2000, ident=9),
    packet("10.0.1.1", udp[8:], word=1, ident=9),
    packet("10.0.1.1", udp[:6] + b"\xab\xcd" + b"hi"),
    packet("192.0.2.9", bytes(1500), word=0x4000),
    packet("10.0.1.1", b"", 200),
    b"\x60" + bytes(39),
]

TABLE = """\
    1 10.0.1.2 > 10.0.1.1               delivered
    2 10.0.1.2 > 192.0.2.9              forwarded
    3 10.0.1.2 > 192.0.2.9              dropped, ttl_expired: The time to live has expired. \
(RFC 1812 section 5.3.1)
    4 10.0.1.2 > 10.0.1.1               dropped, header_checksum: The header checksum is wrong. \
(RFC 1812 section 5.2.2)
    5 10.0.1.2 > 10.0.1.1               dropped, option_invalid: An option is malformed. \
(RFC 1122 section 3.2.1.8)
    6 10.0.1.2 > 10.0.1.1               held
    7 10.0.1.2 > 10.0.1.1               delivered
    8 10.0.1.2 > 10.0.1.1               dropped, udp_checksum: The UDP checksum is wrong. \
(RFC 1122 section 4.1.3.4)
    9 10.0.1.2 > 192.0.2.9              dropped, too_big: The packet exceeds the MTU and has DF set. \
(RFC 1812 section 5.2.6)
   10 10.0.1.2 > 10.0.1.1               dropped, protocol_unknown: The protocol has no handler. \
(RFC 1122 section 3.2.2.1)
   11 no IPv4
"""

TRACES = {
    1: """\
packet 1, 10.0.1.2 > 10.0.1.1
receive           proceed A packet arrived. Interface 2, 28 bytes. (RFC 1812 section 5.2.1)
  validate        proceed The header is sound. (RFC 1812 section 5.2.2)
  classify        deliver The packet is for this host. (RFC 1812 section 5.2.3)
  deliver         deliver The datagram is whole and for this host. Protocol 1, 28 bytes. (RFC 1122 \
section 3.2.1.3)
    icmp_input    deliver The ICMP message is sound. Type 8. (RFC 1122 section 3.2.2)
      originate   forward This host sends a datagram. Interface 2, 28 bytes. (RFC 1122 section \
3.3.1)
        output    forward The packet leaves. Interface 2, 28 bytes. (RFC 1812 section 5.2.4.2)
""",
    5: """\
packet 5, 10.0.1.2 > 10.0.1.1
receive           proceed A packet arrived. Interface 2, 38 bytes. (RFC 1812 section 5.2.1)
  validate        proceed The header is sound. (RFC 1812 section 5.2.2)
  classify        deliver The packet is for this host. (RFC 1812 section 5.2.3)
  options         reject  An option is malformed. Byte 22, options. Asks for ICMP type 12 code \
0. (RFC 1122 section 3.2.1.8)
    icmp_error    forward The sender gets an ICMP error. ICMP type 12 code 0. (RFC 1812 section 4.3.2)
      originate   forward This host sends a datagram. Interface 2, 66 bytes. (RFC 1122 section \
3.3.1)
        output    forward The packet leaves. Interface 2, 66 bytes. (RFC 1812 section 5.2.4.2)
  end             drop    Dropped: option_invalid; Linux IP_INHDR; Ip.InHdrErrors
""",
    8: """\
packet 8, 10.0.1.2 > 10.0.1.1
receive           proceed A packet arrived. Interface 2, 30 bytes. (RFC 1812 section 5.2.1)
  validate        proceed The header is sound. (RFC 1812 section 5.2.2)
  classify        deliver The packet is for this host. (RFC 1812 section 5.2.3)
  deliver         deliver The datagram is whole and for this host. Protocol 17, 30 bytes. (RFC 1122 \
section 3.2.1.3)
  end             drop    The UDP checksum is wrong. Byte 6 of the payload, UDP checksum. (RFC \
1122 section 4.1.3.4) Dropped: udp_checksum; Linux UDP_CSUM; Udp.InErrors; Udp.InCsumErrors
""",
}


def run(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    return done.returncode, done.stdout


def said(program, *arguments):
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True).stderr


def write_pcap(path, packets):
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, RAW_IP))
        for second, octets in enumerate(packets):
            out.write(struct.pack("<IIII", second, 0, len(octets), len(octets)) + octets)


def check_own(program):
    with tempfile.TemporaryDirectory() as folder:
        capture = pathlib.Path(folder) / "made.pcap"
        write_pcap(capture, records)
        check("table", run(program, *ROUTER, capture), (0, TABLE))
        for number, text in TRACES.items():
            check(f"packet {number}", run(program, *ROUTER, capture, number), (0, text))
        # Without an address: everything is led on.
        code, out = run(program, capture)
        check("no address", (code, out.count(" forwarded\n")), (0, 6))
        check("no such packet", run(program, capture, len(records) + 1), (1, ""))
        check("no such packet, said", said(program, capture, len(records) + 1).endswith(
            f"explain: {capture} has no packet 12; give a number up to 11\n"), True)
        check("wrong sums, said", said(program, *ROUTER, capture),
              f"explain: {capture}: 2 packets have a wrong checksum; if the capture was made before "
              "the device filled it in, use --no-checksum\n")
        code, out = run(program, *ROUTER, "--no-checksum", capture)
        check("--no-checksum", (code, out), (0, TABLE.replace(
            "dropped, header_checksum: The header checksum is wrong. (RFC 1812 section 5.2.2)",
            "delivered").replace(
            "dropped, udp_checksum: The UDP checksum is wrong. (RFC 1122 section 4.1.3.4)",
            "delivered")))
        for bad in (["--address", "10.0.1.1"], ["--nonsense"], ["--route", "default"], ["x", "0"],
                    ["--route", "default via 10.0.0.1"], []):
            check(f"usage {bad}", run(program, *bad, capture)[0] if bad else run(program)[0], 2)
        capture.write_bytes(b"no capture at all, but long enough")
        check("rubbish", run(program, capture), (1, ""))
        check("rubbish, said", said(program, capture),
              f"explain: read {capture}: this is neither pcap nor pcapng; `editcap {capture} "
              "NEW.pcapng` may convert it\n")
        check_routes(program)
        for what, refused, reason, words in (
                ("a gateway elsewhere", "--route default via 9.9.9.9",
                 "no link leads to its gateway; name a gateway on a link, or add dev NAME onlink", ["--route", "default via 9.9.9.9"]),
                ("a link that is not there", "--route default dev 3",
                 "dev takes lo or a number, 2 for the interface of the first --address", ["--route", "default dev 3"]),
                ("a source of others", "--route 20.0.0.0/8 via 10.0.1.9 src 10.0.1.7",
                 "its preferred source is not a local address; give one that is",
                 ["--route", "20.0.0.0/8 via 10.0.1.9 src 10.0.1.7"]),
                ("too many addresses", "--address 10.0.31.1/24", "there are too many; give fewer",
                 [word for i in range(2, 100) for word in ("--address", f"10.0.{i}.1/24")])):
            given = "--address", "10.0.1.1/24", *words, OWN / "big.pcap"
            check(what, run(program, *given), (2, ""))
            check(f"{what}, said", said(program, *given), f"explain: {refused} refused: {reason}\n")


# Routes as `ip route` spells them, and as many as are given: the first and the last decide.
def check_routes(program):
    links = ROUTER[:ROUTER.index("--route")]
    by = "forward         forward The packet may be forwarded. Interface {}, next hop {}. (RFC 1812 section 5.2.1.2)"
    cut = "fragment      forward The packet is cut. 2 pieces. (RFC 1812 section 5.2.6)"
    refused = ("classify        reject  A route says that the destination is prohibited. Byte 16, destination. "
               "Asks for ICMP type 3 code 13. (RFC 1812 section 5.2.7.1)")
    silent = "classify        drop    A route drops the packet silently. Byte 16, destination. (Linux)"
    other = "192.0.2.0/24 via 10.0.1.254 metric 9"
    with tempfile.TemporaryDirectory() as folder:
        capture = pathlib.Path(folder) / "routes.pcap"
        for routes, line in (
                (["default via 9.9.9.9 dev 3 onlink"], by.format(3, "9.9.9.9")),
                (["default dev 3"], by.format(3, "192.0.2.9")),
                (["192.0.2.9 via 10.0.2.254 mtu 600"], cut),
                ([other], by.format(2, "10.0.1.254")),
                ([other, "192.0.2.0/24 via 10.0.2.254 src 10.0.1.1 metric 5"], by.format(3, "10.0.2.254")),
                ([other, "prohibit 192.0.2.0/24 metric 5"], refused),
                ([other, "192.0.2.0/24 via 10.0.2.254 tos 8"], by.format(2, "10.0.1.254")),
                (["default via 10.0.1.254", "blackhole 192.0.2.0/24"], silent)):
            write_pcap(capture, [packet("192.0.2.9", bytes(1000))])
            words = [word for route in routes for word in ("--route", route)]
            code, out = run(program, *links, *words, capture, 1)
            check(f"--route {routes}", (code, line if f" {line}\n" in f" {out}" else out), (0, line))
        for count in 1, 1025, 5000:
            many = [f"20.{i >> 8}.{i & 255}.0/24" for i in range(count)]
            write_pcap(capture, [packet(many[at].replace(".0/24", ".9"), b"") for at in (0, -1)])
            words = [word for i, to in enumerate(many)
                     for word in ("--route", f"{to} via 10.0.2.{8 if i + 1 == count else 9}")]
            for number, gateway in (1, 8 if count == 1 else 9), (2, 8):
                code, out = run(program, *links, *words, capture, number)
                check(f"{count} routes, packet {number}", (code, by.format(3, f"10.0.2.{gateway}") in out), (0, True))
        for bad, reason in (
                ("default via", "via wants an address, not: nothing"),
                ("default weight 2", "unknown word: weight"),
                ("via 10.0.1.9", "a route begins with its prefix, such as 10.0.0.0/8 or default, not: via")):
            given = *links, "--route", bad, capture
            check(f"--route {bad}", run(program, *given), (2, ""))
            check(f"--route {bad}, said", said(program, *given).splitlines()[0], f"explain: --route {bad}: {reason}")


# A packet with the total length 0 in front of what segmentation offload or BIG TCP left.
def unsaid(size, protocol=6, word=0):
    head = struct.pack("!BBHHHBBH", 0x45, 0, 0, 1, word, 64, protocol, 0)
    head = summed(head + address("10.0.1.2") + address("192.0.2.9"), 10)
    transport = struct.pack("!HHIIBBHHH", 1000, 80, 1, 1, 0x50, 0x10, 1000, 0, 0)
    return (head + transport + bytes(size))[:size]


# Linux takes the packet's own length for TCP that a device is to cut, and for nothing else.
def check_big(program):
    taken = "forwarded (total length 0: taken as {}, segmentation was left to the device)"
    long = ("dropped, length_below_header: The total length is less than the header length. (RFC 1812 "
            "section 5.2.2) (total length 0, and of {} bytes: only TCP that is no fragment may be "
            "longer than 65535)")
    cut = ("dropped, length_beyond_packet: The total length exceeds the packet. (RFC 1812 "
           "section 5.2.2) (total length 0: taken as {}, segmentation was left to the device) (cut by "
           "the capture)")
    rows = [
        (unsaid(3000), 3000, taken),
        (unsaid(65535), 65535, taken),
        (unsaid(65536), 65536, taken),
        (unsaid(262000), 262000, taken),
        (unsaid(3000, 17), 3000, taken),
        (unsaid(65536, 17), 65536, long),
        (unsaid(70000, 1), 70000, long),
        (unsaid(70000, 6, 0x2000), 70000, long),
        (unsaid(70000, 6, 1), 70000, long),
        (unsaid(1000), 3000, cut),
        (unsaid(1000), 65535, cut),
        (unsaid(1000), 65536, long + " (cut by the capture)"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        capture = pathlib.Path(folder) / "big"
        with open(capture, "wb") as out:
            out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, RAW_IP))
            for octets, size, _ in rows:
                out.write(struct.pack("<IIII", 1, 0, len(octets), size) + octets)
        for options in ([], ["--no-checksum"]):
            lines = run(program, *options, capture)[1].splitlines()
            check("total length 0", [line.split(" > 192.0.2.9 ")[1].strip() for line in lines],
                  [row[2].format(row[1]) for row in rows])


# What tshark finds in the captures of this tree is found here too; the exit codes; the remarks.
def check_of_this_tree(program):
    forwarded = "    1 10.0.1.2 > 10.0.2.2               forwarded"
    rows = [line.split("\t") for line in (OWN / "expected.tsv").read_text().splitlines()[1:]]
    check("captures of this tree", len(rows), 8)
    for name, frames, ipv4 in rows:
        code, out = run(program, OWN / name)
        lines = out.splitlines()
        check(f"{name}: exit code", code, 3 if name == "radiotap.pcap" else 0)
        check(f"{name}: frames", len(lines), int(frames))
        found = [line.split()[0] for line in lines if "no IPv4" not in line and
                 "link type" not in line]
        check(f"{name}: IPv4", ",".join(found), ipv4)
    for name, of_ipv4 in {"links_big.pcapng": 28, "links_little.pcapng": 28, "blocks.pcapng": 4,
                          "big.pcap": 1}.items():
        lines = run(program, OWN / name)[1].splitlines()
        check(name, [line[5:] for line in lines if "no IPv4" not in line],
              [forwarded[5:]] * of_ipv4)
    check("radiotap", run(program, OWN / "radiotap.pcap")[1],
          "    1 link type 127 (IEEE802_11_RADIOTAP) is unknown\n")
    check("radiotap, said", said(program, OWN / "radiotap.pcap"),
          f"explain: {OWN / 'radiotap.pcap'}: 1 packets have link type 127 (IEEE802_11_RADIOTAP), "
          "which is unknown; if its header has a fixed length, `editcap -L -C LENGTH -T "
          "rawip` takes it off\n")
    check("offloaded", run(program, "--no-checksum", OWN / "offloaded.pcap")[1],
          forwarded + " (total length 0: taken as 3040, segmentation was left to the device)\n" +
          forwarded.replace("1", "2", 1) + "\n")
    check_big(program)
    out = run(program, OWN / "cut.pcap")[1].splitlines()
    check("cut", ["(cut by the capture)" in line for line in out], [True, False, False])
    check("cut, said", said(program, OWN / "cut.pcap"),
          f"explain: {OWN / 'cut.pcap'}: the capture holds only the beginning of 2 packets; capture "
          "with a larger snap length (tcpdump -s 0)\n")
    with tempfile.TemporaryDirectory() as folder:
        cut = pathlib.Path(folder) / "cut"
        octets = (OWN / "blocks.pcapng").read_bytes()
        cut.write_bytes(octets[:-7])
        code, out = run(program, cut)
        check("damaged", (code, len(out.splitlines())), (1, 3))
        check("damaged, said", said(program, cut),
              f"explain: {cut}: damaged behind packet 3: the file ends inside a packet or a header; "
              "the packets before were read, capture the others again\n")


def check_captures(program, folder):
    captures = sorted(pathlib.Path(folder).glob("*.pcap"))
    if not captures:
        print("NOT HERE: explain: captures of other tools (those of the tree were read)")
    for capture in captures:
        code, out = run(program, capture)
        for line in out.splitlines():
            if not any(word in line for word in ("no IPv4", "delivered", "forwarded", "dropped, ",
                                                 "held", "absorbed")):
                failures.append(f"{capture.name}: {line}")
        again, trace = run(program, capture, 1)
        if code == 0 and out and (again != 0 or not trace.startswith("packet 1, ")):
            failures.append(f"{capture.name}: packet 1: {trace}")


check_own(sys.argv[1])
check_of_this_tree(sys.argv[1])
if len(sys.argv) > 2:
    check_captures(sys.argv[1], sys.argv[2])
for failure in failures:
    print("FAILED:", failure)
sys.exit(1 if failures else 0)
