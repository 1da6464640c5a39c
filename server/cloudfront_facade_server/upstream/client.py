"""The upstream client: the only place that sends, settles lost responses and records the outcome of an rpc."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import grpc

from ..backends.protocol import Arguments, Backend, Response
from ..backends.timeouts import short_timeouts
from ..call_context import CallContext
from ..concurrency.backoff import exponential_backoff
from ..errors.aws_codes import MalformedResponseError
from ..errors.classify import UPSTREAM_ERRORS, UpstreamFailure, aws_code, aws_request_id, classify
from ..errors.status_error import Outcome, StatusError
from ..errors.translate import outcome_unknown, translate
from .concurrency_limiter import ConcurrencyLimiter
from .operation_target import OperationTarget
from .timeouts import SettleTimeouts

T = TypeVar("T")

Operation = Callable[..., Response]
"""A method of a backend."""

Explain = Callable[[UpstreamFailure], StatusError | None]
"""Reads what a failure really means; returns None if the error table already says it."""

AppliedCheck = Callable[[], Response | None]
"""Reads whether a change was applied: the response that it would have had, or None if that is not visible."""

ETAG_MISMATCH: Final = "ETAG_MISMATCH"


def unexplained(_failure: UpstreamFailure) -> None:
    """Leaves a failure to the error table."""


@dataclass(frozen=True)
class UpstreamClient:
    """Calls a backend for the rpcs.

    `read`, `change` and `update_versioned` are whole calls. Creates, which may send twice, are built of `send`,
    `settle`, `applied` and `failed`.

    Attributes:
        backend: The backend.
        limiter: Limits the calls upstream.
        timeouts: How long settling may take.
    """

    backend: Backend
    limiter: ConcurrencyLimiter
    timeouts: SettleTimeouts

    def read(
        self,
        call: CallContext,
        operation: Operation,
        target: OperationTarget,
        *required: str,
        explain: Explain = unexplained,
    ) -> Response:
        """Calls an operation that changes nothing.

        Args:
            call: The rpc.
            operation: A method of the backend.
            target: What the operation is about, with its arguments.
            required: The path of a member that every response has.
            explain: Finds out what a failure means.

        Raises:
            StatusError: The operation failed or is not admitted.
        """
        with self.limiter.admit(call):
            try:
                return _respond(call, operation, target.arguments, required)
            except UPSTREAM_ERRORS as error:
                raise self.explained(call, classify(error), target, explain) from None

    def change(
        self,
        call: CallContext,
        operation: Operation,
        target: OperationTarget,
        *required: str,
        repeatable: bool,
        check_applied: AppliedCheck | None = None,
        explain: Explain = unexplained,
    ) -> Response:
        """Calls an operation that changes something, once. If its response is lost, reads whether it was applied.

        Args:
            call: The rpc.
            operation: A method of the backend.
            target: What the operation is about, with its arguments.
            required: The path of a member that every response has.
            repeatable: Whether it is safe for the caller to retry the request.
            check_applied: Reads whether the change was applied; None if no read can show it.
            explain: Finds out what a failure means.

        Raises:
            StatusError: The operation failed, is not admitted, or its outcome is unknown.
        """
        if call.abandoned:
            # While it waited for a lock or a read, its caller went away or received an error with outcome not_applied.
            raise StatusError(grpc.StatusCode.CANCELLED, "", "the caller is gone")
        with self.limiter.admit(call):
            try:
                return self.send(call, operation, target.arguments, *required, repeatable=repeatable)
            except UPSTREAM_ERRORS as error:
                failure = classify(error)
            if failure.outcome == "not_applied":
                raise self.explained(call, failure, target, explain)
            response = self._settle_change(call, check_applied) if check_applied else None
            if response is None:
                raise outcome_unknown(failure, repeatable=repeatable)
            return self.applied(call, response)

    def update_versioned(
        self,
        call: CallContext,
        operation: Operation,
        target: OperationTarget,
        *required: str,
        check_applied: AppliedCheck,
        explain: Explain = unexplained,
    ) -> Response:
        """Replaces one version with another. Also succeeds if a newer version already is what was requested."""
        try:
            return self.change(
                call, operation, target, *required, repeatable=True, check_applied=check_applied, explain=explain
            )
        except StatusError as error:
            if error.reason != ETAG_MISMATCH or (response := self.probe_if_time(call, check_applied)) is None:
                raise
            return self.applied(call, response)

    def send(
        self,
        call: CallContext,
        operation: Operation,
        arguments: Arguments,
        *required: str,
        repeatable: bool,
        inconclusive: str | None = None,
    ) -> Response:
        """Sends a change once, and records its outcome: unknown while it is in flight.

        An error that proves that this send changed nothing does not clear an outcome that an earlier send of the same
        rpc left unknown.

        Args:
            call: The rpc.
            operation: A method of the backend.
            arguments: Its boto3 arguments.
            required: The path of a member that every response has.
            repeatable: Whether it is safe for the caller to retry the request.
            inconclusive: An AWS code that may mean that an earlier request was applied.

        Raises:
            UPSTREAM_ERRORS: The operation failed.
        """
        was_unknown = call.outcome == "unknown"
        call.outcome, call.repeatable = "unknown", repeatable
        try:
            response = _respond(call, operation, arguments, required)
        except UPSTREAM_ERRORS as error:
            failure = classify(error)
            if failure.outcome == "not_applied" and not was_unknown and failure.aws_code != inconclusive:
                call.outcome = "not_applied"
            raise
        return self.applied(call, response)

    def settle(self, call: CallContext, probe: Callable[[], T], is_settled: Callable[[T], bool]) -> T:
        """Repeats a probe, with backoff, until it is settled or the time is up; returns its last result."""
        ends = min(self.timeouts.clock() + self.timeouts.total, call.deadline)
        with short_timeouts():
            for delay in exponential_backoff():
                found = probe()
                if is_settled(found) or self.timeouts.clock() + delay > ends:
                    return found
                self.timeouts.sleep(delay)
        raise AssertionError("backoff never ends")

    def applied(self, call: CallContext, response: Response) -> Response:
        """Records that the change was applied; returns the response."""
        call.outcome = "applied"
        return response

    def failed(self, call: CallContext, error: StatusError, outcome: Outcome) -> StatusError:
        """Records the outcome of a change that fails; returns the error with this outcome."""
        call.outcome = error.outcome = outcome
        return error

    def explained(
        self, call: CallContext, failure: UpstreamFailure, target: OperationTarget, explain: Explain = unexplained
    ) -> StatusError:
        """Returns the status of a failure: what `explain` finds out if there is time, otherwise the table's."""
        if self.has_time_to_read(call):
            with short_timeouts():
                if found := explain(failure):
                    return found
        return translate(failure, target)

    def probe(self, check: AppliedCheck) -> Response | None:
        """Reads once; returns None also if the read fails."""
        with short_timeouts():
            try:
                return check()
            except UPSTREAM_ERRORS:
                return None

    def probe_if_time(self, call: CallContext, check: AppliedCheck) -> Response | None:
        """Reads once if the rpc leaves time for it and a slot is free; otherwise returns None."""
        if not self.has_time_to_read(call):
            return None
        try:
            with self.limiter.admit(call):
                return self.probe(check)
        except StatusError:
            return None

    def has_time_to_read(self, call: CallContext) -> bool:
        """Returns whether the rpc leaves time for one more read that explains."""
        return call.remaining() > self.timeouts.read

    def list_tags(self, arn: str) -> Sequence[Mapping[str, str]]:
        """Reads the tags of a resource: each has `Key`, and `Value` if it is set.

        Raises:
            MalformedResponseError: The response has no list of tags. CloudFront's always has one, possibly empty.
        """
        response: Response = self.backend.list_tags_for_resource(Resource=arn)
        tags: Sequence[Mapping[str, str]] | None = response.get("Tags", {}).get("Items")
        if tags is None:
            raise MalformedResponseError
        return tags

    def _settle_change(self, call: CallContext, check_applied: AppliedCheck) -> Response | None:
        return self.settle(call, lambda: self.probe(check_applied), lambda response: response is not None)


def is_deleted(describe: Callable[[T], Response], resource: T, not_found_code: str) -> Response | None:
    """Returns an empty response if CloudFront answers with `not_found_code` that the resource does not exist."""
    try:
        describe(resource)
    except UPSTREAM_ERRORS as error:
        return {} if aws_code(error) == not_found_code else None
    return None


def _respond(call: CallContext, operation: Operation, arguments: Arguments, required: tuple[str, ...]) -> Response:
    """Sends; returns the response if it has the required member, otherwise raises MalformedResponseError."""
    try:
        response = operation(**arguments)
    except UPSTREAM_ERRORS as error:
        call.aws_request_id = aws_request_id(error)
        raise
    call.aws_request_id = response.get("ResponseMetadata", {}).get("RequestId", "")
    found: Any = response
    for member in required:
        # botocore parses a success of another shape to a response without its members.
        if not isinstance(found, dict) or member not in found or (member == "Name" and not found[member]):
            raise MalformedResponseError
        found = found[member]
    return response
