#!/usr/bin/env -S python3 -B
"""plenty.py, of mail that came while belfryd was away, against Courier."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import other_servers  # noqa: E402
import plenty  # noqa: E402

if __name__ == "__main__":
    plenty.main(other_servers.Courier)
