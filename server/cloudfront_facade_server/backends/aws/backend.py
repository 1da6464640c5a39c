"""CloudFront itself, or any HTTP endpoint that is compatible with it, through boto3."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from ...errors.aws_codes import EXPIRED_CODES
from ...errors.classify import aws_code, proven_not_applied
from ..protocol import Response
from ..timeouts import timeouts_are_short
from .clients import AwsBackendError, make_clients, one_line_errors
from .transport import Timeouts, use_timeouts

__all__ = ["AwsBackend", "AwsBackendError"]

SHORT_TIMEOUT_SECONDS: Final = 2.0
"""Connect and read timeout of reads that settle or explain, so that several fit into the time for settling."""


class AwsBackend:
    """CloudFront through boto3, without hidden retries.

    A call is one HTTP request. A second one follows only if AWS rejected the first because the credentials had expired;
    they are refreshed in between. It waits for responses in the event loop (see `concurrency.greenlets`).

    Credentials come from where boto3 finds them, and are always needed, because boto3 signs requests to any endpoint.
    They are loaded when they are first needed, because their source may be slow: see `credentials_available`.

    The data plane's rules put the account before the host, also of an `endpoint_url` (`http://127.0.0.1:4566` becomes
    `http://123456789012.127.0.0.1:4566`), and few such names resolve. So requests go to the host and port of
    `endpoint_url`, and the long name is only in the Host header and the signature; with TLS, the certificate must be
    the endpoint's own. A proxy from the environment receives the long name and must resolve it.

    Args:
        region: The AWS region to sign for; CloudFront itself only accepts `us-east-1`.
        endpoint_url: Where to send the requests of both planes instead of CloudFront's own addresses.
        profile: The profile of the AWS config file; None for the environment's choice.
        connect_timeout: Maximum seconds to establish a connection.
        read_timeout: Maximum seconds that CloudFront may stay silent.
        short_timeout: Upper bound of both timeouts inside `short_timeouts`.

    Raises:
        AwsBackendError: botocore is too old or lacks awscrt, the profile is unknown, or the address or the AWS
            configuration is invalid.
    """

    name = "aws"

    def __init__(
        self,
        *,
        region: str = "us-east-1",
        endpoint_url: str | None = None,
        profile: str | None = None,
        connect_timeout: float = 2.0,
        read_timeout: float = 15.0,
        short_timeout: float = SHORT_TIMEOUT_SECONDS,
    ) -> None:
        self._clients = make_clients(region, endpoint_url, profile)
        self._timeouts = Timeouts(connect_timeout, read_timeout)
        short = min(read_timeout, short_timeout)
        self._short_timeouts = Timeouts(min(connect_timeout, short), short)

    def create_function(self, **arguments: Any) -> Response:
        """Calls CreateFunction."""
        return self._call(self._clients.control.create_function, arguments)

    def describe_function(self, **arguments: Any) -> Response:
        """Calls DescribeFunction."""
        return self._call(self._clients.control.describe_function, arguments)

    def get_function(self, **arguments: Any) -> Response:
        """Calls GetFunction."""
        return self._call(self._clients.control.get_function, arguments)

    def update_function(self, **arguments: Any) -> Response:
        """Calls UpdateFunction. The service model misspells the ETag's header, so botocore does not find it."""
        response = self._call(self._clients.control.update_function, arguments)
        etag = response["ResponseMetadata"]["HTTPHeaders"].get("etag")
        return response if "ETag" in response or not etag else {**response, "ETag": etag}

    def publish_function(self, **arguments: Any) -> Response:
        """Calls PublishFunction."""
        return self._call(self._clients.control.publish_function, arguments)

    def test_function(self, **arguments: Any) -> Response:
        """Calls TestFunction."""
        return self._call(self._clients.control.test_function, arguments)

    def delete_function(self, **arguments: Any) -> Response:
        """Calls DeleteFunction."""
        return self._call_without_body(self._clients.control.delete_function, arguments)

    def list_functions(self, **arguments: Any) -> Response:
        """Calls ListFunctions."""
        return self._call(self._clients.control.list_functions, arguments)

    def list_distributions(self, **arguments: Any) -> Response:
        """Calls ListDistributions."""
        return self._call(self._clients.control.list_distributions, arguments)

    def create_key_value_store(self, **arguments: Any) -> Response:
        """Calls CreateKeyValueStore."""
        return self._call(self._clients.control.create_key_value_store, arguments)

    def describe_key_value_store(self, **arguments: Any) -> Response:
        """Calls DescribeKeyValueStore."""
        return self._call(self._clients.control.describe_key_value_store, arguments)

    def update_key_value_store(self, **arguments: Any) -> Response:
        """Calls UpdateKeyValueStore."""
        return self._call(self._clients.control.update_key_value_store, arguments)

    def delete_key_value_store(self, **arguments: Any) -> Response:
        """Calls DeleteKeyValueStore."""
        return self._call_without_body(self._clients.control.delete_key_value_store, arguments)

    def list_key_value_stores(self, **arguments: Any) -> Response:
        """Calls ListKeyValueStores."""
        return self._call(self._clients.control.list_key_value_stores, arguments)

    def describe_key_value_store_data(self, **arguments: Any) -> Response:
        """Calls the data plane's DescribeKeyValueStore."""
        return self._call(self._clients.data.describe_key_value_store, arguments)

    def get_key(self, **arguments: Any) -> Response:
        """Calls GetKey."""
        return self._call(self._clients.data.get_key, arguments)

    def put_key(self, **arguments: Any) -> Response:
        """Calls PutKey."""
        return self._call(self._clients.data.put_key, arguments)

    def delete_key(self, **arguments: Any) -> Response:
        """Calls DeleteKey."""
        return self._call(self._clients.data.delete_key, arguments)

    def list_keys(self, **arguments: Any) -> Response:
        """Calls ListKeys."""
        return self._call(self._clients.data.list_keys, arguments)

    def update_keys(self, **arguments: Any) -> Response:
        """Calls UpdateKeys."""
        return self._call(self._clients.data.update_keys, arguments)

    def tag_resource(self, **arguments: Any) -> Response:
        """Calls TagResource."""
        return self._call_without_body(self._clients.control.tag_resource, arguments)

    def untag_resource(self, **arguments: Any) -> Response:
        """Calls UntagResource."""
        return self._call_without_body(self._clients.control.untag_resource, arguments)

    def list_tags_for_resource(self, **arguments: Any) -> Response:
        """Calls ListTagsForResource."""
        return self._call(self._clients.control.list_tags_for_resource, arguments)

    def close(self) -> None:
        """Closes the connections; a later call opens new ones."""
        self._clients.transport.close()

    def warm_up(self) -> None:
        """Does the first call's preparations early. It blocks, and no call needs it."""
        self._clients.transport.warm_up()

    def credentials_available(self) -> bool:
        """Returns whether requests can be signed now; False if the source of the credentials fails.

        It blocks as long as that source does: a minute, or without limit.

        Raises:
            AwsBackendError: There are no credentials, or they are configured so that none can ever be loaded.
        """
        with one_line_errors():
            try:
                self._clients.credentials.find()
            except boto.CredentialRetrievalError:
                return False
        return True

    @property
    def credentials_failure(self) -> str:
        """Why the last attempt to load credentials failed, for the operator; empty if it succeeded."""
        return str(self._clients.credentials.failure or "")

    def _call(self, operation: Callable[..., Response], arguments: Mapping[str, Any]) -> Response:
        credentials = self._clients.credentials
        round_before = credentials.round
        with use_timeouts(self._short_timeouts if timeouts_are_short() else self._timeouts):
            try:
                return _parsed(operation, arguments)
            except boto.ClientError as error:
                if aws_code(error) not in EXPIRED_CODES or not proven_not_applied(error):
                    raise
            credentials.renew(round_before)
            return _parsed(operation, arguments)

    def _call_without_body(self, operation: Callable[..., Response], arguments: Mapping[str, Any]) -> Response:
        """Calls an operation whose response is only its status, which any server on the way could have sent."""
        response = self._call(operation, arguments)
        status = response["ResponseMetadata"]["HTTPStatusCode"]
        if status != HTTPStatus.NO_CONTENT:
            raise ResponseParserError(f"HTTP {status} instead of CloudFront's {HTTPStatus.NO_CONTENT:d}")
        return response


def _parsed(operation: Callable[..., Response], arguments: Mapping[str, Any]) -> Response:
    """Calls an operation; raises ResponseParserError for every response that cannot be parsed.

    botocore's parser raises whatever it fails with if a response is well-formed but does not match the service model.
    """
    try:
        return operation(**arguments)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ResponseParserError(f"{type(error).__name__} in the parser of the response") from error
