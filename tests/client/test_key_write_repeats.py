"""When a write of keys is sent again. The Node.js client has the same rules."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import grpc
import pytest

from client.both import Run, both
from client.canned import Canned, ErrorStatus, error_status, info, reserved_target, running_server
from client.rejecting import Rejections, rejecting_server
from client.relay import Relay
from cloudfront_facade import FacadeError, connect
from cloudfront_facade._service_config import RETRY_THROTTLING
from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1.key_value_store_data_service_pb2 import PutKeyRequest

PUT = PutKeyRequest(kvs_arn="arn", key="a", value="b")
PUT_WITH_ETAG = PutKeyRequest(kvs_arn="arn", key="a", value="b", etag="E1")
CANCELLED = ErrorStatus(grpc.StatusCode.CANCELLED, "stopping")
UNAVAILABLE = ErrorStatus(grpc.StatusCode.UNAVAILABLE, "down")
MISMATCH = error_status(grpc.StatusCode.ABORTED, "etag", info("ETAG_MISMATCH"))

each_method = pytest.mark.parametrize("method", ["PutKey", "DeleteKey", "UpdateKeys"])


def pushback(code: grpc.StatusCode, milliseconds: str) -> ErrorStatus:
    return ErrorStatus(code, "", (("grpc-retry-pushback-ms", milliseconds),))


CANCELLED_SOON = pushback(grpc.StatusCode.CANCELLED, "1")


def failure(run: Run, target: str, request: PutKeyRequest = PUT_WITH_ETAG, **options: Any) -> FacadeError:
    with pytest.raises(FacadeError) as caught:
        run(target, "key_values", "PutKey", request, options=options)
    return caught.value


@both
@each_method
def test_a_write_with_an_etag_that_a_stopping_server_cancels_is_repeated(run: Run, method: str) -> None:
    servicer = Canned(CANCELLED, CANCELLED)
    request = getattr(data, f"{method}Request")(kvs_arn="arn", etag="E1")
    with running_server(servicer) as target:
        run(target, "key_values", method, request)
    assert [(call.method, call.request) for call in servicer.received] == [(method, request)] * 3
    first, second, third = (call.at for call in servicer.received)
    assert (second - first > 0.15, third - second > 0.31) == (True, True), "backoff of 0.2 and 0.4 s, less 20 %"


@both
@each_method
@pytest.mark.parametrize(
    ("answer", "etag"), [(CANCELLED, ""), (UNAVAILABLE, ""), (UNAVAILABLE, "E1"), (MISMATCH, "E1"), (MISMATCH, "")]
)
def test_any_other_write_that_a_server_may_have_received_is_sent_once(
    run: Run, method: str, answer: ErrorStatus, etag: str
) -> None:
    servicer = Canned(answer)
    request = getattr(data, f"{method}Request")(kvs_arn="arn", etag=etag)
    with running_server(servicer) as target, pytest.raises(FacadeError) as caught:
        run(target, "key_values", method, request)
    outcome = "not_applied" if answer is MISMATCH else "unknown"
    assert (caught.value.code(), caught.value.outcome) == (answer.code, outcome)
    assert len(servicer.received) == 1


@both
def test_a_write_whose_connection_breaks_is_sent_once(run: Run) -> None:
    servicer = Canned()
    servicer.released.clear()
    with running_server(servicer) as upstream, Relay(upstream) as relay:

        def cut() -> None:
            servicer.started.wait()
            relay.cut()
            servicer.released.set()

        cutting = threading.Thread(target=cut)
        cutting.start()
        error = failure(run, relay.target)
        cutting.join()
    assert (error.code(), error.outcome) == (grpc.StatusCode.UNAVAILABLE, "unknown")
    assert len(servicer.received) == 1


@both
def test_a_write_fails_after_four_attempts(run: Run) -> None:
    servicer = Canned(*[CANCELLED_SOON] * 9)
    with running_server(servicer) as target:
        error = failure(run, target)
    assert (error.code(), error.outcome) == (grpc.StatusCode.CANCELLED, "unknown")
    assert len(servicer.received) == 4


@both
def test_a_repeat_honours_the_servers_pushback(run: Run) -> None:
    servicer = Canned(pushback(grpc.StatusCode.CANCELLED, "900"))
    with running_server(servicer) as target:
        run(target, "key_values", "PutKey", PUT_WITH_ETAG)
    first, second = (call.at for call in servicer.received)
    assert second - first > 0.85


@both
@pytest.mark.parametrize("milliseconds", ["-1", "soon", "1.5", ""])
def test_a_pushback_below_zero_or_that_is_not_a_number_forbids_the_repeat(run: Run, milliseconds: str) -> None:
    servicer = Canned(pushback(grpc.StatusCode.CANCELLED, milliseconds))
    with running_server(servicer) as target:
        failure(run, target)
    assert len(servicer.received) == 1


@both
@pytest.mark.parametrize(
    "options",
    [
        {"retry": False},
        {"options": [("grpc.enable_retries", 0)]},
        {"options": [("grpc.service_config", json.dumps({}))]},
    ],
    ids=["retry", "enable_retries", "service_config"],
)
def test_a_client_with_retries_disabled_sends_once(run: Run, options: dict[str, Any]) -> None:
    servicer = Canned(CANCELLED)
    if "options" in options:
        options = {"options": iter(options["options"])}
    with running_server(servicer) as target:
        failure(run, target, **options)
    assert len(servicer.received) == 1


@both
def test_the_outcome_of_a_cancelled_write_stays_unknown_if_the_repeat_finds_another_version(run: Run) -> None:
    """The first attempt may have been applied. Then it changed the version that the second one names."""
    with running_server(Canned(CANCELLED_SOON, MISMATCH)) as target:
        error = failure(run, target)
    assert (error.code(), error.reason, error.outcome) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH", "unknown")
    assert "outcome unknown" in str(error)


@both
def test_the_outcome_of_a_cancelled_write_stays_unknown_if_the_server_is_gone_then(run: Run) -> None:
    servicer = Canned(pushback(grpc.StatusCode.CANCELLED, "500"))
    with running_server(servicer) as upstream, Relay(upstream) as relay:

        def close() -> None:
            servicer.started.wait()
            time.sleep(0.2)  # until the client has the answer
            relay.close()

        closing = threading.Thread(target=close)
        closing.start()
        error = failure(run, relay.target)
        closing.join()
    assert "Connection refused" in error.details()
    assert (error.code(), error.outcome) == (grpc.StatusCode.UNAVAILABLE, "unknown")
    assert len(servicer.received) == 1


@both
@pytest.mark.parametrize("request_", [PUT, PUT_WITH_ETAG], ids=["no etag", "etag"])
def test_a_write_that_finds_no_server_is_sent_when_there_is_one(run: Run, request_: PutKeyRequest) -> None:
    servicer = Canned()
    started = threading.Event()
    with reserved_target() as target:

        def serve() -> None:
            time.sleep(0.1)
            with running_server(servicer, target):
                started.wait()

        serving = threading.Thread(target=serve)
        serving.start()
        try:
            run(target, "key_values", "PutKey", request_)
        finally:
            started.set()
            serving.join()
    assert [call.request for call in servicer.received] == [request_]


@both
@pytest.mark.parametrize("request_", [PUT, PUT_WITH_ETAG], ids=["no etag", "etag"])
def test_a_write_that_a_server_rejects_unread_is_repeated(run: Run, request_: PutKeyRequest) -> None:
    rejections = Rejections(1)
    with rejecting_server(rejections) as target:
        run(target, "key_values", "PutKey", request_)
    assert rejections.received == 2


@both
@pytest.mark.parametrize(("retry", "attempts"), [(True, 4), (False, 1)])
def test_a_write_that_a_server_rejects_unread_in_every_attempt_is_not_applied(
    run: Run, retry: bool, attempts: int
) -> None:
    rejections = Rejections(9)
    with rejecting_server(rejections) as target:
        error = failure(run, target, retry=retry)
    assert (error.code(), error.outcome) == (grpc.StatusCode.UNAVAILABLE, "not_applied")
    assert rejections.received == attempts


@both
def test_repeats_end_at_the_deadline_of_the_call(run: Run) -> None:
    servicer = Canned(*[pushback(grpc.StatusCode.CANCELLED, "400")] * 4)
    with running_server(servicer) as target:
        started = time.monotonic()
        with pytest.raises(FacadeError) as caught:
            run(target, "key_values", "PutKey", PUT_WITH_ETAG, timeout=0.7)
        assert time.monotonic() - started < 0.7
    assert caught.value.code() is grpc.StatusCode.CANCELLED
    first, second = (call.time_left or 0 for call in servicer.received)
    assert second < first - 0.35, "the attempts share one deadline"


def test_an_outage_is_not_made_worse_by_repeats() -> None:
    """Half of the tokens are spent one for each failed attempt, then calls are sent once."""
    free = int(RETRY_THROTTLING["maxTokens"] / 2)
    servicer = Canned(*[CANCELLED_SOON] * (free * 4))
    with running_server(servicer) as target, connect(target) as facade:
        for _ in range(free):
            assert facade.key_values.PutKey.future(PUT_WITH_ETAG).exception()
        # Four attempts of 25 calls spend the tokens; then there is one attempt of each.
        assert len(servicer.received) == pytest.approx(free + (free - free / 4), abs=4)


def test_errors_that_are_no_outage_do_not_use_up_the_repeats() -> None:
    calls = int(RETRY_THROTTLING["maxTokens"] / 2)
    servicer = Canned(*[MISMATCH] * calls, CANCELLED_SOON)
    with running_server(servicer) as target, connect(target) as facade:
        for _ in range(calls):
            assert facade.key_values.PutKey.future(PUT_WITH_ETAG).exception()
        facade.key_values.PutKey(PUT_WITH_ETAG)
    assert len(servicer.received) == calls + 2


def test_calls_that_their_caller_cancels_do_not_use_up_the_repeats() -> None:
    servicer = Canned(CANCELLED_SOON)
    with reserved_target() as target, connect(target) as facade:
        for _ in range(int(RETRY_THROTTLING["maxTokens"] / 2)):
            assert facade.key_values.PutKey.future(PUT_WITH_ETAG, wait_for_ready=True).cancel()
        with running_server(servicer, target):
            facade.key_values.PutKey(PUT_WITH_ETAG, wait_for_ready=True)
    assert len(servicer.received) == 2
