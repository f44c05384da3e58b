#!/usr/bin/env -S python3 -B
"""A server with several addresses, not all of which are of use. Root: needs a
network of its own (tests/lib/domains.py)."""

import os
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import domains  # noqa: E402
import live  # noqa: E402

BAD, GOOD = "127.0.0.8", "127.0.0.9"
HOLE = "2001:db8::2"  # what is sent there is lost without a word
HOST = "mail.addresses.example"


def called(*addresses):
    domains.cover("/etc/hosts", "127.0.0.1 localhost\n" + "".join(
        "%s %s\n" % (address, HOST) for address in addresses), FOLDER)


def account(user):
    return user.account().replace("localhost", HOST)


class Closer:
    """Takes connections, and ends them."""

    def __init__(self, port):
        self.count = 0
        self.listener = socket.create_server((BAD, port))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.count += 1
            connection.close()

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@live.case
def one_of_two_is_of_no_use(servers):
    """It wins every race, and the other one lives."""
    user = servers.user()
    called(BAD, GOOD)
    closer = Closer(int(servers.env["SERVERS_IMAPS_PORT"]))
    with live.Daemon(servers, account(user)) as daemon:
        daemon.wait_watching(seconds=20)
        live.same(closer.count, 1, "calls of who is of no use")
        servers.cut_imap()
        live.wait("the next connection",
                  lambda: len(daemon.logged("info connected")) == 2)
        daemon.wait_watching()
        live.same(closer.count, 1, "calls of who is of no use")
    closer.stop()


@live.case
def six_is_dead_and_four_lives(servers):
    user = servers.user()
    called(HOLE, GOOD)
    first = socket.getaddrinfo(HOST, 993, type=socket.SOCK_STREAM)[0]
    live.same(first[4][0], HOLE, "whom the resolver calls the best")
    with live.Daemon(servers, account(user)) as daemon:
        daemon.wait_watching(seconds=10)
        live.check(not daemon.logged("trouble"), "there was trouble")


live.bounded(60)
domains.enter()
FOLDER = tempfile.mkdtemp(prefix="belfry-addresses-", dir="/tmp")
os.environ["SERVERS_LISTEN"] = GOOD
os.environ["SERVERS_NAMES"] = ",DNS:" + HOST
for words in ("tuntap add hole mode tun", "link set hole up",
              "-6 addr add 2001:db8::1/64 dev hole nodad"):
    subprocess.run(["ip", *words.split()], check=True)
live.main(60)
