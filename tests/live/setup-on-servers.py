#!/usr/bin/env -S python3 -B
"""belfryctl setup on Dovecot, Cyrus and Courier, without a terminal and at
one; see setup.py."""

import setup

if __name__ == "__main__":
    setup.main(setup.SERVERS)
