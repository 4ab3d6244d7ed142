"""Sends bytes from one network namespace to another over TCP and segmented UDP; fails unless they are the same.

Usage: talk.py NAMESPACE_FROM NAMESPACE_TO ADDRESS_TO    (as root)
"""
import ctypes
import hashlib
import os
import random
import socket
import sys

TCP_OCTETS = 8 << 20
SOL_UDP, UDP_SEGMENT = 17, 103
UDP_SIZE, UDP_PIECES, UDP_TIMES = 1200, 40, 30
CLONE_NEWNET = 0x40000000


def enter(namespace):
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{namespace}") as file:
        if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
            sys.exit(f"{namespace}: {os.strerror(ctypes.get_errno())}")


def in_namespace(namespace, make):
    """A socket belongs to the namespace in which it is made."""
    enter(namespace)
    made = make()
    made.settimeout(15)
    return made


def over_tcp(source, target, address):
    content = random.Random(1).randbytes(TCP_OCTETS)
    listener = in_namespace(target, lambda: socket.create_server((address, 5001)))
    sender = in_namespace(source, lambda: socket.create_connection((address, 5001), 15))
    receiver, _ = listener.accept()
    receiver.settimeout(15)
    child = os.fork()
    if child == 0:
        sender.sendall(content)
        sender.shutdown(socket.SHUT_WR)
        os._exit(0)
    sender.close()
    digest, size = hashlib.sha256(), 0
    while data := receiver.recv(1 << 20):
        digest.update(data)
        size += len(data)
    os.waitpid(child, 0)
    if digest.digest() != hashlib.sha256(content).digest():
        sys.exit(f"TCP: {size} bytes came, {TCP_OCTETS} were sent, or they differ")
    listener.close()
    return size


def over_udp(source, target, address):
    receiver = in_namespace(target, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    receiver.bind((address, 5002))
    sender = in_namespace(source, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sender.setsockopt(SOL_UDP, UDP_SEGMENT, UDP_SIZE)
    sender.connect((address, 5002))
    for number in range(UDP_TIMES):
        # The last datagram of each is short, and of odd length.
        content = random.Random(number).randbytes(UDP_SIZE * UDP_PIECES - 333)
        sender.send(content)
        got = b"".join(receiver.recv(65536) for _ in range(UDP_PIECES))
        if got != content:
            sys.exit(f"UDP: burst {number} differs")
    return UDP_TIMES * UDP_PIECES


if __name__ == "__main__":
    source, target, address = sys.argv[1:]
    print(f"TCP {over_tcp(source, target, address)} bytes, "
          f"UDP {over_udp(source, target, address)} datagrams")
