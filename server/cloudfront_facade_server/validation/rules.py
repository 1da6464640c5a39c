"""The rules of each request: one method for each rpc, each raises ValidationError with all violations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final, Protocol

from cloudfront_facade.v1.function_service_pb2 import (
    CreateFunctionRequest,
    DeleteFunctionRequest,
    DescribeFunctionRequest,
    FunctionConfig,
    FunctionRuntime,
    FunctionStage,
    GetFunctionRequest,
    ListFunctionsRequest,
    PublishFunctionRequest,
    TestFunctionRequest,
    UpdateFunctionRequest,
)
from cloudfront_facade.v1.key_value_store_data_service_pb2 import (
    DeleteKeyRequest,
    DescribeKeyValueStoreDataRequest,
    GetKeyRequest,
    ImportKeysRequest,
    ListKeysRequest,
    PutKeyRequest,
    UpdateKeysRequest,
)
from cloudfront_facade.v1.key_value_store_service_pb2 import (
    CreateKeyValueStoreRequest,
    DeleteKeyValueStoreRequest,
    DescribeKeyValueStoreRequest,
    ImportSource,
    ImportSourceType,
    ListKeyValueStoresRequest,
    UpdateKeyValueStoreRequest,
    WaitForKeyValueStoreRequest,
)
from cloudfront_facade.v1.tag_service_pb2 import (
    ListTagsForResourceRequest,
    TagResourceRequest,
    UntagResourceRequest,
)

from .. import limits, page_tokens
from ..errors.violations import Violation, quote, raise_if_any
from . import checks, events, keys
from .tags import TagRules

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
        raise_if_any(self._create_function(request))

    def create_key_value_store(self, request: CreateKeyValueStoreRequest) -> None:
        """Checks a CreateKeyValueStoreRequest; raises ValidationError."""
        raise_if_any(self._create_key_value_store(request))

    def describe_function(self, request: DescribeFunctionRequest | GetFunctionRequest) -> None:
        """Checks a DescribeFunctionRequest or a GetFunctionRequest; raises ValidationError."""
        raise_if_any(checks.check_name("name", request.name), _stage("stage", request.stage))

    def update_function(self, request: UpdateFunctionRequest) -> None:
        """Checks an UpdateFunctionRequest; raises ValidationError."""
        raise_if_any(
            checks.check_name("name", request.name),
            checks.check_etag("etag", request.etag),
            _function_config("function_config", request.function_config),
            self._function_code("function_code", request.function_code),
        )

    def function_version(self, request: PublishFunctionRequest | DeleteFunctionRequest) -> None:
        """Checks a PublishFunctionRequest or a DeleteFunctionRequest; raises ValidationError."""
        raise_if_any(checks.check_name("name", request.name), checks.check_etag("etag", request.etag))

    def test_function(self, request: TestFunctionRequest) -> None:
        """Checks a TestFunctionRequest; raises ValidationError."""
        raise_if_any(
            checks.check_name("name", request.name),
            checks.check_etag("etag", request.etag),
            _stage("stage", request.stage),
            events.event_object("event_object", request.event_object),
        )

    def list_functions(self, request: ListFunctionsRequest) -> None:
        """Checks a ListFunctionsRequest; raises ValidationError."""
        raise_if_any(_page(page_tokens.functions_list(request.stage), request), _stage("stage", request.stage))

    def describe_key_value_store(self, request: DescribeKeyValueStoreRequest | WaitForKeyValueStoreRequest) -> None:
        """Checks a DescribeKeyValueStoreRequest or a WaitForKeyValueStoreRequest; raises ValidationError."""
        raise_if_any(checks.check_name("name", request.name))

    def update_key_value_store(self, request: UpdateKeyValueStoreRequest) -> None:
        """Checks an UpdateKeyValueStoreRequest; raises ValidationError."""
        raise_if_any(
            checks.check_name("name", request.name),
            checks.check_etag("etag", request.etag),
            checks.check_comment("comment", request.comment),
        )

    def delete_key_value_store(self, request: DeleteKeyValueStoreRequest) -> None:
        """Checks a DeleteKeyValueStoreRequest; raises ValidationError."""
        raise_if_any(checks.check_name("name", request.name), checks.check_etag("etag", request.etag))

    def list_key_value_stores(self, request: ListKeyValueStoresRequest) -> None:
        """Checks a ListKeyValueStoresRequest; raises ValidationError."""
        which = page_tokens.key_value_stores_list(request.status)
        raise_if_any(_page(which, request), checks.check_status("status", request.status))

    def describe_key_value_store_data(self, request: DescribeKeyValueStoreDataRequest) -> None:
        """Checks a DescribeKeyValueStoreDataRequest; raises ValidationError."""
        raise_if_any(checks.check_key_value_store_arn("kvs_arn", request.kvs_arn))

    def get_key(self, request: GetKeyRequest) -> None:
        """Checks a GetKeyRequest; raises ValidationError."""
        raise_if_any(
            checks.check_key_value_store_arn("kvs_arn", request.kvs_arn), checks.check_key_in_path("key", request.key)
        )

    def put_key(self, request: PutKeyRequest) -> None:
        """Checks a PutKeyRequest; raises ValidationError."""
        raise_if_any(
            checks.check_key_value_store_arn("kvs_arn", request.kvs_arn),
            checks.check_key_in_path("key", request.key),
            checks.check_value_of_key("value", request.value),
            checks.check_etag("etag", request.etag, required=False),
        )

    def delete_key(self, request: DeleteKeyRequest) -> None:
        """Checks a DeleteKeyRequest; raises ValidationError."""
        raise_if_any(
            checks.check_key_value_store_arn("kvs_arn", request.kvs_arn),
            checks.check_key_in_path("key", request.key),
            checks.check_etag("etag", request.etag, required=False),
        )

    def list_keys(self, request: ListKeysRequest) -> None:
        """Checks a ListKeysRequest; raises ValidationError."""
        which = page_tokens.keys_list(request.kvs_arn)
        raise_if_any(checks.check_key_value_store_arn("kvs_arn", request.kvs_arn), _page(which, request))

    def update_keys(self, request: UpdateKeysRequest, breathe: Callable[[], None]) -> None:
        """Checks an UpdateKeysRequest; raises ValidationError. Calls `breathe` now and then, for that can take long."""
        raise_if_any(
            checks.check_key_value_store_arn("kvs_arn", request.kvs_arn),
            checks.check_not_empty("changes", "CHANGES_COUNT", len(request.changes)),
            keys.key_changes(request.changes, 0, breathe),
            checks.check_etag("etag", request.etag, required=False),
        )

    def import_keys(
        self, requests: Iterator[ImportKeysRequest], breathe: Callable[[], None]
    ) -> tuple[ImportKeysRequest, Iterator[ImportKeysRequest]]:
        """Checks the ImportKeysRequests of a stream. Calls `breathe` now and then, for that can take long.

        Returns:
            The first one, which names the store, and all of them, each checked when it is taken.

        Raises:
            ValidationError: the first one breaks rules, or, when it is taken, a later one.
        """
        first = next(requests, ImportKeysRequest())
        raise_if_any(
            checks.check_key_value_store_arn("kvs_arn", first.kvs_arn),
            checks.check_etag("etag", first.etag, required=False),
        )
        return first, keys.imported(first, requests, breathe)

    def tag_resource(self, request: TagResourceRequest) -> None:
        """Checks a TagResourceRequest; raises ValidationError."""
        raise_if_any(
            checks.resource_arn("resource", request.resource),
            checks.check_not_empty("tags", "TAGS_COUNT", len(request.tags)),
            self._tags.check("tags", request.tags),
        )

    def check_tag_limit(self, there: Iterable[str], added: Iterable[str]) -> None:
        """Checks that a resource that has the keys `there` may be given those `added`; raises ValidationError."""
        raise_if_any(self._tags.check_union("tags", set(there), set(added)))

    def untag_resource(self, request: UntagResourceRequest) -> None:
        """Checks an UntagResourceRequest; raises ValidationError."""
        raise_if_any(
            checks.resource_arn("resource", request.resource),
            checks.check_not_empty("tag_keys", "TAGS_COUNT", len(request.tag_keys)),
            self._tags.check_keys("tag_keys", request.tag_keys),
        )

    def list_tags_for_resource(self, request: ListTagsForResourceRequest) -> None:
        """Checks a ListTagsForResourceRequest; raises ValidationError."""
        raise_if_any(checks.resource_arn("resource", request.resource))

    def _create_function(self, request: CreateFunctionRequest) -> Iterator[Violation]:
        yield from checks.check_name("name", request.name)
        yield from _function_config("function_config", request.function_config)
        yield from self._function_code("function_code", request.function_code)
        yield from self._tags.check("tags", request.tags, own_tags=1 if request.request_id else 0)
        yield from checks.check_request_id("request_id", request.request_id)

    def _create_key_value_store(self, request: CreateKeyValueStoreRequest) -> Iterator[Violation]:
        yield from checks.check_name("name", request.name)
        yield from checks.check_comment("comment", request.comment)
        if request.HasField("import_source"):
            yield from _import_source("import_source", request.import_source)
        yield from self._tags.check("tags", request.tags, own_tags=1 if request.request_id else 0)
        yield from checks.check_request_id("request_id", request.request_id)

    def _function_code(self, field: str, code: bytes) -> Iterator[Violation]:
        if not 1 <= (size := len(code)) <= self._max_function_code_bytes:
            sent = f"{size} bytes" if size else "empty"
            yield Violation(field, "FUNCTION_CODE_SIZE", f"{sent}; allowed: 1 to {self._max_function_code_bytes} bytes")


class _PagedRequest(Protocol):
    page_size: int
    page_token: str


def _stage(field: str, stage: int) -> Iterator[Violation]:
    if stage not in FunctionStage.values():
        yield Violation(field, "STAGE_KNOWN", f"{stage}; allowed: not set, or {' or '.join(FunctionStage.keys()[1:])}")


def _page(which: str, request: _PagedRequest) -> Iterator[Violation]:
    if request.page_size < 0:
        yield Violation("page_size", "PAGE_SIZE_RANGE", f"{request.page_size}; allowed: 0 or more")
    try:
        page_tokens.decode(which, request.page_token)
    except page_tokens.PageTokenError:
        yield Violation(
            "page_token",
            "PAGE_TOKEN_FORM",
            f"{quote(request.page_token)}; allowed: empty, or the next_page_token of the same list",
        )


def _function_config(field: str, config: FunctionConfig) -> Iterator[Violation]:
    yield from checks.check_comment(f"{field}.comment", config.comment)
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
        yield from checks.check_key_value_store_arn(
            f"{field}.key_value_store_associations[{index}].key_value_store_arn", association.key_value_store_arn
        )


def _import_source(field: str, source: ImportSource) -> Iterator[Violation]:
    if source.source_type != ImportSourceType.IMPORT_SOURCE_TYPE_S3:
        sent = str(source.source_type) if source.source_type else "not set"
        yield Violation(f"{field}.source_type", "SOURCE_TYPE_KNOWN", f"{sent}; allowed: IMPORT_SOURCE_TYPE_S3")
    yield from checks.s3_object_arn(f"{field}.source_arn", source.source_arn)
