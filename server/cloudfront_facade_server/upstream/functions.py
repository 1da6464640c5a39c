"""The operations on functions, creates apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import grpc
from google.rpc import error_details_pb2

from ..backends.protocol import Arguments, Response
from ..call_context import CallContext
from ..errors.aws_codes import MalformedResponseError
from ..errors.classify import aws_code
from ..errors.status_error import CLOUDFRONT_DOMAIN, StatusError
from ..errors.translate import OperationTarget, upstream_metadata
from .client import UpstreamClient, is_deleted
from .diagnostics import association
from .diagnostics.in_use import function_in_use

KIND: Final = "function"
_DEVELOPMENT: Final = "DEVELOPMENT"
_LIVE: Final = "LIVE"
_MISSING: Final = "NoSuchFunctionExists"
_NAME: Final = ("FunctionSummary", "Name")


class Functions:
    """The operations on functions. Each takes its boto3 arguments and the call, and raises StatusError."""

    def __init__(self, upstream: UpstreamClient) -> None:
        self._upstream = upstream
        self._backend = upstream.backend
        self._reader = upstream.reader

    def describe(self, arguments: Arguments, call: CallContext) -> Response:
        """DescribeFunction."""
        subject = _subject(arguments)
        return self._upstream.read(
            call,
            self._backend.describe_function,
            subject,
            *_NAME,
            explain=lambda error: self._unpublished(error, subject),
        )

    def get(self, arguments: Arguments, call: CallContext) -> Response:
        """GetFunction."""
        subject = _subject(arguments)
        return self._upstream.read(
            call,
            self._backend.get_function,
            subject,
            "ETag",  # any answer has a body, which is the code
            explain=lambda error: self._unpublished(error, subject),
        )

    def update(self, arguments: Arguments, call: CallContext) -> Response:
        """UpdateFunction. It is OK too where the function already has this configuration and code."""
        subject = _subject(arguments)

        def updated() -> Response | None:
            return self._like(arguments)

        def explain(error: Exception) -> StatusError | None:
            return association.explain(self._reader, error, arguments, lambda: self._upstream.has_time(call))

        response = self._upstream.replace(
            call, self._backend.update_function, subject, *_NAME, seen=updated, explain=explain
        )
        return response if response.get("ETag") else {**response, "ETag": self._etag(arguments["Name"], call)}

    def publish(self, arguments: Arguments, call: CallContext) -> Response:
        """PublishFunction."""
        return self._upstream.change(
            call,
            self._backend.publish_function,
            _subject(arguments),
            *_NAME,
            repeatable=True,
            seen=lambda: self._published(arguments),
        )

    def test(self, arguments: Arguments, call: CallContext) -> Response:
        """TestFunction. It changes nothing."""
        subject = OperationTarget(KIND, arguments["Name"], arguments, field="event_object")
        return self._upstream.read(
            call,
            self._backend.test_function,
            subject,
            "TestResult",
            "FunctionSummary",  # any answer has a root, which is the result
            explain=lambda error: self._unpublished(error, subject),
        )

    def delete(self, arguments: Arguments, call: CallContext) -> Response:
        """DeleteFunction."""
        subject = _subject(arguments)

        def explain(error: Exception) -> StatusError | None:
            if aws_code(error) != "FunctionInUse":
                return None
            return function_in_use(self._reader, error, subject, lambda: self._upstream.has_time(call))

        return self._upstream.change(
            call,
            self._backend.delete_function,
            subject,
            repeatable=True,
            seen=lambda: is_deleted(self._describe_development, arguments["Name"], _MISSING),
            explain=explain,
        )

    def list(self, arguments: Arguments, call: CallContext) -> Response:
        """ListFunctions."""
        return self._upstream.read(
            call, self._backend.list_functions, OperationTarget(KIND, "", arguments), "FunctionList", "Quantity"
        )

    def _unpublished(self, error: Exception, subject: OperationTarget) -> StatusError | None:
        """Says of a LIVE stage that is missing whether only that is missing, or the function."""
        if aws_code(error) != _MISSING or subject.sent["Stage"] != _LIVE:
            return None
        if self._upstream.look(lambda: self._describe_development(subject.name)) is None:
            return None
        message = (
            f"the function {subject.name!a} has no LIVE stage, for it was never published; PublishFunction makes one"
        )
        return StatusError(
            grpc.StatusCode.NOT_FOUND,
            "FUNCTION_NOT_FOUND",
            message,
            domain=CLOUDFRONT_DOMAIN,
            metadata={**upstream_metadata(error), "name": subject.name, "stage": _LIVE},
            details=[
                error_details_pb2.ResourceInfo(resource_type=KIND, resource_name=subject.name, description=message)
            ],
        )

    def _describe_development(self, name: str) -> Response:
        return self._reader.describe_function(Name=name, Stage=_DEVELOPMENT)

    def _like(self, arguments: Arguments) -> Response | None:
        """Gives the function where its DEVELOPMENT stage, in a newer version, has this configuration and code."""
        described = self._describe_development(arguments["Name"])
        is_newer = described.get("ETag") != arguments["IfMatch"]
        if not is_newer or _config(described) != _comparable(arguments["FunctionConfig"]):
            return None
        return described if self._code(arguments["Name"], _DEVELOPMENT) == arguments["FunctionCode"] else None

    def _published(self, arguments: Arguments) -> Response | None:
        """Gives the function where its LIVE stage is what its DEVELOPMENT stage is, in the version that was named."""
        name = arguments["Name"]
        development = self._describe_development(name)
        live = self._reader.describe_function(Name=name, Stage=_LIVE)
        if development.get("ETag") != arguments["IfMatch"] or _config(development) != _config(live):
            return None
        return live if self._code(name, _DEVELOPMENT) == self._code(name, _LIVE) else None

    def _code(self, name: str, stage: Literal["DEVELOPMENT", "LIVE"]) -> bytes:
        """Reads the code of a stage; raises UnreadableAnswerError where the answer is not CloudFront's."""
        found = self._reader.get_function(Name=name, Stage=stage)
        if "ETag" not in found:
            raise MalformedResponseError
        code: bytes = found["FunctionCode"].read()
        return code

    def _etag(self, name: str, call: CallContext) -> str:
        """Reads the version of the DEVELOPMENT stage; empty where that fails, for the update itself is done."""
        described = self._upstream.probe_if_time(call, lambda: self._describe_development(name))
        return str((described or {}).get("ETag", ""))


def _subject(arguments: Arguments) -> OperationTarget:
    return OperationTarget(KIND, arguments["Name"], arguments)


def _config(described: Response) -> tuple[str, str, list[str]]:
    return _comparable(described.get("FunctionSummary", {}).get("FunctionConfig", {}))


def _comparable(config: Mapping[str, Any]) -> tuple[str, str, list[str]]:
    """Gives what makes two configurations the same: CloudFront leaves out what is empty."""
    associations = config.get("KeyValueStoreAssociations", {}).get("Items", ())
    return config.get("Comment", ""), config.get("Runtime", ""), [each["KeyValueStoreARN"] for each in associations]
