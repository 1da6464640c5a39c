"""Creates boto3's clients for CloudFront.

Every setting that affects requests, retries and timeouts is pinned here, so that neither the environment nor the AWS
config file can add a hidden retry. The environment still decides where credentials come from and how to reach AWS
(proxies, CA certificates, FIPS and dual-stack names).
"""

from __future__ import annotations

import logging
import os
import platform
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

import boto3
import botocore
import botocore.session
from botocore.config import Config

from .credential_failures import describe_refresh_failure
from .credential_source import CredentialSource
from .credentials import ReloadableCredentials
from .endpoints import check_control_plane
from .parsing import parse_time, require_json_object
from .setup_errors import AwsBackendError, check_service_model, check_signer, one_line_errors
from .transport import Transport


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
    credentials: ReloadableCredentials
    transport: Transport


def make_clients(endpoint_url: str | None, source: CredentialSource, max_connections_per_host: int) -> Clients:
    """Creates the clients.

    Args:
        endpoint_url: Where to send the requests of both planes; None for CloudFront's own endpoints.
        source: Where the credentials come from; its region is signed for.
        max_connections_per_host: Maximum number of connections in use to one host.

    Raises:
        AwsBackendError: botocore is too old or awscrt is not installed, the profile is unknown, or the address or the
            AWS configuration is invalid.
    """
    _quieten_boto3()
    check_signer()
    with one_line_errors():
        credentials = ReloadableCredentials(source)
        core = botocore.session.Session(profile=source.profile)
        core.register_component("credential_provider", credentials)
        core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=parse_time)
        session = boto3.Session(botocore_session=core)
        control = session.client(
            "cloudfront",
            region_name=source.region,
            endpoint_url=endpoint_url,
            # The rules are stricter than botocore's validation, which would only cost time.
            config=_config(parameter_validation=False),
        )
        data = session.client(
            "cloudfront-keyvaluestore",
            region_name=source.region,
            endpoint_url=endpoint_url,
            # Keep validation on: an empty key would turn GetKey's URL into ListKeys'.
            config=_config(parameter_validation=True),
        )
        transport = _transport(core, max_connections_per_host)
    control.meta.events.register("before-send.cloudfront", transport.send)
    data.meta.events.register("before-send.cloudfront-keyvaluestore", partial(transport.send, endpoint=endpoint_url))
    data.meta.events.register("before-parse.cloudfront-keyvaluestore", require_json_object)
    check_service_model(control.meta.service_model)
    with one_line_errors():
        check_control_plane(control)
    return Clients(control, data, credentials, transport)


def _config(**settings: Any) -> Config:
    return Config(
        user_agent=_user_agent(),
        # A hidden retry of a create that was applied would fail because the name is taken.
        retries={"total_max_attempts": 1, "mode": "standard"},
        defaults_mode="legacy",
        ignore_configured_endpoint_urls=True,
        **settings,
    )


def _user_agent() -> str:
    """Returns the user agents of botocore and of the facade; botocore would build its own twice for each request."""
    return (
        f"Boto3/{boto3.__version__} md/Botocore#{botocore.__version__} ua/2.1 lang/python#{platform.python_version()}"
        f" cloudfront-facade/{version('cloudfront-facade')}"
    )


def _transport(session: Any, max_connections_per_host: int) -> Transport:
    """Creates the transport, which trusts the CA certificates that boto3 is configured to trust."""
    ca_bundle = session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
    try:
        return Transport(ca_bundle, max_connections_per_host)
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror or "it contains no certificates"
        raise AwsBackendError(f"cannot read the CA certificates of AWS_CA_BUNDLE: {ca_bundle}: {reason}") from None


def _quieten_boto3() -> None:
    """Keeps secrets out of the log: below WARNING, boto3 logs signatures, function code and account ids."""
    for name in ("boto3", "botocore", "urllib3"):
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.WARNING))
    for name in ("botocore.credentials", "botocore.tokens"):
        logging.getLogger(name).addFilter(describe_refresh_failure)
