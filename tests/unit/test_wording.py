"""The check in `make lint` that rejects unidiomatic phrases."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.process import unmeasured_environment

CHECK = "scripts/check_wording.py"


def run(project: Path, *files: Path) -> subprocess.CompletedProcess[str]:
    """Runs the check on files; without any, on the whole tree."""
    command = [sys.executable, str(project / CHECK), *map(str, files)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=project, env=unmeasured_environment()
    )


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
        ("Both are called in turns.", "in turns"),
        ("It may take 1.6 s in all.", "in all"),
        ("LIVE stays as it is.", "stays as it is"),
        ("Writes are sent one after the other.", "one after the other"),
        ("It runs in a process of its own.", "of its own"),
    ],
)
def test_a_planted_sentence_is_found_with_its_line(project: Path, tmp_path: Path, sentence: str, phrase: str) -> None:
    planted = tmp_path / "planted.md"
    planted.write_text(f"# A page\n\n{sentence}\n")

    completed = run(project, planted)

    assert completed.returncode == 1
    assert f'{planted}:3: "{phrase}": ' in completed.stdout


@pytest.mark.parametrize("mark", ["", "  ", "# ", "#: ", "    // ", "/// ", " * ", "> ", ">"])
def test_a_phrase_is_found_over_the_end_of_a_line(project: Path, tmp_path: Path, mark: str) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text(f"{mark}The etag is\n{mark}none that CloudFront issued.\n")

    completed = run(project, planted)

    assert completed.returncode == 1
    assert f'{planted}:1: "is none": ' in completed.stdout


@pytest.mark.parametrize("separator", ["\n\n", "\n#\n# ", "\n- "])
def test_a_phrase_ends_with_its_paragraph(project: Path, tmp_path: Path, separator: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# What it is{separator}none is left\n")

    assert run(project, page).returncode == 0


def test_plain_english_passes(project: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "If the etag does not match, the call fails. Apart from that, go on to the next one.\n"
        "None is None. Connection refused. It is the same in all checks, in ALL and in `all`.\n"
    )

    assert run(project, page).returncode == 0


@pytest.mark.parametrize("name", ["run", "Makefile", ".importlinter", ".codespellrc", "page.md", "name.unknown"])
def test_every_text_file_is_checked_whatever_its_suffix(project: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("# The caller is told what is wrong.\n")

    assert run(project, tmp_path / name).returncode == 1


@pytest.mark.parametrize(("name", "content"), [("LICENSE", b"told"), ("set.binpb", b"told\0"), ("chart.svg", b"told")])
def test_licenses_images_and_binary_files_are_skipped(project: Path, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)

    assert run(project, tmp_path / name).returncode == 0
