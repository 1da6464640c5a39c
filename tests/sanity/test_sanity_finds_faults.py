"""The sanity suite fails if one operation of the backend has a fault."""

from __future__ import annotations

import io
from typing import Any, Final

import pytest

from support.facade import running_facade
from support.sanity import Fault, FaultyBackend, Operation, run_suite


def code_with_a_newline(correct: Operation, arguments: dict[str, Any]) -> Any:
    response = correct(**arguments)
    return {**response, "FunctionCode": io.BytesIO(response["FunctionCode"].read() + b"\n")}


def without(name: str) -> Fault:
    """Drops an argument."""
    return lambda correct, arguments: correct(**{key: value for key, value in arguments.items() if key != name})


def ignore_etag(describe: str, *identifiers: str, **fixed: str) -> Fault:
    """Replaces the etag of the request with the current one, which `describe` returns for these identifiers."""

    def fault(correct: Operation, arguments: dict[str, Any]) -> Any:
        read = getattr(correct.__self__, describe)  # type: ignore[attr-defined]
        current = read(**{name: arguments[name] for name in identifiers}, **fixed)
        return correct(**{**arguments, "IfMatch": current["ETag"]})

    return fault


DEVELOPMENT_IGNORING_ETAG: Final = ignore_etag("describe_function", "Name", Stage="DEVELOPMENT")
DATA_IGNORING_ETAG: Final = ignore_etag("describe_key_value_store_data", "KvsARN")


def of_development(correct: Operation, arguments: dict[str, Any]) -> Any:
    return correct(**{**arguments, "Stage": "DEVELOPMENT"})


def with_the_etag_of_development(correct: Operation, arguments: dict[str, Any]) -> Any:
    described = correct(**arguments)
    return {**described, "ETag": of_development(correct, arguments)["ETag"]}


def run_of_development(correct: Operation, arguments: dict[str, Any]) -> Any:
    return DEVELOPMENT_IGNORING_ETAG(correct, {**arguments, "Stage": "DEVELOPMENT"})


def configured(**changed: Any) -> Fault:
    """Changes members of a function's configuration; None removes one."""

    def fault(correct: Operation, arguments: dict[str, Any]) -> Any:
        config = {**arguments["FunctionConfig"], **changed}
        config = {name: value for name, value in config.items() if value is not None}
        return correct(**{**arguments, "FunctionConfig": config})

    return fault


def without_values(correct: Operation, arguments: dict[str, Any]) -> Any:
    page = correct(**arguments)
    return {**page, "Items": [{**item, "Value": ""} for item in page["Items"]]}


def nothing(_correct: Operation, _arguments: dict[str, Any]) -> Any:
    return {}


def page_without_its_first_item(correct: Operation, arguments: dict[str, Any]) -> Any:
    page = correct(**arguments)["FunctionList"]
    return {"FunctionList": {**page, "Items": page.get("Items", [])[1:]}}


FAULTS: Final = {
    "a create loses tags": ("create_function", without("Tags"), "exactly the requested tags"),
    "code is returned with a change": ("get_function", code_with_a_newline, "byte for byte"),
    "an update ignores the etag": (
        "update_function",
        DEVELOPMENT_IGNORING_ETAG,
        "reject an update with an outdated etag",
    ),
    "a deletion ignores the etag": (
        "delete_function",
        DEVELOPMENT_IGNORING_ETAG,
        "not delete a function if the etag is outdated",
    ),
    "a deletion does nothing": ("delete_function", nothing, "delete a function, so that it is no longer found"),
    "a list loses an item": ("list_functions", page_without_its_first_item, "list every function once"),
    "tags are not removed": ("untag_resource", nothing, "remove tags"),
    "a write of a key ignores the etag": ("put_key", DATA_IGNORING_ETAG, "write keys if the etag is current"),
    "deletions of keys are lost": ("update_keys", without("Deletes"), "in order"),
    "a comment is lost": ("create_function", configured(Comment=""), "in its DEVELOPMENT stage"),
    "an association is lost": (
        "update_function",
        configured(KeyValueStoreAssociations=None),
        "associate a function with a store by an update",
    ),
    "LIVE is described as DEVELOPMENT": ("describe_function", of_development, "describe the LIVE stage"),
    "LIVE has the etag of DEVELOPMENT": ("describe_function", with_the_etag_of_development, "with its own etag"),
    "LIVE is listed as DEVELOPMENT": ("list_functions", of_development, "list it as LIVE"),
    "LIVE is tested as DEVELOPMENT": ("test_function", run_of_development, "run the requested stage"),
    "a test ignores the etag": (
        "test_function",
        ignore_etag("describe_function", "Name", "Stage"),
        "reject an etag that is outdated",
    ),
    "a list of stores ignores the status": (
        "list_key_value_stores",
        without("Status"),
        "only the stores with the requested status",
    ),
    "a deletion of a store ignores the etag": (
        "delete_key_value_store",
        ignore_etag("describe_key_value_store", "Name"),
        "not delete a store if the etag is outdated",
    ),
    "a deletion of a key ignores the etag": ("delete_key", DATA_IGNORING_ETAG, "write keys if the etag is current"),
    "values are lost": ("list_keys", without_values, "list all of them"),
    "an update does not change the comment": ("update_key_value_store", nothing, "change a store's comment"),
}
"""For each fault: the operation, the faulty replacement, and part of the sentence of a case that must fail."""


@pytest.mark.parametrize("name", FAULTS)
def test_the_suite_fails_on_a_faulty_backend(name: str) -> None:
    operation, fault, sentence = FAULTS[name]
    without_groups = [] if operation == "test_function" else ["test"]
    with running_facade(FaultyBackend(operation, fault), settle_timeout=0.1) as facade:
        code, report = run_suite(facade.address, *without_groups)
    assert code == 1
    failed = [line for line in report if line.startswith("FAIL")]
    assert any(sentence in line for line in failed), failed
