#!/usr/bin/env -S python3 -B
"""The general cases (tests/lib/general.py) on cyrus-netnews."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import general  # noqa: E402

if __name__ == "__main__":
    general.main("cyrus-netnews")
