"""The key value stores of the small CloudFront in memory: their control plane and their data plane."""

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

from .wire import refusal

ACCOUNT: Final = "123456789012"
URL: Final = "https://cloudfront.amazonaws.com/2020-05-31"
_PAGE: Final = 100
_KEYS_PAGE: Final = 10
_KEYS_MAX: Final = 50
_KEY_BYTES: Final = 512
_VALUE_BYTES: Final = 1024

Tag = Mapping[str, str]


def utc_now() -> datetime:
    """Gives the time of this machine's clock."""
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
        """Gives the store as boto3 shows it."""
        return {
            "Name": self.name,
            "Id": self.id,
            **({} if self.comment is None else {"Comment": self.comment}),
            "ARN": self.arn,
            "Status": status,
            "LastModifiedTime": self.modified or self.created,
        }

    def sizes(self) -> dict[str, int]:
        """Gives the members of every answer of the data plane."""
        return {"ItemCount": len(self.items), "TotalSizeInBytes": sum(map(_bytes, [*self.items, *self.items.values()]))}


class InMemoryStores:
    """Stores and the tags of everything, in dicts.

    Attributes:
        stores: the stores by name.
        tags: the tags of each ARN, as they were sent.
        clock: gives the time for what is created, and for the header Date.
        describe_lag: seconds until a new resource shows in Describe and Get.
        provisioning_seconds: seconds until a new store is READY.
        store_quota: how many stores there may be; None for any number.
        store_bytes: how much the keys and values of a store may have.
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
        """Tells whether a function is associated with a store."""
        raise NotImplementedError

    def _create_key_value_store(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        name, tags = sent["Name"], checked_tags(sent)
        if name in self.stores:
            raise refusal("EntityAlreadyExists", 409, f"a key value store named {name} exists")
        if self.store_quota is not None and len(self.stores) >= self.store_quota:
            raise refusal("EntityLimitExceeded", 400, "there are as many key value stores as may be")
        store = StoredStore(name, sent.get("Comment"), self.clock(), new_etag())
        self.stores[name] = store
        self.tags[store.arn] = tags
        shown = store.shown("PROVISIONING")
        return {"KeyValueStore": shown, "ETag": store.etag, "Location": f"{URL}/key-value-store/{name}"}

    def _describe_key_value_store(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        store = self._store(sent)
        return {"KeyValueStore": store.shown(self._status(store)), "ETag": store.etag}

    def _update_key_value_store(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        store = self._store(sent)
        check_version(sent, store.etag)
        store.comment, store.etag, store.modified = sent["Comment"], new_etag(), self.clock()
        return {"KeyValueStore": store.shown(self._status(store)), "ETag": store.etag}

    def _delete_key_value_store(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        store = self._store(sent)
        check_version(sent, store.etag)
        if self.is_used(store.arn):
            raise refusal("CannotDeleteEntityWhileInUse", 409, "a function is associated with the store")
        del self.stores[store.name]
        self.tags.pop(store.arn, None)
        return {}

    def _list_key_value_stores(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        rows = {
            name: store.shown(self._status(store))
            for name, store in self.stores.items()
            if sent.get("Status") in (None, self._status(store))
        }
        return {"KeyValueStoreList": page(rows, sent)}

    def _describe_key_value_store_data(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        store = self._store_of_arn(sent)
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

    def _get_key(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        store = self._ready_store(sent)
        return {"Key": sent["Key"], "Value": _value(store, sent["Key"]), **store.sizes()}

    def _list_keys(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        store = self._ready_store(sent)
        size, token = sent.get("MaxResults", _KEYS_PAGE), sent.get("NextToken", "after:")
        if not 1 <= size <= _KEYS_MAX or not token.startswith("after:"):
            raise refusal("ValidationException", 400, "MaxResults or NextToken makes no sense")
        following = sorted(key for key in store.items if key > token.removeprefix("after:"))
        items = [{"Key": key, "Value": store.items[key]} for key in following[:size]]
        return {"Items": items, **({"NextToken": f"after:{following[size - 1]}"} if len(following) > size else {})}

    def _put_key(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        return self._change(sent, [sent], [])

    def _delete_key(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        _value(self._ready_store(sent), sent["Key"])
        return self._change(sent, [], [sent])

    def _update_keys(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        puts, deletes = sent.get("Puts", []), sent.get("Deletes", [])
        keys = [change["Key"] for change in (*puts, *deletes)]
        if not 1 <= len(keys) <= _KEYS_MAX or len(set(keys)) < len(keys):
            raise refusal("ValidationException", 400, "there are no keys, too many, or some of them twice")
        return self._change(sent, puts, deletes)

    def _change(
        self, sent: Mapping[str, Any], puts: Sequence[Mapping[str, str]], deletes: Sequence[Mapping[str, str]]
    ) -> dict[str, Any]:
        store = self._ready_store(sent)
        check_data_version(sent, store.data_etag)
        for change in (*puts, *deletes):
            if not 1 <= _bytes(change["Key"]) <= _KEY_BYTES or _bytes(change.get("Value", "")) > _VALUE_BYTES:
                raise refusal("ValidationException", 400, "a key or a value is too long")
        gone = {change["Key"] for change in deletes}
        kept = {key: value for key, value in store.items.items() if key not in gone}
        items = kept | {put["Key"]: put["Value"] for put in puts}
        if sum(map(_bytes, [*items, *items.values()])) > self.store_bytes:
            raise refusal("ServiceQuotaExceededException", 402, "the store is full")
        store.items, store.data_etag, store.data_modified = items, new_etag("KV"), self.clock()
        return {**store.sizes(), "ETag": store.data_etag}

    def _store(self, sent: Mapping[str, Any]) -> StoredStore:
        store = self.stores.get(sent["Name"])
        if store is None or not is_past(store.born, self.describe_lag):
            raise refusal("EntityNotFound", 404, f"no key value store named {sent['Name']} exists")
        return store

    def _store_of_arn(self, sent: Mapping[str, Any]) -> StoredStore:
        for store in self.stores.values():
            if store.arn == sent["KvsARN"]:
                return store
        raise refusal("ResourceNotFoundException", 404, "no key value store has this ARN")

    def _ready_store(self, sent: Mapping[str, Any]) -> StoredStore:
        store = self._store_of_arn(sent)
        if self._status(store) != "READY":
            raise refusal("ConflictException", 409, "the key value store is not READY")
        return store

    def _status(self, store: StoredStore) -> str:
        return "READY" if is_past(store.born, self.provisioning_seconds) else "PROVISIONING"


def page(rows: Mapping[str, Mapping[str, Any]], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Gives a page of a list of the control plane, in the order of its markers; refuses where MaxItems is no number."""
    text = sent.get("MaxItems", str(_PAGE))
    if not re.fullmatch("[1-9][0-9]{0,8}", text):
        raise refusal("InvalidArgument", 400, "MaxItems is no number")
    size = min(int(text), _PAGE)
    following = sorted(marker for marker in rows if marker > sent.get("Marker", ""))
    items = [rows[marker] for marker in following[:size]]
    more = {"NextMarker": following[size - 1]} if len(following) > size else {}
    return {**more, "MaxItems": size, "Quantity": len(items), "Items": items}


def checked_tags(sent: Mapping[str, Any], there: Iterable[Tag] = ()) -> list[Tag]:
    """Gives the tags that there are and those of a request in their places; refuses what is no set of tags."""
    given = sent.get("Tags", {}).get("Items", [])
    keys = [tag["Key"] for tag in given]
    tags = {tag["Key"]: tag for tag in (*there, *given)}
    if len(set(keys)) < len(keys) or any(key.lower().startswith("aws:") for key in keys) or len(tags) > 50:
        raise refusal("InvalidTagging", 400, "a tag is reserved, or there are two of a key, or there are too many")
    return list(tags.values())


def check_version(sent: Mapping[str, Any], etag: str) -> None:
    """Refuses a change of another version than this."""
    if not re.fullmatch("E[A-Z0-9]{1,13}", sent.get("IfMatch", "")):
        raise refusal("InvalidIfMatchVersion", 400, "If-Match is missing or no version")
    if sent["IfMatch"] != etag:
        raise refusal("PreconditionFailed", 412, "If-Match is another version")


def check_data_version(sent: Mapping[str, Any], etag: str) -> None:
    """Refuses a change of another version of a store's content than this."""
    if not re.fullmatch("(KV|E)[A-Z0-9]{1,13}", sent.get("IfMatch", "")):
        raise refusal("ValidationException", 400, "If-Match is missing or no version")
    if sent["IfMatch"] != etag:
        raise refusal("ConflictException", 409, "If-Match is another version")


def is_past(born: float, seconds: float) -> bool:
    """Tells whether something is so old."""
    return time.monotonic() - born >= seconds


def new_etag(prefix: str = "E") -> str:
    """Makes a version, in CloudFront's look."""
    return prefix + "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(13))


def _value(store: StoredStore, key: str) -> str:
    if key not in store.items:
        raise refusal("ResourceNotFoundException", 404, "there is no such key")
    return store.items[key]


def _bytes(text: str) -> int:
    return len(text.encode())
