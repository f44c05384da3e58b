#!/usr/bin/env -S python3 -B
"""Many accounts on one server: all are watched, also when it comes back, and
what a person is told of it can be read.

$LIVE_ACCOUNTS: how many; 1,000 take eight minutes, as belfryd begins five
connections a second to one host."""

import collections
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402

ACCOUNTS = int(os.environ.get("LIVE_ACCOUNTS", 12))
# belfryd begins five connections a second to one host.
SECONDS = 90 + ACCOUNTS // 2
LETTERS = 20
# Mailboxes that say the same of one server and have a line of their own.
NAMED = 5
RULE = "[rule flag]\nwhen = all\nmark = flagged\n"
ROOM = """
service imap-login {
  service_count = 0
  process_min_avail = 2
  client_limit = 4000
}
service imap {
  process_limit = 4000
}
service auth {
  client_limit = 20000
}
service anvil {
  client_limit = 20000
}
"""


def are_watched(daemon):
    return sum(box["state"] == "watching" for box in daemon.boxes().values())


def same_sum(daemon, code, words):
    """What a person sees below all of them."""
    found, text = daemon.says("status")
    live.same((found, text.splitlines()[-1]), (code, words), "the status")


def check_log(daemon):
    """Nobody's trouble is missing, and what all say is said once."""
    single, together = collections.Counter(), collections.Counter()
    for line in daemon.logged(" warning trouble "):
        what = re.search('what="([^"]*)"', line).group(1)
        more = re.search('mailboxes="([0-9]+) more"', line)
        if more:
            together[what] += int(more.group(1))
            live.check("server=localhost:" in line, "whose: %s", line)
            live.check(re.search(r'of="?u[0-9]+/INBOX', line),
                       "who: %s", line)
        else:
            single[what] += 1
    worst = max(single.values())
    live.same(worst, NAMED, "lines with the same words")
    live.same(max((single + together).values()), ACCOUNTS,
              "mailboxes that are said to have lost their server")


@live.case_with(ROOM)
def all_come_back(servers):
    users = [servers.user() for _ in range(ACCOUNTS)]
    text = "".join(user.account() for user in users) + RULE
    with live.Daemon(servers, text) as daemon:
        daemon.wait_watching(ACCOUNTS, SECONDS)
        same_sum(daemon, 0, "%d accounts: all are well" % ACCOUNTS)
        servers.cut_imap()  # else Dovecot takes ten seconds for its end
        servers.tell("imap-stop")
        live.wait("all to be lost", lambda: not are_watched(daemon))
        same_sum(daemon, 1, "%d accounts: %d in trouble, 0 well" % (
            ACCOUNTS, ACCOUNTS))
        servers.tell("imap-start")
        daemon.wait_watching(ACCOUNTS, SECONDS)
        daemon.wait_log(' trouble server=.* mailboxes="[0-9]+ more"')
        some = users[::max(1, ACCOUNTS // LETTERS)][:LETTERS]
        for user in some:
            user.deliver(live.message("hello"))
        for user in some:
            live.wait("a flag", lambda user=user: "\\Flagged" in user.flags(
                "INBOX", "hello"))
    check_log(daemon)


if __name__ == "__main__":
    live.USERS = ACCOUNTS
    live.main(120 + 3 * SECONDS)
