#!/usr/bin/env -S python3 -B
"""What other clients did while nobody was connected, on Dovecot and Cyrus:
that it is heard of, and that the server was asked in the short way (RFC 7162:
its own record of the connection shows it)."""

import glob
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import desktop  # noqa: E402
import live  # noqa: E402
import other_servers  # noqa: E402


class Dovecot(live.Servers):
    """Writes down what is said."""

    def __init__(self, folder, extra=""):
        self.said_in = folder + "-said"
        os.mkdir(self.said_in)
        super().__init__(
            folder, extra + "rawlog_dir = %s/%%u\n" % self.said_in)

    def user(self):
        user = super().user()
        path = os.path.join(self.said_in, user.address)
        os.mkdir(path)
        os.chmod(path, 0o777)
        return user

    def said(self, user):
        return read_all(os.path.join(self.said_in, user.address))


class Cyrus(other_servers.Cyrus):
    """The same: it does for users with such a folder."""

    def prepare(self, address):
        self.make("conf", "log", address)
        super().prepare(address)

    def said(self, user):
        return read_all(os.path.join(self.dir, "conf", "log", user.address))


def read_all(folder):
    return "".join(live.read(path) for path in
                   sorted(glob.glob(os.path.join(folder, "*"))))


def wait_said(servers, user, *words):
    for word in words:
        live.wait("the record of %r" % word,
                  lambda word=word: word in servers.said(user))


@live.case
def read_and_deleted_while_away(servers):
    user = servers.user()
    screen = desktop.Desktop(servers, "desktop")
    with live.Daemon(servers, user.account() + desktop.NOTIFIER,
                     env=screen.env) as daemon:
        daemon.wait_watching()
        user.deliver(*desktop.letters("one", "two", "three"))
        screen.wait("one", "two", "three")
        daemon.ctl("pause", user.name)
        desktop.change(user, "one", "STORE", "+FLAGS", "(\\Seen)")
        desktop.change(user, "two", "STORE", "+FLAGS", "(\\Deleted)")
        daemon.ctl("resume", user.name)
        screen.wait("three")
        wait_said(servers, user, "ENABLE QRESYNC", "SELECT INBOX (QRESYNC (",
                  "VANISHED (EARLIER)")
        daemon.wait_watching()
        desktop.change(user, "three", "STORE", "+FLAGS", "(\\Deleted)")
        screen.wait()
        wait_said(servers, user, "* VANISHED 3")


@live.case
def what_a_person_did_meanwhile_stays(servers):
    """The daemon dies between a rule's command and its mark."""
    user = servers.user()
    rules = ("[rule m]\nwhen = all\nexec = %s\nrepeat = safe\n"
             "mark = flagged\n")
    daemon = live.Daemon(servers, "")
    going = daemon.path("going")
    script = daemon.script(
        "slow", 'for i in 1 2 3 4 5 6 7 8 9 10; do test -e "%s" && '
        'exit 0; sleep 1; done\n' % going)
    daemon.write(user.account() + rules % script)
    with daemon:
        daemon.wait_watching()
        user.deliver(*desktop.letters("touched", "left", "gone"))
        live.wait("all are judged", lambda: len(daemon.history()) == 3)
        daemon.kill()
        desktop.change(user, "touched", "STORE", "+FLAGS", "(\\Answered)")
        desktop.change(user, "gone", "STORE", "+FLAGS", "(\\Deleted)")
        with open(going, "w", encoding="utf-8"):
            pass
        daemon.start()
        daemon.wait_quiet()
        wait_said(servers, user, "UNCHANGEDSINCE", "MODIFIED")
        live.check("\\Flagged" in user.flags("INBOX", "left"), "not marked")
        live.check("\\Flagged" not in user.flags("INBOX", "touched"),
                   "marked, though a person had changed it")
        live.wait("one is gone, and skipped", lambda: daemon.logged(
            "the message is gone"))


def main():
    """Cyrus only where it is."""
    live.bounded(120)
    folder = tempfile.mkdtemp(prefix="belfry-live-", dir="/tmp")
    os.chmod(folder, 0o755)
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    good, code = True, 0
    try:
        for kind in Dovecot, Cyrus:
            sub = os.path.join(folder, kind.__name__)
            os.mkdir(sub)
            os.chmod(sub, 0o755)
            good = live.run_all(sub, wanted, kind) and good
    except SystemExit as end:
        code = end.code
    finally:
        for daemon in live.Daemon.running:
            if daemon.process.poll() is None:
                daemon.kill()
        if "LIVE_KEEP" in os.environ:
            print("kept: %s" % folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(code if good else 1)


if __name__ == "__main__":
    main()
