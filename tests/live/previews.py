#!/usr/bin/env -S python3 -B
"""How messages begin, and nothing but their number."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import desktop  # noqa: E402
import live  # noqa: E402

MARKUP = """MIME-Version: 1.0
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<html><head><style>p { color: red }</style></head><body>
<p>Gr=C3=BC=C3=9Fe &amp; <b>K=C3=BCsse</b><img src=3D"http://x.example/y"></p>
<script>alert(1)</script>\u202e
</body></html>
"""


def mail(subject, headers_and_text):
    """A message whose MIME headers are in the text."""
    head = live.message(subject).split(b"\r\n\r\n")[0]
    return (head + b"\r\n" +
            headers_and_text.replace("\n", "\r\n").encode())


@live.case
def previews(servers):
    user = servers.user()
    screen = desktop.Desktop(servers, "desktop7")
    with live.Daemon(servers, user.account() + desktop.NOTIFIER,
                     env=screen.env) as daemon:
        daemon.wait_watching()
        user.deliver(live.message("plain", body="Dear Ann,\nlunch?\n"),
                     mail("markup", MARKUP), mail("none", "\n"))
        live.same(screen.request("plain")["preview"], "Dear Ann, lunch?",
                  "plain")
        live.same(screen.request("markup")["preview"], "Grüße & Küsse",
                  "markup")
        live.same(screen.request("none")["preview"], "", "none")
        live.same(user.flags("INBOX", "plain"), [], "it is not read")
        live.check("lunch" not in daemon.log(), "it is in the log")
        daemon.write(user.account("preview = no\n") + desktop.NOTIFIER)
        daemon.ctl("reload")
        user.deliver(live.message("bare", body="Dear Ann,\nlunch?\n"))
        live.same(screen.request("bare")["preview"], "", "switched off")


@live.case
def of_what_a_rule_moves(servers):
    """It is asked before the move, as nobody can ask afterwards."""
    user = servers.user()
    user.create("Work")
    screen = desktop.Desktop(servers, "desktop12")
    rule = "\n[rule away]\nwhen = subject ~ /^away|code/\nmove = Work\n"
    text = user.account("watch = INBOX\n") + desktop.NOTIFIER + rule + \
        "notify = yes\n"
    command, _ = desktop.copier(servers, "moved")
    daemon = live.Daemon(servers, "", env=screen.env)
    desktop.write(daemon, text, command)
    with daemon:
        daemon.wait_watching()
        user.deliver(live.message("away", body="Dear Ann,\nlunch?\n"),
                     live.message("code", body="Your code is 481516.\n"))
        live.same(screen.request("away")["preview"], "Dear Ann, lunch?",
                  "preview")
        live.check("copy" in screen.actions("code"), "no button for the code")
        user.wait_subjects("Work", ["away", "code"])
        live.same(user.flags("Work", "away"), [], "it is not read")
        daemon.write(text.replace("[notifier", "preview = no\n[notifier", 1))
        daemon.ctl("reload")
        user.deliver(live.message("away too", body="Dear Ann\n"))
        live.same(screen.request("away too")["preview"], "", "switched off")


@live.case
def nothing_but_the_number(servers):
    user = servers.user()
    screen = desktop.Desktop(servers, "desktop9")
    with live.Daemon(servers, user.account("privacy = count\n") +
                     desktop.NOTIFIER, env=screen.env) as daemon:
        daemon.wait_watching()
        user.deliver(live.message("secret", body="Your code is 482913\n"))
        one = screen.request("New message in " + user.name)
        live.check("read" in one["actions"], "%r", one)
        user.deliver(live.message("secret 2"))
        two = screen.request("2 new messages in " + user.name)
        live.same(two["id"], one["id"], "it replaces the first")
        live.check("secret" not in live.read(screen.noted + ".all") and
                   "Some" not in live.read(screen.noted + ".all") and
                   "4829" not in live.read(screen.noted + ".all"), "said")
        screen.press("2 new messages in " + user.name, "read-all")
        live.wait("read", lambda: user.flags("INBOX", "secret 2") and
                  user.flags("INBOX", "secret"))


if __name__ == "__main__":
    live.main()
