"""The tests against a real AWS account, tried on a double of CloudFront that can also list and delete."""

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

from aws.account import Account, until
from support.cloudfront.faults import Exchange, Hangup, normally, refuse, throttle
from support.cloudfront.fixtures import AWS_VARIABLES
from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.samples import plain_client
from support.cloudfront.state import ACCOUNT, StoredFunction, StoredStore, utc_now
from support.cloudfront.wire import Answer, refusal
from support.process import clean_environment

QUOTA: Final = 10_240
NO_CONFIG: Final = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
LOOKS: Final = 3
"""How often a store is described before it is READY."""

QUESTION: Final = re.compile(r"^QUESTION (.*) ANSWER (.*)$", re.MULTILINE)

FIXED_ANSWERS: Final = {
    "which status words a new function has": "UNPUBLISHED in the create, UNPUBLISHED in Describe",
    "how a tag without a value, and one with an empty one, come back": (
        "[{'Key': 'absent'}, {'Key': 'empty', 'Value': ''}]"
    ),
    "whether CloudFront takes letters beyond ASCII in tags": "created",
    "whether CloudFront takes no-break space beyond ASCII in tags": "created",
    "whether CloudFront takes number beyond ASCII in tags": "created",
    "whether CloudFront takes code that is not UTF-8": "created",
    "whether CloudFront takes code that is no JavaScript": "created",
    "whether CloudFront takes code that is one byte": "created",
    "how many bytes of code CloudFront takes": (
        "10000: created; 10001: created; 10240: created; 10241: FunctionSizeLimitExceeded 413 (FUNCTION_TOO_LARGE)"
    ),
    "how creating with tags ends right after the deletion of the same name": (
        "created, TaggingConflict 409 (TAGGING_CONFLICT), created"
    ),
    "whether TaggingConflict was seen": "yes",
    "whether a create that answers TaggingConflict makes the function all the same": "no",
    "how an association with a new store ends": (
        "InvalidArgument 400 (KEY_VALUE_STORE_NOT_READY); right afterwards the store is PROVISIONING"
    ),
    "how an association with a store ends that does not exist": "InvalidArgument 400 (KEY_VALUE_STORE_NOT_FOUND)",
    "whether LastModifiedTime moves when a store becomes READY": "no",
    "whether the ETag changes when a store becomes READY": "no",
    "what Comment a store has that was created without one": "None",
    "which refusals the deletion of a new store meets": "NotYet",
    "how creating a store with tags ends right after the deletion of the same name": "created",
    "how a create ends whose import source does not exist": "created",
    "whether CloudFront asked for patience": "Throttling 400 (UPSTREAM_THROTTLED), 2.0 s",
    "how a read of a key of a new store ends": "ConflictException 409 (KEY_VALUE_STORE_NOT_READY)",
    "how a list of keys of a new store ends": "ConflictException 409 (KEY_VALUE_STORE_NOT_READY)",
    "how a write of a new store ends": "ConflictException 409 (KEY_VALUE_STORE_NOT_READY)",
    "which status word the data plane has for a READY store": "READY",
    "whether a put of what is there changes the version": "yes",
    "how the deletion of a key ends that is not there": "ResourceNotFoundException 404 (KEY_NOT_FOUND)",
    "how a write of a key with dots in a path ends": "OK",
    "how a write of a key with a percent sign ends": "OK",
    "how a write of a key with a blank ends": "OK",
    "how a write of a key with wide characters ends": "OK",
    "which status words a published function has": (
        "UNASSOCIATED in the answer, UNASSOCIATED in DEVELOPMENT, UNASSOCIATED in LIVE"
    ),
    "whether publishing changes the version of DEVELOPMENT": "no",
    "whether LIVE has the version of DEVELOPMENT": "no",
    "whether LIVE has the CreatedTime of DEVELOPMENT": "no",
    "how a test of DEVELOPMENT with the version of DEVELOPMENT ends": "OK",
    "how a test of DEVELOPMENT with the version of LIVE ends": "InvalidIfMatchVersion 400 (ETAG_INVALID)",
    "how a test of LIVE with the version of DEVELOPMENT ends": "InvalidIfMatchVersion 400 (ETAG_INVALID)",
    "how a test of LIVE with the version of LIVE ends": "OK",
    "which status word an updated function has": "UNASSOCIATED",
    "how a publish of an old version ends": "PreconditionFailed 412 (ETAG_MISMATCH)",
    "how a publish of what was never a version ends": "PreconditionFailed 412 (ETAG_MISMATCH)",
}

MEASURED: Final = {
    "after how many seconds DescribeFunction shows a new function",
    "after how many seconds ListTagsForResource shows a new function's tags",
    "after how many seconds at most ListTagsForResource shows a new store's tags",
    "how old the function is by CloudFront's own Date when it shows first",
    "which status words a new store has, and when they show",
}


class WholeCloudFront(CloudFrontDouble):
    """A CloudFront with the quota of code, with short pages, and of somebody else's use already."""

    def __init__(self) -> None:
        super().__init__()
        self.deleted: list[str] = []
        self.functions["theirs"] = StoredFunction("theirs", NO_CONFIG, b"", utc_now(), "E1")
        self.stores["theirs"] = StoredStore("theirs", None, utc_now(), "E1")
        self.tags_lag = 0.3
        self.describe_lag = 0.1
        self.code_bytes = QUOTA
        self._looks: Counter[str] = Counter()

    def _describe_key_value_store(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        described = super()._describe_key_value_store(sent)
        self._looks[described["KeyValueStore"]["Id"]] += 1
        return described

    def _status(self, store: StoredStore) -> str:
        # Not by the clock, so that a slow machine sees the same.
        return "READY" if self._looks[store.id] >= LOOKS else "PROVISIONING"

    def _list_functions(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        # One at a time, so that whoever does not turn pages misses some.
        return super()._list_functions({**sent, "MaxItems": "1"})

    def _delete_function(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        answer = super()._delete_function(sent)
        self.deleted.append(sent["Name"])
        return answer

    def _delete_key_value_store(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        if self._status(self._store(sent)) != "READY":
            raise refusal("NotYet", 409)
        answer = super()._delete_key_value_store(sent)
        self.deleted.append(sent["Name"])
        return answer


@pytest.fixture
def whole_cloudfront() -> Iterator[WholeCloudFront]:
    with WholeCloudFront() as double:
        yield double


def run_suite(project: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    """Runs the tests of tests/aws in a process of their own, and gives the exit code and the output."""
    environment = {name: value for name, value in clean_environment(**variables).items() if "PYTEST" not in name}
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/aws", "-m", "aws", "-s", "-p", "no:cacheprovider", *arguments],
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )
    return ended.returncode, ended.stdout


def test_every_question_is_answered_and_nothing_is_left_behind(
    project: Path, whole_cloudfront: WholeCloudFront
) -> None:
    rounds = itertools.count()

    def conflict_in_the_third_round(exchange: Exchange) -> Answer | Hangup:
        is_it = exchange.arguments["Name"].endswith("-again") and next(rounds) == 2
        return (refuse("TaggingConflict", 409, "in a few minutes") if is_it else normally())(exchange)

    whole_cloudfront.always("CreateFunction", conflict_in_the_third_round)
    whole_cloudfront.script("CreateKeyValueStore", throttle())

    code, output = run_suite(
        project, "--run-aws", "-k", "not test_sanity", **AWS_VARIABLES, AWS_ENDPOINT_URL=whole_cloudfront.url
    )

    assert code == 0, output
    answers = dict(QUESTION.findall(output))
    assert answers.keys() >= FIXED_ANSWERS.keys()
    assert {question: answers[question] for question in FIXED_ANSWERS} == FIXED_ANSWERS
    assert answers.keys() - FIXED_ANSWERS.keys() == MEASURED, "a question without its line"
    assert whole_cloudfront.functions.keys() == whole_cloudfront.stores.keys() == {"theirs"}
    (prefix,) = re.findall(r"begins with (cff-test-[0-9a-f]{8}-)$", output, re.MULTILINE)
    assert len(whole_cloudfront.deleted) > 10
    assert all(name.startswith(prefix) for name in whole_cloudfront.deleted)
    assert ACCOUNT not in "".join(answers.values())


def test_the_sanity_suite_is_run_and_leaves_nothing_behind(project: Path, whole_cloudfront: WholeCloudFront) -> None:
    whole_cloudfront.tags_lag = whole_cloudfront.describe_lag = 0

    code, output = run_suite(
        project, "--run-aws", "-k", "test_sanity", **AWS_VARIABLES, AWS_ENDPOINT_URL=whole_cloudfront.url
    )

    assert code == 0, output
    assert dict(QUESTION.findall(output)) == {"which cases of the sanity suite do not hold": "none"}
    assert " 0 failed, " in output
    assert whole_cloudfront.functions.keys() == whole_cloudfront.stores.keys() == {"theirs"}


def test_a_test_that_fails_leaves_nothing_behind_either(project: Path, whole_cloudfront: WholeCloudFront) -> None:
    whole_cloudfront.always("GetFunction", refuse("AccessDenied", 403, "not authorized"))
    variables = {**AWS_VARIABLES, "CLOUDFRONT_FACADE_ENDPOINT_URL": whole_cloudfront.url}

    code, output = run_suite(project, "--run-aws", "-k", "a_function_is_read_back", **variables)

    assert code == 1, output
    assert "AccessDenied" in output
    assert whole_cloudfront.effects("CreateFunction") == 1
    assert whole_cloudfront.functions.keys() == {"theirs"}


def test_without_credentials_nothing_is_run_and_the_message_says_why(
    project: Path, whole_cloudfront: WholeCloudFront
) -> None:
    variables = {name: value for name, value in AWS_VARIABLES.items() if "KEY" not in name}

    code, output = run_suite(project, "--run-aws", **variables, AWS_ENDPOINT_URL=whole_cloudfront.url)

    assert code == 1
    assert "these tests need AWS credentials, and there are none: set AWS_PROFILE" in output
    assert whole_cloudfront.requests == ()


def test_credentials_that_could_not_clean_up_create_nothing(project: Path, whole_cloudfront: WholeCloudFront) -> None:
    whole_cloudfront.always("ListKeyValueStores", refuse("AccessDenied", 403, "not authorized"))

    code, output = run_suite(project, "--run-aws", **AWS_VARIABLES, AWS_ENDPOINT_URL=whole_cloudfront.url)

    assert code == 1
    assert "CloudFront cannot be read with these credentials" in output
    assert {request.operation for request in whole_cloudfront.requests} == {"ListFunctions", "ListKeyValueStores"}


def test_they_are_never_run_unless_asked_for(project: Path, whole_cloudfront: WholeCloudFront) -> None:
    code, output = run_suite(project, **AWS_VARIABLES, AWS_ENDPOINT_URL=whole_cloudfront.url)

    assert code == pytest.ExitCode.NO_TESTS_COLLECTED, output
    assert whole_cloudfront.requests == ()


def test_a_sweep_takes_away_what_has_the_prefix_and_nothing_else(whole_cloudfront: WholeCloudFront) -> None:
    double = whole_cloudfront
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
        double.script("DeleteFunction", refuse("PreconditionFailed", 412))

        account.sweep()

    assert double.functions.keys() == {"theirs", other}
    assert double.stores.keys() == {"theirs"}


def test_waiting_ends_with_what_was_seen_last() -> None:
    seen = iter(range(100))

    assert until(lambda: next(seen), lambda number: number == 1) == 1
    with pytest.raises(TimeoutError, match=r"after 0.1 s still \d"):
        until(lambda: next(seen), lambda number: number > 50, patience=0.1)
