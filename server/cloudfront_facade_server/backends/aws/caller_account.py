"""Asks STS for the account of credentials."""

from __future__ import annotations

from typing import Any

import boto3
import botocore.session
from botocore.config import Config

_TIMEOUT_SECONDS = 2.0


def caller_account(credentials: Any, region: str, endpoint_url: str | None = None) -> str:
    """Returns the account of credentials, by GetCallerIdentity, which needs no permission. Blocks.

    Args:
        credentials: What requests are signed with.
        region: The region whose endpoint of STS is asked.
        endpoint_url: Another endpoint; None for STS itself.

    Raises:
        BotoCoreError: STS does not respond.
        ClientError: STS responds with an error.
    """
    session = botocore.session.Session()
    session.set_config_variable("sts_regional_endpoints", "regional")
    client = boto3.Session(botocore_session=session).client(
        "sts",
        region_name=region,
        endpoint_url=endpoint_url,
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        aws_session_token=credentials.token,
        config=Config(
            connect_timeout=_TIMEOUT_SECONDS,
            read_timeout=_TIMEOUT_SECONDS,
            retries={"total_max_attempts": 2, "mode": "standard"},
            ignore_configured_endpoint_urls=True,
        ),
    )
    account: str = client.get_caller_identity()["Account"]
    return account
