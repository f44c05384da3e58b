#!/usr/bin/env -S python3 -B
"""What is chosen in a notification is done on the server."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import desktop  # noqa: E402
import live  # noqa: E402

ALL = ["default", "read", "archive", "trash"]


def opener(servers, name):
    """A command that notes down what it is run with."""
    noted = os.path.join(servers.dir, name + ".opened")
    path = os.path.join(servers.dir, name + "-open")
    with open(path, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\necho \"$* token=$XDG_ACTIVATION_TOKEN\" >>%s\n"
                   "test \"$2\" != INBOX/broken || { echo no such window >&2;"
                   " exit 3; }\n" % noted)
    os.chmod(path, 0o700)
    return path, noted


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
        imap.delete("Box")
        imap.create("Box")
        imap.append("Box", "(\\Seen)", None, live.message("new"))
        imap.logout()
        screen.say("action\tid=%s\tkey=trash" % number)
        live.wait("refused", lambda: done(daemon, "old") and
                  done(daemon, "old")[0][2] in ("skipped", "failed") or
                  any("was not" in body for body in screen.shown()))
        live.same(user.subjects("Box"), ["new"], "the new one")


@live.case
def where_rules_have_put_it(servers):
    """Also where nobody watches: a visitor does it."""
    user = servers.user()
    user.create("Lists")
    screen = desktop.Desktop(servers, "desktop5")
    rules = ("[rule move]\nwhen = subject ~ /^list/\nmove = Lists\n"
             "notify = yes\n\n"
             "[rule trash]\nwhen = subject is rubbish\ntrash = yes\n"
             "notify = yes\n\n"
             "[rule read]\nwhen = subject is known\nmark = read\n"
             "notify = yes\n")
    with live.Daemon(servers, user.account() + desktop.NOTIFIER + rules,
                     env=screen.env) as daemon:
        daemon.wait_watching()
        user.deliver(*desktop.letters("list 1", "list 2", "rubbish", "known"))
        screen.wait("list 1", "list 2", "rubbish", "known")
        live.same([a for a in screen.actions("rubbish") if a != "default"],
                  ["read", "archive"], "in the trash")
        live.same([a for a in screen.actions("known") if a != "default"],
                  ["archive", "trash"], "read already")
        user.wait_subjects("Lists", ["list 1", "list 2"])
        # The second waits for the first one's run.
        screen.press("list 1", "read")
        screen.press("list 2", "archive")
        user.wait_subjects("Archive", ["list 2"])
        live.wait("read",
                  lambda: "\\Seen" in user.flags("Lists", "list 1"))


@live.case
def open_it(servers):
    user = servers.user()
    command, noted = opener(servers, "open")
    screen = desktop.Desktop(servers, "desktop6")
    text = user.account("open_command = %s ${url} ${mailbox}/${uid}\n"
                        % command)
    with live.Daemon(servers, text + desktop.NOTIFIER,
                     env=screen.env) as daemon:
        daemon.wait_watching()
        user.deliver(live.message("one", message_id="<a/b?c@d>"))
        screen.wait("one")
        screen.press("one", "default", "\ttoken=from-the-desktop")
        live.wait("opened", lambda: os.path.exists(noted) and
                  live.read(noted) ==
                  "mid:a%2Fb%3Fc@d INBOX/1 token=from-the-desktop\n")
        # Many: the newest is opened, all are read by one button.
        daemon.ctl("pause", user.name)
        user.deliver(*desktop.letters(*["m%d" % i for i in range(12)]))
        daemon.ctl("resume", user.name)
        title = live.wait("a summary", lambda: [
            text for text in screen.requests() if "new messages" in text])[0]
        live.check(title.endswith(" in " + user.name), "%s", title)
        count = int(title.split()[0])
        live.same(screen.actions(title), ["default", "read-all"], "summary")
        screen.press(title, "read-all")
        live.wait("all are read", lambda: all(
            user.flags("INBOX", "m%d" % i) == ["\\Seen"]
            for i in range(12 - count, 12)))
        live.same(user.flags("INBOX", "m0"), [], "shown by itself")


if __name__ == "__main__":
    live.main()
