"""The calls of the asyncio client. Behaviour that it shares with the blocking client is tested with both."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import pytest
import trustme

from client.canned import (
    FUNCTION_CREATED,
    PATIENCE,
    STORE_CREATED,
    Canned,
    ErrorStatus,
    error_status,
    info,
    running_server,
)
from client.streaming import Streaming
from cloudfront_facade import TLS, FacadeError, aio
from cloudfront_facade._service_config import RETRY_POLICY
from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest

REQUEST = CreateFunctionRequest(name="rewrite")
NOT_FOUND = error_status(grpc.StatusCode.NOT_FOUND, "no", info("RESOURCE_NOT_FOUND"))
UNAVAILABLE = ErrorStatus(grpc.StatusCode.UNAVAILABLE, "down")

Use = Callable[[aio.Client], Awaitable[Any]]


def use(target: str, function: Use, **options: Any) -> Any:
    async def main() -> Any:
        async with aio.connect(target, **options) as facade:
            return await function(facade)

    return asyncio.run(main())


def test_each_create_gets_a_new_request_id() -> None:
    async def create(facade: aio.Client) -> None:
        assert await facade.functions.CreateFunction(REQUEST) == FUNCTION_CREATED
        assert await facade.key_value_stores.CreateKeyValueStore(CreateKeyValueStoreRequest()) == STORE_CREATED

    servicer = Canned()
    with running_server(servicer) as target:
        use(target, create)
        use(target, create, request_ids=False)
    ids = [call.request.request_id for call in servicer.received]
    assert [str(uuid.UUID(request_id)) for request_id in ids[:2]] == ids[:2]
    assert ids[2:] == ["", ""]
    assert not REQUEST.request_id


@pytest.mark.parametrize("timeout", [None, 5.0])
def test_a_call_has_its_own_deadline_or_the_clients_default(timeout: float | None) -> None:
    servicer = Canned()
    with running_server(servicer) as target:
        use(target, lambda facade: facade.functions.CreateFunction(REQUEST, timeout=timeout), deadline=12.0)
    [received] = servicer.received
    assert received.time_left is not None
    assert 0 < (timeout or 12.0) + 0.1 - received.time_left < 4


def test_a_deadline_must_be_above_zero() -> None:
    with pytest.raises(ValueError, match="above zero"):
        aio.connect("127.0.0.1:1", deadline=0)


def test_a_failed_call_raises_a_typed_error_and_keeps_its_status() -> None:
    async def fail(facade: aio.Client) -> FacadeError:
        call = facade.functions.CreateFunction(REQUEST)
        with pytest.raises(FacadeError) as caught:
            await call
        assert (await call.code(), await call.details()) == (grpc.StatusCode.NOT_FOUND, "no")
        assert call.done()
        assert list(await call.trailing_metadata())
        return caught.value

    servicer = Canned(NOT_FOUND)
    with running_server(servicer) as target:
        error = use(target, fail)
    assert (error.reason, error.request_id) == ("RESOURCE_NOT_FOUND", servicer.received[0].request.request_id)
    assert isinstance(error.__cause__, grpc.aio.AioRpcError)


def test_an_unavailable_call_is_retried_with_the_same_request_id() -> None:
    servicer = Canned(*[UNAVAILABLE] * 9)
    with running_server(servicer) as target, pytest.raises(FacadeError) as caught:
        use(target, lambda facade: facade.functions.CreateFunction(REQUEST))
    assert [call.request.request_id for call in servicer.received] == [caught.value.request_id] * 4
    assert RETRY_POLICY["maxAttempts"] == 4


@pytest.mark.parametrize("options", [{"retry": False}, {"request_ids": False}])
def test_options_disable_retries_of_creates(options: dict[str, Any]) -> None:
    servicer = Canned(UNAVAILABLE)
    with running_server(servicer) as target, pytest.raises(FacadeError):
        use(target, lambda facade: facade.functions.CreateFunction(REQUEST), **options)
    assert len(servicer.received) == 1


def test_a_call_sends_and_receives_metadata() -> None:
    received_metadata: dict[str, Any] = {}

    class MetadataServicer(Canned):
        def CreateFunction(self, request: Any, context: Any) -> Any:  # noqa: N802
            received_metadata.update(context.invocation_metadata())
            context.send_initial_metadata((("x-cloudfront-facade-backend", "embedded"),))
            return FUNCTION_CREATED

    async def create(facade: aio.Client) -> Any:
        call = facade.functions.CreateFunction(REQUEST, metadata=(("x-trace", "7"),))
        await call
        return dict(list(await call.initial_metadata()))

    with running_server(MetadataServicer()) as target:
        assert use(target, create) == {"x-cloudfront-facade-backend": "embedded"}
    assert received_metadata["x-trace"] == "7"


def test_a_call_can_be_cancelled() -> None:
    servicer = Canned()
    servicer.released.clear()

    async def cancel(facade: aio.Client) -> None:
        task = asyncio.ensure_future(facade.functions.CreateFunction(REQUEST))
        await asyncio.to_thread(servicer.started.wait, PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with running_server(servicer) as target:
        use(target, cancel)


def test_calls_run_concurrently() -> None:
    servicer = Canned()

    async def many(facade: aio.Client) -> list[Any]:
        return await asyncio.gather(*(facade.functions.CreateFunction(REQUEST) for _ in range(50)))

    with running_server(servicer) as target:
        assert use(target, many) == [FUNCTION_CREATED] * 50
    assert len({call.request.request_id for call in servicer.received}) == 50


def test_streams_have_the_default_deadline() -> None:
    streaming = Streaming()

    async def stream(facade: aio.Client) -> None:
        channel: Any = facade.channel
        assert [response async for response in channel.unary_stream("/Streaming/Watch")(b"a")] == [b"a", b"a"]
        assert await channel.stream_unary("/Streaming/Gather")(iter([b"a", b"b"])) == b"a b"
        assert [response async for response in channel.stream_stream("/Streaming/Echo")(iter([b"a", b"b"]))] == [
            b"a",
            b"b",
        ]

    with running_server(Canned(), handlers=[streaming.handlers()]) as target:
        use(target, stream)
    assert all(left is not None and 20 < left < 31 for left in streaming.deadlines)
    assert len(streaming.deadlines) == 3


def test_streams_raise_the_typed_error_for_every_way_of_reading() -> None:
    async def stream(facade: aio.Client) -> list[FacadeError]:
        channel: Any = facade.channel
        echoed = channel.stream_stream("/Streaming/Echo")()
        await echoed.write(b"a")
        assert await echoed.read() == b"a"
        await echoed.write(b"fail")

        async def drain(responses: AsyncIterator[bytes]) -> None:
            async for _ in responses:
                pass

        caught = []
        for failing in (
            echoed.read(),
            drain(channel.unary_stream("/Streaming/Watch")(b"fail")),
            channel.stream_unary("/Streaming/Gather")(iter([b"fail"])),
        ):
            with pytest.raises(FacadeError) as error:
                await failing
            caught.append(error.value)
        return caught

    with running_server(Canned(), handlers=[Streaming().handlers()]) as target:
        assert [error.reason for error in use(target, stream)] == ["RESOURCE_NOT_FOUND"] * 3


def test_tls_works_with_asyncio() -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    pair = (issued.private_key_pem.bytes(), b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    with running_server(Canned(), credentials=grpc.ssl_server_credentials([pair])) as target:
        tls = TLS(ca=authority.cert_pem.bytes())
        assert use(target, lambda facade: facade.functions.CreateFunction(REQUEST), tls=tls) == FUNCTION_CREATED
        with pytest.raises(FacadeError):
            use(target, lambda facade: facade.functions.CreateFunction(REQUEST), retry=False)
