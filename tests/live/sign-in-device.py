#!/usr/bin/env -S python3 -B
"""belfryctl login by a device code, at an authorization server of its own."""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import authserver  # noqa: E402
import live  # noqa: E402
import signing  # noqa: E402


def polls(files):
    return files.auth.asked(grant=authserver.DEVICE_GRANT)


@live.case
def by_device(files):
    daemon = signing.daemon_of(files)
    login = signing.Login(daemon, "--device", "--no-open")
    told = login.event("device")
    live.same(told["verification_uri"], files.auth.url + "/activate", "where")
    live.check(told["user_code"] in told["verification_uri_complete"], "code")
    live.wait("two questions", lambda: len(polls(files)) >= 2)
    times = [r.at for r in polls(files)]
    live.check(times[1] - times[0] >= 0.9, "it asks too often: %r", times)
    # It was told one second, and hears that this is too fast.
    files.auth.interval = 4
    count = len(polls(files)) + 1
    live.wait("slow_down", lambda: len(polls(files)) >= count)
    files.auth.approve(told["user_code"])
    login.event("done")
    login.end()
    times = [r.at for r in polls(files)]
    live.check(times[-1] - times[-2] >= 4.5, "%r", times)
    live.check("rt-" in json.dumps(signing.kept(daemon)), "kept")


@live.case
def device_ends(files):
    daemon = signing.daemon_of(files)
    login = signing.Login(daemon, "--device", "--no-open")
    files.auth.deny(login.event("device")["user_code"])
    login.event("failed")
    login.end(code=75)
    files.auth.device_life = 2
    login = signing.Login(daemon, "--device", "--no-open")
    login.event("device")
    login.event("failed")
    login.end(code=75)
    files.fault()
    for lie in ("html", "huge", "empty", "truncated", "broken", "to_http",
                "invalid_client"):
        files.auth.fault("device", lie)
        login = signing.Login(daemon, "--device", "--no-open")
        live.check(login.event("failed")["error"].isprintable(), lie)
        login.process.communicate()
    live.same(files.auth.in_clear, [], "said without TLS")
    live.same(signing.kept(daemon), None, "kept")


if __name__ == "__main__":
    live.main(60, signing.Files)
