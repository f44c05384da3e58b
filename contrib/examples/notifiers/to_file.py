#!/usr/bin/env python3
"""A notifier for Belfry: keeps a file of what was not read yet, the newest
first. See belfry-notifiers(7).

    [notifier file]
    type = program
    command = /path/to/to_file.py /home/ann/new-mail
"""
import re
import sys

ESCAPES = {r"\\": "\\", r"\t": "\t", r"\n": "\n", r"\r": "\r"}
shown = {}

print("ready\tversion=1", flush=True)
for line in sys.stdin:
    verb, *pairs = line.rstrip("\n").split("\t")
    fields = dict(pair.split("=", 1) for pair in pairs)
    text = {name: re.sub(r"\\[\\tnr]", lambda m: ESCAPES[m[0]], value)
            for name, value in fields.items()}
    if verb == "notify":
        shown[text["id"]] = "%(title)s: %(body)s" % text
        print("shown\tid=" + text["id"], flush=True)
    elif shown.pop(text.get("id"), None) is not None:
        print("closed\tid=%s\treason=closed" % text["id"], flush=True)
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.writelines(entry + "\n" for entry in reversed(shown.values()))
