"""The rules of each request. Each rpc has one method, which raises ValidationError with all violations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from cloudfront_facade.v1.function_service_pb2 import (
    CreateFunctionRequest,
    DeleteFunctionRequest,
    DescribeFunctionRequest,
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
from ..errors.violations import ValidationError, raise_if_any
from . import checks, events, functions, key_value_stores, keys, pages
from .arns import ArnRules
from .rule_names import Rule
from .tags import TagRules


class Rules:
    """Checks requests. Each rpc has one method.

    Args:
        tags: The rules for tags.
        max_function_code_bytes: Maximum size of a function's code.
        arns: The rules for ARNs.
    """

    def __init__(
        self,
        tags: TagRules,
        max_function_code_bytes: int = limits.FUNCTION_CODE_QUOTA,
        arns: ArnRules | None = None,
    ) -> None:
        self._tags = tags
        self._arns = arns or ArnRules()
        self._max_function_code_bytes = max_function_code_bytes

    # --- FunctionService ---------------------------------------------------------------------------------------------

    def create_function(self, request: CreateFunctionRequest) -> None:
        """Checks a CreateFunctionRequest; raises ValidationError."""
        raise_if_any(
            checks.check_name("name", request.name),
            functions.check_config("function_config", request.function_config, self._arns),
            functions.check_code("function_code", request.function_code, self._max_function_code_bytes),
            self._tags.check("tags", request.tags, own_tags=1 if request.request_id else 0),
            checks.check_request_id("request_id", request.request_id),
        )

    def describe_function(self, request: DescribeFunctionRequest) -> None:
        """Checks a DescribeFunctionRequest; raises ValidationError."""
        raise_if_any(checks.check_name("name", request.name), functions.check_stage("stage", request.stage))

    def get_function(self, request: GetFunctionRequest) -> None:
        """Checks a GetFunctionRequest; raises ValidationError."""
        raise_if_any(checks.check_name("name", request.name), functions.check_stage("stage", request.stage))

    def update_function(self, request: UpdateFunctionRequest) -> None:
        """Checks an UpdateFunctionRequest; raises ValidationError."""
        raise_if_any(
            checks.check_name("name", request.name),
            checks.check_etag("etag", request.etag, returned_by=etag_sources.DEVELOPMENT_STAGE),
            functions.check_config("function_config", request.function_config, self._arns),
            functions.check_code("function_code", request.function_code, self._max_function_code_bytes),
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
            functions.check_stage("stage", request.stage),
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
            pages.check_page(page_tokens.functions_list(request.stage), request),
            functions.check_stage("stage", request.stage),
        )

    # --- KeyValueStoreService ----------------------------------------------------------------------------------------

    def create_key_value_store(self, request: CreateKeyValueStoreRequest) -> None:
        """Checks a CreateKeyValueStoreRequest; raises ValidationError."""
        source = request.import_source
        raise_if_any(
            checks.check_name("name", request.name),
            checks.check_comment("comment", request.comment),
            key_value_stores.check_import_source("import_source", source) if request.HasField("import_source") else (),
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
        raise_if_any(pages.check_page(list_name, request), key_value_stores.check_status("status", request.status))

    def wait_for_key_value_store(self, request: WaitForKeyValueStoreRequest) -> None:
        """Checks a WaitForKeyValueStoreRequest; raises ValidationError."""
        raise_if_any(checks.check_name("name", request.name))

    # --- KeyValueStoreDataService ------------------------------------------------------------------------------------

    def describe_key_value_store_data(self, request: DescribeKeyValueStoreDataRequest) -> None:
        """Checks a DescribeKeyValueStoreDataRequest; raises ValidationError."""
        raise_if_any(self._arns.check_key_value_store_arn("kvs_arn", request.kvs_arn))

    def get_key(self, request: GetKeyRequest) -> None:
        """Checks a GetKeyRequest; raises ValidationError."""
        raise_if_any(
            self._arns.check_key_value_store_arn("kvs_arn", request.kvs_arn),
            checks.check_key_in_path("key", request.key),
        )

    def put_key(self, request: PutKeyRequest) -> None:
        """Checks a PutKeyRequest; raises ValidationError."""
        raise_if_any(
            self._arns.check_key_value_store_arn("kvs_arn", request.kvs_arn),
            checks.check_key_in_path("key", request.key),
            checks.check_value("value", request.value),
            checks.check_optional_etag("etag", request.etag, returned_by=etag_sources.KEY_VALUE_STORE_DATA),
        )

    def delete_key(self, request: DeleteKeyRequest) -> None:
        """Checks a DeleteKeyRequest; raises ValidationError."""
        raise_if_any(
            self._arns.check_key_value_store_arn("kvs_arn", request.kvs_arn),
            checks.check_key_in_path("key", request.key),
            checks.check_optional_etag("etag", request.etag, returned_by=etag_sources.KEY_VALUE_STORE_DATA),
        )

    def list_keys(self, request: ListKeysRequest) -> None:
        """Checks a ListKeysRequest; raises ValidationError."""
        list_name = page_tokens.keys_list(request.kvs_arn)
        raise_if_any(
            self._arns.check_key_value_store_arn("kvs_arn", request.kvs_arn), pages.check_page(list_name, request)
        )

    def update_keys(self, request: UpdateKeysRequest, checkpoint: Callable[[], None]) -> None:
        """Checks an UpdateKeysRequest; raises ValidationError.

        Args:
            request: The request, which has at most `--max-changes` changes (10,000 by default).
            checkpoint: Lets other calls run. Called from time to time.
        """
        raise_if_any(
            self._arns.check_key_value_store_arn("kvs_arn", request.kvs_arn),
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
            The store and the etag, as a request without changes, and all requests, each checked when it is read.

        Raises:
            ValidationError: The first request breaks rules. Reading a later one raises it too.
        """
        first = next(requests, None)
        if first is None:
            raise ValidationError([*keys.check_count(0)])
        raise_if_any(
            self._arns.check_key_value_store_arn("kvs_arn", first.kvs_arn),
            checks.check_optional_etag("etag", first.etag, returned_by=etag_sources.KEY_VALUE_STORE_DATA),
        )
        target = ImportKeysRequest(kvs_arn=first.kvs_arn, etag=first.etag)
        return target, keys.check_stream(target, first, requests, checkpoint)

    # --- TagService --------------------------------------------------------------------------------------------------

    def tag_resource(self, request: TagResourceRequest) -> None:
        """Checks a TagResourceRequest; raises ValidationError."""
        raise_if_any(
            self._arns.check_resource_arn("resource", request.resource),
            checks.check_not_empty("tags", Rule.TAGS_COUNT, len(request.tags)),
            self._tags.check("tags", request.tags),
        )

    def check_tag_limit(self, existing: Iterable[str], added: Iterable[str]) -> None:
        """Checks that the keys `added` may be set on a resource with the keys `existing`; raises ValidationError."""
        raise_if_any(self._tags.check_total("tags", set(existing), set(added)))

    def untag_resource(self, request: UntagResourceRequest) -> None:
        """Checks an UntagResourceRequest; raises ValidationError."""
        raise_if_any(
            self._arns.check_resource_arn("resource", request.resource),
            checks.check_not_empty("tag_keys", Rule.TAGS_COUNT, len(request.tag_keys)),
            self._tags.check_keys("tag_keys", request.tag_keys),
        )

    def list_tags_for_resource(self, request: ListTagsForResourceRequest) -> None:
        """Checks a ListTagsForResourceRequest; raises ValidationError."""
        raise_if_any(self._arns.check_resource_arn("resource", request.resource))
