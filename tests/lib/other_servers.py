"""Private Cyrus and Courier servers, for live.py: the same as its Servers, as
far as the cases of general.py need them.

Debian's packages of the three servers exclude each other, so those two are
not installed but unpacked, by packages_unpack of contrib/packages.sh, into
$BELFRY_TEST_SERVERS, by default /var/cache/belfry-test-servers for root (they
run as nobody, who must come there) and in ~/.cache for others. Nothing of them
runs but what is started here, on loopback, in the folder of the test.
"""

import contextlib
import getpass
import itertools
import os
import select
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import threading

import liars
import live
import servers as servers_py


def root():
    if os.environ.get("BELFRY_TEST_SERVERS"):
        return os.environ["BELFRY_TEST_SERVERS"]
    cache = "/var/cache"
    if os.getuid() != 0:
        cache = (os.environ.get("XDG_CACHE_HOME")
                 or os.path.join(os.path.expanduser("~"), ".cache"))
    return os.path.join(cache, "belfry-test-servers")


def unpacked(path):
    """The whole path of a part of the unpacked servers; else skips."""
    found = os.path.join(root(), path)
    if not os.path.exists(found):
        print("there is no %s: see packages_unpack in contrib/packages.sh"
              % found)
        sys.exit(77)
    return found


def libraries():
    """For servers that were not installed, and the words for what is missing
    of what they need besides."""
    return {"LD_LIBRARY_PATH": ":".join(
        os.path.join(root(), "usr/lib", sub)
        for sub in ("", "x86_64-linux-gnu", "aarch64-linux-gnu",
                    "courier-authlib"))}


def check_runs(program, env):
    """Skips when a library is not there."""
    listing = subprocess.run(
        ["ldd", program], env={**os.environ, **env}, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    missing = [line for line in listing.splitlines() if "not found" in line]
    if missing:
        print("%s cannot run: %s" % (program, missing[0].strip()))
        sys.exit(77)


def owner():
    """Who a server is that refuses to be root."""
    return "nobody" if os.getuid() == 0 else getpass.getuser()


def as_owner():
    if os.getuid() != 0:
        return {}
    return {"user": "nobody", "group": "nogroup", "extra_groups": []}


class Other:
    """What both have in common. `delimiter` and `prefix` are of the names on
    the wire; tests say `/` and no prefix, as rules do."""

    delimiter = "/"
    prefix = ""
    # Of the names in general.py those that it does not make.
    cannot_name = ()

    def __init__(self, folder, _extra=""):
        self.dir = folder
        os.mkdir(folder, 0o755)
        self.users = iter(range(1, live.USERS + 1))
        self.certificate = liars.make_certificate(
            folder, "DNS:localhost,IP:127.0.0.1"
            + os.environ.get("SERVERS_NAMES", ""))
        # Read by servers that are nobody; there is nothing to hide.
        for path in self.certificate:
            os.chmod(path, 0o644)
        self.env = {"SERVERS_CA": self.certificate[0],
                    "SERVERS_PASSWORD": live.PASSWORD}
        self.log_path = os.path.join(folder, "server.log")

    def make(self, *names):
        path = os.path.join(self.dir, *names)
        os.makedirs(path, exist_ok=True)
        if os.getuid() == 0:
            subprocess.run(["chown", "-R", "nobody:nogroup", path], check=True)
        return path

    def user(self):
        user = live.User(self, "u%d@example.com" % next(self.users))
        self.prepare(user.address)
        return user

    def prepare(self, address):
        pass

    imap = live.Servers.imap

    def wire(self, name):
        """The name on the wire, for a name as rules write it."""
        if name.upper() == "INBOX":
            return name
        return live.utf7(self.prefix + name.replace("/", self.delimiter))

    def path(self, wire_name):
        if wire_name.startswith(self.prefix):
            wire_name = wire_name[len(self.prefix):]
        return wire_name.replace(self.delimiter, "/")

    def log(self):
        return live.read(self.log_path)

    def sent(self):
        return []

    def fault(self):
        """Between cases: nothing was broken."""


# ---- Cyrus ----

CYRUS_IMAPD_CONF = """
configdirectory: %(conf)s
partition-default: %(mail)s
defaultpartition: default
cyrus_user: %(owner)s
admins: cyrus-admin
virtdomains: userid
allowplaintext: no
altnamespace: %(alt)s
unixhierarchysep: %(alt)s
sasl_mech_list: PLAIN
sasl_pwcheck_method: saslauthd
sasl_saslauthd_path: %(run)s/auth/mux
tls_server_cert: %(certificate)s
tls_server_key: %(key)s
tls_session_timeout: 0
sievedir: %(conf)s/sieve
idlesocket: %(run)s/idle
lmtpsocket: %(run)s/lmtp
notifysocket: %(run)s/notify
mboxname_lockpath: %(run)s/lock
proc_path: %(run)s/proc
mboxlist_db_path: %(conf)s/mailboxes.db
duplicate_db: skiplist
duplicatesuppression: no
autocreate_quota: 0
autocreate_post: yes
autocreate_inbox_folders: Sent | Drafts | Junk | Trash | Archive
autocreate_subscribe_folders: Sent | Drafts | Junk | Trash | Archive
xlist-sent: Sent
xlist-drafts: Drafts
xlist-junk: Junk
xlist-trash: Trash
xlist-archive: Archive
maxlogins_per_user: 0
"""

CYRUS_CONF = """
START {
  recover cmd="%(bin)s/ctl_cyrusdb -C %(imapd_conf)s -r"
}
SERVICES {
  imaps cmd="%(bin)s/imapd -C %(imapd_conf)s -s" listen="127.0.0.1:%(imaps)d" prefork=1 maxchild=100
%(far)s
  lmtp cmd="%(bin)s/lmtpd -C %(imapd_conf)s -a" listen="127.0.0.1:%(lmtp)d" maxchild=10
}
DAEMON {
  idled cmd="%(bin)s/idled -C %(imapd_conf)s"
}
"""
CYRUS_FAR = """
  far cmd="%(bin)s/imapd -C %(imapd_conf)s -s" listen="%(address)s:%(imaps)d" maxchild=100
"""


def answer_auth(listener):
    """What saslauthd does: four counted strings in, one out."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, contextlib.suppress(OSError):
            words = []
            for _ in range(4):
                size = int.from_bytes(connection.recv(2), "big")
                words.append(connection.recv(size) if size else b"")
            good = words[1] == live.PASSWORD.encode()
            connection.sendall(b"\0\2OK" if good else b"\0\2NO")


class Cyrus(Other):
    """With names as they are by default: `/`, no prefix."""

    alt = "yes"

    def __init__(self, folder, extra=""):
        programs = unpacked("usr/lib/cyrus/bin/master")
        libs = libraries()
        check_runs(unpacked("usr/lib/cyrus/bin/imapd"), libs)
        super().__init__(folder, extra)
        os.chmod(self.certificate[1], 0o644)
        values = {
            "bin": os.path.dirname(programs), "owner": owner(),
            "conf": self.make("conf"), "mail": self.make("mail"),
            "run": self.make("run"), "alt": self.alt,
            "certificate": self.certificate[0], "key": self.certificate[1],
            "imapd_conf": os.path.join(folder, "imapd.conf"),
        }
        for sub in ("auth", "lock", "proc"):
            self.make("run", sub)
        self.make("conf", "socket")  # where idled finds who waits
        self.auth = socket.socket(socket.AF_UNIX)
        self.auth.bind(os.path.join(values["run"], "auth", "mux"))
        os.chmod(os.path.join(values["run"], "auth", "mux"), 0o777)
        self.auth.listen(20)
        threading.Thread(target=answer_auth, args=(self.auth,),
                         daemon=True).start()
        ports = servers_py.free_ports(2)
        values["imaps"], values["lmtp"] = ports
        values["far"] = ""
        if "SERVERS_LISTEN" in os.environ:
            values["far"] = CYRUS_FAR % {
                **values, "address": os.environ["SERVERS_LISTEN"]}
        self.env["SERVERS_IMAPS_PORT"] = str(ports[0])
        self.env["SERVERS_LMTP_PORT"] = str(ports[1])
        with open(values["imapd_conf"], "w", encoding="utf-8") as file:
            file.write(CYRUS_IMAPD_CONF % values)
        with open(os.path.join(folder, "cyrus.conf"), "w",
                  encoding="utf-8") as file:
            file.write(CYRUS_CONF % values)
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [programs, "-C", values["imapd_conf"],
                 "-M", os.path.join(folder, "cyrus.conf"),
                 "-p", os.path.join(values["run"], "master.pid")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **libs}, **as_owner())
        live.wait("Cyrus to answer", self.is_up)

    def is_up(self):
        live.check(self.process.poll() is None, "Cyrus ended: %s", self.log())
        return all(servers_py.is_served(self.env[key]) for key in
                   ("SERVERS_IMAPS_PORT", "SERVERS_LMTP_PORT"))

    def prepare(self, address):
        self.imap(address).logout()  # makes the mailboxes

    deliver = live.Servers.deliver

    def fill(self, address, messages):
        """Many in one command (RFC 3502), with literals that are not waited
        for (RFC 7888)."""
        imap = self.imap(address)
        messages = iter(messages)
        while some := list(itertools.islice(messages, 500)):
            imap.send(b"fill APPEND INBOX" + b"".join(
                b" {%d+}\r\n%s" % (len(data), data) for data in some)
                + b"\r\n")
            while not (line := imap.readline()).startswith(b"fill "):
                live.check(line, "Cyrus ended: %s", self.log())
            live.check(line.startswith(b"fill OK"), "Cyrus: %r", line)
        imap.logout()

    def cut_imap(self):
        listing = subprocess.run(
            ["ps", "--ppid", str(self.process.pid), "-o", "pid=,comm="],
            stdout=subprocess.PIPE, text=True, check=True).stdout
        for line in listing.splitlines():
            pid, name = line.split(None, 1)
            if name.strip() == "imapd":
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.auth.close()


class CyrusNetnews(Cyrus):
    """With names as in newsgroups, all of a user's below INBOX."""

    alt = "no"
    delimiter = "."
    prefix = "INBOX."


# ---- Courier ----

COURIER_CAPABILITIES = (
    "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT "
    "THREAD=REFERENCES SORT QUOTA IDLE")


class Courier(Other):
    """Its imapd, behind a front that does what Courier's own does until the
    login: that one finds its password daemon in a fixed place only, where a
    system's own would be."""

    delimiter = "."
    prefix = "INBOX."
    capabilities = COURIER_CAPABILITIES
    cannot_name = ("emoji",)  # beyond 16 bits

    def __init__(self, folder, extra=""):
        self.program = unpacked("usr/bin/imapd")
        self.libs = libraries()
        check_runs(self.program, self.libs)
        super().__init__(folder, extra)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*self.certificate)
        # All addresses of a network of one's own, where it is told of it.
        address = "" if "SERVERS_LISTEN" in os.environ else "127.0.0.1"
        self.listener = socket.create_server((address, 0), backlog=50)
        self.env["SERVERS_IMAPS_PORT"] = str(self.listener.getsockname()[1])
        self.sessions = set()
        self.log_file = open(self.log_path, "wb")
        threading.Thread(target=self.serve, daemon=True).start()

    def prepare(self, address):
        for sub in ("cur", "new", "tmp"):
            self.make("mail", address, "Maildir", sub)
        self.make("mail", address)

    def deliver(self, address, *messages):
        """As an MTA does: into tmp, then new."""
        folder = os.path.join(self.dir, "mail", address, "Maildir")
        for data in messages:
            live.serial += 1
            name = "%d.M%d.test" % (1700000000 + live.serial, live.serial)
            path = os.path.join(folder, "tmp", name)
            with open(path, "wb") as file:
                file.write(data.replace(b"\r\n", b"\n"))
            if os.getuid() == 0:
                os.chown(path, os.stat(folder).st_uid,
                         os.stat(folder).st_gid)
            os.rename(path, os.path.join(folder, "new", name))

    def fill(self, address, messages):
        live.fill_maildir(os.path.join(self.dir, "mail", address, "Maildir"),
                          messages)

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.session, args=(connection,),
                             daemon=True).start()

    def session(self, connection):
        with contextlib.suppress(OSError, ssl.SSLError):
            with self.context.wrap_socket(connection, server_side=True) as tls:
                self.sessions.add(tls)
                try:
                    self.talk(tls)
                finally:
                    self.sessions.discard(tls)

    def talk(self, tls):
        lines = tls.makefile("rb", buffering=0)
        tls.sendall(b"* OK [CAPABILITY %s] Courier-IMAP ready. Copyright "
                    b"1998-2018 Double Precision, Inc.  See COPYING for "
                    b"distribution information.\r\n"
                    % self.capabilities.encode())
        while True:
            line = lines.readline(4096)
            words = line.split()
            if len(words) < 2:
                return
            tag, verb = words[0], words[1].upper()
            if verb == b"CAPABILITY":
                tls.sendall(b"* CAPABILITY %s\r\n%s OK CAPABILITY completed"
                            b"\r\n" % (self.capabilities.encode(), tag))
            elif verb == b"LOGIN" and len(words) == 4:
                user, password = (w.strip(b'"').decode() for w in words[2:])
                if password == live.PASSWORD:
                    self.mail(tls, tag.decode(), user)
                    return
                tls.sendall(tag + b" NO Login failed.\r\n")
            elif verb == b"LOGOUT":
                tls.sendall(b"* BYE Courier-IMAP server shutting down\r\n"
                            + tag + b" OK LOGOUT completed\r\n")
                return
            else:
                tls.sendall(tag + b" NO Error in IMAP command received by "
                            b"server.\r\n")

    def mail(self, tls, tag, address):
        """Courier itself, until one of both ends."""
        home = os.path.join(self.dir, "mail", address)
        ours, its = socket.socketpair()
        env = {
            "PATH": "/usr/bin:/bin", "HOME": home, "AUTHENTICATED": address,
            "AUTHADDR": address, "AUTHUSER": address, "TCPREMOTEIP": "::1",
            "TCPREMOTEPORT": "1",
            "IMAPLOGINTAG": tag, "PROTOCOL": "IMAP", "IMAP_KEYWORDS": "1",
            "IMAP_CAPABILITY": self.capabilities, "IMAP_IDLE_TIMEOUT": "2",
            "IMAP_TRASHFOLDERNAME": "Trash", "IMAP_EMPTYTRASH": "Trash:7",
            "IMAP_USELOCKS": "1", "IMAP_MAILBOX_SANITY_CHECK": "0",
            "MAILDIRPATH": "Maildir", **self.libs,
        }
        process = subprocess.Popen(
            [self.program, "Maildir"], cwd=home, env=env, stdin=its,
            stdout=its, stderr=self.log_file, **as_owner())
        its.close()
        try:
            relay(tls, ours)
        finally:
            ours.close()
            process.terminate()
            process.wait()

    def cut_imap(self):
        for tls in list(self.sessions):
            with contextlib.suppress(OSError):
                tls.shutdown(socket.SHUT_RDWR)

    def stop(self):
        self.listener.close()
        self.cut_imap()


def relay(tls, plain):
    """Both ways, until one side ends."""
    while True:
        ready = [tls] if tls.pending() else \
            select.select([tls, plain], [], [])[0]
        for one in ready:
            data = one.recv(65536)
            if not data:
                return
            (plain if one is tls else tls).sendall(data)


KINDS = {
    "dovecot": live.Servers,
    "cyrus": Cyrus,
    "cyrus-netnews": CyrusNetnews,
    "courier": Courier,
}
