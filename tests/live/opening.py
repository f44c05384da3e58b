#!/usr/bin/env -S python3 -B
"""Messages that are opened from a notification, and those that rules have
moved before it was shown."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import desktop  # noqa: E402
import live  # noqa: E402


def opener(servers, name):
    """A command that notes down what it is run with."""
    noted = os.path.join(servers.dir, name + ".opened")
    path = os.path.join(servers.dir, name + "-open")
    with open(path, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\necho \"$* token=$XDG_ACTIVATION_TOKEN\" >>%s\n"
                   "test \"$2\" != INBOX/broken || { echo no such window >&2;"
                   " exit 3; }\n" % noted)
    os.chmod(path, 0o700)
    return path, noted


@live.case
def where_rules_have_put_it(servers):
    """Also where nobody watches: a visitor does it."""
    user = servers.user()
    user.create("Lists")
    screen = desktop.Desktop(servers, "desktop5")
    rules = ("[rule move]\nwhen = subject ~ /^list/\nmove = Lists\n"
             "notify = yes\n\n"
             "[rule trash]\nwhen = subject is rubbish\ntrash = yes\n"
             "notify = yes\n\n"
             "[rule read]\nwhen = subject is known\nmark = read\n"
             "notify = yes\n")
    with live.Daemon(servers, user.account() + desktop.NOTIFIER + rules,
                     env=screen.env) as daemon:
        daemon.wait_watching()
        user.deliver(*desktop.letters("list 1", "list 2", "rubbish", "known"))
        screen.wait("list 1", "list 2", "rubbish", "known")
        live.same([a for a in screen.actions("rubbish") if a != "default"],
                  ["read", "archive"], "in the trash")
        live.same([a for a in screen.actions("known") if a != "default"],
                  ["archive", "trash"], "read already")
        user.wait_subjects("Lists", ["list 1", "list 2"])
        # The second waits for the first one's run.
        screen.press("list 1", "read")
        screen.press("list 2", "archive")
        user.wait_subjects("Archive", ["list 2"])
        live.wait("read",
                  lambda: "\\Seen" in user.flags("Lists", "list 1"))


@live.case
def open_it(servers):
    user = servers.user()
    command, noted = opener(servers, "open")
    screen = desktop.Desktop(servers, "desktop6")
    text = user.account("open_command = %s ${url} ${mailbox}/${uid}\n"
                        % command)
    with live.Daemon(servers, text + desktop.NOTIFIER,
                     env=screen.env) as daemon:
        daemon.wait_watching()
        user.deliver(live.message("one", message_id="<a/b?c@d>"))
        screen.wait("one")
        screen.press("one", "default", "\ttoken=from-the-desktop")
        live.wait("opened", lambda: os.path.exists(noted) and
                  live.read(noted) ==
                  "mid:a%2Fb%3Fc@d INBOX/1 token=from-the-desktop\n")
        # Many: the newest is opened, all are read by one button.
        daemon.ctl("pause", user.name)
        user.deliver(*desktop.letters(*["m%d" % i for i in range(12)]))
        daemon.ctl("resume", user.name)
        title = live.wait("a summary", lambda: [
            text for text in screen.requests() if "new messages" in text])[0]
        live.check(title.endswith(" in " + user.name), "%s", title)
        count = int(title.split()[0])
        live.same(screen.actions(title), ["default", "read-all"], "summary")
        screen.press(title, "read-all")
        live.wait("all are read", lambda: all(
            user.flags("INBOX", "m%d" % i) == ["\\Seen"]
            for i in range(12 - count, 12)))
        live.same(user.flags("INBOX", "m0"), [], "shown by itself")


@live.case
def webmail_instead(servers):
    """No mail program takes mid: addresses: the provider's inbox."""
    user = servers.user()
    folder = os.path.join(servers.dir, "programs")
    noted = os.path.join(folder, "noted")
    os.mkdir(folder)
    with open(os.path.join(folder, "xdg-open"), "w",
              encoding="utf-8") as file:
        file.write("#!/bin/sh\necho \"$*\" >>%s\n"
                   "case $1 in mid:*) exit 3 ;; esac\n" % noted)
    os.chmod(file.name, 0o700)
    screen = desktop.Desktop(servers, "desktop7")
    path = folder + ":" + os.environ["PATH"]
    with live.Daemon(servers, user.account("provider = gmx-com\n") +
                     desktop.NOTIFIER, env={**screen.env, "PATH": path}
                     ) as daemon:
        daemon.wait_watching()
        user.deliver(live.message("one", message_id="<a@b>"),
                     live.message("none", message_id="nonsense"))
        screen.wait("none", "one")
        screen.press("one", "default")
        inbox = "https://www.gmx.com/\n"
        live.wait("opened", lambda: live.read(noted) == "mid:a@b\n" + inbox)
        screen.press("none", "default")
        live.wait("opened", lambda: live.read(noted).endswith(inbox * 2))
        # One of the person's own.
        webmail = "https://mail.example.org/?_uid="
        daemon.write(user.account("provider = gmx-com\nwebmail = %s${uid}\n" %
                                  webmail) + desktop.NOTIFIER)
        daemon.ctl("reload")
        daemon.wait_watching()
        user.deliver(live.message("three"))
        screen.wait("three")
        screen.press("three", "default")
        live.wait("opened", lambda: live.read(noted).endswith(
            inbox + webmail + "3\n"))


if __name__ == "__main__":
    live.main()
