#!/usr/bin/env python3
"""What servers.sh cannot say in shell. Reads the variables it exports.

  servers.py ports N                 N free TCP ports of 127.0.0.1
  servers.py wait PID PORT...        until all are served, or PID is dead
  servers.py wait-file PID FILE      until the file is there, likewise
  servers.py deliver USER FILE [SENDER]
  servers.py list USER               the mailboxes, for people
  servers.py dump USER               the same as JSON
  servers.py sent                    what was submitted, for people
"""

import email
import email.header
import email.policy
import imaplib
import json
import os
import random
import re
import smtplib
import socket
import ssl
import sys
import time

START_SECONDS = 60
# Below those that connections get, which come and go while a server that was
# ended is to come back to its port.
PORTS = range(12000, 32000)


def free_ports(count):
    """Their numbers; another may take one before it is used."""
    held = []
    while len(held) < int(count):
        try:
            held.append(socket.create_server(
                ("127.0.0.1", random.choice(PORTS))))
        except OSError:
            continue
    # All are held before any is let go, so that they differ.
    found = [s.getsockname()[1] for s in held]
    for one in held:
        one.close()
    return found


def ports(count):
    print(*free_ports(count))


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def is_served(port):
    try:
        socket.create_connection(("127.0.0.1", int(port)), 1).close()
    except OSError:
        return False
    return True


def wait_for(pid, is_there):
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and is_alive(int(pid)):
        if is_there():
            return
        time.sleep(0.05)
    sys.exit(1)


def wait(pid, *which):
    wait_for(pid, lambda: all(is_served(port) for port in which))


def wait_file(pid, path):
    wait_for(pid, lambda: os.path.exists(path))


def deliver(user, path, sender="sender@example.net"):
    """The bytes go as they are, but for the line ends."""
    with open(path, "rb") as file:
        data = file.read()
    data = re.sub(rb"\r\n|\r|\n", b"\r\n", data)
    port = int(os.environ["SERVERS_LMTP_PORT"])
    with smtplib.LMTP("127.0.0.1", port) as lmtp:
        lmtp.sendmail(sender, [user], data, ["BODY=8BITMIME"])


def connect(user):
    context = ssl.create_default_context(cafile=os.environ["SERVERS_CA"])
    imap = imaplib.IMAP4_SSL(
        "localhost", int(os.environ["SERVERS_IMAPS_PORT"]), ssl_context=context
    )
    imap.login(user, os.environ.get("SERVERS_PASSWORD", "secret"))
    return imap


def decode(value):
    """A header's text on one line; what cannot be decoded stays."""
    try:
        text = str(email.header.make_header(email.header.decode_header(value)))
    except (ValueError, LookupError, email.errors.MessageError):
        text = str(value)
    return " ".join(text.split())


def read_message(item):
    """One FETCH answer: (b'1 (UID 1 FLAGS (...) ... {n}', b'header')."""
    uid = int(re.search(rb"UID (\d+)", item[0]).group(1))
    flags = re.search(rb"FLAGS \(([^)]*)\)", item[0]).group(1).decode()
    size = int(re.search(rb"RFC822.SIZE (\d+)", item[0]).group(1))
    header = email.message_from_bytes(item[1], policy=email.policy.compat32)
    return {
        "uid": uid,
        "flags": sorted(f for f in flags.split() if f != "\\Recent"),
        "size": size,
        "from": decode(header.get("From", "")),
        "subject": decode(header.get("Subject", "")),
        "message-id": str(header.get("Message-ID", "")).strip(),
    }


def read_mailbox(imap, name):
    quoted = '"%s"' % name.replace("\\", "\\\\").replace('"', '\\"')
    imap.select(quoted, readonly=True)
    _, answer = imap.uid(
        "FETCH",
        "1:*",
        "(UID FLAGS RFC822.SIZE "
        "BODY.PEEK[HEADER.FIELDS (FROM SUBJECT MESSAGE-ID)])",
    )
    return [read_message(item) for item in answer if isinstance(item, tuple)]


def list_names(imap):
    """Of the mailboxes that can have messages, INBOX first."""
    _, lines = imap.list()
    names = []
    for line in lines:
        match = re.match(rb'\((.*?)\) "." "?(.*?)"?$', line)
        if match and b"\\noselect" not in match.group(1).lower():
            names.append(match.group(2).decode())
    return sorted(names, key=lambda name: (name != "INBOX", name))


def read_account(user):
    """{mailbox: [message]}, INBOX first."""
    imap = connect(user)
    account = {name: read_mailbox(imap, name) for name in list_names(imap)}
    imap.logout()
    return account


def show_message(message):
    flags = " ".join(f.lstrip("\\").lower() for f in message["flags"])
    print("    %s%s" % (message["subject"][:60], flags and "  [%s]" % flags))


def list_account(user):
    for name, messages in read_account(user).items():
        print("  %-28s %d" % (name, len(messages)))
        for message in messages:
            show_message(message)


def dump(user):
    json.dump(read_account(user), sys.stdout, indent=1)
    print()


def read_sent(folder):
    """What submission.py stored: the envelopes, each with its message."""
    sent = []
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".json"):
            continue
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            envelope = json.load(file)
        envelope["name"] = name[:-5]
        with open(os.path.join(folder, name[:-5] + ".eml"), "rb") as file:
            envelope["message"] = email.message_from_bytes(file.read())
        sent.append(envelope)
    return sent


def sent():
    for envelope in read_sent(os.environ["SERVERS_SENT"]):
        message = envelope["message"]
        print("  %s -> %s" % (envelope["from"], ", ".join(envelope["to"])))
        print("    %s" % decode(message.get("Subject", ""))[:60])


COMMANDS = {
    "ports": ports,
    "wait": wait,
    "wait-file": wait_file,
    "deliver": deliver,
    "list": list_account,
    "dump": dump,
    "sent": sent,
}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
