#!/usr/bin/env -S python3 -B
"""The notifiers that belfry-notifiers(7) has as examples, run by belfryd."""

import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import desktop  # noqa: E402
import live  # noqa: E402

EXAMPLES = os.path.join(live.LIB, "../../contrib/examples/notifiers")
MANUAL = os.path.join(live.LIB, "../../notifiers/belfry-notifiers.7")
# What shows a manual page, as a terminal has it.
READERS = {
    "mandoc": ("mandoc", "-Tutf8", "-O", "width=120"),
    "groff": ("groff", "-mdoc", "-Tutf8", "-rLL=120n", "-P-c"),
}
SECTION = "[notifier %s]\ntype = program\ncommand = %s %s\n"


def printed(reader, first_line):
    """The example that begins so, as it can be copied from a terminal."""
    text = subprocess.run([*READERS[reader], MANUAL], check=True,
                          stdout=subprocess.PIPE).stdout.decode()
    text = re.sub(".\b|\x1b\\[[0-9;]*m", "", text)  # bold and underlined
    text = text[text.index(first_line + "\n"):]
    # Up to the next paragraph of the page, which is indented less.
    lines = (" " * 80 + text).expandtabs().splitlines()
    indent = len(lines[1]) - len(lines[1].lstrip())
    lines[0] = " " * indent + first_line
    end = next(i for i, line in enumerate(lines)
               if line and not line.startswith(" " * indent))
    return textwrap.dedent("\n".join(lines[:end])).rstrip() + "\n"


def run_example(servers, name):
    user = servers.user()
    noted = os.path.join(servers.dir, name + ".noted")
    example = live.read(os.path.join(EXAMPLES, name))
    program = os.path.join(servers.dir, name)
    for reader in READERS:
        if shutil.which(reader) is None:
            continue
        copied = printed(reader, example.splitlines()[0])
        live.same(copied, example.expandtabs(), "the example, by " + reader)
        example = copied
    with open(program, "w", encoding="utf-8") as file:
        file.write(example)
    os.chmod(program, 0o700)
    text = user.account() + SECTION % ("mine", program, noted)

    def rows():
        text = live.read(noted) if os.path.exists(noted) else ""
        return sorted(row.split("\t")[-1] for row in text.splitlines())

    with live.Daemon(servers, text) as daemon:
        daemon.wait_watching()
        user.deliver(*desktop.letters("one", "two \\ t\\n"))
        live.wait("both", lambda: len(rows()) == 2)
        daemon.wait_log("done.*shown by mine", 2)
        desktop.change(user, "two", "STORE", "+FLAGS", "(\\Seen)")
        live.wait("the first", lambda: rows() == ["Some Body: one"])


@live.case
def in_shell(servers):
    run_example(servers, "to-file.sh")


@live.case
def in_python(servers):
    run_example(servers, "to_file.py")


@live.case
def one_that_ends_is_away(servers):
    user = servers.user()
    text = user.account() + SECTION % ("mine", "/bin/false", "x")
    with live.Daemon(servers, text) as daemon:
        daemon.wait_log("notifier-away.*mine: its program ended with 1")


@live.case
def one_that_shows_few_gets_a_summary(servers):
    """Of eight that come together its `singles`, and the others at once."""
    user = servers.user()
    daemon = live.Daemon(servers, "")
    text = user.account()
    asked = daemon.path("asked")
    daemon.write(text + "[notifier few]\ntype = program\ncommand = %s\n"
                 % daemon.script("few", """
printf 'ready\\tversion=1\\tcapabilities=body\\tsingles=2\\n'
exec 3>&1 # the end of its output would be its own
exec cat >%s
""" % asked))
    with daemon:
        daemon.wait_watching()
        live.wait("it to be ready", lambda: os.path.exists(asked))
        user.deliver(*(live.message("hello") for _ in range(8)))

        def titles():
            return re.findall(r"^notify\t.*\ttitle=([^\t]*)", live.read(asked),
                              re.MULTILINE)

        live.wait("the summary", lambda: len(titles()) == 3)
        live.same(titles(), ["Some Body"] * 2 + [
            "6 new messages in %s" % user.name], "what was asked for")


@live.case
def one_that_is_started_anew_closes_by_the_place(servers):
    user = servers.user()
    screen = desktop.Desktop(servers, "anew")
    section = "[notifier mine]\ntype = program\ncommand = %s\n"
    with live.Daemon(servers, user.account() +
                     section % screen.program) as daemon:
        daemon.wait_watching()
        user.deliver(*desktop.letters("one", "two"))
        screen.wait("one", "two")
        daemon.wait_log("done.*shown by mine", 2)
        os.kill(int(screen.request("one")["key"].split("-")[1]),
                signal.SIGKILL)
        daemon.wait_log("notifier-away.*mine: its program ended")
        daemon.ctl("reload")  # else it is started after half a minute
        desktop.change(user, "one", "STORE", "+FLAGS", "(\\Seen)")
        screen.wait("two")


if __name__ == "__main__":
    live.main()
