"""The command on the AWS backend, called patiently, and the lines that say what was found out."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import boto3
import grpc

from aws.account import Account
from cloudfront_facade.v1.function_service_pb2 import (
    CreateFunctionRequest,
    CreateFunctionResponse,
    FunctionConfig,
    FunctionRuntime,
)
from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from cloudfront_facade.v1.key_value_store_data_service_pb2_grpc import KeyValueStoreDataServiceStub
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest, CreateKeyValueStoreResponse
from cloudfront_facade.v1.key_value_store_service_pb2_grpc import KeyValueStoreServiceStub
from support.facade import Failure, failure_of
from support.process import FacadeProcess

RUNTIME: Final = FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0
CODE: Final = b"function handler(event) { return event.request; }\n"

_PASSED_ON: Final = re.compile(r".*_proxy|AWS_CA_BUNDLE", re.IGNORECASE)
_ACCOUNT: Final = re.compile(r"(?<!\d)\d{12}(?!\d)")
_WAITED_FOR: Final = ("UPSTREAM_THROTTLED", "TAGGING_CONFLICT", "UPSTREAM_OUTCOME_UNKNOWN")


@dataclass(frozen=True)
class Facade:
    """The command's services, and the account that remembers what they make."""

    address: str
    functions: FunctionServiceStub
    stores: KeyValueStoreServiceStub
    key_values: KeyValueStoreDataServiceStub
    account: Account

    def create_function(self, request: CreateFunctionRequest, tries: int = 6) -> CreateFunctionResponse | Failure:
        """Creates a function; a failure that says when to try again is waited for, any other is given back."""
        answer: CreateFunctionResponse | Failure = self._create(self.functions.CreateFunction, request, tries)
        return answer

    def create_store(
        self, request: CreateKeyValueStoreRequest, tries: int = 6
    ) -> CreateKeyValueStoreResponse | Failure:
        """Creates a store; a failure that says when to try again is waited for, any other is given back."""
        answer: CreateKeyValueStoreResponse | Failure = self._create(self.stores.CreateKeyValueStore, request, tries)
        return answer

    def _create(self, call: Any, request: Any, tries: int) -> Any:
        while True:
            try:
                answer = call(request, timeout=60)
            except grpc.RpcError as error:
                failure = failure_of(error)
            else:
                self.account.made.add(request.name)
                return answer
            tries -= 1
            if not tries or failure.reason not in _WAITED_FOR or failure.retry_after is None:
                return failure
            tell("whether CloudFront asked for patience", f"{outcome(failure)}, {failure.retry_after} s")
            time.sleep(failure.retry_after)


@contextmanager
def running_command(session: boto3.Session, endpoint_url: str | None, account: Account) -> Iterator[Facade]:
    """Runs the command with the session's credentials, without the limits that would answer in CloudFront's place."""
    arguments = ["--backend", "aws", "--max-function-code-bytes", "40960", "--tag-charset", "unicode"]
    if endpoint_url:
        arguments += ["--endpoint-url", endpoint_url]
    credentials = session.get_credentials().get_frozen_credentials()
    environment = {name: value for name, value in os.environ.items() if _PASSED_ON.fullmatch(name)} | {
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        **({"AWS_SESSION_TOKEN": credentials.token} if credentials.token else {}),
    }
    # The way to the command is loopback, whatever proxy leads to AWS.
    options = [("grpc.enable_http_proxy", 0)]
    with (
        FacadeProcess(*arguments, "--drain-delay", "0", environment=environment) as process,
        grpc.insecure_channel(process.address, options) as channel,
    ):
        yield Facade(
            process.address,
            FunctionServiceStub(channel),
            KeyValueStoreServiceStub(channel),
            KeyValueStoreDataServiceStub(channel),
            account,
        )


def function(name: str, **fields: Any) -> CreateFunctionRequest:
    """Makes a request that breaks no rule."""
    defaults: dict[str, Any] = {"function_config": FunctionConfig(runtime=RUNTIME), "function_code": CODE}
    return CreateFunctionRequest(name=name, **defaults | fields)


def outcome(answer: Any) -> str:
    """Says in a few words how a create ended."""
    return outcome_of(answer) if isinstance(answer, Failure) else "created"


def outcome_of(answer: Any) -> str:
    """Says in a few words how a call ended: `OK`, or AWS's code and status and this service's reason."""
    if not isinstance(answer, Failure):
        return "OK"
    upstream = (answer.metadata.get(name, "") for name in ("aws_code", "aws_http_status"))
    return " ".join(filter(None, [*upstream, f"({answer.reason})"]))


def answer_of(call: Any, request: Any) -> Any:
    """Makes a call, and gives what it answers, or its failure."""
    try:
        return call(request, timeout=60)
    except grpc.RpcError as error:
        return failure_of(error)


def tell(question: str, answer: object) -> None:
    """Prints what was found out, as one line without account ids."""
    line = " ".join(f"QUESTION {question} ANSWER {answer}".split())
    print("\n" + _ACCOUNT.sub("[an account]", line), flush=True)
