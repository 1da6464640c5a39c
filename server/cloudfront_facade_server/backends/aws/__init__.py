"""CloudFront itself, or any HTTP endpoint that is compatible with it, through boto3.

`backend`       the Backend
`clients`       boto3 clients without retries
`setup_errors`  checks of boto3's setup, and errors in one line
`credentials`   credentials that are loaded when they are first needed, and reloaded on demand
`credential_source`    finds them; assumes roles
`credential_failures`  says in words why credentials are missing
`parsing`       parses parts of responses that botocore parses slowly or not strictly enough
`endpoints`     checks that requests have an endpoint
`transport`     sends boto3's requests in the event loop
"""

from .backend import AwsBackend, AwsBackendError

__all__ = ["AwsBackend", "AwsBackendError"]
