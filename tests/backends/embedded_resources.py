"""Creates and lists resources in the embedded backend."""

from __future__ import annotations

from typing import Any, Final

from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from support.errors import code_of

CONFIG: Final = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
TAGS: Final = {"Items": [{"Key": f"k{number}", "Value": "v"} for number in range(10)]}


def associated_with(*arns: str, quantity: int | None = None) -> dict[str, Any]:
    """Returns the member of a function's configuration that associates it with stores."""
    items = [{"KeyValueStoreARN": arn} for arn in arns]
    return {"KeyValueStoreAssociations": {"Quantity": len(items) if quantity is None else quantity, "Items": items}}


def create_store(backend: EmbeddedBackend, name: str = "s") -> str:
    """Creates a store, and returns its ARN."""
    arn: str = backend.create_key_value_store(Name=name)["KeyValueStore"]["ARN"]
    return arn


def create_function(backend: EmbeddedBackend, name: str) -> str:
    """Creates a function with TAGS, and returns the code of the error, or "OK"."""
    return code_of(lambda: backend.create_function(Name=name, FunctionConfig=CONFIG, FunctionCode=b"x", Tags=TAGS))


def function_exists(backend: EmbeddedBackend, name: str) -> bool:
    """Returns whether a function exists."""
    return code_of(lambda: backend.describe_function(Name=name)) == "OK"


def store_names(backend: EmbeddedBackend, **arguments: str) -> list[str]:
    """Returns the names on one page of the list of stores."""
    page = backend.list_key_value_stores(**arguments)["KeyValueStoreList"]
    assert page["Quantity"] == len(page["Items"])
    return [item["Name"] for item in page["Items"]]


def all_stores(backend: EmbeddedBackend) -> list[dict[str, Any]]:
    """Returns the stores of all pages."""
    stores: list[dict[str, Any]] = []
    arguments: dict[str, str] = {}
    for _ in range(1000):
        page = backend.list_key_value_stores(**arguments)["KeyValueStoreList"]
        stores += page["Items"]
        if "NextMarker" not in page:
            return stores
        arguments["Marker"] = page["NextMarker"]
    raise AssertionError("the list has no last page")
