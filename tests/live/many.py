#!/usr/bin/env -S python3 -B
"""Many mailboxes on few connections."""

import email.utils
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402

COUNT = 20
LISTS = ["Lists/l%02d" % n for n in range(COUNT)]
# Where a login was under way it was one that failed: no other for a minute
# and up to a fifth more (MAILBOX_LOGIN_USEC).
AFTER_CUT_SECONDS = 72 + live.PATIENCE_SECONDS
RULES = """
[rule lists]
mailboxes = Lists/*
when = subject ~ /^flag/
mark = flagged

[rule move]
mailboxes = Lists/*
when = subject ~ /^move/
move = Done

[rule inbox]
mailboxes = INBOX
when = subject ~ /^move/
move = Done
"""
KEYS = "watch = INBOX, Lists/*\nconnections = %d\npoll = 30s\n"


def append(user, mailbox, subject):
    imap = user.imap()
    # What was written long ago is no news where a mailbox was made again.
    text = re.sub(rb"(?m)^Date: [^\r\n]*", b"Date: "
                  + email.utils.formatdate().encode(), live.message(subject))
    imap.append('"%s"' % live.utf7(mailbox), "", None, text)
    imap.logout()


def listed(user):
    """What the server says that there is."""
    imap = user.imap()
    _, lines = imap.list()
    imap.logout()
    return {line.decode().split(' "/" ')[-1].strip('"')
            for line in lines if line}


def change(user, verb, gone, new=None):
    """Dovecot may refuse to DELETE or RENAME what another session opens at
    that very moment ("Mailbox was deleted under us"), and have it still."""
    imap = user.imap()
    answers = []

    def is_done():
        answers.append(getattr(imap, verb)(*(n for n in (gone, new) if n)))
        names = listed(user)
        return gone not in names and (not new or new in names)

    try:
        live.wait("%s of %s" % (verb, gone), is_done)
    except live.Failed as error:
        raise live.Failed("%s: %r" % (error, answers[-3:])) from None
    imap.logout()


def delete_all(user, names):
    """What was refused is tried again; what the server has still counts."""
    left, refused = set(names), []

    def are_gone():
        imap = user.imap()
        for name in sorted(left):
            status, words = imap.delete(name)
            if status != "OK":
                refused.append((name, words))
        imap.logout()
        left.intersection_update(listed(user))
        return not left

    try:
        live.wait("%d mailboxes to be gone" % len(names), are_gone)
    except live.Failed as error:
        raise live.Failed("%s: left %r, refused %r" % (
            error, sorted(left), refused[-3:])) from None


def watched(daemon):
    """{mailbox: how} of those that are being watched"""
    return {name: box["watched"] for (_, name), box in daemon.boxes().items()
            if box["state"] == "watching"}


def connections(daemon):
    return sum(box["connected"] for box in daemon.boxes().values())


def wait_all(daemon, names, seconds=live.PATIENCE_SECONDS):
    live.wait("%d to be watched" % len(names),
              lambda: set(watched(daemon)) >= set(names), seconds)


def is_flagged(user, mailbox, subject):
    return lambda: user.flags(mailbox, subject) == ["\\Flagged"]


def check_all(user, daemon):
    """A message in each of them is judged, and acted on."""
    for name in LISTS:
        append(user, name, "flag " + name)
    user.deliver(live.message("move from INBOX"))
    append(user, LISTS[-1], "move from the last")
    user.wait_subjects("Done", ["move from INBOX", "move from the last"], 60)
    for name in LISTS:
        live.wait(name, is_flagged(user, name, "flag " + name), 60)
    live.wait("quiet", lambda: set(watched(daemon)) >= set(LISTS))
    judged = daemon.logged("info judged")
    live.same(len(judged), COUNT + 2, "judged")


@live.case
def twenty_on_two(servers):
    user = servers.user()
    user.create("Done", *LISTS)
    append(user, LISTS[3], "flag: it was there before")
    text = user.account(KEYS % 2) + RULES
    with live.Daemon(servers, text) as daemon:
        wait_all(daemon, ["INBOX"] + LISTS)
        live.check(connections(daemon) <= 2, "more than two connections")
        live.same(watched(daemon)["INBOX"], "idle", "INBOX")
        check_all(user, daemon)
        live.same(user.flags(LISTS[3], "flag: it was there before"), [],
                  "an old message")
        logins, refused = servers.logins(user.address)
        live.check(refused == 0, "%d refused logins", refused)


@live.case
def twenty_on_one(servers):
    user = servers.user()
    user.create("Done", *LISTS)
    with live.Daemon(servers, user.account(KEYS % 1) + RULES) as daemon:
        wait_all(daemon, ["INBOX"] + LISTS)
        live.same(connections(daemon), 1, "connections")
        check_all(user, daemon)


@live.case
def killed_in_between(servers):
    user = servers.user()
    user.create("Done", *LISTS)
    with live.Daemon(servers, user.account(KEYS % 2) + RULES) as daemon:
        wait_all(daemon, ["INBOX"] + LISTS)
        daemon.kill()
        for name in LISTS[:5]:
            append(user, name, "flag " + name)
        daemon.start()
        for name in LISTS[:5]:
            live.wait(name, is_flagged(user, name, "flag " + name), 60)


@live.case
def made_later_deleted_renamed(servers):
    user = servers.user()
    user.create("Done", "Lists/old", "Lists/away")
    with live.Daemon(servers, user.account(KEYS % 2) + RULES) as daemon:
        wait_all(daemon, ["INBOX", "Lists/old", "Lists/away"])
        user.create("Lists/new")
        append(user, "Lists/new", "flag: in a new mailbox")
        change(user, "delete", "Lists/away")
        change(user, "rename", "Lists/old", "Lists/other")
        servers.cut_imap()  # it lists again
        live.wait("the new one", is_flagged(
            user, "Lists/new", "flag: in a new mailbox"), AFTER_CUT_SECONDS)
        wait_all(daemon, ["Lists/other"])
        # What is gone is no trouble.
        live.wait("the others to be gone", lambda: not {
            "Lists/old", "Lists/away"} & {
                name for _, name in daemon.boxes()})
        live.wait("all to be well",
                  lambda: daemon.says("status")[0] == 0)
        append(user, "Lists/other", "flag: under its new name")
        live.wait("the renamed one", is_flagged(
            user, "Lists/other", "flag: under its new name"), 60)


@live.case_with("imap_capability = IMAP4rev1 SASL-IR IDLE UIDPLUS MOVE\n")
def renamed_is_soon_found(servers):
    """Nobody tells and nobody breaks the connection: that it cannot be asked
    for is a reason to list the folders."""
    user = servers.user()
    user.create("Lists/old")
    with live.Daemon(servers, user.account(
            KEYS.replace("30s", "1m") % 1) + RULES) as daemon:
        wait_all(daemon, ["INBOX", "Lists/old"])
        imap = user.imap()
        imap.rename("Lists/old", "Lists/other")
        imap.logout()
        wait_all(daemon, ["Lists/other"], 150)
        live.check("Lists/old" not in {name for _, name in daemon.boxes()},
                   "the old name is there still")


@live.case
def many_come_and_go(servers):
    """More than are watched at a time, one after the other."""
    user = servers.user()
    count = 70
    with live.Daemon(servers, user.account(KEYS % 2) + RULES) as daemon:
        daemon.wait_watching()
        for letter in "ab":
            names = ["Lists/%s%02d" % (letter, n) for n in range(count)]
            user.create(*names)
            servers.cut_imap()  # it lists again
            wait_all(daemon, ["INBOX"] + names)
            append(user, names[-1], "flag: the last")
            live.wait(names[-1], is_flagged(user, names[-1],
                                            "flag: the last"), 60)
            delete_all(user, names)
        live.same(daemon.logged("too many"), [], "complaints")
        live.wait("none to be watched any more",
                  lambda: set(watched(daemon)) == {"INBOX"}, 60)


@live.case
def made_again_while_open(servers):
    """Dovecot keeps the old one for who has it open."""
    user = servers.user()
    user.create("Lists/one")
    with live.Daemon(servers, user.account(
            "watch = INBOX, Lists/one\n") + RULES) as daemon:
        wait_all(daemon, ["INBOX", "Lists/one"])
        append(user, "Lists/one", "flag: in the old one")
        live.wait("the old one", is_flagged(
            user, "Lists/one", "flag: in the old one"))
        change(user, "delete", "Lists/one")
        user.create("Lists/one")
        append(user, "Lists/one", "flag: in the new one")
        live.wait("the new one", is_flagged(
            user, "Lists/one", "flag: in the new one"), 30)
        live.same(len(daemon.logged("connected.*Lists/one")), 1,
                  "connections")


@live.case_with("mail_max_userip_connections = 2\n")
def limit_is_learned(servers):
    user = servers.user()
    user.create("Done", *LISTS)
    with live.Daemon(servers, user.account(KEYS % 6) + RULES) as daemon:
        daemon.wait_log("allows no more than")
        wait_all(daemon, ["INBOX"] + LISTS, 180)  # a login a minute
        # Dovecot lets in more than two that come at the same moment.
        live.check(connections(daemon) < 6, "as many connections as before")
        user.deliver(live.message("move on"))
        live.wait("INBOX", lambda: daemon.logged("judged.*move"), 30)
        before = servers.logins(user.address)
        daemon.stop()
        daemon.start()
        wait_all(daemon, ["INBOX"] + LISTS, 180)  # a login a minute
        live.check(servers.logins(user.address)[0] - before[0] < 6,
                   "it was not remembered")


@live.case_with("mailbox_list_index = yes\n")
def told_by_notify(servers):
    user = servers.user()
    user.create("Done", *LISTS)
    keys = KEYS.replace("30s", "30m")  # nobody asks in between
    with live.Daemon(servers, user.account(keys % 2) + RULES) as daemon:
        wait_all(daemon, ["INBOX"] + LISTS)
        live.wait("NOTIFY", lambda: list(watched(daemon).values()).count(
            "notify") >= COUNT - 1)
        live.check(connections(daemon) <= 2, "more than two connections")
        check_all(user, daemon)
        user.create("Lists/new")
        append(user, "Lists/new", "flag: in a new mailbox")
        live.wait("the new one", is_flagged(
            user, "Lists/new", "flag: in a new mailbox"), 60)


if __name__ == "__main__":
    live.main(420)
