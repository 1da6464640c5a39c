"""CloudFront itself, or any HTTP endpoint that is compatible with it, through boto3.

`backend`       the Backend
`clients`       boto3 clients without retries
`setup_errors`  checks of boto3's setup, and errors in one line
`credentials`   credentials that are loaded when they are first needed, and reloaded on demand
`credential_source`    where they come from; roles
`credential_failures`  says in words why there are none
`parsing`       parses parts of responses that botocore parses slowly or not strictly enough
`endpoints`     where requests cannot go
`transport`     sends boto3's requests in the event loop
"""

from .backend import AwsBackend, AwsBackendError

__all__ = ["AwsBackend", "AwsBackendError"]
