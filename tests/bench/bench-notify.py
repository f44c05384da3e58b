#!/usr/bin/env python3
"""bench-notify.py: what the journal adds to a notification.

    make benches && tests/bench/bench-notify.py [--pushes 200] [--memory DIR]

Two belfryd watch a mailbox each on the same mock server; one has its journal
on disk ($TMPDIR), the other in memory (/dev/shm), where a sync costs nothing.
In turn each gets a message that a rule runs a command for; the time from just
before the server's EXISTS to the command's first line is measured on one clock.
A notification waits for the same commit (and is then gathered with others for a
moment, which would hide it). The difference of the medians is the journal's.
"""

import argparse
import os
import shutil
import tempfile
import time

import bench
import live

RULES = """
[rule ring]
when = subject ~ /weekly/
exec = %s %s
"""


def push(mock, user, fifo):
    begin = mock.order("push", user, user)
    end = int(os.read(fifo, 100).split()[0])
    return (end - begin) / bench.USEC


def measure(mock, fifo, pushes):
    times = {1: [], 2: []}
    for turn in range(pushes + 10):
        for user, took in times.items():
            usec = push(mock, user, fifo)
            if turn >= 10:
                took.append(usec)
            time.sleep(0.02)
            mock.order("idling", 2)
    return times[1], times[2]


def daemon(here, text, state=None):
    made = live.Daemon(here, "")
    made.state = state or made.state
    made.write(text)
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pushes", type=int, default=200)
    parser.add_argument("--memory", default="/dev/shm")
    options = parser.parse_args()
    memory = tempfile.mkdtemp(dir=options.memory)
    with bench.place() as here, bench.Mock(here) as mock:
        path = here.path("fifo")
        os.mkfifo(path)
        fifo = os.open(path, os.O_RDWR)
        rules = RULES % (bench.program("bench/stamp"), path)
        try:
            with daemon(here, mock.account("u1") + rules) as disk, \
                    daemon(here, mock.account("u2") + rules,
                           memory) as none:
                disk.wait_watching()
                none.wait_watching()
                mock.order("idling", 2)
                on_disk, in_memory = measure(mock, fifo, options.pushes)
        finally:
            shutil.rmtree(memory)
    for name, times in (("journal on disk", on_disk),
                        ("journal in memory", in_memory)):
        print("%-20s median %6.0f us  p95 %6.0f us  ratio %.2f" % (
            name, bench.median(times), bench.percentile(times, 95),
            bench.median(times) / bench.median(in_memory)))
    print("the journal adds %.2f ms at the median" % (
        (bench.median(on_disk) - bench.median(in_memory)) / 1000))


main()
