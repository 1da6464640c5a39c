"""CloudFront itself, or any HTTP endpoint that speaks as it does, through boto3.

Whatever changes how often, how long or what is sent is pinned here, so that neither the environment nor the AWS config
file can bring back a silent second send. Where the credentials come from and which way the network takes (proxies,
certificate authorities, FIPS and dual-stack names) stay the machine's to say.
"""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from typing import Any, Final

import boto3
import botocore
import botocore.session
from botocore import exceptions as boto
from botocore.config import Config
from botocore.parsers import ResponseParserError
from botocore.utils import parse_timestamp

from .aws_credentials import RenewableCredentials
from .aws_transport import Timeouts, Transport, within
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

    It waits for answers in the event loop: see `waiting`.

    Args:
        client: a boto3 client of CloudFront that signs with `credentials`.
        credentials: what is renewed when CloudFront calls it expired.
        transport: carries the client's requests.
        timeouts: how long each of them may take.
    """

    name = "aws"

    def __init__(
        self, client: Any, credentials: RenewableCredentials, transport: Transport, timeouts: Timeouts
    ) -> None:
        self._client = client
        self._credentials = credentials
        self._transport = transport
        self._timeouts = timeouts

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
        """Closes the connections; a later call opens new ones."""
        self._transport.close()

    def _call(self, operation: Callable[..., Response], arguments: Mapping[str, Any]) -> Response:
        round_before = self._credentials.round
        with within(self._timeouts):
            try:
                return _readable(operation, arguments)
            except boto.ClientError as error:
                if error.response.get("Error", {}).get("Code") not in EXPIRED_CODES:
                    raise
            self._credentials.renew(round_before)
            return _readable(operation, arguments)


class AwsBackend(AwsCalls):
    """CloudFront by boto3, with exactly one HTTP request for each call.

    Credentials come from where boto3 finds them, and are always needed, for boto3 signs requests to any endpoint. They
    are looked for when they are first needed, for their source may take its time: see `credentials_available`.

    Args:
        region: the AWS region to sign for; CloudFront itself knows only `us-east-1`.
        endpoint_url: where to send requests instead of CloudFront's own address.
        profile: the profile of the AWS config file; None for the environment's choice.
        connect_timeout: seconds that a connection may take to stand.
        read_timeout: seconds that CloudFront may stay silent.

    Raises:
        AwsBackendError: botocore is too old, the profile is unknown, or the address or the AWS configuration makes no
            sense.
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
        _quieten_boto3()
        with _one_line_errors():
            credentials = RenewableCredentials(profile)
            core = botocore.session.Session(profile=profile)
            core.register_component("credential_provider", credentials)
            core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_time)
            client = _client(boto3.Session(botocore_session=core), region, endpoint_url)
            transport = _transport(core)
        client.meta.events.register("before-send.cloudfront", transport.send)
        super().__init__(client, credentials, transport, Timeouts(connect_timeout, read_timeout))
        _check_service_model(self._client.meta.service_model)

    def warm_up(self) -> None:
        """Does what the first call would have to do first, and no call needs; it blocks."""
        self._transport.warm_up()

    def settling(self, read_timeout: float) -> Backend:
        """Makes a backend for reads that must not take long, with these credentials and connections.

        Args:
            read_timeout: seconds that CloudFront may stay silent, and the most that a connection may take to stand.
        """
        timeouts = Timeouts(min(self._timeouts.connect, read_timeout), read_timeout)
        return AwsCalls(self._client, self._credentials, self._transport, timeouts)

    def credentials_available(self) -> bool:
        """Tells whether requests can be signed now: False where the source of the credentials fails to answer.

        It takes as long as that source does: a minute, or for ever.

        Raises:
            AwsBackendError: there are no credentials at all, or they are set up so that they can never be found.
        """
        with _one_line_errors():
            try:
                self._credentials.find()
            except boto.CredentialRetrievalError:
                return False
        return True

    @property
    def credentials_failure(self) -> str:
        """Why credentials could not be had the last time, in words for the operator; empty where they could."""
        return str(self._credentials.failure or "")


def _readable(operation: Callable[..., Response], arguments: Mapping[str, Any]) -> Response:
    """Calls an operation; raises ResponseParserError for every answer that makes no sense.

    Of XML that is well-formed, but not what the service model says, botocore's parser raises what it stumbles over.
    """
    try:
        return operation(**arguments)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ResponseParserError(f"{type(error).__name__} in the answer's parser") from error


def _client(session: boto3.Session, region: str, endpoint_url: str | None) -> Any:
    config = Config(
        user_agent=_user_agent(),
        # A second send of a create that took effect would answer that the name is taken, and hide that it worked.
        retries={"total_max_attempts": 1, "mode": "standard"},
        defaults_mode="legacy",
        ignore_configured_endpoint_urls=True,
        # Of what the rules let through, botocore would find nothing, and look at each member again.
        parameter_validation=False,
    )
    return session.client("cloudfront", region_name=region, endpoint_url=endpoint_url, config=config)


def _user_agent() -> str:
    """Says what botocore says by itself, which it would put together anew for each request, twice."""
    return (
        f"Boto3/{boto3.__version__} md/Botocore#{botocore.__version__} ua/2.1 lang/python#{platform.python_version()}"
        f" cloudfront-facade/{version('cloudfront-facade')}"
    )


def _time(value: Any) -> datetime:
    """Reads a time. CloudFront's are ISO 8601, which costs botocore's own reader, made for every form, much longer."""
    if isinstance(value, str) and value.endswith("Z"):
        return datetime.fromisoformat(value)
    parsed: datetime = parse_timestamp(value)
    return parsed


def _transport(session: Any) -> Transport:
    """Makes the transport, which trusts what boto3 is set to trust."""
    ca_bundle = session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
    try:
        return Transport(ca_bundle)
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror or "no certificates in it"
        raise AwsBackendError(f"the authorities of AWS_CA_BUNDLE cannot be read: {ca_bundle}: {reason}") from None


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
