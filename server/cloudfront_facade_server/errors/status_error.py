"""The one exception that every failure of an rpc becomes, and the trailers it is sent as."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

FACADE_DOMAIN: Final = "cloudfront-facade"
"""ErrorInfo.domain of the service's own refusals."""

CLOUDFRONT_DOMAIN: Final = "cloudfront.amazonaws.com"
"""ErrorInfo.domain of what CloudFront or the credentials for it caused."""

NEVER_RETRY: Final = -1
"""The pushback that stops a client's retry policy (gRFC A6)."""

MAX_STATUS_BYTES: Final = 3_500
"""Bytes of `grpc-status-details-bin`. With the message beside it all trailers stay under 4 KiB as gRPC's C core sends
them to its own kind, and under 5.5 KiB in the base64 that other clients get; above 8 KiB gRPC drops them at random."""

MAX_MESSAGE_CHARACTERS: Final = 400
"""Characters of a status message, for it is sent twice."""

Outcome = Literal["not_applied", "applied", "partial", "unknown"]
Metadata = tuple[tuple[str, str | bytes], ...]


@dataclass
class StatusError(Exception):
    """An rpc fails with this status.

    Attributes:
        code: the gRPC status.
        reason: a name of ErrorReason without its prefix.
        message: what was wrong and what to do, for a person.
        domain: FACADE_DOMAIN or CLOUDFRONT_DOMAIN.
        outcome: whether the effect happened.
        metadata: every part of the message that varies; `operation` and `outcome` are added to it.
        details: google.rpc messages beside ErrorInfo and RetryInfo.
        retry_after: seconds after which a retry can help; None where it cannot.
        cause: what went wrong on the way upstream, for the log alone.
        pushback: milliseconds for the client's retry policy, NEVER_RETRY to stop it, None to leave it alone.
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
        """Gives the message alone."""
        return self.message

    def trailing_metadata(self, operation: str) -> Metadata:
        """Makes the trailers: the status with its details, within the size that reaches every client."""
        trailers: Metadata = (("grpc-status-details-bin", self._status(operation).SerializeToString()),)
        if self.pushback is not None:
            trailers += (("grpc-retry-pushback-ms", str(self.pushback)),)
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
    """Takes away what matters least: the last violation, then the last detail; False when only ErrorInfo is left."""
    last = details[-1]
    if isinstance(last, error_details_pb2.BadRequest) and len(last.field_violations) > 1:
        shorter = error_details_pb2.BadRequest(field_violations=last.field_violations[:-1])
        details[-1] = shorter
        return True
    if len(details) > 1:
        details.pop()
        return True
    return False
