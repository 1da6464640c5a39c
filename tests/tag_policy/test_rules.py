"""The checks of tags against a policy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import pytest

from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade_server.caller_limits.forced_tags import ForcedTag
from cloudfront_facade_server.errors.violations import Violation
from cloudfront_facade_server.tag_policy.rules import ResourceType, TagPolicy
from tag_policy.policies import BOTH, FUNCTION, STORE, policy, tags

CENTERS: Final = {"tag_key": "CostCenter", "tag_value": ["100", "3*"], "enforced_for": BOTH}
REQUIRED: Final = {"tag_key": "CostCenter", "report_required_tag_for": BOTH}


def found(violations: Iterable[Violation]) -> list[tuple[str, str]]:
    """Returns the field and the rule of each violation."""
    return [(violation.field, str(violation.rule)) for violation in violations]


def texts(violations: Iterable[Violation]) -> list[str]:
    """Returns the description of each violation."""
    return [violation.description for violation in violations]


def test_another_capitalization_is_a_violation() -> None:
    violations = list(policy(costcenter=CENTERS).check_create("tags", "function", tags(costcenter="100")))
    assert found(violations) == [("tags[0].key", "TAG_POLICY_KEY_CASE")]
    assert texts(violations) == ['"costcenter" has another capitalization; allowed by the tag policy: "CostCenter"']


def test_a_value_that_is_not_allowed_is_a_violation() -> None:
    violations = list(policy(costcenter=CENTERS).check_create("tags", "function", tags(CostCenter="200")))
    assert found(violations) == [("tags[0].value", "TAG_POLICY_VALUE")]
    assert texts(violations) == ['"200" for "CostCenter"; allowed by the tag policy: "100", "3*"']


def test_key_and_value_are_reported_together() -> None:
    violations = policy(costcenter=CENTERS).check("tags", FUNCTION, tags(other="x", COSTCENTER="200"))
    assert found(violations) == [("tags[1].key", "TAG_POLICY_KEY_CASE"), ("tags[1].value", "TAG_POLICY_VALUE")]


def test_a_tag_without_a_value_has_an_empty_one() -> None:
    assert texts(policy(costcenter=CENTERS).check("tags", STORE, tags(CostCenter=None))) == [
        'no value for "CostCenter"; allowed by the tag policy: "100", "3*"'
    ]
    assert not found(policy(a={"tag_value": ["", "x"], "enforced_for": BOTH}).check("tags", STORE, tags(a=None)))


def test_a_rule_without_allowed_values_forbids_the_tag() -> None:
    violations = policy(color={"tag_value": [], "enforced_for": BOTH}).check("tags", STORE, tags(color="red"))
    assert texts(violations) == ['"red" for "color"; allowed by the tag policy: no value, so the tag cannot be set']


def test_a_message_shows_long_and_many_values_only_in_part() -> None:
    many = policy(a={"tag_value": [f"{number}" + "v" * 250 for number in range(90)], "enforced_for": BOTH})
    [text] = texts(many.check("tags", STORE, tags(a="s" * 256)))
    assert text.endswith('" and 85 more')
    assert len(text) < 300


def test_allowed_tags_and_tags_without_a_rule_are_no_violation() -> None:
    assert not found(policy(costcenter=CENTERS).check_create("tags", "function", tags(CostCenter="31", x="y")))


@pytest.mark.parametrize(
    ("types", "kinds"),
    [
        (["cloudfront:function"], {"function"}),
        (["cloudfront:key-value-store"], {"key-value-store"}),
        (["cloudfront:*"], {"function", "key-value-store"}),
        (["cloudfront:ALL_SUPPORTED"], {"function", "key-value-store"}),
        (["s3:bucket", "ec2:*", "cloudfront:distribution"], set()),
        ([], set()),
    ],
)
@pytest.mark.parametrize("member", ["enforced_for", "report_required_tag_for"])
def test_a_rule_holds_for_the_types_that_it_names(member: str, types: list[str], kinds: set[ResourceType]) -> None:
    checked = policy(a={"tag_key": "A", "tag_value": ["x"], member: types})
    wrong = tags(A="y") if member == "enforced_for" else []
    every: tuple[ResourceType, ...] = ("function", "key-value-store")
    assert {kind for kind in every if list(checked.check_create("tags", kind, wrong))} == kinds
    assert checked.applies is bool(kinds)


def test_a_policy_for_all_applies_rules_of_other_types() -> None:
    rule = {"tag_key": "A", "tag_value": ["x"], "report_required_tag_for": ["s3:bucket"]}
    checked = policy(apply_all=True, a=rule, b={"tag_key": "B"})
    assert checked.applies
    assert found(checked.check_create("tags", "function", [])) == [("tags", "TAG_POLICY_REQUIRED")]
    assert found(checked.check_create("tags", "function", tags(A="y"))) == [("tags[0].value", "TAG_POLICY_VALUE")]
    assert found(checked.check_create("tags", "function", tags(A="x", b=""))) == [
        ("tags[1].key", "TAG_POLICY_KEY_CASE")
    ]


def test_a_create_has_each_required_tag() -> None:
    checked = policy(costcenter={**REQUIRED, "tag_value": ["100"]}, team=REQUIRED | {"tag_key": "team"})
    violations = list(checked.check_create("tags", "function", tags(Team="x")))
    assert found(violations) == [("tags", "TAG_POLICY_REQUIRED")] * 2
    assert texts(violations) == [
        '"CostCenter" is missing; required by the tag policy, with one of these values: "100"',
        '"team" is missing; required by the tag policy',
    ]
    assert not found(checked.check_create("tags", "function", tags(CostCenter="anything", team=None)))


def test_a_required_tag_in_another_capitalization_is_one_violation_if_capitalization_is_enforced() -> None:
    checked = policy(costcenter=CENTERS | REQUIRED)
    assert found(checked.check_create("tags", "function", tags(costcenter="100"))) == [
        ("tags[0].key", "TAG_POLICY_KEY_CASE")
    ]


def test_two_rules_for_two_capitalizations_of_a_key_are_kept_apart() -> None:
    rule = {"enforced_for": BOTH, "report_required_tag_for": BOTH}
    checked = policy(Team={**rule, "tag_key": "Team", "tag_value": ["a"]}, team={**rule, "tag_value": ["b"]})
    assert not found(checked.check_create("tags", "function", tags(Team="a", team="b")))
    assert texts(checked.check_create("tags", "function", tags(Team="b", team="b"))) == [
        '"b" for "Team"; allowed by the tag policy: "a"'
    ]
    assert found(checked.check_create("tags", "function", tags(team="b"))) == [("tags", "TAG_POLICY_REQUIRED")]
    assert texts(checked.check("tags", FUNCTION, tags(TEAM="x"))) == [
        '"TEAM" has another capitalization; allowed by the tag policy: "Team" or "team"'
    ]


def test_forced_tags_count_and_are_checked() -> None:
    checked = policy(costcenter=CENTERS | REQUIRED)
    assert not found(checked.check_create("tags", "function", [], [ForcedTag("CostCenter", "100")]))
    violations = list(checked.check_create("tags", "function", [], [ForcedTag("CostCenter", "2")]))
    assert found(violations) == [("tags", "TAG_POLICY_VALUE")]
    assert texts(violations)[0].startswith('added by the service: "2" for "CostCenter"; allowed by the tag policy')


def test_tag_resource_needs_no_required_tags() -> None:
    assert not found(policy(costcenter=REQUIRED).check("tags", FUNCTION, tags(x="y")))


def test_untag_resource_does_not_remove_a_required_tag() -> None:
    checked = policy(costcenter={**REQUIRED, "report_required_tag_for": ["cloudfront:function"]})
    violations = list(checked.check_keys("tag_keys", FUNCTION, ["x", "CostCenter", "costcenter"]))
    assert found(violations) == [("tag_keys[1]", "TAG_POLICY_REQUIRED")]
    assert texts(violations) == [
        '"CostCenter" cannot be removed; required by the tag policy; TagResource changes the value'
    ]
    assert not found(checked.check_keys("tag_keys", STORE, ["CostCenter"]))


def test_an_arn_of_nothing_known_is_left_to_its_own_rule() -> None:
    checked = policy(costcenter=CENTERS | REQUIRED)
    assert not found(checked.check("tags", "arn:aws:s3:::bucket", tags(costcenter="x")))
    assert not found(checked.check_keys("tag_keys", "", ["CostCenter"]))


def test_only_the_first_thousand_elements_are_checked() -> None:
    checked = policy(costcenter=CENTERS | REQUIRED)
    many: list[Any] = [Tag(key="costcenter")] * 1500
    assert len(list(checked.check("tags", FUNCTION, many))) == 2000
    assert len(list(checked.check_keys("tag_keys", FUNCTION, ["CostCenter"] * 1500))) == 1000


def test_no_policy_checks_nothing() -> None:
    empty = TagPolicy()
    assert not empty.applies
    assert not found(empty.check_create("tags", "function", tags(a="b")))
    assert not found(empty.check("tags", FUNCTION, tags(a="b")))
    assert not found(empty.check_keys("tag_keys", FUNCTION, ["a"]))


def test_types_of_cloudfront_that_do_not_exist_here_are_listed() -> None:
    types = ["cloudfront:functions", "cloudfront:distribution", "cloudfront:function", "cloudfront:*", "s3:bucket"]
    assert policy(a={"enforced_for": types}).unknown_types == ["cloudfront:distribution", "cloudfront:functions"]
