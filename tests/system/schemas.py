#!/usr/bin/env -S python3 -B
"""The schemas of belfryctl's JSON: each is one, and allows nothing that it
does not name; each command has one. What the commands print is held against
them wherever a test calls belfryctl with --json (tests/lib/live.py,
test-belfryctl.sh).

Exit status: 77 without python3-jsonschema.
"""

import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import schema  # noqa: E402

BUILD = os.environ.get("BELFRY_BUILD", os.getcwd())
# Their answer is for people or shells.
WITHOUT_JSON = {"completions", "help"}
PATTERNED = {"captures", "keys"}  # objects whose names are a person's


def commands():
    words = subprocess.run(
        [BUILD + "/belfryctl", "--help"], stdout=subprocess.PIPE, text=True,
        check=True).stdout
    lists = words[:words.index("Options of every command")]
    later = lists.find("Not supported yet")
    return re.findall(r"^  ([a-z]+) ", lists[:later] if later > 0 else lists,
                      re.MULTILINE)


def loose(node, path=""):
    """Objects that allow what they do not name."""
    if isinstance(node, list):
        for i, item in enumerate(node):
            yield from loose(item, "%s/%d" % (path, i))
    if not isinstance(node, dict):
        return
    if node.get("type") == "object" and path.split("/")[-1] not in PATTERNED:
        if node.get("additionalProperties") is not False:
            yield path
    for name, item in node.items():
        yield from loose(item, path + "/" + name)


def main():
    if not schema.is_there():
        print("python3-jsonschema is not installed")
        return 77
    failures = []
    names = [n[:-5] for n in os.listdir(schema.FOLDER)]
    for name in names:
        schema.validator(name)
        with open(os.path.join(schema.FOLDER, name + ".json"),
                  encoding="utf-8") as file:
            failures += ["%s: %s is loose" % (name, path)
                         for path in loose(json.load(file))]
    found = commands()
    if len(found) < 15:
        failures.append("commands: %s" % found)
    failures += ["belfryctl %s has no schema" % command for command in found
                 if command not in WITHOUT_JSON and
                 schema.name_of([command], {"ok": True}) is None]
    # They can say no.
    for words, document in ((["pause"], {"ok": True}),
                            (["pause"], {"ok": True, "until": "soon"}),
                            (["notify"], {"ok": True, "more": 1}),
                            (["notify"], {"ok": False, "error": "x"})):
        if not schema.problems(words, document):
            failures.append("taken for good: %s" % document)
    print("%d schemas, %d commands" % (len(names), len(found)))
    for failure in failures:
        print("FAILED: " + failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
