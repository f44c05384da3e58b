#!/usr/bin/env -S python3 -B
"""belfryctl setup, as a new user meets it: at a terminal and without one, on
replicas of the providers under their own names (tests/lib/domains.py), with
TLS that is verified. A word as argument runs only the cases whose names
contain it; $LIVE_KEEP leaves the folder."""

import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import domains  # noqa: E402
import liars  # noqa: E402
import live  # noqa: E402
import other_servers  # noqa: E402
import outgoing  # noqa: E402
import replica_kinds  # noqa: E402
import schema  # noqa: E402
from live import BELFRYCTL, BUILD, check, same  # noqa: E402
from replica import Replica  # noqa: E402
from terminal import Terminal  # noqa: E402

PASSWORD = "abcd-efgh-ijkl-mnop"
# Provider of the replica, an address there, and whether it takes tokens only.
ADDRESSES = {
    "icloud": ("ann@icloud.com", False),
    "gmail": ("ann@gmail.com", False),
    "exchange": ("ann@office365.com", True),
    "outlook-com": ("ann@outlook.com", True),
    "yahoo": ("ann@yahoo.com", False),
    "zoho": ("ann@zoho.com", False),
    "yandex": ("ann@yandex.com", False),
    "mailru": ("ann@mail.ru", False),
    "netease": ("ann@163.com", False),
    "strato": ("ann@strato.de", False),
    "qq": ("ann@qq.com", False),
}
KEYRING = """#!/bin/sh
# A keyring: one file for each account, and what was in the arguments.
echo "$@" >>"%(folder)s/keyring.args"
for account; do :; done
case $1 in
store) cat >"%(folder)s/keyring.$account" ;;
lookup) cat "%(folder)s/keyring.$account" ;;
clear) rm "%(folder)s/keyring.$account" ;;
esac
"""


# Of a domain with a server of its own.
OWN_HOST = "mail.example.com"


# ---- one run ----


class Run:
    def __init__(self, folder):
        self.folder = folder
        presets = json.loads(subprocess.run(
            [BELFRYCTL, "providers", "--json"], check=True,
            stdout=subprocess.PIPE, text=True).stdout)["providers"]
        self.presets = {p["id"]: p for p in presets}
        hosts = sorted({p[s]["host"] for p in presets if "imap" in p
                        for s in ("imap", "smtp")} - {"127.0.0.1"})
        self.net = domains.Net(
            folder, os.path.join(BUILD, "tests/lib/make-ca"), hosts)
        self.count = 0
        self.bin = os.path.join(folder, "bin")
        os.mkdir(self.bin)
        self.script("secret-tool", KEYRING % {"folder": folder})
        self.script("systemctl", "#!/bin/sh\necho \"$@\" >>%s/systemctl.args\n"
                    % folder)

    def script(self, name, text):
        path = os.path.join(self.bin, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o755)

    def replica(self, name, password=PASSWORD):
        """The service and its submission, under the names of its preset."""
        kind = replica_kinds.kind_of(name, replica_kinds.SERVICES[name])
        preset = self.presets[kind["provider"]]
        self.count += 1
        address = "127.9.0.%d" % self.count
        for server in ("imap", "smtp"):
            self.net.host(preset[server]["host"], address)
        imap = Replica(kind, self.net.certificate, password,
                       (address, preset["imap"]["port"]))
        imap.submission = outgoing.Submission(
            (address, preset["smtp"]["port"]), self.net.context,
            preset["smtp"]["tls"] == "tls", password)
        return imap

    def bridge(self):
        """Proton Bridge: with a certificate of its own, on this machine."""
        kind = replica_kinds.kind_of(
            "proton-bridge", replica_kinds.SERVICES["proton-bridge"])
        own = liars.make_certificate(self.folder, "IP:127.0.0.1")
        imap = Replica(kind, own, PASSWORD, ("127.0.0.1", 1143))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*own)
        imap.submission = outgoing.Submission(("127.0.0.1", 1025), context, False,
                                     PASSWORD)
        return imap

    def other_machine(self):
        """With an address that is not one of loopback."""
        subprocess.run(["ip", "addr", "add", "10.77.0.1/32", "dev", "lo"],
                       check=True)
        self.net.host("imap.far.example", "10.77.0.1")
        own = liars.make_certificate(self.folder, "DNS:imap.far.example")
        return Replica(replica_kinds.kind_of("plain", {}), own, PASSWORD,
                       ("10.77.0.1", 993))

    def home(self):
        self.count += 1
        home = os.path.join(self.folder, "home%d" % self.count)
        os.mkdir(home)
        return Home(self, home)


class Home:
    """A user who has nothing yet."""

    def __init__(self, run, home):
        self.run, self.dir = run, home
        self.env = {"HOME": home, "PATH": run.bin + ":/usr/bin:/bin",
                    "LANG": "C.UTF-8", "TERM": "dumb",
                    "XDG_RUNTIME_DIR": home}
        if "ASAN_OPTIONS" in os.environ:
            self.env["ASAN_OPTIONS"] = os.environ["ASAN_OPTIONS"]
        self.path = os.path.join(home, ".config/belfry/belfry.conf")

    def write(self, text, mode=0o600):
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path, mode)

    def read(self):
        with open(self.path, encoding="utf-8") as file:
            return file.read()

    def has_file(self):
        return os.path.exists(self.path)

    def left(self):
        """What lies beside the configuration."""
        folder = os.path.dirname(self.path)
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []

    def setup(self, *args, text="", code=0):
        found = subprocess.run(
            [BELFRYCTL, "setup", *args], input=text, env=self.env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
            timeout=90)
        check(found.returncode == code, "setup %s: exit %d, not %d\n%s%s",
              args, found.returncode, code, found.stdout, found.stderr)
        if "--json" in args:
            same(schema.problems(["setup"], json.loads(found.stdout)), [],
                 "schema")
        return found

    def terminal(self, *args):
        return Terminal([BELFRYCTL, "--no-color", "setup", *args], self.env)

    def check(self):
        found = subprocess.run([BELFRYCTL, "check"], env=self.env, text=True,
                               stdout=subprocess.PIPE, check=False)
        check(found.returncode == 0, "check: %s", found.stdout)


# ---- the cases ----


def each_preset(run):
    """From the address alone, for each replica."""
    for name, (address, by_token) in ADDRESSES.items():
        replica, home = run.replica(name), run.home()
        if by_token:
            run.script("token", "#!/bin/sh\necho %s\n" % PASSWORD)
            found = home.setup(address, "--yes", "--token-command",
                               os.path.join(run.bin, "token"))
        else:
            found = home.setup(address, "--yes", "--in-file",
                               text=PASSWORD + "\n")
        check("It works: logged in to read mail (IMAP) and to send it (SMTP)"
              in found.stdout, "%s: %s%s", name, found.stdout, found.stderr)
        same(len(replica.mechanisms) + len(replica.said("^LOGIN")), 1,
             name + ": logins")
        same(replica.submission.logins, 1, name + ": logins to send")
        preset = run.presets[replica_kinds.SERVICES[name]["provider"]]
        secret = "token_command = %s/token" % run.bin if by_token \
            else "password = " + PASSWORD
        same(home.read().split("\n\n")[1], "[account %s]\nemail = %s\n%s\n"
             % (preset["id"], address, secret), name)
        home.check()


def conversation(run):
    """At a terminal: under ten lines, nothing shown, kept in the keyring."""
    run.replica("icloud")
    home = run.home()
    terminal = home.terminal("ann@icloud.com")
    shown = terminal.expect("Password .*: ")
    terminal.wait_echo(False)
    terminal.send(PASSWORD + "\n")
    shown += terminal.expect(r"Write \[account icloud\] in .*\? \[Y/n\] ")
    check(terminal.has_echo(), "no echo behind the password")
    look_at_process(terminal.pid)
    terminal.send("\n")
    shown += terminal.expect(r"Start Belfry now .*\? \[Y/n\] ")
    terminal.send("y\n")
    shown += terminal.end()
    same(terminal.status, 0, "exit")
    check(PASSWORD not in shown, "the password is shown:\n%s", shown)
    check(shown.count("\n") < 10, "%d lines:\n%s", shown.count("\n"), shown)
    check("app-specific password" in shown
          and "https://support.apple.com/102654" in shown, "%s", shown)
    check("It works" in shown, "%s", shown)
    same(home.read().split("\n\n")[1],
         "[account icloud]\nemail = ann@icloud.com\nkeyring = yes\n", "file")
    same(os.stat(home.path).st_mode & 0o7777, 0o600, "mode")
    with open(run.folder + "/keyring.icloud", encoding="utf-8") as file:
        same(file.read(), PASSWORD, "in the keyring")
    with open(run.folder + "/keyring.args", encoding="utf-8") as file:
        args = file.read()
    check(PASSWORD not in args, "the password is an argument")
    check("store --label=Belfry: icloud (ann@icloud.com) service belfry "
          "account icloud" in args, "%s", args)
    with open(run.folder + "/systemctl.args", encoding="utf-8") as file:
        check("--user enable --now belfry.service" in file.read(), "no start")
    home.check()


def look_at_process(pid):
    """The password is in it, and nowhere where others could see it."""
    for name in ("cmdline", "environ"):
        with open("/proc/%d/%s" % (pid, name), "rb") as file:
            check(PASSWORD.encode() not in file.read(), "in its %s", name)
    with open("/proc/%d/limits" % pid, encoding="utf-8") as file:
        core = next(line for line in file if "core file" in line)
    same(core.split()[4:6], ["0", "0"], "core limit")


def again(run):
    """The person's own lines stay, byte for byte."""
    run.replica("icloud")
    home = run.home()
    before = ("; mine\n\n[daemon]\nlog_level = info\n\n# of home\n"
              "[account home]\n# why\nemail=ann@icloud.com\nwatch = INBOX\n"
              "  Lists/*\n\nauth = plain\npassword_command = false\n# end\n\n"
              "[rule all]\nwhen = all\nnotify = yes")
    home.write(before, 0o640)
    # What is under its name in the keyring is no password of anybody's.
    with open(run.folder + "/keyring.home", "w", encoding="utf-8") as file:
        file.write("x" * 20000)
    found = home.setup("ann@icloud.com", "--yes", "--keyring",
                       text=PASSWORD + "\n")
    check("The account home is there already" in found.stdout, "%s", found)
    same(home.read(), before.replace("password_command = false",
                                     "keyring = yes"), "file")
    same(os.stat(home.path).st_mode & 0o7777, 0o640, "mode")
    # A second time there is nothing to change, nor to tell.
    text = home.read()
    home.setup("--name", "home", "--yes", "--keyring", text=PASSWORD + "\n")
    same(home.read(), text, "twice")
    # Kept, where nothing is said of the secret.
    home.setup("--name", "home", "--yes", "--no-test")
    same(home.read(), text, "kept")
    # A password in it makes the file private.
    home.setup("--name", "home", "--yes", "--in-file", text=PASSWORD + "\n")
    same(os.stat(home.path).st_mode & 0o7777, 0o600, "mode")
    found = home.setup("--name", "home", "--yes", "--no-test")
    check(PASSWORD not in found.stdout, "shown: %s", found.stdout)
    # Nor from the line below its key, nor one that was tried before.
    home.write(home.read().replace("password = ", "#password = " + PASSWORD +
                                   "\npassword =\n  "))
    found = home.setup("--name", "home", "--yes", "--no-test")
    check("[account home]\n" in found.stdout and
          "email=ann@icloud.com" in found.stdout and
          "  Lists/*" in found.stdout, "not shown: %s", found.stdout)
    check(PASSWORD not in found.stdout, "shown: %s", found.stdout)


def links(run):
    """A link to the file stays one, and so does a file of conf.d."""
    run.replica("icloud")
    home = run.home()
    home.write("[daemon]\nlog_level = info\n")
    real = os.path.join(home.dir, "dotfile")
    os.rename(home.path, real)
    os.symlink(real, home.path)
    folder = os.path.join(os.path.dirname(home.path), "conf.d")
    os.mkdir(folder)
    other = os.path.join(folder, "a.conf")
    shutil.copy(real, other)
    with open(other, "w", encoding="utf-8") as file:
        file.write("[account a]\nemail = ann@icloud.com\n"
                   "password_command = false\n")
    home.setup("bob@icloud.com", "--yes", "--no-test", "--credential", "b")
    check(os.path.islink(home.path), "the link is gone")
    home.setup("ann@icloud.com", "--yes", "--no-test", "--credential", "a")
    with open(other, encoding="utf-8") as file:
        same(file.read(), "[account a]\nemail = ann@icloud.com\n"
             "credential = a\n", "conf.d")
    with open(real, encoding="utf-8") as file:
        same(file.read(), "[daemon]\nlog_level = info\n\n[account icloud]\n"
             "email = bob@icloud.com\ncredential = b\n", "behind the link")


def wrong_password(run):
    """The right cause, and nothing is written."""
    replica, home = run.replica("icloud"), run.home()
    found = home.setup("ann@icloud.com", "--yes", text="wrong\n", code=77)
    check("app-specific" in found.stdout and
          "Nothing was written" in found.stdout, "%s", found.stdout)
    check(not home.has_file() and not home.left(), "left: %s", home.left())
    check(not os.path.exists(run.folder + "/keyring.args"), "stored")
    # Both forms of the name, and no more.
    check(replica.logins <= 2, "%d logins", replica.logins)
    document = json.loads(home.setup(
        "ann@icloud.com", "--yes", "--json", text="wrong\n", code=77).stdout)
    same((document["ok"], document["written"], document["tested"]),
         (False, False, False), "JSON")
    check([s for s in document["steps"] if s["result"] == "failed"],
          "%s", document)


def json_answer(run):
    run.replica("gmail")
    home = run.home()
    found = home.setup("ann@gmail.com", "--yes", "--json", "--in-file",
                       text=PASSWORD + "\n")
    document = json.loads(found.stdout)
    same({k: document[k] for k in (
        "ok", "account", "provider", "secret", "tested", "written", "then")},
         {"ok": True, "account": "gmail", "provider": "gmail",
          "secret": "file", "tested": True, "written": True, "then": None},
         "JSON")
    check(PASSWORD not in found.stdout + found.stderr, "%s", document)


def refusals(run):
    """What cannot be is said, with what to do, and changes nothing."""
    home = run.home()
    for args, text, code, words in (
            ((), "", 64, "An address is missing"),
            (("ann",), "", 64, "this is no mail address"),
            (("ann@hey.com",), "", 69, "it offers neither IMAP nor SMTP"),
            (("ann@icloud.com",), "", 64, "no password"),
            (("ann@icloud.com", "--no-test"), "x\n", 64, "say --yes"),
            (("ann@icloud.com", "--keyring", "--in-file"), "", 64,
             "an account has one secret"),
            (("ann@outlook.com",), "", 64, "it takes no passwords"),
            (("ann@icloud.com", "--provider", "gmial"), "", 64,
             "did you mean `gmail`?"),
            (("ann@x.example", "--imap", "pop3://x"), "x\n", 64, "imaps://"),
            (("ann@x.example", "--imap", "imap://x", "--yes", "--no-test",
              "--password-command", "a 'b"), "", 64, "quote"),
            (("ann@icloud.com", "--in-file", "--yes", "--no-test"), " x\n",
             65, "cannot begin or end with a blank")):
        found = home.setup(*args, text=text, code=code)
        check(words in found.stderr, "%s: %s", args, found.stderr)
        check(not home.has_file(), "%s: written", args)
    home.write("[account x]\nemial = a@b.example\n")
    found = home.setup("ann@icloud.com", "--yes", code=78)
    check("did you mean `email`?" in found.stderr, "%s", found.stderr)
    same(home.read(), "[account x]\nemial = a@b.example\n", "file")


def bridge(run):
    """A bridge on this machine, whose certificate nobody signed."""
    home, address = run.home(), "ann@proton.me"
    found = home.setup(address, "--yes", "--in-file", text=PASSWORD + "\n",
                       code=69)
    check("Proton Bridge does not run on this machine: nothing listens on port 1143" in found.stdout, "%s", found.stdout)
    replica = run.bridge()
    # Nobody is asked: it is not trusted, and it is said what to do.
    found = home.setup(address, "--yes", "--in-file", text=PASSWORD + "\n",
                       code=76)
    pin = re.search("--pin (sha256:[A-Za-z0-9+/]{43}=)", found.stdout)
    check(pin and not home.left(), "%s",
          found.stdout)
    same((replica.logins, replica.submission.logins), (0, 0), "logins")
    # At a terminal no is what no answer means.
    for answer, trusted in (("\n", False), ("n\n", False), ("y\n", True)):
        terminal = home.terminal(address)
        shown = terminal.expect("Password .*: ")
        terminal.wait_echo(False)
        terminal.send(PASSWORD + "\n")
        shown += terminal.expect(r"to be trusted from now on\? \[y/N\] ")
        check(pin[1] in shown and shown.count("sha256:") == 1, "%s", shown)
        same(replica.logins, 0, "logins")
        terminal.send(answer)
        shown += terminal.expect(r"\? \[[Yy]/[nN]\] ")
        check(("Write it all the same" in shown) != trusted, "%s", shown)
        terminal.send("y\n" if trusted else "\n")
        if trusted:
            shown += terminal.expect(r"Start Belfry now .*\? \[Y/n\] ")
            terminal.send("y\n")
        shown += terminal.end()
        same(bool(home.left()), trusted, "written")
    check(shown.count("\n") < 10, "%d lines:\n%s", shown.count("\n"), shown)
    same(home.read().split("\n\n")[1], "[account proton-bridge]\nemail = %s\n"
         "tls_pin = %s\nkeyring = yes\n" % (address, pin[1]), "file")
    home.check()
    # By an option that names it; and another key is another program.
    other = run.home()
    other.setup(address, "--yes", "--in-file", "--pin", pin[1],
                text=PASSWORD + "\n")
    check("tls_pin = " + pin[1] in other.read(), "%s", other.read())
    text = other.read()
    found = other.setup(address, "--yes", "--pin", "sha256:" + "A" * 43 + "=",
                        code=76)
    check("The server's key is not the one in `tls_pin`" in found.stdout,
          "%s", found.stdout)
    same(other.read(), text, "file")


def no_pin_elsewhere(run):
    """A certificate that nobody signed is not offered for trust when the
    server is not on this machine."""
    run.other_machine()
    home = run.home()
    terminal = home.terminal("ann@far.example", "--imap",
                             "imaps://imap.far.example")
    terminal.expect("Password .*: ")
    terminal.wait_echo(False)
    terminal.send(PASSWORD + "\n")
    shown = terminal.expect(r"\[y/N\] ")
    check("Write it all the same?" in shown and "whom this machine does not "
          "know" in shown and "trusted from now on" not in shown, "%s", shown)
    terminal.send("n\n")
    terminal.end()


def no_keyring(run):
    """Where the keyring does not take it, nothing is written."""
    run.replica("icloud")
    home = run.home()
    home.write("# mine\n")
    run.script("secret-tool", "#!/bin/sh\ncat >/dev/null\n"
               "echo 'Cannot autolaunch D-Bus' >&2\nexit 1\n")
    found = home.setup("ann@icloud.com", "--yes", text=PASSWORD + "\n",
                       code=69)
    check("Cannot autolaunch D-Bus" in found.stderr
          and "--in-file" in found.stderr, "%s", found.stderr)
    same(home.read(), "# mine\n", "file")
    same(home.left(), ["belfry.conf"], "folder")


class Keyring:
    """A real one: GNOME's, of this user alone, on a bus of its own."""

    def __init__(self, home, unlocked):
        self.bus = subprocess.Popen(
            ["dbus-daemon", "--session", "--print-address", "--nofork"],
            env=home.env, stdout=subprocess.PIPE, text=True,
            stderr=subprocess.DEVNULL)
        home.env["DBUS_SESSION_BUS_ADDRESS"] = \
            self.bus.stdout.readline().strip()
        home.env["PATH"] = "/usr/bin:/bin"
        self.daemon = subprocess.Popen(
            ["gnome-keyring-daemon", "--foreground", "--components=secrets",
             *(["--unlock"] if unlocked else [])],
            env=home.env, stdin=subprocess.PIPE, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.daemon.stdin.write("of the keyring")
        self.daemon.stdin.close()
        self.env = home.env
        live.wait("the keyring", lambda: subprocess.run(
            ["dbus-send", "--session", "--print-reply",
             "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus",
             "org.freedesktop.DBus.GetNameOwner",
             "string:org.freedesktop.secrets"], env=home.env, check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL).returncode == 0)

    def has(self):
        return subprocess.run(
            ["secret-tool", "lookup", "service", "belfry", "account",
             "icloud"], env=self.env, check=False, text=True,
            stdout=subprocess.PIPE).stdout

    def stop(self):
        for process in (self.daemon, self.bus):
            process.kill()
            process.wait()


def real_keyring(run):
    """Kept there, found there by doctor, changed, and left alone."""
    if not all(shutil.which(program) for program in (
            "gnome-keyring-daemon", "secret-tool", "dbus-daemon",
            "dbus-send")):
        print("no gnome-keyring-daemon here")
        return
    replica, home = run.replica("icloud"), run.home()
    keyring = Keyring(home, True)
    try:
        home.setup("ann@icloud.com", "--yes", text=PASSWORD + "\n")
        same(keyring.has(), PASSWORD, "in the keyring")
        same(home.read().split("\n\n")[1],
             "[account icloud]\nemail = ann@icloud.com\nkeyring = yes\n",
             "file")
        before = replica.logins
        found = subprocess.run([BELFRYCTL, "doctor", "--json"], env=home.env,
                               check=False, stdout=subprocess.PIPE, text=True)
        steps = json.loads(found.stdout)["accounts"][0]["steps"]
        check(("secret", "ok") in [(s["step"], s["result"]) for s in steps]
              and replica.logins == before + 1, "%s", found.stdout)
        home.setup("ann@icloud.com", "--yes", "--keyring", text="wrong\n",
                   code=77)
        same(keyring.has(), PASSWORD, "after a wrong one")
        # Another account is another secret.
        home.setup("carl@icloud.com", "--yes", "--keyring", "--no-test",
                   text="another\n")
        same(keyring.has(), PASSWORD, "of another account")
    finally:
        keyring.stop()


def locked_keyring(run):
    """Nobody is there to unlock it: told, and nothing is written."""
    if not shutil.which("gnome-keyring-daemon"):
        return
    run.replica("icloud")
    home = run.home()
    keyring = Keyring(home, False)
    try:
        found = home.setup("ann@icloud.com", "--yes", text=PASSWORD + "\n",
                           code=69)
        check("the keyring did not take the password" in found.stderr
              and "--in-file" in found.stderr, "%s", found.stderr)
        check(not home.has_file() and not home.left(), "left: %s",
              home.left())
    finally:
        keyring.stop()


RING = "[rule ring]\nwhen = all\nforward = ann@icloud.com\n  bob@icloud.com\n"


def taken_back(run):
    """What makes the whole an error is undone: the file, and the keyring."""
    run.replica("icloud")
    kept = run.folder + "/keyring.icloud"
    for before in (None, "the old one"):
        home = run.home()
        home.write("[account bob]\nemail = bob@icloud.com\n"
                   "password_command = false\n\n" + RING)
        if before:
            with open(kept, "w", encoding="utf-8") as file:
                file.write(before)
        text = home.read()
        found = home.setup("ann@icloud.com", "--yes", text=PASSWORD + "\n",
                           code=78)
        check("forwards go in a circle" in found.stderr
              and "Nothing was written." in found.stdout, "%s", found)
        same((home.read(), home.left()), (text, ["belfry.conf"]), "file")
        same(os.path.exists(kept) and open(kept, encoding="utf-8").read(),
             before or False, "in the keyring")
    # A file that cannot be replaced.
    os.remove(kept)
    home = run.home()
    home.write("# mine\n")
    subprocess.run(["mount", "--bind", home.path, home.path], check=True)
    found = home.setup("ann@icloud.com", "--yes", text=PASSWORD + "\n",
                       code=73)
    check("cannot replace" in found.stderr, "%s", found.stderr)
    same((home.left(), os.path.exists(kept)), (["belfry.conf"], False),
         "left")
    subprocess.run(["umount", home.path], check=True)


def interrupted(run):
    """Ended at each question: nothing is there, and the terminal echoes."""
    run.replica("icloud")
    questions = ["Password .*: ", r"Write .*\? \[Y/n\] "]
    for last in range(len(questions)):
        home = run.home()
        terminal = home.terminal("ann@icloud.com")
        for question in questions[:last]:
            terminal.expect(question)
            terminal.wait_echo("Password" not in question)
            terminal.send(PASSWORD + "\n")
        terminal.expect(questions[last])
        terminal.wait_echo(last > 0)
        terminal.send("\x03")
        if last == 0:
            terminal.wait_echo(True)
        terminal.end()
        same(terminal.status, -signal.SIGINT, "signal")
        check(not home.left(), "left: %s", home.left())
    home = run.home()
    terminal = home.terminal("ann@icloud.com")
    terminal.expect(questions[0])
    terminal.wait_echo(False)
    terminal.send("\x04")
    check("nothing was written" in terminal.end(), "no word at the end")
    check(not home.left(), "left: %s", home.left())


def interrupted_later(run):
    """Ended in the test: nothing is there. While the keyring stores: all."""
    run.net.host("imap.mail.me.com", "127.9.9.9")
    mute = socket.create_server(("127.9.9.9", 993))
    for stage in ("test", "keyring"):
        if stage == "keyring":
            mute.close()
            run.replica("icloud")
            run.script("secret-tool", "#!/bin/sh\n[ $1 != store ] || "
                       "{ touch %s/storing; sleep 1; }\n" % run.folder
                       + (KEYRING % {"folder": run.folder}).split("\n", 1)[1])
        home = run.home()
        terminal = home.terminal("ann@icloud.com")
        terminal.expect("Password .*: ")
        terminal.wait_echo(False)
        terminal.send(PASSWORD + "\n")
        terminal.expect(r"Testing \.\.\.")
        if stage == "test":
            mute.accept()
        else:
            terminal.expect(r"Write .*\? \[Y/n\] ")
            terminal.send("\n")
            live.wait("the keyring", lambda: os.path.exists(
                run.folder + "/storing"))
        terminal.send("\x03")
        check(terminal.has_echo(), "no echo")
        terminal.end()
        same(terminal.status, -signal.SIGINT, "signal")
        kept = os.path.exists(run.folder + "/keyring.icloud")
        same((home.left(), kept), (["belfry.conf"], True)
             if stage == "keyring" else ([], False), stage)
    home.check()


def no_systemd(run):
    """Where there is no systemctl, or no service, nothing is offered."""
    run.replica("icloud")
    for script in (None, "#!/bin/sh\necho 'No files found' >&2\nexit 1\n"):
        os.remove(os.path.join(run.bin, "systemctl"))
        if script:
            run.script("systemctl", script)
        else:
            # None of the system's, either.
            for name in os.listdir("/usr/bin"):
                if name in ("sh", "cat", "rm", "dirname"):
                    os.symlink("/usr/bin/" + name,
                               os.path.join(run.bin, name))
        home = run.home()
        home.env["PATH"] = run.bin
        terminal = home.terminal("ann@icloud.com")
        terminal.expect("Password .*: ")
        terminal.wait_echo(False)
        terminal.send(PASSWORD + "\n")
        terminal.expect(r"Write .*\? \[Y/n\] ")
        terminal.send("y\n")
        shown = terminal.end()
        check("To start it: belfryd" in shown and "systemctl" not in shown,
              "%s", shown)
        same(terminal.status, 0, "exit")
        run.script("systemctl", "")


def deaf(run):
    """Where the daemon takes nobody in any more, setup ends all the same."""
    home = run.home()
    os.mkdir(os.path.join(home.dir, "belfry"))
    path = os.path.join(home.dir, "belfry/control")
    callers = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(0)
        while not callers or not callers[-1][1]:
            caller = socket.socket(socket.AF_UNIX)
            caller.setblocking(False)
            callers.append((caller, caller.connect_ex(path)))
        found = home.setup("ann@icloud.com", "--yes", "--no-test",
                           "--credential", "c")
        for caller, _ in callers:
            caller.close()
    check("Written." in found.stdout and "To start it" not in found.stdout and
          "takes nobody in" in found.stderr, "%s", found)


def declined(run):
    """No is no, also after a test that failed."""
    run.replica("icloud")
    home = run.home()
    terminal = home.terminal("ann@icloud.com")
    terminal.expect("Password .*: ")
    terminal.wait_echo(False)
    terminal.send("wrong\n")
    shown = terminal.expect(r"Write it all the same\? \[y/N\] ")
    check(re.search("app-specific", shown), "%s", shown)
    terminal.send("\n")
    check("Nothing was written." in terminal.end(), "no word at the end")
    check(not home.left(), "left: %s", home.left())


def command_at_terminal(run):
    run.replica("icloud")
    home = run.home()
    run.script("pw", "#!/bin/sh\necho %s\n" % PASSWORD)
    terminal = home.terminal("ann@icloud.com")
    terminal.expect("empty to name a command that prints it.*: ")
    terminal.wait_echo(False)
    terminal.send("\n")
    terminal.expect("Command that prints the password: ")
    terminal.send("%s/pw\n" % run.bin)
    terminal.expect(r"Write .*\? \[Y/n\] ")
    terminal.send("y\n")
    terminal.expect(r"Start .*\? \[Y/n\] ")
    terminal.send("n\n")
    check("systemctl --user enable --now belfry" in terminal.end(), "no hint")
    check("password_command = %s/pw\n" % run.bin in home.read(), "file")


def on_dovecot(run):
    folder = os.path.join(run.folder, "servers")
    os.mkdir(folder, 0o755)
    on_server(run, live.Servers, folder)


def on_cyrus(run):
    on_server(run, other_servers.Cyrus, os.path.join(run.folder, "servers"))


def on_courier(run):
    on_server(run, other_servers.Courier, os.path.join(run.folder, "servers"))


def on_server(run, kind, folder):
    """By options, and again at a terminal; then from the address alone."""
    os.environ["SERVERS_NAMES"] = ",DNS:" + OWN_HOST
    try:
        servers = kind(folder)
    except SystemExit:
        print("%s is not here" % kind.__name__)
        return
    try:
        use_server(run, servers, kind.__name__)
        from_address(run, servers, kind.__name__)
    finally:
        servers.stop()


def publish(run, servers):
    """As who runs a server does: SRV records for the domain, and a certificate
    that everybody trusts."""
    with open(servers.env["SERVERS_CA"], encoding="utf-8") as file:
        certificate = file.read()
    with open(domains.TRUST, "a", encoding="utf-8") as file:
        file.write(certificate)
    run.net.host(OWN_HOST, "127.0.0.1")
    for service, port in (("_imaps", "SERVERS_IMAPS_PORT"),
                          ("_submission", "SERVERS_SMTP_PORT")):
        if port in servers.env:
            run.net.records[(service + "._tcp.example.com", "SRV")] = [
                (0, 1, int(servers.env[port]), OWN_HOST)]


def from_address(run, servers, name):
    """Somebody with an address, a password and nothing else."""
    publish(run, servers)
    home, user = run.home(), servers.user()
    wrong = home.setup("--email", user.address, "--yes", "--in-file",
                       text="no\n", code=77).stdout
    check("Nothing was written" in wrong and not home.has_file(), "%s: %s",
          name, wrong)
    said = home.setup("--email", user.address, "--yes", "--in-file",
                      text=live.PASSWORD + "\n").stdout
    check("It works" in said and OWN_HOST in said and said.count("\n") < 10,
          "%s: %s", name, said)
    home.check()
    user.create("Moved")
    with live.Daemon(servers, home.read() + "[rule m]\nwhen = subject is hello"
                     "\nmove = Moved\n") as daemon:
        daemon.wait_watching()
        user.deliver(live.message("hello"), live.message("other"))
        user.wait_subjects("Moved", ["hello"])
        user.wait_subjects("INBOX", ["other"])


def use_server(run, servers, name):
    home, user = run.home(), servers.user()
    args = [user.address, "--name", "own", "--ca-file",
            servers.env["SERVERS_CA"], "--imap",
            "imaps://localhost:" + servers.env["SERVERS_IMAPS_PORT"]]
    if "SERVERS_SMTP_PORT" in servers.env:
        args += ["--smtp", "submission://localhost:"
                 + servers.env["SERVERS_SMTP_PORT"]]
    found = home.setup(*args, "--yes", "--in-file",
                       text=live.PASSWORD + "\n")
    check("It works" in found.stdout, "%s: %s", name, found.stdout)
    home.check()
    text = home.read()
    found = home.setup(*args, "--yes", "--in-file", text="no\n", code=77)
    check("Nothing was written" in found.stdout, "%s: %s", name, found.stdout)
    same(home.read(), text, name)
    terminal = home.terminal("--name", "own")
    shown = terminal.expect("empty to keep what is there.*: ")
    check(live.PASSWORD not in shown, "%s: shown: %s", name, shown)
    terminal.wait_echo(False)
    terminal.send("\n")
    terminal.expect(r"Change \[account own\] in .*\? \[Y/n\] ")
    terminal.send("\n")
    terminal.expect(r"Start .*\? \[Y/n\] ")
    terminal.send("n\n")
    terminal.end()
    same(terminal.status, 0, name)
    same(home.read(), text, name)


SERVERS = (on_dovecot, on_cyrus, on_courier)
CASES = (conversation, each_preset, bridge, no_pin_elsewhere, again, links, wrong_password, json_answer,
         refusals, no_keyring, real_keyring, locked_keyring,
         taken_back, interrupted,
         interrupted_later, no_systemd, deaf, declined, command_at_terminal)


def main(cases=CASES):
    domains.enter()
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    for case in cases:
        if wanted not in case.__name__:
            continue
        pid = os.fork()
        if pid == 0:
            run_case(case)
        _, status = os.waitpid(pid, 0)
        if status:
            sys.exit(1)


def run_case(case):
    """In mounts and a network of its own, so that names and ports are free."""
    domains.again()
    folder = tempfile.mkdtemp(prefix="belfry-setup-")
    os.chmod(folder, 0o755)  # servers run as other users
    try:
        case(Run(folder))
        print("%s: ok" % case.__name__, flush=True)
        status = 0
    except Exception:  # noqa: BLE001 # whatever it is, the case failed
        import traceback
        traceback.print_exc()
        print("%s: FAILED" % case.__name__, flush=True)
        status = 1
    if "LIVE_KEEP" not in os.environ:
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(status)


if __name__ == "__main__":
    main()
