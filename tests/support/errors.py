"""Calls a backend operation that must fail, and returns what identifies the error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError


def error_of(call: Callable[..., object], *arguments: Any, **keywords: Any) -> tuple[str, int]:
    """Returns the code and the HTTP status of the error that a call raises."""
    code, status, _ = error_with_exception(call, *arguments, **keywords)
    return code, status


def error_with_operation(call: Callable[..., object], *arguments: Any, **keywords: Any) -> tuple[str, int, str]:
    """Returns the code, the HTTP status and the operation of the error that a call raises."""
    code, status, error = error_with_exception(call, *arguments, **keywords)
    return code, status, error.operation_name


def error_with_exception(call: Callable[..., object], *arguments: Any, **keywords: Any) -> tuple[str, int, ClientError]:
    """Returns the code and the HTTP status of the error that a call raises, and the error; checks the common parts."""
    with pytest.raises(ClientError) as caught:
        call(*arguments, **keywords)
    response: Mapping[str, Any] = caught.value.response
    assert response["Error"]["Message"], "an error must have a message"
    metadata = response["ResponseMetadata"]
    assert metadata["RequestId"] == metadata["HTTPHeaders"]["x-amzn-requestid"]
    return response["Error"]["Code"], metadata["HTTPStatusCode"], caught.value


def code_of(call: Callable[[], object]) -> str:
    """Returns the code of the error that a call raises, or "OK"."""
    try:
        call()
    except ClientError as error:
        code: str = error.response["Error"]["Code"]
        return code
    return "OK"
