"""belfryd, and all that strace(1) hears of it: whom it spoke to, and how it set
its connections up."""

import re
import subprocess

import live

CALLS = "connect,sendto,sendmsg,sendmmsg,setsockopt"
ADDRESS = re.compile(r"sa_family=(AF_\w+)(?:.*?sin6?_port=htons\((\d+)\))?"
                     r"(?:.*?inet_(?:addr|pton)\((?:AF_INET6, )?\"([^\"]+)\")?")
# Nobody is met by these: the machine itself, and the end of a connect(2).
INSIDE = {"AF_UNIX", "AF_NETLINK", "AF_UNSPEC"}
# glibc asks the kernel which of a name's addresses it would take.
ASKED_OF_KERNEL = "0"
RESOLVER = "53"


class Overheard(live.Daemon):
    def start(self):
        trace = ["strace", "-D", "-f", "-o", self.path("trace"), "-e",
                 "trace=" + CALLS, "-e", "signal=none"]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*trace, live.BELFRYD, "-c", self.config],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.env, cwd=self.dir, preexec_fn=self.before)
        live.Daemon.running.append(self)
        return self

    def heard(self):
        return live.read(self.path("trace")).splitlines()

    def met(self):
        """{(family, address, port)} of everything that it spoke to."""
        found = set()
        for line in self.heard():
            call = line.split(" ", 1)[-1].split("(", 1)[0].strip()
            if call == "setsockopt" or "sa_family=" not in line:
                continue
            family, port, address = ADDRESS.search(line).groups()
            found.add((family, address, port))
        return found

    def outside(self):
        """{(address, port)} of everybody else than the machine itself."""
        return {(address, port) for family, address, port in self.met()
                if family not in INSIDE}
