"""The names of the rules, which callers read as the `reason` of a field violation."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from .. import limits

KNOWN_STATUSES: Final = ("PROVISIONING", "READY")
"""The known statuses of a store. Source: Terraform's AWS provider, because AWS does not document them."""


class Rule(StrEnum):
    """A rule of a request.

    The names are part of the contract: rules may be added, but a name never changes its meaning.

    Attributes:
        fields: The fields that the rule applies to, in Markdown.
        allowed: What the rule allows, in Markdown.
    """

    fields: str
    allowed: str

    def __new__(cls, name: str, fields: str, allowed: str) -> Rule:
        """Returns a member whose value is its name, with the other two as attributes."""
        rule = str.__new__(cls, name)
        rule._value_ = name
        rule.fields = fields
        rule.allowed = allowed
        return rule

    NAME_LENGTH = "NAME_LENGTH", "`name`", f"1 to {limits.NAME_MAX_LENGTH} characters"
    NAME_CHARACTERS = "NAME_CHARACTERS", "`name`", "a-z A-Z 0-9 - _"
    COMMENT_LENGTH = (
        "COMMENT_LENGTH",
        "`comment`, `function_config.comment`",
        f"at most {limits.COMMENT_MAX_LENGTH} characters",
    )
    COMMENT_CHARACTERS = (
        "COMMENT_CHARACTERS",
        "`comment`, `function_config.comment`",
        "the characters of XML 1.0 except carriage return",
    )
    FUNCTION_CODE_SIZE = (
        "FUNCTION_CODE_SIZE",
        "`function_code`",
        f"1 byte to `--max-function-code-bytes` (default {limits.FUNCTION_CODE_QUOTA:,})",
    )
    RUNTIME_KNOWN = "RUNTIME_KNOWN", "`function_config.runtime`", "a value of `FunctionRuntime`, not UNSPECIFIED"
    RUNTIME_OF_ASSOCIATION = (
        "RUNTIME_OF_ASSOCIATION",
        "`function_config.runtime`",
        "`FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0` if the function has a key value store",
    )
    ASSOCIATIONS_COUNT = (
        "ASSOCIATIONS_COUNT",
        "`function_config.key_value_store_associations`",
        f"at most {limits.ASSOCIATIONS_MAX}",
    )
    STAGE_KNOWN = "STAGE_KNOWN", "`stage`", "a value of `FunctionStage`, or not set"
    ETAG_LENGTH = (
        "ETAG_LENGTH",
        "`etag`",
        f"1 to {limits.ETAG_MAX_LENGTH} characters; may be empty in PutKey, DeleteKey, UpdateKeys and ImportKeys",
    )
    ETAG_CHARACTERS = "ETAG_CHARACTERS", "`etag`", "visible ASCII except double quotes"
    ETAG_FORM = "ETAG_FORM", "`etag`", "one etag; not `*`, a list or a weak etag (`W/`)"
    EVENT_OBJECT_SIZE = "EVENT_OBJECT_SIZE", "`event_object`", f"1 to {limits.EVENT_OBJECT_MAX_BYTES:,} bytes"
    EVENT_OBJECT_JSON = "EVENT_OBJECT_JSON", "`event_object`", "a JSON object in UTF-8"
    PAGE_SIZE_RANGE = "PAGE_SIZE_RANGE", "`page_size`", "0 or more"
    PAGE_TOKEN_FORM = (
        "PAGE_TOKEN_FORM",
        "`page_token`",
        "empty, or the `next_page_token` of the same list",
    )
    STATUS_FORM = (
        "STATUS_FORM",
        "`status`",
        f"empty, or 1 to {limits.STATUS_MAX_LENGTH} of A-Z _; known: "
        f"{', '.join(f'`{status}`' for status in KNOWN_STATUSES)}",
    )
    SOURCE_TYPE_KNOWN = "SOURCE_TYPE_KNOWN", "`import_source.source_type`", "`IMPORT_SOURCE_TYPE_S3`"
    SOURCE_ARN_FORM = (
        "SOURCE_ARN_FORM",
        "`import_source.source_arn`",
        "`arn:aws:s3:::BUCKET/KEY` (also `aws-cn` and `aws-us-gov`); BUCKET is 3 to 255 of a-z A-Z 0-9 . _ -",
    )
    SOURCE_ARN_LENGTH = (
        "SOURCE_ARN_LENGTH",
        "`import_source.source_arn`",
        f"KEY of at most {limits.S3_KEY_MAX_BYTES:,} bytes in UTF-8",
    )
    SOURCE_ARN_CHARACTERS = (
        "SOURCE_ARN_CHARACTERS",
        "`import_source.source_arn`",
        "the characters of XML 1.0 except carriage return",
    )
    KEY_VALUE_STORE_ARN_FORM = (
        "KEY_VALUE_STORE_ARN_FORM",
        "`kvs_arn`, `function_config.key_value_store_associations[].key_value_store_arn`",
        "`arn:aws:cloudfront::ACCOUNT:key-value-store/ID`; ACCOUNT is 12 digits, ID is a UUID",
    )
    KEY_LENGTH = (
        "KEY_LENGTH",
        "`key`, `changes[].put.key`, `changes[].delete`",
        f"1 to {limits.KEY_MAX_BYTES} bytes in UTF-8",
    )
    KEY_FORM = "KEY_FORM", "`key`", 'any key except "." and ".."; use UpdateKeys or ListKeys for these'
    VALUE_LENGTH = (
        "VALUE_LENGTH",
        "`value`, `changes[].put.value`",
        f"at most {limits.VALUE_MAX_BYTES:,} bytes in UTF-8",
    )
    CHANGES_COUNT = "CHANGES_COUNT", "`changes`", "at least 1; in ImportKeys, at least 1 in the whole stream"
    CHANGE_KNOWN = "CHANGE_KNOWN", "`changes[]`", "`put` or `delete`"
    IMPORT_KEYS_SAME = (
        "IMPORT_KEYS_SAME",
        "`kvs_arn`, `etag` of a later request of an ImportKeys stream",
        "not set, or the same as in the first request",
    )
    RESOURCE_ARN_FORM = (
        "RESOURCE_ARN_FORM",
        "`resource`",
        "`arn:aws:cloudfront::ACCOUNT:function/NAME` without a stage, or "
        "`arn:aws:cloudfront::ACCOUNT:key-value-store/ID`; ACCOUNT is 12 digits, ID is a UUID",
    )
    ARN_ACCOUNT = (
        "ARN_ACCOUNT",
        "`kvs_arn`, `resource`, `function_config.key_value_store_associations[].key_value_store_arn`",
        "an ARN of the service's own account; with `--accounts`, of one of those accounts; without it, the embedded "
        "backend and `--endpoint-url` allow any account",
    )
    TAGS_COUNT = (
        "TAGS_COUNT",
        "`tags`, `tag_keys`",
        f"at most `--max-tags` (default {limits.TAGS_MAX}) per resource, existing tags included; one fewer in a create "
        "with a `request_id`; at least 1 in TagResource and UntagResource",
    )
    TAG_KEY_LENGTH = "TAG_KEY_LENGTH", "`tags[].key`, `tag_keys[]`", f"1 to {limits.TAG_KEY_MAX_LENGTH} characters"
    TAG_KEY_CHARACTERS = (
        "TAG_KEY_CHARACTERS",
        "`tags[].key`, `tag_keys[]`",
        "a-z A-Z 0-9 space _ - . : / = + @; with `--tag-charset unicode` all letters, numbers and spaces",
    )
    TAG_KEY_RESERVED = (
        "TAG_KEY_RESERVED",
        "`tags[].key`, `tag_keys[]`",
        f"a key that does not start with `{limits.TAG_RESERVED_PREFIX}` or `{limits.TAG_FACADE_PREFIX}`, in any case",
    )
    TAG_KEY_UNIQUE = "TAG_KEY_UNIQUE", "`tags[].key`, `tag_keys[]`", "each key once; keys are case-sensitive"
    TAG_VALUE_LENGTH = "TAG_VALUE_LENGTH", "`tags[].value`", f"0 to {limits.TAG_VALUE_MAX_LENGTH} characters"
    TAG_VALUE_CHARACTERS = "TAG_VALUE_CHARACTERS", "`tags[].value`", "the same characters as in a key"
    TAG_POLICY_KEY_CASE = (
        "TAG_POLICY_KEY_CASE",
        "`tags[].key`",
        "the capitalization of the [tag policy](tag-policy.md)",
    )
    TAG_POLICY_VALUE = "TAG_POLICY_VALUE", "`tags[].value`", "a value that the [tag policy](tag-policy.md) allows"
    TAG_POLICY_REQUIRED = (
        "TAG_POLICY_REQUIRED",
        "`tags`, `tag_keys[]`",
        "a create has each tag that the [tag policy](tag-policy.md) requires; UntagResource does not remove one",
    )
    TAG_FORCED = (
        "TAG_FORCED",
        "`tags[].key`, `tags[].value`, `tag_keys[]`",
        "in a create, only the value that the [caller's limits](caller-limits.md) force; in TagResource and "
        "UntagResource, other keys",
    )
    REQUEST_ID_FORM = "REQUEST_ID_FORM", "`request_id`", "empty, or a UUID in its 36-character form"


def table() -> str:
    """Returns the rules as the Markdown table of the reference page."""
    rows = [f"| `{rule}` | {rule.fields} | {rule.allowed} |" for rule in Rule]
    return "\n".join(["| rule | fields | allowed |", "|---|---|---|", *rows])
