"""The examples on the pages run, and print the output that the pages show.

With UPDATE_PAGES=1, outputs that differ are written into the pages instead.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.markdown import PROJECT, examples, problems, update
from support.process import FacadeProcess
from support.rpcs import RPCS

from .pages import DOCS, PAGES, name_of

PAGES_WITH_EXAMPLES = [page for page in PAGES if page != PROJECT / "README.md" and examples(page)]


@pytest.mark.parametrize("page", PAGES_WITH_EXAMPLES, ids=name_of)
def test_the_examples_on_a_page_print_the_output_that_it_shows(page: Path, tmp_path: Path) -> None:
    with FacadeProcess("--backend", "embedded", "--embedded-db", ":memory:", "--drain-delay", "0") as process:
        if os.environ.get("UPDATE_PAGES"):
            update(page, process.address, tmp_path)
        else:
            assert problems(page, process.address, tmp_path) == ""


def test_pages_that_must_have_examples_have_them() -> None:
    names = {name_of(page) for page in PAGES_WITH_EXAMPLES}
    assert names >= {
        "docs/getting-started.md",
        "docs/guides/bulk-keys.md",
        "docs/guides/grpcurl.md",
        "docs/guides/python.md",
        "docs/guides/retries-and-idempotency.md",
        "docs/guides/testing-functions.md",
        "docs/reference/rpcs.md",
    }
    assert sum(example.output is not None for example in examples(DOCS / "reference" / "rpcs.md")) == len(RPCS)
