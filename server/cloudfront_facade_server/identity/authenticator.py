"""Decides who calls: the client certificate, else a bearer token, else anonymous. It never falls through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from .caller import ANONYMOUS, Caller
from .proxies import Metadata, TrustedProxies
from .unknown import CallerUnknownError

if TYPE_CHECKING:
    # They import cryptography and joserfc, which are needed only if they are configured.
    from .bearer_tokens import BearerTokens
    from .certificates import Certificates

AUTHORIZATION: Final = "authorization"
"""The metadata with the bearer token."""

_SCHEME: Final = "bearer"


class Authenticator:
    """Decides who calls.

    Args:
        certificates: Identifies callers by their certificates; None if there is no client CA.
        proxies: The trusted proxies; None if none is trusted.
        tokens: Identifies callers by their tokens; None if there are no issuers.
        allows_anonymous: Whether a caller may prove no identity. Behind a trusted proxy it must.
        is_local: Whether the listener without TLS is on loopback or a Unix socket, so that nobody can read tokens.

    Attributes:
        reads_certificates: Whether `identify` reads the auth context. If not, an empty one does.
    """

    def __init__(
        self,
        certificates: Certificates | None,
        proxies: TrustedProxies | None,
        tokens: BearerTokens | None,
        *,
        allows_anonymous: bool,
        is_local: bool,
    ) -> None:
        self.reads_certificates = certificates is not None
        self._certificates = certificates
        self._proxies = proxies
        self._tokens = tokens
        self._allows_anonymous = allows_anonymous
        self._is_local = is_local

    async def identify(
        self, peer: str, auth_context: Mapping[str, Sequence[bytes]], metadata: Metadata, is_tls: bool
    ) -> Caller:
        """Returns who makes a call. Waits only if a token names a key that may be new.

        Args:
            peer: The peer as gRPC names it.
            auth_context: What gRPC knows about the connection.
            metadata: The metadata of the call.
            is_tls: Whether the listener of the connection has TLS.

        Raises:
            CallerUnknownError: The caller does not prove who it is.
        """
        authorizations = [value for name, value in metadata if name == AUTHORIZATION]
        if len(authorizations) > 1:
            raise CallerUnknownError(f"the call has more than one {AUTHORIZATION}")
        is_proxied = self._proxies is not None and self._proxies.trusts(peer)
        if self._proxies is not None and is_proxied:
            caller = self._proxies.caller(metadata)
        else:
            caller = self._certificates.caller(auth_context) if self._certificates else None
        if caller is not None:
            return caller
        if authorizations:
            return await self._caller_of_token(authorizations[0], is_tls)
        if self._allows_anonymous and not is_proxied:
            return ANONYMOUS
        raise CallerUnknownError("the call has neither a client certificate nor a bearer token")

    def address(self, peer: str, metadata: Metadata) -> str:
        """Returns the address of the caller as gRPC would name it: the one that a trusted proxy adds, or the peer."""
        return self._proxies.address(peer, metadata) if self._proxies else peer

    async def run(self) -> None:
        """Keeps the keys of the issuers fresh until it is cancelled. Without issuers it returns at once."""
        if self._tokens:
            await self._tokens.run()

    async def _caller_of_token(self, authorization: str | bytes, is_tls: bool) -> Caller:
        if not is_tls and not self._is_local:
            raise CallerUnknownError("the token came over a plaintext connection from the network, so it is not read")
        if self._tokens is None:
            raise CallerUnknownError("the call has a bearer token, and --issuers is not set")
        scheme, _, token = authorization.partition(" ") if isinstance(authorization, str) else ("", "", "")
        if scheme.lower() != _SCHEME:
            raise CallerUnknownError(f'{AUTHORIZATION} is not "Bearer" and a token')
        return await self._tokens.caller(token.strip(" "))
