"""The limits on requests, each with its source: CloudFront, S3 or this service itself.

"Service model" is botocore's description of CloudFront or of its data plane. A test compares these constants with it.
"""

from __future__ import annotations

import re
from typing import Final

CHECKED_ELEMENTS_MAX: Final = 1000
"""Maximum number of list elements that are checked one by one. Source: this service.

Every other limit is lower, so a longer list is rejected anyway. A message can contain 125,000 elements, and checking
all of them would block every other call.
"""

CHECKED_CHARACTERS_MAX: Final = 4096
"""Maximum number of characters of a value that are checked one by one. Source: this service.

Every length limit of such a value is lower, so a longer one is rejected anyway.
"""

# --- names, comments, etags and ids ------------------------------------------------------------------------------

NAME_MAX_LENGTH: Final = 64
"""Maximum length of the name of a function or store. Source: service model, FunctionName and KeyValueStoreName."""

NAME_PATTERN: Final = re.compile(r"[a-zA-Z0-9_-]*")
"""Allowed characters in the name of a function or store. Source: service model, the same shapes."""

COMMENT_MAX_LENGTH: Final = 128
"""Maximum length of a comment. Source: service model, KeyValueStoreComment; for functions, Developer Guide, quotas."""

ETAG_MAX_LENGTH: Final = 256
"""Maximum length of an etag: far above CloudFront's own, far below the limit of a header. Source: this service."""

ETAG_PATTERN: Final = re.compile(r"[!#-~]*")
"""Allowed characters in an etag. Source: RFC 9110, section 8.8.3, only its ASCII characters."""

REQUEST_ID_PATTERN: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""A UUID of any version in its 36-character form. Source: RFC 9562, section 4."""

# --- account quotas ------------------------------------------------------------------------------------------------

FUNCTIONS_QUOTA: Final = 100
"""Maximum number of functions per account. Source: Developer Guide, quotas on CloudFront Functions."""

KEY_VALUE_STORES_QUOTA: Final = 200
"""Maximum number of stores per account. Source: Developer Guide, quotas on CloudFront KeyValueStore."""

# --- functions ---------------------------------------------------------------------------------------------------

FUNCTION_CODE_QUOTA: Final = 10_240
"""Maximum size of a function's code, in bytes.

Source: Developer Guide, quotas on CloudFront Functions, 10 KB, not adjustable.
"""

FUNCTION_CODE_API_LIMIT: Final = 40_960
"""Maximum size of a function's code that the API accepts, in bytes. Source: service model, FunctionBlob."""

ASSOCIATIONS_MAX: Final = 1
"""Maximum number of key value stores per function. Source: Developer Guide, quotas on CloudFront KeyValueStore."""

EVENT_OBJECT_MAX_BYTES: Final = 40_960
"""Maximum size of TestFunction's event. Source: service model, FunctionEventObject."""

# --- ARNs --------------------------------------------------------------------------------------------------------

FUNCTION_ARN_PATTERN: Final = re.compile(r"arn:aws:cloudfront::[0-9]{12}:function/[a-zA-Z0-9_-]{1,64}")
"""The format of a function's ARN. Source: API reference, FunctionMetadata and FunctionName."""

KEY_VALUE_STORE_ARN_MAX_LENGTH: Final = 85
"""Maximum length of a store's ARN. Source: service model, KeyValueStoreARN."""

KEY_VALUE_STORE_ARN_PATTERN: Final = re.compile(r"arn:aws:cloudfront::[0-9]{12}:key-value-store/[0-9a-fA-F-]{36}")
"""The format of a store's ARN. Source: service model, KeyValueStoreARN."""

S3_OBJECT_ARN_PATTERN: Final = re.compile(r"arn:aws(?:-cn|-us-gov)?:s3:::[a-zA-Z0-9._-]{3,255}/.+", re.DOTALL)
"""The format of an import source.

Source: S3 User Guide, ARNs and bucket names, including names from before March 2018.
"""

S3_KEY_MAX_BYTES: Final = 1024
"""Maximum size of an S3 object's key in UTF-8. Source: S3 User Guide, object key names."""

# --- keys and values ---------------------------------------------------------------------------------------------

KEY_MAX_BYTES: Final = 512
"""Maximum size of a key in UTF-8. Source: Developer Guide, quotas on CloudFront KeyValueStore."""

VALUE_MAX_BYTES: Final = 1024
"""Maximum size of a value in UTF-8. Source: Developer Guide, quotas on CloudFront KeyValueStore."""

KEY_VALUE_STORE_MAX_BYTES: Final = 5 * 1024 * 1024
"""Maximum total size of a store's keys and values in UTF-8.

Source: Developer Guide, quotas on CloudFront KeyValueStore, 5 MB.
"""

IMPORT_FILE_MAX_BYTES: Final = 5 * 1024 * 1024
"""Maximum size of an import file. Source: Developer Guide, quotas on CloudFront KeyValueStore, 5 MB."""

UPDATE_KEYS_MAX_KEYS: Final = 50
"""Maximum number of keys in CloudFront's UpdateKeys. Source: Developer Guide, quotas on CloudFront KeyValueStore."""

UPDATE_KEYS_MAX_BYTES: Final = 3_000_000
"""Maximum size of CloudFront's UpdateKeys. Source: Developer Guide, quotas on CloudFront KeyValueStore, 3 MB."""

# --- lists -------------------------------------------------------------------------------------------------------

LIST_PAGE_MAX: Final = 100
"""Maximum and default number of items on a page. Source: API reference, ListFunctions, ListKeyValueStores."""

KEYS_PAGE_MAX: Final = 50
"""Maximum number of keys on a page. Source: the data plane's service model, ListKeysRequestMaxResultsInteger."""

KEYS_PAGE_DEFAULT: Final = 10
"""Default number of keys on a page. Source: API reference, ListKeys."""

PAGE_TOKEN_MAX_LENGTH: Final = 8192
"""Maximum length of a page token. Source: this service. CloudFront receives its marker in a URL, which is shorter."""

STATUS_MAX_LENGTH: Final = 64
"""Maximum length of a store's status. Source: this service."""

STATUS_PATTERN: Final = re.compile(rf"[A-Z_]{{0,{STATUS_MAX_LENGTH}}}")
"""The format of a store's status. CloudFront may add values. Source: this service."""

# --- tags --------------------------------------------------------------------------------------------------------

TAG_KEY_MAX_LENGTH: Final = 128
"""Maximum length of a tag's key. Source: service model, TagKey."""

TAG_VALUE_MAX_LENGTH: Final = 256
"""Maximum length of a tag's value. Source: service model, TagValue."""

TAGS_MAX: Final = 50
"""Maximum number of tags per resource. Source: Developer Guide, tagging."""

TAG_PATTERN: Final = re.compile(r"[a-zA-Z0-9 _.:/=+@-]*")
"""Allowed characters in a tag's key and value. Source: API reference, Tag."""

TAG_PUNCTUATION: Final = frozenset("_.:/=+-@")
"""Allowed punctuation in the wide character set of tags. Source: service model, TagKey and TagValue."""

TAG_RESERVED_PREFIX: Final = "aws:"
"""The prefix, in any case, of keys that only AWS sets. Source: Developer Guide, tagging."""

TAG_FACADE_PREFIX: Final = "cloudfront-facade:"
"""The prefix, in any case, of keys that only this service sets. Source: this service."""
