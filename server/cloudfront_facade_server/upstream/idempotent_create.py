"""Creates that happen exactly once.

A create with a request_id carries a tag that names the id and the content. When CloudFront's answer is lost, or says
that the name is taken, the tags of the resource of this name tell whether it is ours: then the create has happened.
There is no store beside CloudFront itself, so this holds over restarts and between replicas.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..backends.protocol import Response
from ..errors.aws_codes import MalformedResponseError
from ..errors.classify import UPSTREAM_ERRORS, aws_code, aws_request_id, proven_not_applied
from ..errors.status_error import StatusError
from ..errors.translate import from_upstream, is_temporary, outcome_unknown, status_for_code
from . import request_tag
from .attempt import Attempt
from .diagnostics import association
from .ownership import Observation

_MAX_SENDS: Final = 2


class IdempotentCreate:
    """Makes one attempt end in one resource, or in an error that says what is known of it."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._means = attempt.means
        self._call = attempt.call
        self._subject = attempt.subject

    def run(self) -> Response:
        """Sends, looks, and sends once more where nothing came of it; raises StatusError."""
        if not self._attempt.tag_value:
            return self._once()
        self._call.repeatable = True
        arguments = request_tag.add(self._subject.sent, self._attempt.tag_value)
        outcome_in_doubt = False
        for sends in range(1, _MAX_SENDS + 1):
            try:
                return self._send(arguments)
            except UPSTREAM_ERRORS as error:
                failure = error
            lost = not proven_not_applied(failure)
            if not lost and not outcome_in_doubt and aws_code(failure) != self._means.resource.exists:
                return self._check_earlier_create(failure)
            outcome_in_doubt = outcome_in_doubt or lost
            sighting = self._attempt.settle()
            if sighting.verdict == "absent" and lost and sends < _MAX_SENDS and self._has_room():
                continue
            return self._conclude(sighting, failure, outcome_in_doubt=outcome_in_doubt)
        raise AssertionError("the last send concludes")

    def _once(self) -> Response:
        try:
            return self._send(self._subject.sent)
        except UPSTREAM_ERRORS as error:
            if proven_not_applied(error):
                self._call.outcome = "not_applied"
                raise self._refusal(error) from None
            raise outcome_unknown(error, repeatable=False) from None

    def _send(self, arguments: Mapping[str, Any]) -> Response:
        self._call.outcome = "unknown"
        try:
            response = self._means.resource.create(self._means.backend, arguments)
        except UPSTREAM_ERRORS as error:
            self._call.aws_request_id = aws_request_id(error)
            raise
        self._call.aws_request_id = response.get("ResponseMetadata", {}).get("RequestId", "")
        if not response.get(self._means.resource.member, {}).get("Name"):
            raise MalformedResponseError
        self._call.outcome = "applied"
        return response

    def _check_earlier_create(self, failure: Exception) -> Response:
        """Looks behind a lasting refusal: what fills the quota may be the resource that an earlier call created."""
        self._call.outcome = "not_applied"
        if is_temporary(failure):
            raise self._refusal(failure)
        sighting = self._attempt.look()
        if sighting.verdict == "undecided":
            sighting = self._attempt.settle()
        may_not_read = sighting.verdict == "unreadable" and sighting.final
        if may_not_read or sighting.verdict in ("absent", "another's"):
            raise self._refusal(failure)
        return self._conclude(sighting, failure, outcome_in_doubt=False)

    def _conclude(self, sighting: Observation, failure: Exception, *, outcome_in_doubt: bool) -> Response:
        if sighting.verdict == "ours" and sighting.response is not None:
            self._call.outcome = "applied"
            return sighting.response
        self._call.outcome = "unknown" if outcome_in_doubt else "not_applied"
        if sighting.verdict == "reused":
            raise self._with_outcome(self._attempt.reused())
        if sighting.verdict == "another's":
            exists = self._means.resource.exists
            taken = aws_code(failure) == exists
            error = from_upstream(failure, self._subject) if taken else status_for_code(exists, self._subject)
            raise self._with_outcome(error)
        self._call.outcome = "unknown"
        raise outcome_unknown(sighting.error or failure, repeatable=True)

    def _refusal(self, error: Exception) -> StatusError:
        explained = association.explain(self._means.reader, error, self._subject.sent, self._attempt.has_time)
        return self._with_outcome(explained or from_upstream(error, self._subject))

    def _with_outcome(self, error: StatusError) -> StatusError:
        error.outcome = self._call.outcome
        return error

    def _has_room(self) -> bool:
        """Tells whether deadline and server leave time for one more send."""
        if self._call.grace.remaining() < self._means.timing.longest_send:
            return False
        return self._means.admission.has_time(self._call)
