"""A credential source that a test can break, and the access keys that requests were signed with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from .http import CloudFrontDouble

SECRET_OUTPUT = "the password is 12345"
SOURCE = """#!/bin/sh
cd {folder}
echo run >> runs
polls=0
while [ -e hanging ] && [ $polls -lt 1000 ]; do sleep 0.02; polls=$((polls + 1)); done
if [ -e broken ]; then echo '{secret}' >&2; exit 1; fi
printf '{{"Version": 1, "AccessKeyId": "AKID%s", "SecretAccessKey": "s", "SessionToken": "t"' $(grep -c run runs)
cat expiry
echo '}}'
"""


class CredentialSource:
    """A credential_process that counts its runs: the access key of the nth run is AKIDn.

    A test can make it hang (for at most half a minute), fail, or return an expiry.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._runs = folder / "runs"
        self._broken = folder / "broken"
        self._hanging = folder / "hanging"
        self._expiry = folder / "expiry"
        self._runs.touch()
        self._expiry.touch()
        script = folder / "source.sh"
        script.write_text(SOURCE.format(folder=folder, secret=SECRET_OUTPUT))
        script.chmod(0o700)
        config = folder / "config"
        config.write_text(f"[default]\ncredential_process = {script}\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    @property
    def runs(self) -> int:
        return len(self._runs.read_text().splitlines())

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Makes the process hang until the block ends."""
        self._hanging.touch()
        try:
            yield
        finally:
            self._hanging.unlink()

    def break_down(self) -> None:
        self._broken.touch()

    def repair(self) -> None:
        self._broken.unlink()

    def expire_in(self, duration: timedelta, token: str | None = None) -> None:
        expiry = (datetime.now(UTC) + duration).isoformat()
        # If a JSON object has a member twice, the last one counts.
        other_token = "" if token is None else f', "SessionToken": {json.dumps(token)}'
        self._expiry.write_text(f', "Expiration": "{expiry}"{other_token}')


def keys(double: CloudFrontDouble) -> list[str]:
    """Returns the access key of every request."""
    matches = (re.search(r"Credential=(\w+)/", request.headers["authorization"]) for request in double.requests)
    return [match[1] for match in matches if match]
