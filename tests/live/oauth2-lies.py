#!/usr/bin/env -S python3 -B
"""The built-in OAuth2: an authorization server that lies, and mail servers that
refuse what should be good."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402
import permission  # noqa: E402


def has_failed():
    return any(r.fault for r in permission.AUTH.refreshed())


@live.case_with(permission.XOAUTH2)
def lies(servers):
    """The server has rotated, and says nonsense; it forgives."""
    daemon = permission.new_daemon(servers)
    permission.sign_in_long_ago(daemon)
    permission.AUTH.grace, permission.AUTH.life = True, 1
    for lie in ("wrong_type", "html", "huge", "truncated", "control", "lost",
                "duplicates", "control_refresh"):
        permission.AUTH.fault("token", lie, "always")
        permission.AUTH.requests = []
        with daemon:
            live.wait(lie, has_failed)
            live.wait("a word about it: " + lie,
                      lambda: daemon.logged("trouble"))
            live.stays("few requests: " + lie,
                       lambda: len(permission.AUTH.refreshed()) <= 2, 0.3)
        os.unlink(daemon.log_path)
    grace = permission.AUTH.grace
    permission.fresh()
    permission.AUTH.grace = grace
    with daemon:
        daemon.wait_watching()
    live.check(permission.is_alive(daemon.user), "the permission was lost")


@live.case_with(permission.XOAUTH2)
def a_token_is_refused(servers):
    daemon = permission.new_daemon(servers)
    user = daemon.user
    permission.sign_in(daemon)
    with daemon:
        daemon.wait_watching()
        live.same(permission.AUTH.refreshed(), [], "refreshes before")
        # Taken back before its time: one refresh, and in again.
        permission.AUTH.expire()
        servers.kick(user.address)
        live.wait("a refresh", lambda: len(permission.AUTH.refreshed()) == 1)
        live.wait("two logins", lambda: servers.logins(user.address)[0] >= 2)
        daemon.wait_watching()
        # And whatever comes is refused: not asked for without end.
        permission.AUTH.on_introspect = lambda _token: permission.AUTH.expire()
        servers.kick(user.address)
        daemon.wait_log(permission.REJECTS)
        count = len(permission.AUTH.refreshed())
        live.check(count <= 2, "%d refreshes", count)
        live.stays("no more",
                   lambda: len(permission.AUTH.refreshed()) == count)


if __name__ == "__main__":
    live.main(60)
