#!/usr/bin/env -S python3 -B
"""Requests on the control socket that no belfryctl makes: members of another
kind, and members that are not the client's. Each has an answer or waits for
one, and belfryd lives."""

import json
import os
import select
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402

RULES = "[rule f]\nwhen = subject ~ /^forward/\nforward = you@example.org\n"
# A question may wait for a server; whether it does is not asked here.
ANSWER_SECONDS = 0.2

ODD = [None, True, False, 0, -1, 2**32, 2**63 - 1, -2**63, 1.5, "", "x",
       "all", "\x1b[2J\u202e", "x" * 3000, [], [None], [0], [""], ["x"],
       ["-1"], ["99999999999999999999"], [[]], [[["x"]]], [{}],
       [{"account": None}], [{"rule": 1}], [{"rule": "f"}, 5],
       [None] * 2000, {}, {"account": {}}, {"x": [{}]}]

# By command: members that are as they should be. Each in its turn is replaced
# by what is odd.
REQUESTS = [
    ("queue", {}),
    ("queue", {"action": "show", "ids": ["1"]}),
    ("queue", {"action": "retry", "ids": ["1"], "anyway": False}),
    ("queue", {"action": "retry", "account": "NAME"}),
    ("queue", {"action": "release", "ids": ["1"]}),
    ("queue", {"action": "drop", "account": "NAME"}),
    ("queue", {"action": "resume", "account": "NAME"}),
    ("status", {"follow": True}),
    ("history", {"account": "NAME", "mailbox": "INBOX", "rule": "f",
                 "since": 1, "until": 2, "outcomes": ["done"],
                 "observed": False, "skip": 0, "limit": 5}),
    ("report", {}),
    ("watch", {}),
    ("notify", {"text": "hello"}),
    ("login", {"account": "NAME"}),
    ("mailboxes", {"account": "NAME"}),
    ("explain", {"account": "NAME", "mailbox": "INBOX", "uid": 1}),
    ("apply", {"account": "NAME", "mailbox": "INBOX", "rules": [{"rule": "f"}],
               "since": 1, "until": 2, "notify": False, "dry_run": True,
               "cancel": False, "join": False}),
    ("undo", {"account": "NAME", "mailbox": "INBOX", "rule": "f", "uid": 1,
              "since": 1, "until": 2, "dry_run": True}),
    ("probe", {"account": "NAME", "mailbox": "Probe"}),
    ("pause", {"account": "NAME", "for_s": 60}),
    ("resume", {"account": "NAME"}),
    ("reload", {}),
    ("no such", {}),
]
# What the daemon's own answers have, and a request has not.
FOREIGN = ["refused", "items", "requests", "words", "hint"]


def ask(daemon, request):
    """Its first line, or None: it waits. Fails where there is no daemon."""
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(daemon.control)
        link.sendall(json.dumps(request).encode() + b"\n")
        answer = b""
        while b"\n" not in answer:
            if not select.select([link], [], [], ANSWER_SECONDS)[0]:
                return None
            piece = link.recv(65536)
            live.check(piece, "no answer to %.300s", json.dumps(request))
            answer += piece
    return json.loads(answer.partition(b"\n")[0])


def variants(members):
    yield members
    for name in [*members, *FOREIGN]:
        for value in ODD:
            yield {**members, name: value}


def alive(daemon, request):
    live.check(daemon.process.poll() is None, "belfryd died of %.300s",
               json.dumps(request))


@live.case
def odd_members(servers):
    user = servers.user()
    servers.fault("always auth 454 4.7.0 later")
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        user.deliver(live.message("forward it"))
        live.wait("the forward", lambda: [
            i["id"] for i in daemon.ctl("queue")["items"]] == [1])
        for command, members in REQUESTS:
            members = {name: user.name if value == "NAME" else value
                       for name, value in members.items()}
            for variant in variants(members):
                request = {"version": 1, "command": command, **variant}
                answer = ask(daemon, request)
                live.check(answer is None or isinstance(answer["ok"], bool),
                           "%s: %s", request, answer)
                if answer is None:
                    alive(daemon, request)
        live.same(daemon.ctl("queue", "show", "1")["items"][0]["state"],
                  "waiting", "the forward")


@live.case
def odd_requests(servers):
    """No request at all."""
    user = servers.user()
    with live.Daemon(servers, user.account()) as daemon:
        daemon.wait_watching()
        for value in ODD:
            for request in (value, {"version": value, "command": "status"},
                            {"version": 1, "command": value}):
                answer = ask(daemon, request)
                live.check(answer is not None and not answer["ok"],
                           "%s: %s", request, answer)
        live.same(daemon.status(user.name)["account"], user.name, "status")


if __name__ == "__main__":
    live.main()
