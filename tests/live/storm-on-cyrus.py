#!/usr/bin/env -S python3 -B
"""storm.py, shorter, against Cyrus."""

import os
import sys

os.environ.setdefault("STORM_FAULTS", "6")
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import other_servers  # noqa: E402
import storm  # noqa: E402

if __name__ == "__main__":
    storm.main(other_servers.Cyrus)
