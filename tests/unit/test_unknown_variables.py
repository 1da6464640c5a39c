"""Every command warns of misspelt environment variables."""

from __future__ import annotations

import pytest

from cloudfront_facade_server.settings.variables import unknown_variables
from support.process import EMBEDDED, FacadeProcess, run_command

MISSPELT = {
    "CLOUDFRONT_FACADE_MAX_TAG": "CLOUDFRONT_FACADE_MAX_TAGS",
    "CLOUDFRONT_FACADE_BACKEDN": "CLOUDFRONT_FACADE_BACKEND",
    "CLOUDFRONT_FACADE_HEALTH_TARGTE": "CLOUDFRONT_FACADE_HEALTH_TARGET",
    "CLOUDFRONT_FACADE_SANITY_WITHUOT": "CLOUDFRONT_FACADE_SANITY_WITHOUT",
}


def test_settings_of_every_command_and_variables_of_kubernetes_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAX_TAGS", "HEALTH_TARGET", "SANITY_WITHOUT", "PORT", "PORT_50051_TCP", "SERVICE_HOST"):
        monkeypatch.setenv(f"CLOUDFRONT_FACADE_{name}", "x")
    assert unknown_variables() == []


@pytest.mark.parametrize("name", MISSPELT)
def test_most_similar_variable_is_suggested(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "x")
    (variable,) = unknown_variables()
    assert str(variable) == f"unknown variable {name}; did you mean {MISSPELT[name]}?"


def test_dissimilar_variable_is_reported_without_a_suggestion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFRONT_FACADE_XYZ", "x")
    (variable,) = unknown_variables()
    assert str(variable) == "unknown variable CLOUDFRONT_FACADE_XYZ"


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("health", ["--target", "127.0.0.1:1"]),
        ("sanity", ["--target", "127.0.0.1:1", "--i-may-create-and-delete"]),
        # Without valid settings, a command warns too: the variable of a missing one may be misspelt.
        ("serve", []),
        ("health", ["--timeout", "soon"]),
        ("sanity", []),
    ],
)
def test_command_prints_a_warning(command: str, arguments: list[str]) -> None:
    completed = run_command(command, *arguments, CLOUDFRONT_FACADE_BACKEDN="embedded")
    assert completed.returncode == 1
    assert completed.stderr.count("warning") == 1
    assert completed.stderr.startswith(
        "cloudfront-facade: warning: unknown variable CLOUDFRONT_FACADE_BACKEDN; "
        "did you mean CLOUDFRONT_FACADE_BACKEND?\n"
    )


def test_server_logs_a_warning() -> None:
    with FacadeProcess(*EMBEDDED, environment={"CLOUDFRONT_FACADE_MAX_TAG": "5"}) as process:
        (line,) = (line for line in process.lines if line["event"] == "unknown variable")
    assert (line["level"], line["variable"], line["did_you_mean"]) == (
        "warning",
        "CLOUDFRONT_FACADE_MAX_TAG",
        "CLOUDFRONT_FACADE_MAX_TAGS",
    )
