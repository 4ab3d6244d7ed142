"""Sends what no well-meaning host sends, about four thousand packets a second, until killed.

Usage: hostile.py INTERFACE LINK_ADDRESS|- NETWORK SEED    (as root, in the host's network namespace)
NETWORK: the first three bytes of the host's network, in which .1 is the router; `-`: no link header.
"""
import random
import socket
import struct
import sys
import time

BATCH, PAUSE = 40, 0.01
ETHERTYPES = (0x0800, 0x0806, 0x8100, 0x86DD, 0x88A8, 0x0005)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Maker:
    def __init__(self, interface, router, network, seed):
        self.dice = random.Random(seed)
        self.network = network
        self.router = None if router == "-" else bytes.fromhex(router.replace(":", ""))
        if self.router:
            with open(f"/sys/class/net/{interface}/address") as file:
                self.own = bytes.fromhex(file.read().strip().replace(":", ""))

    def some_address(self):
        kind = self.dice.randrange(8)
        if kind == 0:
            return self.dice.randbytes(4)
        if kind == 1:  # router, broadcasts, a group, nobody
            return socket.inet_aton(self.dice.choice(
                (f"{self.network}.1", f"{self.network}.255", "255.255.255.255", "224.0.0.1", "0.0.0.0", "127.0.0.1")))
        if kind == 2:  # a host that is not there
            return socket.inet_aton(f"10.0.{self.dice.randrange(1, 4)}.{self.dice.randrange(20, 255)}")
        return socket.inet_aton(self.dice.choice(("10.0.1.1", "10.0.2.1", "10.0.3.1", "10.0.1.2", "10.0.2.2", "10.0.3.2")))

    def header(self, protocol, payload, *, source=None, target=None, offset=0, options=b"", number=None):
        options += b"\0" * (-len(options) % 4)
        size = 20 + len(options)
        number = self.dice.randrange(65536) if number is None else number
        made = struct.pack("!BBHHHBBH4s4s", 0x40 + size // 4, self.dice.choice((0, 0, 3, 0xB8)), size + len(payload),
                           number, offset, self.dice.choice((64, 64, 2, 1, 0)), protocol, 0,
                           source or socket.inet_aton(f"{self.network}.2"), target or self.some_address()) + options
        return made[:10] + struct.pack("!H", checksum(made)) + made[12:] + payload

    def datagram(self):
        return self.header(self.dice.choice((1, 2, 6, 17, 17, 47, 255)), self.dice.randbytes(self.dice.randrange(200)))

    def with_options(self):
        kinds = (7, 68, 131, 137, 148, 130, 0, 1, 30)
        options = b"".join(bytes((kind, size := self.dice.randrange(2, 12), 4)) + self.dice.randbytes(max(0, size - 3))
                           for kind in self.dice.sample(kinds, 2))[:40]
        return self.header(17, self.dice.randbytes(20), options=options)

    def fragment(self):
        """Of datagrams that are seldom whole; offsets overlap."""
        offset = self.dice.choice((0, 0, 1, 2, 185, self.dice.randrange(8192)))
        return self.header(17, self.dice.randbytes(self.dice.choice((8, 16, 1480, 13))),
                           offset=offset | self.dice.choice((0, 0x2000, 0x2000)), number=self.dice.randrange(64))

    def icmp_error(self):
        quote = self.header(17, self.dice.randbytes(8))
        kind, code = self.dice.choice(((3, 4), (3, 1), (5, 1), (11, 0), (12, 0), (8, 0), (13, 0)))
        message = struct.pack("!BBHHH", kind, code, 0, 0, self.dice.choice((0, 68, 552, 1400))) + quote
        return self.header(1, message[:2] + struct.pack("!H", checksum(message)) + message[4:])

    def broken(self):
        octets = bytearray(self.datagram())
        for _ in range(self.dice.randrange(1, 4)):
            octets[self.dice.randrange(len(octets))] = self.dice.randrange(256)
        return bytes(octets[:self.dice.randrange(len(octets) + 1)]) if self.dice.random() < 0.3 else bytes(octets)

    def arp(self):
        """Scans, and claims of addresses that nobody needs."""
        somebody = socket.inet_aton(f"{self.network}.{self.dice.randrange(20, 255)}")
        anybody = socket.inet_aton(f"{self.network}.{self.dice.randrange(256)}")
        body = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, self.dice.choice((1, 1, 2)),
                           b"\x02" + self.dice.randbytes(5), somebody, bytes(6), anybody)
        return body if self.dice.random() < 0.9 else body[:self.dice.randrange(28)]

    def packet(self):
        make = self.dice.choice((self.datagram, self.with_options, self.fragment, self.icmp_error, self.broken))
        return make()

    def frame(self):
        if self.router is None:
            return self.packet() or b"\0"
        to = self.dice.choice((self.router, self.router, self.router, b"\xff" * 6, b"\x01\0\x5e\0\0\x01"))
        if self.dice.random() < 0.2:
            return to + self.own + struct.pack("!H", 0x0806) + self.arp()
        kind = 0x0800 if self.dice.random() < 0.95 else self.dice.choice(ETHERTYPES)
        return (to + self.own + struct.pack("!H", kind) + self.packet())[:1514]


def main(interface, router, network, seed):
    maker = Maker(interface, router, network, seed)
    sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW if maker.router else socket.SOCK_DGRAM)
    frames = [maker.frame() for _ in range(20000)]
    number = 0
    while True:
        for _ in range(BATCH):
            number += 1
            try:
                sender.sendto(frames[number * 7919 % len(frames)], (interface, 0x0800))
            except OSError:  # the interface is down, or the queue full
                time.sleep(PAUSE)
        time.sleep(PAUSE)


if __name__ == "__main__":
    main(*sys.argv[1:4], int(sys.argv[4]))
