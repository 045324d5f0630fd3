"""Frames between the appliance's processes, as a compromised process would make them.

The layout is read from src/ipc/messages.def, the same text that the product's codecs come from.
"""

import hashlib
import os
import re
import struct

SOURCE = os.path.join(os.environ["ITL_SOURCE_DIR"], "src", "ipc", "messages.def")
TEXT = open(SOURCE, "rb").read()
PROTOCOL = int(hashlib.sha256(TEXT).hexdigest()[:8], 16)
REPLY_BIT = 0x8000


def _definitions():
    text = re.sub(r"/\*.*?\*/", "", TEXT.decode(), flags=re.S).replace("\\\n", " ")
    found = {}
    for name, body in re.findall(r"#define (\w+)\(F\)(.*)", text):
        fields = []
        for inner, kind, field, limit in re.findall(r"(OPERATOR_\w+)\(F\)|F\((\w+), (\w+), (\w+)\)", body):
            fields += found[inner] if inner else [(kind, field, limit)]
        found[name] = fields
    numbers = {n: int(v, 16) for n, v in re.findall(r"M\(\w+, (\w+), (0x[0-9a-f]+),", text)}
    return found, numbers


LAYOUT, NUMBERS = _definitions()
SIZES = {"U8": "B", "U16": ">H", "U32": ">I", "U64": ">Q"}


def encode_fields(fields, values):
    out = b""
    for kind, name, _limit in fields:
        value = values.get(name, 0 if kind in SIZES else [] if kind == "LIST" else b"")
        if isinstance(value, str):
            value = value.encode()
        if kind in SIZES:
            out += struct.pack(SIZES[kind], value)
        elif kind == "FIXED":
            out += value
        elif kind == "BLOB":
            out += struct.pack(">I", len(value)) + value
        elif kind == "TEXT":
            out += struct.pack(">H", len(value)) + value
        elif kind == "LIST":
            rows = [encode_fields(LAYOUT["RECORD_" + _limit], row) for row in value]
            out += struct.pack(">H", len(rows)) + b"".join(rows)
    return out


def decode_fields(fields, body):
    values = {}
    for kind, name, limit in fields:
        if kind in SIZES:
            size = struct.calcsize(SIZES[kind])
            values[name], = struct.unpack(SIZES[kind], body[:size])
            body = body[size:]
        elif kind == "FIXED":
            values[name], body = body[:int(limit)], body[int(limit):]
        elif kind in ("BLOB", "TEXT"):
            width = 4 if kind == "BLOB" else 2
            size = int.from_bytes(body[:width], "big")
            values[name], body = body[width:width + size], body[width + size:]
        elif kind == "LIST":
            count, = struct.unpack(">H", body[:2])
            body = body[2:]
            values[name] = []
            for _ in range(count):
                row, body = decode_fields(LAYOUT["RECORD_" + limit], body)
                values[name].append(row)
    return values, body


def frame(name, values, sequence):
    body = encode_fields(LAYOUT["REQUEST_" + name], values)
    return header(NUMBERS[name], 0, sequence, len(body)) + body


def header(number, status, sequence, length, protocol=PROTOCOL):
    return struct.pack(">IHHII", protocol, number, status, sequence, length)


def reasons():
    """Stable reasons by the number that travels as a reply's status."""
    table = os.path.join(os.environ["ITL_SOURCE_DIR"], "src", "base", "err.def")
    rows = re.findall(r'^ERR\((\w+),\s*\w+,\s*"(\w+)"', open(table).read(), flags=re.M)
    return ["ok"] + [reason for _name, reason in rows]


REASONS = reasons()


class Channel:
    """A channel as seen through the puppet in the front's place."""

    def __init__(self, connection, which, sequence=0):
        """`sequence` is the number of the last request that this front sent on the channel."""
        self.socket = connection
        self.sequence = sequence
        self.socket.sendall(which.encode() + b"\n")

    def send(self, data):
        self.socket.sendall(data)

    def _read(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise EOFError("the channel is closed")
            data += part
        return data

    def receive(self):
        """(name, sequence, reason, values) of the next reply."""
        protocol, number, status, sequence, length = struct.unpack(">IHHII", self._read(16))
        assert protocol == PROTOCOL and number & REPLY_BIT
        name = next(n for n, v in NUMBERS.items() if v == number & ~REPLY_BIT)
        body = self._read(length)
        layout = LAYOUT["IPC_REFUSAL"] if status else LAYOUT["REPLY_" + name]
        values, rest = decode_fields(layout, body)
        assert rest == b""
        return name, sequence, REASONS[status], values

    def call(self, name, **values):
        """(reason, values) of the answer to one request."""
        self.sequence += 1
        self.send(frame(name, values, self.sequence))
        answered, sequence, reason, reply = self.receive()
        assert (answered, sequence) == (name, self.sequence)
        return reason, reply
