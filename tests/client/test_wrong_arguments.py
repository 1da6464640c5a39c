"""A plain argument of a wrong type raises a TypeError that names it, before anything is sent."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from client.both import Run, both
from cloudfront_facade import aio, connect
from cloudfront_facade.v1.function_service_pb2 import ListFunctionsRequest

NOWHERE = "127.0.0.1:1"
ARN = "arn:aws:cloudfront::123456789012:key-value-store/a"
STAGE = "stage must be a value of FunctionStage, such as FunctionStage.FUNCTION_STAGE_LIVE, not str"
SECONDS = "timeout must be a number of seconds or None, not str"


@both
@pytest.mark.parametrize(
    ("service", "name", "arguments", "keywords", "error"),
    [
        ("functions", "ListFunctions", (ListFunctionsRequest(),), {"timeout": "5"}, SECONDS),
        ("functions", "ListFunctions", (ListFunctionsRequest(),), {"timeout": True}, SECONDS.replace("str", "bool")),
        ("functions", "list_functions", (), {"timeout": "5"}, SECONDS),
        ("functions", "list_functions", (), {"page_size": "5"}, "page_size must be int, not str"),
        ("functions", "list_functions", (), {"stage": "LIVE"}, STAGE),
        ("key_value_stores", "list_key_value_stores", (), {"status": 5}, "status must be str, not int"),
        ("key_value_stores", "list_key_value_stores", (), {"page_size": None}, "page_size must be int, not None"),
        ("key_value_stores", "wait_until_ready", ("redirects",), {"timeout": "5"}, SECONDS),
        ("key_values", "list_keys", (ARN,), {"page_size": 5.0}, "page_size must be int, not float"),
        ("key_values", "put_many", (ARN, {}), {"etag": 5}, "etag must be str, not int"),
        ("key_values", "put_many", (ARN, {}), {"progress": 5}, "progress must be callable or None, not int"),
        ("key_values", "import_keys", (ARN, []), {"progress": "bar"}, "progress must be callable or None, not str"),
    ],
)
def test_a_wrong_argument_raises_type_error(
    run: Run, service: str, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any], error: str
) -> None:
    with pytest.raises(TypeError, match=f"^{re.escape(error)}$"):
        run(NOWHERE, service, name, *arguments, **keywords)


async def open_aio(**options: Any) -> None:
    aio.connect(NOWHERE, **options)


@pytest.mark.parametrize(
    "open_client", [lambda **options: connect(NOWHERE, **options), lambda **options: asyncio.run(open_aio(**options))]
)
@pytest.mark.parametrize("option", ["retry", "request_ids"])
def test_a_flag_of_connect_that_is_not_a_bool_raises_type_error(open_client: Any, option: str) -> None:
    with pytest.raises(TypeError, match=f"^{option} must be True or False, not str$"):
        open_client(**{option: "no"})
