"""The numbers that limit the fields of requests."""

from __future__ import annotations

from typing import Final

from cloudfront_facade_server import limits

LIMITS: Final = {
    "name": [limits.NAME_MAX_LENGTH],
    "comment": [limits.COMMENT_MAX_LENGTH],
    "etag": [limits.ETAG_MAX_LENGTH],
    "function_code": [limits.FUNCTION_CODE_QUOTA],
    "event_object": [limits.EVENT_OBJECT_MAX_BYTES],
    "key_value_store_associations": [limits.ASSOCIATIONS_MAX],
    "key_value_store_arn": [limits.KEY_VALUE_STORE_ARN_MAX_LENGTH],
    "kvs_arn": [limits.KEY_VALUE_STORE_ARN_MAX_LENGTH],
    "source_arn": [limits.S3_KEY_MAX_BYTES],
    "tags": [limits.TAGS_MAX],
    "tag_keys": [limits.TAGS_MAX],
    "delete": [limits.KEY_MAX_BYTES],
    "status": [limits.STATUS_MAX_LENGTH],
}
"""The numbers that the comment of each field of a request with this name must state."""

LIMITS_OF_ONE_FIELD: Final = {
    "Tag.key": [limits.TAG_KEY_MAX_LENGTH],
    "Tag.value": [limits.TAG_VALUE_MAX_LENGTH],
    "CreateFunctionRequest.function_code": [limits.FUNCTION_CODE_QUOTA, limits.FUNCTION_CODE_API_LIMIT],
    "ListFunctionsRequest.page_size": [limits.LIST_PAGE_MAX],
    "ListKeyValueStoresRequest.page_size": [limits.LIST_PAGE_MAX],
    "ListKeysRequest.page_size": [limits.KEYS_PAGE_DEFAULT, limits.KEYS_PAGE_MAX],
    **{f"{message}.key": [limits.KEY_MAX_BYTES] for message in ("GetKeyRequest", "PutKeyRequest", "DeleteKeyRequest")},
    "PutKeyRequest.value": [limits.VALUE_MAX_BYTES],
    "KeyValue.key": [limits.KEY_MAX_BYTES],
    "KeyValue.value": [limits.VALUE_MAX_BYTES],
}
"""The numbers of fields whose name is not enough, or that have other numbers than the fields of the same name."""

WITHOUT_LIMIT: Final = {
    "request_id": "a UUID, whose form is its limit",
    "page_token": "made by the service",
    "resource": "an ARN, whose form is its limit",
    "changes": "limited by a setting, --max-changes",
}
"""The names of fields without a number in `limits`, each with the reason."""


def limits_of(name: str) -> list[int]:
    """Returns the numbers of a field, named as in `PutKeyRequest.value`; empty if it has none."""
    return LIMITS_OF_ONE_FIELD.get(name) or LIMITS.get(name.rpartition(".")[2], [])
