"""A minimal CloudFront in memory, which handles the requests that are not scripted.

It does not share code with the embedded backend, because tests compare the two.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore import xform_name

from .stores import (
    ACCOUNT,
    URL,
    InMemoryStores,
    StoredStore,
    check_version,
    checked_tags,
    is_past,
    new_etag,
    page,
    utc_now,
)
from .wire import client_error

__all__ = ["ACCOUNT", "InMemoryCloudFront", "StoredFunction", "StoredStore", "distribution", "utc_now"]


@dataclass(frozen=True)
class Published:
    """A function in its LIVE stage."""

    config: Mapping[str, Any]
    code: bytes
    etag: str
    created: datetime
    modified: datetime


@dataclass
class StoredFunction:
    """A function in its DEVELOPMENT stage, and its published version."""

    name: str
    config: Mapping[str, Any]
    code: bytes
    created: datetime
    etag: str
    born: float = field(default_factory=time.monotonic)
    modified: datetime | None = None
    live: Published | None = None

    @property
    def arn(self) -> str:
        """The function's ARN."""
        return f"arn:aws:cloudfront::{ACCOUNT}:function/{self.name}"

    @property
    def stages(self) -> dict[str, Published]:
        """The existing stages."""
        current = Published(self.config, self.code, self.etag, self.created, self.modified or self.created)
        return {"DEVELOPMENT": current, **({"LIVE": self.live} if self.live else {})}

    def summary(self, stage: str = "DEVELOPMENT") -> dict[str, Any]:
        """Returns the summary of a stage as boto3 does."""
        shown = self.stages[stage]
        times = {"CreatedTime": shown.created, "LastModifiedTime": shown.modified}
        return {
            "Name": self.name,
            "Status": "UNASSOCIATED" if self.live else "UNPUBLISHED",
            "FunctionConfig": shown.config,
            "FunctionMetadata": {"FunctionARN": self.arn, "Stage": stage, **times},
        }


class InMemoryCloudFront(InMemoryStores):
    """Functions, stores and their tags, in dicts.

    Attributes:
        functions: The functions by name.
        distributions: The distributions by id; see `distribution`.
        tags_lag: Seconds until the tags of a new resource are visible.
        function_quota: The maximum number of functions; None for no limit.
        code_bytes: The maximum length of a function's code.
        test_result: The result of TestFunction without the FunctionSummary.
    """

    def __init__(self) -> None:
        super().__init__()
        self.functions: dict[str, StoredFunction] = {}
        self.distributions: dict[str, Mapping[str, Any]] = {}
        self.tags_lag = 0.0
        self.function_quota: int | None = None
        self.code_bytes = 40_960
        self.test_result: Mapping[str, Any] = {
            "ComputeUtilization": "10",
            "FunctionExecutionLogs": [],
            "FunctionErrorMessage": "",
            "FunctionOutput": "{}",
        }
        self._state_lock = threading.Lock()

    def forget(self) -> None:
        """Deletes everything and resets all attributes. No call may be in flight."""
        InMemoryCloudFront.__init__(self)

    def apply(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Runs an operation with boto3's arguments.

        Raises:
            ClientError: CloudFront would return this error.
        """
        method = getattr(self, f"_{xform_name(operation)}", None)
        if method is None:
            raise client_error("UnsupportedOperation", 400, f"this double does not support {operation}", operation)
        with self._state_lock:
            response: dict[str, Any] = method(arguments)
        return response

    def is_used(self, arn: str) -> bool:
        """Returns whether a stage of a function is associated with a store."""
        stages = (stage for function in self.functions.values() for stage in function.stages.values())
        return any(arn in _associated(stage.config) for stage in stages)

    def _create_function(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        name, config, tags = arguments["Name"], arguments["FunctionConfig"], checked_tags(arguments)
        if name in self.functions:
            raise client_error("FunctionAlreadyExists", 409, f"a function named {name} exists")
        self._check_code_and_config(arguments)
        if self.function_quota is not None and len(self.functions) >= self.function_quota:
            raise client_error("TooManyFunctions", 400, "the quota of functions is exhausted")
        function = StoredFunction(name, config, arguments["FunctionCode"], self.clock(), new_etag())
        self.functions[name] = function
        self.tags[function.arn] = tags
        return {"FunctionSummary": function.summary(), "ETag": function.etag, "Location": f"{URL}/function/{name}"}

    def _check_code_and_config(self, arguments: Mapping[str, Any]) -> None:
        if len(arguments["FunctionCode"]) > self.code_bytes:
            raise client_error("FunctionSizeLimitExceeded", 413, "the code is too long")
        config = arguments["FunctionConfig"]
        arns = _associated(config)
        if len(arns) != config.get("KeyValueStoreAssociations", {}).get("Quantity", 0) or len(arns) > 1:
            raise client_error("InvalidArgument", 400, "a function can have at most one key value store")
        if arns and config["Runtime"] != "cloudfront-js-2.0":
            raise client_error("InvalidArgument", 400, "a key value store needs the runtime cloudfront-js-2.0")
        for arn in arns:
            store = next((store for store in self.stores.values() if store.arn == arn), None)
            if store is None or store.failure is not None or self._status(store) != "READY":
                raise client_error("InvalidArgument", 400, "the key value store does not exist or is not ready")

    def _describe_function(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        function, stage = self._function(arguments), arguments.get("Stage", "DEVELOPMENT")
        return {"FunctionSummary": function.summary(stage), "ETag": function.stages[stage].etag}

    def _get_function(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        stage = self._function(arguments).stages[arguments.get("Stage", "DEVELOPMENT")]
        return {"FunctionCode": stage.code, "ETag": stage.etag, "ContentType": "application/octet-stream"}

    def _update_function(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        function = self._function(arguments)
        check_version(arguments, function.etag)
        self._check_code_and_config(arguments)
        function.config, function.code = arguments["FunctionConfig"], arguments["FunctionCode"]
        function.etag, function.modified = new_etag(), self.clock()
        return {"FunctionSummary": function.summary(), "ETag": function.etag}

    def _publish_function(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        function, now = self._function(arguments), self.clock()
        check_version(arguments, function.etag)
        created = function.live.created if function.live else now
        function.live = Published(function.config, function.code, new_etag(), created, now)
        return {"FunctionSummary": function.summary("LIVE")}

    def _test_function(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        stage = arguments.get("Stage", "DEVELOPMENT")
        function = self._function({"Stage": stage, **arguments})
        # TestFunction never returns PreconditionFailed.
        if arguments.get("IfMatch") != function.stages[stage].etag:
            raise client_error("InvalidIfMatchVersion", 400, "If-Match is malformed or outdated")
        try:
            json.loads(arguments["EventObject"])
        except ValueError:
            raise client_error("InvalidArgument", 400, "the event is not JSON") from None
        return {"TestResult": {"FunctionSummary": function.summary(stage), **self.test_result}}

    def _delete_function(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        function = self._function({"Name": arguments["Name"]})
        check_version(arguments, function.etag)
        if any(function.arn in str(shown) for shown in self.distributions.values()):
            raise client_error("FunctionInUse", 409, "a distribution uses the function")
        del self.functions[function.name]
        self.tags.pop(function.arn, None)
        return {}

    def _list_functions(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        rows = {
            f"{function.name}/{stage}": function.summary(stage)
            for function in self.functions.values()
            for stage in function.stages
            if arguments.get("Stage") in (None, stage)
        }
        return {"FunctionList": page(rows, arguments)}

    def _list_distributions(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        listed = page(self.distributions, arguments)
        pagination = {"Marker": arguments.get("Marker", ""), "IsTruncated": "NextMarker" in listed}
        return {"DistributionList": {**pagination, **listed}}

    def _function(self, arguments: Mapping[str, Any]) -> StoredFunction:
        function, stage = self.functions.get(arguments["Name"]), arguments.get("Stage", "DEVELOPMENT")
        if function is None or stage not in function.stages or not is_past(function.born, self.describe_lag):
            raise client_error("NoSuchFunctionExists", 404, f"no function named {arguments['Name']} exists")
        return function

    def _tag_resource(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        arn = self._resource(arguments).arn
        self.tags[arn] = checked_tags(arguments, self.tags.get(arn, []))
        return {}

    def _untag_resource(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        arn, keys = self._resource(arguments).arn, arguments["TagKeys"].get("Items", [])
        self.tags[arn] = [tag for tag in self.tags.get(arn, []) if tag["Key"] not in keys]
        return {}

    def _list_tags_for_resource(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        resource = self._resource(arguments)
        return {"Tags": {"Items": self.tags[resource.arn] if is_past(resource.born, self.tags_lag) else []}}

    def _resource(self, arguments: Mapping[str, Any]) -> StoredFunction | StoredStore:
        resources: list[StoredFunction | StoredStore] = [*self.functions.values(), *self.stores.values()]
        for resource in resources:
            if resource.arn == arguments["Resource"]:
                return resource
        raise client_error("NoSuchResource", 404, "the resource does not exist")


def distribution(identity: str, *function_arns: str) -> dict[str, Any]:
    """Returns a distribution whose default behavior uses these functions, for `distributions`."""
    items = [{"FunctionARN": arn, "EventType": "viewer-request"} for arn in function_arns]
    behavior = {
        "TargetOriginId": "origin",
        "ViewerProtocolPolicy": "https-only",
        "FunctionAssociations": {"Quantity": len(items), "Items": items},
    }
    return {
        "Id": identity,
        "ARN": f"arn:aws:cloudfront::{ACCOUNT}:distribution/{identity}",
        "Status": "Deployed",
        "DomainName": f"{identity.lower()}.cloudfront.net",
        "DefaultCacheBehavior": behavior,
        "CacheBehaviors": {"Quantity": 0},
        "Comment": "",
        "Enabled": True,
    }


def _associated(config: Mapping[str, Any]) -> list[str]:
    return [item["KeyValueStoreARN"] for item in config.get("KeyValueStoreAssociations", {}).get("Items", ())]
