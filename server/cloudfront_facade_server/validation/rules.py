"""The rules of each request. Each rpc has one method, which raises ValidationError with all violations."""

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
from ..errors import etag_sources
from ..errors.violations import Violation, quote, raise_if_any
from . import checks, events, keys
from .rule_names import Rule
from .tags import TagRules

_RUNTIMES: Final = FunctionRuntime.keys()[1:]
_RUNTIME_NUMBERS: Final = frozenset(FunctionRuntime.values()[1:])


class Rules:
    """Checks requests. Each rpc has one method.

    Args:
        tags: The rules for tags.
        max_function_code_bytes: Maximum size of a function's code.
    """

    def __init__(self, tags: TagRules, max_function_code_bytes: int = limits.FUNCTION_CODE_QUOTA) -> None:
        self._tags = tags
        self._max_function_code_bytes = max_function_code_bytes

    # --- FunctionService ---------------------------------------------------------------------------------------------

    def create_function(self, request: CreateFunctionRequest) -> None:
        """Checks a CreateFunctionRequest; raises ValidationError."""
        raise_if_any(
            checks.check_name("name", request.name),
            _check_config("function_config", request.function_config),
            self._check_code("function_code", request.function_code),
            self._tags.check("tags", request.tags, own_tags=1 if request.request_id else 0),
            checks.check_request_id("request_id", request.request_id),
        )

    def describe_function(self, request: DescribeFunctionRequest) -> None:
        """Checks a DescribeFunctionRequest; raises ValidationError."""
        raise_if_any(checks.check_name("name", request.name), _check_stage("stage", request.stage))

    def get_function(self, request: GetFunctionRequest) -> None:
        """Checks a GetFunctionRequest; raises ValidationError."""
        raise_if_any(checks.check_name("name", request.name), _check_stage("stage", request.stage))

    def update_function(self, request: UpdateFunctionRequest) -> None:
        """Checks an UpdateFunctionRequest; raises ValidationError."""
        raise_if_any(
            checks.check_name("name", request.name),
            checks.check_etag("etag", request.etag, returned_by=etag_sources.DEVELOPMENT_STAGE),
            _check_config("function_config", request.function_config),
            self._check_code("function_code", request.function_code),
        )

    def publish_function(self, request: PublishFunctionRequest) -> None:
        """Checks a PublishFunctionRequest; raises ValidationError."""
        raise_if_any(
            checks.check_name("name", request.name),
            checks.check_etag("etag", request.etag, returned_by=etag_sources.DEVELOPMENT_STAGE),
        )

    def test_function(self, request: TestFunctionRequest) -> None:
        """Checks a TestFunctionRequest; raises ValidationError."""
        is_live = request.stage == FunctionStage.FUNCTION_STAGE_LIVE
        returned_by = etag_sources.LIVE_STAGE if is_live else etag_sources.DEVELOPMENT_STAGE
        raise_if_any(
            checks.check_name("name", request.name),
            checks.check_etag("etag", request.etag, returned_by=returned_by),
            _check_stage("stage", request.stage),
            events.check_event_object("event_object", request.event_object),
        )

    def delete_function(self, request: DeleteFunctionRequest) -> None:
        """Checks a DeleteFunctionRequest; raises ValidationError."""
        raise_if_any(
            checks.check_name("name", request.name),
            checks.check_etag("etag", request.etag, returned_by=etag_sources.DEVELOPMENT_STAGE),
        )

    def list_functions(self, request: ListFunctionsRequest) -> None:
        """Checks a ListFunctionsRequest; raises ValidationError."""
        raise_if_any(
            _check_page(page_tokens.functions_list(request.stage), request), _check_stage("stage", request.stage)
        )

    # --- KeyValueStoreService ----------------------------------------------------------------------------------------

    def create_key_value_store(self, request: CreateKeyValueStoreRequest) -> None:
        """Checks a CreateKeyValueStoreRequest; raises ValidationError."""
        source = request.import_source
        raise_if_any(
            checks.check_name("name", request.name),
            checks.check_comment("comment", request.comment),
            _check_import_source("import_source", source) if request.HasField("import_source") else (),
            self._tags.check("tags", request.tags, own_tags=1 if request.request_id else 0),
            checks.check_request_id("request_id", request.request_id),
        )

    def describe_key_value_store(self, request: DescribeKeyValueStoreRequest) -> None:
        """Checks a DescribeKeyValueStoreRequest; raises ValidationError."""
        raise_if_any(checks.check_name("name", request.name))

    def update_key_value_store(self, request: UpdateKeyValueStoreRequest) -> None:
        """Checks an UpdateKeyValueStoreRequest; raises ValidationError."""
        raise_if_any(
            checks.check_name("name", request.name),
            checks.check_etag("etag", request.etag, returned_by=etag_sources.KEY_VALUE_STORE),
            checks.check_comment("comment", request.comment),
        )

    def delete_key_value_store(self, request: DeleteKeyValueStoreRequest) -> None:
        """Checks a DeleteKeyValueStoreRequest; raises ValidationError."""
        raise_if_any(
            checks.check_name("name", request.name),
            checks.check_etag("etag", request.etag, returned_by=etag_sources.KEY_VALUE_STORE),
        )

    def list_key_value_stores(self, request: ListKeyValueStoresRequest) -> None:
        """Checks a ListKeyValueStoresRequest; raises ValidationError."""
        list_name = page_tokens.key_value_stores_list(request.status)
        raise_if_any(_check_page(list_name, request), checks.check_status("status", request.status))

    def wait_for_key_value_store(self, request: WaitForKeyValueStoreRequest) -> None:
        """Checks a WaitForKeyValueStoreRequest; raises ValidationError."""
        raise_if_any(checks.check_name("name", request.name))

    # --- KeyValueStoreDataService ------------------------------------------------------------------------------------

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
            checks.check_value("value", request.value),
            checks.check_optional_etag("etag", request.etag, returned_by=etag_sources.KEY_VALUE_STORE_DATA),
        )

    def delete_key(self, request: DeleteKeyRequest) -> None:
        """Checks a DeleteKeyRequest; raises ValidationError."""
        raise_if_any(
            checks.check_key_value_store_arn("kvs_arn", request.kvs_arn),
            checks.check_key_in_path("key", request.key),
            checks.check_optional_etag("etag", request.etag, returned_by=etag_sources.KEY_VALUE_STORE_DATA),
        )

    def list_keys(self, request: ListKeysRequest) -> None:
        """Checks a ListKeysRequest; raises ValidationError."""
        list_name = page_tokens.keys_list(request.kvs_arn)
        raise_if_any(checks.check_key_value_store_arn("kvs_arn", request.kvs_arn), _check_page(list_name, request))

    def update_keys(self, request: UpdateKeysRequest, checkpoint: Callable[[], None]) -> None:
        """Checks an UpdateKeysRequest; raises ValidationError.

        Args:
            request: The request, which may have 100,000 changes.
            checkpoint: Lets other calls run. Called from time to time.
        """
        raise_if_any(
            checks.check_key_value_store_arn("kvs_arn", request.kvs_arn),
            checks.check_not_empty("changes", Rule.CHANGES_COUNT, len(request.changes)),
            keys.check_changes(request.changes, 0, checkpoint),
            checks.check_optional_etag("etag", request.etag, returned_by=etag_sources.KEY_VALUE_STORE_DATA),
        )

    def import_keys(
        self, requests: Iterator[ImportKeysRequest], checkpoint: Callable[[], None]
    ) -> tuple[ImportKeysRequest, Iterator[ImportKeysRequest]]:
        """Checks the ImportKeysRequests of a stream.

        Args:
            requests: The requests as they arrive.
            checkpoint: Lets other calls run. Called from time to time.

        Returns:
            The first request, which names the store, and all requests, each checked when it is read.

        Raises:
            ValidationError: The first request breaks rules. Reading a later one raises it too.
        """
        first = next(requests, ImportKeysRequest())
        raise_if_any(
            checks.check_key_value_store_arn("kvs_arn", first.kvs_arn),
            checks.check_optional_etag("etag", first.etag, returned_by=etag_sources.KEY_VALUE_STORE_DATA),
        )
        return first, keys.check_stream(first, requests, checkpoint)

    # --- TagService --------------------------------------------------------------------------------------------------

    def tag_resource(self, request: TagResourceRequest) -> None:
        """Checks a TagResourceRequest; raises ValidationError."""
        raise_if_any(
            checks.check_resource_arn("resource", request.resource),
            checks.check_not_empty("tags", Rule.TAGS_COUNT, len(request.tags)),
            self._tags.check("tags", request.tags),
        )

    def check_tag_limit(self, existing: Iterable[str], added: Iterable[str]) -> None:
        """Checks that the keys `added` may be set on a resource with the keys `existing`; raises ValidationError."""
        raise_if_any(self._tags.check_total("tags", set(existing), set(added)))

    def untag_resource(self, request: UntagResourceRequest) -> None:
        """Checks an UntagResourceRequest; raises ValidationError."""
        raise_if_any(
            checks.check_resource_arn("resource", request.resource),
            checks.check_not_empty("tag_keys", Rule.TAGS_COUNT, len(request.tag_keys)),
            self._tags.check_keys("tag_keys", request.tag_keys),
        )

    def list_tags_for_resource(self, request: ListTagsForResourceRequest) -> None:
        """Checks a ListTagsForResourceRequest; raises ValidationError."""
        raise_if_any(checks.check_resource_arn("resource", request.resource))

    def _check_code(self, field: str, code: bytes) -> Iterator[Violation]:
        if not 1 <= (size := len(code)) <= self._max_function_code_bytes:
            sent = f"{size} bytes" if size else "empty"
            yield Violation(
                field, Rule.FUNCTION_CODE_SIZE, f"{sent}; allowed: 1 to {self._max_function_code_bytes} bytes"
            )


class _PagedRequest(Protocol):
    page_size: int
    page_token: str


def _check_stage(field: str, stage: int) -> Iterator[Violation]:
    if stage not in FunctionStage.values():
        names = " or ".join(FunctionStage.keys()[1:])
        yield Violation(field, Rule.STAGE_KNOWN, f"{stage}; allowed: not set, or {names}")


def _check_page(list_name: str, request: _PagedRequest) -> Iterator[Violation]:
    if request.page_size < 0:
        yield Violation("page_size", Rule.PAGE_SIZE_RANGE, f"{request.page_size}; allowed: 0 or more")
    try:
        page_tokens.decode(list_name, request.page_token)
    except page_tokens.PageTokenError:
        yield Violation(
            "page_token",
            Rule.PAGE_TOKEN_FORM,
            f"{quote(request.page_token)}; allowed: empty, or the next_page_token of the same list",
        )


def _check_config(field: str, config: FunctionConfig) -> Iterator[Violation]:
    yield from checks.check_comment(f"{field}.comment", config.comment)
    if config.runtime not in _RUNTIME_NUMBERS:
        sent = str(config.runtime) if config.runtime else "not set"
        yield Violation(f"{field}.runtime", Rule.RUNTIME_KNOWN, f"{sent}; allowed: {' or '.join(_RUNTIMES)}")
    associations = config.key_value_store_associations
    if associations and config.runtime == FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_1_0:
        yield Violation(
            f"{field}.runtime",
            Rule.RUNTIME_OF_ASSOCIATION,
            f"{_RUNTIMES[0]} cannot read a key value store; "
            f"allowed: {_RUNTIMES[1]}, or no key_value_store_associations",
        )
    if len(associations) > limits.ASSOCIATIONS_MAX:
        yield Violation(
            f"{field}.key_value_store_associations",
            Rule.ASSOCIATIONS_COUNT,
            f"{len(associations)} associations; allowed: at most {limits.ASSOCIATIONS_MAX}",
        )
    for index, association in enumerate(islice(associations, limits.CHECKED_ELEMENTS_MAX)):
        yield from checks.check_key_value_store_arn(
            f"{field}.key_value_store_associations[{index}].key_value_store_arn", association.key_value_store_arn
        )


def _check_import_source(field: str, source: ImportSource) -> Iterator[Violation]:
    if source.source_type != ImportSourceType.IMPORT_SOURCE_TYPE_S3:
        sent = str(source.source_type) if source.source_type else "not set"
        yield Violation(f"{field}.source_type", Rule.SOURCE_TYPE_KNOWN, f"{sent}; allowed: IMPORT_SOURCE_TYPE_S3")
    yield from checks.check_s3_object_arn(f"{field}.source_arn", source.source_arn)
