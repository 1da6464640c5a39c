"""CloudFront itself, or any HTTP endpoint that speaks as it does, through boto3."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from ...errors.aws_codes import EXPIRED_CODES
from ...errors.classify import aws_code, proven_not_applied
from ..protocol import Backend, Response
from .clients import AwsBackendError, Clients, make_clients, one_line_errors
from .transport import Timeouts, use_timeouts

__all__ = ["AwsBackend", "AwsBackendError", "AwsCalls"]


class AwsCalls:
    """CloudFront's operations by boto3's clients, with one more try where the credentials had expired.

    It waits for answers in the event loop: see `waiting`.

    Args:
        clients: what makes, signs and carries the requests.
        timeouts: how long each of them may take.
    """

    name = "aws"

    def __init__(self, clients: Clients, timeouts: Timeouts) -> None:
        self._clients = clients
        self._timeouts = timeouts

    def create_function(self, **arguments: Any) -> Response:
        """Calls CreateFunction."""
        return self._call(self._clients.control.create_function, arguments)

    def describe_function(self, **arguments: Any) -> Response:
        """Calls DescribeFunction."""
        return self._call(self._clients.control.describe_function, arguments)

    def get_function(self, **arguments: Any) -> Response:
        """Calls GetFunction. The connection is free again once `FunctionCode` was read to its end."""
        return self._call(self._clients.control.get_function, arguments)

    def update_function(self, **arguments: Any) -> Response:
        """Calls UpdateFunction. The service model misspells the header of its ETag, so botocore does not find it."""
        answer = self._call(self._clients.control.update_function, arguments)
        etag = answer["ResponseMetadata"]["HTTPHeaders"].get("etag")
        return answer if "ETag" in answer or not etag else {**answer, "ETag": etag}

    def publish_function(self, **arguments: Any) -> Response:
        """Calls PublishFunction."""
        return self._call(self._clients.control.publish_function, arguments)

    def test_function(self, **arguments: Any) -> Response:
        """Calls TestFunction."""
        return self._call(self._clients.control.test_function, arguments)

    def delete_function(self, **arguments: Any) -> Response:
        """Calls DeleteFunction."""
        return self._call_for_nothing(self._clients.control.delete_function, arguments)

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
        return self._call_for_nothing(self._clients.control.delete_key_value_store, arguments)

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
        return self._call_for_nothing(self._clients.control.tag_resource, arguments)

    def untag_resource(self, **arguments: Any) -> Response:
        """Calls UntagResource."""
        return self._call_for_nothing(self._clients.control.untag_resource, arguments)

    def list_tags_for_resource(self, **arguments: Any) -> Response:
        """Calls ListTagsForResource."""
        return self._call(self._clients.control.list_tags_for_resource, arguments)

    def close(self) -> None:
        """Closes the connections; a later call opens new ones."""
        self._clients.transport.close()

    def _call(self, operation: Callable[..., Response], arguments: Mapping[str, Any]) -> Response:
        credentials = self._clients.credentials
        round_before = credentials.round
        with use_timeouts(self._timeouts):
            try:
                return _readable(operation, arguments)
            except boto.ClientError as error:
                if aws_code(error) not in EXPIRED_CODES or not proven_not_applied(error):
                    raise
            credentials.renew(round_before)
            return _readable(operation, arguments)

    def _call_for_nothing(self, operation: Callable[..., Response], arguments: Mapping[str, Any]) -> Response:
        """Calls an operation whose answer is its status alone, which any server on the way could have given."""
        answer = self._call(operation, arguments)
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        if status != HTTPStatus.NO_CONTENT:
            raise ResponseParserError(f"HTTP {status}, where CloudFront answers {HTTPStatus.NO_CONTENT:d}")
        return answer


class AwsBackend(AwsCalls):
    """CloudFront by boto3, with exactly one HTTP request for each call.

    Credentials come from where boto3 finds them, and are always needed, for boto3 signs requests to any endpoint. They
    are looked for when they are first needed, for their source may take its time: see `credentials_available`.

    The data plane's rules put the account before the host, of an `endpoint_url` too (`http://127.0.0.1:4566` becomes
    `http://123456789012.127.0.0.1:4566`), and few such names lead anywhere. So the requests go to the very host and
    port of `endpoint_url`, and the long name is only in their header Host and their signature; over TLS the certificate
    has to be the endpoint's own. A proxy, where the environment names one, is given the long name, and has to find it.

    Args:
        region: the AWS region to sign for; CloudFront itself knows only `us-east-1`.
        endpoint_url: where to send the requests of both planes instead of CloudFront's own addresses.
        profile: the profile of the AWS config file; None for the environment's choice.
        connect_timeout: seconds that a connection may take to stand.
        read_timeout: seconds that CloudFront may stay silent.

    Raises:
        AwsBackendError: botocore is too old or lacks awscrt, the profile is unknown, or the address or the AWS
            configuration makes no sense.
    """

    def __init__(
        self,
        *,
        region: str = "us-east-1",
        endpoint_url: str | None = None,
        profile: str | None = None,
        connect_timeout: float = 2.0,
        read_timeout: float = 15.0,
    ) -> None:
        super().__init__(make_clients(region, endpoint_url, profile), Timeouts(connect_timeout, read_timeout))

    def warm_up(self) -> None:
        """Does what the first call would have to do first, and no call needs; it blocks."""
        self._clients.transport.warm_up()

    def settling(self, read_timeout: float) -> Backend:
        """Makes a backend for reads that must not take long, with these credentials and connections.

        Args:
            read_timeout: seconds that CloudFront may stay silent, and the most that a connection may take to stand.
        """
        timeouts = Timeouts(min(self._timeouts.connect, read_timeout), read_timeout)
        return AwsCalls(self._clients, timeouts)

    def credentials_available(self) -> bool:
        """Tells whether requests can be signed now: False where the source of the credentials fails to answer.

        It takes as long as that source does: a minute, or for ever.

        Raises:
            AwsBackendError: there are no credentials at all, or they are set up so that they can never be found.
        """
        with one_line_errors():
            try:
                self._clients.credentials.find()
            except boto.CredentialRetrievalError:
                return False
        return True

    @property
    def credentials_failure(self) -> str:
        """Why credentials could not be had the last time, in words for the operator; empty where they could."""
        return str(self._clients.credentials.failure or "")


def _readable(operation: Callable[..., Response], arguments: Mapping[str, Any]) -> Response:
    """Calls an operation; raises ResponseParserError for every answer that makes no sense.

    Of what is well-formed, but not what the service model says, botocore's parser raises what it stumbles over.
    """
    try:
        return operation(**arguments)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ResponseParserError(f"{type(error).__name__} in the answer's parser") from error
