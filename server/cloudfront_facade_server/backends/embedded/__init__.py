"""CloudFront's behaviour on SQLite, in this process: for developing, for callers' CI and for demos.

`backend` is what the server uses. Below it, each knowing only what stands before it:
`answers`           refusals, response metadata, ETags and times, in boto3's shape
`schema`, `database`  the tables, and the file with its locking and transactions
`tags`, `import_source`, `key_value_stores`, `functions`  the operations
"""

from .backend import EmbeddedBackend
from .database import EmbeddedStoreError, default_path

__all__ = ["EmbeddedBackend", "EmbeddedStoreError", "default_path"]
