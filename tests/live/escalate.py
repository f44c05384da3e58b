#!/usr/bin/env -S python3 -B
"""`escalate`: the phone rings for what nobody read, over a restart, too."""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import desktop  # noqa: E402
import live  # noqa: E402

RULE = ("[notifier phone]\ntype = exec\ncommand = %s\nurgency = critical\n\n"
        "[rule r]\nwhen = all\nescalate = phone after 10s unless read\n")
PHONE = "#!/bin/sh\nprintf '%%s\\n' \"$BELFRY_TEXT\" >>%s\n"


def fates(daemon):
    """What became of each escalation."""
    return {m["subject"]: (e["state"], e["detail"])
            for m in daemon.history() for e in m["effects"]
            if "after 10 s" in e["what"]}


@live.case
def only_what_nobody_read(servers):
    user = servers.user()
    user.create("Elsewhere")
    screen = desktop.Desktop(servers, "desktop1")
    rung = os.path.join(servers.dir, "rung")
    with live.Daemon(servers, user.account() + desktop.NOTIFIER,
                     env=screen.env) as daemon:
        daemon.wait_watching()
        phone = daemon.script("phone", PHONE % rung)
        daemon.write(user.account() + desktop.NOTIFIER + RULE % phone)
        daemon.ctl("reload")
        user.deliver(*desktop.letters(
            "fresh", "seen", "moved", "gone", "meanwhile"))
        screen.wait(
            "fresh", "seen", "moved", "gone", "meanwhile")
        live.same(daemon.ctl("status")["escalations"], 5, "waiting")
        desktop.change(user, "seen", "STORE", "+FLAGS", "(\\Seen)")
        desktop.change(user, "moved", "MOVE", "Elsewhere")
        daemon.kill()
        desktop.change(user, "meanwhile", "STORE", "+FLAGS", "(\\Seen)")
        desktop.change(user, "gone", "STORE", "+FLAGS", "(\\Deleted)")
        live.check(not os.path.exists(rung), "the phone rang at once")
        daemon.start()
        daemon.wait_watching()
        live.wait("the phone", lambda: os.path.exists(rung))
        live.stays("once", lambda: live.read(rung) == "fresh\n", 2)
        live.wait("the others to be settled",
                  lambda: daemon.ctl("status")["escalations"] == 0)
        not_needed = ("done",
                      "not escalated: the message was read, moved or deleted")
        live.same(fates(daemon), {
            "fresh": ("done", "notification shown by phone"),
            "seen": not_needed, "moved": not_needed, "gone": not_needed,
            "meanwhile": not_needed}, "what became of them")


def change_account(servers, is_hidden):
    """It is about to ring, and waits for what the store did not keep, or for
    what its command wants: the one that comes after it rings, once, and
    nothing breaks."""
    user = servers.user()
    daemon = live.Daemon(servers, "")
    rung = daemon.path("rung")
    phone = daemon.script("phone", "cat >>%s\n" % rung)
    rules = ("[notifier phone]\ntype = exec\ncommand = %s\nstdin = message\n"
             "urgency = critical\n\n"
             "[rule r]\nwhen = all\nescalate = phone after 10s\n" % phone)
    daemon.write(user.account("poll = 5m\n") + rules)
    with daemon:
        daemon.wait_watching()
        user.deliver(live.message("Your code is 482913"))
        daemon.wait_log("judged")
        due = time.monotonic() + 10
        daemon.wait_quiet()
        if is_hidden:
            daemon.kill()
            daemon.start()
            daemon.wait_watching()
        servers.signal_imap(signal.SIGSTOP)
        time.sleep(due + 1 - time.monotonic())
        daemon.write(user.account("poll = 6m\n") + rules)
        daemon.ctl("reload")
        servers.signal_imap(signal.SIGCONT)
        live.wait("the phone", lambda: live.read(rung))
        live.check(live.read(rung).count("Subject: Your code is 482913") == 1,
                   "it rang otherwise: %r", live.read(rung))
        daemon.wait_log("done.*notification shown by phone")
        live.same(live.read(rung).count("Subject:"), 1, "times it rang")


@live.case
def while_its_account_changes(servers):
    change_account(servers, False)


@live.case
def after_a_restart_while_its_account_changes(servers):
    change_account(servers, True)


@live.case
def of_the_account(servers):
    """Without a rule; read by another program, moved, and by nobody."""
    user = servers.user()
    user.create("Elsewhere")
    rung = os.path.join(servers.dir, "rung2")
    with live.Daemon(servers, user.account()) as daemon:
        daemon.wait_watching()
        phone = daemon.script("phone", PHONE % rung)
        notifiers = ("[notifier bell]\ntype = exec\ncommand = true\n\n"
                     "[notifier phone]\ntype = exec\ncommand = %s\n" % phone)
        daemon.write(user.account("escalate = phone after 10s unless red\n") +
                     notifiers)
        daemon.ctl("reload", code=78)
        daemon.write(user.account("escalate = phone after 10s unless read\n")
                     + notifiers)
        daemon.ctl("reload")
        daemon.wait_watching()
        user.deliver(*desktop.letters("fresh", "seen", "moved"))
        daemon.wait_log("done.*shown by bell", 3)
        live.same(daemon.ctl("status")["escalations"], 3, "waiting")
        desktop.change(user, "seen", "STORE", "+FLAGS", "(\\Seen)")
        daemon.kill()
        desktop.change(user, "moved", "MOVE", "Elsewhere")
        live.check(not os.path.exists(rung), "the phone rang at once")
        daemon.start()
        live.wait("the phone", lambda: os.path.exists(rung))
        live.stays("once", lambda: live.read(rung) == "fresh\n", 2)
        live.wait("the others to be settled",
                  lambda: daemon.ctl("status")["escalations"] == 0)


@live.case
def paused_and_out_of_reach(servers):
    """Nobody knows then whether it was read: it rings when that is known, and
    once, if at all. The phone is quiet for one of them."""
    held, lost = servers.user(), servers.user()
    rung = os.path.join(servers.dir, "rung3")
    with live.Daemon(servers, held.account()) as daemon:
        daemon.wait_watching()
        phone = daemon.script("phone", PHONE % rung)
        keys = "escalate = phone after 10s unless read\n"
        night = "escalate = night after 10s unless read\n"
        notifier = "[notifier %s]\ntype = exec\ncommand = %s\n"
        daemon.write(
            held.account(keys + night) + lost.account(keys + night) +
            notifier % ("bell", "true") + notifier % ("phone", phone) +
            notifier % ("night", phone) + "quiet_hours = mon-sun\n")
        daemon.ctl("reload")
        daemon.wait_watching(2)
        begun = time.monotonic()
        held.deliver(*desktop.letters("held", "read while held"))
        lost.deliver(*desktop.letters("lost"))
        daemon.wait_log("done.*shown by bell", 3)
        daemon.ctl("pause", held.name)
        desktop.change(held, "read while held", "STORE", "+FLAGS", "(\\Seen)")
        servers.cut_imap()
        servers.tell("imap-stop")
        daemon.wait_log("trouble account=" + lost.name)
        live.stays("silent", lambda: not os.path.exists(rung),
                   begun + 12 - time.monotonic())
        servers.tell("imap-start")
        daemon.ctl("resume", held.name)
        daemon.ctl("resume", lost.name)  # nor waits for its next try
        rings = lambda: sorted(live.read(rung).splitlines())
        live.wait("the phone", lambda: os.path.exists(rung) and
                  rings() == ["held", "lost"])
        # What waits for the end of the quiet hours is none of them any more.
        live.wait("the others to be settled",
                  lambda: daemon.ctl("status")["escalations"] == 0)
        live.stays("once", lambda: rings() == ["held", "lost"], 1)


if __name__ == "__main__":
    live.main()
