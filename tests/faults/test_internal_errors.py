"""Bugs are reported without the text of the exception."""

from __future__ import annotations

from typing import Any, cast

import grpc
import pytest

from cloudfront_facade_server.backends.protocol import Backend
from support.facade import REQUEST_ID, failing, function, running_facade


class BuggyBackend:
    """A backend with a bug whose message contains a secret."""

    name = "buggy"

    def create_function(self, **_: Any) -> Any:
        raise RuntimeError("the password is hunter2")

    def close(self) -> None:
        pass


def test_the_message_of_a_bug_reaches_neither_the_caller_nor_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    with running_facade(cast(Backend, BuggyBackend())) as facade:
        failure = failing(facade.functions.CreateFunction, function(request_id=REQUEST_ID))

    assert failure.code is grpc.StatusCode.INTERNAL
    assert (failure.message, failure.reason, failure.outcome) == ("internal error", "INTERNAL", "unknown")
    assert "hunter2" not in repr(failure)
    logged = "".join(capfd.readouterr())
    assert "RuntimeError" in logged
    assert "create_function" in logged
    assert "hunter2" not in logged
