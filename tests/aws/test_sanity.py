"""The sanity suite on CloudFront itself. It deletes what it creates; all its names begin with `sanity-`."""

from __future__ import annotations

import subprocess

import pytest

from aws.facade import Facade, report
from support.process import COMMAND, clean_environment

pytestmark = [pytest.mark.aws, pytest.mark.timeout(7200)]


def test_the_sanity_suite_deletes_everything_that_it_creates(facade: Facade, endpoint_url: str | None) -> None:
    # Only CloudFront itself runs functions.
    excluded = ["--without", "test"] if endpoint_url else []
    completed = subprocess.run(
        [*COMMAND, "sanity", "--target", facade.address, "--i-may-create-and-delete", *excluded],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
        timeout=7000,
        check=False,
    )

    print("\n" + completed.stdout)
    lines = completed.stdout.splitlines()
    # A failed case is an answer too: CloudFront may show changes late, or differ from its documentation.
    failed = [line.removeprefix("FAIL  ") for line in lines if line.startswith("FAIL")]
    report("which cases of the sanity suite fail", " ".join(failed) or "none")
    assert "passed" in lines[-1]
    assert not [line for line in failed if "could not be deleted" in line]
