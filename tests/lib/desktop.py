"""A desktop that shows notifications, and another client that does away with
their messages."""

import os

import live

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
