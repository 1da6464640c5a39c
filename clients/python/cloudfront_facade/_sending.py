"""Whether the request of a failed call may have left this process."""

from __future__ import annotations

import re
from typing import Any

import grpc

_NO_CONNECTION = re.compile(
    # Load balancing by round_robin and by pick_first; names, by newer and by older versions of gRPC.
    r"connections to all backends failing; |failed to connect to all addresses|errors resolving |DNS resolution failed "
)
"""How gRPC's own messages begin if an attempt found no server to send to."""


def may_be_sent(code: grpc.StatusCode, details: str | None, trailers: Any, *, connected: bool) -> bool:
    """Returns whether a failed call may have been sent.

    gRPC reports only the last of several attempts. If that one found no server, an earlier one may have been sent over
    a connection that has broken since.

    Args:
        code: The code of the status.
        details: The message of the status.
        trailers: The trailing metadata. A status without any may be gRPC's own.
        connected: Whether the channel was connected when the call began.
    """
    return (
        connected
        or code is not grpc.StatusCode.UNAVAILABLE
        or bool(trailers)
        or not _NO_CONNECTION.match(details or "")
    )
