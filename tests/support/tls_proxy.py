"""An HTTP proxy that decrypts HTTPS requests to any host, and passes them to a server on loopback."""

from __future__ import annotations

import socket
import ssl
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

import trustme


class TlsProxy:
    """A proxy with its own certificate authority, which has a certificate for every host.

    Args:
        port: The port of the server on loopback.

    Attributes:
        hosts: The host of each request.
        variables: The environment of a program that uses the proxy and trusts its authority.
    """

    def __init__(self, port: int) -> None:
        self.hosts: list[str] = []
        self._port = port
        self._authority = trustme.CA()
        self._folder = tempfile.TemporaryDirectory()
        bundle = Path(self._folder.name) / "ca.pem"
        self._authority.cert_pem.write_to_path(str(bundle))
        self._listener = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.variables = {"HTTPS_PROXY": url, "AWS_CA_BUNDLE": str(bundle)}
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def end(self) -> None:
        """Ends the proxy. The connections must have been closed."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)
        self._folder.cleanup()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener is closed at the end
            while True:
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            host = connection.recv(65_536).split()[1].decode().rpartition(":")[0]
            self.hosts.append(host)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._authority.issue_cert(host).configure_cert(context)
            with (
                context.wrap_socket(connection, server_side=True) as decrypted,
                socket.create_connection(("127.0.0.1", self._port)) as server,
            ):
                back = threading.Thread(target=_copy, args=(server, decrypted))
                back.start()
                _copy(decrypted, server)
                back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    """Copies until the source ends."""
    with suppress(OSError):
        while content := source.recv(65_536):
            sink.sendall(content)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
