#!/usr/bin/env -S python3 -B
"""Ctrl-C while belfryctl setup turns the echo off: it ends at once, and the
terminal echoes.

strace holds it back just behind the call that turns the echo off, so that the
signal comes before it waits for the password: there it was caught, and nobody
looked until the next key.
"""

import os
import shutil
import signal
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.dirname(os.path.abspath(__file__))), "lib"))

import terminal  # pylint: disable=wrong-import-position

BUILD = os.environ.get("BELFRY_BUILD", os.getcwd())
BELFRYCTL = os.environ.get("BELFRYCTL", os.path.join(BUILD, "belfryctl"))
HELD_USEC = 300 * 1000


def main():
    if not shutil.which("strace"):
        print("there is no strace")
        sys.exit(77)
    home = tempfile.mkdtemp(prefix="belfry-interrupted-")
    try:
        asked = terminal.Terminal(
            ["strace", "-o", os.devnull, "-e", "trace=ioctl", "-e",
             "inject=ioctl:delay_exit=%d" % HELD_USEC,
             BELFRYCTL, "setup", "ann@icloud.com"],
            {**os.environ, "HOME": home, "XDG_CONFIG_HOME": home})
        asked.expect("Password .*: ")
        asked.wait_echo(False)
        asked.send("\x03")
        asked.wait_echo(True)
        asked.end()
        if asked.status != -signal.SIGINT:
            sys.exit("it ended with %s" % asked.status)
        if os.listdir(home):
            sys.exit("left: %s" % os.listdir(home))
    finally:
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
