"""One call of the backend for an rpc: admitted, settled where its answer was lost, and its failure made a status."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import grpc

from ..backends.protocol import Backend, Response
from ..call_context import CallContext
from ..concurrency.backoff import exponential_backoff
from ..errors.aws_codes import MalformedResponseError
from ..errors.classify import UPSTREAM_ERRORS, aws_code, aws_request_id, proven_not_applied
from ..errors.status_error import StatusError
from ..errors.translate import OperationTarget, from_upstream, outcome_unknown
from .concurrency_limiter import ConcurrencyLimiter
from .timeouts import SettleTimeouts

Operation = Callable[..., Response]
"""A method of a backend."""

Explain = Callable[[Exception], StatusError | None]
"""Says by further reads what CloudFront's error means; None where the table says it."""

AppliedCheck = Callable[[], Response | None]
"""Reads whether a change is there: the response that the change would have had, or None where it cannot be seen."""


ETAG_MISMATCH: Final = "ETAG_MISMATCH"


def unexplained(_error: Exception) -> None:
    """Leaves an error to the table."""


@dataclass(frozen=True)
class UpstreamClient:
    """How rpcs reach the backend.

    Attributes:
        backend: where the operations are done.
        reader: the same, with timeouts short enough for reads that explain or settle.
        admission: how many calls may be upstream.
        timing: how long a change may take.
    """

    backend: Backend
    reader: Backend
    admission: ConcurrencyLimiter
    timing: SettleTimeouts

    def read(
        self,
        call: CallContext,
        operation: Operation,
        subject: OperationTarget,
        *required: str,
        explain: Explain = unexplained,
    ) -> Response:
        """Calls an operation that changes nothing.

        Args:
            call: the rpc.
            operation: a method of the backend.
            subject: what the operation is about, with its arguments.
            required: the path of a member that every answer has.
            explain: tells what an error means.

        Raises:
            StatusError: it was refused or failed, or is not admitted.
        """
        with self.admission.admit(call):
            try:
                return _answer(call, operation, subject, required)
            except UPSTREAM_ERRORS as error:
                raise self._explained(call, error, subject, explain) from None

    def change(
        self,
        call: CallContext,
        operation: Operation,
        subject: OperationTarget,
        *required: str,
        repeatable: bool,
        seen: AppliedCheck | None = None,
        explain: Explain = unexplained,
    ) -> Response:
        """Calls an operation that changes something, once. Where its answer is lost, looks whether it happened.

        Args:
            call: the rpc.
            operation: a method of the backend.
            subject: what the operation is about, with its arguments.
            required: the path of a member that every answer has.
            repeatable: whether the caller may repeat the request without harm.
            seen: reads whether the change is there.
            explain: tells what an error means.

        Raises:
            StatusError: it was refused or failed, is not admitted, or cannot be told, as its outcome says.
        """
        if call.abandoned:
            # Its caller was told that nothing was changed, or is gone, while it waited for its turn or for a read.
            raise StatusError(grpc.StatusCode.CANCELLED, "", "nobody waits for it any more")
        with self.admission.admit(call):
            call.outcome, call.repeatable = "unknown", repeatable
            try:
                response = _answer(call, operation, subject, required)
            except UPSTREAM_ERRORS as error:
                failure = error
            else:
                call.outcome = "applied"
                return response
            if proven_not_applied(failure):
                call.outcome = "not_applied"
                raise self._explained(call, failure, subject, explain)
            settled = self._settle(call, seen) if seen else None
            if settled is None:
                raise outcome_unknown(failure, repeatable=repeatable)
            call.outcome = "applied"
            return settled

    def replace(
        self,
        call: CallContext,
        operation: Operation,
        subject: OperationTarget,
        *required: str,
        seen: AppliedCheck,
        explain: Explain = unexplained,
    ) -> Response:
        """Changes one version into another; OK too where a newer one is what was asked for."""
        try:
            return self.change(call, operation, subject, *required, repeatable=True, seen=seen, explain=explain)
        except StatusError as error:
            if error.reason != ETAG_MISMATCH or (there := self.probe_if_time(call, seen)) is None:
                raise
            call.outcome = "applied"
            return there

    def look(self, seen: AppliedCheck) -> Response | None:
        """Looks once; None also where that cannot be read."""
        try:
            return seen()
        except UPSTREAM_ERRORS:
            return None

    def probe_if_time(self, call: CallContext, seen: AppliedCheck) -> Response | None:
        """Looks once, where the rpc leaves time and there is a slot for it."""
        if not self.has_time(call):
            return None
        try:
            with self.admission.admit(call):
                return self.look(seen)
        except StatusError:
            return None

    def has_time(self, call: CallContext) -> bool:
        """Tells whether the rpc leaves time for one more read that explains."""
        return call.remaining() > self.timing.look

    def _explained(
        self, call: CallContext, error: Exception, subject: OperationTarget, explain: Explain
    ) -> StatusError:
        explained = explain(error) if self.has_time(call) else None
        return explained or from_upstream(error, subject)

    def _settle(self, call: CallContext, seen: AppliedCheck) -> Response | None:
        ends = min(self.timing.clock() + self.timing.settling, call.deadline)
        for pause in exponential_backoff():
            response = self.look(seen)
            if response is not None or self.timing.clock() + pause > ends:
                return response
            self.timing.sleep(pause)
        raise AssertionError("pauses never end")


def is_deleted(describe: Callable[[str], Response], name: str, missing: str) -> Response | None:
    """Gives an empty response where CloudFront says, by the code `missing`, that there is nothing of this name."""
    try:
        describe(name)
    except UPSTREAM_ERRORS as error:
        return {} if aws_code(error) == missing else None
    return None


def _answer(call: CallContext, operation: Operation, subject: OperationTarget, required: tuple[str, ...]) -> Response:
    try:
        response = operation(**subject.sent)
    except UPSTREAM_ERRORS as error:
        call.aws_request_id = aws_request_id(error)
        raise
    call.aws_request_id = response.get("ResponseMetadata", {}).get("RequestId", "")
    found: Any = response
    for member in required:
        # A success of another shape comes back from botocore without what it must have.
        if not isinstance(found, dict) or member not in found:
            raise MalformedResponseError
        found = found[member]
    return response
