"""The tag policy from AWS Organizations, by boto3 against an HTTP server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.config import Config
from structlog.testing import capture_logs

from cloudfront_facade_server.tag_policy.organizations import (
    REFRESH_SECONDS,
    RETRY_SECONDS,
    OrganizationsPolicy,
    watched_organizations,
)
from cloudfront_facade_server.watched_files import UnusableFilesError
from support.cloudfront.faults import Hangup
from support.cloudfront.server import LoopbackServer, Reply
from support.cloudfront.wire import HttpResponse
from tag_policy.policies import BOTH, document, tags

STRICT = document(team={"tag_value": ["web"], "enforced_for": BOTH}).decode()
LOOSE = document(team={"tag_value": ["*"], "enforced_for": BOTH}).decode()


class Organizations:
    """AWS Organizations, as far as it answers DescribeEffectivePolicy."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.requests: list[tuple[str, Any]] = []
        self.reply: HttpResponse | Hangup = HttpResponse(200)
        self.has(STRICT)
        self.server = LoopbackServer(self._respond)

    def has(self, policy: Any) -> None:
        """Lets the account have a policy."""
        content = {"EffectivePolicy": {"PolicyContent": policy, "PolicyType": "TAG_POLICY", "TargetId": "123456789012"}}
        self.reply = HttpResponse(200, json.dumps(content).encode())

    def fails(self, code: str, status: int = 400) -> None:
        """Lets requests fail."""
        self.reply = HttpResponse(status, json.dumps({"__type": code, "Message": "account 123456789012"}).encode())

    def make_client(self) -> Any:
        return boto3.client(
            "organizations",
            region_name="us-east-1",
            endpoint_url=f"http://127.0.0.1:{self.server.server_address[1]}",
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=2),
        )

    def _respond(self, _method: str, _path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        self.requests.append((headers["x-amz-target"], json.loads(body)))
        return Reply(self.reply, {"Content-Type": "application/x-amz-json-1.1"})


@pytest.fixture
def organizations() -> Iterator[Organizations]:
    started = Organizations()
    yield started
    started.server.end()


def watched(organizations: Organizations) -> Any:
    return watched_organizations(organizations.make_client, apply_all=False, clock=lambda: organizations.now)


def is_strict(watched: Any) -> bool:
    return bool(list(watched.current.check_create("tags", "function", tags(team="x"))))


def test_the_policy_of_the_account_is_fetched(organizations: Organizations) -> None:
    assert is_strict(watched(organizations))
    assert organizations.requests == [
        ("AWSOrganizationsV20161128.DescribeEffectivePolicy", {"PolicyType": "TAG_POLICY"})
    ]


def test_the_policy_is_fetched_again_every_few_minutes(organizations: Organizations) -> None:
    policy = watched(organizations)
    organizations.has(LOOSE)
    policy.look()
    assert len(organizations.requests) == 1
    organizations.now += REFRESH_SECONDS
    policy.look()
    policy.look()
    assert not is_strict(policy)
    assert len(organizations.requests) == 2


def test_a_failure_leaves_the_last_good_policy_in_force_and_is_logged_once(organizations: Organizations) -> None:
    policy = watched(organizations)
    organizations.fails("ServiceException", 500)
    organizations.now += REFRESH_SECONDS
    with capture_logs() as logs:
        policy.look()
        policy.look()
        assert len(organizations.requests) == 2
        organizations.now += RETRY_SECONDS
        policy.look()
    assert len(organizations.requests) == 3
    assert is_strict(policy)
    assert [line["problem"] for line in logs] == [
        "AWS Organizations: the effective tag policy cannot be fetched: AWS failed; the service tries again"
    ]
    organizations.has(LOOSE)
    organizations.now += RETRY_SECONDS
    policy.look()
    policy.look()
    assert not is_strict(policy)


@pytest.mark.parametrize("content", [LOOSE[:-2], '{"tags": {"a": {"tag_key": {"@@assign": "a"}}}}', None, 1])
def test_a_policy_that_cannot_be_used_leaves_the_last_good_one_in_force(
    organizations: Organizations, content: Any
) -> None:
    policy = watched(organizations)
    organizations.has(content)
    organizations.now += REFRESH_SECONDS
    with capture_logs() as logs:
        for _ in range(3):
            policy.look()
    assert is_strict(policy)
    assert len(logs) == 1
    assert logs[0]["problem"].startswith("AWS Organizations: ")


def test_an_account_without_a_policy_is_not_checked_and_a_warning_says_so(organizations: Organizations) -> None:
    organizations.fails("EffectivePolicyNotFoundException")
    with capture_logs() as logs:
        policy = watched(organizations)
    assert not is_strict(policy)
    assert [(line["log_level"], line["event"]) for line in logs] == [
        ("warning", "no tag policy applies to the service's account; tags are not checked against one")
    ]
    organizations.has(STRICT)
    organizations.now += REFRESH_SECONDS
    policy.look()
    policy.look()
    assert is_strict(policy)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDeniedException", "it needs organizations:DescribeEffectivePolicy"),
        ("AWSOrganizationsNotInUseException", "the account belongs to no organization; use --tag-policy FILE"),
        ("TooManyRequestsException", "too many requests"),
        ("UnrecognizedClientException", "AWS does not accept the service's credentials"),
        ("SomethingNewException", 'AWS returned the error "SomethingNewException"'),
    ],
)
def test_an_error_is_described_in_words_and_without_an_account(
    organizations: Organizations, code: str, words: str
) -> None:
    organizations.fails(code)
    with pytest.raises(UnusableFilesError) as caught:
        watched(organizations)
    assert words in str(caught.value)
    assert "123456789012" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_connection_that_is_reset_is_described(organizations: Organizations) -> None:
    organizations.reply = Hangup.RESET
    with pytest.raises(UnusableFilesError, match="AWS cannot be reached; the service tries again"):
        watched(organizations)


def test_an_answer_that_is_not_json_is_described(organizations: Organizations) -> None:
    organizations.reply = HttpResponse(200, b"<html>")
    with pytest.raises(UnusableFilesError, match=r"the response cannot be used \(\w+\)"):
        watched(organizations)


def test_a_client_that_cannot_be_made_is_described_and_tried_again(organizations: Organizations) -> None:
    def fail() -> Any:
        raise RuntimeError("account 123456789012")

    policy = OrganizationsPolicy(fail, lambda: organizations.now)
    with pytest.raises(UnusableFilesError, match=r"the response cannot be used \(RuntimeError\)"):
        policy.read()


def test_missing_credentials_are_described(organizations: Organizations, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    client = boto3.session.Session().client("organizations", region_name="us-east-1")
    with pytest.raises(UnusableFilesError, match="the service has no AWS credentials"):
        OrganizationsPolicy(lambda: client, lambda: 0.0).read()
