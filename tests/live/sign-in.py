#!/usr/bin/env -S python3 -B
"""belfryctl login by the browser, and whatever comes in between, at an
authorization server of its own (authserver.py)."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import authserver  # noqa: E402
import live  # noqa: E402
import signing  # noqa: E402

# What a token endpoint may say that brings no token.
LIES = ("wrong_type", "no_type", "no_access", "control", "nul", "long_token",
        "number_token", "duplicates", "deep", "not_utf8", "html", "empty",
        "huge", "truncated", "lost", "to_http", "to_https", "strange_error",
        "forbidden", "broken", "dropped", "invalid_client", "invalid_grant",
        "control_refresh", "absurd_life", "endless_life")
# What is odd, and good enough.
ODD = ("lower_type", "no_life", "life_of_words", "life_as_text",
       "negative_life", "no_refresh")


def say(port, data, waits=True):
    """What the redirect answers to these bytes."""
    with socket.create_connection(("127.0.0.1", port), 5) as link:
        link.settimeout(5)
        link.sendall(data)
        answer = b""
        while waits:
            part = link.recv(4096)
            if not part:
                break
            answer += part
        return answer


def attack(redirect, state):
    """Whatever else may come to that port of this machine."""
    split = urllib.parse.urlsplit(redirect)
    port = split.port
    get = "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    wrong = "A" * len(state)
    for path in ("/favicon.ico", "/", "/?code=x", "/?code=x&state=" + wrong,
                 "/?code=x&state=" + state[:-1],
                 "/?error=x&state=" + wrong,
                 "/?code=x&state=%s&state=%s" % (wrong, wrong),
                 "/other?code=x&state=" + wrong, "/%00?code=%0d%0a"):
        answer = say(port, (get % path).encode())
        live.check(answer.startswith(b"HTTP/1.") and b" 200 " not in
                   answer.split(b"\r\n")[0], "%s: %r", path, answer[:80])
        live.check(b"\x00" not in answer and wrong.encode() not in answer,
                   "it echoes: %r", answer)
    for data in (b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
                 b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
                 b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 40000 + b"\r\n\r\n"):
        try:
            live.check(b" 200 " not in say(port, data)[:15], "%r", data[:20])
        except OSError:
            pass  # hung up on
    # And a dozen who say nothing at all, or half a word.
    return [socket.create_connection(("127.0.0.1", port)) for _ in range(12)]


@live.case
def by_browser(files):
    daemon = signing.daemon_of(files)
    login = signing.Login(daemon, "--browser", "--no-open")
    opened = login.event("open")
    live.same(opened["opened"], False, "opened")
    redirect, query = signing.redirect_of(opened["url"])
    live.check(opened["url"].startswith(files.auth.url + "/authorize?"),
               "the address: %s", opened["url"])
    live.check(redirect.startswith("http://127.0.0.1:"), "%s", redirect)
    live.same(query["login_hint"], "ann@example.com", "login_hint")
    live.same(query["scope"], authserver.SCOPE, "scope")
    crowd = attack(redirect, query["state"])
    live.same(login.process.poll(), None, "it ended")
    live.same(signing.kept(daemon), None, "what is kept before")
    status, _, text, location = files.auth.browse(opened["url"])
    live.same(status, 200, "the last page: " + text)
    live.check("at-" not in text and query["state"] not in text, "%s", text)
    login.event("done")
    login.end()
    for link in crowd:
        link.close()
    live.check("rt-" in json.dumps(signing.kept(daemon)),
               "no refresh token is kept")
    # A second answer finds nobody.
    try:
        urllib.request.urlopen(location, timeout=5)
        raise live.Failed("somebody still listens")
    except urllib.error.URLError:
        pass
    # State and verifier are new each time.
    login = signing.Login(daemon, "--browser", "--no-open")
    other = signing.redirect_of(login.event("open")["url"])[1]
    live.check(other["state"] != query["state"] and
               other["code_challenge"] != query["code_challenge"], "the same")
    login.process.kill()
    login.process.communicate()


@live.case
def opens_the_browser(files):
    daemon = signing.daemon_of(files)
    folder = daemon.path("bin")
    os.mkdir(folder)
    heard = daemon.path("opened")
    with open(os.path.join(folder, "xdg-open"), "w", encoding="utf-8") as file:
        file.write('#!/bin/sh\necho "$#" "$1" > %s.new\nmv %s.new %s\n'
                   % (heard, heard, heard))
    os.chmod(os.path.join(folder, "xdg-open"), 0o755)
    login = signing.Login(daemon, "--browser", env={
        "PATH": folder + ":" + daemon.env["PATH"], "DISPLAY": ":99"})
    opened = login.event("open")
    live.same(opened["opened"], True, "opened")
    live.wait("the browser", lambda: live.read(heard))
    live.same(live.read(heard), "1 %s\n" % opened["url"], "what it is given")
    files.auth.browse(opened["url"])
    login.event("done")
    login.end()
    # For people.
    login = signing.Login(daemon, "--browser", "--no-open", json_lines=False)
    while True:
        line = login.process.stdout.readline()
        live.check(line, "no address is printed")
        if line.strip().startswith("https://"):
            break
    files.auth.browse(line.strip())
    live.check("Signed in" in login.end(), "words")


@live.case
def the_port(files):
    daemon = signing.daemon_of(files)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        out = signing.Login(daemon, "--browser", "--no-open", "--port",
                            str(port), json_lines=False).end(code=73)
        live.check("port %d" % port in out, "%s", out)
    login = signing.Login(
        daemon, "--browser", "--no-open", "--port", str(port))
    url = login.event("open")["url"]
    live.check(signing.redirect_of(url)[0].startswith(
        "http://127.0.0.1:%d/" % port), "%s", url)
    files.auth.browse(url)
    login.event("done")
    login.end()


@live.case
def is_denied(files):
    daemon = signing.daemon_of(files)
    login = signing.Login(daemon, "--browser", "--no-open")
    url = login.event("open")["url"]
    redirect, query = signing.redirect_of(url)
    _, _, text = files.auth.open(
        redirect + "?" + urllib.parse.urlencode({
            "error": "access_denied", "state": query["state"],
            "error_description": "You said <b>no</b>.\x1b[31m"}))
    live.check("<b>no" not in text and "\x1b" not in text, "%s", text)
    error = login.event("failed")["error"]
    live.check("\x1b" not in error, "%r", error)
    login.end(code=75)
    live.same(signing.kept(daemon), None, "kept")


@live.case
def lies(files):
    daemon = signing.daemon_of(files)
    signing.sign_in(files, daemon)
    before = signing.kept(daemon)
    for lie in LIES:
        files.auth.fault("token", lie)
        login = signing.Login(daemon, "--browser", "--no-open")
        files.auth.browse(login.event("open")["url"])
        try:
            error = login.event("failed")["error"]
        except live.Failed as failed:
            raise live.Failed("%s: %s" % (lie, failed)) from None
        live.check(error.isprintable(), "%s: %r", lie, error)
        login.end(code=None if lie is None else login.process.wait())
        live.check(login.process.returncode in (75, 77), "%s: status %d", lie,
                   login.process.returncode)
        live.same(signing.kept(daemon), before, "kept after " + lie)
    live.same(files.auth.in_clear, [], "said without TLS")
    live.same(files.auth.asked("/elsewhere"), [], "redirects followed")


@live.case
def is_odd(files):
    daemon = signing.daemon_of(files)
    for odd in ODD:
        files.auth.fault("token", odd)
        login = signing.Login(daemon, "--browser", "--no-open")
        files.auth.browse(login.event("open")["url"])
        done = login.event("done")
        live.same(done["renews"], odd != "no_refresh", odd)
        login.end()


@live.case
def with_a_secret(files):
    daemon = signing.daemon_of(files)
    files.auth.secret = "s3cret&+ %"
    login = signing.Login(daemon, "--browser", "--no-open")
    files.auth.browse(login.event("open")["url"])
    login.event("failed")
    login.end(code=77)
    daemon.write(files.account("oauth2_client_secret_command = echo '%s'\n"
                               % files.auth.secret))
    signing.sign_in(files, daemon)
    live.check(files.auth.secret not in live.read(signing.token_path(daemon)),
               "the client's secret is in the file")


@live.case
def presets(files):
    """setup with a client id for providers that take no passwords, and where
    their sign-in begins. Nobody is asked: the browser would be the first."""
    daemon = live.Daemon(files, "")
    for address, name, host, wanted in (
            ("bob@gmail.com", "gmail", "accounts.google.com",
             {"access_type": "offline", "prompt": "consent",
              "scope": "https://mail.google.com/"}),
            ("ann@outlook.com", "outlook-com", "login.microsoftonline.com",
             {"scope": "https://outlook.office.com/IMAP.AccessAsUser.All "
                       "https://outlook.office.com/SMTP.Send "
                       "offline_access"})):
        setup = subprocess.run(
            [live.BELFRYCTL, "-c", daemon.config, "setup", address, "--yes",
             "--client-id", "id-of-" + name], env=daemon.env, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False)
        live.same(setup.returncode, 0, setup.stdout)
        live.check("belfryctl login " + name in setup.stdout, "%s",
                   setup.stdout)
        live.check("oauth2_client_id = id-of-%s\n" % name
                   in live.read(daemon.config), "%s", live.read(daemon.config))
        login = signing.Login(daemon, "--browser", "--no-open", account=name)
        url = login.event("open")["url"]
        login.process.kill()
        login.process.communicate()
        live.same(urllib.parse.urlsplit(url).hostname, host, url)
        query = signing.redirect_of(url)[1]
        wanted.update(client_id="id-of-" + name, login_hint=address,
                      code_challenge_method="S256", response_type="code")
        for key, value in wanted.items():
            live.same(query.get(key), value, key)


@live.case
def forgets(files):
    daemon = signing.daemon_of(files)
    signing.sign_in(files, daemon)
    login = signing.Login(daemon, "--forget")
    login.event("forgotten")
    login.end()
    live.same(signing.kept(daemon), None, "kept")
    signing.Login(daemon, "--forget", json_lines=False).end(code=66)


@live.case
def strangers_are_not_trusted(files):
    """The certificate of the token endpoint is by nobody known."""
    other = authserver.AuthServer(os.path.join(files.dir, "other"))
    text = files.account().replace(
        "oauth2_token_url = " + files.auth.url,
        "oauth2_token_url = " + other.url)
    daemon = live.Daemon(files, text)
    login = signing.Login(daemon, "--browser", "--no-open")
    files.auth.browse(login.event("open")["url"])
    login.event("failed")
    login.process.communicate()
    live.same(other.requests, [], "it was asked")
    other.stop()
    for key in ("authorize", "token", "device"):
        daemon.write(files.account().replace(
            "oauth2_%s_url = https" % key, "oauth2_%s_url = http" % key))
        out = signing.Login(daemon, json_lines=False).end(code=78)
        live.check("https" in out, "%s: %s", key, out)


def ask_in_vain(url):
    with contextlib.suppress(OSError, http.client.HTTPException):
        urllib.request.urlopen(url, timeout=20)


@live.case
def is_killed(files):
    """At any moment: what was kept stays whole."""
    daemon = signing.daemon_of(files)
    signing.sign_in(files, daemon)
    for stage in ("before", "done", "said"):
        before = signing.kept(daemon)
        login = signing.Login(daemon, "--browser", "--no-open")

        def kill(now, _form, wanted=stage, process=login.process):
            if now == wanted:
                process.kill()

        files.auth.on_token = kill
        location = files.auth.open(login.event("open")["url"])[1]
        threading.Thread(target=ask_in_vain, args=(location,),
                         daemon=True).start()
        login.process.wait(20)
        files.auth.on_token = None
        after = signing.kept(daemon)
        live.check(after == before or stage == "said", "%s: %r", stage, after)
        signing.sign_in(files, daemon)
        folder = os.path.dirname(signing.token_path(daemon))
        live.same([n for n in os.listdir(folder) if not n.startswith("ann.")], [], "what lies about")


if __name__ == "__main__":
    live.main(60, signing.Files)
