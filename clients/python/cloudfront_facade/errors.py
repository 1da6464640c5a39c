"""The errors of a failed call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Protocol, Self, runtime_checkable

import grpc

from cloudfront_facade._error_details import ErrorDetails
from cloudfront_facade._sending import Sending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

__all__ = ["FacadeError", "FunctionChangedError", "Precondition", "Quota", "Resource", "Violation"]

_RETRYABLE = frozenset(
    {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN}
)
"""The codes after which a retry of the same request can help."""


@dataclass(frozen=True)
class Violation:
    """A rule that a request breaks.

    Attributes:
        field: The path of the field, for example `tags[2].key`; empty if the request as a whole breaks the rule.
        description: What is wrong, and what is allowed.
        reason: The rule, in UPPER_SNAKE_CASE.
    """

    field: str
    description: str
    reason: str = ""


@dataclass(frozen=True)
class Precondition:
    """A state that a resource must reach first.

    Attributes:
        type: The kind of precondition.
        subject: The resource.
        description: The state that it must reach.
    """

    type: str
    subject: str
    description: str


@dataclass(frozen=True)
class Quota:
    """A quota that is used up.

    Attributes:
        subject: The kind of resource that the quota limits.
        description: The quota and its use.
    """

    subject: str
    description: str


@dataclass(frozen=True)
class Resource:
    """The resource that an error is about.

    Attributes:
        type: The kind of resource.
        name: Its name.
        description: What is wrong with it.
    """

    type: str
    name: str
    description: str


class _Metadatum(NamedTuple):
    """An entry of metadata. gRPC's own type cannot be pickled."""

    key: str
    value: str | bytes


@grpc.Call.register
@grpc.Future.register
class FacadeError(grpc.RpcError):
    """A failed call: an error of the facade, or of the connection to it.

    `code()`, `details()` and `trailing_metadata()` are gRPC's. `str()` is for people and lists all violations.

    Attributes:
        reason: The cause, in UPPER_SNAKE_CASE: the name of a value of `ErrorReason` without its prefix. Empty if the
            error is not the facade's: no connection, a deadline, a proxy.
        domain: The origin: `cloudfront.amazonaws.com` or `cloudfront-facade`. Empty if `reason` is.
        metadata: More about the error, such as `operation`, `aws_code` and `aws_request_id`.
        outcome: Whether the change took effect: `not_applied`, `applied`, `partial` or `unknown`. If the server did not
            report it: `not_applied` if it is certain that no server processed the request, else `unknown`. It is also
            `unknown` if the server reports `not_applied`, and an earlier attempt of the call may have been applied.
        violations: The rules that the request breaks, at most twenty; `violation_count` in `metadata` is their total.
        preconditions: The states that resources must reach before the call can succeed.
        quotas: The quotas that are used up.
        resource: The resource that the error is about, or None.
        retry_delay: Seconds to wait before a retry; None if the server does not advise a retry.
        applied_changes: The number of changes that were applied, counted from the first; None if the server did not
            report it.
        unknown_changes: The number of changes after those whose outcome is unknown; None if the server did not report
            it.
        request_id: The `request_id` that the request was sent with; empty if it had none. The same request with this id
            can be retried until it succeeds.
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        details: str = "",
        trailing_metadata: Iterable[Any] = (),
        request_id: str = "",
        sent: bool = True,
        resent: bool = False,
    ) -> None:
        self._code = code
        self._details = details
        self._trailing_metadata = tuple(_Metadatum(*pair) for pair in trailing_metadata)
        self.request_id = request_id
        # Copies and pickles of an exception are made from its arguments alone.
        super().__init__(code, details, self._trailing_metadata, request_id, sent, resent)

        parsed = ErrorDetails.of(self)
        info, resource = parsed.info, parsed.resource_info
        self.reason: str = info.reason
        self.domain: str = info.domain
        self.metadata: Mapping[str, str] = dict(info.metadata)
        outcome = info.metadata.get("outcome", "unknown" if sent else "not_applied")
        self.outcome: str = "unknown" if resent and outcome == "not_applied" else outcome
        self.applied_changes = parsed.count("applied_changes")
        self.unknown_changes = parsed.count("unknown_changes")
        self.violations = tuple(
            Violation(violation.field, violation.description, violation.reason)
            for violation in parsed.bad_request.field_violations
        )
        self.preconditions = tuple(
            Precondition(violation.type, violation.subject, violation.description)
            for violation in parsed.precondition_failure.violations
        )
        self.quotas = tuple(
            Quota(violation.subject, violation.description) for violation in parsed.quota_failure.violations
        )
        self.resource = (
            Resource(resource.resource_type, resource.resource_name, resource.description)
            if resource.resource_type or resource.resource_name
            else None
        )
        self.retry_delay = parsed.retry_delay
        self._violation_count = parsed.count("violation_count") or 0

    @classmethod
    def of(cls, error: grpc.RpcError, request_id: str = "", *, sending: Sending | None = None) -> Self:
        """Converts the error of a generated stub that is used without this client.

        Args:
            error: The error that the stub raised, of `grpc` or of `grpc.aio`.
            request_id: The `request_id` of the request, if it had one.
            sending: How the client sent the call; None for a call of another channel.
        """
        if isinstance(error, cls):
            return error
        if not isinstance(error, _Terminated):
            return cls(grpc.StatusCode.UNKNOWN, str(error), request_id=request_id)
        code, details, trailers = error.code(), error.details() or "", error.trailing_metadata() or ()
        sent = (sending or Sending()).may_be_processed(code, details, trailers)
        return cls(code, details, trailers, request_id, sent)

    def code(self) -> grpc.StatusCode:
        """Returns the status code."""
        return self._code

    def details(self) -> str:
        """Returns the message of the status."""
        return self._details

    def trailing_metadata(self) -> tuple[Any, ...]:
        """Returns the trailing metadata as pairs of key and value. They include the serialized status details."""
        return self._trailing_metadata

    # If an interceptor raises an error, gRPC passes it to outer interceptors as a call that is done and has failed.

    def result(self, timeout: float | None = None) -> NoReturn:  # noqa: ARG002
        """Raises the error."""
        raise self

    def exception(self, timeout: float | None = None) -> Self:  # noqa: ARG002
        """Returns the error itself."""
        return self

    def traceback(self, timeout: float | None = None) -> TracebackType | None:  # noqa: ARG002
        """Returns the traceback of the error."""
        return self.__traceback__

    def initial_metadata(self) -> tuple[Any, ...]:
        """Returns an empty tuple: an error has no initial metadata."""
        return ()

    def done(self) -> bool:
        """Returns True."""
        return True

    def running(self) -> bool:
        """Returns False."""
        return False

    def cancelled(self) -> bool:
        """Returns whether the call was cancelled."""
        return self._code is grpc.StatusCode.CANCELLED

    def cancel(self) -> bool:
        """Returns False: the call has ended."""
        return False

    def add_done_callback(self, callback: Callable[[Self], None]) -> None:
        """Calls the callback immediately."""
        callback(self)

    def is_active(self) -> bool:
        """Returns False."""
        return False

    def time_remaining(self) -> float | None:
        """Returns None: the call has ended."""
        return None

    def add_callback(self, callback: Callable[[], None]) -> bool:  # noqa: ARG002
        """Returns False: the call has ended."""
        return False

    def __str__(self) -> str:
        known = ", ".join(part for part in (self.reason, f"outcome {self.outcome}") if part)
        lines = [f"{self._code.name}: {self._details} [{known}]"]
        lines += [f"  {violation.field or 'request'}: {violation.description}" for violation in self.violations]
        lines += [f"  {precondition.subject}: {precondition.description}" for precondition in self.preconditions]
        lines += [f"  {quota.subject}: {quota.description}" for quota in self.quotas]
        if (omitted := self._violation_count - len(self.violations)) > 0:
            lines.append(f"  and {omitted} more")
        if self.applied_changes is not None:
            lines.append(f"  Changes: {self.applied_changes} applied, the next {self.unknown_changes or 0} unknown.")
        if self.retry_delay is not None:
            lines.append(f"  Retry after {self.retry_delay:g} s.")
        if self.request_id and self.outcome == "unknown" and self._code in _RETRYABLE:
            lines.append(f'  To retry safely, send the same request with request_id "{self.request_id}".')
        return "\n".join(lines)


class FunctionChangedError(RuntimeError):
    """A function changed after an earlier request created it, so it was not published.

    Attributes:
        name: The name of the function.
        etag: The current version.
    """

    def __init__(self, name: str, etag: str, differences: str) -> None:
        super().__init__(name, etag, differences)
        self.name = name
        self.etag = etag
        self._differences = differences

    def __str__(self) -> str:
        return (
            f'Function "{self.name}" was created by an earlier request and has changed since (different '
            f"{self._differences}). It was not published. GetFunction returns its code; PublishFunction with etag "
            f'"{self.etag}" publishes that code, and UpdateFunction with that etag restores the request\'s version.'
        )


@runtime_checkable
class _Terminated(Protocol):
    """The common interface of the errors of grpc and grpc.aio, which a bare RpcError does not have."""

    def code(self) -> grpc.StatusCode: ...
    def details(self) -> str | None: ...
    def trailing_metadata(self) -> Any: ...
