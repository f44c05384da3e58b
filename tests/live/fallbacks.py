#!/usr/bin/env -S python3 -B
"""Servers that can do less: no MOVE, no IDLE, no UIDPLUS, no SPECIAL-USE.

Dovecot's imap_capability changes what it says it can do; that Belfry uses
nothing else is seen in the raw log of what it was sent."""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402

POOR = "IMAP4rev1 SASL-IR LITERAL+ ID"
RULES = """
[rule move]
when = subject ~ /^move/
move = Moved
create = yes

[rule junk]
when = subject is junk
junk = yes

[rule delete]
when = subject is delete
delete = forever
"""


def raw(names):
    """Dovecot says that it can do this much, and logs what it is sent."""
    return """
imap_capability = %s
protocol imap {
  rawlog_dir = %%h/rawlog
}
""" % names


def commands(servers, user):
    """What belfryd sent, whose tags are b1, b2...: {command: count}."""
    folder = os.path.join(servers.dir, "mail", user.address, "rawlog")
    found = {}
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".in"):
            continue
        for line in live.read(os.path.join(folder, name)).splitlines():
            match = re.match(r"[\d.]+ b\d+ ((?:UID )?[A-Z]+)", line)
            if match:
                found[match.group(1)] = found.get(match.group(1), 0) + 1
    return found


def rawlog(servers, user):
    folder = os.path.join(servers.dir, "mail", user.address, "rawlog")
    os.mkdir(folder)
    os.chmod(folder, 0o777)


@live.case_with(raw(POOR + " UIDPLUS IDLE"))
def copy_where_there_is_no_move(servers):
    user = servers.user()
    rawlog(servers, user)
    imap = user.imap()
    imap.append("INBOX", "(\\Deleted)", None, live.message("marked by hand"))
    imap.logout()
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        user.deliver(*(live.message(s) for s in
                       ("move 1", "move 2", "stay", "junk", "delete")))
        user.wait_subjects("Moved", ["move 1", "move 2"])
        # Without SPECIAL-USE by the usual name.
        user.wait_subjects("Junk", ["junk"])
        user.wait_subjects("INBOX", ["marked by hand", "stay"])
        daemon.wait_quiet()
    did = commands(servers, user)
    live.check(did.get("IDLE"), "no IDLE: %r", did)
    live.check("UID MOVE" not in did, "MOVE: %r", did)
    live.check("EXPUNGE" not in did, "a plain EXPUNGE: %r", did)
    live.check(did.get("UID COPY") and did.get("UID EXPUNGE"), "%r", did)


@live.case_with(raw(POOR))
def polling_and_no_uidplus(servers):
    user = servers.user()
    rawlog(servers, user)
    text = user.account("poll = 30s\n") + RULES
    with live.Daemon(servers, text) as daemon:
        daemon.wait_watching()
        live.check(not list(daemon.boxes().values())[0]["pushed"], "pushed")
        user.deliver(live.message("move 1"))
        user.wait_subjects("Moved", ["move 1"], 45)
        daemon.wait_quiet()
        # It stays, marked: nothing else may be expunged with it.
        live.same(user.flags("INBOX", "move 1"), ["\\Deleted"], "flags")
        live.check(daemon.logged("UIDPLUS"), "nobody said why it stays")
    did = commands(servers, user)
    live.check(did.get("UID COPY"), "no COPY: %r", did)
    for word in ("IDLE", "UID MOVE", "EXPUNGE", "UID EXPUNGE", "CLOSE"):
        live.check(word not in did, "%s was used: %r", word, did)
    # And once is enough.
    with live.Daemon(servers, text) as daemon:
        daemon.wait_watching()
        daemon.wait_quiet()
        live.stays("one copy", lambda: user.subjects("Moved") == ["move 1"])


if __name__ == "__main__":
    live.main()
