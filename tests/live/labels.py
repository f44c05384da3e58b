#!/usr/bin/env -S python3 -B
"""One message in two watched mailboxes: where the server says that it is one
(replicas of Gmail, and of one with OBJECTID), each rule is asked once; where it
does not, each copy is judged, and a forward goes out once all the same."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import liars  # noqa: E402
import live  # noqa: E402
import replica_kinds  # noqa: E402
from replica import Replica  # noqa: E402

ONCE = """
[rule everywhere]
when = all
exec = %s ${subject}
move = Done
create = yes

[rule here]
mailboxes = Label
when = all
mark = flagged
"""
RULES = """
[rule forward]
when = subject has report
forward = boss@example.net

[rule flag]
when = subject has report
mark = flagged
"""


def copy(user, subject, target):
    imap = user.imap()
    imap.select("INBOX")
    _, found = imap.uid("SEARCH", "HEADER", "SUBJECT", '"%s"' % subject)
    imap.uid("COPY", found[0].split()[0].decode(), target)
    imap.logout()


@live.case
def a_forward_goes_out_once(servers):
    user = servers.user()
    user.create("Label")
    keys = "watch = INBOX, Label\n"
    with live.Daemon(servers, user.account(keys) + RULES) as daemon:
        daemon.wait_watching(2)
        user.deliver(live.message("report 1"))
        live.wait("the forward", lambda: len(user.sent()) == 1)
        copy(user, "report 1", "Label")
        live.wait("both flagged", lambda: all(
            "\\Flagged" in user.flags(mailbox, "report 1")
            for mailbox in ("INBOX", "Label")))
        daemon.wait_quiet()
        live.stays("one forward", lambda: len(user.sent()) == 1)
        judged = [row["mailbox"] for row in daemon.history()]
        live.same(sorted(judged), ["INBOX", "Label"], "judged in")


def is_one(servers, kind, home):
    """Ten at the same moment in both, over two connections; and one that comes
    to a third mailbox while nobody looks. `home`: where they are judged."""
    certificate = liars.make_certificate(servers.dir, "DNS:localhost")
    replica = Replica(kind, certificate, live.PASSWORD)
    replica.add_box("Label")
    replica.add_box("Late")
    note = os.path.join(servers.dir, kind["name"])
    runs = note + ".runs"
    with open(note, "w", encoding="utf-8") as file:
        file.write('#!/bin/sh\necho "$1" >>%s\n' % runs)
    os.chmod(note, 0o700)
    password = os.path.join(servers.dir, "replica.pw")
    with open(password, "w", encoding="utf-8") as file:
        file.write(live.PASSWORD + "\n")
    text = (
        "[account work]\nemail = ann@example.com\nuser = ann\n"
        "provider = none\nimap = imaps://localhost:%d\ntls_ca_file = %s\n"
        "password_command = cat %s\nwatch = INBOX, Label, Late\nnotify = no\n"
        "claim = no\n" % (
            replica.port, certificate[0], password)) + ONCE % note
    daemon = live.Daemon(servers, text)
    with daemon:
        daemon.wait_watching(3)
        for n in range(10):
            replica.show(live.message("both %d" % n), "INBOX", "Label")
        live.wait("all moved", lambda: len(
            replica.subjects("Done") or ()) == 10)
        daemon.wait_quiet()
    with replica.lock:
        late = replica.box("INBOX").messages
        live.same([m.subject for m in late] if home else [], [], "in INBOX")
        target = replica.box("Done").messages[0]
        replica.box("Late").add(target.data, (), target.number)
    with daemon:
        live.wait("a look at it", lambda: daemon.logged(
            "mailbox=Late .*judged"))
        daemon.wait_quiet()
        with open(runs, encoding="utf-8") as file:
            ran = sorted(file.read().splitlines())
        live.same(ran, sorted("both %d" % n for n in range(10)), "commands")
        live.same(len(replica.subjects("Done")), 10, "moved")
    replica.stop()


@live.case
def labels_of_one_message(servers):
    is_one(servers, replica_kinds.all_kinds()["gmail"], True)


@live.case
def copies_with_one_objectid(servers):
    is_one(servers, replica_kinds.all_kinds()["objectid"], False)


if __name__ == "__main__":
    live.main()
