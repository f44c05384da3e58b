#!/usr/bin/env python3
"""Compares the servers that are simulated (sim --list) with those that are
played over TLS (tests/lib/replica_kinds.py): the same names; and these with
what is known of providers (tests/data/providers.ini): each oddity is played, or
it is said where else it is looked after."""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

import preset_kinds  # noqa: E402
import replica_kinds  # noqa: E402

# Played over TLS alone.
ONLY_TLS = {
    "exchange-login-failed": "a refusal without a cause",
    "partial-view": "old messages are hidden",
    "pipeline-25": "these worlds have few mailboxes",
    "rfc822-empty": "RFC822 is never asked for",
    "split-1-byte": "every link of a world cuts anywhere",
    "tls12-max": "TLS",
}
# Simulated, and else no replica but the server itself.
REAL = {
    "courier": "tests/live/on-courier.py",
    "cyrus": "tests/live/on-cyrus.py",
    "dovecot": "tests/live/on-dovecot.py",
}


def main():
    simulated = set(subprocess.run(
        ["tests/sim/sim", "--list"], capture_output=True, text=True,
        check=True).stdout.split())
    played = {*replica_kinds.SERVICES, *replica_kinds.QUIRKS,
              *replica_kinds.REFUSALS}
    known = {word for words in preset_kinds.facts().values()
             for word in words}
    elsewhere = set(replica_kinds.ELSEWHERE)
    wrong = 0
    for what, names in (
            ("known, and played nowhere", known - played - elsewhere),
            ("looked after elsewhere, and played", elsewhere & played),
            ("looked after elsewhere, and unknown", elsewhere - known),
            ("simulated, and not played over TLS",
             simulated - played - set(REAL)),
            ("played over TLS, and not simulated",
             played - simulated - set(ONLY_TLS)),
            ("excused, and simulated", simulated & set(ONLY_TLS)),
            ("excused, and unknown", set(ONLY_TLS) - played),
            ("real, and not simulated", set(REAL) - simulated),
            ("real, and played", set(REAL) & played)):
        for name in sorted(names):
            print("%s: %s" % (what, name))
            wrong += 1
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
