"""What Belfry does on every server: cases that tests/live/on-*.py run against
one kind of server each (other_servers.py)."""

import os
import random
import sys
import time

import front
import live
import other_servers

RULES = r"""
[rule copy]
when = subject is copy
copy = Copied
create = yes

[rule move]
when = subject is move
move = Moved/Deep
create = yes

[rule both]
when = subject is both
copy = Copied
move = Moved/Deep

[rule missing]
when = subject is missing
move = Nowhere

[rule mark]
when = subject is mark
mark = read flagged $Work

[rule archive]
when = subject is archive
archive = yes

[rule trash]
when = subject is trash
trash = yes

[rule junk]
when = subject is junk
junk = yes

[rule delete]
when = subject is delete
delete = forever
"""

KINDS = ["copy", "move", "both", "missing", "mark", "archive", "trash", "junk",
         "delete", "nothing"]


def settle(user):
    """The folders that archive, trash and junk mean, where the server makes
    none."""
    have = {name for name in user.mailboxes()}
    user.create(*({"Archive", "Trash", "Junk"} - have))


@live.case
def actions(servers):
    user = servers.user()
    settle(user)
    user.deliver(live.message("delete"))  # before first contact
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        originals = {kind: live.message(kind) for kind in KINDS}
        user.deliver(*originals.values())
        user.wait_subjects("INBOX",
                           ["copy", "mark", "missing", "nothing", "delete"])
        daemon.wait_quiet()
        boxes = {name: sorted(m["subject"] for m in messages)
                 for name, messages in user.mailboxes().items() if messages}
        live.same(boxes, {
            "INBOX": ["copy", "delete", "mark", "missing", "nothing"],
            "Copied": ["both", "copy"],
            "Moved/Deep": ["both", "move"],
            "Archive": ["archive"],
            "Trash": ["trash"],
            "Junk": ["junk"],
        }, "mailboxes")
        live.same(user.flags("INBOX", "mark"),
                  ["$Work", "\\Flagged", "\\Seen"], "flags")
        live.same(user.flags("INBOX", "copy"), [], "flags of the copied one")
        for mailbox, subject in (("Moved/Deep", "move"), ("Copied", "copy"),
                                 ("Trash", "trash")):
            live.check(user.source(mailbox, subject).endswith(
                originals[subject]), "the bytes of %s changed", subject)
        live.check(daemon.logged("refused.*Nowhere"),
                   "nobody said that Nowhere is missing")
        states = {m["subject"]: [e["state"] for e in m["effects"]]
                  for m in daemon.history()}
        live.same(states["both"][:2], ["done", "done"], "history of `both`")
        live.check("failed" in states["missing"], "`missing` did not fail: %r",
                   states["missing"])


@live.case
def many_at_once(servers):
    user = servers.user()
    settle(user)
    rules = ("[rule m]\nwhen = subject ~ /^move/\nmove = Moved\ncreate = yes\n"
             "[rule t]\nwhen = subject ~ /^trash/\ntrash = yes\n"
             "[rule k]\nwhen = subject ~ /^mark/\nmark = $Later\n")
    moved = ["move %d" % n for n in range(40)]
    trashed = ["trash %d" % n for n in range(20)]
    marked = ["mark %d" % n for n in range(20)]
    with live.Daemon(servers, user.account() + rules) as daemon:
        daemon.wait_watching()
        subjects = moved + trashed + marked
        random.shuffle(subjects)
        user.deliver(*(live.message(s) for s in subjects))
        user.wait_subjects("Moved", moved)
        user.wait_subjects("Trash", trashed)
        user.wait_subjects("INBOX", marked)
        daemon.wait_quiet()
        live.check(all(m["flags"] == ["$Later"]
                       for m in user.mailboxes()["INBOX"]), "flags")


@live.case
def another_client_deletes(servers):
    """What another marked \\Deleted or took away stays as that one wants."""
    user = servers.user()
    settle(user)
    user.deliver(live.message("marked by hand"), live.message("taken away"))
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        imap = user.imap()
        imap.select("INBOX")
        imap.store("1", "+FLAGS", "(\\Deleted)")
        user.deliver(live.message("delete"), live.message("move"))
        user.wait_subjects("Moved/Deep", ["move"])
        user.wait_subjects("INBOX", ["marked by hand", "taken away"])
        imap.store("1", "-FLAGS", "(\\Deleted)")
        imap.store("2", "+FLAGS", "(\\Deleted)")
        imap.expunge()
        imap.logout()
        user.deliver(live.message("move"))
        user.wait_subjects("Moved/Deep", ["move", "move"])
        user.wait_subjects("INBOX", ["marked by hand"])


@live.case
def catch_up_after_pause(servers):
    user = servers.user()
    settle(user)
    text = user.account() + RULES
    user.deliver(live.message("move"))
    daemon = live.Daemon(servers, text)
    with daemon:
        daemon.wait_watching()
        user.deliver(live.message("copy"))
        user.wait_subjects("Copied", ["copy"])
        daemon.wait_quiet()
    user.deliver(live.message("move"), live.message("copy"))
    with daemon:
        user.wait_subjects("Moved/Deep", ["move"])
        user.wait_subjects("Copied", ["copy", "copy"])
        daemon.wait_quiet()
        servers.cut_imap()
        user.deliver(live.message("move"))
        user.wait_subjects("Moved/Deep", ["move", "move"], 40)
        user.wait_subjects("INBOX", ["copy", "copy", "move"])


@live.case
def killed_and_once(servers):
    """kill -9 at any moment: in the end each was done, and once."""
    user = servers.user()
    settle(user)
    rules = ("[rule c]\nwhen = subject ~ /^copy/\ncopy = Copied\n"
             "create = yes\n"
             "[rule m]\nwhen = subject ~ /^(move|copy m)/\nmove = Moved\n"
             "create = yes\n"
             "[rule k]\nwhen = subject ~ /^mark/\nmark = flagged\n")
    daemon = live.Daemon(servers, user.account() + rules)
    with daemon:
        daemon.wait_watching()
    subjects = []
    rng = live.seed()
    for number in range(8):
        more = ["%s %d" % (kind, number)
                for kind in ("copy", "move", "copy m", "mark")]
        subjects += more
        daemon.start()
        if rng.random() < 0.5:
            time.sleep(rng.uniform(0, 0.5))
        user.deliver(*(live.message(s) for s in more))
        time.sleep(rng.uniform(0.1, 0.8))
        daemon.kill()
    with daemon:
        def of(*kinds):
            return [s for s in subjects if s.rsplit(" ", 1)[0] in kinds]
        user.wait_subjects("Copied", of("copy", "copy m"), 60)
        user.wait_subjects("Moved", of("move", "copy m"), 60)
        user.wait_subjects("INBOX", of("copy", "mark"))
        daemon.wait_quiet(60)
        for message in user.mailboxes()["INBOX"]:
            live.same(message["flags"], ["\\Flagged"] if
                      message["subject"].startswith("mark") else [], "flags")


NAMES = {
    "umlaut": "Größe & Maß",
    "deep": "Листы/Ядро/日本語",
    "emoji": "🦉 owls",
    "paren": "(some) [thing] x",
    "quotes": "with 'quotes'",
}


@live.case
def names(servers):
    user = servers.user()
    rules = "".join(
        "[rule %s]\nwhen = subject is %s\nmove = %s\ncreate = yes\n\n"
        % (kind, kind, name) for kind, name in NAMES.items())
    with live.Daemon(servers, user.account() + rules) as daemon:
        daemon.wait_watching()
        for _ in range(2):  # made, and then found again
            user.deliver(*(live.message(kind) for kind in NAMES))
        daemon.wait_quiet()
        cannot = servers.cannot_name
        for kind, name in NAMES.items():
            if kind not in cannot:
                user.wait_subjects(name, [kind, kind])
        live.same(user.subjects("INBOX"), sorted(2 * list(cannot)), "INBOX")
        # Whose name the server does not take, that one is told why.
        live.same(len(daemon.logged("refused.*could not be made: the server "
                                    "says:")), 2 * len(cannot), "refusals")


@live.case
def several_mailboxes(servers):
    user = servers.user()
    settle(user)
    user.create("Lists", "Lists/linux", "Lists/Größe", "Other")
    text = user.account(
        "watch = INBOX, Lists/*\n\tArchive\nconnections = 8\n") + """
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
        live.wait("all of the pattern", lambda: {
            box for (_, box), b in daemon.boxes().items()
            if b["state"] == "watching"} >= {
                "INBOX", "Archive", "Lists/linux", "Lists/Größe"})
        live.check("Other" not in {box for _, box in daemon.boxes()},
                   "Other is watched")
        imap = user.imap()
        for mailbox in ("Lists/Größe", "Archive", "Other"):
            imap.append('"%s"' % servers.wire(mailbox), "", None,
                        live.message("appended"))
        user.deliver(live.message("move on"))
        imap.logout()
        live.wait("Lists/Größe", lambda: user.flags(
            "Lists/Größe", "appended") == ["\\Flagged"], 40)
        live.wait("Archive", lambda: user.flags(
            "Archive", "appended") == ["$Seen2"], 40)
        user.wait_subjects("Lists/linux", ["move on"])
        live.wait("the flag there", lambda: user.flags(
            "Lists/linux", "move on") == ["\\Flagged"], 40)
        live.same(user.flags("Other", "appended"), [], "flags in Other")


@live.case
def several_on_one_connection(servers):
    """More mailboxes than connections: each is visited at the start. With
    LIVE_SLOW=yes also while it runs: STATUS, half a minute later."""
    user = servers.user()
    settle(user)
    lists = ["Lists/l%d" % n for n in range(4)]
    user.create("Lists", *lists)
    text = user.account("watch = INBOX, Lists/l*\nconnections = 1\n"
                        "poll = 30s\n") + """
[rule lists]
mailboxes = Lists/*
when = all
mark = flagged

[rule inbox]
mailboxes = INBOX
when = subject ~ /^move/
move = Lists/l0
"""
    daemon = live.Daemon(servers, text)

    def append(*mailboxes):
        imap = user.imap()
        for mailbox in mailboxes:
            imap.append('"%s"' % servers.wire(mailbox), "", None,
                        live.message("to " + mailbox))
        imap.logout()

    def is_flagged(mailbox, subject):
        live.wait(mailbox, lambda: user.flags(mailbox, subject)
                  == ["\\Flagged"], 60)

    with daemon:
        live.wait("all", lambda: sum(
            b["state"] == "watching" for b in daemon.boxes().values()) == 5)
    append(lists[1], lists[3])
    user.deliver(live.message("move on"))
    with daemon:
        for name in (lists[1], lists[3]):
            is_flagged(name, "to " + name)
        user.wait_subjects(lists[0], ["move on"])
        is_flagged(lists[0], "move on")
        live.same(sum(b["connected"] for b in daemon.boxes().values()), 1,
                  "connections")
        if "LIVE_SLOW" in os.environ:
            append(lists[2])
            is_flagged(lists[2], "to " + lists[2])
            user.deliver(live.message("move at once"))
            user.wait_subjects(lists[0], ["move on", "move at once"], 60)
            is_flagged(lists[0], "move at once")


@live.case
def mailboxes_come_and_go(servers):
    """Not all servers say that an open mailbox was deleted or renamed. The
    folders are listed about every ten minutes; here a rule makes one."""
    user = servers.user()
    settle(user)
    user.create("Lists", "Lists/gone", "Lists/old", "Lists/日本 & mehr")
    text = user.account("watch = INBOX, Lists/%\nconnections = 8\n") + """
[rule inbox]
mailboxes = INBOX
when = all
move = Lists/made
create = yes

[rule lists]
mailboxes = Lists/*
when = all
mark = flagged
"""
    with live.Daemon(servers, text) as daemon:
        def watched():
            return {box for (_, box), b in daemon.boxes().items()
                    if b["state"] == "watching"} - {"INBOX"}
        there = {"Lists/gone", "Lists/old", "Lists/日本 & mehr"}
        live.wait("all of the pattern", lambda: watched() == there)
        imap = user.imap()

        def wire(name):
            return '"%s"' % servers.wire(name)
        imap.delete(wire("Lists/gone"))
        imap.rename(wire("Lists/old"), wire("Lists/renamed"))
        imap.create(wire("Lists/new"))
        later = ["Lists/日本 & mehr", "Lists/new", "Lists/renamed"]
        for name in later:
            imap.append(wire(name), "", None, live.message("appended"))
        imap.logout()
        user.deliver(live.message("makes a folder"))
        for name in later:
            live.wait(name, lambda n=name: user.flags(n, "appended")
                      == ["\\Flagged"], 40)
        live.wait("the one that was made", lambda: user.flags(
            "Lists/made", "makes a folder") == ["\\Flagged"], 40)
        live.same(watched(), {*later, "Lists/made"}, "watched")


MULTIPART = """--b
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Die Gr=F6=DFe z=E4hlt.
--b
Content-Type: application/pdf; name="r.pdf"
Content-Disposition: attachment; filename="r.pdf"
Content-Transfer-Encoding: base64

JVBERi0xLjQK
--b--
"""


@live.case
def attachments_and_text(servers):
    user = servers.user()
    rules = ("[rule a]\nwhen = attachment.name ~ /\\.pdf$/\nmark = flagged\n"
             "[rule b]\nwhen = body has Größe\nmark = $Big\n")
    with live.Daemon(servers, user.account() + rules) as daemon:
        daemon.wait_watching()
        user.deliver(
            live.message("both", body=MULTIPART, headers=[
                "MIME-Version: 1.0",
                "Content-Type: multipart/mixed; boundary=b"]),
            live.message("text", body="Gr\xf6\xdfe\n", headers=[
                "MIME-Version: 1.0",
                "Content-Type: text/plain; charset=utf-8",
                "Content-Transfer-Encoding: 8bit"]),
            live.message("none"))
        live.wait("judgement", lambda: len(daemon.logged("info judged")) == 3)
        daemon.wait_quiet()
        live.same(user.flags("INBOX", "both"), ["$Big", "\\Flagged"], "both")
        live.same(user.flags("INBOX", "text"), ["$Big"], "text")
        live.same(user.flags("INBOX", "none"), [], "none")


@live.case
def undone(servers):
    """By message, by rule, and twice; what cannot be taken back is said."""
    user = servers.user()
    settle(user)
    kinds = ["copy", "move", "mark", "archive", "trash", "junk", "delete"]
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        user.deliver(*[live.message(kind) for kind in kinds])
        live.wait("all to be done", lambda: sum(
            e["state"] == "done" for m in daemon.history()
            for e in m["effects"] if e["action"] != "notify") >= len(kinds))
        daemon.wait_quiet()
        uids = {m["subject"]: m["uid"] for m in daemon.history()}
        place = "%s/INBOX/%%d" % user.name
        for kind in ("move", "archive", "trash", "junk"):
            answer = daemon.ctl("undo", place % uids[kind])
            live.same([s["state"] for s in answer["messages"][0]["steps"]],
                      ["undone"], kind)
        daemon.ctl("undo", user.name, "--rule", "mark")
        daemon.ctl("undo", user.name, "--rule", "copy")
        live.same(daemon.ctl("undo", place % uids["move"], code=1)["error"],
                  "it was taken back already", "twice")
        refused = daemon.ctl("undo", place % uids["delete"], code=1)
        live.same([(s["state"], s["detail"])
                   for s in refused["messages"][0]["steps"]],
                  [("refused", "it was deleted for good")], "delete")
        user.wait_subjects("INBOX", sorted(set(kinds) - {"delete"}))
        live.same(user.flags("INBOX", "mark"), [], "flags")
        daemon.wait_quiet()
        time.sleep(live.STILL_SECONDS)
        user.wait_subjects("INBOX", sorted(set(kinds) - {"delete"}))


@live.case
def wrong_password(servers):
    """Once or, where the server does not say why, twice; never a third."""
    user = servers.user()
    text = user.account(password="guess")
    with live.Daemon(servers, text) as daemon:
        daemon.wait_log("[Ll]ogin|[Pp]assword|AUTHENTICATIONFAILED")
        live.stays("it is not watched", lambda: not any(
            box["state"] == "watching" for box in daemon.boxes().values()), 3)
        user.account()  # writes the right one
        live.same(daemon.ctl("reload")["reloaded"], True, "reload")
        daemon.wait_watching()


@live.case
def makes_what_is_missing_once(servers):
    """Many messages for a folder that is not there: one CREATE, all moved."""
    user = servers.user()
    rules = ("[rule n]\nwhen = subject ~ /^to (?<w>\\w+)/\n"
             "move = New/${w}\ncreate = yes\n")
    subjects = ["to %s" % w for w in "aabbcab"]
    with live.Daemon(servers, user.account() + rules) as daemon:
        daemon.wait_watching()
        user.deliver(*(live.message(s) for s in subjects))
        for word in "abc":
            user.wait_subjects("New/" + word,
                               [s for s in subjects if s[-1] == word])
        daemon.wait_quiet()
        live.same(user.subjects("INBOX"), [], "INBOX")
        live.check(not daemon.logged("trouble|failed"), "trouble: %r",
                   daemon.logged("trouble|failed"))


class Deaf(front.Front):
    """Ends the daemon when it would hear that it has copied."""

    daemon = None

    def answer(self, line, client):
        if b"COPYUID" in line and self.daemon:
            self.daemon.process.kill()
        else:
            super().answer(line, client)


# The front stays, so this comes last.
@live.case
def killed_before_it_hears(servers):
    """What was copied is found in the target, and soon: not made again."""
    user = servers.user()
    user.create("Copied", "Moved")
    between = Deaf(servers)
    rules = ("[rule c]\nwhen = subject is copy\ncopy = Copied\n"
             "[rule m]\nwhen = subject is move\nmove = Moved\n")
    daemon = live.Daemon(servers, user.account() + rules)
    for kind, folder in (("copy", "Copied"), ("move", "Moved")):
        with daemon:
            daemon.wait_watching()
            between.daemon = daemon
            user.deliver(live.message(kind))
            live.wait("it to be killed",
                      lambda: daemon.process.poll() is not None)
        between.daemon = None
        with daemon:
            live.wait("the %s to be found" % kind, lambda what=kind:
                      daemon.logged(what + " to .*before the interruption")
                      or daemon.logged("done .*move to"), 20)
            daemon.wait_quiet()
        live.same(user.subjects(folder), [kind], folder)
    live.same(user.subjects("INBOX"), ["copy"], "INBOX")


def main(kind):
    live.main(limit=600, kind=other_servers.KINDS[kind])
