"""The data plane of key value stores."""

from __future__ import annotations

import random
from collections.abc import Iterable
from functools import partial
from typing import Final

from ..backends.protocol import Arguments, Response
from ..call_context import CallContext, Progress
from ..concurrency.backoff import exponential_backoff
from ..concurrency.keyed_lock import KeyedLock
from ..errors.aws_codes import MalformedResponseError
from ..errors.classify import UPSTREAM_ERRORS, UpstreamFailure, aws_code
from ..errors.facade_errors import validation_failed
from ..errors.redaction import redacted
from ..errors.status_error import StatusError
from ..errors.translate import reclassify, upstream_metadata
from ..errors.violations import ValidationError
from .batches import Change, batch_arguments, batches
from .client import ETAG_MISMATCH, AppliedCheck, Operation, UpstreamClient, is_deleted
from .diagnostics.store_status import READY, not_ready
from .key_value_stores import KIND
from .operation_target import OperationTarget

_KEY: Final = "key"
_NOT_FOUND: Final = "ResourceNotFoundException"
_CONFLICT: Final = "ConflictException"
_STORE_NOT_FOUND: Final = "EntityNotFound"

_MAX_ATTEMPTS: Final = 8
"""Maximum attempts of a write without an etag while others write to the same store."""

_RETRY_AFTER_SECONDS: Final = 1.0


class KeyValues:
    """The operations of the data plane. Each takes its boto3 arguments and the call, and raises StatusError.

    Writes take `IfMatch` if the caller sent an etag. If it is absent, the etag is read.

    Args:
        client: The upstream client.
    """

    def __init__(self, client: UpstreamClient) -> None:
        self._client = client
        self._backend = client.backend
        self._lock = KeyedLock()

    def describe(self, arguments: Arguments, call: CallContext) -> Response:
        """Calls the data plane's DescribeKeyValueStore; redacts the reason of a failure."""
        response = self._read(call, self._backend.describe_key_value_store_data, arguments, "ETag")
        return {**response, "FailureReason": redacted(response.get("FailureReason", ""), arguments)}

    def get(self, arguments: Arguments, call: CallContext) -> Response:
        """Calls GetKey."""
        return self._read(call, self._backend.get_key, arguments, "Value")

    def list(self, arguments: Arguments, call: CallContext) -> Response:
        """Calls ListKeys."""
        return self._read(call, self._backend.list_keys, arguments)

    def put(self, arguments: Arguments, call: CallContext) -> Response:
        """Calls PutKey."""

        def check_put() -> Response | None:
            found = self._backend.get_key(KvsARN=arguments["KvsARN"], Key=arguments["Key"])
            return self._describe_settled(arguments) if found.get("Value") == arguments["Value"] else None

        return self._write(call, self._backend.put_key, arguments, check_put)

    def delete(self, arguments: Arguments, call: CallContext) -> Response:
        """Calls DeleteKey."""

        def check_deleted() -> Response | None:
            try:
                self._backend.get_key(KvsARN=arguments["KvsARN"], Key=arguments["Key"])
            except UPSTREAM_ERRORS as error:
                return self._describe_settled(arguments) if aws_code(error) == _NOT_FOUND else None
            return None

        return self._write(call, self._backend.delete_key, arguments, check_deleted)

    def update(self, arguments: Arguments, changes: Iterable[Change], call: CallContext) -> tuple[Response, int]:
        """Calls UpdateKeys until all changes are applied; stops if the caller is gone.

        Args:
            arguments: `KvsARN`, and `IfMatch` if the caller sent the etag to begin with.
            changes: The changes in order, read only as they are needed; may raise ValidationError.
            call: The rpc; its progress counts the applied changes.

        Returns:
            The response to the last batch, and how many changes were applied.
        """
        response: Response = {}
        progress = call.progress = Progress()
        try:
            for batch in batches(changes):
                if call.abandoned:
                    break
                progress.in_flight = batch.changes
                response = self._write(
                    call,
                    self._backend.update_keys,
                    {**arguments, **batch_arguments(batch)},
                    likely_etag=response.get("ETag", ""),
                )
                if "IfMatch" in arguments:
                    arguments = {**arguments, "IfMatch": response["ETag"]}
                progress.applied += batch.changes
                progress.in_flight = 0
        except (StatusError, ValidationError) as error:
            failure = validation_failed(error.violations) if isinstance(error, ValidationError) else error
            raise call.annotate(failure) from None
        return response, progress.applied

    def _read(self, call: CallContext, operation: Operation, arguments: Arguments, *required: str) -> Response:
        return self._client.read(
            call, operation, _target(arguments), *required, explain=partial(self._explain, arguments)
        )

    def _write(
        self,
        call: CallContext,
        operation: Operation,
        arguments: Arguments,
        check_applied: AppliedCheck | None = None,
        *,
        likely_etag: str = "",
    ) -> Response:
        """Writes with the caller's etag; without one, with the likely one or one that is read, until it matches."""
        if "IfMatch" in arguments:
            # A read would not show whether the version with this value is the one that this write made.
            return self._change(call, operation, arguments, None)
        with self._lock.hold(arguments["KvsARN"]):
            for attempt, delay in enumerate(exponential_backoff(), 1):
                etag = likely_etag if likely_etag and attempt == 1 else self._etag(call, arguments)
                try:
                    return self._change(call, operation, {**arguments, "IfMatch": etag}, check_applied)
                except StatusError as error:
                    if error.reason != ETAG_MISMATCH:
                        raise
                    if attempt == _MAX_ATTEMPTS:
                        error.retry_after = _RETRY_AFTER_SECONDS  # The caller sent no etag that could be wrong.
                        raise
                jitter = random.uniform(0.5, 1.0)  # noqa: S311 (jitter, not secrecy)
                self._client.timeouts.sleep(delay * jitter)
        raise AssertionError("backoff never ends")

    def _change(
        self, call: CallContext, operation: Operation, arguments: Arguments, check_applied: AppliedCheck | None
    ) -> Response:
        return self._client.change(
            call,
            operation,
            _target(arguments),
            "ETag",
            # A retry of an applied write fails as if it was not applied, because its etag is outdated.
            repeatable=False,
            check_applied=check_applied,
            explain=partial(self._explain, arguments),
        )

    def _etag(self, call: CallContext, arguments: Arguments) -> str:
        return str(self.describe({"KvsARN": arguments["KvsARN"]}, call)["ETag"])

    def _describe(self, arguments: Arguments) -> Response:
        """Describes the store as the response to a write would; raises MalformedResponseError without an etag."""
        described = self._backend.describe_key_value_store_data(KvsARN=arguments["KvsARN"])
        if "ETag" not in described:
            raise MalformedResponseError
        return described

    def _describe_settled(self, arguments: Arguments) -> Response:
        """Describes the store without its etag, which may already belong to somebody else's later write."""
        return {**self._describe(arguments), "ETag": ""}

    def _explain(self, arguments: Arguments, failure: UpstreamFailure) -> StatusError | None:
        """Distinguishes what has one code: a missing key or store; an etag mismatch or a store that is not READY."""
        if failure.aws_code == _NOT_FOUND:
            if "Key" not in arguments or is_deleted(self._describe, arguments, _NOT_FOUND) is not None:
                return reclassify(_STORE_NOT_FOUND, failure, _target(arguments))
            return reclassify(_NOT_FOUND, failure, OperationTarget(_KEY, arguments["Key"], arguments))
        if failure.aws_code == _CONFLICT:
            status = (self._client.probe(lambda: self._describe(arguments)) or {}).get("Status") or READY
            return None if status == READY else not_ready(arguments["KvsARN"], status, upstream_metadata(failure))
        return None


def _target(arguments: Arguments) -> OperationTarget:
    return OperationTarget(KIND, arguments["KvsARN"], arguments)
