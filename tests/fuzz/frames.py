"""Strategies for what is sent on an HTTP/2 connection."""

from __future__ import annotations

from collections.abc import Sequence

from hpack import Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    ExtensionFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from hypothesis import strategies as st

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

_STREAMS = st.sampled_from([0, 1, 1, 1, 3, 5, 2, 2**31 - 1])
_SMALL = st.binary(max_size=64)
_NUMBERS = st.integers(0, 2**32 - 1)


def connections(paths: Sequence[str]) -> st.SearchStrategy[bytes]:
    """Returns a strategy for all bytes that a client sends on a connection to a server with these methods."""
    frames = st.lists(_frames(paths), max_size=12).map(b"".join)
    beginnings = st.sampled_from([PREFACE + SettingsFrame(0).serialize()] * 4 + [PREFACE, b""])
    return st.builds(_cut, beginnings, frames | st.binary(max_size=200), st.integers(0, 20))


def _cut(beginning: bytes, content: bytes, missing: int) -> bytes:
    """Returns both; of every second connection, the last bytes are missing."""
    return beginning + (content[:-missing] if missing > 10 else content)


def _frames(paths: Sequence[str]) -> st.SearchStrategy[bytes]:
    usual = st.sampled_from([["END_HEADERS"], ["END_HEADERS", "END_STREAM"]])
    flags = usual | st.lists(st.sampled_from(["END_STREAM", "END_HEADERS", "PADDED", "PRIORITY", "ACK"]), max_size=3)
    built = st.one_of(
        st.builds(lambda stream, data: DataFrame(stream or 1, data=data), _STREAMS, _SMALL),
        st.builds(lambda stream, block: HeadersFrame(stream or 1, data=block), _STREAMS, _header_blocks(paths)),
        st.builds(lambda stream, block: ContinuationFrame(stream or 1, data=block), _STREAMS, _SMALL),
        st.builds(
            lambda stream, on: PriorityFrame(stream or 1, depends_on=on, stream_weight=1),
            _STREAMS,
            st.integers(0, 2**31 - 1),
        ),
        st.builds(lambda stream, code: RstStreamFrame(stream or 1, error_code=code), _STREAMS, _NUMBERS),
        st.builds(
            lambda values: SettingsFrame(0, settings=values), st.dictionaries(st.integers(0, 9), _NUMBERS, max_size=4)
        ),
        st.builds(
            lambda stream, block: PushPromiseFrame(stream or 1, promised_stream_id=2, data=block), _STREAMS, _SMALL
        ),
        st.builds(lambda data: PingFrame(0, opaque_data=data), st.binary(min_size=8, max_size=8)),
        st.builds(lambda last, code: GoAwayFrame(0, last_stream_id=last, error_code=code), _STREAMS, _NUMBERS),
        st.builds(
            lambda stream, size: WindowUpdateFrame(stream, window_increment=size), _STREAMS, st.integers(1, 2**31 - 1)
        ),
        st.builds(
            lambda kind, stream, body: ExtensionFrame(type=kind, stream_id=stream, body=body),
            st.integers(10, 255),
            _STREAMS,
            _SMALL,
        ),
    )
    return st.builds(_serialized, built, flags, st.none() | st.binary(max_size=3))


def _serialized(frame: Frame, flags: Sequence[str], head: bytes | None) -> bytes:
    """Returns the bytes of a frame with those flags that its type has; `head` overwrites its length."""
    for flag in {flag.name for flag in frame.defined_flags} & set(flags):
        frame.flags.add(flag)
    if "PADDED" in frame.flags and hasattr(frame, "pad_length"):
        frame.pad_length = 3
    content = frame.serialize()
    return head + content[len(head) :] if head else content


def _header_blocks(paths: Sequence[str]) -> st.SearchStrategy[bytes]:
    good = {
        ":method": "POST",
        ":scheme": "http",
        ":authority": "facade",
        "te": "trailers",
        "content-type": "application/grpc",
    }
    names = st.sampled_from(
        [*good, ":path", "grpc-timeout", "grpc-encoding", "x-bin", "content-length", "connection", ":status", "X-UPPER"]
    )
    values = st.sampled_from(["", "0", "1n", "99999999H", "gzip", "\x00", "\r\n", "GET", "-1"]) | st.text(max_size=20)
    return st.builds(
        lambda path, others: Encoder().encode([*good.items(), (":path", path), *others], huffman=False),
        st.sampled_from(paths) | st.text(max_size=30),
        st.lists(st.tuples(names, values), max_size=3),
    ) | st.binary(max_size=60)
