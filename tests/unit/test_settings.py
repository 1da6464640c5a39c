"""Settings: flags, variables, and one clear line where they are wrong."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from cloudfront_facade_server import cli
from cloudfront_facade_server.settings import HealthSettings, ServeSettings, unknown_variables

NO_ENDPOINT = "--endpoint-url must be http://HOST or https://HOST, with a port from 1 to 65535 or none"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("CLOUDFRONT_FACADE_"):
            monkeypatch.delenv(name)


def parse(*arguments: str) -> ServeSettings:
    return cli._settings(ServeSettings, "serve", arguments)


def complaint(*arguments: str) -> str:
    with pytest.raises(cli.StartError) as raised:
        parse(*arguments)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_the_defaults_are_the_promised_numbers() -> None:
    settings = parse("--backend", "embedded")
    assert settings.listen == "127.0.0.1:50051"
    assert (settings.max_concurrent_upstream_calls, settings.max_concurrent_calls) == (32, 1000)
    assert settings.max_concurrent_streams == 100
    assert (settings.default_deadline, settings.max_deadline) == (30, 60)
    assert (settings.connect_timeout, settings.read_timeout, settings.min_upstream_time) == (2, 15, 0.5)
    assert (settings.settle_timeout, settings.drain_delay, settings.shutdown_grace_period) == (5, 5, 45)
    assert (settings.max_request_bytes, settings.max_connection_idle, settings.handshake_timeout) == (262_144, 300, 10)
    assert (settings.max_tags, settings.tag_charset, settings.max_function_code_bytes) == (50, "ascii", 10_240)


def test_the_backend_must_be_said() -> None:
    assert complaint() == "--backend must be said: aws or embedded"


def test_a_setting_is_a_flag_and_a_variable_and_the_flag_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFRONT_FACADE_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("CLOUDFRONT_FACADE_REFLECTION", "false")
    assert parse("--backend", "aws").endpoint_url == "http://127.0.0.1:1"
    assert parse("--backend", "aws", "--endpoint-url", "http://127.0.0.1:2").endpoint_url == "http://127.0.0.1:2"
    assert parse("--backend", "aws").reflection is False
    assert parse("--backend", "aws", "--reflection").reflection is True
    monkeypatch.setenv("CLOUDFRONT_FACADE_MAX_CONCURRENT_CALLS", "many")
    assert complaint("--backend", "aws").startswith(
        "CLOUDFRONT_FACADE_MAX_CONCURRENT_CALLS 'many': input should be a valid integer"
    )
    for spelt in (["--max-concurrent-calls", "few"], ["--max-concurrent-calls=few"]):
        assert complaint("--backend", "aws", *spelt).startswith(
            "--max-concurrent-calls 'few': input should be a valid integer"
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
def test_an_empty_variable_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"CLOUDFRONT_FACADE_{name}", "")
    assert complaint("--backend", "aws").startswith(f"CLOUDFRONT_FACADE_{name} '': ")


def test_an_empty_backend_is_no_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFRONT_FACADE_BACKEND", "")
    assert complaint() == "CLOUDFRONT_FACADE_BACKEND '': input should be 'aws' or 'embedded'"


def test_the_variables_that_kubernetes_adds_for_a_service_of_this_name_do_no_harm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLOUDFRONT_FACADE_PORT", "tcp://10.0.0.1:50051")
    monkeypatch.setenv("CLOUDFRONT_FACADE_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("CLOUDFRONT_FACADE_HEALTH_TARGET", "127.0.0.1:1")
    parse("--backend", "embedded")
    assert unknown_variables() == []


def test_a_misspelt_variable_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFRONT_FACADE_MAX_TAG", "5")
    monkeypatch.setenv("CLOUDFRONT_FACADE_MAX_TAGS", "5")
    assert unknown_variables() == ["CLOUDFRONT_FACADE_MAX_TAG"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--backend", "dynamo"], "--backend 'dynamo': input should be 'aws' or 'embedded'"),
        (["--max-concurrent-calls", "0"], "--max-concurrent-calls '0': input should be greater than or equal to 1"),
        (["--max-function-code-bytes", "40961"], "less than or equal to 40960"),
        (["--default-deadline", "61"], "--default-deadline 61 must not be above --max-deadline 60"),
        (["--min-upstream-time", "60"], "--min-upstream-time 60 must be below --default-deadline 30"),
        (["--listen", "50051"], "allowed: HOST:PORT"),
        (["--listen", "localhost:70000"], "allowed: HOST:PORT"),
        (["--listen", "unix:"], "unix: needs a path"),
        (["--listen", "unix://x.sock"], "allowed: unix:PATH"),
        (["--listen", "http://127.0.0.1:50051"], "HOST a name, an IPv4 address"),
        (["--listen", "::1:50051"], "an IPv6 address in []"),
        (["--listen", "0.0.0.0:50051"], "say --allow-plaintext"),
        (["--listen", "facade.internal:50051"], "say --allow-plaintext"),
        (["--tls-cert", "/nowhere.pem"], "--tls-cert '/nowhere.pem': path does not point to a file"),
        (["--tag-charset", "latin"], "--tag-charset 'latin'"),
        (["--endpoint-url", "http://127.0.0.1:1"], "are for --backend aws"),
        (
            ["--backend", "aws", "--endpoint-url", "http://me:hush@host"],
            "--endpoint-url must not hold a user or password",
        ),
        (["--backend", "aws", "--endpoint-url", "ftp://host"], NO_ENDPOINT),
        (["--backend", "aws", "--endpoint-url", "127.0.0.1:4566"], NO_ENDPOINT),
        (["--backend", "aws", "--endpoint-url", "http://"], NO_ENDPOINT),
        (["--backend", "aws", "--endpoint-url", "http://:4566"], NO_ENDPOINT),
        (["--backend", "aws", "--endpoint-url", "http://host:0"], NO_ENDPOINT),
        (["--backend", "aws", "--endpoint-url", "http://host:65536"], NO_ENDPOINT),
        (["--backend", "aws", "--endpoint-url", "http://host:port"], NO_ENDPOINT),
        (["--backend", "aws", "--endpoint-url", "http://[::1"], NO_ENDPOINT),
        (["--max-tags", "51"], "--max-tags '51': input should be less than or equal to 50"),
        (["--max-tags", "0"], "--max-tags '0': input should be greater than or equal to 1"),
        (["--max-request-bytes", "43007"], "--max-request-bytes has no room for code of --max-function-code-bytes"),
        (["--max-function-code-bytes", "40960", "--max-request-bytes", "70000"], "--max-request-bytes has no room"),
        (["--profile", "web"], "are for --backend aws"),
        (["--nope", "1"], "unrecognized arguments: --nope 1; see cloudfront-facade serve --help"),
    ],
)
def test_a_bad_value_is_told_in_one_line(arguments: list[str], says: str) -> None:
    backend = [] if "--backend" in arguments else ["--backend", "embedded"]
    said = complaint(*backend, *arguments)
    assert says in said
    assert "hush" not in said


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "https://host", "https://host:65535/", "http://[::1]:4566", "http://localhost:4566"]
)
def test_an_endpoint_may_be_any_address_of_http(url: str) -> None:
    assert parse("--backend", "aws", "--endpoint-url", url).endpoint_url == url


def test_a_message_has_room_for_the_code_and_what_is_beside_it() -> None:
    arguments = ("--backend", "aws", "--max-function-code-bytes", "10240", "--max-request-bytes")
    assert parse(*arguments, str(10_240 + 32 * 1024)).max_request_bytes == 43_008


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "127.9.9.9:1", "[::1]:50051", "localhost:50051", "unix:/tmp/s"])
def test_plaintext_is_let_through_where_it_stays_on_this_machine(listen: str) -> None:
    assert parse("--backend", "embedded", "--listen", listen).listen == listen


def test_plaintext_beyond_loopback_and_tls_files_are_said_by_name(tmp_path: Path) -> None:
    assert parse("--backend", "embedded", "--listen", "0.0.0.0:1", "--allow-plaintext").allow_plaintext
    file = tmp_path / "a.pem"
    file.touch()
    assert "go together" in complaint("--backend", "embedded", "--tls-cert", str(file))
    assert "--tls-client-ca needs" in complaint("--backend", "embedded", "--tls-client-ca", str(file))


def test_health_settings_that_belong_together_are_held_to_it(tmp_path: Path) -> None:
    file = tmp_path / "a.pem"
    file.touch()
    for arguments, says in (
        (["--tls-cert", str(file)], "--tls-cert and --tls-key go together"),
        (["--tls-cert", str(file), "--tls-key", str(file)], "need --tls-ca"),
        (["--tls-server-name", "facade.internal"], "--tls-server-name need --tls-ca"),
        (["--target", "50051"], "--target '50051': allowed: HOST:PORT with a port from 0 to 65535, or unix:PATH"),
        (["--target", "http://host:1"], "--target 'http://host:1': allowed: HOST:PORT, with HOST a name"),
        (["--frobnicate"], "; see cloudfront-facade health --help"),
    ):
        with pytest.raises(cli.StartError) as raised:
            cli._settings(HealthSettings, "health", arguments)
        assert says in str(raised.value)
        assert "\n" not in str(raised.value)
    named = ["--tls-ca", str(file), "--tls-server-name", "facade.internal"]
    assert cli._settings(HealthSettings, "health", named).tls_server_name == "facade.internal"


def test_a_variable_of_a_command_is_told_by_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFRONT_FACADE_HEALTH_TIMEOUT", "soon")
    with pytest.raises(cli.StartError, match=r"^CLOUDFRONT_FACADE_HEALTH_TIMEOUT 'soon': "):
        cli._settings(HealthSettings, "health", [])


def test_the_version_is_told_and_unknown_commands_are_refused(
    capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    version = tomllib.loads((project / "pyproject.toml").read_text())["project"]["version"]
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out == f"cloudfront-facade {version}\n"
    assert cli.run([]) == 0
    usage = capsys.readouterr().out
    assert re.findall(r"^  (\w+)", usage, re.MULTILINE) == ["serve", "health", "sanity"]
    assert cli.run(["start"]) == 1
    assert capsys.readouterr().err == (
        "cloudfront-facade: no such command: 'start'; allowed: serve, health, sanity, --version, --help\n"
    )


def test_help_shows_every_setting_with_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.run(["serve", "--help"])
    assert ended.value.code == 0
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
