#!/usr/bin/env -S python3 -B
"""One-time codes: seen and copied, also after a restart, and kept nowhere."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import desktop  # noqa: E402
import live  # noqa: E402

SAID = "741 852 is your login code"
HIDDEN = "*** *** is your login code"
ALL = ("741 852", "741852")


def check_kept_nowhere(daemon, *codes):
    """Nor in pages that are free, nor in what is not written back yet."""
    runs = daemon.process.poll() is None
    for place in [daemon.log()] + ([str(daemon.history())] if runs else []):
        for code in codes:
            live.check(code not in place, "%s was kept: %s", code, place)
    for name in os.listdir(daemon.state):
        with open(os.path.join(daemon.state, name), "rb") as file:
            kept = file.read()
        for code in codes:
            live.check(code.encode() not in kept, "%s is in %s", code, name)


def copied(noted, code):
    live.wait("copied", lambda: os.path.exists(noted) and
              live.read(noted) == code)


@live.case
def shown_and_not_kept(servers):
    user = servers.user()
    screen = desktop.Desktop(servers, "codes1")
    command, noted = desktop.copier(servers, "code")
    daemon = live.Daemon(servers, "", env=screen.env)
    ran = daemon.path("ran")
    script = daemon.script("run", 'echo "$1/$BELFRY_SUBJECT" >%s\n' % ran)
    rules = ("[rule title]\nwhen = subject ~ /(?<code>\\d{6})$/\n"
             "notify = yes\ntitle = Code ${code}\n"
             "exec = %s ${subject}\n"
             "[rule body]\nwhen = body ~ /code is (?<c>\\d{6})/\n"
             "notify = yes\ntitle = Of the text: ${c}\n"
             "[rule seen]\nmode = observe\nwhen = subject ~ /code/\n"
             "exec = %s ${subject}\n" % (script, script))
    desktop.write(daemon, user.account() + desktop.NOTIFIER + rules, command)
    with daemon:
        daemon.wait_watching()
        user.deliver(
            live.message("Sign in", body="Your login code is 482913.\n"),
            live.message("Order 482914 sent", body="Thank you.\n"))
        live.check("copy" in screen.actions("Of the text: 482913"),
                   "no button")
        live.check("copy" not in screen.actions("Order 482914 sent"), "a button")
        screen.press("Of the text: 482913", "copy")
        copied(noted, "482913")
        user.deliver(live.message(SAID))
        live.check("copy" in screen.actions(SAID), "no button")
        user.deliver(live.message("Your login code: 369258"))
        live.check("copy" in screen.actions("Code 369258"), "no button")
        live.wait("the command ran", lambda: os.path.exists(ran))
        said = "Your login code: 369258"
        live.same(live.read(ran), "%s/%s\n" % (said, said), "the command")
        live.wait("judged", lambda: any(
            message["subject"] == HIDDEN for message in daemon.history()))
        live.check("*** ***" in daemon.log(), "not in the log")
        check_kept_nowhere(daemon, "482913", "369258", *ALL)
    check_kept_nowhere(daemon, "482913", "369258", *ALL)


@live.case
def told_after_a_restart(servers):
    """What waited for a screen, what a phone is told later, and a command that
    did not begin: all have the code, as the server has said it again."""
    user = servers.user()
    screen = desktop.Desktop(servers, "codes2")
    command, noted = desktop.copier(servers, "again")
    daemon = live.Daemon(servers, "", env={"BELFRY_DESKTOP": "/bin/false"})
    rang = daemon.path("rang")
    phone = daemon.script("phone", 'cat >/dev/null; echo "$BELFRY_TITLE: '
                          '$BELFRY_TEXT ($BELFRY_SUBJECT)" >%s\n' % rang)
    rules = ("[notifier phone]\ntype = exec\ncommand = %s\n"
             "[rule both]\nwhen = subject ~ /(\\d+ \\d+) is/\n"
             "notify = yes\nvia = mock\n"
             "escalate = phone after 10s unless read\n"
             "[rule body]\nwhen = body ~ /code is (?<c>\\d{6})/\n"
             "notify = yes\nvia = mock\ntitle = It is ${c}\n" % phone)
    desktop.write(daemon, user.account() + desktop.NOTIFIER + rules, command)
    with daemon:
        daemon.wait_watching()
        user.deliver(live.message(SAID, body="Dear Ann\n"), live.message(
            "Sign in", body="Your login code is 482913.\n"))
        live.wait("judged", lambda: len(daemon.history()) == 2)
        check_kept_nowhere(daemon, "482913", *ALL)
    check_kept_nowhere(daemon, "482913", *ALL)
    daemon.env.update(screen.env)
    with daemon:
        live.same(screen.request(SAID)["preview"], "Dear Ann", "preview")
        live.check("copy" in screen.actions("It is 482913"), "no button")
        screen.press(SAID, "copy")
        copied(noted, "741852")
        live.wait("the phone rang", lambda: os.path.exists(rang))
        live.same(live.read(rang), "Some Body: %s (%s)\n" % (SAID, SAID),
                  "it said")
        check_kept_nowhere(daemon, "482913", *ALL)


@live.case
def shown_again(servers):
    """On the screen at a restart: the next one has the code and the button,
    and says how the message begins."""
    user = servers.user()
    screen = desktop.Desktop(servers, "codes3")
    command, noted = desktop.copier(servers, "third")
    daemon = live.Daemon(servers, "", env=screen.env)
    desktop.write(daemon, user.account() + desktop.NOTIFIER, command)
    with daemon:
        daemon.wait_watching()
        for message in (live.message(SAID, body="Dear Ann\n"),
                        live.message("Lunch", body="At noon?\n")):
            user.deliver(message)
        before = {text: screen.request(text)["key"]
                  for text in (SAID, "Lunch")}
        live.wait("all is told", lambda: all(
            "shown by mock" in str(m["effects"]) for m in daemon.history()))
    with daemon:
        for text, preview in ((SAID, "Dear Ann"), ("Lunch", "At noon?")):
            live.wait("anew", lambda t=text: screen.request(t)["key"] !=
                      before[t])
            again = screen.request(text)
            live.same((again["preview"], again["sound"]), (preview, ""),
                      text)
        screen.press(SAID, "copy")
        copied(noted, "741852")
        live.check("copy" not in screen.actions("Lunch"), "a button")
        check_kept_nowhere(daemon, *ALL)


if __name__ == "__main__":
    live.main()
