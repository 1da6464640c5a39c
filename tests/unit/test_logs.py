"""What the log says, and what it does not."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from cloudfront_facade_server import logs


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    package = logging.getLogger("cloudfront_facade_server").level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("cloudfront_facade_server").setLevel(package)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_both_loggers_write_json_lines_alike(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "auto")
    structlog.get_logger().info("from structlog", number=1)
    logging.getLogger("cloudfront_facade_server.somewhere").info("from %s", "logging")
    logging.getLogger("a.library").info("chatter")
    logging.getLogger("a.library").warning("trouble")
    written = lines(capsys)
    assert [line["event"] for line in written] == ["from structlog", "from logging", "trouble"]
    assert all({"level", "timestamp"} <= set(line) for line in written)


def test_the_level_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("error", "json")
    structlog.get_logger().warning("no")
    logging.getLogger("a.library").warning("no")
    structlog.get_logger().error("yes")
    assert [line["event"] for line in lines(capsys)] == ["yes"]


def test_no_exceptions_text_is_written_but_its_class_and_place_are(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")
    try:
        int("the password is hunter2")
    except ValueError as error:
        structlog.get_logger().exception("by structlog")
        logging.getLogger("a.library").exception("by logging")
        structlog.get_logger().error("by hand", exc_info=error)
    written = lines(capsys)
    assert "hunter2" not in json.dumps(written)
    assert [line["exception"] for line in written] == ["ValueError"] * 3
    assert all("test_logs.py" in line["where"] for line in written)


def test_text_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "text")
    structlog.get_logger().info("serving", listen="127.0.0.1:1")
    assert "listen=127.0.0.1:1" in capsys.readouterr().err
