"""One create under way: what is asked for, by which means, and the looks at what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from ..admission import Admission
from ..backends.protocol import Backend
from ..call import Call
from ..errors.refusals import request_id_reused
from ..errors.status_error import StatusError
from ..errors.upstream import Subject
from ..timing import Timing, pauses
from .resources import Resource
from .sightings import Sighting, look


@dataclass(frozen=True)
class Means:
    """What creates of one kind are made with.

    Attributes:
        resource: the kind.
        backend: where they are created.
        reader: the same backend with timeouts short enough for settling.
        admission: how many calls may be upstream.
        timing: how long a create may take.
    """

    resource: Resource
    backend: Backend
    reader: Backend
    admission: Admission
    timing: Timing


@dataclass(frozen=True)
class Attempt:
    """One create under way.

    Attributes:
        means: what it is made with.
        call: the rpc.
        subject: what is asked for, and the boto3 arguments without the request tag.
        tag_value: the value of the request tag; empty where there is no request_id.
    """

    means: Means
    call: Call
    subject: Subject
    tag_value: str

    def has_time(self) -> bool:
        """Tells whether the rpc leaves time for one more read that explains."""
        return self.call.remaining() > self.means.timing.look

    def look(self) -> Sighting:
        """Looks once for a resource of this name, and tells whose it is."""
        return look(self.means.reader, self.means.resource, self.subject.name, self.tag_value)

    def settle(self) -> Sighting:
        """Looks until the verdict is final or the time is up, and gives the last sighting."""
        timing = self.means.timing
        ends = min(timing.clock() + timing.settling, self.call.deadline)
        for pause in pauses():
            sighting = self.look()
            if sighting.final or timing.clock() + pause > ends:
                return sighting
            timing.sleep(pause)
        raise AssertionError("pauses never end")

    def reused(self) -> StatusError:
        """Refuses a request_id that made the resource of this name with another content."""
        return request_id_reused(self.means.resource.kind, self.subject.name, self.tag_value.split("/")[0])
