"""The double's REST-XML and REST-JSON against plain boto3, for every operation of functions, stores, keys and tags."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError

from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.samples import (
    FULL_FUNCTION,
    call,
    code_and_status,
    create_function,
    model_of,
    plain_client,
    plain_client_of,
    sample,
)
from support.cloudfront.wire import client_error
from support.rpcs import OPERATIONS
from support.values import STORE_ARN

KEYS = f"/key-value-stores/{quote(STORE_ARN, safe='')}/keys"
HOST = {"Host": "123456789012.localhost"}

pytestmark = pytest.mark.usefixtures("aws_environment")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_member_is_preserved_in_both_directions(operation: str) -> None:
    model = model_of(operation)
    sent = sample(model.input_shape)
    expected = sample(model.output_shape) if model.output_shape else {}
    received = []

    def apply(name: str, arguments: Mapping[str, Any]) -> Any:
        received.append((name, arguments))
        return expected

    with CloudFrontDouble(apply) as double, plain_client_of(operation, double.url) as client:
        response = call(client, operation, sent)

    assert received == [(operation, sent)]
    metadata = response.pop("ResponseMetadata")
    assert metadata["HTTPStatusCode"] == model.http["responseCode"]
    if operation == "UpdateFunction":  # the service model misspells the name of this header
        response["ETag"] = metadata["HTTPHeaders"]["etag"]
    assert response == expected


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_absent_member_stays_absent(operation: str) -> None:
    model = model_of(operation)
    sent = {name: sample(model.input_shape.members[name], name) for name in model.input_shape.required_members}
    payload = model.output_shape and model.output_shape.serialization.get("payload")
    expected = {payload: b"" if payload == "FunctionCode" else {}} if payload else {}
    received = []

    def apply(name: str, arguments: Mapping[str, Any]) -> Any:
        received.append(arguments)
        return expected

    with CloudFrontDouble(apply) as double, plain_client_of(operation, double.url) as client:
        response = call(client, operation, sent)

    assert received == [sent]
    del response["ResponseMetadata"]
    assert response == expected


def test_empty_lists_and_structures_are_distinct_from_absent_ones() -> None:
    received = []

    def apply(name: str, arguments: Mapping[str, Any]) -> Any:
        received.append(arguments)
        return {"FunctionSummary": {"FunctionConfig": {"KeyValueStoreAssociations": {"Quantity": 0, "Items": []}}}}

    sent = {**FULL_FUNCTION, "Tags": {"Items": []}}
    with CloudFrontDouble(apply) as double, plain_client(double.url) as client:
        create_with_none = client.create_function(**sent)
        client.create_function(**{**sent, "Tags": {}})

    assert [arguments["Tags"] for arguments in received] == [{"Items": []}, {}]
    associations = create_with_none["FunctionSummary"]["FunctionConfig"]["KeyValueStoreAssociations"]
    assert associations == {"Quantity": 0, "Items": []}


def test_requests_are_recorded_as_received(cloudfront: CloudFrontDouble) -> None:
    with plain_client(cloudfront.url) as client:
        create_function(client)

    (request,) = cloudfront.requests
    assert (request.method, request.path, request.operation) == ("POST", "/2020-05-31/function", "CreateFunction")
    assert request.headers["content-length"] == str(len(request.body))
    assert b"<Tag><Key>empty</Key><Value /></Tag><Tag><Key>absent</Key></Tag>" in request.body
    assert request.arguments == {**FULL_FUNCTION, "Name": "rewrite"}


def test_a_custom_handler_can_raise_errors() -> None:
    def apply(name: str, arguments: Mapping[str, Any]) -> Any:
        raise client_error("TooManyFunctions", 400, "100 of 100 <used>")

    with CloudFrontDouble(apply) as double, plain_client(double.url) as client:
        with pytest.raises(ClientError, match="100 of 100 <used>") as caught:
            create_function(client)
        assert code_and_status(caught.value) == ("TooManyFunctions", 400)
        assert double.effects("CreateFunction") == 0


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "expected"),
    [
        ("GET", "/2020-05-31/key-value-store", b"", {}, (403, b"MissingAuthenticationToken")),
        ("GET", "/2020-05-31/no-such-thing", b"", {"Authorization": "any"}, (404, b"UnknownOperation")),
        ("DELETE", "/2020-05-31/function", b"", {"Authorization": "any"}, (404, b"UnknownOperation")),
        ("POST", "/2020-05-31/function", b"<a>", {"Authorization": "any"}, (400, b"MalformedXML")),
        ("POST", "/2020-05-31/function", b"<a><Other/></a>", {"Authorization": "any"}, (400, b"MalformedXML")),
        ("POST", "/2020-05-31/function", b"<a>\x00</a>", {"Authorization": "any"}, (400, b"MalformedXML")),
        ("GET", "/key-value-stores/", b"", {}, (404, b"is not an operation")),
        ("GET", f"/key-value-stores/{quote(STORE_ARN, safe='')}", b"", {}, (400, b"the host does not begin")),
        ("GET", f"/key-value-stores/{quote(STORE_ARN, safe='')}", b"", HOST, (403, b"not signed with SigV4A")),
        ("POST", KEYS, b"x", HOST, (400, b"not JSON")),
        ("POST", KEYS, b"[]", HOST, (400, b"not a JSON object")),
        ("POST", KEYS, b'{"Other": 1}', HOST, (400, b"shape")),
        ("POST", KEYS, b'{"Puts": [{"Key": "a"}]}', HOST, (400, b"shape")),
    ],
)
def test_a_request_that_boto3_would_not_send_is_rejected(
    cloudfront: CloudFrontDouble, method: str, path: str, body: bytes, headers: Mapping[str, str], expected: Any
) -> None:
    connection = http.client.HTTPConnection(*cloudfront.address)
    connection.request(method, path, body, dict(headers))
    response = connection.getresponse()
    status, code = expected
    assert response.status == status
    assert code in response.read()
    connection.close()


def test_an_incomplete_request_is_ignored(cloudfront: CloudFrontDouble) -> None:
    with socket.create_connection(cloudfront.address) as connection:
        connection.sendall(b"POST /2020-05-31/function HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
    assert cloudfront.requests == ()


def test_a_connection_is_reused(cloudfront: CloudFrontDouble) -> None:
    connection = http.client.HTTPConnection(*cloudfront.address)
    sockets = set()
    for _ in range(3):
        connection.request("GET", "/2020-05-31/key-value-store", headers={"Authorization": "any"})
        assert connection.getresponse().read()
        sockets.add(connection.sock)
    connection.close()
    assert len(sockets) == 1
    assert None not in sockets
