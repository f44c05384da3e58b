#!/usr/bin/env -S python3 -B
"""belfryd is killed at its n-th write, sync, event, program start ...

strace(1) kills it from outside, as it enters the n-th call of one kind, while
mail of every kind waits to be acted on; each life takes up what the last one
left. In the end every message was acted on, and once, within the bounds of
tests/lib/effects.py. $LIVE_CRASHES sets the number of kills, $LIVE_SEED repeats.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import effects  # noqa: E402
import live  # noqa: E402

CRASHES = int(os.environ.get("LIVE_CRASHES", 24))
# Of one daemon: all of its history is looked at, and that is told in part.
CRASHES_MAX = 100
# A kind of call, whether other threads than the loop's are meant, too, and how
# often it comes in a life of this length, about. Those of the other threads
# must be such that no program of a rule makes them.
CALLS = (
    ("pwrite64", True, 10),  # the journal: each transaction
    ("fdatasync", True, 12),  # ... and each sync
    ("write", False, 90),  # to servers, to the log, to the other thread
    ("epoll_wait", False, 90),  # each turn of the loop
    ("vfork,clone,clone3", False, 20),  # each program
    ("connect", False, 6),
    ("openat", False, 60),
    ("sendto", False, 6),  # to a server, before there is TLS
    ("unlink", False, 1),  # the socket that another life left; it renames none
)
LIFE_SECONDS = 1.5
EACH = ("copy", "forward", "exec", "safe", "mark", "move", "archive", "delete",
        "notify", "all")


def daemon_of(pid):
    """strace has other children, too, for a moment."""
    children = "/proc/%d/task/%d/children" % (pid, pid)
    with contextlib.suppress(ProcessLookupError):
        for child in live.read(children).split():
            if live.read("/proc/%s/comm" % child) == "belfryd\n":
                return int(child)
    return 0


class Traced:
    """One life of the daemon, until the n-th call, or to its end."""

    def __init__(self, daemon, call, threads, number):
        inject = "inject=%s:signal=KILL:when=%d" % (call, number)
        trace = ["strace", "-o", "/dev/null", "-e", "trace=" + call,
                 "-e", inject]
        if threads:
            trace[1:1] = ["-f"]
        with open(daemon.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*trace, live.BELFRYD, "-c", daemon.config],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=daemon.env, cwd=daemon.dir)
        self.pid = 0

    def is_alive(self):
        self.pid = self.pid or daemon_of(self.process.pid)
        return self.process.poll() is None and (
            not self.pid or os.path.exists("/proc/%d/exe" % self.pid))

    def end(self):
        """Whether it was killed where it should be."""
        end = time.monotonic() + LIFE_SECONDS
        while self.is_alive() and time.monotonic() < end:
            time.sleep(0.01)
        was_killed = not self.is_alive()
        if not was_killed:
            live.check(self.pid, "strace did not start belfryd")
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, 9)
        self.process.wait(live.PATIENCE_SECONDS)
        return was_killed


def crash(servers, daemon, fed, most):
    """One life with mail to act on; what it was killed at, or None."""
    rng = fed.rng
    call, threads, _ = rng.choice(CALLS)
    number = rng.randint(1, most[call])
    fed.deliver(rng.sample(EACH, 5))
    killed = Traced(daemon, call, threads, number).end()
    if not killed:  # it does not come so often
        most[call] = max(1, number - 1)
    return (call, number) if killed else None


def run(servers, crashes):
    rng = live.seed()
    user = servers.user()
    daemon = effects.daemon_for(servers, user)
    daemon.start()
    daemon.wait_watching()
    daemon.kill()
    fed = effects.Fed(user, rng)
    most = {call: number for call, _, number in CALLS}
    points, last = set(), set()
    for _ in range(crashes):
        points.add(crash(servers, daemon, fed, most))
        last.add(effects.settled_count(servers))
    effects.finish(daemon)
    words = effects.check_all(servers, daemon, user, fed, last)
    live.same(daemon.stop(), 0, "exit status")
    live.check(points - {None}, "it was never killed")
    print("%d crashes, at %d places; %s" % (
        crashes, len(points - {None}), words))


@live.case
def crashes_with_move(servers):
    for begun in range(0, CRASHES, CRASHES_MAX):
        run(servers, min(CRASHES_MAX, CRASHES - begun))


if __name__ == "__main__":
    if not shutil.which("strace"):
        print("strace is not installed")
        sys.exit(77)
    live.main(60 + 4 * CRASHES)
