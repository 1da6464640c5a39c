"""Logs: their content, what they must not contain, and that they never block."""

from __future__ import annotations

import io
import json
import logging
import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

import pytest
import structlog

import cloudfront_facade_server
from cloudfront_facade_server import logs


@pytest.fixture(autouse=True)
def restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    package = logging.getLogger("cloudfront_facade_server").level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("cloudfront_facade_server").setLevel(package)
    structlog.reset_defaults()


def lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capfd.readouterr().err.splitlines()]


def test_structlog_and_logging_write_the_same_json_lines(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "auto")
    structlog.get_logger().info("from structlog", number=1)
    logging.getLogger("cloudfront_facade_server.somewhere").info("from %s", "logging")
    logging.getLogger("a.package").info("chatter")
    logging.getLogger("a.package").warning("trouble")
    written = lines(capfd)
    assert [line["event"] for line in written] == ["from structlog", "from logging", "trouble"]
    assert all({"level", "timestamp"} <= set(line) for line in written)


def test_lines_below_the_level_are_not_written(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("error", "json")
    structlog.get_logger().warning("no")
    logging.getLogger("a.package").warning("no")
    structlog.get_logger().error("yes")
    assert [line["event"] for line in lines(capfd)] == ["yes"]


def test_exceptions_are_logged_with_class_and_location_but_without_text(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")
    try:
        int("the password is hunter2")
    except ValueError as error:
        structlog.get_logger().exception("by structlog")
        logging.getLogger("a.package").exception("by logging")
        structlog.get_logger().error("by hand", exc_info=error)
    written = lines(capfd)
    assert "hunter2" not in json.dumps(written)
    assert [line["exception"] for line in written] == ["ValueError"] * 3
    assert all("test_logs.py" in line["where"] for line in written)


def test_text_format_writes_plain_fields(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "text")
    structlog.get_logger().info("serving", listen="127.0.0.1:1")
    assert "listen=127.0.0.1:1" in capfd.readouterr().err


HOSTILE: Final = {
    "escape sequence": "\x1b[2J\x1b]0;owned\x07",
    "delete": "a\x7fb",
    "C1": "\x9b31m\x85",
    "carriage return": "x\rserving",
    "newline": "x\nserving",
    "line separators": "x\u2028y\u2029z\x0b\x0c",
    "right-to-left override": "\u202egnp.exe\u2066\u200f",
    "invisible": "a\u200bb\ufeff\u00ad\U000e0041",
    "unpaired surrogate": "\ud800",
    "quotes and newline": "'\"\n=",
}


@pytest.mark.parametrize("log_format", ["json", "text"])
@pytest.mark.parametrize("name", HOSTILE)
def test_every_event_is_one_printable_line_whatever_a_caller_sends(
    name: str, log_format: Literal["json", "text"], capfd: pytest.CaptureFixture[str]
) -> None:
    text = HOSTILE[name]
    logs.configure("info", log_format)

    structlog.get_logger().info("rpc", method=text, cause=f"a {text} b", values=[text], error=ValueError(text))
    structlog.get_logger().info(f"event {text}")
    logging.getLogger("a.package").warning("from a library: %s", text)
    structlog.get_logger().error("internal", exception=f"Error{text}")

    written = capfd.readouterr().err
    assert written.count("\n") == 4
    assert all(line.isprintable() for line in written.split("\n"))
    if log_format == "json":
        line, event, *_ = map(json.loads, written.splitlines())
        assert (line["method"], line["cause"], line["values"]) == (text, f"a {text} b", [text])
        assert event["event"] == f"event {text}"


def test_a_text_that_looks_escaped_differs_from_one_that_was_escaped(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "text")

    structlog.get_logger().info("rpc", method="\\x1b")
    structlog.get_logger().info("rpc", method="\x1b")

    first, second = (line.partition("method=")[2] for line in capfd.readouterr().err.splitlines())
    assert (first, second) == (r"'\\x1b'", r"'\x1b'")


def test_a_text_line_has_the_class_of_an_exception(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "text")

    structlog.get_logger().error("internal", exc_info=ValueError("hunter2"))

    (line,) = capfd.readouterr().err.splitlines()
    assert line.endswith(" exception=ValueError")


@contextmanager
def standard_error_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Yields the reading end of a pipe that standard error is replaced with."""
    read, write = os.pipe()
    with os.fdopen(write, "w") as error, monkeypatch.context() as patched:
        patched.setattr("sys.stderr", error)
        yield read
    os.close(read)


def read_available(pipe: int) -> list[dict[str, Any]]:
    content = b""
    while select.select([pipe], [], [], 0)[0] and (chunk := os.read(pipe, 65_536)):
        content += chunk
    return [json.loads(line) for line in content.splitlines()]


def test_a_full_pipe_never_blocks_and_lost_lines_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logs.configure("info", "json")
    log, count = structlog.get_logger(), 2000

    def write() -> None:
        for number in range(count):
            log.info("line", number=number, filling="x" * 200)

    with standard_error_in_a_pipe(monkeypatch) as pipe:
        writing = threading.Thread(target=write, daemon=True)
        writing.start()
        writing.join(10)
        is_blocked = writing.is_alive()
        kept = read_available(pipe)
        log.info("read again")
        log.info("and again")
        lost, *rest = read_available(pipe)

    assert not is_blocked, "logging must not wait for a reader"
    assert [line["number"] for line in kept] == list(range(len(kept))), "the first lines are kept completely"
    assert (lost["event"], lost["count"]) == ("log lines dropped", count - len(kept))
    assert [line["event"] for line in rest] == ["read again", "and again"]


def test_lines_without_a_standard_error_are_counted_as_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    logs.configure("info", "json")
    log = structlog.get_logger()
    with monkeypatch.context() as nowhere:
        nowhere.setattr("sys.stderr", io.StringIO())  # no descriptor
        log.info("first")
        log.error("second")
    with standard_error_in_a_pipe(monkeypatch) as pipe:
        log.info("third")
        lost, third = read_available(pipe)
    assert (lost["event"], lost["count"], third["event"]) == ("log lines dropped", 2, "third")


def test_messages_have_values_in_double_quotes() -> None:
    sources = Path(cloudfront_facade_server.__file__).parent.rglob("*.py")

    assert [path.name for path in sources if "%r" in path.read_text()] == [], "use double quotes and printable()"
