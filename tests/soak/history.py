"""What callers asked for, and how it was answered."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import grpc

from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from support.facade import failure_of

CreateRequest = CreateFunctionRequest | CreateKeyValueStoreRequest


@dataclass(frozen=True)
class Answer:
    """An answer to one attempt: the status, and the outcome and the reason if the server named them."""

    status: str
    outcome: str = ""
    reason: str = ""


def ask(call: Callable[..., Any], *arguments: Any, timeout: float = 15.0) -> tuple[Answer, Any]:
    """Makes a call; returns its answer, and the response if it succeeded."""
    try:
        return Answer("OK"), call(*arguments, timeout=timeout)
    except grpc.RpcError as error:
        failure = failure_of(error)
        return Answer(failure.code.name, failure.metadata.get("outcome", ""), failure.reason), None


@dataclass
class Asked:
    """One request, which its caller repeats until it is resolved.

    Attributes:
        answers: The answers to the first attempt and to the repeats.
        resolving: The statuses that resolve it.
    """

    answers: list[Answer] = field(default_factory=list, kw_only=True)
    resolving: frozenset[str] = field(default=frozenset({"OK"}), kw_only=True)

    @property
    def last(self) -> Answer:
        """The last answer."""
        return self.answers[-1] if self.answers else Answer("NONE")

    @property
    def is_resolved(self) -> bool:
        """Whether the last answer resolves the request."""
        return self.last.status in self.resolving


@dataclass
class Create(Asked):
    """A create.

    Attributes:
        request: The request.
        contested: Whether others create the same name with other request ids.
        at: When it was resolved (monotonic).
        etag: The etag of the new resource.
    """

    request: CreateRequest
    contested: bool = False
    at: float = field(default_factory=time.monotonic)
    etag: str = ""

    @property
    def operation(self) -> str:
        """The name of the operation."""
        return "CreateFunction" if isinstance(self.request, CreateFunctionRequest) else "CreateKeyValueStore"


@dataclass
class Delete(Asked):
    """A delete of a function that was created before."""

    name: str
    etag: str


@dataclass
class Write(Asked):
    """A write of keys; `values` has what each key must have afterwards, None if it must be absent."""

    values: dict[str, str | None]
    method: str
    request: Any


@dataclass
class History:
    """The requests of all callers. Appending to a list is atomic."""

    creates: list[Create] = field(default_factory=list)
    deletes: list[Delete] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    false_absences: list[str] = field(default_factory=list)
    """Names of resources that were created and, long after, answered as NOT_FOUND."""

    @property
    def all(self) -> list[Asked]:
        """Every request."""
        return [*self.creates, *self.deletes, *self.writes]

    def counts(self) -> Counter[str]:
        """Returns how often each status was answered."""
        return Counter(f"{answer.status} {answer.reason}".strip() for asked in self.all for answer in asked.answers)
