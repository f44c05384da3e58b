#!/usr/bin/env -S python3 -B
"""Webhooks and what a phone shows of them: ntfy and Gotify, as documented."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import desktop  # noqa: E402
import live  # noqa: E402
import push_services  # noqa: E402

URGENT = "[rule r]\nwhen = subject is urgent\nnotify = critical\n"


def kept_and_taken_back(servers, service, path, keys, urgent):
    """Shown with what belongs to it; goes when the message is read."""
    user = servers.user()
    title = "J\u00f6rg \u201cthe boss\u201d \u041f"
    with live.Daemon(servers, user.account() +
                     service.section(path, keys) + URGENT) as daemon:
        daemon.wait_watching()
        user.deliver(live.message("urgent"))
        service.wait(["urgent"])
        live.same(list(service.kept.values())[0]["priority"], urgent,
                  "the priority")
        user.deliver(live.message(
            "h\u00e9llo", sender='"%s" <boss@body.example>' % title))
        service.wait(["urgent", "h\u00e9llo"])
        live.same(sorted(kept["title"] for kept in service.kept.values()),
                  sorted([title, "Some Body"]), "titles")
        desktop.change(user, "urgent", "STORE", "+FLAGS", "(\\Seen)")
        service.wait(["h\u00e9llo"])
        # The service is busy while the next is posted: ten seconds later.
        service.busy = [503]
        user.deliver(live.message("later"))
        daemon.wait_log("notifier-away.*hook: the server answered 503")
        service.wait(["h\u00e9llo", "later"])
        # Deleted while the daemon is away; what it did is on disk by then.
        daemon.wait_log("done.*shown by hook", 3)
        live.stays("busy with nothing",
                   lambda: len(service.kept) == 2, 1)
        daemon.kill()
        desktop.change(user, "later", "STORE", "+FLAGS", "(\\Deleted)")
        daemon.start()
        service.wait(["h\u00e9llo"])
        live.same(service.refused, [503], "what was refused")


@live.case
def ntfy(servers):
    service = push_services.Ntfy(servers)
    kept_and_taken_back(
        servers, service, "/ann",
        "format = ntfy\ntoken_command = echo " + service.token, 5)
    live.same([kept["tags"] for kept in service.kept.values()], ["envelope"],
              "tags")


@live.case
def gotify(servers):
    service = push_services.Gotify(servers)
    kept_and_taken_back(
        servers, service, "/message",
        "format = gotify\ntoken_command = echo %s\n"
        "cancel_token_command = echo %s" % (
            service.application, service.client), 8)


def a_touch(servers, service, path, keys):
    """Opens the message: in the account's webmail, by a mail program, or not
    at all where that is wanted, or would say too much."""
    user = servers.user()
    user.create("Kept")
    webmail = ("webmail = https://mail.example.org/"
               "?_mbox=${mailbox}&_uid=${uid}&q=${message-id}\n")
    rule = "[rule m]\nwhen = subject is moved\nmove = Kept\nnotify = yes\n"

    with live.Daemon(servers, user.account() +
                     service.section(path, keys)) as daemon:
        daemon.wait_watching()

        def write(account, keys):
            daemon.write(user.account(account) +
                         service.section(path, keys) + URGENT + rule)
            daemon.ctl("reload")
            daemon.wait_watching()

        user.deliver(live.message("by mail", message_id="<a/b@x.y>"))
        service.wait(["by mail"])
        live.same(service.click("by mail"), "mid:a%2Fb@x.y", "the address")
        write(webmail, keys)
        user.deliver(live.message("by web", message_id="<a/b@x.y>"))
        service.wait(["by mail", "by web"])
        live.same(service.click("by web"), "https://mail.example.org/"
                  "?_mbox=INBOX&_uid=2&q=a%2Fb@x.y", "the address")
        # There it has another number.
        user.deliver(live.message("moved", message_id="<c@x.y>"))
        service.wait(["by mail", "by web", "moved"])
        live.same(service.click("moved"), "mid:c@x.y", "the address")
        write(webmail, keys + "\nclick = no")
        user.deliver(live.message("nowhere", message_id="<d@x.y>"))
        service.wait(["by mail", "by web", "moved", "nowhere"])
        live.same(service.click("nowhere"), "", "the address")
        service.kept.clear()
        write(webmail + "privacy = count\n", keys)
        user.deliver(live.message("urgent", message_id="<e@x.y>"))
        live.wait("what is private", lambda: len(service.kept) == 1)
        shown = list(service.kept.values())[0]
        live.same(shown["click"], "", "the address")
        live.check("e@x.y" not in repr(service.asked), "its Message-ID")


@live.case
def a_touch_with_ntfy(servers):
    service = push_services.Ntfy(servers)
    a_touch(servers, service, "/ann",
            "format = ntfy\ntoken_command = echo " + service.token)


@live.case
def a_touch_with_gotify(servers):
    service = push_services.Gotify(servers)
    a_touch(servers, service, "/message",
            "format = gotify\ntoken_command = echo " + service.application)


def is_refused(servers, service, path, keys, status):
    """For good: told once, with what to do, and the message is not kept."""
    user = servers.user()
    with live.Daemon(servers, user.account() +
                     service.section(path, keys)) as daemon:
        daemon.wait_watching()
        user.deliver(live.message("lost"))
        daemon.wait_log("notifier-refused.*hook: the server answered %d"
                        % status)
        live.same(len(daemon.logged("notifier-refused.*the token")), 1,
                  "what it says to look at")
        live.same(service.kept, {}, "what is shown")


@live.case
def a_wrong_token(servers):
    is_refused(servers, push_services.Ntfy(servers), "/ann",
               "format = ntfy\ntoken_command = echo wrong", 401)
    is_refused(servers, push_services.Gotify(servers), "/message",
               "format = gotify\ntoken_command = echo wrong", 401)


@live.case
def a_wrong_topic(servers):
    is_refused(servers, push_services.Ntfy(servers), "/bob", "format = ntfy\n"
               "token_command = echo " + push_services.Ntfy.token, 403)


@live.case
def too_large(servers):
    service = push_services.Ntfy(servers)
    service.size_max = 2
    is_refused(servers, service, "/ann", "format = ntfy\n"
               "token_command = echo " + push_services.Ntfy.token, 413)


if __name__ == "__main__":
    live.main()
