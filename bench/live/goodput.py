"""TCP goodput between two network namespaces: one connection each way, for SECONDS seconds.

Usage: goodput.py to|from|both NAMESPACE_HERE NAMESPACE_THERE ADDRESS_THERE SECONDS    (as root)
Prints the Mbit/s that receivers read, after a fifth of the time; with `both` the sum and its parts.
"""
import ctypes
import os
import socket
import sys
import time

CLONE_NEWNET = 0x40000000
PORT = 5101
CHUNK = 1 << 18


def enter(namespace):
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{namespace}") as file:
        if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
            sys.exit(f"{namespace}: {os.strerror(ctypes.get_errno())}")


def send(connection, until):
    """In a process of its own, until the time is over."""
    child = os.fork()
    if child == 0:
        chunk = bytes(CHUNK)
        connection.settimeout(2)
        try:
            while time.monotonic() < until:
                connection.send(chunk)
        except OSError:
            pass
        os._exit(0)
    return child


def receive(connection, start, until):
    """Mbit/s between the two times."""
    buffer = bytearray(CHUNK)
    connection.settimeout(0.2)
    octets = 0
    while (now := time.monotonic()) < until:
        try:
            n = connection.recv_into(buffer)
        except TimeoutError:
            continue
        if n == 0:
            break
        if now >= start:
            octets += n
    return octets * 8 / (until - start) / 1e6


def main(way, here, there, address, seconds):
    enter(there)
    listener = socket.create_server((address, PORT))
    listener.settimeout(5)
    enter(here)
    ours = socket.create_connection((address, PORT), 5)
    theirs, _ = listener.accept()
    begin = time.monotonic()
    until = begin + seconds
    start = begin + seconds / 5
    children = []
    if way in ("to", "both"):
        children.append(send(ours, until))
    if way in ("from", "both"):
        children.append(send(theirs, until))
    if way == "both":
        read, write = os.pipe()
        reader = os.fork()
        if reader == 0:
            os.write(write, str(receive(theirs, start, until)).encode())
            os._exit(0)
        back = receive(ours, start, until)
        forth = float(os.read(read, 100))
        os.waitpid(reader, 0)
        print(f"{forth + back:.0f} {forth:.0f} {back:.0f}")
    else:
        print(f"{receive(theirs if way == 'to' else ours, start, until):.0f}")
    for socket_ in (ours, theirs):
        socket_.close()
    for child in children:
        os.kill(child, 9)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(*sys.argv[1:5], float(sys.argv[5]))
