"""The text of an upstream error: botocore's never reaches the caller, CloudFront's only if it is about the request."""

from __future__ import annotations

import string
from collections.abc import Iterator
from typing import Any, Final

import pytest
from botocore import exceptions as boto

from cloudfront_facade_server.errors import aws_code_families as families
from cloudfront_facade_server.errors.classify import EmbeddedFileError, RolledBackError, classify
from cloudfront_facade_server.errors.translate import outcome_unknown, translate
from support.cloudfront.wire import client_error
from support.translated import TARGET, everything_in, translated
from support.values import STORE_ARN
from wire.expected_errors import FAILURES, REJECTIONS

SECRET: Final = "s3cr3t-t3xt"
QUOTING: Final = {*families.INVALID, "InvalidTagging"}
"""The codes whose message is about the caller's input, and is therefore quoted."""


def exceptions_of_botocore(base: type[Exception] = boto.BotoCoreError) -> Iterator[type[Exception]]:
    for kind in base.__subclasses__():
        if kind.__module__.startswith("botocore."):
            yield kind
            yield from exceptions_of_botocore(kind)


@pytest.mark.parametrize("kind", sorted(set(exceptions_of_botocore()), key=repr), ids=lambda kind: kind.__name__)
def test_the_text_of_a_botocore_exception_is_never_in_a_status(kind: Any) -> None:
    fields: dict[str, Any] = {name: SECRET for _, name, _, _ in string.Formatter().parse(kind.fmt) if name}
    if kind is boto.WaiterError:
        fields["last_response"] = {}

    failure = translated(kind(**fields))

    assert failure.message
    assert SECRET not in everything_in(failure)


@pytest.mark.parametrize("code", [*REJECTIONS, *FAILURES, "", "SomethingNew"])
def test_arns_and_accounts_that_the_caller_did_not_send_are_redacted(code: str) -> None:
    role = f"arn:aws:sts::999988887777:assumed-role/{SECRET}/session"
    bucket = f'"arn:aws-cn:s3:::{SECRET}/key.json"'
    text = f"User: {role} is not authorized for {bucket} of 999988887777 (999988887777)\r\n\0é {STORE_ARN}."

    failure = translated(client_error(code, 400, text))

    text_sent = everything_in(failure)
    assert SECRET not in text_sent
    assert "999988887777" not in text_sent
    assert failure.message.isascii()
    assert failure.message.isprintable()
    assert ("is not authorized for" in text_sent) is (code in QUOTING), (
        "only messages about the caller's input are quoted"
    )
    assert (STORE_ARN in text_sent) is (code in QUOTING), "the caller knows its own ARNs"


def test_a_long_message_of_cloudfront_is_truncated() -> None:
    failure = translated(client_error("InvalidArgument", 400, "long " * 10_000))

    assert failure.message.startswith("CloudFront rejected the request as invalid: long long")
    assert len(failure.message) <= 400
    assert failure.violations[0].description == failure.message


@pytest.mark.parametrize("kind", [EmbeddedFileError, RolledBackError])
def test_an_error_of_the_embedded_backends_file_does_not_blame_cloudfront(kind: type[EmbeddedFileError]) -> None:
    failure = classify(kind(client_error("ServiceUnavailable", 503).response, "PutKey"))

    texts = [str(translate(failure, TARGET)), str(outcome_unknown(failure, repeatable=True))]

    assert texts == [
        "the embedded backend cannot use its file; the server's log has the cause",
        "the embedded backend's file failed, so it is unknown whether the change was applied; retry the same request",
    ]
