#!/usr/bin/env -S python3 -B
"""Forwards, when the submission server is in a bad mood."""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402

RULES = """
[rule f]
when = subject ~ /^forward/
forward = deputy@example.org
[rule hold]
when = subject ~ /^held/
forward = deputy@example.org
unknown = hold
[rule drop]
when = subject ~ /^dropped/
forward = deputy@example.org
unknown = drop
"""


def queue(daemon):
    """{subject: item} of the forwards that are not at their end."""
    return {item["subject"]: item for item in daemon.ctl("queue")["items"]}


def due(daemon):
    """Starts the daemon anew with all waiting forwards due."""
    live.same(daemon.stop(), 0, "exit status")
    daemon.hurry()
    daemon.start()
    daemon.wait_watching()


def sent_subjects(user):
    return [str(s["message"]["Subject"]) for s in user.sent()]


@live.case
def refused_for_now(servers):
    user = servers.user()
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        replies = {"mail": "451 4.3.0 come again", "rcpt": "450 4.2.0 grey",
                   "dot": "452 4.3.1 disk full"}
        for stage, reply in replies.items():
            subject = "forward " + stage
            servers.fault("%s %s" % (stage, reply))
            user.deliver(live.message(subject))
            live.wait("the reply in the queue", lambda: queue(daemon)
                      .get(subject, {}).get("attempts") == 1)
            item = queue(daemon)[subject]
            live.same(item["state"], "waiting", "state")
            live.check(reply in item["reply"], "reply: %s", item["reply"])
            servers.fault()
        live.same(user.sent(), [], "sent")
        due(daemon)
        live.wait("all three", lambda: len(user.sent()) == 3)
        live.wait("an empty queue", lambda: not queue(daemon))
        live.stays("three", lambda: len(user.sent()) == 3)


@live.case
def refused_for_good(servers):
    user = servers.user()
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        servers.fault("rcpt 550 5.1.1 nobody here")
        user.deliver(live.message("forward never"))
        live.wait("the dead letter", lambda: queue(daemon)
                  .get("forward never", {}).get("state") == "failed")
        live.check(daemon.logged(
            'error forward-failed.*nobody here.*hint=".*belfryctl queue '
            'retry [0-9]+;'), "log")
        # One that is dead does not stand in the way of others.
        user.deliver(live.message("forward well"))
        live.wait("the other", lambda: len(user.sent()) == 1)
        due(daemon)
        live.stays("dead", lambda: len(user.sent()) == 1)
        live.same(queue(daemon)["forward never"]["state"], "failed", "state")


@live.case
def lost_after_the_dot(servers):
    user = servers.user()
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        for fault in ("drop", "lose"):
            servers.fault("dot " + fault)
            user.deliver(live.message("forward " + fault))
            live.wait("the unknown outcome", lambda: "unknown" in queue(daemon)
                      .get("forward " + fault, {}).get("reply", ""))
            servers.fault()
        live.same(len(user.sent()), 1, "stored before")
        due(daemon)
        live.wait("both", lambda: len(user.sent()) == 3)
        ids = [s["message"]["Message-ID"] for s in user.sent()]
        drops = [n for n, s in enumerate(servers.sent(), 1)
                 if s["user"] == user.address
                 and "drop" in s["message"]["Subject"]]
        live.same(len(drops), 2, "of what was dropped")
        live.same(len(set(ids)), 2, "Message-IDs of three")
        live.same(servers.sent_source(drops[0]), servers.sent_source(drops[1]),
                  "the bytes of the twin")
        live.wait("an empty queue", lambda: not queue(daemon))


def password_file(user, word):
    path = os.path.join(user.servers.dir, user.name + ".pw")
    with open(path, "w", encoding="utf-8") as file:
        file.write(word + "\n")


def logins(servers, user):
    """What the submission server was asked: True where the password fit."""
    return re.findall(r"auth \S+ b?'?%s'? (True|False)" % user.address,
                      servers.log("submission.log"))


@live.case
def waits_for_another_password(servers):
    """The server refused the password: status and queue say so, and retry
    does not have it refused again."""
    user = servers.user()
    account = user.account()
    cure = "change what `password_command` prints, then: belfryctl queue retry"
    with live.Daemon(servers, account + RULES) as daemon:
        daemon.wait_watching()
        password_file(user, "wrong")
        user.deliver(live.message("forward one"))
        live.wait("the refusal", lambda: logins(servers, user) == ["False"])
        for words, code in (("status", 1), ("queue", 0)):
            live.wait("the cure", lambda w=words: cure in daemon.says(w)[1])
            got, text = daemon.says(words)
            live.same(got, code, words)
            live.check(re.search("wait for you: .*535", text), "%s", text)
        forwards = daemon.status(user.name)["forwards"]
        live.check(forwards["cure"].startswith(cure), "cure: %r", forwards)
        number = str(queue(daemon)["forward one"]["id"])
        for which in ("all", number):
            code, text = daemon.says("queue", "retry", which)
            live.same(code, 1, text)
            live.check("refused the password of %s, and it is still the same"
                       % user.name in text and cure in text, "said: %s", text)
        live.same(logins(servers, user), ["False"], "logins")
        # As it is not there, it is not said to be the same either.
        os.remove(os.path.join(servers.dir, user.name + ".pw"))
        live.check("cannot be read" in daemon.says(
            "queue", "retry", "all")[1], "a file that has gone")
        password_file(user, "wrong")
        daemon.ctl("queue", "retry", "--anyway", "all")
        live.wait("the second refusal",
                  lambda: logins(servers, user) == ["False"] * 2)
        live.wait("the cure", lambda: cure in daemon.says("queue")[1])
        password_file(user, live.PASSWORD)
        live.check("is tried now" in daemon.says(
            "queue", "retry", "all")[1], "retry")
        live.wait("the forward", lambda: len(user.sent()) == 1)
        live.wait("an empty queue", lambda: not queue(daemon))
        live.same(daemon.status(user.name)["forwards"]["cure"], None, "cure")


def file_copy(user, subject):
    """Does what a service does that puts into Sent what it took."""
    number = [n for n, s in enumerate(user.servers.sent(), 1)
              if s["user"] == user.address
              and subject in s["message"]["Subject"]][-1]
    imap = user.imap()
    live.same(imap.append("Sent", r"(\Seen)", None,
                          user.servers.sent_source(number))[0], "OK", "APPEND")
    imap.logout()


@live.case
def found_in_sent(servers):
    """The answer to the dot is lost, and a copy comes into Sent: once while
    the daemon looks for it, once while it is down."""
    user = servers.user()
    account = user.account("sent_copy = yes\n")
    with live.Daemon(servers, account + RULES) as daemon:
        daemon.wait_watching()
        servers.fault("dot drop")
        user.deliver(live.message("forward filed"))
        daemon.wait_log("forward-sought.*looking for it in Sent")
        live.same(queue(daemon)["forward filed"]["state"], "sending", "state")
        file_copy(user, "forward filed")
        daemon.wait_log("forward-sent.*found in Sent")
        live.wait("an empty queue", lambda: not queue(daemon))
        servers.fault("dot drop")
        user.deliver(live.message("held and filed", message_id="<h@x.y>"))
        live.wait("it to be looked for", lambda: queue(daemon)
                  .get("held and filed", {}).get("state") == "sending"
                  and len(user.sent()) == 2)
        live.same(daemon.stop(), 0, "exit status")
        file_copy(user, "held and filed")
        daemon.start()
        daemon.wait_log("forward-sent.*found in Sent", 2)
        live.wait("an empty queue", lambda: not queue(daemon))
        live.same(len(user.sent()), 2, "submitted in all")


@live.case
def unknown_as_the_rule_says(servers):
    user = servers.user()
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        servers.fault("dot drop", "dot drop")
        user.deliver(live.message("held"))
        live.wait("it to be held", lambda: queue(daemon)
                  .get("held", {}).get("state") == "held")
        user.deliver(live.message("dropped"))
        daemon.wait_log("forward-dropped")
        live.same(list(queue(daemon)), ["held"], "queue")
        due(daemon)
        live.stays("none again", lambda: len(user.sent()) == 2)


def asked(daemon, *words):
    """{id: state} of what belfryctl queue did to."""
    return {i["id"]: i["state"] for i in daemon.ctl("queue", *words)["items"]}


@live.case
def by_hand(servers):
    """A dead letter, and what is held: tried again, released, dropped."""
    user = servers.user()
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        servers.fault("rcpt 550 5.1.1 nobody here")
        user.deliver(live.message("forward again"))
        live.wait("the dead letter", lambda: queue(daemon)
                  .get("forward again", {}).get("state") == "failed")
        for subject in ("held one", "held two"):
            servers.fault("dot lose")
            user.deliver(live.message(subject))
            live.wait("it to be held", lambda: queue(daemon)
                      .get(subject, {}).get("state") == "held")
        dead, one, two = (queue(daemon)[s]["id"] for s in (
            "forward again", "held one", "held two"))
        shown = daemon.ctl("queue", "show", str(one))["items"][0]
        live.same((shown["as"], shown["unknown"], shown["mailbox"]),
                  ("attach", "hold", "INBOX"), "shown")
        # All or nothing: one that cannot be, and one that is not there.
        for words in (["retry", str(dead), str(one)],
                      ["release", str(one), str(dead)],
                      ["drop", str(one), "4711"]):
            live.check("error" in daemon.ctl("queue", *words, code=None),
                       "refusal")
        live.same(sorted(i["state"] for i in queue(daemon).values()),
                  ["failed", "held", "held"], "states after refusals")
        live.same(user.sent(), [], "sent")
        live.same(asked(daemon, "retry", "all"), {dead: "waiting"}, "retried")
        live.same(asked(daemon, "release", str(one)), {one: "waiting"},
                  "released")
        live.same(asked(daemon, "drop", str(two)), {two: "dropped"}, "dropped")
        live.wait("two", lambda: sorted(sent_subjects(user))
                  == ["Fwd: forward again", "Fwd: held one"])
        live.wait("an empty queue", lambda: not queue(daemon))
        live.same(daemon.ctl("queue", "show", str(dead))["items"][0]["state"],
                  "sent", "what became of it")


def said(daemon, *words):
    """For people."""
    return subprocess.run(
        [live.BELFRYCTL, "-c", daemon.config, *words], env=daemon.env,
        capture_output=True, text=True, check=True).stdout


@live.case
def stopped_and_resumed(servers):
    """What looks like a loop stops; a person may know better."""
    user = servers.user()
    with live.Daemon(servers, user.account("forward_limit = 20/hour\n")
                     + RULES) as daemon:
        daemon.wait_watching()
        user.deliver(*[live.message("forward again") for _ in range(11)])
        daemon.wait_quiet()
        live.wait("ten", lambda: sent_subjects(user)
                  == ["Fwd: forward again"] * 10)
        words = "to go on: belfryctl queue resume %s\n" % user.name
        for command in ("queue", "status"):
            text = said(daemon, command)
            live.check("1 subject" in text and words in text, "%s: %s",
                       command, text)
            print(text, end="")
        stopped, = daemon.ctl("queue")["stopped"]
        live.same((stopped["account"], stopped["subjects"]), (user.name, 1),
                  "stopped")
        live.check(3000 < stopped["for_s"] <= 3600, "%r", stopped)
        refused = daemon.ctl("queue", "resume", "nobody", code=1)
        live.same(refused["error"], "there is no account nobody", "nobody")
        live.check("forwards of 1 subject go on" in
                   said(daemon, "queue", "resume"), "resume")
        live.same(daemon.ctl("queue")["stopped"], [], "after it")
        live.same(daemon.ctl("queue", "resume", user.name)["resumed"], [],
                  "resumed twice")
        # Not by a restart either is it stopped again.
        live.same(daemon.stop(), 0, "exit status")
        daemon.start()
        daemon.wait_watching()
        user.deliver(live.message("forward again"))
        live.wait("one more", lambda: len(sent_subjects(user)) == 11)


@live.case
def what_rings(servers):
    """A dead letter once, one that is not even tried not at all; a refused
    login when it begins."""
    user = servers.user()
    text = user.account("notify = rules-only\n") + RULES
    daemon = live.Daemon(servers, text)
    rung = daemon.script("ring", "{ tr '\\r\\n' '  '; echo; } >>%s\n"
                         % daemon.path("rung"))
    open(daemon.path("rung"), "w", encoding="utf-8").close()
    daemon.write(text + "[notifier n]\ntype = exec\ncommand = %s\n" % rung)

    def rings():
        return live.read(daemon.path("rung")).splitlines()

    with daemon:
        daemon.wait_watching()
        for n in range(5):
            servers.fault("rcpt 550 5.1.1 nobody here")
            user.deliver(live.message("forward %d" % n))
            live.wait("the dead letter", lambda: queue(daemon)
                      .get("forward %d" % n, {}).get("state") == "failed")
        live.wait("three to ring", lambda: len(rings()) == 3)
        for words in ("a forward to deputy@example.org failed",
                      "550 5.1.1 nobody here (there is no such address)"):
            live.check(words in rings()[0], "rung: %s", rings())
        live.check("not tried: this address was refused three times" in
                   queue(daemon)["forward 4"]["reply"], "the last reply")
        servers.fault("always auth 535 5.7.8 not with this password")
        daemon.ctl("queue", "retry", "all")
        live.wait("one more", lambda: len(rings()) == 4)
        live.check("login: 535" in rings()[3], "rung: %s", rings())
        daemon.ctl("queue", "retry", "--anyway", "all")
        daemon.wait_log("login: 535", 2)
        live.stays("four", lambda: len(rings()) == 4)
        servers.fault()


@live.case
def login_refused(servers):
    user = servers.user()
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        servers.fault("always auth 535 5.7.8 not with this password")
        log = servers.log("submission.log").count("auth ")
        user.deliver(live.message("forward later"), live.message("forward too"))
        daemon.wait_log("forward-trouble.*535|forward-trouble.*login")
        live.wait("both in the queue", lambda: len(queue(daemon)) == 2)
        live.stays("they wait", lambda: sorted(
            (i["subject"], i["state"], i["attempts"])
            for i in queue(daemon).values())
            == [("forward later", "waiting", 0), ("forward too", "waiting", 0)])
        live.same(len(daemon.logged("forward-trouble")), 1, "tries")
        live.check(daemon.logged(
            'forward-trouble.*535.*hint="change .*belfryctl'), "a cure: %s",
            daemon.logged("forward-trouble"))
        forwards = daemon.ctl("status", code=1)["accounts"][0]["forwards"]
        live.check("535" in forwards["trouble"] and
                   forwards["next_try_in_s"] > 600, "status: %s", forwards)
        live.same(servers.log("submission.log").count("auth "), log, "logins")
        servers.fault()
        live.same(daemon.ctl("reload")["reloaded"], True, "reload")
        live.wait("both", lambda: len(user.sent()) == 2)
        live.wait("an empty queue", lambda: not queue(daemon))


@live.case
def server_away(servers):
    user = servers.user()
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        servers.tell("submission-stop")
        user.deliver(live.message("forward when it is back"))
        daemon.wait_log("forward-trouble")
        live.same(queue(daemon)["forward when it is back"]["attempts"], 0,
                  "attempts that count")
        servers.tell("submission-start")
        live.wait("the forward", lambda: len(user.sent()) == 1)


# What the big services say, word for word: the stage, the reply, what becomes
# of the forward, and what the person reads of it. (Those of the login and of
# the amount stop the account: what waits is not to blame.)
OWN_ONLY = "from the account's own address only"
PROVIDERS = (
    ("dot", "550 5.7.60 SMTP; Client does not have permissions to send as "
     "this sender", "failed", OWN_ONLY),
    ("dot", "554 5.2.252 SendAsDenied; ann@outlook.com not allowed to send "
     "as bob@example.net", "failed", OWN_ONLY),
    ("dot", "550 5.7.0 From address is not one of your addresses", "failed",
     OWN_ONLY),
    ("dot", "550 Request failed; Mailbox unavailable", "failed",
     "Mailbox unavailable"),
    ("dot", "551 5.7.1 Not authorised to send from this header address",
     "failed", OWN_ONLY),
    ("dot", "554 Transaction failed Reject due to policy restrictions.",
     "failed", "policy restrictions"),
    ("mail", "553 5.7.1 Sender address rejected: not owned by auth user.",
     "failed", OWN_ONLY),
    ("mail", "501 mail from address must be same as authorization user",
     "failed", OWN_ONLY),
    ("mail", "553 Mail from must equal authorized user", "failed", OWN_ONLY),
    ("mail", "530 5.7.1 Sender address not allowed", "failed", OWN_ONLY),
    ("dot", "553 Relaying disallowed as bob@example.net", "failed", OWN_ONLY),
    ("mail", "550 not local sender over smtp", "failed", OWN_ONLY),
    ("mail", "451 4.0.0 backend: invalid return path: not owned by user",
     "failed", OWN_ONLY),
    ("dot", "552 5.3.4 Message size exceeds fixed limit", "failed",
     "too large for the server"),
    ("dot", "552 5.2.3 Your message exceeded Google's message size limits.",
     "failed", "too large for the receiver"),
    ("rcpt", "450 4.2.1 The user you are trying to contact is receiving mail "
     "too quickly.", "waiting", "too quickly"),
    ("mail", "451 Ratelimit exceeded for mailbox ann@mail.ru. Try again "
     "later.", "waiting", "Ratelimit exceeded"),
    ("mail", "432 4.3.2 Concurrent connections limit exceeded.", "waiting",
     "Concurrent connections"),
)
PAUSED = (
    ("mail", "550 5.4.5 Daily user sending limit exceeded.",
     "limit for sending is used up"),
    ("dot", "554 5.2.0 STOREDRV.Submission.Exception:"
     "SubmissionQuotaExceededException", "limit for sending is used up"),
    ("dot", "554 5.2.0 STOREDRV.Submission.Exception:OutboundSpamException",
     "sender of spam"),
    ("dot", "550 5.4.6 Unusual sending activity detected.",
     "limit for sending is used up"),
    ("auth", "534 5.7.9 Application-specific password required.",
     "a password made for this program"),
    ("auth", "535 5.7.0 Application password is REQUIRED",
     "a password made for this program"),
    ("auth", "535 5.7.139 Authentication unsuccessful, "
     "SmtpClientAuthentication is disabled for the Tenant.",
     "switched off sending with a password"),
)


@live.case
def as_providers_refuse(servers):
    user = servers.user()
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        servers.fault(*["%s %s" % row[:2] for row in PROVIDERS])
        user.deliver(*[live.message("forward %d" % n)
                       for n in range(len(PROVIDERS))])
        live.wait("all outcomes", lambda: sorted(
            i["attempts"] for i in queue(daemon).values())
            == [1] * len(PROVIDERS), 30)
        items = queue(daemon)
        for number, (_, reply, state, words) in enumerate(PROVIDERS):
            item = items["forward %d" % number]
            live.same(item["state"], state, reply)
            live.check(item["reply"].startswith(reply) and
                       words in item["reply"], "%s: the queue says %s", reply,
                       item["reply"])
        live.same(user.sent(), [], "sent")


@live.case
def as_providers_pause(servers):
    """The account waits, and the forward has lost no try."""
    user = servers.user()
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        for number, (stage, reply, words) in enumerate(PAUSED):
            servers.fault("%s %s" % (stage, reply))
            if number == 0:
                user.deliver(live.message("forward it"))
            else:
                daemon.ctl("reload")

            def waits():
                found = daemon.status(user.name)["forwards"]
                trouble = found["trouble"] or ""
                return reply in trouble and words in trouble \
                    and found.get("next_try_in_s", 0) > 600

            live.wait("the account to wait for " + reply, waits)
            item = queue(daemon)["forward it"]
            live.same((item["state"], item["attempts"]), ("waiting", 0),
                      reply)
        daemon.ctl("reload")
        live.wait("it to be sent", lambda: len(user.sent()) == 1)


MODES = """
[rule redirect]
when = subject ~ /^redirect/
forward = deputy@example.org
as = redirect
[rule inline]
when = subject ~ /^inline/
forward = deputy@example.org
as = inline
"""


@live.case
def redirected(servers):
    """The same header and bytes behind the new fields."""
    user = servers.user()
    original = live.message("redirect this")
    with live.Daemon(servers, user.account() + MODES) as daemon:
        daemon.wait_watching()
        user.deliver(original)
        live.wait("the forward", lambda: len(user.sent()) == 1)
        sent = user.sent()[0]["message"]
        names = sent.keys()
        live.same(names[:5], ["X-Belfry-Forward", "Resent-Date", "Resent-From",
                              "Resent-To", "Resent-Message-ID"], "new fields")
        live.same(sent["Resent-From"], user.address, "Resent-From")
        live.same(sent["Resent-To"], "deputy@example.org", "Resent-To")
        live.same(str(sent["Subject"]), "redirect this", "Subject")
        live.check(sent["From"] != user.address, "From: %s", sent["From"])
        live.wait("an empty queue", lambda: not queue(daemon))


@live.case
def redirect_of_a_legacy_header(servers):
    """A raw 8-bit header: SMTPUTF8, which this server offers."""
    user = servers.user()
    with live.Daemon(servers, user.account() + MODES) as daemon:
        daemon.wait_watching()
        user.deliver(b"From: Bob <bob@body.example>\r\n"
                     b"Subject: redirect \xc3\xa4\r\n\r\nh\xc3\xa4\r\n")
        live.wait("the forward", lambda: len(user.sent()) == 1)
        live.wait("an empty queue", lambda: not queue(daemon))


@live.case
def beyond_ascii(servers):
    """A target with letters beyond ASCII on both sides of the @, and an
    original with such an address: SMTPUTF8. And an international domain alone,
    which needs none."""
    user = servers.user()
    rules = ("[rule f]\nwhen = subject has both\n"
             "forward = j\u00fcrgen@B\u00fccher.example\n"
             "[rule g]\nwhen = subject has domain\n"
             "forward = ann@b\u00fccher.example\n")
    with live.Daemon(servers, user.account() + rules) as daemon:
        daemon.wait_watching()
        user.deliver(live.message("both", sender="<\u00f6@body.example>"),
                     live.message("domain", sender="<\u00f6@body.example>"))
        live.wait("both forwards", lambda: len(user.sent()) == 2)
        sent = {s["to"][0]: s for s in user.sent()}
        live.same(sorted(sent), ["ann@xn--bcher-kva.example",
                                 "j\u00fcrgen@xn--bcher-kva.example"], "to")
        both = sent["j\u00fcrgen@xn--bcher-kva.example"]
        live.check("SMTPUTF8" in both["mail_options"], "SMTPUTF8: %r",
                   both["mail_options"])
        live.check("SMTPUTF8" not in sent["ann@xn--bcher-kva.example"]
                   ["mail_options"], "SMTPUTF8 for a domain")
        sources = [servers.sent_source(n) for n, s
                   in enumerate(servers.sent(), 1) if s["user"] == user.address]
        live.same(sorted(b"message/global" in s for s in sources),
                  [False, True], "message/global")
        live.check(all("\u00f6@body.example".encode() in s
                       or b"octet-stream" in s for s in sources), "original")


@live.case
def quoted(servers):
    user = servers.user()
    original = (
        b"From: Bob <bob@body.example>\r\nSubject: inline\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\n\r\nhello\r\n--b\r\nContent-Type: application/pdf\r\n"
        b"Content-Disposition: attachment; filename=a.pdf\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--b--\r\n")
    with live.Daemon(servers, user.account() + MODES) as daemon:
        daemon.wait_watching()
        user.deliver(original)
        live.wait("the forward", lambda: len(user.sent()) == 1)
        sent = user.sent()[0]["message"]
        live.same(str(sent["From"]), user.address, "From")
        live.same(str(sent["Reply-To"]), "bob@body.example", "Reply-To")
        text, file = sent.get_payload()
        live.check("\n> hello" in text.get_payload(), "text: %s", text)
        live.same(file.get_filename(), "a.pdf", "file name")
        live.same(file.get_payload(decode=True), b"\0\1\2", "content")
        live.wait("an empty queue", lambda: not queue(daemon))


@live.case
def no_second_forward(servers):
    """The same message again, in the same mailbox: one forward."""
    user = servers.user()
    original = live.message("forward once", message_id="<once@body.example>")
    with live.Daemon(servers, user.account() + RULES) as daemon:
        daemon.wait_watching()
        user.deliver(original)
        live.wait("the forward", lambda: len(user.sent()) == 1)
        imap = user.imap()
        imap.select("INBOX")
        imap.uid("COPY", "1", "INBOX")
        imap.logout()
        live.wait("the copy to be judged",
                  lambda: len(daemon.logged("info judged")) == 2)
        daemon.wait_quiet()
        live.stays("one", lambda: len(user.sent()) == 1)


if __name__ == "__main__":
    live.main()
