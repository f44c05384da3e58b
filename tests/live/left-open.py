#!/usr/bin/env -S python3 -B
"""What was begun in a mailbox that nobody watches any more, or that is gone,
comes to an end that is told. $LIVE_LONG: also what comes to light only
with the next look, which takes half a minute."""

import contextlib
import os
import sqlite3
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402

RULES = """
[rule move]
when = subject ~ /^move/
move = Done
create = yes
"""
BOTH = "watch = INBOX, Box\n"


def append(user, subject):
    imap = user.imap()
    live.same(imap.append("Box", None, None, live.message(
        subject, message_id="<%s@body.example>" % subject.replace(" ", "."))
    )[0], "OK", "APPEND")
    imap.logout()


def change(daemon, *statements):
    """In the journal; the daemon must not run."""
    with contextlib.closing(sqlite3.connect(
            os.path.join(daemon.state, "state.db"))) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


def begin(daemon, subject, state="started"):
    """As if the daemon had died in the middle of moving it."""
    change(daemon, """
        INSERT OR REPLACE INTO effects SELECT m.account, m.mailbox,
            m.uidvalidity, m.uid, 0, e.rule, e.kind, e.action, '%s', 0, '',
            e.changed FROM messages AS m, effects AS e
        WHERE m.mailbox = 'Box' AND m.subject = '%s' AND e.kind = 'move'
        LIMIT 1""" % (state, subject))


def effects(daemon):
    """{subject: (state, detail)} of moves; the daemon may just begin."""
    answer = daemon.ctl("history", code=None) or {}
    return {m["subject"]: (e["state"], e["detail"])
            for m in answer.get("messages", []) for e in m["effects"]
            if e["action"] == "move"}


@contextlib.contextmanager
def interrupted(servers, subjects):
    """A daemon that was stopped: "move it" was moved from Box, and the others
    are there still; of all of them a move was begun."""
    user = servers.user()
    user.create("Box")
    with live.Daemon(servers, user.account(BOTH) + RULES) as daemon:
        daemon.wait_watching(2)
        for subject in ["move it", *subjects]:
            append(user, subject)
        user.wait_subjects("Done", ["move it"])
        live.wait("all to be judged", lambda: len(
            daemon.logged("info judged")) == 1 + len(subjects))
        daemon.wait_quiet()
        live.same(daemon.stop(), 0, "exit status")
        for subject in ["move it", *subjects]:
            begin(daemon, subject)
        yield user, daemon
        live.same(daemon.status(user.name)["left_open"], [], "left open")


@live.case
def not_watched(servers):
    """It is visited, and what was begun is finished."""
    with interrupted(servers, ["keep it"]) as (user, daemon):
        daemon.write(user.account("watch = INBOX\n") + RULES)
        daemon.start()
        user.wait_subjects("Done", ["keep it", "move it"])
        live.wait("both to be done", lambda: {
            state for state, _ in effects(daemon).values()} == {"done"})
        live.check(daemon.logged("left-open.*visited to finish"), "log")
        live.wait("the end of the visit",
                  lambda: not daemon.status(user.name)["left_open"])


@live.case
def deleted(servers):
    """It is looked for in its target."""
    with interrupted(servers, ["keep it", "plan it"]) as (user, daemon):
        begin(daemon, "plan it", "planned")
        imap = user.imap()
        live.same(imap.delete("Box")[0], "OK", "DELETE")
        imap.logout()
        daemon.write(user.account("watch = INBOX\n") + RULES)
        daemon.start()
        live.wait("all ends", lambda: effects(daemon) == {
            "move it": ("done", "Box is gone; found in Done"),
            "keep it": ("unknown", "Box is gone, and it is not in Done"),
            "plan it": ("skipped", "its mailbox is gone")})
        live.check(daemon.logged("left-open.*unknown"), "log")


def not_to_be_opened(servers):
    """It is there, but holds folders only: nobody says that it is gone."""
    with interrupted(servers, ["keep it"]) as (user, daemon):
        imap = user.imap()
        live.same(imap.create("Box/Sub")[0], "OK", "CREATE")
        live.same(imap.delete("Box")[0], "OK", "DELETE")
        imap.logout()
        daemon.write(user.account("watch = INBOX\n") + RULES)
        daemon.start()
        words = "a visit to Box did not finish it"
        live.wait("all ends", lambda: effects(daemon) == {
            "move it": ("done", words + "; found in Done"),
            "keep it": ("unknown", words + ", and it is not in Done")})


if "LIVE_LONG" in os.environ:
    live.case(not_to_be_opened)


@live.case
def watched_and_renamed(servers):
    """It may come back: what is not found is waited for, for a day."""
    with interrupted(servers, ["keep it"]) as (user, daemon):
        imap = user.imap()
        live.same(imap.rename("Box", "Other")[0], "OK", "RENAME")
        imap.logout()
        daemon.start()
        live.wait("the first", lambda: effects(daemon).get("move it") == (
            "done", "Box is gone; found in Done"))
        left = daemon.status(user.name)["left_open"]
        live.same(left, [{"mailbox": "Box", "actions": 1,
                          "what": "is not on the server now"}], "left open")
        live.same(effects(daemon)["keep it"][0], "started", "the second")
        live.check("left open: 1 action in Box, which is not on the server now"
                   in daemon.says("status")[1], "status")
        live.same(len(daemon.logged("left-open")), 1, "what was said")
        live.same(daemon.stop(), 0, "exit status")
        change(daemon, "UPDATE effects SET changed = changed - 90000")
        daemon.start()
        live.wait("the second", lambda: effects(daemon).get("keep it") == (
            "unknown", "Box is gone, and it is not in Done"))


if __name__ == "__main__":
    live.main()
