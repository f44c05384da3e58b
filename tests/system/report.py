#!/usr/bin/env -S python3 -B
"""belfryctl report: its numbers against a history that is known, names that
try to break out of it, and the page as a real browser shows it.

The pictures of the browser stay as report-light.png, -dark, -narrow, -rules
and -empty beside the log. Exit status 77: without Chromium (or with BELFRY_NO_CHROMIUM set) only
the numbers were tested.
"""

import datetime
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

BUILD = os.environ.get("BELFRY_BUILD", os.getcwd())
BELFRYCTL = os.path.join(BUILD, "belfryctl")
HOUR = 3600
EVIL = "\"><script>document.title='broken'</script><img/src=x>&amp;"
MESSAGES = 2500  # three pages of the history
PAGE = 1000


def rfc3339(when):
    return datetime.datetime.fromtimestamp(
        when, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def message(i, now):
    """The i-th newest: one every three minutes, every fifth by a rule, every
    tenth rings after three seconds, every hundredth fails."""
    judged = now - 60 - 180 * i
    effects = []
    if i % 5 == 0:
        effects.append({"rule": EVIL, "action": "move",
                        "state": "failed" if i % 100 == 0 else "done"})
    if i % 10 == 0:
        effects.append({"rule": "", "action": "notify", "state": "done",
                        "changed": rfc3339(judged + 1)})
    return {"judged": rfc3339(judged), "received": rfc3339(judged - 2),
            "account": "work", "rules": EVIL if i % 5 == 0 else "",
            "effects": effects}


class Daemon(threading.Thread):
    """Answers `history` by pages, and `report`."""

    def __init__(self, path, now, messages):
        super().__init__(daemon=True)
        self.now = now
        self.messages = messages
        self.asked = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(8)

    def history(self, request):
        from_, to = rfc3339(request["since"]), rfc3339(request["until"])
        found = [m for m in self.messages if from_ <= m["judged"] < to]
        skip = request["skip"]
        return {"ok": True,
                "messages": found[skip:skip + request["limit"]]}

    def report(self, _):
        first = self.now // HOUR * HOUR
        hours = [{"hour": rfc3339(first - HOUR * i), "connects": 1,
                  "losses": 1 if i % 24 == 5 else 0,
                  "watched_s": 3600 - (1800 if i % 24 == 5 else 0),
                  "total_s": 3600} for i in range(100, -1, -1)]
        return {"ok": True, "accounts": [
            {"account": "work", "hours": hours},
            {"account": "<home>", "hours": []}]}

    def run(self):
        while True:
            client, _ = self.listener.accept()
            request = json.loads(client.makefile().readline())
            self.asked.append(request)
            answer = getattr(self, request["command"])(request)
            client.sendall(json.dumps(answer).encode() + b"\n")
            client.close()


def check(is_so, what):
    if not is_so:
        print("FAILED: %s" % what)
        check.failed += 1


check.failed = 0


def ctl(folder, *words):
    return subprocess.run(
        [BELFRYCTL, "--socket", folder + "/sock", "report", *words],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "TZ": "Europe/Berlin"})


def numbers(folder, daemon):
    result = ctl(folder)
    check(result.returncode == 0 and
          result.stdout == "written: belfry-report.html\n", result)
    path = folder + "/belfry-report.html"
    check(os.stat(path).st_mode & 0o777 == 0o600, "others can read it")
    check(sorted(os.listdir(folder)) == ["belfry-report.html", "sock"],
          "it leaves more behind: %s" % os.listdir(folder))
    with open(path, encoding="utf-8") as file:
        page = file.read()
    check([r["skip"] for r in daemon.asked[:3]] == [0, 1000, 2000],
          "the pages it asked for")
    tiles = re.findall(r"<div><b>(\d+)</b>([^<]*)</div>", page)
    check(tiles == [("2500", "messages judged"), ("750", "actions"),
                    ("250", "notifications"), ("25", "failed or unknown")],
          tiles)
    check("<script" not in page and "<img" not in page, "a name broke out")
    check("&lt;script&gt;" in page, "the name is not there")
    check("250 within 5 s" in page, "the delays")
    per_hour = [int(n) for n in re.findall(r": (\d+) messages</title>", page)]
    check(sum(per_hour) == 2500 and max(per_hour) <= 20, "by hour")
    check(page.count("<circle") == 4, "troubles: %d" % page.count("<circle"))
    return path


NAMES = [EVIL, "x" * 300, "\u202eevil\u2066", "\u91cd\u8981" * 60,
         "]]></svg><svg/onload=alert(1)>", "</title><b>", "-->"]


def many_rules(now):
    """Rule n of 50 matches n messages, an hour apart, and each third fails;
    what no rule matched rings, and would have rung once more later."""
    names = NAMES + ["rule-%d" % n for n in range(len(NAMES), 50)]
    made = []
    for n, name in enumerate(names):
        for i in range(n + 1):
            when = rfc3339(now - 60 - HOUR * i)
            made.append({
                "judged": when, "received": when, "account": "work",
                "rules": name, "effects": [
                    {"rule": name, "action": "move",
                     "state": "failed" if i % 3 == 2 else "done"}]})
    for i in range(150):
        made.append({"judged": rfc3339(now - 60), "received": None,
                     "account": "work", "rules": "", "effects": [
                         {"rule": "", "action": "notify", "state": state}
                         for state in ("done", "skipped")]})
    return made


def with_history(folder, name, now, messages):
    """The page of it."""
    place = os.path.join(folder, name)
    os.mkdir(place)
    Daemon(place + "/sock", now, messages).start()
    result = ctl(place)
    check(result.returncode == 0, result)
    return place + "/belfry-report.html"


def rules_by_hour(_, path):
    with open(path, encoding="utf-8") as file:
        page = file.read()
    plot = page[page.index("Messages by rule and time"):]
    plot = plot[:plot.index("</svg></div>")]
    cells = re.findall(r": (\d+) matched(?:, (\d+) failed)?</title>", plot)
    check(sum(int(count) for count, _ in cells) == 50 * 51 // 2 + 150 and
          len(cells) == 50 * 51 // 2 + 1, "matched: %d cells" % len(cells))
    check(sum(int(failed or 0) for _, failed in cells) ==
          sum((n + 1) // 3 for n in range(50)), "failed")
    check(plot.count('class="name"') == 51, "rows")
    # The default's cell is the darkest, the others are single messages.
    check(plot.count('class="heat5"') == 2 and  # and in the legend
          plot.count('class="heat1"') == len(cells), "colours")
    for word in ("<script", "<img", "</title><b>", "<svg/", "\u202e",
                 "]]>", "-->"):
        check(word not in page, "a name broke out: %r" % word)
    check(len(page) < 1000000, "%d bytes" % len(page))


def nothing_at_all(_, path):
    with open(path, encoding="utf-8") as file:
        page = file.read()
    check("No rule matched." in page and
          "Messages by rule and time" not in page, "rules of nothing")
    check("nan" not in page and "inf" not in page, "numbers of nothing")


def days(folder):
    result = ctl(folder, "--since", "30d", "-")
    check(result.returncode == 0, result.stderr)
    per_day = [int(n) for n in
               re.findall(r": (\d+) messages</title>", result.stdout)]
    check(sum(per_day) == 2500 and max(per_day) <= 500 and
          len(per_day) in (6, 7), "by day: %s" % per_day)
    result = ctl(folder, "--since", "2020-01-01", "--json", "old.html")
    check(json.loads(result.stdout) == {"ok": True, "file": "old.html"},
          result.stdout)


def refusals(folder):
    for since in ("0s", "2999-01-01"):
        result = ctl(folder, "--since", since)
        check(result.returncode == 64 and "is no time in the past" in
              result.stderr, result)
    result = ctl(folder, "--since", "tomorrow")
    check(result.returncode == 64 and "tomorrow is no time" in result.stderr,
          result)
    result = ctl(folder, folder + "/none/x.html")
    check(result.returncode == 73 and "No such file" in result.stderr, result)
    # What is there stays when there is no daemon.
    before = os.stat(folder + "/belfry-report.html").st_ino
    result = subprocess.run(
        [BELFRYCTL, "--socket", folder + "/none", "report"], cwd=folder,
        capture_output=True, text=True, timeout=60, check=False)
    check(result.returncode == 69, result)
    check(os.stat(folder + "/belfry-report.html").st_ino == before,
          "the old report is gone")


def browser(*words):
    profile = tempfile.mkdtemp(prefix="belfry-chromium-", dir="/tmp")
    try:
        return subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--user-data-dir=" + profile, *words],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            timeout=90, check=False).stdout
    finally:
        shutil.rmtree(profile, ignore_errors=True)


def picture(name, path, *words):
    file = os.path.join(BUILD, "tests/system/report-%s.png" % name)
    os.makedirs(os.path.dirname(file), exist_ok=True)
    browser(*words, "--screenshot=" + file, "file://" + path)
    check(os.path.getsize(file) > 20000, "the picture %s" % name)


def shown(path):
    """What the browser makes of it."""
    tree = browser("--dump-dom", "file://" + path)
    check("<title>Belfry: what happened</title>" in tree, "the title")
    check(tree.count("<svg") >= 6 and tree.count("<rect") > 100,
          "the browser's tree lacks plots")
    for name, words in (("light", []), ("dark", ["--force-dark-mode"]),
                        ("narrow", ["--window-size=500,1700"])):
        picture(name, path, "--window-size=1000,1700", *words)


def main():
    folder = tempfile.mkdtemp(prefix="belfry-report-", dir="/tmp")
    now = int(datetime.datetime.now().timestamp())
    try:
        daemon = Daemon(folder + "/sock", now,
                        [message(i, now) for i in range(MESSAGES)])
        daemon.start()
        path = numbers(folder, daemon)
        days(folder)
        refusals(folder)
        can_show = (shutil.which("chromium") is not None and
                    "BELFRY_NO_CHROMIUM" not in os.environ)
        if can_show:
            shown(path)
        pages = [(name, with_history(folder, name, now, messages))
                 for name, messages in (("rules", many_rules(now)),
                                        ("empty", []))]
        rules_by_hour(*pages[0])
        nothing_at_all(*pages[1])
        if can_show:
            for name, page in pages:
                picture(name, page, "--window-size=1000,4400" if name == "rules"
                        else "--window-size=1000,1700")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if check.failed > 0:
        return 1
    if not can_show:
        print("SKIPPED: no Chromium to show the page with")
        return 77
    return 0


if __name__ == "__main__":
    sys.exit(main())
