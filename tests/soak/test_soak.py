"""A short soak; `make soak` runs a long one."""

from __future__ import annotations

import os
import secrets

import pytest

from soak.effects import CREATES, DELETIONS, KEY_WRITES
from soak.faults import KINDS
from soak.run import soak

MAX_GROWTH = 60.0
"""MiB in the last two thirds; the soak is too short for a slope."""

CHANGES = {*CREATES, *DELETIONS, *KEY_WRITES} | {
    *("UpdateFunction", "UpdateKeyValueStore", "PublishFunction", "TagResource", "UntagResource")
}
"""Every operation that changes something."""


@pytest.mark.timeout(180)
def test_every_answer_is_true_while_replicas_are_killed_and_cloudfront_fails() -> None:
    seed = os.environ.get("SOAK_SEED") or secrets.token_hex(4)
    result = soak(20, seed)
    print(f"seed: {seed}", *result.counts, sep="\n")
    assert not result.problems
    assert result.faults == len(KINDS) >= 20
    assert result.restarts >= 3
    assert result.operations == CHANGES
    assert result.not_applied >= 10
    assert result.growth < MAX_GROWTH
