"""The tables of the embedded backend. Times are milliseconds since 1970.

A resource is what has an ARN and tags. Deleting its row deletes all that belongs to it; a store that a function is
associated with cannot be deleted, for `function_stages` refers to it.
"""

APPLICATION_ID = 0x43_46_46_44
"""SQLite's application_id of these files, "CFFD": it tells them from other programs' databases."""

VERSION = 1
"""SQLite's user_version of these tables. Goes up with every change of them."""

STATEMENTS = (
    """
    CREATE TABLE resources (
        arn TEXT PRIMARY KEY
    ) WITHOUT ROWID
    """,
    # A NULL value is an absent one. The rowid keeps the tags in the order in which they were given.
    """
    CREATE TABLE tags (
        arn TEXT NOT NULL REFERENCES resources ON DELETE CASCADE,
        key TEXT NOT NULL,
        value TEXT,
        PRIMARY KEY (arn, key)
    )
    """,
    # A NULL ready_time is never reached: the import failed. The control and the data plane have each their ETag.
    """
    CREATE TABLE key_value_stores (
        arn TEXT PRIMARY KEY REFERENCES resources ON DELETE CASCADE,
        name TEXT NOT NULL UNIQUE,
        comment TEXT,
        etag TEXT NOT NULL,
        created_time INTEGER NOT NULL,
        last_modified_time INTEGER NOT NULL,
        ready_time INTEGER,
        failure_reason TEXT,
        data_etag TEXT NOT NULL,
        data_last_modified_time INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE key_values (
        arn TEXT NOT NULL REFERENCES key_value_stores ON DELETE CASCADE,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (arn, key)
    ) WITHOUT ROWID
    """,
    # Both stages of a function are rows; every function has one in DEVELOPMENT.
    """
    CREATE TABLE function_stages (
        name TEXT NOT NULL,
        stage TEXT NOT NULL CHECK (stage IN ('DEVELOPMENT', 'LIVE')),
        arn TEXT NOT NULL REFERENCES resources ON DELETE CASCADE,
        comment TEXT NOT NULL,
        runtime TEXT NOT NULL,
        key_value_store_arn TEXT REFERENCES key_value_stores,
        code BLOB NOT NULL,
        etag TEXT NOT NULL,
        created_time INTEGER NOT NULL,
        last_modified_time INTEGER NOT NULL,
        PRIMARY KEY (name, stage)
    )
    """,
)
