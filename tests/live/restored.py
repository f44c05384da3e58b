#!/usr/bin/env -S python3 -B
"""A journal from a backup: what belfry-delivery(7) says of it."""

import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402

RULES = """
[rule move]
when = subject ~ /^move/
move = Moved
create = yes
[rule copy]
when = subject ~ /^copy/
copy = Copied
create = yes
[rule forward]
when = subject ~ /^forward/
forward = deputy@example.org
"""


def subjects(user, name):
    return sorted(m["subject"] for m in user.mailboxes().get(name, ()))


def deliver(user, daemon, number):
    for kind in ("move", "copy", "forward"):
        user.deliver(live.message("%s %d" % (kind, number)))
    live.wait("their forward", lambda: len(user.sent()) == number)
    live.wait("their move", lambda: len(subjects(user, "Moved")) == number)
    daemon.wait_quiet()


def restart(daemon):
    daemon.start()
    daemon.wait_watching()
    daemon.wait_quiet()


@live.case
def judged_again_from_the_cursor_on(servers):
    user = servers.user()
    daemon = live.Daemon(servers, user.account() + RULES)
    state = daemon.state
    restart(daemon)
    deliver(user, daemon, 1)
    live.same(daemon.stop(), 0, "exit status")
    shutil.copytree(state, state + ".backup")
    restart(daemon)
    deliver(user, daemon, 2)
    live.same(daemon.stop(), 0, "exit status")
    shutil.rmtree(state)
    os.rename(state + ".backup", state)
    restart(daemon)
    live.wait("the twin", lambda: len(user.sent()) == 3)
    live.same(subjects(user, "Moved"), ["move 1", "move 2"], "moved")
    live.same(subjects(user, "Copied"), ["copy 1", "copy 2", "copy 2"],
              "copied")
    ids = [s["message"]["Message-ID"] for s in user.sent()]
    live.same((len(ids), len(set(ids))), (3, 2), "forwards, Message-IDs")
    live.same(daemon.stop(), 0, "exit status")


if __name__ == "__main__":
    live.main()
