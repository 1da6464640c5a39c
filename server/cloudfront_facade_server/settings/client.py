"""The settings of `health` and `sanity`, which connect to a server."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self, get_args

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from .fields import ENV_PREFIX, CommaSeparated, Metavar, OptionalFile, OptionalName, PositiveSeconds, Seconds, Target

SanityGroup = Literal["functions", "update", "publish", "test", "stores", "in-use", "keys", "tags"]

SANITY_GROUPS: Final[tuple[SanityGroup, ...]] = get_args(SanityGroup)
"""The groups of cases that the sanity suite can skip."""


class TargetSettings(BaseSettings):
    """How to connect to a server."""

    tls_ca: OptionalFile = Field(
        None, description="PEM file of the CA that signed the server's certificate; enables TLS"
    )
    tls_cert: OptionalFile = Field(None, description="PEM file of the client's certificate, for mutual TLS")
    tls_key: OptionalFile = Field(None, description="PEM file of the client's private key, for mutual TLS")
    tls_server_name: OptionalName = Field(
        None, description="name in the server's certificate, if it differs from the host of --target"
    )

    @model_validator(mode="after")
    def _settings_agree(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("--tls-cert and --tls-key must be set together")
        if (self.tls_cert or self.tls_server_name) and not self.tls_ca:
            raise ValueError("--tls-cert and --tls-server-name require --tls-ca")
        return self


class HealthSettings(TargetSettings):
    """Check the health of a server; exit 0 if it is SERVING, otherwise 1.

    Every setting is a flag and an environment variable: --target is CLOUDFRONT_FACADE_HEALTH_TARGET.
    """

    model_config = SettingsConfigDict(
        env_prefix=f"{ENV_PREFIX}HEALTH_", env_ignore_empty=True, extra="ignore", frozen=True
    )

    target: Annotated[Target | None, Metavar("HOST:PORT")] = Field(
        None,
        description="address of the server, or unix:PATH; default: the address that `serve` listens on in the same "
        "environment",
    )
    service: Annotated[str, Metavar("NAME")] = Field(
        "", description="full name of a service; default: the whole server"
    )
    timeout: PositiveSeconds = Field(3.0, description="timeout of the check, in seconds")
    wait: Seconds = Field(0.0, description="seconds to wait until the server is SERVING; 0: one check")


class SanitySettings(TargetSettings):
    """Run the sanity suite against a disposable server; exit 0 if no case fails, otherwise 1.

    It creates functions and stores whose names begin with sanity-, and deletes them. Every setting is a flag and an
    environment variable: --target is CLOUDFRONT_FACADE_SANITY_TARGET.
    """

    model_config = SettingsConfigDict(
        env_prefix=f"{ENV_PREFIX}SANITY_", env_ignore_empty=True, extra="ignore", frozen=True
    )

    target: Target = Field(description="address of the server, or unix:PATH")
    i_may_create_and_delete: bool = Field(
        False, description="required; confirms that the server's account is disposable"
    )
    without: Annotated[CommaSeparated[SanityGroup], Metavar("GROUP")] = Field(
        default_factory=list,
        description="groups of cases to skip because the server's backend does not support them, separated by commas: "
        + ", ".join(SANITY_GROUPS),
    )

    @model_validator(mode="after")
    def _is_disposable(self) -> Self:
        if not self.i_may_create_and_delete:
            raise ValueError("--i-may-create-and-delete is required; it confirms that the account is disposable")
        return self
