"""The methods that every backend has. Like boto3's, they take keyword arguments and return a parsed response.

The arguments and the response of a method have the types of boto3's stubs, which only mypy imports. A response contains
`ResponseMetadata` with `HTTPStatusCode`, `RequestId` and `HTTPHeaders` (lower-case names, including `date`). Times are
aware datetimes. If CloudFront rejects an operation, its method raises `botocore.exceptions.ClientError` with
CloudFront's code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, Unpack

if TYPE_CHECKING:
    from types_boto3_cloudfront import type_defs as control
    from types_boto3_cloudfront_keyvaluestore import type_defs as data

Arguments = Mapping[str, Any]
"""The keyword arguments of any method. Each method of Backend has a more specific type."""

Response = Any
"""The response of any method. Each method of Backend has a more specific type."""


class Backend(Protocol):
    """CloudFront's operations on functions, key value stores and tags, including the data plane.

    Both planes have a DescribeKeyValueStore; the data plane's is `describe_key_value_store_data`.
    """

    name: str
    """`aws` or `embedded`; callers see it in the trailer `x-cloudfront-facade-backend`."""

    def create_function(
        self, **arguments: Unpack[control.CreateFunctionRequestTypeDef]
    ) -> control.CreateFunctionResultTypeDef:
        """Creates a function in its DEVELOPMENT stage."""

    def describe_function(
        self, **arguments: Unpack[control.DescribeFunctionRequestTypeDef]
    ) -> control.DescribeFunctionResultTypeDef:
        """Returns one stage of a function, without its code."""

    def get_function(self, **arguments: Unpack[control.GetFunctionRequestTypeDef]) -> control.GetFunctionResultTypeDef:
        """Returns the code of one stage of a function, as a stream."""

    def update_function(
        self, **arguments: Unpack[control.UpdateFunctionRequestTypeDef]
    ) -> control.UpdateFunctionResultTypeDef:
        """Replaces the configuration and the code of a function's DEVELOPMENT stage."""

    def publish_function(
        self, **arguments: Unpack[control.PublishFunctionRequestTypeDef]
    ) -> control.PublishFunctionResultTypeDef:
        """Copies the DEVELOPMENT stage of a function to its LIVE stage."""

    def test_function(
        self, **arguments: Unpack[control.TestFunctionRequestTypeDef]
    ) -> control.TestFunctionResultTypeDef:
        """Runs a function with an event."""

    def delete_function(
        self, **arguments: Unpack[control.DeleteFunctionRequestTypeDef]
    ) -> control.EmptyResponseMetadataTypeDef:
        """Deletes both stages of a function."""

    def list_functions(
        self, **arguments: Unpack[control.ListFunctionsRequestTypeDef]
    ) -> control.ListFunctionsResultTypeDef:
        """Returns a page of the functions in a stage."""

    def list_distributions(
        self, **arguments: Unpack[control.ListDistributionsRequestTypeDef]
    ) -> control.ListDistributionsResultTypeDef:
        """Returns a page of the distributions."""

    def create_key_value_store(
        self, **arguments: Unpack[control.CreateKeyValueStoreRequestTypeDef]
    ) -> control.CreateKeyValueStoreResultTypeDef:
        """Creates a store, which CloudFront then provisions."""

    def describe_key_value_store(
        self, **arguments: Unpack[control.DescribeKeyValueStoreRequestTypeDef]
    ) -> control.DescribeKeyValueStoreResultTypeDef:
        """Returns a store as the control plane sees it."""

    def update_key_value_store(
        self, **arguments: Unpack[control.UpdateKeyValueStoreRequestTypeDef]
    ) -> control.UpdateKeyValueStoreResultTypeDef:
        """Replaces the comment of a store."""

    def delete_key_value_store(
        self, **arguments: Unpack[control.DeleteKeyValueStoreRequestTypeDef]
    ) -> control.EmptyResponseMetadataTypeDef:
        """Deletes a store with its keys."""

    def list_key_value_stores(
        self, **arguments: Unpack[control.ListKeyValueStoresRequestTypeDef]
    ) -> control.ListKeyValueStoresResultTypeDef:
        """Returns a page of the stores."""

    def describe_key_value_store_data(
        self, **arguments: Unpack[data.DescribeKeyValueStoreRequestTypeDef]
    ) -> data.DescribeKeyValueStoreResponseTypeDef:
        """Returns a store as the data plane sees it: its size, its state and the etag of its keys."""

    def get_key(self, **arguments: Unpack[data.GetKeyRequestTypeDef]) -> data.GetKeyResponseTypeDef:
        """Returns the value of a key."""

    def put_key(self, **arguments: Unpack[data.PutKeyRequestTypeDef]) -> data.PutKeyResponseTypeDef:
        """Sets the value of a key."""

    def delete_key(self, **arguments: Unpack[data.DeleteKeyRequestTypeDef]) -> data.DeleteKeyResponseTypeDef:
        """Deletes a key."""

    def list_keys(self, **arguments: Unpack[data.ListKeysRequestTypeDef]) -> data.ListKeysResponseTypeDef:
        """Returns a page of keys with their values."""

    def update_keys(self, **arguments: Unpack[data.UpdateKeysRequestTypeDef]) -> data.UpdateKeysResponseTypeDef:
        """Puts and deletes keys atomically."""

    def tag_resource(
        self, **arguments: Unpack[control.TagResourceRequestTypeDef]
    ) -> control.EmptyResponseMetadataTypeDef:
        """Sets tags of a resource."""

    def untag_resource(
        self, **arguments: Unpack[control.UntagResourceRequestTypeDef]
    ) -> control.EmptyResponseMetadataTypeDef:
        """Removes tags of a resource."""

    def list_tags_for_resource(
        self, **arguments: Unpack[control.ListTagsForResourceRequestTypeDef]
    ) -> control.ListTagsForResourceResultTypeDef:
        """Returns the tags of a resource."""

    def close(self) -> None:
        """Closes files and connections. Other methods must not be called afterwards."""
