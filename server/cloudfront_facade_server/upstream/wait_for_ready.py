"""Waits until a store is READY: single-flight, with one poll per store for all rpcs that wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from ..backends.protocol import Arguments, Response
from ..backends.timeouts import short_timeouts
from ..call_context import CallContext
from ..concurrency.backoff import exponential_backoff
from ..concurrency.greenlets import await_, greenlet_spawn
from ..errors.operation_target import OperationTarget
from ..errors.status_error import StatusError
from .client import UpstreamClient
from .diagnostics.store_status import READY, import_failed
from .required_member import RequiredMember
from .resource_kinds import KEY_VALUE_STORE

_FIRST_DELAY: Final = 0.25
_LONGEST_DELAY: Final = 5.0

_ARN: Final = RequiredMember(("KeyValueStore", "ARN"))


@dataclass
class _SharedPoll:
    """The poll of one store.

    Attributes:
        task: Polls until the store is READY or cannot become READY.
        waiters: How many rpcs wait for it.
    """

    task: asyncio.Task[Response]
    waiters: int = 0


class ReadyWaiter:
    """Waits for stores.

    Args:
        client: The upstream client.
    """

    def __init__(self, client: UpstreamClient) -> None:
        self._client = client
        self._polls: dict[str, _SharedPoll] = {}

    def wait(self, arguments: Arguments, _call: CallContext) -> Response:
        """Returns the description of the store once it is READY.

        Raises:
            StatusError: The store does not exist, its import failed, or reads of it fail permanently.
        """
        name = arguments["Name"]
        poll = self._polls.get(name)
        if poll is None:
            task = asyncio.get_running_loop().create_task(greenlet_spawn(self._poll, arguments))
            poll = self._polls[name] = _SharedPoll(task)
            task.add_done_callback(partial(self._on_done, name, poll))
        poll.waiters += 1
        try:
            return await_(asyncio.shield(poll.task))
        finally:
            poll.waiters -= 1
            if not poll.waiters:
                self._forget(name, poll)
                poll.task.cancel()

    def _on_done(self, name: str, poll: _SharedPoll, _task: asyncio.Task[Response]) -> None:
        self._forget(name, poll)

    def _forget(self, name: str, poll: _SharedPoll) -> None:
        """Forgets a poll, so that the next rpc that waits for this store starts a new one."""
        if self._polls.get(name) is poll:
            del self._polls[name]

    def _poll(self, arguments: Arguments) -> Response:
        target = KEY_VALUE_STORE.target(arguments)
        call = CallContext("WaitForKeyValueStore", "", float("inf"))
        for delay in exponential_backoff(_FIRST_DELAY, _LONGEST_DELAY):
            try:
                with short_timeouts():
                    described = self._client.read(call, self._client.backend.describe_key_value_store, target, _ARN)
            except StatusError as error:
                if error.retry_after is None:
                    raise
            else:
                if described["KeyValueStore"].get("Status") == READY:
                    return described
                self._raise_if_import_failed(call, described["KeyValueStore"], target)
            self._client.timeouts.sleep(delay)
        raise AssertionError("backoff never ends")

    def _raise_if_import_failed(self, call: CallContext, store: Mapping[str, Any], target: OperationTarget) -> None:
        """Raises StatusError if the import of a store failed, which only the data plane reports."""
        describe = self._client.backend.describe_key_value_store_data
        data = self._client.probe_if_time(call, lambda: describe(KvsARN=store["ARN"]))
        if error := import_failed(target.name, data or {}, {}, {"name": target.name}):
            raise error
