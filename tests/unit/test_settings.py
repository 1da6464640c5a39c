"""Settings come from flags and environment variables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic_settings import BaseSettings

from cloudfront_facade_server.backends.embedded.responses import ACCOUNT_ID
from cloudfront_facade_server.settings.client import HealthSettings, SanitySettings
from cloudfront_facade_server.settings.reading import InvalidSettingsError, read_settings
from cloudfront_facade_server.settings.serve import ServeSettings
from cloudfront_facade_server.settings.variables import unknown_variables


def parse(*arguments: str) -> ServeSettings:
    return read_settings(ServeSettings, "cloudfront-facade serve", arguments)


def test_defaults_are_the_documented_numbers() -> None:
    settings = parse("--backend", "embedded")
    assert settings.listen == "127.0.0.1:50051"
    assert (settings.max_concurrent_upstream_calls, settings.max_concurrent_calls) == (32, 1000)
    assert settings.max_concurrent_streams == 100
    assert (settings.default_deadline, settings.max_deadline) == (30, 60)
    assert (settings.connect_timeout, settings.read_timeout, settings.min_upstream_time) == (2, 15, 0.5)
    assert (settings.settle_timeout, settings.drain_delay, settings.shutdown_grace_period) == (5, 5, 45)
    assert (settings.max_request_bytes, settings.max_connection_idle, settings.handshake_timeout) == (262_144, 300, 10)
    assert (settings.max_tags, settings.tag_charset, settings.max_function_code_bytes) == (50, "ascii", 10_240)


def test_setting_is_a_flag_and_a_variable_and_the_flag_takes_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFRONT_FACADE_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("CLOUDFRONT_FACADE_REFLECTION", "false")
    assert parse("--backend", "aws").endpoint_url == "http://127.0.0.1:1"
    assert parse("--backend", "aws", "--endpoint-url", "http://127.0.0.1:2").endpoint_url == "http://127.0.0.1:2"
    assert parse("--backend", "aws").reflection is False
    assert parse("--backend", "aws", "--reflection").reflection is True


@pytest.mark.parametrize(
    "arguments",
    [
        ["--without", "keys,in-use"],
        ["--without", "keys, in-use"],
        ["--without", "keys", "--without", "in-use"],
        ["--without=keys", "--without=in-use"],
    ],
)
def test_flag_with_several_values_is_repeated_or_comma_separated(arguments: list[str]) -> None:
    required = ["--target", "host:1", "--i-may-create-and-delete"]
    settings = read_settings(SanitySettings, "cloudfront-facade sanity", [*required, *arguments])
    assert settings.without == ["keys", "in-use"]


@pytest.mark.parametrize(
    ("value", "groups"), [("keys", ["keys"]), ("keys,in-use", ["keys", "in-use"]), ("keys, tags", ["keys", "tags"])]
)
def test_variable_with_several_values_is_comma_separated(
    value: str, groups: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFRONT_FACADE_SANITY_WITHOUT", value)
    arguments = ["--target", "host:1", "--i-may-create-and-delete"]
    assert read_settings(SanitySettings, "cloudfront-facade sanity", arguments).without == groups
    settings = read_settings(SanitySettings, "cloudfront-facade sanity", [*arguments, "--without", "test"])
    assert settings.without == ["test"]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "https://host", "https://host:65535/", "http://[::1]:4566", "http://localhost:4566"]
)
def test_any_http_address_is_accepted_as_endpoint(url: str) -> None:
    assert parse("--backend", "aws", "--endpoint-url", url).endpoint_url == url


def test_request_limit_has_room_for_the_code_and_the_other_fields() -> None:
    arguments = ("--backend", "aws", "--max-function-code-bytes", "10240", "--max-request-bytes")
    assert parse(*arguments, str(10_240 + 32 * 1024)).max_request_bytes == 43_008


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "127.9.9.9:1", "[::1]:50051", "localhost:50051", "unix:/tmp/s"])
def test_plaintext_is_allowed_on_local_addresses(listen: str) -> None:
    assert parse("--backend", "embedded", "--listen", listen).listen == listen


def test_plaintext_beyond_loopback_must_be_allowed() -> None:
    assert parse("--backend", "embedded", "--listen", "0.0.0.0:1", "--allow-plaintext").allow_plaintext


def test_health_accepts_a_ca_and_a_server_name(tmp_path: Path) -> None:
    file = tmp_path / "a.pem"
    file.touch()
    arguments = ["--tls-ca", str(file), "--tls-server-name", "facade.internal"]
    settings = read_settings(HealthSettings, "cloudfront-facade health", arguments)
    assert settings.tls_server_name == "facade.internal"


@pytest.mark.parametrize(
    ("kind", "required"),
    [
        (ServeSettings, {"backend": "embedded"}),
        (HealthSettings, {}),
        (SanitySettings, {"target": "host:1", "i_may_create_and_delete": True}),
    ],
)
def test_an_empty_variable_counts_as_unset(
    kind: type[BaseSettings], required: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    defaults = kind(**required)
    for name in kind.model_fields:
        monkeypatch.setenv(f"{kind.model_config['env_prefix']}{name}".upper(), "")
    assert kind(**required) == defaults


def test_a_required_setting_with_an_empty_variable_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFRONT_FACADE_BACKEND", "")
    with pytest.raises(InvalidSettingsError, match=r"^--backend or CLOUDFRONT_FACADE_BACKEND is required"):
        parse()


def test_an_empty_variable_with_an_unknown_name_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFRONT_FACADE_BACKEDN", "")
    assert unknown_variables() == []


def test_a_port_file_requires_a_port() -> None:
    with pytest.raises(InvalidSettingsError, match="--port-file requires --listen HOST:PORT"):
        parse("--backend", "embedded", "--listen", "unix:x.sock", "--port-file", "port")


@pytest.mark.parametrize("flags", [["--accounts", "*"], ["--accounts", "123456789012, 210987654321"]])
def test_accounts_are_12_digits_or_a_star(flags: list[str]) -> None:
    assert ",".join(parse("--backend", "aws", *flags).accounts) == flags[1].replace(" ", "")


@pytest.mark.parametrize("accounts", ["*", ACCOUNT_ID, f"123456789012,{ACCOUNT_ID}"])
def test_the_account_of_the_embedded_backend_can_be_allowed(accounts: str) -> None:
    assert parse("--backend", "embedded", "--accounts", accounts).accounts == accounts.split(",")
