"""Requests that only a hostile caller sends, on a real server process."""

from __future__ import annotations

import socket
from contextlib import suppress

import grpc
import pytest

from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from support.facade import failing, function, open_channel
from support.process import EMBEDDED, FacadeProcess

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
HEADERS = 1
END_STREAM_AND_HEADERS = 0x05


def literal(index: int, value: bytes) -> bytes:
    """Returns an HPACK literal header field with a name of the static table (RFC 7541, section 6.2.2)."""
    name = bytes([index]) if index < 15 else bytes([0x0F, index - 15])
    return name + bytes([len(value)]) + value


def request(path: bytes) -> bytes:
    """Returns the HEADERS frame of a gRPC call of `path`, without a message."""
    block = b"\x83\x86" + literal(1, b"facade") + literal(4, path) + literal(31, b"application/grpc")
    block += b"\x00\x02te\x08trailers"
    return len(block).to_bytes(3, "big") + bytes([HEADERS, END_STREAM_AND_HEADERS]) + (1).to_bytes(4, "big") + block


@pytest.mark.parametrize(
    "path",
    [
        b"/\xff",
        b"/cloudfront_facade.v1.FunctionService/CreateFunction\xc3",
        b"/cloudfront_facade.v1.FunctionService/\xed\xa0\x80",
    ],
    ids=["not UTF-8", "a method and half a character", "a surrogate"],
)
def test_a_path_that_is_not_utf8_does_not_stop_the_server(path: bytes) -> None:
    with FacadeProcess(*EMBEDDED) as process:
        host, _, port = process.address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(PREFACE + SETTINGS + request(path))
            connection.settimeout(0.5)
            with suppress(TimeoutError):
                while connection.recv(4096):
                    pass
        for number in range(2):
            with open_channel(process.address, use_local_subchannel_pool=1) as channel:
                assert FunctionServiceStub(channel).CreateFunction(function(f"f{number}"), timeout=5).etag


def test_a_compressed_message_is_rejected_without_being_decompressed() -> None:
    bomb = function(function_code=bytes(200 * 1024))
    with FacadeProcess(*EMBEDDED) as process:
        before = process.memory()
        for algorithm in (grpc.Compression.Gzip, grpc.Compression.Deflate):
            with grpc.insecure_channel(process.address, compression=algorithm) as channel:
                failure = failing(FunctionServiceStub(channel).CreateFunction, bomb, timeout=5)
                assert failure.code is grpc.StatusCode.UNIMPLEMENTED
                assert "compression" in failure.message.lower()
        with open_channel(process.address) as channel:
            assert FunctionServiceStub(channel).CreateFunction(function(), timeout=5).etag
        assert process.memory() - before < 50
        assert not [line for line in process.lines if line["event"] == "rpc" and line["method"] != "CreateFunction"]
