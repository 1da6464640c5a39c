"""Requests that cannot be decoded."""

from __future__ import annotations

import grpc

from support.facade import failing, open_channel


def test_undecodable_requests_to_health_and_reflection_are_rejected_without_library_text(facade_address: str) -> None:
    with open_channel(facade_address) as channel:
        reflection = channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
        for failure in (
            failing(channel.unary_unary("/grpc.health.v1.Health/Check"), b"\xff"),
            failing(lambda: list(reflection(iter([b"\xff"])))),
            failing(lambda: list(channel.unary_stream("/grpc.health.v1.Health/Watch")(b"\xff"))),
        ):
            assert failure.code is grpc.StatusCode.INVALID_ARGUMENT
            assert failure.reason == "VALIDATION_FAILED"
            assert "bytes are not a message" in failure.message


def test_an_undecodable_first_request_of_a_stream_is_rejected(facade_address: str) -> None:
    with open_channel(facade_address) as channel:
        method = channel.stream_unary("/cloudfront_facade.v1.KeyValueStoreDataService/ImportKeys")
        failure = failing(method, iter([b"\xff"]))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "VALIDATION_FAILED")
    assert failure.outcome == "not_applied"
