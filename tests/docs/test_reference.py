"""The reference pages are complete and current."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import boto3

from cloudfront_facade.v1.error_reason_pb2 import ErrorReason
from cloudfront_facade_server.settings.client import HealthSettings, SanitySettings
from cloudfront_facade_server.settings.serve import ServeSettings
from support.markdown import PROJECT
from support.rpcs import BACKEND_METHODS, RPCS

from .pages import DOCS

REFERENCE = DOCS / "reference"


def test_the_generated_pages_are_current() -> None:
    script = PROJECT / "scripts" / "reference.py"
    completed = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stderr


def test_the_settings_page_has_every_flag_with_its_variable() -> None:
    rows = re.findall(r"^\| `(--[a-z0-9-]+)` \| `(\w+)` \|", (REFERENCE / "settings.md").read_text(), re.MULTILINE)
    assert rows == [
        ("--" + name.replace("_", "-"), f"{settings.model_config['env_prefix']}{name.upper()}")
        for settings in (ServeSettings, HealthSettings, SanitySettings)
        for name in settings.model_fields
    ]


def test_the_errors_page_has_exactly_the_reasons_of_the_enum() -> None:
    text = (REFERENCE / "errors.md").read_text()
    reasons = [name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()[1:]]
    assert re.findall(r"^\| \[`(\w+)`\]", text, re.MULTILINE) == reasons
    assert re.findall(r"^## ([A-Z_]+)$", text, re.MULTILINE) == reasons


def test_the_rpcs_page_has_one_command_for_each_rpc() -> None:
    text = (REFERENCE / "rpcs.md").read_text()
    sections = dict(re.findall(r"^## (\w+)\n\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert sections.keys() == RPCS.keys()
    for name, method in RPCS.items():
        service = method.containing_service
        assert f"`{service.name}`" in sections[name]
        assert f"{service.full_name}/{name}" in sections[name]


def actions_of_the_policy() -> dict[str, set[str]]:
    """Returns the actions of all policies in iam.md, by service."""
    policies = re.findall(r"^```json\n(.*?)^```", (REFERENCE / "iam.md").read_text(), re.MULTILINE | re.DOTALL)
    actions: dict[str, set[str]] = {}
    for policy in policies:
        for statement in json.loads(policy)["Statement"]:
            for action in statement["Action"]:
                service, _, operation = action.partition(":")
                actions.setdefault(service, set()).add(operation)
    return actions


def test_the_policy_allows_exactly_the_operations_that_the_backend_calls() -> None:
    actions = actions_of_the_policy()
    control = boto3.client("cloudfront", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    by_method = dict(control.meta.method_to_api_mapping)
    called = {by_method[method] for method in BACKEND_METHODS if method in by_method}
    assert actions["cloudfront"] == called
    data = {
        "".join(word.title() for word in method.split("_")) for method in BACKEND_METHODS if method not in by_method
    }
    assert actions["cloudfront-keyvaluestore"] == {operation.removesuffix("Data") for operation in data}
    assert actions["s3"] == {"GetObject", "GetBucketLocation"}
