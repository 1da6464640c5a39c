"""The first mistakes in docs/guides/python.md."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cloudfront_facade import TLS, aio, connect, jobs
from cloudfront_facade.v1 import (
    function_service_pb2,
    key_value_store_data_service_pb2,
    key_value_store_service_pb2,
    tag_pb2,
)

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "python.md").read_text()
SECTION = GUIDE.partition("## First mistakes\n")[2].partition("\n## ")[0]
MISTAKES = re.findall(r"^\| `(.+?)`(?: outside a coroutine)? \| `(\w+): (.+?)` \| .+ \|$", SECTION, re.MULTILINE)


def public_names(*modules: ModuleType) -> dict[str, Any]:
    return {name: value for module in modules for name, value in vars(module).items() if not name.startswith("_")}


NAMES: dict[str, Any] = {
    "TLS": TLS,
    "aio": aio,
    "asyncio": asyncio,
    "connect": connect,
    "store": key_value_store_service_pb2.KeyValueStore(
        name="a", arn="arn:aws:cloudfront::123456789012:key-value-store/a"
    ),
    **public_names(jobs, function_service_pb2, key_value_store_data_service_pb2, key_value_store_service_pb2, tag_pb2),
}


def test_every_row_of_the_table_is_tested() -> None:
    rows = [line for line in SECTION.splitlines() if line.startswith("| `")]
    assert len(MISTAKES) == len(rows) > 15


@pytest.mark.parametrize(("code", "kind", "message"), MISTAKES, ids=[code for code, *_ in MISTAKES])
def test_a_mistake_raises_the_error_that_the_guide_shows(
    code: str, kind: str, message: str, facade_address: str
) -> None:
    with connect(facade_address) as facade, pytest.raises(Exception, match=re.escape(message)) as caught:
        eval(code, {**NAMES, "facade": facade})  # noqa: S307
    assert type(caught.value).__name__ == kind
