"""The pages of the documentation."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from support.markdown import PROJECT

DOCS: Final = PROJECT / "docs"

PAGES: Final = sorted(
    [
        *PROJECT.glob("*.md"),
        *DOCS.rglob("*.md"),
        *PROJECT.glob("examples/**/*.md"),
        *PROJECT.glob(".github/**/*.md"),
        PROJECT / "clients" / "README.md",
        PROJECT / "clients" / "node" / "README.md",
        PROJECT / "requirements" / "README.md",
    ]
)
"""Every page, hand-written or generated."""


def name_of(page: Path) -> str:
    """Returns the path of a page from the root of the repository."""
    return page.relative_to(PROJECT).as_posix()
