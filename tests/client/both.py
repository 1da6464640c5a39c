"""Runs a test with the blocking client and with the asyncio client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol

import pytest

from cloudfront_facade import aio, connect, jobs

Options = dict[str, Any]


class Run(Protocol):
    """Connects to a target, with options, and runs a job or calls a method of a stub."""

    def __call__(self, target: str, service: str, what: str, *arguments: Any, **keywords: Any) -> Any: ...


def blocking(
    target: str, service: str, what: str, *arguments: Any, options: Options | None = None, **keywords: Any
) -> Any:
    with connect(target, **(options or {})) as facade:
        stub = getattr(facade, service)
        if hasattr(stub, what):
            return getattr(stub, what)(*arguments, **keywords)
        result = getattr(jobs, what)(stub, *arguments, **keywords)
        return list(result) if isinstance(result, Iterator) else result


def asynchronous(
    target: str, service: str, what: str, *arguments: Any, options: Options | None = None, **keywords: Any
) -> Any:
    async def main() -> Any:
        async with aio.connect(target, **(options or {})) as facade:
            stub = getattr(facade, service)
            if hasattr(stub, what):
                return await getattr(stub, what)(*arguments, **keywords)
            result = getattr(aio, what)(stub, *arguments, **keywords)
            return [each async for each in result] if isinstance(result, AsyncIterator) else await result

    return asyncio.run(main())


both = pytest.mark.parametrize("run", [blocking, asynchronous])
"""Runs a test once for each client."""
