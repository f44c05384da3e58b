#!/usr/bin/env -S python3 -B
"""A day's work in a minute: file descriptors, children and memory are the
same after it as before. $LIVE_MESSAGES sets how many messages (200)."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402

MESSAGES = int(os.environ.get("LIVE_MESSAGES", 200))
BATCH = 50
# SQLite's cache of pages fills up to 2 MiB, and allocators keep some. One copy
# of each message leaked would be 10 MiB.
GROWTH_KIB = 4096
BODY = "A line of sixty-four characters, to make the message a big one.\n" * 800

RULES = """
[rule all]
when = all
copy = Copied
create = yes
forward = deputy@example.org
exec = %s
stdin = message
mark = flagged
move = Moved

[notifier tell]
type = exec
command = %s
"""
ACCOUNT = "forward_limit = 100000/hour, 1000000/day\n"


def facts(daemon):
    """(open descriptors, children, resident KiB)"""
    pid = daemon.process.pid
    status = live.read("/proc/%d/status" % pid)
    rss = [l for l in status.splitlines() if l.startswith("VmRSS")][0]
    return (len(os.listdir("/proc/%d/fd" % pid)),
            len(live.read("/proc/%d/task/%d/children" % (pid, pid)).split()),
            int(rss.split()[1]))


def settled(daemon):
    """The facts once nothing is under way."""
    samples = []

    def is_settled():
        samples.append(facts(daemon)[:2])
        return len(samples) > 15 and len(set(samples[-15:])) == 1

    live.wait("descriptors to be closed", is_settled)
    return facts(daemon)


def names(daemon):
    folder = "/proc/%d/fd/" % daemon.process.pid
    return sorted(os.readlink(folder + n) for n in os.listdir(folder))


def work(servers, user, daemon, count, done):
    """So many messages, with links cut and reloads in between."""
    for start in range(0, count, BATCH):
        size = min(BATCH, count - start)
        user.deliver(*(live.message("work", body=BODY) for _ in range(size)))
        done += size
        if start // BATCH % 3 == 1:
            servers.cut_imap()
        if start // BATCH % 3 == 2:
            daemon.ctl("reload")
        live.wait("%d forwards" % done, lambda: servers.sent_count() >= done,
                  120)
        daemon.wait_quiet()
    live.wait("an empty queue", lambda: not daemon.ctl("queue")["items"])
    return done


@live.case
def nothing_grows(servers):
    user = servers.user()
    daemon = live.Daemon(servers, "")
    tell = daemon.script("tell", "cat >/dev/null\n")
    daemon.write(user.account(ACCOUNT) + RULES % (tell, tell))
    with daemon:
        daemon.wait_watching()
        done = work(servers, user, daemon, 2 * BATCH, 0)
        before, open_before = settled(daemon), names(daemon)
        done = work(servers, user, daemon, MESSAGES, done)
        after, open_after = settled(daemon), names(daemon)
        user.wait_subjects("Moved", ["work"] * done)
        live.same(len(user.sent()), done, "forwards")
    print("%d messages: descriptors %d -> %d, children %d -> %d, "
          "memory %d -> %d KiB"
          % (MESSAGES, before[0], after[0], before[1], after[1], before[2],
             after[2]))
    live.check(after[:2] == before[:2], "before %r, after %r", open_before,
               open_after)
    # AddressSanitizer keeps what was freed, on purpose.
    if "__asan_init" not in symbols():
        live.check(after[2] - before[2] < GROWTH_KIB, "memory grew by %d KiB",
                   after[2] - before[2])


def symbols():
    with open(live.BELFRYD, "rb") as file:
        return file.read().decode("latin-1")


if __name__ == "__main__":
    live.main()
