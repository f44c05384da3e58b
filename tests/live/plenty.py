#!/usr/bin/env -S python3 -B
"""What is too much to be looked at one by one: that none of it is lost, nothing
is done twice, and the memory for it does not grow with it.

$LIVE_MESSAGES: so many messages came while belfryd was away; the memory is
compared from 10,000 on. $LIVE_PUSHES: so many come while it watches, as quickly
as Dovecot takes them. plenty-on-*.py do the first on other servers."""

import collections
import os
import re
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import desktop  # noqa: E402
import live  # noqa: E402

# MAILBOX_WINDOW of daemon/account/mailbox.h. The second number is more than
# that; with the first, what one window takes is there, where it is measured.
WINDOW = 5000
MESSAGES = int(os.environ.get("LIVE_MESSAGES", WINDOW + 100))
FIRST = WINDOW if MESSAGES >= 2 * WINDOW else 100
MORE_KIB = 6 * 1024
SECONDS = 90 + MESSAGES // 100
PUSHES = int(os.environ.get("LIVE_PUSHES", 150))
FLOOD_SECONDS = 90 + PUSHES // 20
# Another account is not made to wait for the end of it.
OTHERS_SECONDS = 30
FLOOD_KIB = 32 * 1024

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
    """Mail that was put where the server keeps it, and what is to become of
    it."""

    def __init__(self, user):
        self.user = user
        self.count = 0

    def write(self, count):
        self.user.servers.fill(self.user.address, (
            (MESSAGE % {"n": n, "kind": kind_of(n), "sender": n % 500}
             ).encode() for n in range(self.count, self.count + count)))
        self.count += count

    def of(self, kind):
        return ["%s %d" % (kind, n) for n in range(self.count)
                if kind_of(n) == kind]


def is_measured():
    """Not with a sanitizer, which keeps what was freed."""
    with open(live.BELFRYD, "rb") as file:
        return b"__asan_init" not in file.read()


def peak_kib(daemon):
    """The most that the running daemon ever had in memory."""
    status = live.read("/proc/%d/status" % daemon.process.pid)
    return int(re.search(r"VmHWM:\s*(\d+) kB", status).group(1))


def judged(daemon, user):
    """The UIDs, in the order in which they were judged."""
    return [int(uid) for uid in re.findall(
        r" info judged account=%s mailbox=INBOX uid=(\d+) " % user.name,
        daemon.log())]


def subjects(user, mailbox, *criteria):
    imap = user.imap()
    imap.select('"%s"' % user.servers.wire(mailbox), readonly=True)
    _, found = imap.uid("SEARCH", *criteria)
    uids = found[0].decode().split()
    texts = []
    # A line of all of them would be longer than each server takes.
    for at in range(0, len(uids), 1000):
        _, data = imap.uid("FETCH", ",".join(uids[at:at + 1000]),
                           "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        texts += [part[1] for part in data if isinstance(part, tuple)]
    imap.logout()
    return [text.decode().strip().removeprefix("Subject: ")
            for text in texts]


def noted(daemon):
    return live.read(daemon.path("notes")).splitlines()


def check_once(daemon, user, count):
    live.check(judged(daemon, user) == list(range(1, count + 1)),
               "not judged once each, in order")


def same_lists(got, wanted, what):
    """Each as often; says only where they are not the same."""
    got, wanted = collections.Counter(got), collections.Counter(wanted)
    live.same(got - wanted, collections.Counter(), what + ": too often")
    live.same(wanted - got, collections.Counter(), what + ": missing")


def come_back(daemon, fed, count):
    """Its peak, when so many more had come."""
    fed.write(count)
    begin = time.monotonic()
    daemon.start()
    live.wait("all are judged",
              lambda: len(judged(daemon, fed.user)) >= fed.count, SECONDS)
    daemon.wait_quiet(SECONDS)
    peak = peak_kib(daemon)
    print("%d came: at most %d KiB, settled in %.1f s" % (
        count, peak, time.monotonic() - begin), flush=True)
    daemon.stop()
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
    few, many = (come_back(daemon, fed, n) for n in (FIRST, MESSAGES))
    check_once(daemon, user, fed.count)
    same_lists(noted(daemon), fed.of("exec"), "commands")
    same_lists(subjects(user, "Moved", "ALL"), fed.of("move"), "moved")
    same_lists(subjects(user, "INBOX", "FLAGGED"), fed.of("flag"), "flagged")
    live.check(FIRST < WINDOW or not is_measured() or many < few + MORE_KIB,
               "%d KiB after %d, %d KiB after %d", few, FIRST, many, MESSAGES)


FLOOD_RULES = """
[rule exec]
when = subject ~ /^exec /
exec = %(note)s ${subject}

[rule flag]
when = subject ~ /^flag /
mark = flagged

[rule other]
when = subject ~ /^other /
exec = %(note)s ${subject}
"""


def flood(user, subjects):
    user.deliver(*[live.message(subject) for subject in subjects])


def wait_meanwhile(daemon, other, is_over):
    """The seconds from each message of another account to its command."""
    waits = []
    while not waits or not is_over():
        subject = "other %d" % len(waits)
        begin = time.monotonic()
        other.deliver(live.message(subject))
        live.wait(subject, lambda subject=subject: subject in noted(daemon))
        waits.append(time.monotonic() - begin)
    return waits


def fates(daemon):
    """How often it was said what became of a notification, by the words."""
    counts = {}
    for words in re.findall(r' done account=\S+ mailbox=INBOX uid=\d+ '
                            r'what="(notification [^"]*)"', daemon.log()):
        counts[words] = counts.get(words, 0) + 1
    return counts


@live.case
def flooded(servers):
    user, other = servers.user(), servers.user()
    screen = desktop.Desktop(servers, "desktop")
    daemon = live.Daemon(servers, "", env=screen.env)
    note = daemon.script("note", 'echo "$1" >>%s\n' % daemon.path("notes"))
    daemon.write(user.account() + other.account("notify = no\n")
                 + FLOOD_RULES % {"note": note} + desktop.NOTIFIER)
    kinds = {3: "flag", 7: "exec"}
    sent = ["%s %d" % (kinds.get(n % 10, "leave"), n) for n in range(PUSHES)]
    with daemon:
        daemon.wait_watching(2)
        feeder = threading.Thread(target=flood, args=(user, sent))
        feeder.start()
        waits = wait_meanwhile(daemon, other, lambda: not feeder.is_alive())
        live.wait("all are judged",
                  lambda: len(judged(daemon, user)) >= PUSHES, FLOOD_SECONDS)
        live.wait("all are told of",
                  lambda: sum(fates(daemon).values()) >= PUSHES, FLOOD_SECONDS)
        daemon.wait_quiet(FLOOD_SECONDS)
        peak = peak_kib(daemon)
        rung = len(live.read(screen.noted).splitlines())
        print("%d came: at most %d KiB, rung %d times, others waited %.1f s" % (
            PUSHES, peak, rung, max(waits)), flush=True)
    check_once(daemon, user, PUSHES)
    same_lists([line for line in noted(daemon) if line.startswith("exec")],
               [s for s in sent if s.startswith("exec")], "commands")
    same_lists(subjects(user, "INBOX", "FLAGGED"),
               [s for s in sent if s.startswith("flag")], "flagged")
    live.same(sum(fates(daemon).values()), PUSHES, "notifications")
    live.check(rung < 20 + PUSHES // 50, "rung %d times", rung)
    live.check(max(waits) < OTHERS_SECONDS, "another account waited %g s",
               max(waits))
    live.check(not is_measured() or peak < FLOOD_KIB, "%d KiB", peak)


def main(kind=None):
    """Of other servers than Dovecot: what came while away; they take mail too
    slowly for a flood."""
    if kind:
        live.cases.remove((flooded, ""))
    live.main(60 + 2 * SECONDS + 2 * FLOOD_SECONDS, kind)


if __name__ == "__main__":
    main()
