"""UDP between two network namespaces, of many addresses and ports, whole and in fragments; fails if a datagram is lost.

Usage: flows.py NAMESPACE_FROM NAMESPACE_TO ADDRESS_TO ADDRESS_FROM...    (as root)
"""
import random
import socket
import sys

from talk import in_namespace

PORTS = 8
SIZES = (20, 4000, 30000, 65507)


def bound(namespace, address):
    made = in_namespace(namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    made.settimeout(3)
    made.bind((address, 0))
    return made


def main():
    source, target, to, *hosts = sys.argv[1:]
    server = bound(target, to)
    clients = [bound(source, host) for host in hosts for _ in range(PORTS)]
    count = 0
    for number, client in enumerate(clients):
        for size in SIZES:
            content = random.Random(number).randbytes(size)
            client.sendto(content, server.getsockname())
            got, sender = server.recvfrom(65535)
            server.sendto(got, sender)
            if got != content or client.recv(65535) != content:
                sys.exit(f"a datagram of {size} bytes differs")
            count += 2
    print(f"{count} datagrams of {len(clients)} flows")


if __name__ == "__main__":
    main()
