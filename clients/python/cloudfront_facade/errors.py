"""What a failed call says, typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Protocol, Self, TypeVar, runtime_checkable

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

Detail = TypeVar("Detail", bound=Message)

_REPEATABLE = frozenset(
    {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN}
)
"""The codes after which repeating the same request can help."""


@dataclass(frozen=True)
class Violation:
    """A rule that a request breaks.

    Attributes:
        field: The path of the field: `tags[2].key`. Empty where it cannot be told.
        description: What was sent, and what is allowed.
        reason: The rule, in UPPER_SNAKE_CASE.
    """

    field: str
    description: str
    reason: str = ""


@dataclass(frozen=True)
class Precondition:
    """A state that something is not in, and has to be in first.

    Attributes:
        type: The kind of precondition.
        subject: What is in the wrong state.
        description: What would have to be so.
    """

    type: str
    subject: str
    description: str


@dataclass(frozen=True)
class Quota:
    """A quota that is used up.

    Attributes:
        subject: What the quota is of.
        description: What was exceeded.
    """

    subject: str
    description: str


@dataclass(frozen=True)
class Resource:
    """The resource that an error is about.

    Attributes:
        type: The kind of resource.
        name: Its name.
        description: What is the matter with it.
    """

    type: str
    name: str
    description: str


class Metadatum(NamedTuple):
    """A pair of metadata, as gRPC has it; gRPC's own cannot be pickled."""

    key: str
    value: str | bytes


@grpc.Call.register
@grpc.Future.register
class FacadeError(grpc.RpcError):
    """A call that failed: an error of the facade, or of the way to it.

    `code()`, `details()` and `trailing_metadata()` are gRPC's. `str()` is for a person, and names all violations.

    Attributes:
        reason: Why, in UPPER_SNAKE_CASE: the name of a value of `ErrorReason` without its prefix. Empty where the
            error did not come from the facade: no connection, a deadline, a proxy.
        domain: Who refused: `cloudfront.amazonaws.com`, or `cloudfront-facade`. Empty like `reason`.
        metadata: What the error depends on: `operation`, `aws_code`, `aws_request_id` and the like.
        outcome: Whether the effect happened: `not_applied`, `applied`, `partial` or `unknown`, which is also said where
            nothing came back that could tell.
        violations: The rules that the request breaks: the first twenty, and `violation_count` in `metadata` says how
            many there are in all.
        preconditions: The states that have to be reached first.
        quotas: The quotas that are used up.
        resource: The resource in question, or None.
        retry_delay: Seconds to wait before a retry; None where no retry is advised.
        applied_changes: How many changes of a request for many were applied, the first ones; None where it is not said.
        unknown_changes: Of how many after those it cannot be told; None where it is not said.
        request_id: The `request_id` that the request was sent with. The same request with this id can be repeated
            until it is answered OK. Empty where it had none.
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        details: str = "",
        trailing_metadata: Iterable[Any] = (),
        request_id: str = "",
    ) -> None:
        self._code = code
        self._details = details
        self._trailing_metadata = tuple(Metadatum(*each) for each in trailing_metadata)
        self.request_id = request_id
        # The arguments are all that copies and pickles of an exception are made from.
        super().__init__(code, details, self._trailing_metadata, request_id)

        status = _status(self)
        info = _detail(status, error_details_pb2.ErrorInfo)
        retry = _detail(status, error_details_pb2.RetryInfo)
        resource = _detail(status, error_details_pb2.ResourceInfo)
        self.reason: str = info.reason
        self.domain: str = info.domain
        self.metadata: Mapping[str, str] = dict(info.metadata)
        self.outcome: str = info.metadata.get("outcome", "unknown")
        self.applied_changes = _count(info.metadata.get("applied_changes", ""))
        self.unknown_changes = _count(info.metadata.get("unknown_changes", ""))
        self.violations = tuple(
            Violation(each.field, each.description, each.reason)
            for each in _detail(status, error_details_pb2.BadRequest).field_violations
        )
        self.preconditions = tuple(
            Precondition(each.type, each.subject, each.description)
            for each in _detail(status, error_details_pb2.PreconditionFailure).violations
        )
        self.quotas = tuple(
            Quota(each.subject, each.description) for each in _detail(status, error_details_pb2.QuotaFailure).violations
        )
        self.resource = (
            Resource(resource.resource_type, resource.resource_name, resource.description)
            if resource.resource_type or resource.resource_name
            else None
        )
        self.retry_delay = (
            retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9 if retry.HasField("retry_delay") else None
        )

    @classmethod
    def of(cls, error: grpc.RpcError, request_id: str = "") -> Self:
        """The same error, typed; for those who call the generated stubs without this client.

        Args:
            error: What a stub raised, of `grpc` or of `grpc.aio`.
            request_id: The `request_id` of the request, where it had one.
        """
        if isinstance(error, cls):
            return error
        if not isinstance(error, _Terminated):
            return cls(grpc.StatusCode.UNKNOWN, str(error), request_id=request_id)
        return cls(error.code(), error.details() or "", error.trailing_metadata() or (), request_id)

    def code(self) -> grpc.StatusCode:
        """The status code."""
        return self._code

    def details(self) -> str:
        """The message of the status."""
        return self._details

    def trailing_metadata(self) -> tuple[Any, ...]:
        """The trailing metadata, pairs of key and value; the status details among them, in protobuf."""
        return self._trailing_metadata

    # gRPC gives what an interceptor raises to those around it as the call: one that is done, and failed.

    def result(self, timeout: float | None = None) -> NoReturn:  # noqa: ARG002
        """Raises the error."""
        raise self

    def exception(self, timeout: float | None = None) -> Self:  # noqa: ARG002
        """The error itself."""
        return self

    def traceback(self, timeout: float | None = None) -> TracebackType | None:  # noqa: ARG002
        """Where the error was raised."""
        return self.__traceback__

    def initial_metadata(self) -> tuple[Any, ...]:
        """None: an error comes without."""
        return ()

    def done(self) -> bool:
        """True."""
        return True

    def running(self) -> bool:
        """False."""
        return False

    def cancelled(self) -> bool:
        """Whether the call was given up."""
        return self._code is grpc.StatusCode.CANCELLED

    def cancel(self) -> bool:
        """False: it is too late."""
        return False

    def add_done_callback(self, callback: Callable[[Self], None]) -> None:
        """Calls back at once."""
        callback(self)

    def is_active(self) -> bool:
        """False."""
        return False

    def time_remaining(self) -> float | None:
        """None: it is over."""
        return None

    def add_callback(self, callback: Callable[[], None]) -> bool:  # noqa: ARG002
        """False: it is too late."""
        return False

    def __str__(self) -> str:
        known = ", ".join(part for part in (self.reason, f"outcome {self.outcome}") if part)
        lines = [f"{self._code.name}: {self._details} [{known}]"]
        lines += [f"  {each.field or 'request'}: {each.description}" for each in self.violations]
        lines += [f"  {each.subject}: {each.description}" for each in self.preconditions]
        lines += [f"  {each.subject}: {each.description}" for each in self.quotas]
        count = _count(self.metadata.get("violation_count", ""))
        if count and count > len(self.violations):
            lines.append(f"  and {count - len(self.violations)} more")
        if self.applied_changes is not None:
            lines.append(f"  Changes: {self.applied_changes} applied, {self.unknown_changes or 0} after those unknown.")
        if self.retry_delay is not None:
            lines.append(f"  Retry after {self.retry_delay:g} s.")
        if self.request_id and self.outcome == "unknown" and self._code in _REPEATABLE:
            lines.append(f"  To repeat it safely, send the same request with request_id {self.request_id!r}.")
        return "\n".join(lines)


class FunctionChangedError(RuntimeError):
    """A function that an earlier request created is no longer as that request says, so it was not published.

    Attributes:
        name: The name of the function.
        etag: The version that was found.
    """

    def __init__(self, name: str, etag: str, what: str) -> None:
        super().__init__(name, etag, what)
        self.name = name
        self.etag = etag
        self._what = what

    def __str__(self) -> str:
        return (
            f"The function {self.name!r} was created by an earlier request, and changed since: {self._what} than the "
            f"request's. It was not published. Look at it with GetFunction; then PublishFunction with etag "
            f"{self.etag!r} publishes what is there, and UpdateFunction with it puts back what the request says."
        )


@runtime_checkable
class _Terminated(Protocol):
    """What the errors of grpc and of grpc.aio have in common; a bare RpcError has none of it."""

    def code(self) -> grpc.StatusCode: ...
    def details(self) -> str | None: ...
    def trailing_metadata(self) -> Any: ...


def _status(error: Any) -> status_pb2.Status:
    """The details of an error; empty where there are none, or none that fit the error."""
    try:
        status: status_pb2.Status | None = rpc_status.from_call(error)
    except (DecodeError, ValueError):
        status = None
    return status or status_pb2.Status()


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() else None


def _detail(status: status_pb2.Status, kind: type[Detail]) -> Detail:
    """The detail of one type, of which a status has one at most (AIP-193); empty where it is missing.

    A detail that cannot be read is as good as missing: an error about an error helps nobody.
    """
    for packed in status.details:
        detail = kind()
        try:
            if packed.Unpack(detail):
                return detail
        except DecodeError:
            continue
    return kind()
