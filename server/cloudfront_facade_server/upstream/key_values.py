"""The operations of the data plane of key value stores."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Final

from ..backends.protocol import Arguments, Response
from ..call_context import CallContext, Progress
from ..concurrency.backoff import exponential_backoff
from ..concurrency.fair_semaphore import FairSemaphore
from ..concurrency.keyed_lock import KeyedLock
from ..errors import etag_sources
from ..errors.classify import UPSTREAM_ERRORS, UpstreamFailure, aws_code
from ..errors.facade_errors import deadline_too_short, validation_failed
from ..errors.operation_target import OperationTarget
from ..errors.redaction import redacted
from ..errors.status_error import StatusError
from ..errors.translate import is_outdated_data_etag, label, precondition, reclassify, upstream_metadata
from ..errors.violations import ValidationError
from .batches import Change, batch_arguments, batches
from .client import ETAG_MISMATCH, Operation, UpstreamClient
from .diagnostics.store_status import READY, import_failed, not_ready
from .required_member import RequiredMember
from .resource_kinds import KEY_VALUE_STORE
from .settling import AppliedCheck
from .waiting import take

_KEY: Final = "key"
_NOT_FOUND: Final = "ResourceNotFoundException"
_CONFLICT: Final = "ConflictException"
_INVALID: Final = "ValidationException"
_INVALID_ETAG: Final = "InvalidIfMatchVersion"

_ETAG: Final = RequiredMember(("ETag",))
_VALUE: Final = RequiredMember(("Value",))

_MAX_ATTEMPTS: Final = 8
"""Maximum attempts of a write without an etag while other callers write to the same store."""

_RETRY_AFTER_SECONDS: Final = 1.0


class KeyValues:
    """The operations of the data plane. Each takes its boto3 arguments and the call, and raises StatusError.

    The arguments of a write have `IfMatch` only if the caller sent an etag. Otherwise the etag is read.

    Args:
        client: The upstream client.
    """

    def __init__(self, client: UpstreamClient) -> None:
        self._client = client
        self._backend = client.backend
        self._lock = KeyedLock()

    def describe(self, arguments: Arguments, call: CallContext) -> Response:
        """Calls the data plane's DescribeKeyValueStore; redacts the failure reason."""
        response = self._read(call, self._backend.describe_key_value_store_data, arguments, _ETAG)
        return {**response, "FailureReason": redacted(response.get("FailureReason", ""), arguments)}

    def get(self, arguments: Arguments, call: CallContext) -> Response:
        """Calls GetKey."""
        return self._read(call, self._backend.get_key, arguments, _VALUE)

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

        def check_key_deleted() -> Response | None:
            try:
                self._backend.get_key(KvsARN=arguments["KvsARN"], Key=arguments["Key"])
            except UPSTREAM_ERRORS as error:
                if aws_code(error) == _NOT_FOUND:
                    return self._describe_settled(arguments)
                raise
            return None

        return self._write(call, self._backend.delete_key, arguments, check_key_deleted)

    def update(self, arguments: Arguments, changes: Iterable[Change], call: CallContext) -> tuple[Response, int]:
        """Calls UpdateKeys until all changes are applied; stops if the caller is gone.

        Args:
            arguments: `KvsARN`, and `IfMatch` if the caller sent an etag, which is for the first batch.
            changes: The changes in order, read as they are needed. Reading them may raise ValidationError.
            call: The rpc. Its progress counts the applied changes.

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
                    previous_etag=response.get("ETag", ""),
                )
                progress.applied += batch.changes
                progress.in_flight = 0
        except (StatusError, ValidationError) as error:
            failure = validation_failed(error.violations) if isinstance(error, ValidationError) else error
            raise call.annotate(failure) from None
        return response, progress.applied

    def _read(
        self, call: CallContext, operation: Operation, arguments: Arguments, required: RequiredMember | None = None
    ) -> Response:
        return self._client.read(
            call, operation, _target(arguments), required, explain=partial(self._explain, call, arguments)
        )

    def _write(
        self,
        call: CallContext,
        operation: Operation,
        arguments: Arguments,
        check_applied: AppliedCheck | None = None,
        *,
        previous_etag: str = "",
    ) -> Response:
        """Writes with the caller's etag. If the caller sent none, retries with the current etag until it matches.

        Args:
            call: The rpc.
            operation: A method of the backend.
            arguments: Its boto3 arguments, with `IfMatch` only if the caller sent an etag.
            check_applied: Reads whether the write was applied; None if no read can show it.
            previous_etag: The etag that the previous batch of the same rpc returned; empty for the first one.

        Raises:
            StatusError: The write failed.
        """
        if "IfMatch" in arguments:
            return self._write_version(call, operation, arguments, previous_etag)
        with self._lock.hold(arguments["KvsARN"], call.holder, partial(self._take_turn, call)):
            for attempt, delay in enumerate(exponential_backoff(), 1):
                etag = previous_etag if previous_etag and attempt == 1 else self._etag(call, arguments)
                try:
                    return self._change(call, operation, {**arguments, "IfMatch": etag}, check_applied)
                except StatusError as error:
                    if error.reason != ETAG_MISMATCH:
                        raise
                    if attempt == _MAX_ATTEMPTS:
                        target = _target(arguments)
                        message = f"other callers wrote to {label(target)} during each of {attempt} attempts; retry"
                        raise _mismatch_of_other_etag(error, target, message, _RETRY_AFTER_SECONDS) from None
                jitter = random.uniform(0.5, 1.0)  # noqa: S311 (jitter, not secrecy)
                self._client.timeouts.sleep(delay * jitter)
        raise AssertionError("backoff never ends")

    def _take_turn(self, call: CallContext, lock: FairSemaphore) -> None:
        """Waits until it is the turn of the rpc to write to the store; raises StatusError."""
        min_upstream_time = self._client.limiter.min_upstream_time
        if not take(lock, call, call.remaining() - min_upstream_time):
            raise deadline_too_short(min_upstream_time, call.remaining())

    def _write_version(
        self, call: CallContext, operation: Operation, arguments: Arguments, previous_etag: str
    ) -> Response:
        """Writes once, with the etag of the caller or, if there is one, of the previous batch."""
        # Never settled: a read cannot show whether this write or another one made the current version.
        if not previous_etag:
            return self._change(call, operation, arguments, None, is_callers_etag=True)
        try:
            return self._change(call, operation, {**arguments, "IfMatch": previous_etag}, None)
        except StatusError as error:
            if error.reason != ETAG_MISMATCH:
                raise
            target = _target(arguments)
            message = (
                f"another caller wrote to {label(target)} after the previous batch; "
                f"{target.etag_source} returns the current etag"
            )
            raise _mismatch_of_other_etag(error, target, message) from None

    def _change(
        self,
        call: CallContext,
        operation: Operation,
        arguments: Arguments,
        check_applied: AppliedCheck | None,
        *,
        is_callers_etag: bool = False,
    ) -> Response:
        return self._client.change(
            call,
            operation,
            _target(arguments),
            _ETAG,
            # After an applied write, its etag is outdated: a retry would report that nothing was applied.
            repeatable=False,
            check_applied=check_applied,
            explain=partial(self._explain, call, arguments, is_callers_etag=is_callers_etag),
        )

    def _etag(self, call: CallContext, arguments: Arguments) -> str:
        return str(self.describe({"KvsARN": arguments["KvsARN"]}, call)["ETag"])

    def _describe(self, arguments: Arguments) -> Response:
        """Describes the store in the form of a write's response; raises MalformedResponseError if it has no etag."""
        described = self._backend.describe_key_value_store_data(KvsARN=arguments["KvsARN"])
        _ETAG.check(described)
        return described

    def _describe_if_exists(self, arguments: Arguments) -> Response:
        """Describes the store; returns an empty response if it does not exist."""
        try:
            return self._describe(arguments)
        except UPSTREAM_ERRORS as error:
            if aws_code(error) == _NOT_FOUND:
                return {}
            raise

    def _describe_settled(self, arguments: Arguments) -> Response:
        """Describes the store without its etag, which may be that of a later write by another caller."""
        return {**self._describe(arguments), "ETag": ""}

    def _explain(
        self, call: CallContext, arguments: Arguments, failure: UpstreamFailure, *, is_callers_etag: bool = False
    ) -> StatusError | None:
        """Distinguishes the failures that have the same AWS code, by the state of the store."""
        if failure.aws_code not in (_NOT_FOUND, _CONFLICT, _INVALID) or is_outdated_data_etag(failure):
            return None
        described = self._client.probe(call, lambda: self._describe_if_exists(arguments))
        metadata = upstream_metadata(failure)
        arn = arguments["KvsARN"]
        if error := import_failed(arn, described or {}, arguments, {**metadata, "key_value_store_arn": arn}):
            return error
        if failure.aws_code == _NOT_FOUND:
            if "Key" not in arguments or described == {}:
                return reclassify(KEY_VALUE_STORE.not_found_code, failure, _target(arguments))
            return reclassify(_NOT_FOUND, failure, OperationTarget(_KEY, arguments["Key"], arguments))
        if not described:
            return None
        if failure.aws_code == _CONFLICT:
            status = described.get("Status") or READY
            return None if status == READY else not_ready(arn, status, metadata)
        is_malformed = is_callers_etag and described["ETag"] != arguments["IfMatch"]
        return reclassify(_INVALID_ETAG, failure, _target(arguments)) if is_malformed else None


def _target(arguments: Arguments) -> OperationTarget:
    return OperationTarget(KEY_VALUE_STORE.kind, arguments["KvsARN"], arguments, etag_sources.KEY_VALUE_STORE_DATA)


def _mismatch_of_other_etag(
    error: StatusError, target: OperationTarget, message: str, retry_after: float | None = None
) -> StatusError:
    """Returns the error for the mismatch of an etag that the caller did not send, so that it does not echo the etag."""
    metadata = {name: value for name, value in error.metadata.items() if name != "etag"}
    details = [precondition(error.reason, target.name, message)]
    return replace(error, message=message, metadata=metadata, details=details, retry_after=retry_after)
