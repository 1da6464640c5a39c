"""The sanity suite: it passes where all is well, and fails where something is not."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Final

import pytest

from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from cloudfront_facade_server.sanity.suite import all_cases, run
from cloudfront_facade_server.settings import SANITY_GROUPS, SanitySettings
from support.facade import running_facade
from support.process import FacadeProcess, run_command

ALLOWED: Final = "--i-may-create-and-delete"


def test_it_passes_on_the_embedded_backend(facade_process: FacadeProcess) -> None:
    ended = run_command("sanity", "--target", facade_process.address, ALLOWED, timeout=100)
    assert ended.returncode == 0, ended.stdout
    assert "FAIL" not in ended.stdout
    assert ended.stdout.splitlines()[-1] == f"{len(all_cases())} passed, 0 failed, 0 skipped"


def test_it_leaves_nothing_behind(facade_process: FacadeProcess) -> None:
    backend = EmbeddedBackend(path=":memory:", s3_dir=None)
    with running_facade(backend) as facade:
        assert run(settings(facade.address, "test"), lambda _: None) == 0
        assert backend.list_functions(Stage="DEVELOPMENT")["FunctionList"]["Quantity"] == 0
        assert backend.list_key_value_stores()["KeyValueStoreList"]["Quantity"] == 0


def test_it_touches_no_server_that_it_is_not_allowed_to(facade_address: str) -> None:
    ended = run_command("sanity", "--target", facade_address)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"cloudfront-facade: say {ALLOWED}")


def test_it_says_that_there_is_no_server() -> None:
    ended = run_command("sanity", "--target", "127.0.0.1:1", ALLOWED)
    assert ended.returncode == 1
    assert ended.stdout.startswith("127.0.0.1:1: UNAVAILABLE")


def test_what_an_endpoint_does_not_have_is_left_out_and_counted(facade_address: str) -> None:
    without = [argument for group in SANITY_GROUPS[1:] for argument in ("--without", group)]
    ended = run_command("sanity", "--target", facade_address, ALLOWED, *without)
    assert ended.returncode == 0, ended.stdout
    assert "skip  keys: " in ended.stdout
    assert "without stores, test" not in ended.stdout.partition("skip")[0]


def test_nothing_that_was_run_is_no_success(facade_address: str) -> None:
    without = [argument for group in SANITY_GROUPS for argument in ("--without", group)]
    assert run_command("sanity", "--target", facade_address, ALLOWED, *without).returncode == 1


def test_every_case_is_a_sentence_of_its_own() -> None:
    sentences = [case.sentence for case in all_cases()]
    assert len(set(sentences)) == len(sentences) > 30
    assert all(sentence.startswith("Should ") and sentence.endswith(".") for sentence in sentences)
    assert {case.group for case in all_cases()} | {"update", "publish", "in-use"} == set(SANITY_GROUPS)


class Broken(EmbeddedBackend):
    """The embedded backend with one operation that goes wrong."""

    def __init__(self, operation: str, spoil: Callable[..., Any]) -> None:
        super().__init__(path=":memory:", s3_dir=None)
        right = getattr(self, operation)
        setattr(self, operation, lambda **arguments: spoil(right, arguments))


def code_with_a_newline(right: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    response = right(**arguments)
    return {**response, "FunctionCode": io.BytesIO(response["FunctionCode"].read() + b"\n")}


def without(name: str) -> Callable[..., Any]:
    """Loses an argument."""
    return lambda right, arguments: right(**{key: value for key, value in arguments.items() if key != name})


def of_any_version(right: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    backend = right.__self__  # type: ignore[attr-defined]
    described = backend.describe_function(Name=arguments["Name"], Stage="DEVELOPMENT")
    return right(**{**arguments, "IfMatch": described["ETag"]})


def of_any_content(right: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    backend = right.__self__  # type: ignore[attr-defined]
    described = backend.describe_key_value_store_data(KvsARN=arguments["KvsARN"])
    return right(**{**arguments, "IfMatch": described["ETag"]})


def nothing(_right: Callable[..., Any], _arguments: dict[str, Any]) -> Any:
    return {}


def first_page_again(right: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    page = right(**arguments)["FunctionList"]
    return {"FunctionList": {**page, "Items": page.get("Items", [])[1:]}}


MUTATIONS: Final = {
    "a create that loses tags": ("create_function", without("Tags"), "exactly its tags"),
    "code that comes back changed": ("get_function", code_with_a_newline, "byte for byte"),
    "an update of any version": ("update_function", of_any_version, "refuse an update of another version"),
    "a deletion of any version": ("delete_function", of_any_version, "not delete another version"),
    "a deletion that does nothing": ("delete_function", nothing, "delete a function, so that it is not found"),
    "a list that loses one": ("list_functions", first_page_again, "list every function once"),
    "tags that are not taken away": ("untag_resource", nothing, "take away tags"),
    "a write to any version": ("put_key", of_any_content, "write to the version that is named"),
    "deletions that are lost": ("update_keys", without("Deletes"), "in their order"),
    "a comment that does not change": ("update_key_value_store", nothing, "change the comment"),
}


def settings(address: str, *without: str) -> SanitySettings:
    return SanitySettings.model_validate({"target": address, "i_may_create_and_delete": True, "without": list(without)})


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_it_fails_where_the_backend_is_broken(mutation: str) -> None:
    operation, spoil, sentence = MUTATIONS[mutation]
    said: list[str] = []
    with running_facade(Broken(operation, spoil), settling_time=0.1) as facade:
        assert run(settings(facade.address, "test"), said.append) == 1
    failed = [line for line in said if line.startswith("FAIL")]
    assert any(sentence in line for line in failed), failed
