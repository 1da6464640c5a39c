"""Creates with a request_id, which happen exactly once.

Such a create has a tag with the request_id and a fingerprint of the content. If CloudFront's response is lost, or the
name is taken, the create is reconciled: if the resource of this name has the tag, the create was applied. The state is
only in CloudFront, so creates stay idempotent over restarts and replicas.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from ..backends.protocol import Response
from ..backends.timeouts import short_timeouts
from ..call_context import CallContext
from ..errors.classify import UPSTREAM_ERRORS, UpstreamFailure, classify
from ..errors.facade_errors import request_id_reused
from ..errors.operation_target import OperationTarget
from ..errors.status_error import Outcome, StatusError
from ..errors.translate import is_temporary, outcome_unknown, status_for_code, translate
from . import request_tag
from .client import UpstreamClient
from .concurrency_limiter import UpstreamSlot
from .diagnostics import association
from .ownership import Observation, Ownership, observe
from .resource_kinds import ResourceKind

_MAX_SENDS: Final = 2


class IdempotentCreate:
    """One create in flight. It results in one resource, or in an error with the outcome as far as it is known.

    Args:
        client: The upstream client.
        kind: The kind of the resource.
        call: The rpc.
        slot: The rpc's slot for requests.
        target: The resource, with the caller's boto3 arguments.
        tag_value: The value of the request tag. If it is empty, no resource is ours; `run` requires one.

    Attributes:
        target: The resource, with the caller's boto3 arguments.
        tag_value: The value of the request tag.
    """

    def __init__(
        self,
        client: UpstreamClient,
        kind: ResourceKind,
        call: CallContext,
        slot: UpstreamSlot,
        target: OperationTarget,
        tag_value: str,
    ) -> None:
        self._client = client
        self._kind = kind
        self._call = call
        self._slot = slot
        self.target = target
        self.tag_value = tag_value

    def run(self) -> Response:
        """Sends the create, settles it, and sends it once more if it was not applied; raises StatusError."""
        arguments = request_tag.add(self.target.arguments, self.tag_value)
        create = self._kind.create(self._client.backend)
        outcome_in_doubt = False
        for sends in range(1, _MAX_SENDS + 1):
            try:
                return self._client.send(
                    self._call,
                    create,
                    arguments,
                    self._kind.name,
                    repeatable=True,
                    is_inconclusive=self._kind.may_exist,
                )
            except UPSTREAM_ERRORS as error:
                failure = classify(error)
            is_lost = failure.outcome == "unknown"
            outcome_in_doubt = outcome_in_doubt or is_lost
            if not outcome_in_doubt and not self._kind.may_exist(failure):
                return self._check_earlier_create(failure)
            observation = self.settle()
            is_absent = observation.ownership is Ownership.ABSENT
            if is_absent and is_lost and sends < _MAX_SENDS and self._has_time_to_send():
                continue
            return self._conclude(observation, failure, outcome_in_doubt=outcome_in_doubt)
        raise AssertionError("the last send always concludes")

    def observe(self) -> Observation:
        """Reads once whose resource holds the name."""
        return observe(self._client, self._kind, self.target.name, self.tag_value)

    def settle(self) -> Observation:
        """Reads whose resource holds the name until the observation is final or the time is up."""
        return self._client.settle(self._call, self._slot, self.observe)

    def request_id_reused(self) -> StatusError:
        """Returns the error for a request_id that created the resource of this name with different content."""
        return request_id_reused(self._kind.kind, self.target.name, self.tag_value.split("/")[0])

    def _check_earlier_create(self, failure: UpstreamFailure) -> Response:
        """Returns the resource if an earlier call created it: it may be what fills the quota. Otherwise raises."""
        if is_temporary(failure):
            raise self._rejected(failure)
        with short_timeouts():
            observation = self.observe()
        if observation.ownership is Ownership.UNDECIDED:
            observation = self.settle()
        read_denied = observation.ownership is Ownership.UNREADABLE and observation.is_final
        if read_denied or observation.ownership in (Ownership.ABSENT, Ownership.FOREIGN):
            raise self._rejected(failure)
        return self._conclude(observation, failure, outcome_in_doubt=False)

    def _conclude(self, observation: Observation, failure: UpstreamFailure, *, outcome_in_doubt: bool) -> Response:
        outcome: Outcome = "unknown" if outcome_in_doubt else "not_applied"
        match observation.ownership:
            case Ownership.OURS if observation.response is not None:
                return self._client.record_applied(self._call, observation.response)
            case Ownership.REQUEST_ID_REUSED:
                raise self._client.record_failure(self._call, self.request_id_reused(), outcome)
            case Ownership.FOREIGN:
                raise self._client.record_failure(self._call, self._already_exists(failure), outcome)
        unknown = outcome_unknown(observation.failure or failure, repeatable=True)
        raise self._client.record_failure(self._call, unknown, "unknown")

    def _already_exists(self, failure: UpstreamFailure) -> StatusError:
        if failure.aws_code == self._kind.exists_code:
            return translate(failure, self.target)
        return status_for_code(self._kind.exists_code, self.target)

    def _rejected(self, failure: UpstreamFailure) -> StatusError:
        explain = partial(association.explain, self._client, self._call, self.target.arguments)
        return self._client.explain_failure(self._call, failure, self.target, explain)

    def _has_time_to_send(self) -> bool:
        """Returns whether deadline and shutdown leave time for one more send."""
        if self._call.shutdown.remaining() < self._client.timeouts.longest_send:
            return False
        return self._client.limiter.has_time_to_send(self._call)
