"""The help of the commands."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from cloudfront_facade_server import cli
from cloudfront_facade_server.settings.client import HealthSettings, SanitySettings
from cloudfront_facade_server.settings.serve import ServeSettings


def test_help_shows_every_setting_with_its_default(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")  # a value with a hyphen could be wrapped
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
    assert capsys.readouterr().out.count("(default: ") == 2  # of --timeout and --wait
