"""Runs the command on the AWS backend, retries calls, and prints answers to questions about CloudFront."""

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
    FunctionRuntime,
)
from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from cloudfront_facade.v1.key_value_store_data_service_pb2_grpc import KeyValueStoreDataServiceStub
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest, CreateKeyValueStoreResponse
from cloudfront_facade.v1.key_value_store_service_pb2_grpc import KeyValueStoreServiceStub
from support.facade import Failure, failure_of
from support.process import FacadeProcess

RUNTIME: Final = FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0

_INHERITED: Final = re.compile(r".*_proxy|AWS_CA_BUNDLE", re.IGNORECASE)
_ACCOUNT: Final = re.compile(r"(?<!\d)\d{12}(?!\d)")
_RETRIED: Final = ("UPSTREAM_THROTTLED", "TAGGING_CONFLICT", "UPSTREAM_OUTCOME_UNKNOWN")


@dataclass(frozen=True)
class Facade:
    """The services of the command, and the account that records what they create."""

    address: str
    functions: FunctionServiceStub
    stores: KeyValueStoreServiceStub
    key_values: KeyValueStoreDataServiceStub
    account: Account

    def create_function(self, request: CreateFunctionRequest, tries: int = 6) -> CreateFunctionResponse | Failure:
        """Creates a function; retries failures that have a retry delay, and returns any other failure."""
        answer: CreateFunctionResponse | Failure = self._create(self.functions.CreateFunction, request, tries)
        return answer

    def create_store(
        self, request: CreateKeyValueStoreRequest, tries: int = 6
    ) -> CreateKeyValueStoreResponse | Failure:
        """Creates a store; retries failures that have a retry delay, and returns any other failure."""
        answer: CreateKeyValueStoreResponse | Failure = self._create(self.stores.CreateKeyValueStore, request, tries)
        return answer

    def _create(self, call: Any, request: Any, tries: int) -> Any:
        while True:
            try:
                answer = call(request, timeout=60)
            except grpc.RpcError as error:
                failure = failure_of(error)
            else:
                self.account.created.add(request.name)
                return answer
            tries -= 1
            if not tries or failure.reason not in _RETRIED or failure.retry_after is None:
                return failure
            report(
                "which error of a create was retried, and after how long",
                f"{outcome(failure)}, {failure.retry_after} s",
            )
            time.sleep(failure.retry_after)


@contextmanager
def running_command(session: boto3.Session, endpoint_url: str | None, account: Account) -> Iterator[Facade]:
    """Runs the command with the session's credentials and with limits so wide that CloudFront decides."""
    arguments = ["--backend", "aws", "--max-function-code-bytes", "40960", "--tag-charset", "unicode"]
    if endpoint_url:
        arguments += ["--endpoint-url", endpoint_url]
    credentials = session.get_credentials().get_frozen_credentials()
    environment = {name: value for name, value in os.environ.items() if _INHERITED.fullmatch(name)} | {
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        **({"AWS_SESSION_TOKEN": credentials.token} if credentials.token else {}),
    }
    # The command is on loopback, so a proxy for AWS must not apply.
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


def outcome(answer: Any) -> str:
    """Returns "created", or the error in the format of `outcome_of`."""
    return outcome_of(answer) if isinstance(answer, Failure) else "created"


def outcome_of(answer: Any) -> str:
    """Returns "OK", or the AWS code, the HTTP status and the reason of the error."""
    if not isinstance(answer, Failure):
        return "OK"
    upstream = (answer.metadata.get(name, "") for name in ("aws_code", "aws_http_status"))
    return " ".join(filter(None, [*upstream, f"({answer.reason})"]))


def answer_of(call: Any, request: Any) -> Any:
    """Makes a call, and returns the response or the failure."""
    try:
        return call(request, timeout=60)
    except grpc.RpcError as error:
        return failure_of(error)


def report(question: str, answer: object) -> None:
    """Prints an answer as one line without account ids."""
    line = " ".join(f"QUESTION {question} ANSWER {answer}".split())
    print("\n" + _ACCOUNT.sub("[an account]", line), flush=True)
