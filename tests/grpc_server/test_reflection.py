"""Server reflection, as grpcurl uses it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path

import grpc
import pytest
from google.protobuf import descriptor_pb2
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

from cloudfront_facade.v1 import options_pb2
from cloudfront_facade.v1.function_service_pb2 import DESCRIPTOR
from cloudfront_facade_server.grpc_server import reflection
from support.facade import open_channel
from support.process import EMBEDDED, FacadeProcess
from support.tools import grpcurl, require_tool

DESCRIBE = "cloudfront_facade.v1.FunctionService/DescribeFunction"
CREATE = "cloudfront_facade.v1.FunctionService/CreateFunction"
VERSIONS = ("v1", "v1alpha")


def ask(address: str, version: str, request: ServerReflectionRequest) -> ServerReflectionResponse:
    with open_channel(address) as channel:
        method = channel.stream_stream(f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo")
        (response,) = method(iter([request.SerializeToString()]))
    return ServerReflectionResponse.FromString(response)


def files(response: ServerReflectionResponse) -> dict[str, descriptor_pb2.FileDescriptorProto]:
    parsed = map(descriptor_pb2.FileDescriptorProto.FromString, response.file_descriptor_response.file_descriptor_proto)
    return {file.name: file for file in parsed}


def describe(address: str, *symbol: str) -> str:
    return subprocess.run(
        [require_tool("grpcurl"), "-plaintext", address, "describe", *symbol],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout


def test_reflection_lists_the_services_as_v1_and_v1alpha(facade_address: str) -> None:
    listed = grpcurl(facade_address, "list").stdout.split()
    assert listed == [
        "cloudfront_facade.v1.FunctionService",
        "cloudfront_facade.v1.KeyValueStoreDataService",
        "cloudfront_facade.v1.KeyValueStoreService",
        "cloudfront_facade.v1.TagService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    ]
    v1, v1alpha = (ask(facade_address, version, ServerReflectionRequest(list_services="")) for version in VERSIONS)
    assert v1 == v1alpha
    assert [service.name for service in v1.list_services_response.service] == listed


@pytest.mark.parametrize("version", VERSIONS)
def test_reflection_serves_files_with_their_imports_comments_and_json_names(facade_address: str, version: str) -> None:
    request = ServerReflectionRequest(file_containing_symbol="cloudfront_facade.v1.FunctionService")

    served = files(ask(facade_address, version, request))

    file = served["cloudfront_facade/v1/function_service.proto"]
    assert set(served) > {"cloudfront_facade/v1/tag.proto", "google/protobuf/timestamp.proto"}
    assert set(file.dependency) <= set(served)
    assert file.source_code_info.location
    assert all(field.json_name for message in file.message_type for field in message.field)
    generated = descriptor_pb2.FileDescriptorProto()
    DESCRIPTOR.CopyToProto(generated)
    file.ClearField("source_code_info")
    for message in file.message_type:
        for field in message.field:
            field.ClearField("json_name")
    assert file == generated, "run make proto node-proto"


def test_grpcurl_describes_every_service(facade_address: str) -> None:
    assert describe(facade_address).count(" is a service:") == 7


@pytest.mark.parametrize(
    ("symbol", "comment"),
    [
        ("cloudfront_facade.v1.CreateFunctionRequest", "1 to 64 characters"),
        ("cloudfront_facade.v1.ListKeysRequest", "50"),
        ("cloudfront_facade.v1.FunctionService.PublishFunction", "rpc PublishFunction"),
        ("cloudfront_facade.v1.long_poll", "extend .google.protobuf.MethodOptions"),
        ("google.rpc.ErrorInfo", "UPPER_SNAKE_CASE"),
    ],
)
def test_grpcurl_describes_elements_with_comments_and_limits(facade_address: str, symbol: str, comment: str) -> None:
    assert comment in describe(facade_address, symbol)


def test_grpcurl_prints_the_same_json_with_reflection_as_with_the_protos(facade_address: str, project: Path) -> None:
    with_protos = ("-import-path", str(project / "protos"), "-proto", "cloudfront_facade/v1/function_service.proto")
    request = {
        "name": "json-names",
        "functionConfig": {"runtime": "FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0"},
        "functionCode": "eA==",
    }
    created = grpcurl(facade_address, "-d", json.dumps(request), CREATE)
    assert created.returncode == 0, created.stderr

    by_name = ("-d", '{"name":"json-names"}')
    reflected = grpcurl(facade_address, *by_name, DESCRIBE)
    from_files = grpcurl(facade_address, *with_protos, *by_name, DESCRIBE)

    assert reflected.stdout == from_files.stdout
    assert json.loads(reflected.stdout)["functionSummary"]["functionMetadata"]["functionArn"]


def test_grpcurl_decodes_error_details(facade_address: str) -> None:
    failed = grpcurl(facade_address, "-d", '{"name":"not a name"}', DESCRIBE)
    assert failed.returncode != 0
    assert '"reason":"VALIDATION_FAILED"' in failed.stderr
    assert '"fieldViolations":[{"field":"name"' in failed.stderr
    assert "not recognized" not in failed.stderr


@pytest.mark.parametrize("symbol", ["google.rpc.Status", "google.protobuf.Any", "google.rpc.ErrorInfo"])
def test_messages_of_error_details_are_found(facade_address: str, symbol: str) -> None:
    assert f"{symbol} is a message" in describe(facade_address, symbol)


def test_extensions_of_method_options_are_listed_and_found(facade_address: str) -> None:
    options = "google.protobuf.MethodOptions"
    listed = ask(facade_address, "v1", ServerReflectionRequest(all_extension_numbers_of_type=options))
    numbers = listed.all_extension_numbers_response.extension_number
    assert sorted(numbers) == sorted(field.number for field in options_pb2.DESCRIPTOR.extensions_by_name.values())
    for number in numbers:
        request = ServerReflectionRequest()
        request.file_containing_extension.containing_type = options
        request.file_containing_extension.extension_number = number
        assert "cloudfront_facade/v1/options.proto" in files(ask(facade_address, "v1", request))


@pytest.mark.parametrize(
    "request_",
    [
        ServerReflectionRequest(file_containing_symbol="cloudfront_facade.v1.Missing"),
        ServerReflectionRequest(file_containing_symbol="cloudfront_facade.v1.FunctionService.Missing"),
        ServerReflectionRequest(file_by_filename="missing.proto"),
        ServerReflectionRequest(all_extension_numbers_of_type="Missing"),
    ],
    ids=["symbol", "method", "file", "type"],
)
def test_missing_elements_are_not_found(facade_address: str, request_: ServerReflectionRequest) -> None:
    response = ask(facade_address, "v1", request_)
    assert response.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


def test_the_descriptor_set_is_read_by_the_first_call_and_not_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []
    read_files = reflection._read_files

    def count_reads() -> Iterable[descriptor_pb2.FileDescriptorProto]:
        reads.append("read")
        return read_files()

    monkeypatch.setattr(reflection, "_read_files", count_reads)

    descriptors = reflection._Descriptors()
    assert not reads
    for _ in range(2):
        assert descriptors.FindFileContainingSymbol("cloudfront_facade.v1.TagService").name
    assert len(reads) == 1


def test_reflection_can_be_disabled() -> None:
    with FacadeProcess(*EMBEDDED, "--no-reflection") as process:
        listed = grpcurl(process.address, "list")
        assert listed.returncode != 0
        assert "reflection" in listed.stderr
