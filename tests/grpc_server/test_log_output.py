"""A log that cannot be written."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import time

import grpc

from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from support.facade import failing, function, open_channel
from support.process import COMMAND, EMBEDDED, clean_environment


def test_a_closed_standard_error_does_not_affect_responses() -> None:
    command = [*COMMAND, "serve", *EMBEDDED, "--listen", "127.0.0.1:0"]
    process = subprocess.Popen(command, env=clean_environment(), stderr=subprocess.PIPE, text=True)
    assert process.stderr
    with process.stderr as log:
        address = next(line["listen"] for line in map(json.loads, log) if line.get("event") == "serving")
    with open_channel(address) as channel:
        functions = FunctionServiceStub(channel)
        assert functions.CreateFunction(function(), timeout=10).etag
        assert failing(functions.CreateFunction, function("no name"), timeout=10).reason == "VALIDATION_FAILED"
    process.send_signal(signal.SIGTERM)
    process.wait(10)


def test_a_full_pipe_does_not_delay_responses_and_lost_lines_are_counted() -> None:
    command = [*COMMAND, "serve", *EMBEDDED, "--listen", "127.0.0.1:0", "--log-format", "json"]
    process = subprocess.Popen(command, env=clean_environment(), stderr=subprocess.PIPE)
    assert process.stderr
    with process.stderr as log:
        fcntl.fcntl(log, fcntl.F_SETPIPE_SZ, 16_384)
        address = next(line["listen"] for line in map(json.loads, log) if line.get("event") == "serving")
        rejected = 200
        with open_channel(address) as channel:
            functions = FunctionServiceStub(channel)
            for number in range(rejected):
                failure = failing(functions.CreateFunction, function(f"no name {number}"), timeout=5)
                assert failure.reason == "VALIDATION_FAILED"
            assert channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=5) == b"\x08\x01"
            assert functions.CreateFunction(function(), timeout=5).etag

            os.set_blocking(log.fileno(), False)
            kept = log.read() or b""
            assert failing(functions.CreateFunction, function("no name"), timeout=5).reason == "VALIDATION_FAILED"
            written, deadline = b"", time.monotonic() + 5
            while written.count(b"\n") < 2 and time.monotonic() < deadline:
                written += log.read() or b""
                time.sleep(0.01)
        lost, following = map(json.loads, written.splitlines())
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    kept_lines = [line for line in map(json.loads, kept.splitlines()) if line["event"] == "rpc"]
    assert (lost["event"], lost["count"]) == ("log lines dropped", rejected + 1 - len(kept_lines))
    assert (following["event"], following["reason"]) == ("rpc", "VALIDATION_FAILED")


def test_a_path_that_a_caller_invents_is_one_printable_line_of_the_text_log() -> None:
    command = [*COMMAND, "serve", *EMBEDDED, "--listen", "127.0.0.1:0", "--log-format", "text"]
    process = subprocess.Popen(command, env=clean_environment(), stderr=subprocess.PIPE, text=True)
    assert process.stderr
    with process.stderr as log:
        address = next(match[1] for match in map(re.compile(r"serving .* listen=(\S+)").search, log) if match)
        names = ["a\u202eb", "\x9b2J", "x\u2028y", "\u200f"]
        with open_channel(address) as channel:
            for name in names:
                method = channel.unary_unary(f"/cloudfront_facade.v1.FunctionService/{name}")
                assert method.future(b"", timeout=5).code() is grpc.StatusCode.UNIMPLEMENTED
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        lines = log.read().removesuffix("\n").split("\n")
    assert all(line.isprintable() for line in lines)
    for name in names:
        assert len([line for line in lines if f"method={name!r} " in line]) == 1
