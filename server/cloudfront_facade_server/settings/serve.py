"""The settings of `serve`."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from .. import limits
from .fields import (
    UNIX,
    Account,
    CommaSeparated,
    Count,
    ExternalId,
    MemoryBytes,
    Metavar,
    OptionalCount,
    OptionalDirectory,
    OptionalFile,
    OptionalName,
    OptionalNewFile,
    PositiveSeconds,
    RequestBytes,
    RoleArn,
    Seconds,
)
from .listen import ListenSettings

_DATA_SERVICE: Final = "/cloudfront_facade.v1.KeyValueStoreDataService/"

_SETTLE_READ_SECONDS: Final = 2.0
"""Upper bound of the connect and read timeouts while a change is settled, so that several reads fit into that time."""

_EMBEDDED_ACCOUNT: Final = "000000000000"
"""The account in the ARNs of the embedded backend."""

_OTHER_FIELDS_BYTES: Final = 32 * 1024
"""Maximum size of a create without the code: name, comment, ARN and 50 tags of 384 characters, plus a margin."""


class ServeSettings(ListenSettings):
    """Serve CloudFront Functions and CloudFront KeyValueStores over gRPC.

    Every setting is a flag and an environment variable: --endpoint-url is CLOUDFRONT_FACADE_ENDPOINT_URL.
    """

    backend: Literal["aws", "embedded"] = Field(
        description="aws: CloudFront, through boto3; embedded: CloudFront emulated on a local file, for development"
    )
    port_file: OptionalNewFile = Field(
        None, description="file to which the port is written when the server listens, for tests that use port 0"
    )
    exit_with_parent: bool = Field(False, description="stop when the parent process ends, for tests")
    tls_cert: OptionalFile = Field(None, description="PEM file of the server's certificate chain; enables TLS")
    tls_key: OptionalFile = Field(None, description="PEM file of the server's private key")
    tls_client_ca: OptionalFile = Field(
        None, description="PEM file of the CA that signs client certificates; enables mutual TLS"
    )
    allow_plaintext: bool = Field(False, description="allow plaintext on a non-loopback address")
    reflection: bool = Field(True, description="serve server reflection, v1 and v1alpha")

    region: Annotated[str, Metavar("REGION")] = Field(
        "us-east-1",
        min_length=1,
        description="AWS region whose STS endpoint is used, and for which requests to --endpoint-url are signed; "
        "requests to CloudFront itself are signed for CloudFront's own region, us-east-1 in the partition aws",
    )
    endpoint_url: Annotated[str | None, Metavar("URL")] = Field(
        None, min_length=1, description="CloudFront-compatible endpoint to use instead of CloudFront"
    )
    profile: OptionalName = Field(None, min_length=1, description="AWS configuration profile to use")
    role_arn: Annotated[RoleArn | None, Metavar("ARN")] = Field(
        None, description="role to assume with the credentials, in this or another account"
    )
    external_id: Annotated[ExternalId | None, Metavar("ID")] = Field(
        None, description="external ID that the role of --role-arn requires"
    )
    accounts: Annotated[CommaSeparated[Account], Metavar("ACCOUNT")] = Field(
        default_factory=list,
        description="AWS accounts whose ARNs requests may name, 12 digits each, separated by commas, or * for any; "
        "can be repeated; default: the account of the service's own credentials; with --endpoint-url or the embedded "
        f"backend, any; the embedded backend's account is {_EMBEDDED_ACCOUNT}",
    )
    connect_timeout: PositiveSeconds = Field(2.0, description="timeout for connecting to CloudFront, in seconds")
    read_timeout: PositiveSeconds = Field(15.0, description="timeout for a response from CloudFront, in seconds")

    embedded_db: Annotated[str | None, Metavar("FILE")] = Field(
        None,
        min_length=1,
        description="database file of the embedded backend, or :memory:; "
        "default: a file in the user's XDG state directory",
    )
    embedded_s3_dir: OptionalDirectory = Field(
        None,
        description="directory that replaces S3: its file BUCKET/KEY stands for the object arn:aws:s3:::BUCKET/KEY",
    )
    embedded_provisioning_seconds: Seconds = Field(0.0, description="seconds until a new store is READY")
    embedded_max_functions: Count = Field(100, description="quota of functions")
    embedded_max_key_value_stores: Count = Field(200, description="quota of key value stores")
    embedded_max_concurrent_tests: OptionalCount = Field(
        None,
        description="maximum number of functions that run at the same time; other TestFunction calls wait for their "
        "turn until --min-upstream-time before their deadline; default: the number of CPU cores",
    )

    max_tags: Annotated[int, Metavar("COUNT")] = Field(
        limits.TAGS_MAX,
        ge=1,
        le=limits.TAGS_MAX,
        description="maximum number of tags per resource, including the request tag",
    )
    tag_charset: Literal["ascii", "unicode"] = Field(
        "ascii",
        description="characters allowed in tags; ascii: the documented set; unicode: the wider set that the API's "
        "schema (botocore's service model) allows",
    )
    max_function_code_bytes: Annotated[int, Metavar("BYTES")] = Field(
        limits.FUNCTION_CODE_QUOTA,
        ge=1,
        le=limits.FUNCTION_CODE_API_LIMIT,
        description="maximum size of a function's code, in bytes",
    )

    max_concurrent_upstream_calls: Count = Field(32, description="maximum concurrent calls to CloudFront")
    max_concurrent_calls: Count = Field(
        1000,
        description="maximum concurrent calls, excluding health and reflection; "
        "WaitForKeyValueStore calls have a separate limit of the same size, "
        "--max-long-running-calls limits UpdateKeys and ImportKeys calls",
    )
    max_long_running_calls: Count = Field(200, description="maximum concurrent UpdateKeys and ImportKeys calls")
    max_queue_time: Seconds = Field(
        0.25, description="maximum seconds that a call waits for its turn when a limit is reached"
    )
    max_stream_silence: PositiveSeconds = Field(
        60.0,
        description="seconds that a call may wait for its next message, or a response for its reader, before the "
        "server ends the call",
    )
    max_request_memory: MemoryBytes = Field(
        192 * 1024 * 1024,
        description="memory for requests that are being received, in bytes; "
        "two more limits are a quarter of it: one for all large requests that are being processed, "
        "and one for all open calls with their responses",
    )
    max_changes: Count = Field(
        10_000, description="maximum number of changes in one message of UpdateKeys or ImportKeys"
    )
    max_concurrent_streams: Count = Field(100, description="maximum concurrent calls per connection")
    max_request_bytes: RequestBytes = Field(256 * 1024, description="maximum size of a request, in bytes")
    max_data_request_bytes: RequestBytes = Field(
        4 * 1024 * 1024, description="maximum size of a request to KeyValueStoreDataService, in bytes"
    )
    default_deadline: PositiveSeconds = Field(30.0, description="deadline of calls without one, in seconds")
    max_deadline: PositiveSeconds = Field(60.0, description="longest deadline honoured, in seconds")
    max_long_running_deadline: PositiveSeconds = Field(
        1800.0, description="longest deadline honoured for WaitForKeyValueStore, UpdateKeys and ImportKeys, in seconds"
    )
    min_upstream_time: Seconds = Field(
        0.5,
        description="an operation at CloudFront is started only if this time is left before the deadline, in seconds",
    )
    settle_timeout: Seconds = Field(
        5.0, description="seconds to keep checking whether a change with a lost response was applied"
    )
    max_read_lag: Seconds = Field(
        2.5,
        description="seconds for which CloudFront's reads may show an older state; only later reads confirm a change "
        "with a lost response, so --settle-timeout should be longer",
    )
    max_connections: Count = Field(1000, description="maximum number of connections")
    max_connection_age: PositiveSeconds = Field(
        1800.0,
        description="seconds after which a connection takes no more calls, so that clients connect to new replicas too",
    )
    max_connection_idle: PositiveSeconds = Field(
        300.0, description="seconds until a connection without calls is closed"
    )
    handshake_timeout: PositiveSeconds = Field(
        10.0, description="timeout for the handshake of a new connection, in seconds"
    )
    drain_delay: Seconds = Field(
        5.0, description="seconds between reporting NOT_SERVING and closing the listener at shutdown"
    )
    shutdown_grace_period: Seconds = Field(45.0, description="seconds that calls in flight may take to end at shutdown")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="minimum log level")
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="log format; auto: text on a terminal, JSON otherwise"
    )

    @model_validator(mode="after")
    def _settings_agree(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("--tls-cert and --tls-key must be set together")
        if self.port_file and self.unix_path():
            raise ValueError("--port-file requires --listen HOST:PORT, because a Unix socket has no port")
        if self.tls_client_ca and not self.tls_cert:
            raise ValueError("--tls-client-ca requires --tls-cert and --tls-key")
        if not self.tls_cert and not self.allow_plaintext and not self._is_local():
            raise ValueError(
                f'--listen "{self.listen}" is open to the network without TLS: '
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
                f'--max-request-bytes "{self.max_request_bytes}" must be at least {minimum}: '
                f"--max-function-code-bytes plus {_OTHER_FIELDS_BYTES} bytes for the other fields"
            )
        if self.backend == "embedded" and (self.endpoint_url or self.profile):
            raise ValueError("--endpoint-url and --profile require --backend aws")
        if self.role_arn and self.backend == "embedded":
            raise ValueError("--role-arn requires --backend aws")
        if self.backend == "embedded" and self.accounts and not {"*", _EMBEDDED_ACCOUNT} & {*self.accounts}:
            raise ValueError(
                f'--accounts must contain "{_EMBEDDED_ACCOUNT}", the account of --backend embedded, or "*"'
            )
        if self.external_id and not self.role_arn:
            raise ValueError("--external-id requires --role-arn")
        if self.min_upstream_time >= self.default_deadline:
            raise ValueError(
                f'--min-upstream-time "{self.min_upstream_time:g}" must be below '
                f'--default-deadline "{self.default_deadline:g}", '
                "because otherwise every call without a deadline is rejected"
            )
        if self.default_deadline > self.max_deadline:
            raise ValueError(
                f'--default-deadline "{self.default_deadline:g}" must not be above '
                f'--max-deadline "{self.max_deadline:g}"'
            )
        return self

    def concurrent_tests(self) -> int:
        """Returns how many functions the embedded backend runs at the same time."""
        if self.embedded_max_concurrent_tests:
            return self.embedded_max_concurrent_tests
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def settle_read_timeout(self) -> float:
        """Returns the read timeout, in seconds, while a change is settled."""
        return min(self.read_timeout, _SETTLE_READ_SECONDS)

    def longest_read(self) -> float:
        """Returns the maximum duration of one read while a change is settled, in seconds."""
        return min(self.connect_timeout, _SETTLE_READ_SECONDS) + self.settle_read_timeout()

    def longest_deadline(self) -> float:
        """Returns the longest deadline honoured of any method, in seconds."""
        return max(self.max_deadline, self.max_long_running_deadline)

    def receive_places(self) -> int:
        """Returns how many calls may wait for a message at the same time, if all messages have the largest size."""
        # gRPC's core has a message once while it arrives. When it is complete, Python has a copy for a short time.
        return max(3, 2 * self.max_request_memory // (3 * max(self.max_request_bytes, self.max_data_request_bytes)))

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
        return Path(self.listen.removeprefix(UNIX)) if self.listen.startswith(UNIX) else None

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
