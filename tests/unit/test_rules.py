"""The rules of both creates beside their tags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cloudfront_facade.v1.function_service_pb2 import (
    CreateFunctionRequest,
    FunctionConfig,
    FunctionRuntime,
    KeyValueStoreAssociation,
)
from cloudfront_facade.v1.key_value_store_service_pb2 import (
    CreateKeyValueStoreRequest,
    ImportSource,
    ImportSourceType,
)
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server.errors.violations import ValidationError
from cloudfront_facade_server.validation.rules import Rules
from cloudfront_facade_server.validation.tags import TagRules
from support.facade import REQUEST_ID, function

V1 = FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_1_0
V2 = FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0
STORE_ARN = "arn:aws:cloudfront::123456789012:key-value-store/11111111-2222-3333-4444-555555555555"

RULES = Rules(TagRules())


def broken(check: Callable[[Any], None], request: Any) -> list[tuple[str, str]]:
    try:
        check(request)
    except ValidationError as error:
        return [(violation.field, violation.rule) for violation in error.violations]
    return []


def in_function(request: CreateFunctionRequest, rules: Rules = RULES) -> list[tuple[str, str]]:
    return broken(rules.create_function, request)


def in_store(**fields: Any) -> list[tuple[str, str]]:
    return broken(RULES.create_key_value_store, CreateKeyValueStoreRequest(**{"name": "redirects", **fields}))


def associated(*arns: str, runtime: FunctionRuntime.ValueType = V2) -> CreateFunctionRequest:
    associations = [KeyValueStoreAssociation(key_value_store_arn=arn) for arn in arns]
    return function(function_config=FunctionConfig(runtime=runtime, key_value_store_associations=associations))


def imported(arn: str, kind: ImportSourceType.ValueType = ImportSourceType.IMPORT_SOURCE_TYPE_S3) -> ImportSource:
    return ImportSource(source_type=kind, source_arn=arn)


@pytest.mark.parametrize("name", ["a", "n" * 64, "A-z_09"])
def test_a_name_within_the_rules_is_let_through(name: str) -> None:
    assert in_function(function(name)) == []
    assert in_store(name=name) == []


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("", ["NAME_LENGTH"]),
        ("n" * 65, ["NAME_LENGTH"]),
        ("../x", ["NAME_CHARACTERS"]),
        ("trailing\n", ["NAME_CHARACTERS"]),
        ("\u0661\u0662", ["NAME_CHARACTERS"]),
        ("a b", ["NAME_CHARACTERS"]),
        ("é" * 65, ["NAME_LENGTH", "NAME_CHARACTERS"]),
    ],
)
def test_a_name_that_breaks_a_rule_is_refused(name: str, rules: list[str]) -> None:
    expected = [("name", rule) for rule in rules]
    assert in_function(function(name)) == expected
    assert in_store(name=name) == expected


@pytest.mark.parametrize("comment", ["", "c" * 128, "\U0001f600" * 128, "tab\tand\nnewline", "<&>\"'", "\u2028\u00a0"])
def test_a_comment_within_the_rules_is_let_through(comment: str) -> None:
    assert in_function(function(function_config=FunctionConfig(runtime=V2, comment=comment))) == []
    assert in_store(comment=comment) == []


@pytest.mark.parametrize(
    ("comment", "rule"),
    [
        ("c" * 129, "COMMENT_LENGTH"),
        ("nul\0", "COMMENT_CHARACTERS"),
        ("escape\x1b[31m", "COMMENT_CHARACTERS"),
        ("carriage\r\nreturn", "COMMENT_CHARACTERS"),
        ("\ufffe", "COMMENT_CHARACTERS"),
    ],
)
def test_a_comment_that_breaks_a_rule_is_refused(comment: str, rule: str) -> None:
    config = FunctionConfig(runtime=V2, comment=comment)
    assert in_function(function(function_config=config)) == [("function_config.comment", rule)]
    assert in_store(comment=comment) == [("comment", rule)]


def test_code_is_held_to_its_limit_in_bytes_and_is_any_bytes() -> None:
    assert in_function(function(function_code=b"")) == [("function_code", "FUNCTION_CODE_SIZE")]
    assert in_function(function(function_code=b"\xff" * 10_240)) == []
    assert in_function(function(function_code=b"x" * 10_241)) == [("function_code", "FUNCTION_CODE_SIZE")]
    larger = Rules(TagRules(), max_function_code_bytes=40_960)
    assert in_function(function(function_code=b"x" * 40_960), larger) == []
    assert in_function(function(function_code=b"x" * 40_961), larger) == [("function_code", "FUNCTION_CODE_SIZE")]


def test_the_runtime_must_be_one_that_is_known() -> None:
    assert in_function(function(function_config=FunctionConfig(runtime=V1))) == []
    assert in_function(function(function_config=FunctionConfig())) == [("function_config.runtime", "RUNTIME_KNOWN")]
    assert in_function(CreateFunctionRequest(name="a", function_code=b"x")) == [
        ("function_config.runtime", "RUNTIME_KNOWN")
    ]
    newer = FunctionConfig.FromString(b"\x10\x63")
    assert newer.runtime == 99
    assert in_function(function(function_config=newer)) == [("function_config.runtime", "RUNTIME_KNOWN")]


def test_an_association_needs_runtime_2_and_is_at_most_one() -> None:
    assert in_function(associated(STORE_ARN)) == []
    assert in_function(associated(STORE_ARN, runtime=V1)) == [("function_config.runtime", "RUNTIME_OF_ASSOCIATION")]
    assert in_function(associated(STORE_ARN, STORE_ARN)) == [
        ("function_config.key_value_store_associations", "ASSOCIATIONS_COUNT")
    ]


@pytest.mark.parametrize(
    "arn",
    ["", "store", STORE_ARN + "\n", STORE_ARN + "5", STORE_ARN.replace("123456789012", "12345678901"), STORE_ARN[:-1]],
)
def test_an_association_needs_a_stores_arn(arn: str) -> None:
    field = "function_config.key_value_store_associations[0].key_value_store_arn"
    assert in_function(associated(arn)) == [(field, "KEY_VALUE_STORE_ARN_FORM")]


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:s3:::bucket/key",
        "arn:aws-cn:s3:::my.bucket-1/a/b.json",
        "arn:aws-us-gov:s3:::bucket/" + "k" * 1024,
        "arn:aws:s3:::bucket/é",
    ],
)
def test_an_import_source_is_the_arn_of_an_s3_object(arn: str) -> None:
    assert in_store(import_source=imported(arn)) == []


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
def test_any_other_import_source_is_refused(arn: str, rule: str) -> None:
    assert in_store(import_source=imported(arn)) == [("import_source.source_arn", rule)]


def test_an_import_source_says_its_type() -> None:
    source = imported("arn:aws:s3:::bucket/key", ImportSourceType.IMPORT_SOURCE_TYPE_UNSPECIFIED)
    assert in_store(import_source=source) == [("import_source.source_type", "SOURCE_TYPE_KNOWN")]
    newer = ImportSource.FromString(b"\x08\x63" + source.SerializeToString())
    assert in_store(import_source=newer) == [("import_source.source_type", "SOURCE_TYPE_KNOWN")]


@pytest.mark.parametrize("request_id", ["", REQUEST_ID, REQUEST_ID.upper(), "ffffffff-ffff-ffff-ffff-ffffffffffff"])
def test_a_request_id_is_empty_or_any_uuid(request_id: str) -> None:
    assert in_function(function(request_id=request_id)) == []
    assert in_store(request_id=request_id) == []


@pytest.mark.parametrize("request_id", ["1", REQUEST_ID[:-1], REQUEST_ID + "\n", REQUEST_ID.replace("-", ""), "{}"])
def test_any_other_request_id_is_refused(request_id: str) -> None:
    assert in_function(function(request_id=request_id)) == [("request_id", "REQUEST_ID_FORM")]
    assert in_store(request_id=request_id) == [("request_id", "REQUEST_ID_FORM")]


def test_all_violations_of_a_request_are_found_at_once() -> None:
    request = function(
        "n" * 65,
        function_config=FunctionConfig(
            runtime=V1, key_value_store_associations=[KeyValueStoreAssociation(key_value_store_arn=STORE_ARN)]
        ),
        function_code=b"x" * 10_241,
        tags=[Tag(key="aws:x"), Tag(key="k", value="nul\0")],
    )
    assert in_function(request) == [
        ("name", "NAME_LENGTH"),
        ("function_config.runtime", "RUNTIME_OF_ASSOCIATION"),
        ("function_code", "FUNCTION_CODE_SIZE"),
        ("tags[0].key", "TAG_KEY_RESERVED"),
        ("tags[1].value", "TAG_VALUE_CHARACTERS"),
    ]


def test_checking_changes_nothing_of_the_request() -> None:
    request = function(" padded ", tags=[Tag(key=" a "), Tag(key=" a ")])
    before = request.SerializeToString()
    assert in_function(request)
    assert request.SerializeToString() == before
