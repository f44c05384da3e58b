#!/usr/bin/env -S python3 -B
"""SCRAM with channel binding on a real Cyrus, with TLS 1.2 and 1.3: the login
holds for this connection alone. Who opens the encryption in between, with a
certificate that is trusted, is told no password and gets in nowhere."""

import os
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import liars  # noqa: E402
import live  # noqa: E402
import other_servers  # noqa: E402
from live import BELFRYCTL, check, same  # noqa: E402

ADDRESS = "u1@example.com"
PATIENCE_SECONDS = 60


def make_server(folder, versions):
    """Cyrus that knows passwords itself, as SCRAM needs."""
    database = os.path.join(folder, "sasldb")
    subprocess.run(
        [other_servers.unpacked("usr/sbin/saslpasswd2"), "-p", "-c", "-f",
         database, "-u", "example.com", ADDRESS.split("@")[0]],
        input=live.PASSWORD, text=True, check=True,
        env={**os.environ, **other_servers.libraries()})
    os.chmod(database, 0o644)
    text = other_servers.CYRUS_IMAPD_CONF
    for before, after in (
            ("sasl_mech_list: PLAIN", "sasl_mech_list: SCRAM-SHA-256 "
             "SCRAM-SHA-1 PLAIN"),
            ("pwcheck_method: saslauthd", "pwcheck_method: auxprop\n"
             "sasl_auxprop_plugin: sasldb\nsasl_sasldb_path: %s\n"
             "tls_versions: %s" % (database, versions))):
        check(before in text, "no %s", before)
        text = text.replace(before, after)
    other_servers.CYRUS_IMAPD_CONF, kept = text, \
        other_servers.CYRUS_IMAPD_CONF
    try:
        return other_servers.Cyrus(os.path.join(folder, "cyrus"))
    finally:
        other_servers.CYRUS_IMAPD_CONF = kept


class Middle:
    """Somebody in between, who reads along and passes on, but for the offers
    that fit `strips`."""

    def __init__(self, certificate, port, version, strips=None):
        self.port, self.strips = port, strips
        self.mechanisms, self.replies = [], []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*certificate)
        self.context.minimum_version = version
        self.context.maximum_version = version
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=10)
        self.here = self.listener.getsockname()[1]
        self.begin(self.serve)

    def replies_of(self, word):
        return [line for line in self.replies if word in line]

    @staticmethod
    def begin(function, *args):
        threading.Thread(target=function, args=args, daemon=True).start()

    def serve(self):
        while True:
            link, _ = self.listener.accept()
            self.begin(self.one, link)

    def one(self, link):
        try:
            near = self.context.wrap_socket(link, server_side=True)
            far = ssl._create_unverified_context().wrap_socket(
                socket.create_connection(("127.0.0.1", self.port)))
        except OSError:
            return
        self.begin(self.carry, near, far, False)
        self.carry(far, near, True)

    def carry(self, source, target, is_down):
        try:
            for line in source.makefile("rb", buffering=0):
                if is_down:
                    if self.strips:
                        line = re.sub(self.strips, b"", line)
                    self.replies.append(line)
                else:
                    found = re.match(rb"\S+ (AUTHENTICATE \S+|LOGIN)", line)
                    self.mechanisms += [found[1].decode()] if found else []
                target.sendall(line)
        except (OSError, ValueError):
            pass
        for end in (source, target):
            end.close()


def doctor(folder, port, ca, password=live.PASSWORD, keys=""):
    path = os.path.join(folder, "belfry.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write("[account a]\nemail = %s\nimap = imaps://localhost:%d\n"
                   "password_command = echo %s\ntls_ca_file = %s\n%s"
                   % (ADDRESS, port, password, ca, keys))
    return subprocess.run(
        [BELFRYCTL, "doctor", "-c", path], check=False, text=True,
        stdout=subprocess.PIPE, timeout=PATIENCE_SECONDS).stdout


def one_version(folder, versions, version):
    servers = make_server(folder, versions)
    try:
        port = int(servers.env["SERVERS_IMAPS_PORT"])
        ca = os.path.join(folder, "ca.pem")
        mine = liars.make_certificate(folder, "DNS:localhost")
        with open(ca, "w", encoding="utf-8") as file:
            file.write(live.read(servers.env["SERVERS_CA"])
                       + live.read(mine[0]))
        found = doctor(folder, port, ca)
        check("AUTH=SCRAM-SHA-256-PLUS" in found, "no binding: %s", found)
        check("a imap login: ok" in found, "%s", found)
        found = doctor(folder, port, ca, "wrong")
        check("a imap login: failed" in found, "%s", found)
        # Somebody in between: the password is right, and it helps nobody.
        middle = Middle(mine, port, version)
        found = doctor(folder, middle.here, ca)
        check("a imap login: failed" in found, "%s", found)
        same(set(middle.mechanisms), {"AUTHENTICATE SCRAM-SHA-256-PLUS"},
             "what was said")
        check(len(middle.mechanisms) == len(middle.replies_of(b" NO ")) <= 2,
              "%d logins", len(middle.mechanisms))
        # He takes offers away: all of SCRAM, or that of a bound one, which
        # Cyrus finds out by the flag that we could have bound.
        found = doctor(folder, port, ca, keys="auth = scram\n")
        check("a imap login: ok" in found, "%s", found)
        for strips, tried in (
                (rb" AUTH=SCRAM-[-A-Z0-9]+", set()),
                (rb" AUTH=SCRAM-[-A-Z0-9]+-PLUS",
                 {"AUTHENTICATE SCRAM-SHA-256"})):
            middle = Middle(mine, port, version, strips)
            found = doctor(folder, middle.here, ca, keys="auth = scram\n")
            check("a imap login: failed" in found, "%s", found)
            same(set(middle.mechanisms), tried, "what was said")
    finally:
        servers.stop()


def main():
    live.bounded(100)
    for versions, version in (
            ("tls1_2", ssl.TLSVersion.TLSv1_2),
            ("tls1_3", ssl.TLSVersion.TLSv1_3)):
        with tempfile.TemporaryDirectory(prefix="belfry-scram-") as folder:
            os.chmod(folder, 0o755)
            one_version(folder, versions, version)
            print("%s: ok" % versions, flush=True)


if __name__ == "__main__":
    main()
