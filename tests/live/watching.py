#!/usr/bin/env -S python3 -B
"""belfryctl watch: each line while it happens, in the form that its schema
says, until somebody ends it: Ctrl-C, whoever reads it, or the daemon."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402
import schema  # noqa: E402

RULES = """[notifier n]
type = exec
command = /bin/true

[notifier broken]
type = exec
command = /bin/false

[rule forward]
when = subject has forward
forward = you@example.org

[rule lost]
when = subject has lost
move = No/Such/Place

[rule runs]
when = subject has runs
exec = /bin/false

"""


# The daemon says something to who follows the status every ten seconds.
END_SECONDS = 5


class Watcher:
    """belfryctl, and what it printed until now."""

    def __init__(self, daemon, *words, **more):
        self.path = daemon.path("watched")
        with open(self.path, "wb") as out:
            self.process = subprocess.Popen(
                [live.BELFRYCTL, "-c", daemon.config, *words],
                **{"stdout": out, "stderr": subprocess.STDOUT,
                   "env": daemon.env, **more})

    def text(self):
        return live.read(self.path)

    def lines(self):
        """Those that are whole."""
        return [json.loads(line) for line
                in self.text().rpartition("\n")[0].splitlines()]

    def events(self):
        return {line.get("event") for line in self.lines()}

    def saw(self, event, **members):
        live.wait(event, lambda: any(
            line.get("event") == event and members.items() <= line.items()
            for line in self.lines()))

    def ended(self):
        return self.process.wait(END_SECONDS)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def mail(daemon, user, servers, watcher):
    servers.fault("rcpt 450 4.2.0 later", "rcpt 550 5.1.1 nobody")
    user.deliver(live.message("hello"))
    watcher.saw("notified", shown=True, body="hello")
    with contextlib.closing(user.imap()) as imap:
        imap.select("INBOX")
        imap.store("1", "+FLAGS", "\\Seen")
    watcher.saw("withdrawn", mailbox="INBOX", uid=1)
    user.deliver(*[live.message(s) for s in ("forward", "lost", "runs")])
    watcher.saw("judged", subject="runs", rules="runs")
    watcher.saw("forward-deferred", to="you@example.org")
    daemon.ctl("queue", "retry", "all")
    watcher.saw("forward-failed", to="you@example.org")
    daemon.ctl("queue", "retry", "all")
    watcher.saw("forward-sent", to="you@example.org")


def commands(daemon, user, servers, watcher):
    daemon.ctl("notify", "\u202ehello\x1b[2J")
    watcher.saw("notified", title="Belfry")
    daemon.ctl("pause", user.name)
    watcher.saw("paused", account=user.name)
    daemon.ctl("resume")
    watcher.saw("resumed")
    good = live.read(daemon.config)
    daemon.write("[account x]\n")
    daemon.ctl("reload", code=78)
    watcher.saw("reload-refused")
    with open(daemon.config, "w", encoding="utf-8") as file:
        file.write(good)
    daemon.ctl("reload")
    watcher.saw("reloaded")
    servers.cut_imap()
    watcher.saw("trouble", mailbox="INBOX")


@live.case
def every_line_has_its_form(servers):
    user = servers.user()
    with live.Daemon(servers, user.account() + RULES) as daemon:
        with contextlib.ExitStack() as stack:
            daemon.wait_watching()
            watcher = stack.enter_context(Watcher(daemon, "watch", "--json",
                                                  "--no-reconnect"))
            watcher.saw("hello")
            mail(daemon, user, servers, watcher)
            commands(daemon, user, servers, watcher)
            live.same(daemon.stop(), 0, "exit status")
            live.same(watcher.ended(), 69, "exit status of who watches")
            for line in watcher.lines():
                live.same(schema.problems(["watch"], line), [],
                          "what breaks the schema")
            last = watcher.lines()[-1]
            live.same((last["ok"], watcher.lines()[-2]["event"]),
                      (False, "stopping"), "the end")
            live.check(last["hint"], "no word on what to do")
            live.check(len(watcher.events()) >= 15, "only %r",
                       watcher.events())


@live.case
def it_goes_on_with_the_next_daemon(servers):
    """What was judged while it could not hear is said, and said once."""
    user = servers.user()
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        with Watcher(daemon, "watch", "--json") as watcher:
            watcher.saw("hello")
            user.deliver(live.message("heard"))
            watcher.saw("judged", subject="heard")
            daemon.wait_quiet()
            daemon.kill()
            watcher.saw("lost")
            # It sleeps until all is over.
            watcher.process.send_signal(signal.SIGSTOP)
            user.deliver(live.message("lost"), live.message("unheard"))
            daemon.start()
            daemon.wait_log("judged.*unheard")
            daemon.wait_quiet()
            watcher.process.send_signal(signal.SIGCONT)
            watcher.saw("judged", subject="unheard", missed=True)
            user.deliver(live.message("heard again"))
            watcher.saw("judged", subject="heard again")
            lines = watcher.lines()
            for line in lines:
                live.same(schema.problems(["watch"], line), [],
                          "what breaks the schema")
            judged = [line for line in lines if line["event"] == "judged"]
            live.same([(line["subject"], line.get("missed", False))
                       for line in judged],
                      [("heard", False), ("lost", True), ("unheard", True),
                       ("heard again", False)], "what was judged")
            live.same([line["event"] for line in lines
                       if line["event"] in ("hello", "lost", "back")],
                      ["hello", "lost", "hello", "back"], "its own")
            live.check("move to No/Such/Place (failed: " in judged[1]["text"],
                       "what became of it: %r", judged[1])


@live.case
def a_person_is_told_that_it_waits(servers):
    user = servers.user()
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        with Watcher(daemon, "watch") as watcher:
            # Until it listens nobody tells it anything.
            live.wait("it to listen", lambda: daemon.ctl("notify", "x") and
                      "notified" in watcher.text())
            live.same(daemon.stop(), 0, "exit status")
            live.wait("lost", lambda: "belfryd  lost: belfryd has ended" in
                      watcher.text())
            daemon.start()
            live.wait("back", lambda: "belfryd  back: " in watcher.text())
            live.same(watcher.text().count("lost:"), 1, "times it was said")
            live.same(daemon.stop(), 0, "exit status")
            live.wait("lost again",
                      lambda: watcher.text().count("lost:") == 2)


@live.case
def a_line_comes_when_it_happens(servers):
    """Into a pipe, too; and Ctrl-C is no trouble."""
    user = servers.user()
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        with Watcher(daemon, "watch", stdout=subprocess.PIPE,
                     bufsize=0) as watcher:
            out = watcher.process.stdout

            def has_more():
                return select.select([out], [], [], 0.2)[0]

            # What was said before it listened is not for it.
            live.wait("it to listen", lambda: daemon.ctl("notify", "early")
                      and has_more())
            while has_more():
                out.readline()
            daemon.ctl("notify", "late")
            line = out.readline().decode()
            live.check("notified" in line and "\033" not in line, line)
            watcher.process.send_signal(signal.SIGINT)
            live.same((watcher.ended(), watcher.process.stdout.read()),
                      (-signal.SIGINT, b""), "the end")


@live.case
def nobody_reads_any_more(servers):
    """It ends with its reader, and not only when there is something to say."""
    user = servers.user()
    with live.Daemon(servers, user.account()) as daemon:
        daemon.wait_watching()
        for words in (["watch", "--json"], ["status", "--follow"],
                      ["status", "--follow", "--format", "i3blocks"]):
            with Watcher(daemon, *words, stdout=subprocess.PIPE) as watcher:
                watcher.process.stdout.readline()
                watcher.process.stdout.close()
                live.same(watcher.ended(), -signal.SIGPIPE, " ".join(words))


if __name__ == "__main__":
    live.main()
