"""Links between pages are valid, and an index lists every page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.markdown import PROJECT

from .pages import DOCS, PAGES, name_of

LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]*)\)")
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def headings(page: Path) -> set[str]:
    """Returns the anchors that a Markdown page gets for its headings."""
    texts = re.findall(r"^#+ (.*)$", CODE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in texts}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_points_to_an_existing_file_and_heading(page: Path) -> None:
    for target in LINK.findall(CODE.sub("", page.read_text())):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor and file.suffix == ".md":
            assert anchor in headings(file), target


def test_the_indexes_list_every_page() -> None:
    indexes = [DOCS / "README.md", DOCS / "explanation" / "decisions" / "README.md"]
    linked = {DOCS / "README.md"}
    for index in indexes:
        linked |= {(index.parent / target.partition("#")[0]).resolve() for target in LINK.findall(index.read_text())}
    assert [name_of(page) for page in DOCS.rglob("*.md") if page not in linked] == []


def test_the_readme_has_at_most_120_lines() -> None:
    assert len((PROJECT / "README.md").read_text().splitlines()) <= 120
