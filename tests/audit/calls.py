"""Calls for the tests of the audit log, and what their records must be."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema  # type: ignore[import-untyped]

from cloudfront_facade_server.audit.facts import Facts, facts_of
from cloudfront_facade_server.audit.records import AuditedCall, Result
from cloudfront_facade_server.identity.caller import Caller

WEB: Final = Caller("spiffe://example.org/ns/web/deployer", "spiffe", team="web")
PEER: Final = "ipv4:192.0.2.1:50000"
SERVICE: Final = "cloudfront_facade.v1.FunctionService"
CREATE: Final = facts_of(
    "CreateFunction",
    {
        "Name": "web-rewrite",
        "FunctionCode": b"function handler(event) {}",
        "FunctionConfig": {"Comment": "", "Runtime": "cloudfront-js-2.0"},
        "Tags": {"Items": [{"Key": "team", "Value": "web"}, {"Key": "temporary"}]},
    },
)
UNKNOWN: Final = Result(status="UNAUTHENTICATED", reason="CALLER_UNKNOWN", outcome="not_applied")
NOT_ALLOWED: Final = Result(status="PERMISSION_DENIED", reason="CALLER_NOT_ALLOWED", outcome="not_applied")


def create(caller: Caller | None = WEB, facts: Facts = CREATE, *, peer: str = PEER, **values: Any) -> AuditedCall:
    """Returns a CreateFunction."""
    return AuditedCall(caller=caller, peer=peer, service=SERVICE, operation="CreateFunction", facts=facts, **values)


def stranger(peer: str = PEER, operation: str = "CreateFunction") -> AuditedCall:
    """Returns a call of a caller that proves nothing."""
    return AuditedCall(caller=None, peer=peer, service=SERVICE, operation=operation)


def parse(content: bytes | str) -> list[dict[str, Any]]:
    """Returns the records of complete lines, each of which must be JSON."""
    return [json.loads(line) for line in content.splitlines()]


def read(*paths: Path) -> list[dict[str, Any]]:
    """Returns the records of files."""
    return [record for path in paths for record in parse(path.read_bytes())]


def uids(records: list[dict[str, Any]], phase: str = "intent") -> list[str]:
    """Returns the correlation uids of the records of a phase."""
    return [each["metadata"]["correlation_uid"] for each in records if each["unmapped"]["phase"] == phase]


def check(record: dict[str, Any]) -> None:
    """Validates a record against OCSF's API Activity of the version that it names."""
    _validator(record["metadata"]["version"]).validate(record)


@cache
def _validator(version: str) -> Draft202012Validator:
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version))
    return Draft202012Validator(schema.get_class_schema("api_activity"))
