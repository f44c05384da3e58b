#!/usr/bin/env -S python3 -B
"""The journal's disk fails: nothing is done without a journal, the person
reads why, and all goes on when the disk is well again, without a restart.

strace(1) makes the calls fail; its threads are all those of belfryd."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import effects  # noqa: E402
import live  # noqa: E402

FAULTS = int(os.environ.get("LIVE_FAULTS", 1))
# Call, error, how often the call comes, about, and what SQLite says then.
CALLS = (
    ("pwrite64", "ENOSPC", 6, "database or disk is full"),
    ("pwrite64", "EIO", 6, "disk I/O error"),
    ("fdatasync", "EIO", 4, "disk I/O error"),
)
KINDS = ("copy", "forward", "safe", "mark", "move", "archive", "delete",
         "notify", "all", "none")


class Traced(live.Daemon):
    """A daemon whose calls fail as `inject` says."""

    inject = None
    paths = ()

    def start(self):
        trace = ["strace", "-f", "-qq", "-o", "/dev/null"]
        for path in self.paths:
            trace += ["-P", path]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*trace, "-e", "inject=" + self.inject, live.BELFRYD, "-c",
                 self.config],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.env, cwd=self.dir, start_new_session=True)
        if self not in live.Daemon.running:
            live.Daemon.running.append(self)
        return self

    def pid(self):
        path = "/proc/%d/task/%d/children" % (
            self.process.pid, self.process.pid)
        with contextlib.suppress(OSError):
            for child in live.read(path).split():
                if live.read("/proc/%s/comm" % child) == "belfryd\n":
                    return int(child)
        return 0

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            if self.pid():
                os.kill(self.pid(), signal.SIGKILL)
        self.process.kill()
        self.process.wait()

    def stop(self, seconds=30):
        if self.process.poll() is None and self.pid():
            os.kill(self.pid(), signal.SIGTERM)
        return self.process.wait(seconds)


def start_with(daemon, call, error, first, last, words):
    """With a fault of the first to last call (None: and all later ones), or
    the next ones, when it cannot start for these: that it says."""
    daemon.paths = database(daemon)
    for number in range(first, first + 30):
        end = "+" if last is None else "..%d" % (number + last - first)
        daemon.inject = "%s:error=%s:when=%d%s" % (call, error, number, end)
        before = len(daemon.log())
        daemon.start()
        live.wait("the start or its end", lambda: (
            daemon.process.poll() is not None
            or "notice started" in daemon.log()[before:]))
        if daemon.process.poll() is None:
            return
        live.same(daemon.process.poll(), 73, daemon.inject)
        said = daemon.log()[before:]
        live.check(re.search("^belfryd: .*state.db: cannot write: " + words,
                             said, re.M), "%s: %s", daemon.inject, said)
    raise live.Failed("it never started")


def new_daemon(servers, user):
    """One that has seen its mailbox."""
    daemon = effects.daemon_for(servers, user, Traced)
    live.Daemon.start(daemon)
    daemon.wait_watching()
    live.same(live.Daemon.stop(daemon), 0, "exit status")
    return daemon


def database(daemon):
    path = os.path.join(daemon.state, "state.db")
    return [path, path + "-wal"]


def finish(daemon):
    daemon.wait_watching()
    daemon.wait_quiet(40)
    live.wait("an empty queue", lambda: not daemon.ctl("queue")["items"])


def rung(daemon):
    """How often the person was told."""
    return live.read(daemon.path("told")).count(
        "Belfry cannot write its journal\n")


def fail_for_a_while(servers, rng, call, error, number, words):
    """From the n-th call on, a few times: in the same life all is done."""
    user = servers.user()
    daemon = new_daemon(servers, user)
    fed = effects.Fed(user, rng)
    first = rng.randint(1, number)
    fed.deliver(KINDS)
    start_with(daemon, call, error, first, first + rng.randint(0, 1), words)
    finish(daemon)
    effects.check_all(servers, daemon, user, fed, set())
    said = daemon.logged("cannot write: " + words)
    daemon.stop()
    troubles = daemon.logged("journal: |cannot write")
    live.same(len(said), len(troubles), "sentences")
    begun = len(daemon.logged("error journal what="))
    live.same(len(daemon.logged("notice journal what=")), begun, "mended")
    live.check(rung(daemon) <= 1 and rung(daemon) == min(begun, 1),
               "rang %d times of %d", rung(daemon), begun)
    print("%s: said %d times" % (daemon.inject, len(said)))


@live.case
def fails_for_a_while(servers):
    rng = live.seed()
    for begun in range(FAULTS):
        call, error, number, words = (
            CALLS[begun % len(CALLS)] if FAULTS > 1 else rng.choice(CALLS))
        fail_for_a_while(servers, rng, call, error, number, words)


@live.case
def full_for_long(servers):
    """No act without a journal; `status` says why; nothing is lost."""
    user = servers.user()
    daemon = new_daemon(servers, user)
    fed = effects.Fed(user, live.seed())
    before = {name: len(m) for name, m in user.mailboxes().items()}
    start_with(daemon, "pwrite64", "ENOSPC", 1, None,
               "database or disk is full")
    # strace counts the calls of each thread, and the journal's is not that
    # which has started: it may have some left, for mail that needs no act.
    full = "journal: .*state.db: cannot write: database or disk is full"
    while not daemon.logged(full):
        fed.deliver(["none"])
        time.sleep(0.2)
    fed.deliver(KINDS)
    live.wait("the trouble in `status`", lambda: any(
        "disk is full" in (box["trouble"] or "")
        for box in daemon.boxes().values()))
    live.wait("a notification of it", lambda: rung(daemon))
    time.sleep(live.STILL_SECONDS)
    after = {name: len(m) for name, m in user.mailboxes().items()}
    after["INBOX"] -= sum(len(ids) for ids in fed.ids.values())
    live.same({k: v for k, v in after.items() if v},
              {k: v for k, v in before.items() if v}, "mailboxes")
    live.same(user.sent(), [], "forwards")
    live.same(live.read(daemon.path("notes")), "", "commands")
    live.same(rung(daemon), 1, "rung")
    daemon.stop()
    live.Daemon.start(daemon)
    finish(daemon)
    effects.check_all(servers, daemon, user, fed, set())
    live.same(live.Daemon.stop(daemon), 0, "exit status")


@live.case
def journal_removed(servers):
    """The database is moved away under the daemon: nothing is done, and it is
    said; when it is back, it goes on."""
    user = servers.user()
    daemon = effects.daemon_for(servers, user)
    fed = effects.Fed(user, live.seed())
    daemon.start()
    daemon.wait_watching()
    path = database(daemon)[0]
    os.rename(path, path + ".away")
    fed.deliver(KINDS)
    daemon.wait_log("state.db was removed or replaced")
    time.sleep(live.STILL_SECONDS)
    live.same(user.sent(), [], "forwards")
    live.same(live.read(daemon.path("notes")), "", "commands")
    live.same(len(user.mailboxes()["INBOX"]),
              sum(len(ids) for ids in fed.ids.values()), "messages in INBOX")
    os.rename(path + ".away", path)
    finish(daemon)
    effects.check_all(servers, daemon, user, fed, set())
    daemon.stop()


def acted(daemon, user):
    """What nothing may be done to: a picture of it."""
    return ({name: len(m) for name, m in user.mailboxes().items() if m},
            len(user.sent()), live.read(daemon.path("notes")))


@live.case
def not_begun_anew(servers):
    """A journal that is not whole is never replaced by a new one unasked."""
    user = servers.user()
    daemon = effects.daemon_for(servers, user)
    fed = effects.Fed(user, live.seed())
    daemon.start()
    daemon.wait_watching()
    fed.deliver(KINDS)
    finish(daemon)
    daemon.kill()
    path, log = database(daemon)
    whole = {name: open(name, "rb").read() for name in (path, log)}
    user.deliver(live.message("all of what arrived meanwhile",
                              message_id="<meanwhile@example.org>"))
    before = acted(daemon, user)
    for cut in (0, 50, 3 * 4096, None):
        if cut is None:
            os.unlink(path)
        else:
            os.truncate(path, cut)
        live.Daemon.start(daemon)
        live.same(daemon.process.wait(30), 73, "cut at %r" % cut)
        said = daemon.log().splitlines()[-1]
        live.check("state.db is damaged" in said if cut is not None else
                   "state.db is not there, but" in said, "%r: %s", cut, said)
        live.check("begins anew" in said, "%r: %s", cut, said)
        for name in (path, log):
            with open(name, "wb") as file:
                file.write(whole[name])
    live.same(acted(daemon, user), before, "what was there")

    # Where nothing of it is left, a new one is made, and acts on nothing.
    for name in os.listdir(daemon.state):
        if name.startswith("state.db"):
            os.unlink(os.path.join(daemon.state, name))
    daemon.start()
    daemon.wait_log("notice journal .*there was none")
    daemon.wait_watching()
    daemon.wait_quiet()
    time.sleep(live.STILL_SECONDS)
    live.same(acted(daemon, user), before, "what was there")
    live.same(daemon.history(), [], "history")

    # The person asks for what arrived meanwhile.
    daemon.ctl("apply", user.name + "/INBOX", "--rule", "move")
    user.wait_subjects("Moved", [
        "all of what arrived meanwhile"] + [
            m["subject"] for m in user.mailboxes()["Moved"]
            if m["message-id"] != "<meanwhile@example.org>"])
    daemon.stop()


@live.case
def checkpoint_fails(servers):
    """The commits work, but not the way of what they wrote from the log into
    the database: that is told, and tried again."""
    user = servers.user()
    daemon = new_daemon(servers, user)
    daemon.inject = "pwrite64:error=EIO"
    daemon.paths = database(daemon)[:1]
    daemon.start()
    daemon.wait_watching()
    for _ in range(40):
        if daemon.logged("error journal .*cannot bring its log into it"):
            break
        user.deliver(*[live.message("none " + "long words " * 300,
                                    message_id="<%d@long.example>" % number)
                       for number in range(50)])
        time.sleep(0.3)
    daemon.wait_log("error journal .*cannot bring its log into it")
    live.check("cannot bring its log" in daemon.ctl("status", code=1)["journal"],
               "status")
    live.same(rung(daemon), 0, "rung")
    user.deliver(live.message("exec and all goes on"))
    live.wait("the command", lambda: live.read(daemon.path("notes")))
    daemon.stop()


def refused(daemon, inject, paths=()):
    """It does not start: the exit status, and what it says."""
    daemon.inject, daemon.paths = inject, paths
    before = len(daemon.log())
    daemon.start()
    status = daemon.process.wait(live.PATIENCE_SECONDS)
    return status, daemon.log()[before:].strip()


@live.case
def cannot_be_opened(servers):
    user = servers.user()
    daemon = new_daemon(servers, user)
    path = os.path.join(daemon.state, "state.db")
    for when, error, words in (
            ("1+", "EROFS", "cannot open it: Read-only file system"),
            ("1+", "EACCES", "cannot open it: Permission denied"),
            # The second one is SQLite's.
            ("2", "EROFS", "cannot write: attempt to write a readonly "
             "database"),
            ("2+", "EIO", "cannot open it: unable to open database file "
             "(Input/output error)")):
        status, said = refused(
            daemon, "openat:error=%s:when=%s" % (error, when), [path])
        live.same(status, 73, error + ": " + said)
        live.same(said, "belfryd: %s: %s" % (path, words), error)
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(bytes(8192))
    live.Daemon.start(daemon)
    live.same(daemon.process.wait(30), 73, "damaged")
    said = daemon.log().splitlines()[-1]
    live.check("is damaged" in said and "move the file away" in said,
               "damaged: %s", said)


if __name__ == "__main__":
    if not shutil.which("strace"):
        print("strace is not installed")
        sys.exit(77)
    live.main(120 + 20 * FAULTS)
