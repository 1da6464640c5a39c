"""Every enum of the protos matches botocore's service model."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest

from cloudfront_facade.v1.function_service_pb2 import (
    CreateFunctionRequest,
    FunctionConfig,
    FunctionRuntime,
    FunctionStage,
)
from cloudfront_facade.v1.key_value_store_service_pb2 import (
    CreateKeyValueStoreRequest,
    ImportSource,
    ImportSourceType,
)
from cloudfront_facade_server.translation.functions import create_function_from_boto, create_function_to_boto
from cloudfront_facade_server.translation.key_value_stores import create_key_value_store_to_boto
from support.cloudfront.wire import installed_wire

MODEL: Final = installed_wire().model

ENUMS: Final = [
    ("FunctionRuntime", FunctionRuntime, "FUNCTION_RUNTIME_"),
    ("FunctionStage", FunctionStage, "FUNCTION_STAGE_"),
    ("ImportSourceType", ImportSourceType, "IMPORT_SOURCE_TYPE_"),
]


@pytest.mark.parametrize(("shape", "enum", "prefix"), ENUMS)
def test_every_enum_value_of_aws_is_in_the_protos(shape: str, enum: Any, prefix: str) -> None:
    known_to_aws = {re.sub(r"[^A-Z0-9]", "_", value.upper()) for value in MODEL.shape_for(shape).enum}

    assert {name.removeprefix(prefix) for name in enum.keys()} == known_to_aws | {"UNSPECIFIED"}  # noqa: SIM118
    assert enum.Value(f"{prefix}UNSPECIFIED") == 0


@pytest.mark.parametrize("runtime", MODEL.shape_for("FunctionRuntime").enum)
def test_every_runtime_is_translated_both_ways(runtime: str) -> None:
    config = {"Comment": "", "Runtime": runtime}
    created: Any = {"FunctionSummary": {"Name": "rewrite", "FunctionConfig": config}}
    response = create_function_from_boto(created)
    number = response.function_summary.function_config.runtime

    assert FunctionRuntime.Name(number) == "FUNCTION_RUNTIME_" + re.sub(r"\W", "_", runtime).upper()
    request = CreateFunctionRequest(function_config=FunctionConfig(runtime=number))
    assert create_function_to_boto(request)["FunctionConfig"] == config


@pytest.mark.parametrize("stage", MODEL.shape_for("FunctionStage").enum)
def test_every_stage_is_translated_from_boto(stage: str) -> None:
    created: Any = {"FunctionSummary": {"Name": "rewrite", "FunctionMetadata": {"Stage": stage}}}
    response = create_function_from_boto(created)

    assert FunctionStage.Name(response.function_summary.function_metadata.stage) == f"FUNCTION_STAGE_{stage}"


@pytest.mark.parametrize("source_type", MODEL.shape_for("ImportSourceType").enum)
def test_every_import_source_is_translated_to_boto(source_type: str) -> None:
    source = ImportSource(source_type=ImportSourceType.Value(f"IMPORT_SOURCE_TYPE_{source_type}"))
    request = CreateKeyValueStoreRequest(import_source=source)

    assert create_key_value_store_to_boto(request)["ImportSource"]["SourceType"] == source_type
