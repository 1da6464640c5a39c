"""Functions: the messages of FunctionService."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from cloudfront_facade.v1.function_service_pb2 import (
    CreateFunctionRequest,
    CreateFunctionResponse,
    DeleteFunctionRequest,
    DeleteFunctionResponse,
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
from ..printable import printable
from .common import enum_from_boto, set_page, timestamp
from .tags import tags_to_boto

if TYPE_CHECKING:
    from types_boto3_cloudfront import type_defs as boto
    from types_boto3_cloudfront.literals import FunctionRuntimeType, FunctionStageType

_RUNTIMES: dict[FunctionRuntimeType, FunctionRuntime.ValueType] = {
    "cloudfront-js-1.0": FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_1_0,
    "cloudfront-js-2.0": FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0,
}
_RUNTIME_NAMES = {number: name for name, number in _RUNTIMES.items()}
_STAGES: dict[FunctionStageType, FunctionStage.ValueType] = {
    "DEVELOPMENT": FunctionStage.FUNCTION_STAGE_DEVELOPMENT,
    "LIVE": FunctionStage.FUNCTION_STAGE_LIVE,
}
_STAGE_NAMES: dict[FunctionStage.ValueType, FunctionStageType] = {
    FunctionStage.FUNCTION_STAGE_UNSPECIFIED: "DEVELOPMENT",
    **{number: name for name, number in _STAGES.items()},
}

_log = logging.getLogger(__name__)


def create_function_to_boto(request: CreateFunctionRequest) -> boto.CreateFunctionRequestTypeDef:
    """Returns the arguments of boto3's `create_function`."""
    arguments: boto.CreateFunctionRequestTypeDef = {
        "Name": request.name,
        "FunctionConfig": _config_to_boto(request.function_config),
        "FunctionCode": request.function_code,
    }
    if request.tags:
        arguments["Tags"] = tags_to_boto(request.tags)
    return arguments


def create_function_from_boto(response: boto.CreateFunctionResultTypeDef) -> CreateFunctionResponse:
    """Returns the response; an empty one for validate_only, whose boto3 response is empty."""
    summary = response.get("FunctionSummary")
    return CreateFunctionResponse(
        function_summary=_summary_from_boto(summary) if summary else None,
        location=response.get("Location", ""),
        etag=response.get("ETag", ""),
    )


def describe_function_to_boto(request: DescribeFunctionRequest) -> boto.DescribeFunctionRequestTypeDef:
    """Returns the arguments of boto3's `describe_function`."""
    return {"Name": request.name, "Stage": _STAGE_NAMES[request.stage]}


def describe_function_from_boto(response: boto.DescribeFunctionResultTypeDef) -> DescribeFunctionResponse:
    """Returns the response with the function."""
    return DescribeFunctionResponse(
        function_summary=_summary_from_boto(response["FunctionSummary"]), etag=response.get("ETag", "")
    )


def get_function_to_boto(request: GetFunctionRequest) -> boto.GetFunctionRequestTypeDef:
    """Returns the arguments of boto3's `get_function`."""
    return {"Name": request.name, "Stage": _STAGE_NAMES[request.stage]}


def get_function_from_boto(response: boto.GetFunctionResultTypeDef) -> GetFunctionResponse:
    """Returns the response with the whole code, read from boto3's stream."""
    return GetFunctionResponse(
        function_code=response["FunctionCode"].read(),
        etag=response.get("ETag", ""),
        content_type=response.get("ContentType", ""),
    )


def update_function_to_boto(request: UpdateFunctionRequest) -> boto.UpdateFunctionRequestTypeDef:
    """Returns the arguments of boto3's `update_function`."""
    return {
        "Name": request.name,
        "IfMatch": request.etag,
        "FunctionConfig": _config_to_boto(request.function_config),
        "FunctionCode": request.function_code,
    }


def update_function_from_boto(response: boto.UpdateFunctionResultTypeDef) -> UpdateFunctionResponse:
    """Returns the response with the updated function."""
    return UpdateFunctionResponse(
        function_summary=_summary_from_boto(response["FunctionSummary"]), etag=response.get("ETag", "")
    )


def publish_function_to_boto(request: PublishFunctionRequest) -> boto.PublishFunctionRequestTypeDef:
    """Returns the arguments of boto3's `publish_function`."""
    return {"Name": request.name, "IfMatch": request.etag}


def publish_function_from_boto(response: boto.PublishFunctionResultTypeDef) -> PublishFunctionResponse:
    """Returns the response with the published function."""
    return PublishFunctionResponse(function_summary=_summary_from_boto(response["FunctionSummary"]))


def test_function_to_boto(request: TestFunctionRequest) -> boto.TestFunctionRequestTypeDef:
    """Returns the arguments of boto3's `test_function`."""
    return {
        "Name": request.name,
        "IfMatch": request.etag,
        "Stage": _STAGE_NAMES[request.stage],
        "EventObject": request.event_object,
    }


def test_function_from_boto(response: boto.TestFunctionResultTypeDef) -> TestFunctionResponse:
    """Returns the response with the result of the test."""
    result = response["TestResult"]
    summary = result.get("FunctionSummary")
    return TestFunctionResponse(
        test_result=TestResult(
            function_summary=_summary_from_boto(summary) if summary else None,
            compute_utilization=_percent_from_boto(result.get("ComputeUtilization")),
            function_execution_logs=result.get("FunctionExecutionLogs", ()),
            function_error_message=result.get("FunctionErrorMessage", ""),
            function_output=result.get("FunctionOutput", ""),
        )
    )


def delete_function_to_boto(request: DeleteFunctionRequest) -> boto.DeleteFunctionRequestTypeDef:
    """Returns the arguments of boto3's `delete_function`."""
    return {"Name": request.name, "IfMatch": request.etag}


def delete_function_from_boto(_response: boto.EmptyResponseMetadataTypeDef) -> DeleteFunctionResponse:
    """Returns the response, which is empty."""
    return DeleteFunctionResponse()


def list_functions_to_boto(request: ListFunctionsRequest) -> boto.ListFunctionsRequestTypeDef:
    """Returns the arguments of boto3's `list_functions`."""
    marker = page_tokens.decode(page_tokens.functions_list(request.stage), request.page_token)
    arguments: boto.ListFunctionsRequestTypeDef = {"Stage": _STAGE_NAMES[request.stage]}
    set_page(arguments, request.page_size, marker)
    return arguments


def list_functions_from_boto(
    response: boto.ListFunctionsResultTypeDef, request: ListFunctionsRequest
) -> ListFunctionsResponse:
    """Returns the response with a page of functions."""
    page = response["FunctionList"]
    return ListFunctionsResponse(
        functions=map(_summary_from_boto, page.get("Items", ())),
        next_page_token=page_tokens.encode(page_tokens.functions_list(request.stage), page.get("NextMarker")),
    )


def _percent_from_boto(text: str | None) -> int | None:
    """Returns a ComputeUtilization as a number; logs a warning and returns None if it is not a number."""
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    _log.warning('CloudFront returned the ComputeUtilization "%s", which is not a number', printable(text[:64]))
    return None


def _config_to_boto(config: FunctionConfig) -> boto.FunctionConfigTypeDef:
    # CloudFront requires a comment, so one that is not set is sent as an empty string.
    arguments: boto.FunctionConfigTypeDef = {"Comment": config.comment, "Runtime": _RUNTIME_NAMES[config.runtime]}
    if associations := config.key_value_store_associations:
        arguments["KeyValueStoreAssociations"] = {
            "Quantity": len(associations),
            "Items": [{"KeyValueStoreARN": association.key_value_store_arn} for association in associations],
        }
    return arguments


def _summary_from_boto(summary: boto.FunctionSummaryTypeDef) -> FunctionSummary:
    config, metadata = summary.get("FunctionConfig"), summary.get("FunctionMetadata")
    return FunctionSummary(
        name=summary["Name"],
        status=summary.get("Status", ""),
        function_config=_config_from_boto(config) if config else FunctionConfig(),
        function_metadata=_metadata_from_boto(metadata) if metadata else FunctionMetadata(),
    )


def _config_from_boto(config: boto.FunctionConfigOutputTypeDef) -> FunctionConfig:
    associations = config.get("KeyValueStoreAssociations")
    return FunctionConfig(
        comment=config.get("Comment", ""),
        runtime=FunctionRuntime.ValueType(enum_from_boto(config.get("Runtime"), _RUNTIMES)),
        key_value_store_associations=[
            KeyValueStoreAssociation(key_value_store_arn=association.get("KeyValueStoreARN", ""))
            for association in (associations.get("Items", ()) if associations else ())
        ],
    )


def _metadata_from_boto(metadata: boto.FunctionMetadataTypeDef) -> FunctionMetadata:
    return FunctionMetadata(
        function_arn=metadata.get("FunctionARN", ""),
        stage=FunctionStage.ValueType(enum_from_boto(metadata.get("Stage"), _STAGES)),
        created_time=timestamp(metadata.get("CreatedTime")),
        last_modified_time=timestamp(metadata.get("LastModifiedTime")),
    )
