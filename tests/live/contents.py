#!/usr/bin/env -S python3 -B
"""What rules know of attachments, text and senders, on a real server."""

import email.message
import email.policy
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402


def letter(subject, text="Hello.\n", html=None, attachments=(),
           sender="Some Body <some@body.example>", **text_options):
    """attachments: (type, name, bytes)."""
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["From"] = sender
    message["To"] = "ann@example.com"
    message["Subject"] = subject
    message["Message-ID"] = "<%s@body.example>" % subject.replace(" ", ".")
    if text is not None:
        message.set_content(text, **text_options)
    if html is not None and text is not None:
        message.add_alternative(html, subtype="html")
    elif html is not None:
        message.set_content(html, subtype="html")
    for kind, name, content in attachments:
        message.add_attachment(content, *kind.split("/"), filename=name)
    return message.as_bytes()


def filed(user, daemon, wanted):
    """{mailbox: subjects}, once nothing is left to do."""
    every = sorted(s for subjects in wanted.values() for s in subjects)
    live.wait("all judged", lambda: len(daemon.history()) == len(every))
    daemon.wait_quiet()
    boxes = {name: sorted(m["subject"] for m in messages)
             for name, messages in user.mailboxes().items() if messages}
    live.same(boxes, {name: sorted(subjects)
                      for name, subjects in wanted.items()}, "mailboxes")


ATTACHED = """
[rule big]
when = attachment.size > 100K
move = Big
create = yes
[rule pdf]
when = attachment.type is application/pdf and attachment.count is 1
move = Pdf
create = yes
[rule name]
when = attachment.name ~ /rechnung.*\\.docx$/
move = Named
create = yes
[rule none]
when = not attachment
move = Bare
create = yes
"""


@live.case
def attachments(servers):
    user = servers.user()
    pdf, zipped = "application/pdf", "application/zip"
    with live.Daemon(servers, user.account() + ATTACHED) as daemon:
        daemon.wait_watching()
        user.deliver(
            letter("bare"),
            letter("bare html", html="<p>Hello.</p>"),
            letter("one pdf", attachments=[(pdf, "a.pdf", b"%PDF")]),
            letter("only a pdf", text=None,
                   attachments=[(pdf, "a.pdf", b"%PDF")]),
            letter("two pdfs", attachments=[(pdf, "a.pdf", b"%PDF"),
                                            (pdf, "b.pdf", b"%PDF")]),
            letter("big", attachments=[(zipped, "a.zip", b"z" * 120000)]),
            letter("nearly big", attachments=[(zipped, "a.zip", b"z" * 90000)]),
            letter("named", attachments=[
                (zipped, "Rechnung für März \"5\".docx", b"x")]))
        filed(user, daemon, {
            "Bare": ["bare", "bare html"],
            "Pdf": ["one pdf", "only a pdf"],
            "Big": ["big"],
            "Named": ["named"],
            "INBOX": ["two pdfs", "nearly big"],
        })
        live.check(not daemon.logged("rules see n"), "something was odd")


BODY = """
[rule plain]
when = body ~ /the needle/
move = Needle
create = yes
[rule greeting]
when = body has grüße
move = Greeting
create = yes
"""


@live.case
def bodies(servers):
    user = servers.user()
    far = "x" * 70 + "\n"
    with live.Daemon(servers, user.account() + BODY) as daemon:
        daemon.wait_watching()
        user.deliver(
            letter("plain", "here is the needle\n"),
            letter("not there", "here is a needle\n"),
            letter("html", None, "<p>here is <b>the</b>\nneedle"),
            letter("both", "read the other part\n", "<p>the needle</p>"),
            letter("deep", "the needle\n", "<p>x</p>",
                   [("application/pdf", "a.pdf", b"the needle")]),
            letter("attached only", attachments=[
                ("text/plain", "a.txt", b"the needle")]),
            letter("no text", None, attachments=[
                ("image/png", "a.png", b"the needle")]),
            letter("base64", "the needle\n", cte="base64"),
            letter("latin", "viele Grüße\n", charset="iso-8859-1",
                   cte="quoted-printable"),
            letter("before the cap", far * 800 + "the needle\n"),
            letter("behind the cap", far * 1600 + "the needle\n"),
            live.message("8 bit", body="viele grüße\n"))
        filed(user, daemon, {
            "Needle": ["plain", "html", "deep", "base64", "before the cap"],
            "Greeting": ["latin", "8 bit"],
            "INBOX": ["not there", "both", "attached only", "no text",
                      "behind the cap"],
        })
        live.check(not daemon.logged("rules see n"), "something was odd")


STRANGERS = """
[rule new]
when = new-sender
mark = $Stranger
"""


@live.case
def new_senders(servers):
    user = servers.user()
    daemon = live.Daemon(servers, user.account() + STRANGERS)
    new = ["$Stranger"]
    with daemon:
        daemon.wait_watching()
        user.deliver(letter("ann 1", sender="ann@a.example"),
                     letter("ann 2", sender="\"Ann\" <ANN@A.example>"),
                     letter("bob 1", sender="bob@a.example"))
        live.wait("three judged", lambda: len(daemon.history()) == 3)
        daemon.wait_quiet()
    with daemon:  # anew, with the same store
        daemon.wait_watching()
        user.deliver(letter("bob 2", sender="bob@a.example"),
                     letter("eve 1", sender="eve@a.example"))
        live.wait("five judged", lambda: len(daemon.history()) == 5)
        daemon.wait_quiet()
    flags = {s: user.flags("INBOX", s)
             for s in ("ann 1", "ann 2", "bob 1", "bob 2", "eve 1")}
    live.same(flags, {"ann 1": new, "ann 2": [], "bob 1": new, "bob 2": [],
                      "eve 1": new}, "flags")


def nested(depth):
    """Multiparts inside of each other, with one text at the bottom."""
    lines = []
    for i in range(depth):
        lines += ["Content-Type: multipart/mixed; boundary=b%d" % i, "",
                  "--b%d" % i]
    return "\n".join(lines + ["", "the needle"]) + "\n"


def swarm(count):
    part = ("--b\nContent-Type: application/octet-stream; name=\"%s\"\n"
            "Content-Disposition: attachment\n\nx\n")
    return "".join(part % ("n" * 60) for _ in range(count)) + "--b--\n"


@live.case
def hostile_structures(servers):
    """More parts than any answer can have: judged, and nothing breaks."""
    user = servers.user()
    rules = ("[rule a]\nwhen = attachment.count > 300\nmark = $Many\n"
             "[rule b]\nwhen = body has needle\nmark = $Needle\n")
    mixed = ["MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b"]
    with live.Daemon(servers, user.account() + rules) as daemon:
        daemon.wait_watching()
        user.deliver(
            live.message("before", body="the needle\n"),
            live.message("hundreds", headers=mixed, body=swarm(350)),
            live.message("thousands", headers=mixed, body=swarm(5000)),
            live.message("deep", headers=[
                "MIME-Version: 1.0",
                *nested(300).split("\n\n", 1)[0].split("\n")],
                body=nested(300).split("\n\n", 1)[1]),
            live.message("after", body="the needle\n"))
        live.wait("all judged", lambda: len(daemon.history()) == 5)
        daemon.wait_quiet()
        live.same(user.flags("INBOX", "before"), ["$Needle"], "before")
        live.same(user.flags("INBOX", "after"), ["$Needle"], "after")
        live.same(user.flags("INBOX", "hundreds"), ["$Many"], "hundreds")
        live.check(daemon.logged("warning.*does not tell what parts"),
                   "nobody said that the parts are not known")
        live.check(not daemon.logged("trouble"), "the connection broke")


if __name__ == "__main__":
    live.main()
