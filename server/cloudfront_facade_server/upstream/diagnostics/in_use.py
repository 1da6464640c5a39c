"""The distributions and functions that use a function or a store. The error of a rejected delete names them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

import grpc
from google.rpc import error_details_pb2

from ...call_context import CallContext
from ...errors.classify import UPSTREAM_ERRORS, UpstreamFailure
from ...errors.operation_target import OperationTarget
from ...errors.status_error import CLOUDFRONT_DOMAIN, StatusError
from ...errors.translate import label, upstream_metadata
from ..client import Operation, UpstreamClient

_MAX_LISTED: Final = 20
"""Maximum number of resources that the details list."""

_MAX_IN_MESSAGE: Final = 3
"""Maximum number of resources that the message names."""

_STAGES: Final = ("DEVELOPMENT", "LIVE")

Page = Mapping[str, Any]


def function_in_use(
    client: UpstreamClient, call: CallContext, target: OperationTarget, failure: UpstreamFailure
) -> StatusError | None:
    """Returns an error that names the distributions that use a function; None if the failure has another cause."""
    if failure.aws_code != "FunctionInUse":
        return None

    def distributions() -> Iterator[str]:
        described = client.probe(call, lambda: client.backend.describe_function(Name=target.name, Stage="DEVELOPMENT"))
        arn = (described or {})["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
        for page in _pages(client, call, client.backend.list_distributions, "DistributionList", {}):
            yield from (f"distribution {each['Id']}" for each in page.get("Items", ()) if _uses_function(each, arn))

    return _in_use("FUNCTION_IN_USE", failure, target, distributions())


def key_value_store_in_use(
    client: UpstreamClient, call: CallContext, target: OperationTarget, failure: UpstreamFailure
) -> StatusError | None:
    """Returns an error that names the functions that use a store; None if the failure has another cause."""
    if failure.aws_code != "CannotDeleteEntityWhileInUse":
        return None

    def functions() -> Iterator[str]:
        described = client.probe(call, lambda: client.backend.describe_key_value_store(Name=target.name))
        arn = (described or {})["KeyValueStore"]["ARN"]
        for stage in _STAGES:
            for page in _pages(client, call, client.backend.list_functions, "FunctionList", {"Stage": stage}):
                using = (each["Name"] for each in page.get("Items", ()) if _uses_store(each, arn))
                yield from (f"function {name} ({stage})" for name in using)

    return _in_use("KEY_VALUE_STORE_IN_USE", failure, target, functions())


def _pages(
    client: UpstreamClient, call: CallContext, operation: Operation, member: str, arguments: Mapping[str, str]
) -> Iterator[Page]:
    page: Page = {}
    while client.has_time_to_read(call):
        marker = {"Marker": page["NextMarker"]} if page else {}
        page = operation(**arguments, **marker)[member]
        yield page
        if not page.get("NextMarker"):
            return


def _uses_function(distribution: Mapping[str, Any], function_arn: str) -> bool:
    behaviors = [
        distribution.get("DefaultCacheBehavior", {}),
        *distribution.get("CacheBehaviors", {}).get("Items", ()),
    ]
    return any(
        association.get("FunctionARN") == function_arn
        for behavior in behaviors
        for association in behavior.get("FunctionAssociations", {}).get("Items", ())
    )


def _uses_store(function: Mapping[str, Any], store_arn: str) -> bool:
    associations = function.get("FunctionConfig", {}).get("KeyValueStoreAssociations", {}).get("Items", ())
    return any(association.get("KeyValueStoreARN") == store_arn for association in associations)


def _in_use(reason: str, failure: UpstreamFailure, target: OperationTarget, found: Iterator[str]) -> StatusError:
    used_by: list[str] = []
    with suppress(*UPSTREAM_ERRORS, KeyError):
        for resource in found:
            used_by.append(resource)  # noqa: PERF402 (keeps what was found before an error)
    message = f"{label(target)} is in use"
    if used_by:
        rest = len(used_by) - _MAX_IN_MESSAGE
        more = f" and {rest} more" if rest > 0 else ""
        message = f"{message} by {', '.join(used_by[:_MAX_IN_MESSAGE])}{more}"
    violation = error_details_pb2.PreconditionFailure.Violation
    return StatusError(
        grpc.StatusCode.FAILED_PRECONDITION,
        reason,
        message,
        domain=CLOUDFRONT_DOMAIN,
        metadata={**upstream_metadata(failure), "name": target.name},
        details=[
            error_details_pb2.PreconditionFailure(
                violations=[
                    violation(type=reason, subject=resource, description=f"uses {label(target)}")
                    for resource in used_by[:_MAX_LISTED] or [target.name]
                ]
            )
        ],
    )
