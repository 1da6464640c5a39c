"""Errors on the caller's side of an import: of the source, the items and the progress callback."""

from __future__ import annotations

import asyncio
import re
import traceback
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from client.both import Run, both
from client.canned import PATIENCE, Canned, Endless, running_server
from client.importing import ARN, PARTIAL, RecordingServicer, failing
from cloudfront_facade import FacadeError, aio, connect
from cloudfront_facade.jobs import put_many
from support.messages import put


@both
@pytest.mark.parametrize(
    "error", [LookupError("the file ended"), FacadeError(grpc.StatusCode.NOT_FOUND), asyncio.InvalidStateError()]
)
def test_an_error_of_the_source_ends_the_call_and_is_raised(run: Run, error: Exception) -> None:
    servicer, reported = RecordingServicer(), [0]
    with running_server(servicer) as target:
        with pytest.raises(type(error)) as caught:
            run(target, "key_values", "put_many", ARN, failing(error), progress=lambda sent, _: reported.append(sent))
        assert servicer.ended.wait(PATIENCE)
    assert caught.value is error

    assert 2500 < reported[-1] < 3000
    assert caught.value.__notes__[-1] == (
        f"{reported[-1]} changes had been handed to gRPC; the first batches of them may have been applied."
    )


@both
def test_an_error_before_the_first_request_notes_that_nothing_was_applied(run: Run) -> None:
    keys = {0: "a"}
    with running_server(Canned()) as target, pytest.raises(LookupError) as caught:
        run(target, "key_values", "import_keys", ARN, (put(keys[number]) for number in range(2)))
    assert caught.value.__notes__ == ["0 changes had been handed to gRPC; none was applied."]


@both
def test_an_error_status_does_not_get_a_note(run: Run) -> None:
    with running_server(Canned(PARTIAL)) as target, pytest.raises(FacadeError) as caught:
        run(target, "key_values", "put_many", ARN, {"a": "1"})
    assert not hasattr(caught.value, "__notes__")


NOT_A_PAIR = "items[1] must be a pair of a key and a value"


@both
@pytest.mark.parametrize(
    ("item", "kind", "message"),
    [
        (("secret", None), TypeError, "the value of items[1] must be str, not None"),
        (("secret", 5), TypeError, "the value of items[1] must be str, not int"),
        (("secret", b"secret"), TypeError, "the value of items[1] must be str, not bytes"),
        ((None, "secret"), TypeError, "the key of items[1] must be str, not None"),
        (("secret", "secret", "secret"), ValueError, NOT_A_PAIR),
        (("secret",), ValueError, NOT_A_PAIR),
        ("ab", ValueError, NOT_A_PAIR),
        (7, ValueError, NOT_A_PAIR),
        (("secret", "secret\ud800"), ValueError, "the value of items[1] contains a lone surrogate"),
        (("secret\ud800", "secret"), ValueError, "the key of items[1] contains a lone surrogate"),
    ],
)
def test_an_invalid_item_is_rejected_by_its_index(run: Run, item: Any, kind: type[Exception], message: str) -> None:
    servicer = Canned()
    with running_server(servicer) as target, pytest.raises(kind, match=re.escape(message)) as caught:
        run(target, "key_values", "put_many", ARN, [("a", "1"), item])
    assert "secret" not in "".join(traceback.format_exception_only(caught.value))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@both
def test_a_change_of_a_wrong_type_is_rejected_by_its_index(run: Run) -> None:
    changes: Any = [put("a"), ("secret", "secret")]
    with (
        running_server(Canned()) as target,
        pytest.raises(TypeError, match=r"changes\[1\] must be KeyChange, not tuple") as caught,
    ):
        run(target, "key_values", "import_keys", ARN, changes)
    assert caught.value.__notes__ == ["0 changes had been handed to gRPC; none was applied."]


def test_a_value_of_none_is_rejected_in_mappings_and_asynchronous_iterables() -> None:
    async def wrong() -> AsyncIterator[Any]:
        yield "a", "1"
        yield "b", None

    async def main(target: str) -> None:
        async with aio.connect(target) as facade:
            await aio.put_many(facade.key_values, ARN, wrong())

    mapping: Any = {"a": "1", "b": None}
    with running_server(Canned()) as target:
        with connect(target) as facade, pytest.raises(TypeError, match=r"items\[1\] must be str, not None"):
            put_many(facade.key_values, ARN, mapping)
        with pytest.raises(TypeError, match=r"items\[1\] must be str, not None"):
            asyncio.run(main(target))


def test_an_aborted_import_does_not_look_complete_to_the_server() -> None:
    servicer = RecordingServicer()
    with running_server(servicer) as target, connect(target) as facade:
        with pytest.raises(LookupError):
            put_many(facade.key_values, ARN, failing(LookupError()))
        assert servicer.ended.wait(PATIENCE)
    assert not servicer.looked_complete


@both
def test_an_error_of_the_progress_callback_ends_the_call_and_is_raised(run: Run) -> None:
    def progress(sent: int, total: int | None) -> None:
        if sent > 3000:
            raise KeyboardInterrupt

    servicer = RecordingServicer()
    with running_server(servicer) as target:
        with pytest.raises(KeyboardInterrupt):
            run(target, "key_values", "put_many", ARN, Endless(), progress=progress)
        assert servicer.ended.wait(PATIENCE)
