"""What can go wrong between boto3 and CloudFront, for `CloudFrontDouble.script`.

A fault is a function from an exchange to what happens on the wire. Those that say nothing else leave the request
unapplied; `apply_then(fault)` makes of any of them one whose effect takes place before the answer is lost.
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
    """The end of a connection without an answer."""

    CLOSE = "close"
    RESET = "reset"


@dataclass
class Exchange:
    """One request under way.

    Attributes:
        operation: what it asks for.
        arguments: as boto3 was called with.
        apply: runs the operation and gives CloudFront's answer.
        refuse: makes CloudFront's refusal of a code, an HTTP status and a text.
        wait: waits so many seconds (None: for ever) or until the double is released; False where the double is closing.
    """

    operation: str
    arguments: Mapping[str, Any]
    apply: Callable[[], Answer]
    refuse: Callable[[str, int, str], Answer]
    wait: Callable[[float | None], bool]
    _answer: Answer | None = None

    def answer(self) -> Answer:
        """Applies the request, once however often it is asked, and gives CloudFront's answer."""
        if self._answer is None:
            self._answer = self.apply()
        return self._answer


Fault = Callable[[Exchange], Answer | Hangup]


def normally() -> Fault:
    """Nothing goes wrong: for scripts in which only a later request fares badly."""
    return lambda exchange: exchange.answer()


def apply_then(fault: Fault) -> Fault:
    """The effect takes place, then the fault."""

    def applied(exchange: Exchange) -> Answer | Hangup:
        exchange.answer()
        return fault(exchange)

    return applied


def hang(seconds: float | None = None) -> Fault:
    """No answer for so long, or until the double is released or closed; then the connection is closed."""

    def silent(exchange: Exchange) -> Hangup:
        exchange.wait(seconds)
        return Hangup.CLOSE

    return silent


def apply_then_hang(seconds: float | None = None) -> Fault:
    """The effect takes place, then there is no answer, as in `hang`."""
    return apply_then(hang(seconds))


def close() -> Fault:
    """The connection is closed without an answer."""
    return lambda _: Hangup.CLOSE


def apply_then_close() -> Fault:
    """The effect takes place, then the connection is closed without an answer."""
    return apply_then(close())


def reset() -> Fault:
    """The connection is reset (RST) without an answer."""
    return lambda _: Hangup.RESET


def apply_then_reset() -> Fault:
    """The effect takes place, then the connection is reset (RST) without an answer."""
    return apply_then(reset())


def status_only(status: int) -> Fault:
    """An answer that is nothing but its status."""
    return lambda _: Answer(status)


def apply_then_status(status: int) -> Fault:
    """The effect takes place, then the answer is nothing but its status."""
    return apply_then(status_only(status))


def html(status: int, body: str = "<!DOCTYPE html><html><body>An error<hr></body></html>") -> Fault:
    """A page of HTML, as a proxy gives it."""
    return lambda _: Answer(status, body.encode(), {"Content-Type": "text/html"})


def refuse(code: str, status: int, message: str = "") -> Fault:
    """CloudFront's refusal with this code."""
    return lambda exchange: exchange.refuse(code, status, message)


def throttle(status: int = 400) -> Fault:
    """Too many requests: as CloudFront was seen to say it (400), or by status (429)."""
    return refuse("Throttling" if status == 400 else "TooManyRequestsException", status, "Rate exceeded")


def expire(code: str = "ExpiredToken") -> Fault:
    """The credentials that the request was signed with have expired."""
    return refuse(code, 403, "The security token included in the request is expired")


def delay(seconds: float) -> Fault:
    """The request is applied, and answered, so much later."""
    return _wait(seconds)


def hold() -> Fault:
    """The request is applied, and answered, once the double is released."""
    return _wait(None)


def _wait(seconds: float | None) -> Fault:
    def late(exchange: Exchange) -> Answer | Hangup:
        return exchange.answer() if exchange.wait(seconds) else Hangup.CLOSE

    return late


@dataclass(frozen=True)
class _Spoilt:
    """Applies the request, and spoils the answer."""

    spoil: Callable[[Answer], Answer]

    def __call__(self, exchange: Exchange) -> Answer:
        return self.spoil(exchange.answer())


def garble() -> Fault:
    """The effect takes place, and the answer's body is neither XML nor JSON."""
    return _Spoilt(lambda answer: replace(answer, body=b"\x00\xff\xfe not XML"))


def truncated() -> Fault:
    """The effect takes place, and the answer's XML or JSON ends in the middle."""
    return _Spoilt(lambda answer: replace(answer, body=answer.body[: len(answer.body) // 2]))


def wrong_root() -> Fault:
    """The effect takes place, and the answer is well-formed XML or JSON of something else."""

    def other(answer: Answer) -> Answer:
        xml, text = b'<?xml version="1.0"?>\n<Other><Thing>1</Thing></Other>', b'{"Other": {"Thing": 1}}'
        return replace(answer, body=text if _is_json(answer) else xml)

    return _Spoilt(other)


def misstate(member: str, value: str | None) -> Fault:
    """The effect takes place, and the answer has another text in these elements, or this member; None leaves it out."""
    pattern = re.compile(rf"<{member}>.*?</{member}>".encode(), re.DOTALL)
    said = b"" if value is None else f"<{member}>{value}</{member}>".encode()

    def misstated(answer: Answer) -> Answer:
        if not _is_json(answer):
            return replace(answer, body=pattern.sub(said, answer.body))
        others = {name: content for name, content in json.loads(answer.body).items() if name != member}
        return replace(answer, body=json.dumps(others | ({} if value is None else {member: value})).encode())

    return _Spoilt(misstated)


def without_header(name: str) -> Fault:
    """The effect takes place, and the answer lacks this header."""
    return _Spoilt(
        lambda answer: replace(answer, headers={key: text for key, text in answer.headers.items() if key != name})
    )


def _is_json(answer: Answer) -> bool:
    return answer.headers.get("Content-Type") == "application/json"


def cut_body() -> Fault:
    """The effect takes place, and the connection is closed in the middle of the answer's body."""
    return _Spoilt(lambda answer: replace(answer, sent=len(answer.body) // 2))
