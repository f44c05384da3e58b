"""A small submission server, as providers have them: greets, secures, logs in,
and takes what it is told to take.

`rules` are what the provider insists on:

  user      the one login name (without it any)
  token     AUTH XOAUTH2, and no password
  sender    the one address in MAIL FROM and From
  size      bytes that are announced, and not one more
  takes     whether mail is taken at all; else DATA is refused

What was taken is in `taken`: (envelope sender, recipients, message)."""

import base64
import email
import re
import socket

from domains import Net

# RFC 5321 section 4.1.3: what some providers refuse in EHLO.
LITERAL = re.compile(rb"EHLO \[", re.I)


class Submission:
    def __init__(self, place, context, implicit, password, **rules):
        self.context, self.implicit = context, implicit
        self.password, self.rules = password, rules
        self.logins = 0
        self.taken = []
        self.refused = []
        listener = socket.create_server(place, backlog=20)
        Net.begin(self.serve, listener)

    def serve(self, listener):
        while True:
            connection, _ = listener.accept()
            Net.begin(self.one, connection)

    def one(self, link):
        try:
            if self.implicit:
                link = self.context.wrap_socket(link, server_side=True)
            Session(self, link).talk()
        except (OSError, ValueError):
            pass


class Session:
    def __init__(self, server, link):
        self.server, self.link = server, link
        self.secure = server.implicit
        self.logged_in = False
        self.sender, self.recipients = None, []
        self.file = link.makefile("rwb", 0)

    def say(self, text):
        self.file.write(text.encode() + b"\r\n")

    def talk(self):
        self.say("220 replica ESMTP")
        while line := self.file.readline():
            verb = line.split()[0].decode().lower()
            act = getattr(self, "do_" + verb, None)
            if act is None:
                self.say("502 no")
            elif act(line.strip()) is False:
                return

    def do_ehlo(self, line):
        if LITERAL.match(line) and self.server.rules.get("named"):
            self.say("550 5.7.1 EHLO with a name, please")
            return
        auth = "LOGIN XOAUTH2" if self.server.rules.get("token") \
            else "PLAIN LOGIN XOAUTH2"
        self.say("250-replica")
        self.say("250-SIZE %d" % self.server.rules.get("size", 1000000))
        self.say("250-8BITMIME")
        self.say("250 AUTH " + auth if self.secure else "250 STARTTLS")

    def do_starttls(self, _):
        self.say("220 go")
        self.link = self.server.context.wrap_socket(
            self.link, server_side=True)
        self.file, self.secure = self.link.makefile("rwb", 0), True

    def do_auth(self, line):
        self.server.logins += 1
        words = line.decode().split()
        if len(words) < 3:
            self.say("334 ")
            words.append(self.file.readline().decode().strip())
        if not self.secure or not self.is_good(
                words[1].upper(), base64.b64decode(words[2])):
            self.say("535 5.7.8 Authentication failed")
            return
        self.logged_in = True
        self.say("235 in")

    def is_good(self, mechanism, secret):
        user = self.server.rules.get("user", "").encode()
        password = self.server.password.encode()
        if not user:
            return password in secret
        return secret == {
            "PLAIN": b"\0%s\0%s" % (user, password),
            "XOAUTH2": b"user=%s\1auth=Bearer %s\1\1" % (user, password),
        }.get(mechanism)

    def do_mail(self, line):
        size = re.search(rb"SIZE=(\d+)", line)
        if "takes" in self.server.rules and not self.logged_in:
            self.say("530 5.7.0 log in first")
        elif size and int(size[1]) > self.server.rules.get("size", 1000000):
            self.say("552 5.3.4 too big")
        else:
            self.sender = re.search(rb"<(.*?)>", line)[1].decode()
            self.recipients = []
            self.say("250 ok")

    def do_rcpt(self, line):
        self.recipients.append(re.search(rb"<(.*?)>", line)[1].decode())
        self.say("250 ok")

    def do_rset(self, _):
        self.say("250 ok")

    def do_data(self, _):
        if not self.server.rules.get("takes") or self.sender is None:
            self.say("502 no")
            return
        self.say("354 go on")
        lines = []
        while (line := self.file.readline()) != b".\r\n":
            if not line:
                raise ValueError("cut")
            lines.append(line[1:] if line.startswith(b".") else line)
        message = b"".join(lines)
        fault = self.fault_of(message)
        if fault:
            self.server.refused.append(fault)
            self.say("554 5.7.1 " + fault)
            return
        self.server.taken.append((self.sender, self.recipients, message))
        self.say("250 2.0.0 taken")

    def fault_of(self, message):
        """What strict providers find wrong with a message."""
        head = message.split(b"\r\n\r\n")[0]
        found = email.message_from_bytes(message)
        owner = self.server.rules.get("sender")
        if owner and (self.sender != owner or owner not in found["From"]):
            return "%s, %s is not %s" % (self.sender, found["From"], owner)
        for field in ("From", "To", "Date", "Message-ID"):
            if not (found[field] or "").strip():
                return "no " + field
        if head != head.decode("ascii", "ignore").encode():
            return "8-bit bytes in the header"
        return None

    def do_quit(self, _):
        self.say("221 bye")
        return False
