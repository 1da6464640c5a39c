"""The connection to a facade, and its services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc

from cloudfront_facade.interceptor import FacadeInterceptor
from cloudfront_facade.service_config import KEEPALIVE, service_config
from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from cloudfront_facade.v1.key_value_store_service_pb2_grpc import KeyValueStoreServiceStub

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Self

    from cloudfront_facade.tls import TLS


class Client:
    """The services of a facade over one channel; closed by `close()` or at the end of a `with`.

    It can be used by many threads at once.

    Attributes:
        channel: The channel, for stubs of other services: health, reflection.
        functions: Creates and manages functions.
        key_value_stores: Creates and manages key value stores.
    """

    def __init__(self, channel: grpc.Channel) -> None:
        self.channel = channel
        self.functions = FunctionServiceStub(channel)
        self.key_value_stores = KeyValueStoreServiceStub(channel)

    def close(self) -> None:
        """Closes the channel. Calls under way end with CANCELLED."""
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
        deadline: Seconds that a call may take, retries included, where the call itself has no `timeout`. None for as
            long as it takes.
        retry: Whether calls that are answered UNAVAILABLE are sent again, up to four times in all.
        request_ids: Whether creates without a `request_id` are given one, which makes repeating them safe. Without,
            creates are never retried.
        options: Channel arguments of gRPC, which prevail over this client's own.

    Raises:
        ValueError: The deadline is not above zero.
        OSError: A file of `tls` cannot be read.
    """
    if deadline is not None and deadline <= 0:
        raise ValueError(f"a deadline is above zero, not {deadline}")
    arguments = {
        **KEEPALIVE,
        **(tls.options() if tls else {}),
        "grpc.service_config": service_config(retry=retry, request_ids=request_ids),
        **dict(options),
    }
    channel = (
        grpc.secure_channel(target, tls.credentials(), list(arguments.items()))
        if tls
        else grpc.insecure_channel(target, list(arguments.items()))
    )
    return Client(grpc.intercept_channel(channel, FacadeInterceptor(deadline=deadline, request_ids=request_ids)))
