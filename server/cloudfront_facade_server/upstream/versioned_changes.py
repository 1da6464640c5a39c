"""Updates and deletes of one version of a resource. An update may be repeated, even if reads lag."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..backends.protocol import Response
from ..call_context import CallContext
from ..errors.operation_target import OperationTarget
from ..errors.status_error import StatusError
from ..errors.translate import outcome_unconfirmed
from .applied_changes import AppliedChanges
from .client import ETAG_MISMATCH, Explain, Operation, UpstreamClient, no_explanation
from .required_member import RequiredMember
from .settling import AppliedCheck

_OTHER_CONTENT: Final[Response] = {}
"""What a read returns that shows another content than the requested one."""


@dataclass(frozen=True)
class _Version:
    """A version that has the requested content.

    Attributes:
        response: Its description.
        is_certain: Whether it was the current version during the call, or this very update created it.
    """

    response: Response
    is_certain: bool = True


class VersionedChanges:
    """Changes versions of the resources of one kind.

    Args:
        client: The upstream client.
    """

    def __init__(self, client: UpstreamClient) -> None:
        self._client = client
        self._applied = AppliedChanges()

    def update(
        self,
        call: CallContext,
        operation: Operation,
        target: OperationTarget,
        required: RequiredMember,
        *,
        check_applied: AppliedCheck,
        explain: Explain = no_explanation,
    ) -> Response:
        """Replaces one version with another. Also succeeds if a newer version already has the requested content.

        Args:
            call: The rpc.
            operation: A method of the backend.
            target: What the operation is about, with its arguments.
            required: A member that every response has.
            check_applied: Reads whether a newer version has the requested content.
            explain: Finds out what a failure means.

        Raises:
            StatusError: The operation was not admitted, it failed, or its outcome is unknown. It is also unknown if a
                newer version seems to have the requested content, and the deadline leaves no time to confirm that.
        """
        sent = self._client.timeouts.clock()
        try:
            response = self._client.change(
                call, operation, target, required, repeatable=True, check_applied=check_applied, explain=explain
            )
        except StatusError as error:
            if error.reason != ETAG_MISMATCH:
                raise
            version = self._newer_version(call, target, check_applied, sent)
            if version is None:
                raise
            if not version.is_certain:
                raise self._client.record_failure(call, outcome_unconfirmed(error), "unknown") from None
            return self._client.record_applied(call, version.response)
        self._applied.record(target, response.get("ETag", ""))
        return response

    def delete(
        self,
        call: CallContext,
        operation: Operation,
        target: OperationTarget,
        *,
        check_applied: AppliedCheck,
        explain: Explain,
    ) -> Response:
        """Deletes a version. See UpstreamClient.change."""
        response = self._client.change(
            call, operation, target, repeatable=True, check_applied=check_applied, explain=explain
        )
        self._applied.record(target, "")
        return response

    def _newer_version(
        self, call: CallContext, target: OperationTarget, check_applied: AppliedCheck, sent: float
    ) -> _Version | None:
        """Returns the version that has the requested content; None if no version has it, or if it was not read.

        A read that lags may show an older version. So a version is certain only if a read shows it that starts after
        the lag, or if the same update created it and the deadline leaves no time for such a read.
        """
        timeouts, min_upstream_time = self._client.timeouts, self._client.limiter.min_upstream_time
        certain_at = sent + timeouts.lag
        started = timeouts.clock()
        response = self._client.probe_if_time(call, check_applied, until_deadline=True)
        if response is None:
            return None
        if started >= certain_at:
            return _Version(response)
        latest = call.deadline - 2 * min_upstream_time
        if latest < certain_at and self._applied.created(target, response.get("ETag", "")):
            return _Version(response)
        delay = min(certain_at, latest) - timeouts.clock()
        if delay > 0 or latest >= certain_at:
            timeouts.sleep(max(0.0, delay))
            second = self._client.probe_if_time(call, lambda: check_applied() or _OTHER_CONTENT, until_deadline=True)
            if second is _OTHER_CONTENT:
                return None
            if second and latest >= certain_at:
                return _Version(second)
        is_outdated = self._applied.replaced(target, response.get("ETag", ""))
        return None if is_outdated else _Version(response, is_certain=False)
