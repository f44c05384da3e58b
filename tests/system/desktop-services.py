#!/usr/bin/env -S python3 -B
"""belfry-desktop with the notification services that people run, each on a
screen and a session bus of its own: what a notification says is seen, its
buttons are clicked, it is replaced, withdrawn, dismissed, and shown again by a
service that was started anew. Leaves pictures in artifacts/.

The services of the list below; with arguments, these (mate,
notification-daemon and gnome-shell are known, too). One that is not installed
is passed over.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import screen as screens  # noqa: E402

STILL_SECONDS = 0.2
USUAL = ["dunst", "xfce4-notifyd", "mako"]
NEEDED = {"body", "body-markup", "actions"}
BODY = "Lunch at <noon>? T\u00e4glich & \u00fcberall: 5 > 3 &amp; <b>x</b>"
# Where a button is, in a popup that has these two: "Open" is a button of its
# own, or a click on the text; and what else asks for one.
OPEN_AND_READ = "default,read"
PLACES = {
    "xfce4-notifyd": ((0.25, -30), (0.75, -30)),
    "mate": ((0.4, 20), (0.85, -25)),
    "notification-daemon": ((0.4, 20), (0.85, -30)),
    "mako": ((0.5, 15), None),
    "dunst": ((0.5, 15), None),
}
# "Mark read", below three lines of text.
GNOME_BUTTON = (250, 170)


class Popup:
    """What differs from the bare screen."""

    def __init__(self, screen):
        self.screen = screen
        self.bare = []
        screens.wait("a bare screen", self.is_bare)

    def is_bare(self):
        """All of it has the same colour."""
        self.bare = self.screen.pixels()
        if len(self.bare) != screens.HEIGHT or len(set(self.bare)) > 1:
            return False
        row = self.bare[0]
        return row == row[:len(row) // screens.WIDTH] * screens.WIDTH

    def place(self):
        """(x, y, width, height), or None."""
        return screens.difference(self.bare, self.screen.pixels())

    def still(self):
        """The place, once it has come, and neither moves nor fades."""
        seen = [(0, None)]

        def is_still():
            now = self.screen.pixels()
            if now != seen[0][1]:
                seen[0] = (time.monotonic(), now)
            return (time.monotonic() - seen[0][0] > STILL_SECONDS and
                    screens.difference(self.bare, now))

        return screens.wait("a popup", is_still)

    def wait_gone(self):
        screens.wait("nothing on the screen", lambda: not self.place())

    def click(self, across, down):
        x, y, width, height = self.still()
        self.screen.click(x + int(width * across),
                          y + (down if down > 0 else height + down))


def choose(name, screen, popup, key):
    """The action, by a click where it has a place, else as its own program
    does it."""
    place = PLACES[name][0 if key == "default" else 1]
    popup.still()
    if place:
        popup.click(*place)
    elif name == "mako":
        screen.run("makoctl", "invoke", key)
    elif name == "dunst":
        screen.write("chosen", "Mark read")
        screen.run("dunstctl", "context")


def next_life(screen, notifier, popup):
    """belfry-desktop ends, and the next one closes what hangs there, by the
    place that the first was told; and nothing that is not of this service."""
    notifier.tell("notify", id=4, urgency="critical", title="Old", body="B")
    place = notifier.hear("shown\tid=4\tplace=").split("place=")[1]
    popup.still()
    notifier.end()
    notifier = screens.Notifier(screen)
    notifier.hear("ready")
    service, number = place.rsplit("-", 1)
    for other in ("00000000-%s" % place.split("-", 1)[1],
                  "%s1-%s" % (service, number), service, number,
                  "%s-x" % service):
        notifier.tell("close", id=1, place=other)
    notifier.tell("notify", id=9, urgency="critical", title="N", body="B")
    notifier.hear("shown\tid=9")
    notifier.tell("close", id=9)
    notifier.hear("closed\tid=9")
    assert popup.still(), "a stranger's place was closed"
    notifier.tell("close", id=1, place=place)
    popup.wait_gone()
    return notifier


def look(name, screen):
    notifier = screens.Notifier(screen)
    popup = Popup(screen)
    notifier.hear("unavailable")
    screen.start_service()
    ready = notifier.hear("ready")
    lacks = NEEDED - set(re.split("[=,\t]", ready))
    assert not lacks, "it does not offer %s" % lacks
    notifier.tell("notify", id=1, account="home", title="Ann Bell & <i>So</i>",
                  body=BODY, preview="\u4f60\u597d the usual place?",
                  sound="message-new-email", icon="mail-unread",
                  actions="default,read,archive,trash")
    notifier.hear("shown\tid=1")
    wide = popup.still()
    screen.picture("desktop-" + name)

    # The same again is in its place, and says less.
    notifier.tell("notify", id=1, title="Ann", body="B", actions=OPEN_AND_READ)
    notifier.hear("shown\tid=1", 2)
    screens.wait("it is replaced", lambda: popup.still() != wide)
    assert not notifier.has("closed"), notifier.lines()
    choose(name, screen, popup, "read")
    notifier.hear("action\tid=1\tkey=read")
    assert not notifier.has("action\tid=1\tkey=default"), notifier.lines()
    if popup.place():  # dunst leaves that to its settings
        notifier.tell("close", id=1)
    popup.wait_gone()

    # Read elsewhere: it goes.
    notifier.tell("notify", id=3, urgency="critical", title="Disk", body="B")
    notifier.hear("shown\tid=3")
    popup.still()
    notifier.tell("close", id=3)
    notifier.hear("closed\tid=3\treason=closed")

    notifier = next_life(screen, notifier, popup)

    # The service ends with what it shows; the next one is told again.
    screen.end_service()
    notifier.hear("unavailable")
    popup.wait_gone()
    screen.start_service()
    notifier.hear("ready", 2)
    notifier.tell("notify", id=3, title="again", body="B",
                  actions=OPEN_AND_READ)
    notifier.hear("shown\tid=3")
    # The last of all: mako 1.7 sometimes crashes behind a click.
    choose(name, screen, popup, "default")
    notifier.hear("action\tid=3\tkey=default")
    notifier.hear("closed\tid=3\treason=dismissed")
    assert not notifier.has("failed"), notifier.lines()


def look_at_gnome(_, screen):
    """Its screen is never bare: the panel, and what it says itself."""
    # It looks for those of a system bus, and not finding them is enough.
    screen.env["DBUS_SYSTEM_BUS_ADDRESS"] = screen.env[
        "DBUS_SESSION_BUS_ADDRESS"]
    notifier = screens.Notifier(screen)
    notifier.hear("unavailable")
    screen.start_service()
    ready = notifier.hear("ready")
    lacks = NEEDED - set(re.split("[=,\t]", ready))
    assert not lacks, "it does not offer %s" % lacks
    notifier.tell("notify", id=1, title="Ann", body="B", actions="read")
    place = notifier.hear("shown\tid=1")
    notifier.tell("notify", id=1, title="Ann", body="C", actions="read")
    assert notifier.hear("shown\tid=1", 2) == place, notifier.lines()
    notifier.tell("close", id=1)
    notifier.hear("closed\tid=1\treason=closed")
    notifier.tell("notify", id=3, urgency="critical", title="Ann & <i>So</i>",
                  body=BODY, preview="P", actions="default,read,archive")
    notifier.hear("shown\tid=3")

    def is_clicked():
        screen.click(*GNOME_BUTTON)
        return notifier.has("action\tid=3\tkey=read")

    time.sleep(STILL_SECONDS)
    screen.picture("desktop-gnome-shell")
    screens.wait("a click", is_clicked)
    notifier.hear("closed\tid=3\treason=dismissed")
    notifier.tell("notify", id=2, title="Disk", body="B")
    notifier.hear("shown\tid=2")
    notifier.tell("close", id=2)
    notifier.hear("closed\tid=2\treason=closed")
    screen.end_service()
    notifier.hear("unavailable", 2)
    screen.start_service()
    notifier.hear("ready", 2)
    assert not notifier.has("failed"), notifier.lines()


LOOKS = {"gnome-shell": look_at_gnome}


def look_at(name):
    """Status of a test for one service."""
    lacks = screens.missing(name)
    if lacks:
        print("%s: skipped, there is no %s" % (name, lacks[0]))
        return 77
    folder = tempfile.mkdtemp(prefix="belfry-screen-")
    try:
        with screens.Screen(name, folder) as screen:
            try:
                LOOKS.get(name, look)(name, screen)
            except BaseException:
                screen.show_logs()
                raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("ok: " + name)
    return 0


def main():
    if len(sys.argv) == 2:
        sys.exit(look_at(sys.argv[1]))
    # Mostly they wait for what moves on a screen: all at once.
    runs = [subprocess.Popen([sys.executable, "-B", __file__, name])
            for name in sys.argv[1:] or USUAL]
    statuses = {run.wait() for run in runs}
    sys.exit(77 if statuses == {77} else int(not statuses <= {0, 77}))


if __name__ == "__main__":
    main()
