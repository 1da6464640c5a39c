"""The retry policy of docs/guides/retries-and-idempotency.md is that of the Python client."""

from __future__ import annotations

import json
import re

from cloudfront_facade._service_config import service_config

from .pages import DOCS


def test_the_guide_shows_the_service_config_of_the_python_client() -> None:
    guide = (DOCS / "guides" / "retries-and-idempotency.md").read_text()
    [shown] = re.findall(r"^```json\n(\{\n  \"loadBalancingConfig\".*?)^```", guide, re.MULTILINE | re.DOTALL)
    assert json.loads(shown) == json.loads(service_config(retry=True, request_ids=True))
