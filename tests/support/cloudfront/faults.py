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

from .wire import HttpResponse


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
        headers: The headers of the request; names are in lower case.
        apply: Runs the operation and returns CloudFront's response.
        error: Returns CloudFront's error response with a code, an HTTP status and a message.
        wait: Waits for this many seconds (None: without a limit) or until the double is released; returns False if the
            double is closing.
    """

    operation: str
    arguments: Mapping[str, Any]
    headers: Mapping[str, str]
    apply: Callable[[], HttpResponse]
    error: Callable[[str, int, str], HttpResponse]
    wait: Callable[[float | None], bool]
    _response: HttpResponse | None = None

    def response(self) -> HttpResponse:
        """Applies the request unless it was applied before, and returns CloudFront's response."""
        if self._response is None:
            self._response = self.apply()
        return self._response


Fault = Callable[[Exchange], HttpResponse | Hangup]


def normally() -> Fault:
    """Responds normally, for scripts in which only a later request fails."""
    return lambda exchange: exchange.response()


def apply_then(fault: Fault) -> Fault:
    """Applies the request, then causes the fault."""

    def applied(exchange: Exchange) -> HttpResponse | Hangup:
        exchange.response()
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
    return lambda _: HttpResponse(status)


def apply_then_status(status: int) -> Fault:
    """Applies the request, then responds with a status and no body."""
    return apply_then(status_only(status))


def html(status: int, body: str = "<!DOCTYPE html><html><body>An error<hr></body></html>") -> Fault:
    """Responds with an HTML page, as a proxy does."""
    return lambda _: HttpResponse(status, body.encode(), {"Content-Type": "text/html"})


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
    def late(exchange: Exchange) -> HttpResponse | Hangup:
        return exchange.response() if exchange.wait(seconds) else Hangup.CLOSE

    return late


@dataclass(frozen=True)
class _ChangedResponse:
    """Applies the request and changes the response."""

    change: Callable[[HttpResponse], HttpResponse]

    def __call__(self, exchange: Exchange) -> HttpResponse:
        return self.change(exchange.response())


def garble() -> Fault:
    """Applies the request; the body of the response is neither XML nor JSON."""
    return _ChangedResponse(lambda response: replace(response, body=b"\x00\xff\xfe not XML"))


def truncated() -> Fault:
    """Applies the request; the XML or JSON of the response ends in the middle."""
    return _ChangedResponse(lambda response: replace(response, body=response.body[: len(response.body) // 2]))


def wrong_root() -> Fault:
    """Applies the request; the response is well-formed XML or JSON, but has another root."""

    def other(response: HttpResponse) -> HttpResponse:
        xml, text = b'<?xml version="1.0"?>\n<Other><Thing>1</Thing></Other>', b'{"Other": {"Thing": 1}}'
        return replace(response, body=text if _is_json(response) else xml)

    return _ChangedResponse(other)


def misstate(member: str, value: str | None) -> Fault:
    """Applies the request; in the response, this element or member has another value, or is missing if None."""
    pattern = re.compile(rf"<{member}>.*?</{member}>".encode(), re.DOTALL)
    replacement = b"" if value is None else f"<{member}>{value}</{member}>".encode()

    def misstated(response: HttpResponse) -> HttpResponse:
        if not _is_json(response):
            return replace(response, body=pattern.sub(replacement, response.body))
        others = {name: content for name, content in json.loads(response.body).items() if name != member}
        return replace(response, body=json.dumps(others | ({} if value is None else {member: value})).encode())

    return _ChangedResponse(misstated)


def without_header(name: str) -> Fault:
    """Applies the request; the response lacks this header."""
    return _ChangedResponse(
        lambda response: replace(response, headers={key: text for key, text in response.headers.items() if key != name})
    )


def _is_json(response: HttpResponse) -> bool:
    return response.headers.get("Content-Type") == "application/json"


def cut_body() -> Fault:
    """Applies the request; the connection is closed in the middle of the response's body."""
    return _ChangedResponse(lambda response: replace(response, sent=len(response.body) // 2))
