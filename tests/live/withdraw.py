#!/usr/bin/env -S python3 -B
"""A notification goes when its message is read, moved or deleted elsewhere."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import desktop  # noqa: E402
import live  # noqa: E402

@live.case
def read_moved_deleted(servers):
    user = servers.user()
    user.create("Elsewhere")
    screen = desktop.Desktop(servers, "desktop1")
    with live.Daemon(servers, user.account() + desktop.NOTIFIER,
                     env=screen.env) as daemon:
        daemon.wait_watching()
        user.deliver(*desktop.letters("one", "two", "three", "four"))
        screen.wait("one", "two", "three", "four")
        desktop.change(user, "two", "STORE", "+FLAGS", "(\\Flagged)")
        desktop.change(user, "one", "STORE", "+FLAGS", "(\\Seen)")
        screen.wait("two", "three", "four")
        desktop.change(user, "three", "MOVE", "Elsewhere")
        screen.wait("two", "four")
        desktop.change(user, "four", "STORE", "+FLAGS", "(\\Deleted)")
        screen.wait("two")
        live.stays("what is unread stays", lambda: screen.shown() == ["two"])


@live.case
def read_while_the_connection_was_away(servers):
    user = servers.user()
    screen = desktop.Desktop(servers, "desktop2")
    with live.Daemon(servers, user.account() + desktop.NOTIFIER,
                     env=screen.env) as daemon:
        daemon.wait_watching()
        user.deliver(*desktop.letters("one", "two"))
        screen.wait("one", "two")
        daemon.ctl("pause", user.name)
        desktop.change(user, "one", "STORE", "+FLAGS", "(\\Seen)")
        daemon.ctl("resume", user.name)
        screen.wait("two")


@live.case
def what_a_rule_did_itself_is_not_withdrawn(servers):
    user = servers.user()
    user.create("Elsewhere")
    screen = desktop.Desktop(servers, "desktop3")
    rules = ("[rule move]\nwhen = subject is moved\nmove = Elsewhere\n"
             "notify = yes\n\n"
             "[rule mark]\nwhen = subject is marked\nmark = read\n"
             "notify = yes\n")
    with live.Daemon(servers, user.account() + desktop.NOTIFIER + rules,
                     env=screen.env) as daemon:
        daemon.wait_watching()
        user.deliver(*desktop.letters("moved", "marked", "other"))
        screen.wait("moved", "marked", "other")
        desktop.change(user, "other", "STORE", "+FLAGS", "(\\Seen)")
        screen.wait("moved", "marked")
        live.stays("both", lambda: screen.shown() == ["marked", "moved"])


@live.case
def what_a_later_run_marks_is_not_withdrawn(servers):
    """No person has read it: it stays on the screen, and what waits for a
    notifier comes; until a person does away with it."""
    user = servers.user()
    screen = desktop.Desktop(servers, "desktop8")
    waits = ("[notifier later]\ntype = exec\ncommand = /bin/true\n"
             "quiet_hours = 00:00-24:00\n")
    rules = "[rule mark]\nwhen = subject is marked\nmark = read\n"
    with live.Daemon(servers, user.account() + desktop.NOTIFIER + waits,
                     env=screen.env) as daemon:
        daemon.wait_watching()
        user.deliver(*desktop.letters("marked", "other"))
        screen.wait("marked", "other")
        daemon.write(user.account() + desktop.NOTIFIER + waits + rules)
        daemon.ctl("reload")
        daemon.ctl("apply", user.name + "/INBOX", "--yes")
        live.check("\\Seen" in user.flags("INBOX", "marked"), "not marked")
        # With the next SELECT the server tells of both.
        daemon.ctl("pause", user.name)
        desktop.change(user, "other", "STORE", "+FLAGS", "(\\Seen)")
        daemon.ctl("resume", user.name)
        screen.wait("marked")
        waiting = {n["notifier"]: n["waiting"]
                   for n in daemon.ctl("status")["notifiers"]}
        live.same(waiting["later"], 1, "what waits")
        live.stays("marked", lambda: screen.shown() == ["marked"])
        daemon.stop()
        daemon.start()
        daemon.wait_watching()
        live.stays("what waits, and what is shown", lambda: [
            n["waiting"] for n in daemon.ctl("status")["notifiers"]
            if n["notifier"] == "later"] == [1]
            and screen.shown() == ["marked"])


@live.case
def read_where_a_rule_had_moved_it(servers):
    """Nobody watches there: it is looked for, while it is on the screen."""
    user = servers.user()
    user.create("Elsewhere", "Third")
    screen = desktop.Desktop(servers, "desktop7")
    rules = ("[rule mark]\nwhen = subject ~ /marked/\nmark = read\n"
             "[rule move]\nwhen = subject ~ /moved/\nmove = Elsewhere\n"
             "notify = yes\n")
    with live.Daemon(servers, user.account("watch = INBOX\n") +
                     desktop.NOTIFIER + rules, env=screen.env) as daemon:
        daemon.wait_watching()
        subjects = ["one moved", "marked, moved", "two moved"]
        user.deliver(*desktop.letters("here", *subjects))
        screen.wait("here", *subjects)
        user.wait_subjects("Elsewhere", subjects)
        before = servers.logins(user.address)[0]
        desktop.change(user, "one moved", "STORE", "+FLAGS", "(\\Seen)",
                       mailbox="Elsewhere")
        screen.wait("two moved", "here", "marked, moved")
        live.check(servers.logins(user.address)[0] - before <= 4,
                   "it logged in too often")
        live.same(user.flags("Elsewhere", "two moved"), [], "it is not read")


@live.case
def what_was_on_the_screen_before_a_restart(servers):
    """It goes when it was read meanwhile, else it is shown anew, by one whose
    buttons do something; not what had expired, or was dismissed."""
    user = servers.user()
    user.create("Elsewhere")
    screen = desktop.Desktop(servers, "desktop4")
    rules = ("[rule move]\nwhen = subject is moved\nmove = Elsewhere\n"
             "notify = yes\n")
    subjects = ["read", "unread", "moved", "expired", "dismissed"]
    daemon = live.Daemon(servers, user.account("watch = INBOX\n") +
                         desktop.NOTIFIER + rules, env=screen.env)
    with daemon:
        daemon.wait_watching()
        for subject in subjects:
            user.deliver(live.message(subject))
            screen.request(subject)
        for subject in ("expired", "dismissed"):
            screen.say("closed\tid=%s\treason=%s" % (
                screen.request(subject)["id"], subject))
        live.wait("all is told", lambda: all(
            "shown by mock" in str(m["effects"]) for m in daemon.history()))
        before = screen.requests()
    desktop.change(user, "read", "STORE", "+FLAGS", "(\\Seen)")
    live.same(screen.shown(), sorted(subjects), "nothing changes by itself")
    with daemon:
        screen.wait("unread", "moved", "expired", "dismissed")
        live.wait("anew", lambda: all(
            screen.request(subject)["key"] != before[subject]["key"]
            for subject in ("unread", "moved")))
        live.stays("as they were", lambda: all(
            screen.request(subject)["key"] == before[subject]["key"]
            for subject in ("expired", "dismissed")))
        again = screen.request("unread")
        live.same((again["title"], again["sound"], again["actions"]),
                  ("Some Body", "", before["unread"]["actions"]), "anew")
        # What expired is listed still by some: read, it goes from there.
        desktop.change(user, "expired", "STORE", "+FLAGS", "(\\Seen)")
        screen.wait("unread", "moved", "dismissed")
        screen.press("moved", "read")
        live.wait("read", lambda: user.flags("Elsewhere", "moved") ==
                  ["\\Seen"])
        screen.press("unread", "trash")
        user.wait_subjects("Trash", ["unread"])
    with daemon:
        daemon.wait_watching()
        live.stays("it is over", lambda: screen.shown() == ["dismissed"])


@live.case
def what_was_on_the_screen_of_another_session(servers):
    """What is on no screen any more is shown again if it is unread and of the
    last day; of what a rule had moved nobody knows whether it is."""
    user = servers.user()
    user.create("Elsewhere")
    screen = desktop.Desktop(servers, "desktop6")
    rules = ("[rule move]\nwhen = subject is moved\nmove = Elsewhere\n"
             "notify = yes\n")
    subjects = ["old", "moved", "unread"]
    daemon = live.Daemon(servers, user.account("watch = INBOX\n") +
                         desktop.NOTIFIER + rules, env=screen.env)
    with daemon:
        daemon.wait_watching()
        for subject in subjects:
            user.deliver(live.message(subject))
            screen.request(subject)
        live.wait("all is told", lambda: all(
            "shown by mock" in str(m["effects"]) for m in daemon.history()))
        before = screen.requests()
    daemon.change_store("UPDATE messages SET judged = judged - 90000"
                        " WHERE subject = 'old'")
    screen.end_session()
    with daemon:
        live.wait("anew", lambda: screen.request("unread")["sound"] == "")
        live.stays("as they were", lambda: all(
            screen.request(subject) == before[subject]
            for subject in ("old", "moved")))


@live.case
def dismissed_while_another_notifier_waits(servers):
    """It is not open here any more, but the other one's quiet hours keep it
    open: a restart does not ring here once more."""
    user = servers.user()
    screen = desktop.Desktop(servers, "desktop5")
    phone = ("[notifier phone]\ntype = journal\nquiet_hours = mon-sun\n")
    daemon = live.Daemon(servers, user.account("watch = INBOX\n") +
                         desktop.NOTIFIER + phone, env=screen.env)
    with daemon:
        daemon.wait_watching()
        user.deliver(live.message("dismissed"))
        before = screen.request("dismissed")
        screen.say("closed\tid=%s\treason=dismissed" % before["id"])
        user.deliver(live.message("kept"))
        screen.request("kept")
    with daemon:
        daemon.wait_watching()
        live.wait("what is on the screen comes anew", lambda: screen.request(
            "kept")["sound"] == "")
        live.same(screen.request("dismissed"), before, "no second ring")
        live.same(screen.shown(), ["dismissed", "kept"], "the screen")


if __name__ == "__main__":
    live.main()
