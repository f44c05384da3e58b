"""Three machines that watch one account: nothing is done twice.

$CLAIM_MESSAGES: how many messages of each kind they contest (default 20).

All of them had one effect, November 2026: by keywords 10,000 messages on Dovecot
and 10,000 on Cyrus (at 32ddf1f), 10,000 on Courier (at 24d955e); by the order
of a log 1,200 on Dovecot, 600 on Cyrus and 1,800 on Courier (at 26c11af).
"""

import os
import re
import signal
import time

import live
import no_keywords
import other_servers

COUNT = int(os.environ.get("CLAIM_MESSAGES", "20"))
PATIENCE = 60 + COUNT  # seconds
FOLDER = "belfry-claims"
RULES = """
[notifier pipe]
type = exec
command = %(script)s ring
stdin = text

[rule move]
when = subject ~ /^move/
move = Moved

[rule copy]
when = subject ~ /^copy/
copy = Copied

[rule both]
when = subject ~ /^both/
copy = Copied
move = Moved

[rule run]
when = subject ~ /^run/
exec = %(script)s run ${subject}
"""
SCRIPT = """
if [ "$1" = ring ]; then
  read -r title; read -r text
  echo "$text" >>"%(own)s"
else
  echo "$2" >>"%(all)s"
fi
"""


class Machine(live.Daemon):
    """One of them: what it rings goes to a file of its own, what its commands
    do to one of all."""

    def __init__(self, servers, user, shared, keys=""):
        super().__init__(servers, "")
        self.rings = self.path("rings")
        script = self.script("script", SCRIPT % {
            "own": self.rings, "all": shared})
        self.write(user.account(keys) + RULES % {"script": script})

    def rang(self):
        return len(set(live.read(self.rings).splitlines())) \
            if os.path.exists(self.rings) else 0


def machines(servers, user, count=3, keys=""):
    shared = os.path.join(servers.dir, user.name + ".ran")
    open(shared, "w").close()
    return [Machine(servers, user, shared, keys) for _ in range(count)], shared


def start(daemons):
    for daemon in daemons:
        daemon.start()
    for daemon in daemons:
        daemon.wait_watching()


def records(user):
    imap = user.imap()
    status, count = imap.select(
        '"%s"' % user.servers.wire(FOLDER), readonly=True)
    if status != "OK" or count[0] == b"0":
        imap.logout()
        return []
    _, data = imap.uid("FETCH", "1:*",
                       "(UID BODY.PEEK[HEADER.FIELDS (X-Belfry-Node)])")
    imap.logout()
    found = [re.search(rb"X-Belfry-Node: (\S+) (\d+) (\d+)", part[1])
             for part in data if isinstance(part, tuple)]
    return [m.group(1).decode() for m in found if m]


def make_known(user, daemons):
    """As if all of them had been here for an hour: who comes new waits."""
    user.deliver(live.message("copy first"))
    live.wait("all to be known",
              lambda: len(set(records(user))) == len(daemons), 30)
    time.sleep(2)  # and to have looked who else is there
    for daemon in daemons:
        live.same(daemon.stop(), 0, "exit")
    names = sorted(set(records(user)))
    imap = user.imap()
    folder = '"%s"' % user.servers.wire(FOLDER)
    imap.select(folder)
    imap.uid("STORE", "1:*", "+FLAGS", "(\\Deleted)")
    imap.expunge()
    now = int(time.time())
    for name in names:
        imap.append(folder, "(\\Seen)", None, (
            "Subject: known\r\nX-Belfry-Node: %s %d %d\r\n\r\nx\r\n"
            % (name, now, now - 3600)).encode())
    imap.logout()
    for daemon in daemons:
        if os.path.exists(daemon.rings):
            os.unlink(daemon.rings)


def contest(user, daemons, subjects):
    """All of them come upon all of these at once."""
    for daemon in daemons:
        daemon.signal(signal.SIGSTOP)
    for i in range(0, len(subjects), 100):
        user.deliver(*[live.message(s) for s in subjects[i:i + 100]])
    for daemon in daemons:
        daemon.signal(signal.SIGCONT)


def wanted(subjects, *kinds):
    return sorted(s for s in subjects if s.split()[0] in kinds)


def check_once(user, shared, subjects):
    user.wait_subjects("Moved", wanted(subjects, "move", "both"), PATIENCE)
    user.wait_subjects(
        "Copied", ["copy first"] + wanted(subjects, "copy", "both"), PATIENCE)
    runs = wanted(subjects, "run")
    live.wait("all commands", lambda: len(
        live.read(shared).splitlines()) >= len(runs), PATIENCE)
    live.same(sorted(live.read(shared).splitlines()), runs, "commands")


def claims_left(user):
    """Claims that are still on messages."""
    return [(name, m["subject"], f) for name, found in user.mailboxes().items()
            for m in found for f in m["flags"] if f.startswith("belfry-c-")]


def subjects_of(count, word=""):
    return ["%s %s%d" % (kind, word, n) for n in range(count)
            for kind in ("move", "copy", "both", "run")]


def prepare(servers, keys=""):
    user = servers.user()
    user.create("Moved", "Copied")
    daemons, shared = machines(servers, user, keys=keys)
    start(daemons)
    make_known(user, daemons)
    start(daemons)
    return user, daemons, shared


def finish(user, daemons, shared, subjects):
    check_once(user, shared, subjects)
    for daemon in daemons:
        daemon.wait_quiet(PATIENCE)
    check_once(user, shared, subjects)
    live.wait("no claim to be left", lambda: not claims_left(user), 60)


def three(servers, count, words):
    user, daemons, shared = prepare(servers)
    subjects = subjects_of(count)
    began = time.time()
    contest(user, daemons, subjects)
    finish(user, daemons, shared, subjects)
    machines_words = daemons[0].status(user.name)["machines"]
    print("%d messages, three machines: %.1f s; %s" % (
        len(subjects), time.time() - began, machines_words), flush=True)
    live.check(words in machines_words, "%s: no %s", machines_words, words)
    for daemon in daemons:
        live.wait("every machine to ring", lambda: daemon.rang() > 0)
        print("%d messages seen, %d actions done" % (
            len(daemon.logged("info judged")),
            len(daemon.logged("info done"))), flush=True)
    for daemon in daemons:
        live.same(daemon.stop(), 0, "exit")


@live.case
def three_at_once(servers):
    three(servers, COUNT, "claims by keywords")


@live.case
def one_leads(servers):
    """Said by hand who acts: the others ring, and do nothing else."""
    user = servers.user()
    user.create("Moved", "Copied")
    shared = os.path.join(servers.dir, user.name + ".ran")
    open(shared, "w").close()
    daemons = [Machine(servers, user, shared, "claim = " + word)
               for word in ("leader", "standby", "standby")]
    start(daemons)
    user.deliver(live.message("copy first"))
    subjects = subjects_of(COUNT)
    contest(user, daemons, subjects)
    finish(user, daemons, shared, subjects)
    for daemon in daemons:
        live.wait("every machine to ring", lambda: daemon.rang() > 0)
    for daemon in daemons[1:]:
        live.same(daemon.logged("info done.*(move|copy) to"), [],
                  "what one that stands by did")
    for daemon in daemons:
        live.same(daemon.stop(), 0, "exit")


# The front that hides keywords stays, so these come last.
@live.case
def three_without_keywords(servers):
    # Neither APPENDUID nor UID EXPUNGE is needed: here they are not there.
    front = no_keywords.Front(servers, uidplus=False)
    three(servers, max(COUNT // 4, 1), "claims by the order")
    live.same(front.refused, 0, "keywords stored")


def main(kind=None):
    live.main(limit=180 + 10 * COUNT,
              kind=other_servers.KINDS[kind] if kind else None)
