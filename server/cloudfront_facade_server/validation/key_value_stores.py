"""The checks of a store's import source and status."""

from __future__ import annotations

from collections.abc import Iterator

from cloudfront_facade.v1.key_value_store_service_pb2 import ImportSource, ImportSourceType

from .. import limits
from ..errors.violations import Violation, quote
from . import checks
from .arns import show_arn
from .rule_names import KNOWN_STATUSES, Rule


def check_import_source(field: str, source: ImportSource) -> Iterator[Violation]:
    """Checks the import source of a new store."""
    if source.source_type != ImportSourceType.IMPORT_SOURCE_TYPE_S3:
        sent = str(source.source_type) if source.source_type else "not set"
        yield Violation(f"{field}.source_type", Rule.SOURCE_TYPE_KNOWN, f"{sent}; allowed: IMPORT_SOURCE_TYPE_S3")
    yield from _check_s3_object_arn(f"{field}.source_arn", source.source_arn)


def check_status(field: str, value: str) -> Iterator[Violation]:
    """Checks the optional status by which a list of stores is filtered. CloudFront may add values."""
    if not limits.STATUS_PATTERN.fullmatch(value):
        known = " and ".join(f'"{status}"' for status in KNOWN_STATUSES)
        yield Violation(
            field,
            Rule.STATUS_FORM,
            f"{quote(value)}; allowed: empty, or 1 to {limits.STATUS_MAX_LENGTH} of A-Z _; known statuses: {known}",
        )


def _check_s3_object_arn(field: str, value: str) -> Iterator[Violation]:
    """Checks the ARN of an object in S3."""
    if not limits.S3_OBJECT_ARN_PATTERN.fullmatch(value):
        yield Violation(
            field,
            Rule.SOURCE_ARN_FORM,
            f"{show_arn(value)}; allowed: arn:aws:s3:::BUCKET/KEY (also aws-cn and aws-us-gov); "
            "BUCKET is 3 to 255 of a-z A-Z 0-9 . _ -",
        )
        return
    key = value.split("/", 1)[1]
    if (size := len(key.encode())) > limits.S3_KEY_MAX_BYTES:
        yield Violation(
            field, Rule.SOURCE_ARN_LENGTH, f"a key of {size} bytes; allowed: at most {limits.S3_KEY_MAX_BYTES} bytes"
        )
    yield from checks.check_xml(field, Rule.SOURCE_ARN_CHARACTERS, value)
