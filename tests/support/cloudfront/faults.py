"""Faults between boto3 and CloudFront, for `CloudFrontDouble.script`.

A fault is a function that takes an exchange and returns what happens on the wire. It does not apply the request unless
its docstring says so; `apply_then(fault)` returns a fault that applies the request first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from .wire import Answer


class Hangup(Enum):
    """The end of a connection without a response."""

    CLOSE = "close"
    RESET = "reset"


@dataclass
class Exchange:
    """One request in flight.

    Attributes:
        operation: The name of the operation.
        arguments: The arguments that boto3 was called with.
        apply: Runs the operation and returns CloudFront's response.
        error: Returns CloudFront's error response with a code, an HTTP status and a message.
        wait: Waits for this many seconds (None: without a limit) or until the double is released; returns False if the
            double is closing.
    """

    operation: str
    arguments: Mapping[str, Any]
    apply: Callable[[], Answer]
    error: Callable[[str, int, str], Answer]
    wait: Callable[[float | None], bool]
    _answer: Answer | None = None

    def answer(self) -> Answer:
        """Applies the request unless it was applied before, and returns CloudFront's response."""
        if self._answer is None:
            self._answer = self.apply()
        return self._answer


Fault = Callable[[Exchange], Answer | Hangup]


def normally() -> Fault:
    """Responds normally, for scripts in which only a later request fails."""
    return lambda exchange: exchange.answer()


def apply_then(fault: Fault) -> Fault:
    """Applies the request, then causes the fault."""

    def applied(exchange: Exchange) -> Answer | Hangup:
        exchange.answer()
        return fault(exchange)

    return applied


def hang(seconds: float | None = None) -> Fault:
    """Does not respond for this long, or until the double is released or closed; then closes the connection."""

    def silent(exchange: Exchange) -> Hangup:
        exchange.wait(seconds)
        return Hangup.CLOSE

    return silent


def apply_then_hang(seconds: float | None = None) -> Fault:
    """Applies the request, then hangs like `hang`."""
    return apply_then(hang(seconds))


def close() -> Fault:
    """Closes the connection without a response."""
    return lambda _: Hangup.CLOSE


def apply_then_close() -> Fault:
    """Applies the request, then closes the connection without a response."""
    return apply_then(close())


def reset() -> Fault:
    """Resets the connection (RST) without a response."""
    return lambda _: Hangup.RESET


def apply_then_reset() -> Fault:
    """Applies the request, then resets the connection (RST) without a response."""
    return apply_then(reset())


def status_only(status: int) -> Fault:
    """Responds with a status and no body."""
    return lambda _: Answer(status)


def apply_then_status(status: int) -> Fault:
    """Applies the request, then responds with a status and no body."""
    return apply_then(status_only(status))


def html(status: int, body: str = "<!DOCTYPE html><html><body>An error<hr></body></html>") -> Fault:
    """Responds with an HTML page, as a proxy does."""
    return lambda _: Answer(status, body.encode(), {"Content-Type": "text/html"})


def fail_with(code: str, status: int, message: str = "") -> Fault:
    """Responds with an error of CloudFront that has this code."""
    return lambda exchange: exchange.error(code, status, message)


def throttle(status: int = 400) -> Fault:
    """Throttles the request with status 400, as observed on CloudFront, or with 429."""
    return fail_with("Throttling" if status == 400 else "TooManyRequestsException", status, "Rate exceeded")


def expire(code: str = "ExpiredToken") -> Fault:
    """Responds that the credentials of the request have expired."""
    return fail_with(code, 403, "The security token included in the request is expired")


def delay(seconds: float) -> Fault:
    """Applies the request and responds after a delay."""
    return _wait(seconds)


def hold() -> Fault:
    """Applies the request and responds when the double is released."""
    return _wait(None)


def _wait(seconds: float | None) -> Fault:
    def late(exchange: Exchange) -> Answer | Hangup:
        return exchange.answer() if exchange.wait(seconds) else Hangup.CLOSE

    return late


@dataclass(frozen=True)
class _ChangedAnswer:
    """Applies the request and changes the response."""

    change: Callable[[Answer], Answer]

    def __call__(self, exchange: Exchange) -> Answer:
        return self.change(exchange.answer())


def garble() -> Fault:
    """Applies the request; the body of the response is neither XML nor JSON."""
    return _ChangedAnswer(lambda answer: replace(answer, body=b"\x00\xff\xfe not XML"))


def truncated() -> Fault:
    """Applies the request; the XML or JSON of the response ends in the middle."""
    return _ChangedAnswer(lambda answer: replace(answer, body=answer.body[: len(answer.body) // 2]))


def wrong_root() -> Fault:
    """Applies the request; the response is well-formed XML or JSON, but has another root."""

    def other(answer: Answer) -> Answer:
        xml, text = b'<?xml version="1.0"?>\n<Other><Thing>1</Thing></Other>', b'{"Other": {"Thing": 1}}'
        return replace(answer, body=text if _is_json(answer) else xml)

    return _ChangedAnswer(other)


def misstate(member: str, value: str | None) -> Fault:
    """Applies the request; in the response, this element or member has another value, or is missing if None."""
    pattern = re.compile(rf"<{member}>.*?</{member}>".encode(), re.DOTALL)
    replacement = b"" if value is None else f"<{member}>{value}</{member}>".encode()

    def misstated(answer: Answer) -> Answer:
        if not _is_json(answer):
            return replace(answer, body=pattern.sub(replacement, answer.body))
        others = {name: content for name, content in json.loads(answer.body).items() if name != member}
        return replace(answer, body=json.dumps(others | ({} if value is None else {member: value})).encode())

    return _ChangedAnswer(misstated)


def without_header(name: str) -> Fault:
    """Applies the request; the response lacks this header."""
    return _ChangedAnswer(
        lambda answer: replace(answer, headers={key: text for key, text in answer.headers.items() if key != name})
    )


def _is_json(answer: Answer) -> bool:
    return answer.headers.get("Content-Type") == "application/json"


def cut_body() -> Fault:
    """Applies the request; the connection is closed in the middle of the response's body."""
    return _ChangedAnswer(lambda answer: replace(answer, sent=len(answer.body) // 2))
