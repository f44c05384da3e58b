#!/usr/bin/env -S python3 -B
"""Each provider of the table, from the address alone: belfryctl setup makes
the account, a wrong password is told with the provider's own page, check finds
no fault, belfryd logs in, acts on mail there and sends a forward; on servers
under the names and ports of the table, with its TLS, login names, folders and
limits (tests/lib/preset_kinds.py), in networks of their own.

And each domain of the table, and each MX, is found to be its provider's.

A word as argument takes only the providers whose names contain it. $LIVE_LONG
waits for the polls of servers without push, too; $LIVE_KEEP leaves the
folders, with what setup said in each home."""

import concurrent.futures
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import domains  # noqa: E402
import liars  # noqa: E402
import live  # noqa: E402
import outgoing  # noqa: E402
import preset_kinds  # noqa: E402
import setup  # noqa: E402
from live import BELFRYCTL, PASSWORD, check, same  # noqa: E402
from replica import Replica  # noqa: E402

RULES = """
[rule archive]
when = subject is archive
archive = yes

[rule junk]
when = subject is junk
junk = yes

[rule trash]
when = subject is trash
trash = yes
"""
# One for each account, as there is a limit for each target.
FORWARD = """
[rule forward-%s]
accounts = %s
when = subject is forward
forward = %s
"""
# Warnings that are right, by what is odd at the server.
WARNINGS = {
    "folder-count-limit": "the folder belfry-claims cannot be used",
    "raw-bytes": "of the server's answers about new messages could not be",
}
AT_ONCE = 4
PATIENCE_SECONDS = 60 if "LIVE_LONG" not in os.environ else 300


class Walk:
    """One provider, and one new user there."""

    def __init__(self, run, preset, words):
        self.run, self.preset = run, preset
        self.id = preset["id"]
        domain = preset["domains"][0] if preset["domains"] else \
            self.id + ".example"
        self.address = "ann.lee@" + domain
        self.friend = "%s@elsewhere.example" % self.id
        self.by_token = preset["auth"] == ["oauth2"]
        self.home = run.home()
        self.pin = ()
        kind = preset_kinds.kind_of(preset, words, self.address)
        self.expected = ["the server closed the connection"] + [
            said for word, said in WARNINGS.items() if word in words]
        self.user, self.need = kind["user"], kind["need"]
        self.has_push = " IDLE" in kind["post"]
        if not preset["domains"]:
            run.net.records[(domain, "MX")] = [(10, "mx." + preset["mx"][0])]
        self.serve(kind)

    def serve(self, kind):
        """Both servers, where the row says."""
        preset, net = self.preset, self.run.net
        certificate, context = net.certificate, net.context
        place = "127.0.0.1"
        if preset["imap"]["host"] == place:  # a bridge, with its own
            certificate = liars.make_certificate(self.home.dir,
                                                 "IP:127.0.0.1")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
        else:
            self.run.count += 1
            place = "127.9.0.%d" % self.run.count
            for server in ("imap", "smtp"):
                net.host(preset[server]["host"], place)
        kind["starttls"] = preset["imap"]["tls"] == "starttls"
        self.imap = Replica(kind, certificate, PASSWORD,
                            (place, preset["imap"]["port"]))
        local = self.address.split("@")[0]
        self.smtp = outgoing.Submission(
            (place, preset["smtp"]["port"]), context,
            preset["smtp"]["tls"] == "tls", PASSWORD, takes=True, named=True,
            user=local if preset["smtp_user"] == "local" else self.address,
            sender=self.address, token=self.by_token,
            size=preset["smtp_size"] or 10 << 20)

    # ---- the person ----

    def setup(self, password, code):
        secret, text = ["--in-file"], password + "\n"
        if self.by_token:
            path = os.path.join(self.home.dir, "token-" + password)
            with open(path, "w", encoding="utf-8") as file:
                file.write("#!/bin/sh\necho %s\n" % password)
            os.chmod(path, 0o755)
            secret, text = ["--token-command", path], ""
        said = self.home.setup("--email", self.address, "--yes", *self.pin,
                               *secret, text=text, code=code).stdout
        with open(os.path.join(self.home.dir, "said"), "a",
                  encoding="utf-8") as file:
            file.write("$ belfryctl setup --email %s (%s)\n%s\n" % (
                self.address, password, said))
        return said

    def make(self):
        """The account, first with a wrong password."""
        if self.preset["imap"]["host"] == "127.0.0.1":
            found = re.search("--pin (sha256:[A-Za-z0-9+/]{43}=)",
                              self.setup(PASSWORD, 76))
            check(found, "no pin is told")
            self.pin = ("--pin", found[1])
        said = self.setup("wrong", 77)
        check("Nothing was written" in said and not self.home.has_file(),
              "%s", said)
        page = "belfryctl setup" if self.by_token else self.preset["help"]
        check(page is None or page in said, "%r is not in %s", page, said)
        check(self.imap.logins <= 1 + self.preset["retry_other_user"],
              "%d logins", self.imap.logins)
        said = self.setup(PASSWORD, 0)
        check("It works: logged in to read mail (IMAP) and to send it (SMTP)"
              in said, "%s", said)
        check(self.preset["name"].split(" (")[0].split()[0] in said or
              self.preset["imap"]["host"] in said, "%s", said)
        check(said.count("\n") < 10, "%d lines: %s", said.count("\n"), said)
        self.home.check()
        text = self.home.read()
        found = re.findall(r"^\[account ([^]]*)\]$", text, re.M)
        same(found, [self.id], "accounts")
        # What the table has is not written out.
        named = ["provider"] if not self.preset["domains"] else []
        same(re.findall("^(provider|imap|smtp) =", text, re.M), named,
             "servers in the file")
        # The form of the name that the server took.
        same(re.findall("^user = (.*)$", text, re.M),
             [self.user] * self.preset["retry_other_user"], "user")
        return text + FORWARD % (self.id, self.id, self.friend)

    # ---- the daemon ----

    def log(self):
        return [line for line in self.run.daemon.logged("")
                if "account=%s " % self.id in line]

    def wait(self, what, is_so):
        try:
            live.wait(what, is_so, PATIENCE_SECONDS)
        except live.Failed as error:
            raise live.Failed("%s; heard %r; refused %r; log:\n  %s" % (
                error, self.imap.heard[-8:], self.smtp.refused,
                "\n  ".join(self.log()[-10:]))) from None

    def mail(self):
        """A message for each rule, and one that stays."""
        self.imap.deliver(*(live.message(s) for s in (
            "archive", "junk", "trash", "forward", "nothing")))
        if not self.has_push and "LIVE_LONG" not in os.environ:
            # A new connection looks at once, and the next poll does not.
            self.imap.each(lambda session: session.close())

    def acted(self):
        self.wait("mail to be moved", lambda: all(
            self.imap.subjects(self.need[use]) == [use]
            for use in ("archive", "junk", "trash")))
        self.wait("the rest to stay", lambda: self.imap.subjects("INBOX")
                  == ["forward", "nothing"])
        self.wait("a forward", lambda: self.smtp.taken)
        sender, recipients, message = self.smtp.taken[0]
        same((sender, recipients, len(self.smtp.taken)),
             (self.address, [self.friend], 1), "forwards")
        check(b"Subject: forward" in message, "%r", message)
        same(self.smtp.refused, [], "refused")
        same([line for line in self.log()
              if re.match(r"\S+ (error|warning) ", line) and
              not any(words in line for words in self.expected)], [], "log")


class Run(setup.Run):
    """Providers whose servers have different names, and one daemon."""

    def __init__(self, folder, presets):
        super().__init__(folder)
        self.dir = folder
        words = preset_kinds.facts()
        self.walks = [Walk(self, p, words[p["id"]]) for p in presets]
        self.failures = {}
        self.daemon = None

    def one(self, walk, act):
        if walk.id in self.failures:
            return None
        try:
            return act()
        except Exception as error:  # fails this provider, not the others
            self.failures[walk.id] = error
            if not isinstance(error, live.Failed):
                traceback.print_exc()
            print("FAILED %s: %s" % (walk.id, error), flush=True)
            return None

    def go(self):
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            texts = list(pool.map(lambda w: self.one(w, w.make), self.walks))
        began = time.monotonic()
        self.daemon = live.Daemon(
            self, "\n".join(t for t in texts if t) + RULES)
        made = [w for w in self.walks if w.id not in self.failures]
        with self.daemon:
            self.daemon.wait_watching(len(made), PATIENCE_SECONDS)
            for walk in made:
                walk.mail()
            for walk in made:
                self.one(walk, walk.acted)
        print("%d accounts in one daemon: %.1f s" % (
            len(made), time.monotonic() - began), flush=True)
        return self.failures


# ---- domains ----


class Names(setup.Run):
    """Addresses that are looked up, and no more."""

    def found(self, number, address):
        path = os.path.join(self.folder, "%d.conf" % number)
        found = subprocess.run(
            [BELFRYCTL, "setup", "-c", path, "--email", address, "--yes",
             "--no-test", "--json", "--password-command", "false"],
            env={"HOME": self.folder, "PATH": "/usr/bin:/bin",
                 "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")},
            check=False, stdout=subprocess.PIPE, text=True, timeout=60)
        return found.returncode, json.loads(found.stdout)

    def compare(self, number, address, preset):
        code, document = self.found(number, address)
        if preset["refusal"]:
            check(code == 69 and preset["refusal"] in document["error"],
                  "%s: %s", address, document)
        elif "--token-command" in document.get("hint", ""):
            # That it takes no passwords is known of this provider alone.
            same((code, preset["auth"]), (64, ["oauth2"]), address)
        else:
            same((code, document.get("provider")), (0, preset["id"]),
                 address)

    def go(self):
        rows = []
        for preset in self.presets.values():
            rows += [("ann@" + domain, preset)
                     for domain in preset["domains"]]
        self.run(rows)
        same(self.net.asked, [], "names that were asked for")
        by_domain, rows = len(rows), []
        for preset in self.presets.values():
            for number, suffix in enumerate(preset["mx"]):
                domain = "%s-%d.example" % (preset["id"], number)
                self.net.records[(domain, "MX")] = [(10, "mx7." + suffix)]
                rows.append(("ann@" + domain, preset))
        self.run(rows)
        print("%d domains and %d MX" % (by_domain, len(rows)), flush=True)
        return {}

    def run(self, rows):
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for job in [pool.submit(self.compare, number, *row)
                        for number, row in enumerate(rows)]:
                job.result()


# ---- networks ----


def rounds(presets):
    """Lists of presets whose servers do not share names."""
    found = []
    for preset in presets:
        names = {preset[s]["host"] for s in ("imap", "smtp")}
        for hosts, members in found:
            if not names & hosts:
                break
        else:
            hosts, members = set(), []
            found.append((hosts, members))
        hosts |= names
        members.append(preset)
    return [members for _, members in found]


def begin(make):
    """In a process, mounts and a network of its own."""
    pid = os.fork()
    if pid:
        return pid
    domains.again()
    folder = tempfile.mkdtemp(prefix="belfry-presets-")
    os.chmod(folder, 0o755)
    status = 1
    try:
        status = 1 if make(folder).go() else 0
    except BaseException:  # noqa: BLE001 # whatever it is, it failed
        traceback.print_exc()
    if "LIVE_KEEP" in os.environ:
        print("kept: %s" % folder, flush=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(status)


def main():
    live.bounded(400)
    domains.enter()
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    presets = json.loads(subprocess.run(
        [BELFRYCTL, "providers", "--json"], check=True,
        stdout=subprocess.PIPE).stdout)["providers"]
    usable = [p for p in presets if not p["refusal"] and wanted in p["id"]]
    pids = [begin(lambda folder, some=some: Run(folder, some))
            for some in rounds(usable)]
    if not wanted:
        pids.append(begin(Names))
    good = [os.waitpid(pid, 0)[1] == 0 for pid in pids]
    print("%d providers" % len(usable))
    sys.exit(0 if usable and all(good) else 1)


if __name__ == "__main__":
    main()
