"""Creates of one kind: the way in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..backends.protocol import Response
from ..call_context import CallContext
from ..errors.translate import OperationTarget
from . import request_tag
from .attempt import Attempt, Means
from .idempotent_create import IdempotentCreate
from .validate_only import check


class ResourceCreator:
    """Creates resources of one kind, each within the limit of calls that may be upstream."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def create(
        self, arguments: Mapping[str, Any], request_id: str, call: CallContext, *, validate_only: bool = False
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
        subject = OperationTarget(self._means.resource.kind, arguments["Name"], arguments)
        attempt = Attempt(self._means, call, subject, tag_value)
        with self._means.admission.admit(call):
            return check(attempt) if validate_only else IdempotentCreate(attempt).run()
