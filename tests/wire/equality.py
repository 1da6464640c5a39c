"""Compares two requests that CloudFront received."""

from __future__ import annotations

import re
from typing import Final

from support.cloudfront.http import RecordedRequest

DIFFERS: Final = {
    "amz-sdk-invocation-id": "unique to each call",
    "authorization": "depends on the time",
    "user-agent": "names the facade",
    "x-amz-date": "the time",
}

_SIGNED: Final = re.compile(
    r"(?P<algorithm>AWS4-HMAC-SHA256|AWS4-ECDSA-P256-SHA256)"
    r" Credential=(?P<key>\w+)/[0-9]{8}/(?P<scope>[\w/-]+), SignedHeaders=(?P<headers>[\w;-]+), Signature=[0-9a-f]+"
)
"""SigV4 and SigV4A."""


def signed(request: RecordedRequest) -> dict[str, str]:
    """Returns the algorithm, key, scope and signed headers of a signature."""
    match = _SIGNED.fullmatch(request.headers["authorization"])
    assert match, request.headers["authorization"]
    return match.groupdict()


def assert_same(ours: RecordedRequest, plain: RecordedRequest) -> None:
    """Asserts that two requests are equal, except for the headers that differ in every request."""
    assert ours.body == plain.body
    assert (ours.method, ours.path) == (plain.method, plain.path)
    assert ours.headers.keys() == plain.headers.keys()
    assert {name for name, value in ours.headers.items() if plain.headers[name] != value} <= DIFFERS.keys()
    assert signed(ours) == signed(plain)
