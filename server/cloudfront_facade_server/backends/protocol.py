"""The methods that every backend has, in boto3's shape: keyword arguments in, parsed response out.

Responses are as boto3 parses CloudFront's: `ResponseMetadata` with `HTTPStatusCode`, `RequestId` and `HTTPHeaders`
(lower-case names, `date` among them), times as aware datetimes. An operation that CloudFront refuses raises
`botocore.exceptions.ClientError` with CloudFront's code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

Arguments = Mapping[str, Any]
"""The keyword arguments of a method."""

Response = Mapping[str, Any]


class Backend(Protocol):
    """CloudFront's operations on functions, key value stores and tags, and those of the stores' data plane.

    Both planes have a `describe_key_value_store`; the data plane's is `describe_key_value_store_data` here.
    """

    name: str
    """`aws` or `embedded`; callers see it in the trailer `x-cloudfront-facade-backend`."""

    def create_function(self, **arguments: Any) -> Response:
        """Takes Name, FunctionConfig, FunctionCode and optionally Tags; answers FunctionSummary, Location, ETag."""

    def describe_function(self, **arguments: Any) -> Response:
        """Takes Name and Stage; answers FunctionSummary, ETag."""

    def get_function(self, **arguments: Any) -> Response:
        """Takes Name and Stage; answers FunctionCode (a stream with `read`), ETag, ContentType."""

    def update_function(self, **arguments: Any) -> Response:
        """Takes Name, IfMatch, FunctionConfig, FunctionCode; answers FunctionSummary, ETag."""

    def publish_function(self, **arguments: Any) -> Response:
        """Takes Name and IfMatch; answers FunctionSummary."""

    def test_function(self, **arguments: Any) -> Response:
        """Takes Name, IfMatch, Stage, EventObject (bytes); answers TestResult."""

    def delete_function(self, **arguments: Any) -> Response:
        """Takes Name and IfMatch."""

    def list_functions(self, **arguments: Any) -> Response:
        """Takes Stage and optionally Marker, MaxItems (a string); answers FunctionList with Items and NextMarker."""

    def list_distributions(self, **arguments: Any) -> Response:
        """Takes optionally Marker, MaxItems (a string); answers DistributionList with Items and NextMarker."""

    def create_key_value_store(self, **arguments: Any) -> Response:
        """Takes Name and optionally Comment, ImportSource, Tags; answers KeyValueStore, ETag, Location."""

    def describe_key_value_store(self, **arguments: Any) -> Response:
        """Takes Name; answers KeyValueStore, ETag."""

    def update_key_value_store(self, **arguments: Any) -> Response:
        """Takes Name, Comment, IfMatch; answers KeyValueStore, ETag."""

    def delete_key_value_store(self, **arguments: Any) -> Response:
        """Takes Name and IfMatch."""

    def list_key_value_stores(self, **arguments: Any) -> Response:
        """Takes optionally Marker, MaxItems (a string), Status; answers KeyValueStoreList with Items and NextMarker."""

    def describe_key_value_store_data(self, **arguments: Any) -> Response:
        """Takes KvsARN; answers as the data plane's `describe_key_value_store`."""

    def get_key(self, **arguments: Any) -> Response:
        """Takes KvsARN and Key; answers Key, Value, ItemCount, TotalSizeInBytes."""

    def put_key(self, **arguments: Any) -> Response:
        """Takes KvsARN, Key, Value, IfMatch; answers ItemCount, TotalSizeInBytes, ETag."""

    def delete_key(self, **arguments: Any) -> Response:
        """Takes KvsARN, Key, IfMatch; answers ItemCount, TotalSizeInBytes, ETag."""

    def list_keys(self, **arguments: Any) -> Response:
        """Takes KvsARN and optionally NextToken, MaxResults; answers Items (Key, Value) and NextToken."""

    def update_keys(self, **arguments: Any) -> Response:
        """Takes KvsARN, IfMatch and Puts, Deletes or both; answers ItemCount, TotalSizeInBytes, ETag."""

    def tag_resource(self, **arguments: Any) -> Response:
        """Takes Resource, an ARN, and Tags with Items."""

    def untag_resource(self, **arguments: Any) -> Response:
        """Takes Resource, an ARN, and TagKeys with Items."""

    def list_tags_for_resource(self, **arguments: Any) -> Response:
        """Takes Resource, an ARN; answers Tags with Items."""

    def close(self) -> None:
        """Gives back files and connections. No method is called afterwards."""
