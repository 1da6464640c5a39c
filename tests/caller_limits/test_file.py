"""The limits file: what is read, and what is rejected with its entry and field."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from structlog.testing import capture_logs

from cloudfront_facade_server.caller_limits.entries import NO_LIMITS
from cloudfront_facade_server.caller_limits.file import FILE_MAX_BYTES, load, watched_file
from cloudfront_facade_server.caller_limits.gcra import Rate
from cloudfront_facade_server.identity.caller import Caller
from cloudfront_facade_server.validation.tags import TagRules
from cloudfront_facade_server.watched_files import UnusableFilesError

CHECK_TAGS: Final = TagRules().check
WEB: Final = Caller("spiffe://example.org/ns/web/sa/deploy", "spiffe")

FILE: Final = """\
- callers: spiffe://example.org/ns/web/*
  tags: {team: web, cost-center: "100"}
  calls_per_second: 5
  burst: 20
  calls_in_flight: 4
- group: https://issuer#platform
- callers: "*"
  calls_per_second: 0.5
"""


def problem(text: str | bytes) -> str:
    """Returns why a file is rejected."""
    with pytest.raises(UnusableFilesError) as caught:
        load({"limits.yaml": text.encode() if isinstance(text, str) else text}, CHECK_TAGS)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_is_read() -> None:
    limits = load({"limits.yaml": FILE.encode()}, CHECK_TAGS)
    entry = limits.entry_of(WEB)
    assert len(limits) == 3
    assert [(tag.key, tag.value) for tag in entry.tags.tags] == [("team", "web"), ("cost-center", "100")]
    assert (entry.rate, entry.calls_in_flight) == (Rate(5.0, 20), 4)


def test_the_first_entry_that_matches_counts() -> None:
    limits = load({"limits.yaml": FILE.encode()}, CHECK_TAGS)
    groups = frozenset({"x", "https://issuer#platform"})
    assert limits.entry_of(Caller(WEB.id, "spiffe", groups)).calls_in_flight == 4
    assert limits.entry_of(Caller("https://issuer#ada", "jwt", groups)).rate is None
    assert limits.entry_of(Caller("https://issuer#bob", "jwt")).rate == Rate(0.5, 1)


def test_a_group_is_compared_exactly() -> None:
    limits = load({"limits.yaml": b"- group: p*\n  burst: 1\n  calls_per_second: 1"}, CHECK_TAGS)
    assert limits.entry_of(Caller("a", "jwt", frozenset({"platform"}))) is NO_LIMITS
    assert limits.entry_of(Caller("a", "jwt", frozenset({"p*"}))).rate


def test_the_default_burst_is_the_calls_of_a_second_and_at_least_one() -> None:
    limits = load({"f": b"- {callers: a, calls_per_second: 2.5}\n- {callers: b, calls_per_second: 0.1}"}, CHECK_TAGS)
    assert limits.entry_of(Caller("a", "dns")).rate == Rate(2.5, 3)
    assert limits.entry_of(Caller("b", "dns")).rate == Rate(0.1, 1)


def test_tags_of_the_wide_character_set_need_its_setting() -> None:
    file = {"limits.yaml": "- {callers: a, tags: {équipe: web}}".encode()}
    assert load(file, TagRules("unicode").check).entry_of(Caller("a", "dns")).tags
    with pytest.raises(UnusableFilesError, match="entry 1: tags"):
        load(file, CHECK_TAGS)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{}", "callers, group: none; allowed: one of the two"),
        ("{callers: a, group: b}", "callers, group: both; allowed: one of the two"),
        ("{callers: ''}", 'callers: ""; allowed: a pattern of callers, in quotes'),
        ("{callers: 5}", 'callers: "5"; allowed: a pattern of callers, in quotes'),
        ("{group: [a]}", "group: not a single value; allowed: the name of a group"),
        ("a", '"a"; allowed: callers, group, tags, calls_per_second, burst, calls_in_flight'),
        (
            "{callers: a, rate: 1}",
            "rate: unknown field; allowed: callers, group, tags, calls_per_second, burst, calls",
        ),
        ("{callers: a, tags: {}}", "tags: not a single value; allowed: at least one key with a text as its value"),
        (
            "{callers: a, tags: {cost: 100}}",
            'tags.cost: "100"; allowed: at least one key with a text as its value',
        ),
        ("{callers: a, tags: {on: x}}", '"True"; allowed: at least one key with a text as its value; write numbers'),
        ("{callers: a, tags: {cost: }}", "tags.cost: empty; allowed: at least one key with a text"),
        ("{callers: a, tags: {'aws:x': y}}", 'tags.aws:x: "aws:x" starts with "aws:", which AWS reserves in any case'),
        (
            "{callers: a, tags: {'cloudfront-facade:request': y}}",
            'starts with "cloudfront-facade:", which this',
        ),
        ("{callers: a, tags: {x: 'é'}}", "tags.x: "),
        ("{callers: a, tags: {x: '" + "y" * 257 + "'}}", "has 257 characters; allowed: 0 to 256 characters"),
        ("{callers: a, calls_per_second: 0}", 'calls_per_second: "0"; allowed: a number from 0.001 to 1000000'),
        ("{callers: a, calls_per_second: -1}", 'calls_per_second: "-1"; allowed: a number from'),
        ("{callers: a, calls_per_second: .inf}", 'calls_per_second: "inf"; allowed: a number from'),
        ("{callers: a, calls_per_second: .nan}", 'calls_per_second: "nan"; allowed: a number from'),
        ("{callers: a, calls_per_second: '5'}", 'calls_per_second: "5"; allowed: a number from'),
        ("{callers: a, calls_per_second: true}", 'calls_per_second: "True"; allowed: a number from'),
        ("{callers: a, burst: 3}", "burst: set without calls_per_second; allowed: both, or calls_per_second alone"),
        ("{callers: a, calls_per_second: 1, burst: 1.5}", 'burst: "1.5"; allowed: a whole number from 1 to 1000000'),
        ("{callers: a, calls_in_flight: 0}", 'calls_in_flight: "0"; allowed: a whole number from 1 to 1000000'),
        ("{callers: a, calls_in_flight: true}", 'calls_in_flight: "True"; allowed: a whole number'),
    ],
)
def test_an_invalid_entry_is_rejected_with_its_number_and_field(entry: str, expected: str) -> None:
    found = problem(f"- callers: good\n- {entry}")
    assert found.startswith("limits.yaml: entry 2: ")
    assert expected in found


def test_more_than_fifty_forced_tags_are_rejected() -> None:
    tags = ", ".join(f"k{number}: v" for number in range(51))
    assert "51 tags; allowed: at most 50" in problem(f"- {{callers: a, tags: {{{tags}}}}}")


def test_the_first_problems_of_a_file_are_reported_together() -> None:
    assert problem("- {callers: 1}\n- {callers: 2}\n- {callers: 3}\n- {callers: 4}").endswith(
        'entry 3: callers: "3"; allowed: a pattern of callers, in quotes (and 1 more)'
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "no entries; allowed: a list of entries with callers, group, tags"),
        ("# nothing", "no entries; allowed: a list"),
        ("[]", "no entries; allowed: a list"),
        ("callers: a", "no entries; allowed: a list"),
        ("- callers: a\n  callers: b", 'line 2, column 3: the key "callers" occurs twice'),
        ("- callers: a\n  tags: {x: '1', x: '2'}", 'line 2, column 18: the key "x" occurs twice'),
        ("- &a {callers: a}\n- *a", "line 1, column 3: anchors and aliases are not allowed"),
        (
            "- callers: *web",
            "line 1, column 12: anchors and aliases are not allowed; write a text that",
        ),
        (
            "- callers: */web/*",
            "line 1, column 13: expected alphabetic or numeric character, but found '/'; write",
        ),
        (
            "- callers: *\n",
            "line 1, column 13: expected alphabetic or numeric character, but found '\\n'; write",
        ),
        ("- !\x1b]0;x", "character 4: U+001B is not allowed in YAML"),
        ("- {callers: a, <<: {burst: 1}}", "line 1, column 16: this key is not allowed; allowed: a text"),
        ("- {[a]: b}", "line 1, column 4: this key is not allowed; allowed: a text"),
        ("- !!python/object/apply:os.system [ls]", "line 1, column 3: could not determine a constructor for the tag"),
        ("- callers: a\n b", "line 2, column 2: "),
        ("- a\n---\n- b", "line 2, column 1: but found another document"),
        ("- callers: 2020-13-45", "month must be in 1..12"),
        ("- \x00", "character 3: U+0000 is not allowed in YAML"),
        ("[" * 5000, "line 1, column 11: nested too deeply; allowed: 10 levels"),
        (b"- \xff", "byte 2: not UTF-8"),
        ("#" * (FILE_MAX_BYTES + 1), "too large; allowed: at most 262,144 bytes"),
    ],
)
def test_what_is_not_a_strict_yaml_list_is_rejected(text: str | bytes, expected: str) -> None:
    assert problem(text).startswith(f"limits.yaml: {expected}")


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UnusableFilesError) as caught:
        watched_file(tmp_path / "limits.yaml", CHECK_TAGS)
    assert str(caught.value) == f"{tmp_path}/limits.yaml: no such file or directory; --limits takes a YAML file"


@pytest.mark.parametrize("content", [None, b"", b"- callers: a\n  burst: 1"])
def test_a_file_that_cannot_be_used_leaves_the_last_good_limits_in_force(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "limits.yaml"
    path.write_text(FILE)
    watched = watched_file(path, CHECK_TAGS)
    path.unlink() if content is None else path.write_bytes(content)
    with capture_logs() as logs:
        for _ in range(3):
            watched.look()
    assert watched.current.entry_of(WEB).calls_in_flight == 4
    assert [line["log_level"] for line in logs] == ["error"]
    path.write_text("- {callers: '*', calls_in_flight: 9}")
    watched.look()
    watched.look()
    assert watched.current.entry_of(WEB).calls_in_flight == 9
