#!/usr/bin/env python3
"""Sends a UDP datagram from a connected socket; exit code 0 when the kernel reports it refused.

Usage: udp.py ADDRESS PORT SECONDS
"""
import socket
import sys

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    sender.settimeout(float(sys.argv[3]))
    sender.connect((sys.argv[1], int(sys.argv[2])))
    sender.send(b"is anybody there?")
    try:
        sender.recv(100)
    except ConnectionRefusedError as error:
        print(f"refused: {error}")
    except TimeoutError:
        sys.exit("timed out: nobody answered")
    else:
        sys.exit("somebody answered")
