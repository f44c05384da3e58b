#!/usr/bin/env -S python3 -B
"""Folder names of all kinds, and more than one watched mailbox."""

import os
import subprocess
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
def listed(servers):
    """belfryctl mailboxes, for people and for programs."""
    user = servers.user()
    user.create("Lists/Größe", "Own")
    with live.Daemon(servers, user.account(
            "watch = INBOX, Lists/*\n")) as daemon:
        daemon.wait_watching(2)
        daemon.wait_quiet()
        document = daemon.ctl("mailboxes", user.name)
        (account,) = document["accounts"]
        live.same((account["account"], account["listed"]), (user.name, True),
                  "account")
        boxes = {m["mailbox"]: m for m in account["mailboxes"]}
        live.same(sorted(boxes), sorted(
            ["INBOX", "Archive", "Drafts", "Junk", "Lists", "Lists/Größe",
             "Own", "Sent", "Trash"]), "mailboxes")
        live.same({n: m["use"] for n, m in boxes.items() if m["use"]},
                  {n: "\\" + n for n in ("Archive", "Junk", "Sent", "Trash")},
                  "uses")
        live.same({n: m["watched"] for n, m in boxes.items() if m["watched"]},
                  {"INBOX": "idle", "Lists/Größe": "idle"}, "watched")
        live.same([n for n, m in boxes.items() if not m["holds_messages"]],
                  ["Lists"], "without messages")
        text = subprocess.run(
            [live.BELFRYCTL, "-c", daemon.config, "mailboxes"],
            env=daemon.env, stdout=subprocess.PIPE, text=True,
            check=True).stdout.splitlines()
        live.same([line.split() for line in text[:4]],
                  [[user.name], ["MAILBOX", "USE", "WATCHED"],
                   ["INBOX", "pushed"], ["Archive", "\\Archive", "no"]], "text")
        document = daemon.ctl("mailboxes", "nobody", code=1)
        live.check("no account nobody" in document["error"], "%r", document)


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


@live.case
def one_mailbox_by_two_names(servers):
    """Each message is judged once; and who is left when one of the names is
    taken out of `watch`, or put in, goes on where that one was."""
    user = servers.user()
    daemon = live.Daemon(servers, "")
    out = daemon.path("out")
    rule = "[rule r]\nwhen = all\nexec = %s ${subject}\n" % daemon.script(
        "run", "echo \"$1\" >>%s\n" % out)
    sent = []

    def deliver(*mailboxes):
        imap = user.imap()
        for mailbox in mailboxes:
            sent.append("m%d" % len(sent))
            imap.append(mailbox, None, None, live.message(sent[-1]))
            daemon.wait_log("judged.*subject=%s " % sent[-1])
        imap.logout()
        daemon.wait_quiet()
        live.same(sorted(live.read(out).split()), sorted(sent), "commands")

    def watch(value, *names):
        daemon.write(user.account("watch = " + value) + rule)
        if daemon.process is None:
            daemon.start()
        else:
            daemon.ctl("reload")
        live.wait("%s to be watched" % (names,), lambda: sorted(
            (name, box["state"]) for (_, name), box
            in daemon.boxes().items()) ==
            [(name, "watching") for name in sorted(names)])

    watch("inbox, Archive, *, \\Archive, INBOX, \\Junk",
          "inbox", "Archive", "\\Junk", "Drafts", "Sent", "Trash")
    live.same(len(daemon.logged("this is the mailbox")), 2, "warnings")
    deliver("INBOX", "Archive", "Junk", "INBOX", "Archive")
    # Who matched the pattern until now gives way to a name; who was here
    # under another name goes on under the one that is left.
    watch("INBOX, *, \\Trash",
          "INBOX", "Archive", "\\Junk", "Drafts", "Sent", "\\Trash")
    deliver("Trash", "Junk", "Archive", "INBOX")
    live.same(daemon.stop(), 0, "exit status")
    daemon.start()
    daemon.wait_watching(6)
    deliver("Trash", "Junk", "Archive", "INBOX")
    live.same(daemon.stop(), 0, "exit status")


@live.case
def moved_into_a_watched_mailbox(servers):
    """Its commands do not run again; rules of the new mailbox alone see it."""
    user = servers.user()
    user.create("Lists", "Lists/linux")
    daemon = live.Daemon(servers, "")
    note = daemon.script("note", "echo \"$BELFRY_MAILBOX $@\" >>%s\n"
                         % daemon.path("notes"))
    daemon.write(user.account("watch = INBOX, Lists/linux\n") + """
[rule everywhere]
when = subject ~ /^(?<word>to list|around)/
exec = %(note)s ${subject}
[rule to-list]
mailboxes = INBOX
when = subject ~ /^(to list|around)/
move = Lists/linux
[rule in-list]
mailboxes = Lists/linux
when = subject ~ /^to list/
mark = flagged
[rule back]
mailboxes = Lists/linux
when = subject ~ /^around/
move = INBOX
""" % {"note": note})
    daemon.start()
    daemon.wait_watching(2)
    user.deliver(live.message("to list 1"), live.message("around 1"))
    user.wait_subjects("Lists/linux", ["to list 1"])
    live.wait("the rule of the list", lambda: user.flags(
        "Lists/linux", "to list 1") == ["\\Flagged"])
    user.wait_subjects("INBOX", ["around 1"])
    daemon.wait_quiet()
    imap = user.imap()
    imap.append("Lists/linux", "", None, live.message("to list 2"))
    imap.logout()
    live.wait("what came by another way", lambda: user.flags(
        "Lists/linux", "to list 2") == ["\\Flagged"])
    # The mailbox forgets, the history does not: judged again from its end on.
    daemon.kill()
    user.deliver(live.message("to list 3"))
    daemon.start()
    user.wait_subjects("Lists/linux", ["to list 1", "to list 2", "to list 3"])
    live.wait("the rule of the list", lambda: user.flags(
        "Lists/linux", "to list 3") == ["\\Flagged"])
    daemon.wait_quiet()
    live.same(sorted(live.read(daemon.path("notes")).splitlines()),
              ["INBOX around 1", "INBOX to list 1", "INBOX to list 3",
               "Lists/linux to list 2"], "commands")
    live.same(user.subjects("INBOX"), ["around 1"], "INBOX")
    live.check(len(daemon.logged(" known .*not judged again")) >= 1, "log")
    live.same(daemon.stop(), 0, "exit status")


PUBLIC = """
namespace inbox {
  inbox = yes
  separator = /
}
namespace public {
  type = public
  separator = /
  prefix = Public/
  location = maildir:~/public
  subscriptions = no
}
"""


@live.case_with(PUBLIC)
def of_another_namespace(servers):
    """What is everybody's is watched, filled and made like one's own."""
    user = servers.user()
    user.create("Public/news", "Public/Größe & 日本", "Lists/x")
    text = user.account("watch = INBOX, Public/*\nconnections = 8\n") + """
[rule public]
mailboxes = Public/*
when = all
mark = flagged
[rule inbox]
mailboxes = INBOX
when = all
move = Public/made
create = yes
"""
    there = ["Public/news", "Public/Größe & 日本"]
    with live.Daemon(servers, text) as daemon:
        daemon.wait_watching(3)
        live.same({box for _, box in daemon.boxes()}, {"INBOX", *there},
                  "watched")
        imap = user.imap()
        for name in there:
            imap.append('"%s"' % servers.wire(name), "", None,
                        live.message("hello"))
        imap.logout()
        user.deliver(live.message("hello"))
        for name in [*there, "Public/made"]:
            user.wait_subjects(name, ["hello"])
            live.wait(name, lambda n=name: user.flags(n, "hello")
                      == ["\\Flagged"])


if __name__ == "__main__":
    live.main()
