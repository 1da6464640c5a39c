"""Every limit of CloudFront, of S3 and of this service on what a request may hold, each with its source.

"Service model" is botocore's description of CloudFront or of its data plane. A test compares these constants with it.
"""

from __future__ import annotations

import re
from typing import Final

CHECKED_ELEMENTS_MAX: Final = 1000
"""Elements of a list that are checked one by one. This service.

It is above every other limit, so a longer list is rejected anyway. A message has room for 125,000 elements, and
checking all of them would hold up every other call.
"""

# --- names, comments, etags and ids ------------------------------------------------------------------------------

NAME_MAX_LENGTH: Final = 64
"""Characters of a function's or store's name. Service model, FunctionName and KeyValueStoreName."""

NAME_PATTERN: Final = re.compile(r"[a-zA-Z0-9_-]*")
"""Characters of a function's or store's name. Service model, the same shapes."""

COMMENT_MAX_LENGTH: Final = 128
"""Characters of a comment. Service model, KeyValueStoreComment; for functions the Developer Guide's quotas."""

ETAG_MAX_LENGTH: Final = 256
"""Characters of an etag: far above CloudFront's own, far below the limit of a header. This service."""

ETAG_PATTERN: Final = re.compile(r"[!#-~]*")
"""Characters of an etag. RFC 9110, section 8.8.3, its ASCII characters only."""

REQUEST_ID_PATTERN: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""A UUID of any version in its form of 36 characters. RFC 9562, section 4."""

# --- quotas of an account ------------------------------------------------------------------------------------------

FUNCTIONS_QUOTA: Final = 100
"""Functions of an account. Developer Guide, quotas on CloudFront Functions."""

KEY_VALUE_STORES_QUOTA: Final = 200
"""Stores of an account. Developer Guide, quotas on CloudFront KeyValueStore."""

# --- functions ---------------------------------------------------------------------------------------------------

FUNCTION_CODE_QUOTA: Final = 10_240
"""Bytes of a function's code. Developer Guide, quotas on CloudFront Functions: 10 KB, not adjustable."""

FUNCTION_CODE_API_LIMIT: Final = 40_960
"""Bytes of a function's code that the API accepts. Service model, FunctionBlob."""

ASSOCIATIONS_MAX: Final = 1
"""Key value stores of a function. Developer Guide, quotas on CloudFront KeyValueStore."""

EVENT_OBJECT_MAX_BYTES: Final = 40_960
"""Bytes of a test's event. Service model, FunctionEventObject."""

# --- ARNs --------------------------------------------------------------------------------------------------------

FUNCTION_ARN_PATTERN: Final = re.compile(r"arn:aws:cloudfront::[0-9]{12}:function/[a-zA-Z0-9_-]{1,64}")
"""The form of a function's ARN. API reference, FunctionMetadata and FunctionName."""

KEY_VALUE_STORE_ARN_MAX_LENGTH: Final = 85
"""Characters of a store's ARN. Service model, KeyValueStoreARN."""

KEY_VALUE_STORE_ARN_PATTERN: Final = re.compile(r"arn:aws:cloudfront::[0-9]{12}:key-value-store/[0-9a-fA-F-]{36}")
"""The form of a store's ARN. Service model, KeyValueStoreARN."""

S3_OBJECT_ARN_PATTERN: Final = re.compile(r"arn:aws(?:-cn|-us-gov)?:s3:::[a-zA-Z0-9._-]{3,255}/.+", re.DOTALL)
"""The form of an import source. S3 User Guide, ARNs and bucket names, those from before March 2018 included."""

S3_KEY_MAX_BYTES: Final = 1024
"""Bytes of an S3 object's key in UTF-8. S3 User Guide, object key names."""

# --- keys and values ---------------------------------------------------------------------------------------------

KEY_MAX_BYTES: Final = 512
"""Bytes of a key in UTF-8. Developer Guide, quotas on CloudFront KeyValueStore."""

VALUE_MAX_BYTES: Final = 1024
"""Bytes of a value in UTF-8. Developer Guide, quotas on CloudFront KeyValueStore."""

KEY_VALUE_STORE_MAX_BYTES: Final = 5 * 1024 * 1024
"""Bytes of all keys and values of a store in UTF-8. Developer Guide, quotas on CloudFront KeyValueStore: 5 MB."""

IMPORT_FILE_MAX_BYTES: Final = 5 * 1024 * 1024
"""Bytes of a file to import. Developer Guide, quotas on CloudFront KeyValueStore: 5 MB."""

UPDATE_KEYS_MAX_KEYS: Final = 50
"""Keys of one UpdateKeys of CloudFront. Developer Guide, quotas on CloudFront KeyValueStore."""

UPDATE_KEYS_MAX_BYTES: Final = 3_000_000
"""Bytes of one UpdateKeys of CloudFront. Developer Guide, quotas on CloudFront KeyValueStore: 3 MB."""

# --- lists -------------------------------------------------------------------------------------------------------

LIST_PAGE_MAX: Final = 100
"""Functions or stores on a page, also if the request sets no size. API reference, ListFunctions, ListKeyValueStores."""

KEYS_PAGE_MAX: Final = 50
"""Keys on a page. Data plane's service model, ListKeysRequestMaxResultsInteger."""

KEYS_PAGE_DEFAULT: Final = 10
"""Keys on a page if the request sets no size. API reference, ListKeys."""

STATUS_PATTERN: Final = re.compile(r"[A-Z_]{0,64}")
"""The form of a store's status, which is an open set in CloudFront's API. This service."""

# --- tags --------------------------------------------------------------------------------------------------------

TAG_KEY_MAX_LENGTH: Final = 128
"""Characters of a tag's key. Service model, TagKey."""

TAG_VALUE_MAX_LENGTH: Final = 256
"""Characters of a tag's value. Service model, TagValue."""

TAGS_MAX: Final = 50
"""Tags of a resource. Developer Guide, tagging."""

TAG_PATTERN: Final = re.compile(r"[a-zA-Z0-9 _.:/=+@-]*")
"""Characters of a tag's key and value. API reference, Tag."""

TAG_PUNCTUATION: Final = frozenset("_.:/=+-@")
"""What the wide character set has besides letters, separators and numbers. Service model, TagKey and TagValue."""

TAG_RESERVED_PREFIX: Final = "aws:"
"""The prefix of keys that only AWS sets, in any case. Developer Guide, tagging."""

TAG_FACADE_PREFIX: Final = "cloudfront-facade:"
"""The prefix of keys that only this service sets, in any case. This service."""
