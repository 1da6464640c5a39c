"""Checks boto3's setup, and reports what is wrong with it in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import botocore
from botocore import exceptions as boto
from botocore.compat import HAS_CRT

BOTO3_FLOOR: Final = "1.43.4"
"""The first boto3 whose service model has `Tags` on both creates."""

_TAGGED_CREATES: Final = ("CreateFunction", "CreateKeyValueStore")


class AwsBackendError(Exception):
    """boto3 cannot work with this setup. The message is one line: the problem and its remedy."""


def check_signer() -> None:
    """Raises AwsBackendError if awscrt, which signs the data plane's requests, is not installed."""
    if not HAS_CRT:
        raise AwsBackendError(
            "boto3 needs awscrt to sign requests for the values of key value stores with SigV4A: "
            'pip install "boto3[crt]"'
        )


def check_service_model(model: Any) -> None:
    """Raises AwsBackendError if CloudFront's service model is too old to create resources with tags."""
    untagged = [
        name
        for name in _TAGGED_CREATES
        if name not in model.operation_names or "Tags" not in model.operation_model(name).input_shape.members
    ]
    if untagged:
        raise AwsBackendError(
            f"botocore {botocore.__version__} with CloudFront's service model {model.api_version} has no Tags on"
            f" {' and '.join(untagged)}: install boto3 {BOTO3_FLOOR} or newer"
        )


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Converts botocore's exceptions to AwsBackendError."""
    try:
        yield
    except boto.NoCredentialsError as error:
        raise AwsBackendError(
            "no AWS credentials found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, choose a profile"
            " (AWS_PROFILE), or attach a role to the machine, container or pod"
        ) from error
    except boto.ProfileNotFound as error:
        raise AwsBackendError(
            f'AWS profile "{error.kwargs.get("profile")}" not found in the AWS config and credentials files'
        ) from error
    except (boto.BotoCoreError, ValueError) as error:
        raise AwsBackendError(f"cannot set up boto3: {' '.join(str(error).split())}") from error
