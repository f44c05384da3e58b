#!/usr/bin/env -S python3 -B
"""belfryctl probe: the way of a message, and nothing left behind."""

import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402

RULE = "[rule all]\nwhen = all\nmark = $Judged\n"
STEPS = ["login", "create", "watch", "second_login", "append", "push", "fetch"]


@live.case
def times_the_way(servers):
    user = servers.user()
    with live.Daemon(servers, user.account() + RULE) as daemon:
        daemon.wait_watching()
        answer = daemon.ctl("probe", user.name)
        print("   ", ["%s %d" % (s["step"], s["ms"])
                      for s in answer["steps"]])
        live.same([s["step"] for s in answer["steps"]], STEPS, "steps")
        live.same((answer["arrived"], answer["remains"], answer["trouble"]),
                  (True, False, None), "outcome")
        live.check("Belfry-Probe" not in user.mailboxes(), "it is there")
        live.same(daemon.history(), [], "history")
        live.same(len(daemon.logged("info connected")), 1, "connections")
        # Once more, elsewhere.
        answer = daemon.ctl("probe", user.name, "--mailbox", "Far/Away")
        live.same(answer["trouble"], None, "trouble")
        live.check("Far/Away" not in user.mailboxes(), "it is there")


@live.case
def leaves_alone_what_is_there(servers):
    user = servers.user()
    user.create("Belfry-Probe")
    with live.Daemon(servers, user.account()) as daemon:
        daemon.wait_watching()
        answer = daemon.ctl("probe", user.name, code=None)
        live.check("is not touched" in answer["error"], "%r", answer)
        live.check("Belfry-Probe" in user.mailboxes(), "it is gone")
        daemon.ctl("probe", "nobody", code=None)
        # Made behind our back: CREATE is refused.
        user.create("Later")
        answer = daemon.ctl("probe", user.name, "--mailbox", "Later", code=1)
        live.check("cannot be made" in answer["trouble"], "%r", answer)
        live.check("Later" in user.mailboxes(), "it is gone")


@live.case
def those_that_listen_prove_themselves(servers):
    """The connection that watches is half-open, and new ones are well."""
    user = servers.user()
    with live.Daemon(servers, user.account()) as daemon:
        daemon.wait_watching()
        servers.signal_imap(signal.SIGSTOP, names=("imap",))
        try:
            answer = daemon.ctl("probe", user.name)
            live.same(answer["trouble"], None, "trouble")
            daemon.wait_log("trouble.*no answer to the end of IDLE")
        finally:
            servers.signal_imap(signal.SIGCONT, names=("imap",))
        daemon.wait_watching()


@live.case
def says_what_broke(servers):
    user = servers.user()
    with live.Daemon(servers, user.account()) as daemon:
        daemon.wait_watching()
        servers.tell("imap-stop")
        try:
            answer = daemon.ctl("probe", user.name, code=1)
            live.check(answer["trouble"], "%r", answer)
            live.same(answer["arrived"], False, "arrived")
        finally:
            servers.tell("imap-start")


if __name__ == "__main__":
    live.main()
