#!/usr/bin/env python3
"""sieve-filter.py: belfryctl test against Pigeonhole's sieve-filter.

    tests/bench/sieve-filter.py [--belfryctl PATH] [--messages 10000]
        [--rules 100,1000] [--runs 5] [--keep FOLDER]

Makes a Maildir of messages with headers of about 3.7 KB and small bodies, and
the same rules in both languages: every rule is tried on every message and
marks it with its own keyword, so that what matched can be read from what
either would do. First both are asked to say what they would do, message by
message; if they differ in one keyword of one message, the comparison is
worthless and this ends with 1. Then each is timed on the whole Maildir:
sieve-filter in its simulation mode with the script compiled before and its
index and cache warm, belfryctl with --summary. Both run alone, the first run
does not count, and the ratio is that of the best of the rest. Nothing passes
or fails on time.

sieve-filter comes from Debian's dovecot-sieve; without it there is nothing to
compare, and this ends with 77.
"""

import argparse
import json
import os
import pwd
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

WORDS = """report invoice meeting minutes patch release review status update
question server kernel driver network memory leak crash build failure order
delivery newsletter weekly digest offer account security notice reminder
photo holiday party dinner lunch contract draft final budget quarter""".split()
# What the rules and sieve-filter's own report ask of Dovecot's cache.
CACHED = ("hdr.from hdr.to hdr.cc hdr.subject hdr.list-id hdr.x-mailer "
          "hdr.message-id hdr.date size.virtual size.physical")


# ---- messages ----

def host(number):
    return f"host{number}.example"


def token(rng, length):
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return "".join(rng.choice(letters) for _ in range(length))


def folded(rng, length):
    text = token(rng, length)
    return "\r\n\t".join(text[i:i + 72] for i in range(0, length, 72))


def received(rng, number, hop):
    return (f"Received: from mx{hop}.{host(number % 50)} (mx{hop}."
            f"{host(number % 50)} [192.0.2.{1 + number % 250}])\r\n"
            f"\tby in{hop}.example.org (Postfix) with ESMTPS id "
            f"{token(rng, 12)}\r\n\t(using TLSv1.3 with cipher "
            "TLS_AES_256_GCM_SHA384 (256/256 bits))\r\n"
            f"\tfor <ann@example.org>; Sat, 21 Nov 2026 10:{hop:02}:00 +0000\r\n")


def make_message(rng, number):
    """A message as a big provider delivers it; the size of its header is what
    was measured of such mail. Most senders and lists have no rule."""
    # A few senders write most of the mail.
    sender = int(rng.paretovariate(0.6)) % 3000
    words = rng.sample(WORDS, 4)
    subject = " ".join(words)
    kind = rng.randrange(10)
    if kind == 0:
        subject = f"[project-{rng.randrange(3000)}] " + subject
    elif kind == 1:
        subject = f"=?UTF-8?Q?Gr=C3=BC=C3=9Fe=3A_{words[0]}?= ticket " \
                  f"{rng.randrange(3000)}"
    elif kind == 2:
        subject = f"Re: ticket {rng.randrange(3000)} " + subject
    lines = [f"Return-Path: <bounce@{host(sender)}>\r\n",
             "Delivered-To: ann@example.org\r\n"]
    lines += [received(rng, number, hop) for hop in range(4)]
    lines.append("Authentication-Results: mx.example.org;\r\n\tdkim=pass "
                 f"header.i=@{host(sender)} header.s=s1;\r\n\tspf=pass "
                 f"smtp.mailfrom=bounce@{host(sender)};\r\n\tdmarc=pass "
                 f"header.from={host(sender)}\r\n")
    lines.append("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
                 f"\td={host(sender)}; s=s1; h=from:to:subject:date;\r\n\tbh="
                 f"{token(rng, 43)}=;\r\n\tb={folded(rng, 344)}\r\n")
    lines.append("ARC-Seal: i=1; a=rsa-sha256; t=1795255200; cv=none;\r\n\t"
                 f"d=mx.example; s=arc;\r\n\tb={folded(rng, 344)}\r\n")
    lines.append("ARC-Message-Signature: i=1; a=rsa-sha256; "
                 "c=relaxed/relaxed;\r\n\td=mx.example; s=arc;\r\n\tbh="
                 f"{token(rng, 43)}=;\r\n\tb={folded(rng, 344)}\r\n")
    lines.append(f"From: \"User {sender}\" <user{sender}@{host(sender)}>\r\n")
    lines.append("To: Ann Example <ann@example.org>"
                 + (f",\r\n\tteam{rng.randrange(3000)}@example.org"
                    if kind in (3, 4) else "") + "\r\n")
    if kind == 5:
        lines.append(f"Cc: guest{rng.randrange(3000)}@example.net\r\n")
    lines.append(f"Subject: {subject}\r\n")
    lines.append(f"Date: Sat, 21 Nov 2026 10:{number % 60:02}:00 +0000\r\n")
    lines.append(f"Message-ID: <{number}.{token(rng, 10)}@{host(sender)}>\r\n"
                 .replace("/", "-").replace("+", "-"))
    if kind in (6, 7, 8):
        name = rng.randrange(3000)
        lines.append(f"List-Id: List {name} <list{name}.lists.example.org>\r\n"
                     f"List-Post: <mailto:list{name}@lists.example.org>\r\n"
                     f"List-Unsubscribe: <mailto:leave@lists.example.org>,\r\n"
                     f"\t<https://lists.example.org/leave/{token(rng, 60)}>\r\n"
                     "Precedence: list\r\n")
    lines.append(f"X-Mailer: Agent {rng.randrange(3000)}.{kind}\r\n")
    lines.append("MIME-Version: 1.0\r\n"
                 "Content-Type: text/plain; charset=UTF-8\r\n"
                 "Content-Transfer-Encoding: 8bit\r\n")
    header = "".join(lines)
    if len(header) < 3700:
        pad = folded(rng, 3700 - len(header) - 30)
        header += f"X-Provider-Diagnostics: {pad}\r\n"
    body = "".join(" ".join(rng.choices(WORDS, k=10)) + "\r\n"
                   for _ in range(rng.randrange(5, 40)))
    # As local delivery writes it.
    return (header + "\r\n" + body).replace("\r\n", "\n").encode()


def make_maildir(path, count):
    rng = random.Random(4711)
    for name in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(path, name))
    for number in range(count):
        name = f"{1795255200 + number}.M{number}P1.bench:2,"
        with open(os.path.join(path, "cur", name), "wb") as file:
            file.write(make_message(rng, number))


# ---- rules ----

def sieve_text(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def rule_from(i):
    value = f"user{i}@{host(i)}"
    return (f"from is {value}", f'address :is "from" "{value}"')


def rule_list(i):
    return (f"list-id has list{i}.lists.example.org",
            f'header :contains "list-id" "list{i}.lists.example.org"')


def rule_subject(i):
    word = WORDS[i % len(WORDS)]
    return (f"subject has ticket {i} and subject has {word}",
            f'allof(header :contains "subject" "ticket {i}",\n'
            f'\theader :contains "subject" "{word}")')


def rule_pattern(i):
    return (rf"subject ~ /^\[project-{i}\] /",
            'header :regex "subject" ' +
            sieve_text(rf"^\[project-{i}\] "))


def rule_domain(i):
    return (f"from.domain is {host(i)} and size > 1K",
            f'allof(address :domain :is "from" "{host(i)}",\n'
            '\tsize :over 1K)')


def rule_to(i):
    return (f"to is team{i}@example.org or cc is guest{i}@example.net",
            f'anyof(address :is "to" "team{i}@example.org",\n'
            f'\taddress :is "cc" "guest{i}@example.net")')


def rule_header(i):
    return (f"header(X-Mailer) has Agent {i}. and not list-id",
            f'allof(header :contains "x-mailer" "Agent {i}.",\n'
            '\tnot exists "list-id")')


KINDS = (rule_from, rule_list, rule_subject, rule_pattern, rule_domain,
         rule_to, rule_header)


def make_rules(folder, count):
    belfry, sieve = [], ['require ["imap4flags", "regex"];\n']
    for i in range(count):
        ours, theirs = KINDS[i % len(KINDS)](i // len(KINDS))
        belfry.append(f"[rule r{i}]\nwhen = {ours}\nmark = k{i}\n\n")
        sieve.append(f'if {theirs} {{\n\taddflag "k{i}";\n}}\n')
    ours = os.path.join(folder, f"rules-{count}.conf")
    theirs = os.path.join(folder, f"rules-{count}.sieve")
    with open(ours, "w", encoding="ascii") as file:
        file.write("".join(belfry))
    with open(theirs, "w", encoding="ascii") as file:
        file.write("".join(sieve))
    return ours, theirs


# ---- the two programs ----

class Bench:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.maildir = os.path.join(folder, "Maildir")
        self.dovecot = os.path.join(folder, "dovecot.conf")
        self.home = os.path.join(folder, "home")
        os.makedirs(self.home, exist_ok=True)
        # Dovecot reads no mail as root: both then run as nobody.
        self.user = pwd.getpwuid(os.getuid())
        self.as_user = {}
        if os.getuid() == 0:
            self.user = pwd.getpwnam("nobody")
            self.as_user = {"user": self.user.pw_uid,
                            "group": self.user.pw_gid, "extra_groups": []}
        with open(self.dovecot, "w", encoding="ascii") as file:
            file.write(f"""base_dir = {folder}/run
state_dir = {folder}/run
mail_location = maildir:{self.maildir}
mail_home = {self.home}
mail_uid = {self.user.pw_uid}
mail_gid = {self.user.pw_gid}
first_valid_uid = 0
first_valid_gid = 0
mail_fsync = never
mail_always_cache_fields = {CACHED}
log_path = /dev/stderr
ssl = no
plugin {{
  sieve_max_script_size = 0
  sieve_max_cpu_time = 0
}}
""")
        self.environment = {"PATH": os.environ["PATH"], "HOME": self.home,
                            "USER": self.user.pw_name, "LC_ALL": "C.UTF-8", "TZ": "UTC"}

    def run(self, argv, output=subprocess.DEVNULL):
        done = subprocess.run(argv, stdout=output, stderr=subprocess.PIPE,
                              env=self.environment, check=False, cwd="/",
                              **self.as_user)
        if done.returncode != 0:
            sys.stderr.buffer.write(done.stderr)
            sys.exit(f"{argv[0]}: exit code {done.returncode}")
        return done.stdout

    def sieve_filter(self, script):
        return ["sieve-filter", "-c", self.dovecot, script, "INBOX"]

    def belfryctl(self, rules, *more):
        return [self.options.belfryctl, "test", "--rules", rules, *more,
                self.maildir]

    def give(self, path):
        """To the user they run as."""
        for folder, _, files in os.walk(path):
            for name in [folder] + [f"{folder}/{file}" for file in files]:
                shutil.chown(name, self.user.pw_uid, self.user.pw_gid)

    def warm(self):
        """What sieve-filter asks for is in Dovecot's cache then."""
        self.run(["doveadm", "-c", self.dovecot, "fetch", CACHED, "mailbox",
                  "INBOX"])


def sieve_verdicts(bench, script):
    """What sieve-filter would do: Message-ID -> keywords."""
    text = bench.run(bench.sieve_filter(script), subprocess.PIPE).decode()
    verdicts = {}
    for message in text.split(">> Filtering message:")[1:]:
        name = re.search(r"^ *ID: +(<.*>)$", message, re.M)[1]
        flags = re.search(r"\+ add IMAP flags: (.*)", message)
        verdicts[name] = set(flags[1].split()) if flags else set()
    return verdicts


def belfry_verdicts(bench, rules):
    text = bench.run(bench.belfryctl(rules, "--json", "--brief"), subprocess.PIPE)
    return {message["message_id"]:
            {"k" + name[1:] for name in message["plan"]["matched"]}
            for message in json.loads(text)["messages"]}


def compare(bench, ours, theirs):
    """Ends the run where the two do not agree."""
    belfry = belfry_verdicts(bench, ours)
    sieve = sieve_verdicts(bench, theirs)
    if set(belfry) != set(sieve):
        sys.exit(f"they saw other messages: {len(belfry)} and {len(sieve)}")
    differing = [name for name in belfry if belfry[name] != sieve[name]]
    for name in differing[:10]:
        print(f"{name}: belfryctl {sorted(belfry[name])}, "
              f"sieve-filter {sorted(sieve[name])}")
    if differing:
        sys.exit(f"they disagree about {len(differing)} messages")
    return len(belfry), sum(map(len, belfry.values()))


def measure(bench, argv):
    """The best of the runs but the first: (seconds, of the processor)."""
    best = None
    for i in range(bench.options.runs + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.monotonic()
        bench.run(argv)
        wall = time.monotonic() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = (after.ru_utime - before.ru_utime +
               after.ru_stime - before.ru_stime)
        if i > 0:
            best = (min(best[0], wall), min(best[1], cpu)) if best else \
                (wall, cpu)
    return best


def bench_rules(bench, count):
    ours, theirs = make_rules(bench.folder, count)
    bench.run(["sievec", "-c", bench.dovecot, theirs])
    bench.give(bench.folder)
    messages, matches = compare(bench, ours, theirs)
    sieve = measure(bench, bench.sieve_filter(theirs))
    belfry = measure(bench, bench.belfryctl(ours, "--summary"))
    print(f"{count} rules, {messages} messages, {matches} matches, in which "
          "both agree")
    print("                      seconds   of the processor   us a message")
    for name, (wall, cpu) in ("sieve-filter", sieve), ("belfryctl", belfry):
        print(f"    {name:12}     {wall:8.3f} {cpu:18.3f} "
              f"{wall / messages * 1e6:14.1f}")
    print(f"    ratio            {sieve[0] / belfry[0]:8.1f} "
          f"{sieve[1] / belfry[1]:18.1f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--belfryctl", default="./belfryctl")
    parser.add_argument("--messages", type=int, default=10000)
    parser.add_argument("--rules", default="100,1000")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--keep", help="use this folder, and leave it")
    options = parser.parse_args()
    options.belfryctl = os.path.abspath(options.belfryctl)
    for program in "sieve-filter", "sievec", "doveadm":
        if not shutil.which(program):
            print(f"there is no {program}: nothing to compare with")
            sys.exit(77)
    folder = options.keep or tempfile.mkdtemp(prefix="belfry-bench.")
    try:
        os.makedirs(folder, exist_ok=True)
        bench = Bench(options, os.path.abspath(folder))
        if not os.path.exists(bench.maildir):
            make_maildir(bench.maildir, options.messages)
        bench.give(bench.folder)
        bench.warm()
        for count in map(int, options.rules.split(",")):
            bench_rules(bench, count)
    finally:
        if not options.keep:
            shutil.rmtree(folder)


main()
