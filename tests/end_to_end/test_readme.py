"""The README's commands and figures are true."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cloudfront_facade.v1 import (
    function_service_pb2,
    key_value_store_data_service_pb2,
    key_value_store_service_pb2,
    tag_service_pb2,
)
from cloudfront_facade.v1.error_reason_pb2 import ErrorReason
from cloudfront_facade_server.settings import ServeSettings
from support.process import EMBEDDED, FacadeProcess, clean_environment
from support.tools import require_tool

PROJECT = Path(__file__).parents[2]
README = (PROJECT / "README.md").read_text()
ADDRESS = "127.0.0.1:50051"
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```\n(?:```(json|text)\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)

VARYING = {
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z": "TIME",
    r'"(E|KV)[A-Z0-9]{13}"': '"ETAG"',
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}": "UUID",
}


@dataclass(frozen=True)
class Example:
    """A block of code of the README, and the output that stands below it."""

    language: str
    code: str
    output: str | None


EXAMPLES = [Example(match[1], match[2], match[4]) for match in BLOCK.finditer(README)]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with FacadeProcess(*EMBEDDED) as process:
        yield process.address


def same(text: str) -> str:
    for pattern, name in VARYING.items():
        text = re.sub(pattern, name, text)
    return text.strip()


def test_the_readme_has_examples_of_both_kinds_and_of_a_refusal() -> None:
    assert {example.language for example in EXAMPLES} == {"sh", "python"}
    assert sum(example.output is not None for example in EXAMPLES) >= 3
    assert any(example.output and example.output.startswith("ERROR:") for example in EXAMPLES)


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.code.split("\n")[0][:60] for example in EXAMPLES])
def test_an_example_gives_the_output_that_stands_below_it(example: Example, address: str) -> None:
    code = example.code.replace(ADDRESS, address).replace("walk-through.sh", f"walk-through.sh {address}")
    command = ["bash", "-euo", "pipefail", "-c", code] if example.language == "sh" else [sys.executable, "-c", code]
    ended = subprocess.run(
        command,
        cwd=PROJECT,
        env=clean_environment() | {"PATH": f"{Path(require_tool('grpcurl')).parent}:{clean_environment()['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    is_refusal = bool(example.output and example.output.startswith("ERROR:"))
    assert (ended.returncode != 0) is is_refusal, ended.stderr
    if example.output is not None:
        assert same(ended.stdout + ended.stderr) == same(example.output)


def test_the_settings_table_is_the_servers() -> None:
    rows = dict(re.findall(r"^\| `--([a-z0-9-]+)` \| ([^|]*) \|", README, re.MULTILINE))
    fields = ServeSettings.model_fields
    assert list(rows) == [name.replace("_", "-") for name in fields]
    for name, field in fields.items():
        shown = rows[name.replace("_", "-")].strip().strip("`")
        if field.is_required():
            assert shown == "required"
        else:
            assert shown == ("" if field.default is None else str(field.default).replace("True", "true").replace(
                "False", "false"
            ))  # fmt: skip


def test_the_error_table_has_every_reason_and_no_other() -> None:
    table = README.partition("| status | reason |")[2].partition("\n\n")[0]
    told = set(re.findall(r"`([A-Z_]+)`", table))
    assert told == {name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()[1:]}


def test_the_walk_through_calls_every_rpc_and_the_readme_names_it() -> None:
    script = (PROJECT / "clients/grpcurl/walk-through.sh").read_text()
    for file in (function_service_pb2, key_value_store_service_pb2, key_value_store_data_service_pb2, tag_service_pb2):
        for service in file.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                assert f" {service.name}/{method.name} " in script
                assert re.search(rf"^\| `{service.name}` \|.*\b{method.name}\b", README, re.MULTILINE)


def test_every_link_leads_somewhere() -> None:
    documents = [*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md"), *PROJECT.glob("examples/**/*.md")]
    documents += [PROJECT / "clients/README.md", PROJECT / "requirements/README.md"]
    for document in documents:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"
