"""How boto3's clients of CloudFront are made, and what can be wrong with that, in one line each.

Whatever changes how often, how long or what is sent is pinned here, so that neither the environment nor the AWS config
file can bring back a silent second send. Where the credentials come from and which way the network takes (proxies,
certificate authorities, FIPS and dual-stack names) stay the machine's to say.
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
    """The AWS backend cannot work as it is set up; the text is one line that says why and what to do."""


@dataclass(frozen=True)
class Clients:
    """What calls CloudFront, all with the same credentials and over the same connections.

    Attributes:
        control: a boto3 client of CloudFront.
        data: a boto3 client of the key value stores' data plane.
        credentials: what both sign with.
        transport: what carries the requests of both.
    """

    control: Any
    data: Any
    credentials: RenewableCredentials
    transport: Transport


def make_clients(region: str, endpoint_url: str | None, profile: str | None) -> Clients:
    """Makes the clients; the arguments are those of `AwsBackend`.

    Raises:
        AwsBackendError: botocore is too old or lacks awscrt, the profile is unknown, or the address or the AWS
            configuration makes no sense.
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
            # Of what the rules let through, botocore would find nothing, and look at each member again.
            config=_config(parameter_validation=False),
        )
        data = session.client(
            "cloudfront-keyvaluestore",
            region_name=region,
            endpoint_url=endpoint_url,
            # An empty key would make of a key's address the address of all keys.
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
        # A second send of a create that took effect would answer that the name is taken, and hide that it worked.
        retries={"total_max_attempts": 1, "mode": "standard"},
        defaults_mode="legacy",
        ignore_configured_endpoint_urls=True,
        **settings,
    )


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
    if isinstance(value, int | float):
        # The data plane's are seconds since 1970, which botocore would tell in the machine's own time zone.
        return _EPOCH + timedelta(seconds=value)
    parsed: datetime = parse_timestamp(value)
    return parsed


def _check_json(response_dict: Mapping[str, Any], **_: Any) -> None:
    """Raises ResponseParserError for an answer of the data plane that is no JSON object.

    botocore reads it as one without members, and a list of keys that has none is an empty list.
    """
    if response_dict["status_code"] >= HTTPStatus.MULTIPLE_CHOICES:
        return
    try:
        is_object = isinstance(orjson.loads(response_dict["body"]), dict)
    except orjson.JSONDecodeError:
        is_object = False
    if not is_object:
        raise ResponseParserError("no JSON object in the answer")


def _transport(session: Any) -> Transport:
    """Makes the transport, which trusts what boto3 is set to trust."""
    ca_bundle = session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
    try:
        return Transport(ca_bundle)
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror or "no certificates in it"
        raise AwsBackendError(f"the authorities of AWS_CA_BUNDLE cannot be read: {ca_bundle}: {reason}") from None


def _check_signer() -> None:
    if not HAS_CRT:
        raise AwsBackendError(
            "requests for the values of key value stores are signed with SigV4A, for which boto3 needs awscrt: "
            "pip install 'boto3[crt]'"
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
def one_line_errors() -> Iterator[None]:
    """Makes of botocore's exceptions AwsBackendError."""
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
