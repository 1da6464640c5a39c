"""The sanity suite over boto3: against an HTTP double of CloudFront, and against moto for what moto has."""

from __future__ import annotations

from collections.abc import Callable

from cloudfront_facade_server.backends.aws import AwsBackend
from cloudfront_facade_server.sanity.suite import run
from cloudfront_facade_server.settings import SanitySettings
from support.cloudfront.http import CloudFrontDouble
from support.facade import running_facade

MOTO_DIFFERS = (
    # It gives every store a comment.
    "stores: Should keep an absent and an empty comment apart.",
    # It gives all stores, whichever status is asked for.
    "stores: Should list the stores of one status alone.",
    # It lists no tags of what is not there, as of what has none.
    "tags: Should say that there is no such resource.",
)


def failed_on(backend: AwsBackend, *without: str) -> list[str]:
    said: list[str] = []
    with running_facade(backend) as facade:
        settings = {"target": facade.address, "i_may_create_and_delete": True, "without": list(without)}
        run(SanitySettings.model_validate(settings), said.append)
    assert sum(line.startswith("ok") for line in said) > 10
    return [line for line in said if not line.startswith(("ok", "skip", "      without"))][:-1]


def test_it_passes_on_an_endpoint_that_speaks_as_cloudfront_does(
    cloudfront: CloudFrontDouble, aws_backend: Callable[..., AwsBackend]
) -> None:
    assert failed_on(aws_backend(cloudfront), "test") == []


def test_it_differs_on_moto_only_in_what_moto_does_otherwise(moto: str, aws_environment: None) -> None:
    said = failed_on(AwsBackend(endpoint_url=moto), "update", "publish", "test", "in-use", "keys")

    assert [line for line in said if line.startswith("FAIL")] == [f"FAIL  {sentence}" for sentence in MOTO_DIFFERS]
