"""A key value store in the embedded backend, for tests of its data plane."""

from __future__ import annotations

from typing import Any

from cloudfront_facade_server.backends.embedded import EmbeddedBackend


class Store:
    """A store whose methods write with its current etag."""

    def __init__(self, backend: EmbeddedBackend, name: str = "s", **arguments: Any) -> None:
        self.backend = backend
        self.arn: str = backend.create_key_value_store(Name=name, **arguments)["KeyValueStore"]["ARN"]

    def describe(self) -> dict[str, Any]:
        response = dict(self.backend.describe_key_value_store_data(KvsARN=self.arn))
        del response["ResponseMetadata"]
        return response

    def content(self) -> dict[str, str]:
        items = self.backend.list_keys(KvsARN=self.arn, MaxResults=50)["Items"]
        return {item["Key"]: item["Value"] for item in items}

    def put(self, key: str, value: str) -> Any:
        return self.backend.put_key(KvsARN=self.arn, Key=key, Value=value, IfMatch=self.describe()["ETag"])

    def delete(self, key: str) -> Any:
        return self.backend.delete_key(KvsARN=self.arn, Key=key, IfMatch=self.describe()["ETag"])

    def update(self, puts: dict[str, str] | None = None, deletes: tuple[str, ...] = ()) -> Any:
        changes = {
            "Puts": [{"Key": key, "Value": value} for key, value in (puts or {}).items()],
            "Deletes": [{"Key": key} for key in deletes],
        }
        changes = {name: items for name, items in changes.items() if items}
        return self.backend.update_keys(KvsARN=self.arn, IfMatch=self.describe()["ETag"], **changes)
