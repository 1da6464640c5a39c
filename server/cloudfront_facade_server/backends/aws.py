"""CloudFront itself, or any HTTP endpoint that speaks as it does, through boto3.

Whatever changes how often, how long or what is sent is pinned here, so that neither the environment nor the AWS config
file can bring back a silent second send. Where the credentials come from and which way the network takes (proxies,
certificate authorities, FIPS and dual-stack names) stay the machine's to say.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from typing import Any, Final

import boto3
import botocore
import botocore.session
from botocore import exceptions as boto
from botocore.config import Config

from .aws_credentials import RenewableCredentials
from .protocol import Backend, Response

BOTO3_FLOOR: Final = "1.43.4"
"""The first boto3 whose service model has `Tags` on both creates."""

EXPIRED_CODES: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "RequestTimeTooSkewed"})
"""The AWS codes that fresh credentials may cure. All are 4xx, so the refused request was not applied."""

_TAGGED_CREATES: Final = ("CreateFunction", "CreateKeyValueStore")


class AwsBackendError(Exception):
    """The AWS backend cannot work as it is set up; the text is one line that says why and what to do."""


class AwsCalls:
    """CloudFront's operations by one boto3 client, with one more try where the credentials had expired.

    Any number of threads may call it at once.

    Args:
        client: a boto3 client of CloudFront that signs with `credentials`.
        credentials: what is renewed when CloudFront calls it expired.
    """

    name = "aws"

    def __init__(self, client: Any, credentials: RenewableCredentials) -> None:
        self._client = client
        self._credentials = credentials

    def create_function(self, **arguments: Any) -> Response:
        """Calls CreateFunction."""
        return self._call(self._client.create_function, arguments)

    def describe_function(self, **arguments: Any) -> Response:
        """Calls DescribeFunction."""
        return self._call(self._client.describe_function, arguments)

    def get_function(self, **arguments: Any) -> Response:
        """Calls GetFunction. The connection is free again once `FunctionCode` was read to its end."""
        return self._call(self._client.get_function, arguments)

    def create_key_value_store(self, **arguments: Any) -> Response:
        """Calls CreateKeyValueStore."""
        return self._call(self._client.create_key_value_store, arguments)

    def describe_key_value_store(self, **arguments: Any) -> Response:
        """Calls DescribeKeyValueStore."""
        return self._call(self._client.describe_key_value_store, arguments)

    def list_key_value_stores(self, **arguments: Any) -> Response:
        """Calls ListKeyValueStores."""
        return self._call(self._client.list_key_value_stores, arguments)

    def list_tags_for_resource(self, **arguments: Any) -> Response:
        """Calls ListTagsForResource."""
        return self._call(self._client.list_tags_for_resource, arguments)

    def close(self) -> None:
        """Closes the client's connections."""
        self._client.close()

    def _call(self, operation: Callable[..., Response], arguments: Mapping[str, Any]) -> Response:
        round_before = self._credentials.round
        try:
            return operation(**arguments)
        except boto.ClientError as error:
            if error.response.get("Error", {}).get("Code") not in EXPIRED_CODES:
                raise
        self._credentials.renew(round_before)
        return operation(**arguments)


class AwsBackend(AwsCalls):
    """CloudFront by boto3, with exactly one HTTP request for each call.

    Credentials come from where boto3 finds them, and are always needed, for boto3 signs requests to any endpoint. A
    source of credentials that does not answer at the moment does not stop the start: see `credentials_available`.

    Args:
        region: the AWS region to sign for; CloudFront itself knows only `us-east-1`.
        endpoint_url: where to send requests instead of CloudFront's own address.
        profile: the profile of the AWS config file; None for the environment's choice.
        connect_timeout: seconds that a connection may take to stand.
        read_timeout: seconds that CloudFront may stay silent.
        max_connections: connections that are kept for reuse.

    Raises:
        AwsBackendError: botocore is too old, the profile is unknown, there are no credentials, or the address or the
            AWS configuration makes no sense.
    """

    def __init__(
        self,
        *,
        region: str = "us-east-1",
        endpoint_url: str | None = None,
        profile: str | None = None,
        connect_timeout: float = 2.0,
        read_timeout: float = 15.0,
        max_connections: int = 32,
    ) -> None:
        _quieten_boto3()
        with _one_line_errors():
            credentials = RenewableCredentials(profile)
            core = botocore.session.Session(profile=profile)
            core.register_component("credential_provider", credentials)
            session = boto3.Session(botocore_session=core)
            self._client_of = partial(_client, session, region, endpoint_url, max_connections)
            super().__init__(self._client_of(connect_timeout, read_timeout), credentials)
        self._connect_timeout = connect_timeout
        try:
            _check_service_model(self._client.meta.service_model)
            self.credentials_available()
        except AwsBackendError:
            self.close()
            raise

    def settling(self, read_timeout: float) -> Backend:
        """Makes a backend for reads that must not take long, with these credentials and connections of its own.

        Args:
            read_timeout: seconds that CloudFront may stay silent, and the most that a connection may take to stand.

        Returns:
            The backend; it is closed on its own.
        """
        client = self._client_of(min(self._connect_timeout, read_timeout), read_timeout)
        return AwsCalls(client, self._credentials)

    def credentials_available(self) -> bool:
        """Tells whether requests can be signed now: False while the source of the credentials does not answer.

        Raises:
            AwsBackendError: there are no credentials at all, or they are set up so that they can never be found.
        """
        with _one_line_errors():
            try:
                self._credentials.get_frozen_credentials()
            except boto.CredentialRetrievalError:
                return False
        return True

    @property
    def credentials_failure(self) -> str:
        """Why credentials could not be had the last time, in words for the operator; empty where they could."""
        return str(self._credentials.failure or "")


def _client(
    session: boto3.Session,
    region: str,
    endpoint_url: str | None,
    max_connections: int,
    connect_timeout: float,
    read_timeout: float,
) -> Any:
    config = Config(
        user_agent_extra=f"cloudfront-facade/{version('cloudfront-facade')}",
        # A second send of a create that took effect would answer that the name is taken, and hide that it worked.
        retries={"total_max_attempts": 1, "mode": "standard"},
        connect_timeout=connect_timeout,
        read_timeout=read_timeout,
        max_pool_connections=max_connections,
        defaults_mode="legacy",
        ignore_configured_endpoint_urls=True,
        parameter_validation=True,
        tcp_keepalive=True,
    )
    return session.client("cloudfront", region_name=region, endpoint_url=endpoint_url, config=config)


def _check_service_model(model: Any) -> None:
    untagged = [
        name
        for name in _TAGGED_CREATES
        if name not in model.operation_names or "Tags" not in model.operation_model(name).input_shape.members
    ]
    if untagged:
        raise AwsBackendError(
            f"botocore {botocore.__version__} with CloudFront's service model {model.api_version} has no Tags on"
            f" {' and '.join(untagged)}: install boto3 {BOTO3_FLOOR} or newer"
        )


def _quieten_boto3() -> None:
    """Keeps secrets out of the log: below WARNING, boto3 writes signatures, function code and account ids to it."""
    for name in ("boto3", "botocore", "urllib3"):
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.WARNING))
    for name in ("botocore.credentials", "botocore.tokens"):
        logging.getLogger(name).addFilter(_without_exception)


def _without_exception(record: logging.LogRecord) -> bool:
    """Drops the text of what a source of credentials failed with: it may hold all that a process printed."""
    record.exc_info = None
    return True


@contextmanager
def _one_line_errors() -> Iterator[None]:
    try:
        yield
    except boto.NoCredentialsError as error:
        raise AwsBackendError(
            "there are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile"
            " (AWS_PROFILE), or give the machine, container or pod a role"
        ) from error
    except boto.ProfileNotFound as error:
        raise AwsBackendError(
            f"there is no AWS profile {error.kwargs.get('profile')!r} in the AWS config and credentials files"
        ) from error
    except (boto.BotoCoreError, ValueError) as error:
        raise AwsBackendError(f"boto3 cannot be set up: {' '.join(str(error).split())}") from error
