"""Whether a server may have processed the request of a failed call."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import grpc

_NO_CONNECTION = re.compile(
    # Load balancing by round_robin and by pick_first; names, by newer and by older versions of gRPC.
    r"connections to all backends failing; |failed to connect to all addresses|errors resolving |DNS resolution failed "
)
"""How gRPC's own messages begin if an attempt found no server to send to."""

_REFUSED = re.compile(r"Received RST_STREAM with error code 7\b")
"""What gRPC's own messages contain if the server did not process the request: REFUSED_STREAM (RFC 9113, 8.7)."""

_REJECTED = re.compile(
    # The channel's options or target are invalid, so it sends nothing.
    r"Failed to create (?:client )?channel\b"
    # The server rejects a call by its first headers. Only the headers of a request have a path: older versions of gRPC
    # reject the metadata of a response, after the request was processed, with the same words.
    r"|received metadata size exceeds (?:hard|soft) limit \([0-9]+ vs\. [0-9]+\); +:path:"
    r"|Compression algorithm '[^']*' is disabled\.$"
)
"""How gRPC's own messages begin if a call was rejected before its first message was read."""

_TOO_LARGE = re.compile(r"SERVER: Received message larger than max|CLIENT: Sent message larger than max")
"""How gRPC's own messages begin if a message of the request was too large. For a response, client and server, or the
verbs, are exchanged."""


@dataclass(frozen=True)
class Sending:
    """How a call is sent. The defaults are for a call of which nothing is known.

    Attributes:
        retried: Whether gRPC may have sent the call several times. It reports only the last attempt. If that one found
            no server, an earlier one may have been sent over a connection that has broken since.
        streaming: Whether the call has a stream of requests, the first of which may have been processed.
    """

    retried: bool = True
    streaming: bool = True

    def may_be_processed(self, code: grpc.StatusCode, details: str | None, trailers: Any) -> bool:
        """Returns whether a server may have processed the request, or a part of it.

        A request that is rejected because of its size, or of its headers, is assumed to be rejected by all replicas.

        Args:
            code: The code of the status.
            details: The message of the status.
            trailers: The trailing metadata. A status without any may be gRPC's own.
        """
        text = details or ""
        if trailers:
            return True
        if _REJECTED.match(text) or (not self.streaming and _TOO_LARGE.match(text)):
            return False
        if code is not grpc.StatusCode.UNAVAILABLE:
            return True
        return self.retried or not (_NO_CONNECTION.match(text) or _REFUSED.search(text))
