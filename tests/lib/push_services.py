"""ntfy and Gotify as their documentation has them: what they refuse, in their
own words, what they keep, and who may delete it.

https://docs.ntfy.sh/publish/ and /config/; https://gotify.net/api-docs.
"""

import email.header
import http.server
import json
import os
import re
import ssl
import threading

import live


class Service:
    """`kept`: what a phone would show, by the service's name for it;
    `refused`: statuses of requests that were refused; `asked`: all requests; `busy`: statuses to
    answer instead, the next first."""

    def __init__(self, servers):
        self.servers = servers
        self.kept = {}
        self.refused = []
        self.asked = []
        self.busy = []
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def handle_one(self):
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length)
                service.asked.append((str(self.headers), body))
                status, answer = service.answer(
                    self.command, self.path, self.headers, body)
                if status >= 400:
                    service.refused.append(status)
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_POST = do_PUT = do_DELETE = handle_one

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls = os.path.join(servers.dir, "tls", "server")
        context.load_cert_chain(tls + ".crt", tls + ".key")
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True)
        threading.Thread(
            target=self.server.serve_forever, daemon=True).start()

    def answer(self, verb, path, headers, body):
        if self.busy:
            return self.problem(self.busy.pop(0), "busy")
        return self.take(verb, path, headers, body)

    def section(self, path, keys):
        return ("[notifier hook]\ntype = webhook\n"
                "url = https://localhost:%d%s\ntls_ca_file = %s\n%s\n" % (
                    self.server.server_address[1], path,
                    self.servers.env["SERVERS_CA"], keys))

    def wait(self, wanted):
        live.wait("%r to be shown" % (wanted,),
                  lambda: sorted(self.texts()) == sorted(wanted))

    def click(self, text):
        """Where a touch of the one with this text leads."""
        return [kept["click"] for kept in self.kept.values()
                if kept["message"] == text][0]

    def texts(self):
        return [kept["message"] for kept in self.kept.values()]


class Ntfy(Service):
    """One topic, which a token may write to. A message without a sequence id
    has one of its own; a second one with the same replaces the first."""

    token = "tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2"
    size_max = 4096

    def problem(self, status, words):
        return status, {"code": status * 100 + 1, "http": status,
                        "error": words, "link": "https://ntfy.sh/docs/"}

    def take(self, verb, path, headers, body):
        if headers.get("Authorization") != "Bearer " + self.token:
            return self.problem(401, "unauthorized")
        topic, _, name = path[1:].partition("/")
        name = name or headers.get("X-Sequence-ID") or "m%d" % len(self.kept)
        if topic != "ann":
            return self.problem(403, "forbidden")
        if not re.fullmatch("[-_A-Za-z0-9]{1,64}", name):
            return self.problem(400, "invalid request: sequence ID invalid")
        if verb == "DELETE":
            self.kept.pop(name, None)
            return 200, {"event": "message_delete", "sequence_id": name}
        if headers.get("Priority", "3") not in "12345":
            return self.problem(400, "invalid request: priority invalid")
        if len(body) > self.size_max:
            return self.problem(413, "attachment too large, or bandwidth "
                                "limit reached")
        title = "".join(
            part if isinstance(part, str) else part.decode(charset or "ascii")
            for part, charset in email.header.decode_header(
                headers.get("Title", "")))
        self.kept[name] = {
            "title": title, "message": body.decode() or "triggered",
            "priority": int(headers.get("Priority", "3")),
            "tags": headers.get("Tags", ""),
            "click": headers.get("Click", "")}
        return 200, {"id": "hwQ2YpKdmg", "event": "message"}


class Gotify(Service):
    """An application may post, a client may delete, and neither the other."""

    application, client = "AWuTSDyOSmQmJcW", "CX0UVrTOCEpkRYu"
    last = 100

    def problem(self, status, words):
        return status, {"error": words, "errorCode": status,
                        "errorDescription": words}

    def take(self, verb, path, headers, body):
        token = headers.get("X-Gotify-Key")
        if token != (self.client if verb == "DELETE" else self.application):
            return self.problem(401, "you need to provide a valid access token "
                                "or user credentials to access this api")
        if verb == "DELETE":
            number = path.rpartition("/")[2]
            if number not in self.kept:
                return self.problem(404, "message does not exist")
            del self.kept[number]
            return 200, None
        try:
            kept = json.loads(body)
        except ValueError:
            kept = {}
        if path != "/message" or not kept.get("message"):
            return self.problem(400, "Field 'message' is required")
        if not isinstance(kept.get("priority", 0), int):
            return self.problem(400, "priority is no number")
        notification = kept.get("extras", {}).get("client::notification", {})
        kept["click"] = notification.get("click", {}).get("url", "")
        self.last += 1
        number = str(self.last)
        self.kept[number] = kept
        return 200, dict(kept, id=int(number), appid=1)
