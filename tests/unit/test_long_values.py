"""Each string and bytes field of each request with 4 MiB, the largest message: rejected quickly, in few words."""

from __future__ import annotations

import time
from typing import Any, Final

import pytest
from google.protobuf.descriptor import MethodDescriptor

from cloudfront_facade_server.errors.violations import ValidationError, Violation
from support.requests import FIELDS, apply, with_value
from support.rpcs import RPCS
from support.rules import RULES

SIZE: Final = 4 * 2**20

MAX_SECONDS: Final = 0.05
"""One pass over 4 MiB takes a few milliseconds. The JSON of an unbounded page token took 400."""

TEXTS: Final = {"ASCII": "a" * SIZE, "not ASCII": "\u00e9" * (SIZE // 2), "NUL at the end": "a" * (SIZE - 1) + "\0"}


def violations(rpc: MethodDescriptor, request: Any) -> tuple[list[Violation], float]:
    """Returns the violations of a request, and the seconds until they were found."""
    start = time.perf_counter()
    with pytest.raises(ValidationError) as caught:
        apply(RULES, rpc, request)
    return caught.value.violations, time.perf_counter() - start


def test_the_walk_finds_the_fields_of_every_request() -> None:
    assert {name.partition(".")[0] for name in FIELDS} == set(RPCS)
    assert {
        "ListKeys.page_token",
        "CreateFunction.function_config.key_value_store_associations.key_value_store_arn",
        "ImportKeys.changes.put.value",
        "UntagResource.tag_keys",
    } <= set(FIELDS)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", FIELDS)
def test_a_field_of_4_mib_is_rejected_quickly_with_a_short_message(name: str, text: str) -> None:
    rpc, path = FIELDS[name]
    request = with_value(rpc, path, TEXTS[text])

    found, seconds = min((violations(rpc, request) for _ in range(2)), key=lambda result: result[1])

    about = [violation for violation in found if violation.field.endswith(path[-1].name) or path[-1].is_repeated]
    assert about, found
    assert all(len(violation.description) < 400 for violation in found)
    assert seconds < MAX_SECONDS
