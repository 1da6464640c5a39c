"""Builds what identifies callers from the settings."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from ..settings.access import SecuredSettings
from ..watched_files import WatchedFiles
from .authenticator import Authenticator
from .proxies import TrustedProxies
from .spiffe import SpiffeIds


def make_authenticator(settings: SecuredSettings) -> tuple[Authenticator, list[WatchedFiles[Any]]]:
    """Returns what identifies callers, and the files that it depends on.

    cryptography and joserfc are imported only if a client CA or issuers are set.

    Raises:
        ValueError: A setting is malformed. The message is one line.
        UnusableFilesError: The issuers file, or a file that it names, cannot be used.
    """
    spiffe_ids = SpiffeIds(settings.trust_domain, settings.team_from_path)
    proxies = TrustedProxies(settings.trusted_proxies, spiffe_ids) if settings.trusted_proxies else None
    certificates = tokens = None
    watched: list[WatchedFiles[Any]] = []
    if settings.tls_client_ca:
        from .certificates import Certificates

        certificates = Certificates(spiffe_ids)
    if settings.issuers:
        from .bearer_tokens import BearerTokens
        from .issuers import watched_file

        issuers = watched_file(settings.issuers)
        watched.append(issuers)
        tokens = BearerTokens(issuers)
    is_local = _is_local(settings)
    is_open = is_local and not settings.tls_client_ca and not settings.issuers
    allows_anonymous = settings.allow_anonymous or is_open
    return (
        Authenticator(certificates, proxies, tokens, allows_anonymous=allows_anonymous, is_local=is_local),
        watched,
    )


def _is_local(settings: SecuredSettings) -> bool:
    """Returns whether the server listens on loopback or a Unix socket."""
    if settings.unix_path():
        return True
    host = settings.listen.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
