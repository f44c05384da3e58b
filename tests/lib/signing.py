"""What the tests of `belfryctl login` share: an authorization server in place
of mail servers, and the command, line by line."""

import json
import os
import subprocess
import urllib.parse

import authserver
import live
import schema


class Files:
    """In place of mail servers: nothing here speaks IMAP."""

    def __init__(self, folder, _extra=""):
        os.mkdir(folder)
        self.dir = folder
        self.auth = authserver.AuthServer(os.path.join(folder, "auth"))

    def log(self):
        return ""

    def fault(self):
        self.auth.faults = []
        for name in ("secret", "on_token"):
            setattr(self.auth, name, None)
        self.auth.interval, self.auth.device_life = 1, 300

    def stop(self):
        self.auth.stop()

    def account(self, keys=""):
        return ("[account ann]\nemail = ann@example.com\n"
                "imap = imaps://localhost\n"
                + self.auth.settings(self.auth.ca) + keys)


def daemon_of(files, keys=""):
    """Not started: only its folder is wanted."""
    return live.Daemon(files, files.account(keys))


class Login:
    """belfryctl login, line by line."""

    def __init__(self, daemon, *words, json_lines=True, env=(),
                 account="ann"):
        self.daemon = daemon
        self.process = subprocess.Popen(
            [live.BELFRYCTL, "-c", daemon.config, "login", account, *words,
             *(["--json"] if json_lines else [])],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
            env={**daemon.env, **dict(env)})

    def event(self, name):
        line = self.process.stdout.readline()
        live.check(line, "no event %s: %s", name, "" if line else
                   self.process.stderr.read())
        event = json.loads(line)
        live.same(schema.problems(["login"], event), [], "breaks the schema")
        live.same(event["event"], name, line)
        return event

    def end(self, code=0):
        out, err = self.process.communicate(timeout=live.PATIENCE_SECONDS)
        live.same(self.process.returncode, code, "exit status: " + out + err)
        for text in (out, err):
            live.check("at-" not in text and "rt-" not in text,
                       "it shows a token: %s", text)
        return out + err


def token_path(daemon):
    return os.path.join(daemon.state, "oauth2", "ann.json")


def kept(daemon):
    """What is on the disk; None: nothing."""
    text = live.read(token_path(daemon))
    if not text:
        return None
    live.same(os.stat(token_path(daemon)).st_mode & 0o777, 0o600, "file")
    live.same(os.stat(os.path.dirname(token_path(daemon))).st_mode & 0o777,
              0o700, "folder")
    return json.loads(text)


def redirect_of(url):
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
    return query["redirect_uri"], query


def sign_in(files, daemon, *words):
    login = Login(daemon, "--browser", "--no-open", *words)
    url = login.event("open")["url"]
    status, _, text, _ = files.auth.browse(url)
    live.same(status, 200, text)
    login.event("done")
    login.end()
