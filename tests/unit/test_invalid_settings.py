"""An invalid setting is described in one line, in the project's words."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from cloudfront_facade_server.settings.client import HealthSettings, SanitySettings
from cloudfront_facade_server.settings.reading import InvalidSettingsError, read_settings
from cloudfront_facade_server.settings.serve import ServeSettings

BACKEND = ["--backend", "embedded"]

INVALID_ENDPOINT = "--endpoint-url must be http://HOST[:PORT] or https://HOST[:PORT], with a port from 1 to 65535"

INVALID: dict[tuple[str, str], str] = {
    # A choice.
    ("backend", "dynamo"): 'must be "aws" or "embedded"',
    ("backend", ""): 'must be "aws" or "embedded"',
    ("tag_charset", "latin"): 'must be "ascii" or "unicode"',
    ("log_format", "xml"): 'must be "auto", "json" or "text"',
    # A number.
    ("max_tags", "51"): "must be from 1 to 50",
    ("max_tags", "0"): "must be from 1 to 50",
    ("max_tags", "many"): "must be a whole number from 1 to 50",
    ("max_tags", "1.5"): "must be a whole number from 1 to 50",
    ("max_tags", "9" * 60): "must be from 1 to 50",
    ("embedded_max_concurrent_tests", "0"): "must be from 1 to 1000000",
    ("embedded_max_concurrent_tests", "abc"): "must be a whole number from 1 to 1000000",
    ("max_concurrent_calls", ""): "must be a whole number from 1 to 1000000",
    ("max_function_code_bytes", "40961"): "must be from 1 to 40960 bytes",
    ("max_request_bytes", "64k"): "must be a whole number of bytes from 1024 to 67108864",
    # A duration.
    ("drain_delay", "-1"): "must be from 0 to 86400 seconds",
    ("drain_delay", "86401"): "must be from 0 to 86400 seconds",
    ("drain_delay", "nan"): "must be from 0 to 86400 seconds",
    ("drain_delay", "5s"): "must be a number of seconds from 0 to 86400",
    ("read_timeout", "0"): "must be above 0 and at most 86400 seconds",
    ("read_timeout", "inf"): "must be above 0 and at most 86400 seconds",
    ("read_timeout", ""): "must be a number of seconds above 0 and at most 86400",
    # An address.
    ("listen", ""): "must be HOST:PORT with a port from 0 to 65535, or unix:PATH",
    ("listen", "50051"): "must be HOST:PORT with a port from 0 to 65535, or unix:PATH",
    ("listen", "localhost:70000"): "must be HOST:PORT with a port from 0 to 65535, or unix:PATH",
    ("listen", "unix:"): "must be unix:PATH, or unix:///PATH for an absolute path",
    ("listen", "unix://x.sock"): "must be unix:PATH, or unix:///PATH for an absolute path",
    ("listen", "http://host:1"): "must be HOST:PORT; HOST is a name, an IPv4 address or an IPv6 address in []",
    ("listen", "::1:50051"): "must be HOST:PORT; HOST is a name, an IPv4 address or an IPv6 address in []",
    # A path.
    ("tls_cert", "/nowhere.pem"): "must be an existing file",
    ("tls_cert", "/"): "must be an existing file",
    ("tls_cert", ""): "must be an existing file",
    ("embedded_s3_dir", "/nowhere"): "must be an existing directory",
    ("embedded_s3_dir", "/dev/null"): "must be an existing directory",
    ("embedded_s3_dir", ""): "must be an existing directory",
    # A text.
    ("profile", ""): "must not be empty",
    ("region", ""): "must not be empty",
    ("embedded_db", ""): "must not be empty",
    ("endpoint_url", ""): "must not be empty",
    ("port_file", ""): "must not be empty",
    # Several values.
    ("accounts", "1"): 'must be 12 digits, or "*" for any account',
    ("accounts", "12345678901x"): 'must be 12 digits, or "*" for any account',
}


def message_for(kind: type[BaseSettings], *arguments: str) -> str:
    """Returns the message for invalid settings."""
    with pytest.raises(InvalidSettingsError) as raised:
        read_settings(kind, "cloudfront-facade COMMAND", arguments)
    message = str(raised.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(("name", "value"), INVALID)
def test_invalid_flag_is_named_with_what_is_allowed(name: str, value: str) -> None:
    flag = "--" + name.replace("_", "-")
    backend = [] if name == "backend" else BACKEND
    expected = f'{flag} "{value}": {INVALID[name, value]}'
    assert message_for(ServeSettings, *backend, flag, value) == expected
    assert message_for(ServeSettings, *backend, f"{flag}={value}") == expected


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, value in INVALID if value])
def test_invalid_variable_is_named_with_what_is_allowed(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variable = f"CLOUDFRONT_FACADE_{name.upper()}"
    monkeypatch.setenv(variable, value)
    backend = [] if name == "backend" else BACKEND
    assert message_for(ServeSettings, *backend) == f'{variable} "{value}": {INVALID[name, value]}'


@pytest.mark.parametrize("value", ["maybe", ""])
def test_invalid_boolean_is_described(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if value:
        monkeypatch.setenv("CLOUDFRONT_FACADE_REFLECTION", value)
        assert message_for(ServeSettings, *BACKEND) == f'CLOUDFRONT_FACADE_REFLECTION "{value}": must be true or false'
    assert message_for(ServeSettings, *BACKEND, f"--reflection={value}") == (
        "--reflection must not have a value; allowed: --reflection or --no-reflection; "
        "see cloudfront-facade COMMAND --help"
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [("keyz", "keyz"), ("", ""), ("keys,,tags", ""), ("keys,keyz", "keyz"), ('["keys"]', '["keys"]')],
)
def test_invalid_value_of_several_is_described(value: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    groups = '"functions", "update", "publish", "test", "stores", "in-use", "keys" or "tags"'
    arguments = ["--target", "host:1", "--i-may-create-and-delete"]
    assert message_for(SanitySettings, *arguments, "--without", value) == f'--without "{shown}": must be {groups}'
    if not value:
        return  # an empty variable counts as unset
    monkeypatch.setenv("CLOUDFRONT_FACADE_SANITY_WITHOUT", value)
    assert message_for(SanitySettings, *arguments) == f'CLOUDFRONT_FACADE_SANITY_WITHOUT "{shown}": must be {groups}'


def test_missing_setting_is_named_by_its_flag_and_its_variable() -> None:
    assert message_for(ServeSettings) == '--backend or CLOUDFRONT_FACADE_BACKEND is required: "aws" or "embedded"'
    assert message_for(SanitySettings) == "--target or CLOUDFRONT_FACADE_SANITY_TARGET is required: HOST:PORT"


def test_all_invalid_settings_are_described_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFRONT_FACADE_MAX_TAGS", "51")
    assert message_for(ServeSettings, *BACKEND, "--log-level", "loud") == (
        'CLOUDFRONT_FACADE_MAX_TAGS "51": must be from 1 to 50; '
        '--log-level "loud": must be "debug", "info", "warning" or "error"'
    )


def test_flag_is_named_if_its_variable_is_invalid_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFRONT_FACADE_MAX_TAGS", "51")
    assert message_for(ServeSettings, *BACKEND, "--max-tags", "52") == '--max-tags "52": must be from 1 to 50'


@pytest.mark.parametrize("kind", [HealthSettings, SanitySettings])
def test_a_target_has_the_port_of_a_server(kind: type[BaseSettings]) -> None:
    arguments = ["--i-may-create-and-delete"] if kind is SanitySettings else []
    assert message_for(kind, "--target", "[::1]:0", *arguments) == (
        '--target "[::1]:0": must be HOST:PORT with a port from 1 to 65535, or unix:PATH'
    )
    assert read_settings(HealthSettings, "health", ["--target", "unix:/tmp/a:0"]).target == "unix:/tmp/a:0"


def test_variable_of_another_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFRONT_FACADE_HEALTH_TIMEOUT", "soon")
    assert message_for(HealthSettings).startswith(
        'CLOUDFRONT_FACADE_HEALTH_TIMEOUT "soon": must be a number of seconds'
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--nope", "1"], "unrecognized arguments: --nope 1"),
        (["--max-tags"], "--max-tags requires a value"),
        (["serve"], "unrecognized arguments: serve"),
    ],
)
def test_arguments_that_are_not_flags_are_described(arguments: list[str], message: str) -> None:
    assert message_for(ServeSettings, *BACKEND, *arguments) == f"{message}; see cloudfront-facade COMMAND --help"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--default-deadline", "61"], '--default-deadline "61" must not be above --max-deadline "60"'),
        (["--min-upstream-time", "60"], '--min-upstream-time "60" must be below --default-deadline "30"'),
        (["--max-request-bytes", "43007"], '--max-request-bytes "43007" must be at least 43008'),
        (
            ["--max-function-code-bytes", "40960", "--max-request-bytes", "70000"],
            '--max-request-bytes "70000" must be at least 73728',
        ),
        (["--listen", "0.0.0.0:50051"], '--listen "0.0.0.0:50051" is open to the network without TLS'),
        (["--listen", "facade.internal:50051"], "or --allow-plaintext"),
        (["--endpoint-url", "http://127.0.0.1:1"], "require --backend aws"),
        (["--profile", "web"], "require --backend aws"),
        (
            ["--accounts", "123456789012"],
            '--accounts must contain "000000000000", the account of --backend embedded, or "*"',
        ),
        (["--backend", "aws", "--endpoint-url", "http://me:hush@host"], "must not contain a user or a password"),
        (["--backend", "aws", "--endpoint-url", "ftp://host"], INVALID_ENDPOINT),
        (["--backend", "aws", "--endpoint-url", "127.0.0.1:4566"], INVALID_ENDPOINT),
        (["--backend", "aws", "--endpoint-url", "http://"], INVALID_ENDPOINT),
        (["--backend", "aws", "--endpoint-url", "http://:4566"], INVALID_ENDPOINT),
        (["--backend", "aws", "--endpoint-url", "http://host:0"], INVALID_ENDPOINT),
        (["--backend", "aws", "--endpoint-url", "http://host:65536"], INVALID_ENDPOINT),
        (["--backend", "aws", "--endpoint-url", "http://host:port"], INVALID_ENDPOINT),
        (["--backend", "aws", "--endpoint-url", "http://[::1"], INVALID_ENDPOINT),
    ],
)
def test_contradiction_between_settings_is_described(arguments: list[str], message: str) -> None:
    backend = [] if "--backend" in arguments else BACKEND
    line = message_for(ServeSettings, *backend, *arguments)
    assert message in line
    assert "hush" not in line


def test_contradiction_names_the_variables_that_cause_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFRONT_FACADE_DEFAULT_DEADLINE", "61")
    assert message_for(ServeSettings, *BACKEND, "--max-deadline", "50") == (
        'CLOUDFRONT_FACADE_DEFAULT_DEADLINE "61" must not be above --max-deadline "50"'
    )


def test_contradiction_between_tls_settings_is_described(tmp_path: Path) -> None:
    file = tmp_path / "a.pem"
    file.touch()
    name, key = ["--tls-cert", str(file)], ["--tls-key", str(file)]
    both = "--tls-cert and --tls-key must be set together"
    assert message_for(ServeSettings, *BACKEND, *name) == both
    assert "--tls-client-ca requires" in message_for(ServeSettings, *BACKEND, "--tls-client-ca", str(file))
    assert message_for(HealthSettings, *name) == both
    assert "require --tls-ca" in message_for(HealthSettings, *name, *key)
    assert "--tls-server-name require --tls-ca" in message_for(HealthSettings, "--tls-server-name", "facade.internal")


def test_confirmation_of_the_sanity_suite_is_required() -> None:
    assert message_for(SanitySettings, "--target", "host:1") == (
        "--i-may-create-and-delete is required; it confirms that the account is disposable"
    )


def numbers() -> list[str]:
    """Returns every setting of `serve` that is a number."""
    return [
        name
        for name, field in ServeSettings.model_fields.items()
        if "int" in str(field.annotation).lower() or "float" in str(field.annotation)
    ]


@pytest.mark.parametrize("name", numbers())
@pytest.mark.parametrize("value", ["x", "-1", "1e30"])
def test_the_range_of_every_number_is_described(name: str, value: str) -> None:
    with pytest.raises(InvalidSettingsError) as caught:
        read_settings(ServeSettings, "serve", [*BACKEND, f"--{name.replace('_', '-')}", value])
    assert f'--{name.replace("_", "-")} "{value}": must be ' in str(caught.value)
