"""Strict JSON, and the position of each value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudfront_facade_server.tag_policy.json_text import JsonError, Path, parse

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def paths(value: Any, path: Path = ()) -> set[Path]:
    """Returns the path of each value, by another way than the parser's."""
    inner: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {path}.union(*(paths(each, (*path, step)) for step, each in inner))


@settings(deadline=None)
@given(VALUES, st.sampled_from([None, 2]), st.booleans())
def test_every_value_has_a_position(value: Any, indent: int | None, ascii_only: bool) -> None:
    parsed = parse(json.dumps(value, indent=indent, ensure_ascii=ascii_only))
    assert parsed.value == value
    assert set(parsed.offsets) == paths(value)


def test_a_position_is_that_of_the_name_or_of_the_element() -> None:
    parsed = parse('{\n  "a": [1,\n    "\\"b,{"]\n}')
    assert [parsed.where(path) for path in [(), ("a",), ("a", 0), ("a", 1)]] == [
        "line 1, column 1",
        "line 2, column 3",
        "line 2, column 9",
        "line 3, column 5",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1, column 1: not JSON: expecting value"),
        ('{"a": 1,\n}', "line 1, column 8: not JSON: illegal trailing comma before end of object"),
        ("{'a': 1}", "line 1, column 2: not JSON: expecting property name enclosed in double quotes"),
        ('{"a": 1}\n x', "line 2, column 2: not JSON: extra data"),
        ('{"a": 1,\n "b": {"c": 1, "a": 2},\n  "a": 2}', 'line 3, column 3: the member "a" occurs twice'),
        ('{"a": 1, "\\u0061": 2}', 'line 1, column 10: the member "a" occurs twice'),
        ('[{"a": [{}, {"b": 1, "b": 1}]}]', 'line 1, column 22: the member "b" occurs twice'),
        ("[NaN]", "not JSON: NaN is not a value of JSON"),
        ("[-Infinity]", "not JSON: -Infinity is not a value of JSON"),
        ("[" * 100_000, "not a policy: it is nested too deeply"),
    ],
)
def test_what_is_not_strict_json_is_rejected_with_its_position(text: str, problem: str) -> None:
    with pytest.raises(JsonError) as caught:
        parse(text)
    # Python 3.13 has a separate message for a trailing comma.
    alternative = problem.replace("column 8", "column 1").replace("line 1, column 1", "line 2, column 1")
    alternative = alternative.partition("not JSON")[0] + "not JSON: expecting property name enclosed in double quotes"
    assert str(caught.value) in (problem, alternative)


def test_a_number_with_thousands_of_digits_is_rejected() -> None:
    with pytest.raises(JsonError, match="not JSON: Exceeds the limit"):
        parse("9" * 5000)
