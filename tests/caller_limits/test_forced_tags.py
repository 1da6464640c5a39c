"""Tags that the operator forces: which requests violate them, and what is added."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pytest

from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server.caller_limits.forced_tags import NO_FORCED_TAGS, ForcedTags
from cloudfront_facade_server.errors.violations import Violation
from cloudfront_facade_server.upstream import request_tag

FORCED: Final = ForcedTags({"team": "web", "cost": "100"})


def found(violations: Iterable[Violation]) -> list[tuple[str, str, str]]:
    return [(violation.field, str(violation.rule), violation.description) for violation in violations]


@pytest.mark.parametrize("tags", [[], [Tag(key="team", value="web")], [Tag(key="Team", value="x")]])
def test_a_create_may_leave_a_forced_tag_out_or_send_its_value(tags: list[Tag]) -> None:
    assert found(FORCED.check_create("tags", tags)) == []


@pytest.mark.parametrize(("tag", "sent"), [(Tag(key="team", value="shop"), '"shop"'), (Tag(key="team"), "no value")])
def test_another_value_of_a_forced_tag_is_a_violation(tag: Tag, sent: str) -> None:
    assert found(FORCED.check_create("tags", [Tag(key="x"), tag])) == [
        (
            "tags[1].value",
            "TAG_FORCED",
            f'{sent} for "team", which the service sets for this caller; allowed: "web", or leave the tag out',
        )
    ]


def test_a_forced_empty_value_differs_from_no_value() -> None:
    forced = ForcedTags({"team": ""})
    assert found(forced.check_create("tags", [Tag(key="team", value="")])) == []
    assert len(found(forced.check_create("tags", [Tag(key="team")]))) == 1


def test_tag_resource_does_not_touch_a_forced_tag_even_with_its_value() -> None:
    tags = [Tag(key="x", value="y"), Tag(key="team", value="web")]
    assert found(FORCED.check("tags", tags)) == [
        ("tags[1].key", "TAG_FORCED", 'the service sets "team" for this caller; allowed: other keys')
    ]


def test_untag_resource_does_not_remove_a_forced_tag() -> None:
    assert found(FORCED.check_keys("tag_keys", ["x", "cost"])) == [
        ("tag_keys[1]", "TAG_FORCED", 'the service sets "cost" for this caller; allowed: other keys')
    ]


def test_the_tags_that_a_create_does_not_have_are_added() -> None:
    sent = {"Name": "a", "Tags": {"Items": [{"Key": "x"}, {"Key": "team", "Value": "web"}]}}
    assert FORCED.add(sent)["Tags"]["Items"] == [*sent["Tags"]["Items"], {"Key": "cost", "Value": "100"}]  # type: ignore[index]
    assert len(sent["Tags"]["Items"]) == 2  # type: ignore[index]
    assert [tag.key for tag in FORCED.missing([Tag(key="team", value="web")])] == ["cost"]


def test_tags_are_added_to_a_create_without_tags() -> None:
    assert ForcedTags({"team": "web"}).add({"Name": "a"}) == {
        "Name": "a",
        "Tags": {"Items": [{"Key": "team", "Value": "web"}]},
    }


def test_the_fingerprint_of_the_own_content_does_not_depend_on_forced_tags() -> None:
    own = {"Name": "a", "FunctionCode": b"code"}
    tag_value = request_tag.value("6b4f1d4e-6c56-4d58-8e64-0a3c1a1ad2f1", own)
    sent = request_tag.add(FORCED.add(own), tag_value)
    assert [tag["Key"] for tag in sent["Tags"]["Items"]] == ["team", "cost", request_tag.KEY]
    assert sent["Tags"]["Items"][-1]["Value"].endswith(request_tag.fingerprint({"Name": "a", "FunctionCode": b"code"}))


def test_callers_without_forced_tags_are_not_checked() -> None:
    arguments = {"Name": "a"}
    assert NO_FORCED_TAGS.add(arguments) is arguments
    assert not NO_FORCED_TAGS
    assert NO_FORCED_TAGS.missing([]) == ()
    assert found(NO_FORCED_TAGS.check_create("tags", [Tag(key="team")])) == []
    assert found(NO_FORCED_TAGS.check("tags", [Tag(key="team")])) == []
    assert found(NO_FORCED_TAGS.check_keys("tag_keys", ["team"])) == []


def test_only_the_first_thousand_elements_are_checked() -> None:
    many = [Tag(key="team", value="x")] * 1500
    assert len(found(FORCED.check_create("tags", many))) == 1000
    assert len(found(FORCED.check("tags", many))) == 1000
    assert len(found(FORCED.check_keys("tag_keys", ["team"] * 1500))) == 1000
