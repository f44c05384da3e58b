#!/usr/bin/env -S python3 -B
"""The Debian package under a real systemd: both units, as they are installed.

    tests/system/on-systemd.py [FOLDER [CASE]]

Makes a Debian of its own with debootstrap in FOLDER (kept, for the next time;
it needs the network for that once), builds the package with contrib/make-deb,
installs it there, boots it with systemd-nspawn (in a network, a mount and a
cgroup namespace of its own), and runs belfryd in it by systemctl, against a
Dovecot in the same network. With BELFRY_SUITE=trixie (and another FOLDER) it is
a Debian 13, whose systemd knows Type=notify-reload. It needs root, debootstrap,
systemd-container and what contrib/make-deb needs; takes some minutes; and is no
part of `make check`, as few machines that build software may do that.
"""

import http.server
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE + "/../lib")
import live  # noqa: E402

TOP = os.path.abspath(HERE + "/../..")
SUITE = os.environ.get("BELFRY_SUITE", "bookworm")
PACKAGES = ("systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,"
            "procps,ca-certificates,libnotify4,libevent-core-2.1-7%(t)s,"
            "libinih1,libpcre2-8-0,libsqlite3-0,libssl3%(t)s,libjansson4,"
            "libcurl4%(t)s,libexpat1" %
            {"t": "" if SUITE == "bookworm" else "t64"})
# A namespace of its own, where /run and the cgroups may be had.
BOOT = """
mount --make-rprivate /
mount -t tmpfs tmpfs /run
umount -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup
exec systemd-nspawn -q -D "$1" --boot --private-network --register=no \
    --keep-unit --console=pipe --bind-ro="$2" </dev/null
"""
USER = "ann"


# ---- making and booting it ----

def make_root(folder):
    root = os.path.join(folder, "root")
    if not os.path.exists(os.path.join(root, "usr/bin/systemctl")):
        subprocess.run(["debootstrap", "--variant=minbase",
                        "--include=" + PACKAGES, SUITE, root],
                       check=True, stdout=subprocess.DEVNULL)
    # An image that was never booted.
    for name in ("etc/machine-id", "var/lib/belfry", "etc/belfry",
                 "home/" + USER, "etc/systemd/system/belfry.service.d"):
        path = os.path.join(root, name)
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.exists(path):
            os.unlink(path)
    with open(os.path.join(root, "etc/hosts"), "w", encoding="ascii") as file:
        file.write("127.0.0.1 localhost\n")
    return root


def make_package(folder):
    if "BELFRY_DEB" not in os.environ:
        made = subprocess.run(
            [os.path.join(TOP, "contrib/make-deb"), folder], check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if made.returncode != 0:
            print(made.stdout.decode(errors="replace")[-3000:])
            sys.exit(1)
    named = os.environ.get("BELFRY_DEB")
    return named or next(
        os.path.join(folder, name) for name in sorted(os.listdir(folder))
        if re.match(r"belfry_.*\.deb$", name))


def boot(root):
    """The id of its init, as this system sees it."""
    group = "/sys/fs/cgroup/unified"
    if not os.path.isdir(group):
        group = "/sys/fs/cgroup"
    group += "/belfry-test-%d" % os.getpid()
    os.mkdir(group)
    log = open(os.path.join(os.path.dirname(root), "boot.log"), "wb")
    process = subprocess.Popen(
        ["unshare", "-m", "-C", "-p", "-f", "--mount-proc", "sh", "-ec", BOOT,
         "sh", root, BUILD], stdout=log, stderr=log,
        preexec_fn=lambda: enter(group))
    try:
        init = live.wait("systemd to boot", lambda: find_init(process), 30)
    except live.Failed:
        print(live.read(log.name))
        raise
    return process, group, init


def enter(group):
    with open(group + "/cgroup.procs", "w", encoding="ascii") as file:
        file.write("0")


def find_init(process):
    """The first descendant that is systemd."""
    live.check(process.poll() is None, "systemd-nspawn ended")
    todo = [process.pid]
    while todo:
        pid = todo.pop()
        if live.read("/proc/%d/comm" % pid).strip() == "systemd":
            return pid
        children = live.read("/proc/%d/task/%d/children" % (pid, pid))
        todo += [int(child) for child in children.split()]
    return None


def with_its_reload(machine):
    """The units as configure makes them where systemd is 253 or newer: the
    package is built here, where it may be older."""
    version = int(machine.run("systemctl", "--version").split()[1])
    if version < 253:
        return
    for kind in ("system", "user"):
        name = "/usr/lib/systemd/%s/belfry.service" % kind
        text = machine.read(name)
        text = re.sub("Type=notify\nExecReload=.*\n", "Type=notify-reload\n",
                      text)
        live.check("Type=notify-reload" in text, "no type in %s", name)
        machine.write(name, text)
    machine.run("systemctl", "daemon-reload")
    print("systemd %d: Type=notify-reload" % version)


# ---- living in it ----

class Machine:
    def __init__(self, root, init):
        self.root = root
        self.init = init

    def run(self, *argv, code=0, env=()):
        result = subprocess.run(
            ["nsenter", "-t", str(self.init), "-m", "-u", "-i", "-n", "-p",
             "-C", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
             "LANG=C.UTF-8", *env, *argv],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=60, check=False)
        text = result.stdout.decode(errors="replace")
        if code is not None:
            live.same(result.returncode, code, "%s: %s" % (
                " ".join(argv), text))
        return text

    def user(self, *argv, code=0):
        return self.run("runuser", "-u", USER, "--", "env",
                        "XDG_RUNTIME_DIR=/run/user/%s" % self.uid(),
                        "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/%s/bus"
                        % self.uid(), *argv, code=code)

    def uid(self):
        return self.run("id", "-u", USER).strip()

    def path(self, name):
        return self.root + name

    def write(self, name, text, mode=0o644):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), mode)

    def read(self, name):
        return live.read(self.path(name))

    def show(self, key, unit="belfry", scope=()):
        run = self.user if scope else self.run
        return run("systemctl", *scope, "show", "-P", key, unit).strip()

    def log(self, *argv):
        return self.run("journalctl", "--no-pager", "-o", "cat", *argv,
                        code=None)

    def wait_log(self, pattern, *argv):
        live.wait("%s in the journal" % pattern,
                  lambda: re.search(pattern, self.log(*argv)), 45)


class Service:
    """A web service that notes what it is sent."""

    def __init__(self):
        self.got = got = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers.get("Content-Length", 0))
                got.append(self.rfile.read(length).decode())
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), Handler)
        threading.Thread(
            target=self.server.serve_forever, daemon=True).start()

    def section(self):
        return ("[notifier hook]\ntype = webhook\nurl = "
                "http://127.0.0.1:%d/\n\n" % self.server.server_address[1])


NOTIFIERS = """
[notifier log]
type = journal

[notifier command]
type = exec
command = /bin/sh -c 'cat >>"$0"; echo . >>"$0.count"' %(dir)s/command

[notifier lines]
type = program
command = /usr/share/doc/belfry/examples/notifiers/to-file.sh %(dir)s/lines

[rule note]
when = subject ~ /./
exec = /bin/sh -c 'echo "$BELFRY_SUBJECT" >>"$0"' %(dir)s/rule
"""
machine = None


def wait_rings(directory, service, subject):
    """By every kind of notifier, and a rule's command."""
    for name in ("command", "lines", "rule"):
        live.wait("%s by %s" % (subject, name),
                  lambda n=name: subject in machine.read(directory + "/" + n))
    live.wait(subject + " by the webhook",
              lambda: any(subject in text for text in service.got))
    machine.wait_log("Some Body: " + subject, "-t", "belfry")


def system_config(user, service, keys=""):
    """In /etc/belfry, with the password as a credential of systemd."""
    ca = "/etc/belfry/ca.pem"
    os.makedirs(machine.path("/etc/belfry"), exist_ok=True)
    shutil.copyfile(user.servers.env["SERVERS_CA"], machine.path(ca))
    machine.write("/etc/belfry/password", live.PASSWORD + "\n", 0o600)
    machine.write(
        "/etc/systemd/system/belfry.service.d/test.conf",
        "[Service]\nLoadCredential=mail:/etc/belfry/password\n"
        "WatchdogSec=5s\n")
    machine.run("systemctl", "daemon-reload")
    account = user.account("credential = mail\ntls_ca_file = %s\n" % ca)
    account = re.sub("password_command.*\n", "", account)
    text = account + (service.section() if service else "") + NOTIFIERS % {
        "dir": "/var/lib/belfry"} + keys
    machine.write("/etc/belfry/belfry.conf", text, 0o640)
    machine.run("chgrp", "-R", "belfry", "/etc/belfry")
    machine.run("chmod", "600", "/etc/belfry/password")
    machine.run("chown", "root", "/etc/belfry/password")


def restarts():
    return int(machine.show("NRestarts"))


def case(function):
    """With the journal, where it fails."""
    def run(servers):
        try:
            function(servers)
        except Exception:
            print(machine.log("-n", "60"))
            raise
    run.__name__ = function.__name__
    return live.case(run)


@case
def the_system_unit(servers):
    user = servers.user()
    service = Service()
    system_config(user, service)
    machine.run("systemctl", "start", "belfry")
    live.same(machine.show("ActiveState"), "active", "state")
    owner = machine.run("stat", "-c", "%U", "/proc/%s"
                        % machine.show("MainPID")).strip()
    live.same(owner, "belfry", "who runs it")
    live.same(machine.run("stat", "-c", "%U %a", "/var/lib/belfry").split(),
              ["belfry", "700"], "its state directory")
    machine.wait_log("first-contact", "-u", "belfry")
    user.deliver(live.message("first"))
    wait_rings("/var/lib/belfry", service, "first")
    print(machine.run("systemd-analyze", "--no-pager", "security", "belfry",
                      code=None).splitlines()[-1])

    # As root, who is served, too.
    machine.run("belfryctl", "status")

    # Reload: a good one, and one with an error, which changes nothing.
    config = machine.read("/etc/belfry/belfry.conf")
    more = "\n[rule more]\nwhen = subject ~ /second/\nmark = flagged\n"
    machine.write("/etc/belfry/belfry.conf", config + more, 0o640)
    machine.run("chgrp", "belfry", "/etc/belfry/belfry.conf")
    machine.run("systemctl", "reload", "belfry")
    user.deliver(live.message("second"))
    live.wait("the mark", lambda: "\\Flagged" in str(
        user.flags("INBOX", "second")))
    machine.write("/etc/belfry/belfry.conf", config + "\n[rool x]\n", 0o640)
    machine.run("chgrp", "belfry", "/etc/belfry/belfry.conf")
    print(machine.run("systemctl", "reload", "belfry", code=None))
    live.same(machine.show("ActiveState"), "active", "after a bad reload")
    live.check("[rool" in machine.show("StatusText"), "no words of it: %s",
               machine.show("StatusText"))
    machine.write("/etc/belfry/belfry.conf", config, 0o640)
    machine.run("chgrp", "belfry", "/etc/belfry/belfry.conf")

    # What comes while it is stopped, or has been killed, is not lost.
    machine.run("systemctl", "stop", "belfry")
    live.same(machine.show("Result"), "success", "how it ended")
    user.deliver(live.message("third"))
    machine.run("systemctl", "start", "belfry")
    wait_rings("/var/lib/belfry", service, "third")
    before = restarts()
    machine.run("systemctl", "kill", "-s", "KILL", "belfry")
    user.deliver(live.message("fourth"))
    wait_rings("/var/lib/belfry", service, "fourth")
    live.same(restarts(), before + 1, "restarts after SIGKILL")

    # One that hangs is ended by the watchdog, and begins anew.
    machine.run("systemctl", "kill", "-s", "STOP", "--kill-who=main", "belfry")
    machine.wait_log("Watchdog timeout", "-u", "belfry")
    user.deliver(live.message("fifth"))
    wait_rings("/var/lib/belfry", service, "fifth")
    live.same(restarts(), before + 2, "restarts after the watchdog")
    lines = machine.read("/var/lib/belfry/rule").splitlines()
    live.same(sorted(lines), sorted(
        ["first", "second", "third", "fourth", "fifth"]),
        "commands of the rule")
    machine.run("systemctl", "stop", "belfry")
    live.check("systemctl start belfry" in machine.run(
        "belfryctl", "status", code=69), "it does not say how to start it")


@case
def the_users_unit(servers):
    user = servers.user()
    service = Service()
    machine.run("useradd", "-m", "-s", "/bin/sh", USER, code=None)
    machine.run("install", "-d", "-o", USER, "/home/" + USER)
    # As loginctl enable-linger does, which a newer logind refuses in here.
    machine.write("/var/lib/systemd/linger/" + USER, "")
    machine.run("systemctl", "start", "user@" + machine.uid())
    live.wait("the user's bus", lambda: os.path.exists(
        machine.path("/proc")) and machine.user(
            "systemctl", "--user", "is-system-running", code=None).strip()
        in ("running", "degraded"))
    home = "/home/%s/" % USER
    shutil.copyfile(
        user.servers.env["SERVERS_CA"], machine.path(home + "ca.pem"))
    machine.write(home + "password", live.PASSWORD + "\n", 0o600)
    account = user.account("tls_ca_file = %sca.pem\n" % home)
    account = re.sub("password_command.*",
                     "password_command = cat %spassword" % home, account)
    machine.write(home + ".config/belfry/belfry.conf",
                  account + service.section() + NOTIFIERS % {"dir": home},
                  0o600)
    machine.run("chown", "-R", USER + ":", home)
    # The desktop: a service that owns the name on the user's bus.
    mock = os.path.join(BUILD, "tests/system/mock-notifications")
    machine.user("systemd-run", "--user", "--unit=desktop", "-q", mock)
    scope = ("--user",)
    machine.user("systemctl", "--user", "start", "belfry")
    live.same(machine.show("ActiveState", scope=scope), "active", "state")
    machine.wait_log("first-contact", "_SYSTEMD_USER_UNIT=belfry.service")
    user.deliver(live.message("first"))
    wait_rings(home, service, "first")
    machine.wait_log(r"Notify .*Some Body\|first",
                     "_SYSTEMD_USER_UNIT=desktop.service")
    machine.user("belfryctl", "status")
    machine.user("systemctl", "--user", "reload", "belfry")
    print(machine.user("systemd-analyze", "--user", "--no-pager", "security",
                       "belfry", code=None).splitlines()[-1])

    machine.user("systemctl", "--user", "stop", "belfry")
    user.deliver(live.message("second"))
    machine.user("systemctl", "--user", "start", "belfry")
    wait_rings(home, service, "second")
    # The tighter sandbox, with every notifier in it.
    strict = "/usr/share/doc/belfry/examples/belfry-strict.conf"
    machine.user("install", "-D", strict, home +
                 ".config/systemd/user/belfry.service.d/strict.conf")
    writes = home + ".config/systemd/user/belfry.service.d/writes.conf"
    machine.write(writes, "[Service]\nReadWritePaths=%s\n" % home)
    machine.user("systemctl", "--user", "daemon-reload")
    machine.user("systemctl", "--user", "restart", "belfry")
    user.deliver(live.message("third"))
    wait_rings(home, service, "third")
    machine.wait_log(r"Notify .*Some Body\|third",
                     "_SYSTEMD_USER_UNIT=desktop.service")
    print(machine.user("systemd-analyze", "--user", "--no-pager", "security",
                       "belfry", code=None).splitlines()[-1])
    machine.user("systemctl", "--user", "stop", "belfry")


# ---- from outside to inside ----

BUILD = os.path.dirname(os.path.abspath(live.BELFRYD))


def main_outside():
    folder = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else
                             "/var/tmp/belfry-on-systemd")
    for program in ("debootstrap", "systemd-nspawn", "nsenter"):
        if os.geteuid() != 0 or shutil.which(program) is None:
            print("needs root, and " + program)
            sys.exit(77)
    os.makedirs(folder, exist_ok=True)
    root = make_root(folder)
    package = make_package(folder)
    process, group, init = boot(root)
    try:
        here = Machine(root, init)
        live.wait("all units", lambda: here.run(
            "systemctl", "is-system-running", code=None).strip() in (
                "running", "degraded"))
        shutil.copy(package, os.path.join(root, "root/belfry.deb"))
        here.run("dpkg", "--purge", "belfry", code=None)
        print(here.run("dpkg", "-i", "/root/belfry.deb").splitlines()[-1])
        with_its_reload(here)
        if "BELFRY_SHELL" in os.environ:  # to look around
            subprocess.run(os.environ["BELFRY_SHELL"], shell=True, check=False,
                           env=dict(os.environ, INIT=str(init)))
        env = dict(os.environ, BELFRY_BOOTED="%s %d" % (root, init))
        result = subprocess.run(
            ["nsenter", "-t", str(init), "-n", sys.executable, "-B",
             os.path.abspath(__file__), *sys.argv[2:]], env=env, check=False)
    finally:
        os.kill(init, signal.SIGRTMIN + 3)  # halt
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
        time.sleep(0.5)
        if os.path.isdir(group):
            subprocess.run(["find", group, "-depth", "-type", "d", "-exec",
                            "rmdir", "{}", "+"], check=False)
    sys.exit(result.returncode)


if __name__ == "__main__":
    if "BELFRY_BOOTED" not in os.environ:
        main_outside()
    where, number = os.environ["BELFRY_BOOTED"].split()
    machine = Machine(where, int(number))
    live.main(600)
