#!/usr/bin/env -S python3 -B
"""Logins by a certificate of one's own: SASL EXTERNAL at Dovecot and at the
submission server, certificates that are refused, and files that are wrong."""

import os
import socket
import ssl
import subprocess
import sys
import time
import threading

os.environ["SERVERS_SUBMISSION_AUTH"] = "PLAIN LOGIN EXTERNAL"
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402

VERIFY = """
ssl_ca = <@DIR@/tls/ca.crt
ssl_verify_client_cert = yes
ssl_require_crl = no
"""
EXTERNAL = VERIFY + """
auth_mechanisms = plain external
auth_ssl_username_from_cert = yes
passdb {
  driver = static
  args = nopassword=y
  mechanisms = external
}
"""
BOTH = VERIFY + "auth_ssl_require_client_cert = yes\n"
RULES = """
[rule f]
when = subject ~ /^forward/
forward = deputy@example.org
"""


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make(servers, name, user, own_authority=False, locked=()):
    """A certificate for the user: the settings that name it."""
    folder = os.path.join(servers.dir, "tls")
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", *(locked or ["-nodes"]),
            "-subj", "/CN=" + user, "-keyout", name + ".key",
            "-out", name + ".csr")
    signed = ["-signkey", name + ".key"] if own_authority else [
        "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"]
    if not locked:
        openssl(folder, "x509", "-req", "-days", "30", "-in",
                name + ".csr", *signed, "-out", name + ".crt")
    path = os.path.join(folder, name)
    os.chmod(path + ".key", 0o600)
    return "tls_cert = %s.crt\ntls_key = %s.key\n" % (path, path)


def make_ended(path):
    """A certificate that ended just now."""
    os.mkdir(path)
    subprocess.run([os.path.join(live.BUILD, "tests/lib/make-ca"), path,
                    "DNS:ended.example", "0"], check=True)
    os.rename(path + "/server.pem", path + ".crt")
    os.rename(path + "/server.key", path + ".key")
    os.chmod(path + ".key", 0o600)


def causes(daemon, user):
    """{cause: why} of what `doctor` finds wrong."""
    answer = daemon.ctl("doctor", user.name, code=None)
    return {f["cause"]: f["why"] for a in answer["accounts"]
            for f in a["steps"] if f.get("cause")}


def auths(servers, user):
    return [l for l in servers.log().splitlines()
            if "external" in l.lower() and user.address in l]


@live.case_with(EXTERNAL)
def lets_in(servers):
    for scheme, smtp in (("imaps", "smtps"), ("imap", "submission")):
        user = servers.user()
        keys = make(servers, scheme, user.address) + "auth = external\n"
        text = user.account(keys, scheme=scheme, smtp=smtp)
        with live.Daemon(servers, text + RULES) as daemon:
            daemon.wait_watching()
            daemon.wait_log("logged in as the user of the certificate")
            user.deliver(live.message("forward by " + scheme))
            live.wait("the forward", lambda: len(user.sent()) == 1)
            live.same(causes(daemon, user), {}, "what doctor finds")
            # The certificate in one file with its key.
            paths = [line.split(" = ")[1] for line in keys.splitlines()[:2]]
            both = paths[0] + ".both"
            with open(both, "w", encoding="utf-8") as file:
                file.write("".join(live.read(path) for path in paths))
            os.chmod(both, 0o600)
            daemon.write(user.account(
                "tls_cert = %s\nauth = external\n" % both, scheme=scheme,
                smtp=smtp) + RULES)
            daemon.ctl("reload")
            daemon.wait_watching()
        live.same(auths(servers, user)[0].count("method=EXTERNAL"), 1,
                  "the mechanism")


def make_again(servers, name, days):
    """The same certificate, of a year that ends in so many days."""
    folder = os.path.join(servers.dir, "tls")
    with open(folder + "/cnf", "w", encoding="utf-8") as file:
        file.write("[ca]\ndefault_ca = x\n[x]\ndatabase = index\n"
                   "new_certs_dir = .\nrand_serial = yes\n"
                   "default_md = sha256\npolicy = p\n[p]\n"
                   "commonName = supplied\n")
    with open(folder + "/index", "w", encoding="utf-8"):
        pass
    when = [time.strftime("%Y%m%d%H%M%SZ", time.gmtime(
        time.time() + 86400 * (days + more))) for more in (-365, 0.5)]
    openssl(folder, "ca", "-batch", "-config", "cnf", "-notext", "-cert",
            "ca.crt", "-keyfile", "ca.key", "-in", name + ".csr", "-out",
            name + ".crt", "-startdate", when[0], "-enddate", when[1])


@live.case_with(EXTERNAL)
def ends_soon(servers):
    """One's own: told 14 days ahead, once, by status and by doctor; not of
    a new one, which a reload reads without a new connection."""
    for days, soon in ((20, False), (10, True)):
        user, name = servers.user(), "ends%d" % days
        keys = make(servers, name, user.address) + "auth = external\n"
        make_again(servers, name, days)
        with live.Daemon(servers, user.account(keys)) as daemon:
            daemon.wait_watching()
            told = daemon.logged("error certificate .*your certificate")
            live.same([l.split("; ")[0].split(", ")[-1] for l in told],
                      ["in 10 days"] if soon else [], "told")
            live.same([bool(c["warning"]) for c
                       in daemon.status(user.name)["certificates"]
                       if c["server"].endswith(name + ".crt")], [soon],
                      "status")
            live.same(sorted(causes(daemon, user)),
                      ["own-certificate-ends-soon"] * soon, "doctor")
            make_again(servers, name, 20)
            daemon.ctl("reload")
            live.same([c["warning"] for c
                       in daemon.status(user.name)["certificates"]
                       if c["server"].endswith(name + ".crt")], [None],
                      "status of the new one")
            live.same(len(daemon.logged("info connected")), 1, "connections")


def refusals(daemon):
    return len(daemon.logged("warning trouble .*refused the login"))


@live.case_with(EXTERNAL)
def refuses_others(servers):
    user, other = servers.user(), servers.user()
    keys = make(servers, "other", other.address) + "auth = external\n"
    # A certificate of another user: one login, and no more.
    text = user.account(keys + "user = %s\n" % user.address)
    with live.Daemon(servers, text) as daemon:
        live.wait("the refusal", lambda: refusals(daemon) == 1)
        live.stays("once", lambda: refusals(daemon) == 1)
        live.check("certificate-login-refused" in causes(daemon, user),
                   "%r", causes(daemon, user))
        # One that nobody knows.
        keys = make(servers, "stranger", user.address, own_authority=True)
        daemon.write(user.account(keys + "auth = external\n"))
        daemon.ctl("reload")
        live.wait("the other refusal", lambda: refusals(daemon) == 2)
        live.check("certificate-login-refused" in causes(daemon, user),
                   "%r", causes(daemon, user))
        # And the right one.
        keys = make(servers, "right", user.address)
        daemon.write(user.account(keys + "auth = external\n"))
        daemon.ctl("reload")
        daemon.wait_watching()


@live.case_with("")
def is_not_offered(servers):
    user = servers.user()
    keys = make(servers, "one", user.address) + "auth = external\n"
    with live.Daemon(servers, user.account(keys)) as daemon:
        daemon.wait_log("offers no login by certificate")
        live.check("no-certificate-login" in causes(daemon, user), "%r",
                   causes(daemon, user))
        live.stays("once", lambda: len(daemon.logged(
            "offers no login by certificate")) == 1, 2)


@live.case_with(BOTH)
def certificate_and_password(servers):
    user = servers.user()
    with live.Daemon(servers, user.account()) as daemon:
        live.wait("the refusal", lambda: refusals(daemon) == 1)
        daemon.write(user.account(
            make(servers, "two", user.address) + "password_command = echo %s\n"
            % live.PASSWORD))
        daemon.ctl("reload")
        daemon.wait_watching()


def demanding(servers, context_of):
    """A server that ends the handshake without a good certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls = os.path.join(servers.dir, "tls")
    context.load_cert_chain(tls + "/server.crt", tls + "/server.key")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(tls + "/ca.crt")
    context_of(context)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                link, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(link, server_side=True) as tls_link:
                    tls_link.sendall(b"* BYE well\r\n")
            except OSError:
                pass

    threading.Thread(target=serve, daemon=True).start()
    return listener


@live.case_with("")
def refused_in_the_handshake(servers):
    def tls12(context):
        context.maximum_version = ssl.TLSVersion.TLSv1_2

    user = servers.user()
    strange = make(servers, "strange", user.address, own_authority=True)
    for version in (tls12, lambda _: None):
        listener = demanding(servers, version)
        imap = "imap = imaps://localhost:%d\n" % listener.getsockname()[1]
        cases = [(strange, "own-certificate-refused")]
        if version is not tls12:
            cases.append(("", "own-certificate-wanted"))
        for keys, cause in cases:
            account = user.account(
                keys + "password_command = echo x\n" + imap, scheme=None,
                smtp=None)
            daemon = live.Daemon(servers, account)
            live.check(cause in causes(daemon, user), "%s: %r", cause,
                       causes(daemon, user))
        listener.close()


@live.case_with("")
def wrong_files(servers):
    user = servers.user()
    good = make(servers, "good", user.address)
    make(servers, "second", user.address)
    cert, key = (l.split(" = ")[1] for l in good.splitlines())
    make(servers, "locked", user.address,
         locked=["-passout", "pass:secret"])
    make_ended(os.path.join(servers.dir, "tls", "ended"))
    second = key.replace("good", "second")
    rsa = key.replace("good", "rsa")
    openssl(servers.dir, "genpkey", "-algorithm", "RSA", "-pkeyopt",
            "rsa_keygen_bits:2048", "-out", rsa)
    os.chmod(rsa, 0o600)

    def doctor(cert, key):
        daemon = live.Daemon(servers, user.account(
            "tls_cert = %s\ntls_key = %s\nauth = external\n" % (cert, key)))
        return causes(daemon, user)

    for name, one, other, cause, words in (
            ("missing", cert + "x", key, "own-certificate-unusable",
             "No such file"),
            ("no key", cert, cert, "own-certificate-unusable",
             "holds no private key"),
            ("no certificate", key, key, "own-certificate-unusable",
             "holds no certificate"),
            ("another key", cert, second, "own-certificate-unusable",
             "is not the key of"),
            ("of another kind", cert, rsa, "own-certificate-unusable",
             "is not the key of"),
            ("locked", cert, key.replace("good", "locked"),
             "own-certificate-unusable", "locked by a password"),
            ("ended", cert.replace("good", "ended"),
             key.replace("good", "ended"), "own-certificate-ended",
             "ended at")):
        if one == other:
            os.chmod(one, 0o600)
        found = doctor(one, other)
        live.check(words in found.get(cause, ""), "%s: %r", name, found)
    # Others can read it: nothing is begun at all.
    os.chmod(key, 0o644)
    daemon = live.Daemon(servers, user.account(good + "auth = external\n"))
    result = subprocess.run(
        [live.BELFRYCTL, "-c", daemon.config, "check"], env=daemon.env,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        text=True)
    live.same(result.returncode, 78, result.stdout)
    live.check("can be read or written by others (mode 0644)" in result.stdout
               and "chmod 600" in result.stdout, "%s", result.stdout)


if __name__ == "__main__":
    live.main(60)
