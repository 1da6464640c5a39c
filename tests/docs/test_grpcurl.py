"""The mistakes, request files and buf curl commands in docs/guides/grpcurl.md."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf import json_format

from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from support.markdown import ADDRESS, PROJECT
from support.process import FacadeProcess
from support.tools import grpcurl, skip_or_fail

from .pages import DOCS

GUIDE = (DOCS / "guides" / "grpcurl.md").read_text()
REQUESTS = PROJECT / "clients" / "grpcurl"
ROW = re.compile(r"^\| `(\{.*\})` \| `(\w+/\w+)` \| `(.*?)` \| ", re.MULTILINE)
MISTAKES = ROW.findall(GUIDE)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with FacadeProcess("--backend", "embedded", "--embedded-db", ":memory:", "--drain-delay", "0") as process:
        for method, file in {
            "FunctionService/CreateFunction": "create_function.json",
            "KeyValueStoreService/CreateKeyValueStore": "create_key_value_store.json",
        }.items():
            text = (REQUESTS / file).read_text()
            assert grpcurl(process.address, "-d", text, f"cloudfront_facade.v1.{method}").returncode == 0
        yield process.address


def test_the_page_covers_mistakes_with_enums_base64_events_etags_and_arns() -> None:
    text = " ".join(answer for _, _, answer in MISTAKES)
    for word in ("enum", "base64", "EVENT_OBJECT", "ETAG_MISMATCH", "ETAG_LENGTH", "ARN_FORM"):
        assert word in text


@pytest.mark.parametrize(("request_text", "method", "answer"), MISTAKES, ids=[f"{m[1]} {m[2]}" for m in MISTAKES])
def test_a_mistake_returns_the_error_that_the_page_shows(
    request_text: str, method: str, answer: str, address: str
) -> None:
    completed = grpcurl(address, "-d", request_text, f"cloudfront_facade.v1.{method}")
    assert completed.returncode != 0
    assert answer in completed.stdout + completed.stderr


def test_the_buf_curl_commands_work(address: str) -> None:
    buf = next(PROJECT.glob(".make/buf/node_modules/.bin/buf"), None) or shutil.which("buf")
    if buf is None:
        skip_or_fail("buf is not installed: make buf")
    [block] = re.findall(r"^```console\n(export PATH=.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    described = run_shell(block, address)
    assert '"functionArn"' in described
    assert '"functionArn"' in run_shell(block.replace("--protocol grpc", "--protocol grpc --schema protos"), address)
    assert '"functionArn"' in run_shell(block.replace("--protocol", "--http2-prior-knowledge --protocol"), address)
    [listing] = re.findall(r"`(buf curl --protocol grpc --list-methods [^`]*)`", GUIDE)
    path = block.partition("\n")[0]
    assert "cloudfront_facade.v1.TagService/TagResource" in run_shell(f"{path}\n{listing}", address)


def run_shell(script: str, address: str) -> str:
    """Runs a script against a server, and returns its standard output."""
    completed = subprocess.run(
        ["bash", "-euc", script.replace(ADDRESS, address)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    return completed.stdout


@pytest.mark.parametrize("file", sorted(REQUESTS.glob("*.json")), ids=lambda file: file.stem)
def test_a_request_file_matches_the_protos_and_is_shown(file: Path) -> None:
    request = CreateFunctionRequest() if "function" in file.stem else CreateKeyValueStoreRequest()
    json_format.Parse(file.read_text(), request)
    assert f"clients/grpcurl/{file.name}" in GUIDE
    if isinstance(request, CreateFunctionRequest):
        assert request.function_code == (REQUESTS / "function.js").read_bytes()


def test_the_request_files_have_different_names_and_request_ids() -> None:
    texts = [file.read_text() for file in REQUESTS.glob("*.json")]
    for member in ("name", "request_id"):
        values = [value for text in texts for value in re.findall(rf'^  "{member}": "(.*)"', text, re.MULTILINE)]
        assert values
        assert len(set(values)) == len(values)


def test_a_request_file_can_be_sent_again(address: str) -> None:
    text = (REQUESTS / "create_function.json").read_text()
    method = "cloudfront_facade.v1.FunctionService/CreateFunction"
    outputs = [grpcurl(address, "-d", text, method).stdout for _ in range(2)]
    etags = [re.findall(r'"etag": "(\w+)"', output) for output in outputs]
    assert etags[0]
    assert etags[0] == etags[1]
