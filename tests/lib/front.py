"""A front for an IMAP server: between it and its clients, line by line. What is
done to the lines is said by whoever inherits from Front."""

import os
import socket
import ssl
import tempfile
import threading

import liars


class Front:
    """Between the daemons and `servers`, whose port and certificate it takes
    over."""

    def __init__(self, servers):
        self.upstream = int(servers.env["SERVERS_IMAPS_PORT"])
        folder = tempfile.mkdtemp(prefix="front", dir=servers.dir)
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

    def answer(self, line, client):
        """A line of the server's."""
        client.sendall(line)

    def command(self, line, client, server):
        """A line of a client's."""
        server.sendall(line)

    def answers(self, server, client):
        try:
            with server.makefile("rb") as lines:
                for line in lines:
                    self.answer(line, client)
        except (OSError, ValueError):
            pass
        close(client)

    def commands(self, client, server):
        try:
            with client.makefile("rb") as lines:
                for line in lines:
                    self.command(line, client, server)
        except (OSError, ValueError):
            pass
        close(server)


def close(connection):
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
