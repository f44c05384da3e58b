#!/usr/bin/env -S python3 -B
"""As oauth2.py, by OAUTHBEARER."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402
import permission  # noqa: E402


@live.case_with(permission.OAUTHBEARER)
def watches_by_oauthbearer(servers):
    permission.watches(servers, "OAUTHBEARER", 1)


if __name__ == "__main__":
    live.main(60)
