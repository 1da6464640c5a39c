"""Effective tag policies: what is read, and what is rejected with its position."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cloudfront_facade_server.tag_policy.document import POLICY_MAX_BYTES, DocumentError, TagRule, parse
from tag_policy.policies import document


def problem(content: bytes | str) -> str:
    """Returns why a document is rejected."""
    with pytest.raises(DocumentError) as caught:
        parse(content.encode() if isinstance(content, str) else content)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_effective_policy_is_read() -> None:
    assert parse(
        document(
            costcenter={
                "tag_key": "CostCenter",
                "tag_value": ["100", "300*"],
                "enforced_for": ["secretsmanager:ALL_SUPPORTED", "cloudfront:*"],
                "report_required_tag_for": ["cloudfront:function"],
            },
            Project={"tag_key": "Project"},
        )
    ) == (
        TagRule(
            "CostCenter",
            ("100", "300*"),
            frozenset({"secretsmanager:ALL_SUPPORTED", "cloudfront:*"}),
            frozenset({"cloudfront:function"}),
        ),
        TagRule("Project"),
    )


def test_a_policy_can_have_no_rules_and_a_byte_order_mark() -> None:
    assert parse(b'\xef\xbb\xbf{"tags": {}}') == ()


def test_a_rule_without_a_tag_key_means_lower_case() -> None:
    assert parse(document(CostCenter={}))[0].key == "costcenter"


@pytest.mark.parametrize(
    ("allowed", "good", "bad"),
    [
        (["100"], ["100"], ["", "1000", "0100"]),
        (["Web"], ["Web"], ["web", "WEB"]),
        (["300*"], ["300", "3001"], ["30", "1300"]),
        (["*@example.com"], ["@example.com", "a@example.com"], ["a@example.com.org", "example.com"]),
        (["ab*ba"], ["abba", "abxba"], ["aba", "abb"]),
        (["*"], ["", "anything"], []),
        (["a", ""], ["a", ""], ["b"]),
        ([], [], ["", "a"]),
        (None, ["", "a"], []),
    ],
)
def test_values_match_whole_with_case_and_one_wildcard(
    allowed: list[str] | None, good: list[str], bad: list[str]
) -> None:
    rule = TagRule("k", None if allowed is None else tuple(allowed))
    assert [value for value in [*good, *bad] if rule.allows(value)] == good


@pytest.mark.parametrize(
    ("name", "operators"),
    [
        ("@@assign", '{"@@assign": "CostCenter"}'),
        ("@@operators_allowed_for_child_policies", '{"@@operators_allowed_for_child_policies": ["@@none"]}'),
    ],
)
def test_an_unmerged_policy_is_rejected_with_the_reason(name: str, operators: str) -> None:
    text = '{\n  "tags": {\n    "costcenter": {\n      "tag_key":   ' + operators + "\n    }\n  }\n}"
    assert problem(text).startswith(
        f"line 4, column 21: tags.costcenter.tag_key.{name}: an operator, so this policy is not merged yet; "
        "allowed: the effective policy, from aws organizations describe-effective-policy"
    )


def test_the_whole_response_of_the_api_is_rejected_with_the_command_that_returns_the_policy() -> None:
    response = {"EffectivePolicy": {"PolicyContent": '{"tags": {}}', "PolicyType": "TAG_POLICY"}}
    assert "allowed: only its PolicyContent, from aws organizations" in problem(json.dumps(response))


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"a": {"tag_key": 1}}, "tags.a.tag_key: not a text; allowed: the tag key"),
        ({"a": {"tag_key": "b"}}, 'tags.a.tag_key: "b" differs from "a"; allowed: the same key, in any capitalization'),
        ({"": {}}, 'tags."": 0 characters; allowed: a key of 1 to 128 characters'),
        ({"a" * 129: {}}, "129 characters; allowed: a key of 1 to 128 characters"),
        ({"a": {"tag_key": "A"}, "A": {"tag_key": "A"}}, 'tags.A: the tag key "A" is in two rules; allowed: one rule'),
        ({"a": []}, "tags.a: not an object"),
        (
            {"a": {"values": []}},
            "tags.a.values: unknown member; allowed: tag_key, tag_value, enforced_for, report_requi",
        ),
        ({"a": {"tag_value": "x"}}, "tags.a.tag_value: not a list; allowed: a list of texts"),
        ({"a": {"tag_value": ["x", 1]}}, "tags.a.tag_value.1: not a text; allowed: a list of texts"),
        ({"a": {"tag_value": ["*@*"]}}, 'tags.a.tag_value.0: "*@*" has more than one *; allowed: one * in each value'),
        ({"a": {"tag_value": ["x" * 257]}}, "has 257 characters; allowed: at most 256"),
        ({"a": {"enforced_for": None}}, "tags.a.enforced_for: not a list"),
        (
            {"a": {"enforced_for": ["*"]}},
            'enforced_for.0: "*"; allowed: SERVICE:TYPE, SERVICE:* or SERVICE:ALL_SUPPORTED',
        ),
        ({"a": {"enforced_for": ["*:*"]}}, 'enforced_for.0: "*:*"; allowed: SERVICE:TYPE'),
        ({"a": {"enforced_for": ["cloudfront:f*"]}}, 'enforced_for.0: "cloudfront:f*"; allowed: SERVICE:TYPE'),
        ({"a": {"enforced_for": ["Cloudfront:function"]}}, '"Cloudfront:function"; allowed: SERVICE:TYPE'),
        (
            {"a": {"report_required_tag_for": ["cloudfront"]}},
            'report_required_tag_for.0: "cloudfront"; allowed: SERVICE',
        ),
        ({"a\n\x1b": {"x": 1}}, 'tags."a\\u{A}\\u{1B}".x: unknown member'),
    ],
)
def test_a_malformed_rule_is_rejected(rules: dict[str, Any], expected: str) -> None:
    assert expected in problem(document(**rules))
    assert problem(document(**rules)).startswith("line 1, column ")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "line 1, column 1: not JSON: expecting value"),
        (b"[]", "line 1, column 1: not an object"),
        (b"{}", 'line 1, column 1: the member "tags" is missing'),
        (b'{"tags": []}', "line 1, column 2: tags: not an object"),
        (b'{"tags": {}, "x": 1}', "line 1, column 14: x: unknown member; allowed: tags"),
        (b'{"tags": {"a": {}, "a": {}}}', 'line 1, column 20: the member "a" occurs twice'),
        (b'{"tags": {"\xff": {}}}', "byte 11: not UTF-8"),
        (b" " * (POLICY_MAX_BYTES + 1), "more than 1,048,576 bytes; allowed: at most 1,048,576"),
    ],
)
def test_what_is_not_a_policy_is_rejected(content: bytes, expected: str) -> None:
    assert problem(content) == expected
