"""A real server for a bench of the whole daemon: a Dovecot of its own, as the
live tests have it, with maildir where $TMPDIR is. Its rawlog says to the
microsecond what it read and what it answered; writing that is the same work for
whoever is its client."""

import glob
import os
import re
import shutil

import live

EXTRA = """
protocol imap {
  rawlog_dir = %h/rawlog
}
"""
STAGE = "Stage"
# About as long as those of the mock server; a body of a few lines.
HEADER = """Return-Path: <bounce-%(list)d@lists.example.org>\r
Received: from relay%(n)d.example (relay%(n)d.example [192.0.2.7])\r
\tby mx.example with ESMTPS id %(key)s\r
\tfor <ann@example.org>; Sat, 21 Nov 2026 10:00:00 +0000\r
DKIM-Signature: v=1; a=rsa-sha256; d=host%(host)d.example; s=a;\r
\th=from:to:subject:date;\r
\tb=%(key)s%(key)s%(key)s%(key)s\r
From: "User %(user)d" <user%(user)d@host%(host)d.example>\r
To: Ann Example <ann@example.org>\r
Subject: [project-%(list)d] weekly status report and what comes next\r
Date: Sat, 21 Nov 2026 10:00:00 +0000\r
Message-ID: <%(n)d.bench@host%(host)d.example>\r
List-Id: List %(list)d <list%(list)d.lists.example.org>\r
MIME-Version: 1.0\r
Content-Type: text/plain; charset=UTF-8\r
\r
The report of this week, in a few lines.\r
"""


class Dovecot(live.Servers):
    def __init__(self, folder):
        super().__init__(folder, EXTRA)
        self.port = int(self.env["SERVERS_IMAPS_PORT"])
        self.ca = self.env["SERVERS_CA"]

    def home(self, user):
        return os.path.join(self.dir, "mail", user.address)

    def stage(self, user, messages):
        """Puts so many into a mailbox that nobody watches."""
        with user.imap() as imap:
            imap.create(STAGE)
        folder = os.path.join(self.home(user), "Maildir", "." + STAGE, "cur")
        owner = os.stat(folder)
        for n in range(messages):
            path = os.path.join(folder, "%d.%d.bench:2," % (1795000000 + n, n))
            with open(path, "w", encoding="ascii", newline="") as file:
                file.write(HEADER % {
                    "n": n, "list": n % 100, "host": n % 500,
                    "user": n % 3000, "key": "%032x" % (n * 2654435761)})
            os.chown(path, owner.st_uid, owner.st_gid)

    def log_from_now(self, user):
        """Who logs in from now on is logged."""
        folder = os.path.join(self.home(user), "rawlog")
        owner = os.stat(self.home(user))
        shutil.rmtree(folder, ignore_errors=True)
        os.mkdir(folder)
        os.chown(folder, owner.st_uid, owner.st_gid)

    def log_no_more(self, user):
        """The sessions that are there go on being logged."""
        folder = os.path.join(self.home(user), "rawlog")
        os.rename(folder, folder + ".kept")

    def fill(self, user):
        """All of the stage arrive in INBOX at once."""
        with user.imap() as imap:
            imap.select(STAGE)
            live.same(imap.uid("COPY", "1:*", "INBOX")[0], "OK", "COPY")

    def lines(self, user, suffix):
        folder = os.path.join(self.home(user), "rawlog.kept")
        for path in glob.glob(os.path.join(folder, "*." + suffix)):
            with open(path, "rb") as file:
                for line in file:
                    stamp, _, text = line.partition(b" ")
                    if stamp:  # else the rest of one written in two
                        yield float(stamp), text

    def commands(self, user):
        """What was said from the first new message on, by kind."""
        counts = {}
        for _, text in self.lines(user, "in"):
            found = re.match(rb"\w+ (UID [A-Z]+|STATUS|NOOP|CREATE)", text)
            if found:
                name = found.group(1).decode()
                counts[name] = counts.get(name, 0) + 1
        return counts

    def seconds(self, user, commands):
        """From EXISTS until so many MOVE and STORE were answered; None: they
        were not yet."""
        begin = end = None
        ours = set()
        for _, text in self.lines(user, "in"):
            found = re.match(rb"(\w+) UID (MOVE|STORE) ", text)
            if found:
                ours.add(found.group(1))
        answered = 0
        for stamp, text in self.lines(user, "out"):
            if begin is None and re.match(rb"\* [1-9]\d+ EXISTS", text):
                begin = stamp
            if text.split(b" ", 1)[0] in ours:
                end = stamp
                answered += 1
        return end - begin if answered >= commands else None
