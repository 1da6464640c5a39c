"""The page about the audit log: its queries are run, and it names every field."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from audit.calls import NOT_ALLOWED, UNKNOWN, WEB, create, stranger
from cloudfront_facade_server.audit.facts import Facts
from cloudfront_facade_server.audit.records import AuditedCall, Result, intent_line, result_line, sum_line
from cloudfront_facade_server.identity.caller import Caller

NOW = 1_777_982_400.0
ARN = "arn:aws:cloudfront::123456789012:function/web-rewrite"
CREATED = create()


@pytest.fixture(scope="module")
def page() -> str:
    return Path("docs/reference/audit.md").read_text()


def run(page: str, heading: str, folder: Path) -> list[str]:
    """Runs the example after a text, and returns the lines that it prints."""
    if not shutil.which("jq"):
        pytest.skip("jq is not installed")
    example = page[page.index(heading) :].split("```bash\n")[1].split("```")[0]
    done = subprocess.run(["/bin/bash", "-ec", example], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a log that has one record of each kind, and an intent without an outcome."""
    lines = [
        intent_line(CREATED, NOW),
        result_line(CREATED, Result(outcome="applied", arn=ARN), "outcome", NOW),
        intent_line(create(Caller("dns:lost", "dns")), NOW),
        result_line(stranger(), UNKNOWN, "rejection", NOW),
        sum_line(create(), NOT_ALLOWED, 41, NOW, NOW),
        result_line(create(), NOT_ALLOWED, "rejection", NOW),
    ]
    (tmp_path / "audit.jsonl").write_bytes(b"".join(lines))
    return tmp_path


def test_the_author_of_a_function_is_found(page: str, folder: Path) -> None:
    assert run(page, "Who created a function:", folder) == [f"2026-05-05T12:00:00Z\t{WEB.id}\t{ARN}"]


def test_the_changes_of_a_team_are_found(page: str, folder: Path) -> None:
    lines = run(page, "All changes of a team", folder)
    assert [line.split("\t")[1:4] for line in lines] == [["CreateFunction", "web-rewrite", "OK"]]


def test_rejections_are_counted_by_caller(page: str, folder: Path) -> None:
    lines = run(page, "Rejections by caller:", folder)
    assert lines == [f"42\t{WEB.id}\tCALLER_NOT_ALLOWED", "1\t192.0.2.1\tCALLER_UNKNOWN"]


def test_intents_without_an_outcome_are_found(page: str, folder: Path) -> None:
    lines = run(page, "Intents without an outcome", folder)
    assert [line.split("\t")[2] for line in lines] == ["dns:lost"]


def test_a_part_of_a_line_is_skipped(page: str, folder: Path) -> None:
    with (folder / "audit.jsonl").open("ab") as log:
        log.write(b'{"time": 1')
    assert len([line for line in run(page, "After a kill or a crash", folder) if '"phase": "intent"' in line]) == 2


def test_the_hash_of_a_caller_is_computed_as_the_page_says(page: str, folder: Path) -> None:
    [printed] = run(page, "To compute it:", folder)
    assert printed == json.loads(intent_line(CREATED, NOW))["actor"]["user"]["uid_alt"]


def test_every_field_is_on_the_page(page: str) -> None:
    caller = Caller("i#s", "jwt", frozenset({"g"}), "web", issuer="i")
    facts = Facts(CREATED.facts.resources, "ab", 1, ("t",), ("k",))
    call: AuditedCall = create(caller, facts, request_id="r", policies=("p",), policy_set="ab")
    result = Result(outcome="partial", reason="R", aws_request_id="a", counts={"applied_changes": 1})
    record = json.loads(result_line(call, result, "outcome", NOW)) | json.loads(sum_line(call, result, 2, NOW, NOW))
    named = " ".join(re.findall(r"`([^`]+)`", page))
    missing = [name for name in names(record) if not re.search(rf"\b{name}\b", named)]
    assert missing == []


def names(value: Any) -> set[str]:
    """Returns the names of all fields of a record, at any depth."""
    if isinstance(value, list):
        return set().union(*map(names, value))
    if not isinstance(value, dict):
        return set()
    # The page describes the product as a whole.
    return set(value) | set().union(*(names(each) for name, each in value.items() if name != "product"))
