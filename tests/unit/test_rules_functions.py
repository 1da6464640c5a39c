"""The rules of functions: code, runtime, associations, events."""

from __future__ import annotations

import pytest

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1.function_service_pb2 import (
    CreateFunctionRequest,
    FunctionConfig,
    FunctionRuntime,
    FunctionStage,
    KeyValueStoreAssociation,
    ListFunctionsRequest,
    UpdateFunctionRequest,
)
from cloudfront_facade_server import page_tokens
from cloudfront_facade_server.validation.rules import Rules
from cloudfront_facade_server.validation.tags import TagRules
from support.facade import function
from support.rules import RULES, broken_rules, violation_messages
from support.values import STORE_ARN

V1 = FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_1_0
V2 = FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0


def rules_of_create(request: CreateFunctionRequest, rules: Rules = RULES) -> list[tuple[str, str]]:
    return broken_rules(rules.create_function, request)


def with_stores(*arns: str, runtime: FunctionRuntime.ValueType = V2) -> CreateFunctionRequest:
    associations = [KeyValueStoreAssociation(key_value_store_arn=arn) for arn in arns]
    return function(function_config=FunctionConfig(runtime=runtime, key_value_store_associations=associations))


def with_event(event: bytes) -> functions.TestFunctionRequest:
    return functions.TestFunctionRequest(
        name="f", etag="E1", stage=FunctionStage.FUNCTION_STAGE_LIVE, event_object=event
    )


def test_code_can_be_any_bytes_up_to_the_limit() -> None:
    assert rules_of_create(function(function_code=b"")) == [("function_code", "FUNCTION_CODE_SIZE")]
    assert rules_of_create(function(function_code=b"\xff" * 10_240)) == []
    assert rules_of_create(function(function_code=b"x" * 10_241)) == [("function_code", "FUNCTION_CODE_SIZE")]
    larger = Rules(TagRules(), max_function_code_bytes=40_960)
    assert rules_of_create(function(function_code=b"x" * 40_960), larger) == []
    assert rules_of_create(function(function_code=b"x" * 40_961), larger) == [("function_code", "FUNCTION_CODE_SIZE")]


def test_an_unknown_runtime_is_rejected() -> None:
    assert rules_of_create(function(function_config=FunctionConfig(runtime=V1))) == []
    assert rules_of_create(function(function_config=FunctionConfig())) == [("function_config.runtime", "RUNTIME_KNOWN")]
    assert rules_of_create(CreateFunctionRequest(name="a", function_code=b"x")) == [
        ("function_config.runtime", "RUNTIME_KNOWN")
    ]
    newer = FunctionConfig.FromString(b"\x10\x63")
    assert newer.runtime == 99
    assert rules_of_create(function(function_config=newer)) == [("function_config.runtime", "RUNTIME_KNOWN")]


def test_a_function_can_have_one_store_and_needs_runtime_2_for_it() -> None:
    assert rules_of_create(with_stores(STORE_ARN)) == []
    assert rules_of_create(with_stores(STORE_ARN, runtime=V1)) == [
        ("function_config.runtime", "RUNTIME_OF_ASSOCIATION")
    ]
    assert rules_of_create(with_stores(STORE_ARN, STORE_ARN)) == [
        ("function_config.key_value_store_associations", "ASSOCIATIONS_COUNT")
    ]


@pytest.mark.parametrize(
    "arn",
    ["", "store", STORE_ARN + "\n", STORE_ARN + "5", STORE_ARN.replace("123456789012", "12345678901"), STORE_ARN[:-1]],
)
def test_an_association_needs_the_arn_of_a_store(arn: str) -> None:
    field = "function_config.key_value_store_associations[0].key_value_store_arn"
    assert rules_of_create(with_stores(arn)) == [(field, "KEY_VALUE_STORE_ARN_FORM")]


def test_an_update_follows_the_rules_of_a_create() -> None:
    request = UpdateFunctionRequest(
        name="a b",
        etag="",
        function_config=FunctionConfig(
            comment="c" * 129,
            runtime=V1,
            key_value_store_associations=[KeyValueStoreAssociation(key_value_store_arn="x")],
        ),
        function_code=b"x" * 10_241,
    )
    assert broken_rules(RULES.update_function, request) == [
        ("name", "NAME_CHARACTERS"),
        ("etag", "ETAG_LENGTH"),
        ("function_config.comment", "COMMENT_LENGTH"),
        ("function_config.runtime", "RUNTIME_OF_ASSOCIATION"),
        ("function_config.key_value_store_associations[0].key_value_store_arn", "KEY_VALUE_STORE_ARN_FORM"),
        ("function_code", "FUNCTION_CODE_SIZE"),
    ]


@pytest.mark.parametrize(
    ("event", "rule", "problem"),
    [
        (b"", "EVENT_OBJECT_SIZE", "empty"),
        (b'{"a":"' + b"x" * 40_953 + b'"}', "EVENT_OBJECT_SIZE", "40961 bytes"),
        (b"{", "EVENT_OBJECT_JSON", "not JSON at line 1, column 2: "),
        (b"[]", "EVENT_OBJECT_JSON", "JSON, but not an object"),
        (b"null", "EVENT_OBJECT_JSON", "JSON, but not an object"),
        (b'{"a": "\xff"}', "EVENT_OBJECT_JSON", "byte 7 is not UTF-8"),
        # Too deep for every supported Python: 3.11 parses 1,000 levels, 3.13 parses 10,000.
        (b'{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}", "EVENT_OBJECT_JSON", "nested too deeply"),
        (b'{"a":' + b"1" * 5_000 + b"}", "EVENT_OBJECT_JSON", "a number has too many digits"),
        (b'{"a": NaN}', "EVENT_OBJECT_JSON", "NaN and Infinity are not valid JSON"),
        (b'{"a": -Infinity}', "EVENT_OBJECT_JSON", "NaN and Infinity are not valid JSON"),
    ],
)
def test_an_event_must_be_a_json_object(event: bytes, rule: str, problem: str) -> None:
    assert broken_rules(RULES.test_function, with_event(event)) == [("event_object", rule)]
    (message,) = violation_messages(RULES.test_function, with_event(event))
    assert message.startswith(problem)
    assert "; allowed: a JSON object " in message
    assert message.endswith("DeveloperGuide/functions-event-structure.html")


def test_an_event_can_have_the_maximum_size_of_cloudfront() -> None:
    event = b'{"a":"' + b"x" * 40_952 + b'"}'
    assert len(event) == 40_960
    assert broken_rules(RULES.test_function, with_event(event)) == []


def test_a_page_token_of_another_stage_is_rejected() -> None:
    token = page_tokens.encode(page_tokens.functions_list(2), "m")
    request = ListFunctionsRequest(stage=FunctionStage.FUNCTION_STAGE_LIVE, page_token=token)
    assert broken_rules(RULES.list_functions, request) == []
    request.stage = FunctionStage.FUNCTION_STAGE_DEVELOPMENT
    assert broken_rules(RULES.list_functions, request) == [("page_token", "PAGE_TOKEN_FORM")]
