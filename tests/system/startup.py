#!/usr/bin/env -S python3 -B
"""Starting: what is refused and how, what is private, what a dry run does."""

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402

NOBODY = 65534

# Exit codes of sysexits.h.
EX_OK, EX_USAGE, EX_UNAVAILABLE, EX_CANTCREAT = 0, 64, 69, 73
EX_TEMPFAIL, EX_CONFIG = 75, 78

RULES = """
[rule m]
when = subject ~ /^move/
move = Moved
create = yes

[rule x]
when = subject ~ /^all/
copy = Copied
create = yes
forward = deputy@example.org
exec = %s
mark = flagged
archive = yes

[notifier tell]
type = exec
command = %s
"""


def run(daemon, *args):
    """belfryd to its own end: (exit status, what it said)."""
    result = subprocess.run(
        [live.BELFRYD, *args], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=daemon.env,
        cwd=daemon.dir, timeout=live.PATIENCE_SECONDS, check=False)
    return result.returncode, result.stdout.decode()


def ends_with(daemon, args, code, *words):
    got, said = run(daemon, *args)
    live.same(got, code, "exit status of belfryd %s (%s)"
              % (" ".join(args), said))
    for word in words:
        live.check(word in said, "belfryd %s: no %r in %r",
                   " ".join(args), word, said)


@live.case
def usage(servers):
    daemon = live.Daemon(servers, "")
    ends_with(daemon, ["--help"], EX_OK, "usage: belfryd", "--dry-run")
    ends_with(daemon, ["--version"], EX_OK, "belfryd 0.",
              "exec program journal")
    ends_with(daemon, ["--no-such-option"], EX_USAGE, "no-such-option",
              "usage: belfryd")
    ends_with(daemon, ["-c"], EX_USAGE, "usage: belfryd")
    ends_with(daemon, ["something"], EX_USAGE, "unexpected argument: something")


@live.case
def configuration(servers):
    user = servers.user()
    daemon = live.Daemon(servers, "")
    ends_with(daemon, ["-c", daemon.path("missing")], EX_CONFIG,
              daemon.path("missing"), "No such file")
    ends_with(daemon, [], EX_CONFIG, "belfry.conf")
    for text, line, words in (
            ("[rule r]\nwhen = al\n", 2, ["error"]),
            ("[rule r]\nwhen = all\nmvoe = X\n", 3, ["mvoe", "move"]),
            ("[acount a]\n", 1, ["account"]),
            ("[account a]\nemail = ann@example.com\nimap = http://x\n", 3,
             ["http"]),
            (user.account() + "[rule r]\nwhen = all\nforward = x\n", None,
             ["forward"]),
            ("[rule r]\nwhen = subject ~ /(/\nmove = X\n", 2, ["error"])):
        daemon.write(text)
        start = live.read(daemon.config).index(text)
        at = live.read(daemon.config)[:start].count("\n")
        where = [] if line is None else ["%s:%d:" % (daemon.config, at + line)]
        ends_with(daemon, ["-c", daemon.config], EX_CONFIG, *where, *words)
    live.check(not os.path.exists(daemon.state), "it made the state directory")
    # A test in the configuration that fails is an error as any other.
    daemon.write(user.account() + "[rule r]\nwhen = all\nmark = flagged\n"
                 "[test t]\nheader = From: a@b.example\nexpect = none\n")
    ends_with(daemon, ["-c", daemon.config], EX_CONFIG, "test t")


# linux/prctl.h, since Linux 6.3.
PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1

NO_CODE = """
[rule m]
when = subject ~ /^\\[(?<list>\\w+)\\]/
move = Lists/${list}
create = yes
[test t]
header = Subject: [belfry] hello
expect = move Lists/belfry
"""


def refuse_code():
    """No memory that was written becomes code, as under systemd's
    MemoryDenyWriteExecute."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    number = ctypes.c_ulong
    if prctl(PR_SET_MDWE, number(PR_MDWE_REFUSE_EXEC_GAIN), number(0),
             number(0), number(0)) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_MDWE")


@live.case
def no_memory_for_code(servers):
    """Patterns are interpreted where the system refuses machine code."""
    user = servers.user()
    daemon = live.Daemon(servers, user.account() + NO_CODE, before=refuse_code)
    try:
        check = subprocess.run(
            [live.BELFRYCTL, "check", "-c", daemon.config], env=daemon.env,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            preexec_fn=refuse_code, check=False)
    except subprocess.SubprocessError:
        return  # a kernel that cannot refuse it
    live.same(check.returncode, EX_OK, "belfryctl check (%s)"
              % check.stdout.decode())
    with daemon:
        daemon.wait_watching()
        user.deliver(live.message("[belfry] hello"))
        user.wait_subjects("Lists/belfry", ["[belfry] hello"])


@live.case
def one_daemon_a_state_directory(servers):
    user = servers.user()
    first = live.Daemon(servers, user.account())
    second = live.Daemon(servers, user.account())
    with first:
        first.wait_watching()
        second.state = first.state
        second.write(user.account())
        ends_with(second, ["-c", second.config], EX_TEMPFAIL,
                  str(first.process.pid), first.state)
        # Another state directory, but the first one's socket.
        third = live.Daemon(servers, user.account())
        third.control = first.control
        third.write(user.account())
        ends_with(third, ["-c", third.config], EX_UNAVAILABLE, first.control)
        live.check(first.boxes(), "the first one's socket is gone")
        first.kill()
        # What a killed one left behind is in nobody's way.
        live.check(os.path.exists(first.control), "no stale socket")
        first.start()
        first.wait_watching()


@live.case
def state_directory_that_cannot_be(servers):
    user = servers.user()
    daemon = live.Daemon(servers, "")
    with open(daemon.path("file"), "w", encoding="utf-8"):
        pass
    daemon.state = daemon.path("file") + "/state"
    daemon.write(user.account())
    ends_with(daemon, ["-c", daemon.config], EX_CANTCREAT, daemon.path("file"))


def modes(folder):
    """{name: mode} of all below it."""
    found = {}
    for where, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(where, name)
            found[os.path.relpath(path, folder)] = stat.S_IMODE(
                os.lstat(path).st_mode)
    return found


@live.case
def private_files(servers):
    user = servers.user()
    daemon = live.Daemon(servers, user.account())
    before = os.umask(0)
    try:
        daemon.start()
    finally:
        os.umask(before)
    daemon.wait_watching()
    for folder in (daemon.state, os.path.dirname(daemon.control)):
        live.same(stat.S_IMODE(os.stat(folder).st_mode), 0o700, folder)
        found = modes(folder)
        live.check(found, "%s is empty", folder)
        live.same(found, {name: 0o600 for name in found}, "modes in " + folder)
    live.check(stat.S_ISSOCK(os.stat(daemon.control).st_mode), "no socket")
    live.same(daemon.stop(), 0, "exit status")


def ask(path, uid):
    """What a process of this user gets from the control socket."""
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(OSError):
            os.setgroups([])
            os.setresgid(uid, uid, uid)
        with contextlib.suppress(OSError):
            os.setresuid(uid, uid, uid)
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(10)
                client.connect(path)
                client.sendall(b'{"version": 1, "command": "status"}\n')
                os.write(there, client.recv(4096))
        os._exit(0)
    os.close(there)
    with os.fdopen(here, "rb") as pipe:
        answer = pipe.read().decode()
    os.waitpid(child, 0)
    return answer


@live.case
def control_is_for_its_owner(servers):
    user = servers.user()
    with live.Daemon(servers, user.account()) as daemon:
        daemon.wait_watching()
        live.check("accounts" in ask(daemon.control, os.getuid()),
                   "no answer to its owner")
        if os.getuid() != 0:
            print("  not root: no other user can be tried")
            return
        live.same(ask(daemon.control, NOBODY), "", "answer through modes")
        # Also where somebody opened the way by mistake.
        for path in (daemon.dir, os.path.dirname(daemon.control),
                     daemon.control):
            os.chmod(path, 0o777)
        live.same(ask(daemon.control, NOBODY), "", "answer to nobody")
        live.check("accounts" in ask(daemon.control, 0), "no answer to root")
        live.check(daemon.boxes(), "no answer to belfryctl")


def contents(daemon):
    """The whole state database as SQL."""
    path = os.path.join(daemon.state, "state.db")
    with contextlib.closing(sqlite3.connect(path)) as db:
        return list(db.iterdump())


@live.case
def dry_run_changes_nothing(servers):
    user = servers.user()
    daemon = live.Daemon(servers, "")
    ran = daemon.script("ran", "cat >/dev/null; touch %s\n"
                        % daemon.path("touched"))
    daemon.write(user.account() + RULES % (ran, ran))
    with daemon:
        daemon.wait_watching()
    user.deliver(*(live.message("%s while down" % w)
                   for w in ("move", "all", "none")))
    boxes, state = user.mailboxes(), contents(daemon)
    daemon.args = ["--dry-run"]
    with daemon:
        daemon.wait_watching()
        user.deliver(*(live.message("%s while up" % w)
                       for w in ("move", "all", "none")))
        daemon.wait_log("info judged", 6)
        for word in ("copy to Copied", "forward to deputy", "run /",
                     "mark flagged", "move to the archive", "move to Moved"):
            live.check(daemon.logged("judged.*" + word), "no word of %r", word)
        daemon.wait_quiet()
    live.check(not os.path.exists(daemon.path("touched")), "it ran a command")
    live.same(user.sent(), [], "forwards")
    live.same(contents(daemon), state, "state")
    after = user.mailboxes()
    live.same([m["subject"] for m in after.pop("INBOX")][:3],
              [m["subject"] for m in boxes["INBOX"]], "INBOX")
    live.same({n: m for n, m in after.items() if m}, {}, "other mailboxes")
    # All of it is news to the next one that is in earnest.
    daemon.args = []
    with daemon:
        user.wait_subjects("Archive", ["all while down", "all while up"])
        user.wait_subjects("Moved", ["move while down", "move while up"])
        live.wait("two forwards", lambda: len(user.sent()) == 2)


@live.case
def without_certificates(servers):
    """An account whose file of certificates is not there begins when it is;
    until then it is in trouble, and the others do their work."""
    here, away = servers.user(), servers.user()
    daemon = live.Daemon(servers, here.account())
    later = daemon.path("later.pem")
    daemon.write(here.account() + away.account("tls_ca_file = %s\n" % later))
    with daemon:
        daemon.wait_watching(1)
        answer = daemon.ctl("status", code=1)
        found = [a for a in answer["accounts"] if "not_started" in a]
        live.check(len(found) == 1 and found[0]["account"] == away.name and
                   later in found[0]["not_started"], "status: %r", answer)
        live.check("not started: tls_ca_file " + later in
                   daemon.says("status")[1], "not said")
        shutil.copy(servers.env["SERVERS_CA"], later)
        daemon.wait_watching(2, 2 * live.PATIENCE_SECONDS)
        daemon.wait_log("notice started account=" + away.name)
        live.same(len([line for line in daemon.log().splitlines()
                       if later in line and "error trouble" in line]), 1,
                  "words of it")
        daemon.ctl("status")


@live.case
def signals_while_starting(servers):
    """A socket that nobody answers is no reason to stay."""
    user = servers.user()
    with socket.create_server(("127.0.0.1", 0), backlog=0) as mute:
        daemon = live.Daemon(servers, user.account().replace(
            "localhost:" + servers.env["SERVERS_IMAPS_PORT"],
            "localhost:%d" % mute.getsockname()[1])).start()
        daemon.wait_log(" started ")
        daemon.signal(signal.SIGTERM)
        live.same(daemon.process.wait(5), 0, "exit status")


if __name__ == "__main__":
    live.main()
