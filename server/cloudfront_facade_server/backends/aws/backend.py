"""CloudFront itself, or any HTTP endpoint that is compatible with it, through boto3."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from ...errors.classify import may_need_new_credentials, proven_not_applied
from ..protocol import Response
from ..timeouts import short_timeout
from .caller_account import caller_account
from .clients import make_clients
from .credential_source import CredentialSource
from .endpoints import data_plane_problem, ignored_settings
from .setup_errors import AwsBackendError, one_line_errors
from .transport import Timeouts, use_timeouts

__all__ = ["AwsBackend", "AwsBackendError"]


class AwsBackend:
    """CloudFront through boto3, without hidden retries.

    A call is one HTTP request. A second one follows only if AWS rejected the first because the credentials had expired;
    they are reloaded in between. It waits for responses in the event loop (see `concurrency.greenlets`).

    boto3 finds the credentials in its usual places. They are always required, because boto3 signs requests to any
    endpoint. They are loaded when they are first needed, because their source may be slow: see
    `credentials_available`.

    The data plane's endpoint rules prefix the host with the account id, also that of `endpoint_url`
    (`http://127.0.0.1:4566` becomes `http://123456789012.127.0.0.1:4566`), and few such names resolve. So requests go
    to the host and port of `endpoint_url`, and the prefixed name is only in the Host header and the signature. With
    TLS, the certificate must be valid for the host of `endpoint_url`. A proxy from the environment receives the
    prefixed name and must resolve it.

    Args:
        region: The AWS region whose STS endpoint is used. Requests to `endpoint_url` are signed for it. For requests to
            CloudFront itself, botocore selects the region, which is `us-east-1` in the partition `aws`.
        endpoint_url: Where to send the requests of both planes; None for CloudFront's own endpoints.
        profile: The profile of the AWS config file; None for the environment's choice.
        role_arn: The role to assume with the credentials that boto3 finds; None for those credentials themselves.
        external_id: The external id that the role requires; None for none.
        connect_timeout: Maximum seconds to establish a connection.
        read_timeout: Maximum seconds that CloudFront may stay silent.
        short_timeout: Upper bound of both timeouts inside `short_timeouts`, in seconds.
        max_connections_per_host: Maximum number of connections in use to one host.

    Raises:
        AwsBackendError: botocore is too old or awscrt is not installed, the profile is unknown, or the address or the
            AWS configuration is invalid.
    """

    name = "aws"

    def __init__(
        self,
        *,
        region: str,
        endpoint_url: str | None = None,
        profile: str | None = None,
        role_arn: str | None = None,
        external_id: str | None = None,
        connect_timeout: float,
        read_timeout: float,
        short_timeout: float,
        max_connections_per_host: int = 32,
    ) -> None:
        self._source = CredentialSource(region, profile, role_arn, external_id)
        self._clients = make_clients(endpoint_url, self._source, max_connections_per_host)
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
        """Prepares the first call, so that it is as fast as later ones. Optional; blocks."""
        self._clients.transport.warm_up()

    def credentials_available(self) -> bool:
        """Returns whether requests can be signed now; False if the credential source fails.

        Blocks until the source responds, which takes up to a minute, or forever if the source hangs.

        Raises:
            AwsBackendError: No credentials are configured, or their configuration is invalid.
        """
        with one_line_errors():
            try:
                self._clients.credentials.load()
            except boto.CredentialRetrievalError:
                return False
        return True

    @property
    def credentials_failure(self) -> str:
        """Why the last attempt to load credentials failed, for the operator; empty if it succeeded."""
        failure = self._clients.credentials.failure
        return str(failure.kwargs.get("error_msg", failure)) if failure else ""

    def find_account(self) -> str:
        """Returns the account of the credentials. Blocks.

        Raises:
            BotoCoreError: The credentials cannot be loaded, or STS does not respond.
            ClientError: STS responds with an error.
        """
        return caller_account(self._clients.credentials.load(), self._source)

    def warnings(self) -> list[str]:
        """Returns what the operator should know about the configuration before the first call, a sentence each."""
        problem = data_plane_problem(self._clients.data)
        return [
            *([f"the keys of stores cannot be reached with this configuration: {problem}"] if problem else []),
            *(
                f"{name} is not used; --endpoint-url sets the endpoint of CloudFront"
                for name in ignored_settings(self._source)
            ),
        ]

    def _call(self, operation: Callable[..., Response], arguments: Mapping[str, Any]) -> Response:
        credentials = self._clients.credentials
        load_count = credentials.load_count
        with use_timeouts(self._current_timeouts()):
            try:
                return _parsed(operation, arguments)
            except boto.ClientError as error:
                if not may_need_new_credentials(error) or not proven_not_applied(error):
                    raise
            credentials.reload(load_count)
            return _parsed(operation, arguments)

    def _current_timeouts(self) -> Timeouts:
        longest = short_timeout()
        return self._timeouts if longest is None else self._short_timeouts.within(longest)

    def _call_without_body(self, operation: Callable[..., Response], arguments: Mapping[str, Any]) -> Response:
        """Calls an operation whose response is only a status: rejects one that a proxy may have sent."""
        response = self._call(operation, arguments)
        status = response["ResponseMetadata"]["HTTPStatusCode"]
        if status != HTTPStatus.NO_CONTENT:
            raise ResponseParserError(f"HTTP {status} instead of CloudFront's {HTTPStatus.NO_CONTENT:d}")
        return response


def _parsed(operation: Callable[..., Response], arguments: Mapping[str, Any]) -> Response:
    """Calls an operation; raises ResponseParserError for every response that cannot be parsed.

    If a response is well-formed but does not match the service model, botocore's parser raises various exceptions.
    """
    try:
        return operation(**arguments)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ResponseParserError(f"{type(error).__name__} in the parser of the response") from error
