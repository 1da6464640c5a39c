"""Makes boto3's clients for CloudFront, and reports what is wrong with the setup in one line.

Every setting that changes what is sent, how often or how long is pinned here, so that neither the environment nor the
AWS config file can add a hidden retry. The machine still decides where credentials come from and how to reach AWS
(proxies, CA certificates, FIPS and dual-stack names).
"""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final

import boto3
import botocore
import botocore.session
import orjson
from botocore import exceptions as boto
from botocore.compat import HAS_CRT
from botocore.config import Config
from botocore.parsers import ResponseParserError
from botocore.utils import parse_timestamp

from .credentials import RenewableCredentials
from .transport import Transport

BOTO3_FLOOR: Final = "1.43.4"
"""The first boto3 whose service model has `Tags` on both creates."""

_TAGGED_CREATES: Final = ("CreateFunction", "CreateKeyValueStore")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class AwsBackendError(Exception):
    """The AWS backend cannot work with this setup; the message says in one line why and what to do."""


@dataclass(frozen=True)
class Clients:
    """The boto3 clients, which share credentials and connections.

    Attributes:
        control: The boto3 client of CloudFront.
        data: The boto3 client of the key value stores' data plane.
        credentials: The credentials that sign both clients' requests.
        transport: Sends both clients' requests.
    """

    control: Any
    data: Any
    credentials: RenewableCredentials
    transport: Transport


def make_clients(region: str, endpoint_url: str | None, profile: str | None) -> Clients:
    """Returns the clients. The arguments are those of `AwsBackend`.

    Raises:
        AwsBackendError: botocore is too old or lacks awscrt, the profile is unknown, or the address or the AWS
            configuration is invalid.
    """
    _quieten_boto3()
    _check_signer()
    with one_line_errors():
        credentials = RenewableCredentials(profile)
        core = botocore.session.Session(profile=profile)
        core.register_component("credential_provider", credentials)
        core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_time)
        session = boto3.Session(botocore_session=core)
        control = session.client(
            "cloudfront",
            region_name=region,
            endpoint_url=endpoint_url,
            # The rules are stricter than botocore's validation, so running it again would only cost time.
            config=_config(parameter_validation=False),
        )
        data = session.client(
            "cloudfront-keyvaluestore",
            region_name=region,
            endpoint_url=endpoint_url,
            # Keep validation on: an empty key would turn GetKey's URL into ListKeys'.
            config=_config(parameter_validation=True),
        )
        transport = _transport(core)
    control.meta.events.register("before-send.cloudfront", transport.send)
    data.meta.events.register("before-send.cloudfront-keyvaluestore", partial(transport.send, endpoint=endpoint_url))
    data.meta.events.register("before-parse.cloudfront-keyvaluestore", _check_json)
    _check_service_model(control.meta.service_model)
    return Clients(control, data, credentials, transport)


def _config(**settings: Any) -> Config:
    return Config(
        user_agent=_user_agent(),
        # A hidden retry of a create that was applied would return that the name is taken.
        retries={"total_max_attempts": 1, "mode": "standard"},
        defaults_mode="legacy",
        ignore_configured_endpoint_urls=True,
        **settings,
    )


def _user_agent() -> str:
    """Returns botocore's user agent and the facade's; botocore would build its own twice for each request."""
    return (
        f"Boto3/{boto3.__version__} md/Botocore#{botocore.__version__} ua/2.1 lang/python#{platform.python_version()}"
        f" cloudfront-facade/{version('cloudfront-facade')}"
    )


def _time(value: Any) -> datetime:
    """Parses a time. CloudFront's are ISO 8601, which botocore's parser for all formats reads much more slowly."""
    if isinstance(value, str) and value.endswith("Z"):
        return datetime.fromisoformat(value)
    if isinstance(value, int | float):
        # The data plane's are seconds since 1970, which botocore would convert to the machine's time zone.
        return _EPOCH + timedelta(seconds=value)
    parsed: datetime = parse_timestamp(value)
    return parsed


def _check_json(response_dict: Mapping[str, Any], **_: Any) -> None:
    """Raises ResponseParserError for a response of the data plane that is not a JSON object.

    botocore would parse it as an object without members, so ListKeys would return an empty list.
    """
    if response_dict["status_code"] >= HTTPStatus.MULTIPLE_CHOICES:
        return
    try:
        is_object = isinstance(orjson.loads(response_dict["body"]), dict)
    except orjson.JSONDecodeError:
        is_object = False
    if not is_object:
        raise ResponseParserError("the response is not a JSON object")


def _transport(session: Any) -> Transport:
    """Returns the transport, which trusts the CA certificates that boto3 is configured to trust."""
    ca_bundle = session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
    try:
        return Transport(ca_bundle)
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror or "it contains no certificates"
        raise AwsBackendError(f"cannot read the CA certificates of AWS_CA_BUNDLE: {ca_bundle}: {reason}") from None


def _check_signer() -> None:
    if not HAS_CRT:
        raise AwsBackendError(
            "boto3 needs awscrt to sign requests for the values of key value stores with SigV4A: "
            'pip install "boto3[crt]"'
        )


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
    """Keeps secrets out of the log: below WARNING, boto3 logs signatures, function code and account ids."""
    for name in ("boto3", "botocore", "urllib3"):
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.WARNING))
    for name in ("botocore.credentials", "botocore.tokens"):
        logging.getLogger(name).addFilter(_without_exception)


def _without_exception(record: logging.LogRecord) -> bool:
    """Drops the exception of a failed source of credentials: it may contain all output of a process."""
    record.exc_info = None
    return True


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Converts botocore's exceptions to AwsBackendError."""
    try:
        yield
    except boto.NoCredentialsError as error:
        raise AwsBackendError(
            "no AWS credentials found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, choose a profile"
            " (AWS_PROFILE), or attach a role to the machine, container or pod"
        ) from error
    except boto.ProfileNotFound as error:
        raise AwsBackendError(
            f'AWS profile "{error.kwargs.get("profile")}" not found in the AWS config and credentials files'
        ) from error
    except (boto.BotoCoreError, ValueError) as error:
        raise AwsBackendError(f"cannot set up boto3: {' '.join(str(error).split())}") from error
