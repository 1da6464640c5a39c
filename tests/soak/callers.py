"""What the callers of a soak do."""

from __future__ import annotations

import copy
import random
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from cloudfront_facade.v1.function_service_pb2 import DeleteFunctionRequest, DescribeFunctionRequest, FunctionStage
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
from soak.history import Asked, Create, CreateRequest, Delete, History, Write, ask
from soak.replicas import Replicas
from soak.upstream import LAG
from support.facade import Facade, function

REPEATS: Final = 3
"""How often a request is repeated while faults happen; the others are repeated when they have ended."""

SETTLED: Final = LONGEST_DELAY + LAG + 1.5
"""Seconds after which no request that was sent before can still be applied, and reads show what was."""


class Caller:
    """A caller that chooses its requests by a seed, and owns a few keys of the store that all share."""

    def __init__(self, number: int, seed: str, replicas: Replicas, history: History, store: str) -> None:
        self._number, self._replicas, self._history, self._store = number, replicas, history, store
        self._random = random.Random(f"{seed}/caller {number}")  # noqa: S311 (reproducible)
        self._made = 0
        self._created: list[Create] = []
        self._busy: set[str] = set()
        """Keys whose last write is not resolved."""

    def run(self, stopping: threading.Event) -> None:
        """Makes requests until the event is set."""
        actions = (self._create, self._create_twice, self._contest, self._delete, self._write, self._read)
        while not stopping.is_set():
            self._random.choices(actions, weights=(4, 1, 1, 2, 5, 3))[0]()

    def _create(self) -> None:
        create = Create(self._request(self._name(), with_id=self._random.random() < 0.85))
        self._history.creates.append(create)
        self._repeat(create)
        if create.last.status == "OK" and create.operation == "CreateFunction":
            self._created.append(create)

    def _create_twice(self) -> None:
        """Sends one create to two replicas at the same time, as after a retry of a load balancer."""
        request = self._request(self._name(), with_id=True)
        self._race([Create(request), Create(request)])

    def _contest(self) -> None:
        """Creates the same name with two request ids at the same time; one of them must win."""
        request = self._request(self._name(), with_id=True)
        another = copy.deepcopy(request)
        another.request_id = self._new_id()
        ends = frozenset({"OK", "ALREADY_EXISTS"})
        self._race([Create(each, contested=True, resolving=ends) for each in (request, another)])

    def _race(self, creates: list[Create]) -> None:
        self._history.creates.extend(creates)
        with ThreadPoolExecutor(2) as pool:
            for facade, create in zip(self._replicas.two(self._random), creates, strict=True):
                pool.submit(send_create, facade, create)
        for create in creates:
            self._repeat(create)

    def _delete(self) -> None:
        """Deletes a function, but only when no request for it can be on its way any more."""
        old = [create for create in self._created if time.monotonic() - create.at > SETTLED]
        if not old:
            return
        create = self._random.choice(old)
        self._created.remove(create)
        delete = Delete(create.request.name, create.etag, resolving=frozenset({"OK", "NOT_FOUND"}))
        self._history.deletes.append(delete)
        self._repeat(delete)

    def _read(self) -> None:
        old = [create for create in self._created if time.monotonic() - create.at > SETTLED]
        if old:
            name = self._random.choice(old).request.name
            request = DescribeFunctionRequest(name=name, stage=FunctionStage.FUNCTION_STAGE_DEVELOPMENT)
            answer, _ = ask(self._replicas.any(self._random).functions.DescribeFunction, request)
            if answer.status == "NOT_FOUND":
                self._history.false_absences.append(name)

    def _write(self) -> None:
        write = self._new_write()
        if self._busy.isdisjoint(write.values):
            self._history.writes.append(write)
            self._repeat(write)
            if not write.is_resolved:
                self._busy.update(write.values)

    def _new_write(self) -> Write:
        keys = self._random.sample([f"{self._number}/{number}" for number in range(5)], 3)
        value = str(self._random.randrange(10**6))
        kind = self._random.choice(("PutKey", "DeleteKey", "UpdateKeys"))
        if kind == "PutKey":
            return Write({keys[0]: value}, kind, PutKeyRequest(kvs_arn=self._store, key=keys[0], value=value))
        if kind == "DeleteKey":
            request = DeleteKeyRequest(kvs_arn=self._store, key=keys[0])
            return Write({keys[0]: None}, kind, request, resolving=frozenset({"OK", "NOT_FOUND"}))
        puts = [KeyChange(put=KeyValue(key=key, value=value)) for key in keys[:2]]
        changes = UpdateKeysRequest(kvs_arn=self._store, changes=[*puts, KeyChange(delete=keys[2])])
        return Write({keys[0]: value, keys[1]: value, keys[2]: None}, kind, changes)

    def _repeat(self, asked: Asked) -> None:
        for _ in range(1 + REPEATS):
            if asked.is_resolved or not may_repeat(asked):
                return
            send(self._replicas.any(self._random), asked)
            time.sleep(0 if asked.is_resolved else self._random.uniform(0.05, 0.4))

    def _name(self) -> str:
        self._made += 1
        return f"c{self._number}-{self._made}"

    def _request(self, name: str, *, with_id: bool) -> CreateRequest:
        identity = self._new_id() if with_id else ""
        tags = [Tag(key="team", value=f"t{self._random.randrange(100)}"), Tag(key="empty", value="")]
        if self._random.random() < 0.7:
            code = f"function handler(event) {{ return {self._random.randrange(10**6)}; }}".encode()
            return function(name, function_code=code, tags=tags, request_id=identity)
        return CreateKeyValueStoreRequest(name=name, comment=tags[0].value, tags=tags, request_id=identity)

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))


def may_repeat(asked: Asked) -> bool:
    """Returns whether a repeat is safe: a create without a request_id is asked for once."""
    return not asked.answers or not isinstance(asked, Create) or bool(asked.request.request_id)


def send(facade: Facade, asked: Asked) -> None:
    """Sends a request once, and records the answer."""
    if isinstance(asked, Create):
        send_create(facade, asked)
    elif isinstance(asked, Delete):
        answer, _ = ask(facade.functions.DeleteFunction, DeleteFunctionRequest(name=asked.name, etag=asked.etag))
        asked.answers.append(answer)
    elif isinstance(asked, Write):
        answer, _ = ask(getattr(facade.key_values, asked.method), asked.request)
        asked.answers.append(answer)


def send_create(facade: Facade, create: Create) -> None:
    """Sends a create once, and records the answer."""
    services = facade.functions if create.operation == "CreateFunction" else facade.stores
    answer, response = ask(getattr(services, create.operation), create.request)
    create.answers.append(answer)
    create.at = time.monotonic()
    if response is not None:
        create.etag = response.etag
