"""The servicer of KeyValueStoreService."""

from __future__ import annotations

from cloudfront_facade.v1.key_value_store_service_pb2 import (
    CreateKeyValueStoreRequest,
    CreateKeyValueStoreResponse,
    DeleteKeyValueStoreRequest,
    DeleteKeyValueStoreResponse,
    DescribeKeyValueStoreRequest,
    DescribeKeyValueStoreResponse,
    ListKeyValueStoresRequest,
    ListKeyValueStoresResponse,
    UpdateKeyValueStoreRequest,
    UpdateKeyValueStoreResponse,
    WaitForKeyValueStoreRequest,
    WaitForKeyValueStoreResponse,
)

from ..call_context import CallContext
from ..translation import key_value_stores as translation
from ..upstream.creates import ResourceCreator
from ..upstream.key_value_stores import KeyValueStores
from ..upstream.wait_for_ready import ReadyWaiter
from ..validation.rules import Rules

# ruff: noqa: N802 (rpcs have the names of CloudFront's operations)


class KeyValueStoreService:
    """The rpcs of `cloudfront_facade.v1.KeyValueStoreService`.

    Each method takes its request and the call, and raises ValidationError or StatusError.

    Args:
        rules: The validation rules.
        creator: Creates key value stores.
        key_value_stores: The other operations of the control plane.
        ready_waiter: Waits until a store is READY.
    """

    def __init__(
        self, rules: Rules, creator: ResourceCreator, key_value_stores: KeyValueStores, ready_waiter: ReadyWaiter
    ) -> None:
        self._rules = rules
        self._creator = creator
        self._key_value_stores = key_value_stores
        self._ready_waiter = ready_waiter

    def CreateKeyValueStore(
        self, request: CreateKeyValueStoreRequest, call: CallContext
    ) -> CreateKeyValueStoreResponse:
        """Creates a key value store, once for each request_id."""
        self._rules.create_key_value_store(request)
        arguments = translation.create_key_value_store_to_boto(request)
        response = self._creator.create(arguments, request.request_id, call, validate_only=request.validate_only)
        return translation.create_key_value_store_from_boto(response)

    def DescribeKeyValueStore(
        self, request: DescribeKeyValueStoreRequest, call: CallContext
    ) -> DescribeKeyValueStoreResponse:
        """Describes a key value store."""
        self._rules.describe_key_value_store(request)
        response = self._key_value_stores.describe(translation.describe_key_value_store_to_boto(request), call)
        return translation.describe_key_value_store_from_boto(response)

    def UpdateKeyValueStore(
        self, request: UpdateKeyValueStoreRequest, call: CallContext
    ) -> UpdateKeyValueStoreResponse:
        """Changes the comment of a key value store."""
        self._rules.update_key_value_store(request)
        response = self._key_value_stores.update(translation.update_key_value_store_to_boto(request), call)
        return translation.update_key_value_store_from_boto(response)

    def DeleteKeyValueStore(
        self, request: DeleteKeyValueStoreRequest, call: CallContext
    ) -> DeleteKeyValueStoreResponse:
        """Deletes a key value store."""
        self._rules.delete_key_value_store(request)
        response = self._key_value_stores.delete(translation.delete_key_value_store_to_boto(request), call)
        return translation.delete_key_value_store_from_boto(response)

    def ListKeyValueStores(self, request: ListKeyValueStoresRequest, call: CallContext) -> ListKeyValueStoresResponse:
        """Lists the key value stores."""
        self._rules.list_key_value_stores(request)
        response = self._key_value_stores.list(translation.list_key_value_stores_to_boto(request), call)
        return translation.list_key_value_stores_from_boto(response, request)

    def WaitForKeyValueStore(
        self, request: WaitForKeyValueStoreRequest, call: CallContext
    ) -> WaitForKeyValueStoreResponse:
        """Returns a key value store once it is READY."""
        self._rules.wait_for_key_value_store(request)
        response = self._ready_waiter.wait(translation.wait_for_key_value_store_to_boto(request), call)
        return translation.wait_for_key_value_store_from_boto(response)
