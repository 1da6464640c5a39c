"""What every call is given on its way, blocking or not: a deadline and a `request_id`."""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from cloudfront_facade.service_config import LONGEST_DEADLINE, is_long_running


@dataclass(frozen=True)
class Defaults:
    """What a call gets where it has none of its own.

    Attributes:
        deadline: Seconds that a call may take; None for as long as it takes.
        request_ids: Whether creates get a `request_id`.

    Raises:
        ValueError: The deadline is no time above zero.
    """

    deadline: float | None
    request_ids: bool

    def __post_init__(self) -> None:
        if self.deadline is not None and not 0 < self.deadline < math.inf:
            raise ValueError(f"a deadline is above zero, or None for as long as it takes, not {self.deadline}")

    def timeout(self, method: str | bytes) -> float | None:
        """The seconds that a call of this method may take: those that may last are not cut off with the others."""
        name = method.decode() if isinstance(method, bytes) else method
        return max(self.deadline, LONGEST_DEADLINE) if self.deadline and is_long_running(name) else self.deadline

    def fill(self, request: Any) -> Any:
        """A copy of the request with a new id, where it has room for one and none yet; else the request itself."""
        if not self.request_ids or not isinstance(request, Message):
            return request
        if "request_id" not in request.DESCRIPTOR.fields_by_name:
            return request
        filled: Any = type(request)()
        filled.CopyFrom(request)
        filled.request_id = filled.request_id or str(uuid.uuid4())
        return filled


def request_id_of(request: Any) -> str:
    """The `request_id` that a request was sent with; empty where it has none."""
    return getattr(request, "request_id", "")
