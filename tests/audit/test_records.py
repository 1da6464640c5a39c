"""The records: valid OCSF, complete, bounded, and without code or values."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest
from jsonschema import ValidationError  # type: ignore[import-untyped]

from audit.calls import CREATE, NOT_ALLOWED, PEER, SERVICE, UNKNOWN, WEB, check, create, stranger
from cloudfront_facade_server.audit.caller_hash import user_agent_suffix
from cloudfront_facade_server.audit.facts import Facts, Resource, facts_of
from cloudfront_facade_server.audit.records import AuditedCall, Result, intent_line, result_line, sum_line
from cloudfront_facade_server.audit.texts import MAX_ITEMS, MAX_TEXT_CHARACTERS
from cloudfront_facade_server.errors.status_error import Outcome
from cloudfront_facade_server.identity.caller import ANONYMOUS, Caller

NOW = 1_777_982_400.123
STORE = "arn:aws:cloudfront::123456789012:key-value-store/0f9a4f3e-0c1f-4f4c-9d4e-000000000000"
TOKEN = Caller(
    "https://issuer.example#repo:example/web",
    "jwt",
    frozenset({"https://issuer.example#b", "https://issuer.example#a"}),
    "web",
    issuer="https://issuer.example",
    subject="repo:example/web",
)
DNS = Caller("dns:deployer.example.org", "dns")


def record_of(line: bytes) -> dict[str, Any]:
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    record: dict[str, Any] = json.loads(line)
    check(record)
    return record


def intent(call: AuditedCall) -> dict[str, Any]:
    return record_of(intent_line(call, NOW))


def outcome(call: AuditedCall, result: Result) -> dict[str, Any]:
    return record_of(result_line(call, result, "outcome", NOW))


def test_the_validation_is_that_of_ocsf() -> None:
    record = intent(create())
    changes: tuple[dict[str, Any], ...] = (
        {"severity_id": 77},
        {"unheard_of": 1},
        {"src_endpoint": {}},
        {"actor": {}},
        {"time": "now"},
    )
    for broken in changes:
        with pytest.raises(ValidationError):
            check(record | broken)


@pytest.mark.parametrize("caller", [WEB, TOKEN, DNS, ANONYMOUS, None], ids=lambda caller: caller.by if caller else "-")
@pytest.mark.parametrize("peer", [PEER, "ipv6:%5B2001:db8::1%5D:443", "unix:", "unix:/run/f.sock", "", "ipv4:x:1"])
def test_every_kind_of_record_is_valid(caller: Caller | None, peer: str) -> None:
    call = create(caller, peer=peer, request_id="r", policies=("web-create",), policy_set="a" * 64)
    intent(call)
    ends: tuple[tuple[str, Outcome], ...] = (("OK", "applied"), ("ABORTED", "not_applied"), ("UNAVAILABLE", "unknown"))
    for status, result in ends:
        outcome(call, Result(status=status, outcome=result, reason="R", aws_request_id="1", duration=1, arn=STORE))
    record_of(result_line(call, Result(duration=0.1), "read", NOW))
    record_of(result_line(call, Result(outcome="partial", counts={"applied_changes": 3}), "late_outcome", NOW))
    record_of(result_line(call, UNKNOWN, "rejection", NOW))
    record_of(sum_line(call, NOT_ALLOWED, 10, NOW, NOW + 1))


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("UpdateFunction", {"Name": "f", "FunctionCode": b"x", "IfMatch": "E"}),
        ("PublishFunction", {"Name": "f", "IfMatch": "E"}),
        ("DeleteFunction", {"Name": "f", "IfMatch": "E"}),
        ("CreateKeyValueStore", {"Name": "s", "ImportSource": {"SourceType": "S3", "SourceARN": "arn:aws:s3:::b/o"}}),
        ("UpdateKeyValueStore", {"Name": "s", "Comment": "c", "IfMatch": "E"}),
        ("DeleteKeyValueStore", {"Name": "s", "IfMatch": "E"}),
        ("PutKey", {"KvsARN": STORE, "Key": "k", "Value": "secret", "IfMatch": "E"}),
        ("DeleteKey", {"KvsARN": STORE, "Key": "k", "IfMatch": "E"}),
        ("UpdateKeys", {"KvsARN": STORE, "Puts": [{"Key": "k", "Value": "secret"}], "Deletes": [{"Key": "l"}]}),
        ("ImportKeys", {"KvsARN": STORE, "Puts": [{"Key": "k", "Value": "secret"}]}),
        ("TagResource", {"Resource": STORE, "Tags": {"Items": [{"Key": "team", "Value": "web"}]}}),
        ("UntagResource", {"Resource": STORE, "TagKeys": {"Items": ["team"]}}),
    ],
)
def test_the_intent_of_every_change_is_valid_and_names_its_resource(operation: str, arguments: dict[str, Any]) -> None:
    call = AuditedCall(
        caller=WEB, peer=PEER, service=SERVICE, operation=operation, facts=facts_of(operation, arguments)
    )
    record = intent(call)
    resource = record["resources"][0]
    assert resource.get("name", "") == arguments.get("Name", "")
    assert resource.get("uid", "") == arguments.get("KvsARN", arguments.get("Resource", ""))
    assert resource["type"] == ("function" if operation.endswith("Function") else "key-value-store")
    assert record["type_uid"] == 600300 + record["activity_id"]
    assert "secret" not in json.dumps(record)


def test_an_intent_has_who_what_and_why() -> None:
    call = create(TOKEN, request_id="7d3c", policies=("web-create", "tags"), policy_set="ab" * 32)
    record = intent(call)
    assert record["time"] == 1_777_982_400_123
    assert (record["class_uid"], record["type_uid"], record["activity_name"]) == (6003, 600301, "Create")
    assert (record["status_id"], record["unmapped"]["phase"]) == (0, "intent")
    assert record["actor"]["user"] == {
        "uid": TOKEN.id,
        "uid_alt": sha256(TOKEN.id.encode()).hexdigest()[:16],
        "type_id": 99,
        "type": "jwt",
        "groups": [{"name": "https://issuer.example#a"}, {"name": "https://issuer.example#b"}],
    }
    assert record["actor"]["idp"]["issuer"] == "https://issuer.example"
    assert record["actor"]["authorizations"] == [{"policy": {"uid": "web-create"}}, {"policy": {"uid": "tags"}}]
    assert record["api"] == {"operation": "CreateFunction", "service": {"name": SERVICE}, "request": {"uid": "7d3c"}}
    assert record["src_endpoint"] == {"ip": "192.0.2.1", "port": 50000}
    assert record["resources"] == [
        {
            "type": "function",
            "name": "web-rewrite",
            "tags": [{"name": "team", "value": "web"}, {"name": "temporary", "values": []}],
        }
    ]
    code = b"function handler(event) {}"
    assert record["unmapped"] == {
        "phase": "intent",
        "team": "web",
        "code_sha256": sha256(code).hexdigest(),
        "code_bytes": len(code),
        "policy_set_sha256": "ab" * 32,
    }
    assert b"handler" not in intent_line(call, NOW)


def test_an_outcome_has_the_correlation_uid_of_its_intent_and_the_result() -> None:
    call = create()
    arn = "arn:aws:cloudfront::123456789012:function/web-rewrite"
    record = outcome(call, Result(outcome="applied", aws_request_id="aws-1", duration=0.0421, arn=arn))
    assert record["metadata"]["correlation_uid"] == intent(call)["metadata"]["correlation_uid"]
    assert (record["status_id"], record["status_code"], record["duration"]) == (1, "OK", 42)
    assert record["resources"][0]["uid"] == arn
    assert record["unmapped"]["outcome"] == "applied"
    assert record["unmapped"]["aws_request_id"] == "aws-1"
    failed = outcome(call, Result(status="ABORTED", outcome="not_applied", reason="ETAG_MISMATCH"))
    assert (failed["status_id"], failed["status_code"], failed["status_detail"]) == (2, "ABORTED", "ETAG_MISMATCH")


def test_an_unknown_outcome_is_neither_a_success_nor_a_failure() -> None:
    record = outcome(create(), Result(status="UNAVAILABLE", outcome="unknown", reason="UPSTREAM_OUTCOME_UNKNOWN"))
    assert record["status_id"] == 0


def test_two_calls_have_different_correlation_uids() -> None:
    assert create().correlation_uid != create().correlation_uid


def test_an_unknown_caller_has_no_uid() -> None:
    user = record_of(result_line(stranger(), UNKNOWN, "rejection", NOW))["actor"]["user"]
    assert user == {"name": "unknown", "type_id": 0, "type": "Unknown"}


def test_a_sum_has_a_count_and_its_times_and_names_no_resource() -> None:
    record = record_of(sum_line(create(), NOT_ALLOWED, 17, NOW, NOW + 0.5))
    assert record["count"] == 17
    assert record["end_time"] - record["start_time"] == 500
    assert "resources" not in record
    assert "duration" not in record


def test_the_user_agent_has_the_hash_of_the_record() -> None:
    uid = intent(create())["actor"]["user"]["uid_alt"]
    assert user_agent_suffix(WEB) == f"app/{uid}"
    assert len(uid) == 16


def test_stores_and_objects_that_a_change_refers_to_are_resources_too() -> None:
    configuration = {"KeyValueStoreAssociations": {"Items": [{"KeyValueStoreARN": STORE}], "Quantity": 1}}
    facts = facts_of("UpdateFunction", {"Name": "f", "FunctionConfig": configuration, "FunctionCode": b""})
    assert [each.arn for each in facts.resources] == ["", STORE]
    assert facts.code_sha256 == sha256(b"").hexdigest()
    source = {"SourceType": "S3", "SourceARN": "arn:aws:s3:::bucket/object"}
    facts = facts_of("CreateKeyValueStore", {"Name": "s", "ImportSource": source})
    assert facts.resources[1] == Resource("s3-object", "", "arn:aws:s3:::bucket/object")


def test_the_name_of_a_function_is_read_from_its_arn() -> None:
    arn = "arn:aws:cloudfront::123456789012:function/web-rewrite"
    assert facts_of("UntagResource", {"Resource": arn}).resources == (Resource("function", "web-rewrite", arn),)


def test_keys_are_recorded_without_values_and_those_of_an_import_are_not() -> None:
    arguments = {"KvsARN": STORE, "Puts": [{"Key": "a", "Value": "1"}], "Deletes": [{"Key": "b"}]}
    assert facts_of("UpdateKeys", arguments).keys == ("a", "b")
    assert facts_of("ImportKeys", arguments).keys == ()


def test_texts_and_lists_of_callers_are_bounded() -> None:
    many = tuple(f"key-{number}" for number in range(10_000))
    facts = Facts((Resource("function", "n" * 10_000, tags=dict.fromkeys(many, "v" * 10_000)),), keys=many)
    call = create(Caller("i" * 50_000, "jwt", frozenset(many)), facts, request_id="r" * 10_000, policies=many)
    line = intent_line(call, NOW)
    record = record_of(line)
    assert len(record["resources"][0]["name"]) == MAX_TEXT_CHARACTERS
    assert record["resources"][0]["name"].endswith("…")
    assert len(record["unmapped"]["keys"]) == MAX_ITEMS
    assert record["unmapped"]["key_count"] == 10_000
    assert len(line) < 100_000


@pytest.mark.parametrize("text", ["a\nb", "\x1b[31m", "‮evil", "\u2028", "\x85", '"', "\\u000a", "é", "\U000e0041"])
def test_texts_of_callers_stay_on_one_harmless_line_and_are_exact(text: str) -> None:
    line = intent_line(create(facts=Facts((Resource("function", text),))), NOW)
    assert line.decode()[:-1].isprintable()
    assert record_of(line)["resources"][0]["name"] == text


def test_an_unpaired_surrogate_does_not_fail_a_record() -> None:
    facts = Facts((Resource("function", "a\ud800b", tags={"\ud800": "v"}),))
    assert record_of(intent_line(create(facts=facts), NOW))["resources"][0]["name"] == "a?b"


def test_the_facts_of_a_create_are_what_is_sent() -> None:
    assert CREATE.resources == (Resource("function", "web-rewrite", tags={"team": "web", "temporary": None}),)
