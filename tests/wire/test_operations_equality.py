"""The AWS backend sends the same bytes for each operation as plain boto3."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import pytest

from cloudfront_facade_server.backends.aws import AwsBackend
from support.aws_backend import new_aws_backend
from support.cloudfront.fixtures import isolate
from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.samples import FULL_FUNCTION, call, model_of
from support.event_loop import waiting
from support.rpcs import DATA_OPERATIONS, OPERATIONS
from support.values import STORE_ARN
from wire.equality import assert_same, signed
from wire.hostile_values import EVERY_BYTE, KEYS, SPECIAL, UNICODE
from wire.leaves import leaves_of_shape, leaves_of_value

FUNCTION_ARN: Final = "arn:aws:cloudfront::123456789012:function/rewrite_URLs-1"
ETAG: Final = "ETVPDKIKX0DER"
ASSOCIATION: Final = {"KeyValueStoreAssociations": {"Quantity": 1, "Items": [{"KeyValueStoreARN": STORE_ARN}]}}
CONFIG: Final = {"Comment": SPECIAL + UNICODE, "Runtime": "cloudfront-js-2.0", **ASSOCIATION}
NO_TAGS: Final[dict[str, Any]] = {"Items": []}
FIFTY: Final = [{"Key": f"k{n}", "Value": "é" * n} for n in range(50)]
STAGES: Final = ("DEVELOPMENT", "LIVE")

CHANGED: Final = {"Name": "rewrite_URLs-1", "IfMatch": ETAG}

SENT: Final[Mapping[str, tuple[Mapping[str, Any], ...]]] = {
    "CreateFunction": (FULL_FUNCTION, {**FULL_FUNCTION, "FunctionConfig": CONFIG}, {**FULL_FUNCTION, "Tags": NO_TAGS}),
    "DescribeFunction": ({"Name": "f"}, *({"Name": "A-z_09" + "n" * 58, "Stage": stage} for stage in STAGES)),
    "GetFunction": ({"Name": "f"}, *({"Name": "f", "Stage": stage} for stage in STAGES)),
    "UpdateFunction": (
        {**CHANGED, "FunctionConfig": CONFIG, "FunctionCode": EVERY_BYTE * 40},
        {**CHANGED, "FunctionConfig": {"Comment": "", "Runtime": "cloudfront-js-1.0"}, "FunctionCode": b"x"},
        {**CHANGED, "FunctionConfig": CONFIG, "FunctionCode": SPECIAL.encode()},
    ),
    "PublishFunction": (CHANGED, {**CHANGED, "IfMatch": '"quoted !#-~"'}),
    "TestFunction": (
        {**CHANGED, "EventObject": b"{}"},
        *({**CHANGED, "Stage": stage, "EventObject": UNICODE.encode() + EVERY_BYTE} for stage in STAGES),
    ),
    "DeleteFunction": (CHANGED,),
    "ListFunctions": ({}, *({"Stage": stage, "Marker": f"a b&c={SPECIAL}", "MaxItems": "7"} for stage in STAGES)),
    "ListDistributions": ({}, {"Marker": f"{UNICODE}/?&%", "MaxItems": "100"}),
    "CreateKeyValueStore": (
        {"Name": "s"},
        {"Name": "s", "Comment": ""},
        {
            "Name": "s",
            "Comment": SPECIAL + UNICODE,
            "ImportSource": {"SourceType": "S3", "SourceARN": f"arn:aws:s3:::bucket/{SPECIAL}"},
            "Tags": FULL_FUNCTION["Tags"],
        },
    ),
    "DescribeKeyValueStore": ({"Name": "s"},),
    "UpdateKeyValueStore": tuple({**CHANGED, "Comment": comment} for comment in ("", SPECIAL, UNICODE, "c" * 128)),
    "DeleteKeyValueStore": (CHANGED,),
    "ListKeyValueStores": ({}, {"Marker": "a b&c", "MaxItems": "7", "Status": "READY"}),
    "TagResource": (
        {"Resource": FUNCTION_ARN, "Tags": FULL_FUNCTION["Tags"]},
        {"Resource": STORE_ARN, "Tags": {"Items": [{"Key": UNICODE, "Value": SPECIAL}]}},
        {"Resource": STORE_ARN, "Tags": {"Items": FIFTY}},
        {"Resource": STORE_ARN, "Tags": NO_TAGS},
    ),
    "UntagResource": (
        {"Resource": FUNCTION_ARN, "TagKeys": {"Items": ["team"]}},
        {"Resource": STORE_ARN, "TagKeys": {"Items": [SPECIAL, UNICODE, "Az09 _-.:/=+@"]}},
        {"Resource": STORE_ARN, "TagKeys": NO_TAGS},
    ),
    "ListTagsForResource": ({"Resource": FUNCTION_ARN}, {"Resource": STORE_ARN}),
    "DescribeKeyValueStoreData": ({"KvsARN": STORE_ARN},),
    "GetKey": tuple({"KvsARN": STORE_ARN, "Key": key} for key in KEYS),
    "PutKey": (
        *({"KvsARN": STORE_ARN, "Key": key, "Value": "v", "IfMatch": "KV1"} for key in KEYS),
        *(
            {"KvsARN": STORE_ARN, "Key": "k", "Value": value, "IfMatch": "KV1"}
            for value in ("", "\x00\r\n", SPECIAL, UNICODE, "é" * 512, '{"a": [1]}')
        ),
    ),
    "DeleteKey": tuple({"KvsARN": STORE_ARN, "Key": key, "IfMatch": "KV1"} for key in KEYS),
    "ListKeys": (
        {"KvsARN": STORE_ARN},
        {"KvsARN": STORE_ARN, "MaxResults": 50},
        {"KvsARN": STORE_ARN, "MaxResults": 1, "NextToken": f"a/+ b&c={UNICODE}"},
    ),
    "UpdateKeys": (
        {"KvsARN": STORE_ARN, "IfMatch": "KV1", "Puts": [{"Key": key, "Value": UNICODE} for key in KEYS]},
        {"KvsARN": STORE_ARN, "IfMatch": "KV1", "Deletes": [{"Key": key} for key in KEYS]},
        {
            "KvsARN": STORE_ARN,
            "IfMatch": "KV1",
            "Puts": [{"Key": "a", "Value": ""}, {"Key": "b", "Value": SPECIAL}],
            "Deletes": [{"Key": "c"}],
        },
        {"KvsARN": STORE_ARN, "IfMatch": "KV1", "Puts": [], "Deletes": []},
    ),
}

CASES: Final = [(operation, arguments) for operation, many in SENT.items() for arguments in many]


@pytest.fixture(scope="module")
def backend(complete_cloudfront: CloudFrontDouble) -> Iterator[AwsBackend]:
    with pytest.MonkeyPatch.context() as environment:
        isolate(environment)
        backend = waiting(new_aws_backend(endpoint_url=complete_cloudfront.url))
        yield backend
        backend.close()


@pytest.mark.parametrize(("operation", "arguments"), CASES, ids=[f"{name}-{n}" for n, (name, _) in enumerate(CASES)])
def test_the_request_of_an_operation_equals_that_of_plain_boto3(
    complete_cloudfront: CloudFrontDouble,
    plain_boto3: Callable[[str], Any],
    backend: AwsBackend,
    operation: str,
    arguments: Mapping[str, Any],
) -> None:
    before = len(complete_cloudfront.requests)
    call(plain_boto3(operation), operation, arguments)
    call(backend, operation, arguments)

    theirs, ours = complete_cloudfront.requests[before:]
    assert_same(ours, theirs)
    assert ours.operation == operation
    assert ours.arguments == arguments, "CloudFront must receive the arguments that were sent"
    is_data = operation in DATA_OPERATIONS
    assert signed(ours)["algorithm"] == ("AWS4-ECDSA-P256-SHA256" if is_data else "AWS4-HMAC-SHA256")
    assert ours.headers["host"].startswith("123456789012.") is is_data


@pytest.mark.parametrize("operation", SENT)
def test_every_member_of_an_operation_is_tested(operation: str) -> None:
    tested = {leaf for arguments in SENT[operation] for leaf in leaves_of_value(dict(arguments))}

    assert tested == set(leaves_of_shape(model_of(operation).input_shape))


def test_every_operation_of_a_backend_is_tested() -> None:
    assert SENT.keys() == set(OPERATIONS)
