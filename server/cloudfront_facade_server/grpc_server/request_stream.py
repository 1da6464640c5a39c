"""Passes the requests of a client stream to a servicer method, which is a plain function."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any, Final

from ..call_context import CallContext
from ..concurrency.greenlets import await_, sleep
from ..errors.facade_errors import shutting_down
from ..errors.status_error import StatusError

CANCELLATION_DELAY_SECONDS: Final = 0.01
"""Maximum delay between the end of a stream and gRPC's report that the caller has cancelled the call."""

_SHUTTING_DOWN: Final = "SHUTTING_DOWN"


async def receive_first(requests: AsyncIterable[Any]) -> tuple[list[Any], AsyncIterator[Any]]:
    """Waits for the first request of a stream.

    Returns:
        The first request (nothing if the stream is empty, a StatusError if the request was rejected), and an iterator
        over the rest.
    """
    rest = aiter(requests)
    try:
        return [await anext(rest)], rest
    except StopAsyncIteration:
        return [], rest
    except StatusError as error:
        return [error], rest


class RequestStream:
    """Iterates over the requests of a stream; suspends the servicer method until the next request arrives.

    It ends when the caller ends the stream or disconnects.

    Args:
        first: The first request, as `receive_first` returns it.
        rest: Iterates over the rest.
        call: The rpc.

    Raises:
        StatusError: A request was rejected, or did not arrive in time.
    """

    def __init__(self, first: list[Any], rest: AsyncIterator[Any], call: CallContext) -> None:
        self._first = first
        self._rest = rest
        self._call = call

    def __iter__(self) -> RequestStream:
        return self

    def __next__(self) -> Any:
        if self._first:
            request = self._first.pop()
            if isinstance(request, StatusError):
                raise request
            return request
        following = asyncio.ensure_future(anext(self._rest))
        try:
            await_(asyncio.wait({following}))
            return following.result()
        except StatusError as error:
            if error.reason == _SHUTTING_DOWN:
                raise shutting_down(self._call.overall_outcome, repeatable=False) from None
            raise
        except (StopAsyncIteration, asyncio.CancelledError):
            # When a caller disconnects, gRPC ends the stream before it reports the cancellation.
            sleep(CANCELLATION_DELAY_SECONDS)
            raise StopIteration from None
        finally:
            following.cancel()
