"""A front that hides what some servers have not: keywords, and, if wanted,
UIDPLUS. What cannot be told by hiding is refused."""

import re

import front

STORE = re.compile(rb"^(\S+) UID STORE .*FLAGS.*\((?!\\)", re.I)
NO_UIDPLUS = re.compile(rb" UIDPLUS|\[(APPENDUID|COPYUID) [^\]]*\] ?")


class Front(front.Front):
    def __init__(self, servers, uidplus=True):
        self.uidplus = uidplus
        self.refused = 0
        super().__init__(servers)

    def answer(self, line, client):
        if b"PERMANENTFLAGS (" in line:
            line = re.sub(rb"PERMANENTFLAGS \([^)]*\)",
                          rb"PERMANENTFLAGS (\\Answered \\Flagged "
                          rb"\\Deleted \\Seen \\Draft)", line)
        if not self.uidplus:
            line = NO_UIDPLUS.sub(b"", line)
        client.sendall(line)

    def command(self, line, client, server):
        found = STORE.match(line)
        if found:
            self.refused += 1
            client.sendall(found.group(1) + b" NO [CANNOT] there are no "
                           b"keywords here\r\n")
        else:
            server.sendall(line)
