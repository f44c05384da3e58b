#!/usr/bin/env -S python3 -B
"""plenty.py, of mail that came while belfryd was away, against Cyrus."""

import os
import sys

# It syncs each that is put there: some milliseconds.
os.environ.setdefault("LIVE_MESSAGES", "1000")
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import other_servers  # noqa: E402
import plenty  # noqa: E402

if __name__ == "__main__":
    plenty.main(other_servers.Cyrus)
