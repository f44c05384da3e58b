#!/usr/bin/env -S python3 -B
"""Signals: reload, and a polite and quick end."""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import liars  # noqa: E402
import live  # noqa: E402
import systemd as systemd_lib  # noqa: E402

# From the signal to the end of the process.
END_SECONDS = 5

OLD = "[rule r]\nwhen = all\nmark = $Old\n"
NEW = "[rule r]\nwhen = all\nmark = $New\n"
BROKEN = {
    "a key that is none": "[rule r]\nwhen = all\nmvoe = X\n",
    "an unfinished condition": "[rule r]\nwhen = subject is\nmark = $New\n",
    "a section twice": NEW + NEW,
    "a test that fails": NEW + "\n[test t]\nheader = From: a@b.example\n"
                         "expect = none\n",
}


def judge(user, subject, mark):
    user.deliver(live.message(subject))
    live.wait("%s on %s" % (mark, subject), lambda: any(
        m["subject"] == subject and m["flags"] == [mark]
        for m in user.mailboxes()["INBOX"]))


def hang_up(daemon):
    """SIGHUP, and what was said."""
    before = len(daemon.log())
    daemon.signal(signal.SIGHUP)
    live.wait("an answer to SIGHUP", lambda: any(
        word in daemon.log()[before:]
        for word in (" reloaded ", " reload-refused ")))
    return daemon.log()[before:]


@live.case
def reload_takes_the_new_rules(servers):
    user = servers.user()
    with live.Daemon(servers, user.account() + OLD) as daemon:
        daemon.wait_watching()
        judge(user, "one", "$Old")
        logins = servers.logins(user.address)[0]
        daemon.write(user.account() + NEW)
        live.check(" reloaded " in hang_up(daemon), "it did not reload")
        judge(user, "two", "$New")
        # The connection stayed: only the test itself logged in since.
        live.same(len(daemon.logged("info connected")), 1, "connections")
        live.check(servers.logins(user.address)[0] >= logins, "log")
        live.same(user.flags("INBOX", "one"), ["$Old"], "flags of the old one")


@live.case
def broken_reload_changes_nothing(servers):
    user = servers.user()
    with live.Daemon(servers, user.account() + OLD) as daemon:
        daemon.wait_watching()
        for number, (what, text) in enumerate(BROKEN.items()):
            daemon.write(user.account() + text)
            said = hang_up(daemon)
            live.check(" reload-refused " in said, "%s: %s", what, said)
            live.check(daemon.config + ":" in said,
                       "%s: no file and line: %s", what, said)
            answer = daemon.ctl("reload", code=None)
            live.check(answer is None or not answer.get("reloaded"),
                       "%s: belfryctl reload: %r", what, answer)
            judge(user, "with %d" % number, "$Old")
        os.unlink(daemon.config)
        live.check(" reload-refused " in hang_up(daemon), "no file at all")
        judge(user, "without a file", "$Old")
        daemon.write(user.account() + NEW)
        live.check(" reloaded " in hang_up(daemon), "it did not recover")
        judge(user, "at last", "$New")


@live.case
def systemd_is_told_of_a_reload(servers):
    """As Type=notify-reload wants it: RELOADING=1 with a time that is not
    before the signal, then READY=1, also where the new one is refused."""
    user = servers.user()
    daemon = live.Daemon(servers, user.account() + OLD)
    systemd = systemd_lib.Systemd(daemon.dir)
    daemon.env.update(NOTIFY_SOCKET=systemd.path)
    line = "STATUS=accounts: 1, rules: 1"
    with daemon:
        daemon.wait_watching()
        live.same(systemd(), [line, "READY=1"], "what it said at its start")
        broken = BROKEN["a key that is none"]
        refused = "STATUS=the configuration has errors, the old one stays: %s:" \
            % daemon.config
        for text, status in ((NEW, line), (broken, refused), (NEW, line)):
            daemon.write(user.account() + text)
            systemd.said.clear()
            before = time.clock_gettime(time.CLOCK_MONOTONIC)
            hang_up(daemon)
            live.wait("READY", lambda: systemd()[-1:] == ["READY=1"])
            reloading, said, _ = systemd.said
            name, _, usec = reloading.partition("\nMONOTONIC_USEC=")
            live.same(name, "RELOADING=1", "the first word")
            live.check(before * 1e6 <= int(usec) <= time.clock_gettime(
                time.CLOCK_MONOTONIC) * 1e6, "the time: %s", usec)
            live.check(said.startswith(status), "the state: %s", said)
        # Some at once: each word has its answer, in this order.
        systemd.said.clear()
        for _ in range(20):
            daemon.signal(signal.SIGHUP)
        live.settled(lambda: len(systemd()))
        words = [word.partition("=")[0] for word in systemd()]
        live.check(words and words == ["RELOADING", "STATUS", "READY"] *
                   (len(words) // 3), "words: %r", words)
    live.same(systemd()[-1], "STOPPING=1", "the last word")


@live.case
def reload_changes_accounts(servers):
    one, two, three = servers.user(), servers.user(), servers.user()
    with live.Daemon(servers, one.account() + two.account() + OLD) as daemon:
        daemon.wait_watching(2)
        # Gone, moved to another port, new.
        daemon.write(two.account(scheme="imap") + three.account() + NEW)
        hang_up(daemon)
        live.wait("the new ones", lambda: {
            key for key, box in daemon.boxes().items()
            if box["state"] == "watching"
        } == {(two.name, "INBOX"), (three.name, "INBOX")})
        one.deliver(live.message("to nobody"))
        judge(two, "two", "$New")
        judge(three, "three", "$New")
        live.same(one.flags("INBOX", "to nobody"), [], "flags")
        for _ in range(20):  # in any state
            daemon.signal(signal.SIGHUP)
            time.sleep(0.02)
        judge(two, "still there", "$New")


def ends(daemon, number):
    start = time.monotonic()
    daemon.signal(number)
    try:
        status = daemon.process.wait(END_SECONDS)
    except Exception:
        raise live.Failed("no end within %ds" % END_SECONDS) from None
    live.same(status, 0, "exit status")
    return time.monotonic() - start


@live.case
def term_says_goodbye(servers):
    for number in (signal.SIGTERM, signal.SIGINT):
        user = servers.user()
        daemon = live.Daemon(servers, user.account() + OLD).start()
        daemon.wait_watching()
        ends(daemon, number)
        live.wait("the goodbye in Dovecot's log", lambda: any(
            user.address in line and "Logged out" in line
            for line in servers.log().splitlines()))
        live.check(not os.path.exists(daemon.control), "the socket stayed")
        live.same(len(daemon.logged("stopping")), 1, "words at the end")
        live.same(daemon.logged("warning|error"), [], "warnings")


def silent(liar, connection):
    """Takes the connection and says nothing."""
    while liar.hear(connection):
        pass


@live.case
def term_does_not_wait_for_others(servers):
    """Not for silent servers, nor for a command that runs long."""
    user = servers.user()
    liar = liars.Liar(silent)
    deaf = servers.user()
    daemon = live.Daemon(servers, "")
    long = daemon.script("long", "touch %s\nexec sleep 60\n"
                         % daemon.path("runs"))
    daemon.write(
        user.account() + deaf.account().replace(
            "localhost:" + servers.env["SERVERS_IMAPS_PORT"],
            "localhost:%d" % liar.port)
        + "[rule long]\nwhen = all\nexec = %s\n" % long)
    daemon.start()
    daemon.wait_watching()
    user.deliver(live.message("run"))
    live.wait("the command", lambda: os.path.exists(daemon.path("runs")))
    live.wait("the silent one", lambda: liar.connections)
    # And one that was talked to does not answer any more.
    servers.signal_imap(signal.SIGSTOP)
    try:
        ends(daemon, signal.SIGTERM)
    finally:
        servers.signal_imap(signal.SIGCONT)
    # Its outcome is unknown now, and it is not run again.
    os.unlink(daemon.path("runs"))
    with daemon:
        daemon.wait_watching()
        daemon.wait_quiet(but=deaf.name)
        states = [e["state"] for m in daemon.history() for e in m["effects"]
                  if e["action"] == "exec"]
        live.same(states, ["unknown"], "the command's state")
        live.check(not os.path.exists(daemon.path("runs")), "it ran again")
    liar.stop()


@live.case
def term_at_any_moment(servers):
    """From the first instant on: 0, in time, and nothing is lost."""
    rng = live.seed()
    user = servers.user()
    text = user.account() + "[rule m]\nwhen = all\nmove = Moved\ncreate = yes\n"
    daemon = live.Daemon(servers, text).start()
    daemon.wait_watching()
    ends(daemon, signal.SIGTERM)
    subjects = []
    for number in range(12):
        subjects.append("message %d" % number)
        user.deliver(live.message(subjects[-1]))
        daemon.start()
        # Before this there are no handlers yet.
        daemon.wait_log(" started ", number + 2)
        time.sleep(rng.uniform(0, 0.4))
        ends(daemon, signal.SIGTERM)
    with daemon:
        user.wait_subjects("Moved", subjects)


if __name__ == "__main__":
    live.main()
