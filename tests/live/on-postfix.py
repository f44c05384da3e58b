#!/usr/bin/env -S python3 -B
"""Forwards to a real Postfix: a private one on loopback, with STARTTLS and a
login that Dovecot decides. Only root may run Postfix."""

import contextlib
import glob
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402
import servers as servers_py  # noqa: E402

os.environ["PATH"] += ":/usr/sbin"
if os.geteuid() != 0 or not shutil.which("postfix"):
    print("SKIP: this needs Postfix, and root")
    sys.exit(77)

# live.main begins the program anew.
FOLDER = "/nonexistent"
if "LIVE_BOUNDED" in os.environ:
    FOLDER = tempfile.mkdtemp(prefix="belfry-postfix-")
    # Its processes are another user's, and must get in.
    os.chmod(FOLDER, 0o755)

MAIN = """
compatibility_level = 3.6
queue_directory = %(dir)s/spool
data_directory = %(dir)s/data
daemon_directory = %(daemons)s
maillog_file = %(dir)s/log
maillog_file_prefixes = %(dir)s
myhostname = mail.example.org
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
alias_maps =
local_recipient_maps =
default_transport = error:nothing leaves this machine
virtual_mailbox_domains = example.org
virtual_mailbox_maps = static:all/
virtual_mailbox_base = %(dir)s/mail
virtual_uid_maps = static:%(uid)d
virtual_gid_maps = static:%(gid)d
message_size_limit = 200000
smtputf8_enable = no
smtpd_tls_cert_file = %(tls)s/server.crt
smtpd_tls_key_file = %(tls)s/server.key
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = %(dir)s/auth
smtpd_sender_login_maps = regexp:{{/^(u[0-9]+@example.com)$$/ $$1}}
smtpd_sender_restrictions = reject_sender_login_mismatch
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions =
    check_recipient_access inline:{{nobody@example.org = 550 5.1.1 no such one}}
"""
MASTER = """
%(port)d inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
error unix - - n - - error
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
DOVECOT = """
service auth {
  unix_listener %s/auth {
    mode = 0666
  }
}
""" % FOLDER


class Postfix:
    def __init__(self, servers):
        self.port = servers_py.free_ports(1)[0]
        self.conf = os.path.join(FOLDER, "conf")
        shutil.rmtree(self.conf, ignore_errors=True)
        owner = pwd.getpwnam("nobody")[2:4]
        values = {
            "dir": FOLDER, "port": self.port, "uid": owner[0],
            "gid": owner[1], "tls": os.path.join(servers.dir, "tls"),
            "daemons": subprocess.run(
                ["postconf", "-d", "-h", "daemon_directory"], check=True,
                stdout=subprocess.PIPE, text=True).stdout.strip()}
        for name in ("conf", "spool", "data", "mail"):
            os.makedirs(os.path.join(FOLDER, name), exist_ok=True)
        shutil.chown(os.path.join(FOLDER, "data"), "postfix")
        os.chown(os.path.join(FOLDER, "mail"), *owner)
        for name, text in (("main.cf", MAIN), ("master.cf", MASTER)):
            with open(os.path.join(self.conf, name), "w",
                      encoding="ascii") as file:
                file.write(text.lstrip("\n") % values)

    def __enter__(self):
        self.run("start")
        live.wait("Postfix", lambda: servers_py.is_served(self.port))
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            print("---- Postfix (last lines)")
            print("\n".join(self.log().splitlines()[-20:]))
        self.run("stop")

    def run(self, word):
        result = subprocess.run(
            ["postfix", "-c", self.conf, word], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False)
        live.same(result.returncode, 0, "postfix %s: %s%s" % (
            word, result.stdout, self.log()))

    def log(self):
        with contextlib.suppress(FileNotFoundError):
            with open(os.path.join(FOLDER, "log"), encoding="utf-8") as file:
                return file.read()
        return ""

    def taken(self):
        """The messages that it delivered."""
        found = []
        for path in glob.glob(os.path.join(FOLDER, "mail/all/new/*")):
            with open(path, "rb") as file:
                found.append(file.read())
        return found

    def account(self, user, keys=""):
        return user.account(
            "smtp = submission://localhost:%d\n%s" % (self.port, keys),
            smtp=None)


def queue(daemon):
    return {i["subject"]: i for i in daemon.ctl("queue")["items"]}


RULES = """
[rule f]
when = subject ~ /^forward/
forward = deputy@example.org
[rule r]
when = subject ~ /^redirect/
forward = deputy@example.org
as = redirect
[rule n]
when = subject ~ /^nobody/
forward = nobody@example.org
"""


@live.case_with(DOVECOT)
def many_over_one_connection(servers):
    """All arrive over one connection, and the queue ids are kept."""
    user = servers.user()
    subjects = ["forward %d" % n for n in range(12)] + ["redirect it"]
    with Postfix(servers) as postfix, live.Daemon(
            servers, postfix.account(user) + RULES) as daemon:
        daemon.wait_watching()
        user.deliver(*(live.message(
            subject, body=".\n..\n.dot\n" + "h\xe4llo\n" * 2000)
                       for subject in subjects))
        live.wait("the mail", lambda: len(postfix.taken()) == 13)
        live.wait("an empty queue", lambda: not queue(daemon))
        ids = set()
        for number in range(1, 14):
            item = daemon.ctl("queue", "show", str(number))["items"][0]
            live.same(item["state"], "sent", "state")
            ids.update(re.findall(r"queued as ([0-9A-Za-z]+)$",
                                  item["reply"]))
        live.same(len(ids), 13, "queue ids")
        log = postfix.log()
        for found in ids:
            live.check(re.search(found + ": to=<deputy@example.org>.*"
                                 "status=sent", log), "no %s", found)
        live.check("improper command pipelining" not in log, "pipelining")
        live.check(len(re.findall("disconnect from", log)) <= 3,
                   "connections: %s", re.findall("disconnect.*", log))
        live.check(all(b"X-Belfry-Forward: " in m for m in postfix.taken()),
                   "the mark")
        live.check(all(b"\n.\n..\n.dot\n" in m for m in postfix.taken()),
                   "the dots")


@live.case_with(DOVECOT)
def long_lines(servers):
    """By BDAT, as they are."""
    user = servers.user()
    with Postfix(servers) as postfix, live.Daemon(
            servers, postfix.account(user) + RULES) as daemon:
        daemon.wait_watching()
        before = len(postfix.taken())
        user.deliver(live.message("redirect long", body="z" * 1500 + "\n.\n"))
        live.wait("the mail", lambda: len(postfix.taken()) > before)
        live.wait("its end", lambda: " bdat=2 " in postfix.log())
        live.check(any(b"\n" + b"z" * 1500 + b"\n.\n" in m
                       for m in postfix.taken()), "the line")


@live.case_with(DOVECOT)
def refusals(servers):
    """Too large, no SMTPUTF8, nobody, not the account's own: in words."""
    user = servers.user()
    other = servers.user()
    with Postfix(servers) as postfix, live.Daemon(
            servers, postfix.account(user, "watch = INBOX\n")
            + postfix.account(other, "from = boss@example.com\n")
            + RULES) as daemon:
        daemon.wait_watching(2)
        user.deliver(
            live.message("forward large", body="x" * 70 + "\n", headers=[
                "X-Long: %s" % ("y" * 60)]) + b"x\r\n" * 80000,
            b"From: Bob <b@body.example>\r\nSubject: redirect \xc3\xa4\r\n"
            b"\r\nhi\r\n",
            live.message("nobody is there"))
        other.deliver(live.message("forward for another"))
        wanted = {
            "forward large": "the mail server takes 200000",
            "redirect \xe4": "SMTPUTF8, which the mail server lacks",
            "nobody is there": "(there is no such address)",
            "forward for another":
                "553 5.7.1 <boss@example.com>: Sender address rejected: not "
                "owned by user %s (the server takes mail from the account's "
                "own address only" % other.address}
        live.wait("all to fail", lambda: [
            i["state"] for i in queue(daemon).values()] == ["failed"] * 4)
        for subject, words in wanted.items():
            live.check(words in queue(daemon)[subject]["reply"], "%s: %s",
                       subject, queue(daemon)[subject]["reply"])


if __name__ == "__main__":
    try:
        live.main()
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
