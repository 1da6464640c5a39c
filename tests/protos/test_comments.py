"""The limits and the error examples in the comments of the contract are correct."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from cloudfront_facade.v1.error_reason_pb2 import ErrorReason
from cloudfront_facade_server import limits
from cloudfront_facade_server.errors.aws_codes import TABLE
from cloudfront_facade_server.errors.status_error import CLOUDFRONT_DOMAIN, FACADE_DOMAIN
from protos.descriptors import comment, files

LIMITS: Final = {
    "name": [limits.NAME_MAX_LENGTH],
    "comment": [limits.COMMENT_MAX_LENGTH],
    "etag": [limits.ETAG_MAX_LENGTH],
    "function_code": [limits.FUNCTION_CODE_QUOTA],
    "event_object": [limits.EVENT_OBJECT_MAX_BYTES],
    "key_value_store_associations": [limits.ASSOCIATIONS_MAX],
    "key_value_store_arn": [limits.KEY_VALUE_STORE_ARN_MAX_LENGTH],
    "source_arn": [limits.S3_KEY_MAX_BYTES],
    "tags": [limits.TAGS_MAX],
    "tag_keys": [limits.TAGS_MAX],
    "delete": [limits.KEY_MAX_BYTES],
}
"""The numbers that the comment of each request field with this name must state."""

OTHER_LIMITS: Final = {
    "Tag.key": [limits.TAG_KEY_MAX_LENGTH],
    "Tag.value": [limits.TAG_VALUE_MAX_LENGTH],
    "CreateFunctionRequest.function_code": [limits.FUNCTION_CODE_QUOTA, limits.FUNCTION_CODE_API_LIMIT],
    "DescribeKeyValueStoreDataRequest.kvs_arn": [limits.KEY_VALUE_STORE_ARN_MAX_LENGTH],
    "ListFunctionsRequest.page_size": [limits.LIST_PAGE_MAX],
    "ListKeyValueStoresRequest.page_size": [limits.LIST_PAGE_MAX],
    "ListKeysRequest.page_size": [limits.KEYS_PAGE_DEFAULT, limits.KEYS_PAGE_MAX],
    **{f"{message}.key": [limits.KEY_MAX_BYTES] for message in ("GetKeyRequest", "PutKeyRequest", "DeleteKeyRequest")},
    "PutKeyRequest.value": [limits.VALUE_MAX_BYTES],
    "KeyValue.key": [limits.KEY_MAX_BYTES],
    "KeyValue.value": [limits.VALUE_MAX_BYTES],
    "KeyValueStoreDataService.UpdateKeys": [limits.UPDATE_KEYS_MAX_KEYS],
}

AS_ELSEWHERE: Final = ", as in "
"""The phrase in a comment that refers to the limits of another field."""

REQUEST_FIELDS: Final = [
    (f"{message.name}.{field.name}", LIMITS[field.name])
    for file in files().values()
    for message in file.message_type
    for field in message.field
    if (message.name.endswith("Request") or message.name in ("FunctionConfig", "ImportSource", "KeyChange"))
    and field.name in LIMITS
]
REASONS: Final = [name for name in ErrorReason.keys() if name != "ERROR_REASON_UNSPECIFIED"]  # noqa: SIM118


@pytest.mark.parametrize(("name", "numbers"), [*REQUEST_FIELDS, *OTHER_LIMITS.items()], ids=str)
def test_a_comment_states_its_limits(name: str, numbers: list[int]) -> None:
    text = comment(name)
    if AS_ELSEWHERE not in text:
        assert all(f"{number:,}" in text for number in numbers), text


@pytest.mark.parametrize("name", REASONS)
def test_the_example_of_a_reason_is_what_the_server_sends(name: str) -> None:
    meaning, _, text = comment(f"ErrorReason.{name}").partition(" Example: ")
    example: dict[str, Any] = json.loads(text)
    metadata = example["metadata"]
    assert example.keys() == {"reason", "domain", "metadata"}
    assert example["reason"] == name.removeprefix("ERROR_REASON_")
    assert example["domain"] in (FACADE_DOMAIN, CLOUDFRONT_DOMAIN)
    assert metadata["operation"]
    assert metadata["outcome"] in ("not_applied", "unknown")
    if row := TABLE.get(metadata.get("aws_code", "")):
        associated = example["reason"] == "KEY_VALUE_STORE_NOT_READY"  # CloudFront has no separate code for it
        assert associated or row.reason == example["reason"]
        assert associated or meaning.startswith(f"{row.code.name}: ")
        assert example["domain"] == CLOUDFRONT_DOMAIN
        assert metadata.keys() >= {"aws_http_status", "key_value_store_arn" if associated else "name"}
