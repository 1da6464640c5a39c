"""Every limit matches botocore's service model, or the page that documents it."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

import botocore.session
import pytest

from cloudfront_facade_server import limits
from cloudfront_facade_server.settings.serve import ServeSettings
from support.cloudfront.wire import installed_wire

MODEL: Final = installed_wire().model
DATA_MODEL: Final = botocore.session.Session().get_service_model("cloudfront-keyvaluestore")

MAXIMUM: Final = {
    "FunctionName": "NAME_MAX_LENGTH",
    "KeyValueStoreName": "NAME_MAX_LENGTH",
    "KeyValueStoreComment": "COMMENT_MAX_LENGTH",
    "FunctionBlob": "FUNCTION_CODE_API_LIMIT",
    "FunctionEventObject": "EVENT_OBJECT_MAX_BYTES",
    "KeyValueStoreARN": "KEY_VALUE_STORE_ARN_MAX_LENGTH",
    "TagKey": "TAG_KEY_MAX_LENGTH",
    "TagValue": "TAG_VALUE_MAX_LENGTH",
}
"""Maps a shape of the service model to the constant that is its maximum length."""

MINIMUM: Final = {
    "FunctionName": 1,
    "KeyValueStoreName": 1,
    "KeyValueStoreComment": 0,
    "FunctionBlob": 1,
    "FunctionEventObject": 0,
    "KeyValueStoreARN": 0,
    "TagKey": 1,
    "TagValue": 0,
}
"""The minimum lengths of the service model. An empty ARN fails its pattern, and an empty event is not JSON."""

DOCUMENTED_ONLY: Final = {
    "FUNCTION_CODE_QUOTA": 10 * 1024,
    "ASSOCIATIONS_MAX": 1,
    "TAGS_MAX": 50,
    "TAG_RESERVED_PREFIX": "aws:",
    "TAG_FACADE_PREFIX": "cloudfront-facade:",
    "S3_KEY_MAX_BYTES": 1024,
    "CHECKED_ELEMENTS_MAX": 1000,
    "CHECKED_CHARACTERS_MAX": 4096,
    "PAGE_TOKEN_MAX_LENGTH": 8192,
    "ETAG_MAX_LENGTH": 256,
    "KEY_MAX_BYTES": 512,
    "VALUE_MAX_BYTES": 1024,
    "KEY_VALUE_STORE_MAX_BYTES": 5 * 1024 * 1024,
    "IMPORT_FILE_MAX_BYTES": 5 * 1024 * 1024,
    "UPDATE_KEYS_MAX_KEYS": 50,
    "UPDATE_KEYS_MAX_BYTES": 3_000_000,
    "LIST_PAGE_MAX": 100,
    "FUNCTIONS_QUOTA": 100,
    "KEY_VALUE_STORES_QUOTA": 200,
    "KEYS_PAGE_DEFAULT": 10,
    "STATUS_MAX_LENGTH": 64,
}
"""Limits that are not in the service model: they come from AWS's guides, or are the facade's own."""

DATA_PLANE: Final = {"ListKeysRequestMaxResultsInteger": "KEYS_PAGE_MAX"}
"""Maps a shape of the data plane's service model to the constant that is its maximum."""

PATTERNS: Final = {
    "NAME_PATTERN",
    "KEY_VALUE_STORE_ARN_PATTERN",
    "TAG_PATTERN",
    "TAG_PUNCTUATION",
    "S3_OBJECT_ARN_PATTERN",
    "REQUEST_ID_PATTERN",
    "FUNCTION_ARN_PATTERN",
    "ETAG_PATTERN",
    "STATUS_PATTERN",
}
"""Patterns, which separate tests compare character by character."""

MEMBERS: Final = {
    "CreateFunction": {
        "Name": "FunctionName",
        "FunctionConfig.Runtime": "FunctionRuntime",
        "FunctionConfig.KeyValueStoreAssociations.Items.KeyValueStoreARN": "KeyValueStoreARN",
        "FunctionCode": "FunctionBlob",
        "Tags.Items.Key": "TagKey",
        "Tags.Items.Value": "TagValue",
    },
    "CreateKeyValueStore": {
        "Name": "KeyValueStoreName",
        "Comment": "KeyValueStoreComment",
        "ImportSource.SourceType": "ImportSourceType",
        "Tags.Items.Key": "TagKey",
        "Tags.Items.Value": "TagValue",
    },
    "DescribeFunction": {"Name": "FunctionName", "Stage": "FunctionStage"},
    "GetFunction": {"Name": "FunctionName", "Stage": "FunctionStage"},
    "UpdateFunction": {
        "Name": "FunctionName",
        "FunctionConfig.Runtime": "FunctionRuntime",
        "FunctionConfig.KeyValueStoreAssociations.Items.KeyValueStoreARN": "KeyValueStoreARN",
        "FunctionCode": "FunctionBlob",
    },
    "PublishFunction": {"Name": "FunctionName"},
    "TestFunction": {"Name": "FunctionName", "Stage": "FunctionStage", "EventObject": "FunctionEventObject"},
    "DeleteFunction": {"Name": "FunctionName"},
    "ListFunctions": {"Stage": "FunctionStage"},
    "DescribeKeyValueStore": {"Name": "KeyValueStoreName"},
    "UpdateKeyValueStore": {"Name": "KeyValueStoreName", "Comment": "KeyValueStoreComment"},
    "DeleteKeyValueStore": {"Name": "KeyValueStoreName"},
    "ListKeyValueStores": {},
    "TagResource": {"Resource": "ResourceARN", "Tags.Items.Key": "TagKey", "Tags.Items.Value": "TagValue"},
    "UntagResource": {"Resource": "ResourceARN", "TagKeys.Items": "TagKey"},
    "ListTagsForResource": {"Resource": "ResourceARN"},
}

ASCII: Final = [chr(code) for code in range(128)]


def metadata(shape: str) -> dict[str, Any]:
    return dict(MODEL.shape_for(shape).metadata)


@pytest.mark.parametrize(("shape", "constant"), MAXIMUM.items())
def test_a_length_limit_matches_the_service_model(shape: str, constant: str) -> None:
    assert (metadata(shape)["min"], metadata(shape)["max"]) == (MINIMUM[shape], getattr(limits, constant))


@pytest.mark.parametrize(("shape", "constant"), DATA_PLANE.items())
def test_a_page_size_limit_matches_the_data_planes_service_model(shape: str, constant: str) -> None:
    assert DATA_MODEL.shape_for(shape).metadata == {"min": 1, "max": getattr(limits, constant)}


@pytest.mark.parametrize("operation", MEMBERS)
def test_every_constrained_member_of_a_request_has_a_limit(operation: str) -> None:
    constrained = dict(constrained_members(MODEL.operation_model(operation).input_shape))

    assert constrained == MEMBERS[operation], "CloudFront constrains a member that no limit covers"


def constrained_members(shape: Any, path: str = "") -> list[tuple[str, str]]:
    if shape.type_name == "structure":
        return [
            pair for name, member in shape.members.items() for pair in constrained_members(member, f"{path}.{name}")
        ]
    if shape.type_name == "list":
        return constrained_members(shape.member, path)
    return [(path[1:], shape.name)] if {"min", "max", "pattern", "enum"} & shape.metadata.keys() else []


def test_every_limit_is_compared_with_its_source() -> None:
    public = {name for name in vars(limits) if name.isupper()}

    assert public == {*MAXIMUM.values(), *DATA_PLANE.values(), *DOCUMENTED_ONLY, *PATTERNS}
    assert {name: getattr(limits, name) for name in DOCUMENTED_ONLY} == DOCUMENTED_ONLY


def test_the_settings_stay_within_the_limits() -> None:
    code, tags = (ServeSettings.model_fields[name] for name in ("max_function_code_bytes", "max_tags"))

    assert (code.default, tags.default) == (limits.FUNCTION_CODE_QUOTA, limits.TAGS_MAX)
    assert limits.FUNCTION_CODE_API_LIMIT in [getattr(bound, "le", None) for bound in code.metadata]


@pytest.mark.parametrize("shape", ["FunctionName", "KeyValueStoreName"])
def test_a_name_has_the_characters_and_the_length_of_the_service_model(shape: str) -> None:
    pattern = re.compile(metadata(shape)["pattern"])
    samples = [*ASCII, "é", "\u0661", "a" * 64, "a" * 65, "", "a\n", "Az09-_"]

    for text in samples:
        ours = 1 <= len(text) <= limits.NAME_MAX_LENGTH and limits.NAME_PATTERN.fullmatch(text) is not None
        assert ours is (pattern.fullmatch(text) is not None), text


def test_an_arn_of_a_store_has_the_form_of_the_service_model() -> None:
    pattern = re.compile(metadata("KeyValueStoreARN")["pattern"])
    good = "arn:aws:cloudfront::123456789012:key-value-store/0a1B2c3D-2222-3333-4444-555555555555"
    changed = [good[:index] + other + good[index + 1 :] for index in range(len(good)) for other in "x0:/-\n"]

    assert limits.KEY_VALUE_STORE_ARN_PATTERN.fullmatch(good)
    assert len(good) == limits.KEY_VALUE_STORE_ARN_MAX_LENGTH
    for arn in [*changed, good + "0", good + "\n", good[:-1], "", good.replace("aws", "aws-cn")]:
        ours = limits.KEY_VALUE_STORE_ARN_PATTERN.fullmatch(arn)
        assert (ours is None) is (pattern.fullmatch(arn) is None), arn


def test_an_arn_of_a_resource_has_the_form_of_the_service_model() -> None:
    pattern = re.compile(metadata("ResourceARN")["pattern"])
    name = metadata("FunctionName")["pattern"]
    good = "arn:aws:cloudfront::123456789012:function/a-B_9"

    assert limits.FUNCTION_ARN_PATTERN.fullmatch(good)
    assert pattern.fullmatch(good)
    assert re.compile(name).fullmatch("a-B_9")
    for bad in (good + "\n", good[:-5], good + "/x", good.replace("function", "distribution"), good + "a" * 64):
        assert not limits.FUNCTION_ARN_PATTERN.fullmatch(bad), bad


def test_keys_and_values_fit_the_data_planes_service_model() -> None:
    shape = DATA_MODEL.shape_for("Key").metadata

    assert shape["min"] == 1
    assert shape["max"] >= limits.KEY_MAX_BYTES
    assert DATA_MODEL.shape_for("Value").metadata.keys() <= {"sensitive"}


def test_an_etag_has_only_characters_that_a_header_can_carry() -> None:
    allowed = {text for text in ASCII if limits.ETAG_PATTERN.fullmatch(text)}

    assert allowed == {text for text in ASCII if "!" <= text <= "~"} - {'"'}
    assert not limits.ETAG_PATTERN.fullmatch("E1\n")


def test_a_status_is_in_upper_snake_case() -> None:
    for status in ("READY", "PROVISIONING", "IMPORT_FAILED", ""):
        assert limits.STATUS_PATTERN.fullmatch(status)
    for status in ("ready", "READY\n", "A" * 65, "READY OR NOT"):
        assert not limits.STATUS_PATTERN.fullmatch(status)


@pytest.mark.parametrize("shape", ["TagKey", "TagValue"])
def test_the_sets_of_tag_characters_are_subsets_of_the_service_model(shape: str) -> None:
    pattern = metadata(shape)["pattern"]
    classes = r"\p{L}\p{Z}\p{N}"
    assert pattern == rf"([{classes}_.:/=+\-@]*)", "the set of the service model has changed"
    punctuation = set(pattern.removeprefix(rf"([{classes}").removesuffix("]*)").replace("\\", ""))

    assert punctuation == limits.TAG_PUNCTUATION
    allowed = {character for character in map(chr, range(0x3000)) if limits.TAG_PATTERN.fullmatch(character)}
    assert allowed > punctuation
    for character in allowed - punctuation:
        assert character.isascii()
        assert unicodedata.category(character)[0] in "LZN"


def test_the_narrow_set_of_tag_characters_is_the_documented_one() -> None:
    documented = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-.:/=+@")

    assert {text for text in map(chr, range(0x3000)) if limits.TAG_PATTERN.fullmatch(text)} == documented


@pytest.mark.parametrize(
    ("arn", "is_valid"),
    [
        ("arn:aws:s3:::bucket/key.json", True),
        ("arn:aws-cn:s3:::bucket/key", True),
        ("arn:aws-us-gov:s3:::bucket/a/b c", True),
        ("arn:aws:s3:::abc/k", True),
        (f"arn:aws:s3:::{'b' * 255}/k", True),
        (f"arn:aws:s3:::{'b' * 256}/k", False),
        ("arn:aws:s3:::ab/k", False),
        ("arn:aws:s3:::buck et/k", False),
        ("arn:aws:s3:::My_Bucket/k", True),
        ("arn:aws:s3:::bucket/", False),
        ("arn:aws:s3:::bucket", False),
        ("arn:aws:s3::123456789012:bucket/k", False),
        ("arn:aws:cloudfront:::bucket/k", False),
    ],
)
def test_an_import_source_has_the_form_of_an_s3_object(arn: str, *, is_valid: bool) -> None:
    assert (limits.S3_OBJECT_ARN_PATTERN.fullmatch(arn) is not None) is is_valid


def test_a_request_id_must_be_a_uuid_of_36_characters() -> None:
    good = "0b5e2f0e-5d2c-4d0b-9f3e-2a4d7c1b8e6f"

    assert limits.REQUEST_ID_PATTERN.fullmatch(good)
    assert limits.REQUEST_ID_PATTERN.fullmatch(good.upper())
    for bad in (good.replace("-", ""), good[:-1], good + "0", good + "\n", "{" + good + "}", good.replace("0", "g")):
        assert not limits.REQUEST_ID_PATTERN.fullmatch(bad), bad
