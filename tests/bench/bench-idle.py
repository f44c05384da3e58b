#!/usr/bin/env python3
"""bench-idle.py: memory and wake-ups of accounts that have nothing to do.

    make benches && tests/bench/bench-idle.py [--accounts 1000]

One belfryd with so many accounts, a connection and a mailbox each, on the
mock server; memory is PSS after everything has settled and belfryd has tidied
up, 30 s after its start and again a minute later; less what one with a single
account has at the same moment. Beside it, measured the same way, the minimal
client with as many connections, with and without a shared TLS session. Then the
server says
"* OK Still here" to each connection now and then, and it is counted how often
belfryd leaves its sleep; a handful of lines that come together are one
wake-up, so there should never be more wake-ups than lines.

PSS counts a page of a library by the processes that have it: both of a pair
run at once, so that whoever else runs on the machine counts for both.
"""

import argparse
import time

import bench
import live

TIDY_SECONDS = 63  # the second time, when all have logged in
RULES = """
[rule work]
when = subject ~ /weekly/
mark = flagged
"""


def daemon_of(here, mock, first, count):
    text = "".join(
        mock.account("u%d" % (first + n), host=bench.HOSTS[n % len(bench.HOSTS)])
        for n in range(count)) + RULES
    return live.Daemon(here, text, level="warning")


def pair_pss(one, many):
    return bench.pss_kib(one.process.pid), bench.pss_kib(many.process.pid)


def floor_pss(here, mock, count, *words):
    with bench.Client(mock.port, here.ca, "idle", "1", *words) as one, \
         bench.Client(mock.port, here.ca, "idle", str(count), *words) as many:
        time.sleep(1)
        pair = pair_pss(one, many)
    time.sleep(0.5)
    return pair


def show(name, one, many, count):
    print("%-36s %7d KiB for 1, %7d KiB for %d: %5.1f KiB an account" % (
        name, one, many, count, (many - one) / (count - 1)), flush=True)


def keep_alive(mock, daemon, count, seconds, every):
    mock.order("keepalive", every)
    mock.order("reset")
    begin, cpu = bench.wakeups(daemon.process.pid), \
        bench.cpu_seconds(daemon.process.pid)
    time.sleep(seconds)
    woken = bench.wakeups(daemon.process.pid) - begin
    cpu = bench.cpu_seconds(daemon.process.pid) - cpu
    stats = mock.stats()
    mock.order("keepalive", 0)
    print("%d accounts, %d s: %d keepalive lines, %d wake-ups, %.2f s of "
          "processor, %d lines from belfryd" % (
              count, seconds, stats["keepalives"], woken, cpu,
              stats["lines"]), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--settle", type=int, default=5)
    options = parser.parse_args()
    count = options.accounts
    with bench.place() as here, bench.Mock(here) as mock:
        for words in ((), ("shared",)):
            show("raw OpenSSL%s" % "".join(", %s session" % w for w in words),
                 *floor_pss(here, mock, count, *words), count)
        mock.order("reset")
        begin = time.monotonic()
        with daemon_of(here, mock, 0, 1) as one, \
             daemon_of(here, mock, 1, count) as many:
            mock.order("idling", count + 1)
            took = time.monotonic() - begin
            time.sleep(max(options.settle, TIDY_SECONDS - took))
            stats = mock.stats()
            show("belfryd", *pair_pss(one, many), count)
            print("all idle after %.1f s; %d handshakes, %d resumed" % (
                took, stats["handshakes"], stats["resumed"]))
            one.stop()
            keep_alive(mock, many, count, options.seconds, 3600)
            keep_alive(mock, many, count, options.seconds, 10)


main()
