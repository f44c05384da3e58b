#!/usr/bin/env -S python3 -B
"""Three machines on one account (tests/lib/machines.py), on cyrus."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import machines  # noqa: E402

if __name__ == "__main__":
    machines.main("cyrus")
