"""A world for `belfryctl doctor`: certificates of every kind, submission
servers and others that speak from a script, and names and addresses that lead
to them (names.c), so that an account of a big provider is tried as its owner
has it, by its real host names."""

import os
import socket
import ssl
import subprocess
import threading
import time

LIB = os.path.dirname(os.path.abspath(__file__))
# Nobody is there (RFC 5737): names.c bends what goes there.
NET = "203.0.113.%d"
DAY = 24 * 60 * 60


def openssl(*words, **more):
    subprocess.run(["openssl", *words], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   **more)


class Authority:
    """Issues certificates; `path` is its own."""

    def __init__(self, folder, name="Belfry test authority"):
        self.folder = folder
        os.mkdir(folder)
        self.path = os.path.join(folder, "ca.crt")
        self.lock = threading.Lock()
        self.count = 0
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                "-keyout", folder + "/ca.key", "-out", self.path,
                "-subj", "/CN=" + name)
        with open(folder + "/cnf", "w", encoding="utf-8") as file:
            file.write("[ca]\ndefault_ca = x\n[x]\ndatabase = %s/index\n"
                       "new_certs_dir = %s\nserial = %s/serial\n"
                       "default_md = sha256\npolicy = p\n[p]\n"
                       "commonName = supplied\n"
                       % (folder, folder, folder))

    def issue(self, names, from_days=-1, to_days=29):
        """(certificate, key) for "DNS:a.example,IP:192.0.2.1"."""
        with self.lock:
            return self.issue_one(names, from_days, to_days)

    def issue_one(self, names, from_days, to_days):
        self.count += 1
        base = os.path.join(self.folder, "c%d" % self.count)
        openssl("req", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-keyout", base + ".key",
                "-out", base + ".csr", "-subj", "/CN=server")
        with open(base + ".ext", "w", encoding="utf-8") as file:
            file.write("subjectAltName=%s\n" % names)
        with open(self.folder + "/serial", "w", encoding="utf-8") as file:
            file.write("%02X\n" % self.count)
        with open(self.folder + "/index", "w", encoding="utf-8"):
            pass
        when = [time.strftime("%Y%m%d%H%M%SZ",
                              time.gmtime(time.time() + days * DAY))
                for days in (from_days, to_days)]
        openssl("ca", "-batch", "-config", self.folder + "/cnf", "-notext",
                "-cert", self.path, "-keyfile", self.folder + "/ca.key",
                "-in", base + ".csr", "-out", base + ".crt",
                "-startdate", when[0], "-enddate", when[1],
                "-extfile", base + ".ext")
        return base + ".crt", base + ".key"


class Speaker:
    """A server from a script. `hello` is said first (None: nothing). Each line
    that comes is answered by the first of `answers`, (beginning, answer), that
    fits; an answer None ends the link, "STARTTLS" begins TLS, and a function
    gives it for the line. `tls`: from the first byte."""

    def __init__(self, hello, answers=(), certificate=None, tls=False,
                 newest=None):
        self.hello, self.answers, self.tls = hello, answers, tls
        self.heard = []
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            if newest:
                self.context.set_ciphers("DEFAULT:@SECLEVEL=0")
                self.context.minimum_version = ssl.TLSVersion.TLSv1
                self.context.maximum_version = newest
            self.context.load_cert_chain(*certificate)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=20)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                link, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(link,),
                             daemon=True).start()

    def one(self, link):
        link.settimeout(30)
        try:
            if self.tls:
                link = self.context.wrap_socket(link, server_side=True)
            if self.hello is not None:
                link.sendall(self.hello)
            self.talk(link)
        except (OSError, ValueError):
            pass
        finally:
            link.close()

    def answers_to(self, _link):
        return self.answers

    def talk(self, link):
        file = link.makefile("rb")
        for line in file:
            self.heard.append(line)
            for begin, answer in self.answers_to(link):
                if line.upper().startswith(begin):
                    break
            else:
                continue
            if answer is None:
                return
            if callable(answer):
                answer = answer(line)
            if answer == "STARTTLS":
                link.sendall(b"220 go\r\n")
                return self.talk(
                    self.context.wrap_socket(link, server_side=True))
            link.sendall(answer)

    def stop(self):
        self.listener.close()


def submission(certificate, tls=False, hello=b"220 mx ESMTP\r\n",
               offer=b"250-mx\r\n250-SIZE 35882577\r\n250 AUTH PLAIN LOGIN "
                     b"XOAUTH2\r\n",
               auth=b"235 2.7.0 in\r\n", starttls=True,
               mail=b"250 2.1.0 ok\r\n", rcpt=b"250 2.1.5 ok\r\n",
               injected=b""):
    """A server for sending that lets everybody in, but for what is said."""
    clear = b"250-mx\r\n250 STARTTLS\r\n" if starttls else offer

    class Submission(Speaker):
        def answers_to(self, link):
            secure = isinstance(link, ssl.SSLSocket)
            return ((b"EHLO", offer if secure else clear),
                    (b"STARTTLS", b"220 go\r\n" + injected if injected
                     else "STARTTLS"), (b"AUTH", auth),
                    (b"MAIL", mail), (b"RCPT", rcpt), (b"RSET", b"250 ok\r\n"),
                    (b"DATA", None), (b"QUIT", b"221 bye\r\n"))

    return Submission(hello, (), certificate, tls)


class Hole:
    """Takes no connection, and refuses none: its queue is full."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.guests = []
        for _ in range(4):
            guest = socket.socket()
            guest.setblocking(False)
            guest.connect_ex(("127.0.0.1", self.port))
            self.guests.append(guest)
        time.sleep(0.1)


def build_names(folder):
    """The library that bends names; None: it cannot be built."""
    path = os.path.join(folder, "names.so")
    done = subprocess.run(
        [os.environ.get("CC", "cc").split()[-1], "-shared", "-fPIC", "-O1",
         "-o", path, os.path.join(LIB, "names.c"), "-ldl"], check=False)
    return path if done.returncode == 0 else None


class World:
    """Names and ways, as names.c reads them."""

    def __init__(self, path):
        self.path = path
        self.lines = []
        self.last = 0

    def name(self, host, address=None):
        """Where the host is, or a word for why it is not."""
        if address is None:
            self.last += 1
            address = NET % self.last
        self.lines.append("name %s %s" % (host, address))
        return address

    def way(self, host, port, where):
        """`where`: a local port, or a word; the host gets an address."""
        address = self.name(host)
        self.lines.append("way %s %d %s" % (address, port, where))

    def write(self):
        with open(self.path, "w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in self.lines)
