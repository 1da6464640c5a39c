"""The tables of the embedded backend. Times are milliseconds since 1970.

A resource is a function or a store, which has an ARN and tags. Deleting its row also deletes all rows that belong to
it. A store that is associated with a function cannot be deleted, because `function_stages` refers to it.
"""

APPLICATION_ID = 0x43_46_46_44
"""SQLite's `application_id` of these files, "CFFD". It distinguishes them from other programs' databases."""

VERSION = 1
"""SQLite's `user_version` of these tables. Every change to the tables increases it."""

STATEMENTS = (
    """
    CREATE TABLE resources (
        arn TEXT PRIMARY KEY
    ) WITHOUT ROWID
    """,
    # A NULL value is a tag without a value. The rowid keeps the order in which the tags were added.
    """
    CREATE TABLE tags (
        arn TEXT NOT NULL REFERENCES resources ON DELETE CASCADE,
        key TEXT NOT NULL,
        value TEXT,
        PRIMARY KEY (arn, key)
    )
    """,
    # ready_time is NULL if the import failed: the store never becomes READY. Each plane has its own ETag.
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
    # Each stage of a function is a row; every function has a row for DEVELOPMENT.
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
