"""A tag policy from a file: its warnings, and what happens when it changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cloudfront_facade_server.tag_policy.file import watched_file
from cloudfront_facade_server.watched_files import UnusableFilesError
from tag_policy.policies import BOTH, document, tags

STRICT = document(team={"tag_value": ["web"], "enforced_for": BOTH})
LOOSE = document(team={"tag_value": ["*"], "enforced_for": BOTH})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "policy.json").write_bytes(STRICT)
    return tmp_path / "policy.json"


def test_a_changed_policy_is_in_force_after_two_looks(path: Path) -> None:
    watched = watched_file(path, apply_all=False)
    assert list(watched.current.check_create("tags", "function", tags(team="x")))
    path.write_bytes(LOOSE)
    watched.look()
    assert list(watched.current.check_create("tags", "function", tags(team="x")))
    watched.look()
    assert not list(watched.current.check_create("tags", "function", tags(team="x")))


@pytest.mark.parametrize("content", [None, b"", LOOSE[:-1], b'{"tags": {"team": {"tag_key": {"@@assign": "team"}}}}'])
def test_a_file_that_cannot_be_used_leaves_the_last_good_policy_in_force(path: Path, content: bytes | None) -> None:
    watched = watched_file(path, apply_all=False)
    path.unlink() if content is None else path.write_bytes(content)
    with capture_logs() as logs:
        for _ in range(3):
            watched.look()
    assert list(watched.current.check_create("tags", "function", tags(team="x")))
    assert [(line["log_level"], line["what"]) for line in logs] == [("error", "tag policy")]
    assert logs[0]["problem"].startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "no such file or directory; --tag-policy takes a JSON file or organizations"),
        (b"x", "line 1, column 1: not JSON: expecting value"),
    ],
)
def test_the_start_fails_with_one_line(path: Path, content: bytes | None, problem: str) -> None:
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(UnusableFilesError) as caught:
        watched_file(path, apply_all=False)
    assert str(caught.value) == f"{path}: {problem}"


def test_the_start_warns_if_no_rule_holds_for_functions_or_stores(path: Path) -> None:
    path.write_bytes(document(team={"enforced_for": ["s3:bucket"]}))
    with capture_logs() as logs:
        watched_file(path, apply_all=False)
    assert [line["event"] for line in logs] == [
        "no rule of the tag policy holds for cloudfront:function or cloudfront:key-value-store, so it has no effect; "
        "--tag-policy-all applies every rule"
    ]
    assert logs[0]["log_level"] == "warning"
    with capture_logs() as logs:
        watched_file(path, apply_all=True)
    assert logs == []


def test_the_start_warns_of_types_of_resources_that_are_not_known(path: Path) -> None:
    path.write_bytes(document(team={"enforced_for": ["cloudfront:*", "cloudfront:functions"]}))
    with capture_logs() as logs:
        watched_file(path, apply_all=False)
    assert [line["types"] for line in logs] == [["cloudfront:functions"]]
