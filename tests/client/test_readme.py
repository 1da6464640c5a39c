"""The examples of clients/README.md and the requests of clients/grpcurl, run on a real server."""

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
from google.protobuf import json_format

import cloudfront_facade
from client.canned import Canned, running_server
from cloudfront_facade import aio, jobs
from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest, FunctionConfig, FunctionRuntime
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from support.tools import require_module

ROOT = Path(__file__).parents[2]
README = ROOT / "clients" / "README.md"
REQUESTS = ROOT / "clients" / "grpcurl"
ADDRESS = "127.0.0.1:50051"
TLS_ADDRESS = "facade.example.com:443"
LISTS = "import list_functions"
BAR = "import bar"


def examples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)


def answers(*expected: str, of: list[str]) -> list[tuple[str, str]]:
    """Examples and the patterns that their output has to match; there is one for each."""
    return list(zip(of, expected, strict=True))


def assert_matches(expected: str, output: str) -> None:
    assert re.search(expected, output, re.MULTILINE), output


PYTHON = answers(
    r"^arn:aws:cloudfront::\d{12}:function/readme-function \w+$",
    r"^readme-redirect \w+$",
    r"^/new /new\n/old /new\n/older /new$",
    r"^StatusCode.INVALID_ARGUMENT VALIDATION_FAILED not_applied\n(.*\n)*tags\[0\]\.key .*aws:",
    r"^INVALID_ARGUMENT: .*\n(.*\n)*  function_code: ",
    of=[each for each in examples("python") if not any(mark in each for mark in (TLS_ADDRESS, LISTS, BAR))],
)
SHELL = answers(
    r"^message CreateFunctionRequest {$",
    r'"function_?[aA]rn": "arn:aws:cloudfront::\d{12}:function/example-add-index"',
    r'"arn": "arn:aws:cloudfront::\d{12}:key-value-store/',
    r"\A{\s*}\Z",
    r"\A{\s*}\Z",
    r'"function_?[aA]rn": "arn:aws:cloudfront::\d{12}:function/readme-from-a-file"',
    r'"(keyValueStoreArn|key_value_store_arn)": "arn:aws:cloudfront::\d{12}:key-value-store/',
    r'"function_?[aA]rn": "arn:aws:cloudfront::\d{12}:function/example-add-index"',
    of=examples("sh"),
)


def run(*command: str, cwd: Path, errors: str = r"\A\Z") -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert_matches(errors, done.stderr)
    return done.stdout.strip()


@pytest.mark.parametrize(("example", "expected"), PYTHON, ids=range(len(PYTHON)))
def test_an_example_in_python_runs(example: str, expected: str, facade_address: str, tmp_path: Path) -> None:
    assert ADDRESS in example
    assert_matches(expected, run(sys.executable, "-c", example.replace(ADDRESS, facade_address), cwd=tmp_path))


def test_the_example_of_lists_shows_functions_and_keys(facade_address: str, tmp_path: Path) -> None:
    [example] = (each for each in examples("python") if LISTS in each)
    runtime = FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0
    with cloudfront_facade.connect(facade_address) as facade:
        facade.key_value_stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="readme-lists"))
        store = jobs.wait_until_ready(facade.key_value_stores, "readme-lists")
        jobs.put_many(facade.key_values, store.arn, {"a": "1"})
        request = CreateFunctionRequest(
            name="readme-lists", function_config=FunctionConfig(runtime=runtime), function_code=b"x"
        )
        jobs.create_and_publish(facade.functions, request)
    output = run(sys.executable, "-c", example.replace(ADDRESS, facade_address), cwd=tmp_path)
    assert_matches(r"^function readme-lists$", output)
    assert_matches(r"^readme-lists a 1$", output)


def test_the_example_of_an_import_shows_a_progress_bar(facade_address: str, tmp_path: Path) -> None:
    require_module("rich")
    [example] = (each for each in examples("python") if BAR in each)
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
    assert module.__doc__
    example = textwrap.dedent(module.__doc__.partition("Example:\n")[2]).replace(ADDRESS, facade_address)
    assert_matches(expected, run(sys.executable, "-c", example, cwd=tmp_path))


@pytest.mark.parametrize(("example", "expected"), SHELL, ids=range(len(SHELL)))
def test_an_example_for_the_shell_runs(example: str, expected: str, facade_address: str) -> None:
    assert ADDRESS in example
    script = example.replace(ADDRESS, facade_address)
    assert_matches(expected, run("bash", "-e", "-o", "pipefail", "-c", script, cwd=ROOT))


def test_a_shell_request_is_idempotent(facade_address: str) -> None:
    script = next(each for each in examples("sh") if "< clients/grpcurl/create_function.json" in each)
    command = ("bash", "-e", "-c", script.replace(ADDRESS, facade_address))
    etags = [re.findall(r'"etag": "(\w+)"', run(*command, cwd=ROOT)) for _ in range(2)]
    assert etags[0]
    assert etags[0] == etags[1]


def test_the_example_of_tls_connects_to_a_server_with_mutual_tls(tmp_path: Path) -> None:
    [example] = (each for each in examples("python") if TLS_ADDRESS in each)
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


@pytest.mark.parametrize("file", sorted(REQUESTS.glob("*.json")), ids=lambda file: file.stem)
def test_each_grpcurl_request_matches_the_protos_and_is_documented(file: Path) -> None:
    request = CreateFunctionRequest() if "function" in file.stem else CreateKeyValueStoreRequest()
    json_format.Parse(file.read_text(), request)
    assert f"clients/grpcurl/{file.name}" in README.read_text()
    if isinstance(request, CreateFunctionRequest):
        assert request.function_code == (REQUESTS / "function.js").read_bytes()


def test_grpcurl_requests_have_unique_names_and_request_ids() -> None:
    texts = [file.read_text() for file in REQUESTS.glob("*.json")]
    for member in ("name", "request_id"):
        values = [value for text in texts for value in re.findall(rf'^  "{member}": "(.*)"', text, re.MULTILINE)]
        assert values
        assert len(set(values)) == len(values)


def test_the_links_of_the_readme_resolve() -> None:
    text = README.read_text()
    links = [each for each in re.findall(r"\]\(([^)]+)\)", text) if "://" not in each]
    assert links
    assert [each for each in links if not (README.parent / each).exists()] == []
    [descriptors] = set(re.findall(r"[\w/]+\.binpb", text))
    assert f"DESCRIPTORS := {descriptors}\n" in (ROOT / "Makefile").read_text()
