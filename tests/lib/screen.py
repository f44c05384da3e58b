"""A desktop of its own, for tests: a session bus, a screen that nobody sees,
and a real notification service on it.

    with Screen("mako", folder) as screen:
        screen.start_service()
        ...
        screen.picture("what-mako-shows")

Everything lies below `folder`, and only what was started here is ended."""

import os
import shutil
import signal
import struct
import subprocess
import time

import pointer

PATIENCE_SECONDS = 40
BUILD = os.environ.get("BELFRY_BUILD", os.getcwd())
DESKTOP = os.path.join(BUILD, "belfry-desktop")
WIDTH, HEIGHT = 800, 600
NOBODY = 65534
# A service that the bus starts on demand is one of `services` only: which
# notification service runs is the test's business.
BUS = """<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=%(dir)s/bus</listen>
<servicedir>%(dir)s/services</servicedir>
<policy context="default"><allow send_destination="*" eavesdrop="true"/>
<allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"""
SWAY = """output HEADLESS-1 resolution %dx%d
output * background #204060 solid_color
seat * hide_cursor 100
xwayland disable
default_border none
""" % (WIDTH, HEIGHT)
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
dmenu = %(dir)s/menu
mouse_left_click = do_action, close_current
[urgency_normal]
timeout = 0
"""
MAKO = """font=Sans 11
width=420
height=300
"""
# As with dunst: however slow a test is, nothing goes away by itself.
XFCE = """<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-notifyd" version="1.0">
<property name="expire-timeout" type="int" value="3600"/>
</channel>
"""
SERVICE_FILES = "/usr/share/dbus-1/services/"
LIBRARIES = "/usr/lib/x86_64-linux-gnu"


class Service:
    """How one is started, and what it needs besides."""

    def __init__(self, *argv, wayland=False, needs=(), bus=()):
        self.argv = argv
        self.is_wayland = wayland
        self.needs = list(needs)
        self.bus = bus  # files in dbus-1/services


def first_of(*paths):
    return next((p for p in paths if os.path.exists(p)), paths[0])


SERVICES = {
    "dunst": Service("dunst", needs=["dunstctl"]),
    "xfce4-notifyd": Service(first_of(
        LIBRARIES + "/xfce4/notifyd/xfce4-notifyd",
        "/usr/lib/aarch64-linux-gnu/xfce4/notifyd/xfce4-notifyd"),
        bus=["org.xfce.Xfconf.service"]),
    "mako": Service("mako", wayland=True, needs=["makoctl"]),
    "mate": Service("/usr/lib/mate-notification-daemon/"
                    "mate-notification-daemon", bus=["ca.desrt.dconf.service"]),
    "notification-daemon": Service(
        "/usr/lib/notification-daemon/notification-daemon"),
    "gnome-shell": Service("gnome-shell", "--x11", "--sm-disable",
                           bus=["org.gnome.Shell.Notifications.service"]),
}


def missing(name):
    """What is not installed of what this service's screen needs."""
    service = SERVICES[name]
    needs = ["dbus-daemon", service.argv[0], *service.needs]
    needs += ["sway", "grim"] if service.is_wayland else [
        "Xvfb", "xdotool", "import"]
    needs += ["convert", "identify", DESKTOP]
    return [n for n in needs if not shutil.which(n)] + [
        n for n in service.bus if not os.path.exists(SERVICE_FILES + n)]


def wait(what, is_so, seconds=PATIENCE_SECONDS):
    end = time.monotonic() + seconds
    while True:
        value = is_so()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("waited in vain: " + what)
        time.sleep(0.05)


def rows_of(pixels, length):
    return [pixels[i:i + length] for i in range(0, len(pixels), length)]


def difference(before, now):
    """(x, y, width, height) of what is not the same; None: nothing."""
    rows = [y for y in range(min(len(before), len(now)))
            if before[y] != now[y]]
    if not rows:
        return None
    size = len(before[0]) // WIDTH
    columns = [x for y in rows for x in range(WIDTH)
               if before[y][x * size:(x + 1) * size] !=
               now[y][x * size:(x + 1) * size]]
    left, top = min(columns), rows[0]
    return (left, top, max(columns) - left + 1, rows[-1] - top + 1)


class Screen:
    """Everything that a desktop is made of."""

    def __init__(self, name, folder):
        self.kind = SERVICES[name]
        self.dir = folder
        self.processes = []
        self.service = self.pointer = None
        os.makedirs(folder, mode=0o700, exist_ok=True)
        for part in ("services", "home"):
            os.makedirs(os.path.join(folder, part), exist_ok=True)
        self.env = {
            **{k: v for k, v in os.environ.items() if k not in (
                "DISPLAY", "WAYLAND_DISPLAY")},
            "XDG_RUNTIME_DIR": folder, "XDG_CONFIG_HOME": folder,
            "HOME": os.path.join(folder, "home"),
            "DBUS_SESSION_BUS_ADDRESS":
                "unix:path=" + os.path.join(folder, "bus"),
            "BELFRY_DESKTOP": DESKTOP, "LC_ALL": "C.UTF-8",
            "NO_AT_BRIDGE": "1", "GTK_A11Y": "none",
        }
        self.chosen = os.path.join(folder, "chosen")
        self.script("menu", "grep -F \"$(cat %s)\"" % self.chosen)
        self.write("dunst/dunstrc", DUNST % {"dir": folder})
        self.write("mako/config", MAKO)
        self.write("xfce4/xfconf/xfce-perchannel-xml/xfce4-notifyd.xml", XFCE)

    def __enter__(self):
        try:
            if self.kind.is_wayland:
                self.start_sway()
            else:
                self.start_x()
            self.start_bus()  # what it starts finds the screen
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    # ---- the parts ----

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def script(self, name, text):
        self.write(name, "#!/bin/sh\n" + text + "\n")
        os.chmod(self.path(name), 0o700)
        return self.path(name)

    def start(self, *argv, **more):
        log = self.path(os.path.basename(argv[0]) + ".log")
        more.setdefault("env", self.env)
        with open(log, "ab") as out:
            process = subprocess.Popen(argv, stdout=out, stderr=out,
                                       stdin=subprocess.DEVNULL, **more)
        self.processes.append(process)
        return process

    def start_bus(self):
        for name in self.kind.bus:
            shutil.copy(SERVICE_FILES + name,
                        self.path("services"))
        self.write("bus.conf", BUS % {"dir": self.dir})
        self.bus = self.start("dbus-daemon", "--nofork", "--nopidfile",
                              "--config-file=" + self.path("bus.conf"))
        wait("a bus", lambda: os.path.exists(self.path("bus")))

    def start_x(self):
        read, write = os.pipe()
        self.start("Xvfb", "-displayfd", str(write), "-screen", "0",
                   "%dx%dx24" % (WIDTH, HEIGHT), "-nolisten", "tcp",
                   "-nocursor", "-fbdir", self.dir,
                   pass_fds=[write])
        os.close(write)
        with os.fdopen(read) as said:
            self.env["DISPLAY"] = ":" + said.readline().strip()

    def start_sway(self):
        """In a folder of its own: it does not run as root."""
        folder = self.path("wayland")
        os.mkdir(folder, 0o700)
        self.write("wayland/config", SWAY)
        argv = ["sway", "-c", folder + "/config"]
        if os.geteuid() == 0:
            os.chmod(self.dir, 0o711)
            os.chown(folder, NOBODY, NOBODY)
            argv = ["setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY,
                    "--clear-groups", *argv]
        self.start(*argv, env={
            **self.env, "XDG_RUNTIME_DIR": folder, "HOME": folder,
            "WLR_BACKENDS": "headless", "WLR_RENDERER": "pixman",
            "WLR_LIBINPUT_NO_DEVICES": "1"})
        self.env["WAYLAND_DISPLAY"] = wait("a screen", lambda: [
            entry.path for entry in os.scandir(folder)
            if entry.name.startswith("wayland-") and
            not entry.name.endswith(".lock")])[0]
        self.pointer = pointer.Pointer(self.env["WAYLAND_DISPLAY"])

    def start_service(self):
        self.service = self.start(*self.kind.argv)

    def end_service(self, number=signal.SIGTERM):
        self.service.send_signal(number)
        self.service.wait()

    def stop(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def show_logs(self):
        for process in self.processes:
            if process.poll() is not None:
                print("ended with %d: %s" % (process.returncode,
                                             process.args))
        for name in sorted(os.listdir(self.dir)):
            if name.endswith(".log"):
                with open(self.path(name), encoding="utf-8") as log:
                    print("%s:\n%s" % (name, log.read()), flush=True)

    # ---- what a person does ----

    def grab(self, *argv):
        return subprocess.run(argv, env=self.env, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, timeout=20,
                              check=False).stdout

    def run(self, *argv):
        return self.grab(*argv).decode()

    def click(self, x, y):
        if self.kind.is_wayland:
            self.pointer.click(x, y, WIDTH, HEIGHT)
        else:
            self.run("xdotool", "mousemove", str(x), str(y), "click", "1")

    def pixels(self):
        """What is to be seen now, row by row."""
        if self.kind.is_wayland:
            picture = self.grab("grim", "-t", "ppm", "-")
            size = 3 * WIDTH * HEIGHT
            return rows_of(picture[-size:], 3 * WIDTH)
        # Xvfb's own memory: a file in XWD's format.
        with open(self.path("Xvfb_screen0"), "rb") as file:
            picture = file.read()
        head = struct.unpack(">25I", picture[:100])
        begin = head[0] + 12 * head[19]
        return rows_of(picture[begin:begin + head[12] * HEIGHT], head[12])

    def take(self, path):
        """A picture; how many colours it has."""
        if self.kind.is_wayland:
            self.run("grim", path)
        else:
            self.run("import", "-window", "root", path)
        return int(self.run("identify", "-format", "%k", path) or 0)

    def picture(self, name):
        """Once something is to be seen, in artifacts/."""
        folder = os.environ.get("BELFRY_ARTIFACTS",
                                os.path.join(BUILD, "artifacts"))
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, name + ".png")
        wait("something to see", lambda: self.take(path) > 16)
        return path


class Notifier:
    """belfry-desktop on that screen."""

    def __init__(self, screen):
        self.said = screen.path("said")
        with open(self.said, "wb") as out, open(
                screen.path("belfry-desktop.log"), "ab") as log:
            self.process = subprocess.Popen(
                [DESKTOP], env=screen.env, stdin=subprocess.PIPE, stdout=out,
                stderr=log)
        screen.processes.append(self.process)

    def tell(self, verb, **fields):
        line = "\t".join([verb, *("%s=%s" % (
            name.replace("_", "-"), value) for name, value in fields.items())])
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def end(self):
        self.process.stdin.close()
        self.process.wait()

    def lines(self):
        with open(self.said, encoding="utf-8") as file:
            return file.read().splitlines()

    def has(self, start):
        return any(line.startswith(start) for line in self.lines())

    def hear(self, start, count=1):
        """The last of so many lines that begin so."""
        def found():
            lines = [s for s in self.lines() if s.startswith(start)]
            return lines[count - 1] if len(lines) >= count else None
        try:
            return wait(start, found)
        except AssertionError:
            raise AssertionError("no %d. %r in %r" % (
                count, start, self.lines())) from None
