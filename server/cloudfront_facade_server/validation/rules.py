"""The rules of each request: one method for each rpc, each raises ValidationError with all violations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest, FunctionConfig, FunctionRuntime
from cloudfront_facade.v1.key_value_store_service_pb2 import (
    CreateKeyValueStoreRequest,
    ImportSource,
    ImportSourceType,
)

from . import limits, text
from .tags import TagRules
from .violations import ValidationError, Violation

_RUNTIMES: Final = FunctionRuntime.keys()[1:]
_RUNTIME_NUMBERS: Final = frozenset(FunctionRuntime.values()[1:])


class Rules:
    """Checks requests.

    Args:
        tags: the rules of tags.
        max_function_code_bytes: the most bytes of a function's code.
    """

    def __init__(self, tags: TagRules, max_function_code_bytes: int = limits.FUNCTION_CODE_QUOTA) -> None:
        self._tags = tags
        self._max_function_code_bytes = max_function_code_bytes

    def create_function(self, request: CreateFunctionRequest) -> None:
        """Checks a CreateFunctionRequest; raises ValidationError."""
        _refuse(self._create_function(request))

    def create_key_value_store(self, request: CreateKeyValueStoreRequest) -> None:
        """Checks a CreateKeyValueStoreRequest; raises ValidationError."""
        _refuse(self._create_key_value_store(request))

    def _create_function(self, request: CreateFunctionRequest) -> Iterator[Violation]:
        yield from text.name("name", request.name)
        yield from _function_config("function_config", request.function_config)
        if not 1 <= (size := len(request.function_code)) <= self._max_function_code_bytes:
            sent = f"{size} bytes" if size else "empty"
            yield Violation(
                "function_code", "FUNCTION_CODE_SIZE", f"{sent}; allowed: 1 to {self._max_function_code_bytes} bytes"
            )
        yield from self._tags.check("tags", request.tags, own_tags=1 if request.request_id else 0)
        yield from text.request_id("request_id", request.request_id)

    def _create_key_value_store(self, request: CreateKeyValueStoreRequest) -> Iterator[Violation]:
        yield from text.name("name", request.name)
        yield from text.comment("comment", request.comment)
        if request.HasField("import_source"):
            yield from _import_source("import_source", request.import_source)
        yield from self._tags.check("tags", request.tags, own_tags=1 if request.request_id else 0)
        yield from text.request_id("request_id", request.request_id)


def _refuse(found: Iterable[Violation]) -> None:
    if violations := list(found):
        raise ValidationError(violations)


def _function_config(field: str, config: FunctionConfig) -> Iterator[Violation]:
    yield from text.comment(f"{field}.comment", config.comment)
    if config.runtime not in _RUNTIME_NUMBERS:
        sent = str(config.runtime) if config.runtime else "not set"
        yield Violation(f"{field}.runtime", "RUNTIME_KNOWN", f"{sent}; allowed: {' or '.join(_RUNTIMES)}")
    associations = config.key_value_store_associations
    if associations and config.runtime == FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_1_0:
        yield Violation(
            f"{field}.runtime",
            "RUNTIME_OF_ASSOCIATION",
            f"{_RUNTIMES[0]} with a key value store; allowed: {_RUNTIMES[1]}, or no key_value_store_associations",
        )
    if len(associations) > limits.ASSOCIATIONS_MAX:
        yield Violation(
            f"{field}.key_value_store_associations",
            "ASSOCIATIONS_COUNT",
            f"{len(associations)} associations; allowed: at most {limits.ASSOCIATIONS_MAX}",
        )
    for index, association in enumerate(islice(associations, limits.LOOKED_AT)):
        yield from text.key_value_store_arn(
            f"{field}.key_value_store_associations[{index}].key_value_store_arn", association.key_value_store_arn
        )


def _import_source(field: str, source: ImportSource) -> Iterator[Violation]:
    if source.source_type != ImportSourceType.IMPORT_SOURCE_TYPE_S3:
        sent = str(source.source_type) if source.source_type else "not set"
        yield Violation(f"{field}.source_type", "SOURCE_TYPE_KNOWN", f"{sent}; allowed: IMPORT_SOURCE_TYPE_S3")
    yield from text.s3_object_arn(f"{field}.source_arn", source.source_arn)
