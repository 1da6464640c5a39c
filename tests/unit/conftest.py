"""The environment of the tests of units."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def no_settings_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removes every setting from the environment."""
    for name in list(os.environ):
        if name.startswith("CLOUDFRONT_FACADE_"):
            monkeypatch.delenv(name)
