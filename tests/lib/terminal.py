"""A program at a terminal, for tests of what it asks there."""

import os
import pty
import re
import select
import signal
import termios
import time

PATIENCE_SECONDS = 40


class Terminal:
    """Runs a command; what it shows is in `shown`."""

    def __init__(self, argv, env):
        self.shown = ""
        self.status = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # Who runs the tests in the background ignores some of them.
            for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT,
                           signal.SIGTSTP):
                signal.signal(number, signal.SIG_DFL)
            os.execvpe(argv[0], argv, env)

    def read(self, seconds):
        """False at the end."""
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self.fd, 4096)
        except OSError:
            data = b""
        self.shown += data.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(data)

    def expect(self, pattern):
        """Waits until it is shown, and takes what was shown until then."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            found = re.search(pattern, self.shown)
            if found:
                taken = self.shown[:found.end()]
                self.shown = self.shown[found.end():]
                return taken
            if time.monotonic() > end or not self.read(0.5):
                raise AssertionError("no %r in %r" % (pattern, self.shown))

    def send(self, text):
        os.write(self.fd, text.encode())

    def has_echo(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def wait_echo(self, wanted):
        end = time.monotonic() + PATIENCE_SECONDS
        while self.has_echo() != wanted:
            if time.monotonic() > end:
                raise AssertionError("echo is not %r" % wanted)
            time.sleep(0.02)

    def end(self):
        """What was shown last; the exit status is in `status`: negative for a
        signal."""
        end = time.monotonic() + PATIENCE_SECONDS
        while self.read(0.2) and time.monotonic() < end:
            pass
        if time.monotonic() > end:
            os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        self.status = os.waitstatus_to_exitcode(status)
        os.close(self.fd)
        return self.shown
