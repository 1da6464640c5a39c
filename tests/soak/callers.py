"""What the callers of a soak do."""

from __future__ import annotations

import copy
import random
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest, DescribeFunctionRequest, FunctionStage
from cloudfront_facade.v1.key_value_store_data_service_pb2 import (
    DeleteKeyRequest,
    KeyChange,
    KeyValue,
    PutKeyRequest,
    UpdateKeysRequest,
)
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from cloudfront_facade.v1.tag_pb2 import Tag
from soak.faults import LONGEST_DELAY
from soak.history import Asked, History
from soak.owned import Owned
from soak.replicas import Replicas
from soak.upstream import LAG
from support.facade import function

REPEATS: Final = 3
"""How often a request is repeated while faults happen; the others are repeated when they have ended."""

SETTLED: Final = LONGEST_DELAY + LAG + 1.5
"""Seconds after which no request that was sent before can still be applied, and reads show what was."""

_GONE: Final = frozenset({"OK", "NOT_FOUND"})
"""The statuses that resolve a deletion."""


class Caller:
    """A caller that chooses its requests by a seed.

    Nobody else changes the resources that it has created, or its few keys of the store that all share. Half of the
    callers use the Python client, the others use plain stubs.
    """

    def __init__(self, number: int, seed: str, replicas: Replicas, history: History, store: str) -> None:
        self._number, self._replicas, self._history, self._store = number, replicas, history, store
        self._by_client = number % 2 == 1
        self._random = random.Random(f"{seed}/caller {number}")  # noqa: S311 (reproducible)
        self._made = 0
        self._owned: list[Owned] = []
        self._busy: set[str] = set()
        """Keys whose last write is not resolved."""

    def run(self, stopping: threading.Event) -> None:
        """Makes requests until the event is set."""
        actions = (self._create, self._create_twice, self._contest, self._change, self._delete, self._write, self._read)
        while not stopping.is_set():
            self._random.choices(actions, weights=(4, 1, 1, 12, 2, 5, 3))[0]()

    def _create(self) -> None:
        create = Asked(self._new_create(with_id=self._by_client or self._random.random() < 0.7))
        self._ask(create)
        if create.response is not None:
            self._owned.append(Owned(create.request.name, create.response))

    def _create_twice(self) -> None:
        """Sends one create to two replicas at the same time, as after a retry of a load balancer."""
        request = self._new_create(with_id=True)
        self._race([Asked(request), Asked(request)])

    def _contest(self) -> None:
        """Creates the same name with two request ids at the same time; one of them must win."""
        request = self._new_create(with_id=True)
        another = copy.deepcopy(request)
        another.request_id = self._new_id()
        ends = frozenset({"OK", "ALREADY_EXISTS"})
        self._race([Asked(each, contested=True, resolving=ends) for each in (request, another)])

    def _race(self, creates: list[Asked]) -> None:
        self._history.requests.extend(creates)
        with ThreadPoolExecutor(2) as pool:
            for replica, create in zip(self._replicas.two(self._random), creates, strict=True):
                pool.submit(create.send, replica, by_client=self._by_client)
        for create in creates:
            self._repeat(create)

    def _change(self) -> None:
        """Updates, publishes, tags or untags a resource."""
        if owned := self._settled():
            asked = Asked(owned.new_change(self._random, self._new_text()))
            self._ask(asked)
            if len(asked.answers) > 1:
                owned.touched = time.monotonic()
            if asked.is_resolved:
                owned.learn(asked.response)
            if not asked.is_resolved or not owned.etag:
                self._owned.remove(owned)

    def _delete(self) -> None:
        if owned := self._settled():
            self._owned.remove(owned)
            self._ask(Asked(owned.new_deletion(), resolving=_GONE))

    def _read(self) -> None:
        owned = self._settled()
        if owned and owned.is_function:
            request = DescribeFunctionRequest(name=owned.name, stage=FunctionStage.FUNCTION_STAGE_DEVELOPMENT)
            read = Asked(request)
            self._send(read)
            if read.last.status == "NOT_FOUND":
                self._history.false_absences.append(owned.name)

    def _settled(self) -> Owned | None:
        """Returns a resource, but only if no request for it can be on its way any more."""
        settled = [owned for owned in self._owned if time.monotonic() - owned.touched > SETTLED]
        return self._random.choice(settled) if settled else None

    def _write(self) -> None:
        """Changes some of its keys of the shared store."""
        keys = self._random.sample([f"{self._number}/{number}" for number in range(5)], 3)
        write, changed = self._new_write(keys)
        if self._busy.isdisjoint(changed):
            self._ask(write)
            if not write.is_resolved:
                self._busy.update(changed)

    def _new_write(self, keys: list[str]) -> tuple[Asked, list[str]]:
        """Returns a write of one or all of these keys, and the keys that it changes."""
        value = self._new_text()
        match self._random.choice(("PutKey", "DeleteKey", "UpdateKeys")):
            case "PutKey":
                return Asked(PutKeyRequest(kvs_arn=self._store, key=keys[0], value=value)), keys[:1]
            case "DeleteKey":
                return Asked(DeleteKeyRequest(kvs_arn=self._store, key=keys[0]), resolving=_GONE), keys[:1]
        puts = [KeyChange(put=KeyValue(key=key, value=value)) for key in keys[:2]]
        return Asked(UpdateKeysRequest(kvs_arn=self._store, changes=[*puts, KeyChange(delete=keys[2])])), keys

    def _ask(self, asked: Asked) -> None:
        self._history.requests.append(asked)
        self._send(asked)
        self._repeat(asked)

    def _repeat(self, asked: Asked) -> None:
        for _ in range(REPEATS):
            if asked.is_resolved or not asked.may_repeat:
                return
            time.sleep(self._random.uniform(0.05, 0.4))
            self._send(asked)

    def _send(self, asked: Asked) -> None:
        """Sends a request to a replica; sometimes with little time, so that the deadline ends it."""
        timeout = self._random.uniform(0.7, 3.0) if self._random.random() < 0.3 else 15.0
        asked.send(self._replicas.any(self._random), by_client=self._by_client, timeout=timeout)

    def _new_create(self, *, with_id: bool) -> Any:
        name, identity = self._new_text(), self._new_id() if with_id else ""
        tags = [Tag(key="team", value=f"t{self._random.randrange(100)}"), Tag(key="empty", value="")]
        if self._random.random() < 0.7:
            code = f"function handler(event) {{ return '{name}'; }}".encode()
            request: Any = function(name, function_code=code, tags=tags, request_id=identity)
            assert isinstance(request, CreateFunctionRequest)
            return request
        return CreateKeyValueStoreRequest(name=name, comment=name, tags=tags, request_id=identity)

    def _new_text(self) -> str:
        """Returns a text that no other request has."""
        self._made += 1
        return f"c{self._number}-{self._made}"

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))
