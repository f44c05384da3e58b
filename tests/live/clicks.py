#!/usr/bin/env -S python3 -B
"""A real desktop: belfry-desktop, a session bus, and dunst on a virtual screen.
What is clicked there happens on the server. Leaves pictures in artifacts/."""

import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402

NEEDED = ["Xvfb", "dbus-daemon", "dunst", "dunstctl", "xdotool", "import"]
BUS = """<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=%s</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/>
<allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"""
# The menu of a notification's buttons is asked for with "dunstctl context";
# this "dmenu" takes the one whose name stands in a file.
DUNST = """[global]
width = 420
origin = top-right
offset = 20x20
markup = full
format = "<b>%%s</b>\\n%%b"
font = Sans 11
idle_threshold = 0
dmenu = %s
mouse_left_click = do_action, close_current
"""
BUTTON_AT = ("590", "45")


class Screen:
    """Everything that a desktop is made of."""

    def __init__(self, folder):
        self.dir = folder
        self.processes = []
        os.makedirs(os.path.join(folder, "dunst"))
        self.chosen = os.path.join(folder, "chosen")
        self.menu = self.script("menu", "grep -F \"$(cat %s)\"" % self.chosen)
        self.write("bus.conf", BUS % os.path.join(folder, "bus"))
        self.write("dunst/dunstrc", DUNST % self.menu)
        self.env = {
            "XDG_RUNTIME_DIR": folder, "XDG_CONFIG_HOME": folder,
            "DBUS_SESSION_BUS_ADDRESS":
                "unix:path=" + os.path.join(folder, "bus"),
            "BELFRY_DESKTOP": os.path.join(live.BUILD, "belfry-desktop"),
        }
        self.start_screen()
        self.start("dbus-daemon", "--config-file=" + folder + "/bus.conf",
                   "--nofork", "--nopidfile")
        live.wait("a bus", lambda: os.path.exists(folder + "/bus"))
        self.dunst = self.start("dunst")

    def write(self, name, text):
        with open(os.path.join(self.dir, name), "w", encoding="utf-8") as file:
            file.write(text)

    def script(self, name, text):
        self.write(name, "#!/bin/sh\n" + text + "\n")
        os.chmod(os.path.join(self.dir, name), 0o700)
        return os.path.join(self.dir, name)

    def start(self, *argv, **more):
        with open(os.path.join(self.dir, argv[0] + ".log"), "ab") as log:
            process = subprocess.Popen(
                argv, env={**os.environ, **self.env}, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, **more)
        self.processes.append(process)
        return process

    def start_screen(self):
        read, write = os.pipe()
        self.start("Xvfb", "-displayfd", str(write), "-screen", "0",
                   "800x400x24", "-nolisten", "tcp", pass_fds=[write])
        os.close(write)
        with os.fdopen(read) as said:
            self.env["DISPLAY"] = ":" + said.readline().strip()

    def run(self, *argv):
        return subprocess.run(argv, env={**os.environ, **self.env},
                              stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, timeout=20,
                              check=False).stdout.decode()

    def wait_shown(self, count):
        live.wait("%d on the screen" % count, lambda: self.run(
            "dunstctl", "count", "displayed").strip() == str(count))

    def picture(self, name):
        folder = os.environ.get("BELFRY_ARTIFACTS",
                                os.path.join(live.BUILD, "artifacts"))
        os.makedirs(folder, exist_ok=True)
        live.wait("something to see", lambda: self.take(
            os.path.join(folder, name + ".png")))

    def take(self, path):
        self.run("import", "-window", "root", path)
        return int(self.run("identify", "-format", "%k", path) or 0) > 16

    def click(self):
        self.run("xdotool", "mousemove", *BUTTON_AT, "click", "1")

    def choose(self, label):
        with open(self.chosen, "w", encoding="utf-8") as file:
            file.write(label)
        self.run("dunstctl", "context")

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait()


@live.case
def clicks(servers):
    user = servers.user()
    screen = Screen(os.path.join(servers.dir, "screen"))
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
    try:
        with daemon:
            daemon.wait_watching()
            user.deliver(live.message(
                "Lunch at <noon>?", "Ann Bell <ann@bell.example>",
                body="Täglich & überall: the <i>usual</i> place?\n",
                message_id="<lunch@bell.example>", headers=[
                    "MIME-Version: 1.0",
                    "Content-Type: text/plain; charset=utf-8"]))
            screen.wait_shown(1)
            screen.picture("notification-preview")
            screen.click()
            live.wait("opened", lambda: os.path.exists(noted) and
                      live.read(noted) == "mid:lunch@bell.example\n")
            screen.wait_shown(0)

            user.deliver(live.message("Sign in to Example",
                                      body="Your login code is 482913.\n"))
            screen.wait_shown(1)
            screen.picture("notification-code")
            screen.choose("Copy code")
            live.wait("copied", lambda: os.path.exists(copied) and
                      live.read(copied) == "482913")
            screen.choose("Archive")
            user.wait_subjects("Archive", ["Sign in to Example"])
            screen.wait_shown(0)

            # The service ends, and comes back: what is unread is shown again.
            user.deliver(live.message("still unread"))
            screen.wait_shown(1)
            screen.dunst.kill()
            screen.dunst.wait()
            daemon.wait_log("notifications wait for it")
            screen.dunst = screen.start("dunst")
            screen.wait_shown(1)
            screen.choose("Mark read")
            live.wait("read", lambda: user.flags("INBOX", "still unread") ==
                      ["\\Seen"])
    finally:
        screen.stop()


def skip():
    """What is not installed here, or not built."""
    desktop = os.path.join(live.BUILD, "belfry-desktop")
    missing = [p for p in NEEDED if shutil.which(p) is None]
    if not os.path.exists(desktop):
        missing.append(desktop)
    if missing:
        print("skipped: there is no " + missing[0])
        sys.exit(77)


if __name__ == "__main__":
    skip()
    live.main()
