"""Creates of functions and key value stores."""

from __future__ import annotations

from functools import partial

from ..backends.protocol import Arguments, Response
from ..call_context import CallContext
from ..errors.classify import UpstreamFailure
from ..errors.operation_target import OperationTarget
from ..errors.status_error import StatusError
from ..errors.translate import status_for_code
from . import request_tag
from .client import UpstreamClient
from .diagnostics import association
from .idempotent_create import IdempotentCreate
from .resource_kinds import ResourceKind
from .validate_only import check_create


class ResourceCreator:
    """Creates resources of one kind.

    Args:
        client: The upstream client.
        kind: The kind of the resources.
    """

    def __init__(self, client: UpstreamClient, kind: ResourceKind) -> None:
        self._client = client
        self._kind = kind

    def create(
        self, arguments: Arguments, request_id: str, call: CallContext, *, validate_only: bool = False
    ) -> Response:
        """Creates a resource, or finds the one that an earlier send of this request created.

        Args:
            arguments: The caller's boto3 arguments, including `Name`.
            request_id: The caller's id of this create. If it is empty, the create is sent once and not settled.
            call: The rpc.
            validate_only: Whether only to read if the create would succeed.

        Returns:
            boto3's response; without `Location` if an earlier send created the resource, empty for validate_only.

        Raises:
            StatusError: The create failed, or its outcome is unknown.
        """
        target = self._kind.target(arguments)
        tag_value = request_tag.value(request_id, arguments) if request_id else ""
        if not request_id and not validate_only:
            return self._create_once(target, call)
        with self._client.limiter.admit(call) as slot:
            create = IdempotentCreate(self._client, self._kind, call, slot, target, tag_value)
            return check_create(self._client, self._kind, call, create) if validate_only else create.run()

    def _create_once(self, target: OperationTarget, call: CallContext) -> Response:
        return self._client.change(
            call,
            self._kind.create(self._client.backend),
            target,
            self._kind.name,
            repeatable=False,
            explain=partial(self._explain, target, call),
        )

    def _explain(self, target: OperationTarget, call: CallContext, failure: UpstreamFailure) -> StatusError | None:
        """Returns the error for a conflict without a readable code, if the name is taken, or for an association."""
        if self._kind.may_exist(failure) and failure.aws_code != self._kind.exists_code:
            described = self._client.probe(call, lambda: self._kind.describe(self._client.backend, target.name))
            return status_for_code(self._kind.exists_code, target) if described else None
        return association.explain(self._client, call, target.arguments, failure)
