#!/usr/bin/env -S python3 -B
"""The status as it changes: for people, programs and bars."""

import contextlib
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402
import schema  # noqa: E402

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
            live.wait("the end to be said",
                      lambda: follower.last().get("ok") is False)
            live.same(schema.problems(["status"], follower.last()), [],
                      "problems with the schema")
            daemon.start()
            live.wait("the status again", lambda: follower.last()["ok"])


@live.case
def ends_with_the_daemon_where_that_is_wanted(servers):
    user = servers.user()
    with live.Daemon(servers, user.account() + RING) as daemon:
        daemon.wait_watching()
        for words in (["--json"], ["--format", "polybar"]):
            with Follower(daemon, "--no-reconnect", *words) as follower:
                live.wait("the first", lambda: os.path.getsize(follower.path))
                live.same(daemon.stop(), 0, "exit status")
                live.same(follower.process.wait(live.PATIENCE_SECONDS), 69,
                          "exit status of who followed")
            daemon.start()
            daemon.wait_watching()


@live.case
def names_that_are_wrong(servers):
    """Who is asked for what there is not says what there is; but the history
    of what was there before is shown."""
    user = servers.user()
    rule = "\n[rule lists]\nwhen = subject has x\nmark = read\n"
    with live.Daemon(servers, user.account() + RING + rule) as daemon:
        daemon.wait_watching()
        for words, error, hint in (
                (("history", "--account", "hom"), "account hom", user.name),
                (("history", "--rule", "lsits"), "rule lsits", "lists"),
                (("pause", "hom"), "account hom", user.name),
                (("undo", "hom/INBOX/1"), "account hom", user.name)):
            refused = daemon.ctl(*words, code=1)
            live.same((refused["error"], refused["hint"]),
                      ("there is no " + error,
                       "the configuration has " + hint), str(words))
        live.same(daemon.ctl("history", "--rule", "lists")["messages"], [],
                  "a rule that never matched")
        user.deliver(live.message("x"))
        live.wait("judged", daemon.history)
        daemon.write(user.account() + RING)
        daemon.ctl("reload")
        live.same(len(daemon.ctl("history", "--rule", "lists")["messages"]),
                  1, "a rule that is not there any more")


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
            live.wait("still unread", lambda: follower.last()["text"] == "1")
            with contextlib.closing(user.imap()) as imap:
                imap.select("INBOX")
                imap.store("1", "+FLAGS", "\\Seen")
            live.wait("clear again",
                      lambda: follower.last()["class"] == "clear")


if __name__ == "__main__":
    live.main()
