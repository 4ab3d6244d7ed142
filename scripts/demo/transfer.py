#!/usr/bin/env python3
"""One end of a TCP connection that carries bytes one way, or both ways at once.

Usage: transfer.py listen ADDRESS PORT MEGABYTES SECONDS
       transfer.py connect ADDRESS PORT MEGABYTES SECONDS

Sends that many megabytes and meanwhile receives what the other end sends; gives up after so many
seconds without progress. Prints the SHA-256 of each: what one end sent has to be what the other
received.
"""
import concurrent.futures
import hashlib
import random
import socket
import sys
import time

BLOCK = 1_000_000


class Ending:
    def __init__(self, connection, seed):
        self.connection = connection
        self.source = random.Random(seed)
        self.sent = hashlib.sha256()
        self.received = hashlib.sha256()
        self.received_octets = 0

    def send(self, megabytes, is_last):
        """Gives how much had been received when the last was sent."""
        blocks = [self.source.randbytes(BLOCK) for _ in range(min(megabytes, 10))]
        for i in range(megabytes):
            # No two blocks alike: a block lost or exchanged is seen.
            block = i.to_bytes(4, "big") + blocks[i % len(blocks)][4:]
            self.connection.sendall(block)
            self.sent.update(block)
        meanwhile = self.received_octets
        if is_last:
            self.connection.shutdown(socket.SHUT_WR)
        return meanwhile

    def receive(self):
        while block := self.connection.recv(BLOCK):
            self.received.update(block)
            self.received_octets += len(block)


def exchange(connection, megabytes, is_listening):
    """The end that listens closes last: when both have everything."""
    here = Ending(connection, 791 + is_listening)
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor() as pool, connection:
        sending = pool.submit(here.send, megabytes, not is_listening)
        here.receive()
        meanwhile = sending.result()
    print(f"seconds {time.monotonic() - start:.1f}")
    print(f"meanwhile {meanwhile / 1e6:.0f}")
    print(f"sent {megabytes} MB {here.sent.hexdigest()}")
    print(f"received {here.received_octets / 1e6:g} MB {here.received.hexdigest()}", flush=True)


def main(role, address, port, megabytes, seconds):
    if role == "connect":
        exchange(socket.create_connection((address, port), seconds), megabytes, False)
        return
    with socket.create_server((address, port)) as server:
        server.settimeout(seconds)
        print("listening", flush=True)
        connection, _ = server.accept()
        connection.settimeout(seconds)
        exchange(connection, megabytes, True)


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
    except OSError as error:
        sys.exit(f"{error}")
