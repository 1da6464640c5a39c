"""How CloudFront treats key value stores and the functions that use them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final

import pytest

from aws.account import Account, poll_until
from aws.facade import RUNTIME, Facade, outcome, report
from cloudfront_facade.v1.function_service_pb2 import (
    CreateFunctionResponse,
    FunctionConfig,
    KeyValueStoreAssociation,
)
from cloudfront_facade.v1.key_value_store_service_pb2 import (
    CreateKeyValueStoreRequest,
    CreateKeyValueStoreResponse,
    ImportSource,
    ImportSourceType,
)
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server.upstream.request_tag import KEY as REQUEST_TAG
from support.facade import Failure, function

pytestmark = [pytest.mark.aws, pytest.mark.timeout(3600)]

NewName = Callable[[str], str]

PROVISIONING_SECONDS: Final = 1800.0
"""How long Terraform waits for a store."""

TAGS: Final = [Tag(key="empty", value=""), Tag(key="team", value="edge")]


@dataclass(frozen=True)
class Fresh:
    """A store that was just created.

    Attributes:
        request: The request that created it.
        created: The response.
        answered: The monotonic time of the response.
    """

    request: CreateKeyValueStoreRequest
    created: CreateKeyValueStoreResponse
    answered: float

    @property
    def arn(self) -> str:
        """The store's ARN."""
        return self.created.key_value_store.arn

    def age(self) -> float:
        """Returns the seconds since the response."""
        return time.monotonic() - self.answered


@pytest.fixture(scope="module")
def fresh(account: Account, facade: Facade) -> Iterator[Fresh]:
    """A store that these tests share, because a store can take minutes to become READY."""
    request = CreateKeyValueStoreRequest(
        name=account.name("shared"), comment="<a> & é", tags=TAGS, request_id=str(uuid.uuid4())
    )
    try:
        created = facade.create_store(request)
        assert isinstance(created, CreateKeyValueStoreResponse), created
        yield Fresh(request, created, time.monotonic())
    finally:
        account.delete_store(request.name)


def ready(account: Account, name: str) -> Mapping[str, Any]:
    """Waits until a store is READY, and describes it."""
    return poll_until(
        lambda: account.store(name), lambda described: status_of(described) == "READY", PROVISIONING_SECONDS
    )


def status_of(described: Mapping[str, Any]) -> str:
    return str(described["KeyValueStore"].get("Status", ""))


def test_whether_a_new_store_can_be_associated(
    account: Account, facade: Facade, fresh: Fresh, function_name: NewName
) -> None:
    end = outcome(facade.create_function(associated(function_name("early"), fresh.arn), tries=1))

    status = status_of(account.store(fresh.request.name))
    report("what an association with a new store returns", f"{end}; right afterwards the store is {status}")


def test_a_store_has_the_tags_that_it_was_created_with(account: Account, fresh: Fresh) -> None:
    tags = poll_until(lambda: account.tags(fresh.arn), lambda tags: len(tags) == len(TAGS) + 1)

    report("after how many seconds at most ListTagsForResource returns a new store's tags", f"{fresh.age():.1f}")
    assert [tag for tag in tags if tag["Key"] != REQUEST_TAG] == [{"Key": tag.key, "Value": tag.value} for tag in TAGS]


def test_a_store_becomes_ready_and_is_read_back_as_it_was_created(
    account: Account, facade: Facade, fresh: Fresh
) -> None:
    statuses = {fresh.created.key_value_store.status: 0.0}

    def read() -> Mapping[str, Any]:
        described = account.store(fresh.request.name)
        statuses.setdefault(status_of(described), fresh.age())
        return described

    described = poll_until(read, lambda described: status_of(described) == "READY", PROVISIONING_SECONDS)

    ours, theirs = fresh.created.key_value_store, described["KeyValueStore"]
    summary = ", ".join(f"{status} at {seconds:.1f} s" for status, seconds in statuses.items())
    report("which statuses a new store has, and since when", summary)
    time_change = difference(ours.last_modified_time.ToDatetime(tzinfo=UTC), theirs["LastModifiedTime"])
    report("whether LastModifiedTime changes when a store becomes READY", time_change)
    report("whether the ETag changes when a store becomes READY", difference(fresh.created.etag, described["ETag"]))
    assert (theirs["Name"], theirs["Comment"]) == (fresh.request.name, fresh.request.comment)
    assert (theirs["Id"], theirs["ARN"]) == (ours.id, ours.arn)
    assert fresh.created.location


def test_a_repeated_create_returns_its_store_and_other_creates_fail(facade: Facade, fresh: Fresh) -> None:
    again = facade.create_store(fresh.request)
    taken = facade.create_store(CreateKeyValueStoreRequest(name=fresh.request.name))

    assert isinstance(again, CreateKeyValueStoreResponse), again
    assert again.key_value_store.arn == fresh.arn
    assert isinstance(taken, Failure), taken
    assert (taken.reason, taken.outcome) == ("KEY_VALUE_STORE_ALREADY_EXISTS", "not_applied")


def test_a_ready_store_is_associated(account: Account, facade: Facade, fresh: Fresh, function_name: NewName) -> None:
    ready(account, fresh.request.name)
    name = function_name("associated")

    created = facade.create_function(associated(name, fresh.arn))

    assert isinstance(created, CreateFunctionResponse), created
    config = account.function(name)["FunctionSummary"]["FunctionConfig"]
    assert config["KeyValueStoreAssociations"]["Items"] == [{"KeyValueStoreARN": fresh.arn}]


def test_what_an_association_with_a_missing_store_returns(facade: Facade, fresh: Fresh, function_name: NewName) -> None:
    missing = fresh.arn[: -len(fresh.created.key_value_store.id)] + str(uuid.uuid4())

    answer = facade.create_function(associated(function_name("missing"), missing))

    report("what an association with a missing store returns", outcome(answer))


def test_whether_a_name_can_be_created_again_with_tags_right_after_its_deletion(
    account: Account, facade: Facade, store_name: NewName
) -> None:
    name = store_name("again")
    created = facade.create_store(CreateKeyValueStoreRequest(name=name))
    assert isinstance(created, CreateKeyValueStoreResponse), created
    comment = account.store(name)["KeyValueStore"].get("Comment")
    report("which Comment a store has that was created without one", repr(comment))

    errors = account.delete_store(name)
    report("which errors the deletion of a new store returns", ", ".join(sorted(set(errors))) or "none")
    again = facade.create_store(CreateKeyValueStoreRequest(name=name, tags=[Tag(key="again", value="1")]), tries=1)
    report("what a create of a store with tags returns right after the deletion of the same name", outcome(again))


def test_what_an_import_from_a_missing_object_returns(account: Account, facade: Facade, store_name: NewName) -> None:
    source = ImportSource(
        source_type=ImportSourceType.IMPORT_SOURCE_TYPE_S3,
        source_arn=f"arn:aws:s3:::{account.prefix}missing/missing.json",
    )
    answer = facade.create_store(CreateKeyValueStoreRequest(name=store_name("import"), import_source=source))

    report("what a create with a missing import source returns", outcome(answer))


def associated(name: str, arn: str) -> Any:
    association = KeyValueStoreAssociation(key_value_store_arn=arn)
    config = FunctionConfig(runtime=RUNTIME, key_value_store_associations=[association])
    return function(name, function_config=config)


def difference(before: object, after: object) -> str:
    return "no" if before == after else f"yes, from {before} to {after}"
