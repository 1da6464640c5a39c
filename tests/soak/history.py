"""What callers asked for, and how each send was answered."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc

from cloudfront_facade import FacadeError
from soak.effects import CREATES, Effect, effects_of_request, operation_of
from soak.replicas import Replica
from support.facade import failure_of


@dataclass(frozen=True)
class Answer:
    """The answer to one send of a request.

    Attributes:
        status: The status.
        outcome: The outcome that the error names; empty if it names none.
        reason: The reason that the error names; empty if it names none.
        replica: The name of the replica that the request was sent to.
        sent: The time of the send (monotonic).
        arrived: The time at which the answer arrived (monotonic).
    """

    status: str
    outcome: str = ""
    reason: str = ""
    replica: str = ""
    sent: float = 0.0
    arrived: float = 0.0


@dataclass
class Asked:
    """One request, which its caller sends again until it is resolved.

    Attributes:
        request: The message.
        resolving: The statuses that resolve it.
        contested: Whether others create the same name with other request ids.
        answers: The answers to its sends, in order.
        response: The response, when it is resolved with OK.
    """

    request: Any
    resolving: frozenset[str] = field(default=frozenset({"OK"}), kw_only=True)
    contested: bool = field(default=False, kw_only=True)
    answers: list[Answer] = field(default_factory=list, kw_only=True)
    response: Any = field(default=None, kw_only=True, repr=False)

    @property
    def operation(self) -> str:
        """The operation that the request is for."""
        return operation_of(self.request)

    @property
    def effects(self) -> frozenset[Effect]:
        """What the request changes."""
        return effects_of_request(self.request)

    @property
    def resource(self) -> str:
        """The name or the ARN of the resource that the request changes; the store's for keys."""
        for name in ("name", "resource", "kvs_arn"):
            if value := getattr(self.request, name, ""):
                return str(value)
        return ""

    @property
    def last(self) -> Answer:
        """The last answer."""
        return self.answers[-1] if self.answers else Answer("NONE")

    @property
    def is_resolved(self) -> bool:
        """Whether the last answer resolves the request."""
        return self.last.status in self.resolving

    @property
    def may_repeat(self) -> bool:
        """Whether a repeat is safe. A create without a request_id is sent once."""
        return self.operation not in CREATES or bool(self.request.request_id)

    def send(self, replica: Replica, *, by_client: bool, timeout: float = 15.0) -> None:
        """Sends the request to a replica, with the Python client or plain stubs, and records the answer."""
        sent = time.monotonic()
        answer, response = _call(replica.method(self.operation, by_client=by_client), self.request, timeout)
        self.response = response or self.response
        self.answers.append(Answer(*answer, replica.name, sent, time.monotonic()))


def _call(method: Any, request: Any, timeout: float) -> tuple[tuple[str, str, str], Any]:
    """Makes a call; returns its status, outcome and reason, and its response if it succeeds."""
    try:
        return ("OK", "applied", ""), method(request, timeout=timeout)
    except FacadeError as error:
        return (error.code().name, error.outcome, error.reason), None
    except grpc.RpcError as error:
        failure = failure_of(error)
        return (failure.code.name, failure.metadata.get("outcome", ""), failure.reason), None


@dataclass
class History:
    """The requests of all callers. Appending to a list is atomic.

    Attributes:
        requests: The requests; those of one caller, which alone changes a resource or a key, are in order.
        false_absences: Names of resources that were created and, long after, answered as NOT_FOUND.
    """

    requests: list[Asked] = field(default_factory=list)
    false_absences: list[str] = field(default_factory=list)

    def of(self, *operations: str) -> Iterator[Asked]:
        """Yields the requests for these operations."""
        return (asked for asked in self.requests if asked.operation in operations)

    def operations(self) -> Counter[str]:
        """Returns how many requests each operation has."""
        return Counter(asked.operation for asked in self.requests)

    def statuses(self) -> Counter[str]:
        """Returns how often each status was answered."""
        return Counter(f"{answer.status} {answer.reason}".strip() for _, answer in self._answers())

    def not_applied(self) -> Counter[str]:
        """Returns how many sends of each operation were answered as not applied."""
        return Counter(asked.operation for asked, answer in self._answers() if answer.outcome == "not_applied")

    def _answers(self) -> Iterator[tuple[Asked, Answer]]:
        return ((asked, answer) for asked in self.requests for answer in asked.answers)
