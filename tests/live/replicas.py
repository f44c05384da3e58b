#!/usr/bin/env -S python3 -B
"""belfryd on replicas of the big services, and of all that is known to be odd
about some server (tests/lib/replica_kinds.py): it connects, judges, acts,
survives what is odd, and says the right words.

One daemon watches them all at once, each as an account of its own. A word as
argument runs only the kinds whose names contain it; $LIVE_KEEP leaves the
folder."""

import os
import re
import shutil
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import liars  # noqa: E402
import live  # noqa: E402
import replica_kinds  # noqa: E402
from replica import Replica  # noqa: E402

# Two looks of a server without push are 60 s; the machine may be busy.
PATIENCE_SECONDS = 170
RULES = r"""
[rule move]
when = subject ~ /^move/
move = Moved/Deep
create = yes

[rule copy]
when = subject ~ /^copy/
copy = Copied
create = yes

[rule mark]
when = subject ~ /^mark/
mark = read flagged

[rule keyword]
when = subject is keyword
mark = $Work

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

[rule body]
when = subject is body and body has needle
mark = flagged

[rule pdf]
when = subject is nothing and attachment.name ~ /pdf$/
mark = flagged
"""
FIRST = ["move", "copy", "mark", "keyword", "archive", "trash", "junk",
         "delete", "body", "nothing"]
SECOND = ["move again", "copy again", "mark again"]
STALE_TOKEN = "ya29.ran-out"
STAY = ["copy", "mark", "keyword", "body", "nothing"]


class Case:
    """One account on one replica."""

    def __init__(self, run, kind):
        self.run = run
        self.kind = kind
        self.name = kind["name"]
        self.replica = Replica(kind, run.certificate, live.PASSWORD)
        self.delimiter = kind.get("delimiter", "/")
        self.prefix = kind.get("prefix", "")
        self.replica.deliver(live.message("move old"))
        before = BEFORE.get(self.name)
        if before:
            before(self)

    def login(self):
        """Keys; the first token that the command gives has run out."""
        if "token" not in self.kind:
            return "auth = password\npassword_command = cat %s\n" % (
                self.run.password_file)
        return "auth = oauth2\ntoken_command = %s %s\n" % (
            self.run.token_command, os.path.join(self.run.dir, self.name))

    def account(self):
        scheme = self.kind.get("scheme", "imaps")
        keys = self.kind.get("keys", "")
        return (
            "[account %s]\nemail = ann@example.com\nuser = ann\n"
            "provider = %s\nimap = %s://localhost:%d\n"
            "tls_ca_file = %s\npoll = 30s\n%s%s\n" % (
                self.name, self.kind.get("provider", "none"), scheme,
                self.replica.port, self.run.certificate[0], self.login(),
                keys.replace("auth = password\n", "")))

    # ---- what is seen ----

    def log(self, pattern=""):
        return [line for line in self.run.daemon.logged(pattern)
                if "account=%s " % self.name in line]

    def wait(self, what, is_so, seconds=PATIENCE_SECONDS):
        try:
            live.wait(what, is_so, seconds)
        except live.Failed as error:
            raise live.Failed("%s; heard: %r; log: %s" % (
                error, self.replica.heard[-12:],
                "\n  ".join(self.log()[-12:]))) from None

    def box(self, path):
        return self.prefix + path.replace("/", self.delimiter)

    def has(self, path, *subjects):
        return self.replica.subjects(self.box(path)) == sorted(subjects)

    def watching(self):
        return any(box["state"] == "watching" for (account, _), box
                   in self.run.boxes().items() if account == self.name)

    # ---- what is done ----

    def expect(self, extra=()):
        """The first ten messages, and `extra`, have been acted on."""
        moved = ["move", *(s for s in extra if s.startswith("move"))]
        copied = ["copy", *(s for s in extra if s.startswith("copy"))]
        stays = ["move old", *STAY,
                 *(s for s in extra if not s.startswith("move"))]
        need = self.kind["need"]
        gone = {"delete"}
        if "folder-count-limit" in self.replica.quirks:
            stays = stays + moved
            moved, copied = None, None
        if "UIDPLUS" not in self.kind["post"]:
            stays, gone = stays + ["delete"], set()

        # At Gmail only what is in the trash is gone some day.
        trash = {"trash"} | (gone if "X-GM-EXT-1" in self.kind["post"]
                             else set())

        def done():
            get = self.replica.subjects
            return (get("INBOX") == sorted(stays)
                    and get(self.box("Moved/Deep")) == (
                        None if moved is None else sorted(moved))
                    and get(self.box("Copied")) == (
                        None if copied is None else sorted(copied))
                    and all(get(need[s]) == sorted(
                        trash if s == "trash" else {s}) for s in need))

        try:
            self.wait("all to be done", done)
        except live.Failed as error:
            raise live.Failed("%s\n  boxes: %r" % (error, {
                n: self.replica.subjects(n) for n in self.replica.boxes
                if self.replica.subjects(n)})) from None
        inbox = self.replica.flags
        self.wait("flags", lambda: inbox("INBOX", "mark") ==
                  ["\\Flagged", "\\Seen"])
        keyword = [] if "no-keywords" in self.replica.quirks else ["$Work"]
        self.wait("keyword", lambda: inbox("INBOX", "keyword") == keyword)
        if not {"bodystructure-broken", "empty-body-part", "bad-quoted",
                "uid-fetch-params-bad"} & self.replica.quirks:
            self.wait("body", lambda: inbox("INBOX", "body") == ["\\Flagged"])
        live.same(inbox("INBOX", "nothing"), [], "flags of `nothing`")
        live.same(inbox("INBOX", "move old"), [], "flags of `move old`")

    def go(self):
        self.wait("to be watched", self.watching)
        self.replica.deliver(*(live.message(s, body="a needle\n")
                               for s in FIRST))
        self.expect()
        between = BETWEEN.get(self.name)
        if between:
            between(self)
        self.replica.deliver(*(live.message(s) for s in SECOND))
        self.expect(SECOND)
        after = AFTER.get(self.name)
        if after:
            after(self)
        for bad in (r"^APPEND", r"^COMPRESS", r"^CLOSE", r"^EXPUNGE",
                    r"^ID NIL", r"^ID \(\)", r"\bRFC822 ",
                    r"^DONE", r"SEARCH.* NOT"):
            live.same([said for said in self.replica.said(bad)
                       if "belfry-claims" not in said and
                       "Belfry-Probe" not in said], [],
                      "commands like " + bad)
        live.same(self.log(r"^\S+ error "), [], "errors")


class Refused(Case):
    """A login that is refused once, in these words."""

    def __init__(self, run, name, lines, words, is_locked):
        self.words, self.is_locked = words, is_locked
        super().__init__(run, replica_kinds.kind_of(
            name, {"refusals": (lines,)}))

    def go(self):
        self.wait("the words", lambda: self.log(re.escape(self.words)))
        trouble = self.log(r"^\S+ (warning|error) ")
        if self.is_locked:
            self.wait("to be locked out", self.locked_out)
        time.sleep(3)
        if self.is_locked is False:
            live.same(self.locked_out(), False, "locked out: %r" % trouble)
        live.same(live.PASSWORD in " ".join(self.log()), False,
                  "the password is in the log")
        # Only what is no refusal is tried again soon.
        soon = re.search(r"^\* BYE|UNAVAILABLE", self.kind["refusals"][0][0])
        most = 3 if soon else 1
        live.check(self.replica.logins <= most, "%d logins at once: %r",
                   self.replica.logins, trouble)

    def locked_out(self):
        status = self.run.status().get(self.name)
        return bool(status and status.get("locked_out"))


# ---- what is special of some kinds ----


def say_bye_thrice(case):
    def bye(session):
        session.ending = ["* BYE Internal error"] * 3 + [
            "* OK still here", "* BYE go"]
    case.replica.each(bye)
    case.wait("a new connection",
              lambda: case.replica.connections > 1 and case.watching())


def end_links(case):
    case.replica.each(lambda session: session.close())
    case.wait("a new connection", lambda: case.replica.connections > 1)


def rewind(case):
    """The last numbers are given away again."""
    with case.replica.lock:
        inbox = case.replica.inbox()
        inbox.next = max(m.uid for m in inbox.messages) - 1
        inbox.messages = [m for m in inbox.messages if m.uid < inbox.next]
        case.lost = {s for s in STAY if s not in
                     [m.subject for m in inbox.messages]}
        for subject in case.lost:
            inbox.add(live.message(subject), {"\\Flagged"}
                      if subject == "body" else ())
        inbox.next += 5
        for number, message in enumerate(inbox.messages):
            message.uid = number + 1
        inbox.next = len(inbox.messages) + 1
    end_links(case)
    case.wait("the words", lambda: case.log("UIDNEXT went back"))
    case.wait("to be watched", case.watching)


def renumber(case):
    with case.replica.lock:
        inbox = case.replica.inbox()
        inbox.validity += 1
        for number, message in enumerate(inbox.messages):
            message.uid = 500 + number
        inbox.next = 600
    end_links(case)
    case.wait("the words", lambda: case.log("rebuilt the mailbox"))
    case.wait("to be watched", case.watching)


def exists_late(case):
    """Made by another client, after the list of folders was read."""
    case.replica.add_box("Other")


def said_nothing_beyond(case):
    live.same(case.replica.said("beyond the last UID"), [], "FETCH")


def one_look_more(case):
    """A look at the mailbox when there is nothing new, then something new."""
    looks = len(case.replica.said("^NOOP"))
    case.wait("one more look",
              lambda: len(case.replica.said("^NOOP")) >= looks + 1)
    case.wait("to be watched", case.watching)


def is_polled(case):
    live.same(case.replica.said("^IDLE"), [], "IDLE")


def names_are_said(case):
    live.check(len(case.log("could not be made: the server says: Maximum "
                            "number of folders")) >= 1,
               "nobody said why: %r", case.log("refused"))


def keyword_is_said(case):
    live.check(case.log("keyword|does not keep"), "nobody said that keywords "
               "are not kept: %r", case.log("keyword|mark"))


def alert_is_told(case):
    live.check(case.log("Filesystem notification"),
               "the alert is not in the log: %r", case.log())


def one_folder_each(case):
    """Nothing was judged twice, though it is in two folders."""
    for subject in FIRST:
        live.same(len(case.log("info judged.*subject=%s what" % subject)),
                  1, "judgements of " + subject)


def strangers_are_judged(case):
    """What comes to the folder for unknown senders, as anything else; but not
    what is there when it is met."""
    case.wait("the folder to be watched",
              lambda: case.log("info watching.*mailbox=Unbekannt"))
    case.replica.show(live.message("move stranger"), "Unbekannt")
    case.wait("the stranger's message to be moved",
              lambda: case.has("Moved/Deep", "move", "move again",
                               "move stranger") and case.has("Unbekannt"))


def appends_end(case):
    """What the machines agree by is appended, and the message of a probe."""
    case.wait("a message appended", lambda: case.replica.appends > 0)
    before = case.replica.appends
    answer = case.run.daemon.ctl("probe", case.name)
    live.same((answer["arrived"], answer["trouble"]), (True, None), "probe")
    live.check(case.replica.appends > before, "probe appended nothing")
    live.same(case.replica.refused_appends, 0, "appends refused")


def logs_in_by_login(case):
    """At once, as the account names the form that is tried by LOGIN."""
    live.same(case.replica.mechanisms, [], "mechanisms")
    live.check(case.replica.said("^LOGIN"), "LOGIN was not tried")


def by_token(case):
    """The login with the old token was refused, and made once more with the
    one that the command gave then; a password was never sent."""
    case.wait("the words", lambda: case.log("refused the (token|login)"))
    live.same(set(case.replica.mechanisms) <= {"XOAUTH2", "OAUTHBEARER"}, True,
              "mechanisms: %r" % case.replica.mechanisms)
    live.same(case.replica.said("^LOGIN"), [], "LOGIN")
    said = "".join(case.log())
    for secret in (live.PASSWORD, STALE_TOKEN):
        live.same(secret in said, False, "a token in the log")


BEFORE = {}
BETWEEN = {
    "bye-loop": say_bye_thrice,
    "yandex": say_bye_thrice,
    "uidnext-rewind": rewind,
    "uids-may-change": renumber,
    "alreadyexists-missing": exists_late,
    "gmail": end_links,
    "exchange": end_links,
    "icloud": end_links,
    "yahoo": one_look_more,
    "fetch-beyond-max-hangs": one_look_more,
}
AFTER = {
    "append-needs-crlf": appends_end,
    "plain-may-fail": logs_in_by_login,
    "three-way-spam": strangers_are_judged,
    "yahoo": said_nothing_beyond,
    "fetch-beyond-max-hangs": said_nothing_beyond,
    "no-idle": is_polled,
    "folder-count-limit": names_are_said,
    "no-keywords": keyword_is_said,
    "exchange": keyword_is_said,
    "pre-greeting-alert": alert_is_told,
    "labels": one_folder_each,
    "all-mail-duplicates": one_folder_each,
    "labels-as-folders": one_folder_each,
    **{name: by_token for name in replica_kinds.TOKENS},
}


class Run:
    def __init__(self, folder, wanted):
        self.dir = folder
        self.certificate = liars.make_certificate(
            folder, "DNS:localhost,IP:127.0.0.1")
        self.password_file = os.path.join(folder, "password")
        with open(self.password_file, "w", encoding="utf-8") as file:
            file.write(live.PASSWORD + "\n")
        self.token_command = os.path.join(folder, "token")
        with open(self.token_command, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n[ -e \"$1\" ] && exec cat %s\n"
                       ": >\"$1\"; echo %s\n" % (
                           self.password_file, STALE_TOKEN))
        os.chmod(self.token_command, 0o700)
        self.lock = threading.Lock()
        self.seen, self.seen_at = {}, 0
        self.cases = [
            Case(self, kind)
            for name, kind in replica_kinds.all_kinds().items()
            if wanted in name]
        self.cases += [
            Refused(self, name, *row)
            for name, row in replica_kinds.REFUSALS.items()
            if wanted in name]
        self.failures = {}
        self.daemon = live.Daemon(
            self, "".join(c.account() for c in self.cases) + RULES)

    def status(self):
        """{account: status}, asked for once a second for all cases."""
        with self.lock:
            if time.monotonic() - self.seen_at > 1:
                answer = self.daemon.ctl("status", code=None) or {}
                self.seen = {a["account"]: a
                             for a in answer.get("accounts", [])}
                self.seen_at = time.monotonic()
            return self.seen

    def boxes(self):
        return {(name, box["mailbox"]): box
                for name, account in self.status().items()
                for box in account["mailboxes"]}

    def one(self, case):
        start = time.monotonic()
        try:
            case.go()
        except Exception as error:  # fails the case, not the others
            self.failures[case.name] = error
            print("FAILED %s: %s: %s" % (
                case.name, type(error).__name__, error), flush=True)
        else:
            print("ok %s (%.1fs)" % (case.name, time.monotonic() - start),
                  flush=True)

    def all(self):
        threads = [threading.Thread(target=self.one, args=(case,))
                   for case in self.cases]
        with self.daemon:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            live.check(self.daemon.process.poll() is None,
                       "belfryd ended by itself")
        for case in self.cases:
            case.replica.stop()


def main():
    live.bounded(500)
    folder = tempfile.mkdtemp(prefix="belfry-replicas-", dir="/tmp")
    try:
        run = Run(folder, sys.argv[1] if len(sys.argv) > 1 else "")
        try:
            run.all()
        finally:
            if run.daemon.process and run.daemon.process.poll() is None:
                run.daemon.kill()
    finally:
        if "LIVE_KEEP" in os.environ:
            print("kept: %s" % folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print("%d kinds, %d failed: %s" % (
        len(run.cases), len(run.failures), " ".join(sorted(run.failures))))
    sys.exit(1 if run.failures or not run.cases else 0)


if __name__ == "__main__":
    main()
