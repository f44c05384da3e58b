#!/usr/bin/env -S python3 -B
"""Whom belfryd speaks to, and how its connections are set up.

strace(1) writes down every address and socket option, while the daemon logs in,
moves, forwards, runs a command, tells a webhook and reads its configuration
anew. Only what the configuration names may be met.
"""

import http.server
import os
import re
import shutil
import signal
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402
from overheard import ASKED_OF_KERNEL, RESOLVER, Overheard  # noqa: E402


class Hook(http.server.BaseHTTPRequestHandler):
    told = []

    def do_POST(self):
        Hook.told.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def ports_of(text):
    return set(re.findall(r"(?:localhost|127\.0\.0\.1):(\d+)", text))


@live.case
def only_what_is_configured(servers):
    user = servers.user()
    server = http.server.HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    daemon = Overheard(servers, "")
    note = daemon.script("note", "echo ran >>%s\n" % daemon.path("notes"))
    text = user.account() + """
[rule all]
when = subject has please
exec = %s
forward = deputy@example.org
move = Done
create = yes
notify = yes
[notifier phone]
type = webhook
format = json
url = http://127.0.0.1:%d/belfry
""" % (note, server.server_port)
    daemon.write(text)
    daemon.start()
    try:
        daemon.wait_watching()
        user.deliver(live.message("please"))
        live.wait("the forward", lambda: len(user.sent()) == 1)
        user.wait_subjects("Done", ["please"])
        live.wait("the webhook", lambda: Hook.told)
        daemon.signal(signal.SIGHUP)
        daemon.wait_watching()
        live.same(daemon.stop(), 0, "exit status")
    finally:
        server.shutdown()
    check_met(daemon.outside(), ports_of(text))
    check_options(daemon.heard(), ports_of(text))


def check_met(outside, ports):
    strangers = {(address, port) for address, port in outside
                 if address not in ("127.0.0.1", "::1", "::ffff:127.0.0.1")
                 and port != RESOLVER}
    live.same(strangers, set(), "others that were spoken to")
    others = {port for _, port in outside} - ports
    live.same(others - {ASKED_OF_KERNEL, RESOLVER, None}, set(),
              "ports that are not configured")
    live.check(len({p for _, p in outside} & ports) >= 3,
               "IMAP, SMTP and webhook: %r of %r", outside, ports)


def check_options(heard, ports):
    """Both, on every connection to a mail server: RFC 1122 and RFC 5482."""
    said = "\n".join(heard)
    live.check(ports, "no ports")
    connections = len(re.findall(
        r"connect\(\d+, \{sa_family=AF_INET, sin_port=htons\((?:%s)\)"
        % "|".join(ports), said))
    for option in ("SO_KEEPALIVE, [1]", "TCP_USER_TIMEOUT, ["):
        live.check(said.count(option) >= 2, "%s was set %d times on %d "
                   "connections", option, said.count(option), connections)


if __name__ == "__main__":
    if not shutil.which("strace"):
        print("strace is not installed")
        sys.exit(77)
    live.main()
