#!/usr/bin/env -S python3 -B
"""belfryctl doctor: each thing that can be wrong with an account is made here,
and the cause and the cure that are said of it are what they should be.

All cases run at once, a few in parallel; each is a server or two, an account
as its owner has it, and what must be said. The last ones are of real servers
and of a running daemon. A word as argument runs only the cases with that word
in their names; $LIVE_KEEP leaves the folder."""

import concurrent.futures
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import clinic  # noqa: E402
import live  # noqa: E402
import replica_kinds  # noqa: E402
import schema  # noqa: E402
from replica import Replica  # noqa: E402

APPLE = "abcd-efgh-ijkl-mnop"
LETTERS = "abcdefghijklmnop"
ORDINARY = "Hunter2-and-more"
IN_PARALLEL = 6
PROVIDERS = {
    # address: (IMAP host, SMTP host and port, TLS at once)
    "ann@icloud.com": ("imap.mail.me.com", "smtp.mail.me.com", 587, False),
    "ann@gmail.com": ("imap.gmail.com", "smtp.gmail.com", 465, True),
    "ann@yahoo.com": ("imap.mail.yahoo.com", "smtp.mail.yahoo.com", 465,
                      True),
    "ann@aol.com": ("imap.aol.com", "smtp.aol.com", 465, True),
    "ann@outlook.com": ("outlook.office365.com", "smtp-mail.outlook.com", 587,
                        False),
    "ann@zoho.com": ("imap.zoho.com", "smtp.zoho.com", 465, True),
    "ann@fastmail.com": ("imap.fastmail.com", "smtp.fastmail.com", 465, True),
    "ann@gmx.net": ("imap.gmx.net", "mail.gmx.net", 465, True),
    "ann@163.com": ("imap.163.com", "smtp.163.com", 465, True),
}
OWN = "ann@firm.example"
CASES = []


def case(name, *expected, **how):
    """expected: (place, step, cause, words of the why, words of the do)."""
    CASES.append((name, expected, how))


class Clinic:
    """What the cases share: one good server for sending, certificates."""

    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        self.folder = folder
        self.ca = clinic.Authority(folder + "/ca")
        self.stranger = clinic.Authority(folder + "/stranger",
                                         "Scanner & Co. Web Shield")
        hosts = {h for p in PROVIDERS.values() for h in p[:2]}
        hosts |= {"imap.firm.example", "smtp.firm.example", "firm.example"}
        self.names = ",".join("DNS:" + h for h in sorted(hosts))
        self.good = self.ca.issue(self.names + ",IP:127.0.0.1")
        self.library = clinic.build_names(folder)
        self.sending = {True: clinic.submission(self.good, True),
                        False: clinic.submission(self.good, False)}

    def certificate(self, kind):
        """By a word, or the usual one."""
        issue = {
            None: lambda: self.good,
            "stranger": lambda: self.stranger.issue(self.names),
            "expired": lambda: self.ca.issue(self.names, -20, -10),
            "early": lambda: self.ca.issue(self.names, 10, 20),
            "other": lambda: self.ca.issue("DNS:www.other.example"),
            "client": lambda: self.ca.issue(
                self.names + "\nextendedKeyUsage=clientAuth"),
            "soon": lambda: self.ca.issue(self.names, -50, 10.5),
        }
        return issue[kind]()


# ---- what is wrong ----

def refusal(*lines):
    return {"refusals": (tuple(lines),)}


NO_AUTH = "$tag NO [AUTHENTICATIONFAILED] Authentication failed"

# Passwords, by provider.
case("icloud ordinary password",
     ("imap", "login", "ordinary-password",
      "This looks like your Apple ID password; iCloud wants an app-specific "
      "password (16 letters, xxxx-xxxx-xxxx-xxxx).",
      "Make one at https://support.apple.com/102654, store it in place of the "
      "old one, then run `belfryctl doctor home` again."),
     email="ann@icloud.com", password=ORDINARY, kind="icloud",
     changes={"refusals": ((NO_AUTH,), (NO_AUTH,))}, exit=77, logins=2)
case("icloud dead app password",
     ("imap", "login", "app-password-dead",
      "The password has the form of an app-specific password, and iCloud "
      "refuses it: it was taken back", "Make a new one at https://"),
     email="ann@icloud.com", password=APPLE, kind="icloud",
     changes={"refusals": ((NO_AUTH,), (NO_AUTH,))}, exit=77)
case("icloud other user name",
     email="ann@icloud.com", password=APPLE, kind="icloud",
     changes=refusal(NO_AUTH), exit=0, logins=2,
     ok=("imap", "login", "let in; not as ann@icloud.com: with `user = ann`"))
case("gmail ordinary password",
     ("imap", "login", "ordinary-password",
      "This looks like your Google password; Gmail wants an app password "
      "(16 letters).", "https://support.google.com/accounts/answer/185833"),
     email="ann@gmail.com", password=ORDINARY, kind="gmail",
     keys="auth = password\n",
     changes=refusal("$tag NO [AUTHENTICATIONFAILED] Invalid credentials "
                     "(Failure)"), exit=77, logins=1)
case("gmail says app password",
     ("imap", "login", "app-password-wanted",
      "This looks like your ordinary password (your Google password): "
      "\"Application-specific password required: https://support",
      "Make one at https://support.google.com/accounts/answer/185833"),
     email="ann@gmail.com", password=ORDINARY, kind="gmail",
     keys="auth = password\n",
     changes=refusal(*replica_kinds.REFUSALS["app-password-required"][0]),
     exit=77)
case("gmail web login",
     ("imap", "login", "browser-login-wanted",
      "wants to see you in a browser first",
      "Log in to the provider's web mail in a browser"),
     email="ann@gmail.com", password=LETTERS, kind="gmail",
     keys="auth = password\n",
     changes=refusal(*replica_kinds.REFUSALS["web-login-required"][0]),
     exit=77)
case("gmail dead app password",
     ("imap", "login", "app-password-dead",
      "(which a change of your Google password does to all of them)",
      "Make a new one at https://"),
     email="ann@gmail.com", password="abcd efgh ijkl mnop", kind="gmail",
     keys="auth = password\n", changes=refusal(NO_AUTH), exit=77)
case("yahoo ordinary password",
     ("imap", "login", "ordinary-password",
      "This looks like your Yahoo password; Yahoo wants an app password "
      "(16 letters).", "https://help.yahoo.com/"),
     ("imap", "push", None, "", ""),
     email="ann@yahoo.com", password=ORDINARY, kind="yahoo",
     changes=refusal(NO_AUTH), exit=77)
case("aol ordinary password",
     ("imap", "login", "ordinary-password", "This looks like your AOL "
      "password; AOL wants an app password", "https://help.aol.com/"),
     email="ann@aol.com", password=ORDINARY, kind="yahoo",
     changes=refusal(NO_AUTH), exit=77)
case("fastmail password",
     ("imap", "login", "app-password-wanted",
      "Fastmail refuses the password. It wants one that was made for this "
      "program (app password), and not the one you log in to its web page",
      "https://www.fastmail.help/"),
     email="ann@fastmail.com", password=ORDINARY, changes=refusal(NO_AUTH),
     exit=77)
case("gmx password",
     ("imap", "login", "password-or-app-password",
      "imap.gmx.net does not take this password for ann@gmx.net. If the "
      "account has two-factor login", "make one for Belfry"),
     email="ann@gmx.net", password=ORDINARY, changes=refusal(NO_AUTH),
     exit=77)
case("outlook password",
     ("imap", "login", "password-not-taken",
      "Outlook.com takes no passwords any more, only a sign-in through the "
      "browser (OAuth2).", "Get a client id of your own, write it as"),
     email="ann@outlook.com", password=ORDINARY, kind="outlook-com",
     keys="auth = password\n",
     changes=refusal("$tag NO AUTHENTICATE failed."), exit=77)
case("own server password",
     ("imap", "login", "password-wrong",
      "imap.firm.example does not take this password for the user "
      "ann@firm.example.", "Can you log in to the web mail with them?"),
     password=ORDINARY, changes=refusal(NO_AUTH), exit=77,
     skipped=("smtp", "login",
              "not tried: the IMAP server refused the same password"))
case("password expired",
     ("imap", "login", "password-expired",
      "The password has run out: \"Password has expired\".",
      "Set a new one with the provider"),
     changes=refusal("$tag NO [EXPIRED] Password has expired"), exit=77)

# Switched off, full, slow.
case("gmail imap off",
     ("imap", "login", "imap-switched-off",
      "The password may be right, but IMAP is switched off for this account: "
      "\"Your account is not enabled for IMAP use.",
      "Switch it on in the provider's web mail settings"),
     email="ann@gmail.com", password=LETTERS, kind="gmail",
     keys="auth = password\n",
     changes=refusal(*replica_kinds.REFUSALS["imap-disabled-by-default"][0]),
     exit=77)
case("zoho imap off",
     ("imap", "login", "imap-switched-off", "IMAP is switched off",
      "switch on IMAP access under Mail accounts"),
     email="ann@zoho.com", password=LETTERS, kind="zoho",
     changes=refusal("$tag NO [ALERT] You are yet to enable IMAP for your "
                     "account. Please contact your administrator"), exit=77)
case("yahoo imap off",
     ("imap", "login", "imap-switched-off", "IMAP is switched off",
      "(https://help.yahoo.com/"),
     email="ann@yahoo.com", password=LETTERS, kind="yahoo",
     changes=refusal("$tag NO [AUTHORIZATIONFAILED] IMAP access disabled for "
                     "this account"), exit=77)
case("exchange not connected",
     ("imap", "login", "account-without-mailbox",
      "The login was accepted, but no mailbox opened: IMAP is switched off",
      "that `user` is the mailbox's own address"),
     email="ann@outlook.com", token="t0ken", kind="outlook-com",
     changes=refusal(*replica_kinds.REFUSALS["authed-not-connected"][0]),
     exit=77)
case("too many connections",
     ("imap", "login", "too-many-connections",
      "Too many programs are connected to this account at the same time: "
      "\"Too many simultaneous connections. (Failure)\". The "
      "password may be right.", "Close mail programs on other devices"),
     email="ann@gmail.com", password=LETTERS, kind="gmail",
     keys="auth = password\n",
     changes=refusal(*replica_kinds.REFUSALS["conn-limit-as-auth-fail"][0]),
     exit=77)
case("greeting says too many",
     ("imap", "greeting", "too-many-connections",
      "Too many programs are connected to this account",
      "wait some minutes"),
     changes={"greeting": "* BYE Too many connections from your address"},
     exit=76)
case("throttled",
     ("imap", "login", "throttled", "slows this account down",
      "Wait a quarter of an hour"),
     email="ann@outlook.com", token="t0ken", kind="outlook-com",
     changes=refusal(*replica_kinds.REFUSALS["throttle-hint"][0]), exit=77)
case("quota at login",
     ("imap", "login", "quota-full", "The mailbox is full:", "Delete mail"),
     changes=refusal("$tag NO [OVERQUOTA] Mailbox full"), exit=77)
case("quota full",
     ("imap", "space", "quota-full",
      "The mailbox is full (1000 of 1000 MB are used, 100 %: full)",
      "empty the trash"),
     changes={"quota": (1024000, 1024000), "more": "QUOTA"}, exit=69)
case("quota nearly full",
     ("imap", "space", "quota-nearly-full", "nearly full (970 of 1000 MB",
      "empty the trash"),
     changes={"quota": (993280, 1024000), "more": "QUOTA"}, exit=0)
case("server shuts down",
     ("imap", "login", "goodbye",
      "imap.firm.example ended the conversation: \"System Error\"",
      "Try again in a few minutes"),
     changes=refusal("* BYE [UNAVAILABLE] System Error"), exit=77)
case("server bye in greeting",
     ("imap", "greeting", "goodbye", "ended the conversation: \"* BYE "
      "closed for today\"", "Try again in a few minutes"),
     changes={"greeting": "* BYE closed for today"}, exit=76)

# Tokens.
case("token expired",
     ("imap", "login", "token-expired",
      "imap.gmail.com does not take the token: it has run out, or was made "
      "for somebody else than ann@gmail.com.", "Sign in again with the "
      "program behind `token_command`"),
     email="ann@gmail.com", token="0ld", kind="gmail-token",
     changes={"token": ('{"status":"400","schemes":"Bearer"}', "NO bad")},
     exit=77)
case("token scope",
     ("imap", "login", "token-scope",
      "The token is good, but not for reading mail over IMAP",
      "The scope must be that for IMAP and SMTP"),
     email="ann@gmail.com", token="0ld", kind="gmail-token",
     changes={"token": ('{"status":"403","schemes":"Bearer"}', "NO bad")},
     exit=77)
case("token refused without a word",
     ("imap", "login", "token-refused",
      "outlook.office365.com does not take the token: it has run out",
      "Sign in again"),
     email="ann@outlook.com", token="0ld", kind="outlook-com-token", exit=77)
case("sign-in ended",
     ("here", "secret", "sign-in-ended",
      "Your permission for Belfry has ended (the provider says invalid_grant",
      "Sign in again with the program behind `token_command`"),
     email="ann@gmail.com", kind="gmail-token",
     keys="token_command = sh -c 'echo error: invalid_grant >&2; exit 1'\n",
     exit=77, skipped=("imap", "login", "as there is no password"))

case("consent missing",
     ("here", "secret", "consent-missing",
      "or your organisation's administrator, have not permitted this program",
      "Sign in again with the program behind `token_command`"),
     email="ann@gmail.com", kind="gmail-token",
     keys="token_command = sh -c 'echo AADSTS65001: The user or "
          "administrator has not consented >&2; exit 1'\n",
     exit=77, skipped=("imap", "login", "as there is no password"))

# The command for the password.
case("no password command",
     ("here", "secret", "command-missing",
      "The command for the password cannot be run", "Install no-such-tool"),
     keys="password_command = no-such-tool show\n", exit=77)
case("password command fails",
     ("here", "secret", "command-failed",
      "There is no password: sh failed with status 3: gpg: no secret key.",
      "Run the command of the configuration yourself"),
     keys="password_command = sh -c 'echo gpg: no secret key >&2; exit 3'\n",
     exit=77)
case("password command waits",
     ("here", "secret", "command-slow", "sh gave no password in time",
      "unlock what it asks for"),
     keys="password_command = sh -c 'sleep 60'\n", timeout="1s", exit=77)
case("password command talks",
     ("here", "secret", "command-talks", "printed more than a password",
      "Let it print the password and nothing else"),
     keys="password_command = printf 'a\\nb\\n'\n", exit=77)
case("keyring empty",
     ("here", "secret", "keyring-empty", "The keyring has no such password",
      "secret-tool store --label=Belfry service belfry account home"),
     keys="keyring = yes\n", tool="secret-tool", exit=77)
case("credential elsewhere",
     ("here", "secret", "credential-elsewhere",
      "which only the service itself can read", "`belfryctl status`"),
     keys="credential = mail\n", exit=0)

# Names.
case("no such name",
     ("imap", "name", "name-unknown",
      "There is no server called imap.firm.example.",
      "Look for a spelling mistake in `imap = ...`"),
     names={"imap.firm.example": "!nxdomain"}, exit=68)
case("misspelt provider",
     ("imap", "name", "name-misspelt",
      "There is no server called imap.gmial.com. The server of Gmail is "
      "called imap.gmail.com.", "Take the line `imap = ...` out"),
     email="ann@gmail.com", imap="imaps://imap.gmial.com",
     keys="auth = password\n", names={"imap.gmial.com": "!nxdomain"},
     exit=68)
case("provider hidden",
     ("imap", "name", "name-hidden",
      "imap.gmail.com is the right server of Gmail, and this machine cannot "
      "find it.", "Is this machine online?"),
     email="ann@gmail.com", imap="imaps://imap.gmail.com",
     keys="auth = password\n", names={"imap.gmail.com": "!nxdomain"},
     exit=68)
case("only the domain",
     ("imap", "name", "name-only-domain",
      "firm.example is the domain of your address, but there is no server",
      "often imap.firm.example or mail.firm.example"),
     imap="imaps://firm.example", names={"firm.example": "!nodata"},
     exit=68)
case("name server fails",
     ("imap", "name", "name-service-failing",
      "The name server that this machine asks did not answer",
      "`getent hosts imap.firm.example`"),
     ("smtp", "name", "name-service-failing", "did not answer", "online"),
     names={"imap.firm.example": "!again", "smtp.firm.example": "!again"},
     exit=68)
case("name server hangs",
     ("imap", "name", "name-service-failing", "did not answer", "VPN"),
     names={"imap.firm.example": "!hang"}, timeout="1s", exit=68)

# Connections.
case("refused",
     ("imap", "connection", "refused",
      "imap.firm.example is there, and refuses connections on port 993",
      "imaps://imap.firm.example (port 993) or imap://imap.firm.example "
      "(port 143)"), way="!refused", exit=69)
case("timeout",
     ("imap", "connection", "no-answer",
      "does not answer on port 993: a firewall", "Try from another network"),
     way="hole", timeout="1s", exit=69)
case("unreachable",
     ("imap", "connection", "unreachable", "There is no way from this machine",
      "Connect to a network"), way="!unreachable", exit=69)
case("forbidden",
     ("imap", "connection", "forbidden-here",
      "A firewall of this machine itself forbids", "Allow them"),
     way="!forbidden", exit=69)
case("nothing on loopback",
     ("imap", "connection", "refused-here",
      "Nothing listens on port 9 of this machine.", "Start the program"),
     imap="imaps://127.0.0.1:9", exit=69)
case("port 25 closed",
     ("smtp", "connection", "port-25-closed",
      "Port 25 is for mail between servers, and most networks close it.",
      "smtps://smtp.firm.example (port 465) or submission://"),
     smtp="submission://smtp.firm.example:25", smtp_way="!timeout", exit=69)

# Who answers.
case("starttls port", ("imap", "encryption", "tls-on-starttls-port",
     "begins without encryption and switches to it later (STARTTLS)",
     "Write `imap = imap://imap.firm.example:993`."),
     speaker=dict(hello=b"* OK IMAP4rev1 ready\r\n"), exit=76)
case("tls port", ("imap", "greeting", "starttls-on-tls-port",
     "wants encryption from the first byte",
     "Write `imap = imaps://imap.firm.example:143`."),
     imap="imap://imap.firm.example", timeout="1s", exit=76)
case("pop3 port", ("imap", "encryption", "wrong-protocol",
     "answers a POP3 server (the old way to fetch mail)",
     "imaps://imap.firm.example (port 993)"),
     speaker=dict(hello=b"+OK POP3 ready\r\n"), exit=76)
case("pop3 over tls", ("imap", "greeting", "wrong-protocol",
     "answers a POP3 server", "imaps://"),
     speaker=dict(hello=b"+OK POP3 ready\r\n", tls=True), exit=76)
case("smtp port", ("imap", "greeting", "wrong-protocol",
     "answers an SMTP server (for sending mail)", "imaps://"),
     imap="imap://imap.firm.example:587",
     speaker=dict(hello=b"220 mx ESMTP\r\n"), exit=76)
case("imap port for sending", ("smtp", "greeting", "wrong-protocol",
     "answers an IMAP server (for reading mail)", "submission://"),
     smtp_speaker=dict(hello=b"* OK IMAP4rev1 ready\r\n"), exit=76)
case("web port", ("imap", "encryption", "wrong-protocol",
     "answers a web server", "imaps://"),
     speaker=dict(hello=None, answers=(
         (b"GET", b"HTTP/1.0 200 OK\r\n\r\n<html>\r\n"),)),
     timeout="2s", exit=76)
case("ssh port", ("imap", "encryption", "wrong-protocol",
     "answers an SSH server", "imaps://"),
     speaker=dict(hello=b"SSH-2.0-OpenSSH_9.2\r\n"), exit=76)
case("silent server", ("imap", "greeting", "silent",
     "takes the connection on port 143 and says nothing",
     "Try again in a few minutes"),
     imap="imap://imap.firm.example", speaker=dict(hello=None),
     timeout="1s", exit=76)
case("captive portal", ("imap", "encryption", "portal",
     "Somebody else answers in the name of imap.gmail.com: most likely the "
     "network that you are in (hotel, train, guest Wi-Fi)",
     "Open any web page in a browser"),
     email="ann@gmail.com", keys="auth = password\n", cert="other",
     exit=76)

case("captive portal in clear", ("imap", "encryption", "portal",
     "Somebody else answers in the name of imap.gmail.com", "Open any web "
     "page in a browser"),
     email="ann@gmail.com", keys="auth = password\n",
     speaker=dict(hello=None, answers=(
         (b"GET", b"HTTP/1.1 302 Found\r\nLocation: http://login.hotel/"
                  b"\r\n\r\n"),)), timeout="2s", exit=76)

# Certificates.
case("unknown issuer", ("imap", "encryption", "certificate-unknown-issuer",
     "was issued by CN=Scanner & Co. Web Shield, whom this machine does not "
     "know", "`tls_ca_file = FILE`"), cert="stranger", exit=76)
case("intercepted", ("imap", "encryption", "intercepted",
     "The certificate for imap.gmail.com was issued by CN=Scanner & Co. Web "
     "Shield, and not by an authority that Gmail would use",
     "Switch off the mail scanning"),
     email="ann@gmail.com", keys="auth = password\n", cert="stranger",
     exit=76)
case("certificate expired", ("imap", "encryption", "certificate-expired",
     "The certificate of imap.firm.example ended at",
     "only who runs imap.firm.example can renew"), cert="expired", exit=76)
case("clock behind", ("imap", "encryption", "clock-behind",
     "this machine's clock says", "timedatectl set-ntp true"),
     cert="early", exit=76)
case("other name", ("imap", "encryption", "certificate-other-name",
     "The certificate is not for imap.firm.example, but for "
     "www.other.example.", "If one of those names is your mail server"),
     cert="other", exit=76)
case("certificate ends soon", ("imap", "encryption", "certificate-ends-soon",
     "The certificate of imap.firm.example ends in 10 days.",
     "must renew it before"), cert="soon", exit=0)
case("bridge", ("imap", "encryption", "certificate-local",
     "A program on this machine answers, with a certificate that it made "
     "itself", "put the line below into the account"),
     imap="imaps://127.0.0.1:PORT", cert="stranger", line="tls_pin = sha256:",
     exit=76)
case("bridge with its pin", imap="imaps://127.0.0.1:PORT", cert="stranger",
     pin=True, smtp="", exit=0, ok=("imap", "login", "let in"))
case("pin changed", ("imap", "encryption", "pin-changed",
     "The server's key is not the one in `tls_pin`.", "Only if it was"),
     ("smtp", "encryption", "pin-missing",
      "`tls_pin` holds for both servers of the account",
      "put this key behind the other in `tls_pin`, with a comma"),
     keys="tls_pin = sha256:%s=\n" % ("A" * 43), line="tls_pin = sha256:",
     exit=76)
case("old tls", ("imap", "encryption", "tls-too-old",
     "speaks only old encryption", "TLS 1.2 or newer"),
     speaker=dict(hello=b"* OK\r\n", tls=True, newest=ssl.TLSVersion.TLSv1_1),
     exit=76)
case("no such ca file", ("imap", "encryption", "tls-ca-file",
     "tls_ca_file /no/such/file", "Correct `tls_ca_file`"),
     ("smtp", "encryption", "tls-ca-file", "", ""),
     keys="tls_ca_file = /no/such/file\n", exit=76)

case("certificate of a client", ("imap", "encryption", "certificate-bad",
     "The certificate of imap.firm.example cannot be trusted: ",
     "Only who runs imap.firm.example can mend this"), cert="client", exit=76)
case("cut off", ("imap", "encryption", "tls-cut",
     "The encryption could not be agreed upon", "Try another network"),
     speaker=dict(hello=None, answers=((b"", None),)), exit=76)

# What is offered.
case("no mail server", ("imap", "greeting", "no-mail-server",
     "Whatever listens on port 993 of imap.firm.example is no mail server.",
     "imaps://imap.firm.example (port 993)"),
     speaker=dict(hello=b"What do you want?\r\n", tls=True), exit=76)
case("preauth", ("imap", "capabilities", "login-skipped",
     "lets everybody in without a password (PREAUTH)",
     "must require a login"),
     changes={"greeting": "* PREAUTH [CAPABILITY IMAP4rev1] hi"}, exit=76)
case("old imap", ("imap", "capabilities", "no-imap4rev1",
     "speaks a version of IMAP that is older than 1996.",
     "Who runs it must update it"),
     changes={"greeting": "* OK [CAPABILITY IMAP2BIS] hi",
              "pre": "IMAP2BIS"}, exit=76)
case("no starttls", ("imap", "capabilities", "no-starttls",
     "offers no encryption on port 143, or somebody in between took the "
     "offer away. Belfry sends no password in clear.",
     "imaps://imap.firm.example (port 993)"),
     imap="imap://imap.firm.example",
     changes={"starttls": True, "greeting":
              "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi"}, exit=76)
case("login disabled", ("imap", "login", "login-disabled",
     "forbids logging in with a password (LOGINDISABLED)", "Try `imap"),
     changes={"greeting": "* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi"},
     exit=77)
case("only tokens", ("imap", "login", "password-not-offered",
     "takes no passwords, only a sign-in through the browser (OAuth2)",
     "oauth2_client_id"),
     changes={"greeting": "* OK [CAPABILITY IMAP4rev1 LOGINDISABLED "
                          "AUTH=XOAUTH2] hi"}, exit=77)
case("bound login refused", ("imap", "login", "bound-login-refused",
     "announces this way and cannot do it", "write `auth = plain`"),
     changes={"greeting": "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN "
                          "AUTH=SCRAM-SHA-256-PLUS] hi",
              "refusals": ((NO_AUTH,), (NO_AUTH,))}, exit=77,
     logins=2)  # bound in both ways, before the password is used
case("scram taken away", ("imap", "login", "scram-not-offered",
     "imap.firm.example offers no login that keeps the password here (SCRAM)",
     "Try another network."),
     ("smtp", "login", "scram-not-offered", "", ""),
     keys="auth = scram\n", exit=77, logins=0)
case("announced and not done", keys="auth = plain\n", exit=0, logins=1,
     changes={"greeting": "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN "
                          "AUTH=SCRAM-SHA-256-PLUS] hi"})
case("no token login", ("imap", "login", "no-token-login",
     "offers no login by token (OAuth2)", "Take `auth = oauth2` out"),
     token="t", keys="auth = oauth2\n", exit=77,
     changes={"greeting": "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi"})

# Somebody in between puts words behind the answer to STARTTLS, which a program
# could take for the server's (CVE-2011-0411).
case("imap starttls injected", ("imap", "capabilities", "injected",
     "Somebody between here and imap.firm.example put words into the "
     "connection before it was encrypted", "Try another network"),
     imap="imap://imap.firm.example",
     speaker=dict(hello=b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n",
                  answers=((b"", lambda line: line.split()[0] + b" OK go\r\n"
                            b"* OK [ALERT] send it all to me\r\n"),)),
     exit=76)
case("smtp starttls injected", ("smtp", "capabilities", "injected",
     "put words into the connection before it was encrypted",
     "Your password was not sent."),
     sending=dict(injected=b"250 AUTH PLAIN LOGIN\r\n"), exit=76)

# Mailboxes.
case("mailbox misspelt", ("imap", "mailbox", "mailbox-misspelt",
     "There is no mailbox Trahs on the server.", "Did you mean Trash?"),
     keys="watch = INBOX, Trahs\n", exit=78)
case("mailbox missing", ("imap", "mailbox", "mailbox-missing",
     "There is no mailbox Projects/Kiel on the server.",
     "or make the mailbox"), keys="watch = INBOX, Projects/Kiel\n", exit=78)
case("mailbox not selectable", ("imap", "mailbox", "mailbox-not-selectable",
     "Labels is a folder for other folders", "`watch = Labels/*`"),
     keys="watch = INBOX, Labels\n", kind="labels-as-folders", exit=78)
case("mailbox of others", ("imap", "mailbox", "mailbox-refused",
     "The server does not open Shared: \"Permission denied",
     "ask its owner for the right to read it"),
     keys="watch = INBOX, Shared\n", exit=78,
     changes={"folders": (("Shared", "\\Noperm"),)})
case("pattern fits nothing", ("imap", "mailbox", "pattern-empty",
     "No mailbox of the server fits the pattern Lists/*.",
     "make such a mailbox"), keys="watch = INBOX, Lists/*\n", exit=0)
case("netease unsafe login", ("imap", "mailbox", "client-not-trusted",
     "does not trust the program: \"SELECT Unsafe Login.",
     "allow IMAP clients there"),
     ("imap", "push", "idle-missing", "", ""),
     email="ann@163.com", kind="netease",
     changes={"quirks": ("id-required", "id-may-fail")}, exit=78)
case("no trash", ("imap", "folders", "folder-missing",
     "The rule bin needs \\Trash, and the server says of none",
     "Make that folder in the web mail"),
     rules="[rule bin]\nwhen = subject is x\ntrash = yes\n",
     changes={"folders": ()}, exit=78)
case("no idle", ("imap", "push", "idle-missing",
     "does not tell of new mail by itself (no IDLE)",
     "Nothing has to be done"), kind="no-idle", exit=0)
case("idle refused", ("imap", "push", "idle-refused",
     "offers to tell of new mail (IDLE), and does not do it: \"not for you\"",
     "Tell who runs imap.firm.example."),
     changes={"quirks": ("idle-refused",)}, exit=0)

# Sending.
case("smtp relay at login", ("smtp", "login", "relay-refused",
     "smtp.firm.example takes no mail from here for other domains: \"550 "
     "5.7.1 Relaying denied", "the server for sending, of the same provider"),
     sending=dict(auth=b"550 5.7.1 Relaying denied\r\n"), exit=77)
case("smtp refused", ("smtp", "login", "password-refused-to-send",
     "smtp.firm.example does not take this password for ann@firm.example to "
     "send mail: \"535 5.7.8 Authentication credentials invalid\".",
     "(`smtp_user = ...`)"),
     sending=dict(auth=b"535 5.7.8 Authentication credentials invalid\r\n"),
     exit=77)
case("smtp auth off", ("smtp", "login", "smtp-switched-off",
     "Sending by SMTP is switched off for this account",
     "Reading mail is not affected"),
     sending=dict(auth=b"535 5.7.139 Authentication unsuccessful, "
                       b"SmtpClientAuthentication is disabled for the "
                       b"Tenant\r\n"), exit=77)
case("smtp app password", ("smtp", "login", "app-password-wanted",
     "This looks like your ordinary password (your Google password)",
     "https://support.google.com/"),
     email="ann@gmail.com", password=ORDINARY, keys="auth = password\n",
     sending=dict(auth=b"534 5.7.9 Application-specific password required."
                       b"\r\n"), exit=77)
case("smtp without login", ("smtp", "login", "smtp-login-not-offered",
     "lets nobody log in on port 587, so it takes no mail of yours for "
     "others (relaying)", "smtps://smtp.firm.example (port 465)"),
     sending=dict(offer=b"250-mx\r\n250 SIZE 100\r\n"), exit=77)
case("smtp port 25", ("smtp", "login", "port-25-relay",
     "lets nobody log in on port 25", "submission://"),
     smtp="submission://smtp.firm.example:25",
     sending=dict(offer=b"250-mx\r\n250 SIZE 100\r\n"), exit=77)
case("smtp no starttls", ("smtp", "capabilities", "no-starttls",
     "offers no encryption on port 587", "smtps://"),
     sending=dict(starttls=False), exit=76)
case("smtp blocked", ("smtp", "greeting", "blocked",
     "refuses connections from this network", "leave the VPN"),
     sending=dict(hello=b"554 5.7.1 Service unavailable; client host blocked "
                        b"using zen.spamhaus.org\r\n"), exit=76)
case("sender refused", ("smtp", "sender", "sender-refused",
     "smtp.firm.example let you log in as ann@firm.example, and takes no mail "
     "from ann@firm.example: \"550 5.7.60 SMTP; Client does not have "
     "permissions to send as this sender\".",
     "Write an address that belongs to this login: `from = ...`"),
     sending=dict(mail=b"550 5.7.60 SMTP; Client does not have permissions "
                       b"to send as this sender\r\n"), exit=77)
case("sender refused late", ("smtp", "sender", "sender-refused",
     "not owned by user", "`from = ...`"),
     sending=dict(rcpt=b"553 5.7.1 <ann@firm.example>: Sender address "
                       b"rejected: not owned by user ann\r\n"), exit=77)
case("relay refused", ("smtp", "sender", "sender-relay-refused",
     "let you log in, and takes no mail from you for others (relaying): \"554 "
     "5.7.1", "Is it the server for sending, of the same provider"),
     sending=dict(rcpt=b"554 5.7.1 <ann@firm.example>: Relay access denied"
                       b"\r\n"), exit=77)
case("sender later", ("smtp", "sender", "sender-not-now",
     "does not take mail from ann@firm.example to ann@firm.example now: \"451 "
     "4.7.1 Greylisted", "Forwards may have to wait."),
     sending=dict(rcpt=b"451 4.7.1 Greylisted, try again\r\n"), exit=0)
case("sender hangs up", ("smtp", "sender", "sender-not-now", "4.3.2", "wait"),
     sending=dict(mail=b"421 4.3.2 System shutting down\r\n"), exit=0)
case("smtp throttled", ("smtp", "login", "throttled", "slows this account",
     "Wait a quarter of an hour"),
     sending=dict(auth=b"421 4.7.0 Too many login attempts, throttled\r\n"),
     exit=77)

# This machine.
case("no notification service", ("here", "notifications",
     "no-notification-service",
     "Nothing on this desktop shows notifications: no session bus",
     "install dunst or mako"), desktop="unavailable\treason=no session bus",
     exit=0)
case("no belfry-desktop", ("here", "notifications", "desktop-not-installed",
     "The program that shows notifications, belfry-desktop, is not installed",
     "libnotify-dev"), desktop="missing", exit=0)
case("notification service", desktop="ready\tversion=1\tcapabilities=body",
     exit=0, ok=("here", "notifications", "found a notification service"))
case("clock ahead of smtp", ("here", "clock", "clock-ahead",
     "more than smtp.firm.example (2020-01-02T10:00:00Z)",
     "timedatectl set-ntp true"),
     sending=dict(hello=b"220 mx ESMTP; Thu, 2 Jan 2020 10:00:00 +0000\r\n"),
     exit=71)
case("clock behind the mail", ("here", "clock", "clock-behind",
     "less than the newest message in INBOX", "timedatectl set-ntp true"),
     changes={"date": '"17-Nov-2040 10:00:00 +0000"'}, exit=71)
case("all well", exit=0, ok=("imap", "push", "tells of new mail at once"))
case("all well over starttls", imap="imap://imap.firm.example",
     kind="starttls-mandatory", exit=0, ok=("smtp", "sender", "would be taken; no mail was sent"))
case("all services", email="ann@icloud.com", password=APPLE, kind="icloud",
     exit=0, ok=("imap", "folders", "\\Trash is Deleted Messages"))


# ---- the making of a case ----

class Patient:
    def __init__(self, shared, number, name, how):
        self.shared, self.how = shared, how
        self.folder = os.path.join(shared.folder, "p%d" % number)
        os.mkdir(self.folder)
        self.name = name
        self.email = how.get("email", OWN)
        self.world = clinic.World(os.path.join(self.folder, "names"))
        self.servers = []
        self.replica = None
        self.pin = ""

    def path(self, name, text=None):
        path = os.path.join(self.folder, name)
        if text is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(path, 0o700)
        return path

    def make_kind(self):
        name = self.how.get("kind")
        changes = dict(self.how.get("changes", {}))
        kind = dict(replica_kinds.all_kinds()[name] if name
                    else replica_kinds.kind_of("own", {}))
        kind["quirks"] = tuple(kind.get("quirks", ())) \
            + tuple(changes.pop("quirks", ()))
        if "more" in changes:
            kind["post"] += " " + changes.pop("more")
        kind.update(changes)
        return kind

    def start_reading(self):
        """The local port, or a word for why there is none."""
        how = self.how
        if how.get("way") == "hole":
            self.servers.append(clinic.Hole())
            return self.servers[-1].port
        if "way" in how:
            return how["way"]
        certificate = self.shared.certificate(how.get("cert"))
        if "speaker" in how:
            self.servers.append(clinic.Speaker(
                certificate=certificate, **how["speaker"]))
            return self.servers[-1].port
        self.replica = Replica(self.make_kind(), certificate, self.secret())
        self.replica.deliver(live.message("hello"))
        return self.replica.port

    def start_sending(self, tls):
        how = self.how
        if "smtp_way" in how:
            return how["smtp_way"]
        if "smtp_speaker" in how:
            self.servers.append(clinic.Speaker(**how["smtp_speaker"]))
        elif "sending" in how:
            self.servers.append(clinic.submission(
                self.shared.good, tls, **how["sending"]))
        else:
            return self.shared.sending[tls].port
        return self.servers[-1].port

    def secret(self):
        return self.how.get("token") or self.how.get("password", LETTERS)

    def account(self):
        """The configuration."""
        how, keys = self.how, self.how.get("keys", "")
        known = PROVIDERS.get(self.email)
        text = "[account home]\nemail = %s\n" % self.email
        imap = how.get("imap", None if known else "imaps://imap.firm.example")
        smtp = how.get(
            "smtp", None if known else "submission://smtp.firm.example")
        reading = self.start_reading()
        if imap and "PORT" in imap:
            imap = imap.replace("PORT", str(reading))
        elif imap is None or "127.0.0.1" not in imap:
            self.world.way(*self.host(imap, known and (known[0], 993)),
                           reading)
        if smtp != "":
            self.world.way(*self.host(smtp, known and known[1:3]),
                           self.start_sending(bool(known and known[3])))
        for key, url in (("imap", imap), ("smtp", smtp)):
            if url:
                text += "%s = %s\n" % (key, url)
        if how.get("pin"):
            text += self.find_pin(text)
        if "token" in how:
            text += "token_command = printf %s\n" % how["token"]
        elif not any(w in keys for w in ("password_command", "token_command",
                                         "keyring", "credential")):
            text += "password_command = cat %s\n" % self.path(
                "password", self.secret() + "\n")
        rest = how.get("rules", "")
        if "desktop" not in how:
            rest += live.NO_DESKTOP
        return text + keys + "\n" + rest

    @staticmethod
    def host(url, default):
        if url is None:
            return default
        host, _, port = url.split("://")[1].partition(":")
        usual = {"imaps": 993, "imap": 143, "smtps": 465, "submission": 587}
        return host, int(port or usual[url.split("://")[0]])

    def find_pin(self, text):
        """The line that doctor offers, as a person copies it."""
        self.path("first.conf", text + "password = x\n" + live.NO_DESKTOP)
        self.write_world()
        _, report = self.run("first.conf")
        return next(s["line"] for s in report["accounts"][0]["steps"]
                    if s["cause"] == "certificate-local") + "\n"

    def write_world(self):
        for host, word in self.how.get("names", {}).items():
            self.world.lines.insert(0, "name %s %s" % (host, word))
        self.world.write()

    def environment(self):
        env = dict(os.environ, BELFRY_NAMES=self.world.path,
                   LD_PRELOAD=self.shared.library,
                   SSL_CERT_FILE=self.shared.ca.path,
                   XDG_RUNTIME_DIR=self.folder)
        env["ASAN_OPTIONS"] = ":".join(
            [env.get("ASAN_OPTIONS", ""), "verify_asan_link_order=0"])
        env.pop("CREDENTIALS_DIRECTORY", None)
        if "tool" in self.how:
            self.path(self.how["tool"], "#!/bin/sh\nexit 1\n")
            env["PATH"] = self.folder + ":" + env["PATH"]
        desktop = self.how.get("desktop")
        if desktop == "missing":
            env["BELFRY_DESKTOP"] = "/no/such/belfry-desktop"
        elif desktop:
            env["BELFRY_DESKTOP"] = self.path(
                "desktop", "#!/bin/sh\nprintf '%%b\\n' '%s'\ncat >/dev/null\n"
                % desktop.replace("\t", "\\t"))
        return env

    def run(self, name):
        """(exit status, the report)"""
        done = subprocess.run(
            [live.BELFRYCTL, "doctor", "--json", "-c", self.path(name),
             "--timeout", self.how.get("timeout", "8s")], check=False,
            env=self.environment(), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, timeout=60)
        if done.stderr:
            raise live.Failed("it complains: %s" % done.stderr)
        report = json.loads(done.stdout)
        live.same(schema.problems(["doctor"], report), [], "schema")
        return done.returncode, report

    def stop(self):
        for server in self.servers:
            if hasattr(server, "stop"):
                server.stop()
        if self.replica:
            self.replica.stop()


def find(steps, place, step, result):
    return [s for s in steps
            if (s["place"], s["step"], s["result"]) == (place, step, result)]


def has_words(step, key, words, what):
    live.check(words in (step[key] or ""), "%s: %r instead of %r", what,
               step[key], words)


def check_case(patient, expected, report, status):
    how, steps = patient.how, report["accounts"][0]["steps"]
    wrong = [s for s in steps if s["result"] in ("failed", "warning")]
    wanted = [e for e in expected if e[2] is not None]
    live.same([(s["place"], s["step"], s["cause"]) for s in wrong],
              [e[:3] for e in wanted], "what is wrong")
    for step, (_, _, cause, why, todo) in zip(wrong, wanted):
        has_words(step, "why", why, "why " + cause)
        has_words(step, "do", todo, "do " + cause)
        live.check("${" not in step["why"] + step["do"]
                   and "{" not in step["do"], "a word is left: %r", step)
    live.same(status, how["exit"], "exit status")
    live.same(report["ok"], status == 0, "ok")
    for key, result, name in (("ok", "ok", "got"),
                              ("skipped", "skipped", "got")):
        if key in how:
            place, step, words = how[key]
            found = find(steps, place, step, result)
            live.check(any(words in (s[name] or "") for s in found),
                       "%s %s does not say %r: %r", place, step, words, found)
    if "line" in how:
        live.check(wrong[0]["line"].startswith(how["line"]), "line: %r",
                   wrong[0])
    if "logins" in how:
        live.same(patient.replica.logins, how["logins"], "logins")
    text = json.dumps(report)
    if "password" in how or "token" not in how:
        live.check(patient.secret() not in text.replace(APPLE * 2, "")
                   or patient.secret() == "t", "it tells the password")


def treat(shared, number, name, expected, how):
    """None, or what is wrong."""
    patient = Patient(shared, number, name, how)
    began = time.monotonic()
    try:
        patient.path("belfry.conf", patient.account())
        patient.write_world()
        status, report = patient.run("belfry.conf")
        if os.environ.get("DOCTOR_SHOW"):
            print(json.dumps(report, indent=1))
        check_case(patient, expected, report, status)
    except (live.Failed, OSError, ValueError, KeyError, StopIteration,
            subprocess.SubprocessError) as fault:
        return "%s: %s" % (type(fault).__name__, fault)
    finally:
        patient.stop()
        if time.monotonic() - began > 10:
            print("%s took %.0f s" % (name, time.monotonic() - began))
    return None


def scripted(folder, word):
    """Counts what failed."""
    shared = Clinic(folder)
    if shared.library is None:
        print("no C compiler for tests/lib/names.c")
        sys.exit(77)
    failed = 0
    chosen = [c for c in CASES if word in c[0]]
    with concurrent.futures.ThreadPoolExecutor(IN_PARALLEL) as pool:
        jobs = [pool.submit(treat, shared, number, *one)
                for number, one in enumerate(chosen)]
        for (name, _, _), job in zip(chosen, jobs):
            fault = job.result()
            if fault:
                failed += 1
                print("FAIL %s: %s" % (name, fault))
    print("%d cases, %d failed" % (len(chosen), failed))
    return failed


# ---- beside a daemon ----

class Place:
    """As much of live.Servers as a daemon needs."""

    def __init__(self, folder):
        self.dir = folder


def own_account(shared, folder, replica, more=""):
    path = os.path.join(folder, "password%d" % replica.port)
    with open(path, "w", encoding="utf-8") as file:
        file.write(LETTERS + "\n")
    return ("[account home]\nemail = %s\nimap = imaps://127.0.0.1:%d\n"
            "tls_ca_file = %s\npassword_command = cat %s\n%s\n" % (
                OWN, replica.port, shared.ca.path, path, more))


def causes(report):
    return [s["cause"] for s in report["accounts"][0]["steps"] if s["cause"]]


def bells(daemon):
    return live.read(daemon.path("bells")).splitlines()


def beside_a_daemon(shared, place):
    """It goes on, on its one connection; nothing is read, nothing stored."""
    replica = Replica(replica_kinds.kind_of("own", {}), shared.good, LETTERS)
    replica.deliver(live.message("hello"))
    with live.Daemon(place, own_account(shared, place.dir, replica)) as daemon:
        daemon.wait_watching()
        before = replica.connections
        report = daemon.ctl("doctor")
        live.same(causes(report), [], "causes")
        live.same(replica.connections, before + 1, "connections")
        live.wait("one session again", lambda: len(replica.sessions) == 1)
        live.same(replica.said("^(STORE|APPEND|CREATE|DELETE)"), [], "changes")
        live.same(daemon.boxes()["home", "INBOX"]["trouble"], None, "trouble")
    replica.stop()


def held_by_the_daemon(shared, place):
    """The server refused the password: doctor says that the daemon waits."""
    kind = replica_kinds.kind_of("own", {"refusals": tuple(
        (NO_AUTH,) for _ in range(3))})
    replica = Replica(kind, shared.good, LETTERS)
    with live.Daemon(place, own_account(shared, place.dir, replica)) as daemon:
        live.wait("locked out", lambda: (daemon.status("home") or {}).get(
            "locked_out"))
        logins = replica.logins
        replica.refusals.clear()
        report = daemon.ctl("doctor")
        live.same(causes(report), ["held-by-daemon"], "causes")
        step = next(s for s in report["accounts"][0]["steps"] if s["cause"])
        has_words(step, "why", "does not log in to this account any more, "
                  "because the server refused it", "why")
        has_words(step, "do", "`belfryctl reload` lets it try again", "do")
        live.same(replica.logins, logins + 1, "one login more")
    replica.stop()


def certificate_ends(shared, place):
    """The daemon tells once, also across a restart; status goes on."""
    replica = Replica(replica_kinds.kind_of("own", {}), shared.ca.issue(
        "IP:127.0.0.1", -50, 9.5), LETTERS)
    text = own_account(shared, place.dir, replica) + "[notifier bell]\n" \
        "type = exec\ncommand = sh -c 'echo \"$BELFRY_TEXT\" >>bells'\n"
    daemon = live.Daemon(place, text)
    open(daemon.path("bells"), "w", encoding="utf-8").close()
    for _ in range(2):
        with daemon:
            daemon.wait_watching()
            status = live.wait("the certificate", lambda: (
                daemon.status("home")["certificates"]))
            live.wait("the bell", lambda: bells(daemon))
            has_words(status[0], "warning",
                      "the certificate of 127.0.0.1 ends on ", "status")
            has_words(status[0], "warning", "in 9 days; who runs the server "
                      "must renew it", "status")
    live.same([b[:38] for b in bells(daemon)],
              ["the certificate of 127.0.0.1 ends on 2"], "bells")
    replica.stop()


def certificate_is_well(shared, place):
    """One of a week, in its first half, is as it should be."""
    replica = Replica(replica_kinds.kind_of("own", {}), shared.ca.issue(
        "IP:127.0.0.1", -3, 4), LETTERS)
    with live.Daemon(place, own_account(shared, place.dir, replica)) as daemon:
        daemon.wait_watching()
        status = daemon.status("home")["certificates"]
        live.same([c["warning"] for c in status], [None], "warnings")
    replica.stop()


DAEMON_CASES = (beside_a_daemon, held_by_the_daemon, certificate_ends,
                certificate_is_well)


def with_daemons(folder, word):
    shared, place = Clinic(folder + "/daemons"), Place(folder + "/daemons")
    failed = 0
    for one in DAEMON_CASES:
        if word not in one.__name__:
            continue
        try:
            one(shared, place)
        except (live.Failed, OSError, KeyError) as fault:
            failed += 1
            print("FAIL %s: %s: %s" % (one.__name__, type(fault).__name__,
                                       fault))
    return failed


def main():
    live.bounded(120)
    folder = tempfile.mkdtemp(prefix="belfry-doctor-", dir="/tmp")
    os.chmod(folder, 0o755)
    try:
        word = sys.argv[1] if len(sys.argv) > 1 else ""
        failed = scripted(folder, word)
        failed += with_daemons(folder, word)
    finally:
        for daemon in live.Daemon.running:
            if daemon.process.poll() is None:
                daemon.kill()
        if "LIVE_KEEP" in os.environ:
            print("kept: %s" % folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if failed else 0)


main()
