"""IPv4 packets as hexadecimal digits, for the scenarios of this folder."""

import socket
import struct


def checksum(octets):
    if len(octets) % 2:
        octets += b"\0"
    total = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def put_checksum(octets, at, value):
    return octets[:at] + struct.pack(">H", value) + octets[at + 2:]


def datagram(source, destination, protocol, payload, ttl=64, flags_and_offset=0, options=b""):
    words = 5 + len(options) // 4
    header = struct.pack(">BBHHHBBH", 0x40 | words, 0, 4 * words + len(payload), 0x1234,
                         flags_and_offset, ttl, protocol, 0)
    header += socket.inet_aton(source) + socket.inet_aton(destination) + options
    return put_checksum(header, 10, checksum(header)) + payload


def udp(source, destination, port=9, data=b"a", wrong=0):
    message = struct.pack(">HHHH", 5000, port, 8 + len(data), 0) + data
    pseudo = socket.inet_aton(source) + socket.inet_aton(destination)
    pseudo += struct.pack(">BBH", 0, 17, len(message))
    return put_checksum(message, 6, (checksum(pseudo + message) or 0xffff) ^ wrong)


def echo_request(identifier=7):
    message = struct.pack(">BBHHH", 8, 0, 0, identifier, 1) + b"ping"
    return put_checksum(message, 2, checksum(message))


def route_option(kind, *hops, pointer=4):
    """Loose (0x83) and strict (0x89) source routes, record route (7); padded to whole words."""
    option = bytes([kind, 3 + 4 * len(hops), pointer]) + b"".join(map(socket.inet_aton, hops))
    return option + bytes(-len(option) % 4)
