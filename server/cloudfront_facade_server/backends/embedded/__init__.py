"""An emulation of CloudFront on SQLite in this process, for development, callers' CI and demos.

The server imports only the names in `__all__`. Each module imports only those above it; `backend` combines them:
`responses`, `versions`, `pages`   errors, response metadata and times; ETags and If-Match; pages of lists
`schema`, `database`               the tables, and the file with its lock and transactions
`tags`, `import_document`, `import_source`   tags; the content of import files, and their folder
`store_queries`, `key_value_stores`, `key_values`   key value stores: queries, control plane, data plane
`function_queries`, `functions`, `test_runs`        functions; TestFunction runs them with `function_runtime`
"""

from .backend import EmbeddedBackend
from .database import EmbeddedDatabaseError, create_default_folder, default_path

__all__ = ["EmbeddedBackend", "EmbeddedDatabaseError", "create_default_folder", "default_path"]
