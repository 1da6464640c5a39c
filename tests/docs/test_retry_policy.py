"""The retry policy of docs/guides/retries-and-idempotency.md is that of the Python client."""

from __future__ import annotations

import json
import re

from client.canned import FILES
from cloudfront_facade._service_config import LOAD_BALANCING, RETRY_POLICY, RETRY_THROTTLING
from cloudfront_facade.v1 import options_pb2

from .pages import DOCS


def test_the_guide_shows_the_retry_policy_of_the_python_client() -> None:
    guide = (DOCS / "guides" / "retries-and-idempotency.md").read_text()
    [shown] = re.findall(r"^```json\n(\{\n  \"loadBalancingConfig\".*?)^```", guide, re.MULTILINE | re.DOTALL)
    once = [
        {"service": service.full_name, "method": method.name}
        for file in FILES
        for service in file.services_by_name.values()
        for method in service.methods
        if method.GetOptions().Extensions[options_pb2.not_repeatable]
    ]
    assert json.loads(shown) == {
        "loadBalancingConfig": LOAD_BALANCING,
        "methodConfig": [{"name": [{}], "retryPolicy": RETRY_POLICY}, {"name": once}],
        "retryThrottling": RETRY_THROTTLING,
    }
