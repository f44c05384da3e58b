#!/usr/bin/env -S python3 -B
"""belfryctl undo: what rules did to mail on a real server is taken back."""

import contextlib
import os
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402
import no_keywords  # noqa: E402

RULES = """
[rule move]
when = subject ~ /^move/
mark = flagged
move = Work/Ünïts
create = yes

[rule into-watched]
when = subject ~ /^list/
move = Lists
create = yes

[rule archive]
when = subject ~ /^archive/
archive = yes

[rule copy]
when = subject ~ /^copy/
copy = Copied
create = yes

[rule mark]
when = subject ~ /^mark/
mark = read

[rule both]
when = subject ~ /^both/
mark = read, flagged

[rule rest]
when = subject ~ /^rest/
forward = deputy@example.org
exec = /bin/true
delete = forever
"""


def states(answer):
    """{action: state} of all steps."""
    return {step["action"]: step["state"] for message in answer["messages"]
            for step in message["steps"]}


def undo(daemon, *words, code=0):
    return states(daemon.ctl("undo", *words, code=code))


def wait_done(daemon, count):
    live.wait("%d messages in the history, done" % count, lambda: len([
        m for m in daemon.history()
        if all(e["state"] not in ("planned", "started")
               for e in m["effects"])]) >= count)
    daemon.wait_quiet()


@live.case
def one_by_one(servers):
    user = servers.user()
    place = user.name + "/INBOX/"
    subjects = ["move it", "archive it", "copy it", "mark it"]
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        user.deliver(*[live.message(s) for s in subjects])
        wait_done(daemon, 4)
        user.wait_subjects("Work/Ünïts", ["move it"])

        # Nothing happens in a dry run.
        live.same(undo(daemon, place + "1", "--dry-run"),
                  {"mark": "open", "move": "open"}, "dry run")
        user.wait_subjects("Work/Ünïts", ["move it"])

        live.same(undo(daemon, place + "1"),
                  {"mark": "undone", "move": "undone"}, "move")
        live.same(undo(daemon, place + "2"), {"archive": "undone"}, "archive")
        live.same(undo(daemon, place + "3"), {"copy": "undone"}, "copy")
        live.same(undo(daemon, place + "4"), {"mark": "undone"}, "mark")
        user.wait_subjects("INBOX", subjects)
        user.wait_subjects("Work/Ünïts", [])
        user.wait_subjects("Archive", [])
        user.wait_subjects("Trash", ["copy it"])
        live.same(user.flags("INBOX", "mark it"), [], "flags")
        live.same(user.flags("INBOX", "move it"), [], "flags")

        # What came back is not judged again, not even after a restart.
        user.deliver(live.message("other"))
        daemon.wait_log("subject=other")
        daemon.wait_quiet()
        user.wait_subjects("INBOX", subjects + ["other"])
        refused = daemon.ctl("undo", place + "1", code=1)
        live.same(refused["error"], "it was taken back already", "twice")


@live.case
def flags_that_were_there(servers):
    """Undo leaves them, also in another life of the daemon."""
    user = servers.user()
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        imap = user.imap()
        for subject, flags in (("both", r"(\Flagged)"), ("mark", r"(\Seen)")):
            live.same(imap.append("INBOX", flags, None,
                                  live.message(subject))[0], "OK", "APPEND")
        imap.logout()
        wait_done(daemon, 2)
        live.same(sorted(user.flags("INBOX", "both")),
                  ["\\Flagged", "\\Seen"], "marked")
        place = user.name + "/INBOX/"
        daemon.stop()
        daemon.start()
        daemon.wait_watching()
        live.same(undo(daemon, place + "1"), {"mark": "undone"}, "both")
        live.same(user.flags("INBOX", "both"), ["\\Flagged"], "what was there")
        refused = daemon.ctl("undo", place + "2", code=1)
        live.check("it was so before" in str(refused), "%r", refused)
        live.same(user.flags("INBOX", "mark"), ["\\Seen"], "untouched")


@live.case
def many_and_watched(servers):
    """A whole rule's; where the message lies is watched, too; the daemon is
    killed in between."""
    user = servers.user()
    text = user.account("watch = INBOX, Lists\n") + RULES
    subjects = ["list %d" % i for i in range(30)]
    user.create("Lists")
    with live.Daemon(servers, text) as daemon:
        daemon.wait_watching(2)
        user.deliver(*[live.message(s) for s in subjects])
        user.wait_subjects("Lists", subjects)
        daemon.wait_watching(2)
        daemon.wait_quiet()
        live.same(set(undo(daemon, user.name, "--rule", "move",
                           code=1).values()), set(), "another rule's")
        answer = daemon.ctl("undo", user.name, "--rule", "into-watched",
                            code=None)
        live.same([(m["subject"], s["state"], s["detail"])
                   for m in answer["messages"] for s in m["steps"]
                   if s["state"] != "undone"], [], "steps")
        live.same(len(answer["messages"]), len(subjects), "messages")
        user.wait_subjects("INBOX", subjects)
        daemon.kill()
        daemon.start()
        daemon.wait_watching(2)
        daemon.wait_quiet()
        time.sleep(live.STILL_SECONDS)
        user.wait_subjects("INBOX", subjects)
        user.wait_subjects("Lists", [])


@live.case
def refusals(servers):
    user = servers.user()
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        user.deliver(live.message("rest"), live.message("move on"),
                     live.message("move bare", message_id=" "))
        wait_done(daemon, 3)
        live.wait("the forward", lambda: servers.sent_count() > 0)
        answer = daemon.ctl("undo", user.name + "/INBOX/1", code=1)
        live.same({s["action"]: s["detail"]
                   for s in answer["messages"][0]["steps"]},
                  {"forward": "what was sent cannot be called back",
                   "exec": "Belfry does not know what the command did",
                   "delete": "it was deleted for good"}, "refusals")
        # Somebody deleted it there.
        imap = user.imap()
        imap.select('"%s"' % servers.wire("Work/Ünïts"))
        imap.uid("STORE", "1", "+FLAGS", "\\Deleted")
        imap.expunge()
        imap.logout()
        live.same(undo(daemon, user.name + "/INBOX/2", code=1)["move"],
                  "failed", "a message that is gone")
        daemon.ctl("undo", user.name, code=64)


@live.case
def of_the_last_hours(servers):
    """Of all kinds, after a restart: what is older stays, and what cannot be
    taken back is said in words."""
    user = servers.user()
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        user.deliver(*[live.message(s) for s in (
            "move old", "mark old", "move new", "mark new", "copy new",
            "rest new")])
        wait_done(daemon, 6)
        live.wait("the forward", lambda: servers.sent_count() > 0)
        live.same(daemon.stop(), 0, "exit status")
        with contextlib.closing(sqlite3.connect(
                os.path.join(daemon.state, "state.db"))) as db:
            db.execute("UPDATE messages SET judged = judged - 3 * 3600 "
                       "WHERE subject LIKE '%old'")
            db.commit()
        daemon.start()
        daemon.wait_watching()
        wanted = ["copy new", "mark new", "move new", "rest new"]
        dry = daemon.ctl("undo", user.name, "--since", "2h", "-n", code=None)
        live.same(sorted(m["subject"] for m in dry["messages"]), wanted, "dry")
        user.wait_subjects("Work/Ünïts", ["move old", "move new"])
        code, text = daemon.says("undo", user.name, "--since", "2h")
        live.same(code, 1, "as not all can be undone: " + text)
        for words in ("what was sent cannot be called back",
                      "Belfry does not know what the command did",
                      "it was deleted for good"):
            live.check(words in text, "%r is not in %s", words, text)
        user.wait_subjects("Work/Ünïts", ["move old"])
        user.wait_subjects("Copied", [])
        user.wait_subjects("INBOX", ["copy new", "mark new", "mark old",
                                     "move new"])
        live.same(user.flags("INBOX", "mark new"), [], "undone")
        live.same(user.flags("INBOX", "mark old"), ["\\Seen"], "older")


@live.case
def moved_on_by_the_person(servers):
    """It is left where the person put it, and that is said."""
    user = servers.user()
    user.create("Mine")
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        user.deliver(live.message("list of mine"))
        user.wait_subjects("Lists", ["list of mine"])
        daemon.wait_quiet()
        imap = user.imap()
        imap.select("Lists")
        live.same(imap.uid("MOVE", "1", "Mine")[0], "OK", "MOVE")
        imap.logout()
        state, detail = told(daemon.ctl("undo", user.name + "/INBOX/1",
                                        code=1))
        live.same((state, "gone" in detail), ("failed", True), detail)
        user.wait_subjects("Mine", ["list of mine"])
        user.wait_subjects("INBOX", [])


@live.case
def where_it_was_put_is_not_what_it_was(servers):
    """The folder is gone, or was made anew: another message there has the UID
    that the moved one had, and is left alone."""
    user = servers.user()
    place = user.name + "/INBOX/"
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        user.deliver(live.message("list gone"), live.message("move away"))
        wait_done(daemon, 2)
        user.wait_subjects("Lists", ["list gone"])
        imap = user.imap()
        live.same(imap.delete("Lists")[0], "OK", "DELETE")
        state, detail = told(daemon.ctl("undo", place + "1", code=1))
        live.check(state in ("failed", "refused") and "Lists" in detail,
                   "gone: %s: %s", state, detail)
        live.same(imap.create("Lists")[0], "OK", "CREATE")
        live.same(imap.append("Lists", None, None,
                              live.message("another"))[0], "OK", "APPEND")
        imap.logout()
        state, detail = told(daemon.ctl("undo", place + "1", code=1))
        live.same(state, "failed", "made anew: " + detail)
        live.check(detail, "nothing is said")
        print("gone: %s" % detail)
        user.wait_subjects("Lists", ["another"])
        user.wait_subjects("INBOX", [])


def told(answer):
    """What came of the only step of the only message."""
    step, = answer["messages"][0]["steps"]
    return step["state"], step["detail"]


SAME = "<same@example.org>"
TWIN = live.message("list twin", message_id="<twin@example.org>")
LOST = [live.message("list one", message_id=SAME),
        live.message("list other one", message_id=SAME), TWIN, TWIN]
LOST_SUBJECTS = ["list one", "list other one", "list twin", "list twin"]


def append(user, *messages):
    imap = user.imap()
    for text in messages:
        live.same(imap.append("INBOX", None, '"01-Nov-2026 10:00:00 +0000"',
                              text)[0], "OK", "APPEND")
    imap.logout()


@live.case_with("imap_capability = IMAP4rev1 SASL-IR LITERAL+ IDLE MOVE\n")
def without_uidplus(servers):
    """Nobody says where a message went: it is looked for."""
    no_keywords.Front(servers, uidplus=False)
    user = servers.user()
    user.create("Lists")
    place = user.name + "/INBOX/"
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        append(user, *LOST)
        wait_done(daemon, 4)
        user.wait_subjects("Lists", LOST_SUBJECTS)
        live.same(told(daemon.ctl("undo", place + "1", "--dry-run")),
                  ("open", "the server did not say where it is now: it is "
                   "looked for by its Message-ID, size and date"), "dry run")

        # Of two messages with one Message-ID the right one comes back; of two
        # that are the same, neither.
        live.same(undo(daemon, place + "1"), {"move": "undone"}, "one")
        user.wait_subjects("INBOX", ["list one"])
        state, detail = told(daemon.ctl("undo", place + "3", code=1))
        live.same(state, "failed", "a twin")
        live.check("2 messages in Lists are the same" in detail, "%r", detail)
        user.wait_subjects("Lists", LOST_SUBJECTS[1:])

        # Where it was found stays known.
        daemon.stop()
        daemon.start()
        daemon.wait_watching()
        daemon.wait_quiet()
        refused = daemon.ctl("undo", place + "1", code=1)
        live.same(refused["error"], "it was taken back already", "twice")

        # All at once: more than are looked for at a time, and a message that
        # somebody deleted.
        subjects = ["list %d" % i for i in range(48)]
        append(user, *[live.message(s) for s in subjects])
        wait_done(daemon, 53)
        imap = user.imap()
        imap.select("Lists")
        imap.uid("STORE", "2", "+FLAGS", "\\Deleted")
        imap.expunge()
        imap.logout()
        answer = daemon.ctl("undo", user.name, "--rule", "into-watched",
                            code=1)
        found = sorted((m["subject"], s["state"]) for m in answer["messages"]
                       for s in m["steps"])
        live.same(found, sorted(
            [(s, "undone") for s in subjects + ["list one"]]
            + [("list twin", "failed")] * 2
            + [("list other one", "failed")]), "all")
        user.wait_subjects("INBOX", subjects + ["list one"])
        user.wait_subjects("Lists", ["list twin", "list twin"])
        time.sleep(live.STILL_SECONDS)
        user.wait_subjects("INBOX", subjects + ["list one"])


def undoing(daemon):
    """What is looked for, as the journal has it."""
    return daemon.fact("undoing")


@live.case_with("imap_capability = IMAP4rev1 LITERAL+ SASL-IR IDLE MOVE\n")
def killed_while_it_looks(servers):
    """Another life of the daemon looks for the rest, and nobody has to ask."""
    no_keywords.Front(servers, uidplus=False)
    user = servers.user()
    user.create("Lists")
    subjects = ["list %d" % i for i in range(30)]
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        append(user, *[live.message(s) for s in subjects])
        wait_done(daemon, 30)
        live.same(undoing(daemon), "", "before")
        asked = subprocess.Popen(
            [live.BELFRYCTL, "-c", daemon.config, "undo", user.name,
             "--rule", "into-watched"], env=daemon.env,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        live.wait("a search", lambda: undoing(daemon))
        daemon.kill()
        live.check(asked.communicate()[1], "belfryctl said nothing")
        live.check(asked.returncode != 0, "belfryctl's exit status")
        left = len(user.mailboxes().get("Lists", []))
        live.check(left > 0, "the search was over before it was killed")
        user.deliver(live.message("list later"))

        daemon.start()
        daemon.wait_log("notice undo .*is looked for again")
        user.wait_subjects("INBOX", subjects)
        user.wait_subjects("Lists", ["list later"])
        live.wait("the end of it", lambda: not undoing(daemon))
        time.sleep(live.STILL_SECONDS)
        user.wait_subjects("INBOX", subjects)
        live.same(len(daemon.logged("is looked for again")), 1, "searches")
        daemon.stop()
        daemon.start()
        daemon.wait_watching()
        daemon.wait_quiet()
        live.same(len(daemon.logged("is looked for again")), 1, "searches")
        print("killed with %d of %d left" % (left, len(subjects)))


def found_and_no_more(daemon, account, validity):
    """The journal as it is when the daemon is killed between having found a
    message and having begun to move it back."""
    place = "UID 1 there (UIDVALIDITY %d)" % validity
    request = ('{"requests": [{"rule": "into-watched", "uid": 0, "since": 0, '
               '"until": %d}]}' % (time.time() + 60))
    with contextlib.closing(sqlite3.connect(
            os.path.join(daemon.state, "state.db"))) as db, db:
        live.same(db.execute("UPDATE effects SET detail = ? WHERE kind = "
                             "'move'", (place,)).rowcount, 1, "moves")
        db.execute("INSERT OR REPLACE INTO facts VALUES (?, 'undoing', ?)",
                   (account, request))


@live.case_with("imap_capability = IMAP4rev1 LITERAL+ SASL-IR IDLE MOVE\n")
def killed_when_it_was_found(servers):
    no_keywords.Front(servers, uidplus=False)
    user = servers.user()
    user.create("Lists")
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        append(user, LOST[0])
        user.wait_subjects("Lists", ["list one"])
        wait_done(daemon, 1)
        daemon.stop()
        imap = user.imap()
        imap.select("Lists")
        validity = int(imap.response("UIDVALIDITY")[1][0])
        imap.logout()
        found_and_no_more(daemon, user.name, validity)
        daemon.start()
        user.wait_subjects("INBOX", ["list one"])
        live.wait("the end of it", lambda: not undoing(daemon))
        places = [effect["detail"] for message in daemon.history()
                  for effect in message["effects"]
                  if "UID 1 there" in effect["detail"]]
        live.same([place.count("UID") for place in places], [2],
                  "its place: UID and UIDVALIDITY, once")


@live.case_with("imap_capability = IMAP4rev1 SASL-IR LITERAL+ IDLE\n")
def without_move_either(servers):
    """What was taken back stays marked as deleted where it was, and is not
    taken for the message when that is undone again."""
    no_keywords.Front(servers, uidplus=False)
    user = servers.user()
    user.create("Lists")
    place = user.name + "/INBOX/"
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        append(user, LOST[0])
        user.wait_subjects("Lists", ["list one"])
        wait_done(daemon, 1)
        live.same(undo(daemon, place + "1"), {"move": "undone"}, "one")
        live.same(user.flags("Lists", "list one"), ["\\Deleted"], "there")
        user.wait_subjects("INBOX", ["list one", "list one"])


if __name__ == "__main__":
    live.main(180)
