"""Mail of all kinds, a rule for each, and what must be true of it in the end,
however often belfryd died meanwhile.

Every message is acted on, and once. What cannot be once is bounded: a command
without `repeat = safe` may be left undone, and then the history says so; a
forward may come twice only if it was one of the last before a kill, which
nobody can tell from those that were never accepted; a notification may ring
again."""

import collections
import re
import time

import live

BURST = 6
SENDING_MAX = 8  # OUTBOX_SENDING_MAX of daemon/outbox/outbox.h

RULES = """
[rule copy]
when = subject ~ /^(copy|all) /
copy = Copied
create = yes

[rule forward]
when = subject ~ /^(forward|all) /
forward = deputy@example.org

[rule exec]
when = subject ~ /^exec /
exec = %(note)s exec ${message-id}

[rule safe]
when = subject ~ /^(safe|all) /
exec = %(note)s safe ${message-id}
repeat = safe

[rule mark]
when = subject ~ /^(mark|all) /
mark = flagged $Seen2

[rule move]
when = subject ~ /^(move|all) /
move = Moved
create = yes

[rule archive]
when = subject ~ /^archive /
archive = yes

[rule delete]
when = subject ~ /^delete /
delete = forever

[rule notify]
when = subject ~ /^(notify|all) /
notify = critical

[notifier tell]
type = exec
command = %(tell)s
urgency = critical
"""

ACCOUNT = "forward_limit = 100000/hour, 1000000/day\n"
KINDS = ("copy", "forward", "exec", "safe", "mark", "move", "archive",
         "delete", "notify", "all", "none")


class Fed:
    """What was delivered: Message-IDs by kind, of these kinds."""

    def __init__(self, user, rng, kinds=KINDS):
        self.user = user
        self.rng = rng
        self.kinds = kinds
        self.ids = collections.defaultdict(list)

    def message(self, kind):
        number = sum(len(ids) for ids in self.ids.values()) + 1
        message_id = "<kill.%d.%s@body.example>" % (number, kind)
        self.ids[kind].append(message_id)
        return live.message(
            "%s %d" % (kind, number), message_id=message_id,
            body="A line of text.\n" * self.rng.randint(0, 200))

    def deliver(self, kinds):
        self.user.deliver(*[self.message(kind) for kind in kinds])

    def burst(self):
        self.deliver([self.rng.choice(self.kinds)
                      for _ in range(self.rng.randint(1, BURST))])

    def of(self, *kinds):
        return sorted(i for kind in kinds for i in self.ids[kind])


def can_submit(servers):
    return "SERVERS_SMTP_PORT" in servers.env


def daemon_for(servers, user, kind=live.Daemon):
    """A daemon with these rules, not started, and slow submission, if any."""
    rules = RULES
    if can_submit(servers):
        servers.fault("always dot delay 0.05")
    else:
        rules = re.sub(r"(?s)\[rule forward\].*?\n\n", "", rules)
    daemon = kind(servers, "")
    note = daemon.script("note", "echo \"$@\" >>%s\nsleep 0.1\n"
                         % daemon.path("notes"))
    tell = daemon.script(
        "tell", "echo \"${BELFRY_MESSAGE_ID:-$BELFRY_TITLE}\" >>%s\n"
        % daemon.path("told"))
    daemon.write(user.account(ACCOUNT) + rules % {"note": note, "tell": tell})
    return daemon


def settled_count(servers):
    """How many forwards came, once those on their way have."""
    count, same = -1, 0
    while same < 2:
        now = servers.sent_count()
        same = same + 1 if now == count else 0
        count = now
        time.sleep(0.05)
    return count


def finish(daemon):
    """Everything is done, and nothing waits."""
    daemon.start()
    daemon.wait_watching()
    daemon.wait_quiet(40)
    for _ in range(5):
        if not daemon.ctl("queue")["items"]:
            return
        daemon.stop()
        daemon.hurry()
        daemon.start()
        daemon.wait_watching()
        time.sleep(1)
    live.wait("an empty queue", lambda: not daemon.ctl("queue")["items"])


def check_mailboxes(user, fed):
    boxes = {name: messages for name, messages in user.mailboxes().items()}

    def ids(name):
        return sorted(m["message-id"] for m in boxes.get(name, ()))

    live.same(ids("Copied"), fed.of("copy", "all"), "Copied")
    live.same(ids("Moved"), fed.of("move", "all"), "Moved")
    live.same(ids("Archive"), fed.of("archive"), "Archive")
    live.same(ids("INBOX"), fed.of("copy", "forward", "exec", "safe", "mark",
                                   "notify", "none"), "INBOX")
    live.same(ids("Trash") + ids("Junk"), [], "Trash and Junk")
    marked = sorted(m["message-id"] for name in ("INBOX", "Moved")
                    for m in boxes.get(name, ())
                    if m["flags"] == ["$Seen2", "\\Flagged"])
    live.same(marked, fed.of("mark", "all"), "marked ones")


def check_forwards(servers, user, fed, last):
    """Returns how many came twice."""
    wanted = ["forward", "all"] if can_submit(servers) else []
    came = collections.defaultdict(list)
    for number, envelope in enumerate(servers.sent(), 1):
        if envelope["user"] != user.address:
            continue
        outer = envelope["message"]
        came[outer["In-Reply-To"]].append((number, outer["Message-ID"]))
    live.same(sorted(came), fed.of(*wanted), "forwarded ones")
    twice = {k: v for k, v in came.items() if len(v) > 1}
    for original, copies in twice.items():
        live.same(len({message_id for _, message_id in copies}), 1,
                  "Message-IDs of the twins of " + original)
        for number, _ in copies[:-1]:
            live.check(any(number <= end < number + SENDING_MAX
                           for end in last),
                       "%s came twice (%r), and no kill "
                       "explains it (%r)", original, copies, sorted(last))
    return len(twice)


def check_commands(daemon, fed):
    ran = collections.Counter(live.read(daemon.path("notes")).splitlines())
    history = {m["message_id"]: m for m in daemon.history()}
    for message_id in fed.of("safe", "all"):
        live.check(ran["safe " + message_id] >= 1,
                   "the command for %s did not run", message_id)
    unknown = 0
    for message_id in fed.of("exec"):
        times = ran["exec " + message_id]
        live.check(times <= 1, "the command for %s ran %d times",
                   message_id, times)
        states = [(e["state"], e["detail"])
                  for e in history[message_id]["effects"]
                  if e["action"] == "exec"]
        unknown += states[0][0] == "unknown"
        live.check(times == 1 or states[0][0] == "unknown",
                   "%s: not run, and the history says %r", message_id, states)
    # Many at once are shown one after the other.
    due = set(fed.of("notify", "all"))
    live.wait("all that were to ring", lambda: due <= set(
        live.read(daemon.path("told")).splitlines()), seconds=60)
    rung = collections.Counter(live.read(daemon.path("told")).splitlines())
    for message_id in fed.of("notify", "all"):
        live.check(rung[message_id] >= 1, "%s did not ring", message_id)
    return unknown


def check_history(daemon, fed):
    history = daemon.history()
    total = sum(len(ids) for ids in fed.ids.values())
    judged = collections.Counter(m["message_id"] for m in history)
    live.same(sorted(judged.values()), [1] * min(total, 1000),
              "how often each was judged")
    open_ = [e for m in history for e in m["effects"]
             if e["state"] in ("planned", "started")]
    live.same(open_, [], "effects without an end")


def check_all(servers, daemon, user, fed, last):
    """After finish(); `last`: numbers of the last forward of each life."""
    check_mailboxes(user, fed)
    twice = check_forwards(servers, user, fed, last)
    unknown = check_commands(daemon, fed)
    check_history(daemon, fed)
    return "%d messages; %d forwards came twice, %d commands are listed as " \
        "unknown" % (sum(len(i) for i in fed.ids.values()), twice, unknown)
