"""Sends bytes over one TCP connection between two network namespaces; fails unless they arrive as they were.

Usage: exchange.py to|from|both NAMESPACE_HERE NAMESPACE_THERE ADDRESS_THERE MEBIOCTETS    (as root)
to, from: one way after the other end has nothing to say; both: both ways at once.
"""
import ctypes
import hashlib
import os
import random
import socket
import sys
import time

CLONE_NEWNET = 0x40000000
PORT = 5001
CHUNK = 1 << 20
LIMIT = 25  # seconds without a sign of life


def enter(namespace):
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{namespace}") as file:
        if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
            sys.exit(f"{namespace}: {os.strerror(ctypes.get_errno())}")


def send(connection, seed, count):
    """In a process of its own."""
    child = os.fork()
    if child == 0:
        chunk = random.Random(seed).randbytes(CHUNK)
        for number in range(count):
            connection.sendall(number.to_bytes(4, "big") + chunk[4:])
        connection.shutdown(socket.SHUT_WR)
        os._exit(0)
    return child


def receive(connection, seed, count):
    """True: what send() with the same seed and count sends, and no more."""
    chunk = random.Random(seed).randbytes(CHUNK)
    expected, digest, size = hashlib.sha256(), hashlib.sha256(), 0
    while data := connection.recv(CHUNK):
        digest.update(data)
        size += len(data)
    for number in range(count):
        expected.update(number.to_bytes(4, "big") + chunk[4:])
    return size == count * CHUNK and digest.digest() == expected.digest()


def main(way, here, there, address, count):
    enter(there)
    listener = socket.create_server((address, PORT))
    enter(here)
    ours = socket.create_connection((address, PORT), LIMIT)
    listener.settimeout(LIMIT)
    theirs, _ = listener.accept()
    theirs.settimeout(LIMIT)
    start = time.monotonic()
    children = []
    if way in ("to", "both"):
        children.append(send(ours, 1, count))
    if way in ("from", "both"):
        children.append(send(theirs, 2, count))
    right = True
    if way == "both":
        reader = os.fork()
        if reader == 0:
            os._exit(0 if receive(theirs, 1, count) else 1)
        right = receive(ours, 2, count)
        right = os.waitstatus_to_exitcode(os.waitpid(reader, 0)[1]) == 0 and right
    else:
        right = receive(theirs, 1, count) if way == "to" else receive(ours, 2, count)
    for child in children:
        os.waitpid(child, 0)
    if not right:
        sys.exit(f"{way}: what came is not what was sent")
    print(f"{way} {count} MiB in {time.monotonic() - start:.1f} s, digests equal")


if __name__ == "__main__":
    main(*sys.argv[1:5], int(sys.argv[5]))
