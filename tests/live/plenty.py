#!/usr/bin/env -S python3 -B
"""What is too much to be looked at one by one: that none of it is lost, nothing
is done twice, and the memory for it does not grow with it.

$LIVE_MESSAGES: so many messages came while belfryd was away."""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402

# What one window of messages takes (MAILBOX_WINDOW of daemon/account/mailbox.h)
# is there with the first number; the second is any other.
WINDOW = 5000
MESSAGES = int(os.environ.get("LIVE_MESSAGES", 6000))
MORE_KIB = 6 * 1024
SECONDS = 90 + MESSAGES // 100

RULES = """
[rule move]
when = subject ~ /^move /
move = Moved
create = yes

[rule flag]
when = subject ~ /^flag /
mark = flagged

[rule exec]
when = subject ~ /^exec /
exec = %s ${subject}
"""
MESSAGE = """From: Some Body <some%(sender)d@body.example>\r
To: ann@example.com\r
Subject: %(kind)s %(n)d\r
Date: Tue, 03 Mar 2026 10:00:00 +0000\r
Message-ID: <plenty.%(n)d@body.example>\r
\r
A line of text.\r
"""


def kind_of(n):
    if n % 1000 == 7:
        return "exec"
    return {3: "move", 5: "flag"}.get(n % 20, "leave")


class Fed:
    """Mail that was put where Dovecot keeps it, and what is to become of it."""

    def __init__(self, user):
        self.folder = os.path.join(
            user.servers.dir, "mail", user.address, "Maildir", "new")
        self.count = 0

    def write(self, count):
        owner = os.stat(self.folder)
        for n in range(self.count, self.count + count):
            path = os.path.join(
                self.folder, "%d.M%dP1.plenty" % (1780000000 + n, n))
            with open(path, "w", encoding="ascii", newline="") as file:
                file.write(MESSAGE % {
                    "n": n, "kind": kind_of(n), "sender": n % 500})
            os.chown(path, owner.st_uid, owner.st_gid)
        self.count += count

    def of(self, kind):
        return ["%s %d" % (kind, n) for n in range(self.count)
                if kind_of(n) == kind]


def peak_kib(daemon):
    """The most that the running daemon ever had in memory."""
    status = live.read("/proc/%d/status" % daemon.process.pid)
    return int(re.search(r"VmHWM:\s*(\d+) kB", status).group(1))


def judged(daemon):
    """The UIDs, in the order in which they were judged."""
    return [int(uid) for uid in
            re.findall(r" info judged .*? uid=(\d+) ", daemon.log())]


def subjects(user, mailbox, *criteria):
    imap = user.imap()
    imap.select(mailbox, readonly=True)
    _, found = imap.uid("SEARCH", *criteria)
    uids = found[0].decode().split()
    _, data = imap.uid("FETCH", ",".join(uids),
                       "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    imap.logout()
    return [part[1].decode().strip().removeprefix("Subject: ")
            for part in data if isinstance(part, tuple)]


def noted(daemon):
    return live.read(daemon.path("notes")).splitlines()


def come_back(daemon, fed, count):
    """Its peak, when so many more had come."""
    fed.write(count)
    daemon.start()
    live.wait("all are judged", lambda: len(judged(daemon)) >= fed.count,
              SECONDS)
    daemon.wait_quiet(SECONDS)
    peak = peak_kib(daemon)
    daemon.stop()
    print("%d came: at most %d KiB" % (count, peak), flush=True)
    return peak


# Dovecot does not read the folder anew for each command.
@live.case_with("maildir_very_dirty_syncs = yes\n")
def came_while_away(servers):
    user = servers.user()
    daemon = live.Daemon(servers, "")
    note = daemon.script("note", 'echo "$1" >>%s\n' % daemon.path("notes"))
    daemon.write(user.account() + RULES % note)
    daemon.start()
    daemon.wait_watching()
    daemon.stop()
    fed = Fed(user)
    few, many = (come_back(daemon, fed, n) for n in (WINDOW, MESSAGES))
    live.check(judged(daemon) == list(range(1, fed.count + 1)),
               "not judged once each, in order")
    live.same(sorted(noted(daemon)), sorted(fed.of("exec")), "commands")
    live.same(subjects(user, "Moved", "ALL"), fed.of("move"), "moved")
    live.same(subjects(user, "INBOX", "FLAGGED"), fed.of("flag"), "flagged")
    live.check(many < few + MORE_KIB, "%d KiB after %d, %d KiB after %d", few,
               WINDOW, many, MESSAGES)


if __name__ == "__main__":
    live.main(60 + 2 * SECONDS)
