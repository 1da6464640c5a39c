"""The upstream client: the only place that sends, settles lost responses and records the outcome of an rpc."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from ..backends.protocol import Arguments, Backend, Response
from ..backends.timeouts import short_timeouts
from ..call_context import CallContext
from ..errors.aws_codes import MalformedResponseError
from ..errors.classify import UPSTREAM_ERRORS, UpstreamFailure, aws_request_id, classify
from ..errors.operation_target import OperationTarget
from ..errors.status_error import Outcome, StatusError
from ..errors.translate import outcome_unknown, translate
from .concurrency_limiter import ConcurrencyLimiter, UpstreamSlot
from .required_member import RequiredMember
from .settling import AppliedCheck, Reading, settle, sight
from .timeouts import SettleTimeouts

R = TypeVar("R", bound=Reading)

Operation = Callable[..., Response]
"""A method of a backend."""

Explain = Callable[[UpstreamFailure], StatusError | None]
"""Finds out by reads what a failure means; returns None if the error table has the answer."""

IsInconclusive = Callable[[UpstreamFailure], bool]
"""Returns whether a rejection can mean that an earlier request was applied."""

ETAG_MISMATCH: Final = "ETAG_MISMATCH"

_ANSWER_SECONDS: Final = 0.25
"""Minimum seconds between a read that a status does not depend on and the deadline, so that the status arrives."""


def no_explanation(_failure: UpstreamFailure) -> None:
    """Returns None, so that the error table decides."""


@dataclass(frozen=True)
class UpstreamClient:
    """Calls a backend for the rpcs.

    `read` and `change` are whole calls. Creates, which may send twice, consist of `send`, `settle`, `record_applied`
    and `record_failure`.

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
        required: RequiredMember | None = None,
        *,
        explain: Explain = no_explanation,
    ) -> Response:
        """Calls an operation that only reads.

        Args:
            call: The rpc.
            operation: A method of the backend.
            target: What the operation is about, with its arguments.
            required: A member that every response has; None if a response has none.
            explain: Finds out what a failure means.

        Raises:
            StatusError: The operation was not admitted, or it failed.
        """
        with self.limiter.admit(call):
            try:
                return _respond(call, operation, target.arguments, required)
            except UPSTREAM_ERRORS as error:
                raise self.explain_failure(call, classify(error), target, explain) from None

    def change(
        self,
        call: CallContext,
        operation: Operation,
        target: OperationTarget,
        required: RequiredMember | None = None,
        *,
        repeatable: bool,
        check_applied: AppliedCheck | None = None,
        explain: Explain = no_explanation,
    ) -> Response:
        """Sends a change once. If its response is lost, reads whether it was applied.

        Args:
            call: The rpc.
            operation: A method of the backend.
            target: What the operation is about, with its arguments.
            required: A member that every response has; None if a response has none.
            repeatable: Whether it is safe for the caller to retry the request.
            check_applied: Reads whether the change was applied; None if no read can show it.
            explain: Finds out what a failure means.

        Raises:
            StatusError: The operation was not admitted, it failed, or its outcome is unknown.
        """
        with self.limiter.admit(call) as slot:
            sent = self.timeouts.clock()
            try:
                return self.send(call, operation, target.arguments, required, repeatable=repeatable)
            except UPSTREAM_ERRORS as error:
                failure = classify(error)
            if failure.outcome == "not_applied":
                raise self.explain_failure(call, failure, target, explain)
            response = self._settle_change(call, slot, check_applied, sent) if check_applied else None
            if response is None:
                raise outcome_unknown(failure, repeatable=repeatable)
            return self.record_applied(call, response)

    def send(
        self,
        call: CallContext,
        operation: Operation,
        arguments: Arguments,
        required: RequiredMember | None = None,
        *,
        repeatable: bool,
        is_inconclusive: IsInconclusive = lambda _failure: False,
    ) -> Response:
        """Sends a change once, and records its outcome: unknown while it is in flight.

        If an earlier send of the same rpc left the outcome unknown, it stays unknown, even if this send is rejected.

        Args:
            call: The rpc.
            operation: A method of the backend.
            arguments: Its boto3 arguments.
            required: A member that every response has; None if a response has none.
            repeatable: Whether it is safe for the caller to retry the request.
            is_inconclusive: Returns whether a rejection can mean that an earlier request was applied.

        Raises:
            UPSTREAM_ERRORS: The operation failed.
        """
        was_unknown = call.outcome == "unknown"
        call.outcome, call.repeatable = "unknown", repeatable
        try:
            response = _respond(call, operation, arguments, required)
        except UPSTREAM_ERRORS as error:
            failure = classify(error)
            if failure.outcome == "not_applied" and not was_unknown and not is_inconclusive(failure):
                call.outcome = "not_applied"
            raise
        return self.record_applied(call, response)

    def settle(self, call: CallContext, slot: UpstreamSlot, read: Callable[[], R]) -> R:
        """Repeats a read, with backoff, until it is final or the time is up; returns the last reading."""
        ends = min(self.timeouts.clock() + self.timeouts.total, call.deadline)
        with short_timeouts():
            return settle(self.timeouts, read, ends, lambda delay: slot.pause(partial(self.timeouts.sleep, delay)))

    def record_applied(self, call: CallContext, response: Response) -> Response:
        """Records that the change was applied; returns the response."""
        call.outcome = "applied"
        return response

    def record_failure(self, call: CallContext, error: StatusError, outcome: Outcome) -> StatusError:
        """Records the outcome of a failed change; returns the error with this outcome."""
        call.outcome = error.outcome = outcome
        return error

    def explain_failure(
        self, call: CallContext, failure: UpstreamFailure, target: OperationTarget, explain: Explain = no_explanation
    ) -> StatusError:
        """Returns the status of a failure: from `explain` if it finds one, else from the table."""
        with self._reading(call):
            return explain(failure) or translate(failure, target)

    def probe(self, call: CallContext, check: AppliedCheck) -> Response | None:
        """Reads once; returns None if there is no time, or if the read fails or does not show the change."""
        if not self.has_time_to_read(call):
            return None
        try:
            return check()
        except UPSTREAM_ERRORS:
            return None

    def probe_if_time(self, call: CallContext, check: AppliedCheck, *, until_deadline: bool = False) -> Response | None:
        """Reads once, as `probe` does, with a separate slot; also returns None if it is not admitted."""
        try:
            with self.limiter.admit(call, until_deadline=until_deadline), self._reading(call):
                return self.probe(call, check)
        except StatusError:
            return None

    def has_time_to_read(self, call: CallContext) -> bool:
        """Returns whether the deadline leaves time for one more read."""
        return self.limiter.has_time_to_send(call)

    def list_tags(self, arn: str) -> Sequence[Mapping[str, str]]:
        """Reads the tags of a resource. Each has `Key`, and `Value` if it is set.

        Raises:
            UPSTREAM_ERRORS: The read failed, or the response has no list of tags. CloudFront's list may be empty.
        """
        response: Response = self.backend.list_tags_for_resource(Resource=arn)
        tags: Sequence[Mapping[str, str]] | None = response.get("Tags", {}).get("Items")
        if tags is None:
            raise MalformedResponseError
        return tags

    def _settle_change(
        self, call: CallContext, slot: UpstreamSlot, check_applied: AppliedCheck, sent: float
    ) -> Response | None:
        return self.settle(call, slot, lambda: sight(self.timeouts, check_applied, sent)).response

    def _reading(self, call: CallContext) -> AbstractContextManager[None]:
        """Shortens the timeouts of reads inside the block, so that they end before the deadline."""
        return short_timeouts(call.remaining() - _ANSWER_SECONDS)


def _respond(
    call: CallContext, operation: Operation, arguments: Arguments, required: RequiredMember | None
) -> Response:
    """Sends a request; returns the response if it has the required member, else raises MalformedResponseError."""
    try:
        response = operation(**arguments)
    except UPSTREAM_ERRORS as error:
        call.aws_request_id = aws_request_id(error)
        raise
    call.aws_request_id = response.get("ResponseMetadata", {}).get("RequestId", "")
    if required:
        required.check(response)
    return response
