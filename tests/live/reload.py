#!/usr/bin/env -S python3 -B
"""What must outlive a pause and a reload: forwards, notifications."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402

FORWARD = "[rule f]\nwhen = all\nforward = other@body.example\n"


@live.case
def forwards_after_a_pause(servers):
    user = servers.user()
    with live.Daemon(servers, user.account() + FORWARD) as daemon:
        daemon.wait_watching()
        daemon.ctl("pause")
        live.wait("the account to rest",
                  lambda: all(box["state"] == "stopped"
                              for box in daemon.boxes().values()))
        daemon.ctl("resume")
        daemon.wait_watching()
        user.deliver(live.message("after the pause"))
        live.wait("the forward", lambda: len(user.sent()) == 1)


@live.case
def resumes_at_once(servers):
    user = servers.user()
    with live.Daemon(servers, user.account()) as daemon:
        daemon.wait_watching()
        daemon.ctl("pause")
        daemon.ctl("resume")
        daemon.wait_log("watching", 2)
        daemon.wait_watching()


@live.case
def notifications_outlive_reloads(servers):
    """Also those for a notifier that is taken away."""
    user = servers.user()
    daemon = live.Daemon(servers, "")
    shown = daemon.path("shown")
    slow = daemon.script("slow", "sleep 1\necho \"$BELFRY_TEXT\" >>%s\n" % shown)
    quick = daemon.script("quick", "echo \"$BELFRY_TEXT\" >>%s\n" % shown)
    text = user.account() + "[notifier n]\ntype = exec\ncommand = %s\n"
    daemon.write(text % slow)
    with daemon:
        daemon.wait_watching()
        user.deliver(*(live.message("m%d" % n) for n in range(4)))
        daemon.wait_log("judged", 4)
        daemon.ctl("reload")
        daemon.ctl("reload")
        live.wait("one to be shown", lambda: live.read(shown))
        daemon.write(text % quick)
        daemon.ctl("reload")
        live.wait("all to be shown",
                  lambda: set(live.read(shown).split()) ==
                  {"m0", "m1", "m2", "m3"})


if __name__ == "__main__":
    live.main()
