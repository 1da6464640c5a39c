"""CloudFront itself, or any HTTP endpoint that is compatible with it, through boto3.

`backend`      the Backend
`clients`      boto3 clients with retries switched off
`credentials`  credentials that are loaded late and refreshed
`transport`    sends boto3's requests in the event loop
"""

from .backend import AwsBackend, AwsBackendError

__all__ = ["AwsBackend", "AwsBackendError"]
