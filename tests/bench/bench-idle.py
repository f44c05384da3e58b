#!/usr/bin/env python3
"""bench-idle.py: memory and wake-ups of accounts that have nothing to do.

    make benches && tests/bench/bench-idle.py [--accounts 1000]

One belfryd with so many accounts, a connection and a mailbox each, on the
mock server; memory is PSS after everything has settled and belfryd has tidied
up, 30 s after its start; less what it is with one account. Beside it, in the
same run, the minimal client with as many connections, with and without a
shared TLS session. Then the server says
"* OK Still here" to each connection now and then, and it is counted how often
belfryd leaves its sleep; a handful of lines that come together are one
wake-up, so there should never be more wake-ups than lines.
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


def belfryd_pss(here, mock, count, settle):
    text = "".join(
        mock.account("u%d" % (n + 1), host=bench.HOSTS[n % len(bench.HOSTS)])
        for n in range(count)) + RULES
    daemon = live.Daemon(here, text, level="warning")
    with daemon:
        begin = time.monotonic()
        mock.order("idling", count)
        took = time.monotonic() - begin
        time.sleep(max(settle, TIDY_SECONDS - took))
        yield daemon, took, bench.pss_kib(daemon.process.pid)
    time.sleep(0.5)


def floor_pss(here, mock, count, *words):
    with bench.Client(mock.port, here.ca, "idle", str(count), *words) as client:
        time.sleep(1)
        pss = bench.pss_kib(client.process.pid)
    time.sleep(0.5)
    return pss


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
                 floor_pss(here, mock, 1, *words),
                 floor_pss(here, mock, count, *words), count)
        for _, _, one in belfryd_pss(here, mock, 1, options.settle):
            pass
        mock.order("reset")
        for daemon, took, many in belfryd_pss(here, mock, count,
                                              options.settle):
            stats = mock.stats()
            show("belfryd", one, many, count)
            print("all idle after %.1f s; %d handshakes, %d resumed" % (
                took, stats["handshakes"], stats["resumed"]))
            keep_alive(mock, daemon, count, options.seconds, 3600)
            keep_alive(mock, daemon, count, options.seconds, 10)
            show("belfryd, after that", one,
                 bench.pss_kib(daemon.process.pid), count)


main()
