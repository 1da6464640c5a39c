"""A relay between a client and a server, whose connections a test can cut."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from client.canned import PATIENCE

if TYPE_CHECKING:
    from typing import Self


class Relay:
    """A TCP relay whose connections can be cut during calls."""

    def __init__(self, target: str, address: str = "127.0.0.1:0") -> None:
        """Listens on an address.

        Args:
            target: The address of the server.
            address: The address to listen on, which may be of `reserved_target`.
        """
        self._upstream = _host_and_port(target)
        self._listener = socket.create_server(_host_and_port(address), reuse_port=True)
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    @property
    def target(self) -> str:
        """The address of the relay."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def cut(self) -> None:
        """Cuts the connections."""
        for connection in self._sockets:
            self._shut(connection)

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def close(self) -> None:
        """Stops accepting connections, and cuts those that are open."""
        self._shut(self._listener)
        self.cut()

    def __exit__(self, *error: object) -> None:
        self.close()
        for thread in self._threads:
            thread.join(PATIENCE)
        for connection in (self._listener, *self._sockets):
            connection.close()

    def _start(self, run: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=run, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._upstream)
            self._sockets += [near, far]
            self._start(self._pump, near, far)
            self._start(self._pump, far, near)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        self._shut(source)
        self._shut(sink)

    @staticmethod
    def _shut(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def _host_and_port(address: str) -> tuple[str, int]:
    host, port = address.split(":")
    return host, int(port)
