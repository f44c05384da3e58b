#!/usr/bin/env -S python3 -B
"""The built-in OAuth2 in the daemon: tokens that live for seconds and rotate,
with logins by XOAUTH2 and forwards in between."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402
import permission  # noqa: E402


@live.case_with(permission.XOAUTH2)
def watches_by_xoauth2(servers):
    permission.watches(servers, "XOAUTH2", 2)


if __name__ == "__main__":
    live.main(60)
