#!/usr/bin/env -S python3 -B
"""What must outlive a pause and a reload: forwards, notifications."""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402

FORWARD = "[rule f]\nwhen = all\nforward = other@body.example\n"


@live.case
def forwards_after_a_pause(servers):
    user = servers.user()
    with live.Daemon(servers, user.account() + FORWARD) as daemon:
        daemon.wait_watching()
        daemon.ctl("pause")
        live.wait("the account to rest",
                  lambda: all(box["state"] == "stopped"
                              for box in daemon.boxes().values()))
        daemon.ctl("resume")
        daemon.wait_watching()
        user.deliver(live.message("after the pause"))
        live.wait("the forward", lambda: len(user.sent()) == 1)


@live.case
def resumes_at_once(servers):
    user = servers.user()
    with live.Daemon(servers, user.account()) as daemon:
        daemon.wait_watching()
        daemon.ctl("pause")
        daemon.ctl("resume")
        daemon.wait_log("watching", 2)
        daemon.wait_watching()


def rests(daemon):
    return all(box["state"] == "stopped" for box in daemon.boxes().values())


@live.case
def a_pause_outlives_the_daemon(servers):
    """What came meanwhile is judged when a person resumes it."""
    user = servers.user()
    with live.Daemon(servers, user.account()) as daemon:
        daemon.wait_watching()
        live.same(daemon.ctl("pause", user.name)["until"], None, "the end")
        live.wait("the account to rest", lambda: rests(daemon))
        live.same(daemon.stop(), 0, "exit status")
        user.deliver(live.message("meanwhile"))
        daemon.start()
        daemon.wait_log("paused.*still paused, by a person")
        live.wait("status to say so", lambda: (
            daemon.status(user.name) or {}).get("paused"))
        live.stays("nothing is judged", lambda: rests(daemon) and
                   not daemon.logged("judged account"))
        daemon.ctl("reload")
        live.stays("a reload changes nothing", lambda: rests(daemon))
        daemon.ctl("resume")
        daemon.wait_log("judged.*meanwhile")
        live.same(daemon.stop(), 0, "exit status")
        daemon.start()
        daemon.wait_watching()


@live.case
def a_pause_ends(servers):
    """At its time, also where the daemon did not run then."""
    user = servers.user()
    with live.Daemon(servers, user.account()) as daemon:
        daemon.wait_watching()
        # Not for ever, as nobody asked for that.
        for wish in (["400d"], [user.name, "53w"]):
            code, said = daemon.says("pause", *wish)
            live.check(code == 1 and "a year at most" in said, "%r", said)
        live.same(daemon.status(user.name)["paused"], False, "paused")
        daemon.ctl("pause", user.name, "1h")
        live.check(daemon.status(user.name)["paused_until"] is not None,
                   "no end is shown")
        daemon.ctl("pause", user.name, "1s")
        daemon.wait_log("resumed.*the pause is over")
        daemon.wait_watching()
        live.same(daemon.status(user.name)["paused"], False, "paused")
        daemon.ctl("pause", "1s")
        live.same(daemon.stop(), 0, "exit status")
        time.sleep(1.1)
        daemon.start()
        daemon.wait_watching()


@live.case
def watch_changes(servers):
    """Mailboxes come and go; who stays keeps the connection."""
    user = servers.user()
    user.create("A", "B")
    daemon = live.Daemon(servers, user.account("watch = INBOX, A"))
    with daemon:
        daemon.wait_watching(2)
        daemon.write(user.account("watch = INBOX, B"))
        daemon.ctl("reload")
        live.wait("B instead of A", lambda: sorted(
            (name, box["state"]) for (_, name), box
            in daemon.boxes().items()) ==
            [("B", "watching"), ("INBOX", "watching")])
        user.deliver(live.message("here"))
        daemon.wait_log("judged.*here")
    live.same(len(daemon.logged(" connected ")), 3, "connections")
    live.same(len(daemon.logged(" watching .*mailbox=INBOX ")), 1,
              "times that INBOX came to be watched")


@live.case
def notifications_outlive_reloads(servers):
    """Also those for a notifier that is taken away."""
    user = servers.user()
    daemon = live.Daemon(servers, "")
    shown = daemon.path("shown")
    slow = daemon.script("slow", "sleep 1\necho \"$BELFRY_TEXT\" >>%s\n" % shown)
    quick = daemon.script("quick", "echo \"$BELFRY_TEXT\" >>%s\n" % shown)
    text = user.account() + "[notifier n]\ntype = exec\ncommand = %s\n"
    daemon.write(text % slow)
    with daemon:
        daemon.wait_watching()
        user.deliver(*(live.message("m%d" % n) for n in range(4)))
        daemon.wait_log("judged", 4)
        daemon.ctl("reload")
        daemon.ctl("reload")
        live.wait("one to be shown", lambda: live.read(shown))
        daemon.write(text % quick)
        daemon.ctl("reload")
        live.wait("all to be shown",
                  lambda: set(live.read(shown).split()) ==
                  {"m0", "m1", "m2", "m3"})


@live.case
def notifications_of_a_mailbox_that_comes_back(servers):
    """What still waits for its notifier when its mailbox is not watched any
    more, and then is again."""
    user = servers.user()
    user.create("A")
    daemon = live.Daemon(servers, "")
    shown, go = daemon.path("shown"), daemon.path("go")
    slow = daemon.script(
        "slow", "while ! [ -e %s ]; do sleep 0.1; done\n"
        "echo \"$BELFRY_TEXT\" >>%s\n" % (go, shown))
    text = "[notifier n]\ntype = exec\ncommand = %s\n" % slow
    both = user.account("watch = A, INBOX") + text
    daemon.write(both)
    with daemon:
        daemon.wait_watching(2)
        user.deliver(*(live.message("m%d" % n) for n in range(3)))
        daemon.wait_log("judged", 3)
        daemon.write(user.account("watch = A") + text)
        daemon.ctl("reload")
        daemon.write(both)
        daemon.ctl("reload")
        daemon.wait_watching(2)
        with open(go, "w", encoding="utf-8"):
            pass
        live.wait("all to be shown",
                  lambda: {"m0", "m1", "m2"} <= set(live.read(shown).split()))
        daemon.wait_log("done.*notification shown", 3)
        live.stays("none is shown twice",
                   lambda: len(live.read(shown).split()) == 3)


@live.case
def commands_outlive_a_change_of_their_account(servers):
    """Its mailboxes are made anew: they wait for what runs."""
    user = servers.user()
    daemon = live.Daemon(servers, "")
    ran, go = daemon.path("ran"), daemon.path("go")
    slow = daemon.script(
        "slow", "echo \"$1\" >>%s\nwhile ! [ -e %s ]; do sleep 0.1; done\n"
        % (ran, go))
    rules = ("[rule safe]\nwhen = subject is safe\nexec = %s safe\n"
             "repeat = safe\nmark = flagged\n\n"
             "[rule once]\nwhen = subject is once\nexec = %s once\n"
             "mark = flagged\n" % (slow, slow))
    daemon.write(user.account("poll = 5m\n") + rules)
    with daemon:
        daemon.wait_watching()
        user.deliver(live.message("safe"), live.message("once"))
        live.wait("both to run", lambda: len(live.read(ran).split()) == 2)
        for minutes in (6, 7):
            daemon.write(user.account("poll = %dm\n" % minutes) + rules)
            daemon.ctl("reload")
            daemon.wait_watching()
        with open(go, "w", encoding="utf-8"):
            pass
        for subject in ("safe", "once"):
            live.wait("the mark behind it", lambda subject=subject:
                      user.flags("INBOX", subject) == ["\\Flagged"])
        daemon.wait_quiet()
        live.same(sorted(live.read(ran).split()), ["once", "safe"], "commands")
        live.same({(e["action"], e["state"]) for m in daemon.history()
                   for e in m["effects"]} - {("notify", "done")},
                  {("exec", "done"), ("mark", "done")}, "what became of them")
        live.same(daemon.logged("unknown"), [], "lost commands")


@live.case
def a_notification_that_rings_while_its_account_changes(servers):
    """Its command runs on, and is not run again by who comes after it."""
    user = servers.user()
    daemon = live.Daemon(servers, "")
    began, go = daemon.path("began"), daemon.path("go")
    slow = daemon.script(
        "slow", "echo \"$BELFRY_TEXT\" >>%s\n"
        "while ! [ -e %s ]; do sleep 0.1; done\n" % (began, go))
    text = "[notifier n]\ntype = exec\ncommand = %s\n" % slow
    daemon.write(user.account("poll = 5m\n") + text)
    with daemon:
        daemon.wait_watching()
        user.deliver(live.message("m0"))
        live.wait("it to ring", lambda: live.read(began))
        for minutes in (6, 7):
            daemon.write(user.account("poll = %dm\n" % minutes) + text)
            daemon.ctl("reload")
            daemon.wait_watching()
        user.deliver(live.message("m1"))
        with open(go, "w", encoding="utf-8"):
            pass
        daemon.wait_log("done.*uid=2 .*notification shown by n")
        daemon.wait_log("done.*uid=1 .*notification shown by n")
        live.same(live.read(began).split(), ["m0", "m1"], "what rang")


@live.case
def failing_test_keeps_the_old_rules(servers):
    user = servers.user()
    text = user.account() + """
[rule r]
when = subject has offer and attachment.name has %s
move = %s
create = yes
[test t]
header = Subject: our offer
attachment = prices.pdf application/pdf 20K
expect = r, move Offers
"""
    daemon = live.Daemon(servers, text % ("prices", "Offers"))
    with daemon:
        daemon.wait_watching()
        for wrong, words in (
                (("nothing", "Offers"), "expected r, but no rule matched"),
                (("prices", "Elsewhere"),
                 "`move Offers` is not done; what is: move to Elsewhere "
                 "(made if it is missing) (rule r)")):
            daemon.write(text % wrong)
            answer = daemon.ctl("reload", code=78)
            live.check("test t: " + words in answer["problems"],
                       "it does not say why: %r" % answer)
        part = (b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
                b"--b\r\n\r\nsee there\r\n--b\r\n"
                b"Content-Type: application/pdf; name=prices.pdf\r\n"
                b"\r\nx\r\n--b--\r\n")
        user.deliver(live.message("an offer", body="").rstrip() + b"\r\n" +
                     b"MIME-Version: 1.0\r\n" + part)
        user.wait_subjects("Offers", ["an offer"])
        daemon.write(text.replace("expect = r, move Offers", "expect = r")
                     % ("prices", "Elsewhere"))
        live.check(daemon.ctl("reload")["reloaded"], "it was refused")


if __name__ == "__main__":
    live.main()
