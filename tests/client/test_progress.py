"""The progress bar."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import Any

import pytest

from client.canned import Canned, running_server
from cloudfront_facade import connect
from cloudfront_facade.jobs import put_many
from cloudfront_facade.progress import bar
from support.tools import require_module

ARN = "arn:aws:cloudfront::123456789012:key-value-store/a"

WITHOUT_RICH = """
import sys

sys.modules["rich"] = None

from cloudfront_facade.progress import bar

try:
    with bar():
        pass
except ImportError as error:
    print(error)
"""


def shown(kind: Any) -> str:
    rich = require_module("rich.console")
    output = io.StringIO()
    console = rich.Console(file=output, force_terminal=True, width=100, color_system=None)
    items = kind([(str(number), "v") for number in range(1200)])
    with running_server(Canned()) as target, connect(target) as facade, bar("Redirects", console=console) as progress:
        put_many(facade.key_values, ARN, items, progress=progress)
    return output.getvalue()


def test_a_bar_shows_the_count_and_the_total() -> None:
    text = shown(dict)
    assert "Redirects" in text
    assert "1200/1200" in text


def test_a_bar_shows_the_count_without_a_total() -> None:
    assert "1200/?" in shown(iter)


def test_a_bar_writes_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    require_module("rich")
    with bar() as progress:
        progress(1, 2)
    output, errors = capfd.readouterr()
    assert output == ""
    assert "1/2" in errors


def test_a_bar_without_rich_names_the_extra_to_install() -> None:
    completed = subprocess.run(
        [sys.executable, "-c", WITHOUT_RICH], capture_output=True, text=True, timeout=60, check=False
    )
    expected = "a progress bar needs the package rich; in a checkout: pip install './clients/python[progress]'\n"
    assert (completed.returncode, completed.stdout, completed.stderr) == (0, expected, "")
