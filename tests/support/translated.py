"""An exception of a backend as the caller of an rpc receives it, without a server."""

from __future__ import annotations

from typing import Final

from google.rpc import status_pb2

from cloudfront_facade_server.errors.classify import classify
from cloudfront_facade_server.errors.operation_target import OperationTarget
from cloudfront_facade_server.errors.translate import translate

from .facade import Failure, decoded
from .values import STORE_ARN

TARGET: Final = OperationTarget(
    "function", "rewrite", {"Name": "rewrite", "FunctionConfig": {"KeyValueStoreARN": STORE_ARN}}
)
"""The function that the failed call was about."""


def translated(error: Exception) -> Failure:
    """Translates an exception of CreateFunction, and decodes the status from its trailers."""
    status_error = translate(classify(error), TARGET)
    trailers = dict(status_error.trailing_metadata("CreateFunction"))
    packed = trailers["grpc-status-details-bin"]
    assert isinstance(packed, bytes)
    status = status_pb2.Status.FromString(packed)
    assert (status.code, status.message) == (status_error.code.value[0], status_error.message)
    return decoded(status_error.code, status.message, status, trailers)


def everything_in(failure: Failure) -> str:
    """Returns all text that a caller can read."""
    packed = failure.trailers["grpc-status-details-bin"]
    assert isinstance(packed, bytes)
    return failure.message + packed.decode(errors="replace") + repr(failure.metadata)
