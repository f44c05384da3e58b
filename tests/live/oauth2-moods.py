#!/usr/bin/env -S python3 -B
"""The built-in OAuth2: an authorization server that throttles and breaks."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402
import permission  # noqa: E402


def has_failed():
    return any(r.fault for r in permission.AUTH.refreshed())


@live.case_with(permission.XOAUTH2)
def moods(servers):
    """What brings no token costs none: what is kept stays as it is."""
    daemon = permission.new_daemon(servers)
    permission.sign_in_long_ago(daemon)
    before = permission.kept(daemon)
    for mood in ("throttled", "throttled_in_words", "unavailable", "broken",
                 "forbidden", "dropped", "to_http", "strange_error"):
        permission.AUTH.fault("token", mood, "always")
        permission.AUTH.requests = []
        with daemon:
            live.wait(mood, has_failed)
            live.wait("a word about it: " + mood,
                      lambda: daemon.logged("trouble"))
            live.stays("few requests: " + mood,
                       lambda: len(permission.AUTH.refreshed()) <= 2, 0.5)
        live.same(permission.kept(daemon), before, "kept after " + mood)
        os.unlink(daemon.log_path)
    live.same(permission.AUTH.in_clear, [], "said without TLS")
    permission.fresh()
    with daemon:
        daemon.wait_watching()


@live.case_with(permission.XOAUTH2)
def waits_as_long_as_it_is_told(servers):
    daemon = permission.new_daemon(servers)
    permission.sign_in_long_ago(daemon)
    permission.AUTH.retry_after = 3
    permission.AUTH.fault("token", "throttled")
    with daemon:
        daemon.wait_watching()
    times = [r.at for r in permission.AUTH.refreshed()]
    live.check(len(times) == 2 and times[1] - times[0] >= 3, "%r", times)


if __name__ == "__main__":
    live.main(60)
