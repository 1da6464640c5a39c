"""Audit records: JSON lines in OCSF's API Activity (class 6003), schema version 1.5.0.

`docs/reference/audit.md` describes each field.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any, Final, Literal

from ..errors.status_error import Outcome
from ..identity.caller import Caller
from .caller_hash import caller_hash
from .facts import Facts, Resource
from .peers import endpoint
from .texts import MAX_ITEMS, bounded, bounded_list, to_line

Phase = Literal["intent", "outcome", "late_outcome", "rejection", "read"]
"""`intent`: before a change is sent. `outcome`: before its caller is answered. `late_outcome`: when a change has ended
whose caller was answered earlier. `rejection`: a call whose caller is unknown or not allowed. `read`: a read."""

SCHEMA_VERSION: Final = "1.5.0"
UNKNOWN_CALLER: Final = "unknown"

_PRODUCT: Final = {
    "name": "CloudFront Facade",
    "vendor_name": "CloudFront Facade",
    "version": version("cloudfront-facade"),
}

_CATEGORY_UID: Final = 6
_CLASS_UID: Final = 6003
_INFORMATIONAL: Final = 1
_OTHER_TYPE: Final = 99
_SUCCESS, _FAILURE, _UNKNOWN = 1, 2, 0
_MAX_CORRELATION_CHARACTERS: Final = 64

_ACTIVITIES: Final = (
    ("Create", 1, "Create"),
    ("Update", 3, "Update"),
    ("Import", 3, "Update"),
    ("Publish", 3, "Update"),
    ("Put", 3, "Update"),
    ("Tag", 3, "Update"),
    ("Untag", 3, "Update"),
    ("Delete", 4, "Delete"),
)
"""The beginnings of the names of rpcs, with OCSF's activity. All others are reads."""

Clock = Callable[[], float]
"""Returns the seconds since the epoch."""

_NO_FACTS: Final = Facts()


def _new_uid() -> str:
    return os.urandom(16).hex()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedCall:
    """What all records of an rpc have in common.

    Attributes:
        caller: Who calls; None if the caller is unknown.
        peer: The caller's address, as gRPC names the peer.
        service: The full name of the rpc's service.
        operation: The rpc's name, for example `CreateFunction`.
        facts: What the call is about.
        request_id: The request_id that the caller sent, or empty.
        policies: The ids of the policies that decided.
        policy_set: The sha256 of the policies that were in force, in hexadecimal; empty without policies.
        correlation_uid: What the records of the rpc have in common.
    """

    caller: Caller | None
    peer: str
    service: str
    operation: str
    facts: Facts = _NO_FACTS
    request_id: str = ""
    policies: Sequence[str] = ()
    policy_set: str = ""
    correlation_uid: str = field(default_factory=_new_uid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How an rpc ended for its caller, or, in a late outcome, how it ended.

    Attributes:
        status: The name of the gRPC status.
        outcome: Whether the change was applied; None for a read.
        reason: The reason of ErrorInfo, or empty.
        aws_request_id: AWS's id of the last request, or empty.
        duration: Seconds since the rpc arrived.
        arn: The ARN of a resource that the rpc created, or empty.
        counts: Numbers of applied and of unknown changes, of an rpc with many.
    """

    status: str = "OK"
    outcome: Outcome | None = None
    reason: str = ""
    aws_request_id: str = ""
    duration: float = 0.0
    arn: str = ""
    counts: dict[str, int] = field(default_factory=dict)


def intent_line(call: AuditedCall, now: float) -> bytes:
    """Returns the record of a change that is about to be sent."""
    record = _record(call, "intent", now)
    record["status_id"], record["status"] = _UNKNOWN, "Unknown"
    return to_line(record)


def result_line(call: AuditedCall, result: Result, phase: Phase, now: float) -> bytes:
    """Returns the record of an rpc that has ended."""
    record = _result_record(call, result, phase, now)
    return to_line(record)


def sum_line(call: AuditedCall, result: Result, count: int, began: float, ended: float) -> bytes:
    """Returns the record of several rejections of one caller, method and reason. It names no resource.

    Args:
        call: The first of them.
        result: Its status and reason.
        count: Their number.
        began: The time of the first one, in seconds since the epoch.
        ended: The time of the last one.
    """
    record = _result_record(replace(call, facts=_NO_FACTS), result, "rejection", ended)
    record |= {"count": count, "start_time": _milliseconds(began), "end_time": _milliseconds(ended)}
    record.pop("duration")
    return to_line(record)


def _result_record(call: AuditedCall, result: Result, phase: Phase, now: float) -> dict[str, Any]:
    record = _record(call, phase, now)
    if result.outcome == "unknown":
        record["status_id"], record["status"] = _UNKNOWN, "Unknown"
    elif result.status == "OK":
        record["status_id"], record["status"] = _SUCCESS, "Success"
    else:
        record["status_id"], record["status"] = _FAILURE, "Failure"
    record["status_code"] = result.status
    if result.reason:
        record["status_detail"] = bounded(result.reason)
    record["duration"] = max(0, _milliseconds(result.duration))
    if result.arn and record.get("resources"):
        record["resources"][0]["uid"] = bounded(result.arn)
    unmapped = record["unmapped"]
    if result.outcome:
        unmapped["outcome"] = result.outcome
    if result.aws_request_id:
        unmapped["aws_request_id"] = bounded(result.aws_request_id)
    unmapped |= result.counts
    return record


def _record(call: AuditedCall, phase: Phase, now: float) -> dict[str, Any]:
    activity, activity_name = _activity(call.operation)
    record: dict[str, Any] = {
        "time": _milliseconds(now),
        "category_uid": _CATEGORY_UID,
        "class_uid": _CLASS_UID,
        "type_uid": _CLASS_UID * 100 + activity,
        "activity_id": activity,
        "activity_name": activity_name,
        "severity_id": _INFORMATIONAL,
        "metadata": {
            "version": SCHEMA_VERSION,
            "product": _PRODUCT,
            "correlation_uid": call.correlation_uid[:_MAX_CORRELATION_CHARACTERS],
        },
        "actor": _actor(call),
        "api": {"operation": bounded(call.operation), "service": {"name": bounded(call.service)}},
        "src_endpoint": endpoint(call.peer),
    }
    if call.request_id:
        record["api"]["request"] = {"uid": bounded(call.request_id)}
    if resources := [_resource(each) for each in call.facts.resources[:MAX_ITEMS] if each.name or each.arn]:
        record["resources"] = resources
    record["unmapped"] = _unmapped(call, phase)
    return record


def _actor(call: AuditedCall) -> dict[str, Any]:
    caller = call.caller
    if caller is None:
        return {"user": {"name": UNKNOWN_CALLER, "type_id": _UNKNOWN, "type": "Unknown"}}
    user: dict[str, Any] = {
        "uid": bounded(caller.id),
        "uid_alt": caller_hash(caller),
        "type_id": _OTHER_TYPE,
        "type": caller.by,
    }
    if caller.groups:
        user["groups"] = [{"name": group} for group in bounded_list(sorted(caller.groups))]
    actor: dict[str, Any] = {"user": user}
    if caller.issuer:
        issuer = bounded(caller.issuer)
        actor["idp"] = {"name": issuer, "issuer": issuer}
    if call.policies:
        actor["authorizations"] = [{"policy": {"uid": policy}} for policy in bounded_list(call.policies)]
    return actor


def _resource(resource: Resource) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": resource.type}
    if resource.name:
        entry["name"] = bounded(resource.name)
    if resource.arn:
        entry["uid"] = bounded(resource.arn)
    if resource.tags:
        entry["tags"] = [_tag(key, value) for key, value in list(resource.tags.items())[:MAX_ITEMS]]
    return entry


def _tag(key: str, value: str | None) -> dict[str, Any]:
    # OCSF requires one of the two. No values are a tag without a value, which differs from an empty one.
    content: dict[str, Any] = {"values": []} if value is None else {"value": bounded(value)}
    return {"name": bounded(key), **content}


def _unmapped(call: AuditedCall, phase: Phase) -> dict[str, Any]:
    unmapped: dict[str, Any] = {"phase": phase}
    if call.caller and call.caller.team is not None:
        unmapped["team"] = bounded(call.caller.team)
    facts = call.facts
    if facts.code_sha256:
        unmapped |= {"code_sha256": facts.code_sha256, "code_bytes": facts.code_bytes}
    if facts.removed_tags:
        unmapped["removed_tags"] = bounded_list(facts.removed_tags)
    if facts.keys:
        unmapped |= {"keys": bounded_list(facts.keys), "key_count": len(facts.keys)}
    if call.policy_set:
        unmapped["policy_set_sha256"] = call.policy_set
    return unmapped


def _activity(operation: str) -> tuple[int, str]:
    for beginning, uid, name in _ACTIVITIES:
        if operation.startswith(beginning):
            return uid, name
    return 2, "Read"


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
