"""Every error of AWS and botocore is translated to the status of the contract without leaking text."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import botocore.session
import pytest
from botocore import exceptions as boto
from botocore import xform_name
from botocore.parsers import ResponseParserError
from google.rpc import error_details_pb2, status_pb2

import cloudfront_facade_server
from cloudfront_facade.v1.error_reason_pb2 import ErrorReason
from cloudfront_facade_server.backends.protocol import Backend
from cloudfront_facade_server.errors.aws_codes import TABLE, MalformedResponseError
from cloudfront_facade_server.errors.classify import classify, proven_not_applied
from cloudfront_facade_server.errors.status_error import StatusError
from cloudfront_facade_server.errors.translate import translate
from cloudfront_facade_server.upstream.operation_target import OperationTarget
from support.cloudfront.wire import installed_wire
from support.facade import Failure
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
STORE_ARN: Final = "arn:aws:cloudfront::123456789012:key-value-store/11111111-2222-3333-4444-555555555555"
TARGET: Final = OperationTarget(
    "function", "rewrite", {"Name": "rewrite", "FunctionConfig": {"KeyValueStoreARN": STORE_ARN}}
)
OPERATIONS: Final = {
    "CreateFunction",
    "CreateKeyValueStore",
    "DeleteFunction",
    "DeleteKeyValueStore",
    "DescribeFunction",
    "DescribeKeyValueStore",
    "GetFunction",
    "ListDistributions",
    "ListFunctions",
    "ListKeyValueStores",
    "ListTagsForResource",
    "PublishFunction",
    "TagResource",
    "TestFunction",
    "UntagResource",
    "UpdateFunction",
    "UpdateKeyValueStore",
}
DATA_OPERATIONS: Final = {"DeleteKey", "DescribeKeyValueStore", "GetKey", "ListKeys", "PutKey", "UpdateKeys"}
DATA_MODEL: Final = botocore.session.Session().get_service_model("cloudfront-keyvaluestore")
QUOTING: Final = {"InvalidArgument", "ValidationException", "MalformedXML", "InvalidTagging"}

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


def client_error(code: str, http_status: int, message: str = "", request_id: str = "") -> boto.ClientError:
    metadata = {"HTTPStatusCode": http_status, "RequestId": request_id}
    return boto.ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, "Operation")


def read(error: StatusError) -> Failure:
    """Decodes a status from its trailers."""
    trailers = dict(error.trailing_metadata("CreateFunction"))
    packed = trailers["grpc-status-details-bin"]
    assert isinstance(packed, bytes)
    status = status_pb2.Status.FromString(packed)
    assert (status.code, status.message) == (error.code.value[0], error.message)
    details: dict[str, Any] = {}
    for packed_detail in status.details:
        kind = packed_detail.type_url.rpartition(".")[2]
        details[kind] = getattr(error_details_pb2, kind)()
        packed_detail.Unpack(details[kind])
    info, violations = details["ErrorInfo"], getattr(details.get("BadRequest"), "field_violations", ())
    return Failure(
        error.code, status.message, info.reason, info.domain, dict(info.metadata), list(violations), details, trailers
    )


def test_the_listed_operations_are_those_of_the_backend_protocol() -> None:
    names = installed_wire().model.operation_names

    assert {name for name in names if hasattr(Backend, xform_name(name))} == OPERATIONS
    # Both planes have an operation of this name; the Protocol has two names for it.
    assert {name for name in DATA_MODEL.operation_names if hasattr(Backend, xform_name(name))} == DATA_OPERATIONS
    assert set(DATA_MODEL.operation_names) == DATA_OPERATIONS
    assert hasattr(Backend, "describe_key_value_store_data")


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_every_error_of_the_service_model_has_a_row(operation: str) -> None:
    assert_rows(installed_wire().model.operation_model(operation).error_shapes)


@pytest.mark.parametrize("operation", sorted(DATA_OPERATIONS))
def test_every_error_of_the_data_planes_service_model_has_a_row(operation: str) -> None:
    assert_rows(DATA_MODEL.operation_model(operation).error_shapes)


def assert_rows(shapes: Any) -> None:
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
        failure = read(translate(classify(client_error(code, status, request_id="a-request")), TARGET))

        assert_reads(failure, expected)
        assert failure.metadata == {
            "aws_code": code,
            "aws_http_status": str(status),
            "aws_request_id": "a-request",
            "name": TARGET.name,
            "operation": "CreateFunction",
            "outcome": "not_applied",
        }


@pytest.mark.parametrize(("code", "http_status"), [(code, status) for code, (status, _) in REJECTIONS.items()])
def test_an_upstream_4xx_proves_that_nothing_was_changed(code: str, http_status: int) -> None:
    assert proven_not_applied(client_error(code, http_status))


@pytest.mark.parametrize(("code", "http_status"), [(code, status) for code, (status, _) in FAILURES.items()])
def test_an_upstream_5xx_does_not_prove_that_nothing_was_changed(code: str, http_status: int) -> None:
    assert not proven_not_applied(client_error(code, http_status))


@pytest.mark.parametrize(("http_status", "expected"), BY_HTTP_STATUS.items())
@pytest.mark.parametrize("code", ["", "SomethingNew", "the status"])
def test_an_unknown_code_is_translated_by_the_http_status(http_status: int, code: str, expected: Expected) -> None:
    code = str(http_status) if code == "the status" else code
    error = client_error(code, http_status, SECRET)

    failure = read(translate(classify(error), TARGET))

    assert_reads(failure, expected)
    assert failure.metadata.get("aws_code", "") == ("" if code.isdigit() else code)
    assert failure.metadata["aws_http_status"] == str(http_status)
    assert SECRET not in everything_in(failure)
    assert proven_not_applied(error) is (http_status < 500)


@pytest.mark.parametrize(("error", "expected"), EXCEPTIONS, ids=lambda value: type(value).__name__)
def test_an_exception_without_a_code_becomes_its_status(error: Exception, expected: Expected) -> None:
    failure = read(translate(classify(error), TARGET))

    assert_reads(failure, expected)
    assert failure.metadata == {"name": TARGET.name, "operation": "CreateFunction", "outcome": "not_applied"}
    assert SECRET not in everything_in(failure)


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

    failure = read(translate(classify(kind(**fields)), TARGET))

    assert failure.message
    assert SECRET not in everything_in(failure)


@pytest.mark.parametrize("code", [*REJECTIONS, *FAILURES, "", "SomethingNew"])
def test_arns_and_accounts_that_the_caller_did_not_send_are_redacted(code: str) -> None:
    role = f"arn:aws:sts::999988887777:assumed-role/{SECRET}/session"
    bucket = f'"arn:aws-cn:s3:::{SECRET}/key.json"'
    text = f"User: {role} is not authorized for {bucket} of 999988887777 (999988887777)\r\n\0é {STORE_ARN}."

    failure = read(translate(classify(client_error(code, 400, text)), TARGET))

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
    failure = read(translate(classify(client_error("InvalidArgument", 400, "long " * 10_000)), TARGET))

    assert failure.message.startswith("CloudFront rejected the request as invalid: long long")
    assert len(failure.message) <= 400
    assert failure.violations[0].description == failure.message


def test_the_details_name_the_resource() -> None:
    failure = read(translate(classify(client_error("FunctionAlreadyExists", 409)), TARGET))
    missing = read(translate(classify(client_error("EntitySizeLimitExceeded", 413)), TARGET))

    info = failure.details["ResourceInfo"]
    assert (info.resource_type, info.resource_name) == ("function", "rewrite")
    assert missing.details["PreconditionFailure"].violations[0].subject == "rewrite"


def test_the_enum_lists_exactly_the_reasons_that_the_code_returns() -> None:
    published = {name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()} - {"UNSPECIFIED"}  # noqa: SIM118
    package = Path(cloudfront_facade_server.__file__).parent

    returned = {reason for path in package.rglob("*.py") for reason in reasons_in(ast.parse(path.read_text()))}

    # A caller that disconnected receives no status; the empty reason is only for the log.
    assert returned - {""} == published
    assert all(reason.isupper() and len(reason) <= 63 for reason in published)


def reasons_in(module: ast.Module) -> Iterator[str]:
    """Yields the reason of each status and row in a module; it must be a literal or come from a row."""
    functions = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)]
    positions = {"StatusError": 1, "ErrorMapping": 1}
    # A function that takes a reason and passes it on to a status has the reasons of its callers.
    for function in functions:
        names = [argument.arg for argument in function.args.args]
        if "reason" in names and positions.keys() & {
            node.id for node in ast.walk(function) if isinstance(node, ast.Name)
        }:
            positions[function.name] = names.index("reason")
    for node in ast.walk(module):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in positions:
            continue
        reason = reason_of(node, positions[node.func.id])
        match reason:
            case ast.Constant(value=str(text)):
                yield text
            case ast.Attribute(value=ast.Name(id="mapping"), attr="reason"):
                continue
            case ast.Name(id="reason"):
                assert any(node in ast.walk(function) for function in functions if function.name in positions)
            case _:
                raise AssertionError(f"line {node.lineno}: the reason is not a literal")


def reason_of(call: ast.Call, index: int) -> ast.expr:
    named = [keyword.value for keyword in call.keywords if keyword.arg == "reason"]
    return named[0] if named else call.args[index]


def test_only_a_4xx_or_a_failed_connect_proves_that_nothing_was_changed() -> None:
    assert proven_not_applied(boto.ConnectTimeoutError(endpoint_url="x"))
    assert proven_not_applied(boto.SSLError(endpoint_url="x", error="[SSL: CERTIFICATE_VERIFY_FAILED] expired"))
    assert proven_not_applied(boto.EndpointConnectionError(endpoint_url="x"))
    for error in (
        client_error("RequestTimeout", 400),
        client_error("", 408),
        client_error("", 503),
        client_error("", 302),
        boto.ProxyConnectionError(proxy_url="x", error="reset after the request"),
        boto.ReadTimeoutError(endpoint_url="x"),
        boto.ConnectionClosedError(endpoint_url="x"),
        ResponseParserError("x"),
        MalformedResponseError("x"),
    ):
        assert not proven_not_applied(error), error


def everything_in(failure: Failure) -> str:
    """Returns all text that a caller can read."""
    packed = failure.trailers["grpc-status-details-bin"]
    assert isinstance(packed, bytes)
    return failure.message + packed.decode(errors="replace") + repr(failure.metadata)
