"""A client for CloudFront Facade: create CloudFront functions and key value stores, with tags, over gRPC.

Requests and responses are the messages of `cloudfront_facade.v1`, generated from the protos, which document each field.
A failed call raises `FacadeError`.

Example:
    from cloudfront_facade import FacadeError, connect
    from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest, FunctionConfig, FunctionRuntime
    from cloudfront_facade.v1.tag_pb2 import Tag

    request = CreateFunctionRequest(
        name="docstring-example",
        function_config=FunctionConfig(runtime=FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0),
        function_code=b"function handler(event) { return event.request; }",
        tags=[Tag(key="team", value="web")],
    )
    with connect("127.0.0.1:50051") as facade:
        try:
            print(facade.functions.CreateFunction(request).function_summary.function_metadata.function_arn)
        except FacadeError as error:
            print(error.reason, error.violations)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloudfront_facade import errors
    from cloudfront_facade._client import Client, connect
    from cloudfront_facade._tls import TLS
    from cloudfront_facade.errors import FacadeError, FunctionChangedError, Precondition, Quota, Resource, Violation

    __version__: str

__all__ = [
    "TLS",
    "Client",
    "FacadeError",
    "FunctionChangedError",
    "Precondition",
    "Quota",
    "Resource",
    "Violation",
    "__version__",
    "connect",
    "errors",
]

_MODULES = {"Client": "_client", "connect": "_client", "TLS": "_tls"}
"""The modules of the names that are not in `errors`."""


def __getattr__(name: str) -> Any:
    """Imports a name when it is first used, because the stubs in `v1` and the command do not need it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("cloudfront-facade")
    else:
        from importlib import import_module

        module = import_module(f"{__name__}.{_MODULES.get(name, 'errors')}")
        value = module if name == "errors" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
