"""Settings: flags, variables, help, and one line for each invalid setting."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from cloudfront_facade_server import cli
from cloudfront_facade_server.settings import HealthSettings, SanitySettings, ServeSettings, unknown_variables

INVALID_ENDPOINT = "--endpoint-url must be http://HOST[:PORT] or https://HOST[:PORT], with a port from 1 to 65535"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("CLOUDFRONT_FACADE_"):
            monkeypatch.delenv(name)


def parse(*arguments: str) -> ServeSettings:
    return cli._settings(ServeSettings, "serve", arguments)


def error_message(*arguments: str) -> str:
    with pytest.raises(cli.StartError) as raised:
        parse(*arguments)
    assert "\n" not in str(raised.value)
    return str(raised.value)


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


def test_backend_is_required() -> None:
    assert error_message() == "--backend is required: aws or embedded"


def test_setting_is_a_flag_and_a_variable_and_the_flag_takes_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFRONT_FACADE_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("CLOUDFRONT_FACADE_REFLECTION", "false")
    assert parse("--backend", "aws").endpoint_url == "http://127.0.0.1:1"
    assert parse("--backend", "aws", "--endpoint-url", "http://127.0.0.1:2").endpoint_url == "http://127.0.0.1:2"
    assert parse("--backend", "aws").reflection is False
    assert parse("--backend", "aws", "--reflection").reflection is True
    monkeypatch.setenv("CLOUDFRONT_FACADE_MAX_CONCURRENT_CALLS", "many")
    assert error_message("--backend", "aws").startswith(
        'CLOUDFRONT_FACADE_MAX_CONCURRENT_CALLS "many": input should be a valid integer'
    )
    for spelling in (["--max-concurrent-calls", "few"], ["--max-concurrent-calls=few"]):
        assert error_message("--backend", "aws", *spelling).startswith(
            '--max-concurrent-calls "few": input should be a valid integer'
        )


@pytest.mark.parametrize(
    "name",
    [
        "MAX_CONCURRENT_CALLS",
        "TLS_CERT",
        "PROFILE",
        "REGION",
        "EMBEDDED_DB",
        "LISTEN",
        "REFLECTION",
        "ENDPOINT_URL",
    ],
)
def test_empty_variable_is_rejected_by_its_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"CLOUDFRONT_FACADE_{name}", "")
    assert error_message("--backend", "aws").startswith(f'CLOUDFRONT_FACADE_{name} "": ')


def test_empty_backend_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFRONT_FACADE_BACKEND", "")
    assert error_message() == 'CLOUDFRONT_FACADE_BACKEND "": input should be "aws" or "embedded"'


def test_variables_that_kubernetes_adds_for_a_service_of_this_name_are_ignored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLOUDFRONT_FACADE_PORT", "tcp://10.0.0.1:50051")
    monkeypatch.setenv("CLOUDFRONT_FACADE_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("CLOUDFRONT_FACADE_HEALTH_TARGET", "127.0.0.1:1")
    parse("--backend", "embedded")
    assert unknown_variables() == []


def test_misspelt_variable_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFRONT_FACADE_MAX_TAG", "5")
    monkeypatch.setenv("CLOUDFRONT_FACADE_MAX_TAGS", "5")
    assert unknown_variables() == ["CLOUDFRONT_FACADE_MAX_TAG"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--backend", "dynamo"], '--backend "dynamo": input should be "aws" or "embedded"'),
        (["--max-concurrent-calls", "0"], '--max-concurrent-calls "0": input should be greater than or equal to 1'),
        (["--max-function-code-bytes", "40961"], "less than or equal to 40960"),
        (["--default-deadline", "61"], "--default-deadline 61 must not be above --max-deadline 60"),
        (["--min-upstream-time", "60"], "--min-upstream-time 60 must be below --default-deadline 30"),
        (["--listen", "50051"], "allowed: HOST:PORT"),
        (["--listen", "localhost:70000"], "allowed: HOST:PORT"),
        (["--listen", "unix:"], "the path after unix: is missing"),
        (["--listen", "unix://x.sock"], "allowed: unix:PATH"),
        (["--listen", "http://127.0.0.1:50051"], "HOST a name, an IPv4 address"),
        (["--listen", "::1:50051"], "an IPv6 address in []"),
        (["--listen", "0.0.0.0:50051"], "or --allow-plaintext"),
        (["--listen", "facade.internal:50051"], "or --allow-plaintext"),
        (["--tls-cert", "/nowhere.pem"], '--tls-cert "/nowhere.pem": path does not point to a file'),
        (["--tag-charset", "latin"], '--tag-charset "latin"'),
        (["--endpoint-url", "http://127.0.0.1:1"], "require --backend aws"),
        (
            ["--backend", "aws", "--endpoint-url", "http://me:hush@host"],
            "--endpoint-url must not contain a user or a password",
        ),
        (["--backend", "aws", "--endpoint-url", "ftp://host"], INVALID_ENDPOINT),
        (["--backend", "aws", "--endpoint-url", "127.0.0.1:4566"], INVALID_ENDPOINT),
        (["--backend", "aws", "--endpoint-url", "http://"], INVALID_ENDPOINT),
        (["--backend", "aws", "--endpoint-url", "http://:4566"], INVALID_ENDPOINT),
        (["--backend", "aws", "--endpoint-url", "http://host:0"], INVALID_ENDPOINT),
        (["--backend", "aws", "--endpoint-url", "http://host:65536"], INVALID_ENDPOINT),
        (["--backend", "aws", "--endpoint-url", "http://host:port"], INVALID_ENDPOINT),
        (["--backend", "aws", "--endpoint-url", "http://[::1"], INVALID_ENDPOINT),
        (["--max-tags", "51"], '--max-tags "51": input should be less than or equal to 50'),
        (["--max-tags", "0"], '--max-tags "0": input should be greater than or equal to 1'),
        (["--max-request-bytes", "43007"], "--max-request-bytes 43007 must be at least 43008"),
        (
            ["--max-function-code-bytes", "40960", "--max-request-bytes", "70000"],
            "--max-request-bytes 70000 must be at least 73728",
        ),
        (["--profile", "web"], "require --backend aws"),
        (["--nope", "1"], "unrecognized arguments: --nope 1; see cloudfront-facade serve --help"),
    ],
)
def test_invalid_setting_is_reported_in_one_line(arguments: list[str], message: str) -> None:
    backend = [] if "--backend" in arguments else ["--backend", "embedded"]
    line = error_message(*backend, *arguments)
    assert message in line
    assert "hush" not in line


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


def test_plaintext_beyond_loopback_and_tls_files_must_be_set_explicitly(tmp_path: Path) -> None:
    assert parse("--backend", "embedded", "--listen", "0.0.0.0:1", "--allow-plaintext").allow_plaintext
    file = tmp_path / "a.pem"
    file.touch()
    assert "must be set together" in error_message("--backend", "embedded", "--tls-cert", str(file))
    assert "--tls-client-ca requires" in error_message("--backend", "embedded", "--tls-client-ca", str(file))


def test_contradictory_health_settings_are_rejected(tmp_path: Path) -> None:
    file = tmp_path / "a.pem"
    file.touch()
    for arguments, message in (
        (["--tls-cert", str(file)], "--tls-cert and --tls-key must be set together"),
        (["--tls-cert", str(file), "--tls-key", str(file)], "require --tls-ca"),
        (["--tls-server-name", "facade.internal"], "--tls-server-name require --tls-ca"),
        (["--target", "50051"], '--target "50051": allowed: HOST:PORT with a port from 0 to 65535, or unix:PATH'),
        (["--target", "http://host:1"], '--target "http://host:1": allowed: HOST:PORT, with HOST a name'),
        (["--frobnicate"], "; see cloudfront-facade health --help"),
    ):
        with pytest.raises(cli.StartError) as raised:
            cli._settings(HealthSettings, "health", arguments)
        assert message in str(raised.value)
        assert "\n" not in str(raised.value)
    arguments = ["--tls-ca", str(file), "--tls-server-name", "facade.internal"]
    assert cli._settings(HealthSettings, "health", arguments).tls_server_name == "facade.internal"


def test_invalid_variable_of_another_command_is_reported_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFRONT_FACADE_HEALTH_TIMEOUT", "soon")
    with pytest.raises(cli.StartError, match=r'^CLOUDFRONT_FACADE_HEALTH_TIMEOUT "soon": '):
        cli._settings(HealthSettings, "health", [])


def test_help_shows_every_setting_with_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.serve(["--help"])
    assert caught.value.code == 0
    entries = [" ".join(entry.split()) for entry in re.split(r"\n  (?=--)", capsys.readouterr().out)]
    for name, field in ServeSettings.model_fields.items():
        flag = f"--{name.replace('_', '-')}"
        (entry,) = [entry for entry in entries if entry.split()[0].rstrip(",") == flag]
        assert field.description
        if field.default not in (PydanticUndefined, None):
            assert f"(default: {field.default})" in entry
        else:
            assert "(default" not in entry
        assert entry.isprintable()


METAVARS = {
    "listen": "HOST:PORT",
    "target": "HOST:PORT",
    "tls_cert": "FILE",
    "embedded_db": "FILE",
    "embedded_s3_dir": "DIR",
    "drain_delay": "SECONDS",
    "max_request_bytes": "BYTES",
    "max_concurrent_calls": "COUNT",
    "max_tags": "COUNT",
    "endpoint_url": "URL",
    "backend": "{aws,embedded}",
    "service": "NAME",
    "without": "GROUP",
}


@pytest.mark.parametrize(
    ("command", "kind"), [(cli.serve, ServeSettings), (cli.health, HealthSettings), (cli.sanity, SanitySettings)]
)
def test_help_names_the_unit_or_form_of_each_value(
    command: Callable[[list[str]], int], kind: type[BaseSettings], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        command(["--help"])
    text = capsys.readouterr().out
    metavars = dict(re.findall(r"^  --([a-z0-9-]+) (\S+)", text, re.MULTILINE))
    valued = {name for name, field in kind.model_fields.items() if field.annotation is not bool}
    assert {name.replace("_", "-") for name in valued} == set(metavars)
    assert not {"str", "Path", "float", "int", "FilePath", "DirectoryPath"} & set(metavars.values())
    for name in valued & set(METAVARS):
        assert metavars[name.replace("_", "-")] == METAVARS[name]
    assert "(default: )" not in text
    assert "factory" not in text
    assert "\n    Every" not in text, "the description must not be indented"


def test_help_of_a_setting_without_a_default_shows_no_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.health(["--help"])
    assert capsys.readouterr().out.count("(default: ") == 1  # of --timeout
