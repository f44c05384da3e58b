#!/usr/bin/env -S python3 -B
"""Accounts and mailboxes that are gone are forgotten, much later."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402

DAY = 24 * 60 * 60


def known(daemon, account):
    """The mailboxes with a cursor, and all that is marked."""
    cursors = daemon.rows(
        "SELECT mailbox FROM cursors WHERE account = ? ORDER BY mailbox",
        account)
    marks = daemon.rows(
        "SELECT name FROM facts WHERE account = ? AND name LIKE 'unused%'"
        " ORDER BY name", account)
    return [row[0] for row in cursors], [row[0] for row in marks]


def turn_back(daemon, name, days):
    """The clock of the real daemon cannot be turned."""
    daemon.change_store("UPDATE facts SET value = value - %d "
                        "WHERE name = '%s'" % (days * DAY, name))


@live.case
def gone(servers):
    stays, goes = servers.user(), servers.user()
    stays.create("Lists/a", "Lists/b", "Other", "Late")
    watch = "watch = INBOX, Lists/*%s\n"
    with_both = stays.account(watch % ", Other, Late") + goes.account()
    daemon = live.Daemon(servers, with_both)
    with daemon:
        daemon.wait_watching(6)
    live.same(known(daemon, stays.name), (
        ["INBOX", "Late", "Lists/a", "Lists/b", "Other"], []), "at first")
    imap = stays.imap()
    imap.delete("Lists/b")
    imap.logout()
    daemon.write(stays.account(watch % ""))
    gone_now = ["unused Late", "unused Lists/b", "unused Other"]
    with daemon:
        live.wait("the account to be marked", lambda: known(
            daemon, goes.name) == (["INBOX"], ["unused"]))
        live.wait("the mailboxes to be marked", lambda: known(
            daemon, stays.name)[1] == gone_now)
    # 90 days is what `history` says by itself.
    turn_back(daemon, "unused", 89)
    turn_back(daemon, "unused Late", 89)
    turn_back(daemon, "unused Lists/b", 91)
    turn_back(daemon, "unused Other", 91)
    daemon.write(stays.account(watch % "") + goes.account())
    with daemon:
        live.wait("the account to be back", lambda: known(
            daemon, goes.name) == (["INBOX"], []))
        live.wait("the mailboxes to be forgotten", lambda: known(
            daemon, stays.name) == (
                ["INBOX", "Late", "Lists/a"], ["unused Late"]))
    live.same(daemon.rows("SELECT name FROM facts WHERE name LIKE '%Lists/b'"
                          " OR name LIKE '%Other'"), [], "facts")


if __name__ == "__main__":
    live.main(300)
