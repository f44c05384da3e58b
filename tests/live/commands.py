#!/usr/bin/env -S python3 -B
"""The notifier that is a command: what it gets of a message."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import desktop  # noqa: E402
import live  # noqa: E402

SECTION = "[notifier mine]\ntype = exec\ncommand = %s\n%s\n"
# Into a file of its own, which is there when it is whole.
COMMAND = """
file=%(dir)s/got.$$
{ env | grep ^BELFRY_ | sort; echo; cat; } >"$file.part"
mv "$file.part" "$file"
"""
MOVE = "\n[rule m]\nwhen = subject is moved\nmove = Elsewhere\nnotify = yes\n"


def start(servers, user, keys, more=""):
    daemon = live.Daemon(servers, "")
    script = daemon.script("mine", COMMAND % {"dir": daemon.path("")})
    daemon.write(user.account() + SECTION % (script, keys) + more)
    return daemon


def wait_got(daemon, count):
    """Of each run its environment and its input, by subject."""
    def files():
        folder = daemon.path("")
        return [os.path.join(folder, name) for name in os.listdir(folder)
                if name.startswith("got.") and not name.endswith(".part")]

    live.wait("%d commands" % count, lambda: len(files()) >= count)
    live.same(len(files()), count, "commands")
    got = {}
    for name in files():
        with open(name, encoding="utf-8", newline="") as file:
            text = file.read()
        names, _, text = text.partition("\n\n")
        fields = dict(line.split("=", 1) for line in names.splitlines()
                      if "=" in line)
        got[fields["BELFRY_SUBJECT"] or fields["BELFRY_TITLE"]] = fields, text
    return got


@live.case
def the_header_block(servers):
    user = servers.user()
    user.create("Elsewhere")
    with start(servers, user, "", MOVE) as daemon:
        daemon.wait_watching()
        user.deliver(live.message("stays", body="The text.\n"))
        user.deliver(live.message("moved", body="The text.\n"))
        got = wait_got(daemon, 2)
        for subject, where in (("stays", "INBOX"), ("moved", "Elsewhere")):
            fields, text = got[subject]
            whole = user.source(where, subject).decode()
            live.same(text, whole[:whole.index("\r\n\r\n") + 4],
                      "the input for " + subject)
            live.same(fields["BELFRY_TITLE"], "Some Body", "title")
            live.same(fields["BELFRY_FROM"],
                      "Some Body <some@body.example>", "sender")
            live.same(fields["BELFRY_RULE"],
                      "m" if subject == "moved" else "", "rule")
            live.same(fields["BELFRY_URL"],
                      "mid:" + fields["BELFRY_MESSAGE_ID"][1:-1], "address")
        daemon.ctl("notify")
        fields, text = wait_got(daemon, 3)["Belfry"]
        live.same((fields["BELFRY_UID"], text.split("\r\n")[:2]),
                  ("0", ["Subject: Belfry", ""]), "what it got of the test")


@live.case
def all_of_it(servers):
    user = servers.user()
    with start(servers, user, "stdin = message") as daemon:
        daemon.wait_watching()
        # The second is asked for when the first command has ended.
        user.deliver(live.message("large", body="0123456789\n" * 90000),
                     live.message("small"))
        got = wait_got(daemon, 2)
        for subject in ("large", "small"):
            text = got[subject][1]
            whole = user.source("INBOX", subject).decode()
            live.check(text == whole, "%d bytes of input instead of %d",
                       len(text), len(whole))
        live.check(b"\\Seen" not in user.flags("INBOX", "large"), "read")


@live.case
def title_and_text(servers):
    user = servers.user()
    with start(servers, user, "stdin = text") as daemon:
        daemon.wait_watching()
        user.deliver(*desktop.letters("short"))
        live.same(wait_got(daemon, 1)["short"][1], "Some Body\nshort\n",
                  "input")


@live.case
def nothing_private(servers):
    user = servers.user()
    with start(servers, user, "privacy = count") as daemon:
        daemon.wait_watching()
        user.deliver(*desktop.letters("secret"))
        for fields, text in wait_got(daemon, 1).values():
            live.check("secret" not in text + str(fields), "it tells", text)
            live.same((fields["BELFRY_URL"], fields["BELFRY_MESSAGE_ID"]),
                      ("", ""), "which message it is")


if __name__ == "__main__":
    live.main()
