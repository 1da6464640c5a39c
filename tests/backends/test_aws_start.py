"""At startup, the AWS backend reports in one line why it cannot work."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import boto3
import botocore
import pytest

from cloudfront_facade_server.backends.aws import AwsBackendError, setup_errors
from support.aws_backend import new_aws_backend
from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.samples import FULL_FUNCTION
from support.event_loop import waiting

pytestmark = pytest.mark.usefixtures("aws_environment")

ANYWHERE = "http://127.0.0.1:1"


def failure(**arguments: Any) -> str:
    """Returns the line that explains why the backend cannot work."""
    address = arguments.pop("endpoint_url", ANYWHERE)
    with pytest.raises(AwsBackendError) as caught:
        new_aws_backend(endpoint_url=address, **arguments).credentials_available()
    line = str(caught.value)
    assert "\n" not in line
    return line


def put_older_model(folder: Path, *untagged: str) -> None:
    """Installs a service model without Tags on these creates, where botocore finds it first."""
    loader = boto3.Session()._session.get_component("data_loader")
    model = deepcopy(loader.load_service_model("cloudfront", "service-2"))
    for operation in untagged:
        del model["shapes"][model["operations"][operation]["input"]["shape"]]["members"]["Tags"]
    version_folder = folder / "cloudfront" / model["metadata"]["apiVersion"]
    version_folder.mkdir(parents=True)
    (version_folder / "service-2.json").write_text(json.dumps(model))


@pytest.mark.parametrize(
    "untagged", [("CreateFunction",), ("CreateKeyValueStore",), ("CreateFunction", "CreateKeyValueStore")]
)
def test_a_service_model_without_tags_is_too_old(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, untagged: tuple[str, ...]
) -> None:
    put_older_model(tmp_path, *untagged)
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))

    line = failure()

    assert f"botocore {botocore.__version__}" in line
    assert f"has no Tags on {' and '.join(untagged)}:" in line
    assert "install boto3 1.43.4 or newer" in line


def test_a_service_model_with_tags_is_new_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put_older_model(tmp_path)
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    waiting(new_aws_backend(endpoint_url=ANYWHERE)).close()


def test_a_service_model_from_before_functions_is_too_old(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\napi_versions =\n  cloudfront = 2019-03-26\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    assert "service model 2019-03-26 has no Tags on CreateFunction and CreateKeyValueStore" in failure()


def test_an_unknown_profile_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 'AWS profile "staging" not found' in failure(profile="staging")
    monkeypatch.setenv("AWS_PROFILE", "production")
    assert 'AWS profile "production" not found' in failure()


def test_the_credentials_of_a_profile_are_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cloudfront: CloudFrontDouble
) -> None:
    config = tmp_path / "config"
    config.write_text("[profile staging]\naws_access_key_id = AKIDSTAGING\naws_secret_access_key = another\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))

    backend = waiting(new_aws_backend(endpoint_url=cloudfront.url, profile="staging"))
    backend.list_key_value_stores()
    backend.close()

    assert "Credential=AKIDSTAGING/" in cloudfront.requests[0].headers["authorization"]


def test_without_credentials_the_error_lists_the_ways_to_configure_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    line = failure()
    assert line.startswith("no AWS credentials found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    assert "AWS_PROFILE" in line
    assert "role" in line


def test_an_access_key_without_its_secret_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "missing: AWS_SECRET_ACCESS_KEY" in failure()


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"])
@pytest.mark.parametrize("text", ["hush\nhush", "hush\n", "hush\rhush", "hush\x7f", "hush\u00fc"])
def test_credentials_that_are_not_a_valid_header_are_rejected(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(name, text)
    line = failure()
    assert "the AWS access key or session token contains a line break or another invalid character" in line
    assert "hush" not in line


def test_a_malformed_endpoint_is_rejected() -> None:
    assert "Invalid endpoint: cloudfront" in failure(endpoint_url="cloudfront")


def test_a_malformed_region_is_rejected() -> None:
    assert "no region!" in failure(region="no region!")


def test_an_unreadable_ca_bundle_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    for path, reason in ((tmp_path / "missing.pem", "No such file"), (empty, "NO_CERTIFICATE_OR_CRL_FOUND")):
        monkeypatch.setenv("AWS_CA_BUNDLE", str(path))
        line = failure()
        assert line.startswith(f"cannot read the CA certificates of AWS_CA_BUNDLE: {path}: ")
        assert reason in line


def test_a_broken_config_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("this is\nno config file")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    assert str(config) in failure()


def test_requests_are_not_logged(caplog: pytest.LogCaptureFixture, cloudfront: CloudFrontDouble) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("boto3", "botocore", "urllib3"):
        caplog.set_level(logging.NOTSET, name)

    backend = waiting(new_aws_backend(endpoint_url=cloudfront.url))
    backend.create_function(**FULL_FUNCTION)
    backend.close()

    assert caplog.records == []


def test_a_log_level_above_warning_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "botocore")
    waiting(new_aws_backend(endpoint_url=ANYWHERE)).close()
    assert logging.getLogger("botocore").level == logging.CRITICAL


def test_without_awscrt_the_error_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup_errors, "HAS_CRT", False)
    with pytest.raises(AwsBackendError, match=r'SigV4A: pip install "boto3\[crt\]"$') as caught:
        new_aws_backend(endpoint_url="http://127.0.0.1:1")
    assert "\n" not in str(caught.value)


def test_a_missing_awscrt_is_detected() -> None:
    script = (
        "import sys; sys.modules['awscrt'] = None\n"
        "from cloudfront_facade_server.backends.aws import AwsBackend, AwsBackendError\n"
        "try: AwsBackend(region='us-east-1', connect_timeout=1, read_timeout=1, short_timeout=1)\n"
        "except AwsBackendError as error: print(error)\n"
    )
    completed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert "SigV4A" in completed.stdout
