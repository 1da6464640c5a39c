"""Server reflection, v1 and v1alpha, over the full descriptor set of the API.

The descriptors in the generated Python code have neither comments nor JSON names. The package's `descriptors.binpb`,
which `make proto` generates, has both, and also the google.rpc messages of error details.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from importlib import resources
from typing import Final

import grpc
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2
from grpc_reflection.v1alpha.reflection import aio

REFLECTION_V1: Final = "grpc.reflection.v1.ServerReflection"
_V1ALPHA_PACKAGE: Final = "grpc.reflection.v1alpha"
_V1_PACKAGE: Final = "grpc.reflection.v1"

_DESCRIPTOR_SET: Final = "descriptors.binpb"


def add_reflection(server: grpc.aio.Server, services: Sequence[str]) -> None:
    """Adds reflection v1alpha and v1. Their messages are the same; new clients try v1 first.

    Args:
        server: The server.
        services: The full names of the server's other services.
    """
    names = [*services, reflection.SERVICE_NAME, REFLECTION_V1]
    handler = grpc.stream_stream_rpc_method_handler(
        aio.ReflectionServicer(names, _Descriptors()).ServerReflectionInfo,
        reflection_pb2.ServerReflectionRequest.FromString,
        reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers(
        tuple(
            grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": handler})
            for name in (reflection.SERVICE_NAME, REFLECTION_V1)
        )
    )


class _Descriptors:
    """The descriptor pool of the reflection servicer; it is loaded by the first call that needs a descriptor.

    A DescriptorPool drops the comments of the files that are added to it. So the pool is only used to find the name of
    a file, and the file is returned from the descriptor set.
    """

    @cached_property
    def _files(self) -> dict[str, FileDescriptorProto]:
        return {file.name: file for file in _read_files()}

    @cached_property
    def _pool(self) -> DescriptorPool:
        pool = DescriptorPool()
        for file in self._files.values():  # in dependency order
            pool.Add(file)
        return pool

    # These methods have the names of DescriptorPool's, and also raise KeyError if the element does not exist.

    def FindFileByName(self, name: str) -> _File:  # noqa: N802
        return _File(self._files, name)

    def FindFileContainingSymbol(self, symbol: str) -> _File:  # noqa: N802
        try:
            file = self._pool.FindFileContainingSymbol(symbol)
        except KeyError:  # FindFileContainingSymbol does not find methods
            file = self._pool.FindMethodByName(symbol).containing_service.file
        return _File(self._files, file.name)

    def FindMessageTypeByName(self, name: str) -> Descriptor:  # noqa: N802
        return self._pool.FindMessageTypeByName(name)

    def FindExtensionByNumber(self, message: Descriptor, number: int) -> FieldDescriptor:  # noqa: N802
        return self._pool.FindExtensionByNumber(message, number)

    def FindAllExtensions(self, message: Descriptor) -> Sequence[FieldDescriptor]:  # noqa: N802
        return self._pool.FindAllExtensions(message)


class _File:
    """A file of the descriptor set, with those members of a FileDescriptor that the reflection servicer uses."""

    def __init__(self, files: dict[str, FileDescriptorProto], name: str) -> None:
        self._files = files
        self._proto = files[name]
        self.name = name

    @property
    def dependencies(self) -> list[_File]:
        return [_File(self._files, name) for name in self._proto.dependency]

    def CopyToProto(self, proto: FileDescriptorProto) -> None:  # noqa: N802
        proto.CopyFrom(self._proto)


def _read_files() -> Iterable[FileDescriptorProto]:
    """Returns the files of the API, of the health service and of reflection itself."""
    content = resources.files(__package__.rpartition(".")[0]).joinpath(_DESCRIPTOR_SET).read_bytes()
    yield from FileDescriptorSet.FromString(content).file
    for generated in (health_pb2.DESCRIPTOR, reflection_pb2.DESCRIPTOR):
        file = descriptor_pb2.FileDescriptorProto()
        generated.CopyToProto(file)
        yield file
    yield _reflection_v1(file)


def _reflection_v1(v1alpha: FileDescriptorProto) -> FileDescriptorProto:
    """Returns the file of reflection v1, which differs from v1alpha only in its package."""
    file = FileDescriptorProto()
    file.CopyFrom(v1alpha)
    file.name = "grpc/reflection/v1/reflection.proto"
    file.package = _V1_PACKAGE
    for message in file.message_type:
        for field in message.field:
            if field.type_name:
                field.type_name = field.type_name.replace(_V1ALPHA_PACKAGE, _V1_PACKAGE)
    for method in file.service[0].method:
        method.input_type = method.input_type.replace(_V1ALPHA_PACKAGE, _V1_PACKAGE)
        method.output_type = method.output_type.replace(_V1ALPHA_PACKAGE, _V1_PACKAGE)
    return file
