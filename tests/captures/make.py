#!/usr/bin/env python3
"""Makes the small captures of this folder, and the table of what is in them (expected.tsv).

make.py            writes them
make.py --check    fails when one is not what this script makes
make.py --tshark   fails when tshark finds other IPv4 packets in them than the table says

Each packet is IPv4 and UDP from 10.0.1.2 to 10.0.2.2 with "hello"; what differs is around it.
"""
import pathlib
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ETHERNET = bytes.fromhex("020000000001 020000000002")
SNAP = bytes.fromhex("aaaa03 000000")


def header_sum(octets):
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(payload=struct.pack("!HHHH", 1, 2, 13, 0) + b"hello", **changed):
    fields = {"length": 20 + len(payload), "ident": 7, "word": 0, "protocol": 17, "check": None,
              "source": bytes([10, 0, 1, 2]), "destination": bytes([10, 0, 2, 2])}
    fields.update(changed)
    header = struct.pack("!BBHHHBBH", 0x45, 0, fields["length"], fields["ident"], fields["word"],
                         64, fields["protocol"], 0) + fields["source"] + fields["destination"]
    check = header_sum(header) if fields["check"] is None else fields["check"]
    return header[:10] + struct.pack("!H", check) + header[12:] + payload


def half(*values):
    return struct.pack(f"!{len(values)}H", *values)


def pppoe(packet, protocol=b"\x00\x21"):
    return half(0x1100, 9, len(protocol) + len(packet)) + protocol + packet


def llc(header, packet):
    return half(len(header) + len(packet)) + header + packet


# Link type, frame, whether IPv4 is in it.
def links():
    ip = ipv4()
    sll = half(0, 1, 6) + bytes.fromhex("0200000000020000")
    sll_sent = half(4, 1, 6) + bytes.fromhex("0200000000020000")
    sll2 = half(0, 0, 2, 1) + bytes.fromhex("0006") + bytes.fromhex("0200000000020000")
    plain = [
        (0, b"\x02\0\0\0" + ip, 1), (0, b"\0\0\0\x02" + ip, 1), (0, b"\x1e\0\0\0" + ip, 0),
        (1, ETHERNET + half(0x0800) + ip, 1),
        (1, ETHERNET + half(0x0806) + bytes(28), 0),
        (1, ETHERNET + half(0x8100, 5, 0x0800) + ip, 1),
        (1, ETHERNET + half(0x88A8, 5, 0x8100, 6, 0x0800) + ip, 1),
        (1, ETHERNET + half(0x9100, 5, 0x8100, 6, 0x0800) + ip, 1),
        (1, ETHERNET + half(0x88A8, 5, 0x8100, 6, 0x8100, 0, 0x8100, 8, 0x0800) + ip, 1),
        (1, ETHERNET + llc(SNAP + half(0x0800), ip) + bytes(9), 1),
        (1, ETHERNET + llc(bytes.fromhex("060603"), ip), 1),
        (1, ETHERNET + llc(bytes.fromhex("424203"), bytes(35)), 0),
        (1, ETHERNET + half(0x8100, 5) + llc(SNAP + half(0x0800), ip), 1),
        (1, ETHERNET + half(0x8864) + pppoe(ip), 1),
        (1, ETHERNET + half(0x8864) + pppoe(bytes(40), b"\x00\x57"), 0),
        (1, ETHERNET + half(0x8100, 7, 0x8864) + pppoe(ip), 1),
        (9, half(0xFF03, 0x0021) + ip, 1), (9, half(0x0021) + ip, 1), (9, b"\x21" + ip, 1),
        (9, half(0xC021) + bytes(8), 0),
        (50, half(0xFF03, 0x0021) + ip, 1), (50, half(0x0F00, 0x0800) + ip, 1),
        (51, pppoe(ip), 1),
        (101, ip, 1), (101, b"\x60" + bytes(39), 0),
        (104, half(0x0F00, 0x0800) + ip, 1),
        (108, b"\0\0\0\x02" + ip, 1),
        (113, sll + half(0x0800) + ip, 1), (113, sll_sent + half(0x0800) + ip, 1),
        (113, sll + half(0x8100, 5, 0x0800) + ip, 1), (113, sll + half(0x0806) + bytes(28), 0),
        (113, sll + half(4) + SNAP + half(0x0800) + ip, 1),
        (228, ip, 1),
        (276, half(0x0800) + sll2 + ip, 1), (276, half(0x8100) + sll2 + half(5, 0x0800) + ip, 1),
    ]
    return plain


class Pcapng:
    def __init__(self, order):
        self.order = order
        self.octets = b""

    def pack(self, form, *values):
        return struct.pack(self.order + form, *values)

    def block(self, kind, body):
        body += bytes(-len(body) % 4)
        size = self.pack("I", 12 + len(body))
        self.octets += self.pack("I", kind) + size + body + size

    def section(self):
        self.block(0x0A0D0D0A, self.pack("IHHq", 0x1A2B3C4D, 1, 0, -1))

    def option(self, code, value):
        return self.pack("HH", code, len(value)) + value + bytes(-len(value) % 4)

    def interface(self, link, options=b""):
        self.block(1, self.pack("HHI", link, 0, 0) + options)

    def packet(self, interface, frame, options=b"", ticks=1_700_000_000_000_000):
        self.block(6, self.pack("IIIII", interface, ticks >> 32, ticks & 0xFFFFFFFF, len(frame),
                                len(frame)) + frame + bytes(-len(frame) % 4) + options)


def pcap(order, link, frames, magic=0xA1B2C3D4):
    octets = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link)
    for frame, size in frames:
        octets += struct.pack(order + "IIII", 1_700_000_000, 0, len(frame), size) + frame
    return octets


def links_in_one(order):
    made = Pcapng(order)
    made.section()
    for link, _, _ in links():
        made.interface(link)
    for number, (_, frame, _) in enumerate(links()):
        made.packet(number, frame)
    return made.octets, [is_ip for _, _, is_ip in links()]


def blocks():
    """Every kind of block, 80 interfaces, two sections of different byte orders."""
    made = Pcapng("<")
    made.section()
    made.block(0x7777, b"nobody knows it")
    for _ in range(79):
        made.interface(1)
    made.interface(101, made.option(2, b"last") + made.option(9, b"\x09") +
                   made.option(14, made.pack("q", 3)) + made.option(0, b""))
    made.packet(79, ipv4(), made.option(2, made.pack("I", 2)) + made.option(0, b""))
    made.block(5, made.pack("III", 79, 0, 0))  # statistics
    made.packet(3, ETHERNET + half(0x0800) + ipv4())
    made.order = ">"
    made.section()
    made.interface(228)
    made.block(4, made.pack("HH", 0, 0))  # names
    made.block(3, made.pack("I", len(ipv4())) + ipv4())
    made.block(2, made.pack("HHIIII", 0, 9, 0, 5, len(ipv4()), len(ipv4())) + ipv4())
    return made.octets, [1, 1, 1, 1]


def captures():
    """Name: bytes, and for each packet whether it is IPv4."""
    whole = ETHERNET + half(0x0800) + ipv4()
    tcp = struct.pack("!HHIIBBHHH", 1, 2, 3, 4, 0x50, 0x18, 99, 0, 0) + bytes(3000)
    offloaded = [ETHERNET + half(0x0800) + ipv4(tcp, length=0, protocol=6),
                 ETHERNET + half(0x0800) + ipv4(check=0)]
    return {
        "links_big.pcapng": links_in_one(">"),
        "links_little.pcapng": links_in_one("<"),
        "blocks.pcapng": blocks(),
        "big.pcap": (pcap(">", 1, [(whole, len(whole))]), [1]),
        "nanoseconds.pcap": (pcap("<", 1, [(whole, len(whole))], 0xA1B23C4D), [1]),
        "cut.pcap": (pcap("<", 1, [(whole[:40], len(whole)), (whole[:20], len(whole)),
                                   (whole, len(whole))]), [1, 1, 1]),
        "offloaded.pcap": (pcap("<", 1, [(f, len(f)) for f in offloaded]), [1, 1]),
        "radiotap.pcap": (pcap("<", 127, [(half(0, 0x0800, 0, 0) + bytes(24), 32)]), [0]),
    }


def table():
    rows = ["name\tframes\tipv4"]
    for name, (_, is_ip) in captures().items():
        rows.append(f"{name}\t{len(is_ip)}\t{','.join(str(i + 1) for i, x in enumerate(is_ip) if x)}")
    return "\n".join(rows) + "\n"


def ask_tshark():
    wrong = 0
    for name, (_, is_ip) in captures().items():
        said = subprocess.run(["tshark", "-r", HERE / name, "-T", "fields", "-e",
                               "frame.protocols"], capture_output=True, text=True)
        found = [int("ip" in line.split(":")) for line in said.stdout.splitlines()]
        if said.returncode != 0 or found != is_ip:
            print(f"{name}: tshark says\n{found}, not\n{is_ip}\n{said.stderr}")
            wrong = 1
    return wrong


def main():
    made = {name: octets for name, (octets, _) in captures().items()}
    made["expected.tsv"] = table().encode()
    if sys.argv[1:] == ["--tshark"]:
        return ask_tshark()
    if sys.argv[1:] == ["--check"]:
        wrong = [name for name, octets in made.items()
                 if not (HERE / name).exists() or (HERE / name).read_bytes() != octets]
        for name in wrong:
            print(f"{name} is not what make.py makes; run tests/captures/make.py")
        return 1 if wrong else 0
    if sys.argv[1:]:
        sys.exit(__doc__)
    for name, octets in made.items():
        (HERE / name).write_bytes(octets)
    return 0


if __name__ == "__main__":
    sys.exit(main())
