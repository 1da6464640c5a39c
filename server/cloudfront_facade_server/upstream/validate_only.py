"""`validate_only`: checks by reads whether a create would succeed."""

from __future__ import annotations

from ..backends.protocol import Response
from ..backends.timeouts import short_timeouts
from ..call_context import CallContext
from ..errors.aws_codes import MalformedResponseError
from ..errors.classify import classify
from ..errors.translate import status_for_code, translate
from .client import UpstreamClient
from .diagnostics import association
from .idempotent_create import IdempotentCreate
from .ownership import Ownership
from .resource_kinds import ResourceKind


def check_create(client: UpstreamClient, kind: ResourceKind, call: CallContext, create: IdempotentCreate) -> Response:
    """Checks whether a create would succeed. The other arguments are those of the create.

    Returns:
        An empty response, because nothing was created.

    Raises:
        StatusError: The create would fail, or the reads failed.
    """
    target, tag_value = create.target, create.tag_value
    with short_timeouts():
        observation = create.observe()
        if observation.ownership is Ownership.UNDECIDED and tag_value:
            observation = create.settle()
        match observation.ownership:
            case Ownership.OURS:
                return {}
            case Ownership.ABSENT:
                if error := association.check(client, call, target.arguments, {}):
                    raise error
                return {}
            case Ownership.REQUEST_ID_REUSED:
                raise create.request_id_reused()
            case Ownership.UNREADABLE if observation.failure:
                raise translate(observation.failure, target)
            case Ownership.UNDECIDED if tag_value:
                raise translate(classify(MalformedResponseError()), target)
    raise status_for_code(kind.exists_code, target)
