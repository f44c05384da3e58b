"""What the benches of the whole daemon share: the mock server, the minimal
client, memory and system calls as /proc tells of them, and medians.

The programs come from the build folder (the current one, or $BELFRY_BUILD):
`make benches`. Nothing passes or fails on time; a bench ends with 1 only when
what it compares did not do the same.
"""

import contextlib
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TESTS, "lib"))

import live  # pylint: disable=wrong-import-position

USEC = 1000
# Of the mock server: belfryd begins a few connections a second to one host.
HOSTS = ["127.0.0.%d" % n for n in range(1, 9)]
MSEC = 1000 * 1000


def program(name):
    path = os.path.join(live.BUILD, "tests", name)
    if not os.access(path, os.X_OK):
        sys.exit("%s is not built: make benches" % path)
    return path


def median(values):
    return statistics.median(values)


def percentile(values, percent):
    values = sorted(values)
    return values[min(len(values) - 1, len(values) * percent // 100)]


class Place:
    """A folder with an authority of its own, as live.Daemon wants it."""

    def __init__(self, folder):
        self.dir = folder
        self.ca = os.path.join(folder, "ca.pem")
        self.password = os.path.join(folder, "password")
        with open(self.password, "w", encoding="ascii") as file:
            file.write("secret\n")
        subprocess.run([program("lib/make-ca"), folder,
                        ",".join(["DNS:localhost"] + [
                            "IP:" + host for host in HOSTS])], check=True)

    def path(self, name):
        return os.path.join(self.dir, name)


@contextlib.contextmanager
def place():
    folder = tempfile.mkdtemp(prefix="belfry-bench-")
    try:
        yield Place(folder)
    finally:
        if "BENCH_KEEP" in os.environ:
            print("kept: %s" % folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)


class Mock:
    """tests/bench/mock-imap.c, which describes the orders."""

    def __init__(self, here, port=None):
        self.here = here
        self.process = subprocess.Popen(
            [program("bench/mock-imap"), here.path("server.pem"),
             here.path("server.key")] + ([str(port)] if port else []),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().split()[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def say(self, *words):
        print(*words, file=self.process.stdin, flush=True)

    def hear(self):
        return self.process.stdout.readline().split()

    def order(self, *words):
        """The number of the answer."""
        self.say(*words)
        return int(self.hear()[1])

    def stats(self):
        self.say("stats")
        pairs = (word.split("=") for word in self.hear())
        return {name: int(value) for name, value in pairs}

    def account(self, user, keys="", host="localhost"):
        """A section of belfry.conf."""
        return ("[account %s]\nemail = %s@example.org\nuser = %s\n"
                "password_command = cat %s\nimap = imaps://%s:%d\n"
                "tls_ca_file = %s\nnotify = no\nclaim = no\n%s\n" % (
                    user, user, user, self.here.password, host, self.port, self.here.ca, keys))


class Client:
    """tests/bench/minimal-client.c"""

    def __init__(self, port, ca, *words, sync=None):
        env = dict(os.environ)
        env.pop("BENCH_SYNC", None)
        if sync:
            env["BENCH_SYNC"] = sync
        self.process = subprocess.Popen(
            [program("bench/minimal-client"), str(port), ca, *words],
            stdout=subprocess.PIPE, text=True, env=env)
        if self.process.stdout.readline() != "ready\n":
            sys.exit("the minimal client did not get ready")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def pss_kib(pid):
    """What the process would free if it ended, and its share of the rest."""
    with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file
                    if line.startswith("Pss:"))


def threads(pid):
    return os.listdir("/proc/%d/task" % pid)


def wakeups(pid):
    """How often its threads have left the processor to wait."""
    count = 0
    for thread in threads(pid):
        path = "/proc/%d/task/%s/status" % (pid, thread)
        with open(path, encoding="ascii") as file:
            count += next(int(line.split()[1]) for line in file
                          if line.startswith("voluntary_ctxt_switches"))
    return count


def cpu_seconds(pid):
    """Of its present threads; /proc/PID/stat counts in ticks of 10 ms, and
    who runs between two of them not at all."""
    total = 0
    for thread in threads(pid):
        path = "/proc/%d/task/%s/schedstat" % (pid, thread)
        with open(path, encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e9


class Count:
    """strace -c of these calls while the block runs; None without strace."""

    def __init__(self, pid, *calls):
        self.pid = pid
        self.calls = calls
        self.counts = None

    def __enter__(self):
        self.process = None
        if shutil.which("strace"):
            self.process = subprocess.Popen(
                ["strace", "-f", "-c", "-e", "trace=" + ",".join(self.calls),
                 "-p", str(self.pid)],
                stderr=subprocess.PIPE, text=True)
            self.process.stderr.readline()  # attached
        return self

    def __exit__(self, *_):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT)
        self.counts = dict.fromkeys(self.calls, 0)
        for line in self.process.stderr.read().splitlines():
            words = line.split()
            if words and words[-1] in self.counts:
                self.counts[words[-1]] = int(words[3])
        self.process.wait()
