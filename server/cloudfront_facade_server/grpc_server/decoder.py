"""Decodes messages within limits of size."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ..concurrency.fair_semaphore import FairSemaphore, Holder
from ..errors.facade_errors import message_too_large, requests_overloaded, too_many_changes, undecodable

_MAX_WAITING: Final = 1000
_MAX_WAIT_SECONDS: Final = 5.0

_PAUSE: Final = 3.0
"""The pause after a large message, if another one waits, in multiples of the time that it took."""

_MIN_PAUSE_SECONDS: Final = 0.02

_OTHER_FIELDS: Final = 100
"""How many fields besides its changes a message may have. The API has two."""

_MAX_VARINT_SHIFT: Final = 63


@dataclass(frozen=True)
class MessageLimits:
    """Limits of the messages of a method.

    Attributes:
        max_bytes: Maximum size of a message.
        max_changes: Maximum number of changes in a message; None if messages of the method have no changes.
    """

    max_bytes: int
    max_changes: int | None = None


class LargeMessages:
    """Lets one large message at a time be decoded, with pauses in which other calls run.

    Each holds the event loop up: 4 MiB can take 0.1 s.
    """

    def __init__(self) -> None:
        self._turn = FairSemaphore(1, _MAX_WAITING)

    async def decode(self, decode: Callable[[bytes], Any], message: bytes, holder: Holder) -> Any:
        """Decodes a message when it is its turn; raises StatusError (OVERLOADED) if too many wait."""
        if not await self._turn.acquire(holder, _MAX_WAIT_SECONDS):
            raise requests_overloaded("large requests are decoded one at a time, and too many wait for their turn")
        try:
            started = time.monotonic()
            try:
                return decode(message)
            finally:
                if self._turn.waiting:
                    await asyncio.sleep(max(_MIN_PAUSE_SECONDS, _PAUSE * (time.monotonic() - started)))
        finally:
            self._turn.release(holder)


class Decoder:
    """Decodes the messages of one method.

    Args:
        deserialize: Parses a message; None if the method takes bytes.
        limits: Limits of the messages.
        large_messages: Shared by all methods.
    """

    def __init__(
        self, deserialize: Callable[[bytes], Any] | None, limits: MessageLimits, large_messages: LargeMessages
    ) -> None:
        self._deserialize = deserialize or bytes
        self._limits = limits
        self._large_messages = large_messages

    async def decode_large(self, message: bytes, holder: Holder) -> Any:
        """Decodes a large message when it is its turn."""
        return await self._large_messages.decode(self.decode, message, holder)

    def decode(self, message: bytes) -> Any:
        """Returns the decoded message; raises StatusError if it exceeds a limit or is not a message of the method."""
        if len(message) > self._limits.max_bytes:
            raise message_too_large(len(message), self._limits.max_bytes)
        max_changes = self._limits.max_changes
        # Counted before anything is built of it: a message of 4 MiB can have two million empty changes.
        if max_changes is not None and has_more_fields(message, max_changes + _OTHER_FIELDS):
            raise too_many_changes(max_changes)
        try:
            request: Any = self._deserialize(message)
        except Exception:  # noqa: BLE001 (the exception depends on the protobuf implementation)
            raise undecodable() from None
        if max_changes is not None and len(request.changes) > max_changes:
            raise too_many_changes(max_changes)
        return request


def has_more_fields(message: bytes, limit: int) -> bool:
    """Returns whether an encoded message has more than `limit` fields at its top level, and reads no further.

    What is malformed is left to the parser.
    """
    if len(message) <= 2 * limit:
        return False  # the smallest field takes two bytes, besides groups, which are never changes
    position, size = 0, len(message)
    try:
        for _ in range(limit + 1):
            if position >= size:
                return False
            tag, position = _varint(message, position)
            match tag & 7:
                case 0:
                    _, position = _varint(message, position)
                case 1:
                    position += 8
                case 2:
                    length, position = _varint(message, position)
                    position += length
                case 3 | 4:
                    pass  # the start or the end of a group, whose fields count too
                case 5:
                    position += 4
                case _:
                    return False
    except IndexError:
        return False
    return True


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """Returns a varint and the position after it; raises IndexError if it does not end."""
    value = shift = 0
    while True:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80 or shift > _MAX_VARINT_SHIFT:
            return value, position
        shift += 7
