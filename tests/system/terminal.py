#!/usr/bin/env -S python3 -B
"""belfryctl at a real terminal (tmux), 80 to 20 columns wide: tables stand
straight whatever a mail's subject is made of, long lines are broken between
words and go on behind their beginning, colours come to the terminal only, a
watch follows the terminal's width, and what is broken off by Ctrl-C leaves the
terminal as it was.

A mock of the daemon answers on the control socket."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import time
import unicodedata

BUILD = os.environ.get("BELFRY_BUILD", os.getcwd())
BELFRYCTL = os.environ.get("BELFRYCTL", os.path.join(BUILD, "belfryctl"))
PATIENCE_SECONDS = 40
WIDE = "\u4f60\u597d\uff0c\u660e\u5929\u4e00\u8d77\u5403\u5348\u996d\u5417"
LONG = ("the server says that too many of its users are reading mail just "
        "now and that one should come back a little later")
ISO = "2026-01-01T10:00:%02dZ"


def mailbox(name, **more):
    return dict({
        "mailbox": name, "state": "watching", "pushed": True,
        "since": ISO % 0, "proven": ISO % 0, "next_proof_in_s": 323,
        "renew_s": 540, "renew_set_s": 540, "missed_pushes": 0,
        "polled_too": False, "trouble": None, "uidvalidity": 1,
        "next_uid": 1234, "open": 0, "unread": 0}, **more)


STATUS = {
    "version": "1.0", "pid": 42, "started": ISO % 0, "dry_run": False,
    "config": "/home/ann/.config/belfry/belfry.conf", "rules": 6, "accounts": [{
        "account": "work", "email": "ann@example.org",
        "server": "mail.example.org", "locked_out": None, "mailboxes": [
            mailbox("INBOX", missed_pushes=2, polled_too=True),
            mailbox("\u8bf7\u770b\U0001f600", open=7),
            mailbox("Lists/a-list-with-a-long-name", state="waiting",
                    trouble=LONG, next_try_in_s=90)],
        "forwards": {"waiting": 1, "sending": 0, "sent": 7, "failed": 0,
                     "held": 0, "dropped": 0}}], "ok": True}
# A head, and what stands below it in each row that is all there.
STATE, STATES = "STATE", ("watching  ", "waiting  ")


def judged(uid, subject, rule):
    return {
        "judged": ISO % uid, "account": "work", "mailbox": "INBOX",
        "uidvalidity": 1, "uid": uid, "message_id": "<%d@x>" % uid,
        "from": "Boss", "subject": subject, "rules": rule, "observed": "",
        "warnings": "", "effects": [
            {"rule": rule, "action": "move", "what": "move to Work",
             "state": "done", "detail": "", "changed": None},
            {"rule": "boss", "action": "notify", "what": "notify",
             "state": "failed", "detail": LONG, "changed": None}]}


HISTORY = {"ok": True, "messages": [
    judged(9, WIDE * 4, "\u91cd\u8981"), judged(8, "a " * 60, "boss"),
    judged(7, "short", "boss")]}
WATCHED = {
    "time": ISO % 1, "event": "judged", "account": "work", "mailbox": "INBOX",
    "uid": 7, "text": "", "from": "Boss", "subject": "one two three " * 8,
    "rules": "boss vip"}


class Daemon:
    """Answers; a watch gets a line whenever `say` is called."""

    def __init__(self, path):
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(path)
        self.server.listen(8)
        self.watcher = None
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.server.accept()
            request = json.loads(client.makefile().readline())
            if request["command"] == "watch":
                self.watcher = client
                self.say({"ok": True, "time": ISO % 0, "event": "hello",
                          "version": "1.0"})
                continue
            answer = {"status": STATUS, "history": HISTORY}.get(
                request["command"], {"ok": False, "error": "no"})
            client.sendall(json.dumps(answer).encode() + b"\n")
            client.close()

    def say(self, line):
        self.watcher.sendall(json.dumps(line).encode() + b"\n")


class Terminal:
    def __init__(self, folder):
        self.folder = folder
        self.socket = os.path.join(folder, "tmux")
        self.env = {
            "PATH": os.environ["PATH"], "HOME": folder, "LC_ALL": "C.UTF-8",
            "TERM": "xterm-256color", "SHELL": "/bin/sh", "PS1": "$ ",
            "XDG_RUNTIME_DIR": folder, "TZ": "UTC",
            "ASAN_OPTIONS": "detect_leaks=0"}
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y",
                  "24", "exec sh -i")
        self.tmux("set-option", "-g", "window-size", "manual")
        self.wait("a prompt", lambda: self.lines()[-1:] == ["$"])

    def tmux(self, *words):
        return subprocess.run(
            ["tmux", "-u", "-S", self.socket, *words], env=self.env,
            stdout=subprocess.PIPE, timeout=20, check=True).stdout.decode()

    def resize(self, columns):
        self.columns = columns
        self.tmux("resize-window", "-x", str(columns), "-y", "24")
        tty = self.tmux("display-message", "-p", "#{pane_tty}").strip()
        with open(tty, "rb") as file:
            self.wait("it is resized", lambda: os.get_terminal_size(
                file.fileno()).columns == columns)

    def lines(self, *words):
        """What is to be seen, and what is above that."""
        return [line.rstrip() for line in self.tmux(
            "capture-pane", "-p", "-S", "-", *words).rstrip().split("\n")]

    def wait(self, what, is_so):
        end = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            if time.monotonic() > end:
                raise AssertionError("waited in vain: %s\n%s" % (
                    what, "\n".join(self.lines())))
            time.sleep(0.05)

    def type(self, text, *keys):
        self.tmux("send-keys", "-l", text)
        self.tmux("send-keys", *(keys or ["Enter"]))

    def clear(self):
        self.tmux("send-keys", "-R")
        self.tmux("clear-history")

    def shows(self, word):
        return any(word in line for line in self.lines())

    def run(self, command):
        """What it prints, at the terminal."""
        self.clear()
        self.type(command + "; echo end=$?")
        self.wait("the end of " + command, lambda: any(
            re.match("end=[0-9]", line) for line in self.lines()))
        lines = self.lines()
        last = max(i for i, line in enumerate(lines)
                   if line.startswith("end="))
        first = max([i + 1 for i, line in enumerate(lines[:last])
                     if "echo end=" in line] or [0])
        return lines[first:last]

    def end(self):
        self.tmux("kill-server")


def columns(text):
    return sum(0 if unicodedata.combining(c) else
               1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def place(line, word):
    """The column where the word begins."""
    return columns(line[:line.index(word)])


def same(got, wanted, what):
    assert got == wanted, "%s: %r instead of %r" % (what, got, wanted)


def begin_well(lines, pattern):
    """What goes on from the line before never begins at the margin."""
    for line in lines:
        assert line.startswith("  ") or re.match(pattern, line) or not line, \
            "broken at the margin: %r in\n%s" % (line, "\n".join(lines))


def look_at_status(terminal, ctl):
    lines = terminal.run(ctl + "status")
    begin_well(lines, "belfryd |account ")
    head = next(line for line in lines if "MAILBOX" in line)
    rows = [line for line in lines if any(s in line for s in STATES)]
    same(len(rows), 3, "rows of mailboxes in\n" + "\n".join(lines))
    for row in rows:
        word = next(s for s in STATES if s in row)
        same(place(row, word), place(head, STATE), "a column in\n" +
             "\n".join(lines))
    words = " ".join(" ".join(lines).split())
    assert LONG + "; next try in 1 min 30 s" in words, words
    assert "so the server is asked besides" in words, words


def look_at_history(terminal, ctl):
    lines = terminal.run(ctl + "history")
    begin_well(lines, r"2026-01-01 \d\d:\d\d  work/INBOX/")
    rows = [line for line in lines if "  done" in line or "  failed" in line]
    same(len(rows), 6, "effects in\n" + "\n".join(lines))
    for i in range(0, 6, 2):
        same(place(rows[i], "done"), place(rows[i + 1], "failed"),
             "a column in\n" + "\n".join(lines))
    assert "".join(lines).replace(" ", "").count(WIDE * 4) == 1, lines
    same(" ".join(" ".join(lines).split()).count(LONG), 3, "details")


def look_at_watch(terminal, daemon, ctl):
    terminal.clear()
    daemon.watcher = None
    terminal.type(ctl + "watch")
    terminal.wait("it watches", lambda: daemon.watcher)
    for width in (terminal.columns, 44, 70):
        terminal.resize(width)
        daemon.say(dict(WATCHED, uid=width))
        mark = "work/INBOX/%d " % width
        terminal.wait("a line", lambda m=mark: terminal.shows(m) and
                      terminal.lines()[-1].endswith("vip"))
        lines = terminal.lines()
        first = max(i for i, line in enumerate(lines) if mark in line)
        begin_well(lines[first:], "10:00:01  work/INBOX/")
        assert len(lines[first:]) > 1, lines
    coloured = terminal.lines("-e")
    assert any("\033[1m" in line for line in coloured), coloured
    terminal.tmux("send-keys", "C-c")
    terminal.wait("a prompt again", lambda: terminal.lines()[-1] == "$")
    assert any(" echo " in line for line in terminal.run("stty -a"))


def look_at_colours(terminal, ctl):
    terminal.run(ctl + "status")
    coloured = [line for line in terminal.lines("-e") if "account" in line]
    assert any("\033[3" in line for line in coloured), coloured
    for words in ("status | cat", "status --no-color", "history | cat"):
        terminal.run(ctl + words)
        assert "\033[3" not in "".join(terminal.lines("-e")), words
    piped = terminal.run(ctl + "status >piped; wc -L <piped")
    assert int(piped[-1]) > terminal.columns, "a file was wrapped"


def look_at_providers(terminal, ctl):
    lines = terminal.run(ctl + "providers gmail")
    begin_well(lines, "gmail: Gmail$")
    assert "accounts/answer/185833" in "".join(lines), lines
    lines = terminal.run(ctl + "providers")
    assert "IMAP" not in [line.strip() for line in lines], lines


def look_at_doctor(terminal, ctl):
    lines = terminal.run(ctl + "doctor")
    begin_well(lines, "(account )?work")
    assert any("FAILED" in line for line in lines), lines


def look_at_narrow(terminal, ctl, width):
    """No columns fit: each cell has a line, and nothing is cut."""
    for command in ("status", "history"):
        lines = terminal.run(ctl + command)
        words = " ".join(" ".join(lines).split())
        assert "\u2026" not in words, words
        assert LONG in words, words
        if command == "status":
            for wanted in ("STATE watching", "NEXT PROOF in 5 min 23 s",
                           "Lists/a-list-with-a-long-name", "OPEN 7"):
                assert wanted.replace(" ", "") in words.replace(" ", ""), \
                    (wanted, words)
            assert any(line.strip() == "\u8bf7\u770b\U0001f600"
                       for line in lines), lines
        if width >= 40:
            begin_well(lines, "2026-01-01 |belfryd |account ")
    if width >= 40:
        begin_well(terminal.run(ctl + "doctor"), "(account )?work")


def look_at_environment(terminal, ctl):
    """COLUMNS stands for the width; a dumb terminal has no colours."""
    lines = terminal.run("COLUMNS=40 " + ctl + "status")
    assert max(columns(line) for line in lines) <= 40, lines
    for words in ("TERM=dumb ", "NO_COLOR=1 "):
        terminal.run(words + ctl + "status")
        assert "\033[3" not in "".join(terminal.lines("-e")), words
    lines = terminal.run("COLUMNS=x " + ctl + "status")
    assert max(columns(line) for line in lines) > 40, lines


def look_at_setup(terminal, ctl):
    """The password is asked for without an echo; Ctrl-C brings that back."""
    terminal.clear()
    terminal.type(
        ctl + "setup ann@example.org --name setup --in-file --imap "
        "imaps://localhost:1 --smtp smtps://localhost:1 --no-test")
    tty = terminal.tmux("display-message", "-p", "#{pane_tty}").strip()
    with open(tty, "rb") as file:
        terminal.wait("a secret question", lambda: not termios.tcgetattr(
            file.fileno())[3] & termios.ECHO)
    # Behind what was typed, which takes up to three lines.
    begin_well(terminal.lines()[3:], "[A-Z]")
    terminal.tmux("send-keys", "C-c")
    terminal.wait("a prompt again", lambda: terminal.lines()[-1] == "$")
    assert any(" echo " in line for line in terminal.run("stty -a"))


def main():
    for program in ("tmux", BELFRYCTL):
        if not shutil.which(program):
            print("skipped: there is no " + program)
            sys.exit(77)
    folder = tempfile.mkdtemp(prefix="belfry-tmux-")
    config = os.path.join(folder, "belfry.conf")
    with open(config, "w", encoding="utf-8") as file:
        file.write("[daemon]\ncontrol_socket = %s/socket\nstate_directory = "
                   "%s/state\n\n[account work]\nemail = ann@example.org\n"
                   "imap = imaps://localhost:1\nsmtp = smtps://localhost:1\n"
                   "password_command = echo secret\n\n[notifier desktop]\n"
                   "type = desktop\nenabled = no\n" % (folder, folder))
    os.chmod(config, 0o600)
    daemon = Daemon(os.path.join(folder, "socket"))
    terminal = Terminal(folder)
    ctl = "%s -c %s " % (BELFRYCTL, config)
    try:
        terminal.type("cd %s; PATH=$PATH:." % folder)
        os.symlink(BELFRYCTL, os.path.join(folder, "b"))
        ctl = "b -c belfry.conf "
        for width in (80, 60):
            terminal.resize(width)
            look_at_status(terminal, ctl)
            look_at_history(terminal, ctl)
            look_at_watch(terminal, daemon, ctl)
            terminal.resize(width)
            look_at_doctor(terminal, ctl)
            look_at_providers(terminal, ctl)
            print("ok: %d columns" % width, flush=True)
        for width in (40, 20):
            terminal.resize(width)
            look_at_narrow(terminal, ctl, width)
            print("ok: %d columns" % width, flush=True)
        terminal.resize(80)
        look_at_environment(terminal, ctl)
        look_at_colours(terminal, ctl)
        print("ok: colours")
        look_at_setup(terminal, ctl)
        print("ok: setup")
    finally:
        terminal.end()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
