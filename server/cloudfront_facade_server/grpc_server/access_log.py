"""The access log: one line for each rpc, written when the rpc ends.

Only this module writes it. The lines of unknown methods, undecodable requests and exceptions outside servicers have the
same fields as all others. Health checks and reflection calls are logged only if they fail.
"""

from __future__ import annotations

from typing import Any, Final

import structlog

from ..call_context import CallContext
from ..errors.status_error import StatusError
from ..logs import exception_location

_LOGGED_METADATA: Final = ("aws_http_status", "aws_code", "aws_action")

_log = structlog.get_logger()


def log_rpc(
    call: CallContext, arrived: float, failure: StatusError | None = None, error: BaseException | None = None
) -> None:
    """Writes the line of an rpc. It never contains the text of an exception.

    Args:
        call: The rpc.
        arrived: The time on the call's clock at which its first request was received.
        failure: The status that the caller received, or would have received; None for OK.
        error: The exception behind `failure`.
    """
    fields: dict[str, Any] = {
        "method": call.operation,
        "caller": call.caller,
        "status": failure.code.name if failure else "OK",
        "duration_ms": round((call.clock() - arrived) * 1000, 1),
        "outcome": call.overall_outcome if failure else call.outcome,
        **call.change_counts(),
    }
    if call.aws_request_id:
        fields["aws_request_id"] = call.aws_request_id
    if failure is None:
        _log.info("rpc", **fields)
        return
    if failure.reason:
        fields["reason"] = failure.reason
    fields |= {key: failure.metadata[key] for key in _LOGGED_METADATA if key in failure.metadata}
    if failure.cause:
        fields["cause"] = failure.cause
    if failure.reason == "INTERNAL":
        if error and error is not failure:
            fields |= exception_location(error)
        _log.error("rpc", **fields)
    elif failure.reason.startswith("UPSTREAM_") or call.outcome == "unknown":
        _log.warning("rpc", **fields)
    else:
        _log.info("rpc", **fields)
