"""Malformed responses of CloudFront are errors, and valid ones are read completely."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from botocore.exceptions import HTTPClientError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from backends.failures import FAILURES
from cloudfront_facade_server.backends.aws import AwsBackend
from support.cloudfront import faults
from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.samples import FULL_FUNCTION, call, model_of, sample
from support.cloudfront.wire import HttpResponse
from support.values import STORE_ARN

MakeBackend = Callable[..., AwsBackend]

pytestmark = pytest.mark.usefixtures("aws_environment")

FAULTS = {
    **FAILURES,
    "truncated": (faults.truncated(), ResponseParserError),
    "cut off": (faults.cut_body(), HTTPClientError),
    "200 as HTML": (faults.html(200), ResponseParserError),
    "another root": (lambda _: HttpResponse(200, b"[]", {"Content-Type": "application/json"}), ResponseParserError),
    "no body": (faults.status_only(200), ResponseParserError),
}


@pytest.mark.parametrize(("fault", "error"), FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("operation", ["PutKey", "ListKeys"])
def test_a_call_is_sent_once_and_a_malformed_response_is_an_error(
    cloudfront: CloudFrontDouble,
    aws_backend: MakeBackend,
    operation: str,
    fault: faults.Fault,
    error: type[Exception],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFRONT_KEYVALUESTORE", "http://127.0.0.1:1")
    backend = aws_backend(cloudfront, read_timeout=0.3 if error is ReadTimeoutError else 15.0)
    arn = cloudfront.apply("CreateKeyValueStore", {"Name": "redirects"})["KeyValueStore"]["ARN"]
    etag = cloudfront.stores["redirects"].data_etag
    cloudfront.always(operation, fault)

    put = {"Key": "k", "Value": "v", "IfMatch": etag} if operation == "PutKey" else {}
    with pytest.raises(error):
        call(backend, operation, {"KvsARN": arn, **put})

    cloudfront.release()
    assert cloudfront.count(operation) == 1


@pytest.mark.parametrize("time", ['"soon"', "1e999", "1e300", "[1]", "{}"])
def test_a_malformed_time_is_an_error(cloudfront: CloudFrontDouble, aws_backend: MakeBackend, time: str) -> None:
    body = f'{{"KvsARN": "{STORE_ARN}", "Created": {time}}}'.encode()
    cloudfront.script(
        "DescribeKeyValueStoreData", lambda _: HttpResponse(200, body, {"Content-Type": "application/json"})
    )

    with pytest.raises(ResponseParserError):
        aws_backend(cloudfront).describe_key_value_store_data(KvsARN=STORE_ARN)


@pytest.mark.parametrize("operation", ["DeleteFunction", "DeleteKeyValueStore", "TagResource", "UntagResource"])
@pytest.mark.parametrize("fault", [faults.html(200), faults.status_only(200), faults.status_only(202)])
def test_an_unexpected_status_is_an_error(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, operation: str, fault: faults.Fault
) -> None:
    cloudfront.script(operation, fault)
    with pytest.raises(ResponseParserError):
        call(aws_backend(cloudfront), operation, sample(model_of(operation).input_shape))


@pytest.mark.parametrize("header", ["ETag", "ETtag"])
def test_an_update_of_a_function_reads_its_etag_from_the_header_in_either_spelling(
    cloudfront: CloudFrontDouble, aws_backend: MakeBackend, header: str
) -> None:
    backend = aws_backend(cloudfront)
    created = backend.create_function(**FULL_FUNCTION)

    def misspelled(exchange: faults.Exchange) -> HttpResponse:
        response = exchange.response()
        headers = {name: value for name, value in response.headers.items() if name != "ETag"}
        return HttpResponse(response.status, response.body, {**headers, header: response.headers["ETag"]})

    cloudfront.script("UpdateFunction", misspelled, faults.without_header("ETag"))
    changed = {name: FULL_FUNCTION[name] for name in ("Name", "FunctionConfig", "FunctionCode")}
    updated = backend.update_function(**changed, IfMatch=created["ETag"])

    assert updated["ETag"] == cloudfront.functions[FULL_FUNCTION["Name"]].etag != created["ETag"]
    assert "ETag" not in backend.update_function(**changed, IfMatch=updated["ETag"]), "an etag is never made up"
