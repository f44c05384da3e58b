#!/usr/bin/env -S python3 -B
"""Files of lists, read again while the daemon runs."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402


def put(path, text):
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(path + ".new", path)


def deliver(user, sender, subject):
    user.deliver(live.message(subject, sender=sender))


@live.case
def follows_its_file(servers):
    """Replaced, written in place, gone, too large, and back again."""
    user = servers.user()
    daemon = live.Daemon(servers, "")
    friends = daemon.path("friends")
    put(friends, "# nobody yet\n\n")
    daemon.write(user.account() +
                 "[rule f]\nwhen = from in @file:%s\nmove = Friends\n"
                 "create = yes\n" % friends)
    with daemon:
        daemon.wait_watching()
        deliver(user, "ann@one.example", "not yet")
        daemon.wait_log(" judged account", 1)
        put(friends, "ann@ONE.example\n")
        deliver(user, "ann@one.example", "replaced")
        daemon.wait_log(" judged account", 2)
        with open(friends, "a", encoding="utf-8") as file:
            file.write("@m\u00fcnchen.example\n")
        deliver(user, "bob@mail.xn--mnchen-3ya.example", "appended")
        daemon.wait_log(" judged account", 3)
        os.unlink(friends)
        deliver(user, "ann@one.example", "gone")
        deliver(user, "ann@one.example", "still gone")
        daemon.wait_log(" judged account", 5)
        with open(friends, "w", encoding="utf-8") as file:
            file.truncate(5 * 1024 * 1024)
        deliver(user, "ann@one.example", "too large")
        daemon.wait_log(" judged account", 6)
        put(friends, "carl@two.example\n")
        deliver(user, "ann@one.example", "no friend any more")
        deliver(user, "carl@two.example", "back")
        daemon.wait_log(" judged account", 8)
        user.wait_subjects("Friends", ["replaced", "appended", "gone",
                                       "still gone", "too large", "back"])
        live.same(daemon.log().count("list-trouble"), 1, "complaints")
        live.same(daemon.log().count("list-read"), 1, "reliefs")


@live.case
def counts_what_rules_do(servers):
    """Beside the daemon, over a reload, and without a daemon."""
    user = servers.user()
    daemon = live.Daemon(servers, user.account() + """
[rule quiet]
when = subject has nothing like this
mark = flagged

[rule looks]
when = subject has news
move = News
mode = observe

[rule once]
when = subject has news
mark = flagged
limit = 1/day
""")
    with daemon:
        daemon.wait_watching()
        user.deliver(live.message("news 1"))
        daemon.wait_log(" judged account", 1)
        user.deliver(live.message("news 2"))
        daemon.wait_log(" judged account", 2)
        daemon.wait_watching()
        live.wait("the counts", lambda: stats(daemon, "once")["hits"] == 1)
        live.same(stats(daemon, "once")["over_limit"], 1, "over the limit")
        live.same(stats(daemon, "looks")["observed"], 2, "observed")
        live.same(stats(daemon, "quiet")["hits"], 0, "hits of the quiet rule")
        live.same([m["observed"] for m in daemon.history()],
                  ["looks: move to News\n"
                   "once: mark flagged, but it is over its limit",
                   "looks: move to News"], "what they would have done")
        daemon.ctl("reload")
        live.check(stats(daemon, "quiet")["measured"] >= 1,
                   "no judgement was measured")
    live.same(stats(daemon, "once")["hits"], 1, "hits, without a daemon")


def stats(daemon, rule):
    rules = daemon.ctl("rules")["rules"]
    return {r["rule"]: r["stats"] for r in rules}[rule]


if __name__ == "__main__":
    live.main()
