"""Reads the details of a status: messages of google.rpc in the trailer `grpc-status-details-bin`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

_Detail = TypeVar("_Detail", bound=Message)


@dataclass(frozen=True)
class ErrorDetails:
    """The details of a status, each an empty message if the status does not have it."""

    info: error_details_pb2.ErrorInfo
    bad_request: error_details_pb2.BadRequest
    precondition_failure: error_details_pb2.PreconditionFailure
    quota_failure: error_details_pb2.QuotaFailure
    resource_info: error_details_pb2.ResourceInfo
    retry_info: error_details_pb2.RetryInfo

    @classmethod
    def of(cls, error: Any) -> ErrorDetails:
        """Reads the details of a failed call, a `grpc.Call`."""
        status = _status(error)
        return cls(
            _detail(status, error_details_pb2.ErrorInfo),
            _detail(status, error_details_pb2.BadRequest),
            _detail(status, error_details_pb2.PreconditionFailure),
            _detail(status, error_details_pb2.QuotaFailure),
            _detail(status, error_details_pb2.ResourceInfo),
            _detail(status, error_details_pb2.RetryInfo),
        )

    def count(self, key: str) -> int | None:
        """Returns a number in the metadata; None if it is missing or malformed."""
        text = self.info.metadata.get(key, "")
        return int(text) if text.isascii() and text.isdecimal() else None

    @property
    def retry_delay(self) -> float | None:
        """The seconds to wait before a retry; None if the status does not advise one."""
        if not self.retry_info.HasField("retry_delay"):
            return None
        delay = self.retry_info.retry_delay
        return float(delay.seconds + delay.nanos / 1e9)


def _status(error: Any) -> status_pb2.Status:
    """Returns the status with its details; empty if it has none, or if they do not match its code and message."""
    try:
        status: status_pb2.Status | None = rpc_status.from_call(error)
    except (DecodeError, ValueError):
        status = None
    return status or status_pb2.Status()


def _detail(status: status_pb2.Status, kind: type[_Detail]) -> _Detail:
    """Returns the detail of one type, of which a status has at most one (AIP-193); empty if it is missing.

    A malformed detail counts as missing, so that it does not hide the error itself.
    """
    for packed in status.details:
        detail = kind()
        try:
            if packed.Unpack(detail):
                return detail
        except DecodeError:
            continue
    return kind()
