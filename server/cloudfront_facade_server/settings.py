"""Every setting of the server, as a flag and as a variable."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, DirectoryPath, Field, FilePath, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from . import limits

_Seconds = Annotated[float, Field(ge=0, le=86_400)]
_Positive = Annotated[float, Field(gt=0, le=86_400)]
_Count = Annotated[int, Field(ge=1, le=1_000_000)]

_UNIX = "unix:"

_DATA_SERVICE = "/cloudfront_facade.v1.KeyValueStoreDataService/"

_SETTLING_READ_SECONDS = 2.0

_BESIDE_THE_CODE = 32 * 1024
"""Bytes of a function's name, comment, ARN and tags at their longest: 50 tags of 384 characters, and room."""


def _names_an_address(value: str) -> str:
    if value.startswith(_UNIX):
        if len(value) == len(_UNIX):
            raise ValueError("unix: needs a path")
        if value.startswith(f"{_UNIX}//") and not value.startswith(f"{_UNIX}///"):
            raise ValueError("allowed: unix:PATH, or unix:///PATH from the root")
        return value
    host, _, port = value.rpartition(":")
    is_ipv6 = host.startswith("[") and host.endswith("]")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise ValueError("allowed: HOST:PORT with a port from 0 to 65535, or unix:PATH")
    if "/" in host or (":" in host and not is_ipv6):
        raise ValueError("allowed: HOST:PORT, with HOST a name, an IPv4 address or an IPv6 address in []")
    return value


_Address = Annotated[str, AfterValidator(_names_an_address)]


class ListenSettings(BaseSettings):
    """Where the server listens."""

    model_config = SettingsConfigDict(env_prefix="CLOUDFRONT_FACADE_", extra="ignore", frozen=True)

    listen: _Address = Field("127.0.0.1:50051", description="HOST:PORT (port 0: any free one) or unix:PATH")


class ServeSettings(ListenSettings):
    """Serve CloudFront Functions and CloudFront KeyValueStores over gRPC.

    Each setting is a flag and a variable: --endpoint-url is CLOUDFRONT_FACADE_ENDPOINT_URL.
    """

    backend: Literal["aws", "embedded"] = Field(
        description="aws: CloudFront, through boto3. embedded: CloudFront's behaviour on a local file, for development"
    )
    tls_cert: FilePath | None = Field(None, description="certificate chain of the server, PEM")
    tls_key: FilePath | None = Field(None, description="private key of the server, PEM")
    tls_client_ca: FilePath | None = Field(None, description="callers need a certificate of this authority, PEM")
    allow_plaintext: bool = Field(False, description="allow a listener without TLS beyond loopback")
    reflection: bool = Field(
        True, description="answer server reflection, v1 and v1alpha (--no-reflection switches it off)"
    )

    region: str = Field("us-east-1", min_length=1, description="AWS region; CloudFront's control plane has one")
    endpoint_url: str | None = Field(None, min_length=1, description="another endpoint that speaks as CloudFront does")
    profile: str | None = Field(None, min_length=1, description="profile of the AWS configuration")
    connect_timeout: _Positive = Field(2.0, description="seconds to connect upstream")
    read_timeout: _Positive = Field(15.0, description="seconds to wait for an upstream answer")

    embedded_db: str | None = Field(
        None,
        min_length=1,
        description="file of the embedded backend, or :memory:; without, one in the user's XDG state folder",
    )
    embedded_s3_dir: DirectoryPath | None = Field(None, description="folder whose BUCKET/KEY files are S3 objects")
    embedded_provisioning_seconds: _Seconds = Field(0.0, description="seconds until a new store is READY")
    embedded_max_functions: _Count = Field(limits.FUNCTIONS_QUOTA, description="quota of functions")
    embedded_max_key_value_stores: _Count = Field(
        limits.KEY_VALUE_STORES_QUOTA, description="quota of key value stores"
    )

    max_tags: int = Field(
        limits.TAGS_MAX, ge=1, le=limits.TAGS_MAX, description="tags of a resource, the request tag included"
    )
    tag_charset: Literal["ascii", "unicode"] = Field(
        "ascii", description="characters of tags: CloudFront's documented set, or the wider one of its service model"
    )
    max_function_code_bytes: int = Field(
        limits.FUNCTION_CODE_QUOTA,
        ge=1,
        le=limits.FUNCTION_CODE_API_LIMIT,
        description="bytes of a function's code",
    )

    max_concurrent_upstream_calls: _Count = Field(32, description="calls upstream at once")
    max_concurrent_calls: _Count = Field(
        1000, description="calls at once, health and reflection apart; as many more that wait"
    )
    max_concurrent_streams: _Count = Field(100, description="calls of one connection at once")
    max_request_bytes: int = Field(256 * 1024, ge=1024, le=64 * 1024 * 1024, description="bytes of a request")
    max_data_request_bytes: int = Field(
        4 * 1024 * 1024, ge=1024, le=64 * 1024 * 1024, description="bytes of a request of KeyValueStoreDataService"
    )
    default_deadline: _Positive = Field(30.0, description="seconds for callers that give no deadline")
    max_deadline: _Positive = Field(60.0, description="the longest deadline honoured, in seconds")
    max_long_running_deadline: _Positive = Field(
        1800.0, description="the same for WaitForKeyValueStore, UpdateKeys and ImportKeys, in seconds"
    )
    min_upstream_time: _Seconds = Field(0.5, description="seconds that must be left to send anything upstream")
    settle_timeout: _Seconds = Field(5.0, description="seconds to look for a create whose answer was lost")
    max_connection_idle: _Positive = Field(300.0, description="seconds until an idle connection is closed")
    handshake_timeout: _Positive = Field(10.0, description="seconds until a half-open connection is closed")
    drain_delay: _Seconds = Field(5.0, description="seconds between NOT_SERVING and the end of listening")
    shutdown_grace_period: _Seconds = Field(45.0, description="seconds that calls under way have at the end")

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level that is logged")
    log_format: Literal["auto", "json", "text"] = Field("auto", description="auto: text on a terminal, else JSON")

    @model_validator(mode="after")
    def _settings_agree(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("--tls-cert and --tls-key go together")
        if self.tls_client_ca and not self.tls_cert:
            raise ValueError("--tls-client-ca needs --tls-cert and --tls-key")
        if not self.tls_cert and not self.allow_plaintext and not self._stays_on_this_machine():
            raise ValueError(
                f"--listen {self.listen} without TLS is open to the network: "
                "give --tls-cert and --tls-key, or say --allow-plaintext"
            )
        if self.endpoint_url and not _is_http_address(self.endpoint_url):
            raise ValueError("--endpoint-url must be http://HOST or https://HOST, with a port from 1 to 65535 or none")
        if "@" in (self.endpoint_url or ""):
            raise ValueError("--endpoint-url must not hold a user or password: requests are signed, and it is logged")
        if self.max_request_bytes < self.max_function_code_bytes + _BESIDE_THE_CODE:
            raise ValueError(
                "--max-request-bytes has no room for code of --max-function-code-bytes "
                f"with the {_BESIDE_THE_CODE} bytes that may be beside it"
            )
        if self.backend == "embedded" and (self.endpoint_url or self.profile):
            raise ValueError("--endpoint-url and --profile are for --backend aws")
        if self.min_upstream_time >= self.default_deadline:
            raise ValueError(
                f"--min-upstream-time {self.min_upstream_time:g} must be below "
                f"--default-deadline {self.default_deadline:g}: "
                "every call without a deadline would be refused"
            )
        if self.default_deadline > self.max_deadline:
            raise ValueError(
                f"--default-deadline {self.default_deadline:g} must not be above --max-deadline {self.max_deadline:g}"
            )
        return self

    def settling_read_timeout(self) -> float:
        """Gives the seconds that a read may take while a create is looked for, so that several fit into that time."""
        return min(self.read_timeout, _SETTLING_READ_SECONDS)

    def longest_look(self) -> float:
        """Gives the seconds that one read can take while a create is looked for."""
        return min(self.connect_timeout, _SETTLING_READ_SECONDS) + self.settling_read_timeout()

    def message_limit(self, method: str) -> int:
        """Gives the most bytes of a request of a method, by its path."""
        if method.startswith(_DATA_SERVICE):
            return self.max_data_request_bytes
        return self.max_request_bytes

    def longest_send(self) -> float:
        """Gives the seconds that one send can take with its settling, the last look of two reads included."""
        return self.connect_timeout + self.read_timeout + self.settle_timeout + 2 * self.longest_look()

    def unix_path(self) -> Path | None:
        """Gives the path of the Unix socket to listen on; None where it is a host and a port."""
        return Path(self.listen.removeprefix(_UNIX)) if self.listen.startswith(_UNIX) else None

    def _stays_on_this_machine(self) -> bool:
        if self.unix_path():
            return True
        host = self.listen.rpartition(":")[0].strip("[]")
        if host == "localhost":
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False


def _is_http_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


class TargetSettings(BaseSettings):
    """How to reach a server."""

    tls_ca: FilePath | None = Field(None, description="authority of the server's certificate, PEM; switches TLS on")
    tls_cert: FilePath | None = Field(None, description="certificate for mutual TLS, PEM")
    tls_key: FilePath | None = Field(None, description="key for mutual TLS, PEM")
    tls_server_name: str | None = Field(None, description="name in the server's certificate, where it is another")

    @model_validator(mode="after")
    def _settings_agree(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("--tls-cert and --tls-key go together")
        if (self.tls_cert or self.tls_server_name) and not self.tls_ca:
            raise ValueError("--tls-cert and --tls-server-name need --tls-ca")
        return self


class HealthSettings(TargetSettings):
    """Ask a server for its health; exit 0 when it is SERVING, else 1.

    Each setting is a flag and a variable: --target is CLOUDFRONT_FACADE_HEALTH_TARGET.
    """

    model_config = SettingsConfigDict(env_prefix="CLOUDFRONT_FACADE_HEALTH_", extra="ignore", frozen=True)

    target: _Address | None = Field(
        None, description="HOST:PORT or unix:PATH (default: where `serve` listens by the same environment)"
    )
    service: str = Field("", description="full name of one service; empty for the server as a whole")
    timeout: _Positive = Field(3.0, description="seconds to wait")


SANITY_GROUPS = ("functions", "update", "publish", "test", "stores", "in-use", "keys", "tags")
"""What the sanity suite can be told that an endpoint does not have."""


class SanitySettings(TargetSettings):
    """Try every rpc of a server that may be played with; exit 0 when all is as it should be, else 1.

    Creates functions and stores whose names begin with sanity-, and deletes them. Each setting is a flag and a
    variable: --target is CLOUDFRONT_FACADE_SANITY_TARGET.
    """

    model_config = SettingsConfigDict(env_prefix="CLOUDFRONT_FACADE_SANITY_", extra="ignore", frozen=True)

    target: _Address = Field(description="HOST:PORT or unix:PATH")
    i_may_create_and_delete: bool = Field(False, description="has to be said: the server's account is disposable")
    without: list[Literal["functions", "update", "publish", "test", "stores", "in-use", "keys", "tags"]] = Field(
        default_factory=list, description="leave out what the server's endpoint does not have; can be repeated"
    )

    @model_validator(mode="after")
    def _is_disposable(self) -> Self:
        if not self.i_may_create_and_delete:
            raise ValueError("say --i-may-create-and-delete where nobody minds functions that come and go")
        return self


def unknown_variables() -> list[str]:
    """Gives the variables that look like settings and are none: misspelt ones, most likely.

    Kubernetes adds `..._SERVICE_HOST`, `..._PORT` and the like for a Service named `cloudfront-facade`.
    """
    prefix = "CLOUDFRONT_FACADE_"
    known = {f"{prefix}{name.upper()}" for name in ServeSettings.model_fields}
    known |= {f"{prefix}HEALTH_{name.upper()}" for name in HealthSettings.model_fields}
    known |= {f"{prefix}SANITY_{name.upper()}" for name in SanitySettings.model_fields}
    foreign = (f"{prefix}SERVICE_", f"{prefix}PORT")
    return sorted(
        name for name in os.environ if name.startswith(prefix) and name not in known and not name.startswith(foreign)
    )
