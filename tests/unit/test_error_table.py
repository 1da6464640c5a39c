"""Every error of AWS and botocore is translated to the status of the contract."""

from __future__ import annotations

from typing import Final

import pytest
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from cloudfront_facade_server.errors.aws_codes import TABLE, MalformedResponseError
from cloudfront_facade_server.errors.classify import proven_not_applied
from support.cloudfront.samples import model_of
from support.cloudfront.wire import client_error
from support.rpcs import OPERATIONS
from support.translated import TARGET, everything_in, translated
from wire.expected_errors import (
    BY_HTTP_STATUS,
    FAILED,
    FAILURES,
    NEVER_SENT,
    NO_CREDENTIALS,
    NO_CREDENTIALS_NOW,
    REJECTIONS,
    TIMED_OUT,
    UNREACHABLE,
    Expected,
    assert_reads,
)

SECRET: Final = "s3cr3t-t3xt"

EXCEPTIONS: Final[list[tuple[Exception, Expected]]] = [
    (boto.ParamValidationError(report=SECRET), NEVER_SENT),
    (boto.NoCredentialsError(), NO_CREDENTIALS),
    (boto.PartialCredentialsError(provider=SECRET, cred_var=SECRET), NO_CREDENTIALS),
    (boto.ProfileNotFound(profile=SECRET), NO_CREDENTIALS),
    (boto.NoRegionError(), NO_CREDENTIALS),
    (boto.CredentialRetrievalError(provider=SECRET, error_msg=SECRET), NO_CREDENTIALS_NOW),
    (boto.MetadataRetrievalError(error_msg=SECRET), NO_CREDENTIALS_NOW),
    (boto.TokenRetrievalError(provider=SECRET, error_msg=SECRET), NO_CREDENTIALS_NOW),
    (boto.EndpointConnectionError(endpoint_url=SECRET), UNREACHABLE),
    (boto.ConnectTimeoutError(endpoint_url=SECRET), UNREACHABLE),
    (boto.ProxyConnectionError(proxy_url=SECRET), UNREACHABLE),
    (boto.SSLError(endpoint_url=SECRET, error=SECRET), UNREACHABLE),
    (boto.ReadTimeoutError(endpoint_url=SECRET), TIMED_OUT),
    (boto.ConnectionClosedError(endpoint_url=SECRET), FAILED),
    (boto.HTTPClientError(error=SECRET), FAILED),
    (boto.ResponseStreamingError(error=SECRET), FAILED),
    (ResponseParserError(SECRET), FAILED),
    (MalformedResponseError(SECRET), FAILED),
]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_error_of_the_service_model_has_a_row(operation: str) -> None:
    shapes = model_of(operation).error_shapes
    assert shapes
    assert {shape.error_code for shape in shapes} <= TABLE.keys()
    for shape in shapes:
        http_status, _ = (REJECTIONS | FAILURES)[shape.error_code]
        assert shape.metadata["error"]["httpStatusCode"] == http_status


def test_the_table_has_exactly_the_rows_of_the_contract() -> None:
    assert TABLE.keys() == {*REJECTIONS, *FAILURES}


@pytest.mark.parametrize(("code", "http_status", "expected"), [(c, *e) for c, e in (REJECTIONS | FAILURES).items()])
def test_a_code_becomes_its_status_regardless_of_the_http_status(
    code: str, http_status: int, expected: Expected
) -> None:
    for status in (http_status, 400, 403, 409, 503):
        failure = translated(client_error(code, status, request_id="a-request"))

        assert_reads(failure, expected)
        assert failure.metadata == {
            "aws_code": code,
            "aws_http_status": str(status),
            "aws_request_id": "a-request",
            "name": TARGET.name,
            "operation": "CreateFunction",
            "outcome": "not_applied",
        }


@pytest.mark.parametrize(("http_status", "expected"), BY_HTTP_STATUS.items())
@pytest.mark.parametrize("code", ["", "SomethingNew", "the status"])
def test_an_unknown_code_is_translated_by_the_http_status(http_status: int, code: str, expected: Expected) -> None:
    code = str(http_status) if code == "the status" else code
    error = client_error(code, http_status, SECRET)

    failure = translated(error)

    assert_reads(failure, expected)
    assert failure.metadata.get("aws_code", "") == ("" if code.isdigit() else code)
    assert failure.metadata["aws_http_status"] == str(http_status)
    assert SECRET not in everything_in(failure)
    assert proven_not_applied(error) is (http_status < 500)


@pytest.mark.parametrize(("error", "expected"), EXCEPTIONS, ids=lambda value: type(value).__name__)
def test_an_exception_without_a_code_becomes_its_status(error: Exception, expected: Expected) -> None:
    failure = translated(error)

    assert_reads(failure, expected)
    assert failure.metadata == {"name": TARGET.name, "operation": "CreateFunction", "outcome": "not_applied"}
    assert SECRET not in everything_in(failure)


def test_the_details_name_the_resource() -> None:
    failure = translated(client_error("FunctionAlreadyExists", 409))
    missing = translated(client_error("EntitySizeLimitExceeded", 413))

    info = failure.details["ResourceInfo"]
    assert (info.resource_type, info.resource_name) == ("function", "rewrite")
    assert missing.details["PreconditionFailure"].violations[0].subject == "rewrite"
