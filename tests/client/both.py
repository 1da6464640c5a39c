"""Runs a test with the blocking client and with the asyncio client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol

import pytest

from cloudfront_facade import aio, connect, jobs

Options = dict[str, Any]


class Run(Protocol):
    """Connects to a target, and runs the job or calls the method with a name."""

    def __call__(self, target: str, service: str, name: str, *arguments: Any, **keywords: Any) -> Any: ...


def blocking(
    target: str, service: str, name: str, *arguments: Any, options: Options | None = None, **keywords: Any
) -> Any:
    with connect(target, **(options or {})) as facade:
        stub = getattr(facade, service)
        if hasattr(stub, name):
            return getattr(stub, name)(*arguments, **keywords)
        result = getattr(jobs, name)(stub, *arguments, **keywords)
        return list(result) if isinstance(result, Iterator) else result


def asynchronous(
    target: str, service: str, name: str, *arguments: Any, options: Options | None = None, **keywords: Any
) -> Any:
    async def main() -> Any:
        async with aio.connect(target, **(options or {})) as facade:
            stub = getattr(facade, service)
            if hasattr(stub, name):
                return await getattr(stub, name)(*arguments, **keywords)
            result = getattr(aio, name)(stub, *arguments, **keywords)
            return [item async for item in result] if isinstance(result, AsyncIterator) else await result

    return asyncio.run(main())


both = pytest.mark.parametrize("run", [blocking, asynchronous])
"""Runs a test once for each client."""
