"""Calls of every rpc except the creates, and the operations that CloudFront must receive for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import Message

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_data_service_pb2 as key_values
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from cloudfront_facade.v1 import tag_service_pb2 as tags
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server import page_tokens
from support.cloudfront.samples import model_of, sample
from support.messages import put
from support.values import STORE_ARN
from wire.hostile_values import EVERY_BYTE, KEYS, SPECIAL, UNICODE

Sent = tuple[str, dict[str, Any]]
"""An operation and the arguments of plain boto3, in the order of the query string."""

FUNCTION_ARN: Final = "arn:aws:cloudfront::123456789012:function/rewrite_URLs-1"
NAME: Final = "A-z_09" + "n" * 58
ETAG: Final = "!#E~" + "T" * 60
MARKER: Final = f"a b&c={SPECIAL}{UNICODE}"
STORE_ETAG: Final = sample(model_of("DescribeKeyValueStoreData").output_shape)["ETag"]
"""The etag of every store's data."""

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
VERSION: Final = {"Name": NAME, "IfMatch": ETAG}
READ_OF_VERSION: Final = ("DescribeKeyValueStoreData", {"KvsARN": STORE_ARN})


def deletion(key: str) -> key_values.KeyChange:
    return key_values.KeyChange(delete=key)


@dataclass(frozen=True)
class Case:
    """A call of an rpc.

    Attributes:
        rpc: The name of the rpc.
        requests: Its request; for ImportKeys, all requests of the stream.
        sent: The operations that CloudFront receives, in order.
    """

    rpc: str
    requests: Sequence[Message]
    sent: Sequence[Sent]


def unary(rpc: str, request: Message, *sent: Sent) -> Case:
    return Case(rpc, [request], sent)


CASES: Final = [
    *(
        unary(rpc, request(name=NAME, stage=stage), (rpc, {"Name": NAME, "Stage": name}))
        for stage, name in STAGES.items()
        for rpc, request in (
            ("DescribeFunction", functions.DescribeFunctionRequest),
            ("GetFunction", functions.GetFunctionRequest),
        )
    ),
    unary(
        "UpdateFunction",
        functions.UpdateFunctionRequest(name=NAME, etag=ETAG, function_config=CONFIG, function_code=EVERY_BYTE * 40),
        ("UpdateFunction", {**VERSION, "FunctionConfig": CONFIG_SENT, "FunctionCode": EVERY_BYTE * 40}),
    ),
    unary(
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
                **VERSION,
                "FunctionConfig": {"Comment": "", "Runtime": "cloudfront-js-1.0"},
                "FunctionCode": SPECIAL.encode(),
            },
        ),
    ),
    unary("PublishFunction", functions.PublishFunctionRequest(name=NAME, etag=ETAG), ("PublishFunction", VERSION)),
    *(
        unary(
            "TestFunction",
            functions.TestFunctionRequest(name=NAME, etag=ETAG, stage=stage, event_object=EVENT),
            ("TestFunction", {**VERSION, "Stage": name, "EventObject": EVENT}),
        )
        for stage, name in STAGES.items()
    ),
    unary("DeleteFunction", functions.DeleteFunctionRequest(name=NAME, etag=ETAG), ("DeleteFunction", VERSION)),
    *(
        unary("ListFunctions", functions.ListFunctionsRequest(stage=stage), ("ListFunctions", {"Stage": name}))
        for stage, name in STAGES.items()
    ),
    unary(
        "ListFunctions",
        functions.ListFunctionsRequest(
            page_size=7, page_token=page_tokens.encode(page_tokens.functions_list(0), MARKER)
        ),
        ("ListFunctions", {"Stage": "DEVELOPMENT", "MaxItems": "7", "Marker": MARKER}),
    ),
    unary(
        "DescribeKeyValueStore",
        stores.DescribeKeyValueStoreRequest(name=NAME),
        ("DescribeKeyValueStore", {"Name": NAME}),
    ),
    *(
        unary(
            "UpdateKeyValueStore",
            stores.UpdateKeyValueStoreRequest(name=NAME, etag=ETAG, comment=comment),
            ("UpdateKeyValueStore", {**VERSION, "Comment": comment}),
        )
        for comment in ("", SPECIAL, UNICODE, "c" * 128)
    ),
    unary(
        "DeleteKeyValueStore",
        stores.DeleteKeyValueStoreRequest(name=NAME, etag=ETAG),
        ("DeleteKeyValueStore", VERSION),
    ),
    unary("ListKeyValueStores", stores.ListKeyValueStoresRequest(), ("ListKeyValueStores", {})),
    unary(
        "ListKeyValueStores",
        stores.ListKeyValueStoresRequest(
            page_size=7,
            page_token=page_tokens.encode(page_tokens.key_value_stores_list("READY"), MARKER),
            status="READY",
        ),
        ("ListKeyValueStores", {"Status": "READY", "MaxItems": "7", "Marker": MARKER}),
    ),
    unary(
        "WaitForKeyValueStore",
        stores.WaitForKeyValueStoreRequest(name=NAME),
        ("DescribeKeyValueStore", {"Name": NAME}),
    ),
    unary(
        "DescribeKeyValueStoreData",
        key_values.DescribeKeyValueStoreDataRequest(kvs_arn=STORE_ARN),
        ("DescribeKeyValueStoreData", {"KvsARN": STORE_ARN}),
    ),
    *(
        unary(
            "GetKey",
            key_values.GetKeyRequest(kvs_arn=STORE_ARN, key=key),
            ("GetKey", {"KvsARN": STORE_ARN, "Key": key}),
        )
        for key in IN_PATH
    ),
    *(
        unary(
            "PutKey",
            key_values.PutKeyRequest(kvs_arn=STORE_ARN, key=key, value=value, etag=ETAG),
            ("PutKey", {"KvsARN": STORE_ARN, "Key": key, "Value": value, "IfMatch": ETAG}),
        )
        for key, value in [*((key, "v") for key in IN_PATH), *(("k", value) for value in VALUES)]
    ),
    unary(
        "PutKey",
        key_values.PutKeyRequest(kvs_arn=STORE_ARN, key="k", value="v"),
        READ_OF_VERSION,
        ("PutKey", {"KvsARN": STORE_ARN, "Key": "k", "Value": "v", "IfMatch": STORE_ETAG}),
    ),
    *(
        unary(
            "DeleteKey",
            key_values.DeleteKeyRequest(kvs_arn=STORE_ARN, key=key, etag=ETAG),
            ("DeleteKey", {"KvsARN": STORE_ARN, "Key": key, "IfMatch": ETAG}),
        )
        for key in IN_PATH
    ),
    unary(
        "DeleteKey",
        key_values.DeleteKeyRequest(kvs_arn=STORE_ARN, key="k"),
        READ_OF_VERSION,
        ("DeleteKey", {"KvsARN": STORE_ARN, "Key": "k", "IfMatch": STORE_ETAG}),
    ),
    unary("ListKeys", key_values.ListKeysRequest(kvs_arn=STORE_ARN), ("ListKeys", {"KvsARN": STORE_ARN})),
    unary(
        "ListKeys",
        key_values.ListKeysRequest(
            kvs_arn=STORE_ARN, page_size=7, page_token=page_tokens.encode(page_tokens.keys_list(STORE_ARN), MARKER)
        ),
        ("ListKeys", {"KvsARN": STORE_ARN, "MaxResults": 7, "NextToken": MARKER}),
    ),
    unary(
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
    unary(
        "UpdateKeys",
        key_values.UpdateKeysRequest(kvs_arn=STORE_ARN, changes=[deletion(key) for key in KEYS]),
        READ_OF_VERSION,
        ("UpdateKeys", {"KvsARN": STORE_ARN, "IfMatch": STORE_ETAG, "Deletes": [{"Key": key} for key in KEYS]}),
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
    unary(
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
    unary(
        "UntagResource",
        tags.UntagResourceRequest(resource=STORE_ARN, tag_keys=["Az09 _-.:/=+@", "東京 é\u00a0"]),
        ("UntagResource", {"Resource": STORE_ARN, "TagKeys": {"Items": ["Az09 _-.:/=+@", "東京 é\u00a0"]}}),
    ),
    *(
        unary(
            "ListTagsForResource",
            tags.ListTagsForResourceRequest(resource=arn),
            ("ListTagsForResource", {"Resource": arn}),
        )
        for arn in (FUNCTION_ARN, STORE_ARN)
    ),
]
