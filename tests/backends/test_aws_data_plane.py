"""The data plane of the AWS backend: addresses, signatures and responses."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    EndpointConnectionError,
    EndpointProviderError,
    ParamValidationError,
    ReadTimeoutError,
)

from cloudfront_facade_server.backends.aws import AwsBackend
from cloudfront_facade_server.backends.timeouts import short_timeouts
from cloudfront_facade_server.errors.aws_code_families import EXPIRED
from cloudfront_facade_server.errors.classify import classify, proven_not_applied
from cloudfront_facade_server.errors.operation_target import OperationTarget
from cloudfront_facade_server.errors.translate import translate
from support.aws_backend import new_aws_backend
from support.cloudfront import faults
from support.cloudfront.credentials import CredentialSource, keys
from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.samples import call, model_of, sample
from support.event_loop import in_loop, waiting
from support.rpcs import DATA_OPERATIONS
from support.values import STORE_ARN

MakeBackend = Callable[..., AwsBackend]

pytestmark = pytest.mark.usefixtures("aws_environment")


@pytest.fixture
def store(cloudfront: CloudFrontDouble) -> str:
    """The ARN of a READY store."""
    arn: str = cloudfront.apply("CreateKeyValueStore", {"Name": "redirects"})["KeyValueStore"]["ARN"]
    return arn


@pytest.fixture
def proxy(cloudfront: CloudFrontDouble) -> Iterator[tuple[str, list[bytes]]]:
    """An HTTP proxy that always connects to the double, and records each request line."""
    request_lines: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, socket.create_connection(cloudfront.address) as onward:
                    request = connection.recv(65_536)
                    request_lines.append(request.partition(b"\r\n")[0])
                    onward.sendall(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
                    connection.sendall(onward.recv(65_536))

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", request_lines
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_requests_go_to_the_endpoint_with_the_account_in_the_host_name(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, store: str
) -> None:
    backend = aws_backend(cloudfront)

    described = backend.describe_key_value_store_data(KvsARN=store)
    backend.list_key_value_stores()

    assert (described["KvsARN"], described["ItemCount"], described["Status"]) == (store, 0, "READY")
    data, control = (request.headers["host"] for request in cloudfront.requests)
    host, port = cloudfront.address
    assert (data, control) == (f"123456789012.{host}:{port}", f"{host}:{port}")
    assert cloudfront.connections == 1, "both planes share the connections"


def test_an_endpoint_can_be_a_host_name(cloudfront: CloudFrontDouble, store: str) -> None:
    backend = waiting(new_aws_backend(endpoint_url=f"http://localhost:{cloudfront.address[1]}"))

    backend.describe_key_value_store_data(KvsARN=store)
    backend.close()

    assert cloudfront.requests[0].headers["host"] == f"123456789012.localhost:{cloudfront.address[1]}"


def test_a_proxy_receives_the_host_name_with_the_account(
    cloudfront: CloudFrontDouble, store: str, proxy: tuple[str, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, request_lines = proxy
    monkeypatch.setenv("http_proxy", address)
    backend = waiting(new_aws_backend(endpoint_url="http://cloudfront.example:4566"))

    assert backend.describe_key_value_store_data(KvsARN=store)["KvsARN"] == store
    backend.close()

    assert request_lines[0].startswith(b"GET http://123456789012.cloudfront.example:4566/key-value-stores/arn%3Aaws")


def test_without_an_endpoint_requests_go_to_the_data_plane_itself() -> None:
    sent: list[Any] = []

    def stop(request: Any, **_: Any) -> Any:
        sent.append(request)
        raise ConnectionClosedError(endpoint_url=request.url)

    backend = new_aws_backend()
    backend._clients.data.meta.events.register_first("before-send.cloudfront-keyvaluestore", stop)
    with pytest.raises(ConnectionClosedError):
        in_loop(backend.get_key, KvsARN=STORE_ARN, Key="k")

    assert sent[0].url.startswith("https://123456789012.cloudfront-kvs.global.api.aws/key-value-stores/arn%3Aaws")
    assert sent[0].headers["X-Amz-Region-Set"] == b"*"


def test_a_key_is_read_as_it_was_put(cloudfront: CloudFrontDouble, aws_backend: MakeBackend, store: str) -> None:
    backend = aws_backend(cloudfront)
    etag = backend.describe_key_value_store_data(KvsARN=store)["ETag"]

    put = backend.put_key(KvsARN=store, Key="a/../b %2F é", Value="\U0001f600\x00", IfMatch=etag)
    got = backend.get_key(KvsARN=store, Key="a/../b %2F é")

    assert (got["Key"], got["Value"]) == ("a/../b %2F é", "\U0001f600\x00")
    assert (put["ItemCount"], put["TotalSizeInBytes"]) == (1, 18)
    assert put["ETag"] == backend.describe_key_value_store_data(KvsARN=store)["ETag"] != etag


@pytest.fixture
def far_from_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sets another local time zone."""
    with monkeypatch.context() as environment:
        environment.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


def test_times_are_in_utc_with_milliseconds(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, store: str, far_from_utc: None
) -> None:
    moment = datetime(2026, 5, 5, 12, 30, 15, 123000, tzinfo=UTC)
    cloudfront.stores["redirects"].created = moment

    described = aws_backend(cloudfront).describe_key_value_store_data(KvsARN=store)

    assert described["Created"] == described["LastModified"] == moment
    assert described["Created"].utcoffset() == timedelta(0)


def test_an_empty_key_is_never_sent(cloudfront: CloudFrontDouble, aws_backend: MakeBackend, store: str) -> None:
    backend = aws_backend(cloudfront)
    empty_key = {"KvsARN": store, "Key": ""}
    for operation, more in (
        ("GetKey", {}),
        ("PutKey", {"Value": "v", "IfMatch": "KV1"}),
        ("DeleteKey", {"IfMatch": "KV1"}),
    ):
        with pytest.raises(ParamValidationError):
            call(backend, operation, empty_key | more)
    assert cloudfront.requests == ()


@pytest.mark.parametrize("code", sorted(EXPIRED))
def test_expired_credentials_are_refreshed_for_both_planes(
    cloudfront: CloudFrontDouble,
    aws_backend: MakeBackend,
    store: str,
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
) -> None:
    source = CredentialSource(tmp_path, monkeypatch)
    backend = aws_backend(cloudfront)
    assert backend.credentials_available() is True
    cloudfront.script("DescribeKeyValueStoreData", faults.expire(code))

    assert backend.describe_key_value_store_data(KvsARN=store)["KvsARN"] == store
    backend.list_key_value_stores()

    assert keys(cloudfront) == ["AKID1", "AKID2", "AKID2"]
    assert source.runs == 2
    assert cloudfront.requests[0].headers["x-amz-security-token"] == "t"


def test_short_timeouts_apply_to_the_data_plane(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, store: str
) -> None:
    backend = aws_backend(cloudfront, read_timeout=10.0, short_timeout=0.2)
    cloudfront.script("GetKey", faults.hang())
    with pytest.raises(ReadTimeoutError), short_timeouts():
        backend.get_key(KvsARN=store, Key="k")


def test_a_refused_connection_is_reported(cloudfront: CloudFrontDouble, aws_backend: MakeBackend, store: str) -> None:
    backend = aws_backend(cloudfront)
    cloudfront.close()
    with pytest.raises(EndpointConnectionError):
        backend.get_key(KvsARN=store, Key="k")


@pytest.mark.parametrize("operation", DATA_OPERATIONS)
def test_the_arn_of_another_partition_is_never_sent(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, operation: str
) -> None:
    sent = {**sample(model_of(operation).input_shape), "KvsARN": STORE_ARN.replace("arn:aws:", "arn:aws-cn:")}
    with pytest.raises(EndpointProviderError, match="aws-cn") as rejected:
        call(aws_backend(cloudfront), operation, sent)
    assert cloudfront.requests == ()
    assert proven_not_applied(rejected.value)
    status = translate(classify(rejected.value), OperationTarget("key value store", "redirects", sent))
    # It can never work, so a retry would not help.
    assert (status.code, status.reason) == (grpc.StatusCode.INTERNAL, "UPSTREAM_CREDENTIALS_MISSING")
    assert status.retry_after is None
