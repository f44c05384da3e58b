#!/usr/bin/env -S python3 -B
"""belfryctl setup on domains that are in no table: they say where their mail
servers are, by a page, by records or not at all; and some of them lie. In a
network of its own with name server, web servers and mail servers
(tests/lib/domains.py); all domains are asked at once. $LIVE_KEEP leaves the
folder."""

import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import domains  # noqa: E402
import outgoing  # noqa: E402
import replica_kinds  # noqa: E402
from live import BELFRYCTL, BUILD, check, same  # noqa: E402
from replica import Replica  # noqa: E402
from terminal import Terminal  # noqa: E402

WEB, MAIL, EVIL = "127.9.1.1", "127.9.1.2", "127.9.1.3"
AUTOCONFIG = "/mail/config-v1.1.xml"
WELL_KNOWN = "/.well-known/autoconfig/mail/config-v1.1.xml"
# What a hostile page may cost, of the gigabyte that it has.
BYTES_MAX = 4 * 1024 * 1024
BOMB = ("<!DOCTYPE c [<!ENTITY a0 'aaaaaaaaaaaaaaaa'>" + "".join(
    "<!ENTITY a%d '%s'>" % (n, ("&a%d;" % (n - 1)) * 16)
    for n in range(1, 9)) + "]>")
NOTHING = "no mail servers were found for "


def server(kind, host, port, socket_type, more=""):
    return ("<%s type=\"%s\"><hostname>%s</hostname><port>%d</port>"
            "<socketType>%s</socketType>%s</%s>" % (
                kind, "imap" if kind == "incomingServer" else "smtp", host,
                port, socket_type, more, kind))


def page(*servers, head=""):
    return (200, {"Content-Type": "text/xml"}, (
        head + "<clientConfig version=\"1.1\"><emailProvider id=\"x\">"
        + "".join(servers) + "</emailProvider></clientConfig>").encode())


def both(domain):
    return page(server("incomingServer", "mail." + domain, 993, "SSL"),
                server("outgoingServer", "mail." + domain, 587, "STARTTLS"))


def to(url):
    return (302, {"Location": url}, b"")


class World:
    def __init__(self, folder):
        self.folder = folder
        self.sent = {}
        self.plain = []
        self.want = {}  # domain: (found_by, imap, smtp) or provider or None
        names = [prefix + domain for domain in CASES for prefix in (
            "", "autoconfig.", "mail.", "imap.", "smtp.")
                 if (prefix + domain) not in NOT_CERTIFIED] + ["evil.example"]
        self.net = domains.Net(
            folder, os.path.join(BUILD, "tests/lib/make-ca"), names)
        for address in (WEB, EVIL):
            self.net.web(address)
            self.net.trap(address, 80, self.plain)
        self.net.host("evil.example", EVIL)
        self.net.pages[("evil.example", "/x")] = both("evil.example")
        kind = replica_kinds.kind_of("plain", {})
        self.imap = Replica(kind, self.net.certificate, "secret", (MAIL, 993))
        self.smtp = outgoing.Submission((MAIL, 587), self.net.context,
                                         False, "secret")
        for name, prepare in CASES.items():
            self.net.host(name, WEB)
            self.want[name] = prepare(self, name)

    def web(self, domain, at_autoconfig=None, at_well_known=None):
        self.net.host("autoconfig." + domain, WEB)
        if at_autoconfig:
            self.net.pages[("autoconfig." + domain, AUTOCONFIG)] = \
                at_autoconfig
        if at_well_known:
            self.net.pages[(domain, WELL_KNOWN)] = at_well_known

    def found(self, domain, by):
        return (by, "mail." + domain, "mail." + domain)

    def mail(self, *hosts):
        for host in hosts:
            self.net.host(host, MAIL)


# ---- what the domains do ----


def by_page(world, domain):
    world.web(domain, both(domain))
    return world.found(domain, "its autoconfig")


def by_well_known(world, domain):
    world.web(domain, None, both(domain))
    return world.found(domain, "its autoconfig")


def by_redirect(world, domain):
    world.web(domain, to("https://%s/there" % domain))
    world.net.pages[(domain, "/there")] = both(domain)
    return world.found(domain, "its autoconfig")


def by_mx(world, domain):
    world.net.records[(domain, "MX")] = [
        (20, "x.example"), (10, "aspmx.l.google.com")]
    return "google-workspace"


def by_records(world, domain):
    world.mail("mail." + domain)
    world.net.records[("_imaps._tcp." + domain, "SRV")] = [
        (0, 0, 993, "mail." + domain)]
    world.net.records[("_submission._tcp." + domain, "SRV")] = [
        (0, 0, 587, "mail." + domain)]
    return world.found(domain, "its SRV records")


def by_trying(world, domain):
    world.mail("mail." + domain)
    return world.found(domain, "trying")


def by_bomb(world, domain):
    world.web(domain, page(
        server("incomingServer", "&a8;", 993, "SSL"), head=BOMB),
        page(head="<!DOCTYPE c SYSTEM \"https://evil.example/x\">"))


def endless(world, domain):
    def serve(request):
        request.send_response(200)
        request.send_header("Content-Length", str(1 << 30))
        request.end_headers()
        block = b"<clientConfig>" + b" " * 65536
        world.sent[domain] = 0
        while world.sent[domain] < 1 << 30:
            request.wfile.write(block)
            world.sent[domain] += len(block)
    world.web(domain, serve)


def slow(world, domain):
    def serve(request):
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        for _ in range(1000):
            request.wfile.write(b" ")
            time.sleep(0.5)
    world.web(domain, serve)


def to_plain(world, domain):
    world.web(domain, to("http://%s/x" % domain),
              to("http://autoconfig.%s%s" % (domain, AUTOCONFIG)))


def to_evil(world, domain):
    world.web(domain, to("https://evil.example/x"))


def foreign(world, domain):
    """Servers of somebody else: nobody said yes to them by --yes."""
    world.web(domain, both("evil.example"))
    return ("not confirmed",)


def foreign_records(world, domain):
    world.mail("mail.firm.example")
    world.net.records[("_imaps._tcp." + domain, "SRV")] = [
        (0, 0, 993, "mail.firm.example")]
    world.net.records[("_submission._tcp." + domain, "SRV")] = [
        (0, 0, 587, "mail.firm.example")]
    return ("not confirmed",)


def circle(world, domain):
    world.web(domain, to("https://autoconfig.%s%s" % (domain, AUTOCONFIG)),
              to("https://%s%s" % (domain, WELL_KNOWN)))


def private(world, domain):
    world.web(domain, page(
        server("incomingServer", "10.0.0.1", 993, "SSL"),
        server("incomingServer", "localhost", 993, "SSL"),
        server("incomingServer", "mail." + domain, 143, "plain")))
    world.net.records[("_imaps._tcp." + domain, "SRV")] = [
        (0, 0, 993, "localhost"), (0, 0, 993, "127.9.1.2")]


def not_offered(world, domain):
    world.net.records[("_imaps._tcp." + domain, "SRV")] = [(0, 0, 0, ".")]


def wrong_name(world, domain):
    """A server there, but with another's certificate."""
    world.mail("mail." + domain)
    world.net.records[("_imaps._tcp." + domain, "SRV")] = [
        (0, 0, 993, "mail." + domain)]


def no_mail_there(world, domain):
    """A web server on the port that is named."""
    world.net.records[("_imaps._tcp." + domain, "SRV")] = [
        (0, 0, 443, domain)]


def bad_records(world, domain):
    """Answers that are cut, and a name that points at itself."""
    def cut(query, question):
        return query[:2] + b"\x84\0\0\1\0\5\0\0\0\0" + question + b"\xc0\x0c\0"

    def pointing(query, question):
        start = 12 + len(question)
        return query[:2] + b"\x84\0\0\1\0\1\0\0\0\0" + question + (
            b"\xc0\x0c\0\x21\0\1\0\0\0\x0a\0\x08\0\0\0\0\x03\xe1"
            + bytes([0xc0 | (start + 18) >> 8, (start + 18) & 0xff]))
    world.net.records[(domain, "MX")] = cut
    world.net.records[("_imaps._tcp." + domain, "SRV")] = pointing


def below(world, domain):
    """Its parent says where the mail is, and is not asked."""
    parent = domain.split(".", 1)[1]
    world.net.host(parent, WEB)
    world.net.host("autoconfig." + parent, WEB)
    world.net.pages[("autoconfig." + parent, AUTOCONFIG)] = both(parent)


CASES = {
    "page.example": by_page,
    "well-known.example": by_well_known,
    "redirect.example": by_redirect,
    "mx.example": by_mx,
    "srv.example": by_records,
    "try.example": by_trying,
    "bomb.example": by_bomb,
    "endless.example": endless,
    "slow.example": slow,
    "plain.example": to_plain,
    "sends-on.example": to_evil,
    "foreign.example": foreign,
    "hosted.example": foreign_records,
    "firm.example": by_trying,
    "circle.example": circle,
    "private.example": private,
    "not-offered.example": not_offered,
    "wrong-name.example": wrong_name,
    "web.example": no_mail_there,
    "bad-records.example": bad_records,
    "dept.parent.example": below,
}
NOT_CERTIFIED = {"mail.wrong-name.example"}


def run_setup(world, domain):
    path = os.path.join(world.folder, domain + ".conf")
    return subprocess.run(
        [BELFRYCTL, "setup", "-c", path, "ann@" + domain, "--yes",
         "--no-test", "--json", "--password-command", "false"],
        env={**os.environ, "HOME": world.folder}, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=80)


def check_case(world, domain, found):
    document, want = json.loads(found.stdout), world.want[domain]
    if want is None:
        same(found.returncode, 69, "%s: %s" % (domain, document))
        same(document["error"], NOTHING + domain, domain)
        check(not os.path.exists(os.path.join(
            world.folder, domain + ".conf")), "%s: written", domain)
    elif want == ("not confirmed",):
        same(found.returncode, 64, "%s: %s" % (domain, document))
        host = "evil.example" if domain == "foreign.example" else \
            "firm.example"
        check(document["error"].startswith(domain + " names servers of "
                                           "somebody else"), "%s", document)
        check("--imap imaps://mail.%s --smtp submission://mail.%s" % (
            host, host) in document["hint"], "%s", document)
        check(not os.path.exists(os.path.join(
            world.folder, domain + ".conf")), "%s: written", domain)
    elif isinstance(want, str):
        same(document["provider"], want, domain)
    else:
        check(document["ok"], "%s: %s", domain, document)
        same((document["found_by"], document["imap"]["host"],
              document["smtp"]["host"]), want, domain)
        same((document["imap"]["port"], document["smtp"]["tls"]),
             (993, "starttls"), domain)


def check_traces(world):
    """Only the domains themselves were asked, and nobody was told a secret."""
    for name, _ in world.net.asked:
        check(any(name == d or name.endswith("." + d) for d in CASES),
              "%s was asked for", name)
    hosts = {host for host, _, _ in world.net.requests}
    check("evil.example" not in hosts, "evil.example was asked")
    same(world.plain, [], "without TLS")
    check(not [r for r in world.net.requests if r[2]], "Authorization sent")
    told = {host for host, path, _ in world.net.requests
            if "emailaddress=" in path}
    check(all(host.startswith("autoconfig.") for host in told),
          "the address was told to %s", told)
    same((world.imap.logins, world.smtp.logins), (0, 0), "logins")
    check(world.imap.connections > 0, "nobody knocked")
    check(0 < world.sent["endless.example"] < BYTES_MAX, "%d bytes",
          world.sent["endless.example"])


def ask_elsewhere(world):
    """The person may say that another site is asked."""
    domain = "sends-on.example"
    env = {**os.environ, "HOME": world.folder}
    for answer, want in (("n\n", NOTHING), ("y\n", "mail.evil.example")):
        terminal = Terminal(
            [BELFRYCTL, "setup", "-c", world.folder + "/t.conf",
             "ann@" + domain, "--no-test", "--password-command", "false"],
            env)
        terminal.expect(r"sends on to evil\.example .*\? \[y/N\] ")
        terminal.send(answer)
        if answer == "n\n":
            terminal.expect(r"Ask Thunderbird's list .* \[y/N\] ")
            terminal.send("\n")
        else:
            shown = terminal.expect(r"from there\? \[y/N\] ")
            check("Not all of these are hosts of " + domain in shown, "%s",
                  shown)
            check(want in shown, "%s", shown)
            terminal.send("\n")
            want = "nothing was written"
        check(want in terminal.end(), "%s", terminal.shown)
    check(not os.path.exists(world.folder + "/t.conf"), "written")
    # Without a word nobody else was asked for.
    check("autoconfig.thunderbird.net" not in [n for n, _ in world.net.asked],
          "the list was asked")


def dead_name_server(world):
    """It is told soon, and without a wait for each thing that could be asked.
    """
    alive, world.net.answer = world.net.answer, lambda _: None
    asked = len(world.net.asked)
    os.remove(os.path.join(world.folder, "page.example.conf"))
    found = run_setup(world, "page.example")
    check("no name server answers" in found.stdout
          and "is this machine online?" in found.stdout, "%s", found.stdout)
    same((found.returncode, len(world.net.asked)), (69, asked), "dead")
    world.net.answer = alive


def broken_records(world):
    """Servers that fail for a domain are not dead."""
    domain = "well-known.example"
    world.net.records[(domain, "MX")] = lambda query, question: (
        query[:2] + b"\x84\x02\0\1\0\0\0\0\0\0" + question)
    os.remove(os.path.join(world.folder, domain + ".conf"))
    check_case(world, domain, run_setup(world, domain))
    check(("", "MX") in world.net.asked, "the root was not asked for")


def late_answers(world):
    """The end of all patience: a page that sends on and on, slowly."""
    domain, began = "circle.example", time.monotonic()

    def slowly(request):
        time.sleep(8)
        request.send_response(302)
        request.send_header("Location", "https://" + request.headers["Host"]
                            + request.path)
        request.send_header("Content-Length", "0")
        request.end_headers()
    for key in (("autoconfig." + domain, AUTOCONFIG), (domain, WELL_KNOWN)):
        world.net.pages[key] = slowly
    found = run_setup(world, domain)
    took = time.monotonic() - began
    check("not all was asked" in found.stdout, "%s", found.stdout)
    check(40 < took < 60, "%.0f s", took)
    print("late answers: ok (%.0f s)" % took)


def has_https():
    with open(os.path.join(BUILD, "config.h"), encoding="utf-8") as file:
        return "#define HAVE_LIBCURL 1" in file.read()


def main():
    if not has_https():
        print("built without libcurl")
        sys.exit(77)
    domains.enter()
    folder = tempfile.mkdtemp(prefix="belfry-discovery-")
    world = World(folder)
    try:
        with concurrent.futures.ThreadPoolExecutor(len(CASES)) as pool:
            runs = {d: pool.submit(run_setup, world, d) for d in CASES}
        for domain, run in runs.items():
            check_case(world, domain, run.result())
            print("%s: ok" % domain)
        check_traces(world)
        ask_elsewhere(world)
        print("asked elsewhere: ok")
        broken_records(world)
        dead_name_server(world)
        print("name servers: ok")
        if "LIVE_LONG" in os.environ:
            late_answers(world)
    finally:
        if "LIVE_KEEP" not in os.environ:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
