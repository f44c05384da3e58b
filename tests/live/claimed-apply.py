#!/usr/bin/env -S python3 -B
"""apply and undo on one machine, or on two at once, while others watch the same
account, on dovecot: nothing is done twice, and what was undone stays so.

$CLAIM_MESSAGES: how many of each kind (default 10 here).
"""

import os
import subprocess
import sys
import threading

os.environ.setdefault("CLAIM_MESSAGES", "10")
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402
import machines  # noqa: E402

live.cases.clear()  # but those below
FORWARD = """
[rule forward]
when = subject ~ /^forward/
forward = deputy@example.org
"""
KEYS = "forward_limit = 100000/hour, 1000000/day\n"
KINDS = ("move", "copy", "both", "run", "forward")


def empty(user, mailbox):
    imap = user.imap()
    imap.select(mailbox)
    imap.uid("STORE", "1:*", "+FLAGS", "(\\Deleted)")
    imap.expunge()
    imap.logout()


def old_mail(servers, count):
    """Two machines that judged so many of each kind when they had no rules."""
    user, daemons, shared = machines.prepare(servers, KEYS)
    daemons.pop().stop()
    rules = [live.read(daemon.config) + FORWARD for daemon in daemons]
    for daemon, text in zip(daemons, rules):
        live.same(daemon.stop(), 0, "exit")
        daemon.write(text.split("[rule ")[0].split("\n\n", 2)[2])
    empty(user, "INBOX")  # of the mail by which they know each other
    machines.start(daemons)
    subjects = ["%s %d" % (kind, n) for n in range(count) for kind in KINDS]
    user.deliver(*[live.message(s) for s in subjects])
    for daemon in daemons:
        live.wait("all to be judged", lambda d=daemon: d.boxes()[
            (user.name, "INBOX")]["next_uid"] == len(subjects) + 2)
        live.same(daemon.stop(), 0, "exit")
    for daemon, text in zip(daemons, rules):
        with open(daemon.config, "w", encoding="utf-8") as file:
            file.write(text)
    machines.start(daemons)
    return user, daemons, shared, subjects


def sent(user):
    return sorted(str(s["message"]["Subject"]).removeprefix("Fwd: ")
                  for s in user.sent())


def check(user, shared, subjects):
    machines.check_once(user, shared, subjects)
    wanted = machines.wanted(subjects, "forward")
    live.wait("all forwards", lambda: len(sent(user)) >= len(wanted))
    live.same(sent(user), wanted, "forwards")


def run_apply(user, daemon):
    """What one did, the other could not do: that is said by the status."""
    subprocess.run(
        [live.BELFRYCTL, "-c", daemon.config, "apply", user.name + "/INBOX",
         "--yes"], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        env=daemon.env, timeout=200, check=False)


def apply_on(user, daemons):
    threads = [threading.Thread(target=run_apply, args=(user, d))
               for d in daemons]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@live.case
def applied_by_one_of_two(servers):
    user, daemons, shared, subjects = old_mail(servers, machines.COUNT)
    apply_on(user, daemons[:1])
    check(user, shared, subjects)
    live.stays("once", lambda: len(user.sent()) == machines.COUNT)
    check(user, shared, subjects)


@live.case
def applied_by_both_at_once(servers):
    user, daemons, shared, subjects = old_mail(servers, machines.COUNT)
    apply_on(user, daemons)
    check(user, shared, subjects)
    for daemon in daemons:
        daemon.wait_quiet()
    live.stays("once", lambda: len(user.sent()) == machines.COUNT)
    check(user, shared, subjects)


@live.case
def undone_by_one_of_three(servers):
    """The others see it come back, and leave it where it is."""
    user, daemons, shared = machines.prepare(servers)
    subjects = ["move u%d" % n for n in range(3)]
    user.deliver(*[live.message(s) for s in subjects])
    user.wait_subjects("Moved", subjects)
    for daemon in daemons:
        daemon.wait_quiet()
    back = []
    for daemon in daemons:
        for found in daemon.history():
            if any(e["action"] == "move" and e["state"] == "done"
                   for e in found["effects"]):
                daemon.ctl("undo", "%s/INBOX/%d" % (
                    user.name, found["uid"]))
                back.append(found["subject"])
    live.same(sorted(back), subjects, "undone")
    user.wait_subjects("INBOX", ["copy first"] + subjects)
    for daemon in daemons:
        daemon.wait_quiet()
    live.stays("in INBOX", lambda: user.subjects("Moved") == [], 3)
    live.same(user.subjects("INBOX"), sorted(["copy first"] + subjects),
              "INBOX")


if __name__ == "__main__":
    live.main(300 + 10 * machines.COUNT)
