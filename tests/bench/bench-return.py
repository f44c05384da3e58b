#!/usr/bin/env python3
"""bench-return.py: a server with many accounts is away, and comes back.

    make benches && tests/bench/bench-return.py [--accounts 1000]

One belfryd with so many accounts on a mock server that is killed and started
again, and 20 on another one that stays. Measured: how long until all are
watched again, how many connections and logins that took, and meanwhile, on the
server that stays, from the push of a message to its flag: what comes back must
not starve what lives. Ends with 1 when an account does not come back in time,
or a living one waits longer than 5 s.
"""

import argparse
import sys
import threading
import time

import bench
import live

LIVING = 20
AWAY_SECONDS = 3
WORST_SECONDS = 5
RULES = """
[rule work]
when = subject ~ /weekly/
mark = flagged
"""


def text_of(mock, prefix, count):
    return "".join(
        mock.account("%s%d" % (prefix, n + 1),
                     host=bench.HOSTS[n % len(bench.HOSTS)])
        for n in range(count))


def flag_seconds(mock, number):
    """From the push to one of the living to the flag."""
    mock.order("reset")
    begin = mock.order("push", number, number)
    return (mock.order("expect", 0, 1) - begin) / 1e9


def flag_until(mock, done):
    waits, number = [], 0
    while not done.is_set():
        waits.append(flag_seconds(mock, number % LIVING + 1))
        number += 1
        done.wait(0.2)
    return waits


def show(name, waits):
    print("%-32s %7.1f ms median, %7.1f ms worst of %d" % (
        name, bench.median(waits) * 1000, max(waits) * 1000, len(waits)),
        flush=True)


def wait_idling(mock, count, done):
    mock.order("idling", count)
    done.set()


def all_idle(mock, count, living, patience):
    """(seconds, waits of the living meanwhile)"""
    done = threading.Event()
    threading.Thread(
        target=wait_idling, args=(mock, count, done), daemon=True).start()
    limit = threading.Timer(patience, done.set)
    limit.start()
    begin = time.monotonic()
    waits = flag_until(living, done)
    limit.cancel()
    return time.monotonic() - begin, waits


def measure(here, count, patience):
    stays = bench.Mock(here)
    away = bench.Mock(here)
    text = text_of(stays, "u", LIVING) + text_of(away, "a", count) + RULES
    with stays, live.Daemon(here, text, level="warning") as daemon:
        stays.order("idling", LIVING)
        took, _ = all_idle(away, count, stays, patience)
        print("%d accounts are watched after %.1f s" % (count, took))
        show("living, nothing else happens",
             [flag_seconds(stays, n + 1) for n in range(LIVING)])
        away.process.kill()
        away.process.wait()
        time.sleep(AWAY_SECONDS)
        cpu = bench.cpu_seconds(daemon.process.pid)
        with bench.Mock(here, away.port) as again:
            took, waits = all_idle(again, count, stays, patience)
            stats = again.stats()
            cpu = bench.cpu_seconds(daemon.process.pid) - cpu
    print("all are back after %.1f s: %d connections, %d handshakes (%d "
          "resumed), %.1f s of processor time" % (
              took, stats["connections"], stats["handshakes"],
              stats["resumed"], cpu))
    show("living, meanwhile", waits)
    return took < patience and max(waits) < WORST_SECONDS


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--patience", type=float, default=300,
                        help="seconds for all to come back")
    options = parser.parse_args()
    with bench.place() as here:
        return not measure(here, options.accounts, options.patience)


if __name__ == "__main__":
    sys.exit(main())
