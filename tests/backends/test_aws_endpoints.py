"""Configurations that lead to no endpoint: one line at the start, and INTERNAL without RetryInfo after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
import pytest

from cloudfront_facade.v1.key_value_store_data_service_pb2 import GetKeyRequest, PutKeyRequest
from cloudfront_facade_server.backends.aws import AwsBackendError
from support.aws_backend import new_aws_backend
from support.cloudfront.http import CloudFrontDouble
from support.event_loop import in_loop
from support.facade import failing, running_facade
from support.process import FacadeProcess
from support.values import STORE_ARN

FIPS = "Invalid Configuration: FIPS is not supported with CloudFront-KeyValueStore."
PARTITION = "Client was configured for partition `aws-cn` but Kvs ARN has `aws`"
IGNORED = (
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_CLOUDFRONT",
    "AWS_ENDPOINT_URL_CLOUDFRONT_KEYVALUESTORE",
    "AWS_ENDPOINT_URL_STS",
)


@pytest.mark.usefixtures("aws_environment")
@pytest.mark.parametrize(("region", "fips", "sentence"), [("us-east-1", "true", FIPS), ("cn-north-1", "", PARTITION)])
def test_keys_that_can_never_be_reached_are_internal_and_not_retried(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], region: str, fips: str, sentence: str
) -> None:
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", fips)
    backend = new_aws_backend(region=region)
    assert backend.warnings() == [f"the keys of stores cannot be reached with this configuration: {sentence}"]

    with running_facade(backend) as facade:
        for failure in (
            failing(facade.key_values.GetKey, GetKeyRequest(kvs_arn=STORE_ARN, key="k")),
            failing(facade.key_values.PutKey, PutKeyRequest(kvs_arn=STORE_ARN, key="k", value="v")),
        ):
            assert (failure.code, failure.reason) == (grpc.StatusCode.INTERNAL, "UPSTREAM_CREDENTIALS_MISSING")
            assert (failure.outcome, failure.retry_after, failure.pushback) == ("not_applied", None, None)
            assert "leads to no endpoint for this operation" in failure.message
    assert sentence in capsys.readouterr().out


def test_the_server_says_at_the_start_what_cannot_work_and_which_variables_it_ignores() -> None:
    variables = {"AWS_USE_FIPS_ENDPOINT": "true"} | dict.fromkeys(IGNORED, "http://127.0.0.1:9")
    with FacadeProcess("--backend", "aws", "--drain-delay", "0", environment=variables) as process:
        warnings = [line["event"] for line in process.lines if line["level"] == "warning"]
    assert warnings == [
        f"the keys of stores cannot be reached with this configuration: {FIPS}",
        *(f"{name} is not used; --endpoint-url sets the endpoint of CloudFront" for name in IGNORED),
    ]


@pytest.mark.usefixtures("aws_environment")
def test_the_endpoints_of_a_profile_are_not_used_either(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile edge]\nregion = us-east-1\nendpoint_url = http://127.0.0.1:9\nservices = local\n"
        "[services local]\nsts =\n  endpoint_url = http://127.0.0.1:9\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    assert new_aws_backend(profile="edge").warnings() == [
        f"{member} in the AWS config file is not used; --endpoint-url sets the endpoint of CloudFront"
        for member in ("endpoint_url", "endpoint_url of sts")
    ]


@pytest.mark.usefixtures("aws_environment")
def test_without_such_a_configuration_there_is_no_warning(
    monkeypatch: pytest.MonkeyPatch, cloudfront: CloudFrontDouble
) -> None:
    assert new_aws_backend().warnings() == []
    assert new_aws_backend(endpoint_url=cloudfront.url).warnings() == []
    assert cloudfront.requests == (), "the check sends nothing"
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloudfront.url)
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    assert new_aws_backend().warnings() == []


@pytest.mark.usefixtures("aws_environment")
@pytest.mark.parametrize(("endpoint_url", "signed_for"), [(None, "us-east-1"), ("http://127.0.0.1:1", "eu-west-1")])
def test_requests_to_cloudfront_are_signed_for_us_east_1_in_every_region(
    endpoint_url: str | None, signed_for: str
) -> None:
    backend = new_aws_backend(endpoint_url, region="eu-west-1")
    assert backend.warnings() == []
    signed: list[str] = []

    def stop(request: Any, **_: Any) -> None:
        signed.append(request.headers["Authorization"].decode())
        raise AwsBackendError

    backend._clients.control.meta.events.register_first("before-send.cloudfront", stop)
    with pytest.raises(AwsBackendError):
        in_loop(backend.list_functions)
    assert [f"/{signed_for}/cloudfront/aws4_request" in each for each in signed] == [True]


@pytest.mark.usefixtures("aws_environment")
def test_a_check_of_the_endpoints_needs_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert new_aws_backend().warnings() == []
