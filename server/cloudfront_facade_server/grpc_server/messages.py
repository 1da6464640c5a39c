"""The messages of a call."""

from __future__ import annotations

from typing import Any

from ..concurrency.fair_semaphore import Holder
from ..errors.facade_errors import stream_stalled
from .decoder import Decoder
from .fair_memory import TakenMemory, counted_size, size_of
from .receive_places import Fail
from .receiver import Context, Kind, Receiver


class Messages:
    """The messages of a call, received and decoded when they are asked for.

    A large message of a stream takes memory until the next one is asked for.

    Raises:
        StatusError: A message was rejected, or did not arrive in time.
    """

    def __init__(
        self, receiver: Receiver, kind: Kind, decoder: Decoder, is_stream: bool, fail: Fail, context: Context
    ) -> None:
        self._receiver = receiver
        self._kind = kind
        self._decoder = decoder
        self._is_stream = is_stream
        self._fail = fail
        self._context = context
        self.holder = Holder.of_peer(context.peer())
        self._has_first = False
        self._progress_at = 0.0
        self._memory = TakenMemory(receiver.memory, self.holder)

    def __aiter__(self) -> Messages:
        return self

    async def __anext__(self) -> Any:
        self.close()
        message = await (self._receive_next() if self._has_first else self._receive_first())
        if self._is_stream:
            self._memory.add(counted_size(message))
        return message

    def close(self) -> None:
        """Returns the memory of the last message."""
        self._memory.release()

    async def _receive_first(self) -> Any:
        self._has_first = True
        self._progress_at = self._receiver.clock()
        return await self._receiver.receive_first(self._context, self.holder, self._decoder, self._fail, self._kind)

    async def _receive_next(self) -> Any:
        message = await self._receiver.receive_next(self._context, self.holder, self._decoder)
        now = self._receiver.clock()
        # Messages without content do not count as progress.
        if size_of(message):
            self._progress_at = now
        elif now - self._progress_at > self._receiver.max_silence:
            raise stream_stalled(now - self._progress_at)
        return message
