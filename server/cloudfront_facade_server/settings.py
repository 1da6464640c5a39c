"""The settings of the commands. Each one is a flag and an environment variable."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, DirectoryPath, Field, FilePath, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from . import limits
from .flags import Metavar

_UNIX = "unix:"

_DATA_SERVICE = "/cloudfront_facade.v1.KeyValueStoreDataService/"

_SETTLE_READ_SECONDS = 2.0
"""Upper bound of the connect and read timeouts while a change is settled, so that several reads fit into that time."""

_OTHER_FIELDS_BYTES = 32 * 1024
"""Maximum size of a create without the code: name, comment, ARN and 50 tags of 384 characters, plus a margin."""


def _is_address(value: str) -> str:
    if value.startswith(_UNIX):
        if len(value) == len(_UNIX):
            raise ValueError("the path after unix: is missing")
        if value.startswith(f"{_UNIX}//") and not value.startswith(f"{_UNIX}///"):
            raise ValueError("allowed: unix:PATH, or unix:///PATH for an absolute path")
        return value
    host, _, port = value.rpartition(":")
    is_ipv6 = host.startswith("[") and host.endswith("]")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise ValueError("allowed: HOST:PORT with a port from 0 to 65535, or unix:PATH")
    if "/" in host or (":" in host and not is_ipv6):
        raise ValueError("allowed: HOST:PORT, with HOST a name, an IPv4 address or an IPv6 address in []")
    return value


_Address = Annotated[str, AfterValidator(_is_address)]
_Seconds = Annotated[float, Field(ge=0, le=86_400), Metavar("SECONDS")]
_PositiveSeconds = Annotated[float, Field(gt=0, le=86_400), Metavar("SECONDS")]
_Count = Annotated[int, Field(ge=1, le=1_000_000), Metavar("COUNT")]
_RequestBytes = Annotated[int, Field(ge=1024, le=64 * 1024 * 1024), Metavar("BYTES")]
_File = Annotated[FilePath | None, Metavar("FILE")]
_Name = Annotated[str | None, Metavar("NAME")]


class ListenSettings(BaseSettings):
    """The address on which the server listens."""

    model_config = SettingsConfigDict(env_prefix="CLOUDFRONT_FACADE_", extra="ignore", frozen=True)

    listen: Annotated[_Address, Metavar("HOST:PORT")] = Field(
        "127.0.0.1:50051", description="address to listen on, or unix:PATH; port 0 picks a free port"
    )


class ServeSettings(ListenSettings):
    """Serve CloudFront Functions and CloudFront KeyValueStores over gRPC.

    Every setting is a flag and an environment variable: --endpoint-url is CLOUDFRONT_FACADE_ENDPOINT_URL.
    """

    backend: Literal["aws", "embedded"] = Field(
        description="aws: CloudFront, through boto3; embedded: CloudFront emulated on a local file, for development"
    )
    tls_cert: _File = Field(None, description="PEM file of the server's certificate chain; enables TLS")
    tls_key: _File = Field(None, description="PEM file of the server's private key")
    tls_client_ca: _File = Field(
        None, description="PEM file of the CA that client certificates must be signed by; enables mutual TLS"
    )
    allow_plaintext: bool = Field(False, description="allow plaintext on a non-loopback address")
    reflection: bool = Field(True, description="serve server reflection, v1 and v1alpha")

    region: Annotated[str, Metavar("REGION")] = Field(
        "us-east-1",
        min_length=1,
        description="AWS region used to sign requests (CloudFront only accepts us-east-1)",
    )
    endpoint_url: Annotated[str | None, Metavar("URL")] = Field(
        None, min_length=1, description="send requests to this CloudFront-compatible endpoint instead"
    )
    profile: _Name = Field(None, min_length=1, description="AWS configuration profile to use")
    connect_timeout: _PositiveSeconds = Field(2.0, description="timeout for connecting to CloudFront, in seconds")
    read_timeout: _PositiveSeconds = Field(15.0, description="timeout for a response from CloudFront, in seconds")

    embedded_db: Annotated[str | None, Metavar("FILE")] = Field(
        None,
        min_length=1,
        description="database file of the embedded backend, or :memory:; "
        "by default a file in the user's XDG state directory",
    )
    embedded_s3_dir: Annotated[DirectoryPath | None, Metavar("DIR")] = Field(
        None, description="directory that replaces S3 in imports: its file BUCKET/KEY is the object s3://BUCKET/KEY"
    )
    embedded_provisioning_seconds: _Seconds = Field(0.0, description="seconds until a new store is READY")
    embedded_max_functions: _Count = Field(100, description="quota of functions")
    embedded_max_key_value_stores: _Count = Field(200, description="quota of key value stores")

    max_tags: Annotated[int, Metavar("COUNT")] = Field(
        limits.TAGS_MAX,
        ge=1,
        le=limits.TAGS_MAX,
        description="maximum number of tags per resource, including the request tag",
    )
    tag_charset: Literal["ascii", "unicode"] = Field(
        "ascii",
        description="characters allowed in tags; ascii: CloudFront's documented set, unicode: its service model's set",
    )
    max_function_code_bytes: Annotated[int, Metavar("BYTES")] = Field(
        limits.FUNCTION_CODE_QUOTA,
        ge=1,
        le=limits.FUNCTION_CODE_API_LIMIT,
        description="maximum size of a function's code, in bytes",
    )

    max_concurrent_upstream_calls: _Count = Field(32, description="maximum concurrent calls to CloudFront")
    max_concurrent_calls: _Count = Field(
        1000,
        description="maximum concurrent calls, excluding health and reflection; "
        "WaitForKeyValueStore calls have a separate limit of the same size",
    )
    max_concurrent_streams: _Count = Field(100, description="maximum concurrent calls per connection")
    max_request_bytes: _RequestBytes = Field(256 * 1024, description="maximum size of a request, in bytes")
    max_data_request_bytes: _RequestBytes = Field(
        4 * 1024 * 1024, description="maximum size of a request to KeyValueStoreDataService, in bytes"
    )
    default_deadline: _PositiveSeconds = Field(30.0, description="deadline, in seconds, of calls without one")
    max_deadline: _PositiveSeconds = Field(60.0, description="longest deadline honoured, in seconds")
    max_long_running_deadline: _PositiveSeconds = Field(
        1800.0, description="longest deadline, in seconds, for WaitForKeyValueStore, UpdateKeys and ImportKeys"
    )
    min_upstream_time: _Seconds = Field(
        0.5, description="minimum time left until the deadline, in seconds, to send a request to CloudFront"
    )
    settle_timeout: _Seconds = Field(
        5.0, description="seconds to keep checking whether a change with a lost response took effect"
    )
    max_connection_idle: _PositiveSeconds = Field(
        300.0, description="seconds until a connection without calls is closed"
    )
    handshake_timeout: _PositiveSeconds = Field(
        10.0, description="seconds that the handshake of a new connection may take"
    )
    drain_delay: _Seconds = Field(
        5.0, description="seconds at shutdown between reporting NOT_SERVING and closing the listener"
    )
    shutdown_grace_period: _Seconds = Field(45.0, description="seconds at shutdown for calls in flight to end")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="minimum log level")
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="log format; auto: text on a terminal, otherwise JSON"
    )

    @model_validator(mode="after")
    def _settings_agree(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("--tls-cert and --tls-key must be set together")
        if self.tls_client_ca and not self.tls_cert:
            raise ValueError("--tls-client-ca requires --tls-cert and --tls-key")
        if not self.tls_cert and not self.allow_plaintext and not self._is_local():
            raise ValueError(
                f"--listen {self.listen} is open to the network without TLS: "
                "set --tls-cert and --tls-key, or --allow-plaintext"
            )
        if self.endpoint_url and not _is_http_address(self.endpoint_url):
            raise ValueError(
                "--endpoint-url must be http://HOST[:PORT] or https://HOST[:PORT], with a port from 1 to 65535"
            )
        if "@" in (self.endpoint_url or ""):
            raise ValueError("--endpoint-url must not contain a user or a password, because it is logged")
        if self.max_request_bytes < (minimum := self.max_function_code_bytes + _OTHER_FIELDS_BYTES):
            raise ValueError(
                f"--max-request-bytes {self.max_request_bytes} must be at least {minimum}: "
                f"--max-function-code-bytes plus {_OTHER_FIELDS_BYTES} bytes for the other fields"
            )
        if self.backend == "embedded" and (self.endpoint_url or self.profile):
            raise ValueError("--endpoint-url and --profile require --backend aws")
        if self.min_upstream_time >= self.default_deadline:
            raise ValueError(
                f"--min-upstream-time {self.min_upstream_time:g} must be below "
                f"--default-deadline {self.default_deadline:g}: "
                "every call without a deadline would be rejected"
            )
        if self.default_deadline > self.max_deadline:
            raise ValueError(
                f"--default-deadline {self.default_deadline:g} must not be above --max-deadline {self.max_deadline:g}"
            )
        return self

    def settle_read_timeout(self) -> float:
        """Returns the read timeout, in seconds, while a change is settled."""
        return min(self.read_timeout, _SETTLE_READ_SECONDS)

    def longest_read(self) -> float:
        """Returns the maximum duration of one read while a change is settled, in seconds."""
        return min(self.connect_timeout, _SETTLE_READ_SECONDS) + self.settle_read_timeout()

    def message_limit(self, method: str) -> int:
        """Returns the maximum size of a request of a method in bytes, by the method's path."""
        if method.startswith(_DATA_SERVICE):
            return self.max_data_request_bytes
        return self.max_request_bytes

    def longest_send(self) -> float:
        """Returns the maximum duration of one send, in seconds, with its settling and a last probe of two reads."""
        return self.connect_timeout + self.read_timeout + self.settle_timeout + 2 * self.longest_read()

    def unix_path(self) -> Path | None:
        """Returns the path of the Unix socket to listen on; None if the address is a host and a port."""
        return Path(self.listen.removeprefix(_UNIX)) if self.listen.startswith(_UNIX) else None

    def _is_local(self) -> bool:
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
    """How to connect to a server."""

    tls_ca: _File = Field(None, description="PEM file of the CA that signed the server's certificate; enables TLS")
    tls_cert: _File = Field(None, description="PEM file of the client's certificate, for mutual TLS")
    tls_key: _File = Field(None, description="PEM file of the client's private key, for mutual TLS")
    tls_server_name: _Name = Field(
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

    model_config = SettingsConfigDict(env_prefix="CLOUDFRONT_FACADE_HEALTH_", extra="ignore", frozen=True)

    target: Annotated[_Address | None, Metavar("HOST:PORT")] = Field(
        None,
        description="address of the server, or unix:PATH; "
        "by default the address on which `serve` listens in the same environment",
    )
    service: Annotated[str, Metavar("NAME")] = Field(
        "", description="full name of one service; by default the server as a whole"
    )
    timeout: _PositiveSeconds = Field(3.0, description="timeout in seconds")


SANITY_GROUPS = ("functions", "update", "publish", "test", "stores", "in-use", "keys", "tags")
"""The groups of cases that the conformance suite can leave out."""


class SanitySettings(TargetSettings):
    """Run the conformance suite against a disposable server; exit 0 if every case passes, otherwise 1.

    It creates functions and stores whose names begin with sanity-, and deletes them. Every setting is a flag and an
    environment variable: --target is CLOUDFRONT_FACADE_SANITY_TARGET.
    """

    model_config = SettingsConfigDict(env_prefix="CLOUDFRONT_FACADE_SANITY_", extra="ignore", frozen=True)

    target: Annotated[_Address, Metavar("HOST:PORT")] = Field(description="address of the server, or unix:PATH")
    i_may_create_and_delete: bool = Field(
        False, description="confirms that the server's account is disposable; must be set"
    )
    without: Annotated[
        list[Literal["functions", "update", "publish", "test", "stores", "in-use", "keys", "tags"]], Metavar("GROUP")
    ] = Field(
        default_factory=list,
        description="skip a group of cases that the server's endpoint does not support; can be repeated: "
        + ", ".join(SANITY_GROUPS),
    )

    @model_validator(mode="after")
    def _is_disposable(self) -> Self:
        if not self.i_may_create_and_delete:
            raise ValueError("pass --i-may-create-and-delete to confirm that the target account is disposable")
        return self


def unknown_variables() -> list[str]:
    """Returns the environment variables that have the settings' prefix but are not settings; probably misspelt.

    Variables that Kubernetes sets for a Service named `cloudfront-facade` (`..._SERVICE_HOST`, `..._PORT` and similar
    ones) are ignored.
    """
    prefix = "CLOUDFRONT_FACADE_"
    known = {f"{prefix}{name.upper()}" for name in ServeSettings.model_fields}
    known |= {f"{prefix}HEALTH_{name.upper()}" for name in HealthSettings.model_fields}
    known |= {f"{prefix}SANITY_{name.upper()}" for name in SanitySettings.model_fields}
    kubernetes = (f"{prefix}SERVICE_", f"{prefix}PORT")
    return sorted(
        name for name in os.environ if name.startswith(prefix) and name not in known and not name.startswith(kubernetes)
    )
