"""A server process on a file of the embedded backend, whose file a test breaks."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import grpc

from cloudfront_facade.v1 import (
    function_service_pb2,
    key_value_store_data_service_pb2,
    key_value_store_service_pb2,
    tag_pb2,
    tag_service_pb2,
)
from support.facade import REQUEST_ID, Facade, Failure, function
from support.process import FacadeProcess

OTHER_PATH = "set --embedded-db or CLOUDFRONT_FACADE_EMBEDDED_DB to another path"
"""The end of a log line about a file that cannot be used."""


class Server:
    """A server on a file, with a function and a store that has one key."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.process = FacadeProcess("--backend", "embedded", "--embedded-db", str(path), "--drain-delay", "0")

    def __enter__(self) -> Server:
        with ExitStack() as opened:
            opened.enter_context(self.process)
            self.channel = opened.enter_context(grpc.insecure_channel(self.process.address))
            self.facade = Facade.over(self.process.address, self.channel)
            tags = [tag_pb2.Tag(key="a", value="b")]
            self.function = self.facade.functions.CreateFunction(function("kept", tags=tags))
            created = self.facade.stores.CreateKeyValueStore(
                key_value_store_service_pb2.CreateKeyValueStoreRequest(name="kept")
            )
            self.store, self.store_etag = created.key_value_store.arn, created.etag
            self.put("kept")
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.close()

    def put(self, key: str) -> Any:
        return self.facade.key_values.PutKey(
            key_value_store_data_service_pb2.PutKeyRequest(kvs_arn=self.store, key=key, value="v"),
            timeout=10,
        )

    def health(self) -> bytes:
        """Returns the response of a health check in bytes."""
        check: Any = self.channel.unary_unary("/grpc.health.v1.Health/Check")
        response: bytes = check(b"", timeout=5)
        return response

    def changes(self) -> dict[str, Callable[[], Any]]:
        """Returns one change of each kind."""
        data, facade = key_value_store_data_service_pb2, self.facade
        tags = [tag_pb2.Tag(key="new", value="v")]
        function_arn = self.function.function_summary.function_metadata.function_arn
        return {
            "create": lambda: facade.functions.CreateFunction(function("new"), timeout=10),
            "create with a request_id": lambda: facade.functions.CreateFunction(
                function("new", request_id=REQUEST_ID), timeout=10
            ),
            "publish": lambda: facade.functions.PublishFunction(
                function_service_pb2.PublishFunctionRequest(name="kept", etag=self.function.etag), timeout=10
            ),
            "delete": lambda: facade.stores.DeleteKeyValueStore(
                key_value_store_service_pb2.DeleteKeyValueStoreRequest(name="kept", etag=self.store_etag), timeout=10
            ),
            "put": lambda: self.put("new"),
            "batch": lambda: facade.key_values.UpdateKeys(
                data.UpdateKeysRequest(
                    kvs_arn=self.store,
                    changes=[data.KeyChange(put=data.KeyValue(key=f"n{number}", value="v")) for number in range(9)],
                ),
                timeout=10,
            ),
            "import": lambda: facade.key_values.ImportKeys(
                iter(
                    [
                        data.ImportKeysRequest(
                            kvs_arn=self.store, changes=[data.KeyChange(put=data.KeyValue(key="new", value="v"))]
                        )
                    ]
                ),
                timeout=10,
            ),
            "tag": lambda: facade.tags.TagResource(
                tag_service_pb2.TagResourceRequest(resource=function_arn, tags=tags),
                timeout=10,
            ),
        }

    def check_unchanged(self) -> None:
        """Checks that everything that was answered OK still exists, and nothing else."""
        with closing(sqlite3.connect(self.path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert connection.execute("SELECT key FROM key_values").fetchall() == [("kept",)]
            assert connection.execute("SELECT name, stage FROM function_stages").fetchall() == [("kept", "DEVELOPMENT")]
            assert connection.execute("SELECT key FROM tags").fetchall() == [("a",)]
            assert connection.execute("SELECT name FROM key_value_stores").fetchall() == [("kept",)]


def check_failure(failure: Failure, name: str) -> None:
    assert failure.code is grpc.StatusCode.UNAVAILABLE, (name, failure)
    assert (failure.reason, failure.outcome) == ("UPSTREAM_UNAVAILABLE", "not_applied"), (name, failure)
    assert failure.retry_after, (name, failure)
    assert failure.message == "the embedded backend cannot use its file; the server's log has the cause", name
