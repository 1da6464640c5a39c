"""Every limit that a request is held against, with its source.

"Service model" is botocore's description of CloudFront; a test holds these constants equal to it.
"""

from __future__ import annotations

import re
from typing import Final

LOOKED_AT: Final = 1000
"""Elements of a list that are checked one by one: above every limit, so that whoever sends more is refused anyway. A
message has room for 125,000, and checking all of those would hold everybody up."""

NAME_MAX_LENGTH: Final = 64
"""Characters of a function's or store's name. Service model, FunctionName and KeyValueStoreName."""

NAME_PATTERN: Final = re.compile(r"[a-zA-Z0-9_-]*")
"""Characters of a function's or store's name. Service model, the same shapes."""

COMMENT_MAX_LENGTH: Final = 128
"""Characters of a comment. Service model, KeyValueStoreComment; for functions the Developer Guide's quotas."""

FUNCTION_CODE_QUOTA: Final = 10_240
"""Bytes of a function's code. Developer Guide, quotas on CloudFront Functions: 10 KB, not adjustable."""

FUNCTION_CODE_API_LIMIT: Final = 40_960
"""Bytes of a function's code that the API carries at all. Service model, FunctionBlob."""

ASSOCIATIONS_MAX: Final = 1
"""Key value stores of a function. Developer Guide, quotas on CloudFront KeyValueStore."""

KEY_VALUE_STORE_ARN_MAX_LENGTH: Final = 85
"""Characters of a store's ARN. Service model, KeyValueStoreARN."""

KEY_VALUE_STORE_ARN_PATTERN: Final = re.compile(r"arn:aws:cloudfront::[0-9]{12}:key-value-store/[0-9a-fA-F-]{36}")
"""The form of a store's ARN. Service model, KeyValueStoreARN."""

FUNCTION_ARN_PATTERN: Final = re.compile(r"arn:aws:cloudfront::[0-9]{12}:function/[a-zA-Z0-9_-]{1,64}")
"""The form of a function's ARN. API reference, FunctionMetadata and FunctionName."""

EVENT_OBJECT_MAX_BYTES: Final = 40_960
"""Bytes of a test's event. Service model, FunctionEventObject."""

ETAG_MAX_LENGTH: Final = 256
"""Characters of a version: far above CloudFront's own, far below what a header may have. This service."""

ETAG_PATTERN: Final = re.compile(r"[!#-~]*")
"""Characters of a version: RFC 9110, section 8.8.3, without what is not ASCII."""

STATUS_PATTERN: Final = re.compile(r"[A-Z_]{0,64}")
"""The form of a store's status, an open set of CloudFront's. This service."""

KEY_MAX_BYTES: Final = 512
"""Bytes of a key in UTF-8. Developer Guide, quotas on CloudFront KeyValueStore."""

VALUE_MAX_BYTES: Final = 1024
"""Bytes of a value in UTF-8. Developer Guide, quotas on CloudFront KeyValueStore."""

S3_OBJECT_ARN_PATTERN: Final = re.compile(r"arn:aws(?:-cn|-us-gov)?:s3:::[a-zA-Z0-9._-]{3,255}/.+", re.DOTALL)
"""The form of an import source. S3 User Guide, ARNs and bucket names, those from before March 2018 included."""

S3_KEY_MAX_BYTES: Final = 1024
"""Bytes of an S3 object's key in UTF-8. S3 User Guide, object key names."""

TAG_KEY_MAX_LENGTH: Final = 128
"""Characters of a tag's key. Service model, TagKey."""

TAG_VALUE_MAX_LENGTH: Final = 256
"""Characters of a tag's value. Service model, TagValue."""

TAGS_MAX: Final = 50
"""Tags of a resource. Developer Guide, tagging."""

TAG_PATTERN: Final = re.compile(r"[a-zA-Z0-9 _.:/=+@-]*")
"""Characters of a tag's key and value. API reference, Tag."""

TAG_PUNCTUATION: Final = frozenset("_.:/=+-@")
"""What the wide character set has beside letters, separators and numbers. Service model, TagKey and TagValue."""

TAG_RESERVED_PREFIX: Final = "aws:"
"""Keys that AWS keeps to itself, in any case. Developer Guide, tagging."""

TAG_FACADE_PREFIX: Final = "cloudfront-facade:"
"""Keys that the service keeps to itself, in any case."""

REQUEST_ID_PATTERN: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""A UUID of any version in its form of 36 characters. RFC 9562, section 4."""
