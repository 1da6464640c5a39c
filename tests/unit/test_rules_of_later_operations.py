"""The rules of all requests but the creates."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from cloudfront_facade.v1 import tag_service_pb2 as tags
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server import page_tokens
from cloudfront_facade_server.errors.violations import ValidationError
from cloudfront_facade_server.validation.rules import Rules
from cloudfront_facade_server.validation.tags import TagRules

RULES = Rules(TagRules())
STORE_ARN = "arn:aws:cloudfront::123456789012:key-value-store/11111111-2222-3333-4444-555555555555"
FUNCTION_ARN = "arn:aws:cloudfront::123456789012:function/rewrite"
V2 = functions.FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0
CONFIG = functions.FunctionConfig(runtime=V2)

NAMED: dict[str, tuple[Callable[[Any], None], Any, dict[str, Any]]] = {
    "DescribeFunction": (RULES.describe_function, functions.DescribeFunctionRequest, {"name": "f"}),
    "GetFunction": (RULES.describe_function, functions.GetFunctionRequest, {"name": "f", "stage": 2}),
    "UpdateFunction": (
        RULES.update_function,
        functions.UpdateFunctionRequest,
        {"name": "f", "etag": "E1", "function_config": CONFIG, "function_code": b"x"},
    ),
    "PublishFunction": (RULES.function_version, functions.PublishFunctionRequest, {"name": "f", "etag": "E1"}),
    "TestFunction": (
        RULES.test_function,
        functions.TestFunctionRequest,
        {"name": "f", "etag": "E1", "stage": 1, "event_object": b"{}"},
    ),
    "DeleteFunction": (RULES.function_version, functions.DeleteFunctionRequest, {"name": "f", "etag": "E1"}),
    "DescribeKeyValueStore": (
        RULES.describe_key_value_store,
        stores.DescribeKeyValueStoreRequest,
        {"name": "s"},
    ),
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
    "WaitForKeyValueStore": (RULES.describe_key_value_store, stores.WaitForKeyValueStoreRequest, {"name": "s"}),
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
OF_KEYS: dict[str, tuple[Callable[[Any], None], Any]] = {
    "GetKey": (RULES.get_key, data.GetKeyRequest),
    "PutKey": (RULES.put_key, data.PutKeyRequest),
    "DeleteKey": (RULES.delete_key, data.DeleteKeyRequest),
}


def broken(check: Callable[[Any], Any], request: Any) -> list[tuple[str, str]]:
    try:
        check(request)
    except ValidationError as error:
        return [(violation.field, violation.rule) for violation in error.violations]
    return []


def without_breath(request: data.UpdateKeysRequest) -> None:
    RULES.update_keys(request, lambda: None)


@pytest.mark.parametrize("operation", NAMED)
def test_a_request_within_the_rules_is_let_through(operation: str) -> None:
    check, make, fields = NAMED[operation]
    assert broken(check, make(**fields)) == []


@pytest.mark.parametrize("operation", NAMED)
@pytest.mark.parametrize(
    ("name", "rule"), [("", "NAME_LENGTH"), ("n" * 65, "NAME_LENGTH"), ("../x", "NAME_CHARACTERS")]
)
def test_a_name_is_needed_everywhere(operation: str, name: str, rule: str) -> None:
    check, make, fields = NAMED[operation]
    assert broken(check, make(**{**fields, "name": name})) == [("name", rule)]


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
    ],
)
def test_a_version_is_visible_ascii(operation: str, etag: str, rules: list[str]) -> None:
    check, make, fields = NAMED[operation]
    assert broken(check, make(**{**fields, "etag": etag})) == [("etag", rule) for rule in rules]
    assert broken(check, make(**{**fields, "etag": "E" * 256})) == []


@pytest.mark.parametrize("operation", [name for name, (_, _, fields) in NAMED.items() if "stage" in fields])
def test_a_stage_is_none_or_one_that_is_known(operation: str) -> None:
    check, make, fields = NAMED[operation]
    assert broken(check, make(**{**fields, "stage": 0})) == []
    assert broken(check, make(**{**fields, "stage": 3})) == [("stage", "STAGE_KNOWN")]


@pytest.mark.parametrize(
    ("event", "rule"),
    [
        (b"", "EVENT_OBJECT_SIZE"),
        (b'{"a":"' + b"x" * 40_953 + b'"}', "EVENT_OBJECT_SIZE"),
        (b"{", "EVENT_OBJECT_JSON"),
        (b"[]", "EVENT_OBJECT_JSON"),
        (b"null", "EVENT_OBJECT_JSON"),
        (b'{"a": "\xff"}', "EVENT_OBJECT_JSON"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "EVENT_OBJECT_JSON"),
        (b'{"a":' + b"1" * 5_000 + b"}", "EVENT_OBJECT_JSON"),
        (b'{"a": NaN}', "EVENT_OBJECT_JSON"),
        (b'{"a": -Infinity}', "EVENT_OBJECT_JSON"),
    ],
)
def test_an_event_is_a_json_object(event: bytes, rule: str) -> None:
    check, make, fields = NAMED["TestFunction"]
    assert broken(check, make(**{**fields, "event_object": event})) == [("event_object", rule)]


def test_an_event_may_be_as_large_as_cloudfront_takes_it() -> None:
    check, make, fields = NAMED["TestFunction"]
    event = b'{"a":"' + b"x" * 40_952 + b'"}'
    assert len(event) == 40_960
    assert broken(check, make(**{**fields, "event_object": event})) == []


def test_an_update_breaks_the_rules_of_a_create() -> None:
    request = functions.UpdateFunctionRequest(
        name="a b",
        etag="",
        function_config=functions.FunctionConfig(
            comment="c" * 129,
            runtime=functions.FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_1_0,
            key_value_store_associations=[functions.KeyValueStoreAssociation(key_value_store_arn="x")],
        ),
        function_code=b"x" * 10_241,
    )
    assert broken(RULES.update_function, request) == [
        ("name", "NAME_CHARACTERS"),
        ("etag", "ETAG_LENGTH"),
        ("function_config.comment", "COMMENT_LENGTH"),
        ("function_config.runtime", "RUNTIME_OF_ASSOCIATION"),
        ("function_config.key_value_store_associations[0].key_value_store_arn", "KEY_VALUE_STORE_ARN_FORM"),
        ("function_code", "FUNCTION_CODE_SIZE"),
    ]


@pytest.mark.parametrize("operation", LISTS)
def test_pages_are_those_of_the_same_list(operation: str) -> None:
    check, make, fields, which = LISTS[operation]
    for size in (0, 1, 10**9):
        assert broken(check, make(**fields, page_size=size, page_token=page_tokens.encode(which, "m"))) == []
    foreign = page_tokens.encode("AnotherList", "m")
    assert broken(check, make(**fields, page_size=-1, page_token=foreign)) == [
        ("page_size", "PAGE_SIZE_RANGE"),
        ("page_token", "PAGE_TOKEN_FORM"),
    ]


def test_a_page_of_another_stage_is_refused() -> None:
    token = page_tokens.encode(page_tokens.functions_list(2), "m")
    request = functions.ListFunctionsRequest(stage=functions.FunctionStage.FUNCTION_STAGE_LIVE, page_token=token)
    assert broken(RULES.list_functions, request) == []
    request.stage = functions.FunctionStage.FUNCTION_STAGE_DEVELOPMENT
    assert broken(RULES.list_functions, request) == [("page_token", "PAGE_TOKEN_FORM")]


def test_a_status_that_is_asked_for_has_its_form() -> None:
    assert broken(RULES.list_key_value_stores, stores.ListKeyValueStoresRequest(status="READY")) == []
    request = stores.ListKeyValueStoresRequest(status="ready&x=1")
    assert broken(RULES.list_key_value_stores, request) == [("status", "STATUS_FORM")]


@pytest.mark.parametrize("operation", OF_KEYS)
@pytest.mark.parametrize(
    ("key", "rule"),
    [
        ("", "KEY_LENGTH"),
        ("k" * 513, "KEY_LENGTH"),
        ("é" * 257, "KEY_LENGTH"),
        (".", "KEY_FORM"),
        ("..", "KEY_FORM"),
    ],
)
def test_a_key_is_held_to_its_bytes(operation: str, key: str, rule: str) -> None:
    check, make = OF_KEYS[operation]
    assert broken(check, make(kvs_arn=STORE_ARN, key=key)) == [("key", rule)]
    for good in ("é" * 256, "../x", "a/b", "%2F", "\0", " "):
        assert broken(check, make(kvs_arn=STORE_ARN, key=good)) == []


@pytest.mark.parametrize("operation", OF_KEYS)
def test_a_store_is_named_by_its_arn(operation: str) -> None:
    check, make = OF_KEYS[operation]
    assert broken(check, make(kvs_arn="redirects", key="k")) == [("kvs_arn", "KEY_VALUE_STORE_ARN_FORM")]


def test_a_value_is_held_to_its_bytes_and_shown_to_nobody() -> None:
    request = data.PutKeyRequest(kvs_arn=STORE_ARN, key="k", value="secret" * 200, etag="E\n")
    with pytest.raises(ValidationError) as caught:
        RULES.put_key(request)
    assert [(each.field, each.rule) for each in caught.value.violations] == [
        ("value", "VALUE_LENGTH"),
        ("etag", "ETAG_CHARACTERS"),
    ]
    assert "secret" not in caught.value.violations[0].description
    assert broken(RULES.put_key, data.PutKeyRequest(kvs_arn=STORE_ARN, key="k", value="v" * 1024)) == []


def test_every_change_is_checked_and_named_by_its_place() -> None:
    changes = [
        data.KeyChange(put=data.KeyValue(key="k", value="v")),
        data.KeyChange(put=data.KeyValue(key="", value="v" * 1025)),
        data.KeyChange(delete=""),
        data.KeyChange(),
        data.KeyChange(delete=".."),
    ]
    assert broken(without_breath, data.UpdateKeysRequest(kvs_arn="x", changes=changes, etag="\n")) == [
        ("kvs_arn", "KEY_VALUE_STORE_ARN_FORM"),
        ("changes[1].put.key", "KEY_LENGTH"),
        ("changes[1].put.value", "VALUE_LENGTH"),
        ("changes[2].delete", "KEY_LENGTH"),
        ("changes[3]", "CHANGE_KNOWN"),
        ("etag", "ETAG_CHARACTERS"),
    ]
    assert broken(without_breath, data.UpdateKeysRequest(kvs_arn=STORE_ARN)) == [("changes", "CHANGES_COUNT")]


def test_a_check_of_very_many_changes_lets_the_loop_breathe_and_ends_after_a_thousand_violations() -> None:
    breaths: list[float] = []
    good = data.UpdateKeysRequest(kvs_arn=STORE_ARN, changes=[data.KeyChange(delete="k")] * 10_000)
    RULES.update_keys(good, lambda: breaths.append(time.monotonic()))
    assert len(breaths) == 10
    bad = data.UpdateKeysRequest(kvs_arn=STORE_ARN, changes=[data.KeyChange()] * 100_000)
    assert len(broken(without_breath, bad)) == 1000


def test_a_check_of_a_very_large_request_of_a_stream_lets_the_loop_breathe() -> None:
    breaths: list[int] = []
    request = data.ImportKeysRequest(kvs_arn=STORE_ARN, changes=[data.KeyChange(delete="k")] * 5_000)
    _, checked = RULES.import_keys(iter([request]), lambda: breaths.append(1))
    next(checked)
    assert len(breaths) == 5


def imported(*requests: data.ImportKeysRequest) -> Iterator[data.ImportKeysRequest]:
    _, checked = RULES.import_keys(iter(requests), lambda: None)
    return checked


def put(key: str) -> data.KeyChange:
    return data.KeyChange(put=data.KeyValue(key=key))


def test_an_import_is_checked_as_it_comes() -> None:
    checked = imported(
        data.ImportKeysRequest(kvs_arn=STORE_ARN, etag="E1", changes=[put("a"), put("b")]),
        data.ImportKeysRequest(changes=[put("c")]),
        data.ImportKeysRequest(kvs_arn=STORE_ARN, etag="E1", changes=[put("d")]),
        data.ImportKeysRequest(kvs_arn=STORE_ARN[:-1], etag="E2", changes=[put("e"), put("")]),
    )
    assert [len(next(checked).changes) for _ in range(3)] == [2, 1, 1]
    assert broken(next, checked) == [
        ("changes[5].put.key", "KEY_LENGTH"),
        ("kvs_arn", "IMPORT_KEYS_SAME"),
        ("etag", "IMPORT_KEYS_SAME"),
    ]


def test_an_import_names_its_store_first_and_has_changes() -> None:
    assert broken(lambda requests: RULES.import_keys(requests, lambda: None), iter([])) == [
        ("kvs_arn", "KEY_VALUE_STORE_ARN_FORM")
    ]
    checked = imported(data.ImportKeysRequest(kvs_arn=STORE_ARN))
    assert broken(list, checked) == [("changes", "CHANGES_COUNT")]


@pytest.mark.parametrize(
    ("arn", "is_one"),
    [
        (FUNCTION_ARN, True),
        (STORE_ARN, True),
        ("", False),
        ("arn:aws:cloudfront::123456789012:distribution/E1", False),
        (FUNCTION_ARN + "\n", False),
    ],
)
def test_only_functions_and_stores_have_tags_here(arn: str, *, is_one: bool) -> None:
    expected = [] if is_one else [("resource", "RESOURCE_ARN_FORM")]
    assert broken(RULES.tag_resource, tags.TagResourceRequest(resource=arn, tags=[Tag(key="k")])) == expected
    assert broken(RULES.untag_resource, tags.UntagResourceRequest(resource=arn, tag_keys=["k"])) == expected
    assert broken(RULES.list_tags_for_resource, tags.ListTagsForResourceRequest(resource=arn)) == expected


def test_tags_that_are_added_follow_the_rules_of_tags() -> None:
    request = tags.TagResourceRequest(
        resource=FUNCTION_ARN,
        tags=[
            Tag(key="AWS:x"),
            Tag(key="CloudFront-Facade:request", value="v"),
            Tag(key="k", value="\0"),
            Tag(key="k"),
        ],
    )
    assert broken(RULES.tag_resource, request) == [
        ("tags[0].key", "TAG_KEY_RESERVED"),
        ("tags[1].key", "TAG_KEY_RESERVED"),
        ("tags[2].value", "TAG_VALUE_CHARACTERS"),
        ("tags[3].key", "TAG_KEY_UNIQUE"),
    ]
    assert broken(RULES.tag_resource, tags.TagResourceRequest(resource=FUNCTION_ARN)) == [("tags", "TAGS_COUNT")]


def test_keys_that_are_taken_away_follow_the_rules_of_keys() -> None:
    request = tags.UntagResourceRequest(
        resource=FUNCTION_ARN, tag_keys=["aws:x", "cloudfront-facade:request", "", "k!", "a", "a"]
    )
    assert broken(RULES.untag_resource, request) == [
        ("tag_keys[0]", "TAG_KEY_RESERVED"),
        ("tag_keys[1]", "TAG_KEY_RESERVED"),
        ("tag_keys[2]", "TAG_KEY_LENGTH"),
        ("tag_keys[3]", "TAG_KEY_CHARACTERS"),
        ("tag_keys[5]", "TAG_KEY_UNIQUE"),
    ]
    many = tags.UntagResourceRequest(resource=FUNCTION_ARN, tag_keys=[f"k{number}" for number in range(51)])
    assert broken(RULES.untag_resource, many) == [("tag_keys", "TAGS_COUNT")]
    assert broken(RULES.untag_resource, tags.UntagResourceRequest(resource=FUNCTION_ARN)) == [
        ("tag_keys", "TAGS_COUNT")
    ]


def test_the_union_of_tags_is_held_against_the_limit() -> None:
    there = [f"there-{number}" for number in range(45)]
    RULES.check_tag_limit(there, ["there-0", *[f"new-{number}" for number in range(5)]])
    with pytest.raises(ValidationError) as caught:
        RULES.check_tag_limit(there, [f"new-{number}" for number in range(6)])
    (violation,) = caught.value.violations
    assert (violation.field, violation.rule) == ("tags", "TAGS_COUNT")
    assert violation.description == "6 tags with the 45 that the resource has make 51; allowed: at most 50 in all"


def test_tags_that_aws_makes_do_not_count() -> None:
    there = [*(f"there-{number}" for number in range(49)), "aws:cloudformation:stack-name", "AWS:x"]
    RULES.check_tag_limit(there, ["there-0", "new"])
    with pytest.raises(ValidationError):
        RULES.check_tag_limit(there, ["new", "newer"])


def test_a_tag_that_is_there_can_change_however_many_there_are() -> None:
    RULES.check_tag_limit([f"there-{number}" for number in range(60)], ["there-0", "there-59"])
