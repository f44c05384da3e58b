#!/usr/bin/env -S python3 -B
"""The status as it changes: for people, programs and bars."""

import contextlib
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402

RING = "[notifier n]\ntype = exec\ncommand = true\n"


class Follower:
    """belfryctl status --follow, and its lines."""

    def __init__(self, daemon, *words):
        self.path = daemon.path("followed")
        with open(self.path, "wb") as out:
            self.process = subprocess.Popen(
                [live.BELFRYCTL, "-c", daemon.config, "status", "--follow",
                 *words], stdout=out, stderr=subprocess.STDOUT,
                env=daemon.env)

    def lines(self):
        return live.read(self.path).splitlines()

    def last(self):
        lines = self.lines()
        return json.loads(lines[-1]) if lines else {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def unread(status):
    return sum(box["unread"] for account in status.get("accounts", [])
               for box in account["mailboxes"])


@live.case
def follows(servers):
    user = servers.user()
    with live.Daemon(servers, user.account() + RING) as daemon:
        daemon.wait_watching()
        with Follower(daemon, "--json") as follower:
            live.wait("the first", lambda: follower.lines())
            user.deliver(live.message("one"), live.message("two"))
            live.wait("two unread", lambda: unread(follower.last()) == 2)
            with contextlib.closing(user.imap()) as imap:
                imap.select("INBOX")
                imap.store("1", "+FLAGS", "\\Seen")
            live.wait("one unread", lambda: unread(follower.last()) == 1)
            daemon.ctl("pause")
            live.wait("the pause", lambda: follower.last()[
                "accounts"][0]["paused"])
            live.same(daemon.stop(), 0, "exit status")
            live.same(follower.process.wait(live.PATIENCE_SECONDS), 69,
                      "exit status of who followed")


@live.case
def a_bar_waits_for_the_daemon(servers):
    user = servers.user()
    with live.Daemon(servers, user.account() + RING) as daemon:
        daemon.wait_watching()
        with Follower(daemon, "--format", "waybar") as follower:
            live.wait("clear",
                      lambda: follower.last().get("class") == "clear")
            user.deliver(live.message("one"))
            live.wait("one", lambda: follower.last()["text"] == "1")
            live.same(follower.last()["tooltip"], user.name + ": 1 unread",
                      "tooltip")
            live.same(daemon.stop(), 0, "exit status")
            live.wait("off", lambda: follower.last()["class"] == "off")
            daemon.start()
            daemon.wait_watching()
            live.wait("clear again",
                      lambda: follower.last()["class"] == "clear")


if __name__ == "__main__":
    live.main()
