"""What the facade sends for each rpc is what plain boto3 sends, byte for byte: from the gRPC call to the socket.

The creates have a module of their own, `test_wire_equality`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pytest
from google.protobuf.message import Message

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_data_service_pb2 as key_values
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from cloudfront_facade.v1 import tag_service_pb2 as tags
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server import page_tokens
from cloudfront_facade_server.backends.aws import AwsBackend
from support.cloudfront.fixtures import isolate
from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.samples import DATA_OPERATIONS, OPERATIONS, STORE_ARN, call, model_of, sample
from support.facade import Facade, running_facade
from wire.equality import assert_same
from wire.leaves import leaves_of_message, leaves_of_shape, leaves_of_value
from wire.nasty import EVERY_BYTE, KEYS, SPECIAL, UNICODE

Sent = tuple[str, dict[str, Any]]
"""An operation, and the arguments of plain boto3, in the order in which it writes them into a query."""

FUNCTION_ARN: Final = "arn:aws:cloudfront::123456789012:function/rewrite_URLs-1"
NAME: Final = "A-z_09" + "n" * 58
ETAG: Final = "!#E~" + "T" * 60
MARKER: Final = f"a b&c={SPECIAL}{UNICODE}"
FOUND: Final = sample(model_of("DescribeKeyValueStoreData").output_shape)["ETag"]
"""The version of every store."""

V1, V2 = functions.FunctionRuntime.values()[1:]
STAGES: Final = {
    functions.FunctionStage.FUNCTION_STAGE_UNSPECIFIED: "DEVELOPMENT",
    functions.FunctionStage.FUNCTION_STAGE_DEVELOPMENT: "DEVELOPMENT",
    functions.FunctionStage.FUNCTION_STAGE_LIVE: "LIVE",
}
EVENT: Final = f'{{"é": "{UNICODE}"}}'.encode()
IN_PATH: Final = [key for key in KEYS if key not in (".", "..")]
VALUES: Final = ("", "\x00\r\n", SPECIAL, UNICODE, "é" * 512)

CONFIG: Final = functions.FunctionConfig(
    comment=SPECIAL + UNICODE,
    runtime=V2,
    key_value_store_associations=[functions.KeyValueStoreAssociation(key_value_store_arn=STORE_ARN)],
)
CONFIG_SENT: Final = {
    "Comment": SPECIAL + UNICODE,
    "Runtime": "cloudfront-js-2.0",
    "KeyValueStoreAssociations": {"Quantity": 1, "Items": [{"KeyValueStoreARN": STORE_ARN}]},
}
VERSION_SENT: Final = {"Name": NAME, "IfMatch": ETAG}
READS_VERSION: Final = ("DescribeKeyValueStoreData", {"KvsARN": STORE_ARN})


def put(key: str, value: str = "v") -> key_values.KeyChange:
    return key_values.KeyChange(put=key_values.KeyValue(key=key, value=value))


def deletion(key: str) -> key_values.KeyChange:
    return key_values.KeyChange(delete=key)


@dataclass(frozen=True)
class Case:
    """One call.

    Attributes:
        rpc: its name.
        requests: its request; of ImportKeys the stream of them.
        sent: what CloudFront receives, in order.
    """

    rpc: str
    requests: Sequence[Message]
    sent: Sequence[Sent]


def one(rpc: str, request: Message, *sent: Sent) -> Case:
    return Case(rpc, [request], sent)


CASES: Final = [
    *(
        one(rpc, request(name=NAME, stage=stage), (rpc, {"Name": NAME, "Stage": name}))
        for stage, name in STAGES.items()
        for rpc, request in (
            ("DescribeFunction", functions.DescribeFunctionRequest),
            ("GetFunction", functions.GetFunctionRequest),
        )
    ),
    one(
        "UpdateFunction",
        functions.UpdateFunctionRequest(name=NAME, etag=ETAG, function_config=CONFIG, function_code=EVERY_BYTE * 40),
        ("UpdateFunction", {**VERSION_SENT, "FunctionConfig": CONFIG_SENT, "FunctionCode": EVERY_BYTE * 40}),
    ),
    one(
        "UpdateFunction",
        functions.UpdateFunctionRequest(
            name=NAME,
            etag=ETAG,
            function_config=functions.FunctionConfig(runtime=V1),
            function_code=SPECIAL.encode(),
        ),
        (
            "UpdateFunction",
            {
                **VERSION_SENT,
                "FunctionConfig": {"Comment": "", "Runtime": "cloudfront-js-1.0"},
                "FunctionCode": SPECIAL.encode(),
            },
        ),
    ),
    one("PublishFunction", functions.PublishFunctionRequest(name=NAME, etag=ETAG), ("PublishFunction", VERSION_SENT)),
    *(
        one(
            "TestFunction",
            functions.TestFunctionRequest(name=NAME, etag=ETAG, stage=stage, event_object=EVENT),
            ("TestFunction", {**VERSION_SENT, "Stage": name, "EventObject": EVENT}),
        )
        for stage, name in STAGES.items()
    ),
    one("DeleteFunction", functions.DeleteFunctionRequest(name=NAME, etag=ETAG), ("DeleteFunction", VERSION_SENT)),
    *(
        one("ListFunctions", functions.ListFunctionsRequest(stage=stage), ("ListFunctions", {"Stage": name}))
        for stage, name in STAGES.items()
    ),
    one(
        "ListFunctions",
        functions.ListFunctionsRequest(
            page_size=7, page_token=page_tokens.encode(page_tokens.functions_list(0), MARKER)
        ),
        ("ListFunctions", {"Stage": "DEVELOPMENT", "MaxItems": "7", "Marker": MARKER}),
    ),
    one(
        "DescribeKeyValueStore",
        stores.DescribeKeyValueStoreRequest(name=NAME),
        ("DescribeKeyValueStore", {"Name": NAME}),
    ),
    *(
        one(
            "UpdateKeyValueStore",
            stores.UpdateKeyValueStoreRequest(name=NAME, etag=ETAG, comment=comment),
            ("UpdateKeyValueStore", {**VERSION_SENT, "Comment": comment}),
        )
        for comment in ("", SPECIAL, UNICODE, "c" * 128)
    ),
    one(
        "DeleteKeyValueStore",
        stores.DeleteKeyValueStoreRequest(name=NAME, etag=ETAG),
        ("DeleteKeyValueStore", VERSION_SENT),
    ),
    one("ListKeyValueStores", stores.ListKeyValueStoresRequest(), ("ListKeyValueStores", {})),
    one(
        "ListKeyValueStores",
        stores.ListKeyValueStoresRequest(
            page_size=7,
            page_token=page_tokens.encode(page_tokens.key_value_stores_list("READY"), MARKER),
            status="READY",
        ),
        ("ListKeyValueStores", {"Status": "READY", "MaxItems": "7", "Marker": MARKER}),
    ),
    one(
        "WaitForKeyValueStore",
        stores.WaitForKeyValueStoreRequest(name=NAME),
        ("DescribeKeyValueStore", {"Name": NAME}),
    ),
    one(
        "DescribeKeyValueStoreData",
        key_values.DescribeKeyValueStoreDataRequest(kvs_arn=STORE_ARN),
        ("DescribeKeyValueStoreData", {"KvsARN": STORE_ARN}),
    ),
    *(
        one(
            "GetKey",
            key_values.GetKeyRequest(kvs_arn=STORE_ARN, key=key),
            ("GetKey", {"KvsARN": STORE_ARN, "Key": key}),
        )
        for key in IN_PATH
    ),
    *(
        one(
            "PutKey",
            key_values.PutKeyRequest(kvs_arn=STORE_ARN, key=key, value=value, etag=ETAG),
            ("PutKey", {"KvsARN": STORE_ARN, "Key": key, "Value": value, "IfMatch": ETAG}),
        )
        for key, value in [*((key, "v") for key in IN_PATH), *(("k", value) for value in VALUES)]
    ),
    one(
        "PutKey",
        key_values.PutKeyRequest(kvs_arn=STORE_ARN, key="k", value="v"),
        READS_VERSION,
        ("PutKey", {"KvsARN": STORE_ARN, "Key": "k", "Value": "v", "IfMatch": FOUND}),
    ),
    *(
        one(
            "DeleteKey",
            key_values.DeleteKeyRequest(kvs_arn=STORE_ARN, key=key, etag=ETAG),
            ("DeleteKey", {"KvsARN": STORE_ARN, "Key": key, "IfMatch": ETAG}),
        )
        for key in IN_PATH
    ),
    one(
        "DeleteKey",
        key_values.DeleteKeyRequest(kvs_arn=STORE_ARN, key="k"),
        READS_VERSION,
        ("DeleteKey", {"KvsARN": STORE_ARN, "Key": "k", "IfMatch": FOUND}),
    ),
    one("ListKeys", key_values.ListKeysRequest(kvs_arn=STORE_ARN), ("ListKeys", {"KvsARN": STORE_ARN})),
    one(
        "ListKeys",
        key_values.ListKeysRequest(
            kvs_arn=STORE_ARN, page_size=7, page_token=page_tokens.encode(page_tokens.keys_list(STORE_ARN), MARKER)
        ),
        ("ListKeys", {"KvsARN": STORE_ARN, "MaxResults": 7, "NextToken": MARKER}),
    ),
    one(
        "UpdateKeys",
        key_values.UpdateKeysRequest(
            kvs_arn=STORE_ARN,
            etag=ETAG,
            changes=[put("a", ""), deletion("c"), put("b", SPECIAL), *(put(key, UNICODE) for key in KEYS[5:])],
        ),
        (
            "UpdateKeys",
            {
                "KvsARN": STORE_ARN,
                "IfMatch": ETAG,
                "Puts": [
                    {"Key": "a", "Value": ""},
                    {"Key": "b", "Value": SPECIAL},
                    *({"Key": key, "Value": UNICODE} for key in KEYS[5:]),
                ],
                "Deletes": [{"Key": "c"}],
            },
        ),
    ),
    one(
        "UpdateKeys",
        key_values.UpdateKeysRequest(kvs_arn=STORE_ARN, changes=[deletion(key) for key in KEYS]),
        READS_VERSION,
        ("UpdateKeys", {"KvsARN": STORE_ARN, "IfMatch": FOUND, "Deletes": [{"Key": key} for key in KEYS]}),
    ),
    Case(
        "ImportKeys",
        [
            key_values.ImportKeysRequest(kvs_arn=STORE_ARN, etag=ETAG, changes=[put("a"), deletion("b")]),
            key_values.ImportKeysRequest(changes=[put("c", UNICODE), put("a", "again")]),
        ],
        [
            (
                "UpdateKeys",
                {
                    "KvsARN": STORE_ARN,
                    "IfMatch": ETAG,
                    "Puts": [{"Key": "a", "Value": "again"}, {"Key": "c", "Value": UNICODE}],
                    "Deletes": [{"Key": "b"}],
                },
            ),
        ],
    ),
    one(
        "TagResource",
        tags.TagResourceRequest(
            resource=FUNCTION_ARN, tags=[Tag(key="team", value="東京 é"), Tag(key="empty", value=""), Tag(key="absent")]
        ),
        ("ListTagsForResource", {"Resource": FUNCTION_ARN}),
        (
            "TagResource",
            {
                "Resource": FUNCTION_ARN,
                "Tags": {
                    "Items": [{"Key": "team", "Value": "東京 é"}, {"Key": "empty", "Value": ""}, {"Key": "absent"}]
                },
            },
        ),
    ),
    one(
        "UntagResource",
        tags.UntagResourceRequest(resource=STORE_ARN, tag_keys=["Az09 _-.:/=+@", "東京 é\u00a0"]),
        ("UntagResource", {"Resource": STORE_ARN, "TagKeys": {"Items": ["Az09 _-.:/=+@", "東京 é\u00a0"]}}),
    ),
    *(
        one(
            "ListTagsForResource",
            tags.ListTagsForResourceRequest(resource=arn),
            ("ListTagsForResource", {"Resource": arn}),
        )
        for arn in (FUNCTION_ARN, STORE_ARN)
    ),
]

SERVICES: Final = {
    "functions": functions.DESCRIPTOR.services_by_name["FunctionService"],
    "stores": stores.DESCRIPTOR.services_by_name["KeyValueStoreService"],
    "key_values": key_values.DESCRIPTOR.services_by_name["KeyValueStoreDataService"],
    "tags": tags.DESCRIPTOR.services_by_name["TagService"],
}
RPCS: Final = {method.name: (service, method) for service, each in SERVICES.items() for method in each.methods}
CREATES: Final = {"CreateFunction", "CreateKeyValueStore"}


@pytest.fixture(scope="module")
def facade(everything: CloudFrontDouble) -> Iterator[Facade]:
    with pytest.MonkeyPatch.context() as environment:
        isolate(environment)
        with running_facade(AwsBackend(endpoint_url=everything.url), tag_charset="unicode") as running:
            yield running


@pytest.mark.parametrize("case", CASES, ids=[f"{case.rpc}-{number}" for number, case in enumerate(CASES)])
def test_an_rpc_is_sent_as_plain_boto3_sends_it(
    everything: CloudFrontDouble, plain: Callable[[str], Any], facade: Facade, case: Case
) -> None:
    service, method = RPCS[case.rpc]
    rpc = getattr(getattr(facade, service), case.rpc)
    before = len(everything.requests)

    rpc(iter(case.requests) if method.client_streaming else case.requests[0], timeout=10)

    ours = everything.requests[before:]
    assert [request.operation for request in ours] == [operation for operation, _ in case.sent]
    for request, (operation, arguments) in zip(ours, case.sent, strict=True):
        call(plain(operation), operation, arguments)
        assert_same(request, everything.requests[-1])


def test_every_rpc_is_tried_with_every_field() -> None:
    assert {case.rpc for case in CASES} | CREATES == RPCS.keys()
    for rpc in RPCS.keys() - CREATES:
        requests = [request for case in CASES if case.rpc == rpc for request in case.requests]
        set_fields = {leaf for request in requests for leaf in leaves_of_set_fields(request)}
        assert set_fields == set(leaves_of_message(RPCS[rpc][1].input_type)), rpc


def test_every_member_that_aws_takes_is_tried() -> None:
    sent: dict[str, set[str]] = {}
    for case in CASES:
        for operation, arguments in case.sent:
            sent.setdefault(operation, set()).update(leaves_of_value(arguments))

    assert sent.keys() == {*OPERATIONS, *DATA_OPERATIONS} - CREATES - {"ListDistributions"}
    for operation, leaves in sent.items():
        assert leaves == set(leaves_of_shape(model_of(operation).input_shape)), operation


def leaves_of_set_fields(message: Message, path: str = "") -> Iterator[str]:
    """Walks the fields that a message has."""
    for field, value in message.ListFields():
        below = f"{path}.{field.name}"
        if field.message_type:
            for each in value if field.is_repeated else [value]:
                yield from leaves_of_set_fields(each, below)
        else:
            yield below[1:]
