"""A short hash of a caller's identity, which the audit log and CloudTrail have in common."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import Final

from ..identity.caller import Caller

_HEX_DIGITS: Final = 16
_CACHED_IDENTITIES: Final = 4096


def caller_hash(caller: Caller) -> str:
    """Returns the first 16 hexadecimal digits of the sha256 of the caller's id in UTF-8."""
    return _hash(caller.id)


def user_agent_suffix(caller: Caller) -> str:
    """Returns what the user agent of the caller's requests to AWS ends with: `app/` and the caller's hash."""
    return f"app/{_hash(caller.id)}"


@lru_cache(_CACHED_IDENTITIES)
def _hash(identity: str) -> str:
    return sha256(identity.encode(errors="replace")).hexdigest()[:_HEX_DIGITS]
