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

_REFUSED = re.compile(r"Received RST_STREAM with error code 7\b")
"""What gRPC's own messages contain if the server did not look at the request: REFUSED_STREAM of HTTP/2."""


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
    return connected or not (_is_from_grpc(code, trailers) and _NO_CONNECTION.match(details or ""))


def attempt_may_be_sent(code: grpc.StatusCode, details: str | None, trailers: Any) -> bool:
    """Returns whether a server may have received a failed call of which gRPC made only one attempt.

    Args:
        code: The code of the status.
        details: The message of the status.
        trailers: The trailing metadata. A status without any may be gRPC's own.
    """
    text = details or ""
    return not (_is_from_grpc(code, trailers) and (_NO_CONNECTION.match(text) or _REFUSED.search(text)))


def _is_from_grpc(code: grpc.StatusCode, trailers: Any) -> bool:
    return code is grpc.StatusCode.UNAVAILABLE and not trailers
