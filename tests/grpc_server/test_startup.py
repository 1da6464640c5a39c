"""Starting the server: its addresses, and the one-line errors if it cannot start."""

from __future__ import annotations

import shlex
import signal
import socket
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES

import cloudfront_facade
from cloudfront_facade_server import cli
from support.facade import function
from support.process import COMMAND, EMBEDDED, FacadeProcess, clean_environment, run_command


def test_a_port_in_use_is_reported_in_one_line_with_the_setting_to_change() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        completed = run_command("serve", *EMBEDDED, "--listen", address)
    assert completed.returncode == 1
    assert completed.stderr == (
        f"cloudfront-facade: cannot listen on {address}: address already in use; "
        "set --listen or CLOUDFRONT_FACADE_LISTEN to another address\n"
    )


def test_a_second_server_on_a_port_does_not_start(facade_address: str) -> None:
    second = run_command("serve", *EMBEDDED, "--listen", facade_address)
    assert second.returncode == 1
    assert f"cannot listen on {facade_address}: address already in use" in second.stderr


@pytest.mark.parametrize("taken", ["127.0.0.1", "[::1]"])
def test_a_name_is_not_bound_if_one_of_its_addresses_is_in_use(taken: str) -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    with FacadeProcess(*EMBEDDED, "--listen", f"{taken}:0") as first:
        port = first.address.rpartition(":")[2]
        second = run_command("serve", *EMBEDDED, "--listen", f"localhost:{port}")
    assert second.returncode == 1
    assert f"cannot listen on localhost:{port}: {taken.strip('[]')}: address already in use" in second.stderr


@pytest.mark.parametrize("source", ["flag", "variable"])
def test_a_missing_folder_of_the_embedded_database_is_reported_and_not_created(tmp_path: Path, source: str) -> None:
    path = tmp_path / "nowhere" / "deep" / "db"
    flags = ("--embedded-db", str(path)) if source == "flag" else ()
    variables = {"CLOUDFRONT_FACADE_EMBEDDED_DB": str(path)} if source == "variable" else {}
    completed = run_command("serve", *EMBEDDED[:2], *flags, timeout=30, **variables)
    assert completed.returncode == 1
    assert completed.stderr == (
        f'cloudfront-facade: {path}: the folder "{path.parent}" does not exist; create it, '
        "or set --embedded-db or CLOUDFRONT_FACADE_EMBEDDED_DB to another path\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_the_default_database_is_created(tmp_path: Path) -> None:
    environment = {"XDG_STATE_HOME": str(tmp_path / "state")}
    with FacadeProcess(*EMBEDDED[:2], "--drain-delay", "0", environment=environment):
        folder = tmp_path / "state" / "cloudfront-facade"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / "embedded.sqlite3").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--backend or CLOUDFRONT_FACADE_BACKEND is required"),
        ((*EMBEDDED, "--listen", "0.0.0.0:0"), "or --allow-plaintext"),
        (
            (*EMBEDDED, "--listen", "192.0.2.1:50051", "--allow-plaintext"),
            "cannot listen on 192.0.2.1:50051: cannot assign requested address",
        ),
        ((*EMBEDDED, "--listen", f"unix:/tmp/{'x' * 120}"), "path too long"),
        ((*EMBEDDED[:2], "--embedded-db", "/proc/db"), "/proc/db: "),
        (("--backend", "aws", "--profile", "nobody"), "profile"),
        (("--backend", "aws", "--listen", "127.0.0.1:0"), "no AWS credentials found"),
    ],
)
def test_a_server_that_cannot_start_reports_why_in_one_line(arguments: tuple[str, ...], message: str) -> None:
    completed = run_command(
        "serve",
        *arguments,
        AWS_CONFIG_FILE="/dev/null",
        AWS_SHARED_CREDENTIALS_FILE="/dev/null",
        AWS_EC2_METADATA_DISABLED="true",
    )
    assert completed.returncode == 1
    assert completed.stderr.startswith("cloudfront-facade: ")
    assert completed.stderr.count("\n") == 1
    assert message in completed.stderr


def test_empty_variables_of_boto3_count_as_unset() -> None:
    read = {name for _, names, *_ in BOTOCORE_DEFAUT_SESSION_VARIABLES.values() for name in _names(names)}
    read |= {"AWS_DEFAULT_PROFILE", "REQUESTS_CA_BUNDLE"}
    assert {"AWS_PROFILE", "AWS_CA_BUNDLE"} < read
    empty = dict.fromkeys(read, "")
    with FacadeProcess("--backend", "aws", "--endpoint-url", "http://127.0.0.1:1", environment=empty) as process:
        process.signal(signal.SIGINT)
        process.wait()
    assert [line for line in process.lines if line["level"] != "info"] == []


def _names(names: str | Sequence[str] | None) -> Sequence[str]:
    return [names] if isinstance(names, str) else names or []


def test_closed_standard_streams_do_not_matter(tmp_path: Path) -> None:
    listen = f"unix:{tmp_path}/facade.sock"
    command = shlex.join([*COMMAND, "serve", *EMBEDDED, "--listen", listen])
    server = subprocess.Popen(["/bin/sh", "-c", f"exec {command} <&- >&- 2>&-"], env=clean_environment())
    try:
        waited = run_command("health", "--target", listen, "--wait", "30")
        server.send_signal(signal.SIGTERM)
        assert (waited.stdout, server.wait(30)) == ("SERVING\n", 0)
    finally:
        server.kill()


def test_a_unix_socket_is_served_exclusively_and_reclaimed_after_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "facade.sock"
    listen = ("--listen", f"unix:{path}")
    with FacadeProcess(*EMBEDDED, *listen) as process:
        assert stat.S_ISSOCK(path.stat().st_mode)
        with cloudfront_facade.connect(f"unix:{path}") as client:
            assert client.functions.CreateFunction(function()).etag
        second = run_command("serve", *EMBEDDED, *listen)
        assert (second.returncode, "address already in use" in second.stderr) == (1, True)
        process.signal(signal.SIGKILL)
        process.wait()
    with FacadeProcess(*EMBEDDED, *listen), cloudfront_facade.connect(f"unix:{path}") as client:
        assert client.functions.CreateFunction(function()).etag
    path.unlink(missing_ok=True)
    path.write_text("not a socket")
    no_folder = run_command("serve", *EMBEDDED, "--listen", f"unix:{tmp_path}/nowhere/facade.sock")
    assert (no_folder.returncode, f'the folder "{tmp_path}/nowhere" does not exist' in no_folder.stderr) == (1, True)
    third = run_command("serve", *EMBEDDED, *listen)
    assert (third.returncode, "not a socket" in third.stderr) == (1, True)
    assert path.read_text() == "not a socket"


def test_windows_is_reported_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("platform.system", lambda: "Windows")
    assert cli.serve(EMBEDDED) == 1
    assert capsys.readouterr().err == (
        "cloudfront-facade: the server does not run on Windows; run it in WSL or in a container\n"
    )


def test_missing_server_dependencies_are_reported_in_one_line(tmp_path: Path) -> None:
    blocker = tmp_path / "sitecustomize.py"
    blocker.write_text(
        "import sys\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in ('pydantic', 'pydantic_settings', 'structlog', 'boto3', 'botocore'):\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Block())\n"
    )
    completed = run_command("serve", PYTHONPATH=str(tmp_path))
    assert completed.returncode == 1
    assert completed.stderr == (
        'cloudfront-facade: the command "serve" needs the package pydantic; in a checkout: pip install ./server\n'
    )
