"""How CloudFront treats functions and their tags."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

import pytest

from aws.account import Account, poll_until
from aws.facade import RUNTIME, Facade, outcome, report
from cloudfront_facade.v1.function_service_pb2 import CreateFunctionResponse, FunctionConfig, FunctionStage
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server.upstream.request_tag import KEY as REQUEST_TAG
from support.facade import CODE, Failure, function

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
    report("after how many seconds DescribeFunction returns a new function", f"{time.monotonic() - answered:.1f}")
    tags = poll_until(lambda: account.tags(metadata.function_arn), lambda tags: len(tags) == len(TAGS) + 1)
    report(
        "after how many seconds ListTagsForResource returns a new function's tags", f"{time.monotonic() - answered:.1f}"
    )
    theirs = described["FunctionSummary"]
    date = parsedate_to_datetime(described["ResponseMetadata"]["HTTPHeaders"]["date"])
    age = (date - theirs["FunctionMetadata"]["CreatedTime"]).total_seconds()
    report("how old a function is by CloudFront's Date header when it is first returned", f"{age:.1f} s")
    report("which status a new function has", f"{summary.status} in the create, {theirs['Status']} in Describe")

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


def test_how_a_tag_without_a_value_is_returned(account: Account, facade: Facade, function_name: NewName) -> None:
    request = function(function_name("values"), tags=[Tag(key="absent"), Tag(key="empty", value="")])

    created = facade.create_function(request)

    assert isinstance(created, CreateFunctionResponse), created
    arn = created.function_summary.function_metadata.function_arn
    tags = poll_until(lambda: account.tags(arn), lambda tags: len(tags) == 2)
    report("how a tag without a value and a tag with an empty value are returned", tags)


def test_whether_tags_beyond_ascii_are_accepted(facade: Facade, function_name: NewName) -> None:
    for description, text in {"letters": "équipe 東京", "no-break space": "a\u00a0b", "number": "½"}.items():
        answer = facade.create_function(function(function_name("wide"), tags=[Tag(key=text, value=text)]))
        report(f"whether CloudFront accepts {description} beyond ASCII in tags", outcome(answer))


def test_whether_any_bytes_are_accepted_as_code(account: Account, facade: Facade, function_name: NewName) -> None:
    for description, code in {"not UTF-8": bytes(range(256)), "not JavaScript": b"((((", "one byte": b";"}.items():
        name = function_name("code")
        answer = facade.create_function(function(name, function_code=code))
        report(f"whether CloudFront accepts code that is {description}", outcome(answer))
        if not isinstance(answer, Failure):
            account.function(name)
            assert account.client.get_function(Name=name, Stage="DEVELOPMENT")["FunctionCode"].read() == code


def test_whether_the_code_quota_is_10000_or_10240_bytes(facade: Facade, function_name: NewName) -> None:
    outcomes = {}
    for size in (10_000, 10_001, 10_240, 10_241):
        code = CODE + b"/" * (size - len(CODE))
        outcomes[size] = outcome(facade.create_function(function(function_name(f"code-{size}"), function_code=code)))

    report(
        "how many bytes of code CloudFront accepts", "; ".join(f"{size}: {result}" for size, result in outcomes.items())
    )


def test_whether_a_name_can_be_created_again_with_tags_right_after_its_deletion(
    account: Account, facade: Facade, function_name: NewName
) -> None:
    name = function_name("again")
    outcomes = []
    for number in range(4):
        # Do not retry: a conflict answers the question.
        request = function(name, tags=[Tag(key="round", value=str(number))], request_id=str(uuid.uuid4()))
        outcomes.append(outcome(facade.create_function(request, tries=1)))
        if "TaggingConflict" in outcomes[-1]:
            created = "yes" if name in account.functions() else "no"
            report("whether a create that fails with TaggingConflict creates the function anyway", created)
        account.delete_function(name)

    report("what a create with tags returns right after the deletion of the same name", ", ".join(outcomes[1:]))
    report("whether TaggingConflict occurred", "yes" if any("TaggingConflict" in text for text in outcomes) else "no")
    assert outcomes[0] == "created"
