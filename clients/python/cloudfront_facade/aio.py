"""The client for asyncio: `cloudfront_facade.connect` and `cloudfront_facade.jobs` as coroutines.

Example:
    import asyncio

    from cloudfront_facade import aio
    from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest


    async def main() -> None:
        async with aio.connect("127.0.0.1:50051") as facade:
            await facade.key_value_stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="aio-example"))
            store = await aio.wait_until_ready(facade.key_value_stores, "aio-example")
            await aio.put_many(facade.key_values, store.arn, {"/old": "/new", "/older": "/new"})
            async for item in aio.list_keys(facade.key_values, store.arn):
                print(item.key, item.value)


    asyncio.run(main())
"""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import TYPE_CHECKING, Any

import grpc.aio

from cloudfront_facade._aio_closable_channel import AioClosableChannel
from cloudfront_facade._aio_interceptors import interceptors
from cloudfront_facade._aio_jobs import (
    create_and_publish,
    import_keys,
    list_functions,
    list_key_value_stores,
    list_keys,
    put_many,
    wait_until_ready,
)
from cloudfront_facade._defaults import CallDefaults
from cloudfront_facade._repeats import Repeats
from cloudfront_facade._service_config import channel_arguments

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Self

    from cloudfront_facade._tls import TLS
    from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceAsyncStub
    from cloudfront_facade.v1.key_value_store_data_service_pb2_grpc import KeyValueStoreDataServiceAsyncStub
    from cloudfront_facade.v1.key_value_store_service_pb2_grpc import KeyValueStoreServiceAsyncStub
    from cloudfront_facade.v1.tag_service_pb2_grpc import TagServiceAsyncStub

__all__ = [
    "Client",
    "connect",
    "create_and_publish",
    "import_keys",
    "list_functions",
    "list_key_value_stores",
    "list_keys",
    "put_many",
    "wait_until_ready",
]


class Client:
    """The services of a facade over one channel. `close()`, or the end of an `async with`, closes it.

    It belongs to the event loop in which it was created.

    Attributes:
        channel: The channel, for stubs of other services, such as health and reflection.
    """

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel

    @cached_property
    def functions(self) -> FunctionServiceAsyncStub:
        """Creates and manages functions."""
        from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub

        return FunctionServiceStub(self.channel)

    @cached_property
    def key_value_stores(self) -> KeyValueStoreServiceAsyncStub:
        """Creates and manages key value stores."""
        from cloudfront_facade.v1.key_value_store_service_pb2_grpc import KeyValueStoreServiceStub

        return KeyValueStoreServiceStub(self.channel)

    @cached_property
    def key_values(self) -> KeyValueStoreDataServiceAsyncStub:
        """Reads and writes the keys of key value stores."""
        from cloudfront_facade.v1.key_value_store_data_service_pb2_grpc import KeyValueStoreDataServiceStub

        return KeyValueStoreDataServiceStub(self.channel)

    @cached_property
    def tags(self) -> TagServiceAsyncStub:
        """Reads and changes the tags of functions and key value stores."""
        from cloudfront_facade.v1.tag_service_pb2_grpc import TagServiceStub

        return TagServiceStub(self.channel)

    async def close(self) -> None:
        """Closes the channel. Calls in flight are cancelled; later calls raise ValueError."""
        await self.channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


def _check_running_loop() -> None:
    # grpc.aio would create a loop, and the calls of another loop would fail.
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError("aio.connect needs a running event loop; call it in a coroutine, with async with") from None


def connect(
    target: str,
    *,
    tls: TLS | None = None,
    deadline: float | None = 30.0,
    retry: bool = True,
    request_ids: bool = True,
    options: Iterable[tuple[str, Any]] = (),
) -> Client:
    """Returns a client. `cloudfront_facade.connect` documents the arguments and errors.

    Raises:
        RuntimeError: No event loop is running.
    """
    defaults = CallDefaults(deadline, request_ids)
    options = list(options)
    arguments = channel_arguments(target, tls=tls, retry=retry, options=options)
    _check_running_loop()
    repeats = Repeats(retry=retry, options=options, is_closed=lambda: channel.is_closed())
    intercepting = interceptors(defaults, repeats)
    channel = AioClosableChannel(
        grpc.aio.secure_channel(target, tls.credentials(), arguments, interceptors=intercepting)
        if tls
        else grpc.aio.insecure_channel(target, arguments, interceptors=intercepting)
    )
    return Client(channel)
