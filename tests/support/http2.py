"""A raw HTTP/2 client. It can send what no gRPC client sends."""

from __future__ import annotations

import multiprocessing
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Self

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, ResponseReceived, StreamEnded, StreamReset, TrailersReceived
from h2.exceptions import ProtocolError

MESSAGE_PREFIX_BYTES = 5
_FRAME_BYTES = 16_384


def message_prefix(size: int, *, compressed: bool = False) -> bytes:
    """Returns the prefix of a gRPC message of this size."""
    return bytes([compressed]) + size.to_bytes(4, "big")


def call_fields(path: bytes | str) -> list[tuple[bytes | str, bytes | str]]:
    """Returns the header fields of a call."""
    return [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "facade"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ]


class RawConnection:
    """An HTTP/2 connection to a gRPC server."""

    def __init__(self, address: str, timeout: float = 10.0) -> None:
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=timeout)
        configuration = H2Configuration(client_side=True, header_encoding=None, validate_outbound_headers=False)
        self.h2 = H2Connection(configuration)
        self.h2.initiate_connection()
        self.statuses: dict[int, int] = {}
        """The gRPC status of each stream that has ended; -1 if it was reset."""
        self.flush()

    def open(self, path: bytes | str, *, end: bool = False, **headers: str) -> int:
        """Sends the headers of a call; returns the stream."""
        stream = self.h2.get_next_available_stream_id()
        metadata = [(name.replace("_", "-"), value) for name, value in headers.items()]
        self.h2.send_headers(stream, [*call_fields(path), *metadata], end_stream=end)
        self.flush()
        return stream

    def send(self, stream: int, content: bytes, *, end: bool = False) -> None:
        """Sends bytes on a stream, which must fit into its window."""
        self.h2.send_data(stream, content, end_stream=end)
        self.flush()

    def send_available(self, stream: int, content: memoryview) -> int:
        """Sends as many bytes as the windows allow; returns how many were sent."""
        sent = 0
        with suppress(ProtocolError):  # the server has ended the stream
            while (size := min(len(content) - sent, self.h2.local_flow_control_window(stream), _FRAME_BYTES)) > 0:
                self.h2.send_data(stream, bytes(content[sent : sent + size]))
                self.flush()
                sent += size
        return sent

    def flush(self) -> None:
        """Writes what is to be sent."""
        self.socket.sendall(self.h2.data_to_send())

    def receive(self, timeout: float) -> bool:
        """Reads what has arrived; returns whether the connection is still open."""
        self.socket.settimeout(timeout)
        try:
            content = self.socket.recv(1 << 20)
        except (TimeoutError, BlockingIOError):
            return True
        finally:
            self.socket.settimeout(10)
        if not content:
            return False
        for event in self.h2.receive_data(content):
            self._note(event)
        self.flush()
        return True

    def status(self, stream: int, timeout: float = 10.0) -> int:
        """Returns the gRPC status of a call; waits for it."""
        deadline = time.monotonic() + timeout
        while stream not in self.statuses:
            if time.monotonic() > deadline or not self.receive(0.1):
                raise AssertionError(f"stream {stream} has not ended")
        return self.statuses[stream]

    def _note(self, event: Event) -> None:
        if isinstance(event, DataReceived):
            self.h2.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 0)
        elif isinstance(event, ResponseReceived | TrailersReceived):
            for name, value in event.headers or ():
                if name == b"grpc-status" and event.stream_id:
                    self.statuses[event.stream_id] = int(value)
        elif isinstance(event, StreamReset | StreamEnded) and event.stream_id:
            self.statuses.setdefault(event.stream_id, -1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def send_unfinished_messages(address: str, path: str, streams: int, size: int) -> None:
    """Sends messages without their last bytes on this many streams, until the process is terminated."""
    _flood(address, path, streams, message_prefix(size) + bytes(size - 10))


def send_messages(address: str, path: str, streams: int, message: bytes) -> None:
    """Sends a message on this many streams repeatedly, until the process is terminated."""
    _flood(address, path, streams, message_prefix(len(message)) + message)


def _flood(address: str, path: str, streams: int, content: bytes) -> None:
    """Sends the same on each stream. Streams that the server ends are replaced, and so is a closed connection."""
    while True:
        with suppress(OSError, ProtocolError), RawConnection(address) as connection:
            left: dict[int, memoryview] = {}
            is_open = True
            while is_open:
                for ended in left.keys() & connection.statuses.keys():
                    del left[ended]
                while len(left) < streams:
                    left[connection.open(path)] = memoryview(content)
                sent = 0
                for stream, rest in left.items():
                    count = connection.send_available(stream, rest)
                    left[stream] = rest[count:]
                    sent += count
                is_open = connection.receive(0.0 if sent else 0.02)


def _yielding(attack: Callable[..., None], *arguments: object) -> None:
    """Runs an attack with the lowest priority, because real attackers do not use the server's processors."""
    os.nice(19)
    attack(*arguments)


@contextmanager
def attackers(attack: Callable[..., None], *arguments: object, count: int) -> Iterator[None]:
    """Runs an attack in separate processes until the block ends. The machine prefers other processes."""
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_yielding, args=(attack, *arguments), daemon=True) for _ in range(count)]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
            process.join(10)
