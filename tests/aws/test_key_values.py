"""How CloudFront treats keys and values in cases that its documentation leaves open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aws.account import Account, poll_until
from aws.facade import Facade, answer_of, outcome_of, report
from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1.key_value_store_service_pb2 import (
    CreateKeyValueStoreRequest,
    CreateKeyValueStoreResponse,
    WaitForKeyValueStoreRequest,
)

KEYS = {"dots in a path": "a/../b", "a percent sign": "%2F", "a space": " ", "wide characters": "東京"}

pytestmark = [pytest.mark.aws, pytest.mark.timeout(3600)]


def test_how_keys_are_read_and_written(account: Account, facade: Facade, store_name: Callable[[str], str]) -> None:
    name = store_name("content")
    created = facade.create_store(CreateKeyValueStoreRequest(name=name))
    assert isinstance(created, CreateKeyValueStoreResponse), created
    arn = created.key_value_store.arn
    account.store(name)
    early: dict[str, tuple[Any, Any]] = {
        "a read of a key": (facade.key_values.GetKey, data.GetKeyRequest(kvs_arn=arn, key="k")),
        "a list of keys": (facade.key_values.ListKeys, data.ListKeysRequest(kvs_arn=arn)),
        "a write of a key": (facade.key_values.PutKey, data.PutKeyRequest(kvs_arn=arn, key="early", value="v")),
    }
    for description, (call, request) in early.items():
        report(f"what {description} of a new store returns", outcome_of(answer_of(call, request)))

    facade.stores.WaitForKeyValueStore(WaitForKeyValueStoreRequest(name=name), timeout=1800)
    put = data.PutKeyRequest(kvs_arn=arn, key="k", value="v")
    first = poll_until(lambda: answer_of(facade.key_values.PutKey, put), lambda end: outcome_of(end) == "OK")

    described = facade.key_values.DescribeKeyValueStoreData(
        data.DescribeKeyValueStoreDataRequest(kvs_arn=arn), timeout=60
    )
    report("which status a READY store has on the data plane", described.status)
    again = facade.key_values.PutKey(put, timeout=60)
    report("whether a put of the same value changes the etag", "no" if again.etag == first.etag else "yes")
    deletion = answer_of(facade.key_values.DeleteKey, data.DeleteKeyRequest(kvs_arn=arn, key="missing"))
    report("what the deletion of a missing key returns", outcome_of(deletion))
    twice = [data.KeyChange(put=data.KeyValue(key="k", value=value)) for value in ("1", "2")]
    facade.key_values.UpdateKeys(data.UpdateKeysRequest(kvs_arn=arn, changes=twice), timeout=60)
    read = facade.key_values.GetKey(data.GetKeyRequest(kvs_arn=arn, key="k"), timeout=60)
    assert read.value == "2"
    for description, key in KEYS.items():
        end = outcome_of(answer_of(facade.key_values.PutKey, data.PutKeyRequest(kvs_arn=arn, key=key, value=key)))
        report(f"what a write of a key with {description} returns", end)
        if end == "OK":
            assert facade.key_values.GetKey(data.GetKeyRequest(kvs_arn=arn, key=key), timeout=60).value == key
