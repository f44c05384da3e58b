#!/usr/bin/env -S python3 -B
"""Who is spoken to, who is not, and what happens when the link goes."""

import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import liars  # noqa: E402
import live  # noqa: E402

MOVE = """
[rule m]
when = subject ~ /^move/
move = Moved
create = yes
"""

TELL = """
[notifier tell]
type = exec
command = %s
stdin = text
"""


def told(daemon):
    return live.read(daemon.path("told"))


def telling(servers):
    """A daemon whose notifications are written into its file `told`."""
    daemon = live.Daemon(servers, "")
    script = daemon.script(
        "tell", "cat >>%s\n" % daemon.path("told"))
    return daemon, TELL % script


@live.case
def both_kinds_of_tls(servers):
    implicit, starttls = servers.user(), servers.user()
    text = implicit.account() + starttls.account(scheme="imap") + MOVE
    with live.Daemon(servers, text) as daemon:
        daemon.wait_watching(2)
        for user in (implicit, starttls):
            user.deliver(live.message("move me"))
        for user in (implicit, starttls):
            user.wait_subjects("Moved", ["move me"])
        log = [l for l in servers.log().splitlines() if "Login: user=" in l]
        live.check(all(", TLS" in l for l in log), "a login without TLS")


WHAT_TO_DO = 'warning trouble .*hint="put it right, then: belfryctl reload"'


def refuses(servers, user, text, words, liar=None):
    """The account is locked out, with these words, once; the person is told
    once; nobody saw the password. Returns the running daemon."""
    daemon, notifier = telling(servers)
    daemon.write(text + MOVE + notifier)
    daemon.start()
    live.wait("lock-out", lambda: (daemon.status(user.name) or {})
              .get("locked_out"))
    live.check(daemon.logged(words), "the log has no %r", words)
    live.wait("the person to be told", lambda: told(daemon))
    live.stays("told once", lambda: told(daemon).count("locked out") == 1)
    live.same(servers.logins(user.address)[0], 0, "logins")
    if liar:
        live.check(liar.connections > 0, "nobody connected")
        heard = liar.heard.upper()
        for word in (b"LOGIN", b"AUTHENTICATE", b"SECRET"):
            live.check(word not in heard, "the liar heard %r", liar.heard)
        live.same(liar.connections, 1, "connections")
    return daemon


def trust(user, path):
    return user.account("tls_ca_file = %s\n" % path)


@live.case
def wrong_authority(servers):
    user = servers.user()
    other, _ = liars.make_certificate(servers.dir, "DNS:localhost")
    user.deliver(live.message("move old"))
    daemon = refuses(servers, user, trust(user, other), "certificate")
    live.same(servers.logins(user.address), (0, 0), "logins")
    user.deliver(live.message("move later"))
    # The person puts the right certificate there and says so.
    with open(servers.env["SERVERS_CA"], "rb") as good:
        with open(other, "wb") as file:
            file.write(good.read())
    live.same(daemon.ctl("reload")["reloaded"], True, "reload")
    daemon.wait_watching()
    user.deliver(live.message("move new"))
    user.wait_subjects("Moved", ["move new"])  # first contact was only now
    live.same(daemon.stop(), 0, "exit status")


@live.case
def wrong_host_name(servers):
    user = servers.user()
    tls = os.path.dirname(servers.env["SERVERS_CA"])
    wrong = liars.make_certificate(servers.dir, "DNS:other.example", tls)
    for talk, scheme in ((liars.tls_listener, "imaps"),
                         (liars.starttls_listener, "imap")):
        liar = liars.Liar(talk, wrong)
        text = user.account().replace(
            "imaps://localhost:" + servers.env["SERVERS_IMAPS_PORT"],
            "%s://localhost:%d" % (scheme, liar.port))
        daemon = refuses(servers, user, text, "certificate|host name", liar)
        live.same(daemon.stop(), 0, "exit status")
        liar.stop()


@live.case
def starttls_taken_away(servers):
    user = servers.user()
    liar = liars.Liar(liars.starttls_stripped)
    text = user.account(scheme="imap").replace(
        "localhost:" + servers.env["SERVERS_IMAP_PORT"],
        "localhost:%d" % liar.port)
    with live.Daemon(servers, text) as daemon:
        daemon.wait_log("trouble|locked|STARTTLS")
        live.wait("end of the talk", lambda: liar.connections >= 1)
        live.stays("nothing secret is said", lambda: not any(
            w in liar.heard.upper()
            for w in (b"LOGIN", b"AUTHENTICATE", b"SECRET")))
        live.check(daemon.logged("STARTTLS"), "nobody said STARTTLS")


@live.case
def pinned(servers):
    user = servers.user()
    wrong = "sha256:%s=" % ("A" * 43)
    text = user.account("tls_pin = %s\n" % wrong)
    daemon = refuses(servers, user, text, "tls_pin wants " + wrong)
    live.same(servers.logins(user.address), (0, 0), "logins")
    right = re.search("the key of localhost is (sha256:[^ ,]*)",
                      daemon.log()).group(1)
    daemon.write(text.replace(wrong, "%s, %s" % (wrong, right)) + MOVE)
    live.same(daemon.ctl("reload")["reloaded"], True, "reload")
    daemon.wait_watching()
    live.same(daemon.stop(), 0, "exit status")


SCRAM = "auth_mechanisms = plain scram-sha-256 scram-sha-1\n"


def methods(servers, user):
    """The mechanisms of this user's logins that Dovecot accepted."""
    return re.findall(r"imap-login: Info: Login: user=<%s>, method=([^,]*)"
                      % re.escape(user.address), servers.log())


@live.case_with(SCRAM)
def scram(servers):
    user = servers.user()
    with live.Daemon(servers, user.account()) as daemon:
        daemon.wait_watching()
    live.same(methods(servers, user), ["SCRAM-SHA-256"], "logins")


@live.case_with(SCRAM)
def scram_with_the_wrong_password(servers):
    user = servers.user()
    daemon = refuses(servers, user, user.account(password="guess"),
                     "refused the login")
    live.same(len(daemon.logged(WHAT_TO_DO)), 1, "lines that say what to do")
    live.same(daemon.stop(), 0, "exit status")
    live.same(methods(servers, user), [], "logins")


def set_password(servers, user, stored):
    """What Dovecot has of it."""
    users = os.path.join(servers.dir, "users")
    before = live.read(users)
    text = before.replace("%s:{PLAIN}%s:" % (user.address, live.PASSWORD),
                          "%s:%s:" % (user.address, stored))
    live.check(text != before, "no line of the user in %s", users)
    with open(users, "w", encoding="ascii") as file:
        file.write(text)


@live.case
def password_is_changed(servers):
    """Who was let in before is refused twice in the same words; that the
    second one is the end is logged, too, and once."""
    user = servers.user()
    with live.Daemon(servers, user.account()) as daemon:
        daemon.wait_watching()
        set_password(servers, user, "{PLAIN}changed-by-the-person")
        servers.cut_imap()
        live.wait("lock-out", lambda: (daemon.status(user.name) or {})
                  .get("locked_out"))
        daemon.wait_log(WHAT_TO_DO)
        live.same(servers.logins(user.address)[1], 2, "bad logins")
        live.stays("said once", lambda: len(daemon.logged(WHAT_TO_DO)) == 1)
        before = daemon.says("status")[1]
        live.check("put it right, then: belfryctl reload" in before,
                   "status: %s", before)


@live.case_with(SCRAM)
def scram_offered_in_vain(servers):
    """Dovecot keeps a hash of the password that SCRAM cannot use."""
    user = servers.user()
    hashed = subprocess.run(
        ["doveadm", "-c", servers.env["SERVERS_DOVECOT_CONF"], "pw", "-s",
         "SHA512-CRYPT", "-p", live.PASSWORD],
        stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    set_password(servers, user, hashed)
    with live.Daemon(servers, user.account()) as daemon:
        daemon.wait_watching()
        servers.cut_imap()
        live.wait("another login",
                  lambda: len(methods(servers, user)) == 2)
    live.same(methods(servers, user), ["PLAIN", "PLAIN"], "logins")
    live.same(servers.log().count("Requested SCRAM-SHA-256 scheme"), 1,
              "logins by SCRAM")


@live.case
def wrong_password(servers):
    user = servers.user()
    user.create("Second", "Third")
    text = user.account("watch = INBOX, Second, Third\n", password="guess")
    # Known to belfryd before, so that what comes later is news.
    with live.Daemon(servers, "") as daemon:
        daemon.stop()
        daemon.write(user.account("watch = INBOX, Second, Third\n") + MOVE)
        daemon.start()
        daemon.wait_watching(3)
    good, _ = servers.logins(user.address)
    known = daemon.state
    user.account(password="guess")
    daemon = refuses_password(servers, user, text, known)
    live.same(servers.logins(user.address), (good, 1), "good and bad logins")
    user.deliver(live.message("move me"))
    # A reload without a change is a try, too, and only one.
    live.same(daemon.ctl("reload")["reloaded"], True, "reload")
    live.wait("a second try",
              lambda: servers.logins(user.address) == (good, 2))
    live.stays("one try a reload",
               lambda: servers.logins(user.address) == (good, 2), 2)
    daemon.wait_log(WHAT_TO_DO, 2)
    user.account()  # writes the right password
    live.same(daemon.ctl("reload")["reloaded"], True, "reload")
    daemon.wait_watching(3)
    user.wait_subjects("Moved", ["move me"])
    live.same(daemon.status(user.name).get("locked_out"), None, "lock-out")
    live.same(daemon.stop(), 0, "exit status")


def refuses_password(servers, user, text, state):
    daemon, notifier = telling(servers)
    daemon.state = state
    daemon.write(text + MOVE + notifier)
    daemon.start()
    live.wait("lock-out", lambda: (daemon.status(user.name) or {})
              .get("locked_out"))
    live.wait("the person to be told", lambda: told(daemon))
    live.stays("told once", lambda: told(daemon).count("locked out") == 1, 3)
    live.check(daemon.logged("AUTHENTICATIONFAILED|[Pp]assword|refused"),
               "the log does not say that the password is wrong")
    live.same(len(daemon.logged(WHAT_TO_DO)), 1, "lines that say what to do")
    return daemon


@live.case
def mail_while_down(servers):
    user = servers.user()
    text = user.account() + MOVE
    user.deliver(live.message("move ancient"))
    daemon = live.Daemon(servers, text)
    with daemon:
        daemon.wait_watching()
    subjects = ["move %d" % n for n in range(5)]
    user.deliver(*(live.message(s) for s in subjects))
    user.deliver(live.message("stay"))
    with daemon:
        user.wait_subjects("Moved", subjects)
        daemon.wait_quiet()
        order = [l.split("uid=")[1].split()[0]
                 for l in daemon.logged("info judged")]
        live.same(order, sorted(order, key=int), "order of judging")
        live.same(len(order), 6, "messages judged")
    live.same(user.subjects("INBOX"), ["move ancient", "stay"], "INBOX")


@live.case
def server_restarts(servers):
    user, other = servers.user(), servers.user()
    text = user.account() + other.account(scheme="imap") + MOVE
    with live.Daemon(servers, text) as daemon:
        daemon.wait_watching(2)
        user.deliver(live.message("move before"))
        user.wait_subjects("Moved", ["move before"])
        servers.cut_imap()  # else Dovecot takes ten seconds to end
        servers.tell("imap-stop")
        live.wait("the loss to be seen", lambda: all(
            b["state"] != "watching" for b in daemon.boxes().values()))
        servers.tell("imap-start")
        user.deliver(live.message("move after"))
        other.deliver(live.message("move other"))
        daemon.wait_watching(2)
        user.wait_subjects("Moved", ["move before", "move after"])
        other.wait_subjects("Moved", ["move other"])


@live.case
def links_break(servers):
    user = servers.user()
    with live.Daemon(servers, user.account() + MOVE) as daemon:
        daemon.wait_watching()
        subjects = []
        for round_ in range(3):
            burst = ["move %d-%d" % (round_, n) for n in range(10)]
            subjects += burst
            user.deliver(*(live.message(s) for s in burst))
            if round_ == 2:
                servers.kick(user.address)
            else:
                servers.cut_imap()
            user.wait_subjects("Moved", subjects)
        live.same(user.subjects("INBOX"), [], "INBOX")


@live.case
def news_at_any_moment(servers):
    """Mail that comes while belfryd is busy with the mail before it."""
    rng = live.seed()
    user = servers.user()
    text = user.account() + MOVE + "copy = Copied\nmark = flagged\n"
    with live.Daemon(servers, text) as daemon:
        daemon.wait_watching()
        subjects = []
        for round_ in range(20):
            for number in range(2):
                subjects.append("move %d.%d" % (round_, number))
                user.deliver(live.message(subjects[-1]))
                time.sleep(rng.uniform(0, 0.1))
            daemon.wait_log("info judged", len(subjects))
        user.wait_subjects("Moved", subjects)


if __name__ == "__main__":
    live.main()
