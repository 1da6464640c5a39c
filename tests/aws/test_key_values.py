"""What CloudFront does with the content of key value stores, where no document says it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aws.account import Account, until
from aws.facade import Facade, answer_of, outcome_of, tell
from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1.key_value_store_service_pb2 import (
    CreateKeyValueStoreRequest,
    CreateKeyValueStoreResponse,
    WaitForKeyValueStoreRequest,
)

KEYS = {"dots in a path": "a/../b", "a percent sign": "%2F", "a blank": " ", "wide characters": "東京"}

pytestmark = [pytest.mark.aws, pytest.mark.timeout(3600)]


def test_the_content_of_a_store(account: Account, facade: Facade, store_name: Callable[[str], str]) -> None:
    name = store_name("content")
    created = facade.create_store(CreateKeyValueStoreRequest(name=name))
    assert isinstance(created, CreateKeyValueStoreResponse), created
    arn = created.key_value_store.arn
    account.store(name)
    early: dict[str, tuple[Any, Any]] = {
        "a read of a key": (facade.key_values.GetKey, data.GetKeyRequest(kvs_arn=arn, key="k")),
        "a list of keys": (facade.key_values.ListKeys, data.ListKeysRequest(kvs_arn=arn)),
        "a write": (facade.key_values.PutKey, data.PutKeyRequest(kvs_arn=arn, key="early", value="v")),
    }
    for what, (call, request) in early.items():
        tell(f"how {what} of a new store ends", outcome_of(answer_of(call, request)))

    facade.stores.WaitForKeyValueStore(WaitForKeyValueStoreRequest(name=name), timeout=1800)
    put = data.PutKeyRequest(kvs_arn=arn, key="k", value="v")
    first = until(lambda: answer_of(facade.key_values.PutKey, put), lambda end: outcome_of(end) == "OK")

    described = facade.key_values.DescribeKeyValueStoreData(
        data.DescribeKeyValueStoreDataRequest(kvs_arn=arn), timeout=60
    )
    tell("which status word the data plane has for a READY store", described.status)
    again = facade.key_values.PutKey(put, timeout=60)
    tell("whether a put of what is there changes the version", "no" if again.etag == first.etag else "yes")
    deletion = answer_of(facade.key_values.DeleteKey, data.DeleteKeyRequest(kvs_arn=arn, key="missing"))
    tell("how the deletion of a key ends that is not there", outcome_of(deletion))
    twice = [data.KeyChange(put=data.KeyValue(key="k", value=value)) for value in ("1", "2")]
    facade.key_values.UpdateKeys(data.UpdateKeysRequest(kvs_arn=arn, changes=twice), timeout=60)
    found = facade.key_values.GetKey(data.GetKeyRequest(kvs_arn=arn, key="k"), timeout=60)
    assert found.value == "2"
    for what, key in KEYS.items():
        end = outcome_of(answer_of(facade.key_values.PutKey, data.PutKeyRequest(kvs_arn=arn, key=key, value=key)))
        tell(f"how a write of a key with {what} ends", end)
        if end == "OK":
            assert facade.key_values.GetKey(data.GetKeyRequest(kvs_arn=arn, key=key), timeout=60).value == key
