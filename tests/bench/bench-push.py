#!/usr/bin/env python3
"""bench-push.py: from the server's push to the started command.

    make benches && tests/bench/bench-push.py [--pushes 300]

belfryd (its own configuration, journal on disk) and the minimal client watch
a mailbox each on the same mock server. In turn each gets a message; the time
from just before the server's EXISTS to the first line of the command that is
started for it is measured by the two programs themselves, on one clock. The
minimal client fetches the fields that the rule looks at and starts the same
command with them. Each turn has another order, as who comes after whom counts.
The folder is made where $TMPDIR says: a disk, to be fair.

Behind that, the minimal client with more to do, in turns of its own: with its
next command in the same write as the end of IDLE, for which it else waits, as
the text of RFC 2177 has it; with the whole header, which belfryd fetches, as it
gives it to commands; and with a file that it appends to and has on disk before
it starts the command: the least that a journal can cost. Not in the turns of
belfryd: these are one program, and keep the processor's caches warm for each
other, so that one belfryd among four of them would be measured cold.
"""

import argparse
import os
import random
import time

import bench
import live

RULES = """
[rule stamp]
when = subject ~ /weekly/
exec = %s %s
"""
# All who watch, and who of them is belfryd.
USERS = 5
BELFRYD = 3


def push(mock, user, fifo):
    begin = mock.order("push", user, user)
    end = int(os.read(fifo, 100).split()[0])
    return (end - begin) / bench.USEC


def take_turns(mock, fifo, names, options):
    """Of each the times, of all but the first ten turns."""
    times = {user: [] for user in names}
    for turn in range(options.pushes + 10):
        for user in random.sample(list(names), len(names)):
            took = push(mock, user, fifo)
            if turn >= 10:
                times[user].append(took)
            time.sleep(0.005 + options.delay / 250)
            mock.order("idling", USERS)
    floor = bench.median(times[next(iter(names))])
    for user, name in names.items():
        print("%-34s median %6.0f us  p95 %6.0f us  ratio %.2f" % (
            name, bench.median(times[user]),
            bench.percentile(times[user], 95),
            bench.median(times[user]) / floor))


def count_calls(mock, fifo, pid):
    before = mock.stats()
    with bench.Count(pid, "fdatasync", "read", "write", "epoll_wait",
                     "pwrite64", "clone", "clone3", "vfork") as count:
        for _ in range(20):
            push(mock, BELFRYD, fifo)
            time.sleep(0.05)
            mock.order("idling", USERS)
    after = mock.stats()
    if count.counts:
        print("belfryd, a push: %s; %.1f commands" % (
            ", ".join("%.1f %s" % (n / 20, call)
                      for call, n in count.counts.items() if n),
            (after["commands"] - before["commands"]) / 20))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pushes", type=int, default=300)
    parser.add_argument("--delay", type=int, default=0,
                        help="round trip in milliseconds")
    options = parser.parse_args()
    with bench.place() as here, bench.Mock(here) as mock:
        path = here.path("fifo")
        os.mkfifo(path)
        fifo = os.open(path, os.O_RDWR)
        stamp = [bench.program("bench/stamp"), path]
        asked = "From Subject Message-ID Authentication-Results"
        text = mock.account("u%d" % BELFRYD) + RULES % tuple(stamp)
        with bench.Client(mock.port, here.ca, "push", "u1", asked, *stamp), \
                bench.Client(mock.port, here.ca, "push", "u2", asked,
                             "pipelined", *stamp), \
                bench.Client(mock.port, here.ca, "push", "u4", asked, *stamp,
                             sync=here.path("journal")), \
                bench.Client(mock.port, here.ca, "push", "u5", "all",
                             *stamp), \
                live.Daemon(here, text) as daemon:
            daemon.wait_watching()
            mock.order("idling", USERS)
            mock.order("delay", options.delay)
            take_turns(mock, fifo, {1: "minimal client", BELFRYD: "belfryd"},
                       options)
            print()
            take_turns(mock, fifo, {
                1: "minimal client", 2: "minimal client, pipelined",
                5: "minimal client, whole header",
                4: "minimal client, one fdatasync"}, options)
            count_calls(mock, fifo, daemon.process.pid)


main()
