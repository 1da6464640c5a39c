"""Patterns of callers."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudfront_facade_server.patterns import Pattern


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("anonymous", "anonymous", True),
        ("anonymous", "anonymous2", False),
        ("*", "", True),
        ("spiffe://example.org/ns/web/*", "spiffe://example.org/ns/web/sa/deploy", True),
        ("spiffe://example.org/ns/web/*", "spiffe://example.org/ns/web-blog/sa/x", False),
        ("spiffe://*/sa/deploy", "spiffe://example.org/ns/web/sa/deploy", True),
        ("dns:*.example.org", "dns:a.b.example.org", True),
        ("dns:*.example.org", "dns:xexample.org", False),
        ("https://issuer#repo:acme/*:ref:refs/heads/main", "https://issuer#repo:acme/a/b:ref:refs/heads/main", True),
        ("aa*aa", "aaa", False),
        ("*ab*ba*", "aba", False),
        ("*ab*ba*", "xabba", True),
        ("a.c", "abc", False),
        ("A", "a", False),
        ("a*", "a\nb", True),
    ],
)
def test_a_star_stands_for_any_characters(pattern: str, value: str, expected: bool) -> None:
    assert Pattern(pattern).matches(value) is expected


@settings(deadline=None)
@given(st.text("ab/*", max_size=8), st.text("ab/", max_size=12))
def test_a_pattern_matches_what_a_regular_expression_matches(pattern: str, value: str) -> None:
    expression = ".*".join(map(re.escape, pattern.split("*")))
    assert Pattern(pattern).matches(value) is bool(re.fullmatch(expression, value, re.DOTALL))


def test_a_hostile_pattern_takes_linear_time() -> None:
    # A regular expression with backtracking would take centuries.
    assert not Pattern("*a" * 50 + "b").matches("a" * 10_000)
