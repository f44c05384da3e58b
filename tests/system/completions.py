#!/usr/bin/env -S python3 -B
"""What the completions complete: asked of real shells, those that are here.

bash by its function, fish by `complete -C`, zsh by a terminal: what stands on
the line after the tab key."""

import os
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
FILES = os.path.join(HERE, "../../contrib/completions")
# What is written, and what is offered; of one only, what zsh makes of it.
CASES = [
    ("belfryctl hist", ["history"]),
    ("belfryctl re", ["reload", "report", "resume"]),
    ("belfryctl status --fol", ["--follow"]),
    ("belfryctl history --outc", ["--outcome"]),
    ("belfryctl --json hist", ["history"]),
    ("belfryctl completions z", ["zsh"]),
    ("belfryctl queue rel", ["release"]),
]
BASH = """
. "$0/belfryctl.bash"
read -ra COMP_WORDS <<<"$1"
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
COMP_LINE=$1 COMP_POINT=${#1}
_belfryctl
printf '%s\\n' "${COMPREPLY[@]}"
"""
ZSH = """
PS1='> '; unset zle_bracketed_paste
fpath=(%s $fpath); autoload -U compinit; compinit -u -d %s/dump
bindkey '^I' expand-or-complete; setopt no_beep; echo rea''dy
"""


def run(*argv):
    result = subprocess.run(argv, stdin=subprocess.DEVNULL, timeout=20,
                            stdout=subprocess.PIPE, check=True)
    return result.stdout.decode().splitlines()


def bash(line):
    return [word.strip() for word in run("bash", "-c", BASH, FILES, line)]


def fish(line):
    words = run("fish", "-c", "source $argv[1]; complete -C $argv[2]",
                os.path.join(FILES, "belfryctl.fish"), line)
    return [word.split("\t")[0] for word in words]


class Zsh:
    """On a terminal of its own."""

    def __init__(self, folder):
        self.text = ""
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.environ.update(TERM="dumb", HOME=folder, ZDOTDIR=folder)
            os.execvp("zsh", ["zsh", "-f", "-i"])
        for line in (ZSH % (FILES, folder)).strip().splitlines():
            self.send(line + "\n")
        self.wait("ready\r\n")

    def send(self, text):
        os.write(self.terminal, text.encode())

    def wait(self, wanted, seconds=30):
        """What comes behind it is for the next one."""
        end = time.monotonic() + seconds
        while wanted not in self.text:
            left = end - time.monotonic()
            if left < 0 or not select.select([self.terminal], [], [], left)[0]:
                sys.exit("zsh: waited for %r, got %r" % (wanted, self.text))
            self.text += os.read(self.terminal, 4096).decode(errors="replace")
        self.text = self.text.partition(wanted)[2]

    def complete(self, line, wanted):
        """A line is left by ^U. Of several words, a list comes."""
        self.send(line + "\t")
        self.wait(line)
        for word in wanted:
            self.wait(word[len(line.split()[-1]):] if len(wanted) == 1
                      else word)
        self.send("\x15")


def main():
    good = True
    shells = [shell for shell in (bash, fish) if shutil.which(shell.__name__)]
    for shell in shells:
        for line, wanted in CASES:
            got = sorted(shell(line))
            if got != wanted:
                print("FAILED %s: %s: %r" % (shell.__name__, line, got))
                good = False
    if shutil.which("zsh"):
        with tempfile.TemporaryDirectory() as folder:
            zsh = Zsh(folder)
            for line, wanted in CASES:
                zsh.complete(line, wanted)
    print("asked: " + " ".join(
        name for name in ("bash", "fish", "zsh") if shutil.which(name)))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
