#!/usr/bin/env python3
"""A control socket that answers as it is told, for test-belfryctl.sh.

    fake-daemon.py SOCKET answer FILE   sends the file, closes
    fake-daemon.py SOCKET huge          a line without an end
    fake-daemon.py SOCKET silent        reads, and never says a word
    fake-daemon.py SOCKET close         closes at once

Serves one client. What it was asked goes to SOCKET.request. The socket is at
its place only once somebody listens.
"""
import os
import socket
import sys
import time


def read_request(client, path):
    request = b""
    while not request.endswith(b"\n"):
        piece = client.recv(65536)
        if not piece:
            break
        request += piece
    with open(path + ".request", "wb") as file:
        file.write(request)


def send_huge(client):
    try:
        for _ in range(400):
            client.sendall(b"[" + b"1," * 32768)
    except (BrokenPipeError, ConnectionResetError):
        pass


def main():
    path, mode = sys.argv[1:3]
    server = socket.socket(socket.AF_UNIX)
    server.bind(path + ".new")
    server.listen(1)
    os.rename(path + ".new", path)
    client, _ = server.accept()
    os.unlink(path)
    if mode != "close":
        read_request(client, path)
    if mode == "answer":
        with open(sys.argv[3], "rb") as file:
            client.sendall(file.read())
    elif mode == "huge":
        send_huge(client)
    elif mode == "silent":
        while client.recv(65536):
            time.sleep(0.01)
    client.close()


main()
