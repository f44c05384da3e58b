"""A front for an IMAP server that hides what some servers have not: keywords,
and, if wanted, UIDPLUS. What cannot be told by hiding is refused."""

import os
import re
import socket
import ssl
import threading

import liars

STORE = re.compile(rb"^(\S+) UID STORE .*FLAGS.*\((?!\\)", re.I)
NO_UIDPLUS = re.compile(rb" UIDPLUS|\[(APPENDUID|COPYUID) [^\]]*\] ?")


class Front:
    """Between the daemons and `servers`, whose port and certificate it takes
    over."""

    def __init__(self, servers, uidplus=True):
        self.uidplus = uidplus
        self.upstream = int(servers.env["SERVERS_IMAPS_PORT"])
        self.refused = 0
        folder = os.path.join(servers.dir, "front")
        os.mkdir(folder)
        certificate = liars.make_certificate(
            folder, "DNS:localhost,IP:127.0.0.1")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*certificate)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        servers.env["SERVERS_IMAPS_PORT"] = str(
            self.listener.getsockname()[1])
        servers.env["SERVERS_CA"] = self.both(
            folder, servers.env["SERVERS_CA"], certificate[0])
        threading.Thread(target=self.serve, daemon=True).start()

    @staticmethod
    def both(folder, *paths):
        """The servers' other ports keep their certificate."""
        path = os.path.join(folder, "both.pem")
        with open(path, "w", encoding="utf-8") as file:
            for one in paths:
                with open(one, encoding="utf-8") as text:
                    file.write(text.read() + "\n")
        os.chmod(path, 0o644)
        return path

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.session, args=(connection,),
                             daemon=True).start()

    def session(self, connection):
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname = False
        trusting.verify_mode = ssl.CERT_NONE
        try:
            client = self.context.wrap_socket(connection, server_side=True)
            server = trusting.wrap_socket(
                socket.create_connection(("127.0.0.1", self.upstream)))
        except OSError:
            connection.close()
            return
        threading.Thread(target=self.answers, args=(server, client),
                         daemon=True).start()
        self.commands(client, server)

    def answers(self, server, client):
        try:
            with server.makefile("rb") as lines:
                for line in lines:
                    if b"PERMANENTFLAGS (" in line:
                        line = re.sub(rb"PERMANENTFLAGS \([^)]*\)",
                                      rb"PERMANENTFLAGS (\\Answered \\Flagged "
                                      rb"\\Deleted \\Seen \\Draft)", line)
                    if not self.uidplus:
                        line = NO_UIDPLUS.sub(b"", line)
                    client.sendall(line)
        except (OSError, ValueError):
            pass
        close(client)

    def commands(self, client, server):
        try:
            with client.makefile("rb") as lines:
                for line in lines:
                    found = STORE.match(line)
                    if found:
                        self.refused += 1
                        client.sendall(found.group(1) + b" NO [CANNOT] there "
                                       b"are no keywords here\r\n")
                    else:
                        server.sendall(line)
        except (OSError, ValueError):
            pass
        close(server)


def close(connection):
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
