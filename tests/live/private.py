#!/usr/bin/env -S python3 -B
"""`privacy = count`: all that a notifier of each type gets is compared with
what it may get."""

import json
import os
import sys
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import desktop  # noqa: E402
import live  # noqa: E402
import push_services  # noqa: E402

WATCH = "watch = Hidden\n"
RULE = """[rule hush]
when = subject ~ /secret/
notify = yes
title = The secret of ${from.name}
text = ${subject}
icon = secret-icon
sound = secret-sound

"""
# Into a file of its own, which is there when it is whole.
COMMAND = """
file=%(dir)s/got.$$
{ env | grep ^BELFRY_ | sort; echo; cat; } >"$file.part"
mv "$file.part" "$file"
"""
TEMPLATE = "&".join("%s=${%s}" % (name, name) for name in (
    "title", "body", "preview", "urgency", "account", "mailbox", "uid",
    "message-id", "url"))
LETTER = live.message("secret code 482913", body="Your code is 482913.\n")


def append(user):
    imap = user.imap()
    live.same(imap.append("Hidden", None, None, LETTER)[0], "OK",
              "APPEND")
    imap.logout()


def delete(user):
    imap = user.imap()
    imap.select("Hidden")
    imap.store("1:*", "+FLAGS", "(\\Deleted)")
    imap.expunge()
    imap.logout()


def run(servers, section, got, privately, is_over=lambda: True):
    """One message, then what is there of it, by `got(daemon)`; once private
    by the account, once by the notifier. It is deleted while the daemon is
    away, then while it runs."""
    user = servers.user()
    user.create("Hidden")
    daemon = live.Daemon(servers, "")
    section = section(daemon)
    daemon.write(user.account(WATCH + "privacy = count\n") + RULE + section)
    with daemon:
        daemon.wait_watching()
        append(user)
        privately(got(daemon), user.name)
    delete(user)
    daemon.write(user.account(WATCH) + RULE + section + "privacy = count\n")
    with daemon:
        live.wait("it to be over", is_over)
        daemon.wait_watching()
        append(user)
        privately(got(daemon), user.name)
        delete(user)
        live.wait("it to be over", is_over)


@live.case
def a_command(servers):
    def section(daemon):
        return "[notifier mine]\ntype = exec\ncommand = %s\n" % daemon.script(
            "mine", COMMAND % {"dir": daemon.path("")})

    def got(daemon):
        def files():
            folder = daemon.path("")
            return [os.path.join(folder, name) for name in os.listdir(folder)
                    if name.startswith("got.") and not name.endswith(".part")]
        live.wait("the command", files)
        text = live.read(files()[0])
        os.remove(files()[0])
        return text

    def privately(text, name):
        names, _, given = text.partition("\n\n")
        title = "New message in " + name
        fields = dict(line.split("=", 1) for line in names.splitlines())
        live.same(fields, {
            "BELFRY_ACCOUNT": name, "BELFRY_MAILBOX": "", "BELFRY_UID": "0",
            "BELFRY_RULE": "", "BELFRY_FROM": "", "BELFRY_SUBJECT": "",
            "BELFRY_URGENCY": "normal", "BELFRY_MESSAGE_ID": "",
            "BELFRY_URL": "", "BELFRY_TITLE": title, "BELFRY_TEXT": ""},
                  "the environment")
        live.same(given.split(), ["Subject:"] + title.split(), "the input")

    run(servers, section, got, privately)


def helper(servers, name, section, env):
    screen = desktop.Desktop(servers, name)
    user = servers.user()
    user.create("Hidden")
    for account, notifier in (("privacy = count\n", ""),
                              ("", "privacy = count\n")):
        with live.Daemon(
                servers, user.account(WATCH + account) + RULE +
                section(screen) + notifier, env=env(screen)) as daemon:
            daemon.wait_watching()
            append(user)
            title = "New message in " + user.name
            fields = dict(screen.request(title))
            for key in ("key", "id"):
                fields.pop(key)
            live.same(set(fields.pop("actions").split(",")),
                      {"default", "read", "archive", "trash"}, "actions")
            live.same(fields, {
                "verb": "notify", "account": user.name, "mailbox": "",
                "uidvalidity": "0", "uid": "0", "urgency": "normal",
                "title": title, "body": "", "preview": "",
                "icon": "mail-unread", "sound": "message-new-email",
                "message-id": "", "url": ""}, "what it got")
            # It finds its message all the same.
            screen.press(title, "trash")
            user.wait_subjects("Hidden", [])


@live.case
def the_desktop(servers):
    helper(servers, "private", lambda screen: desktop.NOTIFIER,
           lambda screen: screen.env)


@live.case
def a_program(servers):
    helper(servers, "program", lambda screen:
           "[notifier own]\ntype = program\ncommand = %s\n" % screen.program,
           lambda screen: {})


def webhook(servers, service, path, keys, expected, is_over=lambda: True):
    def got(daemon):
        def posted():
            # What takes back has none.
            return [(headers, body.decode())
                    for headers, body in service.asked if body]
        request = live.wait("the request", posted)[0]
        daemon.wait_log("done.*shown by hook", len(daemon.logged("started")))
        del service.asked[:]
        return request

    def privately(request, name):
        headers, body = request
        title = "New message in " + name
        live.same(expected(body), expected.wanted(title, name), "the body")
        for word in ("secret", "Some", "Hidden", "hush", "482913", "body."):
            live.check(word not in headers + body, "%s is in %r", word,
                       request)

    run(servers, lambda daemon: service.section(path, keys), got, privately,
        is_over)


def wanted(function):
    def add(read):
        read.wanted = function
        return read
    return add


class Anything(push_services.Service):
    """Takes all; a POST says no id."""

    def take(self, verb, path, headers, body):
        return 200, {}


@live.case
def a_webhook_with_json(servers):
    @wanted(lambda title, name: {
        "title": title, "body": "", "urgency": "normal", "account": name,
        "mailbox": "", "message_id": "", "url": "", "uidvalidity": 0,
        "uid": 0})
    def read(body):
        return json.loads(body)

    webhook(servers, Anything(servers), "/x", "", read)


@live.case
def a_webhook_with_a_template(servers):
    @wanted(lambda title, name: {
        "title": [title], "body": [""], "preview": [""],
        "urgency": ["normal"], "account": [name], "mailbox": [""],
        "uid": ["0"], "message-id": [""], "url": [""]})
    def read(body):
        return urllib.parse.parse_qs(body, keep_blank_values=True)

    webhook(servers, Anything(servers), "/x", "body = %s\n"
            "header = Content-Type: application/x-www-form-urlencoded"
            % TEMPLATE, read)


@live.case
def ntfy(servers):
    @wanted(lambda title, name: title)
    def read(body):
        return body

    # What was sent is taken back, though its name does not tell the message.
    service = push_services.Ntfy(servers)
    webhook(servers, service, "/ann",
            "format = ntfy\ntoken_command = echo " + service.token, read,
            lambda: not service.kept)


@live.case
def gotify(servers):
    @wanted(lambda title, name: {
        "title": title, "message": title, "priority": 5})
    def read(body):
        return json.loads(body)

    service = push_services.Gotify(servers)
    webhook(servers, service, "/message", "format = gotify\n"
            "token_command = echo %s\ncancel_token_command = echo %s"
            % (service.application, service.client), read,
            lambda: not service.kept)


@live.case
def the_journal(servers):
    """Where there is none, it is the log."""
    entry = " notification account="
    if os.path.exists("/dev/log") or os.path.exists("/run/systemd/journal"):
        print("not tried: there is one, which the test cannot read")
        return

    def got(daemon):
        daemon.wait_log(entry, len(daemon.logged("started")))
        return daemon.logged(entry)[-1]

    def privately(line, name):
        live.same(line.strip().partition(entry)[2],
                  '%s title="New message in %s"' % (name, name),
                  "the entry")

    run(servers, lambda daemon: "[notifier mine]\ntype = journal\n",
        got, privately)


if __name__ == "__main__":
    live.main()
