#!/usr/bin/env -S python3 -B
"""What the completions complete: asked of real shells, those that are here.

bash by its function, fish by `complete -C`, zsh by a terminal: what stands on
the line after the tab key. A mock of the daemon has mailboxes whose names are
commands: none of them runs."""

import json

import os
import pty
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
FILES = os.path.join(HERE, "../../contrib/completions")
BUILD = os.environ.get("BELFRY_BUILD", os.getcwd())
# Wrong on purpose: names are wanted most while it is being written.
CONFIG = """[daemon]
control_socket = %s/socket

[account home]
email = ann@example.org

[account work]
emial = ann@example.org

[notifier phone]
type = webhook

[rule boss]
when = subject ~ /(/

[rule lists]
move = \n
"""
EVIL = ["$(touch pwned)", "`touch pwned`", "; touch pwned", "a'b\"c d",
        "Kunden/\u8bf7\u770b", "x\\y", "-n", "*", "a\tb", "a\nb", "\u202ex"]
# What is written, and what is offered; of one only, what zsh makes of it.
CASES = [
    ("belfryctl hist", ["history"]),
    ("belfryctl re", ["reload", "report", "resume"]),
    ("belfryctl status --fol", ["--follow"]),
    ("belfryctl history --outc", ["--outcome"]),
    ("belfryctl --json hist", ["history"]),
    ("belfryctl completions z", ["zsh"]),
    ("belfryctl queue rel", ["release"]),
    ("belfryctl history --account wo", ["work"]),
    ("belfryctl pause ho", ["home"]),
    ("belfryctl history --rule bo", ["boss"]),
    ("belfryctl test --expect li", ["lists"]),
    ("belfryctl history --mailbox Ku", ["Kunden/\u8bf7\u770b"]),
    ("belfryctl apply work/Ku", ["work/Kunden/\u8bf7\u770b"]),
    ("belfryctl undo work/IN", ["work/INBOX"]),
    ("belfryctl explain work/IN", ["work/INBOX"]),
    ("belfryctl queue show 4", ["42"]),
    ("belfryctl queue show --account wo", ["work"]),
    ("belfryctl status --format way", ["waybar"]),
    ("belfryctl history --outcome obs", ["observed"]),
    ("belfryctl rules --sort ti", ["time"]),
    ("belfryctl setup --provider iclo", ["icloud"]),
    ("belfryctl providers fastm", ["fastmail"]),
]
BASH = """
. "$0/belfryctl.bash"
shopt -s nullglob
read -ra COMP_WORDS <<<"$1"
[[ $1 == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
COMP_LINE=$1 COMP_POINT=${#1}
_belfryctl belfryctl
for word in "${COMPREPLY[@]}"; do
    eval "printf '%s\\\\n' $word"
done
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


class Daemon(threading.Thread):
    """Lists mailboxes and forwards."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(8)
        self.names = ["INBOX", *EVIL]

    def run(self):
        while True:
            client, _ = self.listener.accept()
            request = json.loads(client.makefile().readline())
            answer = {"mailboxes": {"ok": True, "accounts": [{
                "account": "work", "listed": True,
                "mailboxes": [{"mailbox": name} for name in self.names]}]},
                      "queue": {"ok": True, "items": [{"id": 42}]}}
            client.sendall(json.dumps(answer.get(
                request["command"], {"ok": False})).encode() + b"\n")
            client.close()


class Zsh:
    """On a terminal of its own."""

    def __init__(self, folder):
        self.text = ""
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.chdir(folder)
            os.environ.update(TERM="dumb", ZDOTDIR=folder)
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


def ask_all(shells, folder):
    good = True
    for shell in shells:
        for line, wanted in CASES:
            got = sorted(shell(line))
            if got != wanted:
                print("FAILED %s: %s: %r" % (shell.__name__, line, got))
                good = False
    if shutil.which("zsh"):
        zsh = Zsh(folder)
        for line, wanted in CASES:
            zsh.complete(line, wanted)
    return good


def ask_for_evil(shells):
    """All that a terminal shows as it is, and nothing of it runs."""
    good = True
    wanted = sorted(["INBOX", *[name for name in EVIL if name.isprintable()]])
    for shell in shells:
        got = sorted(shell("belfryctl history --mailbox "))
        if got != wanted:
            print("FAILED %s: names: %r" % (shell.__name__, got))
            good = False
    return good


def quiet_without_a_daemon():
    """Nothing to complete is no error, and takes no time."""
    good = True
    for words in (["--socket", "none"], ["-c", "none"]):
        for kind in ("accounts", "rules", "mailboxes", "places", "forwards"):
            result = subprocess.run(
                ["belfryctl", *words, "completions", kind], check=False,
                capture_output=True, timeout=20)
            if result.returncode != 0 or result.stderr:
                print("FAILED", words, kind, result)
                good = False
    return good


def main():
    shells = [shell for shell in (bash, fish) if shutil.which(shell.__name__)]
    with tempfile.TemporaryDirectory() as folder:
        own = os.path.join(folder, "belfry")
        os.mkdir(own)
        with open(own + "/belfry.conf", "w", encoding="utf-8") as file:
            file.write(CONFIG % folder)
        os.environ.update(
            PATH=BUILD + ":" + os.environ["PATH"], HOME=folder,
            XDG_CONFIG_HOME=folder, LC_ALL="C.UTF-8")
        os.chdir(folder)
        Daemon(folder + "/socket").start()
        good = ask_all(shells, folder)
        good = ask_for_evil(shells) and good
        good = quiet_without_a_daemon() and good
        if os.path.exists(folder + "/pwned"):
            print("FAILED: the name of a mailbox was run")
            good = False
    print("asked: " + " ".join(
        name for name in ("bash", "fish", "zsh") if shutil.which(name)))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
