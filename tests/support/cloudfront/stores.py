"""The key value stores of the minimal CloudFront in memory: control plane and data plane."""

from __future__ import annotations

import re
import secrets
import string
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from .wire import client_error

ACCOUNT: Final = "123456789012"
URL: Final = "https://cloudfront.amazonaws.com/2020-05-31"
_PAGE: Final = 100
_KEYS_PAGE: Final = 10
_KEYS_MAX: Final = 50
_KEY_BYTES: Final = 512
_VALUE_BYTES: Final = 1024

OUTDATED: Final = "Pre-Condition failed during update of Key-Value-Store"
"""The message with which CloudFront's data plane rejects an outdated etag."""

Tag = Mapping[str, str]


def utc_now() -> datetime:
    """Returns the current time."""
    return datetime.now(UTC)


@dataclass
class StoredStore:
    """A key value store."""

    name: str
    comment: str | None
    created: datetime
    etag: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    born: float = field(default_factory=time.monotonic)
    modified: datetime | None = None
    items: dict[str, str] = field(default_factory=dict)
    data_etag: str = field(default_factory=lambda: new_etag("KV"))
    data_modified: datetime | None = None
    failure: str | None = None

    @property
    def arn(self) -> str:
        """The store's ARN."""
        return f"arn:aws:cloudfront::{ACCOUNT}:key-value-store/{self.id}"

    def shown(self, status: str) -> dict[str, Any]:
        """Returns the store as boto3 does."""
        return {
            "Name": self.name,
            "Id": self.id,
            **({} if self.comment is None else {"Comment": self.comment}),
            "ARN": self.arn,
            "Status": status,
            "LastModifiedTime": self.modified or self.created,
        }

    def sizes(self) -> dict[str, int]:
        """Returns the members that all responses of the data plane have."""
        return {"ItemCount": len(self.items), "TotalSizeInBytes": sum(map(_bytes, [*self.items, *self.items.values()]))}


class InMemoryStores:
    """Stores, and the tags of all resources, in dicts.

    Attributes:
        stores: The stores by name.
        tags: The tags of each ARN, in the format of the request.
        clock: Returns the time for new resources and for the header Date.
        describe_lag: Seconds until a new resource is visible to Describe and Get.
        provisioning_seconds: Seconds until a new store is READY.
        store_quota: The maximum number of stores; None for no limit.
        store_bytes: The maximum size of all keys and values of a store.
    """

    def __init__(self) -> None:
        self.stores: dict[str, StoredStore] = {}
        self.tags: dict[str, list[Tag]] = {}
        self.clock: Callable[[], datetime] = utc_now
        self.describe_lag = 0.0
        self.provisioning_seconds = 0.0
        self.store_quota: int | None = None
        self.store_bytes = 5_000_000

    def is_used(self, arn: str) -> bool:
        """Returns whether a function is associated with a store."""
        raise NotImplementedError

    def _create_key_value_store(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        name, tags = arguments["Name"], checked_tags(arguments)
        if name in self.stores:
            raise client_error("EntityAlreadyExists", 409, f"a key value store named {name} exists")
        if self.store_quota is not None and len(self.stores) >= self.store_quota:
            raise client_error("EntityLimitExceeded", 400, "the quota of key value stores is exhausted")
        store = StoredStore(name, arguments.get("Comment"), self.clock(), new_etag())
        self.stores[name] = store
        self.tags[store.arn] = tags
        shown = store.shown("PROVISIONING")
        return {"KeyValueStore": shown, "ETag": store.etag, "Location": f"{URL}/key-value-store/{name}"}

    def _describe_key_value_store(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        store = self._store(arguments)
        return {"KeyValueStore": store.shown(self._status(store)), "ETag": store.etag}

    def _update_key_value_store(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        store = self._store(arguments)
        check_version(arguments, store.etag)
        store.comment, store.etag, store.modified = arguments["Comment"], new_etag(), self.clock()
        return {"KeyValueStore": store.shown(self._status(store)), "ETag": store.etag}

    def _delete_key_value_store(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        store = self._store(arguments)
        check_version(arguments, store.etag)
        if self.is_used(store.arn):
            raise client_error("CannotDeleteEntityWhileInUse", 409, "a function is associated with the store")
        del self.stores[store.name]
        self.tags.pop(store.arn, None)
        return {}

    def _list_key_value_stores(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        rows = {
            name: store.shown(self._status(store))
            for name, store in self.stores.items()
            if arguments.get("Status") in (None, self._status(store))
        }
        return {"KeyValueStoreList": page(rows, arguments)}

    def _describe_key_value_store_data(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        store = self._store_of_arn(arguments)
        failure = {} if store.failure is None else {"FailureReason": store.failure}
        return {
            **store.sizes(),
            "KvsARN": store.arn,
            "Created": store.created,
            "ETag": store.data_etag,
            "LastModified": store.data_modified or store.created,
            "Status": "FAILED" if failure else self._status(store),
            **failure,
        }

    def _get_key(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        store = self._ready_store(arguments)
        return {"Key": arguments["Key"], "Value": _value(store, arguments["Key"]), **store.sizes()}

    def _list_keys(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        store = self._ready_store(arguments)
        size, token = arguments.get("MaxResults", _KEYS_PAGE), arguments.get("NextToken", "after:")
        if not 1 <= size <= _KEYS_MAX or not token.startswith("after:"):
            raise client_error("ValidationException", 400, "MaxResults or NextToken is invalid")
        following = sorted(key for key in store.items if key > token.removeprefix("after:"))
        items = [{"Key": key, "Value": store.items[key]} for key in following[:size]]
        return {"Items": items, **({"NextToken": f"after:{following[size - 1]}"} if len(following) > size else {})}

    def _put_key(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return self._change(arguments, [arguments], [])

    def _delete_key(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        _value(self._ready_store(arguments), arguments["Key"])
        return self._change(arguments, [], [arguments])

    def _update_keys(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        puts, deletes = arguments.get("Puts", []), arguments.get("Deletes", [])
        keys = [change["Key"] for change in (*puts, *deletes)]
        if not 1 <= len(keys) <= _KEYS_MAX or len(set(keys)) < len(keys):
            raise client_error("ValidationException", 400, "there are no keys, too many keys, or duplicate keys")
        return self._change(arguments, puts, deletes)

    def _change(
        self, arguments: Mapping[str, Any], puts: Sequence[Mapping[str, str]], deletes: Sequence[Mapping[str, str]]
    ) -> dict[str, Any]:
        store = self._ready_store(arguments)
        check_data_version(arguments, store.data_etag)
        for change in (*puts, *deletes):
            if not 1 <= _bytes(change["Key"]) <= _KEY_BYTES or _bytes(change.get("Value", "")) > _VALUE_BYTES:
                raise client_error("ValidationException", 400, "a key or a value is too long")
        deleted = {change["Key"] for change in deletes}
        kept = {key: value for key, value in store.items.items() if key not in deleted}
        items = kept | {put["Key"]: put["Value"] for put in puts}
        if sum(map(_bytes, [*items, *items.values()])) > self.store_bytes:
            raise client_error("ServiceQuotaExceededException", 402, "the store is full")
        # As measured on CloudFront: deletes of absent keys alone keep the version.
        if puts or deleted & store.items.keys():
            store.items, store.data_etag, store.data_modified = items, new_etag("KV"), self.clock()
        return {**store.sizes(), "ETag": store.data_etag}

    def _store(self, arguments: Mapping[str, Any]) -> StoredStore:
        store = self.stores.get(arguments["Name"])
        if store is None or not is_past(store.born, self.describe_lag):
            raise client_error("EntityNotFound", 404, f"no key value store named {arguments['Name']} exists")
        return store

    def _store_of_arn(self, arguments: Mapping[str, Any]) -> StoredStore:
        for store in self.stores.values():
            if store.arn == arguments["KvsARN"]:
                return store
        raise client_error("ResourceNotFoundException", 404, "no key value store has this ARN")

    def _ready_store(self, arguments: Mapping[str, Any]) -> StoredStore:
        store = self._store_of_arn(arguments)
        if store.failure is not None or self._status(store) != "READY":
            raise client_error("ConflictException", 409, "the key value store is not READY")
        return store

    def _status(self, store: StoredStore) -> str:
        return "READY" if is_past(store.born, self.provisioning_seconds) else "PROVISIONING"


def page(rows: Mapping[str, Mapping[str, Any]], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a page of a list of the control plane, sorted by marker; MaxItems must be a number."""
    text = arguments.get("MaxItems", str(_PAGE))
    if not re.fullmatch("[1-9][0-9]{0,8}", text):
        raise client_error("InvalidArgument", 400, "MaxItems is not a number")
    size = min(int(text), _PAGE)
    following = sorted(marker for marker in rows if marker > arguments.get("Marker", ""))
    items = [rows[marker] for marker in following[:size]]
    more = {"NextMarker": following[size - 1]} if len(following) > size else {}
    return {**more, "MaxItems": size, "Quantity": len(items), "Items": items}


def checked_tags(arguments: Mapping[str, Any], existing: Iterable[Tag] = ()) -> list[Tag]:
    """Returns the existing tags updated with those of a request; raises ClientError if these are invalid."""
    new = arguments.get("Tags", {}).get("Items", [])
    keys = [tag["Key"] for tag in new]
    tags = {tag["Key"]: tag for tag in (*existing, *new)}
    if len(set(keys)) < len(keys) or any(key.lower().startswith("aws:") for key in keys) or len(tags) > 50:
        raise client_error("InvalidTagging", 400, "a tag key is reserved or not unique, or there are too many tags")
    return list(tags.values())


def check_version(arguments: Mapping[str, Any], etag: str) -> None:
    """Raises ClientError unless If-Match is this etag."""
    if not re.fullmatch("E[A-Z0-9]{1,13}", arguments.get("IfMatch", "")):
        raise client_error("InvalidIfMatchVersion", 400, "If-Match is missing or malformed")
    if arguments["IfMatch"] != etag:
        raise client_error("PreconditionFailed", 412, "If-Match is outdated")


def check_data_version(arguments: Mapping[str, Any], etag: str) -> None:
    """Raises ClientError unless If-Match is this etag of a store's data."""
    if not re.fullmatch("(KV|E)[A-Z0-9]{1,13}", arguments.get("IfMatch", "")):
        raise client_error("ValidationException", 400, "If-Match is missing or malformed")
    if arguments["IfMatch"] != etag:
        raise client_error("ValidationException", 400, OUTDATED)


def is_past(born: float, seconds: float) -> bool:
    """Returns whether this many seconds have passed since `born`."""
    return time.monotonic() - born >= seconds


def new_etag(prefix: str = "E") -> str:
    """Returns a new etag that looks like CloudFront's."""
    return prefix + "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(13))


def _value(store: StoredStore, key: str) -> str:
    if key not in store.items:
        raise client_error("ResourceNotFoundException", 404, "the key does not exist")
    return store.items[key]


def _bytes(text: str) -> int:
    return len(text.encode())
