#!/usr/bin/env python3
"""A submission server for tests: TLS, AUTH, and faults when asked for.

  submission.py --dir DIR [--password TEXT] [--smtp-port N] [--smtps-port N]

Listens on 127.0.0.1 (or --host), one port with STARTTLS required and one with TLS from
the first byte (0: any free port), with DIR/tls/server.{crt,key}, and writes
both numbers into DIR/submission.ports when it is ready. Offers SIZE,
8BITMIME, SMTPUTF8, AUTH PLAIN and LOGIN, or what $SERVERS_SUBMISSION_AUTH names.
Any user name with the password is let in; EXTERNAL lets in who shows a
certificate of DIR/tls/ca.crt, as its common name; XOAUTH2 and OAUTHBEARER whose
token $SERVERS_INTROSPECTION (an address to which the token is appended; its
authority is in $SERVERS_INTROSPECTION_CA) calls active. Nothing is relayed anywhere.

What it takes is stored as DIR/sent/0001.eml (the message as it came, CRLF) and
0001.json (from, to, user, ehlo, mail_options, size, implicit_tls, answered).

DIR/faults, if it exists, says what goes wrong. At each stage the first line is
looked at; when it begins with the stage's name it is carried out and removed
(with `always` in front of it, it stays):

  auth 535 5.7.8 no such user       the reply to AUTH
  mail 451 4.3.0 later              the reply to MAIL
  rcpt 550 5.1.1 nobody here        the reply to RCPT
  dot 452 4.3.1 disk full           the reply after the text; nothing is stored
  dot drop                          stored, and the connection dies unanswered
  dot lose                          not stored, and the connection dies
  dot delay 5                       stored, answered after so many seconds
"""

import argparse
import asyncio
import base64
import json
import os
import re
import ssl
import urllib.parse
import urllib.request

from aiosmtpd.smtp import MISSING, SMTP, AuthResult

SIZE_MAX = 32 * 1024 * 1024
MECHANISMS = os.environ.get("SERVERS_SUBMISSION_AUTH", "PLAIN LOGIN").split()
ALL_MECHANISMS = ["PLAIN", "LOGIN", "EXTERNAL", "XOAUTH2", "OAUTHBEARER"]


def introspect(token):
    """Whose token it is; None: it is not good."""
    context = ssl.create_default_context(
        cafile=os.environ["SERVERS_INTROSPECTION_CA"])
    with urllib.request.urlopen(
            os.environ["SERVERS_INTROSPECTION"] + urllib.parse.quote(token),
            timeout=10, context=context) as answer:
        facts = json.load(answer)
    return facts.get("username") if facts.get("active") else None


class Faults:
    def __init__(self, path):
        self.path = path

    def next(self, stage):
        """The words after the stage's name, or None."""
        try:
            with open(self.path, encoding="utf-8") as file:
                lines = file.read().splitlines()
        except FileNotFoundError:
            return None
        if not lines:
            return None
        words = lines[0].split()
        stays = words[:1] == ["always"]
        words = words[1:] if stays else words
        if words[:1] != [stage]:
            return None
        if not stays:
            self.write(lines[1:])
        return words[1:]

    def write(self, lines):
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)
        os.replace(self.path + ".new", self.path)


class Storage:
    def __init__(self, folder):
        self.folder = folder
        self.count = len([n for n in os.listdir(folder) if n.endswith(".eml")])

    def write(self, name, data):
        path = os.path.join(self.folder, name)
        with open(path + ".new", "wb") as file:
            file.write(data)
        os.replace(path + ".new", path)

    def add(self, envelope, session, answered):
        self.count += 1
        name = "%04d" % self.count
        self.write(name + ".eml", envelope.original_content)
        facts = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "user": (session.auth_data or b"").decode(),
            "ehlo": session.host_name,
            "mail_options": envelope.mail_options,
            "size": len(envelope.original_content),
            "implicit_tls": session.belfry_implicit_tls,
            "answered": answered,
        }
        # The envelope last: who sees it finds the message, too.
        self.write(name + ".json", json.dumps(facts, indent=1).encode())
        print("stored", name, json.dumps(facts), flush=True)


class Handler:
    def __init__(self, faults, storage, implicit_tls):
        self.faults = faults
        self.storage = storage
        self.implicit_tls = implicit_tls

    async def initial(self, server, args):
        """The initial response, with AUTH or after it."""
        if len(args) == 1:
            return await server.challenge_auth("")
        return b"" if args[1] == "=" else base64.b64decode(args[1])

    async def auth_EXTERNAL(self, server, args):
        wanted = await self.initial(server, args)
        if wanted is MISSING:
            return AuthResult(success=False)
        cert = server.transport.get_extra_info("peercert") or {}
        names = [value for part in cert.get("subject", ())
                 for key, value in part if key == "commonName"]
        good = bool(names) and wanted in (b"", names[0].encode())
        print("auth EXTERNAL", wanted, names, good, flush=True)
        return AuthResult(success=good, handled=False,
                          auth_data=names[0].encode() if good else None)

    async def by_token(self, server, args, mechanism):
        fault = self.faults.next("auth")
        if fault:
            return AuthResult(success=False, handled=False,
                              message=" ".join(fault))
        response = await self.initial(server, args)
        if response is MISSING:
            return AuthResult(success=False)
        token = re.search(rb"\x01auth=Bearer ([^\x01]*)\x01", response)
        user = token and await asyncio.to_thread(
            introspect, token.group(1).decode())
        print("auth", mechanism, user, flush=True)
        if user:
            return AuthResult(success=True, handled=False,
                              auth_data=user.encode())
        # The client says nothing more to this, and is then refused.
        if await server.challenge_auth(
                '{"status":"401","schemes":"bearer"}') is MISSING:
            return AuthResult(success=False, handled=True)
        return AuthResult(success=False, handled=False)

    async def auth_XOAUTH2(self, server, args):
        return await self.by_token(server, args, "XOAUTH2")

    async def auth_OAUTHBEARER(self, server, args):
        return await self.by_token(server, args, "OAUTHBEARER")

    async def handle_MAIL(self, server, session, envelope, address, options):
        fault = self.faults.next("mail")
        if fault:
            return " ".join(fault)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        fault = self.faults.next("rcpt")
        if fault:
            return " ".join(fault)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        fault = self.faults.next("dot") or []
        session.belfry_implicit_tls = self.implicit_tls
        print("dot", fault, flush=True)
        if fault[:1] == ["lose"]:
            server.transport.abort()
            return "421 4.3.0 lost"
        if fault[:1] == ["drop"]:
            self.storage.add(envelope, session, False)
            server.transport.abort()
            return "421 4.3.0 dropped"
        if fault[:1] == ["delay"]:
            self.storage.add(envelope, session, True)
            await asyncio.sleep(float(fault[1]))
            return "250 2.0.0 taken, slowly"
        if fault:
            return " ".join(fault)
        self.storage.add(envelope, session, True)
        return "250 2.0.0 taken"


def make_server(options, faults, storage, context, implicit_tls):
    def authenticate(server, session, envelope, mechanism, data):
        fault = faults.next("auth")
        if fault:
            return AuthResult(
                success=False, handled=False, message=" ".join(fault)
            )
        good = data.password == options.password.encode()
        print("auth", mechanism, data.login, good, flush=True)
        return AuthResult(success=good, handled=False, auth_data=data.login)

    return SMTP(
        Handler(faults, storage, implicit_tls),
        hostname="localhost",
        ident="Belfry test submission",
        data_size_limit=SIZE_MAX,
        enable_SMTPUTF8=True,
        tls_context=None if implicit_tls else context,
        require_starttls=not implicit_tls,
        auth_required=True,
        auth_exclude_mechanism=[m for m in ALL_MECHANISMS
                                if m not in MECHANISMS],
        auth_require_tls=not implicit_tls,
        authenticator=authenticate,
    )


async def serve(options):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls = os.path.join(options.dir, "tls", "server")
    context.load_cert_chain(tls + ".crt", tls + ".key")
    if "EXTERNAL" in MECHANISMS:
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(
            os.path.join(options.dir, "tls", "ca.crt"))
    faults = Faults(os.path.join(options.dir, "faults"))
    folder = os.path.join(options.dir, "sent")
    os.makedirs(folder, exist_ok=True)
    storage = Storage(folder)
    loop = asyncio.get_running_loop()
    ports = []
    servers = []
    for port, implicit_tls in (
        (options.smtp_port, False),
        (options.smtps_port, True),
    ):
        server = await loop.create_server(
            lambda tls=implicit_tls: make_server(
                options, faults, storage, context, tls
            ),
            options.host,
            port,
            ssl=context if implicit_tls else None,
        )
        servers.append(server)
        ports.append(server.sockets[0].getsockname()[1])
    path = os.path.join(options.dir, "submission.ports")
    with open(path + ".new", "w", encoding="utf-8") as file:
        print(*ports, file=file)
    os.replace(path + ".new", path)
    await asyncio.gather(*(server.serve_forever() for server in servers))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", required=True)
    parser.add_argument("--password", default="secret")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--smtp-port", type=int, default=0)
    parser.add_argument("--smtps-port", type=int, default=0)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
