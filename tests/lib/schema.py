#!/usr/bin/env -S python3 -B
"""Whether JSON of belfryctl is as daemon/control/schemas says.

    schema.py COMMAND... <document

As a module: problems(words, document) gives sentences; none where it is right.
`words` are belfryctl's. Without python3-jsonschema nothing is checked, and
is_there() is false.
"""

import functools
import json
import os
import sys

try:
    import jsonschema
except ImportError:
    jsonschema = None

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "../../daemon/control/schemas")
# Commands whose answer has another one's form.
SAME = {"explain": "test", "resume": "pause"}


def is_there():
    return jsonschema is not None


def name_of(words, document):
    """The schema's name; None for what has none."""
    known = {name[:-5] for name in os.listdir(FOLDER)}
    command = next((w for w in words if SAME.get(w, w) in known), None)
    if document.get("ok") is False and "error" in document:
        return "error"
    if command == "check" and "--settings" in words:
        return "settings"
    return SAME.get(command, command)


@functools.lru_cache(None)
def validator(name):
    with open(os.path.join(FOLDER, name + ".json"), encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def problems(words, document):
    if not is_there():
        return []
    name = name_of(words, document)
    if name is None:
        return ["belfryctl %s: there is no schema" % " ".join(words)]
    return ["belfryctl %s: %s at /%s (schema %s)" % (
        " ".join(words), error.message[:300],
        "/".join(str(part) for part in error.absolute_path), name)
            for error in validator(name).iter_errors(document)]


def main():
    found = problems(sys.argv[1:], json.load(sys.stdin))
    for problem in found:
        print(problem)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
