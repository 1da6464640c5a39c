"""The descriptor set that the server ships, with its comments."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

import cloudfront_facade_server
from cloudfront_facade.v1 import options_pb2

PROJECT: Final = Path(__file__).parents[2]
PROTOS: Final = PROJECT / "protos"
DESCRIPTORS: Final = Path(cloudfront_facade_server.__file__).parent / "descriptors.binpb"
PACKAGE: Final = "cloudfront_facade.v1"


LONG_RUNNING: Final = options_pb2.long_running
LONG_POLL: Final = options_pb2.long_poll
NOT_REPEATABLE: Final = options_pb2.not_repeatable
"""The options of methods. They must be imported before the parser runs, or it does not know them."""


@cache
def files() -> dict[str, FileDescriptorProto]:
    """Returns the files of the descriptor set by name."""
    return {file.name: file for file in FileDescriptorSet.FromString(DESCRIPTORS.read_bytes()).file}


@cache
def comments() -> dict[str, str]:
    """Returns the comment of each element of the API, by its name in the package."""
    by_name: dict[str, str] = {}
    for file in files().values():
        if file.package == PACKAGE:
            for location in file.source_code_info.location:
                if location.leading_comments:
                    by_name[_name(file, list(location.path))] = location.leading_comments
    return by_name


def comment(name: str) -> str:
    """Returns the comment of an element, with its line breaks removed."""
    return " ".join(comments()[name].split())


def _name(file: FileDescriptorProto, path: list[int]) -> str:
    names: list[str] = []
    element = file
    for number, index in zip(path[::2], path[1::2], strict=False):
        element = getattr(element, element.DESCRIPTOR.fields_by_number[number].name)[index]
        names.append(element.name)
    return ".".join(names)
