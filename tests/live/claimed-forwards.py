#!/usr/bin/env -S python3 -B
"""Three machines on one account that forward the same mail, on dovecot.

Each message arrives once. Machines are killed with forwards in their queues, and
come back: nothing is lost, and what comes twice was the last that its machine
sent before a kill. $CLAIM_FORWARDS: messages (default 30); $CLAIM_KILLS: kills
(default 4).
"""

import collections
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402
import machines  # noqa: E402
import no_keywords  # noqa: E402

live.cases.clear()  # but those below
COUNT = int(os.environ.get("CLAIM_FORWARDS", "30"))
KILLS = int(os.environ.get("CLAIM_KILLS", "4"))
PATIENCE = 60 + COUNT  # seconds
LIFE_SECONDS = (0.05, 1.5)
KEYS = "forward_limit = 100000/hour, 1000000/day\n"
RULES = """
[rule copy]
when = subject ~ /^copy/
copy = Copied

[rule forward]
when = subject ~ /^(forward|both)/
forward = deputy@example.org

[rule both]
when = subject ~ /^both/
move = Moved
"""


class Machine(live.Daemon):
    """One of them; the server can tell by the login who sends."""

    def __init__(self, servers, user, rules=RULES, keys=""):
        super().__init__(servers, "")
        self.login = "m%d@example.com" % self.counter
        self.rings = self.path("rings")
        self.write(user.account(
            KEYS + keys + "smtp_user = %s\n" % self.login) + rules)


def prepare(servers, rules=RULES, count=3):
    user = servers.user()
    user.create("Moved", "Copied")
    daemons = [Machine(servers, user, rules) for _ in range(count)]
    machines.start(daemons)
    machines.make_known(user, daemons)
    machines.start(daemons)
    return user, daemons


def came(servers, daemons):
    """{Message-ID of the original: [(number, login, Message-ID)]}"""
    logins = [daemon.login for daemon in daemons]
    found = collections.defaultdict(list)
    for number, envelope in enumerate(servers.sent(), 1):
        if envelope["user"] in logins:
            outer = envelope["message"]
            found[outer["In-Reply-To"]].append(
                (number, envelope["user"], outer["Message-ID"]))
    return found


def messages(count, word=""):
    """Their bytes, by Message-ID."""
    made = {}
    for n in range(count):
        kind = "both" if n % 3 == 0 else "forward"
        message_id = "<claimed%s.%d.%s@body.example>" % (word, n, kind)
        made[message_id] = live.message(
            "%s %s%d" % (kind, word, n), message_id=message_id)
    return made


def contest(user, daemons, made):
    for daemon in daemons:
        daemon.signal(signal.SIGSTOP)
    parts = list(made.values())
    for i in range(0, len(parts), 100):
        user.deliver(*parts[i:i + 100])
    for daemon in daemons:
        daemon.signal(signal.SIGCONT)


def subjects(made, kind):
    return [data.split(b"Subject: ")[1].split(b"\r\n")[0].decode()
            for message_id, data in made.items() if kind in message_id]


def words_left(user, *mailboxes):
    """What only a machine at work puts on a message."""
    return [(name, m["subject"], f) for name, found in user.mailboxes().items()
            for m in found for f in m["flags"] if name in mailboxes
            and (f.startswith("belfry-c-") or f == "belfry-s")]


def check_end(user, made, *mailboxes):
    """Everything is where it belongs, marked, and nobody claims anything. (A
    move carries the claim of a machine that is killed then; it is none there.)
    """
    user.wait_subjects("Moved", subjects(made, ".both@"), PATIENCE)
    try:
        live.wait("", lambda: not words_left(user, *mailboxes), 30)
    except live.Failed:
        raise live.Failed("claims are left: %r" % words_left(
            user, *mailboxes)) from None
    unmarked = [m["subject"] for name, found in user.mailboxes().items()
                for m in found if name in ("INBOX", "Moved")
                and m["message-id"] in made
                and not any(f.startswith("belfry-f-") for f in m["flags"])]
    live.same(unmarked, [], "messages without a mark")


@live.case
def each_arrives_once(servers):
    user, daemons = prepare(servers)
    made = messages(COUNT)
    began = time.time()
    contest(user, daemons, made)
    live.wait("all to be sent",
              lambda: len(came(servers, daemons)) == len(made), PATIENCE)
    took = time.time() - began
    for daemon in daemons:
        daemon.wait_quiet(PATIENCE)
    check_end(user, made, "INBOX", "Moved")
    found = came(servers, daemons)
    live.same(sorted(found), sorted(made), "forwarded")
    live.same([v for v in found.values() if len(v) > 1], [], "twice")
    by = collections.Counter(v[0][1] for v in found.values())
    print("%d forwards in %.1f s, by %s" % (
        len(made), took, dict(by)), flush=True)
    for daemon in daemons:
        live.same(daemon.ctl("queue")["items"], [], "queue")
        live.same(daemon.stop(), 0, "exit")


@live.case
def taken_away_when_it_was_sent(servers):
    """As long as the forward waits, the message stays where it was claimed."""
    user, daemons = prepare(servers, count=2)
    servers.fault("always rcpt 450 4.2.0 later")
    made = messages(1)
    user.deliver(*made.values())
    live.wait("it to wait", lambda: sum(
        len(d.ctl("queue")["items"]) for d in daemons) == 1)
    live.stays("in INBOX", lambda: user.subjects("INBOX") == [
        "both 0", "copy first"], 3)
    claims = [f for m in user.mailboxes()["INBOX"] for f in m["flags"]
              if m["subject"] == "both 0" and f.startswith("belfry-c-")]
    live.same(len(claims), 1, "claims")
    servers.fault()
    for daemon in daemons:
        daemon.stop()
        daemon.hurry()
        daemon.start()
    live.wait("it to be sent", lambda: came(servers, daemons))
    check_end(user, made, "INBOX", "Moved")
    live.stays("once", lambda: len(came(servers, daemons)) == 1)


def settle(servers, daemon):
    """What was on its way has come; the number of its last one, or 0."""
    count, same = -1, 0
    while same < 3:
        now = servers.sent_count()
        same = same + 1 if now == count else 0
        count = now
        time.sleep(0.05)
    return max((n for n, e in enumerate(servers.sent(), 1)
                if e["user"] == daemon.login), default=0)


def kill_one(servers, daemons, rng):
    """Returns the number of the last that it sent."""
    daemon = rng.choice(daemons)
    time.sleep(rng.uniform(*LIFE_SECONDS))
    daemon.kill()
    last = settle(servers, daemon)
    daemon.hurry()
    daemon.start()
    return last


def finish(servers, daemons, made):
    """All is sent; what waits a minute is hurried."""
    for _ in range(20):
        for daemon in daemons:
            daemon.wait_watching()
        end = time.time() + 10
        while time.time() < end:
            if all(m in came(servers, daemons) for m in made) and not any(
                    daemon.ctl("queue")["items"] for daemon in daemons):
                return
            time.sleep(0.2)
        for daemon in daemons:
            live.same(daemon.stop(), 0, "exit")
            daemon.hurry()
            daemon.start()
    lost = [m for m in made if m not in came(servers, daemons)]
    raise live.Failed("not all is sent: %r" % lost)


@live.case
def killed_at_any_moment(servers):
    rng = live.seed()
    servers.fault("always dot delay 0.05")
    user, daemons = prepare(servers)
    made, last = {}, set()
    for n in range(KILLS):
        more = messages(max(1, COUNT // KILLS), "k%d-" % n)
        made.update(more)
        contest(user, daemons, more)
        last.add(kill_one(servers, daemons, rng))
    finish(servers, daemons, made)
    for daemon in daemons:
        daemon.wait_quiet(PATIENCE)
    check_end(user, made, "INBOX")
    found = came(servers, daemons)
    live.same(sorted(found), sorted(made), "forwarded")
    twice = {k: v for k, v in found.items() if len(v) > 1}
    for original, copies in twice.items():
        live.same(len({message_id for _, _, message_id in copies}), 1,
                  "Message-IDs of the twins of " + original)
        for number, login, _ in copies[:-1]:
            live.check(number in last, "%s came twice (%r), and no kill "
                       "explains it (%r)", original, copies, sorted(last))
    print("%d kills, %d forwards, %d of them twice: the last before a kill" % (
        KILLS, len(made), len(twice)), flush=True)
    servers.fault()


@live.case
def succeeded_when_it_does_not_come_back(servers):
    """Of daemons that were built with a lease of so many seconds."""
    lease = int(os.environ.get("CLAIM_LEASE_SECONDS", "0"))
    if not lease:
        return
    user, daemons = prepare(servers)
    servers.fault("always rcpt 450 4.2.0 later")
    made = messages(COUNT, "s")
    contest(user, daemons, made)
    live.wait("all to be queued", lambda: sum(
        len(d.ctl("queue")["items"]) for d in daemons) == len(made))
    away = max(daemons, key=lambda d: len(d.ctl("queue")["items"]))
    took = collections.Counter(
        i["subject"].split()[0] for i in away.ctl("queue")["items"])
    away.kill()
    servers.fault()
    left = [d for d in daemons if d is not away]
    for daemon in left:
        daemon.stop()
        daemon.hurry()
        daemon.start()
    live.wait("all to be sent",
              lambda: len(came(servers, left)) == len(made), 60 + 4 * lease)
    for daemon in left:
        daemon.wait_quiet(PATIENCE)
    check_end(user, made, "INBOX")
    by = collections.Counter(
        v[0][1] for v in came(servers, daemons).values())
    live.same(by[away.login], 0, "sent by who is away")
    # It comes back with its queue, and sends nothing: it finds the marks; of
    # what was moved away it cannot tell.
    away.hurry()
    away.start()
    away.wait_watching()
    live.wait("all of it to be looked at", lambda: {
        i["state"] for i in away.ctl("queue")["items"]} <= {"held"}, 60)
    live.same(len(away.logged("another machine sent it")), took["forward"],
              "dropped")
    live.same(len(away.ctl("queue")["items"]), took["both"], "held")
    twice = [v for v in came(servers, daemons).values() if len(v) > 1]
    live.same(twice, [], "twice")
    print("%d of %d forwards succeeded to, by %s" % (
        sum(took.values()), len(made), dict(by)), flush=True)


# The front that hides keywords stays, so this comes last.
@live.case
def each_arrives_once_by_log(servers):
    front = no_keywords.Front(servers)
    user, daemons = prepare(servers)
    made = messages(max(COUNT // 3, 1), "log")
    contest(user, daemons, made)
    live.wait("all to be sent",
              lambda: len(came(servers, daemons)) == len(made), PATIENCE)
    user.wait_subjects("Moved", subjects(made, ".both@"), PATIENCE)
    for daemon in daemons:
        daemon.wait_quiet(PATIENCE)
    found = came(servers, daemons)
    live.same(sorted(found), sorted(made), "forwarded")
    live.same([v for v in found.values() if len(v) > 1], [], "twice")
    live.same(front.refused, 0, "keywords stored")
    for daemon in daemons:
        live.same(daemon.ctl("queue")["items"], [], "queue")
        live.same(daemon.stop(), 0, "exit")


if __name__ == "__main__":
    live.main(180 + 4 * COUNT + 20 * KILLS)
