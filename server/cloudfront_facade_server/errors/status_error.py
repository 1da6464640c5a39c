"""The exception that every failure of an rpc becomes, and its trailers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

FACADE_DOMAIN: Final = "cloudfront-facade"
"""ErrorInfo.domain of the facade's own errors."""

CLOUDFRONT_DOMAIN: Final = "cloudfront.amazonaws.com"
"""ErrorInfo.domain of errors that CloudFront or the credentials for it caused."""

NEVER_RETRY: Final = -1
"""The pushback that stops a client's retry policy (gRFC A6)."""

MAX_STATUS_BYTES: Final = 3_500
"""Maximum bytes of `grpc-status-details-bin`. All trailers then stay under 4 KiB between two gRPC C cores, and under
5.5 KiB in base64, which other clients receive. Above 8 KiB, gRPC drops trailers at random."""

MAX_MESSAGE_CHARACTERS: Final = 400
"""Maximum characters of a status message, which is in two trailers."""

Outcome = Literal["not_applied", "applied", "partial", "unknown"]
Metadata = tuple[tuple[str, str | bytes], ...]


@dataclass
class StatusError(Exception):
    """An rpc fails with this status.

    Attributes:
        code: The gRPC status.
        reason: A name of ErrorReason without its prefix.
        message: What is wrong and what to do, for people.
        domain: FACADE_DOMAIN or CLOUDFRONT_DOMAIN.
        outcome: Whether the change was applied.
        metadata: Every variable part of the message; the trailers add `operation` and `outcome`.
        details: The google.rpc messages in addition to ErrorInfo and RetryInfo.
        retry_after: Seconds after which a retry can help; None if it cannot.
        pushback: Milliseconds before the client's retry policy retries; NEVER_RETRY stops it, None leaves it alone.
        cause: What failed upstream, only for the log.
    """

    code: grpc.StatusCode
    reason: str
    message: str
    domain: str = FACADE_DOMAIN
    outcome: Outcome = "not_applied"
    metadata: Mapping[str, str] = field(default_factory=dict)
    details: Iterable[Message] = ()
    retry_after: float | None = None
    pushback: int | None = None
    cause: str = ""

    def __str__(self) -> str:
        """Returns only the message."""
        return self.message

    def trailing_metadata(self, operation: str) -> Metadata:
        """Returns the trailers: the status with its details, within the size that reaches every client."""
        trailers: Metadata = (("grpc-status-details-bin", self._status(operation).SerializeToString()),)
        if self.pushback is not None:
            # A client of grpcio 1.83.2 that receives a 0 never ends the call.
            trailers += (("grpc-retry-pushback-ms", str(self.pushback or 1)),)
        return trailers

    def _status(self, operation: str) -> status_pb2.Status:
        info = error_details_pb2.ErrorInfo(
            reason=self.reason,
            domain=self.domain,
            metadata={**self.metadata, "operation": operation, "outcome": self.outcome},
        )
        details: list[Message] = [info]
        if self.retry_after is not None:
            delay = Duration()
            delay.FromMilliseconds(round(self.retry_after * 1000))
            details.append(error_details_pb2.RetryInfo(retry_delay=delay))
        details.extend(self.details)
        while True:
            status = status_pb2.Status(code=self.code.value[0], message=self.message)
            for detail in details:
                status.details.add().Pack(detail)
            if status.ByteSize() <= MAX_STATUS_BYTES or not _shorten(details):
                return status


def _shorten(details: list[Message]) -> bool:
    """Removes the last violation, or else the last detail. Returns False if only ErrorInfo is left."""
    last = details[-1]
    if isinstance(last, error_details_pb2.BadRequest) and len(last.field_violations) > 1:
        details[-1] = error_details_pb2.BadRequest(field_violations=last.field_violations[:-1])
        return True
    if isinstance(last, error_details_pb2.PreconditionFailure) and len(last.violations) > 1:
        details[-1] = error_details_pb2.PreconditionFailure(violations=last.violations[:-1])
        return True
    if len(details) > 1:
        details.pop()
        return True
    return False
