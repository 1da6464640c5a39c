"""The tests in tests/aws, run against the CloudFront double instead of a real account."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from aws.account import Account, poll_until
from support.cloudfront.faults import Exchange, Hangup, fail_with, normally, throttle
from support.cloudfront.fixtures import AWS_VARIABLES
from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.samples import plain_client
from support.cloudfront.state import ACCOUNT, StoredFunction, StoredStore, utc_now
from support.cloudfront.wire import HttpResponse, client_error
from support.process import clean_environment

QUOTA: Final = 10_240
NO_CONFIG: Final = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
QUESTION: Final = re.compile(r"^QUESTION (.*) ANSWER (.*)$", re.MULTILINE)

FIXED_ANSWERS: Final = {
    "which status a new function has": "UNPUBLISHED in the create, UNPUBLISHED in Describe",
    "how a tag without a value and a tag with an empty value are returned": (
        "[{'Key': 'absent'}, {'Key': 'empty', 'Value': ''}]"
    ),
    "whether CloudFront accepts letters beyond ASCII in tags": "created",
    "whether CloudFront accepts no-break space beyond ASCII in tags": "created",
    "whether CloudFront accepts number beyond ASCII in tags": "created",
    "whether CloudFront accepts code that is not UTF-8": "created",
    "whether CloudFront accepts code that is not JavaScript": "created",
    "whether CloudFront accepts code that is one byte": "created",
    "how many bytes of code CloudFront accepts": (
        "10000: created; 10001: created; 10240: created; 10241: FunctionSizeLimitExceeded 413 (FUNCTION_TOO_LARGE)"
    ),
    "what a create with tags returns right after the deletion of the same name": (
        "created, TaggingConflict 409 (TAGGING_CONFLICT), created"
    ),
    "whether TaggingConflict occurred": "yes",
    "whether a create that fails with TaggingConflict creates the function anyway": "no",
    "what an association with a new store returns": (
        "InvalidArgument 400 (KEY_VALUE_STORE_NOT_READY); right afterwards the store is PROVISIONING"
    ),
    "what an association with a missing store returns": "InvalidArgument 400 (KEY_VALUE_STORE_NOT_FOUND)",
    "whether LastModifiedTime changes when a store becomes READY": "no",
    "whether the ETag changes when a store becomes READY": "no",
    "which Comment a store has that was created without one": "None",
    "which errors the deletion of a new store returns": "NotYet",
    "what a create of a store with tags returns right after the deletion of the same name": "created",
    "what a create with a missing import source returns": "created",
    "which error of a create was retried, and after how long": "Throttling 400 (UPSTREAM_THROTTLED), 1 to 3 s",
    "what a read of a key of a new store returns": "ConflictException 409 (KEY_VALUE_STORE_NOT_READY)",
    "what a list of keys of a new store returns": "ConflictException 409 (KEY_VALUE_STORE_NOT_READY)",
    "what a write of a key of a new store returns": "ConflictException 409 (KEY_VALUE_STORE_NOT_READY)",
    "which status a READY store has on the data plane": "READY",
    "whether a put of the same value changes the etag": "yes",
    "what the deletion of a missing key returns": "ResourceNotFoundException 404 (KEY_NOT_FOUND)",
    "what a write of a key with dots in a path returns": "OK",
    "what a write of a key with a percent sign returns": "OK",
    "what a write of a key with a space returns": "OK",
    "what a write of a key with wide characters returns": "OK",
    "which status a published function has": (
        "UNASSOCIATED in the response, UNASSOCIATED in DEVELOPMENT, UNASSOCIATED in LIVE"
    ),
    "whether publishing changes the etag of DEVELOPMENT": "no",
    "whether LIVE has the etag of DEVELOPMENT": "no",
    "whether LIVE has the CreatedTime of DEVELOPMENT": "no",
    "what a test of DEVELOPMENT with the etag of DEVELOPMENT returns": "OK",
    "what a test of DEVELOPMENT with the etag of LIVE returns": "InvalidIfMatchVersion 400 (ETAG_INVALID)",
    "what a test of LIVE with the etag of DEVELOPMENT returns": "InvalidIfMatchVersion 400 (ETAG_INVALID)",
    "what a test of LIVE with the etag of LIVE returns": "OK",
    "which status an updated function has": "UNASSOCIATED",
    "what a publish with an old etag returns": "PreconditionFailed 412 (ETAG_MISMATCH)",
    "what a publish with an etag that never existed returns": "PreconditionFailed 412 (ETAG_MISMATCH)",
}

MEASURED: Final = {
    "after how many seconds DescribeFunction returns a new function",
    "after how many seconds ListTagsForResource returns a new function's tags",
    "after how many seconds at most ListTagsForResource returns a new store's tags",
    "how old a function is by CloudFront's Date header when it is first returned",
    "which statuses a new store has, and since when",
}


class UsedCloudFront(CloudFrontDouble):
    """A CloudFront with a code quota, short pages and resources of another user."""

    def __init__(self) -> None:
        super().__init__()
        self.deleted: list[str] = []
        self.functions["theirs"] = StoredFunction("theirs", NO_CONFIG, b"", utc_now(), "E1")
        self.stores["theirs"] = StoredStore("theirs", None, utc_now(), "E1")
        self.tags_lag = 0.3
        self.describe_lag = 0.1
        self.reads_until_ready = 3
        self.code_bytes = QUOTA
        self._reads: Counter[str] = Counter()

    def _describe_key_value_store(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        described = super()._describe_key_value_store(sent)
        self._reads[described["KeyValueStore"]["Id"]] += 1
        return described

    def _status(self, store: StoredStore) -> str:
        # Do not use the clock, because slow machines must have the same result.
        return "READY" if self._reads[store.id] >= self.reads_until_ready else "PROVISIONING"

    def _list_functions(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        # Return one at a time, so that a caller that ignores page tokens misses some.
        return super()._list_functions({**sent, "MaxItems": "1"})

    def _delete_function(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        answer = super()._delete_function(sent)
        self.deleted.append(sent["Name"])
        return answer

    def _delete_key_value_store(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        if self._status(self._store(sent)) != "READY":
            raise client_error("NotYet", 409)
        answer = super()._delete_key_value_store(sent)
        self.deleted.append(sent["Name"])
        return answer


@pytest.fixture
def used_cloudfront() -> Iterator[UsedCloudFront]:
    with UsedCloudFront() as double:
        yield double


def run_suite(project: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    """Runs tests/aws in a process; returns the exit code and the output."""
    environment = {name: value for name, value in clean_environment(**variables).items() if "PYTEST" not in name}
    completed = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/aws", "-m", "aws", "-s", "-p", "no:cacheprovider", *arguments],
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )
    return completed.returncode, completed.stdout


def test_every_question_is_answered_and_everything_is_deleted(project: Path, used_cloudfront: UsedCloudFront) -> None:
    rounds = itertools.count()

    def conflict_in_the_third_round(exchange: Exchange) -> HttpResponse | Hangup:
        conflict = exchange.arguments["Name"].endswith("-again") and next(rounds) == 2
        return (fail_with("TaggingConflict", 409, "in a few minutes") if conflict else normally())(exchange)

    used_cloudfront.always("CreateFunction", conflict_in_the_third_round)
    used_cloudfront.script("CreateKeyValueStore", throttle())

    code, output = run_suite(
        project, "--run-aws", "-k", "not test_sanity", **AWS_VARIABLES, AWS_ENDPOINT_URL=used_cloudfront.url
    )

    assert code == 0, output
    # The delay of throttling has jitter.
    answers = dict(QUESTION.findall(re.sub(r"(UPSTREAM_THROTTLED\), )[123]\.\d+ s", r"\g<1>1 to 3 s", output)))
    assert answers.keys() >= FIXED_ANSWERS.keys()
    assert {question: answers[question] for question in FIXED_ANSWERS} == FIXED_ANSWERS
    assert answers.keys() - FIXED_ANSWERS.keys() == MEASURED, "FIXED_ANSWERS lacks a question"
    assert used_cloudfront.functions.keys() == used_cloudfront.stores.keys() == {"theirs"}
    (prefix,) = re.findall(r"begin with (cff-test-[0-9a-f]{8}-)$", output, re.MULTILINE)
    assert len(used_cloudfront.deleted) > 10
    assert all(name.startswith(prefix) for name in used_cloudfront.deleted)
    assert ACCOUNT not in "".join(answers.values())


def test_the_sanity_suite_passes_and_everything_is_deleted(project: Path, used_cloudfront: UsedCloudFront) -> None:
    used_cloudfront.tags_lag = used_cloudfront.describe_lag = 0
    used_cloudfront.reads_until_ready = 1

    code, output = run_suite(
        project, "--run-aws", "-k", "test_sanity", **AWS_VARIABLES, AWS_ENDPOINT_URL=used_cloudfront.url
    )

    assert code == 0, output
    assert dict(QUESTION.findall(output)) == {"which cases of the sanity suite fail": "none"}
    assert " 0 failed, " in output
    assert used_cloudfront.functions.keys() == used_cloudfront.stores.keys() == {"theirs"}


def test_everything_is_deleted_after_a_failed_test(project: Path, used_cloudfront: UsedCloudFront) -> None:
    used_cloudfront.always("GetFunction", fail_with("AccessDenied", 403, "not authorized"))
    variables = {**AWS_VARIABLES, "CLOUDFRONT_FACADE_ENDPOINT_URL": used_cloudfront.url}

    code, output = run_suite(project, "--run-aws", "-k", "a_function_is_read_back", **variables)

    assert code == 1, output
    assert "AccessDenied" in output
    assert used_cloudfront.effects("CreateFunction") == 1
    assert used_cloudfront.functions.keys() == {"theirs"}


def test_without_credentials_no_test_runs_and_the_message_explains_why(
    project: Path, used_cloudfront: UsedCloudFront
) -> None:
    variables = {name: value for name, value in AWS_VARIABLES.items() if "KEY" not in name}

    code, output = run_suite(project, "--run-aws", **variables, AWS_ENDPOINT_URL=used_cloudfront.url)

    assert code == 1
    assert "these tests need AWS credentials, but none were found; set AWS_PROFILE" in output
    assert used_cloudfront.requests == ()


def test_nothing_is_created_with_credentials_that_cannot_clean_up(
    project: Path, used_cloudfront: UsedCloudFront
) -> None:
    used_cloudfront.always("ListKeyValueStores", fail_with("AccessDenied", 403, "not authorized"))

    code, output = run_suite(project, "--run-aws", **AWS_VARIABLES, AWS_ENDPOINT_URL=used_cloudfront.url)

    assert code == 1
    assert "these credentials cannot list CloudFront's resources" in output
    assert {request.operation for request in used_cloudfront.requests} == {"ListFunctions", "ListKeyValueStores"}


def test_the_tests_run_only_with_the_flag(project: Path, used_cloudfront: UsedCloudFront) -> None:
    code, output = run_suite(project, **AWS_VARIABLES, AWS_ENDPOINT_URL=used_cloudfront.url)

    assert code == pytest.ExitCode.NO_TESTS_COLLECTED, output
    assert used_cloudfront.requests == ()


def test_a_sweep_deletes_only_resources_with_the_prefix(used_cloudfront: UsedCloudFront) -> None:
    double = used_cloudfront
    with plain_client(double.url) as client:
        account = Account(client)
        for number in range(3):
            store = StoredStore(account.name(f"store-{number}"), None, utc_now(), "E1")
            items = [{"KeyValueStoreARN": store.arn}]
            config = {**NO_CONFIG, "KeyValueStoreAssociations": {"Quantity": 1, "Items": items}}
            name = account.name(f"function-{number}")
            double.functions[name] = StoredFunction(name, config, b"", utc_now(), "E1")
            double.stores[store.name] = store
        other = f"x-{account.prefix}"
        double.functions[other] = StoredFunction(other, NO_CONFIG, b"", utc_now(), "E1")
        double.script("DeleteFunction", fail_with("PreconditionFailed", 412))

        account.sweep()

    assert double.functions.keys() == {"theirs", other}
    assert double.stores.keys() == {"theirs"}


def test_waiting_times_out_with_the_last_value() -> None:
    seen = iter(range(100))

    assert poll_until(lambda: next(seen), lambda number: number == 1) == 1
    with pytest.raises(TimeoutError, match=r"after 0.1 s still \d"):
        poll_until(lambda: next(seen), lambda number: number > 50, timeout=0.1)
