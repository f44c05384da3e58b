#!/usr/bin/env -S python3 -B
"""Passwords and tokens that can be told apart from everything else are given
to belfryd in every way there is. Then nothing that it leaves behind, says, or
passes on may have them: no log, no state, no answer, no process."""

import base64
import contextlib
import glob
import http.server
import os
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402

CANARIES = {
    "command": "Kanarie-1 #\"command\"",
    "literal": "Kanarie-2 literal",
    "wrong": "Kanarie-3 wrong",
    "token": "Kanarie-4-token.eyJhbGciOi",
    "header": "Kanarie-5-header",
    "url": "Kanarie-6-url",
    "stderr": "Kanarie-7-stderr",
}


# The heap writes over the beginning of what is freed, and not over this.
TAIL = "-with-a-long-tail-that-stays-where-it-is"


def shapes(secret, user):
    """The bytes to look for: as it is, in base64 at any place, and so on."""
    raw = secret.encode()
    found = {raw, raw.hex().encode(), raw[::-1],
             urllib.parse.quote(secret).encode(),
             raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"'),
             base64.b64encode(b"\0" + user.encode() + b"\0" + raw)}
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + raw)
        # What depends on its neighbours is cut off.
        found.add(whole[4 if shift else 0:-4])
    return found


def look(where, data, users):
    for name, secret in CANARIES.items():
        for shape in shapes(secret, users.get(name, "")):
            live.check(shape not in data, "%s has the canary %r as %r",
                       where, name, shape)


def look_into_files(folder, users, but=()):
    count = 0
    for path in glob.glob(folder + "/**", recursive=True):
        if os.path.isfile(path) and os.path.basename(path) not in but:
            with open(path, "rb") as file:
                look(path, file.read(), users)
            count += 1
    return count


class Hook(http.server.BaseHTTPRequestHandler):
    """A webhook's other end."""

    seen = []

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        Hook.seen.append((self.path, self.headers["Authorization"]))
        self.send_response(500 if len(Hook.seen) == 2 else 200)
        self.end_headers()

    def log_message(self, *_):
        pass


def serve_hook():
    server = http.server.HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def set_password(servers, user, password):
    path = os.path.join(servers.dir, "users")
    lines = live.read(path).splitlines()
    lines = ["%s:{PLAIN}%s:%s" % (user.address, password, l.split(":", 2)[2])
             if l.startswith(user.address + ":") else l for l in lines]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def let_it_be_seen():
    """Dovecot looks at the file of its users once in a second at most: who
    came in this one before may have kept it from seeing the change."""
    time.sleep(1.1)


def plant(servers, daemon):
    """Accounts with each kind of secret: {canary: its user}."""
    users = {name: servers.user()
             for name in ("command", "literal", "wrong", "token", "stderr")}
    set_password(servers, users["command"], CANARIES["command"])
    set_password(servers, users["literal"], CANARIES["literal"])
    let_it_be_seen()
    # Where the secrets are kept is the person's own business.
    secrets = daemon.path("kept-by-the-person")
    os.mkdir(secrets)
    for name, secret in CANARIES.items():
        with open(secrets + "/" + name, "w", encoding="utf-8") as file:
            file.write(secret + "\n")
    rules = """
[rule all]
when = all
forward = deputy@example.org
exec = %s
notify = critical

[notifier hook]
type = webhook
url = http://127.0.0.1:%d/%s
header = Authorization: Bearer %s
""" % (daemon.script("run", "env >>%s\ntr '\\0' '\\n' </proc/self/cmdline "
                     ">>%s\n" % (daemon.path("env"), daemon.path("env"))),
       serve_hook(), CANARIES["url"], CANARIES["header"])
    daemon.write("".join((
        users["command"].account(
            "password_command = cat %s/command\n" % secrets),
        users["literal"].account("password = %s\n" % CANARIES["literal"],
                                 scheme="imap", smtp="smtps"),
        users["wrong"].account("password_command = cat %s/wrong\n" % secrets),
        # Dovecot offers no OAuth2: the token must not become a password.
        users["token"].account(
            "auth = oauth2\ntoken_command = cat %s/token\n" % secrets),
        users["stderr"].account(
            "password_command = sh -c \"cat %s/stderr; exit 1\"\n" % secrets),
        rules)))
    return {name: user.address for name, user in users.items()}, users


@live.case
def canaries_stay_inside(servers):
    daemon = live.Daemon(servers, "", level="debug", args=["-v"])
    addresses, users = plant(servers, daemon)
    daemon.start()
    good = (users["command"], users["literal"])
    live.wait("two to be watched, three to be locked out or in trouble",
              lambda: sum(b["state"] == "watching"
                          for b in daemon.boxes().values()) == 2
              and all(daemon.logged("account=%s .*" % users[name].name)
                      for name in ("wrong", "token", "stderr")))
    servers.fault("auth 535 5.7.8 wrong", "dot 451 4.3.0 later")
    for user in good:
        user.deliver(live.message("sing"))
    live.wait("the webhook", lambda: len(Hook.seen) >= 2)
    live.same(Hook.seen[0], ("/" + CANARIES["url"],
                             "Bearer " + CANARIES["header"]), "webhook")
    live.wait("forward trouble", lambda: daemon.logged("forward-"))
    servers.fault()
    daemon.ctl("reload")
    servers.cut_imap()
    daemon.wait_watching(2)
    pid = daemon.process.pid
    for name in ("cmdline", "environ"):
        with open("/proc/%d/%s" % (pid, name), "rb") as file:
            look("/proc/PID/" + name, file.read(), addresses)
    answers = 0
    for words in (["status"], ["history"], ["queue"], ["rules"], ["check"],
                  ["reload"], ["notify"]):
        answer = daemon.ctl(*words, code=None)
        look("belfryctl " + words[0], repr(answer).encode(), addresses)
        answers += answer is not None
    live.check(answers >= 5, "only %d answers", answers)
    live.same(daemon.stop(), 0, "exit status")
    live.check(look_into_files(daemon.state, addresses) > 0, "no state")
    look("the log", daemon.log().encode(), addresses)
    live.check("BELFRY_RULE=all" in live.read(daemon.path("env")),
               "the command's environment was not seen")
    look("a command's environment", live.read(daemon.path("env")).encode(),
         addresses)
    look("forwards", b"".join(
        servers.sent_source(n + 1) for n in range(len(servers.sent()))),
        addresses)
    # The log does say what is wrong, without the word itself.
    live.check(daemon.logged("account=%s .*refused" % users["wrong"].name),
               "no word of the wrong password")


@live.case
def literal_password_in_a_readable_file(servers):
    """Whose mode lets others read it: refused, and not quoted."""
    user = servers.user()
    daemon = live.Daemon(servers, user.account(
        "password = %s\n" % CANARIES["literal"]))
    os.chmod(daemon.config, 0o644)
    daemon.start()
    live.same(daemon.process.wait(live.PATIENCE_SECONDS), 78, "exit status")
    live.check(daemon.logged("chmod 600"), "no word of the mode")
    look("the log", daemon.log().encode(), {})


@live.case
def asked_again_for_each_login(servers):
    """A command is run for every login, and so a new password is known."""
    user, daemon = servers.user(), live.Daemon(servers, "")
    count = daemon.path("count")
    daemon.write(user.account("password_command = %s\n" % daemon.script(
        "pw", "echo x >>%s\necho %s\n" % (count, live.PASSWORD))))
    with daemon:
        daemon.wait_watching()
        before = len(live.read(count))
        for _ in range(2):
            logins = servers.logins(user.address)
            servers.cut_imap()
            live.wait("another login",
                      lambda n=logins: servers.logins(user.address) > n)
        live.check(len(live.read(count)) >= before + 2 * len("x\n"),
                   "the command ran %r times", live.read(count))


@live.case
def complaint_is_shown(servers):
    """What a command that fails says on standard error, and no login."""
    user = servers.user()
    with live.Daemon(servers, user.account(
            "password_command = sh -c \"echo 'no such entry' >&2; "
            "exit 3\"\n")) as daemon:
        live.wait("the complaint", lambda: "no such entry" in str(
            daemon.status(user.name)))
        live.check("status 3" in str(daemon.status(user.name)), "no status")
        live.same(servers.logins(user.address), (0, 0), "logins")


def memory_of(pid):
    """What a core would have; None: it cannot be read here."""
    found = []
    try:
        with open("/proc/%d/maps" % pid, encoding="utf-8") as maps, \
                open("/proc/%d/mem" % pid, "rb", 0) as memory:
            for line in maps:
                where, mode = line.split()[:2]
                start, end = (int(x, 16) for x in where.split("-"))
                if "rw" not in mode:
                    continue
                memory.seek(start)
                with contextlib.suppress(OSError):
                    found.append(memory.read(end - start))
    except PermissionError:
        return None
    return b"\0".join(found)


@live.case
def wiped_after_use(servers):
    """Nothing is left in the memory of a daemon that has logged in: but for
    the password that stands in the configuration."""
    users = {name: servers.user()
             for name in ("command", "literal", "wrong", "token")}
    starttls = servers.user()
    for user in (users["command"], starttls):
        set_password(servers, user, CANARIES["command"] + TAIL)
    set_password(servers, users["literal"], CANARIES["literal"])
    let_it_be_seen()
    daemon = live.Daemon(servers, "", level="debug")
    for name, secret in CANARIES.items():
        with open(daemon.path(name), "w", encoding="utf-8") as file:
            file.write(secret + TAIL + "\n")
    daemon.write(
        users["command"].account(
            "password_command = cat %s\n" % daemon.path("command"))
        + starttls.account(
            "password_command = cat %s\n" % daemon.path("command"),
            scheme="imap", smtp="submission")
        + users["wrong"].account(
            "password_command = cat %s\n" % daemon.path("wrong"))
        + users["token"].account("auth = oauth2\ntoken_command = cat %s\n"
                                 % daemon.path("token"))
        + users["literal"].account("password = %s\n" % CANARIES["literal"])
        + "[rule all]\nwhen = all\nforward = deputy@example.org\n")
    good = (users["command"], users["literal"], starttls)
    with daemon:
        daemon.wait_watching(len(good))
        daemon.ctl("reload")
        for user in good:
            user.deliver(live.message("sing"))
        # The server for sending knows another password.
        live.wait("logins to send", lambda: len(
            daemon.logged("forward-trouble")) >= len(good))
        servers.cut_imap()
        daemon.wait_watching(len(good))
        memory = memory_of(daemon.process.pid)
    if memory is None:
        print("its memory cannot be read here")
        return
    live.check(b"imap.example" in memory or b"deputy@example.org" in memory,
               "this is not its memory")
    # Once in the configuration, and once in the one before the reload.
    count = memory.count(CANARIES["literal"].encode())
    live.check(1 <= count <= 2, "%d times", count)
    live.check(TAIL.encode() not in memory, "a part of a secret is there")
    look("its memory", memory.replace(CANARIES["literal"].encode(), b""),
         {name: user.address for name, user in users.items()})


@live.case
def no_core_and_no_ptrace(servers):
    user = servers.user()
    with live.Daemon(servers, user.account()) as daemon:
        daemon.wait_watching()
        limits = live.read("/proc/%d/limits" % daemon.process.pid)
        core = [l for l in limits.splitlines() if "core file" in l][0]
        live.same(core.split()[4:6], ["0", "0"], "core limit")
        # A process that is not dumpable belongs to root there.
        live.same(os.stat("/proc/%d/mem" % daemon.process.pid).st_uid, 0,
                  "owner of its memory")


if __name__ == "__main__":
    live.main()
