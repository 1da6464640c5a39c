"""The rules of the rpcs of TagService."""

from __future__ import annotations

import pytest

from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade.v1.tag_service_pb2 import ListTagsForResourceRequest, TagResourceRequest, UntagResourceRequest
from cloudfront_facade_server import limits
from cloudfront_facade_server.errors.violations import ValidationError
from support.rules import FUNCTION_ARN, RULES, broken_rules, violation_messages
from support.values import STORE_ARN


@pytest.mark.parametrize(
    ("arn", "is_valid"),
    [
        (FUNCTION_ARN, True),
        (STORE_ARN, True),
        ("", False),
        ("arn:aws:cloudfront::123456789012:distribution/E1", False),
        (f"{FUNCTION_ARN}/LIVE", False),
        ("arn:aws:cloudfront::123456789012:key-value-store/redirects", False),
        (FUNCTION_ARN + "\n", False),
    ],
)
def test_only_functions_and_stores_can_have_tags(arn: str, *, is_valid: bool) -> None:
    expected = [] if is_valid else [("resource", "RESOURCE_ARN_FORM")]
    assert broken_rules(RULES.tag_resource, TagResourceRequest(resource=arn, tags=[Tag(key="k")])) == expected
    assert broken_rules(RULES.untag_resource, UntagResourceRequest(resource=arn, tag_keys=["k"])) == expected
    assert broken_rules(RULES.list_tags_for_resource, ListTagsForResourceRequest(resource=arn)) == expected


def test_the_violation_of_an_arn_names_both_forms() -> None:
    request = ListTagsForResourceRequest(resource=f"{FUNCTION_ARN}/LIVE")
    assert violation_messages(RULES.list_tags_for_resource, request) == [
        f'"{FUNCTION_ARN}/LIVE"; allowed: arn:aws:cloudfront::ACCOUNT:function/NAME without a stage, or '
        "arn:aws:cloudfront::ACCOUNT:key-value-store/ID; ACCOUNT is 12 digits, ID is a UUID; "
        "DescribeFunction and DescribeKeyValueStore return the ARN"
    ]


def test_tag_resource_follows_the_rules_of_tags() -> None:
    request = TagResourceRequest(
        resource=FUNCTION_ARN,
        tags=[
            Tag(key="AWS:x"),
            Tag(key="CloudFront-Facade:request", value="v"),
            Tag(key="k", value="\0"),
            Tag(key="k"),
        ],
    )
    assert broken_rules(RULES.tag_resource, request) == [
        ("tags[0].key", "TAG_KEY_RESERVED"),
        ("tags[1].key", "TAG_KEY_RESERVED"),
        ("tags[2].value", "TAG_VALUE_CHARACTERS"),
        ("tags[3].key", "TAG_KEY_UNIQUE"),
    ]
    assert broken_rules(RULES.tag_resource, TagResourceRequest(resource=FUNCTION_ARN)) == [("tags", "TAGS_COUNT")]


def test_untag_resource_follows_the_rules_of_keys() -> None:
    request = UntagResourceRequest(
        resource=FUNCTION_ARN, tag_keys=["aws:x", "cloudfront-facade:request", "", "k!", "a", "a"]
    )
    assert broken_rules(RULES.untag_resource, request) == [
        ("tag_keys[0]", "TAG_KEY_RESERVED"),
        ("tag_keys[1]", "TAG_KEY_RESERVED"),
        ("tag_keys[2]", "TAG_KEY_LENGTH"),
        ("tag_keys[3]", "TAG_KEY_CHARACTERS"),
        ("tag_keys[5]", "TAG_KEY_UNIQUE"),
    ]
    many = UntagResourceRequest(resource=FUNCTION_ARN, tag_keys=[f"k{number}" for number in range(limits.TAGS_MAX + 1)])
    assert broken_rules(RULES.untag_resource, many) == [("tag_keys", "TAGS_COUNT")]
    assert broken_rules(RULES.untag_resource, UntagResourceRequest(resource=FUNCTION_ARN)) == [
        ("tag_keys", "TAGS_COUNT")
    ]


def test_the_limit_counts_existing_and_new_tags_together() -> None:
    existing = [f"old-{number}" for number in range(limits.TAGS_MAX - 5)]
    RULES.check_tag_limit(existing, ["old-0", *[f"new-{number}" for number in range(5)]])
    with pytest.raises(ValidationError) as caught:
        RULES.check_tag_limit(existing, [f"new-{number}" for number in range(6)])
    (violation,) = caught.value.violations
    assert (violation.field, violation.rule) == ("tags", "TAGS_COUNT")
    assert violation.description == (
        f"the resource would have {limits.TAGS_MAX + 1} tags ({limits.TAGS_MAX - 5} existing, 6 in the request); "
        f"allowed: at most {limits.TAGS_MAX}"
    )


def test_tags_of_aws_do_not_count_towards_the_limit() -> None:
    existing = [*(f"old-{number}" for number in range(limits.TAGS_MAX - 1)), "aws:cloudformation:stack-name", "AWS:x"]
    RULES.check_tag_limit(existing, ["old-0", "new"])
    with pytest.raises(ValidationError):
        RULES.check_tag_limit(existing, ["new", "newer"])


def test_existing_tags_can_be_changed_even_above_the_limit() -> None:
    RULES.check_tag_limit([f"old-{number}" for number in range(limits.TAGS_MAX + 10)], ["old-0", "old-9"])
