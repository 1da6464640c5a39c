"""A CloudFront that supports every operation, and plain boto3 clients for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest

from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.samples import model_of, plain_client, plain_data_client, sample
from support.rpcs import DATA_OPERATIONS


@pytest.fixture(scope="module")
def complete_cloudfront() -> Iterator[CloudFrontDouble]:
    """A CloudFront whose responses have every member; all its stores are READY."""

    def apply(operation: str, arguments: Mapping[str, Any]) -> Any:
        shape = model_of(operation).output_shape
        response = sample(shape) if shape else {}
        if operation == "DescribeKeyValueStore":
            response["KeyValueStore"]["Status"] = "READY"
        return response

    with CloudFrontDouble(apply) as double:
        yield double


@pytest.fixture(scope="module")
def plain_boto3(complete_cloudfront: CloudFrontDouble) -> Iterator[Callable[[str], Any]]:
    """Returns the plain boto3 client of an operation."""
    with ExitStack() as stack:
        attempts = {"total_max_attempts": 1}
        control = stack.enter_context(plain_client(complete_cloudfront.url, retries=attempts))
        data = stack.enter_context(plain_data_client(complete_cloudfront.url, retries=attempts))
        yield lambda operation: data if operation in DATA_OPERATIONS else control
