"""A desktop that shows notifications, and another client that does away with
their messages."""

import json
import os

import live

NOTIFIER = "[notifier mock]\ntype = desktop\n"
# Shows everything at once, and notes down what it is told.
MOCK = """#!/usr/bin/env -S python3 -B
import json, os, sys, threading
noted = %r
def press():
    while True:
        with open(noted + ".press", encoding="utf-8") as pipe:
            for line in pipe:
                print(line.rstrip(), flush=True)
os.path.exists(noted + ".press") or os.mkfifo(noted + ".press")
threading.Thread(target=press, daemon=True).start()
session = "1"
if os.path.exists(noted + ".session"):
    session = open(noted + ".session", encoding="utf-8").read()
print("ready\\tversion=1\\tcapabilities=body,actions\\tplace=%%s-" %% session,
      flush=True)
for line in sys.stdin:
    fields = dict(f.split("=", 1) for f in line.rstrip("\\n").split("\\t")[1:])
    verb = line.split("\\t")[0].strip()
    own = "%%s-%%d-%%s" %% (session, os.getpid(), fields["id"])
    key = fields.get("place", own)
    with open(noted + ".all", "a", encoding="utf-8") as file:
        print(json.dumps(dict(fields, verb=verb, key=key)), file=file)
    with open(noted, "a", encoding="utf-8") as file:
        print(verb, key, fields.get("body", ""), file=file)
    if verb == "notify":
        print("shown\\tid=%%s\\tplace=%%s" %% (fields["id"], own), flush=True)
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

    def end_session(self):
        """Where the next run of the mock shows has other places."""
        with open(self.noted + ".session", "w", encoding="utf-8") as file:
            file.write("2")

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

    def requests(self):
        """All fields of what is not closed, by body, and by title."""
        shown = {}
        if not os.path.exists(self.noted + ".all"):
            return {}
        for line in live.read(self.noted + ".all").splitlines():
            fields = json.loads(line)
            if fields["verb"] == "notify":
                shown[fields["key"]] = fields
            else:
                shown.pop(fields["key"], None)
        return {fields[name]: fields for fields in shown.values()
                for name in ("title", "body") if fields.get(name)}

    def request(self, text):
        """The fields of the one with this title or body, once it is there."""
        return live.wait("on the screen: " + text,
                         lambda: self.requests().get(text))

    def actions(self, text):
        return self.request(text)["actions"].split(",")

    def press(self, text, key, more=""):
        """As the service would, it goes then."""
        request = self.request(text)
        number = request["id"]
        self.say("action\tid=%s\tkey=%s%s" % (number, key, more),
                 "closed\tid=%s\treason=dismissed" % number)
        with open(self.noted, "a", encoding="utf-8") as file:
            print("close %s " % request["key"], file=file)
        with open(self.noted + ".all", "a", encoding="utf-8") as file:
            print(json.dumps({"verb": "close", "key": request["key"]}),
                  file=file)

    def say(self, *lines):
        with open(self.noted + ".press", "w", encoding="utf-8") as pipe:
            for line in lines:
                print(line, file=pipe)

    def wait(self, *bodies):
        live.wait("on the screen: %s" % (bodies,),
                  lambda: self.shown() == sorted(bodies))


def change(user, subject, *words, mailbox="INBOX"):
    """The other client: a flag, MOVE, or death."""
    imap = user.imap()
    imap.select(mailbox)
    _, found = imap.uid("SEARCH", "HEADER", "SUBJECT", '"%s"' % subject)
    uid = found[0].split()[0].decode()
    imap.uid(words[0], uid, *words[1:])
    if "\\Deleted" in words[-1]:
        imap.uid("EXPUNGE", uid)
    imap.logout()


def letters(*subjects):
    return [live.message(subject) for subject in subjects]


def copier(servers, name):
    noted = os.path.join(servers.dir, name + ".copied")
    path = os.path.join(servers.dir, name + "-copy")
    with open(path, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\nexec cat >%s\n" % noted)
    os.chmod(path, 0o700)
    return "[daemon]\ncopy_command = %s\n" % path, noted


def write(daemon, text, command):
    """The configuration, with a program that takes what is copied."""
    daemon.write(text)
    text = live.read(daemon.config).replace("[daemon]\n", command, 1)
    with open(daemon.config, "w", encoding="utf-8") as file:
        file.write(text)
