"""A mouse for a Wayland screen that has none: zwlr_virtual_pointer_v1, spoken
by hand (https://wayland.freedesktop.org/docs/html/ch04.html)."""

import socket
import struct
import time

LEFT = 0x110  # BTN_LEFT of linux/input-event-codes.h
DISPLAY = 1
SYNC, GET_REGISTRY, BIND, CREATE = 0, 1, 0, 0
MOTION_ABSOLUTE, BUTTON, FRAME = 1, 2, 4
NAME = "zwlr_virtual_pointer_manager_v1"


def number(value):
    return struct.pack("=I", value)


def text(value):
    data = value.encode() + b"\0"
    return number(len(data)) + data + b"\0" * (-len(data) % 4)


class Pointer:
    """As long as this lives, the screen has a mouse."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)
        self.data = b""
        self.last = DISPLAY
        registry = self.new()
        self.send(DISPLAY, GET_REGISTRY, number(registry))
        globals_ = {}
        for sender, opcode, body in self.round_trip():
            if (sender, opcode) == (registry, 0):
                length = struct.unpack_from("=I", body, 4)[0]
                globals_[body[8:8 + length - 1].decode()] = body[:4]
        manager, self.pointer = self.new(), self.new()
        self.send(registry, BIND, globals_[NAME], text(NAME), number(1),
                  number(manager))
        self.send(manager, CREATE, number(0), number(self.pointer))
        self.round_trip()

    def new(self):
        """An id; they have to be used in order."""
        self.last += 1
        return self.last

    def send(self, who, opcode, *parts):
        body = b"".join(parts)
        self.socket.sendall(struct.pack(
            "=II", who, (8 + len(body)) << 16 | opcode) + body)

    def event(self):
        while len(self.data) < 8 or len(self.data) < struct.unpack_from(
                "=II", self.data)[1] >> 16:
            more = self.socket.recv(4096)
            if not more:
                raise AssertionError("the screen has gone")
            self.data += more
        sender, word = struct.unpack_from("=II", self.data)
        body = self.data[8:word >> 16]
        self.data = self.data[word >> 16:]
        return sender, word & 0xffff, body

    def round_trip(self):
        """All that was said until everything that was sent was done."""
        callback = self.new()
        self.send(DISPLAY, SYNC, number(callback))
        events = []
        while True:
            event = self.event()
            if event[0] == DISPLAY and event[1] == 0:
                raise AssertionError("the screen refuses: %r" % (event,))
            if event[0] == callback:
                return events
            events.append(event)

    def now(self):
        return number(int(time.monotonic() * 1000) & 0xffffffff)

    def click(self, x, y, width, height):
        self.send(self.pointer, MOTION_ABSOLUTE, self.now(), number(x),
                  number(y), number(width), number(height))
        self.send(self.pointer, FRAME)
        for pressed in (1, 0):
            self.send(self.pointer, BUTTON, self.now(), number(LEFT),
                      number(pressed))
            self.send(self.pointer, FRAME)
        self.round_trip()
