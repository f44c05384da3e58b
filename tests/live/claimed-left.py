#!/usr/bin/env -S python3 -B
"""Three machines on one account, one of which is killed between two steps of its
claim, and comes back: the others do not wait until its claim is old. And each
of them rings. $CLAIM_SERVER: cyrus or courier instead of dovecot.
$CLAIM_LEASE_SECONDS: of daemons that were built with such a lease, also when it
does not come back.
"""

import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import front  # noqa: E402
import live  # noqa: E402
import machines  # noqa: E402
import other_servers  # noqa: E402

live.cases.clear()  # but those below
LEASE = int(os.environ.get("CLAIM_LEASE_SECONDS", "0"))
MARK = rb" UID STORE \S+ \+FLAGS.SILENT \(belfry-f-"
COPY = rb" UID COPY "


class Gate(front.Front):
    """Kills a machine at its first such command: before the server has it, or
    before the machine has the answer."""

    def __init__(self, servers):
        self.victim, self.pattern, self.passes = None, None, False
        self.tag = None
        super().__init__(servers)

    def kill_at(self, victim, pattern, passes):
        self.passes = passes
        self.victim = victim
        self.pattern = re.compile(rb"^(\S+)" + pattern)

    def has_killed(self):
        return self.pattern is None and self.tag is None

    def kill(self):
        self.tag = None
        self.victim.kill()

    def command(self, line, client, server):
        found = self.pattern.match(line) if self.pattern else None
        if not found:
            server.sendall(line)
            return
        self.pattern = None
        if self.passes:
            self.tag = found.group(1)
            server.sendall(line)
        else:
            self.kill()

    def answer(self, line, client):
        if self.tag and line.startswith(self.tag + b" "):
            self.kill()
        else:
            client.sendall(line)


def prepare(servers):
    user, daemons, shared = machines.prepare(servers)
    gate = Gate(servers)
    victim = daemons[0]
    text = live.read(victim.config)
    plain = str(gate.upstream)
    live.check(plain in text, "no port in the configuration")
    victim.stop()
    text = text.replace(plain, servers.env["SERVERS_IMAPS_PORT"])
    text = re.sub(r"(?m)^(tls_ca_file)( *=).*$",
                  r"\1\2 " + servers.env["SERVERS_CA"], text)
    with open(victim.config, "w", encoding="utf-8") as file:
        file.write(text)
    victim.start()
    victim.wait_watching()
    return user, daemons, shared, gate


def kill(user, daemons, gate, subject, pattern, passes, state="planned"):
    """The first of them claims that message, and is killed there: what the
    others make of it then."""
    gate.kill_at(daemons[0], pattern, passes)
    for daemon in daemons[1:]:
        daemon.signal(signal.SIGSTOP)
    user.deliver(live.message(subject))
    live.wait("it to be killed", gate.has_killed)
    for daemon in daemons[1:]:
        daemon.signal(signal.SIGCONT)
    for daemon in daemons[1:]:
        live.wait("the others to see it",
                  lambda d=daemon: effect(d, subject) == state)
    live.stays(state, lambda: {
        effect(d, subject) for d in daemons[1:]} == {state}, 2)
    live.same(len(claims(user)), 1, "claims")


def come_back(daemon):
    daemon.start()
    daemon.wait_watching()


def claims(user):
    """A copy carries the claim; where it is, it is none."""
    return [c for c in machines.claims_left(user) if c[0] == "INBOX"]


def effect(daemon, subject):
    """The state of the last action but the notification."""
    return next((e["state"] for m in daemon.history()
                 if m["subject"] == subject for e in m["effects"]
                 if e["action"] != "notify"), None)


def check_states(daemons, subject, wanted):
    live.wait("%s: %s" % (subject, wanted), lambda: [
        effect(d, subject) for d in daemons] == wanted)


def check_end(user, daemons):
    live.wait("no claim to be left", lambda: not claims(user), 30)
    for daemon in daemons:
        live.same(daemon.stop(), 0, "exit")


def killed_before_its_mark(user, daemons, shared, gate):
    """The command never ran: it runs when its machine is back."""
    kill(user, daemons, gate, "run a", MARK, False)
    come_back(daemons[0])
    if os.environ.get("CLAIM_SERVER") == "courier":
        # There a mark may be written over.
        check_states(daemons, "run a", ["unknown", "skipped", "skipped"])
        live.same(live.read(shared), "", "commands")
        return
    check_states(daemons, "run a", ["done", "skipped", "skipped"])
    live.same(live.read(shared), "run a\n", "commands")


def killed_behind_its_mark(user, daemons, shared, gate):
    """Whether it ran it does not know; nobody else runs it."""
    before = live.read(shared)
    kill(user, daemons, gate, "run b", MARK, True, "skipped")
    come_back(daemons[0])
    check_states(daemons, "run b", ["unknown", "skipped", "skipped"])
    live.same(live.read(shared), before, "commands")


def killed_behind_its_copy(user, daemons, gate):
    """The copy is marked when its machine is back."""
    kill(user, daemons, gate, "copy c", COPY, True)
    come_back(daemons[0])
    check_states(daemons, "copy c", ["done", "skipped", "skipped"])
    live.same(user.subjects("Copied"), ["copy c", "copy first"], "copies")


@live.case
def killed_and_back(servers):
    user, daemons, shared, gate = prepare(servers)
    killed_before_its_mark(user, daemons, shared, gate)
    killed_behind_its_mark(user, daemons, shared, gate)
    killed_behind_its_copy(user, daemons, gate)
    check_end(user, daemons)


@live.case
def every_machine_rings(servers):
    user, daemons, _ = machines.prepare(servers)
    subjects = ["copy r", "run r", "other r"]
    user.deliver(*[live.message(s) for s in subjects])
    for daemon in daemons:
        live.wait("all to ring", lambda d=daemon: os.path.exists(d.rings) and
                  set(subjects) <= set(live.read(d.rings).splitlines()))
    check_end(user, daemons)


@live.case
def succeeded_when_it_does_not_come_back(servers):
    if not LEASE:
        return
    user, daemons, shared, gate = prepare(servers)
    kill(user, daemons, gate, "run s", MARK, False)
    began = time.time()
    live.wait("another to run it", lambda: live.read(shared) == "run s\n",
              60 + 2 * LEASE)
    print("succeeded after %d s" % (time.time() - began), flush=True)
    live.check(time.time() - began > LEASE / 2, "too early")
    come_back(daemons[0])
    live.wait("it to be known", lambda: effect(daemons[0], "run s") in (
        "unknown", "skipped"))
    check_end(user, daemons)
    live.same(live.read(shared), "run s\n", "commands")


if __name__ == "__main__":
    server = os.environ.get("CLAIM_SERVER")
    live.main(200 + 4 * LEASE,
              kind=other_servers.KINDS[server] if server else None)
