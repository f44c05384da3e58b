#!/usr/bin/env -S python3 -B
"""Tokens that a command prints: logins at Dovecot and at the submission server
by XOAUTH2 and OAUTHBEARER, what is no token, and the recipes of
belfry.conf(5), with stubs that take the same command lines."""

import os
import sys
import tempfile

os.environ["SERVERS_SUBMISSION_AUTH"] = "XOAUTH2 OAUTHBEARER"
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import authserver  # noqa: E402
import live  # noqa: E402

FOLDER = tempfile.TemporaryDirectory(prefix="belfry-oauth-")
AUTH = authserver.AuthServer(FOLDER.name)
RULES = """
[rule f]
when = subject ~ /^forward/
forward = deputy@example.org
"""


def a_token(user):
    grant = authserver.Grant(user.address, authserver.CLIENT, "")
    return AUTH.issue(grant)["access_token"]


def account(user, command, servers, keys=""):
    return user.account(
        "token_command = %s\ntls_ca_file = %s\n%s"
        % (command, AUTH.bundle(servers.env["SERVERS_CA"]), keys))


def causes(daemon, user):
    """{cause: (why, next)} of what `doctor` finds wrong."""
    answer = daemon.ctl("doctor", user.name, code=None)
    return {step["cause"]: (step["why"], step["do"])
            for found in answer["accounts"] for step in found["steps"]
            if step.get("cause")}


def logs_in_by(servers, mechanism):
    user = servers.user()
    token = os.path.join(servers.dir, user.name + ".token")
    with open(token, "w", encoding="utf-8") as file:
        file.write(a_token(user) + "\n")
    text = account(user, "cat " + token, servers)
    with live.Daemon(servers, text + RULES) as daemon:
        daemon.wait_watching()
        user.deliver(live.message("forward " + mechanism))
        live.wait("the forward", lambda: len(user.sent()) == 1)
        live.same(causes(daemon, user), {}, "what doctor finds")
        live.check("method=" + mechanism in servers.log(), "mechanism")
        live.check(live.read(token).strip() not in daemon.log(),
                   "the token is in the log")


@live.case_with(AUTH.dovecot("xoauth2"))
def by_xoauth2(servers):
    logs_in_by(servers, "XOAUTH2")


@live.case_with(AUTH.dovecot("oauthbearer"))
def by_oauthbearer(servers):
    logs_in_by(servers, "OAUTHBEARER")


@live.case_with(AUTH.dovecot("xoauth2"))
def what_is_no_token(servers):
    user = servers.user()
    daemon = live.Daemon(servers, "")
    for output, cause, words in (
            ('echo \'{"access_token": "x", "expires_in": 3599}\'',
             "command-prints-json", "JSON document, and not a token"),
            ('printf \'{\\n "access_token": "x"\\n}\\n\'',
             "command-prints-json", "JSON document, and not a token"),
            ("echo Bearer abc", "command-talks", "more than a token"),
            ("printf 'abc\\ndef\\n'", "command-talks", "more than a token"),
            ("true", "command-failed", "gave nothing"),
            ("echo 'ERROR - Token unavailable until authorised' >&2; exit 1",
             "command-failed", "Token unavailable until authorised"),
            ("echo 'HTTP 400: invalid_grant' >&2; exit 1", "sign-in-ended",
             "has ended"),
            ("echo expired-long-ago", "token-expired", "has run out")):
        command = daemon.script("token", output + "\n")
        daemon.write(account(user, command, servers))
        found = causes(daemon, user)
        live.check(words in found.get(cause, ("",))[0],
                   "%s: %r", output, found)
        live.check(cause == "sign-in-ended"
                   or "password" not in " ".join(found[cause]),
                   "it speaks of a password: %r", found)
    # The daemon says it too, and tries a dead token no second time.
    with daemon:
        daemon.wait_log("refused the token")
        live.stays("one login", lambda: servers.log().count(
            "auth failed, 1 attempts") <= 2, 3)


def stub(daemon, name, arguments, token):
    """A program that takes just these arguments."""
    return daemon.script(name, """
test "$*" = "%s" || { echo "usage: %s" >&2; exit 2; }
echo %s
""" % (arguments, name, token))


@live.case_with(AUTH.dovecot("xoauth2"))
def recipes(servers):
    for name, arguments in (
            ("oama", "access %s"),
            ("pizauth", "show %s"),
            ("mutt_oauth2.py", "/home/ann/.mutt/%s.tokens"),
            ("oauth2get", "belfry %s")):
        user = servers.user()
        daemon = live.Daemon(servers, "")
        words = arguments % user.address
        path = stub(daemon, name, words, a_token(user))
        daemon.write(account(user, path + " " + words, servers))
        with daemon:
            daemon.wait_watching()


@live.case_with("ssl = yes\ndisable_plaintext_auth = no\n")
def recipe_of_the_proxy(servers):
    """email-oauth2-proxy is a server without TLS on this machine, which takes
    a password; here Dovecot is one."""
    user = servers.user()
    text = user.account("provider = none\nplaintext = loopback\n",
                        scheme="imap", smtp=None)
    with live.Daemon(servers, text) as daemon:
        daemon.wait_watching()
    logins = [l for l in servers.log().splitlines() if "Login: user" in l]
    live.check(logins and all(", secured," in l for l in logins), "%r", logins)


if __name__ == "__main__":
    live.main(60)
