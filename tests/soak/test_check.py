"""The check of a history finds every answer that is not true."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from cloudfront_facade.v1.function_service_pb2 import (
    DeleteFunctionRequest,
    PublishFunctionRequest,
    UpdateFunctionRequest,
)
from cloudfront_facade.v1.key_value_store_data_service_pb2 import DeleteKeyRequest, PutKeyRequest
from cloudfront_facade.v1.key_value_store_service_pb2 import DeleteKeyValueStoreRequest
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade.v1.tag_service_pb2 import TagResourceRequest, UntagResourceRequest
from soak.check import INVARIANTS, problems
from soak.history import Answer, Asked, History
from soak.upstream import Applied, Upstream
from support.facade import ANOTHER_ID, CODE, REQUEST_ID, function

OK = Answer("OK", "applied", replica="A", sent=10.0)
UNKNOWN = Answer("UNAVAILABLE", "unknown", replica="A", sent=1.0)
NOT_APPLIED = Answer("UNAVAILABLE", "not_applied", replica="A", sent=1.0)
CONFIG = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
TAGS = [Tag(key="team", value="edge")]


class World:
    """A CloudFront and a history that agree. CloudFront has the function "f" and a store with the key "k"."""

    def __init__(self, upstream: Upstream) -> None:
        self.upstream, self.history = upstream, History()
        upstream.apply("CreateKeyValueStore", {"Name": "gone"})
        self.store_etag = upstream.stores["gone"].etag
        upstream.apply("DeleteKeyValueStore", {"Name": "gone", "IfMatch": self.store_etag})
        upstream.apply("CreateKeyValueStore", {"Name": "shared"})
        self.store = upstream.stores["shared"]
        tags = {"Items": [{"Key": tag.key, "Value": tag.value} for tag in TAGS]}
        code = {"FunctionConfig": CONFIG, "FunctionCode": b"updated"}
        etag = upstream.apply("CreateFunction", {"Name": "f", **code, "Tags": tags})["ETag"]
        upstream.apply("PublishFunction", {"Name": "f", "IfMatch": etag})
        self.function = upstream.functions["f"]
        self.store.items["k"] = "2"
        arn = self.function.arn
        self.create = self.ask(function("f", tags=TAGS, request_id=REQUEST_ID), UNKNOWN, OK, applied=-5.0)
        self.update = self.ask(UpdateFunctionRequest(name="f", etag="E0", function_code=b"updated"), OK)
        self.ask(PublishFunctionRequest(name="f", etag=etag), OK)
        self.tag = self.ask(TagResourceRequest(resource=arn, tags=[Tag(key="new", value="1")]), OK)
        self.ask(UntagResourceRequest(resource=arn, tag_keys=["new"]), OK)
        self.deletion = self.ask(DeleteKeyValueStoreRequest(name="gone", etag=self.store_etag), OK)
        self.ask(PutKeyRequest(kvs_arn=self.store.arn, key="k", value="1"), OK)
        self.ask(DeleteKeyRequest(kvs_arn=self.store.arn, key="k"), replace(OK, sent=15.0))
        self.ask(DeleteKeyRequest(kvs_arn=self.store.arn, key="k"), replace(OK, sent=20.0), applied=None)
        self.put = self.ask(PutKeyRequest(kvs_arn=self.store.arn, key="k", value="2"), replace(OK, sent=30.0))

    def ask(self, request: Any, *answers: Answer, applied: float | None = 1.0, **kinds: Any) -> Asked:
        """Adds a request and its answers to the history.

        With `applied`, CloudFront has applied it so many seconds after its last send.
        """
        asked = Asked(request, answers=[*answers], **kinds)
        self.history.requests.append(asked)
        if applied is not None:
            self.upstream.applied.append(Applied(asked.effects, "A", asked.last.sent + applied))
        return asked


@pytest.fixture
def world() -> Iterator[World]:
    with Upstream("seed") as upstream:
        yield World(upstream)


def test_true_history_has_no_problems(world: World) -> None:
    assert problems(world.history, world.upstream) == []


def not_applied_before_it_was_applied(world: World) -> None:
    world.create.answers[0] = NOT_APPLIED


def not_applied_although_it_was_applied(world: World) -> None:
    deletion = DeleteFunctionRequest(name="old", etag="E1")
    absent = Answer("NOT_FOUND", "not_applied", replica="A", sent=3.0)
    world.ask(deletion, NOT_APPLIED, absent, applied=-1.0, resolving=frozenset({"NOT_FOUND"}))


def another_replica(world: World) -> None:
    world.upstream.applied[0] = replace(world.upstream.applied[0], replica="B")


def not_sent_yet(world: World) -> None:
    world.upstream.applied[0] = replace(world.upstream.applied[0], arrived=0.5)


def lost_update(world: World) -> None:
    world.upstream.applied = [each for each in world.upstream.applied if each.effects != world.update.effects]


def lost_deletion_of_a_key(world: World) -> None:
    world.ask(DeleteKeyRequest(kvs_arn=world.store.arn, key="k"), replace(OK, sent=40.0), applied=None)
    del world.store.items["k"]


def update_applied_twice(world: World) -> None:
    world.upstream.applied.append(Applied(world.update.effects, "A", 12.0))


def no_answer_resolves(world: World) -> None:
    world.tag.answers[:] = [UNKNOWN]


def two_owners(world: World) -> None:
    world.ask(function("f", tags=TAGS, function_code=b"updated", request_id=ANOTHER_ID), OK, applied=None)


def no_owner(world: World) -> None:
    ends = frozenset({"OK", "ALREADY_EXISTS"})
    for identity in (REQUEST_ID, ANOTHER_ID):
        conflict = Answer("ALREADY_EXISTS", "not_applied", replica="A")
        world.ask(function("g", request_id=identity), conflict, applied=None, contested=True, resolving=ends)


def deleted_resource_exists(world: World) -> None:
    world.upstream.apply("CreateKeyValueStore", {"Name": "gone"})


def first_deletion_finds_nothing(world: World) -> None:
    world.deletion.answers[:] = [Answer("NOT_FOUND", "not_applied", replica="A"), OK]


def read_finds_nothing(world: World) -> None:
    world.history.false_absences.append("f")


def change_tags(world: World) -> None:
    world.upstream.tags[world.function.arn] = []


def change_code(world: World) -> None:
    world.function.code = CODE


def unpublish(world: World) -> None:
    world.function.live = None


def remove(world: World) -> None:
    del world.upstream.functions["f"]


def change_key(world: World) -> None:
    world.store.items["k"] = "1"


def add_key(world: World) -> None:
    world.store.items["foreign"] = "2"


FALSE: dict[Callable[[World], None], str] = {
    not_applied_before_it_was_applied: "not applied is true",
    not_applied_although_it_was_applied: "not applied is true",
    another_replica: "applied was asked for",
    not_sent_yet: "applied was asked for",
    lost_update: "applied is true",
    lost_deletion_of_a_key: "applied is true",
    update_applied_twice: "versions are replaced once",
    no_answer_resolves: "repeats resolve",
    two_owners: "names have one owner",
    no_owner: "names have one owner",
    deleted_resource_exists: "deletions delete",
    first_deletion_finds_nothing: "deletions delete",
    read_finds_nothing: "reads find what exists",
    change_tags: "resources agree",
    change_code: "resources agree",
    unpublish: "resources agree",
    remove: "resources agree",
    change_key: "keys agree",
    add_key: "keys agree",
}


@pytest.mark.parametrize(("change", "invariant"), FALSE.items())
def test_answer_that_is_not_true_is_found(world: World, change: Callable[[World], None], invariant: str) -> None:
    change(world)
    assert invariant in {problem.partition(":")[0] for problem in problems(world.history, world.upstream)}


def test_every_invariant_can_be_broken() -> None:
    assert {*FALSE.values()} == {*INVARIANTS}
