"""Shutdown of a server process."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

from grpc_health.v1 import health_pb2

import cloudfront_facade
from support.facade import Facade, check_health, function, open_channel
from support.process import EMBEDDED, FacadeProcess


def test_a_health_watch_reports_not_serving_at_shutdown(tmp_path: Path) -> None:
    with FacadeProcess(*EMBEDDED, "--drain-delay", "1") as process, open_channel(process.address) as channel:
        watch = channel.unary_stream(
            "/grpc.health.v1.Health/Watch", response_deserializer=health_pb2.HealthCheckResponse.FromString
        )
        statuses = watch(b"")
        assert next(statuses).status == health_pb2.HealthCheckResponse.SERVING
        cloudfront_facade.connect(process.address).functions.CreateFunction(function())
        process.signal(signal.SIGTERM)
        assert next(statuses).status == health_pb2.HealthCheckResponse.NOT_SERVING


def test_streams_without_a_request_do_not_delay_shutdown() -> None:
    with FacadeProcess(*EMBEDDED, "--shutdown-grace-period", "30") as process, open_channel(process.address) as channel:
        watch = channel.unary_stream("/grpc.health.v1.Health/Watch")(b"")
        next(watch)
        ended = threading.Event()
        silent = channel.stream_unary("/cloudfront_facade.v1.FunctionService/CreateFunction")
        silent.future(iter(lambda: ended.wait(60) and b"", True))
        check_health(Facade.over(process.address, channel))
        started = time.monotonic()
        process.signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - started < 4
        ended.set()
