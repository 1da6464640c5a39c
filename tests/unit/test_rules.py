"""The rules that many rpcs share: names, etags, stages, pages and request ids."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore import xform_name

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server import page_tokens
from cloudfront_facade_server.validation.rules import Rules
from support.facade import REQUEST_ID, function
from support.rpcs import RPCS
from support.rules import RULES, broken_rules, violation_messages
from support.values import STORE_ARN

V1 = functions.FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_1_0
V2 = functions.FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0
CONFIG = functions.FunctionConfig(runtime=V2)

NAMED: dict[str, tuple[Callable[[Any], None], Any, dict[str, Any]]] = {
    "DescribeFunction": (RULES.describe_function, functions.DescribeFunctionRequest, {"name": "f", "stage": 1}),
    "GetFunction": (RULES.get_function, functions.GetFunctionRequest, {"name": "f", "stage": 2}),
    "UpdateFunction": (
        RULES.update_function,
        functions.UpdateFunctionRequest,
        {"name": "f", "etag": "E1", "function_config": CONFIG, "function_code": b"x"},
    ),
    "PublishFunction": (RULES.publish_function, functions.PublishFunctionRequest, {"name": "f", "etag": "E1"}),
    "TestFunction": (
        RULES.test_function,
        functions.TestFunctionRequest,
        {"name": "f", "etag": "E1", "stage": 1, "event_object": b"{}"},
    ),
    "DeleteFunction": (RULES.delete_function, functions.DeleteFunctionRequest, {"name": "f", "etag": "E1"}),
    "DescribeKeyValueStore": (RULES.describe_key_value_store, stores.DescribeKeyValueStoreRequest, {"name": "s"}),
    "UpdateKeyValueStore": (
        RULES.update_key_value_store,
        stores.UpdateKeyValueStoreRequest,
        {"name": "s", "etag": "E1", "comment": ""},
    ),
    "DeleteKeyValueStore": (
        RULES.delete_key_value_store,
        stores.DeleteKeyValueStoreRequest,
        {"name": "s", "etag": "E1"},
    ),
    "WaitForKeyValueStore": (RULES.wait_for_key_value_store, stores.WaitForKeyValueStoreRequest, {"name": "s"}),
}
LISTS: dict[str, tuple[Callable[[Any], None], Any, dict[str, Any], str]] = {
    "ListFunctions": (RULES.list_functions, functions.ListFunctionsRequest, {}, page_tokens.functions_list(0)),
    "ListKeyValueStores": (
        RULES.list_key_value_stores,
        stores.ListKeyValueStoresRequest,
        {},
        page_tokens.key_value_stores_list(""),
    ),
    "ListKeys": (RULES.list_keys, data.ListKeysRequest, {"kvs_arn": STORE_ARN}, page_tokens.keys_list(STORE_ARN)),
}


def rules_of_function(**fields: Any) -> list[tuple[str, str]]:
    return broken_rules(RULES.create_function, function(**fields))


def rules_of_store(**fields: Any) -> list[tuple[str, str]]:
    request = stores.CreateKeyValueStoreRequest(**{"name": "redirects", **fields})
    return broken_rules(RULES.create_key_value_store, request)


def test_every_rpc_has_its_own_method() -> None:
    methods = {name for name in vars(Rules) if not name.startswith("_")}

    assert methods == {xform_name(rpc) for rpc in RPCS} | {"check_tag_limit"}


@pytest.mark.parametrize("name", ["a", "n" * 64, "A-z_09"])
def test_creates_accept_a_valid_name(name: str) -> None:
    assert rules_of_function(name=name) == []
    assert rules_of_store(name=name) == []


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
def test_creates_reject_an_invalid_name(name: str, rules: list[str]) -> None:
    expected = [("name", rule) for rule in rules]
    assert rules_of_function(name=name) == expected
    assert rules_of_store(name=name) == expected


@pytest.mark.parametrize("comment", ["", "c" * 128, "\U0001f600" * 128, "tab\tand\nnewline", "<&>\"'", "\u2028\u00a0"])
def test_creates_accept_a_valid_comment(comment: str) -> None:
    assert rules_of_function(function_config=functions.FunctionConfig(runtime=V2, comment=comment)) == []
    assert rules_of_store(comment=comment) == []


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
def test_creates_reject_an_invalid_comment(comment: str, rule: str) -> None:
    config = functions.FunctionConfig(runtime=V2, comment=comment)
    assert rules_of_function(function_config=config) == [("function_config.comment", rule)]
    assert rules_of_store(comment=comment) == [("comment", rule)]


@pytest.mark.parametrize("request_id", ["", REQUEST_ID, REQUEST_ID.upper(), "ffffffff-ffff-ffff-ffff-ffffffffffff"])
def test_an_empty_request_id_and_any_uuid_are_accepted(request_id: str) -> None:
    assert rules_of_function(request_id=request_id) == []
    assert rules_of_store(request_id=request_id) == []


@pytest.mark.parametrize("request_id", ["1", REQUEST_ID[:-1], REQUEST_ID + "\n", REQUEST_ID.replace("-", ""), "{}"])
def test_a_request_id_that_is_not_a_uuid_is_rejected(request_id: str) -> None:
    assert rules_of_function(request_id=request_id) == [("request_id", "REQUEST_ID_FORM")]
    assert rules_of_store(request_id=request_id) == [("request_id", "REQUEST_ID_FORM")]


@pytest.mark.parametrize("operation", NAMED)
def test_a_valid_request_is_accepted(operation: str) -> None:
    check, make, fields = NAMED[operation]
    assert broken_rules(check, make(**fields)) == []


@pytest.mark.parametrize("operation", NAMED)
@pytest.mark.parametrize(
    ("name", "rule"), [("", "NAME_LENGTH"), ("n" * 65, "NAME_LENGTH"), ("../x", "NAME_CHARACTERS")]
)
def test_every_request_needs_a_valid_name(operation: str, name: str, rule: str) -> None:
    check, make, fields = NAMED[operation]
    assert broken_rules(check, make(**{**fields, "name": name})) == [("name", rule)]


@pytest.mark.parametrize("operation", [name for name, (_, _, fields) in NAMED.items() if "etag" in fields])
@pytest.mark.parametrize(
    ("etag", "rules"),
    [
        ("", ["ETAG_LENGTH"]),
        ("E" * 257, ["ETAG_LENGTH"]),
        ("E1\r\nX-Injected: 1", ["ETAG_CHARACTERS"]),
        ('"E1"', ["ETAG_CHARACTERS"]),
        ("E 1", ["ETAG_CHARACTERS"]),
        ("é" * 10_240, ["ETAG_LENGTH", "ETAG_CHARACTERS"]),
        ("*", ["ETAG_FORM"]),
        ("E1,E2", ["ETAG_FORM"]),
        ("W/E1", ["ETAG_FORM"]),
        ('W/"E1"', ["ETAG_CHARACTERS", "ETAG_FORM"]),
    ],
)
def test_an_etag_must_be_visible_ascii_without_quotes(operation: str, etag: str, rules: list[str]) -> None:
    check, make, fields = NAMED[operation]
    assert broken_rules(check, make(**{**fields, "etag": etag})) == [("etag", rule) for rule in rules]
    assert broken_rules(check, make(**{**fields, "etag": "E" * 256})) == []


@pytest.mark.parametrize("operation", [name for name, (_, _, fields) in NAMED.items() if "etag" in fields])
@pytest.mark.parametrize("stage", ["DEVELOPMENT", "LIVE"])
def test_the_violation_of_an_etag_names_the_rpc_that_returns_it(operation: str, stage: str) -> None:
    check, make, fields = NAMED[operation]
    if "stage" in fields:
        fields = {**fields, "stage": f"FUNCTION_STAGE_{stage}"}
    else:
        stage = "DEVELOPMENT"
    source = "DescribeKeyValueStore" if operation.endswith("Store") else f"DescribeFunction with stage {stage}"

    def messages(etag: str) -> list[str]:
        return violation_messages(check, make(**{**fields, "etag": etag}))

    assert messages("") == [f"required; {source} returns it"]
    too_long, disallowed = messages("E" * 256 + "é")
    assert too_long.endswith(f"allowed: at most 256 characters; {source} returns the etag")
    assert disallowed.endswith(f"allowed: visible ASCII except double quotes; {source} returns the etag")


@pytest.mark.parametrize("operation", [name for name, (_, _, fields) in NAMED.items() if "stage" in fields])
def test_an_unknown_stage_is_rejected(operation: str) -> None:
    check, make, fields = NAMED[operation]
    assert broken_rules(check, make(**{**fields, "stage": 0})) == []
    assert broken_rules(check, make(**{**fields, "stage": 3})) == [("stage", "STAGE_KNOWN")]


@pytest.mark.parametrize("operation", LISTS)
def test_a_page_token_is_valid_only_for_the_list_that_returned_it(operation: str) -> None:
    check, make, fields, list_name = LISTS[operation]
    for size in (0, 1, 10**9):
        assert broken_rules(check, make(**fields, page_size=size, page_token=page_tokens.encode(list_name, "m"))) == []
    foreign = page_tokens.encode("AnotherList", "m")
    assert broken_rules(check, make(**fields, page_size=-1, page_token=foreign)) == [
        ("page_size", "PAGE_SIZE_RANGE"),
        ("page_token", "PAGE_TOKEN_FORM"),
    ]


def test_all_violations_of_a_request_are_reported_together() -> None:
    request = function(
        "n" * 65,
        function_config=functions.FunctionConfig(
            runtime=V1, key_value_store_associations=[functions.KeyValueStoreAssociation(key_value_store_arn=STORE_ARN)]
        ),
        function_code=b"x" * 10_241,
        tags=[Tag(key="aws:x"), Tag(key="k", value="nul\0")],
    )
    assert broken_rules(RULES.create_function, request) == [
        ("name", "NAME_LENGTH"),
        ("function_config.runtime", "RUNTIME_OF_ASSOCIATION"),
        ("function_code", "FUNCTION_CODE_SIZE"),
        ("tags[0].key", "TAG_KEY_RESERVED"),
        ("tags[1].value", "TAG_VALUE_CHARACTERS"),
    ]


def test_a_check_does_not_change_the_request() -> None:
    request = function(" padded ", tags=[Tag(key=" a "), Tag(key=" a ")])
    before = request.SerializeToString()
    assert broken_rules(RULES.create_function, request)
    assert request.SerializeToString() == before
