#!/usr/bin/env -S python3 -B
"""belfryctl test and check: messages from every kind of file and folder, what
is judged of them, how it ends, and that the JSON is what belfryctl(1) says,
member by member: the section JSON OUTPUT is read as the schema."""

import json
import mailbox
import os
import re
import resource
import subprocess
import sys
import tempfile

HERE = os.path.realpath(os.environ.get("srcdir", "."))
BELFRYCTL = os.path.realpath(os.environ.get(
    "BELFRYCTL", os.environ.get("top_builddir", ".") + "/belfryctl"))
MANUAL = HERE + "/daemon/control/belfryctl.1"
ENVIRONMENT = {"HOME": "/nonexistent", "PATH": os.environ["PATH"],
               "LC_ALL": "C.UTF-8", "TZ": "UTC"}
ENVIRONMENT.update((name, value) for name, value in os.environ.items()
                   if name.endswith("SAN_OPTIONS"))

failures = 0


def fail(text):
    global failures
    failures += 1
    print("FAILED:", text)


def equal(name, got, want):
    if got != want:
        fail(f"{name}: {got!r}\n    instead of {want!r}")


def run(*argv, stdin=b"", **more):
    return subprocess.run([BELFRYCTL, *argv], input=stdin, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=ENVIRONMENT, timeout=120, **more)


# ---- the schema ----

def read_schema():
    """{"message": {"source": "text, the file", ...}, ...} of the manual."""
    with open(MANUAL, encoding="utf-8") as file:
        text = file.read().split(".Sh JSON OUTPUT\n")[1].split(".Ed")[0]
    schema = {}
    for line in text.split(".Bd -literal -offset indent\n")[1].splitlines():
        if re.match(r"\S.*:$", line):
            member, current = None, {}
            for name in line[:-1].split(", "):
                schema[name] = current
        elif found := re.match(r"    (\S.*?)  +(\S.*)", line):
            member = found[1]
            current[member] = found[2]
        elif line.strip():
            current[member] += " " + line.strip()
    return schema


def check_kind(schema, value, kind, where):
    head = re.split(r", | \(| +of bytes|  ", kind)[0].strip()
    if "or null" in kind and value is None:
        return
    if head.startswith("list of "):
        if not isinstance(value, list):
            fail(f"{where}: no list: {value!r}")
            return
        for i, item in enumerate(value):
            check_kind(schema, item, head[8:], f"{where}[{i}]")
    elif head.startswith("map of "):
        if not isinstance(value, dict):
            fail(f"{where}: no map: {value!r}")
            return
        for name, item in value.items():
            check_kind(schema, item, head[7:], f"{where}.{name}")
    elif head in schema:
        check_object(schema, value, head, where)
    elif " | " in kind:
        if value not in kind.split(" | "):
            fail(f"{where}: {value!r} is none of {kind}")
    elif head.startswith("text"):
        if not isinstance(value, str):
            fail(f"{where}: no text: {value!r}")
    elif head.startswith("number"):
        if not isinstance(value, int) or isinstance(value, bool):
            fail(f"{where}: no number: {value!r}")
    elif head.startswith("yes or no"):
        if not isinstance(value, bool):
            fail(f"{where}: neither true nor false: {value!r}")
    elif head == "time":
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value):
            fail(f"{where}: no time: {value!r}")
    else:
        fail(f"{where}: the manual has a kind that is none: {kind}")


def check_object(schema, value, name, where):
    if not isinstance(value, dict):
        fail(f"{where}: no object: {value!r}")
        return
    for member, kind in schema[name].items():
        if member in value:
            check_kind(schema, value[member], kind, f"{where}.{member}")
        elif "(with" not in kind:
            fail(f"{where}: {member} is missing")
    for member in value:
        if member not in schema[name]:
            fail(f"{where}: the manual does not know {member}")


def document(schema, kind, *argv, code=0, stdin=b""):
    done = run(*argv, "--json", stdin=stdin)
    name = " ".join(argv)
    equal(name + ": exit code", done.returncode, code)
    equal(name + ": standard error", done.stderr, b"")
    try:
        value = json.loads(done.stdout)
    except ValueError as error:
        fail(f"{name}: no JSON: {error}: {done.stdout[:300]!r}")
        return None
    check_object(schema, value, kind, name)
    return value


# ---- files ----

def write(path, data, mode=None):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as file:
        file.write(data.encode() if isinstance(data, str) else data)
    if mode is not None:
        os.chmod(path, mode)
    return path


def message(sender, subject, more="", body="x\n"):
    return f"From: {sender}\n{more}Subject: {subject}\n\n{body}"


RULES = """[list vip]
member = boss@example.org

[rule boss]
when = from in @vip
unless = bulk or subject has lunch
mark = flagged

[rule ci]
accounts = test
when = from is ci@example.org and subject ~ /^\\[(?<project>[a-z]+)\\]/
move = CI/${project}
stop = yes

[rule big]
when = size > 1M
when = subject is nothing
trash = yes

[rule old]
when = age > 1w
mode = observe
archive = yes

[rule second]
when = from in @vip
move = Boss

[rule third]
when = from in @vip
move = Other
"""


def test_schema(schema):
    write("rules.conf", RULES)
    write("boss.eml", message("boss@example.org", "hello"))
    write("lunch.eml", message("boss@example.org", "lunch"))
    write("ci.eml", message("ci@example.org", "[belfry] red"))
    write("empty.eml", "")
    base = ("test", "--rules", "rules.conf")
    got = document(schema, "test", *base, "boss.eml", "lunch.eml", "ci.eml",
                   "--now", "2040-01-01")
    outcomes = [[rule["outcome"] for rule in m["rules"]]
                for m in got["messages"]]
    equal("outcomes", outcomes, [
        ["matched", "not matched", "not matched", "observed", "matched",
         "matched"],
        ["vetoed", "not matched", "not matched", "observed", "matched",
         "matched"],
        ["not matched", "matched"] + 4 * ["not reached"]])
    boss = got["messages"][0]
    equal("conditions", [(c["kind"], c["result"], c["decided"], c["condition"],
                          c["values"], c["line"])
                         for c in boss["rules"][0]["conditions"]], [
        ("when", True, False, "from in @vip", "boss@example.org", 5),
        ("unless", False, False, "bulk", "", 6),
        ("unless", False, True, "subject has lunch", "hello", 6)])
    equal("plan", [(a["rule"], a["action"], a["target"])
                   for a in boss["plan"]["actions"]],
          [("boss", "mark", None), ("second", "move", "Boss")])
    equal("would", boss["plan"]["would"], ["old: move to the archive"])
    equal("second move", len(boss["plan"]["warnings"]), 1)
    equal("captures", got["messages"][2]["rules"][1]["captures"],
          {"project": "belfry"})
    got = document(schema, "test", *base, "boss.eml", "empty.eml", "gone",
                   "--summary", code=66)
    equal("errors", [e["source"] for e in got["errors"]],
          ["empty.eml", "gone"])
    equal("summary", (got["ok"], got["summary"]["messages"],
                      got["summary"]["unreadable"]), (False, 1, 2))
    equal("counts", got["summary"]["rules"][0]["matched"], 1)
    boss["plan"]["observed"] = boss["plan"]["would"] = []  # not as old now
    got = document(schema, "test", *base, "--brief", "boss.eml")
    equal("--brief", ("rules" in got["messages"][0],
                      got["messages"][0]["plan"]), (False, boss["plan"]))
    document(schema, "explain", "explain", "--rules", "rules.conf", "ci.eml")
    write("good.conf", "[account a]\nemail = ann@icloud.com\n"
          "password_command = true\n" + RULES.replace(
              "accounts = test\n", ""))
    got = document(schema, "check", "check", "good.conf")
    equal("check", (got["ok"], got["rules"], got["errors"]), (True, 6, 0))
    write("bad.conf", "[account a]\nemail = ann@icloud.com\n"
          "password_command = true\n[rule x]\nwhen = form is a\nmove = A\n")
    got = document(schema, "check", "check", "bad.conf", code=78)
    equal("problem", [(p["severity"], os.path.basename(p["file"]), p["line"],
                       p["column"], p["hint"]) for p in got["problems"]],
          [("error", "bad.conf", 5, 8, "did you mean `from`?")])
    got = document(schema, "check --settings", "check", "--settings")
    if len(got["settings"]) < 50:
        fail("check --settings: settings are missing")


def test_expect(schema):
    base = ("test", "--rules", "rules.conf")
    for rules, path, code in (
            ("boss, second,third", "boss.eml", 0), ("boss", "boss.eml", 1),
            ("none", "boss.eml", 1), ("none", "ci.eml", 1),
            ("ci", "ci.eml", 0), ("bosss", "ci.eml", 64)):
        got = run(*base, "--expect", rules, path)
        equal(f"--expect {rules} {path}", got.returncode, code)
    if b"did you mean `boss`?" not in run(
            *base, "--expect", "bosss", "ci.eml").stderr:
        fail("--expect: no hint")
    got = document(schema, "test", *base, "--expect", "ci", "ci.eml",
                   "boss.eml", code=1)
    equal("expected", ([m["expected"] for m in got["messages"]],
                       got["summary"]["unexpected"], got["ok"]),
          ([True, False], 1, False))


# ---- what is read ----

def judged(*argv, code=0, stdin=b"", rules="only.conf"):
    done = run("test", "--json", "--rules", rules, *argv, stdin=stdin)
    equal(f"{argv}: exit code", done.returncode, code)
    return json.loads(done.stdout)


def listed(*argv, **more):
    return [(m["source"], m["mailbox"], m["subject"])
            for m in judged(*argv, **more)["messages"]]


def errors(*argv):
    return [(e["source"], e["error"])
            for e in judged(*argv, code=66)["errors"]]


def test_folders():
    write("only.conf", "[rule only]\nwhen = subject is hi\nmove = Hi\n")
    for folder in ("", "/.Lists.lkml", "/.Entw&APw-rfe", "/Work/sub"):
        for name in ("cur", "new", "tmp"):
            os.makedirs(f"md{folder}/{name}")
    write("md/cur/1795255200.M1.x:2,FS", message("a@b", "one"))
    write("md/new/1795255201.M2.x", message("a@b", "two"))
    write("md/tmp/1795255202.M3.x", message("a@b", "unfinished"))
    write("md/.Lists.lkml/cur/9.x:2,P", message("a@b", "three"))
    write("md/.Entw&APw-rfe/new/9.x", message("a@b", "four"))
    write("md/Work/sub/cur/9.x:2,T", message("a@b", "five"))
    write("md/sieve/x.sieve", "keep;\n")
    write("md/dovecot-uidlist", "3 V1\n")
    os.symlink("..", "md/Work/loop")
    equal("Maildir", listed("md/"), [
        ("md/cur/1795255200.M1.x:2,FS", "INBOX", "one"),
        ("md/new/1795255201.M2.x", "INBOX", "two"),
        ("md/.Entw&APw-rfe/new/9.x", "Entw\u00fcrfe", "four"),
        ("md/.Lists.lkml/cur/9.x:2,P", "Lists/lkml", "three"),
        ("md/Work/sub/cur/9.x:2,T", "Work/sub", "five")])
    equal("flags", [m["flags"] for m in judged("md")["messages"]],
          [["\\Flagged", "\\Seen"], [], [], ["$Forwarded"], ["\\Deleted"]])
    equal("time of the name", judged("md/cur")["messages"][0]["received"][:10],
          judged("md/cur", "--now", "2001-01-01")["messages"][0]["received"]
          [:10])
    equal("--mailbox", {m[1] for m in listed("md", "--mailbox", "X")}, {"X"})
    equal("--flags", judged("md/new", "--flags", "read,$Junk")["messages"][0]
          ["flags"], ["\\Seen", "$Junk"])
    for name in ("1", "2", "10", ".mh_sequences", ",3", "inner/7", "notes"):
        write("mh/" + name, message("a@b", name))
    equal("MH", [m[0] for m in listed("mh")],
          ["mh/1", "mh/2", "mh/10", "mh/inner/7"])


def test_odd_files():
    write("odd/a.eml", message("a@b", "a"))
    write("odd/b.eml", "")
    write("odd/c.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\0")
    write("odd/d.txt", "no header here\nnor here\n")
    write("odd/e.eml", b"\xef\xbb\xbf" + message("a@b", "mark").encode())
    write("odd/.hidden", message("a@b", "hidden"))
    write("odd/g/deep.eml", message("a@b", "deep"))
    os.mkfifo("odd/fifo")
    os.symlink("nowhere", "odd/dangling")
    os.symlink("self", "odd/self")
    os.symlink("..", "odd/g/loop")
    os.symlink("a.eml", "odd/link")
    wanted = [("odd/b.eml", "the file is empty"),
              ("odd/c.gz", "packed by gzip: unpack it first"),
              ("odd/d.txt", "no message: it has no header"),
              ("odd/dangling", "No such file or directory"),
              ("odd/self", "Too many levels of symbolic links")]
    if os.getuid() != 0:
        write("odd/secret", message("a@b", "x"), 0)
        wanted.insert(4, ("odd/secret", "Permission denied"))
    equal("odd files", errors("odd"), wanted)
    equal("odd messages", [m[2] for m in listed("odd", code=66)],
          ["a", "mark", "a", "deep"])
    equal("device", errors("/dev/null"),
          [("/dev/null", "neither a file nor a folder")])
    equal("FIFO", errors("odd/fifo"), [("odd/fifo", "the file is empty")])
    equal("standard input", listed("-", stdin=message("a@b", "in").encode()),
          [("-", "INBOX", "in")])
    equal("no standard input", run("test", "--rules", "only.conf", "-")
          .returncode, 66)
    reader, writer = os.pipe()
    os.write(writer, message("a@b", "pipe").encode())
    os.close(writer)
    done = subprocess.run([BELFRYCTL, "test", "--rules", "only.conf", "--json",
                           f"/dev/fd/{reader}"], pass_fds=(reader,),
                          stdout=subprocess.PIPE, env=ENVIRONMENT, timeout=60,
                          check=False)
    os.close(reader)
    equal("pipe", json.loads(done.stdout)["messages"][0]["subject"], "pipe")


def test_mbox():
    box = ("From a@b Mon Jan  1 10:00:00 2024\n"
           "From: a@b\nSubject: one\nStatus: RO\nX-Status: AF\n"
           "Content-Length: 3\n\n"
           "From the 10:30 train I write.\n\nFrom Sun to Mon at 10:30 I sleep\n"
           ">From x\n>>From y\n\n"
           "From c d at e  Tue Jan  2 11:00:00 2024\r\n"
           "From: c@d\r\nSubject: two\r\n\r\nbody\r\n\r\n"
           "From - Wed Jan 03 12:00:00 +0100 2024\n"
           "From: e@f\nSubject: three\n\nlast\n")
    write("mbox", box)
    got = judged("mbox")["messages"]
    equal("mbox", [(m["index"], m["subject"], m["received"], m["flags"])
                   for m in got], [
        (1, "one", "2024-01-01T10:00:00Z",
         ["\\Seen", "\\Answered", "\\Flagged"]),
        (2, "two", "2024-01-02T11:00:00Z", []),
        (3, "three", "2024-01-03T11:00:00Z", [])])
    first = box.split("From c d")[0].split("\n", 1)[1]
    unquoted = first.replace("\n>From", "\nFrom").replace("\n>>From",
                                                          "\n>From")
    equal("size", got[0]["size"], len(unquoted) + unquoted.count("\n"))
    write("boxes/a.mbox", box)
    write("boxes/b.mbox", box + 3000 * "y y y\n")
    equal("folder of mboxes", [m[2] for m in listed("boxes")],
          2 * ["one", "two", "three"])
    equal("mbox of one", [m[2] for m in listed(
        "-", stdin=box.split("From c d")[0].encode())], ["one"])
    # What another program writes.
    other = mailbox.mbox("other.mbox")
    for i in range(50):
        mail = mailbox.mboxMessage(message(
            "a@b", f"n{i}", body="From me\n\nFrom: you\n" + "y" * 20000
            + "\n"))
        mail.set_from("a@b", (2024, 1, 1, 0, 0, i, 0, 1, 0))
        other.add(mail)
    other.close()
    equal("mbox of another", [m[2] for m in listed("other.mbox")],
          [f"n{i}" for i in range(50)])


def test_received():
    received = ("Received: from x by y (z; 1)\n\tfor <a@b>;"
                " Sat, 21 Nov 2026 10:00:00 +0100\n")
    write("recv/1.eml", message("a@b", "x", received))
    write("recv/2.eml", message("a@b", "x", received.replace("2026", "2150")))
    write("recv/3.eml", message("a@b", "x"))
    for name in ("1", "2", "3"):
        os.utime(f"recv/{name}.eml", (10 ** 9, 10 ** 9))
    equal("received", [m["received"] for m in judged(
        "recv", "--now", "2026-12-01")["messages"]],
          ["2026-11-21T09:00:00Z"] + 2 * ["2001-09-09T01:46:40Z"])


def test_local_time():
    """${date} is that of the day when it came, in winter and in summer."""
    write("date.conf", "[rule a]\nwhen = all\nmove = ${date} ${date.hour}\n")
    write("date/1.eml", message("a@b", "x", "Received: from x by y;"
                                " Thu, 01 Aug 2024 00:30:00 +0200\n"))
    ENVIRONMENT["TZ"] = "CET-1CEST,M3.5.0,M10.5.0/3"
    for now in ("2025-01-15", "2025-07-15"):
        done = run("test", "--rules", "date.conf", "date/1.eml",
                   "--now", now, "--brief")
        equal("date at " + now, b"move to 2024-08-01 00" in done.stdout, True)
    ENVIRONMENT["TZ"] = "UTC"


def test_sizes():
    """The same message in every dress is of one size; and nothing of a huge
    one is kept."""
    body = "".join(f"line {i}\n" for i in range(20000))
    text = message("a@b", "x", body=body)
    crlf = text.replace("\n", "\r\n")
    write("size/lf", text)
    write("size/crlf", crlf)
    write(f"box/cur/1.x,S={len(text)},W={len(crlf)}:2,", text)
    os.makedirs("box/new")
    equal("sizes", [m["size"] for m in judged("size", "box")["messages"]],
          3 * [len(crlf)])
    long = "X-Long: " + 100000 * "y" + "\n"
    write("long.eml", message("a@b", "behind", long))
    equal("long header", listed("long.eml")[0][2], "behind")
    write("longer.eml", message("a@b", "behind", 20 * long))
    equal("too long header", listed("longer.eml")[0][2], "")
    write("huge.eml", message("a@b", "huge"))
    os.truncate("huge.eml", 3 << 30)
    limit = 400 << 20
    if "SAN_OPTIONS" in "".join(ENVIRONMENT):
        return
    done = run("test", "--rules", "only.conf", "huge.eml", "--json",
               preexec_fn=lambda: resource.setrlimit(
                   resource.RLIMIT_AS, (limit, limit)))
    equal("huge", json.loads(done.stdout)["messages"][0]["subject"], "huge")


def test_body():
    write("body.conf", "[rule body]\nwhen = body has needle\nmove = A\n"
          "[rule parts]\nwhen = attachment.name has .pdf\nmark = flagged\n")
    mime = ("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n")
    body = ("--b\n\nthe needle\n--b\nContent-Type: application/pdf\n"
            "Content-Disposition: attachment; filename=\"bill.pdf\"\n\n"
            + 3000 * "JVBERi0xLjQK\n" + "--b--\n")
    text = message("a@b", "parts", mime, body)
    write("parts/1.eml", text)
    write("parts/2.eml", message("a@b", "plain", body="From a needle\n"))
    write("parts/3.eml", message("a@b", "nothing"))
    got = judged("parts", rules="body.conf")["messages"]
    equal("body", [m["plan"]["matched"] for m in got],
          [["body", "parts"], ["body"], []])
    box = "".join(f"From a@b Mon Jan  1 10:00:00 2024\n{part}\n" for part in
                  (text, message("a@b", "plain", body=">From a needle\n")))
    got = judged("-", rules="body.conf", stdin=box.encode())["messages"]
    equal("body of an mbox", [m["plan"]["matched"] for m in got],
          [["body", "parts"], ["body"]])
    equal("unquoted", got[1]["rules"][0]["conditions"][0]["values"]
          .startswith("From a needle"), True)
    got = json.loads(run("test", "--rules", "body.conf", "--json", "--summary",
                         "parts").stdout)["summary"]["rules"]
    equal("summary of bodies", [r["matched"] for r in got], [2, 1])


def test_many():
    """Ten thousand files: in order, in bounded memory, one document."""
    os.makedirs("many/cur")
    os.makedirs("many/new")
    for i in range(10000):
        write(f"many/cur/{1600000000 + i}.M{i}.x:2,", message("a@b", f"n{i}"))
    limit = 200 << 20
    more = {}
    if "SAN_OPTIONS" not in "".join(ENVIRONMENT):
        more["preexec_fn"] = lambda: resource.setrlimit(
            resource.RLIMIT_AS, (limit, limit))
    done = run("test", "--rules", "only.conf", "--json", "many", **more)
    equal("many", [m["subject"] for m in json.loads(done.stdout)["messages"]],
          [f"n{i}" for i in range(10000)])


TEXT = """\
boss.eml
    From:    boss@example.org
    Subject: hello
    Judged:  test/INBOX, 45 bytes, unread, flagged, received 2026-11-21 10:00
  boss    matched         when    yes  from in @vip            boss@example.org
                          unless  no   bulk                    -
                       *  unless  no   subject has lunch       hello
  ci      not matched  *  when    no   from is ci@example.org  boss@example.org
  big     not matched  *  when    no   size > 1M               45
  old     not matched  *  when    no   age > 1w                1
  second  matched      *  when    yes  from in @vip            boss@example.org
  third   matched      *  when    yes  from in @vip            boss@example.org
  plan:
    mark flagged  rule boss
    move to Boss  rule second
    warning: rule third would move the message, but rule second does already

ci.eml
    From:    ci@example.org
    Subject: [belfry] red
    Judged:  test/INBOX, 50 bytes, unread, flagged, received 2026-11-21 10:00
  boss    not matched  *  when  no   from in @vip                         ci@example.org
  ci      matched         when  yes  from is ci@example.org               ci@example.org
                       *  when  yes  subject ~ /^\\[(?<project>[a-z]+)\\]/  [belfry] red
                                     ${project} is                        belfry
  big     not reached                rule ci ended the run
  old     not reached                rule ci ended the run
  second  not reached                rule ci ended the run
  third   not reached                rule ci ended the run
  plan:
    move to CI/belfry  rule ci

"""


def test_text():
    """What a person reads."""
    os.utime("boss.eml", (1795255200, 1795255200))
    os.utime("ci.eml", (1795255200, 1795255200))
    done = run("test", "--rules", "rules.conf", "boss.eml", "ci.eml",
               "--now", "2026-11-21T10:00:01Z", "--flags", "flagged")
    equal("text", done.stdout.decode(), TEXT)
    done = run("test", "--rules", "rules.conf", "ci.eml", "-v",
               "--now", "2026-11-21T10:00:01Z", "--flags", "flagged")
    equal("--verbose", done.stdout.decode(), "ci.eml" +
          TEXT.split("ci.eml", 1)[1])


def main():
    schema = read_schema()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        test_schema(schema)
        test_expect(schema)
        test_folders()
        test_odd_files()
        test_mbox()
        test_received()
        test_local_time()
        test_sizes()
        if "--no-body" not in sys.argv:
            test_body()
        test_many()
        test_text()
        os.chdir("/")
    sys.exit(1 if failures else 0)


main()
