#!/usr/bin/env -S python3 -B
"""What is chosen in a notification is done on the server."""

import contextlib
import os
import sqlite3
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import desktop  # noqa: E402
import live  # noqa: E402
import no_keywords  # noqa: E402

ALL = ["default", "read", "archive", "trash"]


def done(daemon, subject):
    """(rule, action, state) of all effects that no rule planned."""
    return [(e["rule"], e["action"], e["state"]) for m in daemon.history()
            if m["subject"] == subject for e in m["effects"]
            if e["rule"] == "@person"]


@live.case
def read_archive_trash(servers):
    user = servers.user()
    screen = desktop.Desktop(servers, "desktop1")
    with live.Daemon(servers, user.account() + desktop.NOTIFIER,
                     env=screen.env) as daemon:
        daemon.wait_watching()
        user.deliver(*desktop.letters("one", "two", "three", "four"))
        screen.wait("one", "two", "three", "four")
        offered = [a for a in screen.actions("one") if a != "default"]
        live.same(offered, ALL[1:], "buttons")
        # Both at once.
        screen.press("one", "read")
        screen.press("two", "archive")
        screen.press("three", "trash")
        user.wait_subjects("Archive", ["two"])
        user.wait_subjects("Trash", ["three"])
        user.wait_subjects("INBOX", ["one", "four"])
        live.wait("read", lambda: user.flags("INBOX", "one") == ["\\Seen"])
        live.same(user.flags("INBOX", "four"), [], "the other one")
        live.wait("done", lambda: done(daemon, "one") ==
                  [("@person", "mark", "done")])
        live.same(done(daemon, "two"), [("@person", "archive", "done")], "two")
        screen.wait("four")
        # What was not offered, and what is no key.
        screen.say("action\tid=1\tkey=delete", "action\tid=99\tkey=trash",
                   "action\tid=4\tkey=copy", "action\tid=4\tkey=read-all")
        live.stays("it is there", lambda: screen.shown() == ["four"])
        # By hand, and back again by undo.
        live.same(daemon.ctl("undo", user.name + "/INBOX/2")
                  ["messages"][0]["steps"][0]["state"], "undone", "undo")
        user.wait_subjects("INBOX", ["one", "two", "four"])


@live.case
def moved_nobody_says_where(servers):
    """No UIDPLUS: it is looked for where the rule put it."""
    no_keywords.Front(servers, uidplus=False)
    user = servers.user()
    user.create("Work")
    screen = desktop.Desktop(servers, "desktop5")
    text = user.account("watch = INBOX\n") + desktop.NOTIFIER + (
        "[rule away]\nwhen = subject ~ /^away/\nmove = Work\n"
        "notify = yes\n")
    with live.Daemon(servers, text, env=screen.env) as daemon:
        daemon.wait_watching()
        names = ["away one", "away two", "away three", "away four"]
        user.deliver(*desktop.letters(*names))
        screen.wait(*names)
        twin = live.message("away twin")
        imap = user.imap()
        for _ in range(2):
            imap.append("INBOX", None, '"01-Nov-2026 10:00:00 +0000"', twin)
        screen.press("away one", "read")
        screen.press("away two", "trash")
        live.wait("read", lambda: user.flags("Work", "away one") ==
                  ["\\Seen"])
        user.wait_subjects("Trash", ["away two"])
        live.same(user.flags("Work", "away three"), [], "the other one")
        # Gone from there by other hands; and two that are the same.
        imap.select("Work")
        for name in names[2:]:
            _, found = imap.uid("SEARCH", "SUBJECT", '"%s"' % name)
            imap.uid("MOVE", found[0].decode(), "Archive")
        imap.logout()
        screen.press("away three", "trash")
        screen.request("A message of INBOX was not put into the trash: a "
                       "rule moved it, and it is not there any more")
        # As if nobody knew whether the rule moved it.
        with contextlib.closing(sqlite3.connect(
                os.path.join(daemon.state, "state.db"))) as db:
            live.same(db.execute(
                "UPDATE effects SET state = 'unknown' WHERE kind = 'move' "
                "AND uid = (SELECT uid FROM messages WHERE mailbox = 'INBOX' "
                "AND subject = 'away four')").rowcount, 1, "moves")
            db.commit()
        screen.press("away four", "trash")
        screen.request("A message of INBOX was not put into the trash: a "
                       "rule may have moved it, but it is not where that "
                       "puts it: see whether it is still in INBOX")
        screen.press("away twin", "trash")
        screen.request("A message of INBOX was not put into the trash: a "
                       "rule moved it, and 2 messages there are the same")
        user.wait_subjects("Trash", ["away two"])
        # By what was found undo knows it, too.
        live.same(daemon.ctl("undo", user.name + "/INBOX/1")
                  ["messages"][0]["steps"][0]["state"], "undone", "undo")


@live.case
def what_is_not_possible(servers):
    user = servers.user()
    screen = desktop.Desktop(servers, "desktop2")
    with live.Daemon(servers, user.account() + desktop.NOTIFIER,
                     env=screen.env) as daemon:
        daemon.wait_watching()
        user.deliver(*desktop.letters("kept", "paused"))
        screen.wait("kept", "paused")
        daemon.ctl("pause", user.name)
        screen.press("paused", "trash")
        screen.request("A message of INBOX was not put into the trash: the "
                       "account is paused: belfryctl resume connects it "
                       "again")
        user.wait_subjects("INBOX", ["kept", "paused"])


@live.case
def of_another_time(servers):
    """The mailbox was deleted and made again: the UIDs are other messages'."""
    user = servers.user()
    user.create("Box")
    screen = desktop.Desktop(servers, "desktop4")
    text = user.account("watch = Box\n") + desktop.NOTIFIER
    with live.Daemon(servers, text, env=screen.env) as daemon:
        daemon.wait_watching()
        imap = user.imap()
        imap.append("Box", None, None, live.message("old"))
        screen.wait("old")
        number = screen.request("old")["id"]
        # Dovecot does not always tell a session that its mailbox is gone.
        daemon.ctl("pause")
        imap.delete("Box")
        imap.create("Box")
        imap.append("Box", "(\\Seen)", None, live.message("new"))
        imap.logout()
        daemon.ctl("resume")
        daemon.wait_watching()
        screen.say("action\tid=%s\tkey=trash" % number)
        # It was withdrawn, or is refused; the new message stays.
        live.stays("the new one", lambda: user.subjects("Box") == ["new"], 3)
        live.check(not any(d[2] == "done" and "trash" in d[1]
                           for d in done(daemon, "old")), "moved")


if __name__ == "__main__":
    live.main()
