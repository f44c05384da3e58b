#!/usr/bin/env -S python3 -B
"""No third party is ever contacted: belfryd with two accounts starts, gets a
message, hears of another network, loses its connections, is told to read its
configuration anew, and ends; strace(1) writes down whom it speaks to.

It has a network of its own (network.py), in which nothing is there by accident:
whoever is met is one of the two servers, or the resolver of the system."""

import os
import re
import shutil
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402
import network  # noqa: E402
from overheard import ASKED_OF_KERNEL, RESOLVER, Overheard  # noqa: E402

MOVE = "[rule move]\nwhen = subject has please\nmove = Done\ncreate = yes\n"


def imap_port(text):
    return re.search(r"^imap = \w+://%s:(\d+)$" % re.escape(network.HOST), text,
                     re.MULTILINE).group(1)


class Story:
    """What happens to it, and that it was there each time."""

    def __init__(self, servers, net, daemon, users):
        self.servers, self.net = servers, net
        self.daemon, self.users = daemon, users
        self.mails = 0

    def connected(self):
        return len(self.daemon.logged("info connected"))

    def is_well(self):
        self.daemon.wait_watching(len(self.users))
        self.mails += 1
        for user in self.users:
            user.deliver(live.message("please"))
            user.wait_subjects("Done", ["please"] * self.mails)

    def reconnects(self, act):
        before = self.connected()
        act()
        live.wait("new connections", lambda: self.connected()
                  >= before + len(self.users))
        self.is_well()

    def hears_of_a_network(self):
        before = len(self.daemon.logged("checking"))
        self.net.tell("ip", "addr", "add", "10.8.251.2/24", "dev",
                      network.DEVICE)
        self.daemon.wait_log("checking.*the network changed", before + 1)
        self.is_well()

    def reads_anew(self):
        before = len(self.daemon.logged("notice reloaded"))
        self.daemon.signal(signal.SIGHUP)
        self.daemon.wait_log("notice reloaded", before + 1)
        self.is_well()


@live.case
def meets_nobody_else(servers):
    net = network.Network()
    try:
        users = [servers.user(), servers.user()]
        accounts = [
            user.account(scheme=scheme, smtp=None).replace(
                "localhost", network.HOST)
            for user, scheme in zip(users, ("imaps", "imap"))]
        ports = {imap_port(text) for text in accounts}
        live.same(len(ports), 2, "servers")
        daemon = Overheard(servers, "".join(accounts) + MOVE, before=net.join)
        with daemon:
            story = Story(servers, net, daemon, users)
            story.is_well()
            story.hears_of_a_network()
            story.reconnects(net.move)
            story.reconnects(servers.cut_imap)
            story.reads_anew()
        check_met(daemon.outside(), ports)
    finally:
        net.stop()


def check_met(outside, ports):
    servers = {(network.SERVER, port) for port in ports}
    known = servers | {(network.SERVER, RESOLVER),
                       (network.SERVER, ASKED_OF_KERNEL)}
    live.same(outside - known, set(), "strangers that were spoken to")
    # Else it heard nothing, and proves nothing.
    live.same(servers - outside, set(), "servers that were not heard of")


if __name__ == "__main__":
    if not shutil.which("strace"):
        print("strace is not installed")
        sys.exit(77)
    network.enter()
    os.environ["SERVERS_LISTEN"] = network.SERVER
    os.environ["SERVERS_NAMES"] = ",DNS:" + network.HOST
    live.main()
