"""The facade sends the same bytes for each rpc as plain boto3, from the gRPC call to the socket.

The creates are in `test_create_equality`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from google.protobuf.message import Message

from support.aws_backend import new_aws_backend
from support.cloudfront.fixtures import isolate
from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.samples import call, model_of
from support.facade import Facade, running_facade
from support.rpcs import OPERATIONS, RPCS
from wire.equality import assert_same
from wire.leaves import leaves_of_message, leaves_of_shape, leaves_of_value
from wire.rpc_cases import CASES, Case

STUBS: Final = {
    "FunctionService": "functions",
    "KeyValueStoreService": "stores",
    "KeyValueStoreDataService": "key_values",
    "TagService": "tags",
}
"""The member of Facade for each service."""

CREATES: Final = {"CreateFunction", "CreateKeyValueStore"}


@pytest.fixture(scope="module")
def facade(complete_cloudfront: CloudFrontDouble) -> Iterator[Facade]:
    with pytest.MonkeyPatch.context() as environment:
        isolate(environment)
        with running_facade(new_aws_backend(endpoint_url=complete_cloudfront.url), tag_charset="unicode") as running:
            yield running


@pytest.mark.parametrize("case", CASES, ids=[f"{case.rpc}-{number}" for number, case in enumerate(CASES)])
def test_the_requests_of_an_rpc_equal_those_of_plain_boto3(
    complete_cloudfront: CloudFrontDouble, plain_boto3: Callable[[str], Any], facade: Facade, case: Case
) -> None:
    method = RPCS[case.rpc]
    rpc = getattr(getattr(facade, STUBS[method.containing_service.name]), case.rpc)
    before = len(complete_cloudfront.requests)

    rpc(iter(case.requests) if method.client_streaming else case.requests[0], timeout=10)

    ours = complete_cloudfront.requests[before:]
    assert [request.operation for request in ours] == [operation for operation, _ in case.sent]
    for request, (operation, arguments) in zip(ours, case.sent, strict=True):
        call(plain_boto3(operation), operation, arguments)
        assert_same(request, complete_cloudfront.requests[-1])


def test_every_rpc_is_tested_with_every_field() -> None:
    assert {case.rpc for case in CASES} | CREATES == RPCS.keys()
    for rpc in RPCS.keys() - CREATES:
        requests = [request for case in CASES if case.rpc == rpc for request in case.requests]
        set_fields = {leaf for request in requests for leaf in leaves_of_set_fields(request)}
        assert set_fields == set(leaves_of_message(RPCS[rpc].input_type)), rpc


def test_every_member_of_the_service_model_is_tested() -> None:
    sent: dict[str, set[str]] = {}
    for case in CASES:
        for operation, arguments in case.sent:
            sent.setdefault(operation, set()).update(leaves_of_value(arguments))

    assert sent.keys() == set(OPERATIONS) - CREATES - {"ListDistributions"}
    for operation, leaves in sent.items():
        assert leaves == set(leaves_of_shape(model_of(operation).input_shape)), operation


def leaves_of_set_fields(message: Message, path: str = "") -> Iterator[str]:
    """Yields the paths of the fields that are set in a message."""
    for field, value in message.ListFields():
        below = f"{path}.{field.name}"
        if field.message_type:
            for item in value if field.is_repeated else [value]:
                yield from leaves_of_set_fields(item, below)
        else:
            yield below[1:]
