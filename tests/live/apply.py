#!/usr/bin/env -S python3 -B
"""apply and explain: messages that are there already, on a real server."""

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402

MANY = 3000

RULES = r"""
[rule move]
when = subject ~ /^m(?<n>\d+) move$/
move = Moved
create = yes

[rule mark]
when = subject ~ / mark$/
mark = flagged

[rule ring]
when = subject ~ / ring$/
notify = yes

[rule watch]
when = subject ~ / move$/
mode = observe
mark = read
"""

KINDS = ("move", "mark", "ring", "plain", "plain", "plain", "plain", "plain",
         "plain", "plain")


def append(imap, mailbox, when, messages):
    """All in one command (RFC 3502), which imaplib does not know."""
    date = " " + when if when else ""
    tag = imap._new_tag()
    imap.send(tag + b" APPEND " + mailbox.encode())
    for text in messages:
        imap.send(b"%s {%d+}\r\n%s" % (date.encode(), len(text), text))
    imap.send(b"\r\n")
    line = b""
    while not line.startswith(tag):
        line = imap.readline()
    live.check(b" OK " in line, "APPEND: %r", line)


def fill(user, mailbox, count, when=None):
    """Old messages, each tenth of one kind."""
    imap = user.imap()
    texts = [live.message("m%d %s" % (i, KINDS[i % len(KINDS)]))
             for i in range(count)]
    for first in range(0, count, 500):
        append(imap, mailbox, when, texts[first:first + 500])
    imap.logout()


def end_of(daemon, *words, code=0):
    """What `apply` says at its end."""
    result = subprocess.run(
        [live.BELFRYCTL, "-c", daemon.config, "apply", *words, "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=daemon.env,
        stdin=subprocess.DEVNULL, timeout=200, check=False)
    live.same(result.returncode, code, "belfryctl apply %s (%s%s)" % (
        " ".join(words), result.stdout.decode()[-500:],
        result.stderr.decode()))
    return live.json.loads(result.stdout)


def count(user, mailbox, word):
    return sum(subject.endswith(word) for subject in user.subjects(mailbox))


def effects(daemon, state="done"):
    """{(rule, action): how many} of the history."""
    found = {}
    for message in daemon.ctl("history", "--limit", "1000")["messages"]:
        for effect in message["effects"]:
            if effect["state"] == state:
                key = (effect["rule"], effect["action"])
                found[key] = found.get(key, 0) + 1
    return found


@live.case
def many_killed_in_the_middle(servers):
    user = servers.user()
    fill(user, "INBOX", MANY)
    place = user.name + "/INBOX"
    tenth = MANY // len(KINDS)
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        start = time.monotonic()
        dry = end_of(daemon, place, "--dry-run")
        print("dry: %.1f s" % (time.monotonic() - start))
        live.same((dry["state"], dry["looked"], dry["matched"], dry["total"],
                   dry["observed"]),
                  ("done", MANY, 3 * tenth, MANY, tenth), "dry run")
        rules = {rule["rule"]: rule for rule in dry["rules"]}
        live.same(rules["move"]["actions"], {"move": tenth}, "would move")
        live.same(rules["ring"]["actions"], {}, "would ring")
        live.same(rules["watch"]["observed"], tenth, "would observe")
        live.same(count(user, "INBOX", "move"), tenth, "a dry run moved")
        live.same(daemon.history(), [], "a dry run wrote history")
        # The real one, killed in its middle.
        client = subprocess.Popen(
            [live.BELFRYCTL, "-c", daemon.config, "apply", place, "--yes"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=daemon.env)
        live.wait("some to be moved", lambda: daemon.logged(
            r"done.*move to Moved"))
        daemon.kill()
        client.wait(10)
        moved = count(user, "Moved", "move")
        live.check(moved > 0, "nothing was moved")
        if moved == tenth:
            print("too fast a machine: it was over before it was killed")
        daemon.start()
        daemon.wait_log("applied.*INBOX: done, %d messages looked at, %d "
                        "matched" % (MANY, 3 * tenth))
        print("all: %.1f s" % (time.monotonic() - start))
        live.same(count(user, "Moved", "move"), tenth, "moved")
        live.same(count(user, "INBOX", "move"), 0, "left in INBOX")
        flagged = sum("\\Flagged" in m["flags"]
                      for m in user.mailboxes()["INBOX"])
        live.same(flagged, tenth, "flagged")
        live.same(effects(daemon), {("mark", "mark"): tenth,
                                    ("move", "move"): tenth}, "history")
        # Nothing is left to do but the marks, again.
        again = end_of(daemon, place, "--yes", "--rule", "move")
        live.same((again["run"], again["matched"]), (2, 0), "second run")
        # New mail is judged as ever.
        user.deliver(live.message("m0 move"))
        live.wait("the new one", lambda: count(
            user, "Moved", "move") == tenth + 1)


@live.case
def a_mailbox_that_nobody_watches(servers):
    user = servers.user()
    user.create("Old/Ärger")
    old = "01-Mar-2026 12:00:00 +0000"
    new = "05-Mar-2026 12:00:00 +0000"
    box = '"%s"' % live.utf7("Old/Ärger")
    fill(user, box, 20, '"%s"' % old)
    fill(user, box, 20, '"%s"' % new)
    place = user.name + "/Old/Ärger"
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        dry = end_of(daemon, place, "-n", "--since", "2026-03-03")
        live.same((dry["looked"], dry["matched"]), (20, 6), "since")
        dry = end_of(daemon, place, "-n", "--until", "2026-03-03")
        live.same((dry["looked"], dry["matched"]), (20, 6), "until")
        end = end_of(daemon, place, "--until", "2026-03-03", "--rule", "move",
                     "--rule", "mark", "--yes")
        live.same((end["looked"], end["matched"]), (20, 4), "by two rules")
        live.same(count(user, "Moved", "move"), 2, "moved")
        live.same(count(user, "Old/Ärger", "move"), 2, "newer ones")
        # The visitor is gone, and nothing else is watched.
        live.same(sorted(daemon.boxes()), [(user.name, "INBOX")], "watched")
        history = daemon.ctl("history", "--mailbox", "Old/Ärger")["messages"]
        live.same(len(history), 4, "history")


@live.case
def a_mailbox_that_comes_to_be_watched(servers):
    """In the middle of its run, and goes again: each message has its command
    once, and nobody says that one was lost."""
    user = servers.user()
    user.create("A")
    fill(user, "A", 60)
    daemon = live.Daemon(servers, "")
    out = daemon.path("out")
    rule = "[rule r]\nwhen = all\nexec = %s ${subject}\n" % daemon.script(
        "slow", "sleep 0.5\necho \"$1\" >>%s\n" % out)

    def ran():
        return sorted(live.read(out).splitlines())

    daemon.write(user.account("watch = INBOX") + rule)
    with daemon:
        daemon.wait_watching()
        with subprocess.Popen(
                [live.BELFRYCTL, "-c", daemon.config, "apply",
                 user.name + "/A", "--yes"],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                env=daemon.env) as client:
            for number, watch in ((1, "INBOX, A"), (20, "INBOX"),
                                  (40, "INBOX, A")):
                live.wait("some commands", lambda: len(ran()) >= number)
                daemon.write(user.account("watch = " + watch) + rule)
                daemon.ctl("reload")
            said = client.communicate(timeout=60)[0].decode()
        live.same(client.returncode, 0, "belfryctl's exit status (%s)" % said)
        live.same(ran(), sorted("m%d %s" % (i, KINDS[i % len(KINDS)])
                                for i in range(60)), "commands")
        live.same(daemon.logged("unknown"), [], "lost commands")


@live.case
def a_visitor_comes_back(servers):
    """After a reload, a pause, and a new start of the daemon."""
    user = servers.user()
    user.create("Other")
    fill(user, "Other", 1500)
    tenth = 1500 // len(KINDS)
    place = user.name + "/Other"

    def moved():
        return len(daemon.logged("done.*mailbox=Other.*move to Moved"))

    def some_are_moved():
        # What a run has planned there is not left open.
        left.extend(daemon.status(user.name)["left_open"])
        return moved() > 0

    left = []
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        client = subprocess.Popen(
            [live.BELFRYCTL, "-c", daemon.config, "apply", place, "--yes"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=daemon.env)
        live.wait("some to be moved", some_are_moved)
        live.same(left, [], "left open")
        daemon.ctl("reload")
        daemon.ctl("pause")
        # What was under way is moved yet.
        first = live.settled(moved)
        live.stays("nothing moves", lambda: moved() == first)
        daemon.ctl("resume")
        live.wait("more to be moved", lambda: moved() > first or
                  first == tenth)
        live.same(daemon.stop(), 0, "exit status")
        client.wait(10)
        if moved() == tenth:
            print("too fast a machine: it was over before it was stopped")
        daemon.start()
        daemon.wait_log("applied.*Other: done, 1500 messages looked at, %d "
                        "matched" % (3 * tenth))
        live.same(count(user, "Moved", "move"), tenth, "moved")
        live.same(count(user, "Other", "move"), 0, "left")
        live.same(effects(daemon), {("mark", "mark"): tenth,
                                    ("move", "move"): tenth}, "history")


@live.case
def explain_on_the_server(servers):
    user = servers.user()
    user.create("Other")
    fill(user, "INBOX", 3)
    fill(user, "Other", 3)
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        for box in ("INBOX", "Other"):
            place = "%s/%s/1" % (user.name, box)
            message = daemon.ctl("explain", place)["messages"][0]
            live.same((message["source"], message["subject"],
                       message["mailbox"]), (place, "m0 move", box), "what")
            live.same([a["what"] for a in message["plan"]["actions"]],
                      ["move to Moved (made if it is missing)"],
                      "plan of " + box)
            live.same({r["rule"]: r["outcome"] for r in message["rules"]}, {
                "move": "matched", "mark": "not matched",
                "ring": "not matched", "watch": "observed"}, "rules")
            live.same(user.subjects(box), ["m0 move", "m1 mark", "m2 ring"],
                      "explain changed " + box)
        text = subprocess.run(
            [live.BELFRYCTL, "-c", daemon.config, "explain",
             user.name + "/Other/2"], stdout=subprocess.PIPE, env=daemon.env,
            check=True).stdout.decode()
        for words in ("m1 mark", "mark flagged", "Some Body",
                      user.name + "/Other"):
            live.check(words in text, "%s is missing in:\n%s", words, text)
        for place, words in (
                (user.name + "/INBOX/77", "no message with UID 77"),
                (user.name + "/Nowhere/1", "no mailbox Nowhere"),
                ("nobody/INBOX/1", "no account nobody"),
                (user.name + "/INBOX/x", "names no message")):
            answer = daemon.ctl("explain", place, code=None)
            live.check(words in answer["error"], "%s: %r", place, answer)
        answer = daemon.ctl("apply", user.name + "/Nowhere", code=1)
        live.check("no mailbox Nowhere" in answer["error"], "%r", answer)
        answer = daemon.ctl("apply", user.name + "/INBOX", "--rule", "nix",
                            code=1)
        live.check("no rule nix" in answer["error"], "%r", answer)
        answer = daemon.ctl("apply", user.name + "/INBOX", "--cancel", code=1)
        live.check("no run is under way" in answer["error"], "%r", answer)
        live.same(daemon.history(), [], "history")


@live.case
def cancelled(servers):
    user = servers.user()
    fill(user, "INBOX", 300)
    daemon = live.Daemon(servers, "")
    slow = daemon.script("slow", "sleep 0.3\n")
    daemon.write(user.account() + """
[rule slow]
when = all
exec = %s
""" % slow)
    with daemon:
        daemon.wait_watching()
        place = user.name + "/INBOX"
        answer = daemon.ctl("apply", place, code=64)
        live.check("cannot be taken back" in answer["error"], "%r", answer)
        live.same(daemon.history(), [], "it was not asked for")
        client = subprocess.Popen(
            [live.BELFRYCTL, "-c", daemon.config, "apply", place, "--yes"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=daemon.env)
        live.wait("some commands", lambda: len(
            daemon.logged("done.*exit 0")) > 20)
        end = end_of(daemon, place, "--cancel")
        live.same(end["state"], "cancelled", "state")
        live.same(client.wait(10), 1, "the other client's exit")
        states = {e["state"]: e["count"] for e in end["effects"]}
        live.check(states.get("skipped", 0) > 50 and states["done"] < 200,
                   "%r", states)
        live.same(set(states), {"done", "skipped"}, "states")


if __name__ == "__main__":
    live.main(400)
