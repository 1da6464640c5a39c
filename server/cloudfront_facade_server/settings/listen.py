"""The address on which the server listens."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from .fields import ENV_PREFIX, Address


class ListenSettings(BaseSettings):
    """The address on which the server listens."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    listen: Address = Field("127.0.0.1:50051", description="address to listen on, or unix:PATH; port 0: any free port")
