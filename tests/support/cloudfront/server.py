"""An HTTP/1.1 server on loopback with a thread for each connection. It can also close or reset connections."""

from __future__ import annotations

import socket
import struct
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .faults import Hangup
from .wire import HttpResponse

_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Reply:
    """The outcome of a request, and the headers that all responses have."""

    outcome: HttpResponse | Hangup
    headers: Mapping[str, str]


Respond = Callable[[str, str, Mapping[str, str], bytes], Reply]
"""Takes a request's method, path, headers (names in lower case) and body."""


class LoopbackServer(ThreadingHTTPServer):
    """Serves on a free port of 127.0.0.1 until `end` is called.

    Args:
        respond: Responds to a request; must be thread-safe.
    """

    daemon_threads = False
    request_queue_size = 256

    def __init__(self, respond: Respond) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.respond = respond
        self._failures: list[Exception] = []
        self._connections: set[socket.socket] = set()
        self._resetting: set[socket.socket] = set()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self.serve_forever, args=(_POLL_SECONDS,), name="loopback-server")
        self._thread.start()

    def end(self) -> None:
        """Ends every connection and thread. Running calls of `respond` must be able to return.

        Raises:
            ExceptionGroup: The errors that `respond` raised.
        """
        self.shutdown()
        self._thread.join()
        with self._changed:
            for connection in self._connections:
                # The client may have closed it already.
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()
        if self._failures:
            raise ExceptionGroup("the server failed", self._failures)

    @property
    def connections(self) -> int:
        """The number of open connections."""
        with self._changed:
            return len(self._connections)

    def wait_until_idle(self, timeout: float) -> None:
        """Waits until no connection is open; raises TimeoutError if one stays open."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._connections, timeout):
                raise TimeoutError(f"{len(self._connections)} connections are open after {timeout} s")

    def reset_at_end(self, connection: socket.socket) -> None:
        """Resets this connection (RST) when it ends."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with self._changed:
            self._resetting.add(connection)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accepts a connection and records it."""
        connection, address = super().get_request()
        with self._changed:
            self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Ends a connection; a connection that must be reset is closed without a shutdown."""
        with self._changed:
            self._connections.discard(request)
            self._changed.notify_all()
            if request in self._resetting:
                self._resetting.discard(request)
                self.close_request(request)
            else:
                super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keeps an error for `end`, unless the client disconnected."""
        error = sys.exception()
        if isinstance(error, Exception) and not isinstance(error, ConnectionError):
            self._failures.append(error)


class _Handler(BaseHTTPRequestHandler):
    """Speaks HTTP/1.1 on one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: LoopbackServer

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.respond(self.command, self.path, headers, body)
        if isinstance(reply.outcome, HttpResponse):
            self._send(reply.outcome, reply.headers)
            return
        self.close_connection = True
        if reply.outcome is Hangup.RESET:
            self.server.reset_at_end(self.connection)

    do_DELETE = do_GET = do_POST = do_PUT = _serve  # noqa: N815 (names that http.server calls)

    def _send(self, response: HttpResponse, common_headers: Mapping[str, str]) -> None:
        headers = {**common_headers, **response.headers}
        if response.status != HTTPStatus.NO_CONTENT:
            headers["Content-Length"] = str(len(response.body))
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.wfile.write(f"HTTP/1.1 {response.status} -\r\n{head}\r\n".encode() + response.body[: response.sent])
        self.close_connection = self.close_connection or response.sent is not None

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (http.server's name)
        """Logs nothing."""
