"""The data plane of key value stores."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Final

from ..backends.protocol import Arguments, Response
from ..call_context import CallContext, Progress
from ..concurrency.backoff import exponential_backoff
from ..concurrency.keyed_lock import KeyedLock
from ..errors.aws_codes import MalformedResponseError
from ..errors.classify import UPSTREAM_ERRORS, aws_code
from ..errors.facade_errors import validation_failed
from ..errors.redaction import redacted
from ..errors.status_error import StatusError
from ..errors.translate import OperationTarget, reclassify, upstream_metadata
from ..errors.violations import ValidationError
from .batches import Change, arguments, batches
from .client import ETAG_MISMATCH, AppliedCheck, Operation, UpstreamClient, is_deleted
from .diagnostics.store_status import READY, not_ready
from .key_value_stores import KIND

_KEY: Final = "key"
_MISSING: Final = "ResourceNotFoundException"
_CONFLICT: Final = "ConflictException"
_NO_STORE: Final = "EntityNotFound"

_TRIES: Final = 8
"""How often a write that names no version is tried while others write to the same store."""

_COME_BACK_SECONDS: Final = 1.0


class KeyValues:
    """The operations of the data plane. Each takes its boto3 arguments and the call, and raises StatusError.

    Writes take `IfMatch` where the caller names a version. Where it is absent, the version is read.
    """

    def __init__(self, upstream: UpstreamClient) -> None:
        self._upstream = upstream
        self._backend = upstream.backend
        self._reader = upstream.reader
        self._turns = KeyedLock()

    def describe(self, sent: Arguments, call: CallContext) -> Response:
        """The data plane's DescribeKeyValueStore; the reason of a failure without what is not the caller's."""
        response = self._read(call, self._backend.describe_key_value_store_data, sent, "ETag")
        return {**response, "FailureReason": redacted(response.get("FailureReason", ""), sent)}

    def get(self, sent: Arguments, call: CallContext) -> Response:
        """GetKey."""
        return self._read(call, self._backend.get_key, sent, "Value")

    def list(self, sent: Arguments, call: CallContext) -> Response:
        """ListKeys."""
        return self._read(call, self._backend.list_keys, sent)

    def put(self, sent: Arguments, call: CallContext) -> Response:
        """PutKey."""

        def is_put() -> Response | None:
            found = self._reader.get_key(KvsARN=sent["KvsARN"], Key=sent["Key"])
            return self._settled(sent) if found.get("Value") == sent["Value"] else None

        return self._write(call, self._backend.put_key, sent, is_put)

    def delete(self, sent: Arguments, call: CallContext) -> Response:
        """DeleteKey."""

        def is_deleted() -> Response | None:
            try:
                self._reader.get_key(KvsARN=sent["KvsARN"], Key=sent["Key"])
            except UPSTREAM_ERRORS as error:
                return self._settled(sent) if aws_code(error) == _MISSING else None
            return None

        return self._write(call, self._backend.delete_key, sent, is_deleted)

    def update(self, sent: Arguments, changes: Iterable[Change], call: CallContext) -> tuple[Response, int]:
        """UpdateKeys, as often as it takes for all changes; stops when nobody waits for it any more.

        Args:
            sent: `KvsARN`, and `IfMatch` where the caller names the version to begin with.
            changes: in order, looked at as they are needed; may raise ValidationError.
            call: the rpc; its progress tells what is applied.

        Returns:
            The answer to the last batch, and how many changes were applied.
        """
        response: Response = {}
        progress = call.progress = Progress()
        try:
            for batch in batches(changes):
                if call.abandoned:
                    break
                progress.in_flight = batch.changes
                response = self._write(
                    call, self._backend.update_keys, {**sent, **arguments(batch)}, guess=response.get("ETag", "")
                )
                if "IfMatch" in sent:
                    sent = {**sent, "IfMatch": response["ETag"]}
                progress.applied += batch.changes
                progress.in_flight = 0
        except (StatusError, ValidationError) as error:
            failure = validation_failed(error.violations) if isinstance(error, ValidationError) else error
            raise call.annotate(failure) from None
        return response, progress.applied

    def _read(self, call: CallContext, operation: Operation, sent: Arguments, *required: str) -> Response:
        return self._upstream.read(
            call, operation, _subject(sent), *required, explain=lambda error: self._explain(error, sent)
        )

    def _write(
        self,
        call: CallContext,
        operation: Operation,
        sent: Arguments,
        seen: AppliedCheck | None = None,
        *,
        guess: str = "",
    ) -> Response:
        """Writes to the version that is named; else to the one that is guessed, or read, until it is the store's."""
        if "IfMatch" in sent:
            # What is seen would not say of which version it is, nor whose.
            return self._change(call, operation, sent, None)
        with self._turns.hold(sent["KvsARN"]):
            for number, pause in enumerate(exponential_backoff(), 1):
                version = guess if guess and number == 1 else self._version(call, sent)
                try:
                    return self._change(call, operation, {**sent, "IfMatch": version}, seen)
                except StatusError as error:
                    if error.reason != ETAG_MISMATCH:
                        raise
                    if number == _TRIES:
                        error.retry_after = _COME_BACK_SECONDS  # no version of the caller's is wrong
                        raise
                self._upstream.timing.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 (spread, not secrecy)
        raise AssertionError("pauses never end")

    def _change(self, call: CallContext, operation: Operation, sent: Arguments, seen: AppliedCheck | None) -> Response:
        return self._upstream.change(
            call,
            operation,
            _subject(sent),
            "ETag",
            # Of one that was applied, the repeat would be answered as if it had not been: its version is gone.
            repeatable=False,
            seen=seen,
            explain=lambda error: self._explain(error, sent),
        )

    def _version(self, call: CallContext, sent: Arguments) -> str:
        return str(self.describe({"KvsARN": sent["KvsARN"]}, call)["ETag"])

    def _state(self, sent: Arguments) -> Response:
        """Describes the store as the answer to a write would have; raises UnreadableAnswerError without a version."""
        state = self._reader.describe_key_value_store_data(KvsARN=sent["KvsARN"])
        if "ETag" not in state:
            raise MalformedResponseError
        return state

    def _settled(self, sent: Arguments) -> Response:
        """Describes the store, without a version: the one that it has may be that of another's later write."""
        return {**self._state(sent), "ETag": ""}

    def _explain(self, error: Exception, sent: Arguments) -> StatusError | None:
        """Tells apart what has one code: a key or a store that is missing; another version, or a store not READY."""
        code = aws_code(error)
        if code not in (_MISSING, _CONFLICT):
            return None
        if code == _MISSING:
            is_store = "Key" not in sent or is_deleted(lambda _: self._state(sent), "", _MISSING) is not None
            if is_store:
                return reclassify(_NO_STORE, error, _subject(sent))
            return reclassify(_MISSING, error, OperationTarget(_KEY, sent["Key"], sent))
        status = (self._upstream.look(lambda: self._state(sent)) or {}).get("Status") or READY
        return None if status == READY else not_ready(sent["KvsARN"], status, upstream_metadata(error))


def _subject(sent: Arguments) -> OperationTarget:
    return OperationTarget(KIND, sent["KvsARN"], sent)
