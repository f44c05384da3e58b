#!/usr/bin/env -S python3 -B
"""What the completions complete: asked of real shells, those that are here.

bash by its function and by a terminal, fish by `complete -C`, zsh by a
terminal: what stands on the line after the tab key. A mock of the daemon has mailboxes whose names are
commands: none of them runs."""

import json
import os
import pty
import re
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
OTHER = """[account elsewhere]
[account ann@example.org]
"""
EVIL = ["$(touch pwned)", "`touch pwned`", "; touch pwned", "a'b\"c d",
        "Kunden/\u8bf7\u770b", "x\\y", "p:q=r s", "-n", "*", "a\tb", "a\nb", "\u202ex"]
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
    ("belfryctl -c other.conf pause els", ["elsewhere"]),
    ("belfryctl -c ~/other.conf pause els", ["elsewhere"]),
    ("belfryctl --config=other.conf pause els", ["elsewhere"]),
    ("belfryctl --timeout=5s pause ho", ["home"]),
]
# What bash makes of a line, where readline knows other words than a shell does.
LINES = [
    ("belfryctl pause ho", "belfryctl pause home "),
    ("belfryctl -c 'the other.conf' pause e",
     "belfryctl -c 'the other.conf' pause elsewhere "),
    ("belfryctl -c the\\ other.conf pause e",
     "belfryctl -c the\\ other.conf pause elsewhere "),
    ("belfryctl --config=other.conf pause e",
     "belfryctl --config=other.conf pause elsewhere "),
    ("belfryctl --config=other.c", "belfryctl --config=other.conf "),
    ("belfryctl -c other.conf pause ann@e",
     "belfryctl -c other.conf pause ann@example.org "),
    ("belfryctl -c other.conf pause ann@",
     "belfryctl -c other.conf pause ann@example.org "),
    ("belfryctl history --mailbox p:",
     "belfryctl history --mailbox p:q=r\\ s "),
    ("belfryctl history --mailbox=p:q=",
     "belfryctl history --mailbox=p:q=r\\ s "),
    ("belfryctl history --mailbox 'p:q=",
     "belfryctl history --mailbox 'p:q=r s' "),
    ("belfryctl apply work/p:q", "belfryctl apply work/p:q=r\\ s "),
    ("true; belfryctl history --mailbox \\$",
     "true; belfryctl history --mailbox \\$\\(touch\\ pwned\\) "),
]
BASH = """
. "$0/belfryctl.bash"
shopt -s nullglob
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


READLINE = """
bind 'set enable-bracketed-paste off'; bind 'set bell-style none'
bind -x '"\\C-x\\C-l": echo "<<<$READLINE_LINE>>>"'
. %s/belfryctl.bash; PS1='> '; echo rea''dy
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


class Terminal:
    """Of a shell."""

    def __init__(self, folder, argv, setup):
        self.text = ""
        self.name, self.line = argv[0], ""
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.chdir(folder)
            os.environ.update(TERM="dumb", ZDOTDIR=folder)
            os.execvp(argv[0], argv)
        for line in setup.strip().splitlines():
            self.send(line + "\n")
        self.wait("ready\r\n")

    def send(self, text):
        os.write(self.terminal, text.encode())

    def wait(self, wanted, seconds=15):
        """What comes behind it is for the next one."""
        end = time.monotonic() + seconds
        while wanted not in self.text:
            left = end - time.monotonic()
            if left < 0 or not select.select([self.terminal], [], [], left)[0]:
                sys.exit("%s: %s: waited for %r, got %r" % (
                    self.name, self.line, wanted, self.text))
            self.text += os.read(self.terminal, 4096).decode(errors="replace")
        before, _, self.text = self.text.partition(wanted)
        return before


class Zsh(Terminal):
    def __init__(self, folder):
        super().__init__(folder, ["zsh", "-f", "-i"], ZSH % (FILES, folder))

    def complete(self, line, wanted):
        """A line is left by ^U. Of several words, a list comes."""
        self.line = line
        self.send(line + "\t")
        self.wait(line)
        for word in wanted:
            self.wait(word[len(re.split("[ =]", line)[-1]):]
                      if len(wanted) == 1 else word)
        self.send("\x15")


class Bash(Terminal):
    def __init__(self, folder):
        super().__init__(folder, ["bash", "--norc", "--noprofile", "-i"],
                         READLINE % FILES)

    def complete(self, line):
        """^X^L tells what the line is."""
        self.line = line
        self.send(line + "\t\x18\x0c")
        self.wait("<<<")
        text = self.wait(">>>")
        self.send("\x15")
        return text


def ask_bash(folder):
    good = True
    if not shutil.which("bash"):
        return good
    terminal = Bash(folder)
    for line, wanted in LINES:
        got = terminal.complete(line)
        if got != wanted:
            print("FAILED on a terminal: %s: %r" % (line, got))
            good = False
    return good


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
        for name in ("/other.conf", "/the other.conf"):
            with open(folder + name, "w", encoding="utf-8") as file:
                file.write(OTHER)
        os.environ.update(
            PATH=BUILD + ":" + os.environ["PATH"], HOME=folder,
            XDG_CONFIG_HOME=folder, LC_ALL="C.UTF-8")
        os.chdir(folder)
        Daemon(folder + "/socket").start()
        good = ask_all(shells, folder)
        good = ask_for_evil(shells) and good
        good = ask_bash(folder) and good
        good = quiet_without_a_daemon() and good
        if os.path.exists(folder + "/pwned"):
            print("FAILED: the name of a mailbox was run")
            good = False
    print("asked: " + " ".join(
        name for name in ("bash", "fish", "zsh") if shutil.which(name)))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
