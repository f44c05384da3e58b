#!/usr/bin/env -S python3 -B
"""belfryctl watch and a daemon that goes and comes: a message is told once,
whether the daemon, its history, or both tell of it."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading

BUILD = os.environ.get("BELFRY_BUILD", os.getcwd())
TIME = "2026-01-01T10:00:00Z"
HELLO = {"ok": True, "time": TIME, "event": "hello", "version": "1"}
REFUSAL = {"ok": False, "error": "no", "hint": None}
# Far more than a run takes.
PATIENCE_SECONDS = 60
# How long it is watched that something does not happen.
STILL_SECONDS = 1


def judged(uid, **more):
    return dict({"time": TIME, "event": "judged", "account": "work",
                 "mailbox": "INBOX", "uid": uid, "text": "x", "from": "a",
                 "subject": "s%d" % uid, "rules": ""}, **more)


def message(uid):
    return {"judged": TIME, "received": None, "account": "work",
            "mailbox": "INBOX", "uidvalidity": 1, "uid": uid,
            "message_id": "", "from": "a", "subject": "s%d" % uid,
            "rules": "r", "observed": "", "warnings": "", "effects": [
                {"rule": "r", "action": "notify", "what": "notify",
                 "state": "skipped", "detail": "it was read",
                 "changed": None}]}


def serve(server, answers, asked):
    """Each connection gets its lines."""
    for lines in answers:
        client, _ = server.accept()
        asked.append(json.loads(client.makefile().readline()))
        for line in lines:
            client.sendall(json.dumps(line).encode() + b"\n")
        client.close()


def run(answers, *words):
    """The lines, the exit code, and the requests; behind the last of them it is
    refused."""
    asked = []
    with tempfile.TemporaryDirectory(prefix="belfry-watch-") as folder:
        path = os.path.join(folder, "control")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path)
            server.listen(8)
            thread = threading.Thread(
                target=serve, args=(server, [*answers, [REFUSAL]], asked),
                daemon=True)
            thread.start()
            process = subprocess.run(
                [BUILD + "/belfryctl", "--socket", path, "watch", "--json",
                 *words], stdout=subprocess.PIPE, timeout=PATIENCE_SECONDS,
                check=False)
    lines = [json.loads(line) for line in process.stdout.splitlines()]
    return lines, process.returncode, asked


def same(got, wanted, what):
    if got != wanted:
        print("FAILED: %s: %r instead of %r" % (what, got, wanted))
        sys.exit(1)


def marks(lines):
    return [(line["uid"], line.get("missed", False)) for line in lines
            if line.get("event") == "judged"]


def told_once():
    answers = [
        [HELLO, judged(1)],
        # It listens again, and 3 is said while it asks for the history.
        [HELLO, judged(3), judged(4), judged(4)],
        [{"ok": True, "messages": [message(3), message(2), message(1)]}],
    ]
    lines, _, asked = run(answers)
    same([request["command"] for request in asked[:3]],
         ["watch", "watch", "history"], "requests")
    # A message that is judged once more, as by apply, is told once more.
    same(marks(lines)[:5], [(1, False), (2, True), (3, True), (4, False),
                            (4, False)], "what was judged")
    same(lines[5]["text"], "notify (skipped: it was read)",
         "what became of it")


def nobody_knows_how_much():
    many = [message(uid) for uid in range(2000, 1000, -1)]
    lines, _, _ = run([[HELLO], [HELLO], [{"ok": True, "messages": many}]])
    same(len(marks(lines)), 1000, "messages")
    same([line["event"] for line in lines if line.get("event") == "missed"],
         ["missed"], "that there may be more")


def a_refusal_ends_it():
    lines, code, _ = run([[HELLO]])
    same((lines[-1]["ok"], lines[-1]["error"], code), (False, "no", 1),
         "the end")


def or_the_option():
    lines, code, asked = run([[HELLO]], "--no-reconnect")
    same((lines[-1]["ok"], code, len(asked)), (False, 69, 1), "the end")


def ends_unread(server, is_there):
    """Its standard output is a socket, as some programs give to their children,
    and closed while it waits: for the daemon's next line, or for the daemon."""
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [BUILD + "/belfryctl", "--socket", server.getsockname(), "watch",
         "--json"], stdout=theirs)
    theirs.close()
    client, _ = server.accept()
    client.sendall(json.dumps(HELLO).encode() + b"\n")
    lines = ours.makefile()
    same(json.loads(lines.readline())["event"], "hello", "the beginning")
    if not is_there:
        server.close()
        client.close()
        same(json.loads(lines.readline())["event"], "lost", "the end")
    lines.close()
    ours.close()
    try:
        same(process.wait(PATIENCE_SECONDS), -signal.SIGPIPE, "the exit")
    finally:
        process.kill()
        client.close()


def nobody_reads_it():
    for is_there in (True, False):
        with tempfile.TemporaryDirectory(prefix="belfry-watch-") as folder:
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(os.path.join(folder, "control"))
                server.listen(8)
                ends_unread(server, is_there)


def the_configuration_is_being_written():
    """For a moment there is none, as editors and packages do it."""
    with tempfile.TemporaryDirectory(prefix="belfry-watch-") as folder, \
            socket.socket(socket.AF_UNIX) as server:
        config = os.path.join(folder, "belfry.conf")
        path = os.path.join(folder, "control")
        with open(config, "w", encoding="ascii") as file:
            file.write("[daemon]\ncontrol_socket = %s\n" % path)
        server.bind(path)
        server.listen(8)
        with subprocess.Popen([BUILD + "/belfryctl", "-c", config, "watch",
                               "--json"], stdout=subprocess.PIPE) as process:
            client, _ = server.accept()
            client.sendall(json.dumps(HELLO).encode() + b"\n")
            same(json.loads(process.stdout.readline())["event"], "hello",
                 "the beginning")
            os.rename(config, config + "~")
            client.close()
            same(json.loads(process.stdout.readline())["event"], "lost",
                 "the end")
            try:
                process.wait(STILL_SECONDS)
                same(process.returncode, None, "the exit")
            except subprocess.TimeoutExpired:
                pass
            os.rename(config + "~", config)
            client, _ = server.accept()
            client.close()
            process.terminate()


def main():
    for test in (the_configuration_is_being_written,
                 told_once, nobody_knows_how_much, a_refusal_ends_it,
                 or_the_option, nobody_reads_it):
        test()
        print("ok", test.__name__)


if __name__ == "__main__":
    main()
