#!/usr/bin/env -S python3 -B
"""One message in two watched mailboxes, as Gmail's labels make it: each is
judged, and a forward goes out once."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402

RULES = """
[rule forward]
when = subject has report
forward = boss@example.net

[rule flag]
when = subject has report
mark = flagged
"""


def copy(user, subject, target):
    imap = user.imap()
    imap.select("INBOX")
    _, found = imap.uid("SEARCH", "HEADER", "SUBJECT", '"%s"' % subject)
    imap.uid("COPY", found[0].split()[0].decode(), target)
    imap.logout()


@live.case
def a_forward_goes_out_once(servers):
    user = servers.user()
    user.create("Label")
    keys = "watch = INBOX, Label\n"
    with live.Daemon(servers, user.account(keys) + RULES) as daemon:
        daemon.wait_watching(2)
        user.deliver(live.message("report 1"))
        live.wait("the forward", lambda: len(user.sent()) == 1)
        copy(user, "report 1", "Label")
        live.wait("both flagged", lambda: all(
            "\\Flagged" in user.flags(mailbox, "report 1")
            for mailbox in ("INBOX", "Label")))
        daemon.wait_quiet()
        live.stays("one forward", lambda: len(user.sent()) == 1)
        judged = [row["mailbox"] for row in daemon.history()]
        live.same(sorted(judged), ["INBOX", "Label"], "judged in")


if __name__ == "__main__":
    live.main()
