"""The lock files pin every package by a hash, and do not name the registry of the machine that wrote them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
NPM = [CHECKOUT / "clients/node/package-lock.json", CHECKOUT / "requirements/buf/package-lock.json"]
PIP = sorted((CHECKOUT / "requirements").glob("*.txt"))


@pytest.mark.parametrize("path", NPM, ids=lambda path: path.parent.name)
def test_every_npm_package_has_a_hash_and_no_address(path: Path) -> None:
    packages = json.loads(path.read_text())["packages"]
    del packages[""]
    assert packages
    assert [name for name, package in packages.items() if not package["integrity"].startswith("sha512-")] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert "omit-lockfile-registry-resolved=true" in (path.parent / ".npmrc").read_text()


@pytest.mark.parametrize("path", PIP, ids=lambda path: path.name)
def test_every_python_package_has_a_version_and_a_hash_and_no_address(path: Path) -> None:
    text = path.read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert entries
    assert [
        entry for entry in entries if not re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+.*?--hash=sha256:", entry, re.DOTALL)
    ] == []
    assert "://" not in text
