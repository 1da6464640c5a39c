"""Environment variables: probable misspellings of settings, and empty ones."""

from __future__ import annotations

import os
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from .client import HealthSettings, SanitySettings
from .fields import ENV_PREFIX
from .serve import ServeSettings

_KNOWN: Final = frozenset(
    f"{kind.model_config.get('env_prefix', '')}{name}".upper().removeprefix(ENV_PREFIX)
    for kind in (ServeSettings, HealthSettings, SanitySettings)
    for name in kind.model_fields
)
"""The settings of every command, by the name of the variable without CLOUDFRONT_FACADE_."""

_KUBERNETES: Final = ("SERVICE_", "PORT")
"""How the names begin that Kubernetes adds for a Service with the name `cloudfront-facade`."""

_READ_BY_BOTO3: Final = ("AWS_", "BOTO", "REQUESTS_CA_BUNDLE")
"""How the names of the variables begin that boto3 reads."""


@dataclass(frozen=True)
class UnknownVariable:
    """An environment variable that begins like a setting and is not one.

    Attributes:
        name: The name of the variable.
        suggestion: The variable with the most similar name; None if no name is similar.
    """

    name: str
    suggestion: str | None

    def __str__(self) -> str:
        """Returns the warning for the user."""
        hint = f"; did you mean {self.suggestion}?" if self.suggestion else ""
        return f"unknown variable {self.name}{hint}"


def unknown_variables() -> list[UnknownVariable]:
    """Returns the environment variables that begin with CLOUDFRONT_FACADE_ and are not settings.

    Empty variables count as unset. Variables that Kubernetes sets for a Service with the name `cloudfront-facade` are
    ignored.
    """
    return [
        UnknownVariable(f"{ENV_PREFIX}{name}", _most_similar(name))
        for name in sorted(
            name.removeprefix(ENV_PREFIX) for name, value in os.environ.items() if value and name.startswith(ENV_PREFIX)
        )
        if name not in _KNOWN and not name.startswith(_KUBERNETES)
    ]


def unset_empty_variables_of_boto3() -> None:
    """Removes the empty variables that boto3 reads. It would take some of them for values, such as an empty profile."""
    for name in [name for name, value in os.environ.items() if not value and name.startswith(_READ_BY_BOTO3)]:
        del os.environ[name]


def _most_similar(name: str) -> str | None:
    similar = get_close_matches(name, _KNOWN, n=1)
    return f"{ENV_PREFIX}{similar[0]}" if similar else None
