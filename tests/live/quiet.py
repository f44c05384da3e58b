#!/usr/bin/env -S python3 -B
"""Quiet hours: what comes waits, over a restart, too, and is one summary."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import desktop  # noqa: E402
import live  # noqa: E402

QUIET = "quiet_hours = mon-sun\n"
RULE = "[rule alarm]\nwhen = subject is fire\nnotify = critical\n"


def waiting(daemon):
    """How many wait in the mock, which must be quiet."""
    answer = daemon.ctl("status", "--json")
    mock = [n for n in answer["notifiers"] if n["notifier"] == "mock"][0]
    live.same(mock["state"], "quiet", "the state of the notifier")
    return mock["waiting"]


@live.case
def one_summary_at_the_end(servers):
    user = servers.user()
    screen = desktop.Desktop(servers, "desktop1")
    loud = user.account() + RULE + desktop.NOTIFIER
    with live.Daemon(servers, loud + QUIET, env=screen.env) as daemon:
        daemon.wait_watching()
        user.deliver(*desktop.letters("one", "two", "three", "fire"))
        screen.wait("fire")
        live.wait("three to wait", lambda: waiting(daemon) == 3)
        daemon.kill()
        daemon.start()
        daemon.wait_watching()
        live.wait("three to wait again", lambda: waiting(daemon) == 3)
        desktop.change(user, "two", "STORE", "+FLAGS", "(\\Seen)")
        live.wait("two to wait", lambda: waiting(daemon) == 2)
        live.stays("all is quiet", lambda: screen.shown() == ["fire"])
        daemon.write(loud)
        daemon.ctl("reload")
        # (Its number may be that of "fire", from before the restart.)
        live.wait("the summary", lambda: screen.shown() != ["fire"])
        lines = [shown for shown in screen.shown() if shown != "fire"][0]
        live.same(sorted(lines.split("\\n")),
                  ["Some Body: one", "Some Body: three"], "the summary")


if __name__ == "__main__":
    live.main()
