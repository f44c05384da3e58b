#!/usr/bin/env -S python3 -B
"""The built-in OAuth2: kills at a rotation, permissions that end, or were
never given, or are another's, and two programs that renew at a time."""

import json
import os
import random
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402
import permission  # noqa: E402


@live.case_with(permission.XOAUTH2)
def is_killed_at_a_rotation(servers):
    """At each moment of it; the server forgives that the old token comes
    again, as long as the new one was not used."""
    daemon = permission.new_daemon(servers)
    user = daemon.user
    permission.sign_in_long_ago(daemon)
    permission.AUTH.life = 1
    for stage, pause in (("before", 0), ("done", 0), ("said", 0),
                         ("said", 0.003), ("said", 0.01), ("said", 0.03)):
        permission.AUTH.grace = stage != "before"
        hit = threading.Event()

        def kill(now, _form, wanted=stage, after=pause, done=hit):
            if now == wanted and not done.is_set():
                time.sleep(after * random.random())
                daemon.process.kill()
                done.set()

        permission.AUTH.on_token = kill
        daemon.start()
        live.check(hit.wait(20), "no rotation began")
        daemon.process.wait()
        permission.AUTH.on_token = None
        json.loads(permission.kept(daemon))
    permission.AUTH.life = 3600
    with daemon:
        daemon.wait_watching()
    live.check(permission.is_alive(user), "the permission was lost")
    live.same([n for n in os.listdir(os.path.dirname(daemon.token))
               if not n.startswith(user.name + ".")], [], "what lies about")


@live.case_with(permission.XOAUTH2)
def is_stopped_while_it_asks(servers):
    """The provider has given a new refresh token, and takes longer to say so
    than the goodbye; also where a reload has ended the account meanwhile."""
    for reloads in (False, True):
        daemon = permission.new_daemon(servers)
        permission.sign_in_long_ago(daemon)
        rotated = threading.Event()

        def answer_late(now, _form, done=rotated, ends=daemon):
            if now == "done" and not done.is_set():
                done.set()
                live.wait("SIGTERM", lambda: ends.logged("notice stopping"))
                time.sleep(5)

        permission.AUTH.on_token = answer_late
        daemon.start()
        live.check(rotated.wait(20), "no rotation began")
        if reloads:
            text = live.read(daemon.config).replace(
                "auth = oauth2", "poll = 70s\nauth = oauth2", 1)
            with open(daemon.config, "w", encoding="utf-8") as file:
                file.write(text)
            daemon.ctl("reload")
        live.same(daemon.stop(), 0, "exit status")
        permission.AUTH.on_token = None
        grant = next(g for g in permission.AUTH.refreshes.values()
                     if g.user == daemon.user.address)
        live.check(grant.refresh in permission.kept(daemon),
                   "the new refresh token is lost")
        daemon.wait_log("waiting [0-9]+ s at most for a provider's answer")


@live.case_with(permission.XOAUTH2)
def the_permission_ends(servers):
    for word in ("invalid_grant", "interaction_required"):
        daemon = permission.new_daemon(servers)
        permission.sign_in_long_ago(daemon)
        permission.AUTH.fault("token", word, "always")
        with daemon:
            daemon.wait_log("belfryctl login %s" % daemon.user.name)
            live.stays("one request",
                       lambda: len(permission.AUTH.refreshed()) == 1)
            live.same(len(daemon.logged("belfryctl login")), 1,
                      "how often it is said")
            live.check(daemon.status(daemon.user.name)["locked_out"],
                       "status does not say it")
            # Somebody signs in, and all is well without a restart.
            permission.AUTH.fault("token")
            permission.sign_in(daemon)
            daemon.wait_watching()
            live.same(len(permission.AUTH.refreshed()), 1, "requests")


# What the provider does in a renewal, and what doctor makes of it.
DIAGNOSES = (
    (None, "client-refused", "does not take what the configuration says of "
     "your client id", "Compare the lines oauth2_"),
    ("invalid_grant", "sign-in-ended", "Your permission for Belfry has ended",
     "belfryctl login"),
    ("unavailable", "renewal-failed", "could not be renewed just now",
     "belfryd tries it again by itself"),
)


@live.case_with(permission.XOAUTH2)
def doctor_says(servers):
    """Each cause around a sign-in, and its cure."""
    daemon = permission.new_daemon(servers)
    found = permission.causes(daemon)
    live.same(list(found), ["sign-in-missing"], "never signed in")
    live.check("nobody has signed in" in found["sign-in-missing"]
               and "Run `belfryctl login %s`" % daemon.user.name
               in found["sign-in-missing"], "%r", found)
    for fault, cause, why, cure in DIAGNOSES:
        permission.AUTH.faults = []
        permission.sign_in_long_ago(daemon)
        permission.AUTH.fault("token", fault or "invalid_client", "always")
        found = permission.causes(daemon)
        live.check(why in found.get(cause, "") and
                   cure in found[cause], "%s: %r", cause, found)
    permission.AUTH.faults = []
    permission.sign_in(daemon)
    os.chmod(daemon.token, 0o644)
    found = permission.causes(daemon)
    live.check("not kept safely" in found.get("sign-in-unsafe", "")
               and "chmod 600" in found["sign-in-unsafe"], "%r", found)


@live.case_with(permission.XOAUTH2)
def nobody_has_signed_in(servers):
    daemon = permission.new_daemon(servers)
    checked = subprocess.run(
        [live.BELFRYCTL, "-c", daemon.config, "check"], env=daemon.env,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False)
    live.check("belfryctl login " + daemon.user.name in checked.stdout, "%s",
               checked.stdout)
    found = permission.causes(daemon)
    live.check("belfryctl login" in " ".join(found.values()), "%r", found)
    with daemon:
        daemon.wait_log("belfryctl login %s" % daemon.user.name)
        live.same(permission.AUTH.requests, [], "it asks")
        permission.sign_in(daemon)
        daemon.wait_watching()
        live.same(permission.causes(daemon), {}, "what doctor finds")


@live.case_with(permission.XOAUTH2)
def two_at_a_time(servers):
    """The daemon and doctor, with a server that forgives nothing."""
    daemon = permission.new_daemon(servers)
    permission.sign_in_long_ago(daemon)
    permission.AUTH.on_token = lambda stage, _form: time.sleep(0.3)
    with daemon:
        threads = [threading.Thread(target=permission.causes, args=(daemon,))
                   for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        daemon.wait_watching()
    live.check(permission.is_alive(daemon.user), "the permission was lost: %r",
               permission.AUTH.refreshed())


@live.case_with(permission.XOAUTH2)
def a_token_of_another(servers):
    """Another user, scope or client: not given away."""
    daemon = permission.new_daemon(servers)
    permission.sign_in(daemon)
    text = live.read(daemon.config)
    for old, new in (("oauth2_scope = ", "oauth2_scope = more "),
                     ("oauth2_client_id = ", "oauth2_client_id = x"),
                     ("email = ", "user = other@example.com\nemail = ")):
        with open(daemon.config, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new))
        permission.AUTH.requests = []
        with daemon:
            daemon.wait_log("belfryctl login %s" % daemon.user.name)
        live.same(permission.AUTH.requests, [], "what is asked: " + new)
        os.unlink(daemon.log_path)


if __name__ == "__main__":
    live.main(60)
