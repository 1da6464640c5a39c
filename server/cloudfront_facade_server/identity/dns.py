"""Callers with DNS names."""

from __future__ import annotations

import re
from typing import Final

from ..errors.violations import quote
from .caller import Caller
from .unknown import CallerUnknownError

_NAME: Final = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")


def dns_caller(name: str, expires: float) -> Caller:
    """Returns the caller with a DNS name, in lower case because case does not count in DNS.

    Args:
        name: The name.
        expires: The time after which the proof no longer counts, in seconds since the epoch.

    Raises:
        CallerUnknownError: It is not the name of one host.
    """
    lower = name.lower()
    if not _NAME.fullmatch(lower):
        raise CallerUnknownError(f"the DNS name {quote(name)} is not the name of one host")
    return Caller(f"dns:{lower}", "dns", name=lower, expires=expires)
