#!/usr/bin/env -S python3 -B
"""A notification goes when its message is read, moved or deleted elsewhere."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402

NOTIFIER = "[notifier mock]\ntype = desktop\n"
# Shows everything at once, and notes down what it is told.
MOCK = """#!/usr/bin/env -S python3 -B
import sys
print("ready\\tversion=1\\tcapabilities=body", flush=True)
for line in sys.stdin:
    fields = dict(f.split("=", 1) for f in line.rstrip("\\n").split("\\t")[1:])
    verb = line.split("\\t")[0].strip()
    with open(%r, "a", encoding="utf-8") as file:
        print(verb, fields["id"], fields.get("body", ""), file=file)
    if verb == "notify":
        print("shown\\tid=" + fields["id"], flush=True)
"""


class Desktop:
    """The mock, and what is on its screen."""

    def __init__(self, servers, name):
        self.noted = os.path.join(servers.dir, name + ".noted")
        self.program = os.path.join(servers.dir, name)
        with open(self.program, "w", encoding="utf-8") as file:
            file.write(MOCK % self.noted)
        os.chmod(self.program, 0o700)
        self.env = {"BELFRY_DESKTOP": self.program}

    def shown(self):
        """The bodies of all that is not closed."""
        shown = {}
        if not os.path.exists(self.noted):
            return []
        for line in live.read(self.noted).splitlines():
            verb, number, body = line.split(" ", 2)
            if verb == "notify":
                shown[number] = body
            else:
                shown.pop(number, None)
        return sorted(shown.values())

    def wait(self, *bodies):
        live.wait("on the screen: %s" % (bodies,),
                  lambda: self.shown() == sorted(bodies))


def change(user, subject, *words):
    """The other client: a flag, MOVE, or death."""
    imap = user.imap()
    imap.select("INBOX")
    _, found = imap.uid("SEARCH", "HEADER", "SUBJECT", '"%s"' % subject)
    uid = found[0].split()[0].decode()
    imap.uid(words[0], uid, *words[1:])
    if "\\Deleted" in words[-1]:
        imap.uid("EXPUNGE", uid)
    imap.logout()


def letters(*subjects):
    return [live.message(subject) for subject in subjects]


@live.case
def read_moved_deleted(servers):
    user = servers.user()
    user.create("Elsewhere")
    desktop = Desktop(servers, "desktop1")
    with live.Daemon(servers, user.account() + NOTIFIER,
                     env=desktop.env) as daemon:
        daemon.wait_watching()
        user.deliver(*letters("one", "two", "three", "four"))
        desktop.wait("one", "two", "three", "four")
        change(user, "two", "STORE", "+FLAGS", "(\\Flagged)")
        change(user, "one", "STORE", "+FLAGS", "(\\Seen)")
        desktop.wait("two", "three", "four")
        change(user, "three", "MOVE", "Elsewhere")
        desktop.wait("two", "four")
        change(user, "four", "STORE", "+FLAGS", "(\\Deleted)")
        desktop.wait("two")
        live.stays("what is unread stays", lambda: desktop.shown() == ["two"])


@live.case
def read_while_the_connection_was_away(servers):
    user = servers.user()
    desktop = Desktop(servers, "desktop2")
    with live.Daemon(servers, user.account() + NOTIFIER,
                     env=desktop.env) as daemon:
        daemon.wait_watching()
        user.deliver(*letters("one", "two"))
        desktop.wait("one", "two")
        daemon.ctl("pause", user.name)
        change(user, "one", "STORE", "+FLAGS", "(\\Seen)")
        daemon.ctl("resume", user.name)
        desktop.wait("two")


@live.case
def what_a_rule_did_itself_is_not_withdrawn(servers):
    user = servers.user()
    user.create("Elsewhere")
    desktop = Desktop(servers, "desktop3")
    rules = ("[rule move]\nwhen = subject is moved\nmove = Elsewhere\n"
             "notify = yes\n\n"
             "[rule mark]\nwhen = subject is marked\nmark = read\n"
             "notify = yes\n")
    with live.Daemon(servers, user.account() + NOTIFIER + rules,
                     env=desktop.env) as daemon:
        daemon.wait_watching()
        user.deliver(*letters("moved", "marked", "other"))
        desktop.wait("moved", "marked", "other")
        change(user, "other", "STORE", "+FLAGS", "(\\Seen)")
        desktop.wait("moved", "marked")
        live.stays("both", lambda: desktop.shown() == ["marked", "moved"])


if __name__ == "__main__":
    live.main()
