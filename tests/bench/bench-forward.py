#!/usr/bin/env python3
"""bench-forward.py: how fast a full queue drains.

    make benches && tests/bench/bench-forward.py [--count 1000] [--size 20]

The queue of one account has so many forwards of so many KiB, and belfryd is
started; smtp-sink.c, which has each message on disk before it says 250, tells
how long it took from the first MAIL to the last 250. The floor, in turns with
it in the same run, is bare-smtp.c: the same messages over one connection, the
next envelope behind each dot, and no journal. With --nosync the server lies,
and the journal of belfryd is the only thing that waits for the disk.
"""

import argparse
import contextlib
import os
import sqlite3
import subprocess
import sys
import time

import bench
import live

ACCOUNT = """[account work]
email = ann@example.org
user = ann
password_command = cat %s
imap = imap://127.0.0.1:%d
smtp = submission://127.0.0.1:%d
plaintext = loopback
notify = no
forward_limit = 100000/hour
"""


class Sink:
    def __init__(self, here, nosync):
        self.process = subprocess.Popen(
            [bench.program("bench/smtp-sink"), here.path("sink")]
            + (["nosync"] if nosync else []),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def stats(self):
        """Messages, bytes, seconds; and it counts anew."""
        print("stats", file=self.process.stdin, flush=True)
        words = self.process.stdout.readline().split()
        return int(words[0]), int(words[1]), int(words[2]) / 1e9


def message(size):
    lines = ["From: Bob <bob@example.net>", "To: ann@example.org",
             "Subject: a forward", "Message-ID: <1@example.net>", ""]
    while sum(map(len, lines)) + 2 * len(lines) < size:
        lines.append("All work and no play makes Jack a dull boy. " * 1)
    return "\r\n".join(lines + [""]).encode()


def fill(path, count, original):
    """As the rules would; the ids of messages are all that differs."""
    now = int(time.time())
    with contextlib.closing(sqlite3.connect(path)) as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(queue)")]
        for n in range(1, count + 1):
            row = {
                "key": "key%d" % n, "source_account": "work",
                "source_mailbox": "INBOX", "uidvalidity": 1, "uid": n,
                "seq": 0, "account": "work", "rule": "r",
                "target": "to@example.net", "mode": "redirect",
                "unknown": "resend",
                "message_id": "<belfry.%d@example.org>" % n,
                "subject": "a forward", "queued": now, "state": "waiting",
                "attempts": 0, "next_try": now, "reply": "", "changed": now}
            names = [name for name in columns if name in row]
            cursor = db.execute("INSERT INTO queue (%s) VALUES (%s)" % (
                ", ".join(names), ", ".join("?" * len(names))),
                                [row[name] for name in names])
            db.execute("INSERT INTO originals VALUES (?, ?)",
                       (cursor.lastrowid, original))
        db.commit()


def drained(daemon, count):
    path = os.path.join(daemon.state, "state.db")
    with contextlib.closing(
            sqlite3.connect("file:%s?mode=ro" % path, uri=True)) as db:
        return db.execute("SELECT count(*) FROM queue WHERE state = 'sent'"
                          ).fetchone()[0] == count


def run_belfryd(here, sink, options, original):
    text = ACCOUNT % (here.password, 1, sink.port)
    daemon = live.Daemon(here, text, level="error")
    with daemon:
        live.wait("its state", lambda: os.path.exists(
            os.path.join(daemon.state, "state.db")))
        live.wait("it to listen", lambda: daemon.status("work"))
    fill(os.path.join(daemon.state, "state.db"), options.count, original)
    sink.stats()
    with daemon:
        live.wait("an empty queue", lambda: drained(daemon, options.count))
        processor = bench.cpu_seconds(daemon.process.pid)
    return (*sink.stats(), processor)


def run_floor(here, sink, options):
    sink.stats()
    subprocess.run([bench.program("bench/bare-smtp"), str(sink.port),
                    here.path("message"), str(options.count)], check=True)
    return (*sink.stats(), None)


def show(name, result, count):
    messages, size, seconds, processor = result
    if messages != count:
        sys.exit("%s: %d messages arrived" % (name, messages))
    print("%-10s %7.0f messages a second, %6.2f s, %5.1f KiB each%s" % (
        name, messages / seconds, seconds, size / messages / 1024,
        ", %.0f us of processor" % (processor / messages * 1e6)
        if processor else ""), flush=True)
    return messages / seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--size", type=int, default=20, help="KiB")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--nosync", action="store_true")
    options = parser.parse_args()
    ratios = []
    with bench.place() as here, Sink(here, options.nosync) as sink:
        original = message(options.size * 1024)
        with open(here.path("message"), "wb") as file:
            file.write(original)
        for _ in range(options.rounds):
            floor = show("floor", run_floor(here, sink, options),
                         options.count)
            ours = show("belfryd", run_belfryd(here, sink, options, original),
                        options.count)
            ratios.append(ours / floor)
    print("ratio to the floor: %s (the goal is 0.5 or more)" % " ".join(
        "%.2f" % ratio for ratio in ratios))


main()
