"""A replica for each row of the table of providers: replica_kinds.py has those
whose dialogue is known; for the others it is made from the row, and from the
words that tests/data/providers.ini has for what is odd there."""

import configparser
import os

import live
import replica_kinds

FACTS = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                     "../data/providers.ini")
# Whose service it is, beyond those that replica_kinds.SERVICES names.
SAME_SERVICE = {
    "google-workspace": "gmail",
    "aol": "yahoo", "att": "yahoo", "cox": "yahoo",
    "netease-126": "netease", "netease-yeah": "netease",
    **{"zoho-" + land: "zoho" for land in ("eu", "in", "au", "jp", "ca")},
}
# Seen only after minutes, in tests/live/replicas.py.
SLOW = {"idle-silent", "noop-poll"}
# What a server that tells nothing of its folders may call the archive.
ARCHIVES = {"localised-folders": "Archiv"}


def facts():
    """{preset: the words of its quirks}"""
    parser = configparser.ConfigParser(interpolation=None,
                                       comment_prefixes=(";",))
    with open(FACTS, encoding="utf-8") as file:
        parser.read_file(file)
    return {name: parser[name].get("quirks", "").split()
            for name in parser.sections()}


def service_of(preset_id):
    for name, kind in replica_kinds.SERVICES.items():
        if kind["provider"] == preset_id:
            return name
    return SAME_SERVICE.get(preset_id)


def folders_of(preset, words):
    """The folders that the row names, without a word of what they are for;
    and which is which. None: it names none."""
    names = {use: found[0] for use, found in preset["folders"].items()
             if found}
    if not names:
        return None
    for word, name in ARCHIVES.items():
        if word in words:
            names.setdefault("archive", name)
    names.setdefault("archive", "Archive")
    wire = {use: live.utf7(name) for use, name in names.items()}
    return (tuple((n, "\\HasNoChildren") for n in wire.values()),
            {use: wire[use] for use in replica_kinds.NEED})


def made_of_row(preset, words):
    kind = dict(replica_kinds.BASE)
    less = set()
    found = folders_of(preset, words)
    if found:
        kind["folders"], kind["need"] = found
        less |= {"SPECIAL-USE", "LIST-EXTENDED"}
    for word in words:
        changes = replica_kinds.QUIRKS.get(word, ("", {}))[1]
        if "post" in changes and "like" not in changes:
            less |= set(kind["post"].split()) - set(changes["post"].split())
        for key in ("delimiter", "offers"):
            if key in changes:
                kind[key] = changes[key]
    kind["post"] = " ".join(w for w in kind["post"].split() if w not in less)
    return kind


def kind_of(preset, words, address):
    """The kind of the server; its one user is the address's owner."""
    service = service_of(preset["id"])
    kind = replica_kinds.kind_of(service, replica_kinds.SERVICES[service]) \
        if service else made_of_row(preset, words)
    quirks = (set(kind.get("quirks", ())) | set(words)) - SLOW
    local, whole = address.split("@")[0], address
    # Where the name has two forms it is the one that is tried last.
    is_local = (preset["user"] == "local") != preset["retry_other_user"]
    kind = {**kind, "name": preset["id"], "quirks": tuple(quirks),
            "user": local if is_local else whole}
    if preset["connections"]:
        kind["connections"] = preset["connections"]
    if preset["auth"] == ["oauth2"]:
        kind["token"] = replica_kinds.MICROSOFT_SAYS
    return kind
