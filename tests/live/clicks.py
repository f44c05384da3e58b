#!/usr/bin/env -S python3 -B
"""A real desktop: belfry-desktop, a session bus, and dunst on a virtual screen.
What is clicked there happens on the server. Leaves pictures in artifacts/."""

import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402
import screen as screens  # noqa: E402

BUTTON_AT = (590, 45)


def wait_shown(screen, count):
    live.wait("%d on the screen" % count, lambda: screen.run(
        "dunstctl", "count", "displayed").strip() == str(count))


def choose(screen, label):
    screen.write("chosen", label)
    screen.run("dunstctl", "context")


@live.case
def clicks(servers):
    user = servers.user()
    with screens.Screen("dunst", os.path.join(servers.dir, "screen")) as screen:
        screen.start_service()
        look(screen, user, servers)


def look(screen, user, servers):
    noted = os.path.join(screen.dir, "noted")
    command = screen.script("note", "echo \"$*\" >>%s" % noted)
    copied = os.path.join(screen.dir, "copied")
    text = ("[notifier screen]\ntype = desktop\n\n" + user.account(
        "open_command = %s ${url}\n" % command))
    daemon = live.Daemon(servers, text, env=screen.env)
    config = live.read(daemon.config)
    with open(daemon.config, "w", encoding="utf-8") as file:
        file.write(config.replace("[daemon]\n", "[daemon]\ncopy_command = %s\n"
                                  % screen.script("copy", "exec cat >%s"
                                                  % copied), 1))
    with daemon:
        daemon.wait_watching()
        user.deliver(live.message(
            "Lunch at <noon>?", "Ann Bell <ann@bell.example>",
            body="Täglich & überall: the <i>usual</i> place?\n",
            message_id="<lunch@bell.example>", headers=[
                "MIME-Version: 1.0",
                "Content-Type: text/plain; charset=utf-8"]))
        wait_shown(screen, 1)
        screen.picture("notification-preview")
        screen.click(*BUTTON_AT)
        live.wait("opened", lambda: os.path.exists(noted) and
                  live.read(noted) == "mid:lunch@bell.example\n")
        wait_shown(screen, 0)

        user.deliver(live.message("Sign in to Example",
                                  body="Your login code is 482913.\n"))
        wait_shown(screen, 1)
        screen.picture("notification-code")
        choose(screen, "Copy code")
        live.wait("copied", lambda: os.path.exists(copied) and
                  live.read(copied) == "482913")
        choose(screen, "Archive")
        user.wait_subjects("Archive", ["Sign in to Example"])
        wait_shown(screen, 0)

        # The service ends, and comes back: what is unread is shown again.
        user.deliver(live.message("still unread"))
        wait_shown(screen, 1)
        screen.end_service(signal.SIGKILL)
        daemon.wait_log("notifications wait for it")
        screen.start_service()
        wait_shown(screen, 1)
        choose(screen, "Mark read")
        live.wait("read", lambda: user.flags("INBOX", "still unread") ==
                  ["\\Seen"])


if __name__ == "__main__":
    for program in screens.missing("dunst"):
        print("skipped: there is no " + program)
        sys.exit(77)
    live.main()
