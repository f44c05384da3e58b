"""An OAuth 2.0 authorization server on loopback, over real TLS, for live.py.

It signs people in by the browser (RFC 6749 4.1, PKCE S256 required), by a
device code (RFC 8628), and by refresh tokens; and tells Dovecot and
submission.py whose an access token is. By default each refresh makes the old
refresh token void, and one that comes again ends the whole permission, as RFC
9700 section 4.14 has it.

    auth = authserver.AuthServer(folder)
    auth.dovecot("xoauth2")      # lines for Servers' `extra`
    auth.settings("browser")     # lines for an [account]
    auth.browse(url)             # what the person's browser does
    auth.approve(user_code)      # what the person does with a device code
    auth.fault("token", "html")  # what goes wrong next: see Faults
    auth.requests                # all that was asked, in order

Attributes say how it is: life (seconds an access token has), rotates, grace
(an old refresh token is good until the new one was used), interval, secret.
Hooks are called by the threads that serve: on_token(stage, form), before
anything is done, when it is done and nothing said, and when all is said;
on_introspect(token).
"""

import base64
import hashlib
import http.server
import json
import os
import secrets
import socketserver
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

BUILD = os.environ.get("BELFRY_BUILD", os.getcwd())
SCOPE = "mail.imap mail.smtp offline_access"
CLIENT = "belfry-of-the-person"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
HUGE = 4 * 1024 * 1024


class Request:
    def __init__(self, path, form):
        self.path = path
        self.form = form
        self.at = time.monotonic()
        self.status = None
        self.fault = None

    def __repr__(self):
        shown = {k: v if len(v) < 24 else v[:8] + "..."
                 for k, v in self.form.items()}
        return "%s %r -> %s %s" % (
            self.path, shown, self.status, self.fault or "")


class Grant:
    """One permission of one person: all tokens that came of it."""

    def __init__(self, user, client, scope):
        self.user = user
        self.client = client
        self.scope = scope
        self.is_alive = True
        self.refresh = None   # the last refresh token
        self.previous = None  # the one before, while the last is not used
        self.rotations = 0


class Faults:
    """What goes wrong, by its word. Each gets the handler and the body that
    would have been right (None where nothing was done), and says something
    else. Those of the second table come before anything is done."""

    @staticmethod
    def _change(handler, body, **changes):
        body = dict(body)
        for key, value in changes.items():
            if value is None:
                body.pop(key, None)
            else:
                body[key] = value
        handler.say_json(200, body)

    def wrong_type(self, handler, body):
        self._change(handler, body, token_type="mac")

    def lower_type(self, handler, body):
        self._change(handler, body, token_type="bearer")

    def no_type(self, handler, body):
        self._change(handler, body, token_type=None)

    def no_life(self, handler, body):
        self._change(handler, body, expires_in=None)

    def life_of_words(self, handler, body):
        self._change(handler, body, expires_in="soon")

    def life_as_text(self, handler, body):
        self._change(handler, body, expires_in=str(body["expires_in"]))

    def negative_life(self, handler, body):
        self._change(handler, body, expires_in=-5)

    def absurd_life(self, handler, body):
        self._change(handler, body, expires_in=10 ** 30)

    def endless_life(self, handler, body):
        handler.say(200, json.dumps(body).replace(
            '"expires_in": %d' % body["expires_in"],
            '"expires_in": 1e999').encode())

    def no_refresh(self, handler, body):
        self._change(handler, body, refresh_token=None)

    def no_access(self, handler, body):
        self._change(handler, body, access_token=None)

    def control(self, handler, body):
        self._change(handler, body,
                     access_token=body["access_token"] + "\x01\r\nx: y")

    def nul(self, handler, body):
        self._change(handler, body, access_token="abc\0def")

    def long_token(self, handler, body):
        self._change(handler, body, access_token="t" * 60000)

    def number_token(self, handler, body):
        self._change(handler, body, access_token=12345)

    def control_refresh(self, handler, body):
        self._change(handler, body,
                     refresh_token=body["refresh_token"] + "\n")

    def duplicates(self, handler, body):
        text = json.dumps(body)
        handler.say(200, (text[:-1] + ', "access_token": "other"}').encode())

    def deep(self, handler, body):
        handler.say(200, b'{"a":' + b"[" * 20000 + b"]" * 20000 + b"}")

    def not_utf8(self, handler, body):
        handler.say(200, b'{"access_token": "\xff\xfe", "token_type": '
                         b'"Bearer"}')

    def html(self, handler, body):
        handler.say(200, b"<html><body>Welcome to the hotel</body></html>",
                    "text/html")

    def empty(self, handler, body):
        handler.say(200, b"")

    def huge(self, handler, body):
        text = json.dumps(dict(body or {}, padding="x" * HUGE)).encode()
        handler.say(200, text)

    def truncated(self, handler, body):
        text = json.dumps(body).encode()
        handler.say(200, text[:len(text) // 2], length=len(text))

    def lost(self, handler, body):
        """All was done, and the answer does not come through."""
        handler.drop()


class EarlyFaults:
    def invalid_grant(self, handler):
        handler.say_json(400, {
            "error": "invalid_grant",
            "error_description": "The permission was taken back."})

    def interaction_required(self, handler):
        handler.say_json(400, {
            "error": "interaction_required",
            "error_description": "AADSTS50076: a second factor is needed."})

    def invalid_client(self, handler):
        handler.say_json(401, {"error": "invalid_client"})

    def strange_error(self, handler):
        handler.say_json(400, {
            "error": "x\x1b[31m" * 40, "error_description": "\r\n\x00evil"})

    def throttled(self, handler):
        handler.say_json(429, {"error": "slow_down"},
                         [("Retry-After", str(handler.auth.retry_after))])

    def throttled_in_words(self, handler):
        handler.say(429, b"later", headers=[("Retry-After", "tomorrow")])

    def unavailable(self, handler):
        handler.say(503, b"<h1>back soon</h1>", "text/html",
                    [("Retry-After", str(handler.auth.retry_after))])

    def broken(self, handler):
        handler.say(500, b"<h1>oops</h1>", "text/html")

    def forbidden(self, handler):
        handler.say(403, b"<h1>no</h1>", "text/html")

    def to_http(self, handler):
        handler.say(302, b"", headers=[
            ("Location",
             "http://127.0.0.1:%d/token" % handler.auth.http_port)])

    def to_https(self, handler):
        handler.say(307, b"", headers=[
            ("Location", handler.auth.url + "/elsewhere")])

    def dropped(self, handler):
        handler.drop()

    def hanging(self, handler):
        handler.auth.released.wait(60)
        handler.drop()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    @property
    def auth(self):
        return self.server.auth

    def log_message(self, *_):
        pass

    def say(self, status, data, kind="application/json", headers=(),
            length=None):
        self.request_seen.status = status
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length",
                         str(len(data) if length is None else length))
        for name, value in headers:
            self.send_header(name, value)
        if length is not None:
            self.close_connection = True
        self.end_headers()
        try:
            self.wfile.write(data)
            self.wfile.flush()
        except OSError:
            self.close_connection = True

    def say_json(self, status, body, headers=()):
        self.say(status, json.dumps(body).encode(), headers=[
            ("Cache-Control", "no-store"), *headers])

    def drop(self):
        self.request_seen.status = "dropped"
        self.close_connection = True

    def take(self, text):
        split = urllib.parse.urlsplit(self.path)
        form = dict(urllib.parse.parse_qsl(
            text if text is not None else split.query,
            keep_blank_values=True))
        self.request_seen = Request(split.path, form)
        with self.auth.lock:
            self.auth.requests.append(self.request_seen)
        return split.path, form

    def do_GET(self):
        path, form = self.take(None)
        if path == "/authorize":
            self.authorize(form)
        elif path == "/introspect":
            self.introspect(form)
        else:
            self.say(404, b"not here", "text/plain")

    def do_POST(self):
        text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, form = self.take(text.decode())
        endpoint = {"/token": "token", "/device": "device"}.get(path)
        if endpoint is None:
            self.say(404, b"not here", "text/plain")
            return
        fault = self.request_seen.fault = self.auth.next_fault(endpoint)
        if endpoint == "token":
            self.auth.hook("before", form)
        if fault and hasattr(EarlyFaults, fault):
            getattr(EarlyFaults(), fault)(self)
            return
        with self.auth.lock:
            status, body = getattr(self.auth, endpoint)(form)
        if endpoint == "token":
            self.auth.hook("done", form)
        if fault and status == 200:
            getattr(Faults(), fault)(self, body)
        else:
            self.say_json(status, body)
        if endpoint == "token":
            self.auth.hook("said", form)

    def authorize(self, form):
        with self.auth.lock:
            status, words, location = self.auth.authorize(form)
        if location:
            self.say(302, b"", headers=[("Location", location)])
        else:
            self.say(status, words.encode(), "text/plain")

    def introspect(self, form):
        token = form.get("token", "")
        if self.auth.on_introspect:
            self.auth.on_introspect(token)
        with self.auth.lock:
            user = self.auth.user_of(token)
        self.say_json(200, {"active": True, "username": user} if user
                      else {"active": False})


class Plain(http.server.BaseHTTPRequestHandler):
    """Where nobody may go: no TLS."""

    def log_message(self, *_):
        pass

    def do_POST(self):
        self.server.auth.in_clear.append(self.path)
        self.send_error(404)

    do_GET = do_POST


class Listener(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    context = None

    def __init__(self, auth, handler, context=None):
        super().__init__(("127.0.0.1", 0), handler)
        self.auth = auth
        self.context = context
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def finish_request(self, request, client_address):
        # In the thread, so that a client that says nothing holds up nobody.
        if self.context:
            request.settimeout(60)
            request = self.context.wrap_socket(request, server_side=True)
        self.RequestHandlerClass(request, client_address, self)
        if self.context:
            request.close()

    def handle_error(self, request, client_address):
        pass  # clients are killed, and hang up as they like


def url_code():
    return secrets.token_urlsafe(24)


class AuthServer:
    def __init__(self, folder, user="ann@example.com"):
        self.folder = folder
        os.makedirs(folder, mode=0o755, exist_ok=True)
        subprocess.run([os.path.join(BUILD, "tests/lib/make-ca"), folder,
                        "DNS:localhost,IP:127.0.0.1"], check=True)
        self.ca = os.path.join(folder, "ca.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(folder, "server.pem"),
                                os.path.join(folder, "server.key"))
        os.chmod(self.ca, 0o644)
        os.chmod(folder, 0o755)
        self.lock = threading.RLock()
        self.released = threading.Event()
        self.requests = []
        self.in_clear = []
        self.faults = []
        self.user = user       # who signs in, in the browser
        self.life = 3600
        self.rotates = True
        self.grace = False
        self.secret = None     # the client's; None: a public client
        self.interval = 1
        self.device_life = 300
        self.retry_after = 2
        self.on_token = self.on_introspect = None
        self.codes = {}        # code: (form of /authorize, user)
        self.devices = {}      # device code: facts
        self.refreshes = {}    # refresh token: Grant
        self.access = {}       # access token: (Grant, end)
        self.listener = Listener(self, Handler, context)
        self.plain = Listener(self, Plain)
        self.http_port = self.plain.server_address[1]
        self.url = "https://localhost:%d" % self.listener.server_address[1]
        os.environ["SERVERS_INTROSPECTION"] = self.url + "/introspect?token="
        os.environ["SERVERS_INTROSPECTION_CA"] = self.ca

    def stop(self):
        self.released.set()
        self.listener.shutdown()
        self.plain.shutdown()

    # ---- who uses it ----

    def dovecot(self, mechanisms="xoauth2 oauthbearer"):
        path = os.path.join(self.folder, "dovecot-oauth2.conf.ext")
        with open(path, "w", encoding="utf-8") as file:
            file.write("introspection_mode = get\n"
                       "introspection_url = %s/introspect?token=\n"
                       "username_attribute = username\n"
                       "active_attribute = active\n"
                       "active_value = true\n"
                       "tls_ca_cert_file = %s\n" % (self.url, self.ca))
        return ("auth_mechanisms = plain %s\n"
                "passdb {\n  driver = oauth2\n  args = %s\n"
                "  mechanisms = xoauth2 oauthbearer\n}\n"
                % (mechanisms, path))

    def bundle(self, other_ca):
        """A file with this authority and the mail servers'."""
        path = os.path.join(self.folder, "bundle.pem")
        with open(path, "w", encoding="utf-8") as out:
            for name in (self.ca, other_ca):
                with open(name, encoding="utf-8") as file:
                    out.write(file.read())
        os.chmod(path, 0o644)
        return path

    def settings(self, other_ca, keys=""):
        """For a test's account, whose tls_ca_file this is, too."""
        text = ("auth = oauth2\noauth2_client_id = %s\n"
                "oauth2_provider = custom\n"
                "oauth2_authorize_url = %s/authorize\n"
                "oauth2_token_url = %s/token\noauth2_device_url = %s/device\n"
                "oauth2_scope = %s\ntls_ca_file = %s\n"
                % (CLIENT, self.url, self.url, self.url, SCOPE,
                   self.bundle(other_ca)))
        return text + keys

    def fault(self, endpoint, *words):
        """What goes wrong, one request after the other; the last stays when
        it is "always"."""
        for word in words:
            if word not in ("always", "well"):
                assert (hasattr(Faults, word)
                        or hasattr(EarlyFaults, word)), word
        with self.lock:
            self.faults = [(endpoint, word) for word in words]

    def next_fault(self, endpoint):
        with self.lock:
            if not self.faults or self.faults[0][0] != endpoint:
                return None
            word = self.faults[0][1]
            if not (len(self.faults) > 1 and self.faults[1][1] == "always"):
                self.faults.pop(0)
        return None if word == "well" else word

    def asked(self, path="/token", grant=None):
        """The requests of that kind."""
        with self.lock:
            return [r for r in self.requests if r.path == path and
                    (grant is None or r.form.get("grant_type") == grant)]

    def refreshed(self):
        return self.asked(grant="refresh_token")

    def hook(self, stage, form):
        if self.on_token:
            self.on_token(stage, form)

    # ---- the browser and the person ----

    def open(self, url):
        """What a browser gets without going on: (status, Location, text)."""
        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_):
                return None

        opener = urllib.request.build_opener(
            Stay, urllib.request.HTTPSHandler(
                context=ssl.create_default_context(cafile=self.ca)))
        try:
            with opener.open(url, timeout=20) as answer:
                return answer.status, None, answer.read().decode()
        except urllib.error.HTTPError as error:
            return (error.code, error.headers.get("Location"),
                    error.read().decode())

    def browse(self, url):
        """Signs in at the address that was opened: what the last page says,
        and where it was."""
        status, location, text = self.open(url)
        if status != 302:
            raise AssertionError("no redirect: %d %s" % (status, text))
        return (*self.open(location), location)

    def approve(self, user_code, user=None):
        with self.lock:
            for device in self.devices.values():
                if device["user_code"] == user_code:
                    device["user"] = user or self.user
                    return
        raise AssertionError("no such code: " + user_code)

    def deny(self, user_code):
        with self.lock:
            for device in self.devices.values():
                if device["user_code"] == user_code:
                    device["denied"] = True

    def revoke(self):
        """All permissions end."""
        with self.lock:
            for grant in self.refreshes.values():
                grant.is_alive = False
            self.access.clear()

    def expire(self):
        """All access tokens end now."""
        with self.lock:
            self.access.clear()

    # ---- what it does (the lock is held) ----

    def user_of(self, token):
        grant, end = self.access.get(token, (None, 0))
        if grant is None or not grant.is_alive or time.time() > end:
            return None
        return grant.user

    def authorize(self, form):
        """(status, words, where the browser goes)"""
        redirect = urllib.parse.urlsplit(form.get("redirect_uri", ""))
        if form.get("client_id") != CLIENT:
            return 400, "unknown client", None
        if (redirect.scheme != "http"
                or redirect.hostname not in ("127.0.0.1", "localhost")):
            return 400, "redirect_uri: %r" % (redirect,), None
        answer = {"state": form.get("state", "")}
        challenge = form.get("code_challenge", "")
        if (form.get("response_type") != "code"
                or form.get("code_challenge_method") != "S256"
                or len(challenge) != 43 or len(answer["state"]) < 22):
            answer["error"] = "invalid_request"
        fault = self.next_fault("authorize")
        if fault == "access_denied":
            answer["error"] = "access_denied"
            answer["error_description"] = "You said <b>no</b>.\x1b[31m"
        if "error" not in answer:
            code = answer["code"] = url_code()
            self.codes[code] = (form, self.user)
        return 302, "", form["redirect_uri"] + (
            "&" if redirect.query else "?") + urllib.parse.urlencode(answer)

    def device(self, form):
        if form.get("client_id") != CLIENT:
            return 400, {"error": "invalid_client"}
        code = url_code()
        word = "".join(secrets.choice("BCDFGHJKLMNP") for _ in range(8))
        word = word[:4] + "-" + word[4:]
        self.devices[code] = {"user_code": word, "user": None, "asked": 0,
                              "scope": form.get("scope", ""), "denied": False,
                              "end": time.time() + self.device_life}
        return 200, {"device_code": code, "user_code": word,
                     "verification_uri": self.url + "/activate",
                     "verification_uri_complete":
                         self.url + "/activate?code=" + word,
                     "expires_in": self.device_life,
                     "interval": self.interval}

    def token(self, form):
        if form.get("client_id") != CLIENT:
            return 401, {"error": "invalid_client"}
        if self.secret and form.get("client_secret") != self.secret:
            return 401, {"error": "invalid_client",
                         "error_description": "wrong secret"}
        grants = {"authorization_code": self.by_code,
                  "refresh_token": self.by_refresh,
                  DEVICE_GRANT: self.by_device}
        by = grants.get(form.get("grant_type"))
        return by(form) if by else (400, {"error": "unsupported_grant_type"})

    def by_code(self, form):
        asked, user = self.codes.pop(form.get("code"), (None, None))
        digest = hashlib.sha256(form.get("code_verifier", "").encode())
        proof = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
        if asked is None:
            return 400, {"error": "invalid_grant",
                         "error_description": "unknown code"}
        if (proof != asked["code_challenge"]
                or form.get("redirect_uri") != asked["redirect_uri"]):
            return 400, {"error": "invalid_grant",
                         "error_description": "PKCE or redirect"}
        return 200, self.issue(Grant(user, CLIENT, asked.get("scope", "")))

    def by_device(self, form):
        device = self.devices.get(form.get("device_code"))
        if device is None or time.time() > device["end"]:
            return 400, {"error": "expired_token"}
        if device["denied"]:
            return 400, {"error": "access_denied"}
        now = time.monotonic()
        too_soon = now - device["asked"] < self.interval * 0.9
        device["asked"] = now
        if too_soon:
            return 400, {"error": "slow_down"}
        if device["user"] is None:
            return 400, {"error": "authorization_pending"}
        del self.devices[form["device_code"]]
        return 200, self.issue(Grant(device["user"], CLIENT, device["scope"]))

    def by_refresh(self, form):
        token = form.get("refresh_token")
        grant = self.refreshes.get(token)
        if grant is None or not grant.is_alive:
            return 400, {"error": "invalid_grant",
                         "error_description": "unknown refresh token"}
        if token != grant.refresh and not (
                self.grace and token == grant.previous):
            grant.is_alive = False
            return 400, {"error": "invalid_grant",
                         "error_description": "used twice: all is void"}
        if token == grant.refresh:
            grant.previous = token
        grant.rotations += 1
        return 200, self.issue(grant)

    def issue(self, grant):
        access = "at-" + url_code()
        body = {"access_token": access, "token_type": "Bearer",
                "expires_in": self.life, "scope": grant.scope}
        self.access[access] = (grant, time.time() + self.life)
        if grant.refresh is None or self.rotates:
            grant.refresh = body["refresh_token"] = "rt-" + url_code()
            self.refreshes[grant.refresh] = grant
        return body
