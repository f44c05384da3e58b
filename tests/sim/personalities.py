#!/usr/bin/env python3
"""Compares the servers that are simulated (sim --list) with those that are
played over TLS (tests/lib/replica_kinds.py): the same names, and of each
service the same oddities; and these with what is known of providers
(tests/data/providers.ini): each oddity is played, or it is said where else it is
looked after; and what is known of a service, its simulated server does."""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

import preset_kinds  # noqa: E402
import replica_kinds  # noqa: E402

# Played over TLS alone.
ONLY_TLS = {
    "split-1-byte": "every link of a world cuts anywhere",
    "tls12-max": "TLS",
}
# Simulated, and else no replica but the server itself.
REAL = {
    "courier": "tests/live/on-courier.py",
    "cyrus": "tests/live/on-cyrus.py",
    "dovecot": "tests/live/on-dovecot.py",
}


# Of what is odd about a service, said in a kind of its own: what that kind has
# besides; and what the service does in another way.
BESIDES = {
    "append-needs-crlf": "no-keywords",  # there, more is appended
    "status-empty": "no-uidnext",
}
OTHERWISE = {
    ("proton-bridge", "all-mail-duplicates"): "copies, and no labels",
    ("exchange", "idle-silent"): "see outlook-com",
    ("exchange", "copyuid-empty"): "see outlook-com",
    ("exchange", "bodystructure-broken"): "see outlook-com",
    ("icloud", "plain-may-fail"): "where the name is another one",
    ("yahoo", "noop-poll"): "it has no IDLE at all",
}


def known_of_services():
    """{service: words}, of the replicas and of the providers."""
    words = {name: set(replica_kinds.kind_of(name, kind)["quirks"])
             for name, kind in replica_kinds.SERVICES.items()}
    for preset, more in preset_kinds.facts().items():
        service = preset_kinds.service_of(preset)
        if service is not None:
            words[service] |= set(more)
    return words


def is_done(kinds, service, word):
    """Whether the server does all that the kind of this name does."""
    if (service, word) in OTHERWISE or word not in kinds:
        return True
    traits, delimiter, prefix = kinds[word]
    if word in BESIDES:
        traits &= ~kinds[BESIDES[word]][0]
    own = kinds[service]
    return traits & ~own[0] == 0 and delimiter in ("/", own[1]) and \
        prefix in ("", own[2])


def missing_traits():
    lines = subprocess.run(
        ["tests/sim/personalities", "--traits"], capture_output=True,
        text=True, check=True).stdout.splitlines()
    kinds = {}
    for line in lines:
        name, traits, delimiter, prefix = line.split(" ")
        kinds[name] = (int(traits, 16), delimiter, prefix)
    return {"%s of %s" % (word, service)
            for service, words in known_of_services().items()
            for word in words if not is_done(kinds, service, word)}


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
            ("not simulated", missing_traits()),
            ("real, and not simulated", set(REAL) - simulated),
            ("real, and played", set(REAL) & played)):
        for name in sorted(names):
            print("%s: %s" % (what, name))
            wrong += 1
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
