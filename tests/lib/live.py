"""What live and system tests share: servers, the daemon, and waiting.

A test is a file of functions with `@case` above them, and `live.main()` at its
end. The servers are private and real (servers.sh); so are the daemon and
belfryctl, from the build folder (the current one, or $BELFRY_BUILD). Each case
has users and a daemon of its own, so that no case sees another's mail.

    @live.case
    def moves(servers):
        user = servers.user()
        rule = "[rule m]\nwhen = all\nmove = Work\ncreate = yes\n"
        with live.Daemon(servers, user.account() + rule) as daemon:
            daemon.wait_watching()
            user.deliver(live.message("hello"))
            user.wait_subjects("Work", ["hello"])

Exit status: 0 all is well, 1 a case failed (it says which, and shows the
daemon's log), 77 something that is needed is not installed.

$LIVE_SEED fixes what is random, $LIVE_KEEP=1 leaves the folder, a word as
argument runs only the cases whose names contain it.
"""

import base64
import contextlib
import email.policy
import imaplib
import json
import os
import random
import re
import shutil
import signal
import smtplib
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import time
import traceback

import schema
import servers as servers_py

LIB = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("BELFRY_BUILD", os.getcwd())
BELFRYD = os.path.join(BUILD, "belfryd")
BELFRYCTL = os.path.join(BUILD, "belfryctl")

# For a machine that is busy with other things; passing tests do not wait.
PATIENCE_SECONDS = 90
# How long it is watched that something does not happen.
STILL_SECONDS = 1.0
USERS = 24
# Without the seconds by which Dovecot slows down who guesses passwords, and
# with a look at waiting mailboxes that does not need inotify: where many tests
# run at once, the system's limit of its instances is met.
DOVECOT = """
auth_failure_delay = 0
mailbox_idle_check_interval = 2 secs
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
"""
PASSWORD = "secret"
# Who runs the tests is not rung.
NO_DESKTOP = "[notifier desktop]\ntype = desktop\nenabled = no\n"


class Failed(Exception):
    """What a case found wrong."""


def check(is_so, words, *values):
    if not is_so:
        raise Failed(words % values if values else words)


def same(got, wanted, what):
    check(got == wanted, "%s: %r instead of %r", what, got, wanted)


def wait(what, is_so, seconds=PATIENCE_SECONDS):
    """Until is_so() is true, whose value is returned."""
    end = time.monotonic() + seconds
    while True:
        value = is_so()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed("waited %gs in vain: %s" % (seconds, what))
        time.sleep(0.1)


def settled(value_of, seconds=PATIENCE_SECONDS):
    """The value, once it has not changed for a second."""
    end = time.monotonic() + seconds
    value, since = value_of(), time.monotonic()
    while time.monotonic() - since < 1:
        check(time.monotonic() < end, "it goes on changing: %r", value)
        time.sleep(0.1)
        if value_of() != value:
            value, since = value_of(), time.monotonic()
    return value


def stays(what, is_so, seconds=STILL_SECONDS):
    """is_so() is true, and remains so for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        check(is_so(), "it did not stay so: %s", what)
        time.sleep(0.1)


def utf7(name):
    """A mailbox name as IMAP writes it (RFC 3501 section 5.1.3)."""

    def encode(run):
        word = base64.b64encode(run.group(0).encode("utf-16-be"))
        return "&%s-" % word.decode().rstrip("=").replace("/", ",")

    return re.sub("[^\x20-\x7e]+", encode, name.replace("&", "&-"))


# ---- messages ----

serial = 0


def message(subject, sender="Some Body <some@body.example>", body="Hello.\n",
            message_id=None, headers=()):
    """Bytes with CRLF; headers: further lines without line ends."""
    global serial
    serial += 1
    lines = [
        "From: %s" % sender,
        "To: ann@example.com",
        "Subject: %s" % subject,
        "Date: Tue, 03 Mar 2026 10:00:00 +0000",
        "Message-ID: %s" % (message_id or "<live.%d@body.example>" % serial),
        *headers,
        "",
        *body.splitlines(),
    ]
    return "".join(line + "\r\n" for line in lines).encode()


# ---- servers ----


class User:
    """A mailbox owner on the private servers."""

    of_case = []

    def __init__(self, servers, address):
        self.servers = servers
        self.address = address
        self.name = address.split("@")[0]
        User.of_case.append(self)

    def account(self, keys="", scheme="imaps", smtp="submission",
                password=None, user=None):
        """The user's [account] section; `keys` are further lines."""
        password_file = os.path.join(self.servers.dir, self.name + ".pw")
        with open(password_file, "w", encoding="utf-8") as file:
            file.write((password or PASSWORD) + "\n")
        ports = {
            "imaps": "IMAPS", "imap": "IMAP",
            "submission": "SMTP", "smtps": "SMTPS",
        }
        text = "[account %s]\nemail = %s\n" % (self.name, self.address)
        if user:
            text += "user = %s\n" % user
        for key, kind in (("imap", scheme), ("smtp", smtp)):
            # Not every server comes with one for submission.
            if kind and "SERVERS_%s_PORT" % ports[kind] in self.servers.env:
                text += "%s = %s://localhost:%s\n" % (
                    key, kind, self.servers.env["SERVERS_%s_PORT" % ports[kind]]
                )
        if not re.search("password|token_command|oauth2_|auth = external",
                         keys):
            text += "password_command = cat %s\n" % password_file
        if "tls_ca_file" not in keys:
            text += "tls_ca_file = %s\n" % self.servers.env["SERVERS_CA"]
        return text + keys + "\n"

    def deliver(self, *messages):
        self.servers.deliver(self.address, *messages)

    def imap(self):
        return self.servers.imap(self.address)

    def mailboxes(self):
        """{mailbox: [{uid, flags, subject, message-id, ...}]}, without the
        folder by which machines know of each other"""
        os.environ.update(self.servers.env)
        return {self.servers.path(name): messages for name, messages
                in servers_py.read_account(self.address).items()
                if self.servers.path(name) != "belfry-claims"}

    def subjects(self, mailbox):
        return sorted(
            m["subject"] for m in self.mailboxes().get(utf7(mailbox), ())
        )

    def wait_subjects(self, mailbox, subjects, seconds=PATIENCE_SECONDS):
        """Exactly these are in the mailbox."""
        try:
            wait("", lambda: self.subjects(mailbox) == sorted(subjects),
                 seconds)
        except Failed:
            raise Failed("%s should have %r and has %r; all: %r" % (
                mailbox, sorted(subjects), self.subjects(mailbox),
                {k: [m["subject"] for m in v]
                 for k, v in self.mailboxes().items() if v})) from None

    def flags(self, mailbox, subject):
        for found in self.mailboxes().get(utf7(mailbox), ()):
            if found["subject"] == subject:
                return found["flags"]
        raise Failed("%s is not in %s" % (subject, mailbox))

    def source(self, mailbox, subject):
        """The whole message as the server has it."""
        imap = self.imap()
        imap.select('"%s"' % self.servers.wire(mailbox), readonly=True)
        _, found = imap.uid("SEARCH", "HEADER", "SUBJECT", '"%s"' % subject)
        _, data = imap.uid("FETCH", found[0].split()[0], "(BODY.PEEK[])")
        imap.logout()
        return data[0][1]

    def create(self, *mailboxes):
        imap = self.imap()
        for mailbox in mailboxes:
            status, _ = imap.create('"%s"' % self.servers.wire(mailbox))
            same(status, "OK", "CREATE " + mailbox)
        imap.logout()

    def sent(self):
        """What was submitted by this user's login."""
        return [s for s in self.servers.sent() if s["user"] == self.address]


class Servers:
    """Private servers in a folder of their own; `extra`: for Dovecot, where
    @DIR@ is that folder."""

    cannot_name = ()

    def __init__(self, folder, extra=""):
        self.dir = folder
        self.users = iter(range(1, USERS + 1))
        self.env = {}
        names = ["u%d@example.com" % n for n in range(1, USERS + 1)]
        self.process = subprocess.Popen(
            ["sh", os.path.join(LIB, "live.sh"), folder],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=dict(os.environ, SERVERS_USERS=" ".join(names),
                     SERVERS_DOVECOT_EXTRA=DOVECOT
                     + extra.replace("@DIR@", folder)),
        )
        for line in self.process.stdout:
            if line == "ready\n":
                break
            key, _, value = line.rstrip("\n").partition("=")
            self.env[key] = value
        else:
            sys.exit(77 if self.process.wait() == 77 else 1)
        self.dovecot_pid = int(self.env.pop("DOVECOT_PID"))
        self.env.pop("SERVERS_DOVECOT_EXTRA", None)

    def tell(self, word):
        print(word, file=self.process.stdin, flush=True)
        answer, pid = self.process.stdout.readline().split()
        same(answer, "done", word)
        self.dovecot_pid = int(pid)

    def stop(self):
        self.cut_imap()
        self.process.stdin.close()
        self.process.wait()

    def user(self):
        return User(self, "u%d@example.com" % next(self.users))

    def wire(self, name):
        """The name on the wire, for a name as rules write it."""
        return utf7(name)

    def path(self, wire_name):
        return wire_name

    def cut_imap(self):
        """Breaks all links: kills the processes that hold their TLS. (The
        others would leave locks behind, which Dovecot waits for two minutes
        for, or half a MOVE.)"""
        self.signal_imap(signal.SIGKILL, ("imap-login",))

    def signal_imap(self, number, names=("imap", "imap-login")):
        """SIGSTOP makes them deaf, and SIGCONT well again."""
        listing = subprocess.run(
            ["ps", "--ppid", str(self.dovecot_pid), "-o", "pid=,comm="],
            stdout=subprocess.PIPE, text=True, check=True).stdout
        for line in listing.splitlines():
            pid, name = line.split(None, 1)
            if name.strip() in names:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), number)

    def kick(self, address):
        """Dovecot says BYE to all connections of this user, once there is
        one."""
        wait("a connection to kick", lambda: subprocess.run(
            ["doveadm", "-c", self.env["SERVERS_DOVECOT_CONF"], "kick",
             address],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
            env=dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin"),
        ).returncode == 0)

    def deliver(self, address, *messages):
        """By LMTP, as an MTA does; one connection for all."""
        port = int(self.env["SERVERS_LMTP_PORT"])
        with smtplib.LMTP("127.0.0.1", port) as lmtp:
            for data in messages:
                lmtp.sendmail("sender@body.example", [address], data,
                              ["BODY=8BITMIME"])

    def fill(self, address, messages):
        """Very many at once, of which nobody is told."""
        fill_maildir(os.path.join(self.dir, "mail", address, "Maildir"),
                     messages)

    def imap(self, address, password=PASSWORD):
        context = ssl.create_default_context(cafile=self.env["SERVERS_CA"])
        imap = imaplib.IMAP4_SSL(
            "localhost", int(self.env["SERVERS_IMAPS_PORT"]),
            ssl_context=context)
        imap.login(address, password)
        return imap

    def sent(self):
        return servers_py.read_sent(self.env["SERVERS_SENT"])

    def sent_count(self):
        return sum(name.endswith(".json")
                   for name in os.listdir(self.env["SERVERS_SENT"]))

    def sent_source(self, number):
        """The bytes of what was submitted, counted from 1."""
        path = os.path.join(self.env["SERVERS_SENT"], "%04d.eml" % number)
        with open(path, "rb") as file:
            return file.read()

    def fault(self, *lines):
        """What the submission server does wrong next; see submission.py."""
        path = self.env["SERVERS_FAULTS"]
        with open(path + ".mine", "w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)
        os.replace(path + ".mine", path)

    def log(self, name="dovecot.log"):
        return read(os.path.join(self.env["SERVERS_LOG"], name))

    def logins(self, address):
        """How often Dovecot was given credentials of this user."""
        log = self.log()
        return (
            len(re.findall(r"Login: user=<%s>" % re.escape(address), log)),
            len(re.findall(r"%s.*(?:unknown user|Password mismatch)"
                           % re.escape(address), log)),
        )


def fill_maildir(folder, messages):
    """Puts them where a server looks for new ones, in their order."""
    global serial
    owner = os.stat(os.path.join(folder, "new"))
    for data in messages:
        serial += 1
        path = os.path.join(folder, "new", "%d.M%dP1.test" % (
            1780000000 + serial, serial))
        with open(path, "wb") as file:
            file.write(data.replace(b"\r\n", b"\n"))
        if os.getuid() == 0:
            os.chown(path, owner.st_uid, owner.st_gid)


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


# ---- the daemon ----


class Daemon:
    """belfryd with a folder of its own, and what a person would do with it."""

    counter = 0
    running = []

    def __init__(self, servers, text, args=(), env=(), level="info",
                 before=None):
        """`before` is called in the new process before it becomes belfryd."""
        Daemon.counter += 1
        self.before = before
        self.dir = os.path.join(servers.dir, "d%d" % Daemon.counter)
        os.mkdir(self.dir, 0o700)
        self.state = os.path.join(self.dir, "state")
        self.control = os.path.join(self.dir, "control", "socket")
        self.log_path = os.path.join(self.dir, "belfryd.log")
        self.config = os.path.join(self.dir, "belfry.conf")
        self.level = level
        self.args = list(args)
        self.env = {
            "PATH": os.environ["PATH"], "HOME": self.dir,
            "LANG": "C.UTF-8", **dict(env),
        }
        # The leak finder is a debugger, which belfryd lets nobody be.
        self.env["ASAN_OPTIONS"] = ":".join(
            [os.environ.get("ASAN_OPTIONS", ""), "detect_leaks=0"]).lstrip(":")
        if "UBSAN_OPTIONS" in os.environ:
            self.env["UBSAN_OPTIONS"] = os.environ["UBSAN_OPTIONS"]
        self.process = None
        self.write(text)

    def write(self, text):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(
                "[daemon]\nlog_level = %s\nstate_directory = %s\n"
                "control_socket = %s\n\n%s\n%s"
                % (self.level, self.state, self.control, NO_DESKTOP, text))
        os.chmod(self.config, 0o600)

    def path(self, name):
        return os.path.join(self.dir, name)

    def script(self, name, text):
        """An executable shell script in the folder, its path."""
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n" + text)
        os.chmod(self.path(name), 0o700)
        return self.path(name)

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [BELFRYD, "-c", self.config, *self.args],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.env, cwd=self.dir, preexec_fn=self.before)
        if self not in Daemon.running:
            Daemon.running.append(self)
        return self

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, seconds=30):
        """As systemd would; the exit status."""
        if self.process is None or self.process.poll() is not None:
            return None
        self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed("belfryd did not end within %gs" % seconds) from None

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        status = self.stop()
        if kind is None and status is not None:
            same(status, 0, "belfryd's exit status")

    def ctl(self, *words, code=0):
        """belfryctl's answer as JSON."""
        result = subprocess.run(
            [BELFRYCTL, "-c", self.config, *words, "--json"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.env,
            timeout=PATIENCE_SECONDS, check=False)
        if code is not None:
            same(result.returncode, code, "belfryctl %s (%s)" % (
                " ".join(words), result.stderr.decode()))
        try:
            answer = json.loads(result.stdout)
        except ValueError:
            return None
        same(schema.problems(words, answer), [], "what breaks the schema")
        return answer

    def says(self, *words):
        """(exit code, all that it prints), as a person sees it."""
        result = subprocess.run(
            [BELFRYCTL, "-c", self.config, *words], env=self.env,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=PATIENCE_SECONDS, check=False)
        return result.returncode, result.stdout

    def status(self, account):
        answer = self.ctl("status", code=None) or {}
        for found in answer.get("accounts", []):
            if found["account"] == account:
                return found
        return None

    def boxes(self):
        answer = self.ctl("status", code=None) or {}
        return {
            (account["account"], box["mailbox"]): box
            for account in answer.get("accounts", [])
            for box in account["mailboxes"]
        }

    def wait_watching(self, count=1, seconds=PATIENCE_SECONDS):
        """So many mailboxes are being watched."""
        def are_watched():
            check(self.process.poll() is None, "belfryd ended by itself")
            return sum(b["state"] == "watching"
                       for b in self.boxes().values()) == count
        wait("%d mailboxes to be watched" % count, are_watched, seconds)

    def history(self):
        return self.ctl("history", "--limit", "1000")["messages"]

    def log(self):
        return read(self.log_path)

    def logged(self, pattern):
        """The lines that match."""
        return [l for l in self.log().splitlines() if re.search(pattern, l)]

    def wait_log(self, pattern, count=1, seconds=PATIENCE_SECONDS):
        wait("%d log lines like %s" % (count, pattern),
             lambda: len(self.logged(pattern)) >= count, seconds)

    def wait_quiet(self, seconds=PATIENCE_SECONDS, but=None):
        """Nothing is left to do, except of the account `but`."""
        def is_quiet():
            boxes = self.boxes()
            return boxes and all(
                box["state"] == "watching" and box["open"] == 0
                for (account, _), box in boxes.items() if account != but)
        wait("all to be done", is_quiet, seconds)


    def hurry(self):
        """Forwards that wait for their next try are due at the next start:
        the clock of the real daemon cannot be turned. It must not run."""
        self.change_store("UPDATE queue SET next_try = 0 "
                          "WHERE state = 'waiting'")

    def fact(self, name):
        """What the store knows of it; "": nothing."""
        with contextlib.closing(
                sqlite3.connect(os.path.join(self.state, "state.db"))) as db:
            row = db.execute("SELECT value FROM facts WHERE name = ?",
                             (name,)).fetchone()
        return row[0] if row else ""

    def rows(self, sql, *values):
        """What the store has."""
        with contextlib.closing(
                sqlite3.connect(os.path.join(self.state, "state.db"))) as db:
            return db.execute(sql, values).fetchall()

    def change_store(self, sql):
        """It must not run."""
        with contextlib.closing(
                sqlite3.connect(os.path.join(self.state, "state.db"))) as db:
            db.execute(sql)
            db.commit()


# ---- cases ----

cases = []


def case(function):
    cases.append((function, ""))
    return function


def case_with(extra):
    """A case on servers of its own, with these lines for Dovecot."""
    def add(function):
        cases.append((function, extra))
        return function
    return add


def show_logs(servers):
    print("---- the server (last lines)")
    print("\n".join(servers.log().splitlines()[-40:]))
    for user in User.of_case:
        with contextlib.suppress(Exception):
            print("---- mail of %s: %s" % (user.name, {
                name: [(m["uid"], m["subject"][:40], m["flags"])
                       for m in messages[-20:]]
                for name, messages in user.mailboxes().items()}))
    for daemon in Daemon.running:
        if daemon.process.poll() is None:
            with contextlib.suppress(Exception):
                print("---- status: %r" % daemon.boxes())
            daemon.kill()
        print("---- %s (last lines)" % daemon.log_path)
        print("\n".join(daemon.log().splitlines()[-50:]))


def run_case(function, servers):
    start = time.monotonic()
    Daemon.running = []
    User.of_case = []
    try:
        function(servers)
    except SystemExit:  # the time is up
        show_logs(servers)
        raise
    except Exception as error:  # any error fails the case, not the others
        print("FAILED %s: %s" % (function.__name__, error))
        if not isinstance(error, Failed):
            traceback.print_exc(file=sys.stdout)
        show_logs(servers)
        return False
    finally:
        for daemon in Daemon.running:
            if daemon.process.poll() is None:
                daemon.kill()
        servers.fault()  # what one case broke is not the next one's
    print("ok %s (%.1fs)" % (function.__name__, time.monotonic() - start),
          flush=True)
    return True


def run_all(folder, wanted, kind):
    good = True
    running = {}
    try:
        for function, extra in cases:
            if wanted and wanted not in function.__name__:
                continue
            if extra not in running:
                sub = os.path.join(folder, "s%d" % (len(running) + 1))
                running[extra] = (kind or Servers)(sub, extra)
            good = run_case(function, running[extra]) and good
    finally:
        for servers in running.values():
            servers.stop()
    return good


def seed():
    """The seed of all that is random, printed for the next time."""
    number = int(os.environ.get("LIVE_SEED", 0)) or random.randrange(1, 2**31)
    print("seed: LIVE_SEED=%d" % number, flush=True)
    return random.Random(number)


def bounded(limit):
    """This program again, with so many seconds to live; skips when there is
    nothing to be tested."""
    if "LIVE_BOUNDED" not in os.environ:
        os.environ["LIVE_BOUNDED"] = "yes"
        os.execvp("timeout", ["timeout", "-k", "5", str(limit),
                              sys.executable, "-B", *sys.argv])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("too slow: ended"))
    for program in (BELFRYD, BELFRYCTL):
        if not os.access(program, os.X_OK):
            print("%s is not built" % program)
            sys.exit(77)


def main(limit=300, kind=None):
    """Runs the cases; `limit`: seconds for all of them; `kind`: another class
    of servers, see other_servers.py."""
    bounded(limit)
    folder = tempfile.mkdtemp(prefix="belfry-live-", dir="/tmp")
    os.chmod(folder, 0o755)
    try:
        good = run_all(folder, sys.argv[1] if len(sys.argv) > 1 else "",
                       kind)
    finally:
        for daemon in Daemon.running:
            if daemon.process.poll() is None:
                daemon.kill()
        if "LIVE_KEEP" in os.environ:
            print("kept: %s" % folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if good else 1)
