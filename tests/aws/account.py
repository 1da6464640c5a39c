"""A real AWS account: reads with plain boto3, and deletes everything that the tests create."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from botocore.exceptions import ClientError

TIMEOUT_SECONDS: Final = 300.0
"""The limit for changes that usually take seconds."""

_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 5.0
_MISSING: Final = ("NoSuchFunctionExists", "EntityNotFound", "NoSuchResource")

_Value = TypeVar("_Value")


def poll_until(
    read: Callable[[], _Value], condition: Callable[[_Value], bool], timeout: float = TIMEOUT_SECONDS
) -> _Value:
    """Reads with increasing pauses until a condition is true for the value, and returns the value.

    Raises:
        TimeoutError: The condition is not true after `timeout` seconds; the message has the last value.
    """
    deadline = time.monotonic() + timeout
    pause = _FIRST_PAUSE
    while not condition(value := read()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {timeout} s still {value!r}")
        # AWS has no notification for these changes.
        time.sleep(pause)
        pause = min(1.5 * pause, _LONGEST_PAUSE)
    return value


@dataclass
class Account:
    """The resources of this run in the account. All their names have a prefix that is unique to the run.

    Attributes:
        client: Plain boto3 for reads and deletions.
        prefix: The beginning of every name.
        created: The names of resources that exist, even if they are not visible yet.
        deleted: The names of deleted resources, even if they are still listed.
    """

    client: Any
    prefix: str = field(default_factory=lambda: f"cff-test-{secrets.token_hex(4)}-")
    created: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def name(self, suffix: str) -> str:
        """Returns a unique name for a function or a store."""
        return f"{self.prefix}{next(self._numbers)}-{suffix}"

    def tags(self, arn: str) -> list[dict[str, str]]:
        """Returns the tags of a resource sorted by key; an empty list if the resource is not visible yet."""
        response = _read_or_empty(self.client.list_tags_for_resource, Resource=arn)
        return sorted(response.get("Tags", {}).get("Items", ()), key=lambda item: str(item["Key"]))

    def function(self, name: str) -> Mapping[str, Any]:
        """Describes a function in its DEVELOPMENT stage when it is visible."""
        return poll_until(lambda: _read_or_empty(self.client.describe_function, Name=name, Stage="DEVELOPMENT"), bool)

    def store(self, name: str) -> Mapping[str, Any]:
        """Describes a store when it is visible."""
        return poll_until(lambda: _read_or_empty(self.client.describe_key_value_store, Name=name), bool)

    def delete_function(self, name: str) -> list[str]:
        """Deletes a function if it was created; returns the codes of the errors that were retried."""
        return self._delete(self.function, self.client.delete_function, name)

    def delete_store(self, name: str) -> list[str]:
        """Deletes a store if it was created; returns the codes of the errors that were retried."""
        return self._delete(self.store, self.client.delete_key_value_store, name)

    def sweep(self) -> None:
        """Deletes everything with the prefix: functions first, because a store in use cannot be deleted."""
        functions, stores = self.functions(), self.stores()
        self.created.update({*functions, *stores} - self.deleted)
        for name in functions:
            self.delete_function(name)
        for name in stores:
            self.delete_store(name)

    def functions(self) -> list[str]:
        """Returns the names of this run's functions."""
        pages = self._pages(lambda page: self.client.list_functions(Stage="DEVELOPMENT", **page)["FunctionList"])
        return [name for name in pages if name.startswith(self.prefix)]

    def stores(self) -> list[str]:
        """Returns the names of this run's stores."""
        pages = self._pages(lambda page: self.client.list_key_value_stores(**page)["KeyValueStoreList"])
        return [name for name in pages if name.startswith(self.prefix)]

    def _pages(self, read: Callable[[Mapping[str, str]], Mapping[str, Any]]) -> list[str]:
        names: list[str] = []
        page: dict[str, str] = {}
        while True:
            response = read(page)
            names += [item["Name"] for item in response.get("Items", ())]
            if not (marker := response.get("NextMarker")):
                return names
            page = {"Marker": marker}

    def _delete(self, find: Callable[[str], Mapping[str, Any]], delete: Callable[..., object], name: str) -> list[str]:
        errors: list[str] = []

        def is_deleted() -> bool:
            try:
                delete(Name=name, IfMatch=find(name)["ETag"])
            except ClientError as error:
                # Retry if it is in use, still PROVISIONING, or was changed in between.
                errors.append(error.response["Error"]["Code"])
                return errors[-1] in _MISSING
            return True

        if name in self.created:
            poll_until(is_deleted, bool)
            self.created.discard(name)
            self.deleted.add(name)
        return errors


def _read_or_empty(read: Callable[..., Mapping[str, Any]], **arguments: str) -> Mapping[str, Any]:
    """Reads a resource; returns an empty response if it does not exist."""
    try:
        return read(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _MISSING:
            raise
    return {}
