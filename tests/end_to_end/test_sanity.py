"""The sanity suite: it passes where all is well, and fails where something is not."""

from __future__ import annotations

import io
import itertools
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from unittest.mock import Mock

import grpc
import pytest
from grpc_health.v1 import health, health_pb2_grpc

from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from cloudfront_facade_server.errors.status_error import StatusError
from cloudfront_facade_server.sanity import facade as sanity
from cloudfront_facade_server.sanity import suite
from cloudfront_facade_server.sanity.facade import CaseFailedError, Facade, details_of
from cloudfront_facade_server.sanity.suite import Case, all_cases, run
from cloudfront_facade_server.settings import SANITY_GROUPS, SanitySettings
from support.facade import running_facade
from support.process import COMMAND, FacadeProcess, clean_environment, run_command

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
        assert number_of_resources(backend) == (0, 0)


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
    passed = [line for line in ended.stdout.splitlines() if line.startswith("ok")]
    assert passed
    assert all(line.startswith("ok    functions: ") for line in passed)
    assert "skip  keys: " in ended.stdout


def test_functions_that_are_left_out_are_not_created() -> None:
    backend = EmbeddedBackend(path=":memory:", s3_dir=None)
    created = Mock(side_effect=backend.create_function)
    backend.create_function = created  # type: ignore[method-assign]
    with running_facade(backend) as facade:
        assert run(settings(facade.address, "functions"), lambda _: None) == 0
    assert created.call_count == 0


def test_an_endpoint_that_hangs_fails_the_case_and_not_the_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()

    def hang(_right: Callable[..., Any], _arguments: dict[str, Any]) -> Any:
        go_on.wait(60)
        return {}

    monkeypatch.setattr(sanity, "_DEADLINE_SECONDS", 2.0)
    said: list[str] = []
    backend = Broken("get_function", hang)
    with running_facade(backend, default_deadline=60) as facade:
        began = time.monotonic()
        try:
            assert run(settings(facade.address, "test"), said.append) == 1
        finally:
            go_on.set()
        assert time.monotonic() - began < 50
        assert number_of_resources(backend) == (0, 0)
    assert "FAIL  functions: Should give back a function's code byte for byte." in said
    assert any(line.startswith("      DEADLINE_EXCEEDED") for line in said)


def test_it_says_of_a_server_that_it_is_no_facade() -> None:
    server = grpc.server(ThreadPoolExecutor(1))
    servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    said: list[str] = []
    try:
        assert run(settings(f"127.0.0.1:{port}"), said.append) == 1
    finally:
        server.stop(None)
    assert len(said) == 1
    assert said[0].startswith(f"127.0.0.1:{port}: it is no facade: UNIMPLEMENTED: ")


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


def of_any_version(describe: str, *named: str, **fixed: str) -> Callable[..., Any]:
    """Takes the version that is there for the one that is named; it is described by the arguments that are named."""

    def spoil(right: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        read = getattr(right.__self__, describe)  # type: ignore[attr-defined]
        there = read(**{name: arguments[name] for name in named}, **fixed)
        return right(**{**arguments, "IfMatch": there["ETag"]})

    return spoil


DEVELOPMENT_OF_ANY_VERSION: Final = of_any_version("describe_function", "Name", Stage="DEVELOPMENT")
CONTENT_OF_ANY_VERSION: Final = of_any_version("describe_key_value_store_data", "KvsARN")


def of_development(right: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    return right(**{**arguments, "Stage": "DEVELOPMENT"})


def of_developments_version(right: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    described = right(**arguments)
    return {**described, "ETag": of_development(right, arguments)["ETag"]}


def run_of_development(right: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    return DEVELOPMENT_OF_ANY_VERSION(right, {**arguments, "Stage": "DEVELOPMENT"})


def configured(**changed: Any) -> Callable[..., Any]:
    """Changes members of a function's configuration; None takes one away."""

    def spoil(right: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        config = {**arguments["FunctionConfig"], **changed}
        config = {name: value for name, value in config.items() if value is not None}
        return right(**{**arguments, "FunctionConfig": config})

    return spoil


def without_values(right: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    page = right(**arguments)
    return {**page, "Items": [{**item, "Value": ""} for item in page["Items"]]}


def nothing(_right: Callable[..., Any], _arguments: dict[str, Any]) -> Any:
    return {}


def first_page_again(right: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    page = right(**arguments)["FunctionList"]
    return {"FunctionList": {**page, "Items": page.get("Items", [])[1:]}}


MUTATIONS: Final = {
    "a create that loses tags": ("create_function", without("Tags"), "exactly its tags"),
    "code that comes back changed": ("get_function", code_with_a_newline, "byte for byte"),
    "an update of any version": ("update_function", DEVELOPMENT_OF_ANY_VERSION, "refuse an update of another version"),
    "a deletion of any version": ("delete_function", DEVELOPMENT_OF_ANY_VERSION, "not delete another version"),
    "a deletion that does nothing": ("delete_function", nothing, "delete a function, so that it is not found"),
    "a list that loses one": ("list_functions", first_page_again, "list every function once"),
    "tags that are not taken away": ("untag_resource", nothing, "take away tags"),
    "a write to any version": ("put_key", CONTENT_OF_ANY_VERSION, "write to the version that is named"),
    "deletions that are lost": ("update_keys", without("Deletes"), "in their order"),
    "a comment that is lost": ("create_function", configured(Comment=""), "in its DEVELOPMENT stage"),
    "an association that is lost": (
        "update_function",
        configured(KeyValueStoreAssociations=None),
        "associate a function with a store by an update",
    ),
    "LIVE described as DEVELOPMENT": ("describe_function", of_development, "describe the LIVE stage"),
    "LIVE in DEVELOPMENT's version": ("describe_function", of_developments_version, "in a version of its own"),
    "LIVE listed as DEVELOPMENT": ("list_functions", of_development, "list it as LIVE"),
    "LIVE tested as DEVELOPMENT": ("test_function", run_of_development, "run the stage that is named"),
    "a test of any version": (
        "test_function",
        of_any_version("describe_function", "Name", "Stage"),
        "in the version that is named",
    ),
    "stores of any status": ("list_key_value_stores", without("Status"), "stores of one status"),
    "a deletion of any version of a store": (
        "delete_key_value_store",
        of_any_version("describe_key_value_store", "Name"),
        "of a store than",
    ),
    "a deletion of a key of any version": ("delete_key", CONTENT_OF_ANY_VERSION, "write to the version that is named"),
    "values that are lost": ("list_keys", without_values, "list them all"),
    "a comment that does not change": ("update_key_value_store", nothing, "change the comment"),
}


def settings(address: str, *without: str) -> SanitySettings:
    return SanitySettings.model_validate({"target": address, "i_may_create_and_delete": True, "without": list(without)})


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_it_fails_where_the_backend_is_broken(mutation: str) -> None:
    operation, spoil, sentence = MUTATIONS[mutation]
    said: list[str] = []
    left_out = [] if operation == "test_function" else ["test"]
    with running_facade(Broken(operation, spoil), settle_timeout=0.1) as facade:
        assert run(settings(facade.address, *left_out), said.append) == 1
    failed = [line for line in said if line.startswith("FAIL")]
    assert any(sentence in line for line in failed), failed


def number_of_resources(backend: EmbeddedBackend) -> tuple[int, int]:
    functions = backend.list_functions(Stage="DEVELOPMENT")["FunctionList"]["Quantity"]
    return functions, backend.list_key_value_stores()["KeyValueStoreList"]["Quantity"]


def test_errors_without_details_fail_their_cases_and_leave_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = StatusError._status

    def bare(self: StatusError, operation: str) -> Any:
        status = whole(self, operation)
        del status.details[1:]
        return status

    monkeypatch.setattr(StatusError, "_status", bare)
    said: list[str] = []
    backend = EmbeddedBackend(path=":memory:", s3_dir=None)
    with running_facade(backend) as facade:
        assert run(settings(facade.address, "test"), said.append) == 1
        assert number_of_resources(backend) == (0, 0)
    for kind in ("BadRequest", "ResourceInfo", "PreconditionFailure"):
        assert f"      the error has no google.rpc.{kind}, but ErrorInfo" in said
    assert " 4 failed, " in said[-1]


@pytest.mark.parametrize("sent", [b"\xff", b"\x08\x05"], ids=["no protobuf", "another code"])
def test_details_that_cannot_be_read_are_missing(sent: bytes) -> None:
    error = Mock(grpc.Call, code=lambda: grpc.StatusCode.ABORTED, details=lambda: "no")
    error.trailing_metadata = lambda: (("grpc-status-details-bin", sent),)
    with pytest.raises(CaseFailedError, match=r"has no google\.rpc\.BadRequest, but no details"):
        details_of(error)["BadRequest"]


def test_a_case_that_is_wrong_itself_fails_and_the_others_are_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(facade: Facade) -> None:
        facade.create_function()
        raise ZeroDivisionError("by\nzero")

    cases = [Case("Should be wrong.", "functions", frozenset(), wrong), *all_cases()]
    monkeypatch.setattr(suite, "all_cases", lambda: cases)
    said: list[str] = []
    backend = EmbeddedBackend(path=":memory:", s3_dir=None)
    with running_facade(backend) as facade:
        assert run(settings(facade.address, "test"), said.append) == 1
        assert number_of_resources(backend) == (0, 0)
    assert said[:2] == ["FAIL  functions: Should be wrong.", "      a fault of the case: ZeroDivisionError: by zero"]
    assert " 1 failed, " in said[-1]
    assert sum(line.startswith(("ok", "FAIL", "skip")) for line in said) == len(cases)


# In a create, in another call of a case, in the clean-up; each is carried out after the signal.
@pytest.mark.parametrize("interrupt", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("operation", "call"), [("create_key_value_store", 3), ("put_key", 1), ("delete_function", 9)])
def test_an_interrupt_leaves_nothing_behind(operation: str, call: int, interrupt: signal.Signals) -> None:
    reached, go_on = threading.Event(), threading.Event()
    calls = itertools.count(1)

    def slow(right: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        if next(calls) == call:
            reached.set()
            assert go_on.wait(30)
        return right(**arguments)

    backend = Broken(operation, slow)
    with running_facade(backend) as facade:
        arguments = ["sanity", "--target", facade.address, ALLOWED, "--without", "test"]
        with subprocess.Popen(
            [*COMMAND, *arguments],
            env=clean_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as command:
            try:
                assert reached.wait(30)
                assert number_of_resources(backend)[0] > 10
                command.send_signal(interrupt)
                time.sleep(1.5)
                go_on.set()
                out, err = command.communicate(timeout=60)
            finally:
                go_on.set()
                command.kill()
        assert (command.returncode, err) == (1, "")
        assert out.splitlines()[-1].startswith("interrupted: ")
        assert number_of_resources(backend) == (0, 0)


def test_a_valid_name_that_is_refused_at_its_deletion_is_left() -> None:
    def refusing(_right: Callable[..., Any], _arguments: dict[str, Any]) -> Any:
        raise StatusError(grpc.StatusCode.INVALID_ARGUMENT, "VALIDATION_FAILED", "no")

    said: list[str] = []
    with running_facade(Broken("delete_key_value_store", refusing)) as facade:
        assert run(settings(facade.address, "test"), said.append) == 1
    assert any(line.startswith("FAIL  could not be deleted: sanity-") for line in said)
    assert not any("no name" in line for line in said)
