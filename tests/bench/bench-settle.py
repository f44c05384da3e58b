#!/usr/bin/env python3
"""bench-settle.py: an INBOX of new messages, settled.

    make benches && tests/bench/bench-settle.py [--messages 5000]
    tests/bench/bench-settle.py --server dovecot

50 rules look at the List-Id: 40 of them move a hundredth of the messages each
into ten folders, ten of them flag a hundredth each. A watched, empty INBOX
gets all messages at once; the time is from the server's EXISTS until the last
one is moved and flagged. The floor is the minimal client, which fetches all
of them with one command and has the eleven that follow in one write.

The mock server costs next to nothing, so that all that counts is what the
client does; with --server dovecot the work of a real one counts, too, as it
does for a person.
"""

import argparse
import os
import time

import bench
import live
import real

MOVES, FLAGS, FOLDERS = 40, 10, 10


def rules():
    rows = [(n, "Folder%d" % (n % FOLDERS)) for n in range(MOVES)]
    return rows + [(n, "\\Flagged") for n in range(MOVES, MOVES + FLAGS)]


def rule_text():
    return "".join(
        "[rule list%d]\nwhen = list-id has \"<list%d.lists.example.org>\""
        "\n%s\nstop = yes\n\n" % (
            n, n, "mark = flagged" if target[0] == "\\"
            else "move = %s\ncreate = yes" % target)
        for n, target in rules())


def settle(mock, user, options):
    mock.order("reset")
    begin = mock.order("fill", user, options.messages)
    mock.say("expect", options.messages * MOVES // 100,
             options.messages * FLAGS // 100)
    end = int(mock.hear()[1])
    return (end - begin) / bench.MSEC


def create_folders(mock, here, user):
    """By hand, so that both begin with the same."""
    del here
    mock.order("folders", user, FOLDERS)


def summary(stats):
    kinds = [name for name in stats if name.isupper()]
    return "%d commands (%s), %d KiB out, %d KiB in" % (
        stats["commands"],
        ", ".join("%d %s" % (stats[k], k) for k in sorted(kinds)),
        stats["in"] // 1024, stats["out"] // 1024)


def once(mock, here, options, turn):
    """Floor and subject, on fresh mailboxes."""
    floor_user, user = "f%d" % turn, "b%d" % turn
    for name in (floor_user, user):
        create_folders(mock, here, name)
    with bench.Client(mock.port, here.ca, "settle", floor_user,
                      options.fields, here.path("rules")) as client:
        floor = settle(mock, floor_user, options)
        floor_stats = mock.stats()
        floor_cpu = bench.cpu_seconds(client.process.pid)
    with live.Daemon(here, mock.account(user) + rule_text(),
                     level="warning") as daemon:
        daemon.wait_watching()
        cpu = bench.cpu_seconds(daemon.process.pid)
        if options.count:
            with bench.Count(daemon.process.pid, "fdatasync", "pwrite64",
                             "read", "write", "epoll_wait") as count:
                took = settle(mock, user, options)
                stats = mock.stats()
            print("belfryd: %r" % count.counts)
        else:
            took = settle(mock, user, options)
            stats = mock.stats()
        daemon.wait_quiet()
        cpu = bench.cpu_seconds(daemon.process.pid) - cpu
    report(floor, floor_cpu, took, cpu)
    return floor, took, summary(floor_stats), summary(stats)


def report(floor, floor_cpu, took, cpu):
    print("floor %6.0f ms (%.2f s of processor), belfryd %6.0f ms (%.2f s of "
          "processor): ratio %.2f" % (
              floor, floor_cpu, took, cpu, took / floor), flush=True)


def write_rules(path):
    with open(path, "w", encoding="ascii") as file:
        file.writelines("%d %s\n" % row for row in rules())


def settle_real(server, user):
    """Milliseconds, by the server's own log."""
    server.log_no_more(user)
    server.fill(user)
    commands = FOLDERS + 1
    live.wait("%d commands" % commands,
              lambda: server.seconds(user, commands) is not None, 120)
    return server.seconds(user, commands) * 1000


def prepare_real(server, options):
    user = server.user()
    user.create(*["Folder%d" % n for n in range(FOLDERS)])
    server.stage(user, options.messages)
    server.log_from_now(user)
    return user


def check_settled(user, options):
    """Both have done the same."""
    count = len(user.subjects("INBOX"))
    live.same(count, options.messages * (100 - MOVES) // 100, "left in INBOX")


def once_real(server, options, path):
    """Floor and subject, on fresh users."""
    user = prepare_real(server, options)
    with bench.Client(server.port, server.ca, "settle", user.address,
                      options.fields, path) as client:
        floor = settle_real(server, user)
        floor_cpu = bench.cpu_seconds(client.process.pid)
    floor_commands = server.commands(user)
    check_settled(user, options)
    user = prepare_real(server, options)
    keys = "notify = no\nclaim = no\n"
    with live.Daemon(server, user.account(keys, smtp=None) + rule_text(),
                     level="warning") as daemon:
        daemon.wait_watching()
        cpu = bench.cpu_seconds(daemon.process.pid)
        took = settle_real(server, user)
        daemon.wait_quiet()
        cpu = bench.cpu_seconds(daemon.process.pid) - cpu
    report(floor, floor_cpu, took, cpu)
    check_settled(user, options)
    return floor, took, floor_commands, server.commands(user)


def main_real(options):
    with bench.place() as here:
        write_rules(here.path("rules"))
        os.chmod(here.dir, 0o755)  # Dovecot's users come through
        server = real.Dovecot(here.path("servers"))
        try:
            return [once_real(server, options, here.path("rules"))
                    for _ in range(options.runs)]
        finally:
            server.stop()


def main_mock(options):
    with bench.place() as here, bench.Mock(here) as mock:
        mock.order("delay", options.delay)
        time.sleep(0.1)
        write_rules(here.path("rules"))
        return [once(mock, here, options, n) for n in range(options.runs)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--server", choices=("mock", "dovecot"),
                        default="mock")
    parser.add_argument("--delay", type=int, default=0,
                        help="round trip in milliseconds")
    parser.add_argument("--count", action="store_true",
                        help="count system calls (the times are wrong then)")
    parser.add_argument("--fields", default="From Subject Message-ID List-Id "
                        "Authentication-Results")
    options = parser.parse_args()
    results = (main_real if options.server == "dovecot" else main_mock)(options)
    print("floor:   %s" % (results[0][2],))
    print("belfryd: %s" % (results[0][3],))
    floor = bench.median([r[0] for r in results])
    took = bench.median([r[1] for r in results])
    ratios = sorted(r[1] / r[0] for r in results)
    print("median: floor %.0f ms, belfryd %.0f ms; ratio %.2f (%.2f to %.2f)"
          % (floor, took, bench.median(ratios), ratios[0], ratios[-1]))


main()
