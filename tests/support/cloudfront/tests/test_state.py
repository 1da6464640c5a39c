"""The CloudFront in memory of the double, as observed by plain boto3."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from support.cloudfront.http import CloudFrontDouble
from support.cloudfront.samples import (
    FULL_FUNCTION,
    code_and_status,
    create_function,
)
from support.cloudfront.state import distribution

pytestmark = pytest.mark.usefixtures("aws_environment")


def test_boto3_raises_the_error_that_the_state_raised(cloudfront: CloudFrontDouble, client: Any) -> None:
    create_function(client)

    with pytest.raises(client.exceptions.FunctionAlreadyExists) as caught:
        create_function(client)

    assert code_and_status(caught.value) == ("FunctionAlreadyExists", 409)
    assert caught.value.response["Error"]["Type"] == "Sender"
    metadata = caught.value.response["ResponseMetadata"]
    assert metadata["RequestId"] == metadata["HTTPHeaders"]["x-amzn-requestid"]
    assert cloudfront.count("CreateFunction") == 2
    assert cloudfront.effects("CreateFunction") == 1


def test_functions_are_described_and_read_with_their_tags(cloudfront: CloudFrontDouble, client: Any) -> None:
    created = create_function(client)
    described = client.describe_function(Name="rewrite", Stage="DEVELOPMENT")
    got = client.get_function(Name="rewrite")

    assert created["Location"].endswith("/function/rewrite")
    assert described["FunctionSummary"] == created["FunctionSummary"]
    assert described["ETag"] == created["ETag"] == got["ETag"]
    assert got["FunctionCode"].read() == FULL_FUNCTION["FunctionCode"]
    assert got["ContentType"] == "application/octet-stream"
    arn = created["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    assert client.list_tags_for_resource(Resource=arn)["Tags"] == FULL_FUNCTION["Tags"]


@pytest.mark.parametrize(
    ("operation", "arguments", "code"),
    [
        ("describe_function", {"Name": "none"}, "NoSuchFunctionExists"),
        ("describe_function", {"Name": "rewrite", "Stage": "LIVE"}, "NoSuchFunctionExists"),
        ("get_function", {"Name": "none"}, "NoSuchFunctionExists"),
        ("describe_key_value_store", {"Name": "none"}, "EntityNotFound"),
        ("list_tags_for_resource", {"Resource": "arn:aws:cloudfront::123456789012:function/none"}, "NoSuchResource"),
    ],
)
def test_a_missing_resource_is_not_found(client: Any, operation: str, arguments: dict[str, str], code: str) -> None:
    create_function(client)
    with pytest.raises(ClientError) as caught:
        getattr(client, operation)(**arguments)
    assert code_and_status(caught.value) == (code, 404)


def test_a_store_is_provisioning_and_then_ready(cloudfront: CloudFrontDouble, client: Any) -> None:
    created = client.create_key_value_store(Name="redirects", Comment="")
    described = client.describe_key_value_store(Name="redirects")

    assert created["KeyValueStore"]["Status"] == "PROVISIONING"
    assert described["KeyValueStore"] == {**created["KeyValueStore"], "Status": "READY"}
    assert described["KeyValueStore"]["Comment"] == ""
    with pytest.raises(ClientError) as caught:
        client.create_key_value_store(Name="redirects")
    assert code_and_status(caught.value) == ("EntityAlreadyExists", 409)
    assert "Comment" not in client.create_key_value_store(Name="other")["KeyValueStore"]


def test_an_association_needs_a_ready_store(cloudfront: CloudFrontDouble, client: Any) -> None:
    arn = client.create_key_value_store(Name="redirects")["KeyValueStore"]["ARN"]

    def associate(name: str, arn: str) -> Any:
        associations = {"Quantity": 1, "Items": [{"KeyValueStoreARN": arn}]}
        config = {"Comment": "", "Runtime": "cloudfront-js-2.0", "KeyValueStoreAssociations": associations}
        return client.create_function(Name=name, FunctionConfig=config, FunctionCode=b"x")

    for _ in ("an unknown store", "a store that is not ready"):
        with pytest.raises(ClientError) as caught:
            associate("rewrite", arn if cloudfront.provisioning_seconds else arn[:-1])
        assert code_and_status(caught.value) == ("InvalidArgument", 400)
        cloudfront.provisioning_seconds = 3600.0
    cloudfront.provisioning_seconds = 0.0
    config = associate("rewrite", arn)["FunctionSummary"]["FunctionConfig"]
    assert config["KeyValueStoreAssociations"]["Items"] == [{"KeyValueStoreARN": arn}]


def test_stores_are_listed_page_by_page(cloudfront: CloudFrontDouble, client: Any) -> None:
    for name in ("c", "a", "b"):
        client.create_key_value_store(Name=name)

    first = client.list_key_value_stores(MaxItems="2")["KeyValueStoreList"]
    second = client.list_key_value_stores(MaxItems="2", Marker=first["NextMarker"])["KeyValueStoreList"]

    assert [store["Name"] for store in first["Items"] + second["Items"]] == ["a", "b", "c"]
    assert (first["MaxItems"], first["Quantity"], second["Quantity"]) == (2, 2, 1)
    assert "NextMarker" not in second
    assert client.list_key_value_stores(Status="PROVISIONING")["KeyValueStoreList"]["Items"] == []
    assert client.list_key_value_stores(Status="READY")["KeyValueStoreList"]["Quantity"] == 3


def test_a_new_resource_can_become_visible_late(cloudfront: CloudFrontDouble, client: Any) -> None:
    cloudfront.describe_lag = cloudfront.tags_lag = 3600.0
    arn = create_function(client)["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]

    with pytest.raises(ClientError):
        client.describe_function(Name="rewrite")
    assert client.list_tags_for_resource(Resource=arn)["Tags"] == {"Items": []}

    cloudfront.describe_lag = cloudfront.tags_lag = 0.0
    client.describe_function(Name="rewrite")
    assert client.list_tags_for_resource(Resource=arn)["Tags"] == FULL_FUNCTION["Tags"]


def test_the_clock_sets_the_date_header_and_the_times(cloudfront: CloudFrontDouble, client: Any) -> None:
    moment = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    cloudfront.clock = lambda: moment

    created = create_function(client)

    assert created["ResponseMetadata"]["HTTPHeaders"]["date"] == "Wed, 02 Jan 2030 03:04:05 GMT"
    assert created["FunctionSummary"]["FunctionMetadata"]["CreatedTime"] == moment


def test_an_unknown_operation_is_unsupported(cloudfront: CloudFrontDouble, client: Any) -> None:
    with pytest.raises(ClientError) as caught:
        client.list_cache_policies()
    assert code_and_status(caught.value) == ("UnsupportedOperation", 400)


def test_a_function_that_a_distribution_uses_cannot_be_deleted(cloudfront: CloudFrontDouble, client: Any) -> None:
    created = create_function(client)
    arn = created["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    for identity, arns in (("EA", []), ("EB", [arn]), ("EC", [])):
        cloudfront.distributions[identity] = distribution(identity, *arns)

    with pytest.raises(client.exceptions.FunctionInUse) as caught:
        client.delete_function(Name="rewrite", IfMatch=created["ETag"])
    assert code_and_status(caught.value) == ("FunctionInUse", 409)

    first = client.list_distributions(MaxItems="2")["DistributionList"]
    second = client.list_distributions(MaxItems="2", Marker=first["NextMarker"])["DistributionList"]
    assert (first["IsTruncated"], second["IsTruncated"], second["Marker"]) == (True, False, first["NextMarker"])
    users = [
        shown["Id"]
        for shown in first["Items"] + second["Items"]
        for item in shown["DefaultCacheBehavior"]["FunctionAssociations"].get("Items", ())
        if item["FunctionARN"] == arn
    ]
    assert users == ["EB"]
    del cloudfront.distributions["EB"]
    client.delete_function(Name="rewrite", IfMatch=created["ETag"])


def test_test_function_returns_the_configured_result(cloudfront: CloudFrontDouble, client: Any) -> None:
    created = create_function(client)
    cloudfront.test_result = {"ComputeUtilization": "99", "FunctionErrorMessage": "it threw"}
    arguments = {"Name": "rewrite", "IfMatch": created["ETag"]}

    tested = client.test_function(**arguments, EventObject=b"{}")["TestResult"]

    assert tested == {**cloudfront.test_result, "FunctionSummary": created["FunctionSummary"]}
    with pytest.raises(client.exceptions.InvalidArgument):
        client.test_function(**arguments, EventObject=b"{")


def test_forget_deletes_everything_and_resets_the_quota(cloudfront: CloudFrontDouble, client: Any) -> None:
    create_function(client)
    cloudfront.function_quota = 1

    cloudfront.forget()

    assert client.list_functions()["FunctionList"]["Quantity"] == 0
    for name in ("a", "b"):
        create_function(client, name)
