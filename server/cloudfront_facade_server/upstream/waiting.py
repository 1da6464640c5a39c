"""Waits for a slot or a lock as long as the caller of the rpc waits."""

from __future__ import annotations

import asyncio

import grpc

from ..call_context import CallContext
from ..concurrency.fair_semaphore import FairSemaphore
from ..concurrency.greenlets import await_
from ..errors.status_error import StatusError


def take(semaphore: FairSemaphore, call: CallContext, max_wait: float) -> bool:
    """Takes a slot for an rpc, in its turn. An rpc whose caller goes away leaves the queue.

    Args:
        semaphore: What to take the slot of.
        call: The rpc.
        max_wait: The longest wait, in seconds.

    Returns:
        Whether the slot was taken.

    Raises:
        StatusError: The rpc has ended for its caller, so nothing more is sent for it.
    """
    _raise_if_abandoned(call)
    if semaphore.try_acquire(call.holder):
        return True
    if max_wait <= 0:
        return False
    waiting = asyncio.ensure_future(semaphore.acquire(call.holder, max_wait))
    with call.when_abandoned(waiting.cancel):
        try:
            is_taken = await_(waiting)
        except asyncio.CancelledError:
            _raise_if_abandoned(call)
            raise
    if is_taken and call.abandoned:
        semaphore.release(call.holder)
    _raise_if_abandoned(call)
    return is_taken


def _raise_if_abandoned(call: CallContext) -> None:
    if call.abandoned:
        raise StatusError(grpc.StatusCode.CANCELLED, "", "the caller is gone") from None
