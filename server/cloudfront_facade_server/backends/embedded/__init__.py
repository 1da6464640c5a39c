"""CloudFront's behaviour on SQLite, in this process: for developing, for callers' CI and for demos.

`backend` is what the server uses. Below it, each knowing only what stands before it:
`answers`, `versions`, `pages`  refusals, response metadata and times; ETags and If-Match; pages of lists
`schema`, `database`            the tables, and the file with its locking and transactions
`tags`, `import_source`         tags, and files that stand for S3 objects
`store_rows`, `key_value_stores`, `key_values`  stores: their control plane, and their data plane
`function_rows`, `functions`, `function_tests`  functions; TestFunction runs them in `javascript`
"""

from .backend import EmbeddedBackend
from .database import EmbeddedDatabaseError, default_path

__all__ = ["EmbeddedBackend", "EmbeddedDatabaseError", "default_path"]
