"""The blocking client: a connection to a facade, and its services."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import grpc

from cloudfront_facade._closable_channel import ClosableChannel
from cloudfront_facade._defaults import CallDefaults
from cloudfront_facade._interceptor import FacadeInterceptor
from cloudfront_facade._repeats import Repeats
from cloudfront_facade._service_config import channel_arguments

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Self

    from cloudfront_facade._tls import TLS
    from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
    from cloudfront_facade.v1.key_value_store_data_service_pb2_grpc import KeyValueStoreDataServiceStub
    from cloudfront_facade.v1.key_value_store_service_pb2_grpc import KeyValueStoreServiceStub
    from cloudfront_facade.v1.tag_service_pb2_grpc import TagServiceStub


class Client:
    """The services of a facade over one channel. `close()`, or the end of a `with`, closes it.

    Threads can share a client. Stubs are imported when they are first used, so unused ones cost nothing.

    Attributes:
        channel: The channel, for stubs of other services, such as health and reflection.
    """

    def __init__(self, channel: grpc.Channel) -> None:
        self.channel = channel

    @cached_property
    def functions(self) -> FunctionServiceStub:
        """Creates and manages functions."""
        from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub

        return FunctionServiceStub(self.channel)

    @cached_property
    def key_value_stores(self) -> KeyValueStoreServiceStub:
        """Creates and manages key value stores."""
        from cloudfront_facade.v1.key_value_store_service_pb2_grpc import KeyValueStoreServiceStub

        return KeyValueStoreServiceStub(self.channel)

    @cached_property
    def key_values(self) -> KeyValueStoreDataServiceStub:
        """Reads and writes the keys of key value stores."""
        from cloudfront_facade.v1.key_value_store_data_service_pb2_grpc import KeyValueStoreDataServiceStub

        return KeyValueStoreDataServiceStub(self.channel)

    @cached_property
    def tags(self) -> TagServiceStub:
        """Reads and changes the tags of functions and key value stores."""
        from cloudfront_facade.v1.tag_service_pb2_grpc import TagServiceStub

        return TagServiceStub(self.channel)

    def close(self) -> None:
        """Closes the channel. Calls in flight end with CANCELLED; later calls raise ValueError."""
        self.channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def connect(
    target: str,
    *,
    tls: TLS | None = None,
    deadline: float | None = 30.0,
    retry: bool = True,
    request_ids: bool = True,
    options: Iterable[tuple[str, Any]] = (),
) -> Client:
    """Returns a client. It connects at the first call, so an unreachable server fails that call.

    Args:
        target: HOST:PORT, or another gRPC target: `dns:///facade.example.com:443`, `unix:/run/facade.sock`.
        tls: How to secure the connection; None for plaintext.
        deadline: Seconds that a call may take, retries included, unless the call has a `timeout`; None or math.inf for
            the longest that the server allows. Long-running methods (WaitForKeyValueStore, UpdateKeys, ImportKeys) may
            take half an hour.
        retry: Whether calls that end with UNAVAILABLE, or that a stopping server cancels, are retried, with at most
            four attempts. Key writes are retried only if no server received them, or if they have an `etag` and a
            stopping server cancels them; ImportKeys is not.
        request_ids: Whether the client adds a `request_id` to creates without one, so that they are safe to retry. If
            False, creates without one are retried only if no server received them.
        options: Channel arguments of gRPC, which take precedence over the client's own.

    Raises:
        ValueError: The target or the deadline is invalid, or a value or file of `tls` cannot be used.
        TypeError: An argument has a wrong type.
    """
    defaults = CallDefaults(deadline, request_ids)
    options = list(options)
    arguments = channel_arguments(target, tls=tls, retry=retry, options=options)
    channel = ClosableChannel(
        grpc.secure_channel(target, tls.credentials(), arguments) if tls else grpc.insecure_channel(target, arguments)
    )
    repeats = Repeats(retry=retry, options=options, is_closed=channel.is_closed)
    return Client(grpc.intercept_channel(channel, FacadeInterceptor(defaults, repeats)))
