"""The HTTP transport of boto3: it sends a request once, and reports whether it may have been applied."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from botocore import exceptions as boto
from botocore.awsrequest import AWSRequest

from cloudfront_facade_server.backends.aws.transport import Timeouts, Transport, use_timeouts
from cloudfront_facade_server.call_context import CallContext, upstream_deadline
from cloudfront_facade_server.errors.classify import proven_not_applied
from cloudfront_facade_server.errors.translate import cause
from support.cloudfront import faults
from support.cloudfront.http import CloudFrontDouble
from support.event_loop import in_loop
from support.waiting import wait_until

Serve = Callable[[socket.socket], None]


@contextmanager
def listening(serve: Serve) -> Iterator[tuple[str, list[int]]]:
    """Serves connections with `serve`, and counts them."""
    accepted = [0]
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                accepted[0] += 1
                with connection:
                    try:
                        serve(connection)
                    except OSError:
                        continue

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}", accepted
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def respond(connection: socket.socket) -> None:
    """Responds to one request with 200, then closes the connection."""
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def respond_then_close_on_the_second_request(connection: socket.socket) -> None:
    respond(connection)
    connection.recv(65_536)


@pytest.fixture
def authority(tmp_path: Path) -> tuple[trustme.CA, Path]:
    ca = trustme.CA()
    path = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(path)
    return ca, path


def send(transport: Transport, url: str, method: str = "POST", timeouts: Timeouts | None = None, **headers: str) -> Any:
    all_headers = {"Content-Length": "4", **headers}
    prepared = AWSRequest(method=method, url=url, data=b"body", headers=all_headers).prepare()
    with_timeouts = use_timeouts(timeouts or Timeouts(2.0, 2.0))(transport.send)
    return in_loop(with_timeouts, prepared)


@pytest.fixture
def transport(aws_environment: None, authority: tuple[trustme.CA, Path]) -> Iterator[Transport]:
    transport = Transport(str(authority[1]), 8)
    yield transport
    in_loop(transport.close)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_request_on_a_reused_connection_is_sent_once(transport: Transport, method: str) -> None:
    with listening(respond_then_close_on_the_second_request) as (address, accepted):
        assert send(transport, f"http://{address}/").content == b"ok"
        with pytest.raises(boto.ConnectionClosedError) as lost:
            send(transport, f"http://{address}/", method)
        assert accepted == [1], "nothing may be sent again over another connection"
    assert not proven_not_applied(lost.value)


def test_nothing_is_sent_to_a_server_with_an_untrusted_certificate(transport: Transport) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    received: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            received.append(secured.recv(65_536))

    with listening(serve) as (address, _), pytest.raises(boto.SSLError) as caught:
        send(transport, f"https://{address}/")
    assert proven_not_applied(caught.value)
    assert received == []


def test_a_tls_error_after_the_request_leaves_the_outcome_unknown(
    transport: Transport, authority: tuple[trustme.CA, Path]
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority[0].issue_cert("127.0.0.1").configure_cert(context)
    received: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        secured = context.wrap_socket(connection, server_side=True)
        received.append(secured.recv(65_536))
        plain = socket.socket(fileno=secured.detach())
        plain.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
        plain.close()

    with listening(serve) as (address, _), pytest.raises(boto.HTTPClientError) as broken:
        send(transport, f"https://{address}/")
    assert received[0].endswith(b"body")
    assert not proven_not_applied(broken.value)


@pytest.mark.parametrize("status", [407, 502])
def test_nothing_is_sent_if_a_proxy_does_not_open_a_tunnel(
    authority: tuple[trustme.CA, Path], aws_environment: None, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    received: list[bytes] = []

    def reject(connection: socket.socket) -> None:
        received.append(connection.recv(65_536))
        connection.sendall(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status)

    with listening(reject) as (address, _):
        monkeypatch.setenv("https_proxy", f"http://me:hush@{address}")
        transport = Transport(str(authority[1]), 8)
        with pytest.raises(boto.EndpointConnectionError) as caught:
            send(transport, "https://cloudfront.example/")
        in_loop(transport.close)
    assert received[0].startswith(b"CONNECT cloudfront.example:443 ")
    assert b"Proxy-Authorization: Basic" in received[0]
    assert proven_not_applied(caught.value)
    assert "hush" not in str(caught.value)


def test_no_proxy_is_respected(
    authority: tuple[trustme.CA, Path], aws_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    transport = Transport(str(authority[1]), 8)
    with listening(respond) as (address, _):
        assert send(transport, f"http://{address}/").status_code == 200
    in_loop(transport.close)


@pytest.mark.parametrize(
    "content",
    [
        b"HTTP/1.1 201 Created\r\nLocation: arn:secret",
        b"HTTP/1.1 201 Created\r\nbad header arn:secret\r\n\r\n",
        b"arn:secret is not HTTP\r\n\r\n",
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\narn:secret\r\n",
        b"HTTP/1.1 201 Created\r\nContent-Length: 99\r\n\r\narn:secret",
    ],
    ids=["cut headers", "bad header", "no HTTP", "bad chunk", "cut body"],
)
def test_a_malformed_response_leaves_the_outcome_unknown_and_is_not_logged(
    transport: Transport, content: bytes
) -> None:
    def malformed(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(content)

    with listening(malformed) as (address, _), pytest.raises(boto.HTTPClientError) as caught:
        send(transport, f"http://{address}/")
    assert not proven_not_applied(caught.value)
    assert "secret" not in cause(caught.value)


def test_a_failed_connection_is_logged_with_its_reason(transport: Transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(boto.EndpointConnectionError) as caught:
        send(transport, f"http://{address}/")
    assert cause(caught.value) == f"EndpointConnectionError: {address}: Connection refused"


def test_a_proxy_needs_no_scheme_and_other_proxy_variables_are_ignored(
    authority: tuple[trustme.CA, Path], aws_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(respond) as (address, accepted):
        monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:1")
        monkeypatch.setenv("http_proxy", address)
        transport = Transport(str(authority[1]), 8)
        assert send(transport, "http://cloudfront.example/").content == b"ok"
        in_loop(transport.close)
    assert accepted == [1]
    monkeypatch.setenv("http_proxy", "socks5://me:hush@127.0.0.1:1")
    with pytest.raises(ValueError, match="http_proxy must be") as caught:
        Transport(str(authority[1]), 8)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("value", ["a\nb", "a\r\nX-Other: b", "a\0b", "a\x1fb", "a\x7fb", "a\n"])
def test_an_invalid_header_is_never_sent(transport: Transport, value: str) -> None:
    with listening(respond) as (address, accepted):
        with pytest.raises(boto.EndpointConnectionError) as caught:
            send(transport, f"http://{address}/", Token=value)
        assert accepted == [0]
    assert proven_not_applied(caught.value)
    assert cause(caught.value) == "EndpointConnectionError: malformed header Token"


@pytest.mark.parametrize("url", ["http:///path", "http://:80/path"])
def test_a_request_with_a_malformed_url_is_never_sent(transport: Transport, url: str) -> None:
    with pytest.raises(boto.EndpointConnectionError) as caught:
        send(transport, url)
    assert proven_not_applied(caught.value)
    assert cause(caught.value) == "EndpointConnectionError: invalid address"


def test_connections_are_bounded_per_host_and_in_total(
    authority: tuple[trustme.CA, Path], aws_environment: None
) -> None:
    transport = Transport(str(authority[1]), 2)
    with ExitStack() as stack:
        doubles = [stack.enter_context(CloudFrontDouble()) for _ in range(4)]
        pool = stack.enter_context(ThreadPoolExecutor(16))
        for double in doubles:
            double.always("ListFunctions", faults.hold())
        urls = [f"{double.url}/2020-05-31/function" for double in doubles]
        in_loop(transport.warm_up)

        def start(urls: list[str], connect: float) -> list[Future[Any]]:
            timeouts = Timeouts(connect, 10.0)
            return [pool.submit(send, transport, url, "GET", timeouts, Authorization="x") for url in urls]

        calls = start([urls[0]] * 4, 20.0)
        wait_until(lambda: doubles[0].count("ListFunctions") == 2)
        calls += start(urls[1:] * 2, 20.0)
        wait_until(lambda: sum(double.count("ListFunctions") for double in doubles) == 4)
        for call in start(urls, 0.3):
            error = call.exception(timeout=10)
            assert isinstance(error, boto.ConnectTimeoutError)
            assert proven_not_applied(error)
        assert doubles[0].max_in_flight == 2
        assert sum(double.connections for double in doubles) == 4

        for double in doubles:
            double.always("ListFunctions", None)
            double.release()
        assert {call.result(timeout=10).status_code for call in calls} == {200}
        assert max(double.max_in_flight for double in doubles) == 2
        in_loop(transport.close)


def test_a_name_that_does_not_resolve_was_not_reached(transport: Transport) -> None:
    with pytest.raises(boto.EndpointConnectionError) as caught:
        send(transport, "http://cloudfront.invalid/", timeouts=Timeouts(10.0, 10.0))
    assert proven_not_applied(caught.value)
    assert cause(caught.value).startswith("EndpointConnectionError: cloudfront.invalid:80: ")


def test_a_resolver_that_hangs_is_a_connect_timeout(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def hang(*_: Any, **__: Any) -> list[Any]:
        released.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    try:
        with pytest.raises(boto.ConnectTimeoutError) as caught:
            send(transport, "http://cloudfront.example/", timeouts=Timeouts(0.2, 10.0))
    finally:
        released.set()
    assert proven_not_applied(caught.value)


def test_a_header_with_every_valid_character_is_sent(transport: Transport) -> None:
    received: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        received.append(connection.recv(65_536))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with listening(serve) as (address, _):
        assert send(transport, f"http://{address}/", Token="a\tb \u00e9~").status_code == 200
    assert "\r\nToken: a\tb \u00e9~\r\n".encode() in received[0]


def test_nothing_is_sent_after_the_deadline(transport: Transport) -> None:
    with listening(respond) as (address, accepted):
        with upstream_deadline(time.monotonic() - 0.01), pytest.raises(boto.EndpointConnectionError) as late:
            send(transport, f"http://{address}/")
        assert accepted == [0]
        with upstream_deadline(time.monotonic() + 60):
            assert send(transport, f"http://{address}/").content == b"ok"
    assert proven_not_applied(late.value)
    assert cause(late.value) == "EndpointConnectionError: the call had already ended"


def test_nothing_is_sent_for_a_caller_that_has_gone(transport: Transport) -> None:
    call = CallContext("CreateFunction", "test", time.monotonic() + 60)
    with listening(respond) as (address, accepted), call.sending():
        assert send(transport, f"http://{address}/").content == b"ok"
        call.abandoned = True
        with pytest.raises(boto.EndpointConnectionError) as late:
            send(transport, f"http://{address}/")
        assert accepted == [1]
    assert proven_not_applied(late.value)


def test_a_slow_response_ends_at_the_sum_of_both_timeouts(transport: Transport) -> None:
    complete = threading.Event()

    def trickle(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 80\r\n\r\n")
        for _ in range(80):  # takes four seconds, but never pauses for half a second
            connection.sendall(b"x")
            time.sleep(0.05)
        complete.set()

    with listening(trickle) as (address, _):
        with pytest.raises(boto.ReadTimeoutError) as caught:
            send(transport, f"http://{address}/", timeouts=Timeouts(0.5, 0.5))
        assert not complete.is_set()
    assert not proven_not_applied(caught.value)
