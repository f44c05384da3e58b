#!/usr/bin/env -S python3 -B
"""The cable is pulled, the machine sleeps, the network changes, the server
restarts, the daemon is killed, in any order and at once, while mail of all
kinds keeps coming: in the end every message was judged and acted on, once.

belfryd and its servers are in two networks; see network.py. $STORM_FAULTS sets
the number of faults, $STORM_SEED repeats a storm, $STORM_PATIENT=1 leaves it
to the daemon to find out what it cannot be told (minutes)."""

import collections
import contextlib
import datetime
import os
import random
import re
import signal
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import effects  # noqa: E402
import live  # noqa: E402
import network  # noqa: E402

SEED = int(os.environ.get("STORM_SEED", 1))
FAULTS = int(os.environ.get("STORM_FAULTS", 10))
PATIENT = "STORM_PATIENT" in os.environ
OPEN_AT_ONCE = 3
# Without submission, and Courier has no archive.
OTHER_KINDS = [kind for kind in effects.KINDS
               if kind not in ("forward", "archive")]
PAUSE_SECONDS = (0.05, 1.2)
CLOCK_SLACK_SECONDS = 3
RECOVERY_SECONDS = 120
SLEEP_SECONDS = (60, 8 * 3600)


class FarUser(live.User):
    """Of a server that is elsewhere."""

    def account(self, keys="", **how):
        return super().account(keys, **how).replace("localhost", network.HOST)


class Sleep:
    """Of the machine that belfryd is on: see sleep.c. `env` is for belfryd;
    empty: there is no compiler, and clocks do not jump."""

    def __init__(self, folder):
        self.seconds = 0
        self.folder = os.path.join(folder, "sleep")
        self.env = {}
        os.mkdir(self.folder)
        wake = os.path.join(self.folder, "wake")
        os.mkfifo(wake)
        # A FIFO that nobody has open forgets what was written.
        self.wake = os.open(wake, os.O_RDWR | os.O_NONBLOCK)
        # Once, and changed in its place: it is mapped.
        self.slept = open(os.path.join(self.folder, "slept"), "wb",
                          buffering=0)
        self.slept.write(bytes(8))
        library = os.path.join(self.folder, "sleep.so")
        if subprocess.run(
                ["cc", "-shared", "-fPIC", "-O1", "-o", library,
                 os.path.join(live.LIB, "sleep.c")], check=False
                ).returncode == 0:
            self.env = {"LD_PRELOAD": library, "BELFRY_SLEEP": self.folder}

    def now(self):
        """The wall clock of that machine."""
        return time.time() + self.seconds

    def sleep(self, seconds):
        """To be called while the daemon is stopped."""
        if not self.env:
            return
        self.seconds += seconds
        self.slept.seek(0)
        self.slept.write(struct.pack("=q", int(self.seconds * 10**9)))
        os.write(self.wake, b"!")


def last_forwards(log):
    """The numbers of those after which a connection ended, so that nobody
    knows whether they were taken."""
    last, number = set(), 0
    for line in log.splitlines():
        word, _, rest = line.partition(" ")
        if word == "stored":
            number = int(rest.split()[0])
        elif word == "auth":
            last.add(number)
    return last


class Storm:
    def __init__(self, servers, net, seed):
        self.servers = servers
        self.net = net
        self.rng = random.Random(seed)
        self.user = FarUser(servers, servers.user().address)
        self.sleep = Sleep(servers.dir)
        self.daemon = effects.daemon_for(servers, self.user, self.make_daemon)
        self.is_dovecot = isinstance(servers, live.Servers)
        self.fed = effects.Fed(
            self.user, random.Random(seed + 1),
            effects.KINDS if self.is_dovecot else OTHER_KINDS)
        self.server_lock = threading.Lock()  # who stops it does not deliver
        self.server_runs = True
        self.open = {}  # group: name of the fault
        self.kills = 0
        self.unheard_of = False  # a link that nobody told of is dead
        self.deaf_since = None  # since then no byte can have come
        self.words = collections.Counter()  # of status
        self.calm = threading.Event()
        self.fed_well = False

    def make_daemon(self, servers, text):
        asan = {"ASAN_OPTIONS": "verify_asan_link_order=0"}
        return live.Daemon(servers, text, before=self.net.join,
                           env={**self.sleep.env, **asan})

    def is_running(self):
        return "daemon" not in self.open

    def note(self, text):
        print("    %6.2f %s" % (time.monotonic() - self.began, text),
              flush=True)

    # ---- the faults ----

    def pull(self):
        self.net.pull_out()
        self.hear_nothing()
        return self.net.plug_in

    def lose_route(self):
        self.net.lose_route()
        self.hear_nothing()
        return self.net.plug_in

    def drop(self):
        which = self.rng.choice(["both", "up", "down"])
        self.net.tell("drop", which)
        if which != "up":
            self.hear_nothing()
        return lambda: self.net.tell("drop", "none")

    def bad_line(self):
        self.net.tell("delay", str(self.rng.randint(5, 300)))
        self.net.tell("loss", str(self.rng.randint(0, 20)))

        def end():
            self.net.tell("delay", "0")
            self.net.tell("loss", "0")
        return end

    def hear_nothing(self):
        self.deaf_since = self.sleep.now()

    def forget(self):
        how = self.rng.choice(["silent", "reset"])
        self.net.tell("forget", how)
        self.unheard_of = True

    def short_memory(self):
        self.net.tell("nat", "3")

        def end():
            self.net.tell("nat", "0")
            self.unheard_of = True
        return end

    def roam(self):
        if "cable" in self.open:
            return  # nothing is plugged in that could
        self.net.move()
        self.unheard_of = False

    def stop_server(self, kill):
        with self.server_lock:
            self.server_runs = False
            if kill:
                self.kill_server()
            elif self.rng.random() < 0.5:
                self.servers.cut_imap()
            self.servers.tell("imap-stop")

    def start_server(self):
        self.servers.tell("imap-start")
        self.server_runs = True

    def server_away(self):
        self.stop_server(self.rng.random() < 0.5)
        return self.start_server

    def kill_server(self):
        master = self.servers.dovecot_pid
        os.kill(master, signal.SIGSTOP)  # so that it makes no new ones
        listing = subprocess.run(
            ["ps", "--ppid", str(master), "-o", "pid="],
            stdout=subprocess.PIPE, text=True, check=True).stdout
        for pid in (*listing.split(), master):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)

    def server_hangs(self):
        self.servers.signal_imap(signal.SIGSTOP)
        return lambda: self.servers.signal_imap(signal.SIGCONT)

    def kick(self):
        if self.server_runs and "server" not in self.open:
            subprocess.run(
                ["doveadm", "-c", self.servers.env["SERVERS_DOVECOT_CONF"],
                 "kick", self.user.address], check=False,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def killed(self):
        self.daemon.kill()
        self.kills += 1
        return self.daemon.start

    def stopped(self):
        self.daemon.stop()
        return self.daemon.start

    def frozen(self):
        self.daemon.signal(signal.SIGSTOP)
        return lambda: self.daemon.signal(signal.SIGCONT)

    def asleep(self):
        self.daemon.signal(signal.SIGSTOP)
        if self.rng.random() < 0.5:
            self.net.tell("forget", "silent")
        if self.rng.random() < 0.5:
            self.roam()

        def wake():
            self.sleep.sleep(self.rng.uniform(*SLEEP_SECONDS))
            self.unheard_of = not self.sleep.env
            self.daemon.signal(signal.SIGCONT)
        return wake

    def reload(self):
        if self.is_running():
            self.daemon.ctl("reload", code=None)  # it may be starting

    def cut(self):
        if self.server_runs:
            self.servers.cut_imap()

    # name: (group of those that exclude each other, how)
    kinds = {
        "the cable is pulled": ("cable", pull),
        "the route is gone": ("cable", lose_route),
        "packets vanish": ("cable", drop),
        "a bad line": ("line", bad_line),
        "connections are forgotten": (None, forget),
        "what is silent is forgotten": ("memory", short_memory),
        "another network": (None, roam),
        "the server is away": ("server", server_away),
        "the server hangs": ("server", server_hangs),
        "kicked": (None, kick),
        "killed": ("daemon", killed),
        "stopped": ("daemon", stopped),
        "frozen": ("daemon", frozen),
        "the machine sleeps": ("daemon", asleep),
        "reload": (None, reload),
        "links are cut": (None, cut),
    }
    of_dovecot = ("the server is away", "the server hangs", "kicked")

    def begin(self):
        name = self.rng.choice([
            n for n, (group, _) in self.kinds.items()
            if group not in self.open
            and (self.is_dovecot or n not in self.of_dovecot)])
        group, how = self.kinds[name]
        self.note(name)
        end = how(self)
        if end:
            self.open[group] = name, end

    def end(self, group):
        name, end = self.open.pop(group)
        end()
        self.note("over: " + name)
        if "cable" not in self.open:
            self.deaf_since = None
        elif self.deaf_since and group == "daemon":
            self.hear_nothing()  # but for what waited for it

    # ---- mail ----

    def feed(self):
        """What comes while the server is away, waits for it elsewhere."""
        owed = 0
        is_calm = False
        while not is_calm:
            is_calm = self.calm.wait(self.fed.rng.uniform(0.05, 0.6))
            owed += 1
            with self.server_lock:
                while self.server_runs and owed:
                    self.fed.burst()
                    owed -= 1
        self.fed_well = owed == 0

    # ---- what it says of itself ----

    def sample(self):
        """`status` tells the truth."""
        if not self.is_running():
            return
        deaf_since = self.deaf_since
        boxes = self.daemon.boxes()
        for box in boxes.values():
            proven = box["proven"] and datetime.datetime.fromisoformat(
                box["proven"].replace("Z", "+00:00")).timestamp()
            live.check(
                not deaf_since or not proven
                or proven <= deaf_since + CLOCK_SLACK_SECONDS,
                "proven at %s, and nothing can have come since %s: %r",
                proven, deaf_since, box)
            live.check(box["state"] != "waiting" or box["trouble"],
                       "it waits without a cause: %r", box)
            if box["trouble"]:
                self.words[box["trouble"]] += 1

    # ---- all of it ----

    def rage(self):
        for _ in range(FAULTS):
            self.begin()
            time.sleep(self.rng.uniform(*PAUSE_SECONDS))
            self.sample()
            while self.open and (len(self.open) >= OPEN_AT_ONCE
                                 or self.rng.random() < 0.5):
                self.end(self.rng.choice(sorted(self.open)))
                self.sample()
        while self.open:
            self.end(self.rng.choice(sorted(self.open)))

    def settle(self):
        """All comes right by itself."""
        if self.unheard_of and not PATIENT:
            self.note("another network, at last")
            self.net.move()
        calm = time.monotonic()
        self.daemon.wait_watching(
            seconds=RECOVERY_SECONDS * (5 if PATIENT else 1))
        self.note("watching again after %.1f s" % (time.monotonic() - calm))
        self.daemon.wait_quiet(RECOVERY_SECONDS)
        self.note("all done after %.1f s" % (time.monotonic() - calm))

    def run(self):
        self.began = time.monotonic()
        self.daemon.start()
        self.daemon.wait_watching()
        feeder = threading.Thread(target=self.feed, daemon=True)
        feeder.start()
        try:
            self.rage()
        finally:
            self.calm.set()
            feeder.join()
        live.check(self.fed_well, "mail could not be delivered")
        self.settle()
        live.same(self.daemon.stop(), 0, "exit status")
        effects.finish(self.daemon)
        print("    " + effects.check_all(
            self.servers, self.daemon, self.user, self.fed,
            last_forwards(self.servers.log("submission.log"))
            if self.is_dovecot else ()))
        self.check_once()
        self.check_log()
        for words, count in self.words.most_common():
            print("    %4d %s" % (count, words))
        print("    %d lines of log" % len(self.daemon.log().splitlines()))
        live.same(self.daemon.stop(), 0, "exit status")

    def check_log(self):
        """No trouble is told twice running, until it is over."""
        told = None
        for line in self.daemon.logged(" (trouble|connected|started) "):
            what = re.sub(r"^\S+ | retry_in=.*", "", line)
            live.check("trouble" not in what or what != told,
                       "told again: %s", line)
            told = what

    def check_once(self):
        """What only a kill may repeat."""
        ran = collections.Counter(
            live.read(self.daemon.path("notes")).splitlines())
        rung = collections.Counter(
            live.read(self.daemon.path("told")).splitlines())
        rung = collections.Counter(
            {k: v for k, v in rung.items() if k.startswith("<kill.")})
        for what, counts in (("ran", ran), ("rang", rung)):
            twice = [k for k, v in counts.items() if v > 1]
            live.check(self.kills or not twice, "%s twice: %r", what, twice)


@live.case
def storm(servers):
    print("    STORM_SEED=%d STORM_FAULTS=%d" % (SEED, FAULTS))
    net = network.Network()
    try:
        Storm(servers, net, SEED).run()
    finally:
        net.stop()


def main(kind=None):
    network.enter()
    os.environ["SERVERS_LISTEN"] = network.SERVER
    os.environ["SERVERS_NAMES"] = ",DNS:" + network.HOST
    live.main(120 + 20 * FAULTS + (600 if PATIENT else 0), kind)


if __name__ == "__main__":
    main()
