"""Examples of the Python client in docstrings, and those that need TLS or a progress bar."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import grpc
import pytest
import trustme

import cloudfront_facade
from client.canned import Canned, running_server
from cloudfront_facade import aio, jobs, progress
from support.tools import require_module

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "guides" / "python.md").read_text()
ADDRESS = "127.0.0.1:50051"
TLS_ADDRESS = "facade.example.com:443"
BAR = "import bar"


def examples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def assert_matches(expected: str, output: str) -> None:
    assert re.search(expected, output, re.MULTILINE), output


def run(*command: str, cwd: Path, errors: str = r"\A\Z") -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    completed = subprocess.run(
        command, cwd=cwd, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=60, check=False
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert_matches(errors, completed.stderr)
    return completed.stdout.strip()


def docstring_example(module: ModuleType, address: str) -> str:
    assert module.__doc__
    return textwrap.dedent(module.__doc__.partition("Example:\n")[2]).replace(ADDRESS, address)


def test_the_progress_bar_example_shows_a_bar(facade_address: str, tmp_path: Path) -> None:
    require_module("rich")
    [example] = (text for text in examples("python bar") if BAR in text)
    example = example.replace(ADDRESS, facade_address)
    assert_matches(r"^2 2 \w+$", run(sys.executable, "-c", example, cwd=tmp_path, errors=r"^Redirects .* 2/\? "))


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (cloudfront_facade, r"^arn:aws:cloudfront::\d{12}:function/docstring-example$"),
        (jobs, r"^/old /new\n/older /new$"),
        (aio, r"^/old /new\n/older /new$"),
    ],
    ids=["package", "jobs", "aio"],
)
def test_the_example_of_a_module_runs(module: ModuleType, expected: str, facade_address: str, tmp_path: Path) -> None:
    assert_matches(expected, run(sys.executable, "-c", docstring_example(module, facade_address), cwd=tmp_path))


def test_the_example_of_the_progress_module_shows_a_bar(facade_address: str, tmp_path: Path) -> None:
    require_module("rich")
    run(sys.executable, "-c", docstring_example(progress, facade_address), cwd=tmp_path, errors=r"^Redirects .* 2/2 ")


def test_the_tls_example_connects_to_a_server_that_requires_a_certificate(tmp_path: Path) -> None:
    [example] = examples("python tls")
    assert TLS_ADDRESS in example
    authority = trustme.CA()
    server = authority.issue_cert("127.0.0.1")
    client = authority.issue_cert("client.example.com")
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    client.cert_chain_pems[0].write_to_path(str(tmp_path / "client.pem"))
    client.private_key_pem.write_to_path(str(tmp_path / "client-key.pem"))
    credentials = grpc.ssl_server_credentials(
        [(server.private_key_pem.bytes(), server.cert_chain_pems[0].bytes())],
        root_certificates=authority.cert_pem.bytes(),
        require_client_auth=True,
    )
    servicer = Canned()
    with running_server(servicer, credentials=credentials) as target:
        run(sys.executable, "-c", example.replace(TLS_ADDRESS, target), cwd=tmp_path)
    assert len(servicer.received) == 1
