"""The rules of keys and values, in single changes and in streams of changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade_server.errors.violations import ValidationError
from support.rules import RULES, broken_rules, violation_messages
from support.values import STORE_ARN

KEY_RPCS: dict[str, tuple[Callable[[Any], None], Any]] = {
    "GetKey": (RULES.get_key, data.GetKeyRequest),
    "PutKey": (RULES.put_key, data.PutKeyRequest),
    "DeleteKey": (RULES.delete_key, data.DeleteKeyRequest),
}


def check_update(request: data.UpdateKeysRequest) -> None:
    RULES.update_keys(request, lambda: None)


def checked_stream(*requests: data.ImportKeysRequest) -> Iterator[data.ImportKeysRequest]:
    _, checked = RULES.import_keys(iter(requests), lambda: None)
    return checked


def put(key: str) -> data.KeyChange:
    return data.KeyChange(put=data.KeyValue(key=key))


@pytest.mark.parametrize("operation", KEY_RPCS)
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
def test_the_length_of_a_key_is_limited_in_bytes(operation: str, key: str, rule: str) -> None:
    check, make = KEY_RPCS[operation]
    assert broken_rules(check, make(kvs_arn=STORE_ARN, key=key)) == [("key", rule)]
    for good in ("é" * 256, "../x", "a/b", "%2F", "\0", " "):
        assert broken_rules(check, make(kvs_arn=STORE_ARN, key=good)) == []


@pytest.mark.parametrize("etag", ["E" * 257, "E\n", "*", "E1,E2", "W/E1"])
@pytest.mark.parametrize("operation", ["PutKey", "DeleteKey", "UpdateKeys", "ImportKeys"])
def test_the_violation_of_an_etag_names_the_rpc_that_returns_it(operation: str, etag: str) -> None:
    checks: dict[str, tuple[Callable[[Any], Any], Any]] = {
        "PutKey": (RULES.put_key, data.PutKeyRequest(kvs_arn=STORE_ARN, key="k", etag=etag)),
        "DeleteKey": (RULES.delete_key, data.DeleteKeyRequest(kvs_arn=STORE_ARN, key="k", etag=etag)),
        "UpdateKeys": (check_update, data.UpdateKeysRequest(kvs_arn=STORE_ARN, changes=[put("k")], etag=etag)),
        "ImportKeys": (checked_stream, data.ImportKeysRequest(kvs_arn=STORE_ARN, etag=etag)),
    }
    (message,) = violation_messages(*checks[operation])
    assert message.endswith("; DescribeKeyValueStoreData returns the etag")


@pytest.mark.parametrize("operation", KEY_RPCS)
def test_a_store_must_be_identified_by_its_arn(operation: str) -> None:
    check, make = KEY_RPCS[operation]
    assert broken_rules(check, make(kvs_arn="redirects", key="k")) == [("kvs_arn", "KEY_VALUE_STORE_ARN_FORM")]


def test_the_length_of_a_value_is_limited_in_bytes_and_the_value_is_not_shown() -> None:
    request = data.PutKeyRequest(kvs_arn=STORE_ARN, key="k", value="secret" * 200, etag="E\n")
    with pytest.raises(ValidationError) as caught:
        RULES.put_key(request)
    assert [(violation.field, violation.rule) for violation in caught.value.violations] == [
        ("value", "VALUE_LENGTH"),
        ("etag", "ETAG_CHARACTERS"),
    ]
    assert "secret" not in caught.value.violations[0].description
    assert broken_rules(RULES.put_key, data.PutKeyRequest(kvs_arn=STORE_ARN, key="k", value="v" * 1024)) == []


def test_every_change_is_checked_and_reported_by_its_index() -> None:
    changes = [
        data.KeyChange(put=data.KeyValue(key="k", value="v")),
        data.KeyChange(put=data.KeyValue(key="", value="v" * 1025)),
        data.KeyChange(delete=""),
        data.KeyChange(),
        data.KeyChange(delete=".."),
    ]
    assert broken_rules(check_update, data.UpdateKeysRequest(kvs_arn="x", changes=changes, etag="\n")) == [
        ("kvs_arn", "KEY_VALUE_STORE_ARN_FORM"),
        ("changes[1].put.key", "KEY_LENGTH"),
        ("changes[1].put.value", "VALUE_LENGTH"),
        ("changes[2].delete", "KEY_LENGTH"),
        ("changes[3]", "CHANGE_KNOWN"),
        ("etag", "ETAG_CHARACTERS"),
    ]
    assert broken_rules(check_update, data.UpdateKeysRequest(kvs_arn=STORE_ARN)) == [("changes", "CHANGES_COUNT")]


def test_a_check_of_many_changes_yields_to_the_loop_and_stops_after_1000_violations() -> None:
    checkpoints: list[float] = []
    good = data.UpdateKeysRequest(kvs_arn=STORE_ARN, changes=[data.KeyChange(delete="k")] * 10_000)
    RULES.update_keys(good, lambda: checkpoints.append(time.monotonic()))
    assert len(checkpoints) == 10
    bad = data.UpdateKeysRequest(kvs_arn=STORE_ARN, changes=[data.KeyChange()] * 100_000)
    assert len(broken_rules(check_update, bad)) == 1000


def test_a_check_of_a_large_streamed_request_yields_to_the_loop() -> None:
    checkpoints: list[int] = []
    request = data.ImportKeysRequest(kvs_arn=STORE_ARN, changes=[data.KeyChange(delete="k")] * 5_000)
    _, checked = RULES.import_keys(iter([request]), lambda: checkpoints.append(1))
    next(checked)
    assert len(checkpoints) == 5


def test_a_stream_is_checked_as_it_arrives() -> None:
    checked = checked_stream(
        data.ImportKeysRequest(kvs_arn=STORE_ARN, etag="E1", changes=[put("a"), put("b")]),
        data.ImportKeysRequest(changes=[put("c")]),
        data.ImportKeysRequest(kvs_arn=STORE_ARN, etag="E1", changes=[put("d")]),
        data.ImportKeysRequest(kvs_arn=STORE_ARN[:-1], etag="E2", changes=[put("e"), put("")]),
    )
    assert [len(next(checked).changes) for _ in range(3)] == [2, 1, 1]
    assert broken_rules(next, checked) == [
        ("changes[5].put.key", "KEY_LENGTH"),
        ("kvs_arn", "IMPORT_KEYS_SAME"),
        ("etag", "IMPORT_KEYS_SAME"),
    ]


def test_a_stream_must_start_with_its_store_and_have_changes() -> None:
    def import_keys(requests: Any) -> Any:
        return RULES.import_keys(requests, lambda: None)

    assert broken_rules(import_keys, iter([])) == [("changes", "CHANGES_COUNT")]
    assert broken_rules(import_keys, iter([data.ImportKeysRequest()])) == [("kvs_arn", "KEY_VALUE_STORE_ARN_FORM")]
    checked = checked_stream(data.ImportKeysRequest(kvs_arn=STORE_ARN))
    assert broken_rules(list, checked) == [("changes", "CHANGES_COUNT")]
