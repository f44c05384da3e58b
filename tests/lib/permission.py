"""What the tests of the built-in OAuth2 share: an authorization server, a
daemon whose account signs in there, and the person who does."""

import json
import os
import subprocess
import tempfile
import time

os.environ["SERVERS_SUBMISSION_AUTH"] = "XOAUTH2 OAUTHBEARER"
import authserver  # noqa: E402
import live  # noqa: E402

FOLDER = tempfile.TemporaryDirectory(prefix="belfry-oauth-")
AUTH = authserver.AuthServer(FOLDER.name)
XOAUTH2 = AUTH.dovecot("xoauth2")
OAUTHBEARER = AUTH.dovecot("oauthbearer")
RULES = """
[rule f]
when = subject ~ /^forward/
forward = deputy@example.org
"""
REJECTS = "the server refused the token"


def fresh():
    """The authorization server as it was in the beginning."""
    AUTH.faults, AUTH.requests = [], []
    AUTH.life, AUTH.grace, AUTH.rotates = 3600, False, True
    AUTH.retry_after = 2
    AUTH.on_token = AUTH.on_introspect = None


def new_daemon(servers, keys="", rules=RULES):
    fresh()
    user = servers.user()
    AUTH.user = user.address
    text = user.account(AUTH.settings(servers.env["SERVERS_CA"], keys))
    daemon = live.Daemon(servers, text + rules)
    daemon.user = user
    daemon.token = os.path.join(daemon.state, "oauth2", user.name + ".json")
    return daemon


def sign_in(daemon, life=3600):
    """A person does, whose first token lives so long."""
    AUTH.life = life
    process = subprocess.Popen(
        [live.BELFRYCTL, "-c", daemon.config, "login", daemon.user.name,
         "--browser", "--no-open", "--json"], env=daemon.env,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    AUTH.browse(json.loads(process.stdout.readline())["url"])
    event = json.loads(process.communicate(timeout=20)[0])
    live.same((event["event"], process.returncode), ("done", 0), "login")
    live.same(event["daemon"], daemon.process is not None
              and daemon.process.poll() is None, "whether the daemon knows")
    AUTH.life = 3600


def sign_in_long_ago(daemon):
    """The access token has run out by now."""
    sign_in(daemon, life=1)
    time.sleep(1.1)


def kept(daemon):
    return live.read(daemon.token)


def is_alive(grants_of):
    return all(grant.is_alive for grant in AUTH.refreshes.values()
               if grant.user == grants_of.address)


def causes(daemon):
    answer = daemon.ctl("doctor", daemon.user.name, code=None)
    return {step["cause"]: "%s %s" % (step["why"], step["do"])
            for found in answer["accounts"] for step in found["steps"]
            if step.get("cause")}


def watches(servers, mechanism, rotations):
    """With logins and forwards in between."""
    daemon = new_daemon(servers)
    user = daemon.user
    early = []

    def look(token):
        # What is used is on the disk before.
        if token not in kept(daemon):
            early.append(token)

    AUTH.on_introspect = look
    sign_in(daemon, life=5)
    AUTH.life = 5
    with daemon:
        for count in range(rotations + 1):
            live.wait("%d rotations" % count,
                      lambda: len(AUTH.refreshed()) >= count)
            daemon.wait_watching()
            servers.kick(user.address)
            user.deliver(live.message("forward %d" % count))
            live.wait("the forward", lambda: len(user.sent()) == count + 1)
        daemon.wait_watching()
    live.same(early, [], "tokens that were used before they were kept")
    live.check(all(r.status == 200 for r in AUTH.refreshed()), "%r",
               AUTH.refreshed())
    live.check("method=%s" % mechanism in servers.log(), "mechanism")
    live.same(daemon.logged("trouble.*token|error"), [], "trouble")
    for where in (daemon.log(), servers.log("submission.log")):
        live.check("at-" not in where and "rt-" not in where,
                   "a token is shown")
