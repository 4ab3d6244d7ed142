#!/usr/bin/env python3
"""One end of a TCP transfer; prints the SHA-256 of what went through.

Usage: transfer.py receive ADDRESS PORT
       transfer.py send ADDRESS PORT MEGABYTES SECONDS_TO_CONNECT
"""
import hashlib
import random
import socket
import sys
import time

BLOCK = 1_000_000


def receive(address, port):
    digest = hashlib.sha256()
    with socket.create_server((address, port)) as server:
        print("listening", flush=True)
        connection, _ = server.accept()
        with connection:
            while block := connection.recv(BLOCK):
                digest.update(block)
    print("digest", digest.hexdigest(), flush=True)


def send(address, port, megabytes, timeout):
    digest = hashlib.sha256()
    source = random.Random(791)
    blocks = [source.randbytes(BLOCK) for _ in range(10)]
    start = time.monotonic()
    with socket.create_connection((address, port), timeout) as connection:
        for i in range(megabytes):
            # No two blocks alike: a block lost or exchanged is seen.
            block = i.to_bytes(4, "big") + blocks[i % len(blocks)][4:]
            connection.sendall(block)
            digest.update(block)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)
    seconds = time.monotonic() - start
    print(f"{megabytes} MB in {seconds:.1f} s, {megabytes * 8 / seconds:.0f} Mbit/s")
    print("digest", digest.hexdigest())


if __name__ == "__main__":
    try:
        if sys.argv[1] == "receive":
            receive(sys.argv[2], int(sys.argv[3]))
        else:
            send(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
    except OSError as error:
        sys.exit(f"{error}")
