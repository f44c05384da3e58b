#!/usr/bin/env -S python3 -B
"""Each action, and what it does on a real server."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402

RULES = r"""
[rule copy]
when = subject is copy
copy = Copied
create = yes

[rule move]
when = subject is move
move = Moved/Deep
create = yes

[rule both]
when = subject is both
copy = Copied
move = Moved/Deep

[rule missing]
when = subject is missing
move = Nowhere

[rule mark]
when = subject is mark
mark = read flagged $Work

[rule unmark]
when = subject is mark
mark = answered -$Work

[rule archive]
when = subject is archive
archive = yes

[rule trash]
when = subject is trash
trash = yes

[rule junk]
when = subject is junk
junk = yes

[rule special]
when = subject is special
move = \Archive

[rule delete]
when = subject is delete
delete = forever
"""


@live.case
def mailbox_actions(servers):
    user = servers.user()
    kinds = ["copy", "move", "both", "missing", "mark", "archive", "trash",
             "junk", "special", "delete", "nothing"]
    keep = live.message("delete", message_id="<keep@body.example>")
    user.deliver(keep)  # before first contact: never touched
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        originals = {kind: live.message(kind) for kind in kinds}
        user.deliver(*originals.values())
        user.wait_subjects("INBOX",
                           ["copy", "mark", "missing", "nothing", "delete"])
        daemon.wait_quiet()
        boxes = {name: sorted(m["subject"] for m in messages)
                 for name, messages in user.mailboxes().items() if messages}
        live.same(boxes, {
            "INBOX": ["copy", "delete", "mark", "missing", "nothing"],
            "Copied": ["both", "copy"],
            "Moved/Deep": ["both", "move"],
            "Archive": ["archive", "special"],
            "Trash": ["trash"],
            "Junk": ["junk"],
        }, "mailboxes")
        live.same(user.flags("INBOX", "mark"),
                  ["$Work", "\\Answered", "\\Flagged", "\\Seen"], "flags")
        live.check(daemon.logged("warning.*unmark would change"),
                   "nobody said that two rules disagree")
        live.same(user.flags("INBOX", "copy"), [], "flags of the copied one")
        for mailbox, subject in (("Moved/Deep", "move"), ("Copied", "copy"),
                                 ("Trash", "trash")):
            source = user.source(mailbox, subject)
            live.check(source.endswith(originals[subject]),
                       "the bytes of %s changed", subject)
        live.check(daemon.logged("refused.*Nowhere"),
                   "nobody said that Nowhere is missing")
        states = {m["subject"]: [e["state"] for e in m["effects"]]
                  for m in daemon.history()}
        live.same(states["both"][:2], ["done", "done"], "history of `both`")
        live.check("failed" in states["missing"], "`missing` did not fail: %r",
                   states["missing"])


@live.case
def keywords_stay(servers):
    user = servers.user()
    rule = "[rule k]\nwhen = all\nmark = $Work later\nmark = -read\n"
    with live.Daemon(servers, user.account() + rule) as daemon:
        daemon.wait_watching()
        user.deliver(live.message("keywords"))
        live.wait("keywords", lambda: user.flags("INBOX", "keywords") ==
                  ["$Work", "later"])


NOTE = """{
printf 'args:'; for a; do printf ' [%s]' "$a"; done; echo
env | grep '^BELFRY_' | LC_ALL=C sort
echo stdin:
cat
} >"$OUT.$BELFRY_RULE"
echo "said $BELFRY_UID"
"""


@live.case
def exec_gets_all(servers):
    user = servers.user()
    daemon = live.Daemon(servers, "")
    note = daemon.script("note", "OUT=%s\n%s" % (daemon.path("out"), NOTE))
    fail = daemon.script("fail", "echo no luck >&2; exit 3")
    daemon.write(user.account() + """
[rule header]
when = subject ~ /^run (?<what>.*)$/
exec = %s plain 'one word' "${what}" x${from.user}x
[rule whole]
when = subject ~ /^run /
exec = %s whole
stdin = message
[rule fails]
when = subject ~ /^run /
exec = %s
mark = flagged
""" % (note, note, fail))
    # Nothing of this is for a shell.
    subject = "run a $(touch x) `id` 'b' \"c\" ; d"
    original = live.message(subject, body="Line.\n.dot\n\nEnd.\n",
                            message_id="<exec@body.example>")
    with daemon:
        daemon.wait_watching()
        user.deliver(original)
        live.wait("both notes", lambda: all(
            os.path.exists(daemon.path("out." + r))
            for r in ("header", "whole")))
        daemon.wait_quiet()
        text = live.read(daemon.path("out.header"))
        live.same(text.splitlines()[0],
                  "args: [plain] [one word] [%s] [xsomex]" % subject[4:],
                  "arguments")
        live.same(text.split("stdin:")[0].splitlines()[1:], [
            "BELFRY_ACCOUNT=" + user.name,
            "BELFRY_FROM=Some Body <some@body.example>",
            "BELFRY_MAILBOX=INBOX",
            "BELFRY_MESSAGE_ID=<exec@body.example>",
            "BELFRY_RULE=header",
            "BELFRY_SUBJECT=" + subject,
            "BELFRY_UID=1",
        ], "environment")
        whole = user.source("INBOX", "run a")
        with open(daemon.path("out.whole"), "rb") as file:
            live.same(file.read().split(b"stdin:\n")[1], whole, "message")
        with open(daemon.path("out.header"), "rb") as file:
            live.same(file.read().split(b"stdin:\n")[1],
                      whole[:whole.index(b"\r\n\r\n") + 4], "header block")
        live.same(user.flags("INBOX", subject), ["\\Flagged"], "flags")
        details = {e["rule"]: (e["state"], e["detail"])
                   for e in daemon.history()[0]["effects"]
                   if e["action"] == "exec"}
        live.same(details, {
            "header": ("done", "exit 0: said 1"),
            "whole": ("done", "exit 0: said 1"),
            "fails": ("failed", "exit 3: no luck"),
        }, "history")


def check_forward(servers, user, number, original, target):
    sent = servers.sent()[number - 1]
    live.same(sent["to"], [target], "envelope recipient")
    live.same(sent["from"], user.address, "envelope sender")
    outer = sent["message"]
    live.check(user.address in outer["From"], "From: %s", outer["From"])
    live.check("some@body.example" in outer["Reply-To"], "Reply-To: %s",
               outer["Reply-To"])
    live.check(outer["X-Belfry-Forward"], "no X-Belfry-Forward")
    parts = [p for p in outer.walk()
             if p.get_content_type() == "message/rfc822"]
    live.same(len(parts), 1, "message/rfc822 parts")
    live.check(original in servers.sent_source(number),
               "the original is not there byte for byte")


@live.case
def forward_once_byte_for_byte(servers):
    user = servers.user()
    other = servers.user()
    rules = """
[rule f]
when = subject ~ /^forward/
forward = deputy@example.org
archive = yes
"""
    body = ".\n..\n.dot\nFrom here\n\t trailing blanks  \n\n" + "x" * 900 + "\n"
    with live.Daemon(servers, user.account() + other.account(
            scheme="imap", smtp="smtps") + rules) as daemon:
        daemon.wait_watching(2)
        user.deliver(live.message("forward me", body=body))
        user.wait_subjects("Archive", ["forward me"])
        live.wait("one forward", lambda: len(user.sent()) == 1)
        original = user.source("Archive", "forward me")
        check_forward(servers, user, len(servers.sent()), original,
                      "deputy@example.org")
        live.same(user.sent()[0]["implicit_tls"], False, "STARTTLS")
        # The guards: no list, no robot, none of our own.
        other.deliver(
            live.message("forward list", headers=["List-Id: <l.example>"]),
            live.message("forward robot",
                         headers=["Auto-Submitted: auto-replied"]),
            live.message("forward loop", headers=["X-Belfry-Forward: x"]),
            live.message("forward too"))
        other.wait_subjects("Archive", ["forward list", "forward robot",
                                        "forward loop", "forward too"])
        live.wait("the other's forward", lambda: len(other.sent()) == 1)
        live.same(other.sent()[0]["implicit_tls"], True, "implicit TLS")
        live.check("too" in str(other.sent()[0]["message"]["Subject"]),
                   "the wrong one was forwarded")
        live.stays("one forward each", lambda: len(servers.sent()) == 2)
        user.mailboxes()
        live.same(len(set(s["message"]["Message-ID"]
                          for s in servers.sent())), 2, "Message-IDs")


if __name__ == "__main__":
    live.main()
