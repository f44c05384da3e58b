"""A small internet in a network of its own: a name server, web servers, and
mail servers under the names that they have out there, for programs that find
servers by themselves. Linux, root.

    domains.enter()              # first of all: begins the test anew
    net = domains.Net(folder, make_ca, names)
    net.host("imap.example.org", "127.9.0.1")
    net.records[("example.org", "MX")] = [(10, "mx.example.org")]
    net.pages[("autoconfig.example.org", "/x")] = (200, {}, b"...")

Nothing outside is reached, and nothing of the system is touched: the files
that say where name servers are and which certificates are trusted are covered
in this mount namespace only. Every name that was asked for is in net.asked,
every request in net.requests.
"""

import ctypes
import http.server
import os
import socket
import socketserver
import ssl
import struct
import subprocess
import sys
import threading

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
TYPES = {"A": 1, "MX": 15, "AAAA": 28, "SRV": 33}
NAMES = {number: name for name, number in TYPES.items()}
TRUST = "/etc/ssl/certs/ca-certificates.crt"


def why_not():
    if os.getuid() != 0:
        return "only root may make networks"
    if subprocess.run(["unshare", "-n", "-m", "ip", "link", "set", "lo", "up"],
                      check=False, stdout=subprocess.DEVNULL,
                      stderr=subprocess.DEVNULL).returncode != 0:
        return "no network of our own here (unshare, ip)"
    if not os.path.exists(TRUST):
        return "no %s to cover" % TRUST
    return None


def enter():
    """This program again, in a network and with mounts of its own; skips
    where that cannot be."""
    if "DOMAINS_ENTERED" in os.environ:
        return
    reason = why_not()
    if reason:
        print(reason)
        sys.exit(77)
    os.environ["DOMAINS_ENTERED"] = "yes"
    os.execvp("unshare", ["unshare", "-n", "-m", "sh", "-c",
                          "ip link set lo up && exec \"$@\"", "sh",
                          sys.executable, "-B", *sys.argv])


def again():
    """For this process another network, and mounts of its own."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET | CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def cover(path, text, folder):
    """Another file in the place of `path`, in this namespace."""
    other = os.path.join(folder, os.path.basename(path))
    with open(other, "w", encoding="utf-8") as file:
        file.write(text)
    subprocess.run(["mount", "--bind", other, os.path.realpath(path)],
                   check=True)


def pack_name(name):
    name = name.rstrip(".")
    return b"".join(bytes([len(label)]) + label.encode()
                    for label in name.split(".") if label) + b"\0"


def pack_data(kind, value):
    if kind == "A":
        return socket.inet_aton(value)
    if kind == "MX":
        return struct.pack(">H", value[0]) + pack_name(value[1])
    if kind == "SRV":
        return struct.pack(">HHH", *value[:3]) + pack_name(value[3])
    raise ValueError(kind)


class Web(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        net = self.server.net
        host = self.headers.get("Host", "")
        path = self.path.split("?")[0]
        net.requests.append((host, self.path,
                             self.headers.get("Authorization")))
        found = net.pages.get((host, path), (404, {}, b"not here"))
        if callable(found):
            found(self)
            return
        status, headers, body = found
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class WebServer(http.server.ThreadingHTTPServer):
    def server_bind(self):
        """Without asking for the name of its address."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address

    def handle_error(self, *_):
        pass


class Net:
    def __init__(self, folder, make_ca, names):
        self.folder = folder
        self.records = {}
        self.pages = {}
        self.asked = []
        self.requests = []
        self.plain = []  # connections to port 80
        tls = os.path.join(folder, "tls")
        os.makedirs(tls, exist_ok=True)
        subprocess.run([make_ca, tls, ",".join("DNS:" + n for n in names),
                        "90"], check=True)
        self.ca = os.path.join(tls, "ca.pem")
        self.certificate = (os.path.join(tls, "server.pem"),
                            os.path.join(tls, "server.key"))
        for kind, end in (("pem", "crt"),):
            os.link(os.path.join(tls, "server." + kind),
                    os.path.join(tls, "server." + end))
        cover("/etc/resolv.conf", "nameserver 127.0.0.1\n", folder)
        with open(self.ca, encoding="utf-8") as file:
            cover(TRUST, file.read(), folder)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*self.certificate)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 53))
        self.begin(self.serve_names)

    @staticmethod
    def begin(function, *args):
        threading.Thread(target=function, args=args, daemon=True).start()

    def host(self, name, address):
        self.records[(name, "A")] = [address]

    # ---- names ----

    def answer(self, query):
        end, labels = 12, []
        while query[end]:
            labels.append(query[end + 1:end + 1 + query[end]].decode())
            end += 1 + query[end]
        question = query[12:end + 5]
        kind = NAMES.get(struct.unpack(">H", question[-4:-2])[0], "?")
        name = ".".join(labels).lower()
        self.asked.append((name, kind))
        values = self.records.get((name, kind), [])
        if callable(values):
            return values(query, question)
        known = any(key[0] == name for key in self.records)
        answers = b""
        for value in values:
            data = pack_data(kind, value)
            answers += b"\xc0\x0c" + struct.pack(
                ">HHIH", TYPES[kind], 1, 0, len(data)) + data
        return query[:2] + struct.pack(
            ">HHHHH", 0x8400 | (0 if known else 3), 1, len(values), 0, 0) \
            + question + answers

    def serve_names(self):
        while True:
            query, who = self.udp.recvfrom(1500)
            answer = self.answer(query)
            if answer is not None:
                self.udp.sendto(answer, who)

    # ---- pages ----

    def web(self, address, context=None):
        server = WebServer((address, 443), Web)
        server.net = self
        server.daemon_threads = True
        server.socket = (context or self.context).wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False)
        self.begin(server.serve_forever)

    def trap(self, address, port, heard):
        """Notes who comes to a port where nobody may."""
        listener = socket.create_server((address, port), backlog=20)

        def serve():
            while True:
                connection, _ = listener.accept()
                heard.append((address, port))
                connection.close()
        self.begin(serve)
