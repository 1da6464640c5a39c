"""The rules of key value stores: import sources and the status of a list."""

from __future__ import annotations

import pytest

from cloudfront_facade.v1.key_value_store_service_pb2 import (
    CreateKeyValueStoreRequest,
    ImportSource,
    ImportSourceType,
    ListKeyValueStoresRequest,
)
from support.rules import RULES, broken_rules, violation_messages


def rules_of_import(
    arn: str, source_type: ImportSourceType.ValueType = ImportSourceType.IMPORT_SOURCE_TYPE_S3
) -> list[tuple[str, str]]:
    return rules_of_source(ImportSource(source_type=source_type, source_arn=arn))


def rules_of_source(source: ImportSource) -> list[tuple[str, str]]:
    request = CreateKeyValueStoreRequest(name="redirects", import_source=source)
    return broken_rules(RULES.create_key_value_store, request)


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:s3:::bucket/key",
        "arn:aws-cn:s3:::my.bucket-1/a/b.json",
        "arn:aws-us-gov:s3:::bucket/" + "k" * 1024,
        "arn:aws:s3:::bucket/é",
    ],
)
def test_the_arn_of_an_s3_object_is_accepted_as_import_source(arn: str) -> None:
    assert rules_of_import(arn) == []


@pytest.mark.parametrize(
    ("arn", "rule"),
    [
        ("", "SOURCE_ARN_FORM"),
        ("arn:aws:s3:::bucket", "SOURCE_ARN_FORM"),
        ("arn:aws:s3:::bucket/", "SOURCE_ARN_FORM"),
        ("arn:aws:s3:::bücket/key", "SOURCE_ARN_FORM"),
        ("s3://bucket/key", "SOURCE_ARN_FORM"),
        ("arn:aws:s3:::bucket/" + "é" * 513, "SOURCE_ARN_LENGTH"),
        ("arn:aws:s3:::bucket/a\0", "SOURCE_ARN_CHARACTERS"),
        ("arn:aws:s3:::bucket/a\r", "SOURCE_ARN_CHARACTERS"),
    ],
)
def test_any_other_import_source_is_rejected(arn: str, rule: str) -> None:
    assert rules_of_import(arn) == [("import_source.source_arn", rule)]


def test_an_import_source_needs_its_type() -> None:
    source = ImportSource(source_arn="arn:aws:s3:::bucket/key")
    assert rules_of_source(source) == [("import_source.source_type", "SOURCE_TYPE_KNOWN")]
    newer = ImportSource.FromString(b"\x08\x63" + source.SerializeToString())
    assert rules_of_source(newer) == [("import_source.source_type", "SOURCE_TYPE_KNOWN")]


def test_a_malformed_status_of_a_list_is_rejected() -> None:
    assert broken_rules(RULES.list_key_value_stores, ListKeyValueStoresRequest(status="READY")) == []
    request = ListKeyValueStoresRequest(status="ready&x=1")
    assert broken_rules(RULES.list_key_value_stores, request) == [("status", "STATUS_FORM")]
    assert violation_messages(RULES.list_key_value_stores, request) == [
        '"ready&x=1"; allowed: empty, or 1 to 64 of A-Z _; known statuses: "PROVISIONING" and "READY"'
    ]
