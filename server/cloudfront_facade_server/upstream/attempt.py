"""One create under way: what is asked for, by which means, and the looks at what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from ..backends.protocol import Backend
from ..call_context import CallContext
from ..concurrency.backoff import exponential_backoff
from ..errors.facade_errors import request_id_reused
from ..errors.status_error import StatusError
from ..errors.translate import OperationTarget
from .concurrency_limiter import ConcurrencyLimiter
from .ownership import Observation, observe
from .resource_kinds import ResourceKind
from .timeouts import SettleTimeouts


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

    resource: ResourceKind
    backend: Backend
    reader: Backend
    admission: ConcurrencyLimiter
    timing: SettleTimeouts


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
    call: CallContext
    subject: OperationTarget
    tag_value: str

    def has_time(self) -> bool:
        """Tells whether the rpc leaves time for one more read that explains."""
        return self.call.remaining() > self.means.timing.look

    def look(self) -> Observation:
        """Looks once for a resource of this name, and tells whose it is."""
        return observe(self.means.reader, self.means.resource, self.subject.name, self.tag_value)

    def settle(self) -> Observation:
        """Looks until the verdict is final or the time is up, and gives the last sighting."""
        timing = self.means.timing
        ends = min(timing.clock() + timing.settling, self.call.deadline)
        for pause in exponential_backoff():
            sighting = self.look()
            if sighting.final or timing.clock() + pause > ends:
                return sighting
            timing.sleep(pause)
        raise AssertionError("pauses never end")

    def reused(self) -> StatusError:
        """Refuses a request_id that made the resource of this name with another content."""
        return request_id_reused(self.means.resource.kind, self.subject.name, self.tag_value.split("/")[0])
