"""The sanity suite on the AWS backend: with the CloudFront double, and with moto for what moto supports."""

from __future__ import annotations

from collections.abc import Callable

from cloudfront_facade_server.backends.aws import AwsBackend
from support.aws_backend import new_aws_backend
from support.cloudfront.http import CloudFrontDouble
from support.facade import running_facade
from support.sanity import run_suite

MOTO_DIFFERS = (
    # moto sets a comment on every store.
    "stores: Should keep an absent comment distinct from an empty one.",
    # moto lists all stores, regardless of the requested status.
    "stores: Should list only the stores with the requested status.",
    # moto lists no tags for a missing resource, as for a resource without tags.
    "tags: Should report that a resource does not exist.",
)


def failures_on(backend: AwsBackend, *without: str) -> list[str]:
    with running_facade(backend) as facade:
        _, report = run_suite(facade.address, *without)
    assert sum(line.startswith("ok") for line in report) > 10
    return [line for line in report if not line.startswith(("ok", "skip", "      without"))][:-1]


def test_the_suite_passes_on_the_cloudfront_double(
    cloudfront: CloudFrontDouble, aws_backend: Callable[..., AwsBackend]
) -> None:
    assert failures_on(aws_backend(cloudfront), "test") == []


def test_the_only_failures_on_moto_are_its_differences_from_cloudfront(moto: str, aws_environment: None) -> None:
    report = failures_on(new_aws_backend(endpoint_url=moto), "update", "publish", "test", "in-use", "keys")

    assert [line for line in report if line.startswith("FAIL")] == [f"FAIL  {sentence}" for sentence in MOTO_DIFFERS]
