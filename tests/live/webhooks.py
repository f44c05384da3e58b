#!/usr/bin/env -S python3 -B
"""Webhooks against an HTTPS service that is slow, busy, picky, or away."""

import http.server
import json
import os
import ssl
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import desktop  # noqa: E402
import live  # noqa: E402

TOKEN = "canary-token-7f3a"
SOON = {"Retry-After": "1"}


class Service:
    """Notes what it is asked, and answers what it is told: (status, header
    fields, body, seconds of waiting); 200 when nothing is left."""

    def __init__(self, servers, *answers):
        self.asked = []
        self.answers = list(answers)
        self.server = None
        self.port = 0
        self.servers = servers
        self.open()

    def open(self):
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length).decode()
                service.asked.append(
                    (self.command, self.path, dict(self.headers), body))
                status, fields, text, delay = (
                    service.answers.pop(0) if service.answers
                    else (200, {}, '{"id": 25}', 0))
                time.sleep(delay)
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            do_POST = do_DELETE = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls = os.path.join(self.servers.dir, "tls", "server")
        context.load_cert_chain(tls + ".crt", tls + ".key")
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def wait(self, count):
        live.wait("%d requests" % count, lambda: len(self.asked) >= count)
        live.same(len(self.asked), count, "requests")
        return self.asked[-1]

    def section(self, path, keys):
        return ("[notifier hook]\ntype = webhook\n"
                "url = https://localhost:%d%s\ntls_ca_file = %s\n%s\n" %
                (self.port, path, self.servers.env["SERVERS_CA"], keys))


def token_command(daemon_or_folder, name, first):
    """Prints `first`, and the next time the right one."""
    path = os.path.join(daemon_or_folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n[ -e %s.asked ] && echo %s || echo %s\n"
                   "touch %s.asked\n" % (path, TOKEN, first, path))
    os.chmod(path, 0o700)
    return path


@live.case
def ntfy(servers):
    """Busy twice, then a token that is not good any more; taken back."""
    user = servers.user()
    service = Service(servers, (429, SOON, "", 0), (503, SOON, "", 0))
    keys = "format = ntfy\ntoken_command = " + token_command(
        servers.dir, "token", "old")
    with live.Daemon(servers,
                     user.account() + service.section("/ann", keys)) as daemon:
        daemon.wait_watching()
        user.deliver(live.message("one"))
        _, path, fields, body = service.wait(3)
        live.same((path, body), ("/ann", "one"), "what was posted")
        live.same(fields["Authorization"], "Bearer old", "the token")
        keys = {asked[2]["X-Sequence-ID"] for asked in service.asked}
        live.same(len(keys), 1, "sequence ids")
        service.answers = [(401, {}, "", 0)]
        user.deliver(live.message("two"))
        live.same(service.wait(5)[2]["Authorization"], "Bearer " + TOKEN,
                  "the second token")
        desktop.change(user, "one", "STORE", "+FLAGS", "(\\Seen)")
        verb, path, fields, _ = service.wait(6)
        live.same((verb, path, fields["Authorization"]),
                  ("DELETE", "/ann/" + keys.pop(), "Bearer " + TOKEN),
                  "taken back")
        live.check(TOKEN not in daemon.log(), "the log has the token")
        live.same(len(daemon.logged("notifier-away")), 1, "times it was told")
    service.close()


@live.case
def gotify(servers):
    user = servers.user()
    user.create("Elsewhere")
    service = Service(servers, (200, {}, '{"id": 77}', 2))
    keys = ("format = gotify\nheader = X-Gotify-Key: app\n"
            "cancel_token_command = echo client")
    with live.Daemon(
            servers, user.account() +
            service.section("/message", keys)) as daemon:
        daemon.wait_watching()
        user.deliver(live.message("one"))
        _, path, fields, body = service.wait(1)
        live.same((path, fields["X-Gotify-Key"], json.loads(body)["message"]),
                  ("/message", "app", "one"), "what was posted")
        desktop.change(user, "one", "MOVE", "Elsewhere")
        verb, path, fields, _ = service.wait(2)
        live.same((verb, path), ("DELETE", "/message/77"), "taken back")
        live.check("client" in fields.values(), "the client's token")
    service.close()


@live.case
def taking_back_waits(servers):
    """For a keyring that is locked; what is read meanwhile waits behind it."""
    user = servers.user()
    service = Service(servers, (200, {}, '{"id": 1}', 0),
                      (200, {}, '{"id": 2}', 0))
    with live.Daemon(servers, user.account()) as daemon:
        daemon.wait_watching()
        asked = daemon.path("asked")
        token = daemon.script("keyring", "echo >>%s\n[ $(wc -l <%s) -gt 1 ] && "
                              "echo client\n" % (asked, asked))
        daemon.write(user.account() + service.section(
            "/message", "format = gotify\nheader = X-Gotify-Key: app\n"
            "cancel_token_command = " + token))
        daemon.ctl("reload")
        for number, name in enumerate(("one", "two"), 1):
            user.deliver(live.message(name))
            service.wait(number)
        daemon.wait_log("done.*shown by hook", 2)
        desktop.change(user, "one", "STORE", "+FLAGS", "(\\Seen)")
        live.wait("the keyring", lambda: live.read(asked))
        desktop.change(user, "two", "STORE", "+FLAGS", "(\\Seen)")
        live.stays("waits", lambda: live.read(asked) == "\n", 2)
        service.wait(4)
        live.same([each[1] for each in service.asked[2:]],
                  ["/message/1", "/message/2"], "taken back")
    service.close()


@live.case
def template(servers):
    """Refused for good: told once. Then taken, and taken back."""
    user = servers.user()
    service = Service(servers, (400, {}, "", 0), (422, {}, "", 0))
    subject = 'a "b" \\ ${title} \u00e4'
    keys = ('body = {"text": "${title}: ${body}", "chat": 7}\n'
            "cancel_url = https://localhost:%d/x/${id}?k=${key}" % service.port)
    with live.Daemon(servers,
                     user.account() + service.section("/hook", keys)) as daemon:
        daemon.wait_watching()
        user.deliver(live.message("lost"), live.message("lost, too"))
        service.wait(2)
        daemon.wait_log("notifier-refused.*400")
        live.same(len(daemon.logged("notifier-refused")), 1, "times told")
        user.deliver(live.message(subject))
        body = json.loads(service.wait(3)[3])
        live.same(body, {"text": "Some Body: " + subject, "chat": 7},
                  "what was posted")
        desktop.change(user, "a ", "STORE", "+FLAGS", "(\\Deleted)")
        verb, path, _, _ = service.wait(4)
        live.check((verb, path[:15]) == ("DELETE", "/x/25?k=belfry-"),
                   "taken back at %s", path)
    service.close()


@live.case
def away_over_a_restart(servers):
    """What was read or moved meanwhile is not posted."""
    user = servers.user()
    user.create("Elsewhere")
    service = Service(servers)
    text = user.account() + service.section("/ann", "format = ntfy")
    service.close()
    with live.Daemon(servers, text) as daemon:
        daemon.wait_watching()
        user.deliver(*desktop.letters(
            "kept", "read", "too", "read while down", "moved while down"))
        daemon.wait_log("notifier-away")
        desktop.change(user, "read", "STORE", "+FLAGS", "(\\Seen)")
        daemon.wait_log("done.*uid=2 ")
        daemon.kill()
        desktop.change(user, "read while", "STORE", "+FLAGS", "(\\Seen)")
        desktop.change(user, "moved", "MOVE", "Elsewhere")
        service.open()
        daemon.start()
        bodies = lambda: sorted(asked[3] for asked in service.asked)
        live.wait("both", lambda: bodies() == ["kept", "too"])
        daemon.wait_log("done.*shown by hook", 2)
        live.stays("no other", lambda: bodies() == ["kept", "too"], 1)
    service.close()


def taken_back_after_a_restart(servers, path, keys, answers, wanted):
    """One is read while the daemon is down, the other afterwards."""
    user = servers.user()
    service = Service(servers, *answers)
    with live.Daemon(servers, user.account() +
                     service.section(path, keys)) as daemon:
        daemon.wait_watching()
        user.deliver(live.message("one"))
        service.wait(1)
        user.deliver(live.message("two"))
        service.wait(2)
        daemon.wait_log("done.*shown by hook", 2)
        own = [asked[2].get("X-Sequence-ID") for asked in service.asked]
        daemon.kill()
        desktop.change(user, "one", "STORE", "+FLAGS", "(\\Seen)")
        daemon.start()
        verb, where, _, _ = service.wait(3)
        live.same((verb, where), ("DELETE", wanted(own, 0)), "the first")
        daemon.wait_watching()
        desktop.change(user, "two", "STORE", "+FLAGS", "(\\Deleted)")
        verb, where, _, _ = service.wait(4)
        live.same((verb, where), ("DELETE", wanted(own, 1)), "the second")
        live.stays("answered", lambda: len(service.asked) == 4, 1)
        live.same(daemon.stop(), 0, "exit status")
        daemon.start()
        daemon.wait_watching()
        live.stays("nothing more", lambda: len(service.asked) == 4)
    service.close()


@live.case
def ntfy_over_a_restart(servers):
    taken_back_after_a_restart(
        servers, "/ann", "format = ntfy", [],
        lambda own, number: "/ann/" + own[number])


@live.case
def gotify_over_a_restart(servers):
    taken_back_after_a_restart(
        servers, "/message",
        "format = gotify\nheader = X-Gotify-Key: app\n"
        "cancel_token_command = echo client",
        [(200, {}, '{"id": 501}', 0), (200, {}, '{"id": 502}', 0)],
        lambda _, number: "/message/%d" % (501 + number))


@live.case
def a_summary_over_a_restart(servers):
    """Six in one go are one request, which goes when the last is read."""
    user = servers.user()
    service = Service(servers)
    with live.Daemon(servers, user.account() + service.section(
            "/ann", "format = ntfy")) as daemon:
        daemon.wait_watching()
        names = ["letter %s" % letter for letter in "abcdefghijkl"]
        user.deliver(*desktop.letters(*names))
        live.wait("all, in the history, which a kill does not change",
                  lambda: [e["state"] for m in daemon.history()
                           for e in m["effects"]] == 12 * ["done"])
        posted = len(service.asked)
        live.check(posted < 12, "no summary in %d", posted)
        key = service.asked[-1][2]["X-Sequence-ID"]
        daemon.kill()
        daemon.start()
        daemon.wait_watching()
        for name in names:
            desktop.change(user, name, "STORE", "+FLAGS", "(\\Seen)")
        service.wait(2 * posted)
        live.check(("DELETE", "/ann/" + key) in
                   [asked[:2] for asked in service.asked], "the summary")
    service.close()


@live.case
def no_second_ring_after_a_restart(servers):
    """What one notifier has shown, and another one not, when belfryd dies."""
    user = servers.user()
    service = Service(servers)
    section = service.section("/ann", "format = ntfy")
    service.close()
    with live.Daemon(servers, user.account()) as daemon:
        daemon.wait_watching()
        bell = daemon.script(
            "bell", "echo \"$BELFRY_SUBJECT\" >>%s\n" % daemon.path("bells"))
        daemon.write(user.account() + section +
                     "[notifier bell]\ntype = exec\ncommand = %s\n" % bell)
        daemon.ctl("reload")
        daemon.wait_watching()
        user.deliver(live.message("once"))
        # Until that is durable it may ring again: belfry-delivery(7), W3.
        live.wait("the bell", lambda: daemon.fact("shown bell INBOX"))
        daemon.wait_log("notifier-away")
        daemon.kill()
        service.open()
        daemon.start()
        live.same(service.wait(1)[3], "once", "the webhook")
        daemon.wait_log("done.*shown by hook")
        live.same(live.read(daemon.path("bells")), "once\n", "the bell")
    service.close()


if __name__ == "__main__":
    live.main()
