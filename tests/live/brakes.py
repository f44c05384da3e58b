#!/usr/bin/env -S python3 -B
"""Mail that was written to make Belfry forward what it must not, or in a
circle, or too much: what goes, what does not, and what the history says."""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402

TARGET = "deputy@example.org"
RULES = """
[rule all]
when = subject ~ /^(no|yes) /
forward = deputy@example.org

[rule self]
when = subject ~ /^self /
forward = %(detail)s

[rule burst]
when = subject ~ /^burst /
forward = burst@example.org

[notifier tell]
type = exec
command = %(tell)s
"""

AUTO = "sent automatically (Auto-Submitted)"
HOPS = "Received: from a.example by b.example; Tue, 03 Mar 2026 10:00:00 +0000"
# Subject, further lines of the header, what the history says; None: it goes.
CASES = (
    ("no forged mark", ["X-Belfry-Forward: me"], "forwarded by Belfry before"),
    ("no small mark", ["x-BELFRY-forward:"], "forwarded by Belfry before"),
    ("yes mark in the text", [], None),
    ("no 51 hops", [HOPS] * 51, "through too many servers"),
    ("no 1000 hops", [HOPS] * 1000, "too large to be judged"),
    ("yes 40 hops", [HOPS] * 40, None),
    ("no bounce", ["Content-Type: multipart/report; boundary=b; "
                   "report-type=delivery-status"], "delivery report"),
    ("no hidden bounce", ["Content-Type: text/plain",
                          "Content-Type: multipart/report; boundary=b; "
                          "report-type=delivery-status"], "delivery report"),
    ("no answer", ["Auto-Submitted: auto-replied; owner=x"], AUTO),
    ("no second word", ["Auto-Submitted: no", "Auto-Submitted: auto-generated"],
     AUTO),
    ("no nonsense", ["Auto-Submitted: no-way"], AUTO),
    ("yes by hand", ["Auto-Submitted: No (by hand)"], None),
    ("no empty path", ["Return-Path: < >"], "no sender to answer to"),
    ("no suppressed", ["X-Auto-Response-Suppress: OOF"], "sent automatically"),
    ("no list", ["List-Id: <l.example.org>"], "came through a mailing list"),
    ("no bulk", ["Precedence: BULK"], "bulk mail"),
    ("no target before", ["Delivered-To: Deputy+x@EXAMPLE.org"],
     "at the target before"),
    ("no target resent", ["Resent-To: D <deputy@example.org>"],
     "at the target before"),
    ("no target forwarded", ["X-Forwarded-For: a@b.example\tdeputy@example.org"],
     "at the target before"),
    ("yes two senders", ["From: Ann <ann@example.com>"], None),
    ("yes other target", ["Delivered-To: deputy@other.example"], None),
)


def outcomes(daemon):
    return {m["subject"]: [(e["state"], e["detail"]) for e in m["effects"]
                           if e["action"] == "forward"]
            for m in daemon.history()}


def daemon_for(servers, user, keys=""):
    daemon = live.Daemon(servers, "")
    tell = daemon.script("tell", "echo \"$BELFRY_TITLE: $BELFRY_TEXT\" >>%s\n"
                         % daemon.path("told"))
    name, _, domain = user.address.partition("@")
    daemon.write(user.account(keys) + RULES % {
        "tell": tell, "detail": "%s+x@%s" % (name.upper(), domain)})
    return daemon


def told(daemon):
    return live.read(daemon.path("told"))


@live.case
def forged(servers):
    user = servers.user()
    with daemon_for(servers, user) as daemon:
        daemon.wait_watching()
        texts = [live.message(subject, headers=lines,
                              body="X-Belfry-Forward: in the text\n")
                 for subject, lines, _ in CASES]
        user.deliver(*texts, live.message("self to myself"))
        live.wait("all to be judged",
                  lambda: len(daemon.history()) > len(CASES))
        goes = sum(why is None for _, _, why in CASES)
        live.wait("the forwards", lambda: len(user.sent()) >= goes)
        daemon.wait_quiet()
        found = outcomes(daemon)
        for subject, _, why in CASES:
            state, detail = found[subject][0]
            live.same(state, "done" if why is None else "skipped", subject)
            live.check(why is None or why in detail, "%s: %s", subject, detail)
        live.same(found["self to myself"],
                  [("skipped", "the target is an address of yours")], "self")
        live.same(sorted(s["message"]["Subject"] for s in user.sent()),
                  sorted("Fwd: " + subject for subject, _, why in CASES
                         if why is None), "what was sent")


@live.case
def too_much(servers):
    """The caps of the account and of a target hold over a restart; the person
    is told, once."""
    user = servers.user()
    keys = "forward_limit = 12/hour, 100/day\nforward_target_limit = 5/hour\n"
    with daemon_for(servers, user, keys) as daemon:
        daemon.wait_watching()
        user.deliver(*[live.message("yes %d" % i) for i in range(7)])
        live.wait("seven", lambda: len(outcomes(daemon)) == 7)
        daemon.wait_quiet()
        states = [e[0][0] for e in outcomes(daemon).values()]
        live.same((states.count("started") + states.count("done"),
                   states.count("skipped")), (5, 2), "of the target")
        daemon.kill()
        daemon.start()
        daemon.wait_watching()
        user.deliver(*[live.message("burst %d" % i) for i in range(4)],
                     live.message("yes later"))
        live.wait("twelve", lambda: len(outcomes(daemon)) == 12)
        daemon.wait_quiet()
        live.wait("what goes", lambda: len(user.sent()) == 9)
        time.sleep(live.STILL_SECONDS)
        live.same(len(user.sent()), 9, "sent")
        live.check("forward_target_limit" in outcomes(daemon)["yes later"][0][1],
                   "%r", outcomes(daemon)["yes later"])
        live.wait("the person to be told", lambda: TARGET in told(daemon))


if __name__ == "__main__":
    live.main(120)
