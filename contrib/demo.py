#!/usr/bin/env python3
"""The director of contrib/demo: delivers mail, shows what Belfry does with it,
kills it in between, and looks at the servers afterwards.

What it shows while mail comes in is belfryd's own log and what its notifier
was told, put into other words. What it compares at the end is read back from
the IMAP and the submission server; what is expected stands in MAIL below and
is not computed from the rules.
"""

import argparse
import glob
import json
import os
import random
import re
import select
import shlex
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.environ["SERVERS_LIB"])
import servers  # noqa: E402 (its folder is only known now)

SETTLE_SECONDS = 60
GRACE_SECONDS = 2
ACCOUNTS = {"home": "ann@example.com", "work": "ann@work.example"}
MARK = "X-Belfry-Demo"
# What this machine writes for others that may watch the account, too.
CLAIMS = "belfry-claims"

PYTHON_CORPUS = "/usr/lib/python3*/test/test_email/data"
BOUNCE_CORPUS = "/usr/lib/python3/dist-packages/flufl/bounce/tests/data"


class Mail:
    """A real message, to whom it goes, and what must become of it.

    mailbox, marks: where it is at the end, and its flags (S seen, F flagged).
    copy: another mailbox that has it. forward: who gets it. note: what the
    command of the rule `bounces` is given. rings: the urgency, None: silent.
    text: what the notification says, where it is not the subject.
    """

    def __init__(self, source, account, mailbox="INBOX", marks="", copy=None,
                 forward=None, note=None, rings=None, text=None):
        self.source = source
        self.account = account
        self.mailbox = mailbox
        self.marks = marks
        self.copy = copy
        self.forward = forward
        self.note = note
        self.rings = rings
        self.text = text
        self.number = self.uid = 0
        self.data = b""

    def expected(self):
        """The facts, each a line, sorted: what find_facts finds."""
        facts = [place(self.account, self.mailbox, self.marks)]
        if self.copy:
            facts.append(place(self.account, self.copy, ""))
        if self.forward:
            facts.append("sent to %s" % self.forward)
        if self.note:
            facts.append("command: %s" % self.note)
        if self.rings:
            facts.append("rang (%s)" % self.rings)
        return sorted(facts)


def place(account, mailbox, marks):
    names = {"S": "read", "F": "flagged"}
    words = " ".join(names.get(mark, mark) for mark in marks)
    return "in %s/%s%s" % (account, mailbox, words and " [%s]" % words)


def listed(source, account, name):
    return Mail(source, account, "Lists/" + name, "S")


def bounced(source, account, note):
    return Mail(source, account, "Archive", note=note)


# There before Belfry looks for the first time: not touched.
OLD = [
    Mail("msg_21", "home"),
    Mail("msg_27", "work"),
]

MAIL = [
    listed("dsn_02", "home", "python-list"),
    Mail("msg_36", "home", copy="Reading", forward="library@example.org",
         rings="low", text="draft-ietf-mboned-mix-00"),
    Mail("msg_07", "home", marks="F", rings="critical"),
    bounced("postfix_02", "home", "Undeliver mail.wooz.org"),
    Mail("msg_41", "home", "Junk"),
    Mail("msg_32", "home", rings="normal"),
    bounced("simple_39", "home", "fail mx183.mail.ru"),
    Mail("msg_06", "work", marks="F", forward="deputy@example.org",
         rings="critical"),
    bounced("dsn_16", "work", "Undeliver strategicnetwork.org"),
    listed("microsoft_02", "work", "mailman-users"),
    Mail("simple_13", "work", rings="normal"),
    Mail("msg_45", "work", forward="deputy@example.org", rings="normal"),
]

# While belfryd is killed and started again.
ROUGH_MAIL = [
    listed("dsn_03", "home", "python-list"),
    listed("dsn_08", "home", "zope"),
    listed("dsn_07", "work", "mailman-users"),
    listed("postfix_01", "work", "mailman-developers"),
    listed("llnl_01", "home", "python-announce-list"),
    Mail("msg_08", "home", marks="F", rings="critical"),
    Mail("msg_04", "work", marks="F", forward="deputy@example.org",
         rings="critical"),
    bounced("dsn_14", "home", "Return SMTP-GATEWAY01.intra.home.dk"),
    bounced("simple_28", "work", "Delay googlemail.com"),
    bounced("simple_40", "work", "delay kundenserver.de"),
    Mail("msg_26", "work", forward="deputy@example.org", rings="normal"),
    Mail("msg_35", "work", forward="deputy@example.org", rings="normal"),
    Mail("sina_01", "home", rings="normal"),
    Mail("groupwise_03", "home", rings="normal"),
]


# ---- the terminal ----


class Screen:
    """Lines from several threads, one at a time."""

    COLORS = {"saw": "1", "rang": "33", "held back": "31", "trouble": "31"}

    def __init__(self):
        self.lock = threading.Lock()
        self.is_terminal = sys.stdout.isatty()

    def say(self, text=""):
        with self.lock:
            print(text, flush=True)

    def step(self, text):
        bold, plain = ("\033[1m", "\033[0m") if self.is_terminal else ("", "")
        self.say("\n%s== %s%s" % (bold, text, plain))

    def event(self, who, verb, text):
        color = self.COLORS.get(verb) if self.is_terminal else None
        shown = "%-10s" % verb
        if color:
            shown = "\033[%sm%s\033[0m" % (color, shown)
        self.say("  %s  %-5s %s %s" % (
            time.strftime("%H:%M:%S"), who, shown, text))


screen = Screen()


# ---- belfryd ----


def parse_log(line):
    """`TIME LEVEL MESSAGE key=value ...` into (level, message, {key: value})."""
    pairs = dict(
        (key, re.sub(r"\\(.)", r"\1", quoted) if quoted else bare)
        for key, quoted, bare in re.findall(
            r' ([a-z_]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))', line)
    )
    words = line.split(" ")
    if len(words) < 3:
        return "", line, {}
    return words[1], words[2], pairs


def shorten(text, length=62):
    return text if len(text) <= length else text[: length - 1] + "…"


def name_rules(rules):
    names = (rules or "").split()
    if not names:
        return "no rule"
    return "rule%s %s" % ("s"[: len(names) > 1], " and ".join(names))


def show_judged(who, pairs):
    screen.event(who, "saw", "#%s %s" % (
        pairs.get("uid"), shorten(pairs.get("subject", "(no subject)"))))
    screen.event("", "", "   from %s" % shorten(
        pairs.get("from", "nobody: there is no From")))
    rules = pairs.get("rules")
    screen.event(who, "judged", "#%s %s: %s" % (
        pairs.get("uid"),
        name_rules(rules),
        pairs.get("what", "nothing to do")))


SHOWN = {
    # log message: (verb, text)
    "done": ("did", "#{uid} {what}"),
    "refused": ("held back", "#{uid} {what}"),
    "forward-sent": ("sent", "to {to}; the server said: {what}"),
    "first-contact": ("connected", "{what}"),
    "watching": ("waits", "{mailbox}: {what}"),
}


def show_log(line):
    level, message, pairs = parse_log(line)
    who = pairs.get("account", "-")
    pairs.setdefault("uid", "")
    pairs.setdefault("what", "")
    if message == "judged":
        show_judged(who, pairs)
    elif message in SHOWN:
        verb, text = SHOWN[message]
        screen.event(who, verb, text.format_map(pairs))
    elif message == "connected":
        screen.event(who, "connected", pairs["what"].split(";")[0])
    elif level in ("warning", "error"):
        screen.event(who, "trouble", "%s: %s" % (message, pairs["what"]))
    elif not level:
        screen.event(who, "says", line)


class Daemon:
    """belfryd, started again when it ends without being asked to."""

    def __init__(self, folder):
        self.folder = folder
        self.process = None
        self.is_wanted = False
        self.kills = 0
        self.others_kills = 0
        self.lock = threading.RLock()

    def start(self):
        with self.lock:
            self.is_wanted = True
            self.process = subprocess.Popen(
                ["belfryd", "-c", self.folder + "/belfry.conf"],
                stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                start_new_session=True)
            thread = threading.Thread(
                target=self.follow, args=(self.process,), daemon=True)
            thread.start()

    def follow(self, process):
        with open(self.folder + "/belfryd.log", "ab") as log:
            for line in process.stderr:
                log.write(line)
                log.flush()
                show_log(line.decode(errors="replace").rstrip("\n"))
        status = process.wait()
        with self.lock:
            if process is not self.process or not self.is_wanted:
                return
            self.others_kills += 1
            screen.event("-", "ended", "belfryd ended by itself or by somebody "
                         "else (status %d): it is started again" % status)
            time.sleep(0.2)
            self.start()

    def kill(self):
        with self.lock:
            self.is_wanted = False
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.kills += 1

    def stop(self):
        """As systemd would."""
        with self.lock:
            self.is_wanted = False
            process = self.process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()

    def ask(self, *words):
        """What belfryctl says, as JSON; None while nobody answers."""
        result = subprocess.run(
            ["belfryctl", "-c", self.folder + "/belfry.conf", *words,
             "--json"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        try:
            return json.loads(result.stdout) if result.returncode == 0 else None
        except ValueError:
            return None

    def is_watching(self):
        status = self.ask("status") or {}
        boxes = [box for account in status.get("accounts", [])
                 for box in account["mailboxes"]]
        return len(boxes) == len(ACCOUNTS) and all(
            box["state"] == "watching" for box in boxes)

    def wait_watching(self):
        if not wait_until(self.is_watching, 30):
            screen.say("belfryd does not come to watch all mailboxes.")
            sys.exit(1)


def wait_until(is_so, seconds):
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


# ---- notifications ----


TELL = """#!/bin/sh
# The notifier `terminal`: title and text on standard input. It is told again
# when belfryd died before it had noted the outcome; once is enough here.
IFS= read -r title || exit 1 # belfryd died before it had written the text
text=$(tr '\\n\\t' '  ')
text="${title:+$title: }$text"
name=$BELFRY_ACCOUNT-$BELFRY_UID
[ "$BELFRY_UID" != 0 ] || name=$name-$(printf %s "$text" | cksum | tr ' ' -)
if mkdir "@DIR@/told/$name" 2>/dev/null; then
	printf '%s\\t%s\\t%s\\t%s\\n' "$BELFRY_ACCOUNT" "$BELFRY_UID" \\
	    "$BELFRY_URGENCY" "$text" >>@DIR@/rang
else
	echo "$name" >>@DIR@/rang-again
fi
"""

NOTE = """#!/bin/sh
# The command of the rule `bounces`. A second run for the same message changes
# nothing, so the rule may say `repeat = safe`.
name=@DIR@/notes/$BELFRY_ACCOUNT-$BELFRY_UID
printf '%s\\n' "$*" >"$name.$$" && mv "$name.$$" "$name"
"""

SEND = """#!/bin/sh
# send [USER] [FILE]: delivers FILE, or standard input, to the demo's servers.
export SERVERS_LMTP_PORT=@LMTP_PORT@
user=${1:-ann@example.com} file=${2:-/dev/stdin}
exec @PYTHON@ @LIB@/servers.py deliver "$user" "$file"
"""


def read_rings(folder):
    """[(account, uid, urgency, text)]; uid 0 is a summary."""
    try:
        with open(folder + "/rang", encoding="utf-8", errors="replace") as f:
            lines = [line.rstrip("\n").split("\t") for line in f
                     if line.endswith("\n")]
    except FileNotFoundError:
        return []
    return [(a, int(uid), urgency, text) for a, uid, urgency, text in lines]


def show_rings(folder):
    """Runs as a thread for as long as the demo does."""
    shown = 0
    while True:
        rings = read_rings(folder)
        for account, _, urgency, text in rings[shown:]:
            screen.event(account, "rang", "(%s) %s" % (urgency, shorten(
                " ".join(text.split()))))
        shown = len(rings)
        time.sleep(0.1)


def has_desktop(program):
    """Whether a notification service answers on the session bus."""
    if not os.path.exists(program):
        return False
    bus = os.environ.get("DBUS_SESSION_BUS_ADDRESS")
    runtime = os.environ.get("XDG_RUNTIME_DIR", "/nonexistent")
    if not bus and not os.path.exists(runtime + "/bus"):
        return False
    with subprocess.Popen([program], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as process:
        ready, _, _ = select.select([process.stdout], [], [], 5)
        answer = process.stdout.readline() if ready else b""
        process.kill()
    return answer.startswith(b"ready")


# ---- setting up ----


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def fill_in(text, folder, desktop):
    words = {
        "DIR": folder,
        "CA": os.environ["SERVERS_CA"],
        "LIB": os.environ["SERVERS_LIB"],
        "PYTHON": sys.executable,
        "DESKTOP": "# A desktop session is there: the desktop rings, too."
        if desktop else "[notifier desktop]\ntype = desktop\nenabled = no",
    }
    for name in ("IMAP", "IMAPS", "LMTP", "SMTP", "SMTPS"):
        words[name + "_PORT"] = os.environ["SERVERS_%s_PORT" % name]
    return re.sub("@([A-Z_]+)@", lambda match: words[match.group(1)], text)


def set_up(options, desktop):
    folder = options.dir
    with open(options.template, encoding="utf-8") as file:
        config = fill_in(file.read(), folder, desktop)
    write(folder + "/belfry.conf", config)
    write(folder + "/password", os.environ["SERVERS_PASSWORD"] + "\n", 0o600)
    os.mkdir(folder + "/notes")
    os.mkdir(folder + "/told")
    for name, text in (("tell", TELL), ("note", NOTE), ("send", SEND)):
        write(folder + "/" + name, fill_in(text, folder, desktop), 0o755)


def find_source(name):
    for folder in (PYTHON_CORPUS, BOUNCE_CORPUS):
        for path in glob.glob("%s/%s.txt" % (folder, name)):
            return path
    sys.exit("the message %s.txt is in none of the packages" % name)


def number_mail():
    """UIDs count up as mail comes, an account at a time."""
    uids = dict.fromkeys(ACCOUNTS, 0)
    for number, mail in enumerate(OLD + MAIL + ROUGH_MAIL, 1):
        uids[mail.account] += 1
        mail.number = number
        mail.uid = uids[mail.account]
        with open(find_source(mail.source), "rb") as file:
            data = file.read()
        data = re.sub(rb"\r\n|\r|\n", b"\r\n", data)
        mail.data = b"%s: %d\r\n%s" % (MARK.encode(), number, data)


def is_automatic(mail):
    """Mail servers send these with an empty envelope sender."""
    head = mail.data.split(b"\r\n\r\n")[0]
    return re.search(rb"(?im)^From:.*(mailer-daemon|postmaster)", head)


def deliver(folder, mail):
    path = folder + "/now.eml"
    with open(path, "wb") as file:
        file.write(mail.data)
    sender = "" if is_automatic(mail) else "sender@example.net"
    servers.deliver(ACCOUNTS[mail.account], path, sender)


# ---- what is there now ----


def mark_of(flags):
    """The flags that rules set; what else is there shows, too."""
    letters = {"\\Seen": "S", "\\Flagged": "F", "\\Recent": ""}
    return "".join(letters.get(f, f) for f in sorted(flags.split()))


def number_of(data):
    match = re.search(rb"(?m)^" + MARK.encode() + rb": (\d+)\r?$", data)
    return int(match.group(1)) if match else 0


def find_in_mailbox(imap, account, name):
    """Yields (number, fact, content) of each message."""
    imap.select('"%s"' % name, readonly=True)
    _, answer = imap.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[])")
    for item in answer:
        if not isinstance(item, tuple):
            continue
        flags = re.search(rb"FLAGS \(([^)]*)\)", item[0]).group(1).decode()
        yield (number_of(item[1]), place(account, name, mark_of(flags)),
               item[1])


def find_in_accounts():
    for account, user in ACCOUNTS.items():
        imap = servers.connect(user)
        for name in servers.list_names(imap):
            if name != CLAIMS:
                yield from find_in_mailbox(imap, account, name)
        imap.logout()


def find_sent():
    """Yields (number, fact, content, Message-ID) of each forward."""
    folder = os.environ["SERVERS_SENT"]
    for envelope in servers.read_sent(folder):
        with open("%s/%s.eml" % (folder, envelope["name"]), "rb") as file:
            data = file.read()
        for target in envelope["to"]:
            yield (number_of(data), "sent to %s" % target, data,
                   envelope["message"]["Message-ID"])


class World:
    """Everything that the servers, the notifier and the command hold."""

    def __init__(self, folder, daemon):
        self.facts = {}
        self.damaged = []
        self.twins = []
        self.all = {mail.number: mail for mail in OLD + MAIL + ROUGH_MAIL}
        self.by_uid = {(m.account, m.uid): m for m in self.all.values()}
        for number, fact, data in find_in_accounts():
            self.add(number, fact, data)
        self.add_sent()
        self.add_notes(folder)
        self.add_rings(folder, daemon)

    def add(self, number, fact, data=None):
        self.facts.setdefault(number, []).append(fact)
        mail = self.all.get(number)
        if mail and data is not None and not self.is_whole(mail, data):
            self.damaged.append((number, fact))

    @staticmethod
    def is_whole(mail, data):
        """Byte for byte: below what the servers put in front of it, or as
        the attachment of a forward."""
        whole = mail.data.rstrip(b"\r\n")
        return whole in data

    def add_sent(self):
        """A forward that came twice with the same Message-ID is one message
        for most receivers, and possible when a connection or the daemon dies
        behind the final dot. It is counted, and shown as what it is."""
        seen = {}
        for number, fact, data, message_id in find_sent():
            key = (number, fact, message_id)
            if seen.get(key) == data:
                self.twins.append((number, fact))
                continue
            seen[key] = data
            self.add(number, fact, data)

    def add_notes(self, folder):
        for name in os.listdir(folder + "/notes"):
            account, _, uid = name.partition("-")
            if not uid.isdigit():
                continue
            with open(os.path.join(folder, "notes", name),
                      encoding="utf-8") as file:
                text = file.read().strip()
            mail = self.by_uid.get((account, int(uid)))
            self.add(mail.number if mail else 0, "command: %s" % text)

    def add_rings(self, folder, daemon):
        """Several at once may have become one summary; then it is the journal
        that says for which messages it stands."""
        summaries = {a for a, uid, _, _ in read_rings(folder) if not uid}
        rung = set()
        for account, uid, urgency, _ in read_rings(folder):
            mail = self.by_uid.get((account, uid))
            if uid:
                self.add(mail.number if mail else 0, "rang (%s)" % urgency)
                rung.add((account, uid))
        if not summaries:
            return
        for message in (daemon.ask("history", "--limit", "200")
                        or {}).get("messages", []):
            key = (message["account"], message["uid"])
            mail = self.by_uid.get(key)
            if mail and key not in rung and any(
                    e["action"] == "notify" and e["state"] == "done"
                    for e in message["effects"]):
                self.add(mail.number, "rang (%s)" % mail.rings)

    def compare(self, mails):
        """[(mail, missing, unexpected)] of those that differ."""
        wrong = []
        known = {mail.number for mail in mails}
        for mail in mails:
            found = sorted(self.facts.get(mail.number, []))
            expected = mail.expected()
            missing = list(expected)
            unexpected = []
            for fact in found:
                if fact in missing:
                    missing.remove(fact)
                else:
                    unexpected.append(fact)
            if missing or unexpected:
                wrong.append((mail, missing, unexpected))
        for number in sorted(set(self.facts) - known):
            wrong.append((None, [], self.facts[number]))
        return wrong


def wait_settled(folder, daemon, mails):
    """Until everything expected is there and nothing more comes."""
    wait_until(lambda: not World(folder, daemon).compare(mails),
               SETTLE_SECONDS)
    time.sleep(GRACE_SECONDS)
    return World(folder, daemon)


def show_mailboxes():
    for account, user in ACCOUNTS.items():
        screen.say("\n  %s (%s)" % (user, account))
        for name, messages in servers.read_account(user).items():
            if messages:
                screen.say("    %s: %d%s" % (
                    name, len(messages),
                    " (by it machines find each other: belfry.conf(5), claim)"
                    if name == CLAIMS else ""))
            for message in messages:
                marks = " ".join(f.lstrip("\\") for f in message["flags"])
                screen.say("      %-64s %s" % (
                    shorten(message["subject"] or "(no subject)"), marks))


def show_sent():
    screen.say("\n  taken by the submission server")
    for envelope in servers.read_sent(os.environ["SERVERS_SENT"]):
        message = envelope["message"]
        screen.say("    from %s to %s: %s" % (
            envelope["from"], ", ".join(envelope["to"]),
            shorten(servers.decode(message.get("Subject", "")), 50)))
        screen.say("      %s, %d bytes, %s" % (
            message.get_content_type(), envelope["size"],
            "TLS from the first byte" if envelope["implicit_tls"]
            else "STARTTLS"))


def show_table(world, mails):
    """True: all is as expected."""
    wrong = world.compare(mails)
    bad = {mail.number: (missing, unexpected)
           for mail, missing, unexpected in wrong if mail}
    screen.say("  %-4s %-14s %s" % ("", "message", "expected, and found"))
    for mail in mails:
        missing, unexpected = bad.get(mail.number, ([], []))
        screen.say("  %-4s %-14s %s" % (
            "BAD" if mail.number in bad else "ok", mail.source,
            ", ".join(mail.expected())))
        for fact in missing:
            screen.say("       MISSING        %s" % fact)
        for fact in unexpected:
            screen.say("       TOO MUCH       %s" % fact)
    for mail, _, unexpected in wrong:
        if mail is None:
            screen.say("  BAD  unknown        %s" % ", ".join(unexpected))
    for number, fact in world.damaged:
        screen.say("  BAD  %-14s its bytes changed: %s" % (
            world.all[number].source, fact))
    return not wrong and not world.damaged


# ---- the play ----


def play_rough(folder, daemon, kills, rng):
    """Mail comes all the time, belfryd is killed in between. Every time but
    the last the next mail comes while it is away."""
    moments = sorted(rng.sample(range(1, len(ROUGH_MAIL) + 1),
                                min(kills, len(ROUGH_MAIL))))
    for count, mail in enumerate(ROUGH_MAIL, 1):
        deliver(folder, mail)
        time.sleep(rng.uniform(0, 0.2))
        while moments and moments[0] == count:
            moments.pop(0)
            time.sleep(rng.uniform(0, 0.4))
            daemon.kill()
            screen.event("-", "KILLED", "belfryd got SIGKILL; mail goes on "
                         "coming for a moment")
            rng.choice((daemon.start, lambda: time.sleep(0.3)))()
        if daemon.process.poll() is not None and rng.random() < 0.5:
            daemon.start()
    if daemon.process.poll() is not None:
        daemon.start()


def play(options, daemon, rng):
    folder = options.dir
    screen.step("The configuration")
    screen.say("  %s, made from contrib/examples/demo.conf.in"
               % (folder + "/belfry.conf"))
    subprocess.run(["belfryctl", "-c", folder + "/belfry.conf", "check"],
                   check=True)

    screen.step("Belfry starts; in each INBOX there is an old message")
    for mail in OLD:
        deliver(folder, mail)
    daemon.start()
    daemon.wait_watching()

    screen.step("Mail comes in")
    screen.say("  Real messages from Debian's packages libpython3.11-testsuite and"
               "\n  python3-flufl.bounce, as they are, below one more header "
               "line (%s)\n  by which the demo finds them again.\n" % MARK)
    for mail in MAIL:
        deliver(folder, mail)
        time.sleep(0.5)
    wait_settled(folder, daemon, OLD + MAIL)

    screen.step("More mail, while belfryd is killed %d times (kill -9)"
                % options.kills)
    play_rough(folder, daemon, options.kills, rng)
    world = wait_settled(folder, daemon, OLD + MAIL + ROUGH_MAIL)

    if not world.compare(OLD + MAIL + ROUGH_MAIL):
        screen.step("Belfry is stopped and started once more: nothing to do")
        daemon.stop()
        daemon.start()
        daemon.wait_watching()
        time.sleep(GRACE_SECONDS)
    return World(folder, daemon)


def count_lines(path):
    try:
        with open(path, "rb") as file:
            return len(file.readlines())
    except FileNotFoundError:
        return 0


def show_end(options, daemon, world):
    """The exit status."""
    mails = OLD + MAIL + ROUGH_MAIL
    screen.step("The mailboxes and the forwarded messages as they now are")
    show_mailboxes()
    show_sent()
    screen.step("What was expected, and what was found on the servers")
    good = show_table(world, mails)
    facts = sum(len(mail.expected()) for mail in mails)
    screen.say("\n  %d messages, %d expected effects, %d kills%s." % (
        len(mails), facts, daemon.kills,
        ", and %d times it ended otherwise" % daemon.others_kills
        if daemon.others_kills else ""))
    again = count_lines(options.dir + "/rang-again")
    if again:
        screen.say("  Note: %d notifications were asked for a second time, as "
                   "belfryd died before\n  it had noted the first; the "
                   "terminal's notifier showed them once." % again)
    for number, fact in world.twins:
        screen.say("  Note: %s was %s twice with the same Message-ID and the "
                   "same bytes:\n  belfryd died between the final dot and the "
                   "reply. Receivers drop such twins." % (
                       world.all[number].source, fact))
    if world.twins and not daemon.kills and not daemon.others_kills:
        good = False
    screen.say("  Nothing is missing, doubled or unexpected." if good else
               "  NOT as expected: see above.")
    return 0 if good else 1


def keep_on(options):
    folder = shlex.quote(options.dir)
    screen.step("It goes on running until Ctrl-C")
    screen.say("""  Send more mail from another terminal:
    %(dir)s/send ann@example.com FILE.eml
    printf 'From: barry@python.org\\nSubject: hello\\n\\nhi\\n' | %(dir)s/send
  Ask and follow belfryd:
    PATH=%(bin)s:$PATH
    belfryctl -c %(dir)s/belfry.conf status
    belfryctl -c %(dir)s/belfry.conf history
    belfryctl -c %(dir)s/belfry.conf watch
  Change %(dir)s/belfry.conf, then: belfryctl -c %(dir)s/belfry.conf reload
""" % {"dir": folder, "bin": shlex.quote(os.environ["PATH"].split(":")[0])})
    while True:
        time.sleep(3600)


def read_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", required=True)
    parser.add_argument("--template", required=True)
    parser.add_argument("--desktop", default="")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int,
                        default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--keep", action="store_true")
    return parser.parse_args()


def main():
    options = read_options()
    rng = random.Random(options.seed)
    for part in (MAIL, ROUGH_MAIL):
        rng.shuffle(part)
    number_mail()
    desktop = has_desktop(options.desktop)
    set_up(options, desktop)
    screen.say("Notifications: %s" % (
        "on the desktop, and as text here" if desktop else
        "no desktop session answers, so they are shown as text"))
    screen.say("Order of mail and moments of kills: seed %d" % options.seed)
    threading.Thread(
        target=show_rings, args=(options.dir,), daemon=True).start()
    daemon = Daemon(options.dir)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    status = 2
    try:
        status = show_end(options, daemon, play(options, daemon, rng))
        if options.keep:
            keep_on(options)
    except KeyboardInterrupt:
        screen.say("\nEnding.")
    finally:
        daemon.stop()
    return status


if __name__ == "__main__":
    sys.exit(main())
