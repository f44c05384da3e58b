#!/usr/bin/env -S python3 -B
"""belfryd is killed again and again while mail of all kinds keeps coming.

In the end every message was acted on, and once. What cannot be once is
bounded: a command without `repeat = safe` may be left undone, and then the
history says so; a forward may come twice only if it was one of the last before a
kill, which nobody can tell from those that were never accepted; a
notification may ring again. $LIVE_ROUNDS sets the number of kills, $LIVE_SEED repeats."""

import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import effects  # noqa: E402
import live  # noqa: E402

ROUNDS = int(os.environ.get("LIVE_ROUNDS", 25))
# Of one daemon: all of its history is looked at, and that is told in part.
ROUNDS_MAX = 40
LIFE_SECONDS = (0.05, 1.0)
PAUSE_SECONDS = 0.25


class Feeder(threading.Thread):
    """Delivers bursts until it is told to end."""

    def __init__(self, fed):
        super().__init__(daemon=True)
        self.fed = fed
        self.end = threading.Event()
        self.error = None

    def run(self):
        try:
            while not self.end.is_set():
                self.fed.burst()
                time.sleep(self.fed.rng.uniform(0, PAUSE_SECONDS))
        except Exception as error:
            self.error = error

    def stop(self):
        self.end.set()
        self.join()
        live.check(self.error is None, "delivery failed: %s", self.error)


def changes(paths):
    """When each was changed last."""
    found = []
    for path in paths:
        try:
            found.append(os.stat(path).st_mtime_ns)
        except FileNotFoundError:
            found.append(0)
    return found


def wait_for_effect(servers, daemon, user, rng):
    """Until one kind of effect is seen, before belfryd can have heard of it."""
    maildir = os.path.join(servers.dir, "mail", user.address, "Maildir")
    paths = rng.choice([
        [maildir + "/.Copied/new", maildir + "/.Copied/cur"],
        [maildir + "/.Moved/new", maildir + "/.Moved/cur"],
        [servers.env["SERVERS_SENT"]],
        [daemon.path("notes")],
    ])
    before = changes(paths)
    end = time.monotonic() + 2
    while time.monotonic() < end and changes(paths) == before:
        time.sleep(0.0001)


def kill_again_and_again(servers, daemon, user, rng, rounds):
    """The number of the last forward of each life."""
    last = set()
    for _ in range(rounds):
        daemon.start()
        time.sleep(rng.uniform(*LIFE_SECONDS))
        if rng.random() < 0.5:
            wait_for_effect(servers, daemon, user, rng)
        live.same(daemon.process.poll(), None, "belfryd ended by itself")
        daemon.kill()
        last.add(effects.settled_count(servers))
    return last


def run(servers, rounds):
    rng = live.seed()
    user = servers.user()
    daemon = effects.daemon_for(servers, user)
    daemon.start()
    daemon.wait_watching()
    daemon.kill()
    fed = effects.Fed(user, rng)
    feeder = Feeder(fed)
    feeder.start()
    last = kill_again_and_again(servers, daemon, user, rng, rounds)
    feeder.stop()
    effects.finish(daemon)
    words = effects.check_all(servers, daemon, user, fed, last)
    live.same(daemon.stop(), 0, "exit status")
    print("%d kills; %s" % (rounds, words), flush=True)


def run_all(servers, rounds):
    for begun in range(0, rounds, ROUNDS_MAX):
        run(servers, min(ROUNDS_MAX, rounds - begun))


@live.case
def killed_with_move(servers):
    run_all(servers, ROUNDS)


@live.case_with("imap_capability = IMAP4rev1 SASL-IR LITERAL+ UIDPLUS IDLE\n")
def killed_with_copy(servers):
    run_all(servers, max(1, ROUNDS // 2))


if __name__ == "__main__":
    live.main(400 + 6 * ROUNDS)
