#!/usr/bin/env -S python3 -B
"""Folder names of all kinds, and more than one watched mailbox."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402

NAMES = {
    "umlaut": "Größe & Maß",
    "deep": "Листы/Ядро/日本語",
    "emoji": "🦉 owls",
    "blank": "two  blanks",
    "quotes": "with 'quotes'",
    "paren": "(some) {thing} %",
}


@live.case
def names_of_all_kinds(servers):
    user = servers.user()
    rules = "".join(
        "[rule %s]\nwhen = subject is %s\nmove = %s\ncreate = yes\n\n"
        % (kind, kind, name) for kind, name in NAMES.items())
    with live.Daemon(servers, user.account() + rules) as daemon:
        daemon.wait_watching()
        for _ in range(2):  # made, and then found again
            user.deliver(*(live.message(kind) for kind in NAMES))
        for kind, name in NAMES.items():
            user.wait_subjects(name, [kind, kind])
        live.same(user.subjects("INBOX"), [], "INBOX")


@live.case
def names_from_messages(servers):
    """What a message says cannot leave the folder that it was given."""
    user = servers.user()
    rules = (
        "[rule sort]\nwhen = subject ~ /^to (?<where>.*)$/\n"
        "move = In/${where}\ncreate = yes\n")
    subjects = ["to Ünïts", "to ..", "to a/b", "to ../x", "to /"]
    with live.Daemon(servers, user.account() + rules) as daemon:
        daemon.wait_watching()
        user.deliver(*(live.message(s) for s in subjects))
        live.wait("all to be judged",
                  lambda: len(daemon.logged("info judged")) == len(subjects))
        daemon.wait_quiet()
        # This Dovecot knows no mailbox with a dot in its name.
        user.wait_subjects("INBOX", ["to ../x"])
        boxes = {name: len(messages)
                 for name, messages in user.mailboxes().items() if messages}
        live.same(sum(boxes.values()), len(subjects), "messages")
        for name in set(boxes) - {"INBOX"}:
            live.check(name.startswith("In/") and name.count("/") == 1,
                       "a message got out to %s", name)
        live.check(live.utf7("In/Ünïts") in boxes, "no In/Ünïts: %r", boxes)


@live.case
def several_mailboxes(servers):
    user = servers.user()
    user.create("Lists", "Lists/linux", "Lists/Größe", "Other")
    text = user.account("watch = INBOX, Lists/*\n\tArchive\nconnections = 8\n") + """
[rule lists]
mailboxes = Lists/*
when = all
mark = flagged

[rule archive]
mailboxes = Archive
when = all
mark = $Seen2

[rule inbox]
mailboxes = INBOX
when = subject ~ /^move/
move = Lists/linux
"""
    with live.Daemon(servers, text) as daemon:
        live.wait("the watched ones", lambda: {
            box for (_, box), b in daemon.boxes().items()
            if b["state"] == "watching"} >= {"INBOX", "Archive"})
        live.wait("all of the pattern", lambda: {
            "Lists/linux", "Lists/Größe"} <= {
                box for _, box in daemon.boxes()})
        live.check("Other" not in {box for _, box in daemon.boxes()},
                   "Other is watched")
        imap = user.imap()
        for mailbox in ("Lists/Größe", "Archive", "Other"):
            imap.append('"%s"' % live.utf7(mailbox), "", None,
                        live.message("appended"))
        user.deliver(live.message("move on"))
        imap.logout()
        live.wait("Lists/Größe", lambda: user.flags(
            "Lists/Größe", "appended") == ["\\Flagged"], 40)
        live.wait("Archive", lambda: user.flags(
            "Archive", "appended") == ["$Seen2"], 40)
        # Moved by one rule, then met by the next in its new mailbox.
        user.wait_subjects("Lists/linux", ["move on"])
        live.same(user.flags("Other", "appended"), [], "flags in Other")


if __name__ == "__main__":
    live.main()
