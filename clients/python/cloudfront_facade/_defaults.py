"""The defaults of every call, blocking or asyncio: a deadline and a `request_id`."""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from cloudfront_facade._argument_checks import check_flag, check_number, check_seconds
from cloudfront_facade._service_config import LONGEST_DEADLINE, is_long_running

LONGEST_TIMEOUT = 365 * 86_400.0
"""Seconds of a year. From 7.4e9 seconds on, gRPC's clock overflows and the call ends with DEADLINE_EXCEEDED."""


@dataclass(frozen=True)
class CallDefaults:
    """The defaults of a client's calls.

    Attributes:
        deadline: Seconds that a call may take; None or infinity for the longest that the server allows.
        request_ids: Whether creates get a `request_id`.

    Raises:
        TypeError: The deadline is not a number, or `request_ids` is not a bool.
        ValueError: The deadline is not above zero.
    """

    deadline: float | None
    request_ids: bool

    def __post_init__(self) -> None:
        check_flag("request_ids", self.request_ids)
        check_number("deadline", self.deadline)
        if self.deadline is not None and not self.deadline > 0:
            raise ValueError(
                f"deadline must be above zero, or None for the longest that the server allows, not {self.deadline}"
            )

    def timeout(self, method: str | bytes, given: float | None = None) -> float:
        """Returns the seconds that a call of a method may take.

        Args:
            method: The path of the method. Long-running methods have a longer default.
            given: The timeout of the call itself; None for the default.

        Raises:
            ValueError: The timeout of the call is NaN or negative.
        """
        if given is not None:
            return finite_timeout(given)
        # Without a deadline, the server would apply its own default, which is short.
        deadline = finite_timeout(math.inf if self.deadline is None else self.deadline)
        name = method.decode() if isinstance(method, bytes) else method
        return max(deadline, LONGEST_DEADLINE) if is_long_running(name) else deadline

    def with_request_id(self, request: Any) -> Any:
        """Returns a copy of a request with a new `request_id`, or the request itself if it does not need one."""
        if not self.request_ids or not isinstance(request, Message):
            return request
        if "request_id" not in request.DESCRIPTOR.fields_by_name:
            return request
        copy: Any = type(request)()
        copy.CopyFrom(request)
        copy.request_id = copy.request_id or str(uuid.uuid4())
        return copy


def finite_timeout(timeout: float) -> float:
    """Returns a timeout that gRPC can represent; one that is too long, or infinite, becomes LONGEST_TIMEOUT.

    Raises:
        TypeError: It is not a number.
        ValueError: It is NaN or negative.
    """
    check_seconds("timeout", timeout)
    if math.isnan(timeout):
        raise ValueError("timeout must be a number of seconds, math.inf for the longest, or None, not nan")
    return min(timeout, LONGEST_TIMEOUT)


def request_id_of(request: Any) -> str:
    """Returns the `request_id` of a request; empty if it does not have one."""
    return getattr(request, "request_id", "")
