"""The messages of FunctionService."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from cloudfront_facade.v1.function_service_pb2 import (
    CreateFunctionRequest,
    CreateFunctionResponse,
    DeleteFunctionRequest,
    DescribeFunctionRequest,
    DescribeFunctionResponse,
    FunctionConfig,
    FunctionMetadata,
    FunctionRuntime,
    FunctionStage,
    FunctionSummary,
    GetFunctionRequest,
    GetFunctionResponse,
    KeyValueStoreAssociation,
    ListFunctionsRequest,
    ListFunctionsResponse,
    PublishFunctionRequest,
    PublishFunctionResponse,
    TestFunctionRequest,
    TestFunctionResponse,
    TestResult,
    UpdateFunctionRequest,
    UpdateFunctionResponse,
)

from .. import page_tokens
from .common import enum_from_boto, page_to_boto, tags_to_boto, timestamp

_RUNTIMES = {
    "cloudfront-js-1.0": FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_1_0,
    "cloudfront-js-2.0": FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0,
}
_RUNTIME_NAMES = {number: name for name, number in _RUNTIMES.items()}
_STAGES = {
    "DEVELOPMENT": FunctionStage.FUNCTION_STAGE_DEVELOPMENT,
    "LIVE": FunctionStage.FUNCTION_STAGE_LIVE,
}
_STAGE_NAMES = {number: name for name, number in _STAGES.items()} | {
    FunctionStage.FUNCTION_STAGE_UNSPECIFIED: "DEVELOPMENT"
}
_PAGE_MAX = 100
"""Functions of one answer. API reference, ListFunctions."""

_log = logging.getLogger(__name__)


def create_function_to_boto(request: CreateFunctionRequest) -> dict[str, Any]:
    """Makes the keyword arguments of boto3's `create_function`."""
    return {
        "Name": request.name,
        "FunctionConfig": _config_to_boto(request.function_config),
        "FunctionCode": request.function_code,
        **tags_to_boto(request.tags),
    }


def create_function_from_boto(response: Mapping[str, Any]) -> CreateFunctionResponse:
    """Makes the response of a create; an empty one of an empty mapping."""
    summary = response.get("FunctionSummary")
    return CreateFunctionResponse(
        function_summary=_summary_from_boto(summary) if summary else None,
        location=response.get("Location", ""),
        etag=response.get("ETag", ""),
    )


def stage_to_boto(request: DescribeFunctionRequest | GetFunctionRequest) -> dict[str, Any]:
    """Makes the keyword arguments of boto3's `describe_function` and `get_function`."""
    return {"Name": request.name, "Stage": _STAGE_NAMES[request.stage]}


def describe_function_from_boto(response: Mapping[str, Any]) -> DescribeFunctionResponse:
    """Makes the response of a describe."""
    return DescribeFunctionResponse(
        function_summary=_summary_from_boto(response["FunctionSummary"]), etag=response.get("ETag", "")
    )


def get_function_from_boto(response: Mapping[str, Any]) -> GetFunctionResponse:
    """Makes the response of a get; reads the code to its end."""
    return GetFunctionResponse(
        function_code=response["FunctionCode"].read(),
        etag=response.get("ETag", ""),
        content_type=response.get("ContentType", ""),
    )


def update_function_to_boto(request: UpdateFunctionRequest) -> dict[str, Any]:
    """Makes the keyword arguments of boto3's `update_function`."""
    return {
        "Name": request.name,
        "IfMatch": request.etag,
        "FunctionConfig": _config_to_boto(request.function_config),
        "FunctionCode": request.function_code,
    }


def update_function_from_boto(response: Mapping[str, Any]) -> UpdateFunctionResponse:
    """Makes the response of an update."""
    return UpdateFunctionResponse(
        function_summary=_summary_from_boto(response["FunctionSummary"]), etag=response.get("ETag", "")
    )


def version_to_boto(request: PublishFunctionRequest | DeleteFunctionRequest) -> dict[str, Any]:
    """Makes the keyword arguments of boto3's `publish_function` and `delete_function`."""
    return {"Name": request.name, "IfMatch": request.etag}


def publish_function_from_boto(response: Mapping[str, Any]) -> PublishFunctionResponse:
    """Makes the response of a publish."""
    return PublishFunctionResponse(function_summary=_summary_from_boto(response["FunctionSummary"]))


def test_function_to_boto(request: TestFunctionRequest) -> dict[str, Any]:
    """Makes the keyword arguments of boto3's `test_function`."""
    return {
        "Name": request.name,
        "IfMatch": request.etag,
        "Stage": _STAGE_NAMES[request.stage],
        "EventObject": request.event_object,
    }


def test_function_from_boto(response: Mapping[str, Any]) -> TestFunctionResponse:
    """Makes the response of a test."""
    result = response["TestResult"]
    return TestFunctionResponse(
        test_result=TestResult(
            function_summary=_summary_from_boto(result["FunctionSummary"]) if "FunctionSummary" in result else None,
            compute_utilization=_percent(result.get("ComputeUtilization")),
            function_execution_logs=result.get("FunctionExecutionLogs", ()),
            function_error_message=result.get("FunctionErrorMessage", ""),
            function_output=result.get("FunctionOutput", ""),
        )
    )


def list_functions_to_boto(request: ListFunctionsRequest) -> dict[str, Any]:
    """Makes the keyword arguments of boto3's `list_functions`."""
    marker = page_tokens.decode(page_tokens.functions_list(request.stage), request.page_token)
    page = page_to_boto(request.page_size, _PAGE_MAX, marker)
    return {"Stage": _STAGE_NAMES[request.stage], **page}


def list_functions_from_boto(response: Mapping[str, Any], request: ListFunctionsRequest) -> ListFunctionsResponse:
    """Makes the response to a list request."""
    page = response["FunctionList"]
    return ListFunctionsResponse(
        functions=map(_summary_from_boto, page.get("Items", ())),
        next_page_token=page_tokens.encode(page_tokens.functions_list(request.stage), page.get("NextMarker")),
    )


def _percent(text: str | None) -> int | None:
    """Reads a ComputeUtilization; None, with a line in the log, where it is no number."""
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    _log.warning("CloudFront answered the ComputeUtilization %r", text[:64])
    return None


def _config_to_boto(config: FunctionConfig) -> dict[str, Any]:
    # CloudFront requires the comment, so that an unset one is an empty one.
    arguments: dict[str, Any] = {"Comment": config.comment, "Runtime": _RUNTIME_NAMES[config.runtime]}
    if associations := config.key_value_store_associations:
        items = [{"KeyValueStoreARN": association.key_value_store_arn} for association in associations]
        arguments["KeyValueStoreAssociations"] = {"Quantity": len(items), "Items": items}
    return arguments


def _summary_from_boto(summary: Mapping[str, Any]) -> FunctionSummary:
    return FunctionSummary(
        name=summary["Name"],
        status=summary.get("Status", ""),
        function_config=_config_from_boto(summary.get("FunctionConfig", {})),
        function_metadata=_metadata_from_boto(summary.get("FunctionMetadata", {})),
    )


def _config_from_boto(config: Mapping[str, Any]) -> FunctionConfig:
    associations = config.get("KeyValueStoreAssociations", {}).get("Items", ())
    return FunctionConfig(
        comment=config.get("Comment", ""),
        runtime=FunctionRuntime.ValueType(enum_from_boto(config.get("Runtime"), _RUNTIMES)),
        key_value_store_associations=[
            KeyValueStoreAssociation(key_value_store_arn=association.get("KeyValueStoreARN", ""))
            for association in associations
        ],
    )


def _metadata_from_boto(metadata: Mapping[str, Any]) -> FunctionMetadata:
    return FunctionMetadata(
        function_arn=metadata.get("FunctionARN", ""),
        stage=FunctionStage.ValueType(enum_from_boto(metadata.get("Stage"), _STAGES)),
        created_time=timestamp(metadata.get("CreatedTime")),
        last_modified_time=timestamp(metadata.get("LastModifiedTime")),
    )
