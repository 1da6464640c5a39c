"""The connection to a facade, and its services."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import grpc

from cloudfront_facade._defaults import CallDefaults
from cloudfront_facade._closable_channel import ClosableChannel
from cloudfront_facade._interceptor import FacadeInterceptor
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
    """The services of a facade over one channel; closed by `close()` or at the end of a `with`.

    It can be used by many threads at once. Stubs are imported at their first use, so that nobody waits for what is not
    needed.

    Attributes:
        channel: The channel, for stubs of other services: health, reflection.
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
        """Reads and writes what is in key value stores."""
        from cloudfront_facade.v1.key_value_store_data_service_pb2_grpc import KeyValueStoreDataServiceStub

        return KeyValueStoreDataServiceStub(self.channel)

    @cached_property
    def tags(self) -> TagServiceStub:
        """Reads and changes the tags of both."""
        from cloudfront_facade.v1.tag_service_pb2_grpc import TagServiceStub

        return TagServiceStub(self.channel)

    def close(self) -> None:
        """Closes the channel. Calls under way end with CANCELLED, and later ones with ValueError."""
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
    """Makes a client. Nothing is sent yet: a server that is not there is seen at the first call.

    Args:
        target: HOST:PORT, or any target of gRPC: `dns:///facade.example.com:443`, `unix:/run/facade.sock`.
        tls: How to secure the connection; None for plaintext.
        deadline: Seconds that a call may take, retries included, where the call itself has no `timeout`. Half an hour
            for WaitForKeyValueStore, UpdateKeys and ImportKeys, which may last. None for as long as it takes.
        retry: Whether calls that are answered UNAVAILABLE are sent again, up to four times in all. Writes of keys never
            are.
        request_ids: Whether creates without a `request_id` are given one, which makes repeating them safe. Without,
            creates are never retried.
        options: Channel arguments of gRPC, which prevail over this client's own.

    Raises:
        ValueError: The deadline is not above zero, the target is none, or what is in `tls` is no PEM.
        TypeError: `tls` is something else than a TLS.
        OSError: A file of `tls` cannot be read.
    """
    defaults = CallDefaults(deadline, request_ids)
    arguments = channel_arguments(target, tls=tls, retry=retry, request_ids=request_ids, options=options)
    channel = (
        grpc.secure_channel(target, tls.credentials(), arguments) if tls else grpc.insecure_channel(target, arguments)
    )
    return Client(grpc.intercept_channel(ClosableChannel(channel), FacadeInterceptor(defaults)))
