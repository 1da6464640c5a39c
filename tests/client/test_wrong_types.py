"""A request of a wrong type raises a TypeError that names the argument, and nothing is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from client.both import Run, both
from client.canned import PATIENCE, Canned, running_server
from cloudfront_facade import aio, connect, jobs
from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub

ARN = "arn:aws:cloudfront::123456789012:key-value-store/a"
WRONG = pytest.mark.parametrize(
    ("request_", "name"),
    [
        (None, "None"),
        ({"name": "rewrite"}, "dict"),
        ("rewrite", "str"),
        (b"", "bytes"),
        (functions.DescribeFunctionRequest(name="rewrite"), "DescribeFunctionRequest"),
        (functions.CreateFunctionRequest, "GeneratedProtocolMessageType|MessageMeta"),
    ],
    ids=["None", "dict", "str", "bytes", "another message", "the class"],
)


def message(name: str) -> str:
    return rf"^request must be CreateFunctionRequest, not ({name})$"


@both
@WRONG
def test_a_wrong_request_raises_type_error(run: Run, request_: Any, name: str) -> None:
    servicer = Canned()
    with running_server(servicer) as target, pytest.raises(TypeError, match=message(name)):
        run(target, "functions", "CreateFunction", request_)
    assert servicer.received == []


@WRONG
def test_a_wrong_request_raises_type_error_in_with_call_and_in_futures(request_: Any, name: str) -> None:
    servicer = Canned()
    with running_server(servicer) as target, connect(target) as facade:
        with pytest.raises(TypeError, match=message(name)):
            facade.functions.CreateFunction.with_call(request_)
        future = facade.functions.CreateFunction.future(request_)
        with pytest.raises(TypeError, match=message(name)):
            future.result(PATIENCE)
        assert isinstance(future.exception(PATIENCE), TypeError)
    assert servicer.received == []


@both
@WRONG
def test_a_wrong_request_raises_type_error_in_create_and_publish(run: Run, request_: Any, name: str) -> None:
    servicer = Canned()
    with running_server(servicer) as target, pytest.raises(TypeError, match=message(name)):
        run(target, "functions", "create_and_publish", request_)
    assert servicer.received == []


@WRONG
def test_a_wrong_request_raises_type_error_in_jobs_with_stubs_of_any_channel(request_: Any, name: str) -> None:
    async def main(target: str) -> None:
        async with grpc.aio.insecure_channel(target) as channel:
            await aio.create_and_publish(FunctionServiceStub(channel), request_)

    servicer = Canned()
    with running_server(servicer) as target:
        with grpc.insecure_channel(target) as channel, pytest.raises(TypeError, match=message(name)):
            jobs.create_and_publish(FunctionServiceStub(channel), request_)
        with pytest.raises(TypeError, match=message(name)):
            asyncio.run(main(target))
    assert servicer.received == []


@both
@pytest.mark.parametrize("items", [None, 7])
def test_items_that_are_not_iterable_raise_type_error(run: Run, items: Any) -> None:
    servicer = Canned()
    with running_server(servicer) as target:
        with pytest.raises(TypeError, match=r"^items must be a mapping or an iterable of pairs, not (None|int)$"):
            run(target, "key_values", "put_many", ARN, items)
        with pytest.raises(TypeError, match=r"^changes must be an iterable of KeyChange, not (None|int)$"):
            run(target, "key_values", "import_keys", ARN, items)
    assert servicer.received == []


WRONG_STREAMS = pytest.mark.parametrize(
    ("requests", "error"),
    [
        ([{}], r"requests\[0\] must be ImportKeysRequest, not dict"),
        ([data.ImportKeysRequest(), None], r"requests\[1\] must be ImportKeysRequest, not None"),
        ([data.ImportKeysRequest(), data.KeyChange()], r"requests\[1\] must be ImportKeysRequest, not KeyChange"),
        (data.ImportKeysRequest(), "requests must be an iterable of ImportKeysRequest, not ImportKeysRequest"),
        ({"kvs_arn": ARN}, r"requests\[0\] must be ImportKeysRequest, not str"),
    ],
    ids=["dict", "None", "another message", "not iterable", "mapping"],
)


@both
@WRONG_STREAMS
def test_a_wrong_request_of_a_stream_raises_type_error(run: Run, requests: Any, error: str) -> None:
    with running_server(Canned()) as target, pytest.raises(TypeError, match=f"^{error}$"):
        run(target, "key_values", "ImportKeys", requests)


@WRONG_STREAMS
def test_a_wrong_request_of_a_stream_raises_type_error_in_a_future(requests: Any, error: str) -> None:
    with running_server(Canned()) as target, connect(target) as facade:
        future = facade.key_values.ImportKeys.future(requests)
        with pytest.raises(TypeError, match=f"^{error}$"):
            future.result(PATIENCE)
        assert isinstance(future.exception(PATIENCE), TypeError)


async def one_wrong() -> AsyncIterator[Any]:
    yield data.ImportKeysRequest()
    yield {}


def test_a_wrong_request_of_an_asynchronous_iterable_raises_type_error() -> None:
    async def main(target: str) -> None:
        async with aio.connect(target) as facade, asyncio.timeout(PATIENCE):
            await facade.key_values.ImportKeys(one_wrong())

    with (
        running_server(Canned()) as target,
        pytest.raises(TypeError, match=r"^requests\[1\] must be ImportKeysRequest, not dict$"),
    ):
        asyncio.run(main(target))


def test_writing_a_wrong_request_raises_type_error_and_the_call_continues() -> None:
    async def main(target: str) -> None:
        async with aio.connect(target) as facade, asyncio.timeout(PATIENCE):
            call: Any = facade.key_values.ImportKeys()
            await call.write(data.ImportKeysRequest(kvs_arn=ARN))
            with pytest.raises(TypeError, match=r"^request must be ImportKeysRequest, not dict$"):
                await call.write({})
            await call.write(data.ImportKeysRequest())
            await call.done_writing()
            assert await call == data.ImportKeysResponse()

    servicer = Canned()
    with running_server(servicer) as target:
        asyncio.run(main(target))
    assert servicer.received[0].request == [data.ImportKeysRequest(kvs_arn=ARN), data.ImportKeysRequest()]


def test_a_list_of_requests_can_be_sent_as_a_stream() -> None:
    servicer = Canned()
    requests: Any = [data.ImportKeysRequest(kvs_arn=ARN), data.ImportKeysRequest()]
    with running_server(servicer) as target, connect(target) as facade:
        facade.key_values.ImportKeys(requests)
    assert servicer.received[0].request == requests


def test_text_in_a_bytes_field_raises_type_error() -> None:
    code: Any = "function handler() {}"
    with pytest.raises(TypeError):
        functions.CreateFunctionRequest(function_code=code)


async def open_aio(target: Any, **options: Any) -> None:
    aio.connect(target, **options)


@pytest.mark.parametrize("open_client", [connect, lambda *target, **options: asyncio.run(open_aio(*target, **options))])
@pytest.mark.parametrize(
    ("target", "options", "error"),
    [
        (None, {}, "target must be a str, not NoneType"),
        (50051, {}, "target must be a str, not int"),
        ("127.0.0.1:1", {"deadline": "30"}, "deadline must be a number of seconds or None, not str"),
    ],
)
def test_a_wrong_argument_of_connect_raises_type_error(open_client: Any, target: Any, options: Any, error: str) -> None:
    with pytest.raises(TypeError, match=f"^{error}$"):
        open_client(target, **options)


JOBS: list[tuple[str, str, tuple[Any, ...]]] = [
    ("create_and_publish", "functions", (functions.CreateFunctionRequest(name="rewrite"),)),
    ("list_functions", "functions", ()),
    ("list_key_value_stores", "key_value_stores", ()),
    ("wait_until_ready", "key_value_stores", ("redirects",)),
    ("list_keys", "key_values", (ARN,)),
    ("put_many", "key_values", (ARN, {"a": "1"})),
    ("import_keys", "key_values", (ARN, [data.KeyChange(delete="a")])),
]
each_job = pytest.mark.parametrize(("job", "service", "arguments"), JOBS, ids=[job for job, *_ in JOBS])


def run_aio(job: str, *arguments: Any) -> None:
    """Runs a job of the asyncio client. A list is not read, because its arguments are checked before."""

    async def main() -> None:
        result = getattr(aio, job)(*arguments)
        if not isinstance(result, AsyncIterator):
            await result

    asyncio.run(main())


@each_job
@pytest.mark.parametrize("wrong", ["client", "another stub", "None"])
def test_a_job_without_its_stub_raises_type_error(job: str, service: str, arguments: Any, wrong: str) -> None:
    assert {name for name, *_ in JOBS} == set(jobs.__all__)
    with connect("127.0.0.1:1") as facade:
        stub = {"client": facade, "another stub": facade.tags, "None": None}[wrong]
        name = {"client": "Client", "another stub": "TagServiceStub", "None": "None"}[wrong]
        error = rf"^{service} must be a \w+ServiceStub, such as facade\.{service}, not {name}$"
        with pytest.raises(TypeError, match=error):
            getattr(jobs, job)(stub, *arguments)
        with pytest.raises(TypeError, match=error):
            run_aio(job, stub, *arguments)


@each_job
def test_a_job_with_a_stub_of_the_other_kind_of_client_raises_type_error(
    job: str, service: str, arguments: Any
) -> None:
    async def pass_asyncio_stub() -> None:
        async with aio.connect("127.0.0.1:1") as facade:
            getattr(jobs, job)(getattr(facade, service), *arguments)

    with pytest.raises(TypeError, match=rf"^{service} must be a blocking stub; cloudfront_facade\.aio has"):
        asyncio.run(pass_asyncio_stub())
    with (
        connect("127.0.0.1:1") as facade,
        pytest.raises(TypeError, match=rf"^{service} must be a stub for asyncio; cloudfront_facade\.jobs has"),
    ):
        run_aio(job, getattr(facade, service), *arguments)


@both
@pytest.mark.parametrize(
    ("service", "job", "argument"),
    [
        ("key_value_stores", "wait_until_ready", "name"),
        ("key_values", "list_keys", "kvs_arn"),
        ("key_values", "put_many", "kvs_arn"),
        ("key_values", "import_keys", "kvs_arn"),
    ],
)
def test_a_name_or_arn_that_is_not_text_raises_type_error(run: Run, service: str, job: str, argument: str) -> None:
    keys: tuple[Any, ...] = ([],) if job in ("put_many", "import_keys") else ()
    with pytest.raises(TypeError, match=f"^{argument} must be str, not KeyChange$"):
        run("127.0.0.1:1", service, job, data.KeyChange(), *keys)
