#!/usr/bin/env -S python3 -B
"""The machine gets another address: connections of the old one are given up
at once, as nothing can come to them, and made anew.

belfryd and its servers are in two networks; see network.py."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402
import network  # noqa: E402

MOVES = 3


@live.case
def moves_on(servers):
    net = network.Network()
    try:
        user = servers.user()
        text = user.account("watch = INBOX, Work\n").replace(
            "localhost", network.HOST)
        user.create("Work")
        with live.Daemon(servers, text, before=net.join) as daemon:
            daemon.wait_watching(2)
            for number in range(1, MOVES + 1):
                net.move()
                daemon.wait_log(
                    "trouble.*this machine has another address now",
                    2 * number)
                daemon.wait_watching(2)
                user.deliver(live.message("hello"))
                live.wait("the message to be judged",
                          lambda: len(daemon.history()) == number)
            # A new address beside it changes nothing.
            connected = len(daemon.logged("info connected"))
            net.tell("ip", "addr", "add", "10.8.251.2/24", "dev",
                     network.DEVICE)
            daemon.wait_log("checking.*the network changed", MOVES + 1)
            live.stays("two connections", lambda: len(
                daemon.logged("info connected")) == connected)
            daemon.wait_watching(2)
            # Nor did anybody learn that connections die of silence.
            live.same(daemon.logged("died unnoticed"), [], "what was learned")
    finally:
        net.stop()


if __name__ == "__main__":
    network.enter()
    os.environ["SERVERS_LISTEN"] = network.SERVER
    os.environ["SERVERS_NAMES"] = ",DNS:" + network.HOST
    live.main()
