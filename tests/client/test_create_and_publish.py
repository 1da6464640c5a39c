"""The job `create_and_publish`."""

from __future__ import annotations

import grpc
import pytest

from client.both import Run, both
from client.canned import FUNCTION_CREATED, Canned, error_status, info, running_server
from cloudfront_facade import FacadeError, FunctionChangedError
from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1.tag_pb2 import Tag

NOT_FOUND = error_status(grpc.StatusCode.NOT_FOUND, "no", info("FUNCTION_NOT_FOUND"))
REQUEST = functions.CreateFunctionRequest(
    name="rewrite", function_code=b"code", tags=[Tag(key="team", value="web")], request_id="an-id"
)
PUBLISHED = functions.PublishFunctionResponse(function_summary=functions.FunctionSummary(name="rewrite", status="X"))


@both
def test_a_function_is_published_with_the_etag_of_its_create(run: Run) -> None:
    servicer = Canned(FUNCTION_CREATED, PUBLISHED)
    with running_server(servicer) as target:
        assert run(target, "functions", "create_and_publish", REQUEST) == PUBLISHED.function_summary
    assert [call.request for call in servicer.received] == [
        REQUEST,
        functions.PublishFunctionRequest(name="rewrite", etag=FUNCTION_CREATED.etag),
    ]


@both
def test_validate_only_publishes_nothing(run: Run) -> None:
    servicer = Canned()
    request = functions.CreateFunctionRequest(name="rewrite", validate_only=True)
    with running_server(servicer) as target:
        assert run(target, "functions", "create_and_publish", request) == functions.FunctionSummary()
    assert [call.method for call in servicer.received] == ["CreateFunction"]


@both
def test_a_failed_publish_notes_that_the_function_was_created(run: Run) -> None:
    servicer = Canned(FUNCTION_CREATED, error_status(grpc.StatusCode.ABORTED, "no", info("ETAG_MISMATCH")))
    with running_server(servicer) as target, pytest.raises(FacadeError) as caught:
        run(target, "functions", "create_and_publish", REQUEST)
    assert caught.value.reason == "ETAG_MISMATCH"
    assert caught.value.__notes__ == ['The function was created: PublishFunction with etag "E1" publishes it.']


@both
def test_a_failed_create_publishes_nothing(run: Run) -> None:
    servicer = Canned(NOT_FOUND)
    with running_server(servicer) as target, pytest.raises(FacadeError) as caught:
        run(target, "functions", "create_and_publish", REQUEST)
    assert (len(servicer.received), caught.value.request_id) == (1, "an-id")
    assert not hasattr(caught.value, "__notes__")


RECONCILED = functions.CreateFunctionResponse(etag="E1", function_summary=functions.FunctionSummary(name="rewrite"))
"""The response to a retried create: without a location, and with the function's current state."""


@both
def test_a_retry_publishes_an_unchanged_function(run: Run) -> None:
    servicer = Canned(RECONCILED, functions.GetFunctionResponse(function_code=b"code", etag="E1"), PUBLISHED)
    with running_server(servicer) as target:
        assert run(target, "functions", "create_and_publish", REQUEST) == PUBLISHED.function_summary
    assert [call.request for call in servicer.received] == [
        REQUEST,
        functions.GetFunctionRequest(name="rewrite"),
        functions.PublishFunctionRequest(name="rewrite", etag="E1"),
    ]


def reconciled(comment: str = "") -> functions.CreateFunctionResponse:
    config = functions.FunctionConfig(comment=comment)
    return functions.CreateFunctionResponse(
        etag="E1", function_summary=functions.FunctionSummary(name="rewrite", function_config=config)
    )


@both
@pytest.mark.parametrize(
    ("comment", "code", "message"),
    [
        ("", b"newer secret", r"different code\)"),
        ("newer", b"code", r"different config\)"),
        ("newer", b"newer secret", r"different config and code\)"),
    ],
)
def test_a_retry_does_not_publish_a_function_that_somebody_changed(
    run: Run, comment: str, code: bytes, message: str
) -> None:
    servicer = Canned(reconciled(comment), functions.GetFunctionResponse(function_code=code, etag="E2"))
    with running_server(servicer) as target, pytest.raises(FunctionChangedError, match=message) as caught:
        run(target, "functions", "create_and_publish", REQUEST)
    assert [call.method for call in servicer.received] == ["CreateFunction", "GetFunction"]
    assert '"rewrite"' in str(caught.value)
    assert 'PublishFunction with etag "E2"' in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.etag == "E2"


@both
def test_a_retry_publishes_nothing_if_it_cannot_read_the_function(run: Run) -> None:
    servicer = Canned(RECONCILED, NOT_FOUND)
    with running_server(servicer) as target, pytest.raises(FacadeError) as caught:
        run(target, "functions", "create_and_publish", REQUEST)
    assert [call.method for call in servicer.received] == ["CreateFunction", "GetFunction"]
    assert caught.value.__notes__ == [
        "The function was created by an earlier request and not published: whether it has changed since is unknown."
    ]
