"""Cases of FunctionService, except TestFunction."""

from __future__ import annotations

from typing import Final

import grpc

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade.v1.tag_service_pb2 import ListTagsForResourceRequest

from .expectations import check, check_equal, check_fails
from .facade import DEVELOPMENT, LIVE, PASS_THROUGH, RUNTIME, Facade, pages
from .registry import CaseRegistry

case: Final = CaseRegistry("functions")

_REQUEST_ID: Final = "0b5e2f0e-5d2c-4d0b-9f3e-2a4d7c1b8e6f"
_ANY_BYTES: Final = b"// \xff\xfe\x00\r\n" + PASS_THROUGH


def describe(facade: Facade, name: str, stage: int = 0) -> functions.DescribeFunctionResponse:
    """Describes a function."""
    return facade.functions.DescribeFunction(
        functions.DescribeFunctionRequest(name=name, stage=functions.FunctionStage.ValueType(stage))
    )


def update(facade: Facade, name: str, etag: str, code: bytes, comment: str = "") -> functions.UpdateFunctionResponse:
    """Replaces a function's code and configuration."""
    config = functions.FunctionConfig(comment=comment, runtime=RUNTIME)
    return facade.functions.UpdateFunction(
        functions.UpdateFunctionRequest(name=name, etag=etag, function_config=config, function_code=code)
    )


@case()
def create(facade: Facade) -> None:
    """Should create a function in its DEVELOPMENT stage, and return its ARN and etag."""
    created = facade.create_function()
    metadata = created.function_summary.function_metadata
    check(
        f":function/{created.function_summary.name}" in metadata.function_arn, f"the ARN is {metadata.function_arn!a}"
    )
    check_equal(metadata.stage, DEVELOPMENT, "the stage")
    check(created.etag, "the etag is empty")
    described = describe(facade, created.function_summary.name)
    check_equal(
        described.function_summary.function_config,
        functions.FunctionConfig(comment="sanity", runtime=RUNTIME),
        "its configuration",
    )
    check_equal(described.etag, created.etag, "the etag from DescribeFunction")


@case("tags")
def create_with_tags(facade: Facade) -> None:
    """Should create a function with exactly the requested tags, and keep an absent value distinct from an empty one."""
    tags = (Tag(key="team", value="edge"), Tag(key="empty", value=""), Tag(key="absent"))
    created = facade.create_function(tags=tags, request_id="")
    arn = created.function_summary.function_metadata.function_arn
    listed = facade.tags.ListTagsForResource(ListTagsForResourceRequest(resource=arn)).tags
    check_equal(sorted(map(repr, listed)), sorted(map(repr, tags)), "the list of tags")


@case()
def create_twice(facade: Facade) -> None:
    """Should not create a second function with the same name."""
    name = facade.create_function().function_summary.name
    check_fails(
        lambda: facade.create_function(name=name, request_id=""),
        grpc.StatusCode.ALREADY_EXISTS,
        "FUNCTION_ALREADY_EXISTS",
    )


@case()
def repeat(facade: Facade) -> None:
    """Should return the existing function when a create is repeated."""
    first = facade.create_function(request_id=_REQUEST_ID)
    name = first.function_summary.name
    again = facade.create_function(name=name, request_id=_REQUEST_ID)
    check_equal(again.etag, first.etag, "the etag in the second response")


@case()
def reuse(facade: Facade) -> None:
    """Should reject a request_id that created a function with the same name and different content."""
    name = facade.create_function(request_id=_REQUEST_ID).function_summary.name
    check_fails(
        lambda: facade.create_function(b"// another\n" + PASS_THROUGH, name=name, request_id=_REQUEST_ID),
        grpc.StatusCode.INVALID_ARGUMENT,
        "REQUEST_ID_REUSED",
    )


@case()
def validate_only(facade: Facade) -> None:
    """Should create nothing if validate_only is set."""
    name = facade.name()
    facade.create_function(name=name, validate_only=True)
    check_fails(lambda: describe(facade, name), grpc.StatusCode.NOT_FOUND, "FUNCTION_NOT_FOUND")


@case()
def all_violations(facade: Facade) -> None:
    """Should report all violations of a request together, each with its field."""
    details = check_fails(
        lambda: facade.create_function(
            b"x" * 40_961, name="no name", tags=(Tag(key="aws:x"), Tag(key="k", value="\0"), Tag(key="k"))
        ),
        grpc.StatusCode.INVALID_ARGUMENT,
        "VALIDATION_FAILED",
    )
    fields = {violation.field for violation in details["BadRequest"].field_violations}
    check_equal(fields, {"name", "function_code", "tags[0].key", "tags[1].value", "tags[2].key"}, "the set of fields")
    check_equal(details["ErrorInfo"].metadata["outcome"], "not_applied", "the outcome")


@case()
def code(facade: Facade) -> None:
    """Should return a function's code byte for byte."""
    created = facade.create_function(_ANY_BYTES)
    response = facade.functions.GetFunction(functions.GetFunctionRequest(name=created.function_summary.name))
    check_equal(response.function_code, _ANY_BYTES, "the code")
    check_equal(response.etag, created.etag, "the etag")


@case("update")
def replace(facade: Facade) -> None:
    """Should replace code and configuration completely, and return the new etag."""
    created = facade.create_function()
    name = created.function_summary.name
    updated = update(facade, name, created.etag, b"// new\n" + PASS_THROUGH, "new")
    check(updated.etag not in ("", created.etag), f"the etag is {updated.etag!a} after {created.etag!a}")
    check_equal(describe(facade, name).etag, updated.etag, "the etag from DescribeFunction")
    check_equal(updated.function_summary.function_config.comment, "new", "the comment")
    response = facade.functions.GetFunction(functions.GetFunctionRequest(name=name))
    check_equal(response.function_code, b"// new\n" + PASS_THROUGH, "the code")


@case("update")
def stale_update(facade: Facade) -> None:
    """Should reject an update with an outdated etag, and change nothing."""
    created = facade.create_function()
    name = created.function_summary.name
    newer = update(facade, name, created.etag, b"// 2\n" + PASS_THROUGH)
    check_fails(
        lambda: update(facade, name, created.etag, b"// 3\n" + PASS_THROUGH), grpc.StatusCode.ABORTED, "ETAG_MISMATCH"
    )
    response = facade.functions.GetFunction(functions.GetFunctionRequest(name=name))
    check_equal((response.function_code, response.etag), (b"// 2\n" + PASS_THROUGH, newer.etag), "the function")


@case("update")
def repeated_update(facade: Facade) -> None:
    """Should return OK when an update is repeated."""
    created = facade.create_function()
    name = created.function_summary.name
    first = update(facade, name, created.etag, b"// 2\n" + PASS_THROUGH)
    check_equal(
        update(facade, name, created.etag, b"// 2\n" + PASS_THROUGH).etag, first.etag, "the etag in the second response"
    )


@case()
def etag_with_line_break(facade: Facade) -> None:
    """Should reject an etag that cannot be sent in a header."""
    created = facade.create_function()
    request = functions.DeleteFunctionRequest(name=created.function_summary.name, etag=f"{created.etag}\r\nX: 1")
    check_fails(lambda: facade.functions.DeleteFunction(request), grpc.StatusCode.INVALID_ARGUMENT, "VALIDATION_FAILED")


@case("update", "stores")
def associate(facade: Facade) -> None:
    """Should associate a function with a store by an update, and remove the association by another update."""
    arn = facade.ready_store().arn
    created = facade.create_function()
    request = functions.UpdateFunctionRequest(
        name=created.function_summary.name,
        etag=created.etag,
        function_config=functions.FunctionConfig(
            runtime=RUNTIME,
            key_value_store_associations=[functions.KeyValueStoreAssociation(key_value_store_arn=arn)],
        ),
        function_code=PASS_THROUGH,
    )
    updated = facade.functions.UpdateFunction(request)
    described = describe(facade, request.name).function_summary.function_config
    check_equal(
        [association.key_value_store_arn for association in described.key_value_store_associations], [arn], "its stores"
    )
    update(facade, request.name, updated.etag, PASS_THROUGH)
    described = describe(facade, request.name).function_summary.function_config
    check_equal(len(described.key_value_store_associations), 0, "the number of its stores")


@case("publish")
def unpublished(facade: Facade) -> None:
    """Should report that a function was never published when its LIVE stage is requested."""
    name = facade.create_function().function_summary.name
    details = check_fails(lambda: describe(facade, name, LIVE), grpc.StatusCode.NOT_FOUND, "FUNCTION_NOT_FOUND")
    check(
        "PublishFunction" in details["ResourceInfo"].description,
        f"the description is {details['ResourceInfo'].description!a}",
    )


@case("publish")
def publish(facade: Facade) -> None:
    """Should publish the DEVELOPMENT stage, and leave LIVE unchanged when DEVELOPMENT changes."""
    created = facade.create_function()
    name = created.function_summary.name
    published = facade.functions.PublishFunction(functions.PublishFunctionRequest(name=name, etag=created.etag))
    check_equal(published.function_summary.function_metadata.stage, LIVE, "the stage in the response")
    update(facade, name, describe(facade, name).etag, b"// new\n" + PASS_THROUGH)
    response = facade.functions.GetFunction(functions.GetFunctionRequest(name=name, stage=LIVE))
    check_equal(response.function_code, PASS_THROUGH, "the code of LIVE")


@case("publish", "update")
def live(facade: Facade) -> None:
    """Should describe the LIVE stage as it was published, with its own etag, and list it as LIVE."""
    created = facade.create_function()
    name, unpublished = created.function_summary.name, facade.create_function().function_summary.name
    facade.functions.PublishFunction(functions.PublishFunctionRequest(name=name, etag=created.etag))
    update(facade, name, describe(facade, name).etag, PASS_THROUGH, "not published")
    described = describe(facade, name, LIVE)
    check_equal(described.function_summary.function_metadata.stage, LIVE, "the stage")
    check_equal(described.function_summary.function_config.comment, "sanity", "the comment")
    check(described.etag not in ("", describe(facade, name).etag), f"the etag of both stages is {described.etag!a}")
    listed: dict[str, functions.FunctionSummary] = {}
    for page in pages(facade.functions.ListFunctions, functions.ListFunctionsRequest(stage=LIVE)):
        listed |= {function.name: function for function in page.functions}
    check(name in listed, "it is not in the list of LIVE")
    check_equal(listed[name].function_metadata.stage, LIVE, "the stage in the list of LIVE")
    check(unpublished not in listed, "an unpublished function is in the list of LIVE")


@case("publish")
def stale_publish(facade: Facade) -> None:
    """Should not publish a function if the etag is outdated."""
    created = facade.create_function()
    name = created.function_summary.name
    update(facade, name, created.etag, b"// new\n" + PASS_THROUGH)
    request = functions.PublishFunctionRequest(name=name, etag=created.etag)
    check_fails(lambda: facade.functions.PublishFunction(request), grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    check_fails(lambda: describe(facade, name, LIVE), grpc.StatusCode.NOT_FOUND, "FUNCTION_NOT_FOUND")


@case()
def listing(facade: Facade) -> None:
    """Should list every function once, page by page."""
    names = [facade.create_function().function_summary.name for _ in range(3)]
    listed: list[str] = []
    for page in pages(facade.functions.ListFunctions, functions.ListFunctionsRequest(page_size=2)):
        check(len(page.functions) <= 2, f"a page of 2 has {len(page.functions)}")
        listed.extend(function.name for function in page.functions)
    check_equal([listed.count(name) for name in names], [1, 1, 1], "the number of times that each is listed")


@case()
def invalid_page_token(facade: Facade) -> None:
    """Should reject a page token that the list did not return."""
    request = functions.ListFunctionsRequest(page_token="garbage")  # noqa: S106 (no secret)
    check_fails(lambda: facade.functions.ListFunctions(request), grpc.StatusCode.INVALID_ARGUMENT, "VALIDATION_FAILED")


@case()
def delete(facade: Facade) -> None:
    """Should delete a function, so that it is no longer found."""
    created = facade.create_function()
    name = created.function_summary.name
    facade.functions.DeleteFunction(functions.DeleteFunctionRequest(name=name, etag=created.etag))
    check_fails(lambda: describe(facade, name), grpc.StatusCode.NOT_FOUND, "FUNCTION_NOT_FOUND")
    request = functions.DeleteFunctionRequest(name=name, etag=created.etag)
    check_fails(lambda: facade.functions.DeleteFunction(request), grpc.StatusCode.NOT_FOUND, "FUNCTION_NOT_FOUND")


@case("update")
def stale_delete(facade: Facade) -> None:
    """Should not delete a function if the etag is outdated."""
    created = facade.create_function()
    name = created.function_summary.name
    update(facade, name, created.etag, b"// new\n" + PASS_THROUGH)
    request = functions.DeleteFunctionRequest(name=name, etag=created.etag)
    check_fails(lambda: facade.functions.DeleteFunction(request), grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    describe(facade, name)
