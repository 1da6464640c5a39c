"""Key writes: a backend that a test can slow down or interrupt, changes, and the number of keys."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from cloudfront_facade.v1.key_value_store_data_service_pb2 import (
    DescribeKeyValueStoreDataRequest,
    KeyChange,
    KeyValue,
)
from cloudfront_facade_server.backends.embedded import EmbeddedBackend

from .facade import Facade


class SlowKeyWrites(EmbeddedBackend):
    """The embedded backend, with a delay before each batch of keys.

    Attributes:
        seconds: The delay.
        before_batch: Called before each batch, with the number of batches before it.
        after_batch: Called after each batch is applied, with the number of batches so far.
        batches: Number of batches applied.
        described: Number of reads of a store's etag.
        puts: Number of PutKey calls.
    """

    def __init__(self) -> None:
        super().__init__(path=":memory:", s3_dir=None)
        self.seconds = 0.0
        self.before_batch: Callable[[int], object] = lambda _: None
        self.after_batch: Callable[[int], None] = lambda _: None
        self.batches = 0
        self.described = 0
        self.puts = 0

    def put_key(self, **arguments: Any) -> Any:
        self.puts += 1
        return super().put_key(**arguments)

    def update_keys(self, **arguments: Any) -> Any:
        time.sleep(self.seconds)
        self.before_batch(self.batches)
        self.batches += 1
        response = super().update_keys(**arguments)
        self.after_batch(self.batches)
        return response

    def describe_key_value_store_data(self, **arguments: Any) -> Any:
        self.described += 1
        return super().describe_key_value_store_data(**arguments)


def puts(count: int, value: str = "v", start: int = 0) -> list[KeyChange]:
    """Returns changes that put the keys k0, k1 and so on."""
    return [KeyChange(put=KeyValue(key=f"k{number}", value=value)) for number in range(start, start + count)]


def item_count(facade: Facade, arn: str) -> int:
    """Returns the number of keys of a store."""
    return facade.key_values.DescribeKeyValueStoreData(DescribeKeyValueStoreDataRequest(kvs_arn=arn)).item_count
