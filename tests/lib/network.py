"""A network of two machines that are far from each other, for tests of what
happens when the way between them goes bad. Linux, root.

The test and its servers are on one side (SERVER), belfryd on the other, each
in a network namespace of its own, and between them a cable: this program
itself, which carries each packet from one TUN device to the other, or does
not, or later. Both namespaces end with the processes in them; nothing of the
system is touched, and nothing outside is reached.

    network.enter()                     # first of all: begins the test anew
    net = network.Network()
    subprocess.Popen(..., preexec_fn=net.join)  # on the far side
    net.tell("drop", "up")              # see Cable for the words

Run as `network.py can-enter` it says whether this can be had here.

HOST resolves to SERVER there, by a name server behind the same cable.
"""

import contextlib
import ctypes
import fcntl
import heapq
import os
import random
import select
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HOST = "mail.storm.example"
SERVER = "10.9.9.1"
CLIENT_NET = "10.8"
DEVICE = "uplink"
CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 1, 0x1000
PACKET_SIZE = 65536
TCP, RST_BIT = 6, 4

libc = ctypes.CDLL(None, use_errno=True)


def run(*words):
    subprocess.run(words, check=True)


def can_enter():
    """None, or why not."""
    if os.getuid() != 0:
        return "only root may make networks"
    if subprocess.run(["unshare", "-n", "-m", "ip", "tuntap", "add", "t0",
                       "mode", "tun"], check=False,
                      stdout=subprocess.DEVNULL,
                      stderr=subprocess.DEVNULL).returncode != 0:
        return "no network of our own here (unshare, ip, /dev/net/tun)"
    return None


def enter():
    """This program again, in a network and with mounts of its own; skips
    where that cannot be."""
    if "NETWORK_ENTERED" in os.environ:
        return
    why_not = can_enter()
    if why_not:
        print(why_not)
        sys.exit(77)
    os.environ["NETWORK_ENTERED"] = "yes"
    os.execvp("unshare", [
        "unshare", "-n", "-m", "sh", "-c",
        "ip link set lo up && ip addr add %s/32 dev lo && exec \"$@\""
        % SERVER, "sh", sys.executable, "-B", *sys.argv])


# ---- the name server ----


def answer_name(query):
    """A DNS answer (RFC 1035): HOST has an address, nothing else is there."""
    end = 12
    labels = []
    while query[end]:
        labels.append(query[end + 1:end + 1 + query[end]].decode())
        end += 1 + query[end]
    question = query[12:end + 5]
    kind = struct.unpack(">H", question[-4:-2])[0]
    is_ours = ".".join(labels).lower() == HOST
    answers = b""
    if is_ours and kind == 1:
        answers = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) \
            + socket.inet_aton(SERVER)
    flags = 0x8400 | (0 if is_ours else 3)
    return query[:2] + struct.pack(">HHHHH", flags, 1, bool(answers), 0, 0) \
        + question + answers


def serve_names(udp):
    with contextlib.suppress(OSError):  # closed
        while True:
            query, who = udp.recvfrom(1500)
            udp.sendto(answer_name(query), who)


# ---- the cable: a process of its own ----


def open_tun(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(),
                                           IFF_TUN | IFF_NO_PI))
    return fd


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Packet:
    """IPv4; `flow` is the same for both directions."""

    def __init__(self, data):
        self.data = data
        self.flow = None
        self.is_tcp = len(data) >= 40 and data[0] >> 4 == 4 and data[9] == TCP
        if self.is_tcp:
            self.start = (data[0] & 15) * 4
            ports = data[self.start:self.start + 4]
            ends = sorted([data[12:16] + ports[:2], data[16:20] + ports[2:]])
            self.flow = b"".join(ends)

    def has_data(self):
        return len(self.data) > self.start + (self.data[self.start + 12] >> 4
                                              ) * 4

    def is_first(self):
        return self.data[self.start + 13] & 0x12 == 2  # SYN alone

    def refusal(self):
        """The RST that a router sends for a flow that it does not know."""
        data = self.data
        head = data[self.start:]
        if head[13] & RST_BIT:
            return None
        tcp = bytearray(struct.pack(
            ">2s2s4sIBBHHH", head[2:4], head[0:2], head[8:12], 0, 5 << 4,
            RST_BIT, 0, 0, 0))
        pseudo = data[16:20] + data[12:16] + struct.pack(">HH", TCP, len(tcp))
        struct.pack_into(">H", tcp, 16, checksum(pseudo + bytes(tcp)))
        ip = bytearray(struct.pack(
            ">BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, TCP, 0, data[16:20],
            data[12:16]))
        struct.pack_into(">H", ip, 10, checksum(bytes(ip)))
        return bytes(ip + tcp)


class Cable:
    """Obeys lines on standard input, and answers each.

      drop up|down|both|none   packets vanish (up: to the server)
      delay MILLISECONDS
      loss PERCENT             of the packets, by chance
      forget silent|reset      all flows of now are unknown from now on
      nat SECONDS              ... as are those silent for so long; 0: none
      proxy SECONDS            of those without a byte of data for so long only
                               what proves nothing comes through (keepalives)
      ip WORDS                 runs it on the far side
    """

    def __init__(self):
        self.random = random.Random(1)
        self.dropped = {"up": False, "down": False}
        self.delay = self.loss = self.nat = self.proxy = 0.0
        self.said = {}  # flow: when it had data last
        self.flows = {}  # flow: when it was heard of last
        self.forgotten = {}  # flow: whether that is said
        self.late = []
        self.serial = 0
        near = open_tun("cable")
        if libc.unshare(CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        self.ends = {"up": near, "down": open_tun(DEVICE)}  # written to
        self.is_up = True

    def do(self, verb, words):
        if verb == "drop":
            self.dropped = {way: words[0] in (way, "both")
                            for way in self.dropped}
        elif verb == "delay":
            self.delay = float(words[0]) / 1000
        elif verb == "loss":
            self.loss = float(words[0]) / 100
        elif verb in ("nat", "proxy"):
            setattr(self, verb, float(words[0]))
        elif verb == "forget":
            self.forgotten.update(dict.fromkeys(
                self.flows, words[0] == "reset"))
            self.flows = {}
        elif verb == "ip":
            return subprocess.run(
                ["ip", *words], check=False, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True).stdout.strip()
        return ""

    def write(self, way, data):
        try:
            os.write(self.ends[way], data)
        except OSError:
            pass  # the device is down

    def is_known(self, way, packet, now):
        """Whether the flow is; who is not answered is told nothing."""
        flow = packet.flow
        if flow is None:
            return True
        if self.nat and now - self.flows.get(flow, now) > self.nat:
            self.forgotten[flow] = False
        if packet.is_first():
            self.forgotten.pop(flow, None)
        if flow not in self.forgotten:
            self.flows[flow] = now
            return True
        refusal = packet.refusal() if self.forgotten[flow] else None
        if refusal:
            self.write("down" if way == "up" else "up", refusal)
        return False

    def is_mute(self, packet, now):
        if not packet.is_tcp or not packet.has_data():
            return False
        before = self.said.setdefault(packet.flow, now)
        if self.proxy and now - before > self.proxy:
            return True
        self.said[packet.flow] = now
        return False

    def carry(self, way, data):
        now = time.monotonic()
        if self.dropped[way]:
            return
        if self.loss and self.random.random() < self.loss:
            return
        packet = Packet(data)
        if not self.is_known(way, packet, now) or self.is_mute(packet, now):
            return
        if not self.delay:
            self.write(way, data)
            return
        self.serial += 1
        heapq.heappush(self.late, (now + self.delay, self.serial, way, data))

    def carry_late(self):
        """The seconds until the next one."""
        while self.late:
            wait = self.late[0][0] - time.monotonic()
            if wait > 0:
                return wait
            _, _, way, data = heapq.heappop(self.late)
            self.write(way, data)
        return None

    def run(self):
        from_ = {self.ends["up"]: "down", self.ends["down"]: "up"}
        print("ready", flush=True)
        while True:
            ready, _, _ = select.select([0, *from_], [], [],
                                        self.carry_late())
            for fd in ready:
                if fd == 0:
                    words = sys.stdin.readline().split()
                    if not words:
                        return
                    print(self.do(words[0], words[1:]).replace("\n", "; "),
                          flush=True)
                    continue
                try:
                    self.carry(from_[fd], os.read(fd, PACKET_SIZE))
                except OSError:
                    time.sleep(0.01)  # the device is down


# ---- for tests ----


class Network:
    def __init__(self):
        self.cable = subprocess.Popen(
            [sys.executable, "-B", os.path.abspath(__file__)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.cable.stdout.readline() != "ready\n":
            raise OSError("the cable broke")
        self.far = os.open("/proc/%d/ns/net" % self.cable.pid, os.O_RDONLY)
        run("ip", "link", "set", "cable", "up")
        run("ip", "route", "add", CLIENT_NET + ".0.0/16", "dev", "cable",
            "src", SERVER)
        self.number = 2
        self.tell("ip", "link", "set", "lo", "up")
        self.tell("ip", "addr", "add", self.address(), "dev", DEVICE)
        self.plug_in()
        self.names()

    def address(self):
        return "%s.%d.2/24" % (CLIENT_NET, self.number)

    def names(self):
        """A resolver's files of our own, and who they name."""
        self.folder = tempfile.TemporaryDirectory(prefix="belfry-network-")
        self.mounted = []
        for path, text in (
                ("/etc/resolv.conf", "nameserver %s\noptions timeout:1 "
                 "attempts:2\n" % SERVER),
                ("/etc/nsswitch.conf", "hosts: files dns\n")):
            mine = os.path.join(self.folder.name, os.path.basename(path))
            with open(mine, "w", encoding="utf-8") as file:
                file.write(text)
            run("mount", "--bind", mine, os.path.realpath(path))
            self.mounted.append(os.path.realpath(path))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((SERVER, 53))
        threading.Thread(target=serve_names, args=(self.udp,),
                         daemon=True).start()

    def tell(self, *words):
        """What `ip` said, else nothing."""
        print(*words, file=self.cable.stdin, flush=True)
        return self.cable.stdout.readline().rstrip("\n")

    def join(self):
        """In a new process, before it becomes another program."""
        if libc.setns(self.far, CLONE_NEWNET) != 0:
            os._exit(126)

    # What the far side's own system hears of, and its programs by netlink.

    def pull_out(self):
        self.tell("ip", "link", "set", DEVICE, "down")

    def plug_in(self):
        self.tell("ip", "link", "set", DEVICE, "up")
        self.tell("ip", "route", "replace", "default", "dev", DEVICE)

    def move(self):
        """To another address, as in another network."""
        before = self.address()
        self.number = self.number % 250 + 1
        self.tell("ip", "addr", "add", self.address(), "dev", DEVICE)
        self.tell("ip", "addr", "del", before, "dev", DEVICE)
        self.tell("ip", "route", "replace", "default", "dev", DEVICE)

    def lose_route(self):
        self.tell("ip", "route", "del", "default", "dev", DEVICE)

    def stop(self):
        self.cable.stdin.close()
        self.cable.wait()
        os.close(self.far)
        self.udp.close()
        for path in self.mounted:
            run("umount", path)
        self.folder.cleanup()


if __name__ == "__main__":
    if sys.argv[1:] == ["can-enter"]:
        sys.exit(can_enter())
    Cable().run()
