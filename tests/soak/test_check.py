"""The check of a history finds every answer that is not true."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from cloudfront_facade.v1.key_value_store_data_service_pb2 import PutKeyRequest
from cloudfront_facade.v1.tag_pb2 import Tag
from soak.check import problems
from soak.history import Answer, Create, Delete, History, Write
from soak.upstream import Upstream
from support.facade import ANOTHER_ID, REQUEST_ID, function

STORE = "shared"
OK = Answer("OK")
UNKNOWN = Answer("UNAVAILABLE", "unknown")


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """A CloudFront with the function "f" and the key "k"."""
    with Upstream("seed") as upstream:
        upstream.apply("CreateKeyValueStore", {"Name": STORE})
        upstream.stores[STORE].items["k"] = "1"
        config = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
        tags = {"Items": [{"Key": "team", "Value": "edge"}]}
        code = function().function_code
        upstream.apply("CreateFunction", {"Name": "f", "FunctionConfig": config, "FunctionCode": code, "Tags": tags})
        yield upstream


def created(*answers: Answer, name: str = "f", request_id: str = REQUEST_ID, contested: bool = False) -> Create:
    request = function(name, tags=[Tag(key="team", value="edge")], request_id=request_id)
    return Create(request, contested, answers=[*answers])


def wrote(value: str | None) -> Write:
    return Write({"k": value}, "PutKey", PutKeyRequest(), answers=[OK])


def test_true_history_has_no_problems(upstream: Upstream) -> None:
    history = History(creates=[created(UNKNOWN, OK)], writes=[wrote("0"), wrote("1")])
    assert problems(history, upstream, STORE) == []


def change_tags(upstream: Upstream) -> None:
    upstream.tags[upstream.functions["f"].arn] = []


def change_code(upstream: Upstream) -> None:
    upstream.functions["f"].code = b"other"


def create_again(upstream: Upstream) -> None:
    upstream.applied["CreateFunction", "f"] += 1


def remove(upstream: Upstream) -> None:
    del upstream.functions["f"]


def change_key(upstream: Upstream) -> None:
    upstream.stores[STORE].items["k"] = "2"


def add_key(upstream: Upstream) -> None:
    upstream.stores[STORE].items["foreign"] = "2"


@pytest.mark.parametrize("change", [change_tags, change_code, create_again, remove, change_key, add_key])
def test_cloudfront_that_differs_from_the_answers_is_found(
    upstream: Upstream, change: Callable[[Upstream], None]
) -> None:
    change(upstream)
    assert len(problems(History(creates=[created(OK)], writes=[wrote("1")]), upstream, STORE)) == 1


@pytest.mark.parametrize(
    "history",
    [
        History(creates=[created(UNKNOWN)]),
        History(creates=[created(OK), created(OK, request_id=ANOTHER_ID)]),
        History(creates=[created(Answer("ALREADY_EXISTS"))]),
        History(creates=[created(Answer("UNAVAILABLE", "not_applied"), request_id="")]),
        History(creates=[created(OK, name="absent")]),
        History(deletes=[Delete("f", "E1", answers=[OK])]),
        History(creates=[created(OK)], false_absences=["f"]),
    ],
    ids=["unresolved", "two owners", "false conflict", "falsely not applied", "lost", "not deleted", "absent"],
)
def test_answer_that_is_not_true_is_found(upstream: Upstream, history: History) -> None:
    history.writes.append(wrote("1"))
    assert problems(history, upstream, STORE)
