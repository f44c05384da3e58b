#!/usr/bin/env -S python3 -B
"""belfryctl doctor, when the server's name is none: what the domain of the
address says in DNS itself (SRV, MX), asked of a name server of the test's own.
Root, as that needs a network of its own (tests/lib/domains.py)."""

import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import domains  # noqa: E402
import live  # noqa: E402

CONFIG = """[account home]
email = ann@firm.example
imap = imaps://imap.firm.example
smtp = submission://smtp.firm.example
password = secret
"""


def doctor(folder):
    """{place: step} of the names."""
    path = os.path.join(folder, "belfry.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(CONFIG + live.NO_DESKTOP)
    os.chmod(path, 0o600)
    done = subprocess.run(
        [live.BELFRYCTL, "doctor", "--json", "-c", path, "--timeout", "8s"],
        check=False, stdout=subprocess.PIPE, timeout=60)
    live.same(done.returncode, 68, "exit status")
    steps = json.loads(done.stdout)["accounts"][0]["steps"]
    return {s["place"]: s for s in steps if s["step"] == "name"}


def run(folder):
    net = domains.Net(folder, os.path.join(live.BUILD, "tests/lib/make-ca"),
                      ["firm.example"])
    net.records[("firm.example", "MX")] = [(10, "aspmx.l.google.com")]
    net.records[("_imaps._tcp.firm.example", "SRV")] = [
        (0, 1, 993, "mail.host.example")]
    net.records[("_submission._tcp.firm.example", "SRV")] = [
        (0, 1, 2587, "out.host.example")]
    found = doctor(folder)
    live.same(found["imap"]["cause"], "name-offered", "imap")
    live.check("names another one itself: imaps://mail.host.example." in
               found["imap"]["why"], "why: %r", found["imap"])
    live.check("`imap = imaps://mail.host.example`" in found["imap"]["do"],
               "do: %r", found["imap"])
    live.check("`smtp = submission://out.host.example:2587`" in
               found["smtp"]["do"], "do: %r", found["smtp"])
    net.records.pop(("_imaps._tcp.firm.example", "SRV"))
    found = doctor(folder)
    live.same(found["imap"]["cause"], "name-unknown", "imap")
    live.check("Mail for your address is received by aspmx.l.google.com "
               "(Google Workspace)." in found["imap"]["why"], "why: %r",
               found["imap"])


def main():
    live.bounded(60)
    domains.enter()
    folder = tempfile.mkdtemp(prefix="belfry-names-", dir="/tmp")
    try:
        run(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()
