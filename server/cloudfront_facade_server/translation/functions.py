"""The messages of FunctionService."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudfront_facade.v1.function_service_pb2 import (
    CreateFunctionRequest,
    CreateFunctionResponse,
    FunctionConfig,
    FunctionMetadata,
    FunctionRuntime,
    FunctionStage,
    FunctionSummary,
    KeyValueStoreAssociation,
)

from .common import enum_from_boto, tags_to_boto, timestamp

_RUNTIMES = {
    "cloudfront-js-1.0": FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_1_0,
    "cloudfront-js-2.0": FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0,
}
_RUNTIME_NAMES = {number: name for name, number in _RUNTIMES.items()}
_STAGES = {
    "DEVELOPMENT": FunctionStage.FUNCTION_STAGE_DEVELOPMENT,
    "LIVE": FunctionStage.FUNCTION_STAGE_LIVE,
}


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
