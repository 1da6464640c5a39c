"""The operations on functions, except creates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, Literal

import grpc
from google.rpc import error_details_pb2

from ..backends.protocol import Arguments, Response
from ..call_context import CallContext
from ..errors import etag_sources
from ..errors.classify import UpstreamFailure
from ..errors.operation_target import OperationTarget
from ..errors.status_error import CLOUDFRONT_DOMAIN, StatusError
from ..errors.translate import label, upstream_metadata
from .client import UpstreamClient
from .diagnostics import association
from .diagnostics.in_use import function_in_use
from .required_member import RequiredMember
from .resource_kinds import FUNCTION
from .settling import check_deleted
from .versioned_changes import VersionedChanges

_DEVELOPMENT: Final = "DEVELOPMENT"
_LIVE: Final = "LIVE"

_ETAG: Final = RequiredMember(("ETag",))
"""botocore takes any body for the code of a function, so the body proves nothing."""

_TESTED: Final = RequiredMember(("TestResult", "FunctionSummary"))
"""botocore takes any root element for the result of a test, so the root proves nothing."""

_QUANTITY: Final = RequiredMember(("FunctionList", "Quantity"))


class Functions:
    """The operations on functions. Each takes its boto3 arguments and the call, and raises StatusError.

    Args:
        client: The upstream client.
        tests: The one for TestFunction, if the backend runs functions itself, which takes long.
    """

    def __init__(self, client: UpstreamClient, tests: UpstreamClient | None = None) -> None:
        self._client = client
        self._tests = tests or client
        self._versions = VersionedChanges(client)
        self._backend = client.backend

    def describe(self, arguments: Arguments, call: CallContext) -> Response:
        """Calls DescribeFunction."""
        target = FUNCTION.target(arguments)
        return self._client.read(
            call,
            self._backend.describe_function,
            target,
            FUNCTION.name,
            explain=partial(self._explain_stage, target, call),
        )

    def get(self, arguments: Arguments, call: CallContext) -> Response:
        """Calls GetFunction."""
        target = FUNCTION.target(arguments)
        return self._client.read(
            call, self._backend.get_function, target, _ETAG, explain=partial(self._explain_stage, target, call)
        )

    def update(self, arguments: Arguments, call: CallContext) -> Response:
        """Calls UpdateFunction. Also succeeds if the function already has this configuration and code."""
        response = self._versions.update(
            call,
            self._backend.update_function,
            FUNCTION.target(arguments),
            FUNCTION.name,
            check_applied=partial(self._check_updated, arguments),
            explain=partial(association.explain, self._client, call, arguments),
        )
        return response if response.get("ETag") else {**response, "ETag": self._etag(arguments["Name"], call)}

    def publish(self, arguments: Arguments, call: CallContext) -> Response:
        """Calls PublishFunction."""
        return self._client.change(
            call,
            self._backend.publish_function,
            FUNCTION.target(arguments),
            FUNCTION.name,
            repeatable=True,
            check_applied=partial(self._check_published, arguments),
        )

    def test(self, arguments: Arguments, call: CallContext) -> Response:
        """Calls TestFunction, which changes nothing."""
        etag_source = etag_sources.LIVE_STAGE if arguments["Stage"] == _LIVE else etag_sources.DEVELOPMENT_STAGE
        target = replace(FUNCTION.target(arguments), etag_source=etag_source, field="event_object")
        return self._tests.read(
            call, self._backend.test_function, target, _TESTED, explain=partial(self._explain_stage, target, call)
        )

    def delete(self, arguments: Arguments, call: CallContext) -> Response:
        """Calls DeleteFunction."""
        target = FUNCTION.target(arguments)
        return self._versions.delete(
            call,
            self._backend.delete_function,
            target,
            check_applied=partial(
                check_deleted, self._describe_development, arguments["Name"], FUNCTION.not_found_code
            ),
            explain=partial(function_in_use, self._client, call, target),
        )

    def list(self, arguments: Arguments, call: CallContext) -> Response:
        """Calls ListFunctions."""
        return self._client.read(call, self._backend.list_functions, FUNCTION.target(arguments), _QUANTITY)

    def _explain_stage(
        self, target: OperationTarget, call: CallContext, failure: UpstreamFailure
    ) -> StatusError | None:
        """Returns the error for a missing LIVE stage; None if the function itself is missing."""
        if failure.aws_code != FUNCTION.not_found_code or target.arguments["Stage"] != _LIVE:
            return None
        if self._client.probe(call, lambda: self._describe_development(target.name)) is None:
            return None
        message = f"{label(target)} has no LIVE stage: publish it with PublishFunction first"
        return StatusError(
            grpc.StatusCode.NOT_FOUND,
            "FUNCTION_NOT_FOUND",
            message,
            domain=CLOUDFRONT_DOMAIN,
            metadata={**upstream_metadata(failure), "name": target.name, "stage": _LIVE},
            details=[
                error_details_pb2.ResourceInfo(
                    resource_type=target.kind, resource_name=target.name, description=message
                )
            ],
        )

    def _describe_development(self, name: str) -> Response:
        return self._backend.describe_function(Name=name, Stage=_DEVELOPMENT)

    def _check_updated(self, arguments: Arguments) -> Response | None:
        """Returns the function if a newer version of its DEVELOPMENT stage has this configuration and code."""
        described = self._describe_development(arguments["Name"])
        is_newer = described.get("ETag") != arguments["IfMatch"]
        if not is_newer or _config(described) != _comparable(arguments["FunctionConfig"]):
            return None
        return described if self._code(arguments["Name"], _DEVELOPMENT) == arguments["FunctionCode"] else None

    def _check_published(self, arguments: Arguments) -> Response | None:
        """Returns the function if its LIVE stage equals its DEVELOPMENT stage in the requested version."""
        name = arguments["Name"]
        development = self._describe_development(name)
        live = self._backend.describe_function(Name=name, Stage=_LIVE)
        if development.get("ETag") != arguments["IfMatch"] or _config(development) != _config(live):
            return None
        return live if self._code(name, _DEVELOPMENT) == self._code(name, _LIVE) else None

    def _code(self, name: str, stage: Literal["DEVELOPMENT", "LIVE"]) -> bytes:
        """Reads the code of a stage; raises MalformedResponseError if the response is not CloudFront's."""
        response = self._backend.get_function(Name=name, Stage=stage)
        _ETAG.check(response)
        code: bytes = response["FunctionCode"].read()
        return code

    def _etag(self, name: str, call: CallContext) -> str:
        """Reads the etag of the DEVELOPMENT stage after an update; returns "" if the read fails."""
        described = self._client.probe_if_time(call, lambda: self._describe_development(name), until_deadline=True)
        return str((described or {}).get("ETag", ""))


def _config(described: Response) -> tuple[str, str, list[str]]:
    return _comparable(described.get("FunctionSummary", {}).get("FunctionConfig", {}))


def _comparable(config: Mapping[str, Any]) -> tuple[str, str, list[str]]:
    """Returns the content of a configuration for comparison. CloudFront's responses leave out empty members."""
    associations = config.get("KeyValueStoreAssociations", {}).get("Items", ())
    return config.get("Comment", ""), config.get("Runtime", ""), [each["KeyValueStoreARN"] for each in associations]
