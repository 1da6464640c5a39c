"""KeyValueStoreService."""

from __future__ import annotations

from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest, CreateKeyValueStoreResponse

from ..call import Call
from ..creates.creates import Creates
from ..translation.key_value_stores import create_key_value_store_from_boto, create_key_value_store_to_boto
from ..validation.rules import Rules


class KeyValueStoreService:
    """The rpcs of `cloudfront_facade.v1.KeyValueStoreService`.

    Each takes its request and the call, and raises ValidationError or StatusError.
    """

    def __init__(self, rules: Rules, creates: Creates) -> None:
        self._rules = rules
        self._creates = creates

    def CreateKeyValueStore(  # noqa: N802
        self, request: CreateKeyValueStoreRequest, call: Call
    ) -> CreateKeyValueStoreResponse:
        """Creates a key value store, once for each request_id."""
        self._rules.create_key_value_store(request)
        arguments = create_key_value_store_to_boto(request)
        response = self._creates.create(arguments, request.request_id, call, validate_only=request.validate_only)
        return create_key_value_store_from_boto(response)
