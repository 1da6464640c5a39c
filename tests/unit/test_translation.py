"""Properties of the translations of all rpcs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cloudfront_facade.v1 import (
    function_service_pb2,
    key_value_store_data_service_pb2,
    key_value_store_service_pb2,
    tag_service_pb2,
)
from cloudfront_facade_server import translation
from cloudfront_facade_server.translation import functions, key_value_store_data, key_value_stores, tags

MODULES = {
    functions: function_service_pb2,
    key_value_stores: key_value_store_service_pb2,
    key_value_store_data: key_value_store_data_service_pb2,
    tags: tag_service_pb2,
}


def test_every_rpc_has_a_translation_in_each_direction() -> None:
    for module, messages in MODULES.items():
        (service,) = messages.DESCRIPTOR.services_by_name.values()
        rpcs = [re.sub(r"(?<!^)(?=[A-Z])", "_", method.name).lower() for method in service.methods]

        assert {f"{rpc}_{direction}_boto" for rpc in rpcs for direction in ("to", "from")} <= vars(module).keys()


def test_the_stubs_of_boto3_are_not_imported_at_run_time() -> None:
    code = (
        "import sys; import cloudfront_facade_server.app, cloudfront_facade_server.backends.protocol; "
        "print([name for name in sys.modules if name.startswith('types_boto3')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("path", sorted(Path(translation.__file__).parent.glob("*.py")), ids=lambda path: path.name)
def test_translation_imports_neither_grpc_nor_boto3(path: Path) -> None:
    imported = {
        name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert not {name for name in imported if name.split(".")[0] in ("grpc", "boto3", "botocore")}
    assert not {name for name in imported if name.endswith("_pb2_grpc")}
