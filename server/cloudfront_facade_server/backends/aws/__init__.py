"""CloudFront itself, or any HTTP endpoint with its API, through boto3.

`backend`      the Backend
`clients`      boto3 clients with retries switched off
`credentials`  credentials that are found late and refreshed
`transport`    carries boto3's requests in the event loop
"""

from .backend import AwsBackend, AwsBackendError, AwsCalls

__all__ = ["AwsBackend", "AwsBackendError", "AwsCalls"]
