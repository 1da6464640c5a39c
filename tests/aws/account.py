"""A real AWS account: what the tests read there with plain boto3, and how they leave it as they found it."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from botocore.exceptions import ClientError

PATIENCE_SECONDS: Final = 300.0
"""How long something may take that takes seconds as a rule."""

_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 5.0
_MISSING: Final = ("NoSuchFunctionExists", "EntityNotFound", "NoSuchResource")

_Seen = TypeVar("_Seen")


def until(look: Callable[[], _Seen], is_it: Callable[[_Seen], bool], patience: float = PATIENCE_SECONDS) -> _Seen:
    """Looks again and again until what is seen is it.

    Raises:
        TimeoutError: it is not in `patience` seconds; the text says what was seen last.
    """
    ends = time.monotonic() + patience
    pause = _FIRST_PAUSE
    while not is_it(seen := look()):
        if time.monotonic() > ends:
            raise TimeoutError(f"after {patience} s still {seen!r}")
        # AWS tells nobody when something has changed there.
        time.sleep(pause)
        pause = min(1.5 * pause, _LONGEST_PAUSE)
    return seen


@dataclass
class Account:
    """What this run has in the account: all its names begin with a prefix that no other run has.

    Attributes:
        client: plain boto3, for reads and deletions.
        prefix: the beginning of every name.
        made: the names of what was created and not deleted yet, though it may not show yet.
        gone: the names of what was deleted, though it may still be listed.
    """

    client: Any
    prefix: str = field(default_factory=lambda: f"cff-test-{secrets.token_hex(4)}-")
    made: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def name(self, what: str) -> str:
        """Gives a name of its own to a function or a store."""
        return f"{self.prefix}{next(self._numbers)}-{what}"

    def tags(self, arn: str) -> list[dict[str, str]]:
        """Reads the tags of a resource, in the order of their keys; none where it does not show yet."""
        found = _found(self.client.list_tags_for_resource, Resource=arn)
        return sorted(found.get("Tags", {}).get("Items", ()), key=lambda item: str(item["Key"]))

    def function(self, name: str) -> Mapping[str, Any]:
        """Describes a function in its DEVELOPMENT stage, once it shows."""
        return until(lambda: _found(self.client.describe_function, Name=name, Stage="DEVELOPMENT"), bool)

    def store(self, name: str) -> Mapping[str, Any]:
        """Describes a store, once it shows."""
        return until(lambda: _found(self.client.describe_key_value_store, Name=name), bool)

    def delete_function(self, name: str) -> list[str]:
        """Deletes a function, if it was made, and gives the codes of the refusals on the way."""
        return self._delete(self.function, self.client.delete_function, name)

    def delete_store(self, name: str) -> list[str]:
        """Deletes a store, if it was made, and gives the codes of the refusals on the way."""
        return self._delete(self.store, self.client.delete_key_value_store, name)

    def sweep(self) -> None:
        """Deletes all that begins with the prefix: functions first, for a store that one of them uses must stay."""
        functions, stores = self.functions(), self.stores()
        self.made.update({*functions, *stores} - self.gone)
        for name in functions:
            self.delete_function(name)
        for name in stores:
            self.delete_store(name)

    def functions(self) -> list[str]:
        """Lists the names of this run's functions."""
        pages = self._pages(lambda page: self.client.list_functions(Stage="DEVELOPMENT", **page)["FunctionList"])
        return [name for name in pages if name.startswith(self.prefix)]

    def stores(self) -> list[str]:
        """Lists the names of this run's stores."""
        pages = self._pages(lambda page: self.client.list_key_value_stores(**page)["KeyValueStoreList"])
        return [name for name in pages if name.startswith(self.prefix)]

    def _pages(self, read: Callable[[Mapping[str, str]], Mapping[str, Any]]) -> list[str]:
        names: list[str] = []
        page: dict[str, str] = {}
        while True:
            found = read(page)
            names += [item["Name"] for item in found.get("Items", ())]
            if not (marker := found.get("NextMarker")):
                return names
            page = {"Marker": marker}

    def _delete(self, find: Callable[[str], Mapping[str, Any]], delete: Callable[..., object], name: str) -> list[str]:
        refusals: list[str] = []

        def is_gone() -> bool:
            try:
                delete(Name=name, IfMatch=find(name)["ETag"])
            except ClientError as error:
                # In use, still PROVISIONING, changed in between: all of it passes.
                refusals.append(error.response["Error"]["Code"])
                return refusals[-1] in _MISSING
            return True

        if name in self.made:
            until(is_gone, bool)
            self.made.discard(name)
            self.gone.add(name)
        return refusals


def _found(read: Callable[..., Mapping[str, Any]], **arguments: str) -> Mapping[str, Any]:
    """Reads what may not be there; nothing where it is not."""
    try:
        return read(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _MISSING:
            raise
    return {}
