"""Waiting for a store to be READY: in the event loop, with one poll for a store however many wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import grpc

from ..backends.protocol import Response
from ..call_context import CallContext
from ..concurrency.backoff import exponential_backoff
from ..concurrency.greenlets import await_, greenlet_spawn
from ..errors.redaction import redacted
from ..errors.status_error import CLOUDFRONT_DOMAIN, StatusError
from ..errors.translate import OperationTarget, precondition
from .client import UpstreamClient
from .diagnostics.store_status import READY
from .key_value_stores import KIND

_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 5.0


@dataclass
class _Watch:
    """One store that is waited for.

    Attributes:
        task: polls until the store is READY, or will never be.
        waiting: how many rpcs wait for it.
    """

    task: asyncio.Task[Response]
    waiting: int = 0


class ReadyWaiter:
    """The stores that are waited for."""

    def __init__(self, upstream: UpstreamClient) -> None:
        self._upstream = upstream
        self._watches: dict[str, _Watch] = {}

    def wait(self, arguments: Mapping[str, Any], _call: CallContext) -> Response:
        """WaitForKeyValueStore: gives the description of the store once it is READY.

        Raises:
            StatusError: there is no such store, its import failed, or it cannot be read, and not only for now.
        """
        name = arguments["Name"]
        watch = self._watches.get(name)
        if watch is None:
            task = asyncio.get_running_loop().create_task(greenlet_spawn(self._poll, arguments))
            watch = self._watches[name] = _Watch(task)
            task.add_done_callback(partial(self._end, name, watch))
        watch.waiting += 1
        try:
            return await_(asyncio.shield(watch.task))
        finally:
            watch.waiting -= 1
            if not watch.waiting:
                self._forget(name, watch)
                watch.task.cancel()

    def _end(self, name: str, watch: _Watch, _task: asyncio.Task[Response]) -> None:
        self._forget(name, watch)

    def _forget(self, name: str, watch: _Watch) -> None:
        """Has the next that waits for this store begin anew."""
        if self._watches.get(name) is watch:
            del self._watches[name]

    def _poll(self, arguments: Mapping[str, Any]) -> Response:
        subject = OperationTarget(KIND, arguments["Name"], arguments)
        call = CallContext("WaitForKeyValueStore", "", float("inf"))
        for pause in exponential_backoff(_FIRST_PAUSE, _LONGEST_PAUSE):
            try:
                described = self._upstream.read(
                    call, self._upstream.reader.describe_key_value_store, subject, "KeyValueStore", "ARN"
                )
            except StatusError as error:
                if error.retry_after is None:
                    raise
            else:
                if described["KeyValueStore"].get("Status") == READY:
                    return described
                self._raise_if_import_failed(call, described["KeyValueStore"], subject)
            self._upstream.timing.sleep(pause)
        raise AssertionError("pauses never end")

    def _raise_if_import_failed(self, call: CallContext, store: Mapping[str, Any], subject: OperationTarget) -> None:
        """Raises StatusError where the import of a store failed: only the data plane tells."""
        reader = self._upstream.reader
        data = self._upstream.probe_if_time(call, lambda: reader.describe_key_value_store_data(KvsARN=store["ARN"]))
        reason = redacted((data or {}).get("FailureReason", ""), {})
        if not reason:
            return
        message = f"the {KIND} {subject.name!a} will not be {READY}, for its import failed: {reason}"
        raise StatusError(
            grpc.StatusCode.FAILED_PRECONDITION,
            "KEY_VALUE_STORE_FAILED",
            message[:400],
            domain=CLOUDFRONT_DOMAIN,
            metadata={"name": subject.name, "failure_reason": reason[:200]},
            details=[precondition("KEY_VALUE_STORE_FAILED", subject.name, message[:400])],
        )
