"""The page about limits by caller: its file is loaded, and its callers are looked up."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from cloudfront_facade_server.caller_limits.file import FILE_MAX_BYTES, LIMIT_MAX, RATE_MIN, _Entry, load
from cloudfront_facade_server.caller_limits.gcra import MAX_IDENTITIES
from cloudfront_facade_server.identity.caller import Caller
from cloudfront_facade_server.validation.tags import TagRules
from cloudfront_facade_server.watched_files import UnusableFilesError

PAGE: Final = (Path(__file__).parents[2] / "docs/reference/caller-limits.md").read_text()
LIMITS: Final = load({"limits.yaml": PAGE.split("```yaml\n")[1].split("```")[0].encode()}, TagRules().check)
ROWS: Final = re.findall(r"^\| `(.*?)` \| (?:`(.*)` )?\| (\d) \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("caller", "group", "number"), ROWS)
def test_a_caller_has_the_entry_that_the_page_says(caller: str, group: str, number: str) -> None:
    found = LIMITS.entry_of(Caller(caller, "jwt", frozenset({group} - {""})))
    assert found is LIMITS._entries[int(number) - 1]


def test_the_page_has_a_caller_for_every_entry() -> None:
    assert {int(number) for *_, number in ROWS} == set(range(1, len(LIMITS) + 1))


def test_the_page_has_every_field() -> None:
    assert re.findall(r"^\| `(\w+)` \|.*\|.*\|$", PAGE.split("With the file above")[0], re.MULTILINE) == list(
        _Entry.model_fields
    )


def test_the_error_on_the_page_is_the_one_that_is_logged() -> None:
    with pytest.raises(UnusableFilesError) as caught:
        load({"limits.yaml": b"- callers: a\n- {callers: b, calls_per_second: 0}"}, TagRules().check)
    assert f"```text\n{caught.value}\n```" in PAGE


def test_the_page_states_the_numbers_of_the_code() -> None:
    assert PAGE.count(f"to {LIMIT_MAX:,} |") == 3
    assert f"{RATE_MIN} to " in PAGE
    assert f"rates of {MAX_IDENTITIES:,} identities" in PAGE
    assert f"above {FILE_MAX_BYTES // 1024} KiB" in PAGE
