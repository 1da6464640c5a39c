"""Runs a blocking backend in threads, so that it does not block the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from ..concurrency.greenlets import await_
from .protocol import Backend


class ThreadPoolBackend:
    """Runs the methods of a blocking backend in a thread pool.

    TestFunction is slow, so it has a separate pool. If that is full, calls wait for their turn.

    Args:
        backend: A blocking backend.
        threads: Maximum number of concurrent calls.
        runs: Maximum number of concurrent TestFunction calls.
    """

    def __init__(self, backend: Backend, threads: int, runs: int = 4) -> None:
        self._backend = backend
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="backend")
        self._runners = ThreadPoolExecutor(runs, thread_name_prefix="runner")
        self.name = backend.name

    def create_function(self, **arguments: Any) -> Any:
        """Calls CreateFunction."""
        return self._call(self._backend.create_function, arguments)

    def describe_function(self, **arguments: Any) -> Any:
        """Calls DescribeFunction."""
        return self._call(self._backend.describe_function, arguments)

    def get_function(self, **arguments: Any) -> Any:
        """Calls GetFunction."""
        return self._call(self._backend.get_function, arguments)

    def update_function(self, **arguments: Any) -> Any:
        """Calls UpdateFunction."""
        return self._call(self._backend.update_function, arguments)

    def publish_function(self, **arguments: Any) -> Any:
        """Calls PublishFunction."""
        return self._call(self._backend.publish_function, arguments)

    def test_function(self, **arguments: Any) -> Any:
        """Calls TestFunction."""
        return _run(self._runners, self._backend.test_function, arguments)

    def delete_function(self, **arguments: Any) -> Any:
        """Calls DeleteFunction."""
        return self._call(self._backend.delete_function, arguments)

    def list_functions(self, **arguments: Any) -> Any:
        """Calls ListFunctions."""
        return self._call(self._backend.list_functions, arguments)

    def list_distributions(self, **arguments: Any) -> Any:
        """Calls ListDistributions."""
        return self._call(self._backend.list_distributions, arguments)

    def create_key_value_store(self, **arguments: Any) -> Any:
        """Calls CreateKeyValueStore."""
        return self._call(self._backend.create_key_value_store, arguments)

    def describe_key_value_store(self, **arguments: Any) -> Any:
        """Calls DescribeKeyValueStore."""
        return self._call(self._backend.describe_key_value_store, arguments)

    def update_key_value_store(self, **arguments: Any) -> Any:
        """Calls UpdateKeyValueStore."""
        return self._call(self._backend.update_key_value_store, arguments)

    def delete_key_value_store(self, **arguments: Any) -> Any:
        """Calls DeleteKeyValueStore."""
        return self._call(self._backend.delete_key_value_store, arguments)

    def list_key_value_stores(self, **arguments: Any) -> Any:
        """Calls ListKeyValueStores."""
        return self._call(self._backend.list_key_value_stores, arguments)

    def describe_key_value_store_data(self, **arguments: Any) -> Any:
        """Calls the data plane's DescribeKeyValueStore."""
        return self._call(self._backend.describe_key_value_store_data, arguments)

    def get_key(self, **arguments: Any) -> Any:
        """Calls GetKey."""
        return self._call(self._backend.get_key, arguments)

    def put_key(self, **arguments: Any) -> Any:
        """Calls PutKey."""
        return self._call(self._backend.put_key, arguments)

    def delete_key(self, **arguments: Any) -> Any:
        """Calls DeleteKey."""
        return self._call(self._backend.delete_key, arguments)

    def list_keys(self, **arguments: Any) -> Any:
        """Calls ListKeys."""
        return self._call(self._backend.list_keys, arguments)

    def update_keys(self, **arguments: Any) -> Any:
        """Calls UpdateKeys."""
        return self._call(self._backend.update_keys, arguments)

    def tag_resource(self, **arguments: Any) -> Any:
        """Calls TagResource."""
        return self._call(self._backend.tag_resource, arguments)

    def untag_resource(self, **arguments: Any) -> Any:
        """Calls UntagResource."""
        return self._call(self._backend.untag_resource, arguments)

    def list_tags_for_resource(self, **arguments: Any) -> Any:
        """Calls ListTagsForResource."""
        return self._call(self._backend.list_tags_for_resource, arguments)

    def close(self) -> None:
        """Closes the backend after the calls in flight."""
        self._threads.shutdown()
        self._runners.shutdown()
        self._backend.close()

    def _call(self, method: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
        return _run(self._threads, method, arguments)


def _run(threads: ThreadPoolExecutor, method: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    return await_(asyncio.get_running_loop().run_in_executor(threads, partial(method, **arguments)))
