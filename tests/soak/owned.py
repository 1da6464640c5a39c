"""The resources of a caller, and its next request for one of them."""

from __future__ import annotations

import random
import time
from typing import Any

from cloudfront_facade.v1.function_service_pb2 import (
    CreateFunctionResponse,
    DeleteFunctionRequest,
    FunctionConfig,
    FunctionRuntime,
    PublishFunctionRequest,
    UpdateFunctionRequest,
)
from cloudfront_facade.v1.key_value_store_service_pb2 import DeleteKeyValueStoreRequest, UpdateKeyValueStoreRequest
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade.v1.tag_service_pb2 import TagResourceRequest, UntagResourceRequest

CONFIG = FunctionConfig(runtime=FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0)


class Owned:
    """A function or a store that one caller has created and alone changes.

    Args:
        name: Its name.
        created: The response to its create.

    Attributes:
        etag: Its current version.
        touched: The last time at which a request for it may have been on its way after its answer (monotonic).
    """

    def __init__(self, name: str, created: Any) -> None:
        self.name = name
        self.etag: str = created.etag
        self.touched = time.monotonic()
        self.is_function = isinstance(created, CreateFunctionResponse)
        metadata = created.function_summary.function_metadata if self.is_function else created.key_value_store
        self._arn: str = metadata.function_arn if self.is_function else metadata.arn
        self._tag_keys: list[str] = []
        """Keys of the tags that the caller has added."""

    def new_change(self, chooser: random.Random, text: str) -> Any:
        """Returns a request that changes it; `text` is a text that no other request has."""
        match chooser.choice(("update", "publish", "tag", "untag")):
            case "update" | "publish" if not self.is_function:
                return UpdateKeyValueStoreRequest(name=self.name, etag=self.etag, comment=text)
            case "update":
                code = f"function handler(event) {{ return '{text}'; }}".encode()
                return UpdateFunctionRequest(name=self.name, etag=self.etag, function_config=CONFIG, function_code=code)
            case "publish":
                return PublishFunctionRequest(name=self.name, etag=self.etag)
            case "untag" if self._tag_keys:
                return UntagResourceRequest(resource=self._arn, tag_keys=[self._tag_keys.pop()])
        self._tag_keys.append(text)
        return TagResourceRequest(resource=self._arn, tags=[Tag(key=text, value=text)])

    def new_deletion(self) -> Any:
        """Returns a request that deletes it."""
        if self.is_function:
            return DeleteFunctionRequest(name=self.name, etag=self.etag)
        return DeleteKeyValueStoreRequest(name=self.name, etag=self.etag)

    def learn(self, response: Any) -> None:
        """Reads the version after a change; an update returns it, and may return none if a read of it failed."""
        self.etag = getattr(response, "etag", self.etag)
