"""`validate_only`: whether a create would be let through, as far as reads can tell."""

from __future__ import annotations

from ..backends.protocol import Response
from ..errors.aws_codes import MalformedResponseError
from ..errors.translate import from_upstream, status_for_code
from .attempt import Attempt
from .diagnostics import association


def check(attempt: Attempt) -> Response:
    """Tells whether the create would be let through.

    Returns:
        An empty response, for nothing was created.

    Raises:
        StatusError: the name is taken, the store to associate is not READY, or the reads failed.
    """
    means, subject = attempt.means, attempt.subject
    sighting = attempt.look()
    if sighting.verdict == "undecided" and attempt.tag_value:
        sighting = attempt.settle()
    match sighting.verdict:
        case "ours":
            return {}
        case "absent":
            if refusal := association.refusal(means.reader, subject.sent, {}, attempt.has_time):
                raise refusal
            return {}
        case "reused":
            raise attempt.reused()
        case "unreadable" if sighting.error:
            raise from_upstream(sighting.error, subject)
        case "undecided" if attempt.tag_value:
            raise from_upstream(MalformedResponseError(), subject)
        case _:
            raise status_for_code(means.resource.exists, subject)
