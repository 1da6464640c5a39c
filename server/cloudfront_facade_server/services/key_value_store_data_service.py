"""The servicer of KeyValueStoreDataService."""

from __future__ import annotations

from collections.abc import Iterator

from cloudfront_facade.v1.key_value_store_data_service_pb2 import (
    DeleteKeyRequest,
    DeleteKeyResponse,
    DescribeKeyValueStoreDataRequest,
    DescribeKeyValueStoreDataResponse,
    GetKeyRequest,
    GetKeyResponse,
    ImportKeysRequest,
    ImportKeysResponse,
    ListKeysRequest,
    ListKeysResponse,
    PutKeyRequest,
    PutKeyResponse,
    UpdateKeysRequest,
    UpdateKeysResponse,
)

from ..call_context import CallContext
from ..concurrency.greenlets import checkpoint
from ..translation import key_value_store_data as translation
from ..upstream.key_values import KeyValues
from ..validation.rules import Rules

# ruff: noqa: N802 (rpcs have the names of CloudFront's operations)


class KeyValueStoreDataService:
    """The rpcs of `cloudfront_facade.v1.KeyValueStoreDataService`.

    Each method takes its request, or its stream of requests, and the call, and raises ValidationError or StatusError.

    Args:
        rules: The validation rules.
        key_values: The operations of the data plane.
    """

    def __init__(self, rules: Rules, key_values: KeyValues) -> None:
        self._rules = rules
        self._key_values = key_values

    def DescribeKeyValueStoreData(
        self, request: DescribeKeyValueStoreDataRequest, call: CallContext
    ) -> DescribeKeyValueStoreDataResponse:
        """Describes the content of a store."""
        self._rules.describe_key_value_store_data(request)
        response = self._key_values.describe(translation.describe_key_value_store_data_to_boto(request), call)
        return translation.describe_key_value_store_data_from_boto(response)

    def GetKey(self, request: GetKeyRequest, call: CallContext) -> GetKeyResponse:
        """Returns the value of a key."""
        self._rules.get_key(request)
        response = self._key_values.get(translation.get_key_to_boto(request), call)
        return translation.get_key_from_boto(response)

    def PutKey(self, request: PutKeyRequest, call: CallContext) -> PutKeyResponse:
        """Sets the value of a key."""
        self._rules.put_key(request)
        response = self._key_values.put(translation.put_key_to_boto(request), call)
        return translation.put_key_from_boto(response)

    def DeleteKey(self, request: DeleteKeyRequest, call: CallContext) -> DeleteKeyResponse:
        """Deletes a key."""
        self._rules.delete_key(request)
        response = self._key_values.delete(translation.delete_key_to_boto(request), call)
        return translation.delete_key_from_boto(response)

    def ListKeys(self, request: ListKeysRequest, call: CallContext) -> ListKeysResponse:
        """Lists keys with their values."""
        self._rules.list_keys(request)
        response = self._key_values.list(translation.list_keys_to_boto(request), call)
        return translation.list_keys_from_boto(response, request)

    def UpdateKeys(self, request: UpdateKeysRequest, call: CallContext) -> UpdateKeysResponse:
        """Changes any number of keys, in batches."""
        self._rules.update_keys(request, checkpoint)
        changes = translation.changes_to_boto(request.changes)
        response, _ = self._key_values.update(translation.update_keys_to_boto(request), changes, call)
        return translation.update_keys_from_boto(response)

    def ImportKeys(self, requests: Iterator[ImportKeysRequest], call: CallContext) -> ImportKeysResponse:
        """Changes any number of keys, in batches, as the requests arrive."""
        target, checked = self._rules.import_keys(requests, checkpoint)
        changes = translation.stream_to_boto(checked)
        response, applied = self._key_values.update(translation.import_keys_to_boto(target), changes, call)
        return translation.import_keys_from_boto(response, applied)
