"""An IMAP server that behaves as the big services do, for tests.

A Replica listens on loopback with TLS and has one user's mail in memory. What
it says and how it misbehaves is its kind, a dictionary (replica_kinds.py):

  greeting   its first line
  pre, post  capabilities before and after the login
  offers     where `post` is told: "code" (in the tagged OK), "untagged"
             (before it), "asked" (only on CAPABILITY)
  delimiter, prefix   of mailbox names
  folders    (name on the wire, attributes), without INBOX
  quirks     words; each is looked up where it matters below
  refusals   what the first logins are answered, one after the other
  quota      (KiB used, KiB allowed)
  date       INTERNALDATE of all messages
  user       the one login name; without it any
  connections  how many may be logged in at once

Nothing is ever lost here, so a test can see what a client did: `boxes`, and
`heard`, all commands (without what AUTHENTICATE and LOGIN said)."""

import base64
import email
import email.policy
import re
import socket
import ssl
import threading
import time

WORD = re.compile(
    rb'"((?:[^"\\]|\\.)*)"|(BODY(?:\.PEEK)?\[[^\]]*\](?:<[^>]*>)?)'
    rb'|([()])|([^\s()"]+)')
IDLE_LOOK_SECONDS = 0.3
DATE = '"17-Nov-2026 10:00:00 +0000"'


class Gone(Exception):
    """The link is to end now."""


class Message:
    count = 0

    def __init__(self, uid, data, flags=(), number=None):
        self.uid = uid
        if number is None:  # else it is shown in several mailboxes
            Message.count += 1
            number = Message.count
        self.number = number
        self.data = data
        self.flags = set(flags)
        at = data.find(b"\r\n\r\n") + 4
        self.header, self.text = data[:at], data[at:]

    @property
    def subject(self):
        return str(email.message_from_bytes(
            self.header, policy=email.policy.compat32)["Subject"])

    def fields(self, names):
        """The block of these header fields."""
        found, keep = [], False
        for line in self.header.split(b"\r\n")[:-2]:
            if not line[:1].isspace():
                keep = line.split(b":")[0].lower() in names
            if keep:
                found.append(line + b"\r\n")
        return b"".join(found) + b"\r\n"


class Box:
    def __init__(self, name, attributes="\\HasNoChildren", validity=1000):
        self.name = name
        self.attributes = attributes
        self.validity = validity
        self.next = 1
        self.messages = []

    def add(self, data, flags=(), number=None):
        self.messages.append(Message(self.next, data, flags, number))
        self.next += 1
        return self.next - 1


def uids_of(text, box):
    """The messages that a set of UIDs names (RFC 3501: `*` is the last)."""
    last = box.messages[-1].uid if box.messages else 0
    wanted = set()
    for part in text.split(","):
        ends = [last if e == "*" else int(e) for e in part.split(":")]
        low, high = min(ends), max(ends)
        wanted |= {m.uid for m in box.messages if low <= m.uid <= high}
    return [m for m in box.messages if m.uid in wanted]


def numbers(items):
    return ",".join(str(i) for i in items)


class Replica:
    """One server with one mailbox owner."""

    def __init__(self, kind, certificate, password, place=("127.0.0.1", 0)):
        self.kind = kind
        self.appends = self.refused_appends = 0
        self.quirks = set(kind.get("quirks", ()))
        self.password = password
        self.lock = threading.RLock()
        self.boxes = {}
        self.heard = []
        self.sessions = []
        self.logins = 0
        self.mechanisms = []
        self.connections = 0
        self.refusals = list(kind.get("refusals", ()))
        self.add_box("Inbox" if "inbox-cased" in self.quirks else "INBOX",
                     kind.get("inbox", "\\HasNoChildren"))
        for name, attributes in kind.get("folders", ()):
            self.add_box(name, attributes)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if "tls12-max" in self.quirks:
            self.context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.context.load_cert_chain(*certificate)
        self.listener = socket.create_server(place, backlog=20)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def add_box(self, name, attributes="\\HasNoChildren"):
        self.boxes[name] = Box(name, attributes)
        if "uidvalidity-zero" in self.quirks:
            self.boxes[name].validity = 0
        return self.boxes[name]

    def box(self, name):
        if name.upper() == "INBOX":
            name = "Inbox" if "inbox-cased" in self.quirks else "INBOX"
        return self.boxes.get(name)

    def inbox(self):
        return self.box("INBOX")

    def deliver(self, *messages):
        with self.lock:
            for data in messages:
                self.inbox().add(data)

    def show(self, data, *wire_names):
        """One message in several mailboxes, from one moment on."""
        with self.lock:
            Message.count += 1
            for name in wire_names:
                self.box(name).add(data, (), Message.count)

    def subjects(self, wire_name):
        with self.lock:
            box = self.box(wire_name)
            return sorted(m.subject for m in box.messages) if box else None

    def flags(self, wire_name, subject):
        with self.lock:
            return sorted(f for m in self.box(wire_name).messages
                          if m.subject == subject for f in m.flags)

    def said(self, pattern):
        """The commands heard that match."""
        with self.lock:
            return [c for c in self.heard if re.search(pattern, c)]

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.one, args=(connection,),
                             daemon=True).start()

    def one(self, connection):
        session = Session(self, connection)
        self.sessions.append(session)
        try:
            session.run()
        except (OSError, ValueError, Gone):
            pass
        finally:
            self.sessions.remove(session)
            session.close()

    def each(self, act):
        """Does something to all sessions that rest in a mailbox."""
        for session in list(self.sessions):
            if session.box is not None:
                act(session)

    def rest_count(self):
        return sum(s.box is not None for s in self.sessions)

    def stop(self):
        self.listener.close()
        for session in list(self.sessions):
            session.close()


class Session:
    def __init__(self, replica, connection):
        self.replica = replica
        self.link = connection
        self.rest = b""
        self.box = None
        self.told = 0  # messages that the client knows of
        self.known = []  # their UIDs, by number
        self.identified = self.logged_in = False
        self.ending = None  # lines to be said, then the link ends

    def has(self, quirk):
        return quirk in self.replica.quirks

    # ---- bytes ----

    def close(self):
        try:
            self.link.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.link.close()

    def send(self, data):
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogateescape")
        if self.has("split-1-byte"):
            for at in range(len(data)):
                self.link.sendall(data[at:at + 1])
        else:
            self.link.sendall(data)

    def say(self, text):
        self.send(text + "\r\n")

    def read_line(self, seconds=None):
        """None: nothing came within the time."""
        while b"\n" not in self.rest:
            self.link.settimeout(seconds)
            try:
                data = self.link.recv(65536)
            except (TimeoutError, ssl.SSLWantReadError):
                return None
            finally:
                self.link.settimeout(None)
            if not data:
                raise Gone
            self.rest += data
        line, self.rest = self.rest.split(b"\n", 1)
        return line.rstrip(b"\r")

    # ---- the dialogue ----

    def run(self):
        kind = self.replica.kind
        if not kind.get("starttls"):
            self.link = self.replica.context.wrap_socket(
                self.link, server_side=True)
        for line in kind.get("before_greeting", ()):
            self.say(line)
        self.say(kind["greeting"])
        while True:
            line = self.read_line(
                IDLE_LOOK_SECONDS if self.box is not None else None)
            if self.ending is not None:
                for text in self.ending:
                    self.say(text)
                raise Gone
            if line is not None:
                self.command(line)

    def command(self, line):
        words = self.words(line)
        tag, verb = words[0], words[1].upper()
        arguments = words[2:]
        if verb == "UID":
            verb = "UID " + arguments.pop(0).upper()
        shown = "" if verb in ("LOGIN", "AUTHENTICATE") else \
            line.split(b" ", 1)[1].decode("utf-8", "replace")
        with self.replica.lock:
            self.replica.heard.append(shown or verb)
        limit = 1000 if self.has("max-cmd-1000") else 8192
        if len(line) > limit:
            self.say(tag + " BAD [CLIENTBUG] command line too long")
            return
        if self.has("pipeline-25") and self.rest.count(b"\n") >= 25:
            self.say(tag + " BAD too many commands")
            return
        act = getattr(self, "do_" + verb.lower().replace(" ", "_"), None)
        unknown = "NO Error in IMAP command received by server." \
            if self.has("no-instead-of-bad") else "BAD unknown command"
        if act is None:
            self.say("%s %s" % (tag, unknown))
            return
        if self.logged_in or verb in (
                "CAPABILITY", "LOGIN", "AUTHENTICATE", "STARTTLS", "ID",
                "NOOP", "LOGOUT"):
            answer = act(tag, arguments)
        else:
            answer = "BAD not now"
        if answer is not None:
            self.say("%s %s" % (tag, answer))

    @staticmethod
    def words(line):
        found = []
        for match in WORD.finditer(line):
            quoted, section, bracket, atom = match.groups()
            if quoted is not None:
                found.append(re.sub(rb"\\(.)", rb"\1", quoted).decode())
            else:
                found.append((section or bracket or atom).decode())
        if len(found) < 2:
            raise ValueError(line)
        return found

    # ---- login ----

    def do_capability(self, _tag, _):
        kind = self.replica.kind
        self.say("* CAPABILITY " + kind["post" if self.logged_in else "pre"])
        return "OK CAPABILITY completed"

    def do_starttls(self, tag, _):
        self.say(tag + " OK begin")
        self.link = self.replica.context.wrap_socket(
            self.link, server_side=True)

    def do_authenticate(self, tag, arguments):
        mechanism = arguments[0].upper()
        with self.replica.lock:
            self.replica.mechanisms.append(mechanism)
        if self.has("plain-may-fail") and mechanism == "PLAIN":
            self.say(tag + " NO [AUTHENTICATIONFAILED] Authentication Failed")
            raise Gone
        if len(arguments) < 2:
            self.say("+ ")
            word = self.read_line()
        else:
            word = arguments[1].encode()
        secret = base64.b64decode(word)
        if "token" in self.replica.kind:
            return self.enter_by_token(tag, mechanism, secret)
        return self.enter(tag, self.is_owner(secret))

    def is_owner(self, secret):
        """SASL PLAIN of the owner: of one name, where the kind has it."""
        user = self.replica.kind.get("user")
        password = self.replica.password.encode()
        if user is None:
            return password in secret
        return secret == b"\0%s\0%s" % (user.encode(), password)

    def enter_by_token(self, tag, mechanism, response):
        """XOAUTH2 and OAUTHBEARER (RFC 7628); `token` has the words for a bad
        one: the challenge, if the service has one, and the end."""
        challenge, words = self.replica.kind["token"]
        good = b"auth=Bearer %s\1\1" % self.replica.password.encode()
        user = self.replica.kind.get("user", "ann").encode()
        named = {"XOAUTH2": b"user=%s\1" % user,
                 "OAUTHBEARER": b"n,a=%s,\1" % user}[mechanism]
        if response.startswith(named) and response.endswith(good):
            return self.enter(tag, True)
        with self.replica.lock:
            self.replica.logins += 1
        if challenge:
            self.say("+ " + base64.b64encode(challenge.encode()).decode())
            answer = base64.b64decode(self.read_line())
            if answer not in (b"", b"\1"):
                raise ValueError(answer)
        return words

    def do_login(self, tag, arguments):
        user = self.replica.kind.get("user", arguments[0])
        return self.enter(tag, arguments == [user, self.replica.password])

    def enter(self, tag, is_good):
        replica = self.replica
        with replica.lock:
            replica.logins += 1
            refusal = replica.refusals.pop(0) if replica.refusals else None
        if refusal is not None:
            for line in refusal:
                self.say(line.replace("$tag", tag))
            if refusal[-1].startswith("* BYE"):
                raise Gone
            return None
        if not is_good:
            return "NO [AUTHENTICATIONFAILED] no"
        most = replica.kind.get("connections", 1000)
        if sum(s.logged_in for s in list(replica.sessions)) >= most:
            return "NO [ALERT] Too many simultaneous connections. (Failure)"
        self.logged_in = True
        offers = replica.kind.get("offers", "code")
        post = replica.kind["post"]
        if offers == "untagged":
            self.say("* CAPABILITY " + post)
        if offers == "code":
            return "OK [CAPABILITY %s] welcome" % post
        return "OK user ann authenticated"

    def do_id(self, _tag, arguments):
        if arguments[:1] == ["NIL"] or arguments[:2] == ["(", ")"]:
            return "BAD ID needs a list"
        if self.has("id-may-fail"):
            return "BAD invalid command"
        self.identified = True
        self.say('* ID ("name" "replica")')
        return "OK ID completed"

    def do_enable(self, _tag, arguments):
        if not self.has("enable-silent"):
            self.say("* ENABLED " + " ".join(arguments))
        return "OK ENABLE completed"

    def do_logout(self, tag, _):
        self.say("* BYE see you")
        self.say(tag + " OK LOGOUT completed")
        raise Gone

    # ---- names ----

    def do_namespace(self, _tag, _):
        kind = self.replica.kind
        self.say('* NAMESPACE (("%s" "%s")) NIL NIL' % (
            kind.get("prefix", ""), kind.get("delimiter", "/")))
        return "OK NAMESPACE completed"

    def do_list(self, _tag, arguments, verb="LIST"):
        kind = self.replica.kind
        if len(arguments) > 2 and "SPECIAL-USE" not in kind["post"]:
            return "BAD unexpected arguments"
        hide = verb == "LIST" and self.has("xlist")
        with self.replica.lock:
            boxes = list(self.replica.boxes.values())
        for box in boxes:
            attributes = "\\HasNoChildren" if hide else box.attributes
            self.say('* %s (%s) "%s" "%s"' % (
                verb, attributes, kind.get("delimiter", "/"), box.name))
        return "OK %s completed" % verb

    def do_xlist(self, tag, arguments):
        if "XLIST" not in self.replica.kind["post"]:
            return "BAD unknown command"
        return self.do_list(tag, arguments, "XLIST")

    def read_bytes(self, count):
        while len(self.rest) < count:
            data = self.link.recv(65536)
            if not data:
                raise Gone
            self.rest += data
        found, self.rest = self.rest[:count], self.rest[count:]
        return found

    def do_append(self, _tag, arguments):
        size = re.fullmatch(r"\{(\d+)(\+?)\}", arguments[-1])
        if not size:
            return "BAD unknown command"
        if not size.group(2):
            self.say("+ go on")
        data = self.read_bytes(int(size.group(1)))
        self.read_line()
        with self.replica.lock:
            box = self.replica.box(arguments[0])
            if box is None:
                return "NO [TRYCREATE] there is no such mailbox"
            if self.has("append-needs-crlf") and (
                    not data.endswith(b"\r\n")
                    or re.search(rb"(?<!\r)\n|\r(?!\n)", data)):
                self.replica.refused_appends += 1
                return "BAD [CLIENTBUG] a line does not end in CRLF"
            uid = box.add(data,
                          {"\\Seen"} if "\\Seen" in arguments else ())
            self.replica.appends += 1
        if not self.offers("UIDPLUS"):
            return "OK APPEND completed"
        return "OK [APPENDUID %d %d] APPEND completed" % (box.validity, uid)

    def do_create(self, _tag, arguments):
        with self.replica.lock:
            if self.has("folder-count-limit"):
                return "NO Maximum number of folders reached"
            if self.replica.box(arguments[0]):
                return "NO Mailbox already exists" \
                    if self.has("alreadyexists-missing") \
                    else "NO [ALREADYEXISTS] Mailbox exists"
            prefix = self.replica.kind.get("prefix", "")
            if not arguments[0].startswith(prefix):
                return "NO Invalid mailbox name."
            self.replica.add_box(arguments[0])
        return "OK CREATE completed"

    def do_delete(self, _tag, arguments):
        with self.replica.lock:
            if self.replica.boxes.pop(arguments[0], None) is None:
                return "NO [NONEXISTENT] there is no such mailbox"
        return "OK DELETE completed"

    def do_getquotaroot(self, _tag, arguments):
        if "quota" not in self.replica.kind:
            return "BAD unknown command"
        self.say('* QUOTAROOT "%s" ""' % arguments[0])
        self.say('* QUOTA "" (STORAGE %d %d)' % self.replica.kind["quota"])
        return "OK done"

    def do_subscribe(self, _tag, _):
        return "OK done"

    # ---- a mailbox ----

    def do_select(self, _tag, arguments, verb="SELECT"):
        if self.has("id-required") and not self.identified:
            return "NO SELECT Unsafe Login. Please contact kefu@188.com " \
                "for help"
        if "(" in arguments:
            return "BAD unknown parameter"
        with self.replica.lock:
            box = self.replica.box(arguments[0])
            if box is None:
                self.box = None
                return "NO no such mailbox"
            if "\\Noperm" in box.attributes:
                self.box = None
                return "NO [NOPERM] Permission denied"
            self.box = box
            self.known = [m.uid for m in box.messages]
            kept = "\\Answered \\Flagged \\Deleted \\Seen \\Draft"
            if not self.has("no-keywords"):
                self.say("* FLAGS (%s $Work)" % kept)
                kept += " \\*"
            else:
                self.say("* FLAGS (%s)" % kept)
            self.say("* %d EXISTS" % len(self.known))
            self.say("* 0 RECENT")
            self.say("* OK [PERMANENTFLAGS (%s)] kept" % kept)
            self.say("* OK [UIDVALIDITY %d] valid" % box.validity)
            if not self.has("no-uidnext"):
                self.say("* OK [UIDNEXT %d] next" % box.next)
            if "CONDSTORE" in self.replica.kind["post"]:
                self.say("* OK [HIGHESTMODSEQ %s]" % (
                    "0" if self.has("modseq-bogus") else "7"))
            if self.has("mailboxid-garbage"):
                self.send(b"* OK [MAILBOXID (\xff\xfe\x80)] odd\r\n")
        return "OK [READ-%s] %s completed" % (
            "ONLY" if verb == "EXAMINE" else "WRITE", verb)

    def do_examine(self, tag, arguments):
        return self.do_select(tag, arguments, "EXAMINE")

    def do_unselect(self, _tag, _):
        self.box = None
        return "OK done"

    def do_status(self, _tag, arguments):
        with self.replica.lock:
            box = self.replica.box(arguments[0])
            if box is None:
                return "NO [NONEXISTENT] no such mailbox"
            items = "" if self.has("status-empty") else \
                "MESSAGES %d UIDNEXT %d UIDVALIDITY %d" % (
                    len(box.messages), box.next, box.validity)
            self.say('* STATUS "%s" (%s)' % (box.name, items))
        return "OK STATUS completed"

    def tell_news(self):
        """EXPUNGE and EXISTS, as far as the client does not know."""
        if self.box is None:
            return False
        with self.replica.lock:
            now = [m.uid for m in self.box.messages]
            gone = [uid for uid in self.known if uid not in now]
            for uid in gone:
                number = self.known.index(uid) + 1
                self.known.remove(uid)
                self.say("* %d EXPUNGE" % number)
            grown = len(now) != len(self.known)
            self.known = now
            if grown:
                self.say("* %d EXISTS" % len(now))
            return bool(gone) or grown

    def do_noop(self, _tag, _):
        self.tell_news()
        if self.has("copyuid-missing-on-noop"):
            self.say("* OK [HIGHESTMODSEQ 9]")
        return "OK NOOP completed"

    def do_idle(self, tag, _):
        if " IDLE" not in " " + self.replica.kind["post"]:
            return "BAD unknown command"
        if self.has("idle-refused"):
            return "NO not for you"
        if self.has("exists-before-plus"):
            self.tell_news()
        if self.has("malformed-keepalive"):
            self.send("+\r\n")
        else:
            self.say("+ idling")
        began = time.monotonic()
        while True:
            if self.has("still-here"):
                self.say("* OK Still here")
            if self.has("malformed-keepalive"):
                self.say("* OK")
                self.say("*")
            if not self.has("idle-silent") and self.tell_news() and \
                    self.has("idle-early-ok"):
                self.say(tag + " OK IDLE ended by itself")
                line = self.read_line(1)
                if line is not None and line.upper() != b"DONE":
                    self.command(line)
                return None
            if self.ending is not None:
                for text in self.ending:
                    self.say(text)
                raise Gone
            if self.has("idle-dies") and time.monotonic() - began > 2 and \
                    self.replica.connections < 3:
                raise Gone
            line = self.read_line(IDLE_LOOK_SECONDS)
            if line is None:
                continue
            if line != b"DONE":
                return "BAD expected DONE"
            if not self.has("idle-silent"):
                self.tell_news()
            return "OK IDLE completed"

    # ---- messages ----

    def item(self, message, word):
        """One item of FETCH: its text, and bytes of a literal behind it."""
        upper = word.upper()
        if upper.startswith("BODY") and "[" in word:
            return self.section(message, word)
        texts = {
            "UID": "%d" % message.uid,
            "FLAGS": "(%s)" % " ".join(sorted(message.flags)),
            "INTERNALDATE": self.replica.kind.get("date", DATE),
            "RFC822.SIZE": "9.37e+06" if self.has("float-numbers")
                           else str(len(message.data)),
            "BODYSTRUCTURE": self.structure(message),
        }
        if self.offers("X-GM-EXT-1"):
            texts["X-GM-MSGID"] = str((1 << 60) + message.number)
            texts["X-GM-LABELS"] = self.labels(message)
        if self.offers("OBJECTID"):
            texts["EMAILID"] = "(M%d)" % message.number
        if upper not in texts:
            return None, b""  # as iCloud leaves RFC822 out
        return upper + " " + texts[upper], b""

    def offers(self, capability):
        return capability in self.replica.kind["post"].split()

    def labels(self, message):
        """Of the others that it is in; there is none for All Mail."""
        names = [name for name, box in self.replica.boxes.items()
                 if box is not self.box and "\\All" not in box.attributes
                 and any(m.number == message.number for m in box.messages)]
        return "(%s)" % " ".join(
            '"\\\\Inbox"' if n == "INBOX" else '"%s"' % n for n in names)

    def structure(self, message):
        if self.has("bodystructure-broken"):
            return '("TEXT" "PLAIN" NIL NIL NIL "7BIT" -1 "x")'
        if self.has("empty-body-part"):
            return '(NIL NIL NIL NIL NIL NIL NIL)'
        if self.has("bad-quoted"):
            return '("TEXT" "PLAIN" ("NAME" "a\r\nb") NIL NIL "7BIT" 5 1)'
        return '("TEXT" "PLAIN" ("CHARSET" "UTF-8") NIL NIL "8BIT" %d %d ' \
            'NIL NIL NIL NIL)' % (len(message.text), message.text.count(b"\n"))

    def section(self, message, word):
        section = word[word.index("[") + 1:word.index("]")]
        name = section.upper()
        if "<" in word and self.has("no-partial"):
            return None, b""
        if name.startswith("HEADER.FIELDS"):
            names = section[section.index("(") + 1:section.index(")")].split()
            if self.has("header-names-atoms-only") and '"' in section:
                raise ValueError(section)
            data = message.fields([n.strip('"').lower().encode()
                                   for n in names])
            if self.has("quoted-header-names"):
                names = ['"%s"' % n for n in names]
            name = "HEADER.FIELDS (%s)" % " ".join(names)
        elif name == "HEADER":
            data = message.header
        elif name == "":
            data = message.data
        elif name.endswith("MIME"):
            data = b"\r\n"
        else:
            data = message.text
        return "BODY[%s] {%d}\r\n" % (name, len(data)), data

    def do_uid_fetch(self, tag, arguments):
        text, items = arguments[0], [w for w in arguments[1:]
                                     if w not in "()"]
        if self.has("uid-fetch-params-bad") and "BODYSTRUCTURE" in items:
            return "BAD parameters are not taken"
        with self.replica.lock:
            box = self.box
            if self.has("fetch-beyond-max-hangs") and \
                    re.match(r"\d+", text) and \
                    int(re.match(r"\d+", text).group()) >= box.next:
                self.replica.heard.append("beyond the last UID")
                return None  # and no answer ever
            found = uids_of(text, box)
            for message in found:
                number = self.number(message.uid)
                if number == 0:
                    continue
                self.fetch_one(number, message, items)
        return "OK FETCH completed"

    def number(self, uid):
        """Its number for the client, who is told first if it is new."""
        if uid not in self.known:
            self.tell_news()
        return self.known.index(uid) + 1 if uid in self.known else 0

    def fetch_one(self, number, message, items):
        if self.has("raw-bytes"):
            self.send(b"* 1 FETCH (X-ODD \xff\x80\x00raw FLAGS (\\Seen)\r\n")
        if self.has("literal-everywhere"):
            self.send("* {4}\r\nFOO! {3}\r\nbar\r\n")
        if self.has("modseq-bogus"):
            self.say("* %d FETCH (UID %d MODSEQ (-1))" % (
                number, message.uid))
        self.send("* %d FETCH (" % number)
        blank = b""
        for word in items:
            text, literal = self.item(message, word)
            if text is not None:
                self.send(blank + text.encode() + literal)
                blank = b" "
        self.say(")")

    def do_uid_store(self, _tag, arguments):
        text, how = arguments[0], arguments[1].upper()
        flags = {w for w in arguments[2:] if w not in "()"}
        with self.replica.lock:
            for message in uids_of(text, self.box):
                if how.startswith("+"):
                    message.flags |= flags
                elif how.startswith("-"):
                    message.flags -= flags
                if not how.endswith(".SILENT"):
                    self.say("* %d FETCH (UID %d FLAGS (%s))" % (
                        self.number(message.uid), message.uid,
                        " ".join(message.flags)))
        return "OK STORE completed"

    def copy_to(self, arguments):
        """(answer when it cannot be, COPYUID's text, the messages)."""
        target = self.replica.box(arguments[1])
        if target is None:
            return "NO [TRYCREATE] no such mailbox", "", []
        if "\\Noselect" in target.attributes or \
                "\\NonExistent" in target.attributes:
            return "NO not selectable", "", []
        found = uids_of(arguments[0], self.box)
        there = [target.add(m.data, m.flags, m.number) for m in found]
        sets = ("", "") if self.has("copyuid-empty") else (
            numbers(m.uid for m in found), numbers(there))
        return None, "[COPYUID %d %s %s]" % (target.validity, *sets), found

    def do_uid_copy(self, _tag, arguments):
        with self.replica.lock:
            refusal, copyuid, found = self.copy_to(arguments)
        if refusal:
            return refusal
        if "UIDPLUS" not in self.replica.kind["post"] or not found:
            return "OK COPY completed"
        return "OK %s COPY completed" % copyuid

    def do_uid_move(self, _tag, arguments):
        if " MOVE" not in " " + self.replica.kind["post"]:
            return "BAD unknown command"
        with self.replica.lock:
            refusal, copyuid, found = self.copy_to(arguments)
            if refusal:
                return refusal
            if found and "UIDPLUS" in self.replica.kind["post"] and \
                    not self.has("copyuid-missing-on-noop"):
                self.say(copyuid if self.has("copyuid-bare")
                         else "* OK %s moved" % copyuid)
            self.take_away(found)
        return "OK MOVE completed"

    def take_away(self, messages):
        for message in messages:
            number = self.number(message.uid)
            self.box.messages.remove(message)
            if number:
                self.known.remove(message.uid)
                self.say("* %d EXPUNGE" % number)
        if messages and self.has("exists-after-move"):
            self.say("* %d EXISTS" % len(self.known))

    def do_uid_expunge(self, _tag, arguments):
        with self.replica.lock:
            self.take_away([m for m in uids_of(arguments[0], self.box)
                            if "\\Deleted" in m.flags])
        return "OK EXPUNGE completed"

    def do_uid_search(self, _tag, arguments):
        if "NOT" in arguments and self.has("search-not-ignored"):
            arguments = [w for w in arguments if w != "NOT"]
        with self.replica.lock:
            found = self.box.messages
            words = list(arguments)
            while words:
                word = words.pop(0).upper()
                if word == "UID":
                    chosen = uids_of(words.pop(0), self.box)
                    found = [m for m in found if m in chosen]
                elif word == "LARGER":
                    size = int(words.pop(0))
                    found = [m for m in found if len(m.data) > size]
                elif word == "SMALLER":
                    size = int(words.pop(0))
                    found = [m for m in found if len(m.data) < size]
            self.say("* SEARCH " + " ".join(str(m.uid) for m in found))
        return "OK SEARCH completed"
