"""The page about the tag policy: its document is loaded, and its requests are checked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from cloudfront_facade_server.errors.violations import Violation
from cloudfront_facade_server.tag_policy.document import POLICY_MAX_BYTES, parse
from cloudfront_facade_server.tag_policy.organizations import REFRESH_SECONDS, RETRY_SECONDS
from cloudfront_facade_server.tag_policy.rules import TagPolicy
from cloudfront_facade_server.validation.rule_names import Rule
from tag_policy.policies import FUNCTION, tags

PAGE: Final = (Path(__file__).parents[2] / "docs/reference/tag-policy.md").read_text()
POLICY: Final = TagPolicy(parse(PAGE.split("```json\n")[1].split("```")[0].encode()))
ROWS: Final = re.findall(r"^\| (\w+(?: of a function)?) \| (`.*`) \| (?:OK|`(\w+)`) \|$", PAGE, re.MULTILINE)


def check(request: str, sent: list[str]) -> Iterable[Violation]:
    if request == "UntagResource of a function":
        return POLICY.check_keys("tag_keys", FUNCTION, sent)
    values = tags(**dict(each.split("=") for each in sent))
    if request == "TagResource of a function":
        return POLICY.check("tags", FUNCTION, values)
    return POLICY.check_create("tags", "function" if request == "CreateFunction" else "key-value-store", values)


@pytest.mark.parametrize(("request_", "sent", "rule"), ROWS)
def test_the_result_of_a_request_is_what_the_page_says(request_: str, sent: str, rule: str) -> None:
    assert [str(each.rule) for each in check(request_, re.findall("`(.*?)`", sent))] == [rule] * bool(rule)


def test_the_page_has_a_request_for_every_rule() -> None:
    assert len(ROWS) == 10
    assert {rule for *_, rule in ROWS} == {"", *(rule for rule in Rule if rule.startswith("TAG_POLICY"))}


def test_the_page_states_the_numbers_of_the_code() -> None:
    assert (POLICY_MAX_BYTES, REFRESH_SECONDS, RETRY_SECONDS) == (1024 * 1024, 300.0, 30.0)
    assert "above 1 MiB" in PAGE
    assert "every five minutes" in PAGE
    assert "every 30 seconds" in PAGE
