"""Servers that are not what they should be, for live.py: what they hear is
kept, so that a test can see that no password was among it."""

import os
import socket
import ssl
import subprocess
import threading


def make_certificate(folder, names, ca_folder=None):
    """(certificate, key) for e.g. "DNS:other.example"; signed by the private
    servers' authority, or by nobody."""
    base = os.path.join(folder, "liar%d" % len(os.listdir(folder)))

    def openssl(*words):
        subprocess.run(["openssl", *words], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
           "-keyout", base + ".key", "-subj", "/CN=liar"]
    if ca_folder is None:
        openssl("req", "-x509", *key, "-days", "30", "-out", base + ".crt",
                "-addext", "subjectAltName=" + names)
    else:
        with open(base + ".ext", "w", encoding="utf-8") as file:
            file.write("subjectAltName=%s\n" % names)
        openssl("req", *key, "-out", base + ".csr")
        openssl("x509", "-req", "-in", base + ".csr", "-days", "30",
                "-CA", ca_folder + "/ca.crt", "-CAkey", ca_folder + "/ca.key",
                "-CAcreateserial", "-extfile", base + ".ext",
                "-out", base + ".crt")
    return base + ".crt", base + ".key"


class Liar:
    """Listens on 127.0.0.1; `talk(liar, connection)` speaks to each client.

    connections: how many there were; heard: all that came in the clear, or
    inside of TLS, which is what must be nothing.
    """

    def __init__(self, talk, certificate=None):
        self.talk = talk
        self.connections = 0
        self.heard = b""
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

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
        connection.settimeout(10)
        try:
            self.talk(self, connection)
        except OSError:
            pass
        finally:
            connection.close()

    def hear(self, connection):
        data = connection.recv(4096)
        self.heard += data
        return data

    def stop(self):
        self.listener.close()


def tls_listener(liar, connection):
    """TLS from the first byte, then greets and listens."""
    with liar.context.wrap_socket(connection, server_side=True) as tls:
        tls.sendall(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hello\r\n")
        while liar.hear(tls):
            pass


def starttls_listener(liar, connection):
    """Offers STARTTLS, with a greeting in the clear."""
    connection.sendall(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hello\r\n")
    while True:
        line = liar.hear(connection)
        if not line:
            return
        tag, verb = line.split()[:2]
        if verb.upper() == b"STARTTLS":
            connection.sendall(tag + b" OK go\r\n")
            tls_listener(liar, connection)
            return
        connection.sendall(b"* CAPABILITY IMAP4rev1 STARTTLS\r\n"
                           + tag + b" OK done\r\n")


def starttls_stripped(liar, connection):
    """Somebody in between took STARTTLS out and would like a password."""
    connection.sendall(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN "
                       b"SASL-IR] hello\r\n")
    while True:
        line = liar.hear(connection)
        if not line:
            return
        tag = line.split()[0]
        connection.sendall(b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"
                           + tag + b" OK done\r\n")
