"""Creates that happen exactly once.

A create with a request_id carries a tag that names the id and the content. When CloudFront's answer is lost, or says
that the name is taken, the tags of the resource of this name tell whether it is ours: then the create has happened.
There is no store beside CloudFront itself, so this holds over restarts and between replicas.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..admission import Admission
from ..backends.protocol import Backend, Response
from ..call import Call, Clock
from ..errors.refusals import request_id_reused
from ..errors.status_error import StatusError
from ..errors.table import UnreadableAnswerError
from ..errors.upstream import (
    UPSTREAM_ERRORS,
    Subject,
    aws_code,
    aws_request_id,
    found_by_read,
    from_upstream,
    is_temporary,
    outcome_unknown,
    proven_not_applied,
)
from . import association, request_tag
from .resources import Resource
from .sightings import Sighting, look

_MAX_SENDS: Final = 2
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 1.0


@dataclass(frozen=True)
class Timing:
    """How long a create may take.

    Attributes:
        settling: seconds for which a create whose answer was lost is looked for, after each send.
        longest_send: seconds that one send and its settling can take; a second one starts only where the server's end
            leaves it that much.
        clock: a monotonic clock.
        sleep: waits so many seconds.
    """

    settling: float
    longest_send: float
    clock: Clock = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Creates:
    """Creates resources of one kind.

    Args:
        resource: the kind.
        backend: where they are created.
        reader: the same backend with timeouts short enough for settling.
        admission: how many calls may be upstream.
        timing: how long a create may take.
    """

    def __init__(
        self, resource: Resource, backend: Backend, reader: Backend, admission: Admission, timing: Timing
    ) -> None:
        self._resource = resource
        self._backend = backend
        self._reader = reader
        self._admission = admission
        self._timing = timing

    def create(
        self, arguments: Mapping[str, Any], request_id: str, call: Call, *, validate_only: bool = False
    ) -> Response:
        """Creates a resource, or finds that this request created it before.

        Args:
            arguments: the caller's boto3 arguments, `Name` among them.
            request_id: the caller's id of this create; empty for a create that is sent once and not looked for.
            call: the rpc.
            validate_only: only tell whether the create would be let through, by reads.

        Returns:
            boto3's response; without `Location` where the create was found done, and empty for validate_only.

        Raises:
            StatusError: the create did not happen, or it cannot be told, as its outcome says.
        """
        tag_value = request_tag.value(request_id, arguments) if request_id else ""
        subject = Subject(self._resource.kind, arguments["Name"], arguments)
        with self._admission.admit(call):
            create = _Create(
                self._resource, self._backend, self._reader, self._admission, self._timing, call, subject, tag_value
            )
            if validate_only:
                create.check()
                return {}
            return create.run()


@dataclass
class _Create:
    """One create under way."""

    resource: Resource
    backend: Backend
    reader: Backend
    admission: Admission
    timing: Timing
    call: Call
    subject: Subject
    tag_value: str

    def run(self) -> Response:
        if not self.tag_value:
            return self._once()
        self.call.repeatable = True
        arguments = request_tag.add(self.subject.sent, self.tag_value)
        doubted = False
        for sends in range(1, _MAX_SENDS + 1):
            try:
                return self._send(arguments)
            except UPSTREAM_ERRORS as error:
                failure = error
            exists = aws_code(failure) == self.resource.exists
            if proven_not_applied(failure) and not exists:
                if (earlier := self._done_before(failure)) is not None:
                    return earlier
                self.call.outcome = "unknown" if doubted else "not_applied"
                raise self._refusal(failure)
            doubted = doubted or not exists
            sighting = self._settle()
            if sighting.verdict == "absent" and not exists and sends < _MAX_SENDS and self._has_room():
                continue
            return self._conclude(sighting, failure, doubted=doubted)
        raise AssertionError("the last send concludes")

    def check(self) -> None:
        """Tells by reads whether the create would be let through; raises StatusError where it would not."""
        sighting = self._look()
        if sighting.verdict == "undecided" and self.tag_value:
            sighting = self._settle()
        match sighting.verdict:
            case "ours":
                return
            case "absent":
                if refusal := association.refusal(self.backend, self.subject.sent, {}):
                    raise refusal
            case "reused":
                raise self._reused()
            case "unreadable" if sighting.error:
                raise from_upstream(sighting.error, self.subject)
            case "undecided" if self.tag_value:
                raise from_upstream(UnreadableAnswerError(), self.subject)
            case _:
                raise found_by_read(self.resource.exists, self.subject)

    def _once(self) -> Response:
        try:
            return self._send(self.subject.sent)
        except UPSTREAM_ERRORS as error:
            if proven_not_applied(error):
                self.call.outcome = "not_applied"
                raise self._refusal(error) from None
            raise outcome_unknown(error, repeatable=False) from None

    def _send(self, arguments: Mapping[str, Any]) -> Response:
        self.call.outcome = "unknown"
        try:
            response = self.resource.create(self.backend, arguments)
        except UPSTREAM_ERRORS as error:
            self.call.aws_request_id = aws_request_id(error)
            raise
        self.call.aws_request_id = response.get("ResponseMetadata", {}).get("RequestId", "")
        if not response.get(self.resource.member, {}).get("Name"):
            raise UnreadableAnswerError
        self.call.outcome = "applied"
        return response

    def _done_before(self, failure: Exception) -> Response | None:
        """Finds a create of an earlier call behind a lasting refusal: our own resource may be what fills the quota."""
        if is_temporary(failure):
            return None
        sighting = self._look()
        if sighting.verdict == "ours":
            self.call.outcome = "applied"
        return sighting.response

    def _look(self) -> Sighting:
        return look(self.reader, self.resource, self.subject.name, self.tag_value)

    def _settle(self) -> Sighting:
        """Looks until the verdict is final or the time is up, and gives the last sighting."""
        ends = min(self.timing.clock() + self.timing.settling, self.call.deadline)
        for pause in _pauses():
            sighting = self._look()
            if sighting.final or self.timing.clock() + pause > ends:
                return sighting
            self.timing.sleep(pause)
        raise AssertionError("pauses never end")

    def _conclude(self, sighting: Sighting, failure: Exception, *, doubted: bool) -> Response:
        if sighting.verdict == "ours" and sighting.response is not None:
            self.call.outcome = "applied"
            return sighting.response
        self.call.outcome = "unknown" if doubted else "not_applied"
        if sighting.verdict == "reused":
            raise self._with_outcome(self._reused())
        if sighting.verdict == "another's":
            taken = aws_code(failure) == self.resource.exists
            raise self._with_outcome(
                from_upstream(failure, self.subject) if taken else found_by_read(self.resource.exists, self.subject)
            )
        self.call.outcome = "unknown"
        raise outcome_unknown(sighting.error or failure, repeatable=True)

    def _reused(self) -> StatusError:
        return request_id_reused(self.resource.kind, self.subject.name, self.tag_value.split("/")[0])

    def _refusal(self, error: Exception) -> StatusError:
        explained = association.explain(self.reader, error, self.subject.sent)
        return self._with_outcome(explained or from_upstream(error, self.subject))

    def _with_outcome(self, error: StatusError) -> StatusError:
        error.outcome = self.call.outcome
        return error

    def _has_room(self) -> bool:
        return self.admission.has_time(self.call) and self.call.grace.remaining() >= self.timing.longest_send


def _pauses() -> Iterator[float]:
    pause = _FIRST_PAUSE
    while True:
        yield pause
        pause = min(2 * pause, _LONGEST_PAUSE)
