"""A server that rejects streams unread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import RequestReceived, StreamEnded

OK_RESPONSE = bytes(5)
"""An empty message: all fields have their defaults."""


class Rejections:
    """How many streams a server still rejects, and how many it has received."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.received = 0


@contextmanager
def rejecting_server(rejections: Rejections) -> Iterator[str]:
    """Answers the first streams with REFUSED_STREAM, and others with an empty message; yields the target."""
    listener = socket.create_server(("127.0.0.1", 0))
    connections: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connections.append(connection)
                threads.append(threading.Thread(target=_serve, args=(connection, rejections)))
                threads[-1].start()

    threads.append(threading.Thread(target=accept))
    threads[0].start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
        for each in (listener, *connections):
            each.close()


def _serve(connection: socket.socket, rejections: Rejections) -> None:
    h2 = H2Connection(H2Configuration(client_side=False))
    h2.initiate_connection()
    with suppress(OSError):
        connection.sendall(h2.data_to_send())
        while content := connection.recv(65536):
            for event in h2.receive_data(content):
                if isinstance(event, RequestReceived):
                    rejections.received += 1
                if isinstance(event, StreamEnded):
                    _respond(h2, event.stream_id, rejections)
            connection.sendall(h2.data_to_send())


def _respond(h2: H2Connection, stream: int, rejections: Rejections) -> None:
    if rejections.left > 0:
        rejections.left -= 1
        h2.reset_stream(stream, ErrorCodes.REFUSED_STREAM)
        return
    h2.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
    h2.send_data(stream, OK_RESPONSE)
    h2.send_headers(stream, [("grpc-status", "0")], end_stream=True)
