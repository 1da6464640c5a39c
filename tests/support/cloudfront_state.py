"""A small CloudFront in memory: what stands behind the HTTP double while nothing is scripted.

It is not the embedded backend, and shares no code with it: tests compare the two.
"""

from __future__ import annotations

import secrets
import string
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from botocore import xform_name

from .cloudfront_wire import refusal

ACCOUNT: Final = "123456789012"
_PAGE: Final = 100
_URL: Final = "https://cloudfront.amazonaws.com/2020-05-31"


def utc_now() -> datetime:
    """Gives the time of this machine's clock."""
    return datetime.now(UTC)


@dataclass
class StoredFunction:
    """A function in its DEVELOPMENT stage."""

    name: str
    config: Mapping[str, Any]
    code: bytes
    created: datetime
    etag: str
    born: float = field(default_factory=time.monotonic)

    @property
    def arn(self) -> str:
        """The function's ARN."""
        return f"arn:aws:cloudfront::{ACCOUNT}:function/{self.name}"

    def summary(self) -> dict[str, Any]:
        """Gives the function as boto3 shows it."""
        times = {"CreatedTime": self.created, "LastModifiedTime": self.created}
        metadata = {"FunctionARN": self.arn, "Stage": "DEVELOPMENT", **times}
        return {
            "Name": self.name,
            "Status": "UNPUBLISHED",
            "FunctionConfig": self.config,
            "FunctionMetadata": metadata,
        }


@dataclass
class StoredStore:
    """A key value store."""

    name: str
    comment: str | None
    created: datetime
    etag: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    born: float = field(default_factory=time.monotonic)

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
            "LastModifiedTime": self.created,
        }


class InMemoryCloudFront:
    """Functions, stores and their tags, in dicts.

    Attributes:
        functions: the functions by name.
        stores: the stores by name.
        tags: the tags of each ARN, as they were sent.
        clock: gives the time for what is created, and for the header Date.
        describe_lag: seconds until a new resource shows in Describe and Get.
        tags_lag: seconds until a new resource shows its tags.
        provisioning_seconds: seconds until a new store is READY.
    """

    def __init__(self) -> None:
        self.functions: dict[str, StoredFunction] = {}
        self.stores: dict[str, StoredStore] = {}
        self.tags: dict[str, list[Mapping[str, str]]] = {}
        self.clock: Callable[[], datetime] = utc_now
        self.describe_lag = 0.0
        self.tags_lag = 0.0
        self.provisioning_seconds = 0.0
        self._state_lock = threading.Lock()

    def apply(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Runs an operation with boto3's arguments.

        Raises:
            ClientError: CloudFront would refuse it so.
        """
        method = getattr(self, f"_{xform_name(operation)}", None)
        if method is None:
            raise refusal("UnsupportedOperation", 400, f"this double does not know {operation}", operation)
        with self._state_lock:
            response: dict[str, Any] = method(arguments)
        return response

    def _create_function(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        name, config = sent["Name"], sent["FunctionConfig"]
        if name in self.functions:
            raise refusal("FunctionAlreadyExists", 409, f"a function named {name} exists")
        for association in config.get("KeyValueStoreAssociations", {}).get("Items", ()):
            self._check_ready(association["KeyValueStoreARN"])
        function = StoredFunction(name, config, sent["FunctionCode"], self.clock(), _etag())
        self.functions[name] = function
        self.tags[function.arn] = sent.get("Tags", {}).get("Items", [])
        return {"FunctionSummary": function.summary(), "ETag": function.etag, "Location": f"{_URL}/function/{name}"}

    def _check_ready(self, arn: str) -> None:
        store = next((store for store in self.stores.values() if store.arn == arn), None)
        if store is None or self._status(store) != "READY":
            raise refusal("InvalidArgument", 400, "the key value store does not exist or is not ready")

    def _describe_function(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        function = self._function(sent)
        return {"FunctionSummary": function.summary(), "ETag": function.etag}

    def _get_function(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        function = self._function(sent)
        return {"FunctionCode": function.code, "ETag": function.etag, "ContentType": "application/octet-stream"}

    def _function(self, sent: Mapping[str, Any]) -> StoredFunction:
        function = self.functions.get(sent["Name"])
        is_published = sent.get("Stage") == "LIVE"
        if function is None or is_published or not _is_past(function.born, self.describe_lag):
            raise refusal("NoSuchFunctionExists", 404, f"no function named {sent['Name']} exists")
        return function

    def _create_key_value_store(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        name = sent["Name"]
        if name in self.stores:
            raise refusal("EntityAlreadyExists", 409, f"a key value store named {name} exists")
        store = StoredStore(name, sent.get("Comment"), self.clock(), _etag())
        self.stores[name] = store
        self.tags[store.arn] = sent.get("Tags", {}).get("Items", [])
        shown = store.shown("PROVISIONING")
        return {"KeyValueStore": shown, "ETag": store.etag, "Location": f"{_URL}/key-value-store/{name}"}

    def _describe_key_value_store(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        store = self.stores.get(sent["Name"])
        if store is None or not _is_past(store.born, self.describe_lag):
            raise refusal("EntityNotFound", 404, f"no key value store named {sent['Name']} exists")
        return {"KeyValueStore": store.shown(self._status(store)), "ETag": store.etag}

    def _list_key_value_stores(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        size = int(sent.get("MaxItems", _PAGE))
        following = [self.stores[name] for name in sorted(self.stores) if name > sent.get("Marker", "")]
        matching = [store for store in following if sent.get("Status") in (None, self._status(store))]
        page = matching[:size]
        items = [store.shown(self._status(store)) for store in page]
        more = {"NextMarker": page[-1].name} if len(matching) > len(page) else {}
        return {"KeyValueStoreList": {**more, "MaxItems": size, "Quantity": len(page), "Items": items}}

    def _list_tags_for_resource(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        resources: list[StoredFunction | StoredStore] = [*self.functions.values(), *self.stores.values()]
        resource = next((resource for resource in resources if resource.arn == sent["Resource"]), None)
        if resource is None:
            raise refusal("NoSuchResource", 404, "the resource does not exist")
        return {"Tags": {"Items": self.tags[resource.arn] if _is_past(resource.born, self.tags_lag) else []}}

    def _status(self, store: StoredStore) -> str:
        return "READY" if _is_past(store.born, self.provisioning_seconds) else "PROVISIONING"


def _is_past(born: float, seconds: float) -> bool:
    return time.monotonic() - born >= seconds


def _etag() -> str:
    return "E" + "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(13))
