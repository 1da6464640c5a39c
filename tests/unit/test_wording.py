"""The check in `make lint` that rejects unidiomatic phrases."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECK = "scripts/check_wording.py"


def run(project: Path, *files: Path) -> subprocess.CompletedProcess[str]:
    """Runs the check on files; without any, on the whole tree."""
    command = [sys.executable, str(project / CHECK), *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=project)


@pytest.mark.parametrize(
    ("sentence", "phrase"),
    [
        ("The caller is told what is wrong.", "told"),
        ("Gives the etag, for it has changed.", ", for it"),
        ("Read it again, and decide anew.", "anew"),
        ("The etag is none that CloudFront issued.", "is none"),
        ("The value is no JSON.", "is no JSON"),
        ("Returns None where there is no store.", "where there"),
        ("The wait goes on after a restart.", "goes on"),
        ("Tells whether it is a store.", "Tells"),
        ("Gives the code of it.", "Gives"),
        ("It refuses a name that is taken.", "refuses"),
        ("It is rejected where a store is missing.", "where a store is missing"),
        ("The function is killed when its time is over.", "time is over"),
    ],
)
def test_a_planted_sentence_is_found_with_its_line(project: Path, tmp_path: Path, sentence: str, phrase: str) -> None:
    planted = tmp_path / "planted.md"
    planted.write_text(f"# A page\n\n{sentence}\n")

    completed = run(project, planted)

    assert completed.returncode == 1
    assert f'{planted}:3: "{phrase}": ' in completed.stdout


def test_a_phrase_is_found_over_the_end_of_a_line(project: Path, tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text("# The etag is\n# none that CloudFront issued.\n")

    completed = run(project, planted)

    assert completed.returncode == 1
    assert f'{planted}:1: "is # none": ' in completed.stdout


def test_plain_english_passes(project: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "If the etag does not match, the call fails. Apart from that, go on to the next one.\n"
        "None is None. Connection refused.\n"
    )

    assert run(project, page).returncode == 0
