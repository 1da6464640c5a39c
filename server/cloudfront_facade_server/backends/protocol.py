"""The methods that every backend has, in boto3's shape: keyword arguments in, parsed response out.

Responses are as boto3 parses CloudFront's: `ResponseMetadata` with `HTTPStatusCode`, `RequestId` and `HTTPHeaders`
(lower-case names, `date` among them), times as aware datetimes. An operation that CloudFront refuses raises
`botocore.exceptions.ClientError` with CloudFront's code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

Response = Mapping[str, Any]


class Backend(Protocol):
    """CloudFront's operations on functions, key value stores and tags."""

    name: str
    """`aws` or `embedded`; callers see it in the trailer `x-cloudfront-facade-backend`."""

    def create_function(self, **arguments: Any) -> Response:
        """Takes Name, FunctionConfig, FunctionCode and optionally Tags; answers FunctionSummary, Location, ETag."""

    def describe_function(self, **arguments: Any) -> Response:
        """Takes Name and Stage; answers FunctionSummary, ETag."""

    def get_function(self, **arguments: Any) -> Response:
        """Takes Name and Stage; answers FunctionCode (a stream with `read`), ETag, ContentType."""

    def create_key_value_store(self, **arguments: Any) -> Response:
        """Takes Name and optionally Comment, ImportSource, Tags; answers KeyValueStore, ETag, Location."""

    def describe_key_value_store(self, **arguments: Any) -> Response:
        """Takes Name; answers KeyValueStore, ETag."""

    def list_key_value_stores(self, **arguments: Any) -> Response:
        """Takes optionally Marker, MaxItems (a string), Status; answers KeyValueStoreList with Items and NextMarker."""

    def list_tags_for_resource(self, **arguments: Any) -> Response:
        """Takes Resource, an ARN; answers Tags with Items."""

    def close(self) -> None:
        """Gives back files and connections. No method is called afterwards."""
