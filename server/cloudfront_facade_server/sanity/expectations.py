"""Assertions of cases, and descriptions of failures."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2
from grpc_status import rpc_status


class CaseFailedError(Exception):
    """The server does not behave as expected. The message describes what it does."""


def check(condition: object, failure: str) -> None:
    """Raises CaseFailedError with the message `failure` unless a condition is true."""
    if not condition:
        raise CaseFailedError(failure)


def check_equal(actual: object, expected: object, subject: str) -> None:
    """Raises CaseFailedError unless two values are equal; `subject` names the value in the message."""
    check(actual == expected, f"{subject} is {actual!a}, not {expected!a}")


class Details(dict[str, Any]):
    """The google.rpc details of an error, by message name. The look-up of a missing one raises CaseFailedError."""

    def __missing__(self, kind: str) -> NoReturn:
        raise CaseFailedError(f"the error has no google.rpc.{kind}; it has {', '.join(sorted(self)) or 'no details'}")


def check_fails(call: Callable[[], object], code: grpc.StatusCode, reason: str) -> Details:
    """Makes a call that must fail with this code and reason.

    Returns:
        The details of the error.

    Raises:
        CaseFailedError: The call succeeds, or fails with another code or reason.
    """
    try:
        call()
    except grpc.RpcError as error:
        details = details_of(error)
        actual = (code_of(error), details["ErrorInfo"].reason if "ErrorInfo" in details else "no ErrorInfo")
        check(actual == (code, reason), f"it fails with {describe_error(error)}; expected {code.name} {reason}")
        return details
    raise CaseFailedError(f"it returns OK; expected {code.name} {reason}")


def details_of(error: grpc.RpcError) -> Details:
    """Returns the google.rpc details of an error, except those that cannot be decoded."""
    details = Details()
    with suppress(DecodeError, ValueError):
        status: Any = rpc_status.from_call(error) if isinstance(error, grpc.Call) else None
        for packed in status.details if status else ():
            kind = packed.TypeName().removeprefix("google.rpc.")
            if kind in error_details_pb2.DESCRIPTOR.message_types_by_name:
                message = getattr(error_details_pb2, kind)()
                packed.Unpack(message)
                details[kind] = message
    return details


def describe_error(error: grpc.RpcError) -> str:
    """Returns the code, the reason and the message of an error in one line."""
    code, text = code_of(error), error.details() if isinstance(error, grpc.Call) else str(error)
    info = details_of(error).get("ErrorInfo")
    names = [code.name if code else "UNKNOWN", *([info.reason] if info else [])]
    return " ".join(f"{' '.join(names)}: {text}".split())


def code_of(error: grpc.RpcError) -> grpc.StatusCode | None:
    """Returns the status code of an error; None if the error is not from a call."""
    return error.code() if isinstance(error, grpc.Call) else None
