"""Asks STS for the account of credentials."""

from __future__ import annotations

from typing import Any

from botocore.config import Config

from .credential_source import CredentialSource

_TIMEOUT_SECONDS = 2.0


def caller_account(credentials: Any, source: CredentialSource, endpoint_url: str | None = None) -> str:
    """Returns the account of credentials, by GetCallerIdentity, which needs no permission. Blocks.

    Args:
        credentials: What requests are signed with.
        source: Their source. The endpoint of STS in its region is asked, with the settings of its profile.
        endpoint_url: Another endpoint; None for STS itself.

    Raises:
        BotoCoreError: STS does not respond.
        ClientError: STS responds with an error.
    """
    client = source.new_session().create_client(
        "sts",
        endpoint_url=endpoint_url,
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        aws_session_token=credentials.token,
        config=Config(
            connect_timeout=_TIMEOUT_SECONDS,
            read_timeout=_TIMEOUT_SECONDS,
            retries={"total_max_attempts": 2, "mode": "standard"},
        ),
    )
    account: str = client.get_caller_identity()["Account"]
    return account
