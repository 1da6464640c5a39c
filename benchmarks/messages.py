"""The create that every implementation makes, as a message and as boto3 arguments, and a plain translation."""

from __future__ import annotations

from typing import Any, Final

from cloudfront_facade.v1.function_service_pb2 import (
    CreateFunctionRequest,
    CreateFunctionResponse,
    FunctionConfig,
    FunctionMetadata,
    FunctionRuntime,
    FunctionStage,
    FunctionSummary,
)
from cloudfront_facade.v1.tag_pb2 import Tag

METHOD: Final = "/cloudfront_facade.v1.FunctionService/CreateFunction"
NAME: Final = "url-rewrite"
COMMENT: Final = "Adds index.html to the paths of folders"
CODE: Final = (b"function handler(event) { var request = event.request; return request; }\n" * 14)[:1000]
TAGS: Final = {"team": "web", "cost-center": "4711", "environment": "production"}
REQUEST_ID: Final = "0a8ab9a4-6a0e-4b8c-8f4e-3a6f0d2c9b51"

BOTO_ARGUMENTS: Final[dict[str, Any]] = {
    "Name": NAME,
    "FunctionConfig": {"Comment": COMMENT, "Runtime": "cloudfront-js-2.0"},
    "FunctionCode": CODE,
    "Tags": {"Items": [{"Key": key, "Value": value} for key, value in TAGS.items()]},
}

REQUEST: Final = CreateFunctionRequest(
    name=NAME,
    function_config=FunctionConfig(comment=COMMENT, runtime=FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0),
    function_code=CODE,
    tags=[Tag(key=key, value=value) for key, value in TAGS.items()],
)

IDEMPOTENT_REQUEST: Final = CreateFunctionRequest(request_id=REQUEST_ID)
"""The same create with a request_id, as the facade's client sends it."""
IDEMPOTENT_REQUEST.MergeFrom(REQUEST)

INVALID_REQUEST: Final = CreateFunctionRequest(
    name="url rewrite",
    function_config=FunctionConfig(comment="-" * 129, runtime=FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0),
    function_code=CODE,
    tags=[Tag(key="aws:team", value="web"), Tag(key="cost-center", value="a;b"), Tag(key="cost-center", value="4711")],
    request_id=REQUEST_ID,
)
"""A request with VIOLATIONS: an invalid name, a long comment, a reserved key, an invalid value and a duplicate key."""

VIOLATIONS: Final = 5

_RUNTIMES: Final = {
    FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_1_0: "cloudfront-js-1.0",
    FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0: "cloudfront-js-2.0",
}


def to_boto(request: CreateFunctionRequest) -> dict[str, Any]:
    """Translates a request into boto3 arguments in the simplest way."""
    config = request.function_config
    return {
        "Name": request.name,
        "FunctionConfig": {"Comment": config.comment, "Runtime": _RUNTIMES[config.runtime]},
        "FunctionCode": request.function_code,
        "Tags": {"Items": [{"Key": tag.key, "Value": tag.value} for tag in request.tags]},
    }


def from_boto(response: dict[str, Any]) -> CreateFunctionResponse:
    """Translates a boto3 response in the simplest way."""
    summary = response["FunctionSummary"]
    metadata = summary["FunctionMetadata"]
    message = CreateFunctionResponse(
        location=response["Location"],
        etag=response["ETag"],
        function_summary=FunctionSummary(
            name=summary["Name"],
            status=summary["Status"],
            function_config=FunctionConfig(
                comment=summary["FunctionConfig"]["Comment"],
                runtime=FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0,
            ),
            function_metadata=FunctionMetadata(
                function_arn=metadata["FunctionARN"], stage=FunctionStage.FUNCTION_STAGE_DEVELOPMENT
            ),
        ),
    )
    message.function_summary.function_metadata.created_time.FromDatetime(metadata["CreatedTime"])
    message.function_summary.function_metadata.last_modified_time.FromDatetime(metadata["LastModifiedTime"])
    return message
