"""The facade and plain boto3 side by side on one CloudFront double."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from support.aws_backend import new_aws_backend
from support.cloudfront.fixtures import AWS_VARIABLES
from support.cloudfront.http import CloudFrontDouble, RecordedRequest
from support.cloudfront.samples import call, plain_client
from support.cloudfront.state import StoredStore, utc_now
from support.facade import Facade, running_facade
from support.process import clean_environment


@dataclass(frozen=True)
class SideBySide:
    """Two callers of the same CloudFront.

    Attributes:
        cloudfront: Receives the requests. Before each create it has only `store`.
        facade: A server in front of it that accepts every tag and all code that CloudFront's API accepts.
        boto3: A plain client without retries.
        store: A READY key value store for associations.
    """

    cloudfront: CloudFrontDouble
    facade: Facade
    boto3: Any
    store: StoredStore

    def create(self, request: CreateFunctionRequest | CreateKeyValueStoreRequest) -> Any:
        """Creates through the facade, and returns the response."""
        self._forget()
        if isinstance(request, CreateFunctionRequest):
            return self.facade.functions.CreateFunction(request)
        return self.facade.stores.CreateKeyValueStore(request)

    def sent_by_facade(self, request: CreateFunctionRequest | CreateKeyValueStoreRequest) -> RecordedRequest:
        """Creates through the facade, and returns the only request that CloudFront received."""
        return self._received(lambda: self.create(request))

    def sent_by_boto3(self, operation: str, **arguments: Any) -> RecordedRequest:
        """Creates with plain boto3, and returns the only request that CloudFront received."""
        self._forget()
        return self._received(lambda: call(self.boto3, operation, arguments))

    def _received(self, create: Callable[[], object]) -> RecordedRequest:
        before = len(self.cloudfront.requests)
        create()
        (request,) = self.cloudfront.requests[before:]
        return request

    def _forget(self) -> None:
        self.cloudfront.functions.clear()
        self.cloudfront.stores.clear()
        self.cloudfront.stores[self.store.name] = self.store


@pytest.fixture(scope="module")
def side_by_side() -> Iterator[SideBySide]:
    with pytest.MonkeyPatch.context() as environment, CloudFrontDouble() as double:
        # Clients read the environment only when they are created.
        clean = clean_environment(**AWS_VARIABLES)
        for name in set(os.environ) - set(clean):
            environment.delenv(name)
        for name, value in AWS_VARIABLES.items():
            environment.setenv(name, value)
        backend = new_aws_backend(endpoint_url=double.url)
        store = StoredStore("associated", None, utc_now(), "E1", id="11111111-2222-3333-4444-555555555555")
        with (
            plain_client(double.url, retries={"total_max_attempts": 1}) as client,
            running_facade(backend, tag_charset="unicode", max_function_code_bytes=40_960) as facade,
        ):
            yield SideBySide(double, facade, client, store)
