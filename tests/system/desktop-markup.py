#!/usr/bin/env -S python3 -B
"""Whatever a mail says, a desktop that reads markup finds none of it.

belfry-desktop is given random texts, made of what markup is made of, of bidi
controls, entities, control characters and bytes that are no UTF-8, and a
notification service notes what it is told. As markup each body is well-formed
and holds no element; read, it is the text, without controls; it is bounded.
$MARKUP_TEXTS: how many (default 400); $LIVE_SEED repeats.
"""

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as tree

BUILD = os.environ.get("BELFRY_BUILD", os.getcwd())
DESKTOP = os.path.join(BUILD, "belfry-desktop")
MOCK = os.path.join(BUILD, "tests/system/mock-notifications")
COUNT = int(os.environ.get("MARKUP_TEXTS", "400"))
SECONDS = 60
AT_ONCE = 32
LENGTH_MAX = 1000 + 1 + 250 + 2  # body, line end, preview, two marks of a cut
BUS = """<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=%s/bus</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/>
<allow eavesdrop="true"/><allow own="*"/></policy></busconfig>"""
# The service writes fields with a bar between them, and LF as a slash.
PIECES = [p.encode() for p in (
    "<", ">", "&", "\"", "'", "</", "/>", "<b>", "</b>", "<i>", "<u", "]]>",
    "<a href=\"https://bad.example\">", "<img src='x' alt='y'/>", "<!--",
    "-->", "<![CDATA[", "<?xml", "&amp;", "&lt;", "&#60;", "&#x3c;b&#x3e;",
    "&#0;", "&nbsp;", "&bad", "&;", "a", "word ", "\u00e4", "\u202e", "\u202c",
    "\u2066", "\u2069", "\u200f", "\ufeff", "\U0001f600", "\ufffe", "\u0300",
    "\\\\", "\\n", "\\t", "\\r", "\x01", "\x07", "\x08", "\x1b[31m", "\x7f",
    "\u0085", "\u009b", "%s%n", "$(x)", "`", "}")] + [
        b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xbc",
        b"\xe2\x80"]
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff]")


def make(rng):
    return b"".join(rng.choice(PIECES)
                    for _ in range(rng.choice((1, 3, 10, 40, 300))))


def meaning(raw):
    """What a person may read of it."""
    raw = re.sub(rb"\\(.)", lambda m: {b"n": b"/", b"t": b" ", b"r": b" "}.get(
        m.group(1), m.group(1)), raw)
    return plain(raw.decode("utf-8", "replace"))


def plain(text):
    """Without what a control, a blank or a replacement may have become."""
    return re.sub("[\ufffd ]", "", CONTROLS.sub("", text))


def check(raw, body):
    """Why that body is wrong for this text; None: it is right."""
    try:
        # Markup may have what XML may not: noncharacters.
        read = tree.fromstring("<m>" + body.replace("\ufffe", "") + "</m>")
    except tree.ParseError as error:
        return "not well-formed: %s" % error
    if len(read):
        return "it has an element <%s>" % read[0].tag
    text = read.text or ""
    if len(text) > LENGTH_MAX:
        return "%d characters" % len(text)
    found, wanted = plain(text), meaning(raw)
    if found.rstrip("\u2026") != wanted[:len(found.rstrip("\u2026"))]:
        return "it reads %r, not %r" % (found, wanted)
    if len(found) < min(len(wanted), 500) and len(text) < 900:
        return "only %r of %r" % (found, wanted)
    return None


def wait_for(path, is_so):
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if os.path.exists(path):
            with open(path, encoding="utf-8", newline="\n") as file:
                lines = file.read().split("\n")
            if is_so(lines):
                return lines
        time.sleep(0.05)
    sys.exit("waited in vain for %s, which has %d lines: %r" % (
        path, len(lines), lines[-2:]))


def show(folder, texts):
    """What the service was told of each: [body]"""
    noted = os.path.join(folder, "noted")
    with open(noted, "wb") as out:
        mock = subprocess.Popen([MOCK], stdout=out)
    wait_for(noted, lambda lines: "owned" in lines)
    said = os.path.join(folder, "said")
    with open(said, "wb") as out:
        desktop = subprocess.Popen([DESKTOP], stdin=subprocess.PIPE,
                                   stdout=out)
    try:
        wait_for(said, lambda lines: lines[0].startswith("ready"))
        for number, raw in enumerate(texts, 1):
            desktop.stdin.write(b"notify\tid=%d\ttitle=t%d\tbody=%s\n" % (
                number, number, raw))
            desktop.stdin.flush()
            if number % AT_ONCE == 0:  # it keeps few that wait
                wait_for(said, lambda lines: sum(line.startswith(
                    "shown") for line in lines) == number)
        lines = wait_for(noted, lambda lines: sum(
            line.startswith("Notify") for line in lines) == len(texts))
    finally:
        desktop.kill()
        desktop.wait()
        mock.kill()
        mock.wait()
    bodies = {}
    for line in lines:
        if line.startswith("Notify"):
            _, _, title, body = line.split("|")[:4]
            bodies[int(title[1:])] = body
    return [bodies[number] for number in range(1, len(texts) + 1)]


def main():
    for program in (DESKTOP, MOCK, shutil.which("dbus-daemon") or ""):
        if not os.access(program, os.X_OK):
            print("skipped: %s is not there" % (program or "dbus-daemon"))
            sys.exit(77)
    seed = int(os.environ.get("LIVE_SEED", 0)) or random.randrange(1, 2**31)
    print("seed: LIVE_SEED=%d" % seed, flush=True)
    rng = random.Random(seed)
    texts = [make(rng) for _ in range(COUNT)]
    folder = tempfile.mkdtemp(prefix="belfry-markup-")
    with open(os.path.join(folder, "bus.conf"), "w", encoding="ascii") as file:
        file.write(BUS % folder)
    bus = subprocess.Popen(["dbus-daemon", "--nofork", "--nopidfile",
                            "--config-file=" + folder + "/bus.conf"],
                           stderr=subprocess.DEVNULL)
    os.environ["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=%s/bus" % folder
    os.environ["XDG_RUNTIME_DIR"] = folder
    try:
        while not os.path.exists(folder + "/bus"):
            time.sleep(0.02)
        bodies = show(folder, texts)
    finally:
        bus.kill()
        bus.wait()
        shutil.rmtree(folder)
    wrong = [(raw, body, why) for raw, body in zip(texts, bodies)
             for why in [check(raw, body)] if why]
    for raw, body, why in wrong[:10]:
        print("%r became %r: %s" % (raw, body, why))
    print("%d texts, %d of them wrong" % (len(texts), len(wrong)))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
