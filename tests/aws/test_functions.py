"""What CloudFront does with functions and their tags."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

import pytest

from aws.account import Account, until
from aws.facade import CODE, RUNTIME, Facade, function, outcome, tell
from cloudfront_facade.v1.function_service_pb2 import CreateFunctionResponse, FunctionConfig, FunctionStage
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server.upstream.request_tag import KEY as REQUEST_TAG
from support.facade import Failure

pytestmark = [pytest.mark.aws, pytest.mark.timeout(1800)]

NewName = Callable[[str], str]

TAGS: Final = [Tag(key="Cost Center", value="a+b=c@d/e:f"), Tag(key="empty", value=""), Tag(key="team", value="edge")]


def test_a_function_is_read_back_as_it_was_created(account: Account, facade: Facade, function_name: NewName) -> None:
    config = FunctionConfig(runtime=RUNTIME, comment="<a> & 'b' \"c\" é")
    request = function(function_name("whole"), function_config=config, tags=TAGS, request_id=str(uuid.uuid4()))

    created = facade.create_function(request)
    answered = time.monotonic()

    assert isinstance(created, CreateFunctionResponse), created
    summary, metadata = created.function_summary, created.function_summary.function_metadata
    described = account.function(request.name)
    tell("after how many seconds DescribeFunction shows a new function", f"{time.monotonic() - answered:.1f}")
    tags = until(lambda: account.tags(metadata.function_arn), lambda found: len(found) == len(TAGS) + 1)
    tell("after how many seconds ListTagsForResource shows a new function's tags", f"{time.monotonic() - answered:.1f}")
    theirs = described["FunctionSummary"]
    date = parsedate_to_datetime(described["ResponseMetadata"]["HTTPHeaders"]["date"])
    age = (date - theirs["FunctionMetadata"]["CreatedTime"]).total_seconds()
    tell("how old the function is by CloudFront's own Date when it shows first", f"{age:.1f} s")
    tell("which status words a new function has", f"{summary.status} in the create, {theirs['Status']} in Describe")

    assert summary.function_config == config
    assert (theirs["Name"], theirs["FunctionConfig"]["Comment"]) == (summary.name, config.comment)
    assert theirs["FunctionMetadata"]["FunctionARN"] == metadata.function_arn
    assert metadata.stage == FunctionStage.FUNCTION_STAGE_DEVELOPMENT
    assert metadata.created_time.ToDatetime(tzinfo=UTC) == theirs["FunctionMetadata"]["CreatedTime"]
    assert created.etag == described["ETag"]
    assert created.location
    assert account.client.get_function(Name=request.name, Stage="DEVELOPMENT")["FunctionCode"].read() == CODE
    request_tag = next(tag for tag in tags if tag["Key"] == REQUEST_TAG)
    assert [tag for tag in tags if tag != request_tag] == [{"Key": tag.key, "Value": tag.value} for tag in TAGS]

    again = facade.create_function(request)
    assert isinstance(again, CreateFunctionResponse), again
    assert again.function_summary.function_metadata.function_arn == metadata.function_arn
    taken = facade.create_function(function(request.name))
    assert isinstance(taken, Failure), taken
    assert (taken.reason, taken.outcome) == ("FUNCTION_ALREADY_EXISTS", "not_applied")


def test_a_tag_without_a_value_is_kept_somehow(account: Account, facade: Facade, function_name: NewName) -> None:
    request = function(function_name("values"), tags=[Tag(key="absent"), Tag(key="empty", value="")])

    created = facade.create_function(request)

    assert isinstance(created, CreateFunctionResponse), created
    arn = created.function_summary.function_metadata.function_arn
    tags = until(lambda: account.tags(arn), lambda found: len(found) == 2)
    tell("how a tag without a value, and one with an empty one, come back", tags)


def test_tags_of_the_wide_character_set_are_taken_or_not(facade: Facade, function_name: NewName) -> None:
    for what, text in {"letters": "équipe 東京", "no-break space": "a\u00a0b", "number": "½"}.items():
        answer = facade.create_function(function(function_name("wide"), tags=[Tag(key=text, value=text)]))
        tell(f"whether CloudFront takes {what} beyond ASCII in tags", outcome(answer))


def test_code_of_every_kind_is_taken_or_not(account: Account, facade: Facade, function_name: NewName) -> None:
    for what, code in {"not UTF-8": bytes(range(256)), "no JavaScript": b"((((", "one byte": b";"}.items():
        name = function_name("code")
        answer = facade.create_function(function(name, function_code=code))
        tell(f"whether CloudFront takes code that is {what}", outcome(answer))
        if not isinstance(answer, Failure):
            account.function(name)
            assert account.client.get_function(Name=name, Stage="DEVELOPMENT")["FunctionCode"].read() == code


def test_the_quota_of_code_is_10000_or_10240_bytes(facade: Facade, function_name: NewName) -> None:
    found = {}
    for size in (10_000, 10_001, 10_240, 10_241):
        code = CODE + b"/" * (size - len(CODE))
        found[size] = outcome(facade.create_function(function(function_name(f"code-{size}"), function_code=code)))

    tell("how many bytes of code CloudFront takes", "; ".join(f"{size}: {end}" for size, end in found.items()))


def test_a_name_can_be_created_again_with_tags_right_after_its_deletion_or_not(
    account: Account, facade: Facade, function_name: NewName
) -> None:
    name = function_name("again")
    ends = []
    for number in range(4):
        # Asked without patience: a conflict is the answer, not an obstacle.
        request = function(name, tags=[Tag(key="round", value=str(number))], request_id=str(uuid.uuid4()))
        ends.append(outcome(facade.create_function(request, tries=1)))
        if "TaggingConflict" in ends[-1]:
            made = "yes" if name in account.functions() else "no"
            tell("whether a create that answers TaggingConflict makes the function all the same", made)
        account.delete_function(name)

    tell("how creating with tags ends right after the deletion of the same name", ", ".join(ends[1:]))
    tell("whether TaggingConflict was seen", "yes" if any("TaggingConflict" in end for end in ends) else "no")
    assert ends[0] == "created"
