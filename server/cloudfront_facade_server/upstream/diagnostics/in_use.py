"""Who uses a function or a store, as far as the service's role may see: told where a delete is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

import grpc
from google.rpc import error_details_pb2

from ...backends.protocol import Backend
from ...errors.classify import UPSTREAM_ERRORS
from ...errors.status_error import CLOUDFRONT_DOMAIN, StatusError
from ...errors.translate import OperationTarget, upstream_metadata
from ..timeouts import HasTime

_SHOWN: Final = 20
"""Users that an error names."""

_STAGES: Final = ("DEVELOPMENT", "LIVE")

Page = Mapping[str, Any]


def function_in_use(reader: Backend, error: Exception, subject: OperationTarget, has_time: HasTime) -> StatusError:
    """Refuses to delete a function, and names the distributions that use it."""

    def distributions() -> Iterator[str]:
        arn = reader.describe_function(Name=subject.name, Stage="DEVELOPMENT")["FunctionSummary"]["FunctionMetadata"][
            "FunctionARN"
        ]
        for page in _pages(reader.list_distributions, "DistributionList", has_time, {}):
            yield from (f"distribution {each['Id']}" for each in page.get("Items", ()) if _calls(each, arn))

    return _in_use("FUNCTION_IN_USE", error, subject, distributions())


def key_value_store_in_use(
    reader: Backend, error: Exception, subject: OperationTarget, has_time: HasTime
) -> StatusError:
    """Refuses to delete a store, and names the functions that are associated with it."""

    def functions() -> Iterator[str]:
        arn = reader.describe_key_value_store(Name=subject.name)["KeyValueStore"]["ARN"]
        for stage in _STAGES:
            for page in _pages(reader.list_functions, "FunctionList", has_time, {"Stage": stage}):
                yield from (f"function {each['Name']} ({stage})" for each in page.get("Items", ()) if _reads(each, arn))

    return _in_use("KEY_VALUE_STORE_IN_USE", error, subject, functions())


def _pages(
    operation: Callable[..., Mapping[str, Any]], member: str, has_time: HasTime, arguments: Mapping[str, str]
) -> Iterator[Page]:
    page: Page = {}
    while has_time():
        marker = {"Marker": page["NextMarker"]} if page else {}
        page = operation(**arguments, **marker)[member]
        yield page
        if not page.get("NextMarker"):
            return


def _calls(distribution: Mapping[str, Any], function_arn: str) -> bool:
    behaviours = [
        distribution.get("DefaultCacheBehavior", {}),
        *distribution.get("CacheBehaviors", {}).get("Items", ()),
    ]
    return any(
        association.get("FunctionARN") == function_arn
        for behaviour in behaviours
        for association in behaviour.get("FunctionAssociations", {}).get("Items", ())
    )


def _reads(function: Mapping[str, Any], store_arn: str) -> bool:
    associations = function.get("FunctionConfig", {}).get("KeyValueStoreAssociations", {}).get("Items", ())
    return any(association.get("KeyValueStoreARN") == store_arn for association in associations)


def _in_use(reason: str, error: Exception, subject: OperationTarget, found: Iterator[str]) -> StatusError:
    users: list[str] = []
    with suppress(*UPSTREAM_ERRORS, KeyError):  # what was found before is told
        for user in found:
            users.append(user)  # noqa: PERF402 (an error must not take away what was found)
    message = f"the {subject.kind} {subject.name!a} is in use"
    if users:
        more = f" and {len(users) - 3} more" if len(users) > 3 else ""
        message = f"{message} by {', '.join(users[:3])}{more}"
    return StatusError(
        grpc.StatusCode.FAILED_PRECONDITION,
        reason,
        message,
        domain=CLOUDFRONT_DOMAIN,
        metadata={**upstream_metadata(error), "name": subject.name},
        details=[
            error_details_pb2.PreconditionFailure(
                violations=[
                    error_details_pb2.PreconditionFailure.Violation(
                        type=reason, subject=user, description=f"uses the {subject.kind} {subject.name}"
                    )
                    for user in users[:_SHOWN] or [subject.name]
                ]
            )
        ],
    )
